//! From tables of `f32` to products in `f64`, a block of rows at a time.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};

use super::LinearAlgebraError;
use super::rows::Rows;

/// Rows that are converted to `f64` at once: the buffer stays in the cache and memory does not grow with the data.
const BLOCK: usize = 512;

/// The rows in blocks, as `f64` with `mean` subtracted: row-major values and their number of rows.
fn centred_blocks<'a>(rows: Rows<'a>, mean: &'a [f64]) -> impl Iterator<Item = (Vec<f64>, usize)> + 'a {
    let columns = rows.columns();
    rows.values().chunks(BLOCK * columns).map(move |block| {
        let centre = |row: &'a [f32]| row.iter().zip(mean).map(|(&value, mean)| f64::from(value) - mean);
        (block.chunks_exact(columns).flat_map(centre).collect(), block.len() / columns)
    })
}

/// `sum (x - mean_x)(x - mean_x)'` over the rows, `[columns, columns]`; only the lower triangle is filled.
pub(super) fn scatter_matrix(x: Rows, mean: &[f64]) -> Mat<f64> {
    let mut scatter = Scatter::new(mean);
    scatter.add(x);
    scatter.finish()
}

/// [`scatter_matrix`] of rows that come in pieces, to the same bits wherever they are cut.
pub(super) struct Scatter<'a> {
    mean: &'a [f64],
    /// Centred rows that do not fill a block yet.
    waiting: Vec<f64>,
    sum: Mat<f64>,
}

impl<'a> Scatter<'a> {
    pub(super) fn new(mean: &'a [f64]) -> Self {
        Self { mean, waiting: Vec::with_capacity(BLOCK * mean.len()), sum: Mat::zeros(mean.len(), mean.len()) }
    }

    pub(super) fn add(&mut self, x: Rows) {
        for row in x.iter() {
            self.waiting.extend(row.iter().zip(self.mean).map(|(&value, mean)| f64::from(value) - mean));
            if self.waiting.len() == BLOCK * self.mean.len() {
                self.add_waiting();
            }
        }
    }

    fn add_waiting(&mut self) {
        let block = MatRef::from_row_major_slice(&self.waiting, self.waiting.len() / self.mean.len(), self.mean.len());
        let (whole, lower) = (BlockStructure::Rectangular, BlockStructure::TriangularLower);
        triangular::matmul(&mut self.sum, lower, Accum::Add, block.transpose(), whole, block, whole, 1.0, Par::Seq);
        self.waiting.clear();
    }

    pub(super) fn finish(mut self) -> Mat<f64> {
        if !self.waiting.is_empty() {
            self.add_waiting();
        }
        self.sum
    }
}

/// `sum (x - mean_x)(y - mean_y)'` over the rows, `[columns of x, columns of y]`.
pub(super) fn cross_scatter_matrix(x: Rows, mean_x: &[f64], y: Rows, mean_y: &[f64]) -> Mat<f64> {
    let mut sum = Mat::zeros(x.columns(), y.columns());
    for ((x_values, count), (y_values, _)) in centred_blocks(x, mean_x).zip(centred_blocks(y, mean_y)) {
        let x_block = MatRef::from_row_major_slice(&x_values, count, x.columns());
        let y_block = MatRef::from_row_major_slice(&y_values, count, y.columns());
        matmul(&mut sum, Accum::Add, x_block.transpose(), y_block, 1.0, Par::Seq);
    }
    sum
}

/// `(x - before) matrix + after` for every row x, row after row as `f32`; `matrix` is `[columns of x, columns out]`.
pub(super) fn affine_map(x: Rows, before: &[f64], matrix: MatRef<f64>, after: &[f64]) -> Vec<f32> {
    let mut mapped = Vec::with_capacity(x.count() * after.len());
    for (values, count) in centred_blocks(x, before) {
        let block = MatRef::from_row_major_slice(&values, count, x.columns());
        let mut product = vec![0.0; count * after.len()];
        let destination = MatMut::from_row_major_slice_mut(&mut product, count, after.len());
        matmul(destination, Accum::Replace, block, matrix, 1.0, Par::Seq);
        mapped.extend(product.iter().zip(after.iter().cycle()).map(|(value, after)| (value + after) as f32));
    }
    mapped
}

