//! Convolution as matrix products over blocks of the patch matrix.
//!
//! The patch matrix is never whole in memory: a block of its rows fits the second-level cache, is written, multiplied
//! and forgotten. Blocks and chunks depend on the shapes only, so the bits do not depend on the number of threads.

use super::Conv2dDims;
use crate::{Workspace, parallel};
use patchgrad_kernels::{
    elementwise,
    gemm::{Matrix, MatrixMut, gemm, gemm_add},
    im2col::{Channels, add_col2im, im2col},
};
use std::ops::Range;

/// Elements of one block of the patch matrix: 128 KiB (more only for patches of over 2,048 values).
const BLOCK_ELEMENTS: usize = 32 * 1024;

/// A pass is cut into at most this many chunks, each with scratch for one block (and a partial gradient of the weight).
const MOST_CHUNKS: usize = 16;

/// `output = im2col(input) x weight`, parallel over runs of rows.
pub(super) fn forward(dims: &Conv2dDims, input: &[f32], weight: &[f32], output: &mut [f32], workspace: &mut Workspace) {
    let block = block_rows(dims, dims.rows());
    let rows_per_chunk = rows_per_chunk(dims, block);
    let chunks = dims.rows().div_ceil(rows_per_chunk);
    let mut scratch = workspace.take_buffer(scratch_len(dims, block, chunks));
    let scratch_len = scratch.len() / chunks;
    let out_len = rows_per_chunk * dims.out_channels;
    parallel::for_each_chunk_pair((output, out_len), (&mut scratch, scratch_len), |i, output, patches| {
        let first = i * rows_per_chunk;
        for rows in blocks(first..first + output.len() / dims.out_channels, block) {
            let output = &mut output[(rows.start - first) * dims.out_channels..];
            for group in Group::all(dims) {
                let patches = group.patches(dims, input, rows.clone(), patches);
                let output = &mut output[group.first_output..];
                let product = MatrixMut::with_row_stride(output, rows.len(), group.outputs, dims.out_channels);
                gemm(patches, group.weight(dims, weight), product);
            }
        }
    });
    workspace.give_buffer(scratch);
}

/// `grad_input = col2im(grad_output x weight^T)`, parallel over whole samples because patches overlap.
pub(super) fn grad_input(
    dims: &Conv2dDims,
    grad_output: &[f32],
    weight: &[f32],
    grad_input: &mut [f32],
    workspace: &mut Workspace,
) {
    let positions = dims.window.output_len();
    let sample_len = dims.window.input_len() * dims.in_channels;
    let samples_per_block = (block_rows(dims, dims.rows()) / positions).max(1);
    let samples_per_chunk = samples_per_block.max(dims.batch.div_ceil(MOST_CHUNKS));
    let chunks = dims.batch.div_ceil(samples_per_chunk);
    let block = block_rows(dims, samples_per_chunk * positions);
    let mut scratch = workspace.take_buffer(scratch_len(dims, block, chunks));
    let scratch_len = scratch.len() / chunks;
    let chunk_len = samples_per_chunk * sample_len;
    parallel::for_each_chunk_pair((grad_input, chunk_len), (&mut scratch, scratch_len), |i, grad_input, patches| {
        let first_row = i * samples_per_chunk * positions;
        let rows = first_row..first_row + grad_input.len() / sample_len * positions;
        if patches_are_the_input(dims) {
            let gradient = Matrix::new(
                &grad_output[rows.start * dims.out_channels..rows.end * dims.out_channels],
                rows.len(),
                dims.out_channels,
            );
            let weight = Matrix::new(weight, dims.patch_len(), dims.out_channels).transposed();
            gemm(gradient, weight, MatrixMut::new(grad_input, rows.len(), dims.patch_len()));
            return;
        }
        grad_input.fill(0.0);
        for rows in blocks(rows, block) {
            for group in Group::all(dims) {
                let patches = &mut patches[..rows.len() * dims.patch_len()];
                let product = MatrixMut::new(patches, rows.len(), dims.patch_len());
                gemm(group.output(dims, grad_output, rows.clone()), group.weight(dims, weight).transposed(), product);
                // The rows of one block may belong to several samples.
                let mut from = rows.start;
                while from < rows.end {
                    let sample = from / positions;
                    let end = rows.end.min((sample + 1) * positions);
                    let image =
                        &mut grad_input[(sample * positions - first_row) / positions * sample_len..][..sample_len];
                    let in_block = (from - rows.start) * dims.patch_len()..(end - rows.start) * dims.patch_len();
                    let in_sample = from - sample * positions..end - sample * positions;
                    add_col2im(&dims.window, group.channels, &patches[in_block], in_sample, image);
                    from = end;
                }
            }
        }
    });
    workspace.give_buffer(scratch);
}

