//! What the numbers of a run say, before anything is put into words.
//!
//! Everything here is computed; no outcome is assumed. The words are chosen in [`super::answer`].

use crate::{
    demo::{
        SetResults,
        baselines::Kind,
        network::{NetworkRow, Status},
        reference::{Decoder, Stage},
        relations::{JudgedBy, Level, Relation},
    },
    statistics::{EQUIVALENCE_MARGIN, Verdict, equivalence},
};

/// Two networks count as reconstructing alike when their R2 differ by no more than this.
pub(super) const ALIKE: f64 = 0.05;

/// The networks that ended like this.
pub(super) fn at_status(rows: &[NetworkRow], status: Status) -> impl Iterator<Item = &NetworkRow> + Clone {
    rows.iter().filter(move |row| row.status == status)
}

/// How a correlation bears on the claim "reconstruction quality and usefulness of the features are not correlated".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Contradicted: better reconstruction goes along with better accuracy.
    Together,
    /// Contradicted as well: better reconstruction goes along with *worse* accuracy.
    Opposed,
    /// Supported: any correlation is smaller than the margin.
    Unrelated,
    /// Neither shown nor excluded.
    Open,
    /// No network learnt anything, or a correlation does not exist.
    Undefined,
}

impl Reading {
    /// By the verdict, which follows a rule fixed beforehand, and by the sign.
    pub(super) fn of(relation: Option<&Relation>) -> Self {
        match relation.map(|relation| (relation.rank.verdict, relation.rank.rho > 0.0)) {
            Some((Verdict::Contradicted, true)) => Self::Together,
            Some((Verdict::Contradicted, false)) => Self::Opposed,
            Some((Verdict::Supported, _)) => Self::Unrelated,
            Some((Verdict::Inconclusive, _)) => Self::Open,
            None => Self::Undefined,
        }
    }
}

/// Two networks whose features differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pair<'a> {
    /// The one with the better features.
    pub(super) better: &'a NetworkRow,
    /// The other.
    pub(super) worse: &'a NetworkRow,
    /// Difference of their accuracies, positive.
    pub(super) gap: f64,
}

/// What choosing by reconstruction would give.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Choice<'a> {
    /// The network that reconstructs best.
    pub(super) reconstructs_best: &'a NetworkRow,
    /// The network with the best features.
    pub(super) classifies_best: &'a NetworkRow,
    /// Its place by accuracy, 1 for the best; equal ones share a place.
    pub(super) rank: usize,
    /// Out of how many.
    pub(super) of: usize,
    /// The accuracy given away, never negative.
    pub(super) regret: f64,
}

/// What fine-tuning did to the reference network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FineTuned {
    /// Probe accuracy of the code before and after.
    pub(super) accuracy: [f64; 2],
    /// Error of the decoders it was trained with, before and after.
    pub(super) old_decoder: [f64; 2],
    /// Error of the re-trained decoders, before and after.
    pub(super) retrained: [f64; 2],
}

impl FineTuned {
    /// By how much the error of the old decoder was multiplied.
    pub(super) fn factor(&self) -> f64 {
        self.old_decoder[1] / self.old_decoder[0]
    }
}

/// The findings on one data set.
#[derive(Clone, Debug)]
pub(super) struct Findings<'a> {
    /// Its short name, such as `MNIST`.
    pub(super) name: &'static str,
    /// Networks trained.
    pub(super) networks: usize,
    /// Networks that reconstruct no better than the mean picture.
    pub(super) dead: usize,
    /// Networks without numbers.
    pub(super) diverged: usize,
    /// Every correlation that exists.
    relations: &'a [Relation],
    /// Of the working networks that reconstruct alike, the two that classify most differently.
    pub(super) twins: Option<Pair<'a>>,
    /// Of the working networks, the two where the one that classifies better by most reconstructs clearly worse.
    pub(super) reversal: Option<Pair<'a>>,
    /// See [`Choice`]; `None` when no network learnt anything.
    pub(super) choice: Option<Choice<'a>>,
    /// Codes that classify better than the raw pixels, out of how many, and the accuracy of the pixels.
    pub(super) beat_pixels: Option<(usize, usize, f64)>,
    /// See [`FineTuned`].
    pub(super) fine_tuned: FineTuned,
}

impl<'a> Findings<'a> {
    /// Looks at the results on one data set.
    pub(super) fn of(set: &'a SetResults) -> Self {
        let rows = &set.networks;
        let pixels = set.baselines.iter().find(|row| row.kind == Kind::RawPixels).map(|row| row.probe_accuracy);
        let beat = |pixels: f64| {
            let accuracies = rows.iter().filter_map(|row| row.probe_accuracy);
            (accuracies.clone().filter(|&accuracy| accuracy > pixels).count(), accuracies.count(), pixels)
        };
        Self {
            name: set.task.set.title(),
            networks: rows.len(),
            dead: at_status(rows, Status::Dead).count(),
            diverged: at_status(rows, Status::Diverged).count(),
            relations: &set.relations,
            twins: widest_gap(rows, |better, worse| (better - worse).abs() <= ALIKE),
            reversal: widest_gap(rows, |better, worse| worse - better > ALIKE),
            choice: choice(rows),
            beat_pixels: pixels.map(beat),
            fine_tuned: fine_tuned(set),
        }
    }

    /// Whether any network reconstructs better than the mean picture.
    pub(super) fn learnt(&self) -> bool {
        self.choice.is_some()
    }

