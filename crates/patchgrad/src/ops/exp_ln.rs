//! The exponential and the natural logarithm of every element.
//!
//! ```text
//! exp:  y = e^x,     dy/dx = y
//! ln:   y = ln x,    dy/dx = 1 / x      (-inf at 0, NaN below)
//! ```
//!
//! What penalties are written with: the Kullback-Leibler divergence of a code, the variance of a variational one.

use super::arithmetic::{map, zip};
use crate::{
    Tensor,
    autograd::{Op, Tape, Var},
};
use patchgrad_kernels::{elementwise, math};

/// `output[i] = e^input[i]`, in parallel.
pub fn exp(input: &[f32], output: &mut [f32]) {
    map(math::exp_slice, input, output);
}

/// `output[i] = ln(input[i])`, in parallel.
pub fn ln(input: &[f32], output: &mut [f32]) {
    map(math::ln_slice, input, output);
}

/// `grad_input[i] = e^x[i] * grad_output[i]`, from the output of the forward pass, in parallel.
pub fn exp_grad(output: &[f32], grad_output: &[f32], grad_input: &mut [f32]) {
    zip(elementwise::mul, output, grad_output, grad_input);
}

/// `grad_input[i] = grad_output[i] / x[i]`, in parallel.
pub fn ln_grad(input: &[f32], grad_output: &[f32], grad_input: &mut [f32]) {
    zip(divide, grad_output, input, grad_input);
}

fn divide(out: &mut [f32], a: &[f32], b: &[f32]) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = a / b;
    }
}

impl Tape<'_> {
    /// `e^input`, element by element (`torch.exp`).
    pub fn exp(&mut self, input: Var) -> Var {
        let output = self.map(exp, input);
        self.record(Op::Exp { input }, output)
    }

    /// The natural logarithm of `input`, element by element (`torch.log`).
    pub fn ln(&mut self, input: Var) -> Var {
        let output = self.map(ln, input);
        self.record(Op::Ln { input }, output)
    }

    fn map(&mut self, f: fn(&[f32], &mut [f32]), input: Var) -> Tensor {
        let mut output = self.workspace.take(self.shape(input));
        f(self.values.get(input), output.as_mut_slice());
        output
    }
}
