//! Runs a recording and collects everything it computes.

use crate::values::{assert_near, assert_same, bits, filled};
use patchgrad::{Shape, Tape, Tensor, Var, Workspace};

/// How far Winograd's algorithm may be off, as a share of the root mean square of what it computes. The largest error among
/// these cases was measured as 2.7e-5.
const WINOGRAD_ERROR: f64 = 5e-5;

/// What the tensors of an outcome of an op with input, weight and bias are.
const NAMES: [&str; 4] = ["output", "gradient of the input", "gradient of the weight", "gradient of the bias"];

/// What one op computed: its value and the gradient of every input under a given cotangent.
pub struct Outcome {
    pub output: Tensor,
    pub gradients: Vec<Tensor>,
}

impl Outcome {
    /// What an op with input, weight and perhaps a bias computes, given what it does without the bias.
    pub fn with_bias(
        [output, grad_input]: [Tensor; 2],
        grad_weight: Tensor,
        bias: Option<&Tensor>,
        cotangent: &Tensor,
    ) -> Self {
        let (mut output, mut gradients) = (output, vec![grad_input, grad_weight]);
        if let Some(bias) = bias {
            for pixel in output.as_mut_slice().chunks_mut(bias.len()) {
                pixel.iter_mut().zip(bias.as_slice()).for_each(|(value, bias)| *value += bias);
            }
            gradients.push(filled(bias.shape(), |sums| {
                sums.fill(0.0);
                for pixel in cotangent.as_slice().chunks(sums.len()) {
                    sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
                }
            }));
        }
        Self { output, gradients }
    }

    /// Output and gradients, each with its name.
    pub fn tensors(&self) -> impl Iterator<Item = (&'static str, &Tensor)> {
        NAMES.into_iter().zip(std::iter::once(&self.output).chain(&self.gradients))
    }

    /// The bit patterns of everything, one after the other.
    pub fn bits(&self) -> Vec<u32> {
        std::iter::once(&self.output).chain(&self.gradients).flat_map(|tensor| bits(tensor.as_slice())).collect()
    }

    /// Every tensor `==` that of `expected`. Gives their number.
    #[track_caller]
    pub fn assert_same(&self, label: &str, expected: &Self) -> usize {
        self.assert_computed_by(false, label, expected)
    }

    /// Every tensor `==` that of `expected`; where Winograd's algorithm computed them, output and gradients of input and weight
    /// within its error. Gives the number of tensors.
    #[track_caller]
    pub fn assert_computed_by(&self, winograd: bool, label: &str, expected: &Self) -> usize {
        assert_eq!(self.gradients.len(), expected.gradients.len(), "{label}: the number of gradients");
        for (i, ((name, got), (_, expected))) in self.tensors().zip(expected.tensors()).enumerate() {
            // The last is the gradient of the bias, if there is one: plain sums.
            if winograd && i < 3 {
                assert_near(&format!("{label}: {name}"), got, expected, WINOGRAD_ERROR);
            } else {
                assert_same(&format!("{label}: {name}"), got, expected);
            }
        }
        expected.gradients.len() + 1
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
