//! Average pooling: the mean of each window.
//!
//! ```text
//! y[n, oh, ow, c] = 1/count * sum over kh, kw of x[n, oh*s - p + kh, ow*s - p + kw, c]
//! ```
//!
//! With `count_include_pad` the zeros of the padding are counted, without it only the image is; what `ceil_mode` lets
//! hang over the padded image is never counted. The gradient spreads evenly: every pixel of a window gets 1/count of it.
//!
//! # Shapes
//! input `[N, H, W, C]`, output `[N, OH, OW, C]`.
//!
//! # PyTorch
//! `torch.nn.functional.avg_pool2d`. A window of the whole plane is global average pooling.

use super::{
    max_pool2d::samples_per_chunk,
    pool::{PoolDims, PoolOptions},
};
use crate::{
    Shape, ShapeError,
    autograd::{Op, Tape, Var},
    error::OrPanic,
    parallel,
};
use patchgrad_kernels::pool;

/// An average pooling as it is asked for: PyTorch's names and defaults, pairs as `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AvgPool2dSpec {
    /// Size of the window.
    pub kernel_size: [usize; 2],
    /// Distance between windows.
    pub stride: [usize; 2],
    /// Rows and columns of zeros on either side; at most half the kernel.
    pub padding: [usize; 2],
    /// Round the number of windows up instead of down.
    pub ceil_mode: bool,
    /// Whether the padding counts in the divisor.
    pub count_include_pad: bool,
}

impl AvgPool2dSpec {
    /// Stride equal to the kernel, padding 0, `count_include_pad` as PyTorch's default: true.
    pub fn new(kernel_size: [usize; 2]) -> Self {
        Self { kernel_size, stride: kernel_size, padding: [0, 0], ceil_mode: false, count_include_pad: true }
    }

    /// Checks the shape `input` `[N, H, W, C]` against the options.
    ///
    /// # Errors
    /// If the kernel does not fit or a window could lie wholly in the padding.
    pub fn resolve(&self, input: Shape) -> Result<PoolDims, ShapeError> {
        let Self { kernel_size, stride, padding, ceil_mode, .. } = *self;
        PoolOptions { kernel_size, stride, padding, dilation: [1, 1], ceil_mode }.resolve("avg_pool2d", input)
    }
}

/// `output` = means; parallel over samples.
pub fn forward(dims: &PoolDims, count_include_pad: bool, input: &[f32], output: &mut [f32]) {
    let (samples, len) = (samples_per_chunk(dims), dims.input_len());
    parallel::for_each_chunk(output, samples * dims.output_len(), |i, output| {
        for (output, input) in output.chunks_mut(dims.output_len()).zip(input[i * samples * len..].chunks_exact(len)) {
            pool::avg_pool2d(&dims.window, dims.channels, count_include_pad, input, output);
        }
    });
}

/// `grad_input` = every window's gradient spread evenly; parallel over samples.
pub fn grad_input(dims: &PoolDims, count_include_pad: bool, grad_output: &[f32], grad_input: &mut [f32]) {
    let (samples, len) = (samples_per_chunk(dims), dims.output_len());
    parallel::for_each_chunk(grad_input, samples * dims.input_len(), |i, grad_input| {
        let grads = grad_output[i * samples * len..].chunks_exact(len);
        for (grad_input, grad_output) in grad_input.chunks_mut(dims.input_len()).zip(grads) {
            pool::avg_pool2d_grad_input(&dims.window, dims.channels, count_include_pad, grad_output, grad_input);
        }
    });
}

impl Tape<'_> {
    /// Average pooling of `input` `[N, H, W, C]`: see [`ops::avg_pool2d`](crate::ops::avg_pool2d).
    ///
    /// # Memory
    /// Keeps nothing.
    ///
    /// # Panics
    /// With the text of the [`ShapeError`] of [`AvgPool2dSpec::resolve`].
    #[track_caller]
    pub fn avg_pool2d(&mut self, input: Var, spec: &AvgPool2dSpec) -> Var {
        let dims = spec.resolve(self.shape(input)).or_panic();
        let mut output = self.workspace.take(dims.output());
        forward(&dims, spec.count_include_pad, self.values.get(input), output.as_mut_slice());
        self.record(Op::AvgPool2d { dims, count_include_pad: spec.count_include_pad, input }, output)
    }
}
