//! Transposed convolution: the *adjoint* of a convolution, not its inverse.
//!
//! A convolution is a linear map: written out, it multiplies the flattened image by a sparse matrix `A` whose rows are
//! shifted copies of the kernel. The transposed convolution multiplies by `A^T`: each input pixel *pastes* a scaled copy
//! of the kernel into the output, `stride` pixels apart, and copies that overlap add.
//!
//! ```text
//! y[n, h*s - p + kh*d, w*s - p + kw*d, o] += x[n, h, w, c] * weight[kh, kw, o, c]      for all h, w, kh, kw, c
//! ```
//!
//! It undoes the *shape* of the convolution, not its values (`A^T A` is not the identity).
//!
//! # Shapes
//! input `[N, H, W, C]`, weight `[KH, KW, O/G, C]`, bias `[O]`, output `[N, OH, OW, O]` with
//! `OH = (H - 1) s - 2p + d (KH - 1) + output_padding + 1`. The stride of a convolution rounds down, so several output
//! sizes lead to the same input size: `output_padding` picks one, it adds no padding.
//!
//! # Not a second implementation
//! The weight is laid out as that of the convolution from O to C channels that this is the adjoint of. Then forward is
//! that convolution's gradient of the input, the gradient of the input is its forward pass, and the gradient of the
//! weight is its gradient of the weight with input and output exchanged.
//!
//! # PyTorch
//! `torch.nn.functional.conv_transpose2d`; its weight is `[C, O/G, KH, KW]` (see [`crate::layout`]). Keras:
//! `Conv2DTranspose`, whose kernel `[KH, KW, O, C]` is as here.
//!
//! # References
//! Dumoulin, Visin: "A guide to convolution arithmetic for deep learning", arXiv 1603.07285, section 4.

use super::{
    Activation,
    conv2d::{self, Conv2dDims, Conv2dSpec, ConvAlgorithm, Epilogue, Images},
};
use crate::{
    Shape, ShapeError, Workspace,
    autograd::{Op, Tape, Var},
    error::{OrPanic, Pair},
};
use patchgrad_kernels::window::Window2d;

/// A transposed convolution as it is asked for: PyTorch's names and defaults, pairs as `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvTranspose2dSpec {
    /// Taps of the kernel.
    pub kernel_size: [usize; 2],
    /// Distance in the output between the copies pasted by neighbouring input pixels.
    pub stride: [usize; 2],
    /// Rows and columns cut off the output on either side.
    pub padding: [usize; 2],
    /// Rows and columns added to the output at the bottom and right; less than the stride or the dilation.
    pub output_padding: [usize; 2],
    /// Distance between taps, in output pixels.
    pub dilation: [usize; 2],
    /// Number of groups that the channels are cut into.
    pub groups: usize,
    /// How to compute it.
    pub algorithm: ConvAlgorithm,
}

impl ConvTranspose2dSpec {
    /// Stride 1, padding 0, output padding 0, dilation 1, one group.
    pub fn new(kernel_size: [usize; 2]) -> Self {
        let Conv2dSpec { kernel_size, stride, padding, dilation, groups, algorithm } = Conv2dSpec::new(kernel_size);
        Self { kernel_size, stride, padding, output_padding: [0, 0], dilation, groups, algorithm }
    }