/// `grad_weight = im2col(input)^T x grad_output`: partial sums over contiguous runs of rows, folded in order.
pub(super) fn grad_weight(
    dims: &Conv2dDims,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
    workspace: &mut Workspace,
) {
    let block = block_rows(dims, dims.rows());
    let rows_per_chunk = rows_per_chunk(dims, block);
    let chunks = dims.rows().div_ceil(rows_per_chunk);
    let mut partials = workspace.take_buffer(chunks * grad_weight.len());
    let mut scratch = workspace.take_buffer(scratch_len(dims, block, chunks));
    let scratch_len = scratch.len() / chunks;
    parallel::for_each_chunk_pair(
        (&mut partials, grad_weight.len()),
        (&mut scratch, scratch_len),
        |i, partial, patches| {
            let rows = i * rows_per_chunk..((i + 1) * rows_per_chunk).min(dims.rows());
            partial.fill(0.0);
            for rows in blocks(rows, block) {
                for group in Group::all(dims) {
                    let patches = group.patches(dims, input, rows.clone(), patches);
                    let sum = MatrixMut::with_row_stride(
                        &mut partial[group.first_output..],
                        dims.patch_len(),
                        group.outputs,
                        dims.out_channels,
                    );
                    gemm_add(patches.transposed(), group.output(dims, grad_output, rows.clone()), sum);
                }
            }
        },
    );
    let (first, rest) = partials.split_at(grad_weight.len());
    grad_weight.copy_from_slice(first);
    for partial in rest.chunks_exact(grad_weight.len()) {
        elementwise::add_assign(grad_weight, partial);
    }
    workspace.give_buffer(scratch);
    workspace.give_buffer(partials);
}

/// The channels and the block of the weight that one group works on.
struct Group {
    channels: Channels,
    first_output: usize,
    outputs: usize,
}

impl Group {
    fn all(dims: &Conv2dDims) -> impl Iterator<Item = Self> {
        let outputs = dims.out_channels / dims.groups;
        let (in_channels, groups) = (dims.in_channels, dims.groups);
        (0..groups).map(move |group| Self {
            channels: Channels::group(in_channels, groups, group),
            first_output: group * outputs,
            outputs,
        })
    }

    /// The group's columns of the weight: `[KH * KW * C/G, O/G]`.
    fn weight<'a>(&self, dims: &Conv2dDims, weight: &'a [f32]) -> Matrix<'a> {
        Matrix::with_row_stride(&weight[self.first_output..], dims.patch_len(), self.outputs, dims.out_channels)
    }

    /// The group's channels of the output (or of its gradient) at `rows`: `[rows, O/G]`.
    fn output<'a>(&self, dims: &Conv2dDims, output: &'a [f32], rows: Range<usize>) -> Matrix<'a> {
        let from = rows.start * dims.out_channels + self.first_output;
        Matrix::with_row_stride(&output[from..], rows.len(), self.outputs, dims.out_channels)
    }

    /// The group's patches at `rows`: `[rows, KH * KW * C/G]`, written to `scratch` unless the input already is that.
    fn patches<'a>(
        &self,
        dims: &Conv2dDims,
        input: &'a [f32],
        rows: Range<usize>,
        scratch: &'a mut [f32],
    ) -> Matrix<'a> {
        let (count, len) = (rows.len(), dims.patch_len());
        if patches_are_the_input(dims) {
            return Matrix::new(&input[rows.start * len..rows.end * len], count, len);
        }
        let scratch = &mut scratch[..count * len];
        im2col(&dims.window, self.channels, input, rows, scratch);
        Matrix::new(scratch, count, len)
    }
}

/// Whether the patch matrix is the input itself, so that nothing needs to be copied: a 1x1 kernel that visits every
/// pixel, or a kernel as large as the image (a layer of a patch auto-encoder at its only position).
fn patches_are_the_input(dims: &Conv2dDims) -> bool {
    let window = &dims.window;
    // The planes differ when this is the adjoint of a transposed convolution with output padding.
    let pointwise = window.kernel_size == [1, 1] && window.stride == [1, 1] && window.input == window.output;
    let whole_image = window.kernel_size == window.input && window.dilation == [1, 1];
    dims.groups == 1 && window.padding == [0, 0] && (pointwise || whole_image)
}

/// Rows of one block of the patch matrix, at most `rows`.
fn block_rows(dims: &Conv2dDims, rows: usize) -> usize {
    (BLOCK_ELEMENTS / dims.patch_len()).clamp(16, 2048).min(rows)
}

/// Rows of one chunk: whole blocks, so many that there are at most [`MOST_CHUNKS`] chunks.
fn rows_per_chunk(dims: &Conv2dDims, block: usize) -> usize {
    dims.rows().div_ceil(block).div_ceil(MOST_CHUNKS) * block
}

/// Scratch for `chunks` chunks that each write one block of patches; at least one element each, to be cut into chunks.
fn scratch_len(dims: &Conv2dDims, block: usize, chunks: usize) -> usize {
    chunks * if patches_are_the_input(dims) { 1 } else { block * dims.patch_len() }
}

/// `rows` cut into blocks of `block`, the last possibly shorter.
fn blocks(rows: Range<usize>, block: usize) -> impl Iterator<Item = Range<usize>> {
    let end = rows.end;
    rows.step_by(block).map(move |start| start..(start + block).min(end))
}
