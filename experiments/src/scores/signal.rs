//! Scores that forgive a change of brightness and contrast: SOID and correlation.
//!
//! With a the reconstruction and b the original, n values each, channels together.

use super::{Pair, sums::sums};

/// Keeps the denominator of a correlation from 0 when one of the pictures is constant.
const CORRELATION_EPSILON: f64 = 1e-5;

/// The scale-offset invariant distance as N-light-N has it: an offset first, then a scale that goes with it.
///
/// ```text
/// w = mean(b - a),   e = sum (b - w) a / sum a^2,   100 / n * sum (e a + w - b)^2
/// ```
///
/// `e` and `w` are not the best pair: that is [`soid_optimal`], which is never larger. `e` is 0 when a is 0 everywhere.
pub(super) fn soid(pair: &Pair) -> f64 {
    let (a, b) = (pair.reconstruction, pair.original);
    let n = a.len() as f64;
    let [difference, a_squared, product, a_sum] = sums(a, b, |a, b| [b - a, a * a, a * b, a]);
    let offset = difference / n;
    let scale = if a_squared > 0.0 { (product - offset * a_sum) / a_squared } else { 0.0 };
    distance(pair, scale, offset)
}

/// The scale-offset invariant distance with the best scale and offset, those of a least-squares line from a to b.
///
/// ```text
/// e = cov(a, b) / var(a),   w = mean(b) - e mean(a),   100 / n * sum (e a + w - b)^2
/// ```
///
/// `e` is 0 when a is constant.
pub(super) fn soid_optimal(pair: &Pair) -> f64 {
    let Moments { means: [a, b], aa, ab, .. } = Moments::of(pair);
    let scale = if aa > 0.0 { ab / aa } else { 0.0 };
    distance(pair, scale, b - scale * a)
}

fn distance(pair: &Pair, scale: f64, offset: f64) -> f64 {
    let (a, b) = (pair.reconstruction, pair.original);
    let [sum] = sums(a, b, |a, b| {
        let error = scale * a + offset - b;
        [error * error]
    });
    100.0 * sum / a.len() as f64
}

/// `1 - abs(r)`, r the correlation: 0 for a picture and for its photographic negative.
pub(super) fn correlation(pair: &Pair) -> f64 {
    1.0 - coefficient(pair).abs()
}

/// `1 - r`: 0 for a picture, 1 for an unrelated one, 2 for its photographic negative.
pub(super) fn signed_correlation(pair: &Pair) -> f64 {
    1.0 - coefficient(pair)
}

/// `S_ab / (1e-5 + sqrt(S_aa) sqrt(S_bb))`, S the sums of products of what is left after subtracting the means.
fn coefficient(pair: &Pair) -> f64 {
    let Moments { aa, ab, bb, .. } = Moments::of(pair);
    ab / (CORRELATION_EPSILON + aa.sqrt() * bb.sqrt())
}

/// Means, and sums of products around them.
struct Moments {
    means: [f64; 2],
    aa: f64,
    ab: f64,
    bb: f64,
}

impl Moments {
    fn of(pair: &Pair) -> Self {
        let (a, b) = (pair.reconstruction, pair.original);
        let n = a.len() as f64;
        let means @ [mean_a, mean_b] = sums(a, b, |a, b| [a, b]).map(|sum| sum / n);
        let [aa, ab, bb] = sums(a, b, |a, b| {
            let (a, b) = (a - mean_a, b - mean_b);
            [a * a, a * b, b * b]
        });
        Self { means, aa, ab, bb }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair<'a>(reconstruction: &'a [f32], original: &'a [f32]) -> Pair<'a> {
        Pair { original, reconstruction, shape: [1, original.len(), 1] }
    }

    #[test]
    fn soid_by_hand() {
        // w = mean(b - a) = 1, e = ((2 - 1) 1 + (4 - 1) 3 + ...) with a = 1, 3 and b = 2, 4: (1 + 9) / 10 = 1, exact fit.
        assert_eq!(soid(&pair(&[1.0, 3.0], &[2.0, 4.0])), 0.0);
        // a = 0, 1 and b = 1, 0: w = 0, e = 0, so 100 / 2 * (1 + 0). The best line is 1 - a, without error.
        assert_eq!(soid(&pair(&[0.0, 1.0], &[1.0, 0.0])), 50.0);
        assert_eq!(soid_optimal(&pair(&[0.0, 1.0], &[1.0, 0.0])), 0.0);
        // a = -1, 1, 0 and b = 1, 1, 4: w = 2, e = ((-1)(-1) + (-1)(1) + 0) / 2 = 0, errors 1, 1, -2. Optimal: the same.
        assert_eq!(soid(&pair(&[-1.0, 1.0, 0.0], &[1.0, 1.0, 4.0])), 200.0);
        assert_eq!(soid_optimal(&pair(&[-1.0, 1.0, 0.0], &[1.0, 1.0, 4.0])), 200.0);
    }

    #[test]
    fn soid_of_a_constant_reconstruction_is_the_variance() {
        // Original 0, 2: population variance 1.
        for constant in [0.0, 0.5] {
            assert_eq!(soid_optimal(&pair(&[constant; 2], &[0.0, 2.0])), 100.0);
        }
        assert_eq!(soid(&pair(&[0.0; 2], &[0.0, 2.0])), 100.0);
    }

    #[test]
    fn no_scale_and_offset_beat_the_optimal_ones() {
        let a: Vec<f32> = (0..50).map(|i| ((i * 37) % 41) as f32 / 20.0 - 1.0).collect();
        let b: Vec<f32> = a.iter().enumerate().map(|(i, a)| 0.4 * a + 0.2 + ((i * 13) % 7) as f32 / 30.0).collect();
        let pair = pair(&a, &b);
        let best = soid_optimal(&pair);
        assert!(best < soid(&pair));
        let Moments { means, aa, ab, .. } = Moments::of(&pair);
        let (e, w) = (ab / aa, means[1] - ab / aa * means[0]);
        for (de, dw) in [(1e-3, 0.0), (-1e-3, 0.0), (0.0, 1e-3), (0.0, -1e-3)] {
            assert!(distance(&pair, e + de, w + dw) > best);
        }
        let moved: Vec<f32> = a.iter().map(|a| 0.5 * a - 0.25).collect();
        let after = soid_optimal(&Pair { reconstruction: &moved, ..pair });
        assert!((after / best - 1.0).abs() < 1e-6, "invariant to scale and offset: {after}, {best}");
    }

    #[test]
    fn only_the_signed_correlation_sees_a_negative() {
        let b = [0.5, -0.25, 1.0, -1.0];
        let negative = b.map(|b| -b);
        // S_aa = S_bb = 2.2969 - 4 (0.0625)^2, so the epsilon costs 1e-5 / S.
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-5, "{got}, {want}");
        close(correlation(&pair(&b, &b)), 0.0);
        close(correlation(&pair(&negative, &b)), 0.0);
        close(signed_correlation(&pair(&b, &b)), 0.0);
        close(signed_correlation(&pair(&negative, &b)), 2.0);
        assert_eq!(correlation(&pair(&[0.5; 4], &b)), 1.0, "a constant picture correlates with nothing");
    }

    #[test]
    fn the_correlation_by_hand() {
        // Centred a: -1, 0, 1; centred b: -1, 1, 0: S_ab = 1, S_aa = S_bb = 2.
        let pair = pair(&[0.0, 1.0, 2.0], &[3.0, 5.0, 4.0]);
        assert!((correlation(&pair) - (1.0 - 1.0 / 2.00001)).abs() < 1e-15);
    }
}
