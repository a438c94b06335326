//! The tables of awkward cases, and the one form in which every check can use them.

mod any_convolution;
mod convolution;
mod elementwise;
mod fused;
mod patches;
mod pooling;
mod small_batches;

pub use any_convolution::{Convolution, Epilogue};
pub use convolution::{Conv2dCase, ConvTranspose2dCase, LinearCase, conv_transpose2d, conv2d, linear};
pub use elementwise::{ACTIVATIONS, elementwise};
pub use fused::fused;
pub use patches::{FoldCase, fold};
pub use pooling::{AvgPool2dCase, MaxPool2dCase, avg_pool2d, max_pool2d, unpool_indices};
pub use small_batches::small_batches;

use crate::values::Draw;
use patchgrad::{Shape, Tape, Tensor, Var};

/// Whether a case needs more than one chunk of work, and is then too large for a difference in every element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Small,
    ManyChunks,
}

/// Records an op on its inputs.
type Record = Box<dyn Fn(&mut Tape, &[Var]) -> Var + Send + Sync>;

/// One differentiable op on inputs of given shapes.
pub struct Case {
    pub op: &'static str,
    pub name: &'static str,
    pub size: Size,
    inputs: Vec<(Shape, Draw)>,
    /// How many draws of the inputs were passed over.
    passed_over: usize,
    record: Record,
}

impl Case {
    /// A small case whose inputs are all drawn as `draw`.
    fn new(
        (op, name): (&'static str, &'static str),
        draw: Draw,
        inputs: &[Shape],
        record: impl Fn(&mut Tape, &[Var]) -> Var + Send + Sync + 'static,
    ) -> Self {
        let inputs = inputs.iter().map(|&shape| (shape, draw)).collect();
        Self { op, name, size: Size::Small, inputs, passed_over: 0, record: Box::new(record) }
    }

    fn of_size(self, size: Size) -> Self {
        Self { size, ..self }
    }

    /// The same, with the first draw of its inputs that `fits`.
    fn drawn_until(mut self, fits: impl Fn(&[Tensor]) -> bool) -> Self {
        while !fits(&self.inputs()) {
            self.passed_over += 1;
            assert!(self.passed_over < 1000, "{}: none of a thousand draws fits", self.label());
        }
        self
    }

    pub fn label(&self) -> String {
        format!("{}/{}", self.op, self.name)
    }

    /// The inputs, the same on every call.
    pub fn inputs(&self) -> Vec<Tensor> {
        let first = self.passed_over * self.inputs.len();
        let draw = |(index, &(shape, draw)): (usize, &(Shape, Draw))| draw.tensor(shape, &self.label(), first + index);
        self.inputs.iter().enumerate().map(draw).collect()
    }

    pub fn record(&self, tape: &mut Tape, inputs: &[Var]) -> Var {
        (self.record)(tape, inputs)
    }
}

/// Every case of every differentiable op.
pub fn all() -> Vec<Case> {
    let convolutions = conv2d().into_iter().map(Conv2dCase::case);
    let transposed = conv_transpose2d().into_iter().map(ConvTranspose2dCase::case);
    let linear = linear().into_iter().map(LinearCase::case);
    let patches = fold().into_iter().flat_map(FoldCase::cases);
    let max_pools = max_pool2d().into_iter().flat_map(MaxPool2dCase::cases);
    let avg_pools = avg_pool2d().into_iter().map(AvgPool2dCase::case);
    let spatial =
        convolutions.chain(transposed).chain(fused()).chain(linear).chain(patches).chain(max_pools).chain(avg_pools);
    spatial.chain(elementwise()).collect()
}