/// Eigenvalues in falling order, and the eigenvectors as columns in the same order, of the symmetric matrix whose lower
/// triangle is given. Each eigenvector's sign is fixed: its entry of largest magnitude (the first, if several) is
/// positive.
pub(super) fn symmetric_eigen(lower: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>), LinearAlgebraError> {
    let size = lower.nrows();
    // A value that is not finite reaches the diagonal, as every column's scatter with itself.
    if !(0..size).all(|i| lower[(i, i)].is_finite()) {
        return Err(LinearAlgebraError::NotFinite);
    }
    let eigen = lower.self_adjoint_eigen(Side::Lower).map_err(|_| LinearAlgebraError::NoConvergence)?;
    let (rising_values, rising_vectors) = (eigen.S(), eigen.U());
    let values = (0..size).map(|i| rising_values[size - 1 - i]).collect();
    let mut vectors = Mat::zeros(size, size);
    for column in 0..size {
        let vector = rising_vectors.col(size - 1 - column);
        let largest = (0..size).fold(0, |best, i| if vector[i].abs() > vector[best].abs() { i } else { best });
        let sign = vector[largest].signum();
        (0..size).for_each(|i| vectors[(i, column)] = sign * vector[i]);
    }
    Ok((values, vectors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_agree_with_their_definition_across_blocks() {
        let (count, wide, narrow) = (2 * BLOCK + 3, 5, 2);
        let x: Vec<f32> = (0..count * wide).map(|i| ((i * 37) % 101) as f32 / 50.0).collect();
        let y: Vec<f32> = (0..count * narrow).map(|i| ((i * 53) % 97) as f32 / 40.0).collect();
        let (x, y) = (Rows::new(&x, wide), Rows::new(&y, narrow));
        let (mean_x, mean_y) = ([0.5, 1.0, -1.0, 0.0, 2.0], [0.25, 1.5]);
        let at = |rows: Rows, mean: &[f64], row: usize, i: usize| {
            f64::from(rows.values()[row * rows.columns() + i]) - mean[i]
        };
        let (own, cross) = (scatter_matrix(x, &mean_x), cross_scatter_matrix(x, &mean_x, y, &mean_y));
        for i in 0..wide {
            for j in 0..=i {
                let want: f64 = (0..count).map(|row| at(x, &mean_x, row, i) * at(x, &mean_x, row, j)).sum();
                assert!((own[(i, j)] - want).abs() < 1e-9);
            }
            for j in 0..narrow {
                let want: f64 = (0..count).map(|row| at(x, &mean_x, row, i) * at(y, &mean_y, row, j)).sum();
                assert!((cross[(i, j)] - want).abs() < 1e-9);
            }
        }
        let mapped = affine_map(x, &mean_x, cross.as_ref(), &mean_y);
        for row in [0, BLOCK - 1, BLOCK, count - 1] {
            for j in 0..narrow {
                let want = mean_y[j] + (0..wide).map(|i| at(x, &mean_x, row, i) * cross[(i, j)]).sum::<f64>();
                assert!((f64::from(mapped[row * narrow + j]) / want - 1.0).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn eigenvectors_by_hand() {
        // [[2, 1], [1, 2]]: 3 along [1, 1], 1 along [1, -1].
        let (values, vectors) = symmetric_eigen(&faer::mat![[2.0, f64::NAN], [1.0, 2.0]]).unwrap();
        let half = 0.5_f64.sqrt();
        assert!((values[0] - 3.0).abs() < 1e-14 && (values[1] - 1.0).abs() < 1e-14);
        assert!((vectors[(0, 0)] - half).abs() < 1e-14 && (vectors[(1, 0)] - half).abs() < 1e-14);
        assert!((vectors[(0, 1)] + vectors[(1, 1)]).abs() < 1e-14);
    }

    #[test]
    fn values_that_are_not_finite_are_an_error() {
        let x = scatter_matrix(Rows::new(&[1.0, 2.0, f32::NAN, 4.0], 2), &[0.0, 0.0]);
        assert_eq!(symmetric_eigen(&x).unwrap_err(), LinearAlgebraError::NotFinite);
    }
}
