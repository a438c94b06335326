//! A mean over a few seeds, and how sure it is.

use super::bootstrap::Interval;
use super::distributions::{student_t_quantile, student_t_two_sided_p};
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
    /// Of how many.
    pub count: usize,
    /// The mean.
    pub mean: f64,
    /// The standard deviation of a single value, with divisor n - 1.
    pub standard_deviation: f64,
    /// Interval of the mean by Student's t with n - 1 degrees of freedom.
    pub interval: Interval,
}

impl Mean {
    /// Two-sided p of "the mean is 0" by Student's t with n - 1 degrees of freedom: below 0.05 where the 95 % interval excludes 0.
    /// Of differences in pairs it is the paired t-test.
    ///
    /// Flipping signs would ask for less, but at five values none of its p-values is below 0.0625.
    pub fn p_of_zero(&self) -> Option<f64> {
        if self.mean == 0.0 {
            return Some(1.0);
        }
        let n = self.count as f64;
        student_t_two_sided_p(self.mean / (self.standard_deviation / n.sqrt()), n - 1.0)
    }
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
    Some(Mean {
        count: values.len(),
        mean,
        standard_deviation,
        interval: Interval { low: mean - half_width, high: mean + half_width },
    })
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
    fn the_p_of_a_mean_by_hand() {
        let p = |values: &[f64]| mean_interval(values, 0.95).unwrap().p_of_zero();
        assert_eq!((p(&[0.0, 0.0, 0.0]), p(&[0.25, 0.25, 0.25])), (Some(1.0), Some(0.0)));
        // Two values: t = mean / (sd / sqrt 2) = 1, of which Cauchy's tails are a half.
        assert!((p(&[0.0, 2.0]).unwrap() - 0.5).abs() < 1e-12);
        // scipy 1.17: ttest_1samp([0.1, 0.4, -0.2, 0.3, 0.5], 0).pvalue.
        assert!((p(&[0.1, 0.4, -0.2, 0.3, 0.5]).unwrap() - 0.15094405366901758).abs() < 1e-12);
    }

    #[test]
    fn undefined_is_none() {
        assert_eq!((mean_interval(&[], 0.95), mean_interval(&[1.0], 0.95)), (None, None));
        assert_eq!((mean_interval(&[1.0, f64::NAN], 0.95), mean_interval(&[1.0, 2.0], 1.0)), (None, None));
    }
}
