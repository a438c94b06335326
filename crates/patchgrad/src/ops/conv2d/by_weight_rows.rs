//! Gradient of the input where few pixels meet a whole weight: the weight is the left operand, read as it lies.
//!
//! ```text
//! grad_input' [columns, pixels]  =  weight [columns, terms]  grad_output' [terms, pixels]
//! ```
//!
//! A column is a tap and a channel of the input, a term a channel of the output. As a right operand the weight would have to be packed,
//! transposed at that, for which a mini-batch is too small. As the left one it comes from memory once and in order, and packed is the
//! small gradient. The result is turned in the end, which long sums pay for. See [`by_columns`](super::by_columns) for what a whole
//! weight is; the terms of a sum come in the order of [`direct`](super::direct), so both give the same bits.

use super::{
    Conv2dDims, Epilogue, Pass,
    by_columns::{ByColumns, FEWEST_PIECES, whole_rows},
    operands::activate,
    strips::SMALLEST_PIECE,
};
use crate::{Workspace, parallel};
use patchgrad_kernels::{
    pack::{pack_panel, packed_len},
    product::{PANEL, Right, Start, Table, product},
    transpose::transpose,
};

/// With fewer terms for each pixel, turning the result costs what not packing the weight saves: with four there is no difference.
const FEWEST_TERMS_PER_PIXEL: usize = 8;

/// What the computation needs to know; made once for a shape.
#[derive(Debug)]
pub(crate) struct ByWeightRows {
    pixels: usize,
    terms: usize,
    columns: usize,
    /// Rows of the weight that a piece multiplies; the last may have fewer.
    rows_per_piece: usize,
    /// The products of a piece, and of the last one.
    tables: [Table; 2],
    /// The numbers of the terms, as [`pack_panel`] wants to know them.
    term_numbers: Vec<usize>,
}

impl ByWeightRows {
    /// Whether it covers the sizes and pays.
    pub(super) fn pays(dims: &Conv2dDims) -> bool {
        ByColumns::pays(dims, Pass::GradInput) && dims.out_channels >= FEWEST_TERMS_PER_PIXEL * dims.rows()
    }

    pub(super) fn new(dims: &Conv2dDims) -> Self {
        let (pixels, terms, columns) = (dims.rows(), dims.out_channels, dims.patch_len());
        let worth_a_thread = SMALLEST_PIECE.div_ceil(pixels * terms);
        let rows_per_piece = columns.div_ceil(FEWEST_PIECES).max(worth_a_thread).min(columns);
        let last = columns - (columns - 1) / rows_per_piece * rows_per_piece;
        let tables = [rows_per_piece, last].map(|rows| whole_rows(rows, terms, pixels));
        Self { pixels, terms, columns, rows_per_piece, tables, term_numbers: (0..terms).collect() }
    }

    /// Computes the gradient, with the bias and activation of a transposed convolution.
    ///
    /// # Shapes
    /// `grad_output` [pixels, terms], `weight` [columns, terms], `grad_input` [pixels, columns].
    pub(super) fn run(
        &self,
        grad_output: &[f32],
        weight: &[f32],
        epilogue: Epilogue,
        grad_input: &mut [f32],
        workspace: &mut Workspace,
    ) {
        let Self { pixels, terms, columns, rows_per_piece, .. } = *self;
        let mut packed = workspace.take_buffer(packed_len(terms, pixels));
        parallel::for_each_chunk(&mut packed, terms * PANEL, |panel, to| {
            pack_panel(panel, pixels, grad_output, &self.term_numbers, terms, to);
        });
        let mut turned = workspace.take_buffer(columns * pixels);
        parallel::for_each_chunk(&mut turned, rows_per_piece * pixels, |piece, to| {
            let first = piece * rows_per_piece;
            let rows = to.len() / pixels;
            let table = &self.tables[usize::from(first + rows == columns)];
            let start = match epilogue.bias {
                None => Start::Zero,
                // A bias belongs to a channel; columns are the channels of one tap after the other.
                Some(bias) => {
                    let of_columns = bias.iter().cycle().skip(first % bias.len());
                    to.chunks_exact_mut(pixels).zip(of_columns).for_each(|(row, &bias)| row.fill(bias));
                    Start::Out
                }
            };
            product(table, &weight[first * terms..][..rows * terms], Right::packed(&packed, terms), pixels, start, to);
            activate(epilogue.activation, to);
        });
        let pixels_per_chunk = (parallel::ELEMENTS_PER_CHUNK / columns).max(1).next_multiple_of(PANEL);
        parallel::for_each_chunk(grad_input, pixels_per_chunk * columns, |chunk, to| {
            transpose([columns, to.len() / columns], &turned[chunk * pixels_per_chunk..], pixels, to, columns);
        });
        workspace.give_buffer(packed);
        workspace.give_buffer(turned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{
        Activation,
        conv2d::{
            Images,
            by_columns::tests::{dims, values},
            direct::Correlation,
        },
    };

    /// One pixel, more pixels than a vector and than two, columns that fill no tile, terms beyond a block, taps of several channels.
    #[test]
    fn the_bits_are_those_of_strips() {
        let workspace = &mut Workspace::new();
        for dims in [
            dims([1, 1, 1, 512], [1, 1], 300),
            dims([16, 1, 1, 100], [1, 1], 128),
            dims([33, 1, 1, 37], [1, 1], 5000),
            dims([7, 1, 1, 1200], [1, 1], 64),
            dims([3, 3, 7, 160], [1, 1], 520),
            dims([40, 4, 6, 33], [4, 6], 320),
            dims([64, 7, 7, 5], [7, 7], 512),
        ] {
            assert!(ByWeightRows::pays(&dims), "{dims:?}");
            let (grad, weight) = (values(dims.output().len(), 1), values(dims.weight().len(), 2));
            let bias = values(dims.in_channels, 3);
            for epilogue in [Epilogue::bias(None), Epilogue { bias: Some(&bias), activation: Activation::Tanh }] {
                let (mut expected, mut got) = (vec![f32::NAN; dims.input().len()], vec![f32::NAN; dims.input().len()]);
                let strips = Correlation::new(&dims, Pass::GradInput, false, false);
                strips.run(Images::dense(&grad), &weight, epilogue, &mut expected, None, workspace);
                ByWeightRows::new(&dims).run(&grad, &weight, epilogue, &mut got, workspace);
                assert!(got == expected, "{dims:?}");
            }
        }
    }

    #[test]
    fn short_sums_are_left_to_columns() {
        let pays = |terms: usize| ByWeightRows::pays(&dims([32, 1, 1, 1024], [1, 1], terms));
        assert!(pays(256) && !pays(255));
    }
}
