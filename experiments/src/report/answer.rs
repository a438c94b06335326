//! The findings in words: every sentence is chosen by a rule on the numbers, no outcome is written down beforehand.

use super::{
    facts::{Facts, numbers},
    findings::{ALIKE, Findings, Reading, fewest_for_equivalence},
    format::{listed, number, points},
};
use crate::{
    demo::{
        population::FIXED_CODE_SIZE,
        relations::{JudgedBy, Level},
    },
    statistics::EQUIVALENCE_MARGIN,
};
use serde::Serialize;

/// The first section of the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Answer {
    /// The answer of the run in one sentence.
    pub(super) headline: String,
    /// What has to be said with it.
    pub(super) rest: Vec<String>,
    /// One line for each data set.
    pub(super) verdicts: Vec<VerdictLine>,
    /// By which rule, and what this many networks can show at all.
    pub(super) rule: String,
    /// What was seen on each data set.
    pub(super) sets: Vec<Facts>,
}

/// The verdict on one data set: its reading and the correlation it rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct VerdictLine {
    pub(super) name: &'static str,
    /// `together`, `opposed`, `unrelated`, `open` or `undefined`: the style of the line.
    pub(super) reading: &'static str,
    pub(super) verdict: &'static str,
    pub(super) numbers: String,
}

impl Answer {
    /// The answer that follows from the findings on all data sets.
    pub(super) fn of(findings: &[Findings]) -> Self {
        let rest = [
            at_one_code_size(findings),
            changed_by_linear_decoder(findings),
            changed_without_dead(findings),
            gaps(findings),
            cost_of_choosing(findings),
        ];
        Self {
            headline: headline(findings),
            rest: rest.into_iter().flatten().collect(),
            verdicts: findings.iter().map(verdict_line).collect(),
            rule: rule(findings),
            sets: findings.iter().map(Facts::of).collect(),
        }
    }
}

/// The readings of one correlation on all data sets.
struct Readings<'a> {
    sets: &'a [Findings<'a>],
    level: Level,
    judged_by: JudgedBy,
}

impl Readings<'_> {
    fn reading(&self, set: &Findings) -> Reading {
        set.reading(self.level, self.judged_by)
    }

    /// What all data sets have in common, if anything.
    fn joint(&self) -> Option<Reading> {
        let first = self.reading(self.sets.first()?);
        self.sets.iter().all(|set| self.reading(set) == first).then_some(first)
    }

    /// `0.74`, where it means something.
    fn rho(&self, set: &Findings) -> Option<String> {
        let relation = set.relation(self.level, self.judged_by).filter(|_| set.learnt())?;
        Some(number(relation.rank.rho, 2))
    }

    /// `on A, ... (ρ = 0.74); on B, ... (ρ = 0.86)` in the words of `clause`.
    fn each(&self, clause: fn(Reading) -> &'static str) -> String {
        let of_set = |set: &Findings| {
            let rho = self.rho(set).map_or_else(String::new, |rho| format!(" (ρ = {rho})"));
            format!("on {}, {}{rho}", set.name, clause(self.reading(set)))
        };
        self.sets.iter().map(of_set).collect::<Vec<_>>().join("; ")
    }

    /// In one clause where all data sets agree, otherwise [`Self::each`].
    fn in_short(&self) -> String {
        let Some(reading) = self.joint() else { return self.each(short_clause) };
        let rho = |set: &Findings| self.rho(set).map(|rho| format!("{rho} on {}", set.name));
        let rhos: Vec<String> = self.sets.iter().filter_map(rho).collect();
        match rhos.is_empty() {
            true => short_clause(reading).to_string(),
            false => format!("{} (ρ = {})", short_clause(reading), rhos.join(", ")),
        }
    }
}