    /// Checks the shapes `input` `[N, H, W, C]`, `weight` `[KH, KW, O/G, C]` and `bias` `[O]`, once and completely.
    ///
    /// # Errors
    /// If anything does not fit, with the shapes and what to try.
    pub fn resolve(&self, input: Shape, weight: Shape, bias: Option<Shape>) -> Result<ConvTranspose2dDims, ShapeError> {
        let op = "conv_transpose2d";
        let Self { kernel_size, stride, padding, output_padding, dilation, groups, algorithm } = *self;
        let [batch, h, w, in_channels] = conv2d::image(op, input)?;
        let adjoint = Conv2dSpec { kernel_size, stride, padding, dilation, groups, algorithm };
        let [weight_channels, out_group] = adjoint.check_weight(op, weight, "O/G, C")?;
        if in_channels != weight_channels {
            return Err(ShapeError::new(
                op,
                format!(
                    "the weight {weight} (KH, KW, O/G, C) reads C = {weight_channels} input channels, but the input {input} \
                     (N, H, W, C) has C = {in_channels}"
                ),
            ));
        }
        conv2d::check_bias(op, bias, out_group * groups)?;
        conv2d::check_option(op, "output_padding", output_padding)?;
        let mut output = [0; 2];
        for (axis, size) in [h, w].into_iter().enumerate() {
            if output_padding[axis] >= stride[axis].max(dilation[axis]) {
                return Err(ShapeError::new(
                    op,
                    format!(
                        "output_padding {} must be smaller than the stride {} or the dilation {} along each axis",
                        Pair(output_padding),
                        Pair(stride),
                        Pair(dilation)
                    ),
                ));
            }
            let full = (size - 1) * stride[axis] + dilation[axis] * (kernel_size[axis] - 1) + output_padding[axis] + 1;
            output[axis] = full.checked_sub(2 * padding[axis]).filter(|&size| size > 0).ok_or_else(|| {
                ShapeError::new(
                    op,
                    format!(
                        "padding {} cuts away the whole output: along axis {axis} (0 = H, 1 = W) it is {full} pixels wide \
                         before (input {input} (N, H, W, C), kernel {}); try padding <= {}",
                        Pair(padding),
                        Pair(kernel_size),
                        (full - 1) / 2
                    ),
                )
            })?;
        }
        let window = Window2d { input: output, output: [h, w], kernel_size, stride, padding, dilation };
        let out_channels = out_group * groups;
        conv2d::check_size(op, [batch, output[0], output[1], out_channels])?;
        Ok(ConvTranspose2dDims {
            adjoint: Conv2dDims {
                batch,
                in_channels: out_channels,
                out_channels: in_channels,
                groups,
                window,
                algorithm,
            },
        })
    }
}

/// The checked sizes of one transposed convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvTranspose2dDims {
    /// The convolution that this is the adjoint of: its input is our output.
    pub adjoint: Conv2dDims,
}

impl ConvTranspose2dDims {
    /// `[N, H, W, C]`.
    pub fn input(&self) -> Shape {
        self.adjoint.output()
    }

    /// `[N, OH, OW, O]`.
    pub fn output(&self) -> Shape {
        self.adjoint.input()
    }

    /// Floating-point operations of one pass: two for each multiply-add, cut-off output included, bias not.
    pub fn flops(&self) -> u64 {
        self.adjoint.flops()
    }
}

/// `output = conv_transpose(input, weight) + bias`: the adjoint convolution's gradient of the input.
pub fn forward(
    dims: &ConvTranspose2dDims,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    output: &mut [f32],
    workspace: &mut Workspace,
) {
    forward_fused(dims, input, weight, Epilogue::bias(bias), output, workspace);
}

/// `output = activation(conv_transpose(input, weight) + bias)` in one pass over memory.
pub fn forward_fused(
    dims: &ConvTranspose2dDims,
    input: &[f32],
    weight: &[f32],
    epilogue: Epilogue,
    output: &mut [f32],
    workspace: &mut Workspace,
) {
    conv2d::grad_input_fused(&dims.adjoint, Images::dense(input), weight, epilogue, output, workspace);
}

/// `grad_input = d<output, grad_output> / d input`: the adjoint convolution of `grad_output`.
pub fn grad_input(
    dims: &ConvTranspose2dDims,
    grad_output: &[f32],
    weight: &[f32],
    grad_input: &mut [f32],
    workspace: &mut Workspace,
) {
    conv2d::forward(&dims.adjoint, grad_output, weight, None, grad_input, workspace);
}

/// `grad_weight = d<output, grad_output> / d weight`: that of the adjoint, whose input is `grad_output` and whose
/// gradient of the output is `input`.
pub fn grad_weight(
    dims: &ConvTranspose2dDims,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
    workspace: &mut Workspace,
) {
    conv2d::grad_weight(&dims.adjoint, grad_output, input, grad_weight, workspace);
}

