//! How many codes are better separable than something else, and what follows for claim C3.

use super::row::{Against, By, Kind, SeparabilityRow};
use crate::{
    correlation::population::Population,
    statistics::{Comparison, Disagreement, SIGNIFICANCE_LEVEL, Verdict, compare_all, median},
    suite::claims::{Case, exists},
};
use serde::Serialize;

/// One population against one baseline by one probe: a row of `comparisons.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparisonRow {
    /// The set.
    pub data: String,
    /// Which networks.
    pub population: Population,
    /// Whether dead networks are left out.
    pub without_dead: bool,
    /// By which probe.
    pub probe: By,
    /// What their codes are compared with.
    pub against: Against,
    /// Networks: the family of Holm's correction.
    pub networks: usize,
    /// Of these, the ones whose code is better.
    pub better: usize,
    /// Without a difference that is certain.
    pub equal: usize,
    /// Whose code is worse.
    pub worse: usize,
    /// The middle of the differences in accuracy, code minus baseline.
    pub median_difference: f64,
    /// The smallest.
    pub smallest_difference: f64,
    /// The largest.
    pub largest_difference: f64,
}

/// A network and how its code compares.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// Its row.
    pub row: &'a SeparabilityRow,
    /// Where the two differ.
    pub disagreement: Disagreement,
    /// By McNemar's exact test at 5 %, corrected by Holm over all networks of the population.
    pub comparison: Comparison,
}

impl Outcome<'_> {
    /// Accuracy on the code minus accuracy on what it is compared with.
    pub fn difference(&self) -> f64 {
        self.disagreement.difference().unwrap_or(0.0)
    }
}

/// How the code of every network of a population compares. Networks that failed never enter.
pub fn outcomes(
    rows: &[SeparabilityRow],
    population: Population,
    without_dead: bool,
    by: By,
    against: Against,
) -> Vec<Outcome<'_>> {
    let enters = |row: &&SeparabilityRow| {
        row.kind == Kind::Network && row.population == Some(population) && row.status.enters(without_dead)
    };
    let chosen: Vec<(&SeparabilityRow, Disagreement)> =
        rows.iter().filter(enters).filter_map(|row| Some((row, row.disagreement(by, against)?))).collect();
    let family: Vec<Disagreement> = chosen.iter().map(|(_, disagreement)| *disagreement).collect();
    let judged = compare_all(&family, SIGNIFICANCE_LEVEL);
    let outcome = |((row, disagreement), comparison)| Outcome { row, disagreement, comparison };
    chosen.into_iter().zip(judged).map(outcome).collect()
}

/// How many of some outcomes are so.
pub fn count(outcomes: &[Outcome], comparison: Comparison) -> usize {
    outcomes.iter().filter(|outcome| outcome.comparison == comparison).count()
}

/// Every comparison there is. One without networks is left out.
pub fn comparisons(rows: &[SeparabilityRow]) -> Vec<ComparisonRow> {
    let mut found = Vec::new();
    for population in [Population::P1, Population::P2] {
        for without_dead in [false, true] {
            for probe in By::ALL {
                for against in Against::ALL {
                    let outcomes = outcomes(rows, population, without_dead, probe, against);
                    found.extend(summary(&outcomes, population, without_dead, probe, against));
                }
            }
        }
    }
    found
}

fn summary(
    outcomes: &[Outcome],
    population: Population,
    without_dead: bool,
    probe: By,
    against: Against,
) -> Option<ComparisonRow> {
    let differences: Vec<f64> = outcomes.iter().map(Outcome::difference).collect();
    Some(ComparisonRow {
        data: outcomes.first()?.row.data.clone(),
        population,
        without_dead,
        probe,
        against,
        networks: outcomes.len(),
        better: count(outcomes, Comparison::Better),
        equal: count(outcomes, Comparison::Equal),
        worse: count(outcomes, Comparison::Worse),
        median_difference: median(&differences)?,
        smallest_difference: differences.iter().copied().fold(f64::INFINITY, f64::min),
        largest_difference: differences.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    })
}

