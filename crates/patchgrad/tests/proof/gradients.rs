//! Every differentiable op in every awkward case against differences, all inputs at once.

use crate::{
    cases::{self, Size},
    tally::Tally,
};
use patchgrad::gradcheck::gradcheck;

#[test]
fn every_gradient_agrees_with_differences() {
    let (mut checks, mut derivatives) = (Tally::default(), Tally::default());
    let mut worst = 0f64;
    for case in cases::all().into_iter().filter(|case| case.size == Size::Small) {
        match gradcheck(&case.inputs(), |tape, v| case.record(tape, v)) {
            Ok(checked) => {
                checks.add(case.op, 1);
                derivatives.add(case.op, checked.elements);
                worst = worst.max(checked.worst);
            }
            Err(mismatch) => panic!("{}: {mismatch}", case.label()),
        }
    }
    println!("largest error: {worst:.1e} of the largest derivative of the same input");
    checks.finish("gradient checks", 26, 208);
    derivatives.finish("partial derivatives", 26, 22682);
}
