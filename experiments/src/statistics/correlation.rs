//! The three coefficients: Pearson's r, Spearman's rho, Kendall's tau-b.

use std::cmp::Ordering;

use super::assert_paired;

/// Pearson's product-moment correlation `r = sum(dx dy) / sqrt(sum(dx^2) sum(dy^2))`, with `dx`, `dy` the deviations
/// from the means.
///
/// `None` if there are fewer than two rows, a value is not finite, or an input is constant.
///
/// # Panics
/// If the lengths differ.
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    assert_paired(x, y);
    if !varies(x) || !varies(y) {
        return None;
    }
    let (dx, dy) = (deviations(x), deviations(y));
    // One root of the product, so that a perfect relation of equal deviations is exactly 1.
    let r = dot(&dx, &dy) / (dot(&dx, &dx) * dot(&dy, &dy)).sqrt();
    // Deviations all below 1e-81 or one above 1e76 leave the range of f64: no result rather than a wrong one.
    r.is_finite().then(|| r.clamp(-1.0, 1.0))
}

/// Spearman's rank correlation: [`pearson`] of the [`average_ranks`], which is the definition that stays right with
/// ties.
///
/// `None` if there are fewer than two rows, a value is not finite, or an input is constant.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// // Only the order counts: a monotone curve has rho = 1.
/// assert_eq!(pitfall::statistics::spearman(&[1.0, 2.0, 3.0], &[1.0, 10.0, 1000.0]), Some(1.0));
/// ```
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    assert_paired(x, y);
    pearson(&average_ranks(x)?, &average_ranks(y)?)
}

/// Kendall's tau-b, `(concordant - discordant) / sqrt((pairs - pairs tied in x) (pairs - pairs tied in y))`.
///
/// It looks at every pair of rows, `n (n - 1) / 2` of them; without ties, `(tau + 1) / 2` is the chance that the better
/// of two rows in `x` is also the better one in `y`.
///
/// `None` if there are fewer than two rows, a value is not finite, or an input is constant.
///
/// # Panics
/// If the lengths differ.
pub fn kendall_tau_b(x: &[f64], y: &[f64]) -> Option<f64> {
    assert_paired(x, y);
    if !varies(x) || !varies(y) {
        return None;
    }
    // Knight 1966: in the order of x (and of y where x ties) a pair is discordant exactly if y falls, and sorting y counts
    // those in n log n steps. A permutation test does this 10,000 times.
    let mut rows: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
    rows.sort_unstable_by(|a, b| total(a.0, b.0).then(total(a.1, b.1)));
    let (tied_x, tied_both) = (tied_pairs(&rows, |a, b| a.0 == b.0), tied_pairs(&rows, |a, b| a == b));
    let mut sorted: Vec<f64> = rows.iter().map(|row| row.1).collect();
    let discordant = sort_counting_inversions(&mut sorted, &mut vec![0.0; y.len()]);
    let tied_y = tied_pairs(&sorted, |a, b| a == b);
    let pairs = (x.len() * (x.len() - 1) / 2) as i64;
    let balance = pairs - tied_x - tied_y + tied_both - 2 * discordant;
    Some(balance as f64 / ((pairs - tied_x) as f64 * (pairs - tied_y) as f64).sqrt())
}

/// The order of two finite numbers, in which both zeros are equal.
fn total(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).expect("finite values have an order")
}

/// Pairs of neighbours, near and far, in runs of equal elements.
fn tied_pairs<T>(sorted: &[T], equal: impl Fn(&T, &T) -> bool) -> i64 {
    sorted.chunk_by(equal).map(|run| (run.len() * (run.len() - 1) / 2) as i64).sum()
}

/// Sorts by merging and counts the pairs that stood in falling order. `spare` is as long as `values`.
fn sort_counting_inversions(values: &mut [f64], spare: &mut [f64]) -> i64 {
    let length = values.len();
    if length < 2 {
        return 0;
    }
    let middle = length / 2;
    let mut inversions = sort_counting_inversions(&mut values[..middle], &mut spare[..middle])
        + sort_counting_inversions(&mut values[middle..], &mut spare[middle..]);
    let (mut left, mut right) = (0, middle);
    for slot in spare.iter_mut() {
        let from_right = left == middle || (right < length && values[right] < values[left]);
        if from_right {
            *slot = values[right];
            right += 1;
            // It stood behind everything that is left of the left half.
            inversions += (middle - left) as i64;
        } else {
            *slot = values[left];
            left += 1;
        }
    }
    values.copy_from_slice(spare);
    inversions
}

/// Ranks from 1 to n in rising order; equal values share the mean of the ranks they take up.
///
/// `None` if a value is not finite.
pub fn average_ranks(values: &[f64]) -> Option<Vec<f64>> {
    if !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        // The ranks below + 1, ..., below + tied.len() have this mean.
        let rank = below as f64 + (tied.len() + 1) as f64 / 2.0;
        tied.iter().for_each(|&row| ranks[row] = rank);
        below += tied.len();
    }
    Some(ranks)
}

