//! A mean over a few seeds, and how sure it is.

use super::bootstrap::Interval;
use super::distributions::student_t_quantile;
use super::reliability::variance;

/// The mean; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The middle value, or the mean of the two in the middle; `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let middle = sorted.len() / 2;
    Some(f64::midpoint(sorted[middle], sorted[last - middle]))
}

/// The mean of a few repeats; see [`mean_interval`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of a single value, with divisor n - 1.
    pub standard_deviation: f64,
    /// Interval of the mean by Student's t with n - 1 degrees of freedom.
    pub interval: Interval,
}

/// Mean, standard deviation and Student's interval of the mean. It allows for the spread being known from a few values
/// only, which the bootstrap of five or ten seeds does not.
///
/// `None` with fewer than two values, a value that is not finite, or a confidence that is not strictly between 0 and 1.
pub fn mean_interval(values: &[f64], confidence: f64) -> Option<Mean> {
    let standard_deviation = variance(values)?.sqrt();
    if !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let half_width = student_t_quantile((1.0 + confidence) / 2.0, n - 1.0)? * standard_deviation / n.sqrt();
    Some(Mean { mean, standard_deviation, interval: Interval { low: mean - half_width, high: mean + half_width } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_medians_by_hand() {
        assert_eq!(
            (mean(&[1.0, 2.0, 6.0]), median(&[6.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 9.0])),
            (Some(3.0), Some(2.0), Some(3.0))
        );
        assert_eq!((mean(&[]), median(&[]), median(&[5.0])), (None, None, Some(5.0)));
    }

    #[test]
    fn by_hand() {
        // Two values: Cauchy's quantile at 3/4 is 1, so the 50 % interval reaches sd / sqrt(2) = 1 to both sides.
        let mean = mean_interval(&[4.0, 6.0], 0.5).unwrap();
        assert!((mean.mean - 5.0).abs() < 1e-12 && (mean.standard_deviation - 2.0_f64.sqrt()).abs() < 1e-12);
        assert!((mean.interval.low - 4.0).abs() < 1e-12 && (mean.interval.high - 6.0).abs() < 1e-12);
        let constant = mean_interval(&[3.0; 5], 0.95).unwrap();
        assert_eq!((constant.interval.low, constant.interval.high), (3.0, 3.0));
    }

    #[test]
    fn undefined_is_none() {
        assert_eq!((mean_interval(&[], 0.95), mean_interval(&[1.0], 0.95)), (None, None));
        assert_eq!((mean_interval(&[1.0, f64::NAN], 0.95), mean_interval(&[1.0, 2.0], 1.0)), (None, None));
    }
}
