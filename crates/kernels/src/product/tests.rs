//! The tile against the formula of its module, on small integers.

use super::*;
use crate::{
    isa::{self, Isa},
    pack::{pack_panel, packed_len},
    testing::{integers, same_where_fused, values},
};

/// By the formula of the module.
fn naive(rows: &[Row], segments: &[Segment], step: usize, a: &[f32], b: &[f32], columns: usize, out: &mut [f32]) {
    for row in rows {
        for j in 0..columns {
            for segment in segments {
                for t in 0..segment.len {
                    out[row.out + j] += a[row.a + segment.a + t * step] * b[(segment.b + t) * columns + j];
                }
            }
        }
    }
}

fn packed(b: &[f32], terms: usize, columns: usize) -> Vec<f32> {
    let mut to = vec![f32::NAN; packed_len(terms, columns)];
    for (panel, to) in to.chunks_mut((terms * PANEL).max(1)).enumerate() {
        let rows: Vec<usize> = (0..terms).map(|t| t * columns).collect();
        pack_panel(panel, columns, b, &rows, 1, to);
    }
    to
}

/// All rows, columns and terms from 1 to 67 appear, on every instruction set, with every start, over NaN.
#[test]
fn every_size_equals_the_formula_exactly() {
    for isa in Isa::available() {
        for size in 1..68 {
            let (row_count, columns, half) = (size, (size * 29) % 67 + 1, (size * 13) % 67 + 1);
            let step = [1, 3][size % 2];
            let rows: Vec<Row> =
                (0..row_count).map(|i| Row { a: (i * 5) % 31, out: (row_count - 1 - i) * (columns + 2) }).collect();
            let segments = [Segment { a: 7, b: half, len: size }, Segment { a: 2, b: 0, len: half }];
            let (terms, a) = (half + size, integers(40 + size.max(half) * step, 1));
            let b = integers(terms * columns, 2);
            let table = Table::new(rows.clone(), segments, step);
            let (panels, bias) = (packed(&b, terms, columns), integers(columns, 3));
            let right = Right::packed(&panels, terms);
            let starts = [Start::Zero, Start::Bias(&bias), Start::Out];
            for start in starts {
                let mut expected = vec![0.5; row_count * (columns + 2)];
                let mut got = expected.clone();
                for row in &rows {
                    for j in 0..columns {
                        (expected[row.out + j], got[row.out + j]) = match start {
                            Start::Zero => (0.0, f32::NAN),
                            Start::Bias(bias) => (bias[j], f32::NAN),
                            Start::Out => (9.0, 9.0),
                        };
                    }
                }
                naive(&rows, &segments, step, &a, &b, columns, &mut expected);
                isa::with(isa, || product(&table, &a, right, columns, start, &mut got));
                assert_eq!(got, expected, "size {size}, {start:?}, {isa}");
            }
        }
    }
}

/// Bands of one and two rows have wider tiles: of every width around theirs, and beyond a block of terms.
#[test]
fn wide_tiles_of_few_rows_equal_the_formula_exactly() {
    for isa in Isa::available() {
        for (row_count, columns) in [1, 2, 3, 97, 98]
            .into_iter()
            .flat_map(|rows| [15, 31, 63, 64, 127, 128, 145, 300].map(|columns| (rows, columns)))
        {
            for (terms, step) in [(37, 1), (700, 3), (2500, 1)] {
                let rows: Vec<Row> = (0..row_count).map(|i| Row { a: i, out: i * columns }).collect();
                let segment = Segment { a: 1, b: 0, len: terms };
                let (a, b) = (integers(row_count + 1 + terms * step, 1), integers(terms * columns + PANEL, 2));
                let (table, bias) = (Table::new(rows.clone(), [segment], step), integers(columns, 3));
                let mut expected: Vec<f32> = (0..row_count * columns).map(|at| bias[at % columns]).collect();
                naive(&rows, &[segment], step, &a, &b, columns, &mut expected);
                let panels = packed(&b, terms, columns);
                let mut rights = vec![Right::packed(&panels, terms)];
                if columns % PANEL == 0 {
                    rights.push(Right::in_place(&b, columns));
                }
                for right in rights {
                    let mut got = vec![f32::NAN; expected.len()];
                    isa::with(isa, || product(&table, &a, right, columns, Start::Bias(&bias), &mut got));
                    assert_eq!(got, expected, "{row_count} x {columns}, {terms} terms, {isa}");
                }
            }
        }
    }
}

