//! Every number of channels that a register tile can meet: whole vectors, parts of one, one channel more than a panel.

use crate::{
    cases::{Conv2dCase, ConvTranspose2dCase, Convolution, Epilogue, Size},
    run::run,
    tally::Tally,
    values::cotangent,
};
use patchgrad::{
    ops::{Activation, Conv2dSpec, ConvAlgorithm, ConvTranspose2dSpec},
    parallel,
};
use patchgrad_kernels::isa::{self, Isa};

/// Four vectors of 16 lanes and a bit.
const MOST_CHANNELS: usize = 67;

/// Numbers of input and output channels: both grow; one grows as the other shrinks.
fn channels() -> impl Iterator<Item = [usize; 2]> {
    (1..=MOST_CHANNELS).flat_map(|i| [[i, i], [i, MOST_CHANNELS + 1 - i]])
}

/// Images of 20 pixels make a few tiles of different height.
fn convolutions([in_channels, out_channels]: [usize; 2]) -> [Convolution; 6] {
    let conv = |name, [height, width]: [usize; 2], spec| {
        let input = [1, height, width, in_channels];
        Convolution::Plain(Conv2dCase { name, input, out_channels, spec, bias: true, size: Size::Small })
    };
    let transposed = |name, [height, width]: [usize; 2], spec| {
        let input = [1, height, width, in_channels];
        Convolution::Transposed(ConvTranspose2dCase { name, input, out_channels, spec, bias: true, size: Size::Small })
    };
    type Spec = Conv2dSpec;
    type Transpose = ConvTranspose2dSpec;
    [
        conv("3x3", [4, 5], Spec { padding: [1, 1], ..Spec::new([3, 3]) }),
        conv("2x2_stride_2", [6, 7], Spec { stride: [2, 2], ..Spec::new([2, 2]) }),
        conv("1x1", [4, 5], Spec::new([1, 1])),
        transposed("3x3", [4, 5], Transpose { padding: [1, 1], ..Transpose::new([3, 3]) }),
        transposed("2x2_stride_2", [3, 4], Transpose { stride: [2, 2], ..Transpose::new([2, 2]) }),
        transposed("1x1", [4, 5], Transpose::new([1, 1])),
    ]
}

#[test]
fn every_number_of_channels_equals_the_definition_on_every_instruction_set() {
    let mut tally = Tally::default();
    for convolution in channels().flat_map(convolutions) {
        let inputs = convolution.integers();
        let expected = convolution.definition(&inputs, &cotangent(convolution.output()));
        // Where Winograd's algorithm does not apply it is the direct one again.
        let winograd = convolution.by(ConvAlgorithm::Winograd);
        let winograd = winograd.uses_winograd().then_some(winograd);
        let others = [ConvAlgorithm::Im2col, ConvAlgorithm::Direct].map(|algorithm| convolution.by(algorithm));
        for convolution in others.into_iter().chain(winograd) {
            for isa in Isa::available() {
                let record = || run(&inputs, cotangent, |tape, v| convolution.record(tape, v));
                let got = isa::with(isa, || parallel::sequential(record));
                let label = format!("{} on {isa}", convolution.label());
                tally.add(convolution.op(), got.assert_computed_by(convolution.uses_winograd(), &label, &expected));
            }
        }
    }
    // Two rows of channels; kernels by two algorithms, 3x3 by three; four tensors; convolutions and transposed ones.
    let expected = 2 * MOST_CHANNELS * (2 + 2 + 3) * 4 * 2;
    tally.finish("tensors of every number of channels", 2, expected * Isa::available().len());
}

/// The parts run on the widest instruction set; that they equal their definitions is for [`exact`](crate::exact) to show.
#[test]
fn every_number_of_channels_is_pooled_alike_on_every_instruction_set() {
    let epilogue = Epilogue { activation: Activation::Relu, max_pool: true };
    let mut tally = Tally::default();
    for channels in 1..=MOST_CHANNELS {
        let [convolution, ..] = convolutions([3, channels]);
        let inputs = convolution.integers();
        let naive = convolution.by(ConvAlgorithm::Naive);
        let expected = run(&inputs, cotangent, |tape, v| naive.record_parts(tape, v, epilogue));
        for isa in Isa::available() {
            let direct = convolution.by(ConvAlgorithm::Direct);
            let record = || run(&inputs, cotangent, |tape, v| direct.record_fused(tape, v, epilogue));
            let got = isa::with(isa, || parallel::sequential(record));
            tally.add(convolution.op(), got.assert_same(&format!("{} on {isa}", direct.label()), &expected));
        }
    }
    tally.finish("pooled tensors of every number of channels", 1, MOST_CHANNELS * 4 * Isa::available().len());
}