fn headline(findings: &[Findings]) -> String {
    let readings = Readings { sets: findings, level: Level::Pooled, judged_by: JudgedBy::OwnDecoder };
    let names: Vec<&str> = findings.iter().map(|set| set.name).collect();
    let sets = listed(&names);
    match readings.joint() {
        Some(Reading::Together) => format!(
            "In this run, by and large, yes: on {sets}, networks that reconstruct better also tend to have features that \
             classify better, which contradicts the paper’s claim that the two are not correlated."
        ),
        Some(Reading::Opposed) => format!(
            "In this run, rather the reverse: on {sets}, networks that reconstruct better tend to have features that \
             classify worse, which contradicts the paper’s claim that the two are not correlated, but not its advice \
             against choosing features by reconstruction."
        ),
        Some(Reading::Unrelated) => format!(
            "In this run, no: on {sets}, how well a network reconstructs and how well its features classify are not \
             correlated, which supports the paper’s claim."
        ),
        Some(Reading::Open) => format!(
            "This run cannot tell: on {sets}, a correlation between how well a network reconstructs and how well its \
             features classify is neither shown nor excluded."
        ),
        Some(Reading::Undefined) => {
            format!("This run gives no answer: on {sets}, too few networks learnt anything to look for a correlation.")
        }
        None => format!("In this run the answer depends on the data: {}.", readings.each(clause)),
    }
}

/// A reading as a part of a sentence.
fn clause(reading: Reading) -> &'static str {
    match reading {
        Reading::Together => {
            "networks that reconstruct better also tend to have features that classify better, which contradicts the \
             paper’s claim of no correlation"
        }
        Reading::Opposed => {
            "networks that reconstruct better tend to have features that classify worse, which contradicts the paper’s \
             claim of no correlation too"
        }
        Reading::Unrelated => "the two are not correlated, which supports the paper’s claim",
        Reading::Open => "a correlation is neither shown nor excluded",
        Reading::Undefined => "too few networks learnt anything to look for a correlation",
    }
}

/// The same in fewer words, once the claim has been named.
fn short_clause(reading: Reading) -> &'static str {
    match reading {
        Reading::Together => "better reconstruction goes along with better features",
        Reading::Opposed => "better reconstruction goes along with worse features",
        Reading::Unrelated => "the two are not correlated",
        Reading::Open => "a correlation is neither shown nor excluded",
        Reading::Undefined => "no correlation can be computed",
    }
}

/// Unless no network of any data set learnt anything.
fn at_one_code_size(findings: &[Findings]) -> Option<String> {
    let readings = Readings { sets: findings, level: Level::OneCodeSize, judged_by: JudgedBy::OwnDecoder };
    findings.iter().any(Findings::learnt).then(|| {
        format!(
            "The size of the code may drive both, so the same was asked among the networks of one code size, \
             {FIXED_CODE_SIZE}: there, {}.",
            readings.in_short()
        )
    })
}

/// Only where the other decoder leads to another reading.
fn changed_by_linear_decoder(findings: &[Findings]) -> Option<String> {
    let own = Readings { sets: findings, level: Level::Pooled, judged_by: JudgedBy::OwnDecoder };
    let linear = Readings { judged_by: JudgedBy::OptimalLinearDecoder, ..own };
    let changed = findings.iter().any(|set| own.reading(set) != linear.reading(set));
    changed.then(|| {
        let clauses = linear.in_short();
        format!("Judged by the best linear decoder of each code instead of the one it was trained with, {clauses}.")
    })
}

/// Only where the answer hangs on networks that learnt nothing.
fn changed_without_dead(findings: &[Findings]) -> Option<String> {
    let changed = findings.iter().filter_map(|set| {
        let without = set.without_dead(Level::Pooled, JudgedBy::OwnDecoder).filter(|_| set.learnt())?;
        let reading = Reading::of(Some(without));
        let clause = format!("on {}, {} (ρ = {})", set.name, short_clause(reading), number(without.rank.rho, 2));
        (reading != set.reading(Level::Pooled, JudgedBy::OwnDecoder)).then_some(clause)
    });
    let changed: Vec<String> = changed.collect();
    (!changed.is_empty())
        .then(|| format!("This hangs on networks that learnt nothing; without them, {}.", changed.join("; ")))
}

/// How far apart the features of networks are that reconstruct alike.
fn gaps(findings: &[Findings]) -> Option<String> {
    let gap = |set: &Findings| set.twins.map(|twins| format!("{} on {}", points(twins.gap), set.name));
    let gaps: Vec<String> = findings.iter().filter_map(gap).collect();
    (!gaps.is_empty()).then(|| {
        format!("Networks that reconstruct alike (R² within {ALIKE}) differ in accuracy by up to {}.", listed(&gaps))
    })
}

