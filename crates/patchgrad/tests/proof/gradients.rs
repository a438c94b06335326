//! Every differentiable op in every awkward case against differences, all inputs at once: in every element of the small
//! cases, along random directions of those that need many chunks of work.

use crate::{
    cases::{self, Size},
    tally::Tally,
};
use patchgrad::{
    Tape, Var,
    gradcheck::{gradcheck, gradcheck_directions},
};

/// For each input of a case of many chunks.
const DIRECTIONS: usize = 4;

#[test]
fn every_gradient_agrees_with_differences() {
    let (mut checks, mut partial, mut directional) = (Tally::default(), Tally::default(), Tally::default());
    let mut worst = 0f64;
    for case in cases::all() {
        let inputs = case.inputs();
        let record = |tape: &mut Tape, v: &[Var]| case.record(tape, v);
        let (checked, derivatives) = match case.size {
            Size::Small => (gradcheck(&inputs, record), &mut partial),
            Size::ManyChunks => (gradcheck_directions(&inputs, DIRECTIONS, record), &mut directional),
        };
        let checked = checked.unwrap_or_else(|mismatch| panic!("{}: {mismatch}", case.label()));
        checks.add(case.op, 1);
        derivatives.add(case.op, checked.derivatives);
        worst = worst.max(checked.worst);
    }
    println!("largest error: {worst:.1e} of the largest derivative of the same input");
    checks.finish("gradient checks", 32, 287);
    partial.finish("partial derivatives", 32, 26574);
    directional.finish("directional derivatives", 29, 396);
}
