//! The gradient of the weight where there are few output pixels: each thread computes some rows of it, from all of them.
//!
//! [`direct_weight`](super::direct_weight) sums strips of pixels into partial gradients, which is much traffic where a
//! large weight meets few pixels: a linear layer on a mini-batch, the top of a stack that sees whole pictures. Here every
//! value is summed in one go and nothing is added up afterwards.

use super::{Conv2dDims, strips::SMALLEST_PIECE};
use crate::{Workspace, parallel};
use patchgrad_kernels::{
    pack::{pack_rows, packed_len},
    product::{PANEL, Right, Row, Segment, Start, Table, product},
};

/// With more output pixels than this the partial gradients cost less than reading all pixels again for each piece.
const MOST_PIXELS: usize = 1024;

/// Pieces of the weight, at most.
const MOST_PIECES: usize = 16;

/// Rows of a piece, at least: about one register tile.
const FEWEST_ROWS: usize = 14;

/// What the computation needs to know; made once for a shape.
#[derive(Debug)]
pub(crate) struct WeightGradientByRows {
    dims: Conv2dDims,
    /// Rows `(kh, kw, c)` of a piece; the last may have fewer.
    rows_per_piece: usize,
    /// One for each piece; their segments cover the pixels of the whole batch.
    tables: Vec<Table>,
}

impl WeightGradientByRows {
    /// Whether it covers the sizes and pays.
    pub(super) fn pays(dims: &Conv2dDims) -> bool {
        dims.window.padding == [0, 0] && dims.batch * dims.window.output_len() <= MOST_PIXELS
    }

    pub(super) fn new(dims: &Conv2dDims) -> Self {
        let window = &dims.window;
        let (channels, in_group) = (dims.in_channels, dims.in_channels / dims.groups);
        let image_row = window.input[1] * channels;
        // Output pixels as three nested loops, with their distances in the input.
        let sizes = [dims.batch, window.output[0], window.output[1]];
        let distances = [window.input[0] * image_row, window.stride[0] * image_row, window.stride[1] * channels];
        // The innermost loop that runs more than once is a segment: an output of one pixel has one segment for the batch.
        let inner = (0..3).rev().find(|&axis| sizes[axis] > 1).unwrap_or(2);
        let segments: Vec<Segment> = (0..sizes[..inner].iter().product())
            .map(|outer| {
                let (mut rest, mut a) = (outer, 0);
                for axis in (0..inner).rev() {
                    a += rest % sizes[axis] * distances[axis];
                    rest /= sizes[axis];
                }
                Segment { a, b: outer * sizes[inner], len: sizes[inner] }
            })
            .collect();
        let mut starts = Vec::with_capacity(dims.patch_len());
        for kh in 0..window.kernel_size[0] {
            for kw in 0..window.kernel_size[1] {
                let tap = kh * window.dilation[0] * image_row + kw * window.dilation[1] * channels;
                starts.extend((0..in_group).map(|c| tap + c));
            }
        }
        let worth_a_thread = SMALLEST_PIECE.div_ceil((dims.work() / starts.len()).max(1));
        let rows_per_piece = starts.len().div_ceil(MOST_PIECES).max(worth_a_thread).max(FEWEST_ROWS).min(starts.len());
        let table = |starts: &[usize]| {
            let rows = starts.iter().enumerate().map(|(i, &a)| Row { a, out: i * dims.out_channels }).collect();
            Table::new(rows, segments.iter().copied(), distances[inner])
        };
        Self { dims: *dims, rows_per_piece, tables: starts.chunks(rows_per_piece).map(table).collect() }
    }

    /// Computes the gradient of the weight. `grad_output` is not pooled.
    pub(super) fn run(&self, input: &[f32], grad_output: &[f32], grad_weight: &mut [f32], workspace: &mut Workspace) {
        let Conv2dDims { out_channels, in_channels, groups, .. } = self.dims;
        let (columns, pixels) = (out_channels / groups, grad_output.len() / out_channels);
        // The rows of whole panels can be read where they are; a piece of more than a tile reads them often.
        let packs = !columns.is_multiple_of(PANEL) || columns > PANEL;
        let group_len = packed_len(pixels, columns);
        let mut packed = workspace.take_buffer(if packs { groups * group_len } else { 0 });
        for (group, to) in packed.chunks_exact_mut(group_len).enumerate() {
            pack_rows(columns, &grad_output[group * columns..], out_channels, to);
        }
        parallel::for_each_chunk(grad_weight, self.rows_per_piece * out_channels, |piece, to| {
            for group in 0..groups {
                let b = match packed.get(group * group_len..(group + 1) * group_len) {
                    Some(panels) if packs => Right::packed(panels, pixels),
                    _ => Right::in_place(&grad_output[group * columns..], out_channels),
                };
                let x = &input[group * (in_channels / groups)..];
                product(&self.tables[piece], x, b, columns, Start::Zero, &mut to[group * columns..]);
            }
        });
        workspace.give_buffer(packed);
    }
}
