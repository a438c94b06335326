//! Bayes factors for "no relation": how many times likelier the data are without a relation than with one.

use std::f64::consts::{LN_2, PI};

use super::distributions::{ln_beta, ln_gamma};

/// The series of [`beta_bayes_factor_01`] ends here at the latest; it gets that far only for a handful of rows with
/// `r^2` within about 1e-5 of 1, where the factor is 0 for all purposes.
const LONGEST_SERIES: u32 = 10_000_000;

/// Bayes factor in favour of "no relation", `BF01 = exp((BIC1 - BIC0) / 2)`, `BIC1 - BIC0 = n ln(1 - r^2) + ln n`
/// (Wagenmakers 2007, with the unit-information prior that BIC stands for). The one that the protocol fixed.
///
/// It compares a line with a constant: at `r = 0` it is `sqrt(n)`, at `abs(r) = 1` it is 0. Above 3 is usually read as
/// support for no relation, below 1/3 as support for one. A rank correlation or partial correlation may stand in for r.
///
/// `None` if there are fewer than 3 rows or `r` is not in `[-1, 1]`.
pub fn bayes_factor_01(r: f64, rows: usize) -> Option<f64> {
    if rows < 3 || !(-1.0..=1.0).contains(&r) {
        return None;
    }
    let n = rows as f64;
    // ln_1p keeps the digits of 1 - r^2 for a small r.
    Some((0.5 * (n * (-r * r).ln_1p() + n.ln())).exp())
}

/// Bayes factor in favour of "no relation" under a stretched beta prior on the correlation, to set beside
/// [`bayes_factor_01`]: it says how much the answer depends on the prior (Ly, Verhagen & Wagenmakers, *Harold Jeffreys's
/// default Bayes factor hypothesis tests*, 2016, equation 25; pingouin's `bayesfactor_pearson`).
///
/// Under "a relation" the correlation is distributed over `[-1, 1]` like `2 B - 1`, `B` of `Beta(1 / width, 1 / width)`:
/// uniformly at width 1, the usual choice, and nearer to 0 for a smaller one. Then
/// `BF10 = 2^(1 - 2/w) sqrt(pi) / B(1/w, 1/w) * Gamma((n + 2/w - 1) / 2) / Gamma((n + 2/w) / 2)
/// * 2F1((n - 1) / 2, (n - 1) / 2; (n + 2/w) / 2; r^2)`, and this is its inverse.
///
/// `None` if there are fewer than 3 rows, `r` is not in `[-1, 1]`, or `width` is not positive and finite.
pub fn beta_bayes_factor_01(r: f64, rows: usize, width: f64) -> Option<f64> {
    if rows < 3 || !(-1.0..=1.0).contains(&r) || !(width > 0.0 && width.is_finite()) {
        return None;
    }
    if r.abs() == 1.0 {
        return Some(0.0);
    }
    let (n, shape) = (rows as f64, 1.0 / width);
    let (a, c) = ((n - 1.0) / 2.0, n / 2.0 + shape);
    // Euler: 2F1(a, a; c; z) = (1 - z)^(c - 2a) 2F1(c - a, c - a; c; z). All terms stay positive, and c - a = 1/2 + 1/w
    // does not grow with n, so a few dozen terms are enough where the series as written would need thousands.
    let z = r * r;
    let ln_hypergeometric = (c - 2.0 * a) * (-z).ln_1p() + hypergeometric(c - a, c, z).ln();
    let ln_bf10 = (1.0 - 2.0 * shape) * LN_2 + 0.5 * PI.ln() - ln_beta(shape, shape) + ln_gamma(c - 0.5) - ln_gamma(c)
        + ln_hypergeometric;
    Some((-ln_bf10).exp())
}

/// `2F1(a, a; c; z)` for `0 <= z < 1` by its series `sum (a)_j^2 / (c)_j z^j / j!`.
fn hypergeometric(a: f64, c: f64, z: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for j in 0..LONGEST_SERIES {
        let j = f64::from(j);
        term *= (a + j) * (a + j) / ((c + j) * (j + 1.0)) * z;
        sum += term;
        // What is left is about a geometric series of ratio z; stop when even that no longer shows.
        if term < 1e-17 * sum * (1.0 - z) {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bic_factor_by_hand() {
        assert!((bayes_factor_01(0.0, 100).unwrap() - 10.0).abs() < 1e-12);
        // n = 4, r^2 = 1/2: (1/2)^(4/2) * 4^(1/2) = 1/2
        assert!((bayes_factor_01(0.5_f64.sqrt(), 4).unwrap() - 0.5).abs() < 1e-12);
        assert_eq!(bayes_factor_01(-1.0, 50), Some(0.0));
    }

    /// The density of r for `rows` independent pairs is `(1 - r^2)^((n - 4) / 2) / B(1/2, (n - 2) / 2)`. A Bayes factor is
    /// a ratio of densities, so its inverse must have mean 1 under "no relation": an identity that no table is needed for.
    #[test]
    fn the_beta_factor_has_mean_one_without_a_relation() {
        for (rows, width) in [(10, 1.0), (60, 1.0), (60, 0.5), (200, 1.0)] {
            let n = rows as f64;
            let norm = ln_beta(0.5, 0.5 * (n - 2.0)).exp();
            // Midpoint rule over t, r = sin(t). The ends, where both density and factor leave the range of f64, are cut:
            // 0.05 % of the integral at most.
            let steps = 1_000;
            let mean: f64 = (0..steps)
                .map(|step| ((f64::from(step) + 0.5) / f64::from(steps) - 0.5) * PI)
                .filter(|t| t.sin().abs() < 0.9995)
                .map(|t| {
                    let density = t.cos().powf(n - 3.0) / norm;
                    density / beta_bayes_factor_01(t.sin(), rows, width).unwrap() * PI / f64::from(steps)
                })
                .sum();
            assert!((mean - 1.0).abs() < 2e-3, "{rows} rows, width {width}: {mean}");
        }
    }

    #[test]
    fn signs_do_not_matter_and_more_relation_means_less_support() {
        for factor in [|r| beta_bayes_factor_01(r, 60, 1.0).unwrap(), |r| bayes_factor_01(r, 60).unwrap()] {
            let falling: Vec<f64> = [0.0, 0.1, 0.3, 0.6, 0.9, 0.999, 1.0].map(factor).to_vec();
            assert!(falling.is_sorted_by(|a, b| a > b), "{falling:?}");
            assert_eq!(factor(-0.4), factor(0.4));
        }
        assert!(beta_bayes_factor_01(0.0, 200, 1.0).unwrap() > 10.0);
    }

    #[test]
    fn undefined_is_none() {
        assert_eq!(bayes_factor_01(0.1, 2), None);
        assert_eq!(bayes_factor_01(f64::NAN, 60), None);
        assert_eq!(beta_bayes_factor_01(0.1, 2, 1.0), None);
        assert_eq!(beta_bayes_factor_01(1.1, 60, 1.0), None);
        for width in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(beta_bayes_factor_01(0.1, 60, width), None);
        }
    }
}
