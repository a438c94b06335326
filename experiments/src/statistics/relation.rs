//! One call for the row of the correlation table: everything that is reported about one relation.

use rand::Rng;

use super::assert_paired;
use super::bayes::bayes_factor_01;
use super::bootstrap::{Interval, bootstrap};
use super::correlation::average_ranks;
use super::equivalence::{Equivalence, equivalence};
use super::partial::{Controlled, partial_of_ranks, partial_spearman};
use super::permutation::share_reached;
use super::ranking::Ranking;
use super::verdict::{CONFIDENCE, EQUIVALENCE_MARGIN, PERMUTATIONS, RESAMPLES, Verdict};

/// How much resampling a [`RankRelation`] rests on; the default is what the protocol fixes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Shuffles of the permutation test (10,000).
    pub permutations: usize,
    /// Resamples of the bootstrap (2,000).
    pub resamples: usize,
    /// Confidence of the intervals (0.95).
    pub confidence: f64,
    /// Margin of the equivalence test (0.3).
    pub margin: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            permutations: PERMUTATIONS,
            resamples: RESAMPLES,
            confidence: CONFIDENCE,
            margin: EQUIVALENCE_MARGIN,
        }
    }
}

/// A rank correlation with its uncertainty and the verdict on "no correlation".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankRelation {
    /// Rows (networks) that entered.
    pub rows: usize,
    /// Independent covariates held fixed; 0 for a plain rank correlation.
    pub controlled: usize,
    /// Spearman's rho, partial if covariates were given.
    pub rho: f64,
    /// Two-sided permutation p-value of `rho = 0`.
    pub permutation_p: f64,
    /// Percentile bootstrap interval of rho.
    pub percentile: Interval,
    /// BCa bootstrap interval of rho, where it exists.
    pub bca: Option<Interval>,
    /// The two one-sided tests of `abs(rho) < margin`.
    pub equivalence: Equivalence,
    /// Bayes factor in favour of no relation.
    pub bayes_factor_01: f64,
    /// What follows for "no correlation".
    pub verdict: Verdict,
}

impl RankRelation {
    /// The interval to report, and the one the verdict used: BCa, or percentile where BCa does not exist.
    pub fn interval(&self) -> Interval {
        self.bca.unwrap_or(self.percentile)
    }
}

/// How `x` and `y` are related by rank, over all rows.
///
/// `None` if the correlation or a part of the report is undefined: a value that is not finite, a constant input, fewer
/// than four rows.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// use pitfall::statistics::{Settings, Verdict, rank_relation};
/// use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
///
/// let quality: Vec<f64> = (0..40).map(f64::from).collect();
/// let accuracy: Vec<f64> = quality.iter().map(|q| q + 5.0 * (3.0 * q).sin()).collect();
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let relation = rank_relation(&quality, &accuracy, &Settings::default(), &mut rng).unwrap();
/// assert_eq!(relation.verdict, Verdict::Contradicted);
/// assert!(relation.rho > 0.9 && relation.permutation_p < 0.001);
/// ```
pub fn rank_relation(x: &[f64], y: &[f64], settings: &Settings, rng: &mut (impl Rng + ?Sized)) -> Option<RankRelation> {
    partial_rank_relation(x, y, &[], &vec![0; y.len()], settings, rng)
}

/// How `x` and `y` are related by rank with `covariates` held fixed (see [`partial_spearman`]), the permutation test
/// shuffling only within `strata` (see [`permutation_p_within`](super::permutation_p_within)).
///
/// `None` if the correlation or a part of the report is undefined, in particular with at most `3 + controlled` rows.
///
/// # Panics
/// If the lengths differ.
pub fn partial_rank_relation(
    x: &[f64],
    y: &[f64],
    covariates: &[Vec<f64>],
    strata: &[usize],
    settings: &Settings,
    rng: &mut (impl Rng + ?Sized),
) -> Option<RankRelation> {
    assert_paired(x, y);
    let observed = partial_spearman(x, y, covariates)?;
    let permutation_p = permutation_p_of_ranks(x, y, covariates, strata, settings.permutations, rng)?;
    let (order_x, order_y) = (Ranking::new(x)?, Ranking::new(y)?);
    let redrawn_rho = |rows: &[usize]| {
        let pick = |column: &Vec<f64>| rows.iter().map(|&row| column[row]).collect();
        let covariates: Vec<Vec<f64>> = covariates.iter().map(pick).collect();
        partial_of_ranks(order_x.of_rows(rows), order_y.of_rows(rows), &covariates).map(|partial| partial.rho)
    };
    let spread = bootstrap(x.len(), redrawn_rho, settings.resamples, settings.confidence, rng)?;
    let equivalence = equivalence(observed.rho, x.len(), observed.controlled, settings.margin)?;
    Some(RankRelation {
        rows: x.len(),
        controlled: observed.controlled,
        rho: observed.rho,
        permutation_p,
        percentile: spread.percentile,
        bca: spread.bca,
        equivalence,
        bayes_factor_01: bayes_factor_01(observed.rho, x.len())?,
        verdict: Verdict::of(observed.rho, spread.interval(), &equivalence),
    })
}