fn cost_of_choosing(findings: &[Findings]) -> Option<String> {
    let cost = |set: &Findings| {
        let regret = set.choice?.regret;
        let cost = if regret > 0.0 { format!("{} of accuracy", points(regret)) } else { "nothing".to_string() };
        Some(format!("{cost} on {}", set.name))
    };
    let costs: Vec<String> = findings.iter().filter_map(cost).collect();
    (!costs.is_empty())
        .then(|| format!("Choosing the network that reconstructs best would have cost {}.", listed(&costs)))
}

fn verdict_line(set: &Findings) -> VerdictLine {
    let relation = set.relation(Level::Pooled, JudgedBy::OwnDecoder).filter(|_| set.learnt());
    let (reading, verdict) = match set.reading(Level::Pooled, JudgedBy::OwnDecoder) {
        Reading::Together => ("together", "contradicts the claim: better reconstruction, better features"),
        Reading::Opposed => ("opposed", "contradicts the claim: better reconstruction, worse features"),
        Reading::Unrelated => ("unrelated", "supports the claim: no correlation"),
        Reading::Open => ("open", "inconclusive: neither shown nor excluded"),
        Reading::Undefined => ("undefined", "no answer: too few networks learnt anything"),
    };
    VerdictLine { name: set.name, reading, verdict, numbers: relation.map_or_else(String::new, numbers) }
}

