//! The right operand of a [`product`](crate::product) in the order in which the tile reads it: panels of 16 columns.

use crate::{isa::dispatched, product::PANEL};

/// Values of `terms` rows of `columns` columns, packed.
pub fn packed_len(terms: usize, columns: usize) -> usize {
    terms * columns.next_multiple_of(PANEL)
}

/// Writes one panel: columns `16 panel..` of a matrix whose element `(t, j)` is `from[rows(t) + j * column_stride]`.
/// Columns that the matrix does not have are 0.
///
/// # Shapes
/// `to` [terms, 16], overwritten; its length says how many terms there are.
///
/// # Panics
/// If `to` is not a whole number of rows, or an element lies outside `from`.
pub fn pack_panel(
    panel: usize,
    columns: usize,
    from: &[f32],
    rows: impl Iterator<Item = usize>,
    column_stride: usize,
    to: &mut [f32],
) {
    let (to, rest) = to.as_chunks_mut::<PANEL>();
    assert!(rest.is_empty(), "pack_panel: rows of {PANEL} expected");
    let first = panel * PANEL;
    let count = columns.saturating_sub(first).min(PANEL);
    for (to, row) in to.iter_mut().zip(rows) {
        if column_stride == 1 && count == PANEL {
            to.copy_from_slice(&from[row + first..][..PANEL]);
        } else {
            *to = std::array::from_fn(|j| if j < count { from[row + (first + j) * column_stride] } else { 0.0 });
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
    fn panels_hold_the_matrix_and_zeros() {
        for columns in 1..40 {
            let terms = 5;
            let matrix = integers(terms * columns, 1);
            let transposed: Vec<f32> = (0..terms * columns).map(|i| matrix[i % terms * columns + i / terms]).collect();
            let mut packed = vec![f32::NAN; packed_len(terms, columns)];
            let mut again = packed.clone();
            for (panel, to) in packed.chunks_mut(terms * PANEL).enumerate() {
                pack_panel(panel, columns, &matrix, (0..terms).map(|t| t * columns), 1, to);
            }
            for (panel, to) in again.chunks_mut(terms * PANEL).enumerate() {
                pack_panel(panel, columns, &transposed, 0..terms, terms, to);
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
