//! Do several judges rank the same things alike? Kendall's coefficient of concordance.

use rand::Rng;
use rand::seq::SliceRandom;

use super::correlation::average_ranks;
use super::distributions::chi_squared_upper_tail;

/// Kendall's W and its tests; see [`kendall_w`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Concordance {
    /// From 0 (the judges' ranks cancel out) to 1 (all rank alike).
    pub w: f64,
    /// How many judges.
    pub judges: usize,
    /// How many items each of them ranked.
    pub items: usize,
    /// Friedman's statistic, `judges (items - 1) W`.
    pub chi_squared: f64,
    /// p-value of "the rankings are independent" from chi-squared with `items - 1` degrees of freedom. An approximation
    /// for about 5 judges and more; [`concordance_permutation_p`] is exact for any number.
    pub p: f64,
}

/// How far several judges agree: each entry of `judges` holds one judge's scores of the same items. To ask whether
/// different decoders put the encoders into the same order, the decoders are the judges and the encoders the items.
///
/// `W = 12 S / (m^2 (n^3 - n) - m sum(t^3 - t))`, `S` the sum of squared deviations of the items' rank sums, `m` judges,
/// `n` items, and `t` running over the groups of equal scores of every judge (Kendall & Babington Smith 1939).
///
/// `None` with fewer than two judges or items, a value that is not finite, or a judge who gives all items the same score.
///
/// # Panics
/// If the judges scored different numbers of items.
///
/// ```
/// use pitfall::statistics::kendall_w;
///
/// // Two judges agree, the third swaps two neighbours.
/// let scores = [vec![1.0, 2.0, 3.0], vec![10.0, 20.0, 30.0], vec![0.2, 0.1, 0.3]];
/// assert!((kendall_w(&scores).unwrap().w - 7.0 / 9.0).abs() < 1e-12);
/// ```
pub fn kendall_w(judges: &[Vec<f64>]) -> Option<Concordance> {
    let ranks = ranked(judges)?;
    let (m, n) = (ranks.len(), ranks[0].len());
    let w = rank_sum_squares(&ranks) / largest_sum_squares(&ranks);
    let chi_squared = m as f64 * (n - 1) as f64 * w;
    let p = chi_squared_upper_tail(chi_squared, (n - 1) as f64)?;
    Some(Concordance { w, judges: m, items: n, chi_squared, p })
}

/// The permutation p-value of [`kendall_w`]: each judge's ranks are shuffled on their own, and
/// `p = (1 + #{W* >= W}) / (B + 1)`. One-sided by nature: only agreement makes W large.
///
/// `None` where [`kendall_w`] is.
///
/// # Panics
/// If the judges scored different numbers of items.
pub fn concordance_permutation_p(
    judges: &[Vec<f64>],
    permutations: usize,
    rng: &mut (impl Rng + ?Sized),
) -> Option<f64> {
    let mut ranks = ranked(judges)?;
    // The denominator of W does not change, and rank sums are multiples of 1/2: exact in f64, ties included.
    let observed = rank_sum_squares(&ranks) * (1.0 - 1e-12);
    let mut extreme = 0;
    for _ in 0..permutations {
        ranks.iter_mut().for_each(|judge| judge.shuffle(rng));
        extreme += usize::from(rank_sum_squares(&ranks) >= observed);
    }
    Some((1 + extreme) as f64 / (permutations + 1) as f64)
}

/// The ranks of every judge, if there is something to compare.
fn ranked(judges: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let items = judges.first()?.len();
    for judge in judges {
        assert_eq!(judge.len(), items, "a judge scored {} items, the first judge {items}", judge.len());
    }
    if judges.len() < 2 || items < 2 {
        return None;
    }
    let ranks = judges.iter().map(|judge| average_ranks(judge)).collect::<Option<Vec<_>>>()?;
    let undecided = ranks.iter().any(|judge| judge.iter().all(|rank| *rank == judge[0]));
    (!undecided).then_some(ranks)
}

