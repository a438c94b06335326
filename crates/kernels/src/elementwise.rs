//! Element-wise arithmetic: one pass, one rounding per operation, the same bits on every instruction set.
//!
//! All slices of a call have the same length, except the row of [`add_row_assign`]; every function panics otherwise.

use crate::isa::dispatched;

dispatched! {
    /// `out = a + b`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add(out: &mut [f32], a: &[f32], b: &[f32]) {
        check(out, a, b);
        for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *out = a + b;
        }
    }

    /// `out = a - b`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn sub(out: &mut [f32], a: &[f32], b: &[f32]) {
        check(out, a, b);
        for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *out = a - b;
        }
    }

    /// `out = a * b`, element by element.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn mul(out: &mut [f32], a: &[f32], b: &[f32]) {
        check(out, a, b);
        for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *out = a * b;
        }
    }

    /// `out = a * s`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn scale(out: &mut [f32], a: &[f32], s: f32) {
        check(out, a, a);
        for (out, &a) in out.iter_mut().zip(a) {
            *out = a * s;
        }
    }

    /// `acc += x`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add_assign(acc: &mut [f32], x: &[f32]) {
        check(acc, x, x);
        for (acc, &x) in acc.iter_mut().zip(x) {
            *acc += x;
        }
    }

    /// Adds `row` to every row of `matrix`: a bias per channel.
    ///
    /// # Shapes
    /// `matrix` [rows, cols], row-major; `row` as long as a row.
    ///
    /// # Panics
    /// If the matrix is not a whole number of rows.
    pub fn add_row_assign(matrix: &mut [f32], row: &[f32]) {
        if row.is_empty() {
            assert!(matrix.is_empty(), "add_row_assign: {} values in rows of length 0", matrix.len());
            return;
        }
        assert_eq!(matrix.len() % row.len(), 0, "add_row_assign: {} values in rows of {}", matrix.len(), row.len());
        let mut repeated = [0.0; REPEATED_LEN];
        let lines = repeat_row(row, &mut repeated);
        for line in matrix.chunks_mut(lines.len()) {
            for (x, &bias) in line.iter_mut().zip(lines) {
                *x += bias;
            }
        }
    }
}

/// Rows up to half this long are repeated to this length, so that a matrix of three columns vectorises too.
const REPEATED_LEN: usize = 64;

/// As many whole copies of `row` as fit into `buffer`; the row itself if that is one or none.
#[inline(always)]
fn repeat_row<'a>(row: &'a [f32], buffer: &'a mut [f32; REPEATED_LEN]) -> &'a [f32] {
    let copies = REPEATED_LEN / row.len();
    if copies < 2 {
        return row;
    }
    let copies = &mut buffer[..copies * row.len()];
    for copy in copies.chunks_exact_mut(row.len()) {
        copy.copy_from_slice(row);
    }
    copies
}

#[inline(always)]
fn check(out: &[f32], a: &[f32], b: &[f32]) {
    assert_eq!(out.len(), a.len(), "element-wise kernel: output and first input differ in length");
    assert_eq!(out.len(), b.len(), "element-wise kernel: output and second input differ in length");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{lengths, on_every_isa, values};

    fn expected(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> Vec<f32> {
        a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
    }

    #[test]
    fn overwriting_kernels_match_the_plain_loop() {
        for len in lengths() {
            let (a, b) = (values(len, 1), values(len, 2));
            assert_eq!(on_every_isa(len, |out| add(out, &a, &b)), expected(&a, &b, |a, b| a + b));
            assert_eq!(on_every_isa(len, |out| sub(out, &a, &b)), expected(&a, &b, |a, b| a - b));
            assert_eq!(on_every_isa(len, |out| mul(out, &a, &b)), expected(&a, &b, |a, b| a * b));
            assert_eq!(on_every_isa(len, |out| scale(out, &a, 0.3)), expected(&a, &a, |a, _| a * 0.3));
        }
    }

    #[test]
    fn accumulating_kernels_match_the_plain_loop() {
        for len in lengths() {
            let (a, b) = (values(len, 3), values(len, 4));
            let from_a = |kernel: &dyn Fn(&mut [f32])| {
                on_every_isa(len, |out| {
                    out.copy_from_slice(&a);
                    kernel(out);
                })
            };
            assert_eq!(from_a(&|acc| add_assign(acc, &b)), expected(&a, &b, |a, b| a + b));
        }
    }

    #[test]
    fn add_row_assign_matches_the_plain_loop() {
        for cols in 0..67 {
            let (matrix, row) = (values(5 * cols, 5), values(cols, 6));
            let got = on_every_isa(5 * cols, |out| {
                out.copy_from_slice(&matrix);
                add_row_assign(out, &row);
            });
            let expected: Vec<f32> = matrix.iter().enumerate().map(|(i, x)| x + row[i % cols]).collect();
            assert_eq!(got, expected, "{cols} columns");
        }
    }

    #[test]
    #[should_panic(expected = "differ in length")]
    fn lengths_are_checked_at_the_door() {
        add(&mut [0.0; 3], &[0.0; 3], &[0.0; 2]);
    }

    #[test]
    #[should_panic(expected = "7 values in rows of 3")]
    fn a_matrix_has_whole_rows() {
        add_row_assign(&mut [0.0; 7], &[0.0; 3]);
    }
}
