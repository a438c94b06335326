//! The gradients of the engine's ops in f32 against central differences.
//!
//! Each is [`patchgrad::gradcheck`]: `L = <v, f(x)>` with a random cotangent v, the tape's gradient against the fourth-order
//! difference quotient `(8 (L(x + h) - L(x - h)) - (L(x + 2h) - L(x - 2h))) / 12h` with h = 1/64 in every element of every
//! input. The value is the largest error as a share of the largest derivative of the same input. The bar is the protocol's
//! 1e-2; `gradcheck` itself refuses more than 1e-3.
//!
//! Values stay away from kinks (0 of a ReLU, ties of a maximum) by more than the differences step.

use super::{Bar, Check};
use anyhow::Result;
use patchgrad::{
    Shape, Tape, Tensor, Var,
    gradcheck::gradcheck,
    ops::{
        Activation, AvgPool2dSpec, Conv2dSpec, ConvAlgorithm, ConvTranspose2dSpec, FoldSpec, MaxPool2dSpec,
        max_pool2d::Indices,
    },
    random::stream,
};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use std::sync::LazyLock;

/// The protocol's bar for f32.
pub(super) const MOST: Bar = Bar::AtMost(1e-2);

/// Every activation of the engine.
pub(super) const ACTIVATIONS: [Activation; 7] = [
    Activation::Linear,
    Activation::Softsign,
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Relu,
    Activation::LeakyRelu { negative_slope: 0.2 },
    Activation::Softplus,
];

/// A computation on a tape.
type Record = Box<dyn Fn(&mut Tape, &[Var]) -> Var + Send + Sync>;

/// Inputs and what is computed of them.
struct Case {
    inputs: Vec<Tensor>,
    record: Record,
}

impl Case {
    fn new(inputs: Vec<Tensor>, record: impl Fn(&mut Tape, &[Var]) -> Var + Send + Sync + 'static) -> Self {
        Self { inputs, record: Box::new(record) }
    }
}

/// The checks of this group.
pub fn checks() -> Vec<Check> {
    let mut checks = vec![
        check("conv2d", "convolution, weights shared by all positions", convolutions),
        check("conv_transpose2d", "transposed convolution", transposed_convolutions),
        check("linear", "linear layer", linear),
        check("max_pool2d", "max-pooling, the gradient goes to where the maximum stood", max_pooling),
        check("max_unpool2d", "un-pooling with switches", unpooling),
        check("avg_pool2d", "average pooling, with and without the padding counted", average_pooling),
        check("fused", "convolution, activation and 2x2 max-pooling in one node", fused),
        check("unfold_fold", "patches of an image, patches to an image, the mean where they overlap", patches),
        check("elementwise", "add, sub, mul, scale, mask, exp, ln, transpose, reshape", elementwise),
    ];
    let of_activation = |activation: Activation| {
        let name = format!("activation/{}", activation.name());
        check(&name, &format!("the activation {activation}"), move || {
            vec![Case::new(vec![away_from_zero([3, 7], 0)], move |tape, v| tape.activation(v[0], activation))]
        })
    };
    checks.extend(ACTIVATIONS.map(of_activation));
    checks.push(check("loss/mse", "mean squared error", || {
        vec![Case::new(vec![normal([4, 5], 0), normal([4, 5], 1)], |tape, v| tape.mse_loss(v[0], v[1]))]
    }));
    checks.push(check("loss/bce_with_logits", "binary cross-entropy of logits", || {
        let target = |tape: &mut Tape, v: &[Var]| {
            let target =
                tape.constant([4, 5], |t| t.iter_mut().enumerate().for_each(|(i, t)| *t = (i % 4) as f32 / 3.0));
            tape.bce_with_logits(v[0], target)
        };
        vec![Case::new(vec![normal([4, 5], 0)], target)]
    }));
    checks.push(check("loss/cross_entropy", "cross-entropy of the softmax", || {
        vec![Case::new(vec![normal([4, 5], 0)], |tape, v| tape.cross_entropy(v[0], &[0, 4, 2, 2]))]
    }));
    checks.push(check("loss/sum", "sum", || vec![Case::new(vec![normal([4, 5], 0)], |tape, v| tape.sum(v[0]))]));
    checks
}

fn check(name: &str, what: &str, cases: impl Fn() -> Vec<Case> + Send + Sync + 'static) -> Check {
    let number = cases().len();
    let of_cases = if number == 1 { String::new() } else { format!(", worst of {number} cases") };
    let how =
        format!("tape against central differences (h = 1/64) in every element{of_cases}; error / largest derivative");
    Check::new(format!("gradient/{name}"), format!("f32 gradient: {what}"), how, MOST, move |_| worst(&cases()))
}

