//! Tails and quantiles of Student's t, Fisher's F, chi-squared and the binomial distribution.
//!
//! The only file that names statrs. Over the range used here its tails agree with scipy's to 1e-10 of their value and its
//! quantiles to 1e-9, far beyond what is read off them (`tests/inference/`). The normal distribution is
//! [`normal_cdf`](super::normal_cdf).
//!
//! Degrees of freedom may be fractions, as Satterthwaite's are. Everything is `None` for arguments outside the
//! distribution: NaN, no degrees of freedom, a probability outside `[0, 1]`.

use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor, StudentsT};
use statrs::function::beta::beta_reg;
pub(super) use statrs::function::{beta::ln_beta, gamma::ln_gamma};

/// The two-sided p-value of Student's t: the chance of `abs(T) >= abs(t)` with `freedom` degrees of freedom.
pub fn student_t_two_sided_p(t: f64, freedom: f64) -> Option<f64> {
    let distribution = StudentsT::new(0.0, 1.0, freedom).ok()?;
    match t.abs() {
        nan if nan.is_nan() => None,
        f64::INFINITY => Some(0.0),
        t => Some((2.0 * distribution.sf(t)).min(1.0)),
    }
}

/// The value that Student's t stays below with probability `p`; infinite at 0 and 1.
pub fn student_t_quantile(p: f64, freedom: f64) -> Option<f64> {
    let distribution = StudentsT::new(0.0, 1.0, freedom).ok()?;
    (0.0..=1.0).contains(&p).then(|| distribution.inverse_cdf(p))
}

/// The p-value of an F test: the chance of `F >= f` with `between` and `within` degrees of freedom.
pub fn f_upper_tail(f: f64, between: f64, within: f64) -> Option<f64> {
    upper_tail(&FisherSnedecor::new(between, within).ok()?, f)
}

/// The value that F stays below with probability `p`.
pub fn f_quantile(p: f64, between: f64, within: f64) -> Option<f64> {
    let distribution = FisherSnedecor::new(between, within).ok()?;
    (0.0..=1.0).contains(&p).then(|| distribution.inverse_cdf(p))
}

/// The p-value of a chi-squared test: the chance of `X >= x` with `freedom` degrees of freedom.
pub fn chi_squared_upper_tail(x: f64, freedom: f64) -> Option<f64> {
    upper_tail(&ChiSquared::new(freedom).ok()?, x)
}

/// The chance of at most `successes` in `trials` independent trials of the given probability.
pub fn binomial_cdf(successes: u64, trials: u64, probability: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&probability) {
        return None;
    }
    if successes >= trials {
        return Some(1.0);
    }
    // P(X <= k) = I_{1-p}(n - k, k + 1)
    Some(beta_reg((trials - successes) as f64, successes as f64 + 1.0, 1.0 - probability))
}

/// `P(X >= x)` of a distribution on the positive numbers.
fn upper_tail(distribution: &impl ContinuousCDF<f64, f64>, x: f64) -> Option<f64> {
    match x {
        nan if nan.is_nan() => None,
        f64::INFINITY => Some(0.0),
        x if x <= 0.0 => Some(1.0),
        x => Some(distribution.sf(x)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(got: Option<f64>, want: f64) {
        let got = got.expect("defined");
        assert!((got - want).abs() < 1e-12, "got {got}, want {want}");
    }

    #[test]
    fn by_hand() {
        // One degree of freedom is Cauchy's distribution: P(abs(T) >= 1) = 1/2, and its 3/4 quantile is 1.
        close(student_t_two_sided_p(-1.0, 1.0), 0.5);
        close(student_t_quantile(0.75, 1.0), 1.0);
        // Two degrees of freedom: P(X >= x) = exp(-x/2).
        close(chi_squared_upper_tail(3.0, 2.0), (-1.5_f64).exp());
        // F(2, n): P(F >= f) = (1 + 2 f / n)^(-n/2).
        close(f_upper_tail(3.0, 2.0, 6.0), 1.0 / 8.0);
        close(f_quantile(7.0 / 8.0, 2.0, 6.0), 3.0);
        // (1 + 4 + 6) / 16
        close(binomial_cdf(2, 4, 0.5), 11.0 / 16.0);
        close(binomial_cdf(0, 2, 0.9), 0.01);
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(student_t_two_sided_p(f64::NEG_INFINITY, 5.0), Some(0.0));
        assert_eq!(student_t_two_sided_p(0.0, 5.0), Some(1.0));
        assert_eq!(f_upper_tail(f64::INFINITY, 2.0, 5.0), Some(0.0));
        assert_eq!((f_upper_tail(0.0, 2.0, 5.0), chi_squared_upper_tail(0.0, 2.0)), (Some(1.0), Some(1.0)));
        assert_eq!((binomial_cdf(7, 7, 0.5), binomial_cdf(0, 0, 0.5)), (Some(1.0), Some(1.0)));
        assert_eq!((binomial_cdf(3, 7, 0.0), binomial_cdf(3, 7, 1.0)), (Some(1.0), Some(0.0)));
    }

    #[test]
    fn undefined_is_none() {
        for freedom in [0.0, -1.0, f64::NAN] {
            assert_eq!(student_t_two_sided_p(1.0, freedom), None);
            assert_eq!(student_t_quantile(0.5, freedom), None);
            assert_eq!((f_upper_tail(1.0, freedom, 3.0), f_upper_tail(1.0, 3.0, freedom)), (None, None));
            assert_eq!(f_quantile(0.5, freedom, 3.0), None);
            assert_eq!(chi_squared_upper_tail(1.0, freedom), None);
        }
        for p in [-0.1, 1.1, f64::NAN] {
            assert_eq!(
                (student_t_quantile(p, 3.0), f_quantile(p, 3.0, 3.0), binomial_cdf(1, 2, p)),
                (None, None, None)
            );
        }
        assert_eq!(student_t_two_sided_p(f64::NAN, 3.0), None);
        assert_eq!((f_upper_tail(f64::NAN, 3.0, 3.0), chi_squared_upper_tail(f64::NAN, 3.0)), (None, None));
    }
}
