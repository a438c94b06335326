//! The right operand of a [`product`](crate::product) in the order in which the tile reads it: panels of 16 columns.

use crate::{isa::dispatched, product::PANEL, transpose::turn_four};

/// Values of `terms` rows of `columns` columns, packed.
pub fn packed_len(terms: usize, columns: usize) -> usize {
    terms * columns.next_multiple_of(PANEL)
}

/// Writes one panel: columns `16 panel..` of a matrix whose element `(t, j)` is `from[rows[t] + j * column_stride]`.
/// Columns that the matrix does not have are 0.
///
/// Where 16 rows follow each other in `from`, which is where a matrix lies transposed, squares of 16 by 16 are read column by
/// column and turned: one value from each column after the other would read every line of the cache 16 times.
///
/// # Shapes
/// `to` [terms, 16], overwritten.
///
/// # Panics
/// If `to` is not as long as the rows ask for, or an element lies outside `from`.
pub fn pack_panel(panel: usize, columns: usize, from: &[f32], rows: &[usize], column_stride: usize, to: &mut [f32]) {
    let (to, rest) = to.as_chunks_mut::<PANEL>();
    assert!(rest.is_empty() && to.len() == rows.len(), "pack_panel: {} rows of {PANEL} expected", rows.len());
    let first = panel * PANEL;
    let count = columns.saturating_sub(first).min(PANEL);
    if column_stride == 1 && count == PANEL {
        for (to, &row) in to.iter_mut().zip(rows) {
            to.copy_from_slice(&from[row + first..][..PANEL]);
        }
        return;
    }
    let column = |j: usize| (first + j) * column_stride;
    for (rows, to) in rows.chunks(PANEL).zip(to.chunks_mut(PANEL)) {
        let follow = count == PANEL && rows.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        match to.try_into() {
            Ok(to) if follow => {
                let line = |j: usize| {
                    from[rows[0] + column(j)..].first_chunk().expect("pack_panel: an element lies outside the matrix")
                };
                turn(std::array::from_fn(line), to);
            }
            _ => {
                for (&row, to) in rows.iter().zip(to) {
                    *to = std::array::from_fn(|j| if j < count { from[row + column(j)] } else { 0.0 });
                }
            }
        }
    }
}

/// `to[t][j] = from[j][t]`, in squares of four by four.
fn turn(from: [&[f32; PANEL]; PANEL], to: &mut [[f32; PANEL]; PANEL]) {
    for j in (0..PANEL).step_by(4) {
        for t in (0..PANEL).step_by(4) {
            let four = |i: usize| *from[j + i][t..].first_chunk().expect("four divides 16");
            let turned = turn_four(std::array::from_fn(four));
            for (i, turned) in turned.iter().enumerate() {
                to[t + i][j..][..4].copy_from_slice(turned);
            }
        }
    }
}

dispatched! {
    /// Writes all panels of a matrix with rows of `columns` values, `step` apart: as [`pack_panel`] for each, at the speed of
    /// memory.
    ///
    /// # Shapes
    /// `to` [panels, terms, 16], overwritten; its length says how many terms there are.
    ///
    /// # Panics
    /// If `to` is not a whole number of panels, or a row lies outside `from`.
    pub fn pack_rows(columns: usize, from: &[f32], step: usize, to: &mut [f32]) {
        let panels = columns.div_ceil(PANEL);
        assert!(to.len().is_multiple_of((panels * PANEL).max(1)), "pack_rows: {panels} panels of {PANEL} expected");
        let terms = to.len() / (panels * PANEL).max(1);
        // Row by row, so that `from` is read from front to back.
        for term in 0..terms {
            let (whole, rest) = from[term * step..][..columns].as_chunks::<PANEL>();
            let (mut at, panel_len) = (term * PANEL, terms * PANEL);
            for piece in whole {
                to[at..][..PANEL].copy_from_slice(piece);
                at += panel_len;
            }
            if !rest.is_empty() {
                to[at..][..rest.len()].copy_from_slice(rest);
                to[at + rest.len()..][..PANEL - rest.len()].fill(0.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{integers, on_every_isa};

    #[test]
    fn rows_may_follow_each_other_in_part() {
        let (columns, rows) = (32, [3, 4, 5, 9, 8, 7, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 60, 61]);
        let rows: Vec<usize> = rows.into_iter().chain(62..92).collect();
        let matrix = integers(columns * 100, 1);
        for panel in 0..2 {
            let mut packed = vec![f32::NAN; rows.len() * PANEL];
            pack_panel(panel, columns, &matrix, &rows, 100, &mut packed);
            for (at, &value) in packed.iter().enumerate() {
                assert_eq!(value, matrix[rows[at / PANEL] + (panel * PANEL + at % PANEL) * 100]);
            }
        }
        pack_panel(0, columns, &matrix, &[], 100, &mut []);
    }

    #[test]
    fn panels_hold_the_matrix_and_zeros() {
        for (columns, terms) in (1..40).map(|columns| (columns, 5)).chain([(40, 16), (64, 33), (16, 50)]) {
            let matrix = integers(terms * columns, 1);
            let transposed: Vec<f32> = (0..terms * columns).map(|i| matrix[i % terms * columns + i / terms]).collect();
            let mut packed = vec![f32::NAN; packed_len(terms, columns)];
            let mut again = packed.clone();
            let [apart, together] = [columns, 1].map(|step| (0..terms).map(|t| t * step).collect::<Vec<usize>>());
            for (panel, to) in packed.chunks_mut(terms * PANEL).enumerate() {
                pack_panel(panel, columns, &matrix, &apart, 1, to);
            }
            for (panel, to) in again.chunks_mut(terms * PANEL).enumerate() {
                pack_panel(panel, columns, &transposed, &together, terms, to);
            }
            assert_eq!(packed, again);
            let rows = on_every_isa(packed.len(), |to| pack_rows(columns, &matrix, columns, to));
            assert_eq!(rows, packed);
            for (at, &value) in packed.iter().enumerate() {
                let (panel, term, column) = (at / (terms * PANEL), at / PANEL % terms, at % PANEL);
                let column = panel * PANEL + column;
                assert_eq!(value, if column < columns { matrix[term * columns + column] } else { 0.0 });
            }
        }
    }
}
