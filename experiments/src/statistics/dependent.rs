//! Do two scores follow the accuracy equally well, on the same networks? Differences of dependent correlations.

use rand::Rng;

use super::assert_paired;
use super::bootstrap::{Bootstrap, bootstrap};
use super::correlation::{average_ranks, pearson};
use super::normal::normal_cdf;
use super::partial::unexplained;
use super::ranking::Ranking;

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

/// How well two scores follow the same quantity; see [`compare_scores`] and [`compare_partial_scores`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreComparison {
    /// Spearman's rho of the first score and the quantity, partial if covariates were given.
    pub first: f64,
    /// The same of the second score.
    pub second: f64,
    /// `first - second`, with its bootstrap intervals.
    pub difference: Bootstrap,
    /// [`steiger`]'s test of the same difference; `None` where a pair is in perfect order, as two scores are of which one
    /// is a function of the other. With covariates it is that of as many rows fewer as there are independent covariates, which
    /// is what a partial correlation varies like (Fisher 1924).
    pub steiger: Option<CorrelationDifference>,
}

/// Whether one score follows a quantity (accuracy) more closely by rank than another does, over the same networks: the
/// bootstrap of the difference of both rho, networks being redrawn with all three values, and Steiger's test beside it.
///
/// `None` if a value is not finite, a column is constant, or there are too few rows.
///
/// # Panics
/// If the lengths differ, or `confidence` is not strictly between 0 and 1.
pub fn compare_scores(
    first: &[f64],
    second: &[f64],
    quantity: &[f64],
    resamples: usize,
    confidence: f64,
    rng: &mut (impl Rng + ?Sized),
) -> Option<ScoreComparison> {
    compare_partial_scores(first, second, quantity, &[], resamples, confidence, rng)
}

/// [`compare_scores`] with `covariates` held fixed (see [`partial_spearman`](super::partial_spearman)): whether one of two
/// partial rank correlations with the same quantity is larger. Networks are redrawn with their covariates.
///
/// `None` also if the covariates explain one of the columns completely, or leave fewer than three rows to speak.
///
/// # Panics
/// If the lengths differ, or `confidence` is not strictly between 0 and 1.
pub fn compare_partial_scores(
    first: &[f64],
    second: &[f64],
    quantity: &[f64],
    covariates: &[Vec<f64>],
    resamples: usize,
    confidence: f64,
    rng: &mut (impl Rng + ?Sized),
) -> Option<ScoreComparison> {
    assert_paired(first, quantity);
    assert_paired(second, quantity);
    let ranks = [average_ranks(first)?, average_ranks(second)?, average_ranks(quantity)?];
    let ([a, b, c], controlled) = unexplained(ranks, covariates)?;
    let (rho_first, rho_second, between) = (pearson(&a, &c)?, pearson(&b, &c)?, pearson(&a, &b)?);
    let orders = [Ranking::new(first)?, Ranking::new(second)?, Ranking::new(quantity)?];
    let difference = |rows: &[usize]| {
        let pick = |column: &Vec<f64>| rows.iter().map(|&row| column[row]).collect();
        let covariates: Vec<Vec<f64>> = covariates.iter().map(pick).collect();
        let ([a, b, c], _) = unexplained(orders.each_ref().map(|order| order.of_rows(rows)), &covariates)?;
        Some(pearson(&a, &c)? - pearson(&b, &c)?)
    };
    Some(ScoreComparison {
        first: rho_first,
        second: rho_second,
        difference: bootstrap(quantity.len(), difference, resamples, confidence, rng)?,
        steiger: steiger(rho_first, rho_second, between, quantity.len() - controlled),
    })
}

#[cfg(test)]
mod tests {
    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};

    use super::super::{partial_spearman, spearman};
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

    /// A quantity, a score that follows it closely, and one that does so loosely.
    fn scores(rows: usize) -> [Vec<f64>; 3] {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(6);
        let quantity: Vec<f64> = (0..rows).map(|_| rng.random()).collect();
        let mut noisy = |noise: f64| quantity.iter().map(|q| q + noise * rng.random::<f64>()).collect();
        [noisy(0.3), noisy(2.0), quantity]
    }

    #[test]
    fn a_closer_score_is_told_from_a_looser_one() {
        let [close, loose, quantity] = scores(80);
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        let got = compare_scores(&close, &loose, &quantity, 1_000, 0.95, rng).unwrap();
        assert_eq!(Some(got.first), spearman(&close, &quantity));
        assert_eq!(got.difference.estimate, got.first - got.second);
        assert!(got.difference.bca.unwrap().low > 0.0 && got.steiger.unwrap().p < 1e-6, "{got:?}");
        assert!(got.difference.percentile.contains(got.difference.estimate));
    }

    #[test]
    fn what_a_covariate_explains_does_not_count() {
        // Of two scores that follow the quantity at equal size, the first follows the size as well.
        let [close, loose, quantity] = scores(80);
        let size: Vec<f64> = (0..80).map(|row| f64::from(row % 4)).collect();
        let with_size = |values: &[f64], share: f64| -> Vec<f64> {
            values.iter().zip(&size).map(|(value, size)| value + share * size).collect()
        };
        let (first, second, quantity) = (with_size(&loose, 2.0), with_size(&close, 0.0), with_size(&quantity, 0.5));
        let covariates = [size, vec![7.0; 80]];
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(2);
        let plain = compare_scores(&first, &second, &quantity, 1_000, 0.95, rng).unwrap();
        assert!(plain.difference.interval().low > 0.0 && plain.steiger.unwrap().p < 0.01, "{plain:?}");
        let fixed = compare_partial_scores(&first, &second, &quantity, &covariates, 1_000, 0.95, rng).unwrap();
        assert!(fixed.difference.interval().high < 0.0 && fixed.steiger.unwrap().p < 0.01, "{fixed:?}");
        // The three correlations are those of the definition, the constant is no covariate, and the size costs one row.
        let rho = |x: &[f64], y: &[f64]| partial_spearman(x, y, &covariates).unwrap().rho;
        assert_eq!((fixed.first, fixed.second), (rho(&first, &quantity), rho(&second, &quantity)));
        assert_eq!(fixed.difference.estimate, fixed.first - fixed.second);
        assert_eq!(fixed.steiger, steiger(fixed.first, fixed.second, rho(&first, &second), 79));
    }

    #[test]
    fn two_names_of_one_score_do_not_differ() {
        let [close, _, quantity] = scores(40);
        let bent: Vec<f64> = close.iter().map(|q| q.exp()).collect();
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        let got = compare_scores(&close, &bent, &quantity, 200, 0.95, rng).unwrap();
        assert_eq!((got.difference.percentile.low, got.difference.percentile.high), (0.0, 0.0));
        assert_eq!((got.difference.bca, got.steiger), (None, None));
        assert_eq!(compare_scores(&[1.0; 40], &bent, &quantity, 200, 0.95, rng), None);
        let explained = [average_ranks(&close).unwrap()];
        assert_eq!(compare_partial_scores(&close, &quantity, &bent, &explained, 200, 0.95, rng), None);
    }

    #[test]
    fn undefined_is_none() {
        assert_eq!(steiger(0.2, 0.5, 0.3, 3), None);
        assert_eq!(steiger(1.0, 0.5, 0.3, 50), None);
        assert_eq!(steiger(0.2, f64::NAN, 0.3, 50), None);
        assert_eq!(steiger(0.9, -0.9, 0.9, 50), None, "no three variables have these");
    }
}
