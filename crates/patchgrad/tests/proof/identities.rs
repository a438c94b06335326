//! What must hold without any oracle, exactly, on whole numbers.

use crate::{
    cases::{self, ConvTranspose2dCase},
    run::{Outcome, run, value},
    tally::Tally,
    values::{assert_same, cotangent},
};
use patchgrad::{
    Shape, Tensor, layout,
    ops::{Conv2dSpec, ConvAlgorithm, FoldSpec},
};

fn reshaped(tensor: &Tensor, shape: impl Into<Shape>) -> Tensor {
    tensor.clone().reshape(shape).unwrap()
}

fn convolve(inputs: &[Tensor], spec: &Conv2dSpec) -> Outcome {
    let spec = Conv2dSpec { algorithm: ConvAlgorithm::AutoExact, ..*spec };
    run(inputs, cotangent, |tape, v| tape.conv2d(v[0], v[1], v.get(2).copied(), &spec))
}

/// Output and gradient of the input must agree; the weights differ in shape.
#[track_caller]
fn assert_same_map(what: &str, got: &Outcome, expected: &Outcome) {
    assert_same(&format!("{what}: output"), &got.output, &expected.output);
    assert_same(&format!("{what}: gradient of the input"), &got.gradients[0], &expected.gradients[0]);
}

/// The weight of all channels to all channels that a grouped weight `[KH, KW, C/G, O]` stands for.
fn block_diagonal(weight: &Tensor, groups: usize) -> Tensor {
    let [kernel_h, kernel_w, in_group, outputs] = weight.shape().nhwc().unwrap();
    let inputs = in_group * groups;
    Tensor::from_fn([kernel_h, kernel_w, inputs, outputs], |i| {
        let (tap, c, o) = (i / (inputs * outputs), i / outputs % inputs, i % outputs);
        let same_group = c / in_group == o / (outputs / groups);
        if same_group { weight.as_slice()[(tap * in_group + c % in_group) * outputs + o] } else { 0.0 }
    })
}

#[test]
fn groups_are_block_diagonal() {
    let mut tally = Tally::default();
    for case in cases::conv2d().into_iter().filter(|case| case.spec.groups > 1) {
        let mut inputs = case.integers();
        let grouped = convolve(&inputs, &case.spec);
        inputs[1] = block_diagonal(&inputs[1], case.spec.groups);
        let dense = convolve(&inputs, &Conv2dSpec { groups: 1, ..case.spec });
        assert_same_map(case.name, &grouped, &dense);
        tally.add("conv2d", 1);
    }
    tally.finish("groups are block-diagonal", 1, 8);
}

/// A kernel with zeros between its taps.
fn zero_stuffed(weight: &Tensor, dilation: [usize; 2]) -> Tensor {
    let [kernel_h, kernel_w, inputs, outputs] = weight.shape().nhwc().unwrap();
    let extent = [dilation[0] * (kernel_h - 1) + 1, dilation[1] * (kernel_w - 1) + 1];
    let mut stuffed = Tensor::zeros([extent[0], extent[1], inputs, outputs]);
    for (tap, channels) in weight.as_slice().chunks(inputs * outputs).enumerate() {
        let (h, w) = (tap / kernel_w * dilation[0], tap % kernel_w * dilation[1]);
        let to = (h * extent[1] + w) * channels.len();
        stuffed.as_mut_slice()[to..][..channels.len()].copy_from_slice(channels);
    }
    stuffed
}

#[test]
fn dilation_is_a_zero_stuffed_kernel() {
    let mut tally = Tally::default();
    for case in cases::conv2d().into_iter().filter(|case| case.spec.dilation != [1, 1]) {
        let mut inputs = case.integers();
        let dilated = convolve(&inputs, &case.spec);
        inputs[1] = zero_stuffed(&inputs[1], case.spec.dilation);
        let [kernel_h, kernel_w, ..] = inputs[1].shape().nhwc().unwrap();
        let stuffed =
            convolve(&inputs, &Conv2dSpec { kernel_size: [kernel_h, kernel_w], dilation: [1, 1], ..case.spec });
        assert_same_map(case.name, &dilated, &stuffed);
        tally.add("conv2d", 1);
    }
    tally.finish("dilation is a zero-stuffed kernel", 1, 5);
}

#[test]
fn a_linear_layer_is_a_1x1_convolution() {
    let mut tally = Tally::default();
    for case in cases::linear() {
        let mut inputs = case.integers();
        let linear = run(&inputs, cotangent, |tape, v| tape.linear(v[0], v[1], v.get(2).copied()));
        let [features, outputs] = [inputs[1].shape().dims()[0], inputs[1].shape().dims()[1]];
        let pixels = inputs[0].len() / features;
        // All rows as the pixels of one image one pixel high.
        inputs[0] = reshaped(&inputs[0], [1, 1, pixels, features]);
        inputs[1] = reshaped(&inputs[1], [1, 1, features, outputs]);
        let convolution = convolve(&inputs, &Conv2dSpec::new([1, 1]));
        assert_same(case.name, &linear.output, &reshaped(&convolution.output, linear.output.shape()));
        for (got, expected) in linear.gradients.iter().zip(&convolution.gradients) {
            assert_same(case.name, got, &reshaped(expected, got.shape()));
        }
        tally.add("linear", 1);
    }
    tally.finish("a linear layer is a 1x1 convolution", 1, 11);
}