#[test]
fn many_blocks_and_bands_in_place() {
    let (count, columns, terms) = (250, 32, 5000);
    let rows: Vec<Row> = (0..count).map(|i| Row { a: i, out: i * columns }).collect();
    let segment = Segment { a: 0, b: 0, len: terms };
    let (a, b) = (integers(count + terms, 1), integers(terms * columns, 2));
    let table = Table::new(rows.clone(), [segment], 1);
    let mut expected = vec![0.0; count * columns];
    naive(&rows, &[segment], 1, &a, &b, columns, &mut expected);
    for isa in Isa::available() {
        let mut got = vec![f32::NAN; expected.len()];
        let right = Right::in_place(&b, columns);
        isa::with(isa, || product(&table, &a, right, columns, Start::Zero, &mut got));
        assert_eq!(got, expected, "{isa}");
    }
}

/// Each sum takes its terms in the order of the segments, whatever registers hold it and wherever it waits between blocks.
#[test]
fn avx2_and_avx512_round_alike() {
    for (count, columns, terms, step) in [(1, 1, 1, 1), (13, 37, 300, 3), (29, 16, 5000, 1), (100, 70, 129, 2)] {
        let rows: Vec<Row> = (0..count).map(|i| Row { a: i, out: i * columns }).collect();
        let segments = [Segment { a: 3, b: terms, len: terms }, Segment { a: 0, b: 0, len: terms }];
        let (a, b) = (values(count + 3 + terms * step, 1), values(2 * terms * columns, 2));
        let (table, panels, bias) =
            (Table::new(rows, segments, step), packed(&b, 2 * terms, columns), values(columns, 3));
        let right = Right::packed(&panels, 2 * terms);
        for start in [Start::Zero, Start::Bias(&bias)] {
            same_where_fused(count * columns, |out| product(&table, &a, right, columns, start, out));
        }
    }
}

#[test]
fn without_terms_the_start_is_written() {
    let table = Table::new(vec![Row { a: 0, out: 1 }], [], 1);
    let mut out = [f32::NAN; 5];
    product(&table, &[], Right::packed(&[], 0), 3, Start::Bias(&[1.0, 2.0, 3.0]), &mut out);
    assert_eq!(out[1..4], [1.0, 2.0, 3.0]);
    assert!(out[0].is_nan() && out[4].is_nan());
}

#[test]
fn without_terms_nothing_of_a_and_b_is_needed() {
    for isa in Isa::available() {
        let table = Table::new(vec![Row { a: 7, out: 0 }, Row { a: 9, out: 20 }], [], 1);
        let mut out = [f32::NAN; 40];
        isa::with(isa, || product(&table, &[], Right::packed(&[], 0), 20, Start::Zero, &mut out));
        assert_eq!(out, [0.0; 40], "{isa}");
    }
}

#[test]
fn offsets_that_cannot_be_counted_are_refused() {
    let refused = |row: Row, segment: Segment, b: Right| {
        std::panic::catch_unwind(|| {
            let table = Table::new(vec![row], [segment], 1);
            product(&table, &[0.0; 16], b, 8, Start::Zero, &mut [0.0; 16]);
        })
        .is_err()
    };
    let (row, segment, b) = (Row { a: 0, out: 0 }, Segment { a: 0, b: 0, len: 1 }, [0.0; 32]);
    let packed = Right::packed(&b, 2);
    assert!(!refused(row, segment, packed));
    assert!(refused(Row { a: usize::MAX, ..row }, segment, packed));
    assert!(refused(Row { out: usize::MAX - 7, ..row }, segment, packed));
    assert!(refused(row, Segment { a: usize::MAX, ..segment }, packed));
    assert!(refused(row, Segment { b: usize::MAX, ..segment }, packed));
    assert!(refused(row, Segment { len: 3, ..segment }, Right::in_place(&b, 1 << 63)));
}

#[test]
fn what_leaves_a_slice_is_refused() {
    let refused = |a: usize, b: usize, out: usize| {
        std::panic::catch_unwind(|| {
            let table = Table::new(vec![Row { a: 3, out: 2 }], [Segment { a: 1, b: 1, len: 4 }], 2);
            let (a, b, mut out) = (vec![0.0; a], vec![0.0; b], vec![0.0; out]);
            product(&table, &a, Right::packed(&b, 5), 20, Start::Zero, &mut out);
        })
        .is_err()
    };
    // The last term lies at 3 + 1 + 3 * 2 = 10, two panels of five terms are needed, 2 + 20 outputs.
    assert!(!refused(11, 160, 22));
    assert!(refused(10, 160, 22) && refused(11, 80, 22) && refused(11, 160, 21));
}

#[test]
fn segments_are_joined_and_cut() {
    let segments =
        [Segment { a: 4, b: 0, len: 3 }, Segment { a: 7, b: 3, len: 2098 }, Segment { a: 0, b: 2101, len: 0 }];
    let table = Table::new(vec![Row { a: 0, out: 0 }], segments, 1);
    let parts = [Segment { a: 4, b: 0, len: 1051 }, Segment { a: 1055, b: 1051, len: 1050 }];
    assert_eq!(table.segments(), parts);
}
