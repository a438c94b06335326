//! Layers: an op together with its parameters. A network is a [`Sequential`] of them.
//!
//! Parameters start as PyTorch's layers do: weight and bias uniform in ±1/sqrt(fan in).

mod sequential;
mod weighted;

pub use sequential::Sequential;
pub(crate) use sequential::output_shape_of_layer;
pub use weighted::{Conv2d, ConvTranspose2d, Linear};

use crate::{
    ParamId, Shape, ShapeError, Tape, Var,
    ops::{Activation, AvgPool2dSpec, MaxPool2dSpec},
};
use std::fmt;

/// One step of a network.
pub trait Layer: fmt::Debug + Send + Sync {
    /// Records the layer on `tape`.
    ///
    /// # Panics
    /// With the text of the [`ShapeError`] when the input does not fit.
    fn forward(&self, tape: &mut Tape, input: Var) -> Var;

    /// The shape that [`forward`](Self::forward) makes of an input shape.
    ///
    /// # Errors
    /// If the input does not fit.
    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError>;

    /// Multiply-adds of one forward pass, bias and element-wise work not counted.
    ///
    /// # Errors
    /// If the input does not fit.
    fn multiply_adds(&self, _input: Shape) -> Result<u64, ShapeError> {
        Ok(0)
    }

    /// The trainable tensors.
    fn params(&self) -> Vec<ParamId> {
        Vec::new()
    }

    /// What a summary calls the layer, such as `conv2d 3x3`.
    fn label(&self) -> String;
}

/// [`Tape::max_pool2d`]; the indices are dropped.
#[derive(Clone, Copy, Debug)]
pub struct MaxPool2d(pub MaxPool2dSpec);

impl Layer for MaxPool2d {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        tape.max_pool2d(input, &self.0).0
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(self.0.resolve(input)?.output())
    }

    fn label(&self) -> String {
        format!("max_pool2d {}x{}", self.0.kernel_size[0], self.0.kernel_size[1])
    }
}

/// [`Tape::avg_pool2d`].
#[derive(Clone, Copy, Debug)]
pub struct AvgPool2d(pub AvgPool2dSpec);

impl Layer for AvgPool2d {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        tape.avg_pool2d(input, &self.0)
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(self.0.resolve(input)?.output())
    }

    fn label(&self) -> String {
        format!("avg_pool2d {}x{}", self.0.kernel_size[0], self.0.kernel_size[1])
    }
}

impl Layer for Activation {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        tape.activation(input, *self)
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(input)
    }

    fn label(&self) -> String {
        self.to_string()
    }
}

/// [`Tape::flatten`]: `[N, ..]` to `[N, features]`, maps in the order (H, W, C); see [`Linear::of_map`] for what follows it.
#[derive(Clone, Copy, Debug)]
pub struct Flatten;

impl Layer for Flatten {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        tape.flatten(input)
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        match input.dims() {
            [] => Err(ShapeError::new("flatten", "a scalar has no samples to keep apart")),
            &[samples, ..] => Ok(Shape::from([samples, input.len() / samples.max(1)])),
        }
    }

    fn label(&self) -> String {
        "flatten".to_string()
    }
}
