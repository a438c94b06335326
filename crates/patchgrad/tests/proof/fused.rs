//! A convolution that is one node with its activation and pooling computes what the three do one after the other.

use crate::{
    cases::{self, Convolution, Epilogue},
    run::{run, value},
    tally::Tally,
    values::{assert_near, assert_same, cotangent, integers},
};
use patchgrad::{
    Params, Tape, Tensor, Workspace,
    layers::{Conv2d, ConvTranspose2d, Layer, MaxPool2d, Sequential},
    ops::{Activation, Conv2dSpec, ConvAlgorithm, ConvTranspose2dSpec, MaxPool2dSpec},
    random::stream,
};

/// Exact on whole numbers. Linear and leaky ReLU keep all ties of the sums; ReLU makes new ones, of zeros that pass no
/// gradient on.
const ACTIVATIONS: [Activation; 3] =
    [Activation::Linear, Activation::Relu, Activation::LeakyRelu { negative_slope: 0.5 }];

/// Winograd's sums are not exact, but both ways see the same ones.
#[test]
fn fused_ops_equal_their_parts() {
    let mut tally = Tally::default();
    let mut leftovers = 0;
    for convolution in Convolution::all() {
        let inputs = convolution.integers();
        for convolution in ConvAlgorithm::ALL.map(|algorithm| convolution.by(algorithm)) {
            for epilogue in convolution.epilogues(&ACTIVATIONS) {
                let parts = run(&inputs, cotangent, |tape, v| convolution.record_parts(tape, v, epilogue));
                let fused = run(&inputs, cotangent, |tape, v| convolution.record_fused(tape, v, epilogue));
                let label = format!("{} and {epilogue:?}", convolution.label());
                tally.add(convolution.fused_op(epilogue), fused.assert_same(&label, &parts));
                let [height, width] = convolution.dims().window.output;
                leftovers += usize::from(epilogue.max_pool && (height % 2 == 1 || width % 2 == 1));
            }
        }
    }
    println!("{leftovers} pooled outputs have an odd height or width, rounded down");
    assert!(leftovers > 0);
    tally.finish("tensors of fused ops equal to those of their parts", 3, 7722);
}

#[test]
fn an_output_smaller_than_a_window_is_refused() {
    let mut tally = Tally::default();
    for case in cases::conv2d() {
        let dims = Convolution::Plain(case).dims();
        let output = dims.output();
        let pooled = dims.pooled_output().map_err(|error| error.to_string());
        if dims.window.output.iter().any(|&size| size < 2) {
            let text =
                format!("conv2d: the output {output} (N, OH, OW, O) is smaller than a 2x2 window of max-pooling");
            assert_eq!(pooled, Err(text), "{}", case.name);
            tally.add("refused", 1);
        } else {
            let pool = MaxPool2dSpec::new([2, 2]).resolve(output).unwrap();
            assert_eq!(pooled, Ok(pool.output()), "{}", case.name);
            tally.add("pooled", 1);
        }
    }
    tally.finish("outputs that can be pooled or not", 2, 41);
}

#[test]
#[should_panic(expected = "conv2d: the output [2, 1, 4, 3] (N, OH, OW, O) is smaller than a 2x2 window of max-pooling")]
fn the_tape_refuses_an_output_smaller_than_a_window() {
    let case = cases::conv2d().into_iter().find(|case| case.name == "one_row").unwrap();
    let inputs = case.integers();
    let epilogue = Epilogue { activation: Activation::Relu, max_pool: true };
    value(&inputs.iter().collect::<Vec<_>>(), |tape, v| Convolution::Plain(case).record_fused(tape, v, epilogue));
}

/// Output and gradients of the parameters, and the shape that the layers foresee.
fn train(params: &Params, layers: &Sequential, input: &Tensor) -> (Tensor, Vec<Tensor>) {
    let mut workspace = Workspace::new();
    let mut tape = Tape::with_params(params, &mut workspace);
    let x = tape.input(input);
    let y = layers.forward(&mut tape, x);
    let output = tape.value(y).to_tensor();
    assert_eq!(layers.output_shape(input.shape()).unwrap(), output.shape());
    let gradients = tape.backward_from(y, &cotangent(output.shape()));
    (output, gradients.params().map(|(_, gradient)| gradient.clone()).collect())
}

#[test]
fn fused_layers_equal_their_parts() {
    let (mut params, mut stream) = (Params::new(), stream(3, "fused layers", 0));
    let spec = Conv2dSpec { padding: [1, 1], ..Conv2dSpec::new([3, 3]) };
    let doubling = ConvTranspose2dSpec { stride: [2, 2], ..ConvTranspose2dSpec::new([2, 2]) };
    let encoder = Conv2d::new(&mut params, "encoder", [3, 8], spec, &mut stream);
    let decoder = ConvTranspose2d::new(&mut params, "decoder", [8, 3], doubling, &mut stream);
    let parts = Sequential::new()
        .then(encoder)
        .then(Activation::Relu)
        .then(MaxPool2d(MaxPool2dSpec::new([2, 2])))
        .then(decoder)
        .then(Activation::Sigmoid);
    let fused = Sequential::new()
        .then(encoder.activation(Activation::Relu).max_pool())
        .then(decoder.activation(Activation::Sigmoid));
    let input = integers([5, 6, 7, 3], "fused layers", 0);
    let ((output, gradients), (expected, expected_gradients)) =
        (train(&params, &fused, &input), train(&params, &parts, &input));
    assert_same("the output", &output, &expected);
    assert_eq!((gradients.len(), expected_gradients.len()), (4, 4), "weights and biases");
    // Pooling may cut the batch elsewhere, which changes the order of the sums.
    for (gradient, expected) in gradients.iter().zip(&expected_gradients) {
        assert_near("a gradient of the parameters", gradient, expected, 1e-6);
    }
    assert_eq!(fused.multiply_adds(input.shape()), parts.multiply_adds(input.shape()));
    let labels: Vec<String> = fused.layers().map(Layer::label).collect();
    assert_eq!(labels, ["conv2d 3x3, relu, max_pool2d", "conv_transpose2d 2x2, sigmoid"]);
}