/// The stacked auto-encoder's view: cut into patches, encode every patch with the same linear layer.
#[test]
fn a_convolution_is_a_linear_layer_on_patches() {
    let mut tally = Tally::default();
    for case in cases::conv2d().into_iter().filter(|case| case.spec.groups == 1) {
        let mut inputs = case.integers();
        let convolution = convolve(&inputs, &case.spec);
        inputs[1] = reshaped(&inputs[1], [inputs[1].len() / case.out_channels, case.out_channels]);
        let Conv2dSpec { kernel_size, stride, padding, dilation, .. } = case.spec;
        let on_patches = run(&inputs, cotangent, |tape, v| {
            let patches = tape.unfold(v[0], &FoldSpec { kernel_size, stride, padding, dilation });
            tape.linear(patches, v[1], v.get(2).copied())
        });
        assert_same_map(case.name, &on_patches, &convolution);
        tally.add("conv2d", 1);
    }
    for case in cases::conv_transpose2d().into_iter().filter(is_a_fold) {
        let inputs = case.integers();
        let (x, weight) = (&inputs[0], &inputs[1]);
        let whole = value(&[x, weight], |tape, v| tape.conv_transpose2d(v[0], v[1], None, &case.spec));
        let [_, height, width, _] = whole.shape().nhwc().unwrap();
        let matrix = reshaped(weight, [weight.len() / case.input[3], case.input[3]]);
        let spec = FoldSpec {
            kernel_size: case.spec.kernel_size,
            stride: case.spec.stride,
            padding: case.spec.padding,
            dilation: case.spec.dilation,
        };
        let pasted = value(&[x, &layout::transpose(&matrix)], |tape, v| {
            let patches = tape.linear(v[0], v[1], None);
            tape.fold(patches, [height, width], &spec)
        });
        assert_same(case.name, &whole, &pasted);
        tally.add("conv_transpose2d", 1);
    }
    tally.finish("a convolution is a linear layer on patches", 2, 60);
}

/// A fold knows its window by the size of the image alone, so output padding must not make room for another window.
fn is_a_fold(case: &ConvTranspose2dCase) -> bool {
    let spec = &case.spec;
    spec.groups == 1 && (0..2).all(|axis| spec.output_padding[axis] < spec.stride[axis])
}

/// The definition of the transposed convolution: every input pixel pastes a scaled copy of the kernel.
fn paste(case: &ConvTranspose2dCase, x: &Tensor, weight: &Tensor, output: Shape) -> Tensor {
    let spec = &case.spec;
    let [batch, height, width, channels] = case.input;
    let [_, out_h, out_w, out_channels] = output.nhwc().unwrap();
    let (in_group, out_group) = (channels / spec.groups, out_channels / spec.groups);
    let mut pasted = Tensor::zeros(output);
    for (i, &x) in x.as_slice().iter().enumerate() {
        let (c, w, h, n) =
            (i % channels, i / channels % width, i / (channels * width) % height, i / (channels * width * height));
        for tap in 0..spec.kernel_size[0] * spec.kernel_size[1] {
            let (kernel_h, kernel_w) = (tap / spec.kernel_size[1], tap % spec.kernel_size[1]);
            let row = (h * spec.stride[0] + kernel_h * spec.dilation[0]).checked_sub(spec.padding[0]);
            let column = (w * spec.stride[1] + kernel_w * spec.dilation[1]).checked_sub(spec.padding[1]);
            let (Some(row), Some(column)) = (row, column) else { continue };
            if row >= out_h || column >= out_w {
                continue;
            }
            let pixel = ((n * out_h + row) * out_w + column) * out_channels;
            for o in 0..out_group {
                let weight = weight.as_slice()[(tap * out_group + o) * channels + c];
                pasted.as_mut_slice()[pixel + c / in_group * out_group + o] += x * weight;
            }
        }
    }
    assert_eq!(batch, output.dims()[0]);
    pasted
}

#[test]
fn a_transposed_convolution_pastes_kernels() {
    let mut tally = Tally::default();
    for case in cases::conv_transpose2d() {
        let inputs = case.integers();
        let got = value(&[&inputs[0], &inputs[1]], |tape, v| tape.conv_transpose2d(v[0], v[1], None, &case.spec));
        let spec = &case.spec;
        let size = |axis: usize| {
            (case.input[axis + 1] - 1) * spec.stride[axis]
                + spec.dilation[axis] * (spec.kernel_size[axis] - 1)
                + 1
                + spec.output_padding[axis]
                - 2 * spec.padding[axis]
        };
        let output = Shape::from([case.input[0], size(0), size(1), case.out_channels]);
        assert_same(case.name, &got, &paste(&case, &inputs[0], &inputs[1], output));
        tally.add("conv_transpose2d", 1);
    }
    tally.finish("a transposed convolution pastes kernels", 1, 34);
}