fn rule(findings: &[Findings]) -> String {
    let margin = number(EQUIVALENCE_MARGIN, 1);
    let mut rule = format!(
        "The rule was fixed beforehand. A rank correlation ρ over all networks contradicts “no correlation” when its \
         95\u{a0}% interval excludes 0 and ρ is at least {margin} in size; it supports it when an equivalence test \
         shows that ρ lies within ±{margin}; otherwise the run is inconclusive."
    );
    let most = findings.iter().map(|set| set.networks).max().unwrap_or(0);
    let needed = fewest_for_equivalence();
    if most < needed {
        rule += &format!(
            " That equivalence test needs at least {needed} networks even if ρ is exactly 0, so the {most} of this run \
             can contradict the claim but cannot support it: so few cannot establish the absence of a correlation."
        );
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        demo::{SetResults, network::NetworkRow},
        report::examples::{diverged, network, population, results, scrambled},
    };
    use patchgrad_datasets::SetName::{FashionMnist, Mnist};

    fn answer(results: &[SetResults]) -> Answer {
        Answer::of(&results.iter().map(Findings::of).collect::<Vec<_>>())
    }

    fn on_mnist(networks: Vec<NetworkRow>) -> Answer {
        answer(&[results(Mnist, networks)])
    }

    fn fact_about(answer: &Answer, label: &str) -> String {
        let facts = answer.sets[0].facts.iter().filter(|fact| fact.label.starts_with(label));
        facts.map(|fact| fact.text.as_str()).collect()
    }

    #[test]
    fn rising_together_contradicts_the_claim() {
        let answer = on_mnist(population(24, |i| i));
        assert!(answer.headline.starts_with("In this run, by and large, yes: on MNIST"), "{}", answer.headline);
        assert!(answer.headline.contains("contradicts the paper’s claim"));
        assert!(answer.rest[0].contains("code size, 64: there, better reconstruction goes along with better features"));
        let line = &answer.verdicts[0];
        assert_eq!((line.name, line.reading), ("MNIST", "together"));
        assert!(line.numbers.starts_with("Spearman’s ρ = 1.00, 95\u{a0}% interval 1.00 to 1.00, 24 networks, p"));
        assert_eq!(fact_about(&answer, "Best reconstruction"), {
            "network #23 (R² 0.90) is number 1 of 24 working networks by accuracy: choosing by reconstruction costs nothing \
             here, as measured on test pictures."
        });
        assert_eq!(fact_about(&answer, "Better reconstruction"), "", "no pair is reversed");
        assert!(answer.rest.last().is_some_and(|cost| cost.ends_with("would have cost nothing on MNIST.")));
    }

    #[test]
    fn falling_contradicts_the_claim_in_the_other_direction() {
        let answer = on_mnist(population(24, |i| 23 - i));
        assert!(answer.headline.starts_with("In this run, rather the reverse"), "{}", answer.headline);
        assert!(answer.headline.contains("contradicts the paper’s claim"));
        assert_eq!(answer.verdicts[0].reading, "opposed");
        assert!(fact_about(&answer, "Best reconstruction").contains("network #23 (R² 0.90) is number 24 of 24"));
        assert!(
            answer.rest.last().is_some_and(|cost| cost.ends_with("would have cost 38.3 points of accuracy on MNIST."))
        );
    }

    #[test]
    fn no_trend_over_few_networks_is_inconclusive_and_says_why() {
        let answer = on_mnist(population(24, scrambled(24)));
        assert!(answer.headline.starts_with("This run cannot tell"), "{}", answer.headline);
        assert_eq!(answer.verdicts[0].reading, "open");
        assert!(answer.rule.contains("needs at least 33 networks even if ρ is exactly 0, so the 24 of this run"));
        assert!(fact_about(&answer, "Better reconstruction").contains("reconstructs better than network #"));
    }

    #[test]
    fn no_trend_over_many_networks_supports_the_claim() {
        let answer = on_mnist(population(120, scrambled(120)));
        assert!(answer.headline.starts_with("In this run, no: on MNIST"), "{}", answer.headline);
        assert!(answer.headline.contains("supports the paper’s claim"));
        assert_eq!(answer.verdicts[0].reading, "unrelated");
        assert!(!answer.rule.contains("at least 33"), "{}", answer.rule);
    }

    #[test]
    fn data_sets_that_disagree_are_told_apart() {
        let sets = [results(FashionMnist, population(24, |i| i)), results(Mnist, population(24, scrambled(24)))];
        let answer = answer(&sets);
        assert!(
            answer.headline.starts_with("In this run the answer depends on the data: on Fashion-MNIST, networks that")
        );
        assert!(answer.headline.contains("; on MNIST, a correlation is neither shown nor excluded (ρ = "));
        assert_eq!(answer.verdicts.iter().map(|line| line.reading).collect::<Vec<_>>(), ["together", "open"]);
    }

    #[test]
    fn diverged_networks_are_counted_and_left_out() {
        let mut networks = population(24, |i| i);
        networks.extend([diverged(24, 64), diverged(25, 16)]);
        let answer = on_mnist(networks);
        assert!(answer.verdicts[0].numbers.contains(", 24 networks,"));
        let failed = fact_about(&answer, "Failed networks");
        assert_eq!(failed, "2 of 26 diverged, have no numbers and are left out of all correlations.");
        assert!(fact_about(&answer, "Code or pixels").starts_with("6 of 24 codes classify better"));
    }

    #[test]
    fn only_dead_networks_give_no_answer() {
        // Dead networks have numbers, and these rise together; still nothing was learnt.
        let answer = on_mnist((0..24).map(|i| network(i, i as f64 / 100.0 - 0.5, 0.1 + i as f64 / 1000.0)).collect());
        assert!(answer.headline.starts_with("This run gives no answer"), "{}", answer.headline);
        assert_eq!((answer.verdicts[0].reading, answer.verdicts[0].numbers.as_str()), ("undefined", ""));
        assert!(answer.rest.is_empty(), "{:?}", answer.rest);
        assert!(fact_about(&answer, "Code or pixels").starts_with("none of the 24 codes classifies better"));
        assert!(fact_about(&answer, "Failed networks").starts_with("24 of 24 are dead"));
    }

    #[test]
    fn an_answer_that_hangs_on_dead_networks_says_so() {
        let mut networks = population(24, scrambled(24));
        networks.extend((24..40).map(|i| network(i, (i as f64 - 50.0) / 100.0, 0.1 + i as f64 / 1000.0)));
        let answer = on_mnist(networks);
        assert_eq!(answer.verdicts[0].reading, "together");
        let hangs =
            answer.rest.iter().find(|sentence| sentence.starts_with("This hangs on networks that learnt nothing"));
        assert!(hangs.is_some_and(|sentence| sentence.contains("neither shown nor excluded")), "{:?}", answer.rest);
        assert!(
            fact_about(&answer, "Failed").contains("Without the dead the claim is neither supported nor contradicted")
        );
    }

    #[test]
    fn an_answer_that_hangs_on_the_decoder_says_so() {
        let mut networks = population(24, |i| i);
        for (row, place) in networks.iter_mut().zip((0..24).map(scrambled(24))) {
            row.linear_decoder_mse = Some(0.1 + place as f64 / 100.0);
        }
        let answer = on_mnist(networks);
        assert!(answer.rest[1].starts_with("Judged by the best linear decoder"), "{:?}", answer.rest);
        assert!(answer.rest[1].contains("neither shown nor excluded"));
    }
}
