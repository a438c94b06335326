//! From tables of `f32` to products in `f64`, a block of rows at a time.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};

use super::LinearAlgebraError;
use super::rows::Rows;

/// Rows that are converted to `f64` at once: the buffer stays in the cache and memory does not grow with the data.
const BLOCK: usize = 512;

/// Values of `f64` in a line of the cache.
const LINE: usize = 8;

/// Rows as `f64` with `mean` subtracted, an odd number of cache lines apart. An even one leaves half of the cache's sets or more unused,
/// which shows most with a power of two, the length of many codes and patches.
struct Centred<'a> {
    mean: &'a [f64],
    step: usize,
    values: Vec<f64>,
}

impl<'a> Centred<'a> {
    fn new(mean: &'a [f64]) -> Self {
        let step = (mean.len().div_ceil(LINE) | 1) * LINE;
        Self { mean, step, values: Vec::with_capacity(BLOCK * step) }
    }

    fn push(&mut self, row: &[f32]) {
        let end = self.values.len() + self.step;
        self.values.extend(row.iter().zip(self.mean).map(|(&value, mean)| f64::from(value) - mean));
        self.values.resize(end, 0.0);
    }

    fn count(&self) -> usize {
        self.values.len() / self.step
    }

    /// `[rows, columns]`.
    fn matrix(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice_with_stride(&self.values, self.count(), self.mean.len(), self.step)
    }
}

