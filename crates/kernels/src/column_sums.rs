//! The sum of every column of a matrix, for the gradient of a bias.

use crate::simd::{Vector, on_active_isa};

/// Columns that are added up side by side.
const STRIP_LEN: usize = 64;

/// Rows that are added up in `f32`.
const STRIP_ROWS: usize = 32;

/// Vectors of sums that stay in registers: as many as hide the latency of an addition.
const VECTORS: usize = 4;

/// The sum of every column of `matrix`, in `f64` from block to block and rounded once at the end. The same bits on every
/// instruction set.
///
/// # Shapes
/// `matrix` [rows, cols], row-major; `out` one value per column, overwritten.
///
/// # Order
/// Strips of columns at most 64 wide; within a strip, blocks of 32 rows are summed in `f32` and added up in `f64`.
/// A matrix narrower than 64 is read as if it were `64 / cols` times as wide, and the extra columns are added last.
/// A term passes at most 32 roundings in `f32`: the error is below `33 * 2^-24 = 2.0e-6` of the sum of magnitudes.
///
/// # Panics
/// If `out` is not `cols` long, or the matrix is not a whole number of rows.
pub fn column_sums(out: &mut [f32], matrix: &[f32], cols: usize) {
    assert_eq!(out.len(), cols, "column_sums: one output per column");
    if cols == 0 {
        assert!(matrix.is_empty(), "column_sums: {} values in rows of length 0", matrix.len());
        return;
    }
    assert_eq!(matrix.len() % cols, 0, "column_sums: {} values in rows of {cols}", matrix.len());
    let rows_at_once = (STRIP_LEN / cols).max(1);
    let width = rows_at_once * cols;
    for start in (0..width).step_by(STRIP_LEN) {
        let strip = &Strip { matrix, width, start, len: STRIP_LEN.min(width - start) };
        let mut totals = [0.0; STRIP_LEN];
        let sums = &mut totals;
        on_active_isa!(strip_sums(strip: &Strip, sums: &mut [f64; STRIP_LEN]));
        if rows_at_once == 1 {
            for (out, &sum) in out[start..].iter_mut().zip(&totals) {
                *out = sum as f32;
            }
        } else {
            for (col, out) in out.iter_mut().enumerate() {
                let mut total = 0.0;
                for row in totals[..width].chunks_exact(cols) {
                    total += row[col];
                }
                *out = total as f32;
            }
        }
    }
}

/// Columns `start..start + len` of a matrix with rows of `width`, which may end within a row.
struct Strip<'a> {
    matrix: &'a [f32],
    width: usize,
    start: usize,
    len: usize,
}

/// # Safety
/// As [`Vector`].
#[inline(always)]
unsafe fn strip_sums<V: Vector>(strip: &Strip, totals: &mut [f64; STRIP_LEN]) {
    let &Strip { matrix, width, start, len } = strip;
    for block in matrix.chunks(STRIP_ROWS * width) {
        let (rows, rest) = block.split_at(block.len() / width * width);
        let mut sums = [0.0; STRIP_LEN];
        for column in (0..len).step_by(VECTORS * V::LANES) {
            let columns = (len - column).min(VECTORS * V::LANES);
            // SAFETY: as this function's.
            unsafe { add_up::<V>(rows, width, start + column, &mut sums[column..][..columns]) };
        }
        let end = (start + len).min(rest.len());
        for (sum, x) in sums.iter_mut().zip(&rest[start.min(end)..end]) {
            *sum += x;
        }
        for (total, sum) in totals.iter_mut().zip(sums) {
            *total += f64::from(sum);
        }
    }
}

/// `sums[j]` = the sum of column `first + j` of whole `rows`, for at most [`VECTORS`] vectors of columns.
///
/// # Safety
/// As [`Vector`].
#[inline(always)]
unsafe fn add_up<V: Vector>(rows: &[f32], width: usize, first: usize, sums: &mut [f32]) {
    let lanes: [usize; VECTORS] = std::array::from_fn(|v| sums.len().saturating_sub(v * V::LANES).min(V::LANES));
    let whole = lanes == [V::LANES; VECTORS];
    // SAFETY: a vector reads `lanes` values from column `first + v * LANES` of a row, which the slice `row` holds: it is as
    // long as `sums`, which `lanes` was made from. As many are written to `sums`.
    unsafe {
        let mut vectors = [V::splat(0.0); VECTORS];
        for row in rows.chunks_exact(width) {
            let row = &row[first..][..sums.len()];
            for v in 0..VECTORS {
                let at = row.as_ptr().wrapping_add(v * V::LANES);
                vectors[v] = vectors[v].add(if whole { V::load(at) } else { V::load_first(at, lanes[v]) });
            }
        }
        for v in 0..VECTORS {
            vectors[v].store_first(sums.as_mut_ptr().wrapping_add(v * V::LANES), lanes[v]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{on_every_isa, values};

    #[test]
    fn column_sums_stay_within_their_bound() {
        for cols in (0..67).chain([127, 128, 200]) {
            for rows in [0, 1, 2, 31, 32, 33, 500] {
                let matrix = values(rows * cols, 8);
                let got = on_every_isa(cols, |out| column_sums(out, &matrix, cols));
                for (col, &got) in got.iter().enumerate() {
                    let column = || (0..rows).map(|row| f64::from(matrix[row * cols + col]));
                    let (expected, magnitude) = (column().sum::<f64>(), column().map(f64::abs).sum::<f64>());
                    let bound = 33.0 * 2f64.powi(-24) * magnitude;
                    assert!((f64::from(got) - expected).abs() <= bound, "{got} for {expected}, [{rows}, {cols}]");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "7 values in rows of 3")]
    fn a_matrix_has_whole_rows() {
        column_sums(&mut [0.0; 3], &[0.0; 7], 3);
    }
}
