//! How much two codes of the same images have in common.

use faer::Mat;

use super::blocks::{cross_scatter_matrix, scatter_matrix};
use super::rows::{Rows, column_means};

/// Linear centred kernel alignment, `|X'Y|^2 / (|X'X| |Y'Y|)` with centred columns and Frobenius norms: 1 when one code is a
/// rotation and scaling of the other, 0 when no feature of one correlates with any of the other (Kornblith, Norouzi, Lee and
/// Hinton, arXiv 1905.00414). The codes may differ in size.
///
/// `None` when a value is not finite or a code is constant.
///
/// # Panics
/// If the numbers of rows differ.
pub fn linear_cka(x: Rows, y: Rows) -> Option<f64> {
    assert_eq!(x.count(), y.count(), "CKA: {} rows and {} rows of the same images", x.count(), y.count());
    let (mean_x, mean_y) = (column_means(x), column_means(y));
    let common = cross_scatter_matrix(x, &mean_x, y, &mean_y).squared_norm_l2();
    let own = |rows: Rows, mean: &[f64]| symmetric_norm(&scatter_matrix(rows, mean));
    let alignment = common / (own(x, &mean_x) * own(y, &mean_y));
    alignment.is_finite().then_some(alignment)
}

/// The Frobenius norm of the symmetric matrix whose lower triangle is given.
fn symmetric_norm(lower: &Mat<f64>) -> f64 {
    let column = |j: usize| -> f64 {
        let below: f64 = (j + 1..lower.nrows()).map(|i| lower[(i, j)].powi(2)).sum();
        lower[(j, j)].powi(2) + 2.0 * below
    };
    (0..lower.ncols()).map(column).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // One feature each: the squared correlation. x centred -1, 0, 1; y centred -1, 1, 0: (1 / 2)^2.
        let cka = |x: &[f32], y: &[f32], columns| linear_cka(Rows::new(x, 1), Rows::new(y, columns));
        assert_eq!(cka(&[1.0, 2.0, 3.0], &[4.0, 6.0, 5.0], 1), Some(0.25));
        // x' = (x, 0) turned by 45 degrees and doubled, moved by 7.
        assert!((cka(&[1.0, 2.0, 3.0], &[8.0, 8.0, 9.0, 9.0, 10.0, 10.0], 2).unwrap() - 1.0).abs() < 1e-14);
        // Uncorrelated.
        assert_eq!(cka(&[-1.0, 0.0, 1.0], &[1.0, -2.0, 1.0], 1), Some(0.0));
        assert_eq!(cka(&[1.0, 2.0, 3.0], &[5.0; 3], 1), None);
        assert_eq!(cka(&[1.0, f32::NAN, 3.0], &[5.0, 1.0, 2.0], 1), None);
    }
}