/// The rows in blocks.
fn centred_blocks<'a>(rows: Rows<'a>, mean: &'a [f64]) -> impl Iterator<Item = Centred<'a>> {
    let columns = rows.columns();
    rows.values().chunks(BLOCK * columns).map(move |block| {
        let mut centred = Centred::new(mean);
        block.chunks_exact(columns).for_each(|row| centred.push(row));
        centred
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
    /// Rows that do not fill a block yet.
    waiting: Centred<'a>,
    sum: Mat<f64>,
}

impl<'a> Scatter<'a> {
    pub(super) fn new(mean: &'a [f64]) -> Self {
        Self { waiting: Centred::new(mean), sum: Mat::zeros(mean.len(), mean.len()) }
    }

    pub(super) fn add(&mut self, x: Rows) {
        for row in x.iter() {
            self.waiting.push(row);
            if self.waiting.count() == BLOCK {
                self.add_waiting();
            }
        }
    }

    fn add_waiting(&mut self) {
        let block = self.waiting.matrix();
        let (whole, lower) = (BlockStructure::Rectangular, BlockStructure::TriangularLower);
        triangular::matmul(&mut self.sum, lower, Accum::Add, block.transpose(), whole, block, whole, 1.0, Par::Seq);
        self.waiting.values.clear();
    }

    pub(super) fn finish(mut self) -> Mat<f64> {
        if self.waiting.count() > 0 {
            self.add_waiting();
        }
        self.sum
    }
}

/// `sum (x - mean_x)(y - mean_y)'` over the rows, `[columns of x, columns of y]`.
pub(super) fn cross_scatter_matrix(x: Rows, mean_x: &[f64], y: Rows, mean_y: &[f64]) -> Mat<f64> {
    let mut sum = Mat::zeros(x.columns(), y.columns());
    for (x, y) in centred_blocks(x, mean_x).zip(centred_blocks(y, mean_y)) {
        matmul(&mut sum, Accum::Add, x.matrix().transpose(), y.matrix(), 1.0, Par::Seq);
    }
    sum
}

/// `(x - before) matrix + after` for every row x, row after row as `f32`; `matrix` is `[columns of x, columns out]`.
pub(super) fn affine_map(x: Rows, before: &[f64], matrix: MatRef<f64>, after: &[f64]) -> Vec<f32> {
    let mut mapped = Vec::with_capacity(x.count() * after.len());
    affine_map_in_blocks(x, before, matrix, after, |block| mapped.extend_from_slice(block));
    mapped
}

/// [`affine_map`] that hands over a block of rows at a time, for what need not keep them: pictures are long, and all of them leave the
/// cache.
pub(super) fn affine_map_in_blocks(
    x: Rows,
    before: &[f64],
    matrix: MatRef<f64>,
    after: &[f64],
    mut take: impl FnMut(&[f32]),
) {
    let (mut product, mut mapped) = (Vec::new(), Vec::new());
    for block in centred_blocks(x, before) {
        let count = block.count();
        product.resize(count * after.len(), 0.0);
        let destination = MatMut::from_row_major_slice_mut(&mut product, count, after.len());
        matmul(destination, Accum::Replace, block.matrix(), matrix, 1.0, Par::Seq);
        mapped.clear();
        for row in product.chunks_exact(after.len().max(1)) {
            mapped.extend(row.iter().zip(after).map(|(value, after)| (value + after) as f32));
        }
        take(&mapped);
    }
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
    // The iteration can give up where many columns are 0, as those of dead features are. With rows and columns in the opposite order
    // it takes another way.
    eigen_in_order(lower, false).or_else(|_| eigen_in_order(lower, true))
}

/// [`symmetric_eigen`] by way of the matrix as it is, or with rows and columns in the opposite order.
fn eigen_in_order(lower: &Mat<f64>, is_reversed: bool) -> Result<(Vec<f64>, Mat<f64>), LinearAlgebraError> {
    let size = lower.nrows();
    let place = |i: usize| if is_reversed { size - 1 - i } else { i };
    let failed = |_| LinearAlgebraError::NoConvergence;
    let eigen = if is_reversed {
        // What is below the diagonal there is above it here, and mirrored.
        let turned = Mat::from_fn(size, size, |i, j| lower[(place(i.min(j)), place(i.max(j)))]);
        turned.self_adjoint_eigen(Side::Lower).map_err(failed)?
    } else {
        lower.self_adjoint_eigen(Side::Lower).map_err(failed)?
    };
    let (rising_values, rising_vectors) = (eigen.S(), eigen.U());
    let values = (0..size).map(|i| rising_values[size - 1 - i]).collect();
    let mut vectors = Mat::zeros(size, size);
    for column in 0..size {
        let vector = rising_vectors.col(size - 1 - column);
        let entry = |i: usize| vector[place(i)];
        let largest = (0..size).fold(0, |best, i| if entry(i).abs() > entry(best).abs() { i } else { best });
        let sign = entry(largest).signum();
        (0..size).for_each(|i| vectors[(i, column)] = sign * entry(i));
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

    /// The correlations of a code of which few features are alive: with AVX-512 faer 0.24 gives up on them in this order.
    #[test]
    fn many_columns_of_zeros_do_not_stop_the_iteration() {
        const LIVE: [usize; 18] = [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 15, 18, 20, 227, 230, 250];
        const HUNDREDTHS: [&[i32]; 18] = [
            &[100],
            &[-11, 100],
            &[-3, -10, 100],
            &[-10, -5, -9, 100],
            &[8, -11, -10, -10, 100],
            &[-11, 26, -11, 46, -13, 100],
            &[-14, -14, -14, -14, 26, -8, 100],
            &[23, -16, 22, -15, 15, -15, 12, 100],
            &[-7, 6, -6, 24, -7, 33, -8, -11, 100],
            &[-3, -9, 58, -8, -8, -10, -13, 20, -6, 100],
            &[-7, -7, -6, -4, -7, -8, -9, -10, -4, -6, 100],
            &[-10, -9, -9, 32, -10, 1, -14, -15, -2, -8, -3, 100],
            &[-4, -8, 50, -7, -8, -9, -11, 11, -5, 52, -5, -7, 100],
            &[-9, -8, -8, 8, -9, -9, -12, -13, -5, -7, 54, 23, -6, 100],
            &[-9, -8, -8, 2, -9, -8, -12, -13, -6, -7, 35, 29, -6, 44, 100],
            &[-8, 1, -8, -7, -2, 2, -11, -11, 11, -7, -5, -8, -6, -7, -7, 100],
            &[7, -13, -12, -12, -10, -4, 34, 3, -8, -11, -8, -12, -10, -11, -11, -8, 100],
            &[-20, -16, -19, -10, -16, -21, -22, -30, -16, -20, 12, -3, -13, -1, 4, -15, -20, 100],
        ];
        let mut lower = Mat::zeros(256, 256);
        for (i, row) in HUNDREDTHS.iter().enumerate() {
            row.iter().enumerate().for_each(|(j, value)| lower[(LIVE[i], LIVE[j])] = f64::from(*value) / 100.0);
        }
        let whole = Mat::from_fn(256, 256, |i, j| lower[(i.max(j), i.min(j))]);
        for (values, vectors) in [symmetric_eigen(&lower).unwrap(), eigen_in_order(&lower, true).unwrap()] {
            let product = &whole * &vectors;
            for column in 0..256 {
                for i in 0..256 {
                    assert!((product[(i, column)] - values[column] * vectors[(i, column)]).abs() < 1e-12);
                }
            }
            let identity = vectors.transpose() * &vectors;
            assert!((0..256).all(|i| (0..256).all(|j| (identity[(i, j)] - f64::from(u8::from(i == j))).abs() < 1e-12)));
        }
    }
}
