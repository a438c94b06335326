//! The shape of a code, whatever the classes.

use crate::linear_algebra::{Pca, Rows};

/// A unit with a smaller standard deviation over pictures is dead: it says the same of all of them.
pub const DEAD_DEVIATION: f64 = 1e-4;

/// A value below this share of the root mean square of all values counts as zero.
pub const NEAR_ZERO: f64 = 0.01;

/// The number of units (columns) whose standard deviation over the rows is below [`DEAD_DEVIATION`].
///
/// `None` without rows or when a value is not finite.
pub fn dead_units(rows: Rows) -> Option<usize> {
    let (columns, count) = (rows.columns(), rows.count() as f64);
    let mut mean = vec![0.0; columns];
    for row in rows.iter() {
        mean.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value));
    }
    mean.iter_mut().for_each(|mean| *mean /= count);
    let mut squares = vec![0.0; columns];
    for row in rows.iter() {
        for ((sum, &value), mean) in squares.iter_mut().zip(row).zip(&mean) {
            *sum += (f64::from(value) - mean).powi(2);
        }
    }
    let deviations = squares.iter().map(|sum| (sum / count).sqrt());
    deviations.map(|deviation| deviation.is_finite().then_some(usize::from(deviation < DEAD_DEVIATION))).sum()
}

/// The effective rank `exp(-sum p ln p)`, `p = sigma / sum sigma`, with sigma the singular values of the centred code: between 1
/// and the number of units, which it reaches when all directions are equally strong. 1 for a dead code.
///
/// O. Roy and M. Vetterli, "The effective rank: a measure of effective dimensionality" (2007).
///
/// `None` below two rows or when a value is not finite.
pub fn effective_rank(rows: Rows) -> Option<f64> {
    let deviations: Vec<f64> = variances(rows)?.iter().map(|variance| variance.sqrt()).collect();
    let sum: f64 = deviations.iter().sum();
    let term = |deviation: &f64| {
        let p = deviation / sum;
        if p > 0.0 { -p * p.ln() } else { 0.0 }
    };
    Some(if sum > 0.0 { deviations.iter().map(term).sum::<f64>().exp() } else { 1.0 })
}

/// The participation ratio `(sum l)^2 / sum l^2`, with l the variances along the principal components: as the effective
/// rank, but weak directions count for less. 1 for a dead code.
///
/// `None` below two rows or when a value is not finite.
pub fn participation_ratio(rows: Rows) -> Option<f64> {
    let variances = variances(rows)?;
    let (sum, squares) = variances.iter().fold((0.0, 0.0), |(sum, squares), l| (sum + l, squares + l * l));
    Some(if squares > 0.0 { sum * sum / squares } else { 1.0 })
}

/// Variances along the principal components; a single zero for a code of nothing but dead units, whose variances are rounding.
fn variances(rows: Rows) -> Option<Vec<f64>> {
    if dead_units(rows)? == rows.columns() {
        return (rows.count() >= 2).then(|| vec![0.0]);
    }
    Some(Pca::fit(rows).ok()?.variances().to_vec())
}

/// The share of all values whose magnitude is at most [`NEAR_ZERO`] times the root mean square of all values; 1 when all
/// are 0.
///
/// `None` without rows or when a value is not finite.
pub fn near_zero_share(rows: Rows) -> Option<f64> {
    let count = rows.values().len() as f64;
    let squares: f64 = rows.values().iter().map(|&value| f64::from(value).powi(2)).sum();
    let bound = NEAR_ZERO * (squares / count).sqrt();
    let near = rows.values().iter().filter(|&&value| f64::from(value).abs() <= bound).count();
    bound.is_finite().then_some(near as f64 / count)
}

