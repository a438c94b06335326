//! Concrete facts about one data set, in words. Which sentence is written is decided by the numbers.

use super::{
    findings::{Findings, Pair},
    format::{error, interval, networks, number, p_value, percent, points, times},
};
use crate::{
    demo::relations::{JudgedBy, Level, Relation},
    statistics::Verdict,
};
use serde::Serialize;

/// A decoder's error has grown when it was multiplied by at least this.
const GROWN: f64 = 1.1;

/// Concrete facts about one data set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Facts {
    pub(super) name: &'static str,
    pub(super) facts: Vec<Fact>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Fact {
    /// A few words that lead in.
    pub(super) label: &'static str,
    pub(super) text: String,
}

impl Facts {
    /// Everything worth saying about one data set.
    pub(super) fn of(set: &Findings) -> Self {
        let facts = [
            same_reconstruction(set),
            reversal(set),
            best_reconstruction(set),
            against_pixels(set),
            Some(fine_tuning(set)),
            failed(set),
        ];
        Self { name: set.name, facts: facts.into_iter().flatten().collect() }
    }
}

fn fact(label: &'static str, text: String) -> Fact {
    Fact { label, text }
}

fn same_reconstruction(set: &Findings) -> Option<Fact> {
    let Pair { better, worse, gap } = set.twins?;
    let text = format!(
        "networks #{} and #{} explain about as much of the pictures (R² {} and {}), and their codes classify {} apart \
         ({} and {}).",
        better.network,
        worse.network,
        number(better.r2?, 2),
        number(worse.r2?, 2),
        points(gap),
        percent(better.probe_accuracy?),
        percent(worse.probe_accuracy?)
    );
    Some(fact("Same reconstruction, different features", text))
}

fn reversal(set: &Findings) -> Option<Fact> {
    let Pair { better, worse, gap } = set.reversal?;
    let text = format!(
        "network #{} reconstructs better than network #{} (R² {} against {}) and classifies {} worse ({} against {}).",
        worse.network,
        better.network,
        number(worse.r2?, 2),
        number(better.r2?, 2),
        points(gap),
        percent(worse.probe_accuracy?),
        percent(better.probe_accuracy?)
    );
    Some(fact("Better reconstruction, worse features", text))
}

fn best_reconstruction(set: &Findings) -> Option<Fact> {
    let choice = set.choice?;
    let (chosen, best) = (choice.reconstructs_best, choice.classifies_best);
    let place = format!(
        "network #{} (R² {}) is number {} of {} working networks by accuracy",
        chosen.network,
        number(chosen.r2?, 2),
        choice.rank,
        choice.of
    );
    let text = if choice.regret > 0.0 {
        format!(
            "{place}: {} instead of the {} of network #{}. Choosing by reconstruction costs {} here, as measured on test \
             pictures.",
            percent(chosen.probe_accuracy?),
            percent(best.probe_accuracy?),
            best.network,
            points(choice.regret)
        )
    } else {
        format!("{place}: choosing by reconstruction costs nothing here, as measured on test pictures.")
    };
    Some(fact("Best reconstruction", text))
}

fn against_pixels(set: &Findings) -> Option<Fact> {
    let (beat, of, pixels) = set.beat_pixels.filter(|&(_, of, _)| of > 0)?;
    let counted = match beat {
        0 => format!("none of the {of} codes classifies"),
        beat if beat == of => format!("all {of} codes classify"),
        1 => format!("1 of {of} codes classifies"),
        beat => format!("{beat} of {of} codes classify"),
    };
    let meaning = if beat == of { "" } else { " A code is not necessarily easier to separate than the input." };
    Some(fact("Code or pixels", format!("{counted} better than the raw pixels do ({}).{meaning}", percent(pixels))))
}

fn fine_tuning(set: &Findings) -> Fact {
    let tuned = &set.fine_tuned;
    let ([before, after], [old, new]) = (tuned.accuracy, tuned.old_decoder);
    let accuracy = format!("from {} to {}", percent(before), percent(after));
    let errors = format!("from {} to {}", error(old), error(new));
    if after <= before {
        let text = format!(
            "it did not raise the probe accuracy of the reference network ({accuracy}); the error of its decoder went \
             {errors}."
        );
        return fact("Fine-tuning", text);
    }
    if tuned.factor() < GROWN {
        let text = format!(
            "it raised the probe accuracy of the reference network {accuracy}, and the error of its decoder did not grow \
             ({errors}): here the two did not part."
        );
        return fact("Fine-tuning", text);
    }
    let text = format!(
        "the probe accuracy of the reference network rose {accuracy}, while the error of its decoder, left as it was, \
         became {} as large ({errors}). {}",
        times(tuned.factor()),
        retrained(tuned.old_decoder, tuned.retrained[1])
    );
    fact("Fine-tuning improves the features, not the reconstruction", text)
}

