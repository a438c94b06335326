//! A batch is its samples: every one computed alone, gradients of the parameters added.

use crate::{
    cases::{self, Convolution},
    run::{Outcome, run},
    tally::Tally,
    values::cotangent,
};
use patchgrad::{
    Tape, Tensor, Var,
    ops::{Activation, ConvAlgorithm},
};

fn sample(tensor: &Tensor, n: usize) -> Tensor {
    let [_, height, width, channels] = tensor.shape().nhwc().unwrap();
    Tensor::new([1, height, width, channels], tensor.samples(n..n + 1))
}

/// Samples one after the other.
fn joined(samples: &[Tensor]) -> Tensor {
    let [_, height, width, channels] = samples[0].shape().nhwc().unwrap();
    let values: Vec<f32> = samples.iter().flat_map(Tensor::as_slice).copied().collect();
    Tensor::new([samples.len(), height, width, channels], &values)
}

fn add(sum: &mut Tensor, value: &Tensor) {
    sum.as_mut_slice().iter_mut().zip(value.as_slice()).for_each(|(sum, value)| *sum += value);
}

/// What `record` computes for the whole batch, and what its samples give when each is a batch of its own.
fn together_and_alone(inputs: &[Tensor], record: impl Fn(&mut Tape, &[Var]) -> Var) -> [Outcome; 2] {
    let together = run(inputs, cotangent, &record);
    let alone = |n: usize| {
        let mut inputs = inputs.to_vec();
        inputs[0] = sample(&inputs[0], n);
        run(&inputs, |_| sample(&cotangent(together.output.shape()), n), &record)
    };
    let samples: Vec<Outcome> = (0..inputs[0].shape().dims()[0]).map(alone).collect();
    let mut gradients: Vec<Tensor> = inputs.iter().map(|input| Tensor::zeros(input.shape())).collect();
    for sample in &samples {
        gradients[1..].iter_mut().zip(&sample.gradients[1..]).for_each(|(sum, value)| add(sum, value));
    }
    gradients[0] = joined(&samples.iter().map(|sample| sample.gradients[0].clone()).collect::<Vec<_>>());
    let output = joined(&samples.into_iter().map(|sample| sample.output).collect::<Vec<_>>());
    [together, Outcome { output, gradients }]
}

#[test]
fn the_batch_can_be_split() {
    let mut tally = Tally::default();
    for convolution in Convolution::all().into_iter().filter(|convolution| (2..100).contains(&convolution.batch())) {
        let convolution = convolution.by(ConvAlgorithm::AutoExact);
        let [together, alone] = together_and_alone(&convolution.integers(), |tape, v| convolution.record(tape, v));
        together.assert_same(&convolution.label(), &alone);
        tally.add(convolution.op(), 1);
    }
    tally.finish("the batch can be split", 2, 67);
}

/// One image is cut into rows, seven may not be: the cut changes nothing. The naive loops cut nothing.
#[test]
fn seven_images_are_computed_as_each_alone() {
    let mut tally = Tally::default();
    for convolution in cases::small_batches(7) {
        let inputs = convolution.integers();
        for algorithm in ConvAlgorithm::ALL.into_iter().filter(|&algorithm| algorithm != ConvAlgorithm::Naive) {
            let convolution = convolution.by(algorithm);
            for epilogue in convolution.epilogues(&[Activation::Linear, Activation::Relu]) {
                let record = |tape: &mut Tape, v: &[Var]| convolution.record_fused(tape, v, epilogue);
                let [together, alone] = together_and_alone(&inputs, record);
                let label = format!("{} and {epilogue:?}", convolution.label());
                tally.add(
                    convolution.fused_op(epilogue),
                    together.assert_computed_by(convolution.uses_winograd(), &label, &alone),
                );
            }
        }
    }
    tally.finish("tensors of seven images equal to those of each alone", 3, 640);
}