fn worst(cases: &[Case]) -> Result<f64> {
    let mut worst = 0.0f64;
    for case in cases {
        worst = worst.max(gradcheck(&case.inputs, &case.record)?.worst);
    }
    Ok(worst)
}

/// Standard normal values.
fn normal(shape: impl Into<Shape>, index: u64) -> Tensor {
    let mut stream = stream(3, "validation", index);
    Tensor::from_fn(shape, |_| StandardNormal.sample(&mut stream))
}

/// The same, 0.1 further from 0: the differences step 2/64.
fn away_from_zero(shape: impl Into<Shape>, index: u64) -> Tensor {
    let mut tensor = normal(shape, index);
    tensor.as_mut_slice().iter_mut().for_each(|x| *x += 0.1f32.copysign(*x));
    tensor
}

/// Multiples of 1/8 in random order, no two alike: the differences change the place of no maximum.
pub(super) fn distinct(shape: impl Into<Shape>, index: u64) -> Tensor {
    let shape = shape.into();
    let mut values: Vec<f32> = (0..shape.len()).map(|i| (i as f32 - shape.len() as f32 / 2.0) / 8.0).collect();
    let mut stream = stream(3, "validation order", index);
    for i in (1..values.len()).rev() {
        values.swap(i, stream.random_range(0..=i));
    }
    Tensor::new(shape, &values)
}

/// The shapes of input and weight and the options of a few convolutions: plain, and with all that a window can have.
pub(super) fn convolution_shapes() -> Vec<([usize; 4], [usize; 4], Conv2dSpec)> {
    let kernel = Conv2dSpec::new;
    vec![
        ([2, 5, 6, 2], [3, 3, 2, 3], kernel([3, 3])),
        ([1, 7, 6, 3], [2, 3, 3, 2], Conv2dSpec { stride: [2, 3], padding: [1, 2], ..kernel([2, 3]) }),
        ([1, 7, 8, 4], [3, 2, 2, 4], Conv2dSpec { dilation: [2, 3], groups: 2, padding: [1, 0], ..kernel([3, 2]) }),
    ]
}

/// Every algorithm that computes a convolution.
fn algorithms() -> [ConvAlgorithm; 4] {
    [ConvAlgorithm::Naive, ConvAlgorithm::Im2col, ConvAlgorithm::Direct, ConvAlgorithm::Auto]
}

fn convolutions() -> Vec<Case> {
    let case = |(input, weight, spec): ([usize; 4], [usize; 4], Conv2dSpec)| {
        let inputs = vec![normal(input, 0), normal(weight, 1), normal([weight[3]], 2)];
        Case::new(inputs, move |tape, v| tape.conv2d(v[0], v[1], Some(v[2]), &spec))
    };
    let with = |algorithm| {
        convolution_shapes()
            .into_iter()
            .map(move |(input, weight, spec)| (input, weight, Conv2dSpec { algorithm, ..spec }))
    };
    let winograd = Conv2dSpec { padding: [1, 1], algorithm: ConvAlgorithm::Winograd, ..Conv2dSpec::new([3, 3]) };
    algorithms().into_iter().flat_map(with).chain([([1, 6, 7, 3], [3, 3, 3, 4], winograd)]).map(case).collect()
}

fn transposed_convolutions() -> Vec<Case> {
    let kernel = ConvTranspose2dSpec::new;
    let doubling = ConvTranspose2dSpec { stride: [2, 2], padding: [1, 1], ..kernel([4, 4]) };
    let shapes = [
        ([2, 3, 4, 2], [3, 3, 3, 2], kernel([3, 3])),
        ([1, 3, 3, 3], [4, 4, 2, 3], doubling),
        ([1, 3, 2, 4], [4, 4, 2, 4], ConvTranspose2dSpec { output_padding: [1, 0], groups: 2, ..doubling }),
        ([1, 3, 4, 2], [3, 2, 3, 2], ConvTranspose2dSpec { dilation: [2, 1], ..kernel([3, 2]) }),
    ];
    let case = |(input, weight, spec): ([usize; 4], [usize; 4], ConvTranspose2dSpec)| {
        let inputs = vec![normal(input, 0), normal(weight, 1), normal([weight[2] * spec.groups], 2)];
        Case::new(inputs, move |tape, v| tape.conv_transpose2d(v[0], v[1], Some(v[2]), &spec))
    };
    shapes.into_iter().map(case).collect()
}

fn linear() -> Vec<Case> {
    let inputs = vec![normal([4, 5], 0), normal([5, 3], 1), normal([3], 2)];
    vec![Case::new(inputs, |tape, v| tape.linear(v[0], v[1], Some(v[2])))]
}

