//! Noise in two measures hides part of their correlation: how much, and what would be left without it.

use super::reliability::variance;

/// Spearman's correction for attenuation (1904), `r / sqrt(reliability_x reliability_y)`: the correlation of what the two
/// measures would give without noise.
///
/// It may exceed 1 in size when `r` or a reliability is off by chance, and is not cut, so that this can be seen. An
/// interval of `r` is corrected end by end, which takes the reliabilities as known.
///
/// `None` unless `r` is in `[-1, 1]` and both reliabilities are in `(0, 1]`: a measure that is all noise tells nothing.
pub fn disattenuate(r: f64, reliability_x: f64, reliability_y: f64) -> Option<f64> {
    let reliable = |reliability: f64| reliability > 0.0 && reliability <= 1.0;
    let defined = (-1.0..=1.0).contains(&r) && reliable(reliability_x) && reliable(reliability_y);
    defined.then(|| r / (reliability_x * reliability_y).sqrt())
}

/// The reliability of a measure that is `factor` times as long (Spearman 1910, Brown 1910): `f r / (1 + (f - 1) r)`.
///
/// Two halves of a test set that agree with correlation `r` make a whole of reliability `spearman_brown(r, 2.0)`.
///
/// `None` unless `reliability` is in `[-1, 1]`, `factor` is positive and finite, and the result exists.
pub fn spearman_brown(reliability: f64, factor: f64) -> Option<f64> {
    let defined = (-1.0..=1.0).contains(&reliability) && factor > 0.0 && factor.is_finite();
    let longer = factor * reliability / (1.0 + (factor - 1.0) * reliability);
    (defined && longer.is_finite()).then_some(longer)
}

/// Reliability of a measure over a population whose noise is known from replicates: `1 - s^2 of the replicates / s^2 of
/// the population`, at least 0, both variances with divisor n - 1.
///
/// `replicates` are networks that differ in nothing but their seed (P3), `population` the networks over which the
/// correlation runs (P1 or P2). It assumes that the noise is as large there.
///
/// `None` with fewer than two values in either, a value that is not finite, or a constant population.
///
/// ```
/// // Variance 0.5 between seeds, 2.5 over the population.
/// let reliability = pitfall::statistics::reliability_from_replicates(&[1.0, 2.0, 3.0, 4.0, 5.0], &[3.0, 4.0]);
/// assert_eq!(reliability, Some(0.8));
/// ```
pub fn reliability_from_replicates(population: &[f64], replicates: &[f64]) -> Option<f64> {
    let (total, noise) = (variance(population)?, variance(replicates)?);
    (total > 0.0).then(|| (1.0 - noise / total).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert!((disattenuate(0.3, 0.81, 0.64).unwrap() - 0.3 / 0.72).abs() < 1e-15);
        assert_eq!(disattenuate(-0.4, 1.0, 1.0), Some(-0.4));
        assert_eq!(disattenuate(0.9, 0.5, 0.5), Some(1.8), "not cut");
        assert!((spearman_brown(0.6, 2.0).unwrap() - 0.75).abs() < 1e-15);
        // Twice as long and half as long again.
        assert!((spearman_brown(0.75, 0.5).unwrap() - 0.6).abs() < 1e-15);
        assert_eq!(spearman_brown(1.0, 3.0), Some(1.0));
        assert_eq!(reliability_from_replicates(&[1.0, 2.0], &[5.0, 9.0]), Some(0.0), "more noise than spread");
    }

    #[test]
    fn undefined_is_none() {
        assert_eq!((disattenuate(0.3, 0.0, 0.9), disattenuate(0.3, 0.9, 1.1)), (None, None));
        assert_eq!((disattenuate(f64::NAN, 0.9, 0.9), disattenuate(0.3, f64::NAN, 0.9)), (None, None));
        assert_eq!((spearman_brown(0.5, 0.0), spearman_brown(f64::NAN, 2.0)), (None, None));
        assert_eq!(spearman_brown(-1.0, 2.0), None, "a pole");
        assert_eq!(reliability_from_replicates(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(reliability_from_replicates(&[1.0, 2.0], &[1.0]), None);
        assert_eq!(reliability_from_replicates(&[1.0, f64::INFINITY], &[1.0, 2.0]), None);
    }
}
