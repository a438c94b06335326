//! Two-dimensional convolution (cross-correlation) and its gradients.
//!
//! ```text
//! y[n, oh, ow, o] = b[o] + sum over kh, kw, c of  x[n, oh*s - p + kh*d, ow*s - p + kw*d, c] * w[kh, kw, c, o]
//! ```
//!
//! with stride s, padding p and dilation d per axis, and zeros outside the image. With `groups` G, output channel `o`
//! reads only the C/G input channels of its own group.
//!
//! # Shapes
//! input `[N, H, W, C]`, weight `[KH, KW, C/G, O]`, bias `[O]`, output `[N, OH, OW, O]` with
//! `OH = floor((H + 2p - d (KH - 1) - 1) / s) + 1`.
//!
//! # The three passes are three matrix products
//! Let `P` be the patch matrix (im2col): one row per output pixel, one column per `(kh, kw, c)`. Then
//! - forward: `Y = P W + b`
//! - gradient of the weight: `dW = P^T dY`, of the bias: `db = column sums of dY`
//! - gradient of the input: `dP = dY W^T`, and `dX = col2im(dP)`, which adds every patch back where it came from.
//!
//! # PyTorch
//! `torch.nn.functional.conv2d`; its tensors are `[N, C, H, W]`, its weight `[O, C/G, KH, KW]` (see [`crate::layout`]).
//! Keras: `Conv2D`, same layouts as here.
//!
//! # References
//! Chellapilla, Puri, Simard: "High performance convolutional neural networks for document processing" (2006), for
//! im2col. Dumoulin, Visin: "A guide to convolution arithmetic for deep learning", arXiv 1603.07285.

mod im2col;
mod spec;

pub use spec::{Conv2dDims, Conv2dSpec, ConvAlgorithm};
pub(crate) use spec::{check_bias, check_option, check_size, image};

use crate::{
    Tensor, Workspace,
    autograd::{Op, Tape, Var},
    error::OrPanic,
    parallel, reference,
};
use patchgrad_kernels::{elementwise, reduce};

/// `output = conv(input, weight) + bias`; every slice has the size that `dims` says.
pub fn forward(
    dims: &Conv2dDims,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    output: &mut [f32],
    workspace: &mut Workspace,
) {
    match dims.algorithm {
        ConvAlgorithm::Naive => reference::conv2d(dims, input, weight, output),
        ConvAlgorithm::Im2col | ConvAlgorithm::Auto => im2col::forward(dims, input, weight, output, workspace),
    }
    if let Some(bias) = bias {
        add_bias(bias, output);
    }
}

/// `grad_input = d<output, grad_output> / d input`: a transposed convolution of `grad_output`.
pub fn grad_input(
    dims: &Conv2dDims,
    grad_output: &[f32],
    weight: &[f32],
    grad_input: &mut [f32],
    workspace: &mut Workspace,
) {
    match dims.algorithm {
        ConvAlgorithm::Naive => reference::conv2d_grad_input(dims, grad_output, weight, grad_input),
        ConvAlgorithm::Im2col | ConvAlgorithm::Auto => {
            im2col::grad_input(dims, grad_output, weight, grad_input, workspace);
        }
    }
}

/// `grad_weight = d<output, grad_output> / d weight`: a convolution of `input` with `grad_output`.
pub fn grad_weight(
    dims: &Conv2dDims,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
    workspace: &mut Workspace,
) {
    match dims.algorithm {
        ConvAlgorithm::Naive => reference::conv2d_grad_weight(dims, input, grad_output, grad_weight),
        ConvAlgorithm::Im2col | ConvAlgorithm::Auto => {
            im2col::grad_weight(dims, input, grad_output, grad_weight, workspace);
        }
    }
}

