//! Convolutions that are one node with their epilogue, for what needs smooth functions: gradients by differences.

use super::{Case, Conv2dCase, ConvTranspose2dCase, Convolution, Epilogue, Size};
use crate::{run::value, values::Draw};
use patchgrad::{
    Tape, Tensor, Var,
    ops::{Activation, Conv2dSpec, ConvAlgorithm, ConvTranspose2dSpec},
};

/// How far a difference quotient moves an element at most.
const STEP: f32 = 1.0 / 32.0;

const LEAKY: Activation = Activation::LeakyRelu { negative_slope: 0.5 };

pub fn fused() -> Vec<Case> {
    plain().into_iter().chain(pooled()).chain(transposed()).collect()
}

fn conv2d(name: &'static str, input: [usize; 4], out_channels: usize, spec: Conv2dSpec) -> Conv2dCase {
    Conv2dCase { name, input, out_channels, spec, bias: true, size: Size::Small }
}

fn plain() -> Vec<Case> {
    type Spec = Conv2dSpec;
    let kernel = Spec::new;
    let padded = Spec { padding: [1, 1], ..kernel([3, 3]) };
    let strided = Spec { stride: [2, 2], ..kernel([2, 2]) };
    let winograd = Spec { algorithm: ConvAlgorithm::Winograd, ..padded };
    let cases = [
        (conv2d("softsign", [2, 4, 3, 2], 3, padded), Activation::Softsign),
        (conv2d("tanh_with_stride", [2, 4, 5, 3], 3, strided), Activation::Tanh),
        (conv2d("sigmoid_of_few_channels", [2, 3, 4, 9], 2, padded), Activation::Sigmoid),
        (conv2d("relu_of_groups", [1, 4, 3, 4], 6, Spec { groups: 2, ..padded }), Activation::Relu),
        (conv2d("leaky_relu_of_a_1x1_kernel", [2, 3, 2, 4], 3, kernel([1, 1])), LEAKY),
        (Conv2dCase { bias: false, ..conv2d("softplus_no_bias", [2, 4, 3, 2], 3, padded) }, Activation::Softplus),
        (conv2d("sigmoid_of_winograd", [1, 5, 6, 3], 4, winograd), Activation::Sigmoid),
        (Conv2dCase { size: Size::ManyChunks, ..conv2d("tanh", [33, 9, 8, 3], 5, padded) }, Activation::Tanh),
    ];
    cases.map(|(case, activation)| make(Convolution::Plain(case), activation, false)).into()
}

/// Outputs of odd height and width among them, whose last row and column no window sees.
fn pooled() -> Vec<Case> {
    type Spec = Conv2dSpec;
    let kernel = Spec::new;
    let padded = Spec { padding: [1, 1], ..kernel([3, 3]) };
    let winograd = Spec { algorithm: ConvAlgorithm::Winograd, ..padded };
    let cases = [
        (conv2d("softsign", [1, 4, 5, 2], 3, padded), Activation::Softsign),
        (conv2d("tanh", [1, 5, 4, 2], 2, kernel([2, 2])), Activation::Tanh),
        (conv2d("sigmoid_with_stride", [2, 7, 5, 2], 3, Spec { stride: [2, 2], ..padded }), Activation::Sigmoid),
        (conv2d("relu", [1, 5, 5, 3], 2, padded), Activation::Relu),
        (conv2d("leaky_relu_of_groups", [1, 4, 5, 4], 4, Spec { groups: 2, ..padded }), LEAKY),
        (Conv2dCase { bias: false, ..conv2d("softplus_no_bias", [2, 4, 4, 2], 3, padded) }, Activation::Softplus),
        (conv2d("linear_dilated", [1, 6, 7, 2], 3, Spec { dilation: [2, 2], ..padded }), Activation::Linear),
        (conv2d("sigmoid_of_winograd", [1, 5, 6, 3], 3, winograd), Activation::Sigmoid),
    ];
    let mut cases: Vec<Case> = cases.map(|(case, activation)| make(Convolution::Plain(case), activation, true)).into();
    // Distinct pixels times one number stay in order wherever a difference quotient moves them.
    let pointwise = Conv2dCase { size: Size::ManyChunks, ..conv2d("linear", [33, 14, 12, 1], 63, kernel([1, 1])) };
    let epilogue = Epilogue { activation: Activation::Linear, max_pool: true };
    cases.push(case(Convolution::Plain(pointwise), epilogue, Draw::Distinct));
    cases
}

