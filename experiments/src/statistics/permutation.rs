//! The permutation test: how often chance alone gives a statistic as large as the observed one.

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::SliceRandom;

use super::assert_paired;

/// Two-sided permutation p-value `(1 + #{abs(t*) >= abs(t)}) / (B + 1)`, `t*` being the statistic after shuffling `y`.
///
/// The observed order counts as one of the permutations, so that p is never 0 and the test keeps its level exactly
/// (Phipson & Smyth 2010). Mathematically equal statistics may differ by rounding; a relative slack of 1e-12 counts
/// them as equal. The usual `permutations` is 10,000.
///
/// `None` if the observed statistic is undefined. A shuffled one that is undefined counts as extreme: p errs upwards.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// use pitfall::statistics::{kendall_tau_b, permutation_p};
/// use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
///
/// let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// let p = permutation_p(&x, &x, 10_000, kendall_tau_b, &mut Xoshiro256PlusPlus::seed_from_u64(1)).unwrap();
/// // 2 of the 6! = 720 orders are this extreme: p is near 0.0028.
/// assert!((p - 2.0 / 720.0).abs() < 0.002);
/// ```
pub fn permutation_p(
    x: &[f64],
    y: &[f64],
    permutations: usize,
    statistic: impl Fn(&[f64], &[f64]) -> Option<f64>,
    rng: &mut (impl Rng + ?Sized),
) -> Option<f64> {
    permutation_p_within(x, y, &vec![0; y.len()], permutations, statistic, rng)
}

/// [`permutation_p`], shuffling `y` only among rows with the same entry of `strata`.
///
/// What is constant within a stratum (code size x activation, say) then cannot produce the observed relation. If every
/// row is a stratum of its own nothing can be shuffled, and p is 1.
///
/// # Panics
/// If the lengths differ.
pub fn permutation_p_within(
    x: &[f64],
    y: &[f64],
    strata: &[usize],
    permutations: usize,
    statistic: impl Fn(&[f64], &[f64]) -> Option<f64>,
    rng: &mut (impl Rng + ?Sized),
) -> Option<f64> {
    assert_paired(x, y);
    let threshold = statistic(x, y)?.abs() * (1.0 - 1e-12);
    let reaches = |shuffled: &[f64]| statistic(x, shuffled).is_none_or(|t| t.abs() >= threshold);
    Some(share_reached(y, strata, permutations, reaches, rng))
}

/// `(1 + the shuffles of y within strata that reach the observed statistic) / (permutations + 1)`.
///
/// # Panics
/// If the lengths differ.
pub(super) fn share_reached(
    y: &[f64],
    strata: &[usize],
    permutations: usize,
    reaches: impl Fn(&[f64]) -> bool,
    rng: &mut (impl Rng + ?Sized),
) -> f64 {
    assert_eq!(strata.len(), y.len(), "{} strata for {} rows; each row needs one", strata.len(), y.len());
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, &stratum) in strata.iter().enumerate() {
        groups.entry(stratum).or_default().push(row);
    }
    let mut shuffled = y.to_vec();
    let mut extreme = 0_usize;
    for _ in 0..permutations {
        for rows in groups.values() {
            let mut values: Vec<f64> = rows.iter().map(|&row| y[row]).collect();
            values.shuffle(rng);
            rows.iter().zip(values).for_each(|(&row, value)| shuffled[row] = value);
        }
        extreme += usize::from(reaches(&shuffled));
    }
    (1 + extreme) as f64 / (permutations + 1) as f64
}

#[cfg(test)]
mod tests {
    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};

    use super::super::{kendall_tau_b, pearson, spearman};
    use super::*;

    #[test]
    fn approaches_the_exact_p_of_full_enumeration() {
        // All 720 orders of y by itertools.permutations and scipy 1.17's spearmanr: 42 have abs(rho) >= that of y.
        let (x, y) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2.0, 1.0, 4.0, 3.0, 6.5, 5.0]);
        let exact = 42.0 / 720.0;
        let p = permutation_p(&x, &y, 20_000, spearman, &mut Xoshiro256PlusPlus::seed_from_u64(7)).unwrap();
        // Three standard errors of 20,000 draws.
        assert!((p - exact).abs() < 3.0 * (exact * (1.0 - exact) / 20_000.0).sqrt(), "{p} against {exact}");
    }

    #[test]
    fn the_level_is_five_percent_when_nothing_is_related() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(11);
        let trials = 1_000;
        let mut rejected = 0;
        for _ in 0..trials {
            let x: Vec<f64> = (0..12).map(|_| rng.random()).collect();
            let y: Vec<f64> = (0..12).map(|_| rng.random()).collect();
            rejected += usize::from(permutation_p(&x, &y, 199, pearson, rng).unwrap() <= 0.05);
        }
        // The expected count is 50 with standard deviation 6.9.
        assert!((30..=70).contains(&rejected), "{rejected} of {trials} rejected");
    }

    #[test]
    fn strata_remove_what_is_constant_within_them() {
        // Two groups far apart in both variables, unrelated within: pooled, x and y look tightly related.
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(3);
        let strata: Vec<usize> = (0..40).map(|row| row / 20).collect();
        let x: Vec<f64> = strata.iter().map(|&group| 10.0 * group as f64 + rng.random::<f64>()).collect();
        let y: Vec<f64> = strata.iter().map(|&group| 10.0 * group as f64 + rng.random::<f64>()).collect();
        let pooled = permutation_p(&x, &y, 999, spearman, rng).unwrap();
        let within = permutation_p_within(&x, &y, &strata, 999, spearman, rng).unwrap();
        assert!(pooled <= 0.001 && within > 0.05, "pooled {pooled}, within {within}");
        let single_rows: Vec<usize> = (0..40).collect();
        assert_eq!(permutation_p_within(&x, &y, &single_rows, 99, spearman, rng), Some(1.0));
    }

    #[test]
    fn the_same_seed_gives_the_same_p() {
        let (x, y) = ([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0], [2.0, 7.0, 1.0, 8.0, 2.0, 8.0, 1.0]);
        let p = |seed| permutation_p(&x, &y, 500, kendall_tau_b, &mut Xoshiro256PlusPlus::seed_from_u64(seed));
        assert_eq!(p(5), p(5));
        assert_ne!(p(5), p(6));
    }

    #[test]
    fn undefined_is_none() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(0);
        assert_eq!(permutation_p(&[1.0, 2.0, 3.0], &[4.0, 4.0, 4.0], 10, spearman, rng), None);
        assert_eq!(permutation_p(&[], &[], 10, spearman, rng), None);
    }
}