/// [`permutation_p_within`](super::permutation_p_within) of the partial rank correlation: the same shuffles, but ranks and
/// regressions are done once instead of in each of them.
pub(super) fn permutation_p_of_ranks(
    x: &[f64],
    y: &[f64],
    covariates: &[Vec<f64>],
    strata: &[usize],
    permutations: usize,
    rng: &mut (impl Rng + ?Sized),
) -> Option<f64> {
    let controlled = Controlled::new(x, covariates)?;
    let mean_rank = (y.len() as f64 + 1.0) / 2.0;
    let ranks: Vec<f64> = average_ranks(y)?.iter().map(|rank| rank - mean_rank).collect();
    // Correlations that are equal but for rounding count as equal.
    let threshold = controlled.rho(&ranks)?.abs() - 1e-12;
    let reaches = |shuffled: &[f64]| controlled.rho(shuffled).is_none_or(|rho| rho.abs() >= threshold);
    Some(share_reached(&ranks, strata, permutations, reaches, rng))
}

#[cfg(test)]
mod tests {
    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};

    use super::super::{bootstrap, permutation_p_within, spearman};
    use super::*;

    const QUICK: Settings =
        Settings { permutations: 300, resamples: 300, confidence: 0.95, margin: EQUIVALENCE_MARGIN };

    /// Size drives both variables; at equal size they are independent.
    fn confounded(rows: usize, seed: u64) -> (Vec<f64>, Vec<f64>, Vec<usize>) {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
        let size: Vec<usize> = (0..rows).map(|row| row % 4).collect();
        let x = size.iter().map(|&size| size as f64 + rng.random::<f64>()).collect();
        let y = size.iter().map(|&size| size as f64 + rng.random::<f64>()).collect();
        (x, y, size)
    }

    #[test]
    fn a_confounder_contradicts_pooled_and_supports_once_held_fixed() {
        let (x, y, size) = confounded(240, 2);
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        let pooled = rank_relation(&x, &y, &QUICK, rng).unwrap();
        assert_eq!((pooled.verdict, pooled.controlled, pooled.rows), (Verdict::Contradicted, 0, 240));
        assert_eq!(Some(pooled.rho), spearman(&x, &y));
        assert!(pooled.interval().contains(pooled.rho) && pooled.permutation_p < 0.01 && pooled.bayes_factor_01 < 0.01);

        let covariates = super::super::indicator_columns(&size);
        let fixed = partial_rank_relation(&x, &y, &covariates, &size, &QUICK, rng).unwrap();
        assert_eq!((fixed.verdict, fixed.controlled), (Verdict::Supported, 3), "{fixed:?}");
        assert!(fixed.interval().contains(0.0) && fixed.permutation_p > 0.05 && fixed.bayes_factor_01 > 3.0);
    }

    #[test]
    fn the_shortcuts_change_nothing() {
        let (x, y, size) = confounded(50, 3);
        let covariates = super::super::indicator_columns(&size);
        for (covariates, strata) in [(vec![], vec![0; 50]), (covariates, size)] {
            let seeded = || Xoshiro256PlusPlus::seed_from_u64(8);
            let got = partial_rank_relation(&x, &y, &covariates, &strata, &QUICK, &mut seeded()).unwrap();
            // The same from the definitions, with the same random numbers.
            let rng = &mut seeded();
            let rho = |x: &[f64], y: &[f64]| partial_spearman(x, y, &covariates).map(|partial| partial.rho);
            assert_eq!(Some(got.permutation_p), permutation_p_within(&x, &y, &strata, 300, rho, rng));
            let redrawn = |rows: &[usize]| {
                let pick = |column: &[f64]| rows.iter().map(|&row| column[row]).collect::<Vec<_>>();
                let covariates: Vec<_> = covariates.iter().map(|column| pick(column)).collect();
                partial_spearman(&pick(&x), &pick(&y), &covariates).map(|partial| partial.rho)
            };
            let spread = bootstrap(50, redrawn, 300, 0.95, rng).unwrap();
            assert_eq!((got.percentile, got.bca), (spread.percentile, spread.bca));
        }
    }

    #[test]
    fn undefined_is_none() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        assert_eq!(rank_relation(&[1.0; 9], &[2.0; 9], &QUICK, rng), None);
        assert_eq!(rank_relation(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0], &QUICK, rng), None, "too few rows");
        assert_eq!(rank_relation(&[], &[], &QUICK, rng), None);
    }
}