fn max_pooling() -> Vec<Case> {
    let kernel = MaxPool2dSpec::new;
    let specs = [
        kernel([2, 2]),
        MaxPool2dSpec { stride: [2, 1], padding: [1, 1], ..kernel([3, 3]) },
        MaxPool2dSpec { ceil_mode: true, ..kernel([2, 3]) },
    ];
    let case =
        |spec: MaxPool2dSpec| Case::new(vec![distinct([2, 5, 7, 2], 0)], move |tape, v| tape.max_pool2d(v[0], &spec).0);
    specs.into_iter().map(case).collect()
}

fn unpooling() -> Vec<Case> {
    let record = |tape: &mut Tape, v: &[Var]| {
        // One index into the 4 x 4 plane for each pooled value, a different one in each window.
        let at = Indices::try_new([1, 2, 2, 1], &[0, 7, 9, 14]).expect("four indices for four values");
        let at = tape.record_indices(&at);
        tape.max_unpool2d(v[0], at, [4, 4])
    };
    vec![Case::new(vec![normal([1, 2, 2, 1], 0)], record)]
}

fn average_pooling() -> Vec<Case> {
    let padded = AvgPool2dSpec { padding: [1, 1], stride: [2, 2], ..AvgPool2dSpec::new([3, 3]) };
    let specs = [AvgPool2dSpec::new([2, 2]), padded, AvgPool2dSpec { count_include_pad: false, ..padded }];
    let case =
        |spec: AvgPool2dSpec| Case::new(vec![normal([2, 5, 7, 2], 0)], move |tape, v| tape.avg_pool2d(v[0], &spec));
    specs.into_iter().map(case).collect()
}

fn fused() -> Vec<Case> {
    // One input channel and a 1x1 kernel of positive weights: the order of distinct pixels is the order of the sums.
    let weight = Tensor::new([1, 1, 1, 2], &[0.75, 1.25]);
    let case = |activation: Activation| {
        let inputs = vec![distinct([1, 4, 6, 1], 0), weight.clone(), normal([2], 1)];
        let spec = Conv2dSpec::new([1, 1]);
        Case::new(inputs, move |tape, v| tape.conv2d_activation_max_pool2d(v[0], v[1], Some(v[2]), &spec, activation))
    };
    [Activation::Linear, Activation::Tanh, Activation::Sigmoid].map(case).into()
}

fn patches() -> Vec<Case> {
    let spec = FoldSpec { stride: [2, 1], padding: [1, 0], ..FoldSpec::new([3, 2]) };
    let plain = FoldSpec { stride: [2, 2], ..FoldSpec::new([4, 4]) };
    vec![
        Case::new(vec![normal([2, 5, 4, 2], 0)], move |tape, v| tape.unfold(v[0], &spec)),
        Case::new(vec![normal([2, 3, 3, 12], 0)], move |tape, v| tape.fold(v[0], [5, 4], &spec)),
        Case::new(vec![normal([1, 8, 8, 2], 0)], move |tape, v| tape.overlap_mean(v[0], &plain)),
    ]
}

fn elementwise() -> Vec<Case> {
    static MASK: LazyLock<Tensor> = LazyLock::new(|| Tensor::from_fn([3, 4], |i| (i % 3) as f32 - 0.5));
    let two = || vec![normal([3, 4], 0), normal([3, 4], 1)];
    let one = || vec![normal([3, 4], 0)];
    let positive = Tensor::from_fn([3, 4], |i| 0.5 + (i as f32 * 0.7).sin().abs());
    vec![
        Case::new(two(), |tape, v| tape.add(v[0], v[1])),
        Case::new(two(), |tape, v| tape.sub(v[0], v[1])),
        Case::new(two(), |tape, v| tape.mul(v[0], v[1])),
        // Used twice, a value gets the sum of both gradients.
        Case::new(one(), |tape, v| tape.mul(v[0], v[0])),
        Case::new(one(), |tape, v| tape.scale(v[0], -1.5)),
        Case::new(one(), |tape, v| {
            let mask = tape.constant([3, 4], |mask| mask.copy_from_slice(MASK.as_slice()));
            tape.mul(v[0], mask)
        }),
        Case::new(one(), |tape, v| tape.mask(v[0], &MASK)),
        Case::new(one(), |tape, v| tape.exp(v[0])),
        Case::new(vec![positive], |tape, v| tape.ln(v[0])),
        Case::new(one(), |tape, v| tape.transpose(v[0])),
        Case::new(one(), |tape, v| tape.reshape(v[0], [2, 6])),
    ]
}
