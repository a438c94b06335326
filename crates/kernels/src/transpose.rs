//! Matrices turned: rows become columns.

/// Columns that are turned together: a line of the cache.
const COLUMNS: usize = 16;

/// `to[j * to_step + i] = from[i * from_step + j]` for every `i` below `rows` and `j` below `columns`; other values of `to` stay.
///
/// In squares of four by four, so that neither side is visited a value at a time.
///
/// # Shapes
/// `from` [rows, columns] with rows `from_step` values apart, `to` [columns, rows] with rows `to_step` apart.
///
/// # Panics
/// If an element lies outside `from` or `to`.
pub fn transpose([rows, columns]: [usize; 2], from: &[f32], from_step: usize, to: &mut [f32], to_step: usize) {
    for first in (0..columns).step_by(COLUMNS) {
        let end = (first + COLUMNS).min(columns);
        for i in (0..rows).step_by(4) {
            for j in (first..end).step_by(4) {
                if i + 4 <= rows && j + 4 <= columns {
                    let four = |k: usize| from[(i + k) * from_step + j..].first_chunk();
                    let square =
                        std::array::from_fn(|k| *four(k).expect("transpose: an element lies outside the matrix"));
                    for (k, turned) in turn_four(square).iter().enumerate() {
                        to[(j + k) * to_step + i..][..4].copy_from_slice(turned);
                    }
                } else {
                    for (i, j) in (i..rows.min(i + 4)).flat_map(|i| (j..end.min(j + 4)).map(move |j| (i, j))) {
                        to[j * to_step + i] = from[i * from_step + j];
                    }
                }
            }
        }
    }
}

/// The transpose. Scalar code takes a move for each value, and the compiler makes no shuffles of it.
#[inline(always)]
pub(crate) fn turn_four(rows: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    #[cfg(target_arch = "x86_64")]
    return turn_four_sse(rows);
    #[cfg(not(target_arch = "x86_64"))]
    return turn_four_portable(rows);
}

/// [`turn_four`] with shuffles.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn turn_four_sse(rows: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    use std::arch::x86_64::{
        _mm_loadu_ps, _mm_movehl_ps, _mm_movelh_ps, _mm_storeu_ps, _mm_unpackhi_ps, _mm_unpacklo_ps,
    };
    let mut turned = [[0.0; 4]; 4];
    // SAFETY: SSE is part of x86-64; every pointer is that of an array of four values.
    unsafe {
        let [a, b, c, d] = rows.map(|row| _mm_loadu_ps(row.as_ptr()));
        let (low, low_after) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d));
        let (high, high_after) = (_mm_unpackhi_ps(a, b), _mm_unpackhi_ps(c, d));
        _mm_storeu_ps(turned[0].as_mut_ptr(), _mm_movelh_ps(low, low_after));
        _mm_storeu_ps(turned[1].as_mut_ptr(), _mm_movehl_ps(low_after, low));
        _mm_storeu_ps(turned[2].as_mut_ptr(), _mm_movelh_ps(high, high_after));
        _mm_storeu_ps(turned[3].as_mut_ptr(), _mm_movehl_ps(high_after, high));
    }
    turned
}

/// [`turn_four`] in scalar code.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn turn_four_portable(rows: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    std::array::from_fn(|i| rows.map(|row| row[i]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::integers;

    #[test]
    fn four_by_four_is_turned() {
        let rows = std::array::from_fn(|i| std::array::from_fn(|j| (4 * i + j) as f32));
        let turned = [[0.0, 4.0, 8.0, 12.0], [1.0, 5.0, 9.0, 13.0], [2.0, 6.0, 10.0, 14.0], [3.0, 7.0, 11.0, 15.0]];
        assert_eq!(turn_four_portable(rows), turned);
        assert_eq!(turn_four(rows), turned);
    }

    #[test]
    fn any_size_is_turned_and_nothing_else_touched() {
        for (rows, columns) in (0..10).flat_map(|rows| [0, 1, 3, 4, 5, 16, 17, 35].map(|columns| (rows, columns))) {
            let (from_step, to_step) = (columns + 2, rows + 3);
            let from = integers(rows * from_step, 1);
            let mut to = vec![f32::NAN; columns * to_step];
            transpose([rows, columns], &from, from_step, &mut to, to_step);
            for (at, value) in to.iter().enumerate() {
                let (j, i) = (at / to_step, at % to_step);
                assert!(if i < rows { *value == from[i * from_step + j] } else { value.is_nan() }, "{rows}x{columns}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "outside the matrix")]
    fn a_short_matrix_panics() {
        transpose([4, 4], &[0.0; 15], 4, &mut [0.0; 16], 4);
    }
}
