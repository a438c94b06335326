//! The tile for products of very few columns: a vector of sums for each output, along the terms.
//!
//! The tile of [`product`](crate::product) puts columns into the lanes. With one to four columns (the gray or coloured
//! picture that a decoder paints, the gradient of the first layer's input) most lanes would be idle. Here a step loads one
//! vector of terms for each row and one for each column and multiplies them all; the lanes of a sum are added at the end. So the
//! order of a sum depends on the number of lanes, and the last bits on the instruction set.

use crate::{
    product::{Row, Segment, Start, Table},
    simd::{Vector, on_active_isa},
};

/// The most columns that this tile is for.
pub const MOST_COLUMNS: usize = 4;

/// `out = start + a b`, as [`product`](crate::product::product) with the same `table`, whose terms must step by 1.
///
/// # Shapes
/// `b` [columns, terms].
///
/// # Panics
/// If a row or a segment leaves `a`, `b` or `out`, the bias is not `columns` long, there are none or more than
/// [`MOST_COLUMNS`] columns, `b` is not a whole number of rows, or the terms do not step by 1.
pub fn product_of_few_columns(table: &Table, a: &[f32], b: &[f32], columns: usize, start: Start, out: &mut [f32]) {
    assert!((1..=MOST_COLUMNS).contains(&columns), "product_of_few_columns: {columns} columns");
    table.check(a.len(), columns, start, out.len());
    assert_eq!(table.step(), 1, "product_of_few_columns: the terms must lie side by side");
    assert!(b.len().is_multiple_of(columns), "product_of_few_columns: {} values of b in {columns} columns", b.len());
    let terms = b.len() / columns;
    assert!(table.terms() <= terms, "product_of_few_columns: {} terms are needed, {terms} given", table.terms());
    let work = &Work { rows: table.rows(), segments: table.segments(), a, b, terms, start };
    match columns {
        1 => on_active_isa!(one(work: &Work, out: &mut [f32])),
        2 => on_active_isa!(two(work: &Work, out: &mut [f32])),
        3 => on_active_isa!(three(work: &Work, out: &mut [f32])),
        _ => on_active_isa!(four(work: &Work, out: &mut [f32])),
    }
}

/// The arguments, checked.
struct Work<'a> {
    rows: &'a [Row],
    segments: &'a [Segment],
    a: &'a [f32],
    b: &'a [f32],
    /// Length of a row of `b`.
    terms: usize,
    start: Start<'a>,
}

/// Defines the loop over the rows for each number of columns, with as many rows at once as 16 registers hold sums.
macro_rules! columns {
    ($($name:ident: $columns:literal columns, $rows:literal rows;)*) => {$(
        /// # Safety
        /// As [`Vector`]; `work` was checked against `out`.
        #[inline(always)]
        unsafe fn $name<V: Vector>(work: &Work, out: &mut [f32]) {
            let (tiles, rest) = work.rows.as_chunks::<$rows>();
            for rows in tiles {
                // SAFETY: as this function's.
                unsafe { tile::<V, $rows, $columns>(work, rows, out) };
            }
            for &row in rest {
                // SAFETY: as this function's.
                unsafe { tile::<V, 1, $columns>(work, &[row], out) };
            }
        }
    )*};
}
columns! {
    one: 1 columns, 8 rows;
    two: 2 columns, 6 rows;
    three: 3 columns, 4 rows;
    four: 4 columns, 3 rows;
}

/// # Safety
/// As [`one`].
#[inline(always)]
unsafe fn tile<V: Vector, const ROWS: usize, const COLUMNS: usize>(work: &Work, rows: &[Row; ROWS], out: &mut [f32]) {
    // SAFETY: the caller checked that a[row.a + segment.a ..][..segment.len] and b[j * terms + segment.b ..][..segment.len]
    // lie inside their slices for every row, segment and column; the last, partial vector touches `len - t` values only.
    // Without terms nothing was checked of `a`: `starts` wrap and are not read.
    unsafe {
        let mut sums = [[V::splat(0.0); COLUMNS]; ROWS];
        let starts = rows.map(|row| work.a.as_ptr().wrapping_add(row.a));
        let columns: [*const f32; COLUMNS] = std::array::from_fn(|j| work.b.as_ptr().add(j * work.terms));
        for segment in work.segments {
            let mut t = 0;
            while segment.len - t >= V::LANES {
                let b = columns.map(|column| V::load(column.add(segment.b + t)));
                for r in 0..ROWS {
                    let a = V::load(starts[r].add(segment.a + t));
                    for j in 0..COLUMNS {
                        sums[r][j] = a.mul_add(b[j], sums[r][j]);
                    }
                }
                t += V::LANES;
            }
            let rest = segment.len - t;
            if rest > 0 {
                let b = columns.map(|column| V::load_first(column.add(segment.b + t), rest));
                for r in 0..ROWS {
                    let a = V::load_first(starts[r].add(segment.a + t), rest);
                    for j in 0..COLUMNS {
                        sums[r][j] = a.mul_add(b[j], sums[r][j]);
                    }
                }
            }
        }
        for r in 0..ROWS {
            let out = &mut out[rows[r].out..][..COLUMNS];
            for j in 0..COLUMNS {
                let start = match work.start {
                    Start::Zero => 0.0,
                    Start::Bias(bias) => bias[j],
                    Start::Out => out[j],
                };
                out[j] = start + sums[r][j].sum();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        isa::{self, Isa},
        testing::integers,
    };

    #[test]
    fn every_size_equals_the_formula_exactly() {
        for isa in Isa::available() {
            for columns in 1..=MOST_COLUMNS {
                for size in 1..68 {
                    let rows: Vec<Row> = (0..size).map(|i| Row { a: (i * 5) % 31, out: (size - 1 - i) * 5 }).collect();
                    let half = (size * 13) % 67 + 1;
                    let segments = [Segment { a: 7, b: half, len: size }, Segment { a: 2, b: 0, len: half }];
                    let (terms, a) = (half + size, integers(40 + size.max(half), 1));
                    let (b, bias) = (integers(terms * columns, 2), integers(columns, 3));
                    let table = Table::new(rows.clone(), segments, 1);
                    for start in [Start::Zero, Start::Bias(&bias), Start::Out] {
                        let mut got = vec![f32::NAN; size * 5];
                        for row in &rows {
                            if let Start::Out = start {
                                got[row.out..][..columns].fill(9.0);
                            }
                        }
                        isa::with(isa, || product_of_few_columns(&table, &a, &b, columns, start, &mut got));
                        for row in &rows {
                            for j in 0..columns {
                                let products = segments.iter().flat_map(|segment| {
                                    let (a, b) = (&a[row.a + segment.a..], &b[j * terms + segment.b..]);
                                    (0..segment.len).map(move |t| a[t] * b[t])
                                });
                                let from = match start {
                                    Start::Zero => 0.0,
                                    Start::Bias(bias) => bias[j],
                                    Start::Out => 9.0,
                                };
                                assert_eq!(
                                    got[row.out + j],
                                    from + products.sum::<f32>(),
                                    "{columns} x {size} on {isa}"
                                );
                            }
                            assert!(got[row.out + columns..][..5 - columns].iter().all(|value| value.is_nan()));
                        }
                    }
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "terms are needed")]
    fn a_short_b_is_refused() {
        let table = Table::new(vec![Row { a: 0, out: 0 }], [Segment { a: 0, b: 0, len: 5 }], 1);
        product_of_few_columns(&table, &[0.0; 5], &[0.0; 8], 2, Start::Zero, &mut [0.0; 2]);
    }
}