/// How much of the grown error belonged to the decoder.
fn retrained([old, new]: [f64; 2], retrained: f64) -> String {
    let reached = error(retrained);
    let whose = match (new - retrained) / (new - old) {
        share if share > 0.9 => "nearly all of the increase belonged to the decoder, not to the code",
        share if share > 0.5 => "most of the increase belonged to the decoder, not to the code",
        share if share > 0.0 => "the smaller part of the increase belonged to the decoder",
        _ => return format!("A decoder trained anew on the new code does no better ({reached})."),
    };
    format!("A decoder trained anew on the new code brings it down to {reached}: {whose}.")
}

fn failed(set: &Findings) -> Option<Fact> {
    let mut failed = Vec::new();
    if set.dead > 0 {
        let (reconstruct, kept) = match set.dead {
            1 => ("is dead, it reconstructs", "It is"),
            _ => ("are dead, they reconstruct", "They are"),
        };
        failed.push(format!(
            "{} of {} {reconstruct} no better than the mean picture does. {kept} kept in the numbers unless these say \
             otherwise.",
            set.dead, set.networks
        ));
    }
    if let Some(without) = set.without_dead(Level::Pooled, JudgedBy::OwnDecoder) {
        failed.push(format!("Without the dead the claim is {}: {}.", verdict(without), numbers(without)));
    }
    if set.diverged > 0 {
        let left_out = match set.diverged {
            1 => "diverged, has no numbers and is",
            _ => "diverged, have no numbers and are",
        };
        failed.push(format!("{} of {} {left_out} left out of all correlations.", set.diverged, set.networks));
    }
    (!failed.is_empty()).then(|| fact("Failed networks", failed.join(" ")))
}

/// What the verdict is on the claim, as an adjective.
fn verdict(relation: &Relation) -> &'static str {
    match relation.rank.verdict {
        Verdict::Supported => "supported",
        Verdict::Contradicted => "contradicted",
        Verdict::Inconclusive => "neither supported nor contradicted",
    }
}

/// `Spearman's ρ = 0.71, 95 % interval 0.45 to 0.86, 24 networks, p < 0.001`.
pub(super) fn numbers(relation: &Relation) -> String {
    let rank = &relation.rank;
    let p = p_value(rank.permutation_p);
    let p = if p.starts_with('<') { p } else { format!("= {p}") };
    format!(
        "Spearman’s ρ = {}, 95\u{a0}% interval {}, {}, p\u{a0}{p}",
        number(rank.rho, 2),
        interval(rank.interval()),
        networks(rank.rows)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        demo::SetResults,
        report::examples::{population, results},
    };
    use patchgrad_datasets::SetName::Mnist;

    #[test]
    fn fine_tuning_is_told_as_it_went() {
        let mut set = results(Mnist, population(8, |i| i));
        let told = |set: &SetResults| fine_tuning(&Findings::of(set)).text;
        assert_eq!(
            told(&set),
            "the probe accuracy of the reference network rose from 70.0\u{a0}% to 80.0\u{a0}%, while the error of its decoder, \
             left as it was, became 9.0 times as large (from 0.100 to 0.900). A decoder trained anew on the new code brings \
             it down to 0.300: most of the increase belonged to the decoder, not to the code."
        );
        set.reference.decoded[3].scores.mse = 0.105;
        assert!(told(&set).contains("did not grow (from 0.100 to 0.105)"));
        set.reference.probe_accuracy = [0.7, 0.65];
        assert!(told(&set).starts_with("it did not raise the probe accuracy"));
        assert!(retrained([0.1, 0.9], 0.11).contains("nearly all"));
        assert!(retrained([0.1, 0.9], 0.6).contains("the smaller part"));
        assert!(retrained([0.1, 0.9], 0.95).contains("does no better (0.950)"));
    }
}
