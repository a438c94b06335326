//! Activations: one function on every element; formulas at [`Activation`].
//!
//! # Memory
//! The derivative is computed from the *output* (for tanh: `1 - y^2`), so the input need not be kept.

use super::{Activation, arithmetic::map};
use crate::{
    autograd::{Op, Tape, Var},
    parallel::{self, ELEMENTS_PER_CHUNK},
};
use patchgrad_kernels::activation as kernel;

/// `output[i] = f(input[i])`, in parallel.
pub fn forward(activation: Activation, input: &[f32], output: &mut [f32]) {
    map(|output, input| kernel::forward(activation, output, input), input, output);
}

/// `grad_input[i] = f'(input[i]) * grad_output[i]`, from the output of the forward pass, in parallel.
pub fn grad_input(activation: Activation, output: &[f32], grad_output: &[f32], grad_input: &mut [f32]) {
    parallel::for_each_chunk(grad_input, ELEMENTS_PER_CHUNK, |i, grad_input| {
        let from = i * ELEMENTS_PER_CHUNK;
        let (output, grad_output) = (&output[from..][..grad_input.len()], &grad_output[from..][..grad_input.len()]);
        kernel::grad_input(activation, grad_input, output, grad_output);
    });
}

/// `grad = f'(x) * grad`, where `output = f(x)`: [`grad_input`] in place.
pub fn grad_in_place(activation: Activation, output: &[f32], grad: &mut [f32]) {
    if activation == Activation::Linear {
        return;
    }
    parallel::for_each_chunk(grad, ELEMENTS_PER_CHUNK, |i, grad| {
        kernel::grad_in_place(activation, grad, &output[i * ELEMENTS_PER_CHUNK..][..grad.len()]);
    });
}

impl Tape<'_> {
    /// `f(input)` for any [`Activation`] `f`; the linear one records nothing.
    ///
    /// # Panics
    /// If a leaky ReLU has a negative or non-finite slope.
    #[track_caller]
    pub fn activation(&mut self, input: Var, activation: Activation) -> Var {
        if activation == Activation::Linear {
            return input;
        }
        let mut output = self.workspace.take(self.shape(input));
        forward(activation, self.values.get(input), output.as_mut_slice());
        self.record(Op::Activation { activation, input }, output)
    }

    /// `x / (1 + |x|)`.
    pub fn softsign(&mut self, input: Var) -> Var {
        self.activation(input, Activation::Softsign)
    }

    /// The hyperbolic tangent.
    pub fn tanh(&mut self, input: Var) -> Var {
        self.activation(input, Activation::Tanh)
    }

    /// `1 / (1 + e^-x)`.
    pub fn sigmoid(&mut self, input: Var) -> Var {
        self.activation(input, Activation::Sigmoid)
    }

    /// `max(x, 0)`.
    pub fn relu(&mut self, input: Var) -> Var {
        self.activation(input, Activation::Relu)
    }

    /// `x` where it is positive, `negative_slope * x` elsewhere.
    ///
    /// # Panics
    /// If the slope is negative or not finite.
    #[track_caller]
    pub fn leaky_relu(&mut self, input: Var, negative_slope: f32) -> Var {
        self.activation(input, Activation::LeakyRelu { negative_slope })
    }

    /// `ln(1 + e^x)`.
    pub fn softplus(&mut self, input: Var) -> Var {
        self.activation(input, Activation::Softplus)
    }
}
