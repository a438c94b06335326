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
//! # Four ways to compute it
//! [`ConvAlgorithm`] names them; all are tested against the first.
//! - **Naive**: the formula as nested loops, in [`reference`](mod@crate::reference).
//! - **Im2col**: the patch matrix in blocks, and a matrix product for each.
//! - **Direct**: products that read the image itself through a table of addresses; no patch matrix. Bias, activation and
//!   2x2 max-pooling follow while a strip of the output is in the cache.
//! - **Winograd**: 36 products where a 4x4 tile of a 3x3 convolution needs 144; larger rounding errors.
//!
//! `docs/convolution.md` explains this ladder and has the measured rate of each rung.
//!
//! # PyTorch
//! `torch.nn.functional.conv2d`; its tensors are `[N, C, H, W]`, its weight `[O, C/G, KH, KW]` (see [`crate::layout`]).
//! Keras: `Conv2D`, same layouts as here.
//!
//! # References
//! Chellapilla, Puri, Simard: "High performance convolutional neural networks for document processing" (2006), for
//! im2col. Dumoulin, Visin: "A guide to convolution arithmetic for deep learning", arXiv 1603.07285. Dukhan: "The indirect
//! convolution algorithm", arXiv 1907.02129. Lavin, Gray: "Fast algorithms for convolutional neural networks", arXiv
//! 1509.09308, for Winograd's.

mod axis;
mod by_columns;
mod by_weight_rows;
mod direct;
mod direct_weight;
mod direct_weight_rows;
mod im2col;
mod operands;
mod plans;
mod spec;
mod strips;
mod winograd;

pub use operands::{Epilogue, Images};
pub(crate) use plans::Plans;
pub use spec::{Conv2dDims, Conv2dSpec, ConvAlgorithm, Pass};
pub(crate) use spec::{check_bias, check_option, check_size, image};

use super::Activation;
use crate::{
    Tensor, Workspace,
    autograd::{Op, Tape, Var},
    error::OrPanic,
    parallel, reference,
};
use by_columns::ByColumns;
use by_weight_rows::ByWeightRows;
use direct_weight_rows::WeightGradientByRows;
use operands::{activate, pool_and_activate};
use patchgrad_kernels::{column_sums::column_sums, elementwise};

/// `output = conv(input, weight) + bias`; every slice has the size that `dims` says.
pub fn forward(
    dims: &Conv2dDims,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    output: &mut [f32],
    workspace: &mut Workspace,
) {
    forward_fused(dims, input, weight, Epilogue::bias(bias), output, None, workspace);
}

/// `output = activation(conv(input, weight) + bias)`, and where `taps` are given `output = max_pool2d` of that with 2x2
/// windows and stride 2, in one pass over memory. A tap says which pixel of the window was the largest, `kh * 2 + kw`.
///
/// The maximum is taken before the activation, which must not decrease anywhere (none of [`Activation`] does): the value
/// is the same; among pixels that the activation makes equal, the tap is that of the largest before it.
///
/// # Shapes
/// `output` `[N, OH, OW, O]`; with `taps` both are `[N, OH/2, OW/2, O]`, rounded down.
pub fn forward_fused(
    dims: &Conv2dDims,
    input: &[f32],
    weight: &[f32],
    epilogue: Epilogue,
    output: &mut [f32],
    taps: Option<&mut [u8]>,
    workspace: &mut Workspace,
) {
    let dense: fn(&Conv2dDims, &[f32], &[f32], &mut [f32], &mut Workspace) = match dims.chosen_algorithm() {
        ConvAlgorithm::Naive => |dims, x, w, y, _| reference::conv2d(dims, x, w, y),
        ConvAlgorithm::Im2col => im2col::forward,
        ConvAlgorithm::Winograd => {
            let plan = workspace.plans.winograd_correlation(dims, Pass::Forward);
            return plan.run(Images::dense(input), weight, epilogue, output, taps, workspace);
        }
        _ if taps.is_none() && ByColumns::pays(dims, Pass::Forward) => {
            let plan = workspace.plans.by_columns(dims, Pass::Forward);
            return plan.run(input, weight, epilogue, output, workspace);
        }
        _ => {
            let plan = workspace.plans.correlation(dims, Pass::Forward, false, taps.is_some());
            return plan.run(Images::dense(input), weight, epilogue, output, taps, workspace);
        }
    };
    let Some(taps) = taps else {
        dense(dims, input, weight, output, workspace);
        return finish(epilogue, output);
    };
    let mut sums = workspace.take_buffer(dims.output().len());
    dense(dims, input, weight, &mut sums, workspace);
    finish(Epilogue { activation: Activation::Linear, ..epilogue }, &mut sums);
    let [height, width] = dims.window.output;
    let (row, pooled) = (width * dims.out_channels, height / 2 * (width / 2) * dims.out_channels);
    parallel::for_each_chunk_pair((output, pooled), (taps, pooled), |sample, output, taps| {
        let sums = &sums[sample * height * row..][..height * row];
        pool_and_activate([width, dims.out_channels], epilogue.activation, sums, output, taps);
    });
    workspace.give_buffer(sums);
}

