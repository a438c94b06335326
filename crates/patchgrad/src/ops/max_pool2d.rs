//! Max pooling: the largest value of each window, and where it stood.
//!
//! ```text
//! y[n, oh, ow, c] = max over kh, kw of x[n, oh*s - p + kh*d, ow*s - p + kw*d, c]
//! ```
//!
//! The gradient of a maximum goes to the one input that was the maximum: forward notes its place, backward *routes* each
//! output's gradient there, and where windows overlap the contributions add. Padding is minus infinity and never wins;
//! the first of equal values wins; NaN wins and is passed on.
//!
//! # Shapes
//! input `[N, H, W, C]`, output and indices `[N, OH, OW, C]`; an index is `h * W + w` in the input plane, for every channel.
//!
//! # PyTorch
//! `torch.nn.functional.max_pool2d(..., return_indices=True)`, same indices, same `ceil_mode`.

use super::pool::{PoolDims, PoolOptions};
use crate::{
    Shape, ShapeError,
    autograd::{IndicesVar, Op, Tape, Var},
    error::OrPanic,
    parallel,
};
use patchgrad_kernels::{aligned::AlignedBuffer, pool};

/// A max pooling as it is asked for: PyTorch's names and defaults, pairs as `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaxPool2dSpec {
    /// Size of the window.
    pub kernel_size: [usize; 2],
    /// Distance between windows.
    pub stride: [usize; 2],
    /// Rows and columns of minus infinity on either side; at most half the kernel.
    pub padding: [usize; 2],
    /// Distance between taps.
    pub dilation: [usize; 2],
    /// Round the number of windows up instead of down.
    pub ceil_mode: bool,
}

impl MaxPool2dSpec {
    /// Stride equal to the kernel, padding 0, dilation 1.
    pub fn new(kernel_size: [usize; 2]) -> Self {
        Self { kernel_size, stride: kernel_size, padding: [0, 0], dilation: [1, 1], ceil_mode: false }
    }

    /// Checks the shape `input` `[N, H, W, C]` against the options.
    ///
    /// # Errors
    /// If the kernel does not fit or a window could lie wholly in the padding.
    pub fn resolve(&self, input: Shape) -> Result<PoolDims, ShapeError> {
        let Self { kernel_size, stride, padding, dilation, ceil_mode } = *self;
        PoolOptions { kernel_size, stride, padding, dilation, ceil_mode }.resolve("max_pool2d", input)
    }
}

/// A tensor of indices: where values stood in the plane that was pooled, `h * W + w` for each output value, or the labels of a
/// classification.
#[derive(Clone, Debug)]
pub struct Indices {
    pub(crate) shape: Shape,
    pub(crate) data: AlignedBuffer<u32>,
}

impl Indices {
    /// Indices of shape `[N, OH, OW, C]`.
    ///
    /// # Errors
    /// If the number of values is not that of the shape.
    pub fn try_new(shape: impl Into<Shape>, values: &[u32]) -> Result<Self, ShapeError> {
        let shape = shape.into();
        if shape.len() != values.len() {
            let message = format!("shape {shape} holds {} indices, got {}", shape.len(), values.len());
            return Err(ShapeError::new("Indices", message));
        }
        Ok(Self { shape, data: AlignedBuffer::from_slice(values) })
    }

    /// `[N, OH, OW, C]`.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The indices in memory order.
    pub fn as_slice(&self) -> &[u32] {
        &self.data
    }
}

/// `output` = maxima, `indices` = where they stood; parallel over samples.
pub fn forward(dims: &PoolDims, input: &[f32], output: &mut [f32], indices: &mut [u32]) {
    let (samples, out_len) = (samples_per_chunk(dims), dims.output_len());
    let (output, indices) = ((output, samples * out_len), (indices, samples * out_len));
    parallel::for_each_chunk_pair(output, indices, |i, output, indices| {
        let inputs = input[i * samples * dims.input_len()..].chunks_exact(dims.input_len());
        for ((output, indices), input) in output.chunks_mut(out_len).zip(indices.chunks_mut(out_len)).zip(inputs) {
            pool::max_pool2d(&dims.window, dims.channels, input, output, indices);
        }
    });
}

/// `grad_input` = every output's gradient at the place of its maximum, zero elsewhere; parallel over samples.
pub fn grad_input(dims: &PoolDims, indices: &[u32], grad_output: &[f32], grad_input: &mut [f32]) {
    let (samples, out_len) = (samples_per_chunk(dims), dims.output_len());
    parallel::for_each_chunk(grad_input, samples * dims.input_len(), |i, grad_input| {
        for (j, grad_input) in grad_input.chunks_mut(dims.input_len()).enumerate() {
            let sample = (i * samples + j) * out_len..(i * samples + j + 1) * out_len;
            let (indices, grad_output) = (&indices[sample.clone()], &grad_output[sample]);
            pool::max_pool2d_grad_input(&dims.window, dims.channels, indices, grad_output, grad_input);
        }
    });
}

/// Samples that one chunk of a pooling works on.
pub(super) fn samples_per_chunk(dims: &PoolDims) -> usize {
    (parallel::ELEMENTS_PER_CHUNK / dims.input_len()).max(1)
}

impl Tape<'_> {
    /// Max pooling of `input` `[N, H, W, C]`, and where the maxima stood: see
    /// [`ops::max_pool2d`](crate::ops::max_pool2d).
    ///
    /// # Memory
    /// Keeps the indices, not the input.
    ///
    /// # Panics
    /// With the text of the [`ShapeError`] of [`MaxPool2dSpec::resolve`].
    ///
    /// ```
    /// use patchgrad::{Tape, Tensor, Workspace, ops::MaxPool2dSpec};
    /// let image = Tensor::new([1, 2, 4, 1], &[1.0, 2.0, 5.0, 0.0, 4.0, 3.0, 5.0, 6.0]);
    /// let mut workspace = Workspace::new();
    /// let mut tape = Tape::new(&mut workspace);
    /// let x = tape.input(&image);
    /// let (y, indices) = tape.max_pool2d(x, &MaxPool2dSpec::new([2, 2]));
    /// assert_eq!(tape.value(y).as_slice(), [4.0, 6.0]);
    /// assert_eq!(tape.indices(indices).as_slice(), [4, 7]);
    /// ```
    #[track_caller]
    pub fn max_pool2d(&mut self, input: Var, spec: &MaxPool2dSpec) -> (Var, IndicesVar) {
        let dims = spec.resolve(self.shape(input)).or_panic();
        let mut output = self.workspace.take(dims.output());
        let mut data = self.workspace.take_indices(output.len());
        forward(&dims, self.values.get(input), output.as_mut_slice(), &mut data);
        let indices = self.keep_indices(Indices { shape: dims.output(), data });
        (self.record(Op::MaxPool2d { dims, input, indices }, output), indices)
    }
}
