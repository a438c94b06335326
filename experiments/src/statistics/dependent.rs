//! Do two scores follow the accuracy equally well, on the same networks? Steiger's test of dependent correlations.

use super::normal::normal_cdf;

/// The difference of two correlations that share a variable; see [`steiger`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CorrelationDifference {
    /// The first correlation minus the second.
    pub difference: f64,
    /// The difference of their Fisher transforms over its standard error.
    pub z: f64,
    /// Two-sided p-value of "both are equal".
    pub p: f64,
}

/// Tests whether `x` is correlated with `z` as strongly as `y` is, from the three correlations over the same `rows`
/// (Steiger 1980, equations 10, 11 and 14, the variant with the mean of both correlations under "both are equal").
///
/// With `m = (r_xz + r_yz) / 2` and the covariance `s = (r_xy (1 - 2 m^2) - m^2 (1 - 2 m^2 - r_xy^2) / 2) / (1 - m^2)^2`:
/// `Z = (atanh(r_xz) - atanh(r_yz)) sqrt((n - 3) / (2 - 2 s))` is standard normal. Made for Pearson's r of normal data;
/// for rank correlations it is an approximation, to be set beside the [`bootstrap`](super::bootstrap) of the difference.
///
/// `None` with fewer than four rows, a correlation outside `(-1, 1)`, or three correlations that do not fit together.
pub fn steiger(r_xz: f64, r_yz: f64, r_xy: f64, rows: usize) -> Option<CorrelationDifference> {
    let within = |r: f64| r > -1.0 && r < 1.0;
    // The determinant of the correlation matrix; negative for correlations that no data can have.
    let determinant = 1.0 + 2.0 * r_xz * r_yz * r_xy - r_xz * r_xz - r_yz * r_yz - r_xy * r_xy;
    if rows < 4 || !(within(r_xz) && within(r_yz) && within(r_xy)) || determinant < 0.0 {
        return None;
    }
    let square = (0.5 * (r_xz + r_yz)).powi(2);
    let covariance =
        (r_xy * (1.0 - 2.0 * square) - 0.5 * square * (1.0 - 2.0 * square - r_xy * r_xy)) / (1.0 - square).powi(2);
    let z = (r_xz.atanh() - r_yz.atanh()) * ((rows - 3) as f64 / (2.0 - 2.0 * covariance)).sqrt();
    let p = (2.0 * normal_cdf(-z.abs())).min(1.0);
    z.is_finite().then_some(CorrelationDifference { difference: r_xz - r_yz, z, p })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_published_output_of_cocor() {
        // Output of R's cocor, "steiger1980", in a public analysis (correlations there rounded to four decimals).
        for (r_xz, r_yz, r_xy, z, p) in
            [(0.0228, 0.3522, 0.3718, -7.1345, 0.0), (0.2493, 0.3395, 0.4082, -2.0660, 0.0388)]
        {
            let got = steiger(r_xz, r_yz, r_xy, 553).unwrap();
            assert!((got.z - z).abs() < 0.003 && (got.p - p).abs() < 3e-4, "{got:?}, want {z} and {p}");
        }
    }

    #[test]
    fn by_hand() {
        // m = 0: s = r_xy, and Z = 2 atanh(.3) sqrt(97 / (2 - 1)).
        let got = steiger(0.3, -0.3, 0.5, 100).unwrap();
        assert!((got.z - 2.0 * 0.3_f64.atanh() * 97.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(got.difference, 0.6);
        let equal = steiger(0.4, 0.4, 0.2, 50).unwrap();
        assert_eq!((equal.z, equal.p), (0.0, 1.0));
        assert_eq!(steiger(0.2, 0.5, 0.3, 50).unwrap().z, -steiger(0.5, 0.2, 0.3, 50).unwrap().z);
    }

    #[test]
    fn undefined_is_none() {
        assert_eq!(steiger(0.2, 0.5, 0.3, 3), None);
        assert_eq!(steiger(1.0, 0.5, 0.3, 50), None);
        assert_eq!(steiger(0.2, f64::NAN, 0.3, 50), None);
        assert_eq!(steiger(0.9, -0.9, 0.9, 50), None, "no three variables have these");
    }
}
