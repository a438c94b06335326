//! Value and gradients equal the definitions, with `==`, on whole numbers.

use crate::{
    cases::{self, AvgPool2dCase, Convolution, FoldCase, LinearCase, MaxPool2dCase},
    run::{Outcome, run},
    tally::Tally,
    values::{assert_close, assert_same, cotangent, filled, integers},
};
use patchgrad::{
    Shape, Tensor,
    ops::{ConvAlgorithm, max_pool2d::Indices},
    reference,
};

/// Every algorithm against one definition; where Winograd's runs, within its error. Gives the number of tensors compared.
pub fn check_convolution(convolution: Convolution) -> usize {
    let inputs = convolution.integers();
    let expected = convolution.definition(&inputs, &cotangent(convolution.output()));
    let check = |convolution: Convolution| {
        let got = run(&inputs, cotangent, |tape, v| convolution.record(tape, v));
        got.assert_computed_by(convolution.uses_winograd(), &convolution.label(), &expected)
    };
    ConvAlgorithm::ALL.into_iter().map(|algorithm| check(convolution.by(algorithm))).sum()
}

fn check_linear(case: &LinearCase) -> usize {
    let inputs = case.integers();
    let got = run(&inputs, cotangent, |tape, v| tape.linear(v[0], v[1], v.get(2).copied()));
    let features = *case.input.last().unwrap();
    let (rows, out_features) = (inputs[0].len() / features, case.out_features);
    let (x, w, g) = (&inputs[0], &inputs[1], cotangent(got.output.shape()));
    // Y = X W, dX = dY W^T and dW = X^T dY are three products of matrices.
    let as_matrix = |tensor: &Tensor, columns: usize| Tensor::new([tensor.len() / columns, columns], tensor.as_slice());
    let transposed = |tensor: &Tensor, columns: usize| patchgrad::layout::transpose(&as_matrix(tensor, columns));
    let product = |shape: Shape, sizes: [usize; 3], a: &Tensor, b: &Tensor| {
        filled(shape, |out| reference::linear(sizes, a.as_slice(), b.as_slice(), out))
    };
    let output = product(got.output.shape(), [rows, features, out_features], x, w);
    let grad_input = product(x.shape(), [rows, out_features, features], &g, &transposed(w, out_features));
    let grad_weight = product(w.shape(), [features, rows, out_features], &transposed(x, features), &g);
    let expected = Outcome::with_bias([output, grad_input], grad_weight, inputs.get(2), &g);
    got.assert_same(&format!("linear/{}", case.name), &expected)
}

fn check_fold(case: &FoldCase) -> [usize; 3] {
    let (dims, name) = (case.dims(), case.name);
    let shape = [case.image[0], case.image[3]];
    let (image, patches) = (integers(dims.image(), name, 0), integers(dims.patches(), name, 1));
    let unfolded =
        |image: &Tensor| filled(dims.patches(), |out| reference::unfold(&dims.window, shape, image.as_slice(), out));
    let folded =
        |patches: &Tensor| filled(dims.image(), |out| reference::fold(&dims.window, shape, patches.as_slice(), out));

    let unfold = run(std::slice::from_ref(&image), cotangent, |tape, v| tape.unfold(v[0], &case.spec));
    assert_same(&format!("unfold/{name}: output"), &unfold.output, &unfolded(&image));
    assert_same(&format!("unfold/{name}: gradient"), &unfold.gradients[0], &folded(&cotangent(dims.patches())));

    let fold = run(std::slice::from_ref(&patches), cotangent, |tape, v| tape.fold(v[0], case.plane(), &case.spec));
    assert_same(&format!("fold/{name}: output"), &fold.output, &folded(&patches));
    assert_same(&format!("fold/{name}: gradient"), &fold.gradients[0], &unfolded(&cotangent(dims.image())));

    // Multiplying by 1/count rounds twice where the definition divides once.
    let mut counts = vec![f32::NAN; dims.window.input_len()];
    reference::overlap_counts(&dims.window, &mut counts);
    let channels = case.image[3];
    let mean = |image: &Tensor| -> Vec<f64> {
        let count = |i: usize| f64::from(counts[i / channels % counts.len()].max(1.0));
        image.as_slice().iter().enumerate().map(|(i, &x)| f64::from(x) / count(i)).collect()
    };
    let overlap_mean = run(std::slice::from_ref(&image), cotangent, |tape, v| tape.overlap_mean(v[0], &case.spec));
    assert_close(&format!("overlap_mean/{name}: output"), overlap_mean.output.as_slice(), &mean(&image), 1.2e-7);
    let expected = mean(&cotangent(dims.image()));
    assert_close(&format!("overlap_mean/{name}: gradient"), overlap_mean.gradients[0].as_slice(), &expected, 1.2e-7);
    [2; 3]
}

/// Whole numbers from -3 to 3 have many ties, so the comparison of indices also pins that the first one wins.
fn check_max_pool2d(case: &MaxPool2dCase) -> usize {
    let (dims, label) = (case.dims(), format!("max_pool2d/{}", case.name));
    let input = integers(dims.input(), case.name, 0);
    let mut indices = Vec::new();
    let got = run(std::slice::from_ref(&input), cotangent, |tape, v| {
        let (output, at) = tape.max_pool2d(v[0], &case.spec);
        indices = tape.indices(at).as_slice().to_vec();
        output
    });
    let mut expected_indices = vec![u32::MAX; dims.output().len()];
    let output =
        filled(dims.output(), |out| reference::max_pool2d(&dims, input.as_slice(), out, &mut expected_indices));
    assert_same(&format!("{label}: output"), &got.output, &output);
    assert_eq!(indices, expected_indices, "{label}: indices");
    let g = cotangent(dims.output());
    let grad_input = filled(dims.input(), |out| reference::max_pool2d_grad_input(&dims, &indices, g.as_slice(), out));
    assert_same(&format!("{label}: gradient"), &got.gradients[0], &grad_input);
    3
}