/// `S`: squared deviations of the items' rank sums from their mean.
fn rank_sum_squares(ranks: &[Vec<f64>]) -> f64 {
    let (m, n) = (ranks.len() as f64, ranks[0].len());
    let mean = m * (n as f64 + 1.0) / 2.0;
    (0..n).map(|item| (ranks.iter().map(|judge| judge[item]).sum::<f64>() - mean).powi(2)).sum()
}

/// What `S` would be if all judges agreed, given their ties: `m` times the sum of squares of all ranks about their means,
/// since `sum of squares of one judge = (n^3 - n - sum(t^3 - t)) / 12`.
fn largest_sum_squares(ranks: &[Vec<f64>]) -> f64 {
    let mean = (ranks[0].len() as f64 + 1.0) / 2.0;
    ranks.len() as f64 * ranks.iter().flatten().map(|rank| (rank - mean).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::Xoshiro256PlusPlus;

    use super::super::spearman;
    use super::*;

    #[test]
    fn two_judges_are_spearmans_rho() {
        let (first, second) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2.0, 1.0, 4.0, 3.0, 6.5, 5.0]);
        let w = |second: &[f64]| kendall_w(&[first.to_vec(), second.to_vec()]).unwrap().w;
        assert!((w(&second) - (1.0 + spearman(&first, &second).unwrap()) / 2.0).abs() < 1e-14);
        // Ranks 3, 1.5, 1.5, 4.5, 4.5, 6 beside 1 ... 6: deviations of the rank sums -3, -3.5, -2.5, 1.5, 2.5, 5, S = 61.
        // The sums of squares 17.5 and 16.5 make it at most 2 (17.5 + 16.5) = 68.
        assert!((w(&[2.0, 1.0, 1.0, 3.0, 3.0, 5.0]) - 61.0 / 68.0).abs() < 1e-14);
    }

    #[test]
    fn full_agreement_and_none() {
        let scores: Vec<f64> = (0..10).map(f64::from).collect();
        let agreed = kendall_w(&vec![scores.clone(); 4]).unwrap();
        assert_eq!((agreed.w, agreed.judges, agreed.items, agreed.chi_squared), (1.0, 4, 10, 36.0));
        let reversed = scores.iter().rev().copied().collect();
        let opposed = kendall_w(&[scores, reversed]).unwrap();
        assert_eq!((opposed.w, opposed.p), (0.0, 1.0));
    }

    #[test]
    fn the_permutation_test_approaches_full_enumeration() {
        // Ranks 123, 123, 213: rank sums 4, 5, 9 and S = 14 of at most 18. Hold the first judge and let the other two take
        // all 36 pairs of orders: S >= 14 where all agree, or where one of the three differs by a swap of neighbours.
        let orders = [[1., 2., 3.], [1., 3., 2.], [2., 1., 3.], [2., 3., 1.], [3., 1., 2.], [3., 2., 1.]];
        let sum_of_squares =
            |a: &[f64; 3], b: &[f64; 3]| (0..3).map(|i| (orders[0][i] + a[i] + b[i] - 6.0).powi(2)).sum();
        let reached = orders
            .iter()
            .flat_map(|a| orders.iter().map(move |b| (a, b)))
            .filter(|(a, b)| -> bool {
                let s: f64 = sum_of_squares(a, b);
                s >= 14.0
            })
            .count();
        assert_eq!(reached, 7);
        let enumerated = 7.0 / 36.0;
        let scores = [vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 3.0], vec![2.0, 1.0, 3.0]];
        let p = concordance_permutation_p(&scores, 20_000, &mut Xoshiro256PlusPlus::seed_from_u64(1)).unwrap();
        // Four standard errors.
        assert!((p - enumerated).abs() < 4.0 * (enumerated * (1.0 - enumerated) / 20_000.0).sqrt(), "{p}");
    }

    #[test]
    fn undefined_is_none() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        for bad in [
            vec![],
            vec![vec![1.0, 2.0]],
            vec![vec![1.0], vec![2.0]],
            vec![vec![1.0, 2.0], vec![3.0, 3.0]],
            vec![vec![1.0, 2.0], vec![3.0, f64::NAN]],
        ] {
            assert_eq!((kendall_w(&bad), concordance_permutation_p(&bad, 9, rng)), (None, None), "{bad:?}");
        }
    }
}
