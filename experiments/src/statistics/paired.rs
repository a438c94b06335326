//! Before and after, on the same networks: the mean change.

use rand::{Rng, RngExt};

use super::assert_paired;
use super::bootstrap::{Bootstrap, bootstrap};

/// The mean change of paired measurements; see [`paired_difference`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedDifference {
    /// The mean of `after - before` with its bootstrap intervals over the pairs.
    pub mean: Bootstrap,
    /// Two-sided p-value of "the change is as often down as up, by the same amounts", by flipping signs.
    pub sign_flip_p: f64,
}

/// The mean of `after - before` over networks: bootstrap intervals of the mean, and the paired permutation test,
/// `p = (1 + #{abs(mean*) >= abs(mean)}) / (B + 1)`, each `mean*` with the signs of all changes drawn anew (Fisher 1935).
///
/// Protocol: 2,000 resamples, 10,000 flips, confidence 0.95. At `n` pairs no p-value lies below `2^(1 - n)`.
///
/// `None` with fewer than two pairs or a value that is not finite.
///
/// # Panics
/// If the lengths differ, or `confidence` is not strictly between 0 and 1.
///
/// ```
/// use pitfall::statistics::paired_difference;
/// use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
///
/// let (before, after) = ([0.61, 0.55, 0.70, 0.66, 0.58, 0.63], [0.72, 0.69, 0.75, 0.74, 0.73, 0.70]);
/// let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
/// let change = paired_difference(&before, &after, 10_000, 2_000, 0.95, rng).unwrap();
/// // All six went up: 2 of 2^6 sign patterns are that extreme.
/// assert!(change.mean.percentile.low > 0.0 && (change.sign_flip_p - 2.0 / 64.0).abs() < 0.01);
/// ```
pub fn paired_difference(
    before: &[f64],
    after: &[f64],
    permutations: usize,
    resamples: usize,
    confidence: f64,
    rng: &mut (impl Rng + ?Sized),
) -> Option<PairedDifference> {
    assert_paired(before, after);
    let changes: Vec<f64> = before.iter().zip(after).map(|(before, after)| after - before).collect();
    if changes.len() < 2 || !changes.iter().all(|change| change.is_finite()) {
        return None;
    }
    let of_rows = |rows: &[usize]| Some(rows.iter().map(|&row| changes[row]).sum::<f64>() / rows.len() as f64);
    let mean = bootstrap(changes.len(), of_rows, resamples, confidence, rng)?;
    let observed = changes.iter().sum::<f64>().abs();
    // Sums of the same numbers in other signs: equal ones may differ by a few roundings of the largest partial sum.
    let slack = 1e-12 * changes.iter().map(|change| change.abs()).sum::<f64>();
    let mut extreme = 0_usize;
    for _ in 0..permutations {
        let flipped: f64 = changes.iter().map(|&change| if rng.random() { change } else { -change }).sum();
        extreme += usize::from(flipped.abs() >= observed - slack);
    }
    Some(PairedDifference { mean, sign_flip_p: (1 + extreme) as f64 / (permutations + 1) as f64 })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::Xoshiro256PlusPlus;

    use super::*;

    #[test]
    fn approaches_the_p_of_all_sign_patterns() {
        let before = [0.0; 8];
        let after = [0.5, -0.2, 0.9, 0.4, -0.1, 0.3, 0.7, -0.6];
        let total: f64 = after.iter().sum();
        let reached = (0..256_u32)
            .filter(|pattern| {
                let sign = |i: usize| if pattern >> i & 1 == 1 { 1.0 } else { -1.0 };
                after.iter().enumerate().map(|(i, change)| sign(i) * change).sum::<f64>().abs() >= total - 1e-9
            })
            .count();
        let exact = reached as f64 / 256.0;
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(3);
        let got = paired_difference(&before, &after, 20_000, 500, 0.95, rng).unwrap();
        // Four standard errors.
        assert!((got.sign_flip_p - exact).abs() < 4.0 * (exact * (1.0 - exact) / 20_000.0).sqrt(), "{got:?}, {exact}");
        assert!((got.mean.estimate - total / 8.0).abs() < 1e-12 && got.mean.percentile.contains(total / 8.0));
    }

    #[test]
    fn no_change_at_all() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(3);
        let got = paired_difference(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], 99, 99, 0.95, rng).unwrap();
        assert_eq!((got.sign_flip_p, got.mean.estimate, got.mean.bca), (1.0, 0.0, None));
    }

    #[test]
    fn undefined_is_none() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(3);
        assert_eq!(paired_difference(&[], &[], 9, 9, 0.95, rng), None);
        assert_eq!(paired_difference(&[1.0], &[2.0], 9, 9, 0.95, rng), None);
        assert_eq!(paired_difference(&[1.0, f64::NAN], &[2.0, 3.0], 9, 9, 0.95, rng), None);
    }
}
