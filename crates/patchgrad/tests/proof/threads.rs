//! The number of threads changes no bit.

use crate::{
    cases,
    network::{Batch, Network},
    run::run,
    tally::Tally,
    values::{Draw, bits},
};
use patchgrad::{
    Shape, Tape, Tensor, Var,
    ops::{Activation, ConvAlgorithm},
    parallel,
};

/// What `job` gives on one thread without handing anything out, and whether 1, 2 and 8 threads give the same.
fn on_every_number_of_threads<T: PartialEq + Send>(job: impl Fn() -> T + Sync) -> (T, [bool; 3]) {
    let alone = parallel::sequential(&job);
    let same = [1, 2, 8].map(|threads| parallel::with_threads(threads, &job) == alone);
    (alone, same)
}

#[test]
fn every_op_gives_the_same_bits_on_1_2_and_8_threads() {
    let cases = cases::all();
    let mut tally = Tally::default();
    for case in &cases {
        let (_, same) = on_every_number_of_threads(|| {
            run(&case.inputs(), |shape| Draw::Normal.tensor(shape, "cotangent", 0), |tape, v| case.record(tape, v))
                .bits()
        });
        assert_eq!(same, [true; 3], "{} on 1, 2, 8 threads", case.label());
        tally.add(case.op, 1);
    }
    tally.finish("cases with the same bits on 1, 2 and 8 threads", 32, 287);
}

/// Small batches are cut into rows, so that there is something to share. The naive loops share nothing.
#[test]
fn small_batches_give_the_same_bits_on_1_2_and_8_threads() {
    let mut tally = Tally::default();
    for convolution in [1, 2, 7].into_iter().flat_map(cases::small_batches) {
        let draw = |shape: &Shape, index| Draw::Normal.tensor(*shape, &convolution.label(), index);
        let inputs: Vec<Tensor> = convolution.shapes().iter().enumerate().map(|(i, shape)| draw(shape, i)).collect();
        for algorithm in ConvAlgorithm::ALL.into_iter().filter(|&algorithm| algorithm != ConvAlgorithm::Naive) {
            let convolution = convolution.by(algorithm);
            for epilogue in convolution.epilogues(&[Activation::Linear, Activation::Tanh]) {
                let (_, same) = on_every_number_of_threads(|| {
                    let record = |tape: &mut Tape, v: &[Var]| convolution.record_fused(tape, v, epilogue);
                    run(&inputs, |shape| draw(&shape, 9), record).bits()
                });
                assert_eq!(same, [true; 3], "{} and {epilogue:?} on 1, 2, 8 threads", convolution.label());
                tally.add(convolution.fused_op(epilogue), 1);
            }
        }
    }
    tally.finish("small batches with the same bits on 1, 2 and 8 threads", 3, 480);
}

/// 64 images of 16 x 16 pixels are several chunks of the first convolution and of its activation.
#[test]
fn training_gives_the_same_bits_on_1_2_and_8_threads() {
    let train = || {
        let (mut network, batch) = (Network::new(16), Batch::new(64, 16));
        let losses: Vec<f32> = (0..5).map(|_| network.step(&batch)).collect();
        let params: Vec<u32> = network.params.iter().flat_map(|(_, _, tensor)| bits(tensor.as_slice())).collect();
        (bits(&losses), params, losses)
    };
    let ((_, params, losses), same) = on_every_number_of_threads(train);
    assert_eq!(same, [true; 3], "five steps on 1, 2, 8 threads");
    assert!(losses[4] < losses[0], "the network learns: {losses:?}");
    println!("five steps of Adam: {} parameters with the same bits on 1, 2 and 8 threads", params.len());
}