    /// One of the correlations over all finite networks.
    pub(super) fn relation(&self, level: Level, judged_by: JudgedBy) -> Option<&'a Relation> {
        self.find(level, judged_by, false)
    }

    /// The same without dead networks, where there are any.
    pub(super) fn without_dead(&self, level: Level, judged_by: JudgedBy) -> Option<&'a Relation> {
        self.find(level, judged_by, true)
    }

    fn find(&self, level: Level, judged_by: JudgedBy, without_dead: bool) -> Option<&'a Relation> {
        let wanted = |r: &&Relation| r.level == level && r.judged_by == judged_by && r.without_dead == without_dead;
        self.relations.iter().find(wanted)
    }

    /// How one of the correlations bears on the claim. Networks that all learnt nothing bear on nothing.
    pub(super) fn reading(&self, level: Level, judged_by: JudgedBy) -> Reading {
        if self.learnt() { Reading::of(self.relation(level, judged_by)) } else { Reading::Undefined }
    }
}

/// Of all pairs of working networks whose R2, that of the better features first, is as wanted: the one whose accuracies
/// are furthest apart.
fn widest_gap(rows: &[NetworkRow], wanted: impl Fn(f64, f64) -> bool) -> Option<Pair<'_>> {
    let working: Vec<&NetworkRow> = at_status(rows, Status::Ok).collect();
    let pairs = working.iter().flat_map(|&better| working.iter().map(move |&worse| (better, worse)));
    let gaps = pairs.filter_map(|(better, worse)| {
        let gap = better.probe_accuracy? - worse.probe_accuracy?;
        (gap > 0.0 && wanted(better.r2?, worse.r2?)).then_some(Pair { better, worse, gap })
    });
    gaps.max_by(|a, b| a.gap.total_cmp(&b.gap))
}

fn choice(rows: &[NetworkRow]) -> Option<Choice<'_>> {
    let best = |score: fn(&NetworkRow) -> Option<f64>| {
        let scored = at_status(rows, Status::Ok).filter_map(|row| Some((row, score(row)?)));
        scored.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(row, _)| row)
    };
    let (reconstructs_best, classifies_best) = (best(|row| row.r2)?, best(|row| row.probe_accuracy)?);
    let (chosen, best) = (reconstructs_best.probe_accuracy?, classifies_best.probe_accuracy?);
    let accuracies: Vec<f64> = at_status(rows, Status::Ok).filter_map(|row| row.probe_accuracy).collect();
    let rank = 1 + accuracies.iter().filter(|&&accuracy| accuracy > chosen).count();
    Some(Choice { reconstructs_best, classifies_best, rank, of: accuracies.len(), regret: best - chosen })
}

fn fine_tuned(set: &SetResults) -> FineTuned {
    let mse = |wanted: Decoder| {
        [Stage::Before, Stage::After].map(|stage| {
            let found = set.reference.decoded.iter().find(|d| d.stage == stage && d.decoder == wanted);
            found.map_or(f64::NAN, |decoded| decoded.scores.mse)
        })
    };
    FineTuned {
        accuracy: set.reference.probe_accuracy,
        old_decoder: mse(Decoder::Own),
        retrained: mse(Decoder::Retrained),
    }
}

/// The fewest networks with which the equivalence test passes at a correlation of exactly 0.
pub(super) fn fewest_for_equivalence() -> usize {
    let passes = |rows: &usize| equivalence(0.0, *rows, 0, EQUIVALENCE_MARGIN).is_some_and(|test| test.passes());
    (4..).find(passes).expect("the test passes with enough rows")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::examples::{diverged, network, results};
    use patchgrad_datasets::SetName::Mnist;

    #[test]
    fn pairs_and_choice_by_hand() {
        let networks = vec![
            network(0, 0.80, 0.75),
            network(1, 0.78, 0.85),
            network(2, 0.60, 0.90),
            network(3, 0.40, 0.70),
            network(4, -0.5, 0.10),
            diverged(5, 64),
        ];
        let set = results(Mnist, networks);
        let findings = Findings::of(&set);
        let numbers = |pair: Pair| (pair.better.network, pair.worse.network, (100.0 * pair.gap).round());
        assert_eq!(findings.twins.map(numbers), Some((1, 0, 10.0)), "0.02 apart");
        assert_eq!(findings.reversal.map(numbers), Some((2, 0, 15.0)));
        let choice = findings.choice.expect("four networks work");
        assert_eq!((choice.reconstructs_best.network, choice.classifies_best.network), (0, 2));
        assert_eq!((choice.rank, choice.of, (100.0 * choice.regret).round()), (3, 4, 15.0));
        assert_eq!(findings.beat_pixels, Some((2, 5, 0.8)), "a dead code is a code");
        assert_eq!((findings.networks, findings.dead, findings.diverged), (6, 1, 1));
        assert_eq!(findings.fine_tuned.factor(), 9.0);
    }

    #[test]
    fn too_few_networks_have_no_relation() {
        let set = results(Mnist, vec![network(0, 0.8, 0.9), network(1, 0.5, 0.9)]);
        let findings = Findings::of(&set);
        assert_eq!(findings.reading(Level::Pooled, JudgedBy::OwnDecoder), Reading::Undefined);
        assert_eq!((findings.twins, findings.reversal), (None, None), "no difference, no pair");
    }

    #[test]
    fn the_fewest_networks_are_those_at_which_the_test_passes() {
        let fewest = fewest_for_equivalence();
        let passes = |rows| equivalence(0.0, rows, 0, EQUIVALENCE_MARGIN).is_some_and(|test| test.passes());
        assert!(passes(fewest) && !passes(fewest - 1));
    }
}