fn transposed() -> Vec<Case> {
    type Spec = ConvTranspose2dSpec;
    let kernel = Spec::new;
    let case = |name, input, out_channels, spec| ConvTranspose2dCase {
        name,
        input,
        out_channels,
        spec,
        bias: true,
        size: Size::Small,
    };
    let padded = Spec { padding: [1, 1], ..kernel([3, 3]) };
    let doubling = Spec { stride: [2, 2], padding: [1, 1], ..kernel([4, 4]) };
    let winograd = Spec { algorithm: ConvAlgorithm::Winograd, ..padded };
    let cases = [
        (case("softsign", [2, 3, 4, 2], 3, padded), Activation::Softsign),
        (case("tanh_of_groups", [1, 3, 4, 4], 4, Spec { groups: 2, ..padded }), Activation::Tanh),
        (case("sigmoid_to_one_channel", [1, 3, 3, 8], 1, doubling), Activation::Sigmoid),
        (case("relu", [1, 3, 2, 3], 2, Spec { output_padding: [1, 0], ..doubling }), Activation::Relu),
        (case("leaky_relu_stride_is_kernel", [2, 2, 3, 3], 2, Spec { stride: [2, 2], ..kernel([2, 2]) }), LEAKY),
        (
            ConvTranspose2dCase { bias: false, ..case("softplus_no_bias", [2, 3, 2, 2], 3, padded) },
            Activation::Softplus,
        ),
        (case("tanh_of_winograd", [1, 5, 6, 3], 4, winograd), Activation::Tanh),
        (
            ConvTranspose2dCase { size: Size::ManyChunks, ..case("sigmoid", [33, 6, 7, 3], 5, doubling) },
            Activation::Sigmoid,
        ),
    ];
    cases.map(|(case, activation)| make(Convolution::Transposed(case), activation, false)).into()
}

/// The case of normal inputs around which a difference quotient crosses no kink, if the case is small.
fn make(convolution: Convolution, activation: Activation, max_pool: bool) -> Case {
    let epilogue = Epilogue { activation, max_pool };
    case(convolution, epilogue, Draw::Normal).drawn_until(|inputs| is_smooth(&convolution, epilogue, inputs))
}

fn case(convolution: Convolution, epilogue: Epilogue, draw: Draw) -> Case {
    let (name, size) = match convolution {
        Convolution::Plain(case) => (case.name, case.size),
        Convolution::Transposed(case) => (case.name, case.size),
    };
    let record = move |tape: &mut Tape, v: &[Var]| convolution.record_fused(tape, v, epilogue);
    Case::new((convolution.fused_op(epilogue), name), draw, &convolution.shapes(), record).of_size(size)
}

/// Whether the op stays on one side of every kink while a single element moves by a [`STEP`]: every maximum of four stands
/// out, and an activation with a kink at 0 is asked away from it.
fn is_smooth(convolution: &Convolution, Epilogue { activation, max_pool }: Epilogue, inputs: &[Tensor]) -> bool {
    // The kink of the soft-sign is in its derivative.
    let kink = matches!(activation, Activation::Relu | Activation::LeakyRelu { .. } | Activation::Softsign);
    if !kink && !max_pool {
        return true;
    }
    let sums = value(&inputs.iter().collect::<Vec<_>>(), |tape, v| convolution.record(tape, v));
    // An element takes part in a sum with a factor of at most this.
    let factor = inputs.iter().flat_map(Tensor::as_slice).fold(1f32, |largest, x| largest.max(x.abs()));
    let away_from_0 = |sum: f32| !kink || sum.abs() > factor * STEP;
    if !max_pool {
        return sums.as_slice().iter().all(|&sum| away_from_0(sum));
    }
    windows(&sums).into_iter().all(|mut window| {
        window.sort_by(|a, b| b.total_cmp(a));
        away_from_0(window[0]) && window[0] - window[1] > 2.0 * factor * STEP
    })
}

/// What each 2x2 window of an image sees, with stride 2.
fn windows(image: &Tensor) -> Vec<[f32; 4]> {
    let [batch, height, width, channels] = image.shape().nhwc().unwrap();
    let (rows, columns) = (height / 2, width / 2);
    let window = |i: usize| {
        let (c, w, h, n) =
            (i % channels, i / channels % columns, i / (channels * columns) % rows, i / (channels * columns * rows));
        [[0, 0], [0, 1], [1, 0], [1, 1]].map(|[y, x]| {
            let pixel = (n * height + 2 * h + y) * width + 2 * w + x;
            image.as_slice()[pixel * channels + c]
        })
    };
    (0..batch * rows * columns * channels).map(window).collect()
}
