//! The linear (fully connected) layer.
//!
//! ```text
//! y[.., o] = b[o] + sum over i of x[.., i] * w[i, o]
//! ```
//!
//! # Shapes
//! input `[.., I]` of any rank from 1, weight `[I, O]`, bias `[O]`, output `[.., O]`.
//!
//! # One implementation
//! A linear layer is a convolution of 1x1 images: its patch matrix is its input. So the three passes are those of
//! [`conv2d`].
//!
//! # PyTorch
//! `torch.nn.functional.linear`, whose weight is `[O, I]` (see [`crate::layout`]). Keras: `Dense`, same layout as here.

use super::{
    Activation,
    conv2d::{self, Conv2dDims, ConvAlgorithm},
};
use crate::{
    Shape, ShapeError,
    autograd::{Op, Tape, Var},
    error::OrPanic,
};
use patchgrad_kernels::window::Window2d;

/// The checked sizes of one linear layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinearDims {
    /// `[.., O]`.
    pub output: Shape,
    /// The same as a convolution of 1x1 images.
    pub(crate) pointwise: Conv2dDims,
}

impl LinearDims {
    /// Checks `input` `[.., I]`, `weight` `[I, O]` and `bias` `[O]`.
    ///
    /// # Errors
    /// If they do not fit.
    pub fn resolve(input: Shape, weight: Shape, bias: Option<Shape>) -> Result<Self, ShapeError> {
        let op = "linear";
        let &[in_features, out_features] = weight.dims() else {
            return Err(ShapeError::new(op, format!("the weight {weight} needs two sizes (I, O)")));
        };
        if input.dims().last() != Some(&in_features) {
            let message = format!(
                "the weight {weight} (I, O) reads {in_features} features, but the last axis of the input {input} is \
                 {}; flatten an image to [N, H * W * C] first",
                input.dims().last().map_or("missing".to_string(), usize::to_string)
            );
            return Err(ShapeError::new(op, message));
        }
        if input.is_empty() || weight.is_empty() {
            return Err(ShapeError::new(op, format!("the input {input} or the weight {weight} (I, O) is empty")));
        }
        conv2d::check_bias(op, bias, out_features)?;
        let mut sizes = [0; 4];
        let sizes = &mut sizes[..input.rank()];
        sizes.copy_from_slice(input.dims());
        sizes[input.rank() - 1] = out_features;
        conv2d::check_size(op, Shape::new(sizes))?;
        let window = Window2d {
            input: [1, 1],
            output: [1, 1],
            kernel_size: [1, 1],
            stride: [1, 1],
            padding: [0, 0],
            dilation: [1, 1],
        };
        let pointwise = Conv2dDims {
            batch: input.len() / in_features,
            in_channels: in_features,
            out_channels: out_features,
            groups: 1,
            window,
            algorithm: ConvAlgorithm::Auto,
        };
        Ok(Self { output: Shape::new(sizes), pointwise })
    }

    /// Floating-point operations of one pass: two for each multiply-add, bias not.
    pub fn flops(&self) -> u64 {
        self.pointwise.flops()
    }
}

impl Tape<'_> {
    /// The linear layer on `input` `[.., I]` with `weight` `[I, O]` and optional `bias` `[O]`: see
    /// [`ops::linear`](crate::ops::linear).
    ///
    /// # Memory
    /// Keeps `input` for the gradient of the weight.
    ///
    /// # Panics
    /// With the text of the [`ShapeError`] of [`LinearDims::resolve`].
    #[track_caller]
    pub fn linear(&mut self, input: Var, weight: Var, bias: Option<Var>) -> Var {
        let shape_of_bias = bias.map(|bias| self.shape(bias));
        let dims = LinearDims::resolve(self.shape(input), self.shape(weight), shape_of_bias).or_panic();
        let mut output = self.workspace.take(dims.output);
        let (x, w, b) = (self.values.get(input), self.values.get(weight), bias.map(|bias| self.values.get(bias)));
        conv2d::forward(&dims.pointwise, x, w, b, output.as_mut_slice(), self.workspace);
        let activation = Activation::Linear;
        self.record(Op::Conv2d { dims: dims.pointwise, input, weight, bias, activation, taps: None }, output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_to_try() {
        let error = LinearDims::resolve([2, 4, 4, 3].into(), [48, 10].into(), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "linear: the weight [48, 10] (I, O) reads 48 features, but the last axis of the input [2, 4, 4, 3] is 3; flatten \
             an image to [N, H * W * C] first"
        );
    }
}