/// Whether all values are finite and at least two of them differ.
fn varies(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_finite()) && values.iter().any(|value| *value != values[0])
}

fn deviations(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| value - mean).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};

    use super::*;

    const X: [f64; 10] = [0.3, 1.2, 1.2, 2.5, 3.1, 3.1, 3.1, 4.8, 5.0, 7.7];
    const Y: [f64; 10] = [2.0, 1.0, 3.5, 3.5, 0.5, 6.0, 4.0, 4.0, 9.5, 4.0];

    fn close(got: Option<f64>, want: f64) {
        let got = got.expect("the statistic exists");
        assert!((got - want).abs() < 1e-12, "got {got}, want {want}");
    }

    #[test]
    fn agrees_with_scipy_with_ties() {
        // scipy 1.17: pearsonr(X, Y), spearmanr(X, Y), kendalltau(X, Y, variant="b"), the statistic of each.
        close(pearson(&X, &Y), 0.4583863213697883);
        close(spearman(&X, &Y), 0.659375);
        close(kendall_tau_b(&X, &Y), 0.5121951219512195);
    }

    #[test]
    fn by_hand() {
        // dx = -1.5 -.5 .5 1.5, dy = -1.5 .5 -.5 1.5: sum(dx dy) = 4, both sums of squares 5.
        close(pearson(&[1.0, 2.0, 3.0, 4.0], &[10.0, 30.0, 20.0, 40.0]), 0.8);
        close(spearman(&[1.0, 2.0, 3.0, 4.0], &[10.0, 30.0, 20.0, 4000.0]), 0.8);
        // Of six pairs one is discordant.
        close(kendall_tau_b(&[1.0, 2.0, 3.0, 4.0], &[10.0, 30.0, 20.0, 40.0]), 4.0 / 6.0);
        // One pair tied in x: 2 concordant of sqrt((3 - 1) * 3).
        close(kendall_tau_b(&[1.0, 1.0, 2.0], &[1.0, 2.0, 3.0]), 2.0 / 6.0_f64.sqrt());
    }

    /// The definition, pair by pair.
    fn tau_b_of_pairs(x: &[f64], y: &[f64]) -> f64 {
        let order = |a: f64, b: f64| i64::from(a > b) - i64::from(a < b);
        let (mut balance, mut untied_x, mut untied_y) = (0, 0, 0);
        for i in 1..x.len() {
            for j in 0..i {
                let (sign_x, sign_y) = (order(x[i], x[j]), order(y[i], y[j]));
                balance += sign_x * sign_y;
                untied_x += sign_x.abs();
                untied_y += sign_y.abs();
            }
        }
        balance as f64 / (untied_x as f64 * untied_y as f64).sqrt()
    }

    #[test]
    fn counting_by_sorting_equals_counting_pairs() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(9);
        for rows in [2, 3, 5, 8, 31, 200] {
            for levels in [2, 4, 1_000_000] {
                let mut column = || (0..rows).map(|_| f64::from(rng.random_range(-levels..levels))).collect::<Vec<_>>();
                let (x, mut y) = (column(), column());
                // Both zeros are one value.
                y.iter_mut().filter(|y| **y == 0.0).step_by(2).for_each(|y| *y = -0.0);
                match kendall_tau_b(&x, &y) {
                    Some(tau) => assert_eq!(tau, tau_b_of_pairs(&x, &y), "{rows} rows, {levels} levels"),
                    None => assert!(!varies(&x) || !varies(&y)),
                }
            }
        }
    }

    #[test]
    fn ties_share_their_mean_rank() {
        assert_eq!(average_ranks(&[5.0, 1.0, 5.0, -2.0, 5.0]), Some(vec![4.0, 2.0, 4.0, 1.0, 4.0]));
        assert_eq!(average_ranks(&[0.0, -0.0]), Some(vec![1.5, 1.5]), "both zeros are the same number");
        assert_eq!(average_ranks(&[]), Some(vec![]));
    }

    #[test]
    fn a_perfect_relation_is_one_and_its_mirror_minus_one() {
        let falling: Vec<f64> = X.iter().map(|x| 3.0 - 2.0 * x).collect();
        for statistic in [pearson, spearman, kendall_tau_b] {
            assert_eq!(statistic(&X, &X), Some(1.0));
            close(statistic(&X, &falling), -1.0);
        }
    }

    #[test]
    fn undefined_is_none() {
        let constant = [0.1; 10];
        let mut diverged = Y;
        diverged[4] = f64::NAN;
        let mut overflowed = Y;
        overflowed[0] = f64::INFINITY;
        for statistic in [pearson, spearman, kendall_tau_b] {
            for bad in [&constant, &diverged, &overflowed] {
                assert_eq!(statistic(&X, bad), None);
                assert_eq!(statistic(bad, &X), None);
            }
            assert_eq!(statistic(&[], &[]), None);
            assert_eq!(statistic(&[1.0], &[2.0]), None);
        }
    }

    #[test]
    #[should_panic(expected = "3 and 2 rows")]
    fn unequal_lengths_panic() {
        spearman(&[1.0, 2.0, 3.0], &[1.0, 2.0]);
    }
}