/// Hoyer's sparsity, the mean over rows of `(sqrt(d) - sum |x| / sqrt(sum x^2)) / (sqrt(d) - 1)`: 0 when all units of a row are
/// equally far from zero, 1 when all but one are zero. Rows of zeros have none and are left out.
///
/// P. O. Hoyer, "Non-negative matrix factorization with sparseness constraints" (2004).
///
/// `None` when no row is left, there is only one unit, or a value is not finite.
pub fn hoyer_sparsity(rows: Rows) -> Option<f64> {
    let root = (rows.columns() as f64).sqrt();
    let (mut sum, mut counted) = (0.0, 0);
    for row in rows.iter() {
        let (magnitudes, squares) = row.iter().fold((0.0, 0.0), |(magnitudes, squares), &value| {
            let value = f64::from(value);
            (magnitudes + value.abs(), squares + value * value)
        });
        if squares != 0.0 {
            sum += (root - magnitudes / squares.sqrt()) / (root - 1.0);
            counted += 1;
        }
    }
    let mean = sum / f64::from(counted);
    mean.is_finite().then_some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_by_hand() {
        // Along two axes with deviations in the ratio 3 : 1, and a constant unit: p = 3/4, 1/4.
        let values = [3.0, 0.0, 5.0, -3.0, 0.0, 5.0, 0.0, 1.0, 5.0, 0.0, -1.0, 5.0];
        let rows = Rows::new(&values, 3);
        let entropy = -(0.75 * 0.75_f64.ln() + 0.25 * 0.25_f64.ln());
        assert!((effective_rank(rows).unwrap() - entropy.exp()).abs() < 1e-7);
        // Variances 9 : 1: (10)^2 / 82.
        assert!((participation_ratio(rows).unwrap() - 100.0 / 82.0).abs() < 1e-12);
        assert_eq!(dead_units(rows), Some(1));
    }

    #[test]
    fn a_dead_code_has_rank_one() {
        // Constant but for rounding.
        let values: Vec<f32> = (0..60).map(|i| 0.7 + 1e-7 * ((i * 7) % 5) as f32).collect();
        let rows = Rows::new(&values, 6);
        assert_eq!((effective_rank(rows), participation_ratio(rows)), (Some(1.0), Some(1.0)));
        assert_eq!(dead_units(rows), Some(6));
    }

    #[test]
    fn a_unit_is_dead_below_the_threshold() {
        let rows = |deviation: f32| [deviation, -deviation].map(|x| 0.5 + x);
        let dead = |deviation| dead_units(Rows::new(&rows(deviation), 1));
        assert_eq!((dead(0.9e-4), dead(1.1e-4)), (Some(1), Some(0)));
    }

    #[test]
    fn sparsity_by_hand() {
        // A one-hot row is 1, a row of equal magnitudes 0; zeros are left out. d = 4: sqrt(d) = 2.
        let hoyer = |values: &[f32]| hoyer_sparsity(Rows::new(values, 4));
        assert_eq!(hoyer(&[0.0, -3.0, 0.0, 0.0, 2.0, -2.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0]), Some(0.5));
        // 3, 4, 0, 0: (2 - 7/5) / 1.
        assert!((hoyer(&[3.0, 4.0, 0.0, 0.0]).unwrap() - 0.6).abs() < 1e-15);
        assert_eq!(hoyer(&[0.0; 4]), None);
        // Root mean square 1 over four values: 0.01 is near zero, 0.02 is not.
        let values = [2.0, 0.01, -0.02, 0.0];
        assert_eq!(near_zero_share(Rows::new(&values, 2)), Some(0.5));
        assert_eq!(near_zero_share(Rows::new(&[0.0; 4], 2)), Some(1.0));
    }

    #[test]
    fn what_is_not_finite_or_too_short_is_undefined() {
        let values = [1.0, f32::NAN, 2.0, 3.0];
        let rows = Rows::new(&values, 2);
        let measures = [effective_rank, participation_ratio, near_zero_share, hoyer_sparsity];
        assert!(measures.iter().all(|measure| measure(rows).is_none()));
        assert_eq!(dead_units(rows), None);
        assert!(measures.iter().all(|measure| measure(Rows::new(&[], 2)).is_none()));
        assert_eq!((dead_units(Rows::new(&[], 2)), effective_rank(Rows::new(&[1.0, 2.0], 2))), (None, None));
    }
}