impl Tape<'_> {
    /// Transposed convolution of `input` `[N, H, W, C]` with `weight` `[KH, KW, O/G, C]` and optional `bias` `[O]`: see
    /// [`ops::conv_transpose2d`](crate::ops::conv_transpose2d).
    ///
    /// # Panics
    /// With the text of the [`ShapeError`] of [`ConvTranspose2dSpec::resolve`].
    ///
    /// ```
    /// use patchgrad::{Tape, Tensor, Workspace, ops::ConvTranspose2dSpec};
    /// let (pixel, kernel) = (Tensor::new([1, 1, 2, 1], &[1.0, 10.0]), Tensor::new([1, 3, 1, 1], &[1.0, 2.0, 3.0]));
    /// let mut workspace = Workspace::new();
    /// let mut tape = Tape::new(&mut workspace);
    /// let (x, w) = (tape.input(&pixel), tape.input(&kernel));
    /// let y = tape.conv_transpose2d(x, w, None, &ConvTranspose2dSpec { stride: [1, 2], ..ConvTranspose2dSpec::new([1, 3]) });
    /// // 1 2 3 pasted at 0, 10 20 30 pasted at 2: the overlap adds.
    /// assert_eq!(tape.value(y).as_slice(), [1.0, 2.0, 13.0, 20.0, 30.0]);
    /// ```
    #[track_caller]
    pub fn conv_transpose2d(&mut self, input: Var, weight: Var, bias: Option<Var>, spec: &ConvTranspose2dSpec) -> Var {
        self.conv_transpose2d_activation(input, weight, bias, spec, Activation::Linear)
    }

    /// `activation(conv_transpose2d(input))` as one node, in one pass over memory.
    ///
    /// # Panics
    /// As [`conv_transpose2d`](Self::conv_transpose2d).
    #[track_caller]
    pub fn conv_transpose2d_activation(
        &mut self,
        input: Var,
        weight: Var,
        bias: Option<Var>,
        spec: &ConvTranspose2dSpec,
        activation: Activation,
    ) -> Var {
        let shape_of_bias = bias.map(|bias| self.shape(bias));
        let dims = spec.resolve(self.shape(input), self.shape(weight), shape_of_bias).or_panic();
        let mut output = self.workspace.take(dims.output());
        let (x, w, b) = (self.values.get(input), self.values.get(weight), bias.map(|bias| self.values.get(bias)));
        let epilogue = Epilogue { bias: b, activation };
        forward_fused(&dims, x, w, epilogue, output.as_mut_slice(), self.workspace);
        self.record(Op::ConvTranspose2d { dims, input, weight, bias, activation }, output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(spec: ConvTranspose2dSpec, input: [usize; 4], weight: [usize; 4]) -> String {
        spec.resolve(input.into(), weight.into(), None).unwrap_err().to_string()
    }

    #[test]
    fn errors_say_what_to_try() {
        let spec = ConvTranspose2dSpec { padding: [3, 3], ..ConvTranspose2dSpec::new([3, 3]) };
        assert_eq!(
            message(spec, [1, 2, 2, 4], [3, 3, 8, 4]),
            "conv_transpose2d: padding 3x3 cuts away the whole output: along axis 0 (0 = H, 1 = W) it is 4 pixels wide before \
             (input [1, 2, 2, 4] (N, H, W, C), kernel 3x3); try padding <= 1"
        );
        let spec = ConvTranspose2dSpec { output_padding: [1, 0], ..ConvTranspose2dSpec::new([3, 3]) };
        assert_eq!(
            message(spec, [1, 2, 2, 4], [3, 3, 8, 4]),
            "conv_transpose2d: output_padding 1x0 must be smaller than the stride 1x1 or the dilation 1x1 along each axis"
        );
        assert_eq!(
            message(ConvTranspose2dSpec::new([3, 3]), [1, 2, 2, 4], [3, 3, 4, 8]),
            "conv_transpose2d: the weight [3, 3, 4, 8] (KH, KW, O/G, C) reads C = 8 input channels, but the input \
             [1, 2, 2, 4] (N, H, W, C) has C = 4"
        );
    }

    #[test]
    fn output_padding_picks_one_of_the_sizes_that_the_stride_rounds_together() {
        for (output_padding, size) in [(0, 9), (1, 10)] {
            let spec = ConvTranspose2dSpec {
                stride: [2, 2],
                padding: [1, 1],
                output_padding: [output_padding; 2],
                ..ConvTranspose2dSpec::new([3, 3])
            };
            let dims = spec.resolve([1, 5, 5, 1].into(), [3, 3, 1, 1].into(), None).unwrap();
            assert_eq!(dims.output().dims(), [1, size, size, 1]);
            let conv = Conv2dSpec { stride: [2, 2], padding: [1, 1], ..Conv2dSpec::new([3, 3]) };
            let back = conv.resolve(dims.output(), [3, 3, 1, 1].into(), None).unwrap();
            assert_eq!(back.output().dims(), [1, 5, 5, 1]);
        }
    }
}
