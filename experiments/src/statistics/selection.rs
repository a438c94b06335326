//! Choosing a network by a criterion: what it costs against choosing by what one wants.

use rand::Rng;
use rand::seq::index;

use super::assert_paired;
use super::bootstrap::{Interval, quantile};

/// What choosing the network with the best criterion leads to; see [`selection`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Selection {
    /// Accuracy of the network that the reference chooses.
    pub by_reference: f64,
    /// Accuracy of the network that the criterion chooses.
    pub by_criterion: f64,
    /// The share of the other networks that are worse than the chosen one, equal ones counted half: 1 is the best of all,
    /// 0.5 what a blind choice gets on average.
    pub rank: f64,
}

impl Selection {
    /// The accuracy lost: `by_reference - by_criterion`. Negative where the criterion chose better by luck.
    pub fn regret(&self) -> f64 {
        self.by_reference - self.by_criterion
    }
}

/// What becomes of choosing the network with the largest `criterion` (reconstruction quality on validation data) instead of
/// the one with the largest `reference` (probe accuracy on validation data), in terms of `accuracy` (on test data).
///
/// Where several networks share the largest value, the result is the mean over them: what a random choice among them gets.
///
/// `None` with fewer than two networks or a value that is not finite.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// use pitfall::statistics::selection;
///
/// let (quality, validation) = ([0.9, 0.8, 0.7, 0.6], [0.50, 0.70, 0.60, 0.65]);
/// let chosen = selection(&quality, &validation, &[0.52, 0.69, 0.61, 0.63]).unwrap();
/// assert!((chosen.regret() - 0.17).abs() < 1e-12 && chosen.rank == 0.0);
/// ```
pub fn selection(criterion: &[f64], reference: &[f64], accuracy: &[f64]) -> Option<Selection> {
    assert_paired(criterion, accuracy);
    assert_paired(reference, accuracy);
    let finite = criterion.iter().chain(reference).chain(accuracy).all(|value| value.is_finite());
    if accuracy.len() < 2 || !finite {
        return None;
    }
    let chosen = largest(criterion);
    let rank_of = |network: usize| {
        let below = accuracy.iter().filter(|other| **other < accuracy[network]).count();
        let equal = accuracy.iter().filter(|other| **other == accuracy[network]).count() - 1;
        (below as f64 + equal as f64 / 2.0) / (accuracy.len() - 1) as f64
    };
    Some(Selection {
        by_reference: mean_over(&largest(reference), |network| accuracy[network]),
        by_criterion: mean_over(&chosen, |network| accuracy[network]),
        rank: mean_over(&chosen, rank_of),
    })
}

/// What [`selection`] leads to for someone who has only a few candidates; see [`selection_from_pools`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoolSelection {
    /// Candidates in a pool.
    pub pool_size: usize,
    /// Mean regret over the pools.
    pub mean_regret: f64,
    /// The middle part of the pools' regrets, of the confidence asked for: what a single choice may cost, not how surely
    /// the mean is known.
    pub regret: Interval,
    /// Mean rank of the chosen network within its pool.
    pub mean_rank: f64,
}

/// [`selection`] within `pools` random pools of `pool_size` of the networks, drawn without replacement.
///
/// `None` where [`selection`] is, without pools, with fewer than two candidates or more than there are networks, or if
/// `confidence` is not strictly between 0 and 1.
///
/// # Panics
/// If the lengths differ.
pub fn selection_from_pools(
    criterion: &[f64],
    reference: &[f64],
    accuracy: &[f64],
    pool_size: usize,
    pools: usize,
    confidence: f64,
    rng: &mut (impl Rng + ?Sized),
) -> Option<PoolSelection> {
    selection(criterion, reference, accuracy)?;
    let possible = (2..=accuracy.len()).contains(&pool_size) && pools > 0 && confidence > 0.0 && confidence < 1.0;
    if !possible {
        return None;
    }
    let (mut regrets, mut ranks) = (Vec::with_capacity(pools), 0.0);
    for _ in 0..pools {
        let pool = index::sample(rng, accuracy.len(), pool_size).into_vec();
        let pick = |values: &[f64]| pool.iter().map(|&network| values[network]).collect::<Vec<_>>();
        let chosen = selection(&pick(criterion), &pick(reference), &pick(accuracy))?;
        regrets.push(chosen.regret());
        ranks += chosen.rank;
    }
    let mean_regret = regrets.iter().sum::<f64>() / pools as f64;
    regrets.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    let regret = Interval { low: quantile(&regrets, tail), high: quantile(&regrets, 1.0 - tail) };
    Some(PoolSelection { pool_size, mean_regret, regret, mean_rank: ranks / pools as f64 })
}

