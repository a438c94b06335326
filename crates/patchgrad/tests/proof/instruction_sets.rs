//! The whole table of convolutions on every instruction set of this machine.

use crate::{
    cases::{Convolution, Epilogue},
    run::run,
    tally::Tally,
    values::cotangent,
};
use patchgrad::{
    ops::{Activation, ConvAlgorithm},
    parallel,
};
use patchgrad_kernels::isa::{self, Isa};

const ALGORITHMS: [ConvAlgorithm; 3] = [ConvAlgorithm::Im2col, ConvAlgorithm::Direct, ConvAlgorithm::Winograd];

/// An instruction set is chosen for one thread, so all work stays on it.
fn on<R>(isa: Isa, f: impl FnOnce() -> R) -> R {
    isa::with(isa, || parallel::sequential(f))
}

#[test]
fn every_instruction_set_equals_the_definition() {
    let mut tally = Tally::default();
    for convolution in Convolution::all() {
        let inputs = convolution.integers();
        let expected = convolution.definition(&inputs, &cotangent(convolution.output()));
        for isa in Isa::available() {
            for convolution in ALGORITHMS.map(|algorithm| convolution.by(algorithm)) {
                let got = on(isa, || run(&inputs, cotangent, |tape, v| convolution.record(tape, v)));
                let label = format!("{} on {isa}", convolution.label());
                tally.add(convolution.op(), got.assert_computed_by(convolution.uses_winograd(), &label, &expected));
            }
        }
    }
    tally.finish("tensors equal to the definition, by instruction set", 2, 894 * Isa::available().len());
}

#[test]
fn every_instruction_set_pools_alike() {
    let epilogue = Epilogue { activation: Activation::Relu, max_pool: true };
    let mut tally = Tally::default();
    for convolution in Convolution::all().into_iter().filter(Convolution::can_be_pooled) {
        let inputs = convolution.integers();
        let naive = convolution.by(ConvAlgorithm::Naive);
        let expected = run(&inputs, cotangent, |tape, v| naive.record_parts(tape, v, epilogue));
        let direct = convolution.by(ConvAlgorithm::Direct);
        for isa in Isa::available() {
            let got = on(isa, || run(&inputs, cotangent, |tape, v| direct.record_fused(tape, v, epilogue)));
            tally.add(convolution.op(), got.assert_same(&format!("{} on {isa}", direct.label()), &expected));
        }
    }
    tally.finish("tensors of pooled convolutions, by instruction set", 1, 131 * Isa::available().len());
}
