//! "No correlation" as a claim to be supported, not merely one that was not rejected: the equivalence test.

use super::normal::normal_cdf;
use super::verdict::SIGNIFICANCE_LEVEL;

/// The two one-sided tests of [`equivalence`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Equivalence {
    /// The margin: the claim is `abs(rho) < margin`.
    pub margin: f64,
    /// p-value of the hypothesis `rho <= -margin`.
    pub p_lower: f64,
    /// p-value of the hypothesis `rho >= margin`.
    pub p_upper: f64,
}

impl Equivalence {
    /// The p-value of the claim as a whole: the larger of the two.
    pub fn p(&self) -> f64 {
        self.p_lower.max(self.p_upper)
    }

    /// Whether both hypotheses are rejected at [`SIGNIFICANCE_LEVEL`].
    pub fn passes(&self) -> bool {
        self.p() < SIGNIFICANCE_LEVEL
    }
}

/// Two one-sided tests (TOST, Schuirmann 1987) of `abs(rho) < margin` for a rank correlation.
///
/// In Fisher's scale, `z = atanh(rho)` is near normal with `SE = sqrt(1.06 / (rows - 3 - controlled))` (Fieller,
/// Hartley & Pearson 1957), so `p_lower = 1 - Phi((z + atanh(margin)) / SE)` and `p_upper = Phi((z - atanh(margin)) /
/// SE)`. `controlled` is the number of independent covariates, 0 for a plain correlation. With margin 0.3 the test can
/// pass only if `abs(rho)` is below about 0.08 at 60 rows, or 0.18 at 200.
///
/// `None` if there are at most `3 + controlled` rows, `rho` is not in `[-1, 1]`, or `margin` not strictly between 0 and
/// 1.
pub fn equivalence(rho: f64, rows: usize, controlled: usize, margin: f64) -> Option<Equivalence> {
    let freedom = rows.checked_sub(3 + controlled).filter(|&freedom| freedom > 0)?;
    let defined = (-1.0..=1.0).contains(&rho) && margin > 0.0 && margin < 1.0;
    if !defined {
        return None;
    }
    let standard_error = (1.06 / freedom as f64).sqrt();
    let (z, edge) = (rho.atanh(), margin.atanh());
    let p_lower = normal_cdf(-(z + edge) / standard_error);
    let p_upper = normal_cdf((z - edge) / standard_error);
    Some(Equivalence { margin, p_lower, p_upper })
}

#[cfg(test)]
mod tests {
    use super::super::EQUIVALENCE_MARGIN;
    use super::*;

    fn tost(rho: f64, rows: usize) -> Equivalence {
        equivalence(rho, rows, 0, EQUIVALENCE_MARGIN).expect("enough rows")
    }

    #[test]
    fn both_p_values_agree_with_scipy() {
        // scipy 1.17, m = arctanh(.3), se = sqrt(1.06 / (n - 3)): norm.sf((arctanh(rho) + m) / se),
        // norm.cdf((arctanh(rho) - m) / se)
        for (rho, rows, p_lower, p_upper) in [
            (0.05, 200, 4.748786168890406e-07, 0.00020206638672686295),
            (0.1, 60, 0.0013257848386998721, 0.06251998317841526),
            (-0.35, 60, 0.6591316666391581, 3.719486257654581e-07),
        ] {
            let got = tost(rho, rows);
            assert!((got.p_lower / p_lower - 1.0).abs() < 1e-9, "{got:?}");
            assert!((got.p_upper / p_upper - 1.0).abs() < 1e-9, "{got:?}");
        }
    }

    #[test]
    fn passes_only_below_the_stated_correlations() {
        assert!(tost(0.08, 60).passes() && !tost(0.09, 60).passes());
        assert!(tost(-0.18, 200).passes() && !tost(-0.19, 200).passes());
        assert!(!tost(0.0, 20).passes(), "20 rows are too few to show the absence of anything");
    }

    #[test]
    fn covariates_cost_rows() {
        assert_eq!(equivalence(0.1, 64, 4, 0.3), equivalence(0.1, 60, 0, 0.3));
    }

    #[test]
    fn undefined_is_none() {
        assert_eq!(equivalence(0.1, 3, 0, 0.3), None);
        assert_eq!(equivalence(0.1, 7, 4, 0.3), None);
        assert_eq!(equivalence(f64::NAN, 60, 0, 0.3), None);
        assert_eq!(equivalence(0.1, 60, 0, 1.0), None);
        assert_eq!(tost(1.0, 60).p(), 1.0, "a perfect correlation is as far from none as can be");
    }
}