/// Of the best `share` of the networks by accuracy (rounded up to a whole number), how many are also among the best by the
/// criterion: 1 is all of them, and `share` itself what chance gives. Equal values go by their order.
///
/// `None` without networks, if a value is not finite, or if `share` is not in `(0, 1]`.
///
/// # Panics
/// If the lengths differ.
pub fn top_overlap(criterion: &[f64], accuracy: &[f64], share: f64) -> Option<f64> {
    assert_paired(criterion, accuracy);
    let finite = criterion.iter().chain(accuracy).all(|value| value.is_finite());
    if accuracy.is_empty() || !finite || !(share > 0.0 && share <= 1.0) {
        return None;
    }
    let count = (share * accuracy.len() as f64).ceil() as usize;
    let best = |values: &[f64]| {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        order.truncate(count);
        order
    };
    let by_accuracy = best(accuracy);
    let shared = best(criterion).iter().filter(|network| by_accuracy.contains(network)).count();
    Some(shared as f64 / count as f64)
}

/// The rows with the largest of some finite values.
fn largest(values: &[f64]) -> Vec<usize> {
    let best = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (0..values.len()).filter(|&row| values[row] == best).collect()
}

fn mean_over(rows: &[usize], value: impl Fn(usize) -> f64) -> f64 {
    rows.iter().map(|&row| value(row)).sum::<f64>() / rows.len() as f64
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::Xoshiro256PlusPlus;

    use super::*;

    #[test]
    fn ties_are_averaged() {
        let chosen = selection(&[1.0, 1.0, 0.0], &[0.3, 0.2, 0.1], &[0.8, 0.4, 0.4]).unwrap();
        assert!((chosen.by_criterion - 0.6).abs() < 1e-15 && chosen.by_reference == 0.8);
        // The best has rank 1, each of the two equal ones 1/4.
        assert!((chosen.rank - 0.625).abs() < 1e-15);
    }

    #[test]
    fn all_pools_of_two_by_hand() {
        // Accuracies 0, 1, 3; the criterion has them in reverse. Pools {0, 1}, {0, 2}, {1, 2} cost 1, 3 and 2.
        let accuracy = [0.0, 1.0, 3.0];
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        let got = selection_from_pools(&[3.0, 2.0, 1.0], &accuracy, &accuracy, 2, 6_000, 0.98, rng).unwrap();
        // Standard deviation 0.8 of a single pool: four standard errors.
        assert!((got.mean_regret - 2.0).abs() < 4.0 * 0.8165 / 6_000.0_f64.sqrt(), "{got:?}");
        assert_eq!((got.regret.low, got.regret.high, got.mean_rank), (1.0, 3.0, 0.0));
        let all = selection_from_pools(&[3.0, 2.0, 1.0], &accuracy, &accuracy, 3, 9, 0.95, rng).unwrap();
        assert_eq!((all.mean_regret, all.regret.high), (3.0, 3.0));
        let perfect = selection_from_pools(&accuracy, &accuracy, &accuracy, 2, 99, 0.95, rng).unwrap();
        assert_eq!((perfect.mean_regret, perfect.mean_rank), (0.0, 1.0));
    }

    #[test]
    fn the_top_by_hand() {
        let accuracy: Vec<f64> = (0..20).map(f64::from).collect();
        let mut criterion = accuracy.clone();
        criterion.swap(19, 0);
        assert_eq!(top_overlap(&accuracy, &accuracy, 0.1), Some(1.0));
        assert_eq!(top_overlap(&criterion, &accuracy, 0.1), Some(0.5), "18 of 18 and 19");
        assert_eq!(top_overlap(&criterion, &accuracy, 1.0), Some(1.0));
        assert_eq!(top_overlap(&criterion, &accuracy, 0.001), Some(0.0), "at least one");
    }

    #[test]
    fn undefined_is_none() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        assert_eq!(selection(&[1.0], &[1.0], &[1.0]), None);
        assert_eq!(selection(&[1.0, 2.0], &[1.0, f64::NAN], &[1.0, 2.0]), None);
        let x = [1.0, 2.0, 3.0];
        for (size, pools, confidence) in [(1, 9, 0.95), (4, 9, 0.95), (2, 0, 0.95), (2, 9, 1.0)] {
            assert_eq!(selection_from_pools(&x, &x, &x, size, pools, confidence, rng), None);
        }
        assert_eq!((top_overlap(&[], &[], 0.1), top_overlap(&x, &x, 0.0)), (None, None));
        assert_eq!(top_overlap(&x, &[1.0, f64::INFINITY, 2.0], 0.5), None);
    }
}
