//! The node tests of the ONNX project that fit the engine: `tests/fixtures/onnx`.
#![forbid(unsafe_code)]

mod conformance;

use conformance::{Case, Fixtures, Tally, Tensors, Tolerance, check};
use patchgrad::Tensor;
use patchgrad_kernels::optim::{AdamStep, SgdStep, adam_step, sgd_step};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Index {
    totals: Totals,
    tolerance: Tolerance,
    run: Vec<Case>,
    left_out: Vec<LeftOut>,
}

#[derive(Deserialize)]
struct Totals {
    candidates: usize,
    run: usize,
    left_out: usize,
}

#[derive(Deserialize)]
struct LeftOut {
    name: String,
    operator: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdamAttributes {
    lr: f64,
    betas: [f64; 2],
    eps: f64,
    weight_decay: f64,
    step: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SgdAttributes {
    lr: f64,
    momentum: f64,
    dampening: f64,
    nesterov: bool,
    weight_decay: f64,
}

/// One update from a given state, which the engine's optimisers keep to themselves: the kernel below them is checked.
fn check_update(case: &Case, tensors: &Tensors, tolerance: Tolerance) -> f64 {
    let parameters = case.tensors.keys().filter(|role| role.starts_with("parameter.")).count();
    let roles = if case.op == "adam_step" { 7 } else { 5 };
    assert_eq!(case.tensors.len(), roles * parameters, "{}: every tensor is used", case.name);
    let mut worst = 0f64;
    for i in 0..parameters {
        let load = |role: &str| tensors.floats(case, &format!("{role}.{i}"));
        let (mut parameter, gradient) = (load("parameter"), load("grad"));
        let state: Vec<(&str, Tensor)> = if case.op == "adam_step" {
            let AdamAttributes { lr, betas: [beta1, beta2], eps, weight_decay, step } = case.attributes();
            let step = AdamStep { lr, beta1, beta2, eps, weight_decay, decoupled: false, step };
            let (mut mean, mut mean_square) = (load("exp_avg"), load("exp_avg_sq"));
            let (m, v) = (mean.as_mut_slice(), mean_square.as_mut_slice());
            adam_step(&step, parameter.as_mut_slice(), gradient.as_slice(), m, v);
            vec![("new_exp_avg", mean), ("new_exp_avg_sq", mean_square)]
        } else {
            let SgdAttributes { lr, momentum, dampening, nesterov, weight_decay } = case.attributes();
            let step = SgdStep { lr, momentum, dampening, nesterov, weight_decay, first: false };
            let mut velocity = load("momentum_buffer");
            sgd_step(&step, parameter.as_mut_slice(), gradient.as_slice(), Some(velocity.as_mut_slice()));
            vec![("new_momentum_buffer", velocity)]
        };
        for (role, tensor) in state.into_iter().chain([("new_parameter", parameter)]) {
            worst = worst.max(tolerance.compare(&format!("{}: {role}.{i}", case.name), &tensor, &load(role)));
        }
    }
    worst
}

#[test]
fn every_case_that_fits_passes() {
    let fixtures = Fixtures::<Index>::read("onnx");
    let (index, tensors) = (&fixtures.index, fixtures.tensors());
    let mut tally = Tally::default();
    for case in &index.run {
        let worst = match case.op.as_str() {
            "adam_step" | "sgd_step" => check_update(case, &tensors, index.tolerance),
            _ => check(case, &tensors, index.tolerance),
        };
        tally.add(case.counted_as(), worst);
    }
    tally.finish("ONNX", 23, 81);
    assert_eq!(index.totals.run, index.run.len());
    assert_eq!(index.totals.left_out, index.left_out.len());
    assert_eq!(index.totals.candidates, index.run.len() + index.left_out.len());
}

#[test]
fn every_case_that_is_left_out_has_a_reason() {
    let index = &Fixtures::<Index>::read("onnx").index;
    let mut by_reason = BTreeMap::<(&str, &str), Vec<&str>>::new();
    for LeftOut { name, operator, reason } in &index.left_out {
        assert!(!reason.is_empty(), "{name}");
        assert!(index.run.iter().all(|case| case.name != *name), "{name} is left out, but also run");
        by_reason.entry((operator, reason)).or_default().push(name);
    }
    println!("left out of ONNX: {} cases", index.left_out.len());
    for ((operator, reason), names) in &by_reason {
        println!("  {operator}, {} times: {reason}", names.len());
    }
    assert_eq!(index.left_out.len(), 92);
}