/// `grad_bias[o]` = sum of `grad_output` over all pixels of all samples. The number of channels is that of `grad_bias`.
pub fn grad_bias(grad_output: &[f32], grad_bias: &mut [f32], workspace: &mut Workspace) {
    let channels = grad_bias.len();
    let rows_per_chunk = (parallel::ELEMENTS_PER_CHUNK / channels).max(1);
    let chunk_len = rows_per_chunk * channels;
    let chunks = grad_output.len().div_ceil(chunk_len).max(1);
    let mut partial = workspace.take_buffer(chunks * channels);
    parallel::for_each_chunk(&mut partial, channels, |i, sums| {
        let end = (i + 1) * chunk_len;
        reduce::column_sums(sums, &grad_output[i * chunk_len..end.min(grad_output.len())], channels);
    });
    reduce::column_sums(grad_bias, &partial, channels);
    workspace.give_buffer(partial);
}

/// Adds `bias[c]` to every pixel of channels-last `output`.
pub(crate) fn add_bias(bias: &[f32], output: &mut [f32]) {
    let rows_per_chunk = (parallel::ELEMENTS_PER_CHUNK / bias.len()).max(1);
    parallel::for_each_chunk(output, rows_per_chunk * bias.len(), |_, rows| elementwise::add_row_assign(rows, bias));
}

impl Tape<'_> {
    /// Convolution of `input` `[N, H, W, C]` with `weight` `[KH, KW, C/G, O]` and optional `bias` `[O]`: see
    /// [`ops::conv2d`](crate::ops::conv2d).
    ///
    /// # Memory
    /// Keeps `input` for the gradient of the weight. im2col works through the patch matrix in blocks: the scratch
    /// is about 128 KiB for each of at most 16 chunks, and never the whole matrix.
    ///
    /// # Panics
    /// With the text of the [`ShapeError`](crate::ShapeError) of [`Conv2dSpec::resolve`].
    ///
    /// ```
    /// use patchgrad::{Tape, Tensor, Workspace, ops::Conv2dSpec};
    /// let (image, ones) = (Tensor::from_fn([1, 3, 3, 1], |i| i as f32), Tensor::full([2, 2, 1, 1], 1.0));
    /// let mut workspace = Workspace::new();
    /// let mut tape = Tape::new(&mut workspace);
    /// let (x, w) = (tape.input(&image), tape.input(&ones));
    /// let y = tape.conv2d(x, w, None, &Conv2dSpec::new([2, 2]));
    /// // The sums over the four 2x2 windows of 0 1 2 / 3 4 5 / 6 7 8.
    /// assert_eq!(tape.value(y).as_slice(), [8.0, 12.0, 20.0, 24.0]);
    /// ```
    #[track_caller]
    pub fn conv2d(&mut self, input: Var, weight: Var, bias: Option<Var>, spec: &Conv2dSpec) -> Var {
        let shape_of_bias = bias.map(|bias| self.shape(bias));
        let dims = spec.resolve(self.shape(input), self.shape(weight), shape_of_bias).or_panic();
        let mut output = self.workspace.take(dims.output());
        let (x, w, b) = (self.values.get(input), self.values.get(weight), bias.map(|bias| self.values.get(bias)));
        forward(&dims, x, w, b, output.as_mut_slice(), self.workspace);
        self.record(Op::Conv2d { dims, input, weight, bias }, output)
    }
}

/// The convolution of an image batch outside of any tape, for one-off use.
///
/// # Errors
/// As [`Conv2dSpec::resolve`].
pub fn conv2d(
    input: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    spec: &Conv2dSpec,
) -> Result<Tensor, crate::ShapeError> {
    let dims = spec.resolve(input.shape(), weight.shape(), bias.map(Tensor::shape))?;
    let mut output = Tensor::zeros(dims.output());
    let (x, w, b) = (input.as_slice(), weight.as_slice(), bias.map(Tensor::as_slice));
    forward(&dims, x, w, b, output.as_mut_slice(), &mut Workspace::new());
    Ok(output)
}
