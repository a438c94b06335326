//! Activations, arithmetic, reshapes, losses: ops whose awkwardness lies in their values and in the number of elements.

use super::{Case, Size};
use crate::values::Draw;
use patchgrad::{Shape, Tape, Tensor, Var, ops::Activation};
use std::sync::LazyLock;

/// Every activation that computes something; leaky ReLU with a steep, a flat and no slope.
pub const ACTIVATIONS: [Activation; 8] = [
    Activation::Softsign,
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Relu,
    Activation::LeakyRelu { negative_slope: 0.5 },
    Activation::LeakyRelu { negative_slope: 0.01 },
    Activation::LeakyRelu { negative_slope: 0.0 },
    Activation::Softplus,
];

/// More elements than one chunk of an element-wise pass has, and not a multiple of it.
const MANY: usize = 2 * patchgrad::parallel::ELEMENTS_PER_CHUNK + 77;

/// Hides every third element.
static MASK: LazyLock<Tensor> = LazyLock::new(|| Tensor::from_fn([3, 5], |i| if i % 3 == 0 { 0.0 } else { 1.0 }));

pub fn elementwise() -> Vec<Case> {
    let sizes = [("one_value", Shape::from([1]), Size::Small), ("image", Shape::from([2, 3, 2, 3]), Size::Small)];
    let many = ("many_chunks", Shape::from([MANY]), Size::ManyChunks);
    let mut cases = Vec::new();
    for (name, shape, size) in sizes.into_iter().chain([many]) {
        for activation in ACTIVATIONS {
            let record = move |tape: &mut Tape, v: &[Var]| tape.activation(v[0], activation);
            cases.push(Case::new((activation.name(), name), Draw::AwayFromZero, &[shape], record).of_size(size));
        }
        let mut add = |op, inputs: &[Shape], record: fn(&mut Tape, &[Var]) -> Var| {
            cases.push(Case::new((op, name), Draw::Normal, inputs, record).of_size(size));
        };
        add("add", &[shape; 2], |tape, v| tape.add(v[0], v[1]));
        add("sub", &[shape; 2], |tape, v| tape.sub(v[0], v[1]));
        add("mul", &[shape; 2], |tape, v| tape.mul(v[0], v[1]));
        add("scale", &[shape], |tape, v| tape.scale(v[0], -1.5));
        add("exp", &[shape], |tape, v| tape.exp(v[0]));
        add("sum", &[shape], |tape, v| tape.sum(v[0]));
        add("flatten", &[shape], |tape, v| tape.flatten(v[0]));
        add("mse_loss", &[shape; 2], |tape, v| tape.mse_loss(v[0], v[1]));
        add("bce_with_logits", &[shape; 2], |tape, v| tape.bce_with_logits(v[0], v[1]));
        let ln = |tape: &mut Tape, v: &[Var]| tape.ln(v[0]);
        cases.push(Case::new(("ln", name), Draw::Positive, &[shape], ln).of_size(size));
    }
    let mut add = |op, name, inputs: &[Shape], record: fn(&mut Tape, &[Var]) -> Var| {
        cases.push(Case::new((op, name), Draw::Normal, inputs, record));
    };
    let plane = Shape::from([3, 5]);
    add("add", "of_itself", &[plane], |tape, v| tape.add(v[0], v[0]));
    add("sub", "of_itself", &[plane; 2], |tape, v| {
        let difference = tape.sub(v[0], v[1]);
        tape.sub(difference, v[0])
    });
    add("mul", "of_itself", &[plane], |tape, v| tape.mul(v[0], v[0]));
    add("mul", "of_itself_twice", &[plane], |tape, v| {
        let square = tape.mul(v[0], v[0]);
        tape.mul(square, v[0])
    });
    add("mask", "every_third", &[plane], |tape, v| tape.mask(v[0], &MASK));
    add("reshape", "to_rank_4", &[plane], |tape, v| tape.reshape(v[0], [1, 5, 1, 3]));
    add("reshape", "of_a_computed_value", &[plane], |tape, v| {
        let value = tape.tanh(v[0]);
        let flat = tape.reshape(value, [15]);
        tape.mul(flat, flat)
    });
    add("transpose", "plain", &[plane], |tape, v| tape.transpose(v[0]));
    add("transpose", "row", &[[1, 7].into()], |tape, v| tape.transpose(v[0]));
    add("transpose", "tied_weight", &[[4, 3].into(), [3, 5].into()], |tape, v| {
        let code = tape.linear(v[0], v[1], None);
        let decoder = tape.transpose(v[1]);
        tape.linear(code, decoder, None)
    });
    add("mse_loss", "of_itself_and_another", &[plane; 2], |tape, v| {
        let product = tape.mul(v[0], v[1]);
        tape.mse_loss(product, v[1])
    });
    add("cross_entropy", "plain", &[[3, 4].into()], |tape, v| tape.cross_entropy(v[0], &[3, 0, 2]));
    add("cross_entropy", "batch_1", &[[1, 5].into()], |tape, v| tape.cross_entropy(v[0], &[2]));
    add("cross_entropy", "two_classes", &[[4, 2].into()], |tape, v| tape.cross_entropy(v[0], &[1, 0, 0, 1]));
    add("cross_entropy", "same_label", &[[3, 3].into()], |tape, v| tape.cross_entropy(v[0], &[1, 1, 1]));
    // 1,500 rows of 37 classes: several chunks of whole rows.
    let labels: Vec<u32> = (0..1500).map(|row| row * 7 % 37).collect();
    let record = move |tape: &mut Tape, v: &[Var]| tape.cross_entropy(v[0], &labels);
    cases.push(
        Case::new(("cross_entropy", "many_chunks"), Draw::Normal, &[[1500, 37].into()], record)
            .of_size(Size::ManyChunks),
    );
    cases
}
