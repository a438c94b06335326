//! The same elements under another shape: nothing is computed, nothing is copied.

use crate::{
    Shape,
    autograd::{Op, Tape, Var},
    error::OrPanic,
    tensor::check_reshape,
};

impl Tape<'_> {
    /// `input` under another `shape` with as many elements. Values and gradients keep their order in memory.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(&mut self, input: Var, shape: impl Into<Shape>) -> Var {
        let shape = shape.into();
        check_reshape(self.shape(input), shape).or_panic();
        self.record_alias(Op::Reshape { input }, input, shape)
    }

    /// `[N, ..]` as `[N, everything else]`. An image is flattened in the order (H, W, C), so a linear layer after it
    /// numbers its inputs differently from PyTorch's (C, H, W): one whose weight goes to or comes from PyTorch's files is a
    /// [`Linear::of_map`](crate::layers::Linear::of_map).
    ///
    /// # Panics
    /// If `input` is a scalar.
    #[track_caller]
    pub fn flatten(&mut self, input: Var) -> Var {
        let shape = self.shape(input);
        let &samples = shape.dims().first().expect("flatten: a scalar has no samples to keep apart");
        self.reshape(input, [samples, shape.len() / samples.max(1)])
    }
}
