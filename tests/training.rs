//! What PyTorch's schedulers and clipping compute, and a network that PyTorch saved: `tests/fixtures/training`.
#![forbid(unsafe_code)]

mod conformance;

use conformance::{Case, Fixtures, Tally, Tensors, Tolerance, check};
use patchgrad::{
    Gradients, Params, Tape, Tensor, Workspace,
    checkpoint::Checkpoint,
    layers::{Conv2d, ConvTranspose2d, Layer, Linear},
    layout::{ParamLayout, image_from_pytorch, image_to_pytorch},
    ops::{Conv2dSpec, ConvTranspose2dSpec},
    optim::{Schedule, clip_grad_norm, clip_grad_value},
    random::stream,
};
use safetensors::SafeTensors;
use serde::Deserialize;

/// A few sums of up to a few dozen terms of order 1.
const NETWORK: Tolerance = Tolerance { rtol: 1e-6, atol: 1e-6 };

/// PyTorch clips in f32: a norm of 17 squares, and one product.
const CLIP: Tolerance = Tolerance { rtol: 5e-7, atol: 0.0 };

#[derive(Deserialize)]
struct Index {
    cases: Vec<Case>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rates {
    base: f64,
    rates: Vec<f64>,
    step_size: u64,
    gamma: f64,
    milestones: Vec<u64>,
    start_factor: f64,
    end_factor: f64,
    total_iters: u64,
    t_max: u64,
    eta_min: f64,
    total_steps: u64,
    pct_start: f64,
    div_factor: f64,
    final_div_factor: f64,
    steps: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clipping {
    bound: f64,
    norm: f64,
}

/// The largest difference between the rates, as a share of the accepted one: 1e-12 of the base rate.
fn schedule(case: &Case) -> f64 {
    let Rates { base, rates, step_size, gamma, milestones, start_factor, end_factor, total_iters, .. } =
        case.attributes();
    let Rates { t_max, eta_min, total_steps, pct_start, div_factor, final_div_factor, steps, .. } = case.attributes();
    let schedule = match case.op.as_str() {
        "step" => Schedule::Step { step_size, gamma },
        "multi_step" => Schedule::MultiStep { milestones, gamma },
        "exponential" => Schedule::Exponential { gamma },
        "linear" => Schedule::Linear { start_factor, end_factor, total_iters },
        "cosine" => Schedule::Cosine { t_max, eta_min },
        "one_cycle" | "one_cycle_short" => Schedule::OneCycle { total_steps, pct_start, div_factor, final_div_factor },
        "warm_up_cosine" => Schedule::Cosine { t_max, eta_min }.after_warm_up(steps, start_factor),
        other => panic!("no schedule {other}"),
    };
    assert_eq!(rates.len(), 40, "{}", case.name);
    rates.iter().enumerate().fold(0.0, |worst, (step, expected)| {
        let got = schedule.lr(base, step as u64);
        let share = (got - expected).abs() / (1e-12 * base);
        assert!(share <= 1.0, "{}: step {step} is {got}, expected {expected}", case.name);
        worst.max(share)
    })
}

/// Gradients of these values: those of `mean((p - target)^2)` at 0 are `-2 target / n`.
fn gradients(values: &[Tensor]) -> Gradients {
    let mut params = Params::new();
    let ids: Vec<_> =
        values.iter().enumerate().map(|(i, g)| params.add(format!("p{i}"), Tensor::zeros(g.shape()))).collect();
    let targets: Vec<Tensor> =
        values.iter().map(|g| Tensor::from_fn(g.shape(), |i| -g.as_slice()[i] * g.len() as f32 / 2.0)).collect();
    let mut workspace = Workspace::new();
    let mut tape = Tape::with_params(&params, &mut workspace);
    let losses: Vec<_> = ids
        .iter()
        .zip(&targets)
        .map(|(&id, target)| {
            let (param, target) = (tape.param(id), tape.input(target));
            tape.mse_loss(param, target)
        })
        .collect();
    let loss = tape.add(losses[0], losses[1]);
    tape.backward(loss)
}

fn clip(case: &Case, tensors: &Tensors) -> f64 {
    let Clipping { bound, norm } = case.attributes();
    let read = |role: &str| [0, 1].map(|i| tensors.floats(case, &format!("{role}_{i}")));
    let mut gradients = gradients(&read("grad"));
    let mut worst = 0.0;
    if case.op == "clip_grad_norm" {
        let got = clip_grad_norm(&mut gradients, bound);
        let (got, expected) = (Tensor::scalar(got as f32), Tensor::scalar(norm as f32));
        worst = CLIP.compare(&format!("{}: norm", case.name), &got, &expected);
    } else {
        clip_grad_value(&mut gradients, bound as f32);
    }
    for ((_, got), expected) in gradients.params().zip(read("clipped")) {
        worst = f64::max(worst, CLIP.compare(&case.name, got, &expected));
    }
    worst
}

/// The network of `make_training.py`, its parameters from the file that PyTorch wrote.
fn network(case: &Case, tensors: &Tensors) -> f64 {
    let (mut params, mut s) = (Params::new(), stream(0, "init", 0));
    let p = &mut params;
    let down = Conv2dSpec { stride: [2, 2], groups: 2, ..Conv2dSpec::new([3, 2]) };
    let up = ConvTranspose2dSpec { stride: [2, 2], groups: 2, ..ConvTranspose2dSpec::new([2, 3]) };
    let (down, up) = (Conv2d::new(p, "down", [4, 6], down, &mut s), ConvTranspose2d::new(p, "up", [6, 4], up, &mut s));
    let (head, top) = (Linear::new(p, "head", [36, 5], &mut s), Linear::new(p, "top", [5, 3], &mut s));
    p.set_layout(head.params()[0], ParamLayout::LinearOfMap([2, 3, 6]));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/training/network.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let mut file = Checkpoint::from_bytes(&bytes).unwrap();
    file.take_params("", &mut params).unwrap();
    file.finish().unwrap();

    let (image, mut workspace) = (image_from_pytorch(&tensors.floats(case, "input")), Workspace::new());
    let mut tape = Tape::with_params(&params, &mut workspace);
    let x = tape.input(&image);
    let sums = down.forward(&mut tape, x);
    let code = tape.tanh(sums);
    let decoded = up.forward(&mut tape, code);
    let flat = tape.flatten(code);
    let sums = head.forward(&mut tape, flat);
    let hidden = tape.tanh(sums);
    let logits = top.forward(&mut tape, hidden);
    let decoded = image_to_pytorch(&tape.value(decoded).to_tensor());
    let worst = NETWORK.compare("up", &decoded, &tensors.floats(case, "up"));
    let logits = tape.value(logits).to_tensor();
    let worst = worst.max(NETWORK.compare("top", &logits, &tensors.floats(case, "top")));

    // Written again, it is the file that PyTorch wrote, but for the order of the tensors and our entries.
    let mut ours = Checkpoint::new();
    ours.put_params("", &params);
    let bytes_of_ours = ours.to_bytes();
    let [ours, theirs] = [&bytes_of_ours, &bytes].map(|bytes| SafeTensors::deserialize(bytes).unwrap());
    assert_eq!(ours.len(), theirs.len());
    for (name, tensor) in theirs.iter() {
        let got = ours.tensor(name).unwrap();
        assert_eq!((got.shape(), got.data()), (tensor.shape(), tensor.data()), "{name}");
    }
    worst
}

#[test]
fn every_case_agrees() {
    let fixtures = Fixtures::<Index>::read("training");
    let tensors = fixtures.tensors();
    let mut tally = Tally::default();
    for case in &fixtures.index.cases {
        let (what, worst) = match case.name.split('/').next().unwrap() {
            "schedule" => ("schedule", schedule(case)),
            "clip" => (case.counted_as(), clip(case, &tensors)),
            "network" => ("network", network(case, &tensors)),
            _ => (case.counted_as(), check(case, &tensors, NETWORK)),
        };
        tally.add(what, worst);
    }
    tally.finish("training", 4, 12);
}
