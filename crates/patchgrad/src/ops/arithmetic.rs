//! Sums, differences and products of tensors of the same shape, and scaling.

use crate::{
    Shape, ShapeError, Tensor,
    autograd::{Op, Tape, Var},
    error::OrPanic,
    parallel::{self, ELEMENTS_PER_CHUNK},
};
use patchgrad_kernels::elementwise;

/// `output[i] = f(a[i], b[i])` for a kernel `f` on slices, in parallel.
pub(crate) fn zip(f: fn(&mut [f32], &[f32], &[f32]), a: &[f32], b: &[f32], output: &mut [f32]) {
    parallel::for_each_chunk(output, ELEMENTS_PER_CHUNK, |i, output| {
        let from = i * ELEMENTS_PER_CHUNK;
        f(output, &a[from..][..output.len()], &b[from..][..output.len()]);
    });
}

/// `output[i] = f(input[i])` for a kernel `f` on slices, in parallel.
pub(super) fn map(f: impl Fn(&mut [f32], &[f32]) + Sync, input: &[f32], output: &mut [f32]) {
    parallel::for_each_chunk(output, ELEMENTS_PER_CHUNK, |i, output| {
        f(output, &input[i * ELEMENTS_PER_CHUNK..][..output.len()]);
    });
}

/// `output[i] = factor * input[i]`, in parallel.
pub(crate) fn scale(factor: f32, input: &[f32], output: &mut [f32]) {
    map(|output, input| elementwise::scale(output, input, factor), input, output);
}

/// `sum[i] += x[i]`, in parallel.
pub(crate) fn add_assign(sum: &mut [f32], x: &[f32]) {
    parallel::for_each_chunk(sum, ELEMENTS_PER_CHUNK, |i, sum| {
        elementwise::add_assign(sum, &x[i * ELEMENTS_PER_CHUNK..][..sum.len()]);
    });
}

pub(super) fn same_shape(op: &'static str, a: Shape, b: Shape) -> Result<Shape, ShapeError> {
    if a == b {
        Ok(a)
    } else {
        Err(ShapeError::new(op, format!("the shapes {a} and {b} must agree; nothing is broadcast")))
    }
}

impl<'a> Tape<'a> {
    /// `a + b` of equal shapes. The gradient goes to both as it is.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn add(&mut self, a: Var, b: Var) -> Var {
        let output = self.zip("add", elementwise::add, a, b);
        self.record(Op::Add { a, b }, output)
    }

    /// `a - b` of equal shapes. The gradient goes to `a` as it is and to `b` negated.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn sub(&mut self, a: Var, b: Var) -> Var {
        let output = self.zip("sub", elementwise::sub, a, b);
        self.record(Op::Sub { a, b }, output)
    }

    /// `a * b`, element by element, of equal shapes. Each gets the gradient times the other.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn mul(&mut self, a: Var, b: Var) -> Var {
        let output = self.zip("mul", elementwise::mul, a, b);
        self.record(Op::Mul { a, b }, output)
    }

    /// `factor * input`. The gradient is scaled likewise.
    pub fn scale(&mut self, input: Var, factor: f32) -> Var {
        let mut output = self.workspace.take(self.shape(input));
        scale(factor, self.values.get(input), output.as_mut_slice());
        self.record(Op::Scale { factor, input }, output)
    }

    /// `input * mask`, element by element, with a constant of the same shape: 0 hides an element and its gradient, 1
    /// keeps it (masking noise, drop-out).
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn mask(&mut self, input: Var, mask: &'a Tensor) -> Var {
        same_shape("mask", self.shape(input), mask.shape()).or_panic();
        let mask = self.input(mask);
        self.mul(input, mask)
    }

    #[track_caller]
    fn zip(&mut self, op: &'static str, f: fn(&mut [f32], &[f32], &[f32]), a: Var, b: Var) -> Tensor {
        let shape = same_shape(op, self.shape(a), self.shape(b)).or_panic();
        let mut output = self.workspace.take(shape);
        zip(f, self.values.get(a), self.values.get(b), output.as_mut_slice());
        output
    }
}
