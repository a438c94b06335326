//! Max un-pooling: puts every value back where the maximum of a pooling stood, zero elsewhere.
//!
//! It is the partial inverse of max pooling that a decoder with *switches* uses (Zeiler and Fergus, 2014), and the same
//! map as the gradient of max pooling as long as windows do not overlap. Its own gradient *gathers*: each value gets the
//! gradient of the place it was put. Where two windows share a maximum, the later value stays and, as in PyTorch, both
//! get that place's gradient.
//!
//! # Shapes
//! input and indices `[N, OH, OW, C]`, output `[N, H, W, C]`.
//!
//! # PyTorch
//! `torch.nn.functional.max_unpool2d(input, indices, ..., output_size)`.

use super::{max_pool2d::samples_per_chunk, pool::PoolDims};
use crate::{
    Shape, ShapeError,
    autograd::{IndicesVar, Op, Tape, Var},
    error::{OrPanic, Pair},
    ops::max_pool2d::Indices,
    parallel,
};
use patchgrad_kernels::{pool, window::Window2d};

/// Checks `input` and `indices` `[N, OH, OW, C]` against the plane `output_size` `[H, W]` they go to.
///
/// # Errors
/// If the shapes differ or an index lies outside the plane.
pub fn resolve(input: Shape, indices: &Indices, output_size: [usize; 2]) -> Result<PoolDims, ShapeError> {
    let op = "max_unpool2d";
    let [batch, h, w, channels] = super::conv2d::image(op, input)?;
    if indices.shape() != input {
        let message = format!("the input {input} and the indices {} (N, OH, OW, C) must agree", indices.shape());
        return Err(ShapeError::new(op, message));
    }
    super::conv2d::check_size(op, [batch, output_size[0], output_size[1], channels])?;
    let plane = output_size[0] * output_size[1];
    if let Some(&index) = indices.as_slice().iter().find(|&&index| index as usize >= plane) {
        let message = format!("index {index} lies outside the output plane {} of {plane} pixels", Pair(output_size));
        return Err(ShapeError::new(op, message));
    }
    // Only the two planes matter: the indices say everything else.
    let window = Window2d {
        input: output_size,
        output: [h, w],
        kernel_size: [1, 1],
        stride: [1, 1],
        padding: [0, 0],
        dilation: [1, 1],
    };
    Ok(PoolDims { batch, channels, window })
}

/// `output[n, indices[n, oh, ow, c], c] = input[n, oh, ow, c]`, zero elsewhere; parallel over samples.
pub fn forward(dims: &PoolDims, indices: &[u32], input: &[f32], output: &mut [f32]) {
    let (samples, len) = (samples_per_chunk(dims), dims.output_len());
    parallel::for_each_chunk(output, samples * dims.input_len(), |i, output| {
        for (j, output) in output.chunks_mut(dims.input_len()).enumerate() {
            let sample = (i * samples + j) * len..(i * samples + j + 1) * len;
            pool::max_unpool2d(dims.channels, &indices[sample.clone()], &input[sample], output);
        }
    });
}

/// `grad_input[n, oh, ow, c] = grad_output[n, indices[n, oh, ow, c], c]`; parallel over samples.
pub fn grad_input(dims: &PoolDims, indices: &[u32], grad_output: &[f32], grad_input: &mut [f32]) {
    let (samples, len) = (samples_per_chunk(dims), dims.output_len());
    parallel::for_each_chunk(grad_input, samples * len, |i, grad_input| {
        for (j, grad_input) in grad_input.chunks_mut(len).enumerate() {
            let sample = i * samples + j;
            let grad_output = &grad_output[sample * dims.input_len()..(sample + 1) * dims.input_len()];
            pool::max_unpool2d_grad_input(dims.channels, &indices[sample * len..][..len], grad_output, grad_input);
        }
    });
}

impl Tape<'_> {
    /// Un-pooling of `input` `[N, OH, OW, C]` to planes of `output_size` `[H, W]`: see
    /// [`ops::max_unpool2d`](crate::ops::max_unpool2d). The `indices` come from [`max_pool2d`](Tape::max_pool2d) on this
    /// tape, or from elsewhere through [`record_indices`](Tape::record_indices).
    ///
    /// # Panics
    /// With the text of the [`ShapeError`] of [`resolve`].
    #[track_caller]
    pub fn max_unpool2d(&mut self, input: Var, indices: IndicesVar, output_size: [usize; 2]) -> Var {
        let dims = resolve(self.shape(input), self.indices(indices), output_size).or_panic();
        let mut output = self.workspace.take(dims.input());
        forward(&dims, self.indices[indices.0].as_slice(), self.values.get(input), output.as_mut_slice());
        self.record(Op::MaxUnpool2d { dims, input, indices }, output)
    }
}
