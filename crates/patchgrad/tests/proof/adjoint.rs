//! `<f(x), y> = <x, f*(y)>`: every linear map against its transpose, exactly, on whole numbers.

use crate::{
    cases::{self, unpool_indices},
    exact::COMMON_MULTIPLE,
    run::{run, value},
    tally::Tally,
    values::{dot, integers},
};
use patchgrad::{
    Tape, Tensor, Var,
    ops::{Conv2dSpec, ConvAlgorithm, ConvTranspose2dSpec, max_pool2d, max_unpool2d},
};

#[track_caller]
fn assert_adjoint(label: &str, [fx, y]: [&Tensor; 2], [x, fy]: [&Tensor; 2]) {
    assert_eq!((fx.shape(), x.shape()), (y.shape(), fy.shape()), "{label}: shapes");
    let (left, right) = (dot(fx.as_slice(), y.as_slice()), dot(x.as_slice(), fy.as_slice()));
    assert_eq!(left, right, "{label}: <f(x), y> and <x, f*(y)>");
    // Two zeros would agree about nothing.
    assert!(fx.len() < 8 || left != 0.0, "{label}: both products are 0");
}

/// The transposed convolution back to a plane of `[height, width]`: `output_padding` makes up for what the stride
/// rounded away.
fn transpose(spec: &Conv2dSpec, plane: [usize; 2]) -> ConvTranspose2dSpec {
    let Conv2dSpec { kernel_size, stride, padding, dilation, groups, algorithm } = *spec;
    let rounded_away =
        |axis: usize| (plane[axis] + 2 * padding[axis] - dilation[axis] * (kernel_size[axis] - 1) - 1) % stride[axis];
    let output_padding = [rounded_away(0), rounded_away(1)];
    ConvTranspose2dSpec { kernel_size, stride, padding, output_padding, dilation, groups, algorithm }
}

fn convolutions(tally: &mut Tally) {
    for case in cases::conv2d() {
        let inputs = case.integers();
        let (x, w) = (&inputs[0], &inputs[1]);
        let spec = Conv2dSpec { algorithm: ConvAlgorithm::AutoExact, ..case.spec };
        let fx = value(&[x, w], |tape, v| tape.conv2d(v[0], v[1], None, &spec));
        let y = integers(fx.shape(), case.name, 10);
        // The weight serves both as it is.
        let back = transpose(&spec, [case.input[1], case.input[2]]);
        let fy = value(&[&y, w], |tape, v| tape.conv_transpose2d(v[0], v[1], None, &back));
        assert_adjoint(case.name, [&fx, &y], [x, &fy]);
        // A convolution is linear in its weight too.
        let gradients = run(&inputs[..2], |_| y.clone(), |tape, v| tape.conv2d(v[0], v[1], None, &spec)).gradients;
        assert_adjoint(case.name, [&fx, &y], [w, &gradients[1]]);
        tally.add("conv2d", 2);
    }
    for case in cases::conv_transpose2d() {
        let inputs = case.integers();
        let spec = ConvTranspose2dSpec { algorithm: ConvAlgorithm::AutoExact, ..case.spec };
        let fx = value(&[&inputs[0], &inputs[1]], |tape, v| tape.conv_transpose2d(v[0], v[1], None, &spec));
        let y = integers(fx.shape(), case.name, 10);
        let record = |tape: &mut Tape, v: &[Var]| tape.conv_transpose2d(v[0], v[1], None, &spec);
        let gradients = run(&inputs[..2], |_| y.clone(), record).gradients;
        assert_adjoint(case.name, [&fx, &y], [&inputs[0], &gradients[0]]);
        assert_adjoint(case.name, [&fx, &y], [&inputs[1], &gradients[1]]);
        tally.add("conv_transpose2d", 2);
    }
}

fn patches(tally: &mut Tally) {
    for case in cases::fold() {
        let (x, y) = (integers(case.image, case.name, 0), integers(case.dims().patches(), case.name, 1));
        let fx = value(&[&x], |tape, v| tape.unfold(v[0], &case.spec));
        let fy = value(&[&y], |tape, v| tape.fold(v[0], case.plane(), &case.spec));
        assert_adjoint(case.name, [&fx, &y], [&x, &fy]);
        tally.add("unfold and fold", 1);
    }
}

/// With the indices held fixed, max pooling gathers, its gradient scatters and adds; un-pooling is the other way round.
fn pools(tally: &mut Tally) {
    for case in cases::max_pool2d() {
        let dims = case.dims();
        let (x, y) = (integers(dims.input(), case.name, 0), integers(dims.output(), case.name, 1));
        let (mut fx, mut fy) = (Tensor::zeros(dims.output()), Tensor::zeros(dims.input()));
        let mut indices = vec![0; fx.len()];
        max_pool2d::forward(&dims, x.as_slice(), fx.as_mut_slice(), &mut indices);
        max_pool2d::grad_input(&dims, &indices, y.as_slice(), fy.as_mut_slice());
        assert_adjoint(case.name, [&fx, &y], [&x, &fy]);
        tally.add("max_pool2d", 1);

        if fx.len() <= x.len() {
            let indices = unpool_indices(&dims);
            max_unpool2d::forward(&dims, indices.as_slice(), y.as_slice(), fy.as_mut_slice());
            max_unpool2d::grad_input(&dims, indices.as_slice(), x.as_slice(), fx.as_mut_slice());
            assert_adjoint(case.name, [&fy, &x], [&y, &fx]);
            tally.add("max_unpool2d", 1);
        }
    }
    for case in cases::avg_pool2d() {
        let dims = case.dims();
        let multiples = |shape, index| {
            let mut tensor = integers(shape, case.name, index);
            tensor.as_mut_slice().iter_mut().for_each(|x| *x *= COMMON_MULTIPLE);
            tensor
        };
        let (x, y) = (multiples(dims.input(), 0), multiples(dims.output(), 1));
        let got = run(std::slice::from_ref(&x), |_| y.clone(), |tape, v| tape.avg_pool2d(v[0], &case.spec));
        assert_adjoint(case.name, [&got.output, &y], [&x, &got.gradients[0]]);
        tally.add("avg_pool2d", 1);
    }
}

#[test]
fn every_linear_map_agrees_with_its_transpose() {
    let mut tally = Tally::default();
    convolutions(&mut tally);
    patches(&mut tally);
    pools(&mut tally);
    tally.finish("adjoint identities", 6, 224);
}
