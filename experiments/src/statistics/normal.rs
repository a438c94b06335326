//! The standard normal distribution: what the equivalence test and the BCa interval need of it.

use std::f64::consts::PI;

/// Beyond this the upper tail is taken from its continued fraction; below it the series is accurate.
const TAIL: f64 = 3.0;

/// The probability `Phi(z)` that a standard normal variable is at most `z`; absolute error below 1e-15.
///
/// For `abs(z) <= 3` by the series `Phi(z) = 1/2 + phi(z) (z + z^3/3 + z^5/(3*5) + ...)` (Marsaglia, *Evaluating the
/// normal distribution*, 2004); in the tails by Laplace's continued fraction
/// `1 - Phi(z) = phi(z) / (z + 1/(z + 2/(z + 3/(z + ...))))`. NaN gives NaN.
pub fn normal_cdf(z: f64) -> f64 {
    let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
    if z.abs() <= TAIL {
        let (mut term, mut sum, mut divisor) = (z, z, 1.0);
        // The terms rise until divisor = z^2 <= 9, then fall at least geometrically to nothing.
        while term.abs() > 1e-18 {
            divisor += 2.0;
            term *= z * z / divisor;
            sum += term;
        }
        return 0.5 + density * sum;
    }
    // 200 levels: converged to the last digit at z = 3, and faster further out.
    let fraction = (1..=200).rev().fold(z.abs(), |below, level| z.abs() + f64::from(level) / below);
    let tail = density / fraction;
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// The `z` with `Phi(z) = p`, by bisection of [`normal_cdf`]; `-inf` at 0, `inf` at 1, NaN outside `[0, 1]`.
pub fn normal_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    // Phi(-39) is below the smallest positive f64, so the root lies within.
    let (mut low, mut high) = (-39.0, 0.0);
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        if normal_cdf(middle) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[z, scipy.stats.norm.cdf(z)]`, scipy 1.17.
    const CDF: [[f64; 2]; 9] = [
        [-10.0, 7.61985302416047e-24],
        [-5.0, 2.866515718791933e-07],
        [-3.5, 0.00023262907903552502],
        [-3.0, 0.0013498980316300933],
        [-1.0, 0.15865525393145707],
        [-0.5, 0.3085375387259869],
        [0.25, 0.5987063256829237],
        [2.0, 0.9772498680518208],
        [4.0, 0.9999683287581669],
    ];

    #[test]
    fn the_distribution_function_agrees_with_scipy() {
        for [z, want] in CDF {
            let got = normal_cdf(z);
            assert!((got - want).abs() < 1e-15 && (got / want - 1.0).abs() < 1e-11, "Phi({z}) = {got}, want {want}");
        }
        assert_eq!((normal_cdf(f64::NEG_INFINITY), normal_cdf(f64::INFINITY)), (0.0, 1.0));
        assert!(normal_cdf(f64::NAN).is_nan());
    }

    #[test]
    fn the_two_formulas_meet() {
        let (inside, outside) = (normal_cdf(-TAIL), normal_cdf(-TAIL.next_up()));
        assert!((inside - outside).abs() < 1e-15, "{inside} against {outside}");
    }

    #[test]
    fn the_quantile_inverts_it() {
        for [z, p] in CDF.into_iter().filter(|[z, _]| z.abs() < 5.0) {
            assert!((normal_quantile(p) - z).abs() < 1e-9, "quantile of {p}");
        }
        assert!((normal_quantile(0.975) - 1.959963984540054).abs() < 1e-13);
        assert_eq!((normal_quantile(0.0), normal_quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(normal_quantile(-0.1).is_nan() && normal_quantile(f64::NAN).is_nan());
    }
}
