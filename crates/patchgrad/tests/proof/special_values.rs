//! Values that kernels may not treat as any other: NaN, infinities, numbers below the smallest normal one.

use crate::{
    cases::{Convolution, Epilogue, Size},
    run::{Outcome, run},
    tally::Tally,
    values::{assert_same_or_nan, cotangent, filled},
};
use patchgrad::{
    Tensor,
    ops::{Activation, ConvAlgorithm, MaxPool2dSpec},
    reference,
};

/// The small cases, by every algorithm that adds up the products of the definition.
fn exact() -> Vec<Convolution> {
    small().into_iter().filter(|convolution| !convolution.uses_winograd()).collect()
}

fn small() -> Vec<Convolution> {
    let small = |convolution: &Convolution| match convolution {
        Convolution::Plain(case) => case.size == Size::Small,
        Convolution::Transposed(case) => case.size == Size::Small,
    };
    let tables = Convolution::all().into_iter().filter(small);
    tables.flat_map(|convolution| ConvAlgorithm::ALL.map(|algorithm| convolution.by(algorithm))).collect()
}

/// The first element, one in the middle, the last.
fn places(tensor: &Tensor) -> [usize; 3] {
    [0, tensor.len() / 2, tensor.len() - 1]
}

fn with(tensor: &Tensor, at: usize, value: f32) -> Tensor {
    let mut tensor = tensor.clone();
    tensor.as_mut_slice()[at] = value;
    tensor
}

/// Compares everything, or all but the gradient of the weight. Gives the number of tensors.
#[track_caller]
fn compare(label: &str, got: &Outcome, expected: &Outcome, with_weight: bool) -> usize {
    let wanted = |name| with_weight || name != "gradient of the weight";
    let pairs = got.tensors().zip(expected.tensors()).filter(|((name, _), _)| wanted(*name));
    pairs.map(|((name, got), (_, expected))| assert_same_or_nan(&format!("{label}: {name}"), got, expected)).count()
}

/// Zeros around an image and in unused lanes meet no NaN: 0 times NaN is NaN.
///
/// With one exception, as in PyTorch: a window that hangs over the edge of an image has zeros there, and the gradient of the
/// weight multiplies them with the window's value. So that gradient is compared where the NaN is in the image: the input,
/// or the gradient of a transposed convolution's output.
#[test]
fn nan_and_infinity_reach_what_reads_them_and_nothing_else() {
    let mut tally = Tally::default();
    for convolution in exact() {
        let inputs = convolution.integers();
        let g = cotangent(convolution.output());
        let is_plain = matches!(convolution, Convolution::Plain(_));
        for value in [f32::NAN, f32::INFINITY] {
            for at in places(&inputs[0]) {
                let mut inputs = inputs.clone();
                inputs[0] = with(&inputs[0], at, value);
                let got = run(&inputs, cotangent, |tape, v| convolution.record(tape, v));
                let label = format!("{}, input {at} is {value}", convolution.label());
                tally.add(convolution.op(), compare(&label, &got, &convolution.definition(&inputs, &g), is_plain));
            }
            for at in places(&g) {
                let g = with(&g, at, value);
                let got = run(&inputs, |_| g.clone(), |tape, v| convolution.record(tape, v));
                let label = format!("{}, gradient {at} is {value}", convolution.label());
                tally.add(convolution.op(), compare(&label, &got, &convolution.definition(&inputs, &g), !is_plain));
            }
        }
    }
    tally.finish("tensors with a NaN or an infinity", 2, 13812);
}

/// Winograd's tiles of 4x4 outputs share their inputs, so it is at least those that the definition says.
#[test]
fn winograd_loses_no_nan() {
    let mut outputs = 0;
    for convolution in small().into_iter().filter(Convolution::uses_winograd) {
        let mut inputs = convolution.integers();
        for at in places(&inputs[0]) {
            inputs[0] = with(&inputs[0], at, f32::NAN);
            let got = run(&inputs, cotangent, |tape, v| convolution.record(tape, v)).output;
            let expected = convolution.definition(&inputs, &cotangent(convolution.output())).output;
            for (got, expected) in got.as_slice().iter().zip(expected.as_slice()) {
                assert!(got.is_nan() || !expected.is_nan(), "{}, input {at} is NaN", convolution.label());
                outputs += usize::from(expected.is_nan());
            }
        }
    }
    assert!(outputs > 100, "{outputs} outputs are NaN");
}

/// The largest values of 2x2 windows, by definition.
fn pooled(values: &Tensor) -> Tensor {
    let dims = MaxPool2dSpec::new([2, 2]).resolve(values.shape()).unwrap();
    let mut indices = vec![0; dims.output().len()];
    filled(dims.output(), |maxima| reference::max_pool2d(&dims, values.as_slice(), maxima, &mut indices))
}

#[test]
fn pooling_in_the_same_node_keeps_nan() {
    let without_pool = Epilogue { activation: Activation::Relu, max_pool: false };
    let epilogue = Epilogue { max_pool: true, ..without_pool };
    let mut tally = Tally::default();
    for convolution in exact().into_iter().filter(Convolution::can_be_pooled) {
        let inputs = convolution.integers();
        for at in places(&inputs[0]) {
            let mut inputs = inputs.clone();
            inputs[0] = with(&inputs[0], at, f32::NAN);
            let values = run(&inputs, cotangent, |tape, v| convolution.record_parts(tape, v, without_pool)).output;
            let parts = run(&inputs, cotangent, |tape, v| convolution.record_parts(tape, v, epilogue));
            let fused = run(&inputs, cotangent, |tape, v| convolution.record_fused(tape, v, epilogue));
            let label = format!("{}, pooled, input {at} is NaN", convolution.label());
            assert_same_or_nan(&label, &fused.output, &pooled(&values));
            tally.add(convolution.op(), compare(&label, &fused, &parts, true));
        }
    }
    tally.finish("tensors of pooled convolutions with a NaN", 1, 1713);
}

/// The distance between denormal numbers. Products and sums of its multiples with whole numbers are exact.
const SMALLEST: f32 = f32::from_bits(1);

#[test]
fn denormal_numbers_are_not_flushed_to_zero() {
    let tiny = |tensor: &Tensor| {
        let mut tensor = tensor.clone();
        tensor.as_mut_slice().iter_mut().for_each(|x| *x *= SMALLEST);
        tensor
    };
    let mut tally = Tally::default();
    for convolution in exact() {
        // A bias of whole numbers would swallow the sums.
        let inputs = &convolution.integers()[..2];
        let run = |inputs: &[Tensor], g: &Tensor| run(inputs, |_| g.clone(), |tape, v| convolution.record(tape, v));
        let g = cotangent(convolution.output());
        for (name, inputs, g) in [
            ("weight", [inputs[0].clone(), tiny(&inputs[1])], g.clone()),
            ("input", [tiny(&inputs[0]), inputs[1].clone()], g.clone()),
            ("gradient", [inputs[0].clone(), inputs[1].clone()], tiny(&g)),
        ] {
            let (got, expected) = (run(&inputs, &g), convolution.definition(&inputs, &g));
            let denormal = expected.tensors().flat_map(|(_, t)| t.as_slice()).filter(|x| x.is_subnormal()).count();
            assert!(denormal > 0, "{}: no result is denormal", convolution.label());
            tally.add(
                convolution.op(),
                got.assert_same(&format!("{}, {name} denormal", convolution.label()), &expected),
            );
        }
    }
    tally.finish("tensors of denormal numbers", 2, 2988);
}