/// The indices of a max pooling, which may name a pixel twice, and the values of another tensor.
fn check_max_unpool2d(case: &MaxPool2dCase) -> usize {
    let (dims, label) = (case.dims(), format!("max_unpool2d/{}", case.name));
    let (pooled, values) = (integers(dims.input(), case.name, 0), integers(dims.output(), case.name, 1));
    let mut indices = vec![u32::MAX; values.len()];
    filled(dims.output(), |maxima| reference::max_pool2d(&dims, pooled.as_slice(), maxima, &mut indices));
    let got = run(std::slice::from_ref(&values), cotangent, |tape, v| {
        let at = tape.record_indices(&Indices::try_new(dims.output(), &indices).unwrap());
        tape.max_unpool2d(v[0], at, dims.window.input)
    });
    let output = filled(dims.input(), |out| reference::max_unpool2d(&dims, &indices, values.as_slice(), out));
    assert_same(&format!("{label}: output"), &got.output, &output);
    let g = cotangent(dims.input());
    let plane = |i: usize| i / (dims.window.output_len() * dims.channels) * dims.window.input_len();
    let gathered = Tensor::from_fn(dims.output(), |i| {
        g.as_slice()[(plane(i) + indices[i] as usize) * dims.channels + i % dims.channels]
    });
    assert_same(&format!("{label}: gradient"), &got.gradients[0], &gathered);
    2
}

/// Every number of pixels in a window of up to 4 x 4 divides this, so that shares of a cotangent are whole numbers.
pub const COMMON_MULTIPLE: f32 = 144.0;

fn check_avg_pool2d(case: &AvgPool2dCase) -> usize {
    let (dims, label) = (case.dims(), format!("avg_pool2d/{}", case.name));
    let count_include_pad = case.spec.count_include_pad;
    let input = integers(dims.input(), case.name, 0);
    let shares = |shape: Shape| {
        let mut cotangent = cotangent(shape);
        cotangent.as_mut_slice().iter_mut().for_each(|value| *value *= COMMON_MULTIPLE);
        cotangent
    };
    let got = run(std::slice::from_ref(&input), shares, |tape, v| tape.avg_pool2d(v[0], &case.spec));
    let output = filled(dims.output(), |out| reference::avg_pool2d(&dims, count_include_pad, input.as_slice(), out));
    assert_same(&format!("{label}: output"), &got.output, &output);
    let g = shares(dims.output());
    let grad_input =
        filled(dims.input(), |out| reference::avg_pool2d_grad_input(&dims, count_include_pad, g.as_slice(), out));
    assert_same(&format!("{label}: gradient"), &got.gradients[0], &grad_input);
    2
}

#[test]
fn every_tensor_equals_its_definition() {
    let mut tally = Tally::default();
    for convolution in Convolution::all() {
        tally.add(convolution.op(), check_convolution(convolution));
    }
    cases::linear().iter().for_each(|case| tally.add("linear", check_linear(case)));
    for case in cases::fold() {
        for (op, tensors) in ["unfold", "fold", "overlap_mean"].into_iter().zip(check_fold(&case)) {
            tally.add(op, tensors);
        }
    }
    for case in cases::max_pool2d() {
        tally.add("max_pool2d", check_max_pool2d(&case));
        tally.add("max_unpool2d", check_max_unpool2d(&case));
    }
    cases::avg_pool2d().iter().for_each(|case| tally.add("avg_pool2d", check_avg_pool2d(case)));
    tally.finish("tensors equal to the definition", 9, 2062);
}

/// Where the stride jumps over pixels, or rounds the last ones away, nothing was read and nothing may flow back.
#[test]
fn pixels_that_no_window_reads_get_no_gradient() {
    let untouched = |name: &str, row: usize| {
        let case = cases::conv2d().into_iter().find(|case| case.name == name).unwrap();
        let ones = |shape| Tensor::full(shape, 1.0);
        let got = run(&case.integers()[..2], ones, |tape, v| tape.conv2d(v[0], v[1], None, &case.spec)).gradients;
        let len = case.input[2] * case.input[3];
        let row = &got[0].as_slice()[row * len..][..len];
        row.iter().all(|&gradient| gradient == 0.0)
    };
    // Stride 3, kernel 2, height 7: rows 2 and 5 lie between windows, rows 0 and 1 do not.
    assert!(untouched("stride_above_kernel", 2) && untouched("stride_above_kernel", 5));
    assert!(!untouched("stride_above_kernel", 0) && !untouched("stride_above_kernel", 1));
    // Stride 4, kernel 3, height 9: rows 4 to 6 are the last window, rows 3, 7 and 8 are read by none.
    assert!([3, 7, 8].into_iter().all(|row| untouched("size_not_divisible_by_stride", row)));
    assert!([0, 4, 6].into_iter().all(|row| !untouched("size_not_divisible_by_stride", row)));
}
