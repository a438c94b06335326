//! How sure a share is, such as the accuracy on a test set.

use super::bootstrap::Interval;
use super::normal::normal_quantile;

/// Wilson's score interval for a share of `successes` in `trials` (Wilson 1927).
///
/// Its centre is `(k + z^2/2) / (n + z^2)`, its half-width `z / (n + z^2) sqrt(k (n - k) / n + z^2/4)`. Unlike
/// `a +- z SE` it stays within `[0, 1]` and keeps its coverage near 0 and 1. It speaks of the test set as a sample; how
/// much training with another seed would change is a different question.
///
/// `None` without trials, with more successes than trials, or if `confidence` is not strictly between 0 and 1.
pub fn wilson_interval(successes: u64, trials: u64, confidence: f64) -> Option<Interval> {
    if trials == 0 || successes > trials || !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let z = normal_quantile((1.0 + confidence) / 2.0);
    let (k, n) = (successes as f64, trials as f64);
    let half_width = z * (k * (n - k) / n + z * z / 4.0).sqrt() / (n + z * z);
    let centre = (k + z * z / 2.0) / (n + z * z);
    // At 0 and n one end is exactly 0 or 1; rounding must not move it out.
    Some(Interval { low: (centre - half_width).max(0.0), high: (centre + half_width).min(1.0) })
}

/// The standard error `sqrt(a (1 - a) / n)` of an accuracy `a` measured on `n` independent images: 0.49 points at 60 %
/// and 0.17 at 97 % for 10,000 images.
///
/// `None` without images or outside `[0, 1]`.
pub fn accuracy_standard_error(accuracy: f64, images: u64) -> Option<f64> {
    let defined = images > 0 && (0.0..=1.0).contains(&accuracy);
    defined.then(|| (accuracy * (1.0 - accuracy) / images as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_solves_its_equation() {
        // The ends are the p with abs(k/n - p) = z sqrt(p (1 - p) / n).
        let z = normal_quantile(0.975);
        for (k, n) in [(3, 10), (9_700, 10_000), (1, 2)] {
            let interval = wilson_interval(k, n, 0.95).unwrap();
            for end in [interval.low, interval.high] {
                let distance = (k as f64 / n as f64 - end).abs();
                assert!((distance - z * (end * (1.0 - end) / n as f64).sqrt()).abs() < 1e-12, "{k} of {n}: {end}");
            }
        }
    }

    #[test]
    fn nothing_and_everything() {
        let (none, all) = (wilson_interval(0, 20, 0.95).unwrap(), wilson_interval(20, 20, 0.95).unwrap());
        assert!(none.low == 0.0 && none.high > 0.1 && all.high == 1.0);
        assert!((none.high - (1.0 - all.low)).abs() < 1e-15, "mirror images");
    }

    #[test]
    fn the_standard_errors_of_the_protocol() {
        let points = |accuracy| (1e4 * accuracy_standard_error(accuracy, 10_000).unwrap()).round() / 100.0;
        assert_eq!((points(0.6), points(0.97)), (0.49, 0.17));
    }

    #[test]
    fn undefined_is_none() {
        assert_eq!((wilson_interval(0, 0, 0.95), wilson_interval(3, 2, 0.95)), (None, None));
        assert_eq!((wilson_interval(1, 2, 1.0), wilson_interval(1, 2, f64::NAN)), (None, None));
        assert_eq!((accuracy_standard_error(0.5, 0), accuracy_standard_error(f64::NAN, 9)), (None, None));
    }
}