/// Claim C3 by its rule: the logistic probe on the codes of the living networks of P1 against that on the pixels.
pub fn verdict(rows: &[SeparabilityRow]) -> Verdict {
    let outcomes = outcomes(rows, Population::P1, true, By::Logistic, Against::Pixels);
    exists(outcomes.iter().map(|outcome| match outcome.comparison {
        Comparison::Worse => Case::ForIt,
        Comparison::Better => Case::AgainstIt,
        Comparison::Equal => Case::Open,
    }))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::correlation::network::Status;

    /// A living network of P1 that gets `over` pictures right that the pixels do not, and the other way round.
    pub(in crate::separability) fn network(index: usize, [over, under]: [u64; 2]) -> SeparabilityRow {
        let accuracy = 0.8 + (over as f64 - under as f64) / 1000.0;
        SeparabilityRow {
            population: Some(Population::P1),
            network: Some(index),
            depth: 2,
            status: Status::Ok,
            logistic: Some(accuracy),
            ridge: Some(0.78),
            layer1_ridge: Some(0.85),
            untrained_logistic: Some(0.7),
            logistic_over_pixels: Some(over),
            logistic_under_pixels: Some(under),
            ..SeparabilityRow::new("set", Kind::Network, 16, [4000, 1000])
        }
    }

    #[test]
    fn networks_are_counted_with_and_without_dead_ones_and_failed_ones_never() {
        let mut rows = vec![network(0, [90, 10]), network(1, [50, 45]), network(2, [10, 90]), network(3, [0, 300])];
        rows[3].status = Status::Dead;
        rows.push(SeparabilityRow { status: Status::Failed, ..network(4, [0, 500]) });
        rows.push(SeparabilityRow::new("set", Kind::Pixels, 784, [4000, 1000]));
        let found = comparisons(&rows);
        assert_eq!(found.len(), 2, "only the pixels, by one probe");
        let counts = |row: &ComparisonRow| [row.networks, row.better, row.equal, row.worse];
        assert_eq!((counts(&found[0]), counts(&found[1])), ([4, 1, 1, 2], [3, 1, 1, 1]));
        assert!((found[1].median_difference - 0.005).abs() < 1e-12);
        assert!((found[0].median_difference + 0.0375).abs() < 1e-12, "between 0.005 and -0.08");
        assert_eq!((found[0].smallest_difference, found[0].largest_difference), (-0.3, 0.08));
    }

    #[test]
    fn one_worse_code_supports_the_claim_and_only_better_ones_contradict_it() {
        let (better, equal, worse) = (network(0, [90, 10]), network(1, [50, 45]), network(2, [10, 90]));
        assert_eq!(verdict(&[better.clone(), worse.clone()]), Verdict::Supported);
        assert_eq!(verdict(&[better.clone(), better.clone()]), Verdict::Contradicted);
        assert_eq!(verdict(&[better.clone(), equal]), Verdict::Inconclusive);
        assert_eq!(verdict(&[]), Verdict::Inconclusive);
        let dead = SeparabilityRow { status: Status::Dead, ..worse.clone() };
        assert_eq!(verdict(&[better.clone(), dead]), Verdict::Contradicted, "dead networks do not count");
        let other = SeparabilityRow { population: Some(Population::P2), ..worse };
        assert_eq!(verdict(&[better, other]), Verdict::Contradicted, "nor do those of P2");
    }

    #[test]
    fn the_correction_is_over_all_networks() {
        // p = 0.0129 alone.
        let rows: Vec<SeparabilityRow> = (0..10).map(|index| network(index, [6, 20])).collect();
        assert_eq!(verdict(&rows[..1]), Verdict::Supported);
        assert_eq!(verdict(&rows), Verdict::Inconclusive);
    }
}