/// `grad_input = d<output, grad_output> / d input`: a transposed convolution of `grad_output`.
pub fn grad_input<'a>(
    dims: &Conv2dDims,
    grad_output: impl Into<Images<'a>>,
    weight: &[f32],
    grad_input: &mut [f32],
    workspace: &mut Workspace,
) {
    grad_input_fused(dims, grad_output.into(), weight, Epilogue::bias(None), grad_input, workspace);
}

/// [`grad_input`] with an epilogue: the forward pass of a transposed convolution.
pub(crate) fn grad_input_fused(
    dims: &Conv2dDims,
    grad_output: Images,
    weight: &[f32],
    epilogue: Epilogue,
    grad_input: &mut [f32],
    workspace: &mut Workspace,
) {
    let dense: fn(&Conv2dDims, &[f32], &[f32], &mut [f32], &mut Workspace) = match dims.chosen_algorithm() {
        ConvAlgorithm::Naive => |dims, g, w, dx, _| reference::conv2d_grad_input(dims, g, w, dx),
        ConvAlgorithm::Im2col => im2col::grad_input,
        ConvAlgorithm::Winograd => {
            let plan = workspace.plans.winograd_correlation(dims, Pass::GradInput);
            return plan.run(grad_output, weight, epilogue, grad_input, None, workspace);
        }
        _ if grad_output.taps.is_none() && ByWeightRows::pays(dims) => {
            let plan = workspace.plans.by_weight_rows(dims);
            return plan.run(grad_output.values, weight, epilogue, grad_input, workspace);
        }
        _ if grad_output.taps.is_none() && ByColumns::pays(dims, Pass::GradInput) => {
            let plan = workspace.plans.by_columns(dims, Pass::GradInput);
            return plan.run(grad_output.values, weight, epilogue, grad_input, workspace);
        }
        _ => {
            let plan = workspace.plans.correlation(dims, Pass::GradInput, grad_output.taps.is_some(), false);
            return plan.run(grad_output, weight, epilogue, grad_input, None, workspace);
        }
    };
    with_dense(dims, grad_output, workspace, |g, workspace| dense(dims, g, weight, grad_input, workspace));
    finish(epilogue, grad_input);
}

/// `grad_weight = d<output, grad_output> / d weight`: a convolution of `input` with `grad_output`.
pub fn grad_weight<'a>(
    dims: &Conv2dDims,
    input: &[f32],
    grad_output: impl Into<Images<'a>>,
    grad_weight: &mut [f32],
    workspace: &mut Workspace,
) {
    grad_weight_and_bias(dims, input, grad_output, [grad_weight, &mut []], workspace);
}

/// [`grad_weight`] and [`grad_bias`] in one pass over `grad_output`. An empty slice is left out.
pub fn grad_weight_and_bias<'a>(
    dims: &Conv2dDims,
    input: &[f32],
    grad_output: impl Into<Images<'a>>,
    [grad_weight, bias]: [&mut [f32]; 2],
    workspace: &mut Workspace,
) {
    let grad_output = grad_output.into();
    match dims.chosen_algorithm() {
        _ if grad_weight.is_empty() => {}
        ConvAlgorithm::Naive => with_dense(dims, grad_output, workspace, |g, _| {
            reference::conv2d_grad_weight(dims, input, g, grad_weight);
        }),
        ConvAlgorithm::Im2col => with_dense(dims, grad_output, workspace, |g, workspace| {
            im2col::grad_weight(dims, input, g, grad_weight, workspace);
        }),
        ConvAlgorithm::Winograd => {
            let plan = workspace.plans.winograd_weight_gradient(dims);
            return plan.run(input, grad_output, [grad_weight, bias], workspace);
        }
        _ if grad_output.taps.is_none() && WeightGradientByRows::pays(dims) => {
            let plan = workspace.plans.weight_gradient_by_rows(dims);
            plan.run(input, grad_output.values, grad_weight, workspace);
        }
        _ => {
            let plan = workspace.plans.weight_gradient(dims, grad_output.taps.is_some());
            return plan.run(input, grad_output, [grad_weight, bias], workspace);
        }
    }
    if !bias.is_empty() {
        // What was not the largest of its window is 0: the pooled gradient has the same sums.
        grad_bias(grad_output.values, bias, workspace);
    }
}

