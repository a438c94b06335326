//! What PyTorch computed for every op, loss and optimiser of the engine: `tests/fixtures/pytorch`.
#![forbid(unsafe_code)]

mod conformance;

use conformance::{Case, Fixtures, Tally, Tensors, Tolerance, check};
use patchgrad::{
    Params, Tape, Tensor, Workspace, layout,
    ops::{Conv2dSpec, ConvTranspose2dSpec, MaxPool2dSpec},
    optim::{Adam, AdamConfig, Optimizer, Sgd, SgdConfig},
};
use serde::Deserialize;

/// The expected values are exact to the last bit of f32, so this is the error of the engine alone: a few roundings of sums
/// of up to a few hundred terms of order 1.
const OP: Tolerance = Tolerance { rtol: 1e-5, atol: 1e-5 };

/// Parameters of order 1 after up to three updates.
const TRAINING: Tolerance = Tolerance { rtol: 5e-7, atol: 5e-7 };

#[derive(Deserialize)]
struct Index {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Training {
    optimiser: String,
    lr: f64,
    #[serde(default)]
    momentum: f64,
    #[serde(default)]
    dampening: f64,
    #[serde(default)]
    nesterov: bool,
    #[serde(default)]
    weight_decay: f64,
    #[serde(default)]
    betas: [f64; 2],
    #[serde(default)]
    eps: f64,
    /// Of the classifier: the number of steps, and (C, H, W) of what is flattened.
    #[serde(default)]
    steps: usize,
    #[serde(default)]
    flattened: [usize; 3],
    /// Of the auto-encoder.
    conv: Option<ConvOptions>,
    max_pool: Option<MaxPoolOptions>,
    conv_transpose: Option<ConvOptions>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConvOptions {
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
    #[serde(default)]
    output_padding: [usize; 2],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MaxPoolOptions {
    kernel_size: [usize; 2],
    stride: [usize; 2],
}

impl Training {
    fn optimizer(&self) -> Box<dyn Optimizer> {
        let Self { lr, momentum, dampening, nesterov, weight_decay, betas, eps, .. } = *self;
        match self.optimiser.as_str() {
            "SGD" => Box::new(Sgd::new(SgdConfig { lr, momentum, dampening, nesterov, weight_decay })),
            "Adam" => Box::new(Adam::new(AdamConfig { lr, betas, eps, weight_decay, decoupled: false })),
            "AdamW" => Box::new(Adam::new(AdamConfig { lr, betas, eps, weight_decay, decoupled: true })),
            other => panic!("no optimiser {other}"),
        }
    }
}

/// The parameters `<prefix>.<name>` of a case in our layouts.
fn parameters(case: &Case, tensors: &Tensors, prefix: &str, flattened: [usize; 3]) -> Vec<(String, Tensor)> {
    let roles = case.tensors.keys().filter_map(|role| Some((role, role.strip_prefix(prefix)?.strip_prefix('.')?)));
    let translate = |(role, name): (&String, &str)| {
        let tensor = tensors.floats(case, role);
        let ours = match (name, tensor.shape().rank()) {
            // Its columns count (C, H, W) there, (H, W, C) here: the permutation is that of a kernel.
            ("linear.weight", 2) => {
                let [c, h, w] = flattened;
                let outputs = tensor.shape().dims()[0];
                let features = tensor.reshape([outputs, c, h, w]).unwrap();
                layout::kernel_from_pytorch(&features).reshape([c * h * w, outputs]).unwrap()
            }
            (_, 4) => layout::kernel_from_pytorch(&tensor),
            _ => tensor,
        };
        (name.to_string(), ours)
    };
    roles.map(translate).collect()
}

/// The largest difference between `params` and the parameters `<prefix>.*` of the case.
fn compare_parameters(case: &Case, params: &Params, expected: &[(String, Tensor)]) -> f64 {
    assert_eq!(params.len(), expected.len(), "{}: number of parameters", case.name);
    expected.iter().fold(0.0, |worst, (name, expected)| {
        let got = params.get(params.find(name).unwrap());
        worst.max(TRAINING.compare(&format!("{}: {name}", case.name), got, expected))
    })
}

fn train_classifier(case: &Case, tensors: &Tensors) -> f64 {
    let training: Training = case.attributes();
    let read = |prefix: &str| parameters(case, tensors, prefix, training.flattened);
    let mut params = Params::new();
    let ids: Vec<_> = read("initial").into_iter().map(|(name, tensor)| params.add(name, tensor)).collect();
    let &[conv_bias, conv_weight, linear_bias, linear_weight] = &ids[..] else { panic!("four parameters") };
    let input = layout::image_from_pytorch(&tensors.floats(case, "input"));
    let labels = tensors.integers(case, "target");
    let losses = tensors.floats(case, "losses");
    let (mut workspace, mut optimizer) = (Workspace::new(), training.optimizer());
    let mut worst = 0f64;
    assert_eq!(losses.len(), training.steps);
    for (step, &expected_loss) in losses.as_slice().iter().enumerate() {
        let mut tape = Tape::with_params(&params, &mut workspace);
        let x = tape.input(&input);
        let (weight, bias) = (tape.param(conv_weight), tape.param(conv_bias));
        let hidden = tape.conv2d(x, weight, Some(bias), &Conv2dSpec::new([3, 3]));
        let hidden = tape.relu(hidden);
        let features = tape.flatten(hidden);
        let (weight, bias) = (tape.param(linear_weight), tape.param(linear_bias));
        let logits = tape.linear(features, weight, Some(bias));
        let loss = tape.cross_entropy(logits, &labels);
        let got = tape.value(loss).to_tensor();
        worst = worst.max(TRAINING.compare(&format!("{}: loss", case.name), &got, &Tensor::scalar(expected_loss)));
        let gradients = tape.backward(loss);
        optimizer.step(&mut params, &gradients);
        worst = worst.max(compare_parameters(case, &params, &read(&format!("step_{}", step + 1))));
    }
    worst
}

fn train_auto_encoder(case: &Case, tensors: &Tensors) -> f64 {
    let training: Training = case.attributes();
    let (Some(conv), Some(pool), Some(transposed)) = (&training.conv, &training.max_pool, &training.conv_transpose)
    else {
        panic!("{}: the options of three layers", case.name)
    };
    let ConvOptions { stride, padding, dilation, groups, .. } = *conv;
    let conv = Conv2dSpec { stride, padding, dilation, groups, ..Conv2dSpec::new([3, 3]) };
    let pool = MaxPool2dSpec { stride: pool.stride, ..MaxPool2dSpec::new(pool.kernel_size) };
    let ConvOptions { stride, padding, dilation, groups, output_padding } = *transposed;
    let kernel = ConvTranspose2dSpec::new([2, 2]);
    let transposed = ConvTranspose2dSpec { stride, padding, dilation, groups, output_padding, ..kernel };

    let read = |prefix: &str| parameters(case, tensors, prefix, training.flattened);
    let mut params = Params::new();
    let ids: Vec<_> = read("initial").into_iter().map(|(name, tensor)| params.add(name, tensor)).collect();
    let &[conv_bias, conv_weight, transposed_bias, transposed_weight] = &ids[..] else { panic!("four parameters") };
    let image = layout::image_from_pytorch(&tensors.floats(case, "input"));

    let mut workspace = Workspace::new();
    let mut tape = Tape::with_params(&params, &mut workspace);
    // The image is a variable as input, a constant as target.
    let (x, target) = (tape.variable(&image), tape.input(&image));
    let (weight, bias) = (tape.param(conv_weight), tape.param(conv_bias));
    let hidden = tape.conv2d(x, weight, Some(bias), &conv);
    let hidden = tape.relu(hidden);
    let (code, _) = tape.max_pool2d(hidden, &pool);
    let (weight, bias) = (tape.param(transposed_weight), tape.param(transposed_bias));
    let decoded = tape.conv_transpose2d(code, weight, Some(bias), &transposed);
    let reconstruction = tape.sigmoid(decoded);
    let loss = tape.mse_loss(reconstruction, target);

    let compare = |role: &str, got: &Tensor| {
        let expected = tensors.floats(case, role);
        TRAINING.compare(&format!("{}: {role}", case.name), got, &expected)
    };
    let mut worst = compare("loss", &tape.value(loss).to_tensor());
    let reconstruction = layout::image_to_pytorch(&tape.value(reconstruction).to_tensor());
    worst = worst.max(compare("reconstruction", &reconstruction));
    let gradients = tape.backward(loss);
    let grad_input = layout::image_to_pytorch(gradients.variable(x).expect("the input is a variable"));
    worst = worst.max(compare("grad_input", &grad_input));
    for (name, expected) in read("grad") {
        let got = gradients.param(params.find(&name).unwrap()).expect("every parameter has a gradient");
        worst = worst.max(TRAINING.compare(&format!("{}: gradient of {name}", case.name), got, &expected));
    }
    training.optimizer().step(&mut params, &gradients);
    worst.max(compare_parameters(case, &params, &read("step_1")))
}

#[test]
fn every_case_agrees() {
    let fixtures = Fixtures::<Index>::read("pytorch");
    let tensors = fixtures.tensors();
    let mut tally = Tally::default();
    for case in &fixtures.index.cases {
        let worst = match case.op.as_str() {
            "train_classifier" => train_classifier(case, &tensors),
            "train_auto_encoder" => train_auto_encoder(case, &tensors),
            _ => check(case, &tensors, OP),
        };
        tally.add(case.counted_as(), worst);
    }
    tally.finish("PyTorch", 19, 145);
}
