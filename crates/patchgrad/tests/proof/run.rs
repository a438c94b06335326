//! Runs a recording and collects everything it computes.

use crate::values::bits;
use patchgrad::{Shape, Tape, Tensor, Var, Workspace};

/// What one op computed: its value and the gradient of every input under a given cotangent.
pub struct Outcome {
    pub output: Tensor,
    pub gradients: Vec<Tensor>,
}

impl Outcome {
    /// The bit patterns of everything, one after the other.
    pub fn bits(&self) -> Vec<u32> {
        std::iter::once(&self.output).chain(&self.gradients).flat_map(|tensor| bits(tensor.as_slice())).collect()
    }
}

/// Records `op` on variables `inputs` and differentiates `<output, cotangent(shape of the output)>`.
///
/// # Panics
/// If an input gets no gradient.
#[track_caller]
pub fn run(
    inputs: &[Tensor],
    cotangent: impl Fn(Shape) -> Tensor,
    op: impl FnOnce(&mut Tape, &[Var]) -> Var,
) -> Outcome {
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace);
    let variables: Vec<Var> = inputs.iter().map(|input| tape.variable(input)).collect();
    let output = op(&mut tape, &variables);
    let value = tape.value(output).to_tensor();
    let gradients = tape.backward_from(output, &cotangent(value.shape()));
    let gradient = |&var| gradients.variable(var).expect("every input gets a gradient").clone();
    Outcome { output: value, gradients: variables.iter().map(gradient).collect() }
}

/// The value of `op` on `inputs`, without gradients.
pub fn value(inputs: &[&Tensor], op: impl FnOnce(&mut Tape, &[Var]) -> Var) -> Tensor {
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace);
    let variables: Vec<Var> = inputs.iter().map(|input| tape.input(input)).collect();
    let output = op(&mut tape, &variables);
    tape.finish(output)
}