/// Calls `run` with the gradient of the output as it is, unpooled into a buffer if need be: for the algorithms that have
/// no fused form.
fn with_dense(dims: &Conv2dDims, images: Images, workspace: &mut Workspace, run: impl FnOnce(&[f32], &mut Workspace)) {
    if images.taps.is_none() {
        return run(images.values, workspace);
    }
    let mut dense = workspace.take_buffer(dims.output().len());
    images.make_dense(dims.window.output, dims.out_channels, &mut dense);
    run(&dense, workspace);
    workspace.give_buffer(dense);
}

/// Bias and activation, in passes of their own.
fn finish(epilogue: Epilogue, output: &mut [f32]) {
    if let Some(bias) = epilogue.bias {
        add_bias(bias, output);
    }
    parallel::for_each_chunk(output, parallel::ELEMENTS_PER_CHUNK, |_, values| activate(epilogue.activation, values));
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
        column_sums(sums, &grad_output[i * chunk_len..end.min(grad_output.len())], channels);
    });
    column_sums(grad_bias, &partial, channels);
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
    /// Keeps `input` for the gradient of the weight. Scratch is a strip of padded input for each thread (Winograd: about a
    /// megabyte), a packed copy of the weight (where few pixels meet a whole weight of packed outputs, or of the gradient of the input
    /// and of that of the output), and at most 16 partial gradients of the weight.
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
        self.conv2d_activation(input, weight, bias, spec, Activation::Linear)
    }

    /// `activation(conv2d(input))` as one node, in one pass over memory.
    ///
    /// # Panics
    /// As [`conv2d`](Self::conv2d), or if the slope of a leaky rectifier is negative or not finite.
    #[track_caller]
    pub fn conv2d_activation(
        &mut self,
        input: Var,
        weight: Var,
        bias: Option<Var>,
        spec: &Conv2dSpec,
        activation: Activation,
    ) -> Var {
        let shape_of_bias = bias.map(|bias| self.shape(bias));
        let dims = spec.resolve(self.shape(input), self.shape(weight), shape_of_bias).or_panic();
        let mut output = self.workspace.take(dims.output());
        let (x, w, b) = (self.values.get(input), self.values.get(weight), bias.map(|bias| self.values.get(bias)));
        let epilogue = Epilogue { bias: b, activation };
        forward_fused(&dims, x, w, epilogue, output.as_mut_slice(), None, self.workspace);
        self.record(Op::Conv2d { dims, input, weight, bias, activation, taps: None }, output)
    }

    /// `max_pool2d(activation(conv2d(input)))` with 2x2 windows and stride 2 as one node: see [`forward_fused`].
    ///
    /// # Memory
    /// Keeps the pooled output and one byte for each of its elements. With [`Direct`](super::ConvAlgorithm::Direct) and
    /// [`Winograd`](super::ConvAlgorithm::Winograd) the convolution's own output, four times as large, and its gradient never
    /// are in memory as a whole.
    ///
    /// # Panics
    /// As [`conv2d_activation`](Self::conv2d_activation), or if the output of the convolution is smaller than 2x2.
    ///
    /// ```
    /// use patchgrad::{Tape, Tensor, Workspace, ops::{Activation, Conv2dSpec}};
    /// let image = Tensor::from_fn([1, 3, 3, 1], |i| i as f32);
    /// let (sum, shift) = (Tensor::new([2, 2, 1, 1], &[1.0; 4]), Tensor::new([1], &[-20.0]));
    /// let mut workspace = Workspace::new();
    /// let mut tape = Tape::new(&mut workspace);
    /// let (x, w, b) = (tape.input(&image), tape.input(&sum), tape.input(&shift));
    /// let y = tape.conv2d_activation_max_pool2d(x, w, Some(b), &Conv2dSpec::new([2, 2]), Activation::Relu);
    /// // The largest of 8, 12, 20 and 24, less 20.
    /// assert_eq!(tape.value(y).as_slice(), [4.0]);
    /// ```
    #[track_caller]
    pub fn conv2d_activation_max_pool2d(
        &mut self,
        input: Var,
        weight: Var,
        bias: Option<Var>,
        spec: &Conv2dSpec,
        activation: Activation,
    ) -> Var {
        let shape_of_bias = bias.map(|bias| self.shape(bias));
        let dims = spec.resolve(self.shape(input), self.shape(weight), shape_of_bias).or_panic();
        let mut output = self.workspace.take(dims.pooled_output().or_panic());
        let mut taps = self.workspace.take_bytes(output.len());
        let (x, w, b) = (self.values.get(input), self.values.get(weight), bias.map(|bias| self.values.get(bias)));
        let epilogue = Epilogue { bias: b, activation };
        forward_fused(&dims, x, w, epilogue, output.as_mut_slice(), Some(&mut taps), self.workspace);
        let taps = Some(self.keep_taps(taps));
        self.record(Op::Conv2d { dims, input, weight, bias, activation, taps }, output)
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
