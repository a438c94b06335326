//! Matrix products: the one file that names `matrixmultiply`.

/// A read-only matrix over a slice: element `(i, j)` lies at `i * row_stride + j * col_stride`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A row-major `[rows, cols]` matrix without gaps.
    ///
    /// # Panics
    /// If `data` is not exactly `rows * cols` long.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        assert_eq!(Some(data.len()), rows.checked_mul(cols), "Matrix::new: {rows} x {cols} values expected");
        Self { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// A row-major `[rows, cols]` matrix whose rows start `row_stride` values apart: a block of columns of a wider matrix.
    ///
    /// # Panics
    /// If the last element lies outside `data`.
    pub fn with_row_stride(data: &'a [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        check_end(rows, cols, row_stride, data.len());
        Self { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// The transpose, without moving anything.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            data: self.data,
        }
    }
}

/// Panics unless the last element of a row-major matrix, and so every element, lies inside `len` values. The offset is
/// computed without overflow.
fn check_end(rows: usize, cols: usize, row_stride: usize, len: usize) {
    let end = match (rows.checked_sub(1), cols) {
        (None, _) | (_, 0) => Some(0),
        (Some(last_row), cols) => last_row.checked_mul(row_stride).and_then(|start| start.checked_add(cols)),
    };
    let inside = end.is_some_and(|end| end <= len);
    assert!(inside, "Matrix: {rows} x {cols}, row stride {row_stride}, in {len} values");
}

/// A writable row-major matrix over a slice: element `(i, j)` lies at `i * row_stride + j`.
#[derive(Debug)]
pub struct MatrixMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
}

impl<'a> MatrixMut<'a> {
    /// A `[rows, cols]` matrix without gaps.
    ///
    /// # Panics
    /// If `data` is not exactly `rows * cols` long.
    pub fn new(data: &'a mut [f32], rows: usize, cols: usize) -> Self {
        assert_eq!(Some(data.len()), rows.checked_mul(cols), "MatrixMut::new: {rows} x {cols} values expected");
        Self { data, rows, cols, row_stride: cols }
    }

    /// A `[rows, cols]` matrix whose rows start `row_stride` values apart.
    ///
    /// # Panics
    /// If rows would overlap or the last element lies outside `data`.
    pub fn with_row_stride(data: &'a mut [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        assert!(row_stride >= cols, "MatrixMut: row stride {row_stride} lets rows of {cols} overlap");
        check_end(rows, cols, row_stride, data.len());
        Self { data, rows, cols, row_stride }
    }
}

/// `c = a b`. What `c` held before is never read, so it may be NaN.
///
/// The order of the sums depends on the shapes only. `matrixmultiply` picks its own instruction set: forcing
/// [`crate::isa::Isa`] does not change it.
///
/// # Panics
/// If the shapes are not `[m, k] x [k, n] -> [m, n]`.
pub fn gemm(a: Matrix, b: Matrix, c: MatrixMut) {
    multiply(a, b, 0.0, c);
}

/// `c += a b`, as [`gemm`] otherwise.
///
/// # Panics
/// If the shapes are not `[m, k] x [k, n] -> [m, n]`.
pub fn gemm_add(a: Matrix, b: Matrix, c: MatrixMut) {
    multiply(a, b, 1.0, c);
}

fn multiply(a: Matrix, b: Matrix, beta: f32, c: MatrixMut) {
    assert_eq!(a.cols, b.rows, "gemm: inner sizes differ: {} x {} times {} x {}", a.rows, a.cols, b.rows, b.cols);
    assert_eq!((c.rows, c.cols), (a.rows, b.cols), "gemm: the output is {} x {}", c.rows, c.cols);
    // SAFETY: element (i, j) of each operand lies at i * row_stride + j * col_stride. All strides are non-negative, so
    // the largest offset is that of the last element, which the constructors of `Matrix` and `MatrixMut` checked to lie
    // inside the slice, without overflow (offsets fit isize because slices do). `c` is borrowed mutably, hence disjoint from `a` and `b`,
    // and its rows do not overlap because row_stride >= cols. With beta = 0 `sgemm` does not read `c`.
    unsafe {
        matrixmultiply::sgemm(
            a.rows,
            a.cols,
            b.cols,
            1.0,
            a.data.as_ptr(),
            a.row_stride as isize,
            a.col_stride as isize,
            b.data.as_ptr(),
            b.row_stride as isize,
            b.col_stride as isize,
            beta,
            c.data.as_mut_ptr(),
            c.row_stride as isize,
            1,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small integers, so that every sum is exact in f32.
    fn integers(len: usize, seed: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7 + seed * 13) % 11) as f32 - 5.0).collect()
    }

    fn naive(a: &[f32], b: &[f32], [m, k, n]: [usize; 3]) -> Vec<f32> {
        (0..m * n).map(|at| (0..k).map(|p| a[at / n * k + p] * b[p * n + at % n]).sum()).collect()
    }

    #[test]
    fn products_are_exact_on_integers_and_overwrite_nan() {
        for shape @ [m, k, n] in [[1, 1, 1], [3, 5, 2], [17, 9, 33], [8, 64, 8], [5, 0, 4], [70, 300, 19]] {
            let (a, b) = (integers(m * k, 1), integers(k * n, 2));
            let mut c = vec![f32::NAN; m * n];
            gemm(Matrix::new(&a, m, k), Matrix::new(&b, k, n), MatrixMut::new(&mut c, m, n));
            assert_eq!(c, naive(&a, &b, shape));
        }
    }

    #[test]
    fn transposed_operands_blocks_of_columns_and_accumulation() {
        let (m, k, n) = (6, 5, 4);
        let (a, b) = (integers(m * k, 3), integers(k * n, 4));
        let a_t: Vec<f32> = (0..k * m).map(|at| a[at % m * k + at / m]).collect();
        // c is the block of columns 2..6 of a 6 x 8 matrix.
        let mut wide = vec![1.0; m * 8];
        gemm_add(
            Matrix::new(&a_t, k, m).transposed(),
            Matrix::new(&b, k, n),
            MatrixMut::with_row_stride(&mut wide[2..], m, n, 8),
        );
        let expected = naive(&a, &b, [m, k, n]);
        for (i, row) in wide.chunks(8).enumerate() {
            for (j, &value) in row.iter().enumerate() {
                let product = if (2..6).contains(&j) { expected[i * n + j - 2] } else { 0.0 };
                assert_eq!(value, 1.0 + product, "at ({i}, {j})");
            }
        }
    }

    #[test]
    fn sizes_whose_product_overflows_are_refused() {
        let huge = 1 << 32;
        let refused = |make: fn(usize)| std::panic::catch_unwind(move || make(huge)).is_err();
        assert!(refused(|huge| _ = Matrix::new(&[], huge, huge)));
        assert!(refused(|huge| _ = Matrix::with_row_stride(&[0.0], huge + 1, 1, huge)));
        assert!(refused(|huge| _ = MatrixMut::new(&mut [], huge, huge)));
        assert!(refused(|huge| _ = MatrixMut::with_row_stride(&mut [0.0], huge + 1, 1, huge)));
    }

    #[test]
    #[should_panic(expected = "inner sizes differ")]
    fn wrong_inner_size_is_refused() {
        gemm(Matrix::new(&[0.0; 6], 2, 3), Matrix::new(&[0.0; 4], 2, 2), MatrixMut::new(&mut [0.0; 4], 2, 2));
    }

    #[test]
    #[should_panic(expected = "overlap")]
    fn overlapping_output_rows_are_refused() {
        MatrixMut::with_row_stride(&mut [0.0; 8], 2, 4, 3);
    }
}
