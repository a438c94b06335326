//! Do several independent groups have one correlation?

use super::distributions::chi_squared_upper_tail;

/// The test of [`homogeneity`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Homogeneity {
    /// Groups that entered.
    pub groups: usize,
    /// Cochran's Q.
    pub q: f64,
    /// Probability of a Q at least this large if all groups have one correlation.
    pub p: f64,
}

/// Tests that the rank correlations `(rho, rows)` of independent groups are equal: Cochran's Q of Fisher's
/// `z_i = atanh(rho_i)` (Hedges & Olkin, *Statistical Methods for Meta-Analysis*, 1985, chapter 11),
///
/// ```text
/// Q = sum_i w_i (z_i - mean)^2,  mean = sum_i w_i z_i / sum_i w_i,  w_i = (n_i - 3) / (1 + tanh(mean)^2 / 2),
/// ```
///
/// against the chi-squared distribution of one less than the number of groups. The denominator makes it one for ranks, whose z
/// spreads the more the larger the correlation (Bonett & Wright, *Sample size requirements for estimating Pearson, Kendall and
/// Spearman correlations*, 2000).
///
/// `None` for fewer than two groups, a group of at most three rows, or a rho that is not strictly between -1 and 1.
pub fn homogeneity(groups: &[(f64, usize)]) -> Option<Homogeneity> {
    let defined = groups.iter().all(|(rho, rows)| rho.abs() < 1.0 && *rows > 3);
    if groups.len() < 2 || !defined {
        return None;
    }
    let weighed: Vec<[f64; 2]> = groups.iter().map(|(rho, rows)| [rho.atanh(), (rows - 3) as f64]).collect();
    let total: f64 = weighed.iter().map(|[_, weight]| weight).sum();
    let mean = weighed.iter().map(|[z, weight]| weight * z).sum::<f64>() / total;
    let spread = weighed.iter().map(|[z, weight]| weight * (z - mean).powi(2)).sum::<f64>();
    let q = spread / (1.0 + mean.tanh().powi(2) / 2.0);
    Some(Homogeneity { groups: groups.len(), q, p: chi_squared_upper_tail(q, (groups.len() - 1) as f64)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_scipy() {
        // scipy 1.17: z = arctanh(r), w = n - 3, m = average(z, weights=w),
        // q = sum(w * (z - m)**2) / (1 + tanh(m)**2 / 2), chi2.sf(q, k - 1)
        let found = homogeneity(&[(0.7, 40), (0.28, 40), (0.21, 40), (0.08, 40), (-0.2, 40)]).unwrap();
        assert!(
            (found.q - 22.191_625_705_526_814).abs() < 1e-9 && (found.p - 0.000_183_562_838_440_200_94).abs() < 1e-9,
            "{found:?}"
        );
        let uneven = homogeneity(&[(0.5, 20), (-0.1, 103)]).unwrap();
        assert!(
            (uneven.q - 6.132_010_653_597_463).abs() < 1e-9 && (uneven.p - 0.013_275_581_074_388_127).abs() < 1e-9,
            "{uneven:?}"
        );
    }

    #[test]
    fn equal_correlations_have_no_spread() {
        let found = homogeneity(&[(0.4, 10), (0.4, 50)]).unwrap();
        assert!(found.q < 1e-20 && found.p > 0.999_999, "{found:?}");
    }

    #[test]
    fn what_is_not_defined() {
        for groups in [&[(0.4, 10)][..], &[(0.4, 3), (0.2, 9)], &[(1.0, 9), (0.2, 9)], &[(f64::NAN, 9), (0.2, 9)]] {
            assert_eq!(homogeneity(groups), None, "{groups:?}");
        }
    }
}
