//! The gradients of whole networks in f32: units of every kind, penalties, classifiers with shared and un-shared
//! convolutions, end-to-end auto-encoders.
//!
//! Every parameter is moved along six random directions of +-1 with h = 1/256 and the fourth-order difference quotient is
//! compared with the tape's gradient along it; the value is the largest error as a share of the length of the gradient. The
//! bar is the protocol's 1e-2.

use super::{Check, engine_gradients::MOST, param_gradient_errors};
use crate::{
    cae::{CaeSpec, Code, ConvAutoencoder, Downsampling},
    finetune::{Classifier, ClassifierSpec, Hidden, Loss, Sharing},
    scae::{LayerGeometry, LayerSpec, Scae, ScaeSpec},
    units::{HebbianRule, Sparsity, Unit, UnitDims, UnitSpec, VisibleRange, contraction},
};
use anyhow::Result;
use patchgrad::{ParamId, Params, Tape, Tensor, Var, Workspace, gradcheck::gradcheck, ops::Activation, random::stream};
use rand::RngExt;
use std::sync::Arc;

const SOFTSIGN: Activation = Activation::Softsign;
const LINEAR: Activation = Activation::Linear;

/// Pairs of activations (encoder, decoder) of the units.
const PAIRS: [[Activation; 2]; 3] =
    [[SOFTSIGN, LINEAR], [Activation::Tanh, SOFTSIGN], [Activation::Sigmoid, Activation::Softplus]];

/// The checks of this group.
pub fn checks() -> Vec<Check> {
    let mut checks: Vec<Check> = units().into_iter().map(of_units).collect();
    let penalties = "gradcheck of the penalty of a code: L1, Kullback-Leibler (sigmoid), contraction (6 activations)";
    checks.push(Check::new("gradient/penalties", "f32 gradient: penalties on the code", penalties, MOST, |_| {
        penalised()
    }));
    for sharing in [Sharing::Shared, Sharing::Unshared] {
        let word = if sharing == Sharing::Shared { "shared" } else { "unshared" };
        let what = format!("f32 gradient: classifier on three {word} convolutions with weights x 3 (defect D1)");
        let how = format!("{DIRECTIONS}; cross-entropy and squared error, with a hidden layer");
        let name = format!("gradient/classifier-{word}");
        checks.push(Check::new(name, what, how, MOST, move |_| Ok(classifiers(sharing))));
    }
    for (name, code) in [("plain", Code::Plain), ("variational", Code::Variational { beta: 0.5 })] {
        let what = format!("f32 gradient: end-to-end convolutional auto-encoder, {name} code");
        let name = format!("gradient/cae-{name}");
        checks.push(Check::new(name, what, DIRECTIONS, MOST, move |_| Ok(end_to_end(code))));
    }
    checks
}

const DIRECTIONS: &str =
    "tape against central differences (h = 1/256), every parameter along 6 random directions; error / gradient length";

/// The kinds whose encoder and decoder follow a gradient.
fn units() -> Vec<fn([Activation; 2]) -> UnitSpec> {
    vec![
        |[encoder, decoder]| UnitSpec::standard(encoder, decoder),
        |[encoder, decoder]| UnitSpec::Tied { encoder, decoder },
        |[encoder, decoder]| UnitSpec::KSparse { encoder, decoder, k: 2 },
        |[encoder, decoder]| UnitSpec::Pca { encoder, decoder },
        |[encoder, _]| UnitSpec::Lda { encoder },
        |[encoder, decoder]| UnitSpec::Oja { rule: HebbianRule::Sanger, encoder, decoder },
        |_| UnitSpec::BernoulliRbm { steps: 1, range: VisibleRange::Symmetric },
        |_| UnitSpec::GaussianRbm { steps: 1, sd: 0.8, learn_sd: true },
    ]
}

fn of_units(spec: fn([Activation; 2]) -> UnitSpec) -> Check {
    let kind = spec(PAIRS[0]).kind();
    let positions = if kind == "k-sparse" { "one position" } else { "nine overlapping positions" };
    let what = format!("f32 gradient: {kind} unit, encoded and decoded at {positions}");
    let how = format!("{DIRECTIONS}; worst of {} pairs of activations", PAIRS.len());
    Check::new(format!("gradient/unit-{kind}"), what, how, MOST, move |_| {
        Ok(PAIRS.map(|pair| unit_error(spec(pair))).into_iter().fold(0.0, worse))
    })
}

/// The larger one, a NaN if there is one.
fn worse(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
}

fn worst(errors: Vec<(String, f64)>) -> f64 {
    // No parameter with a gradient would be as wrong as can be.
    if errors.is_empty() { f64::NAN } else { errors.into_iter().map(|(_, error)| error).fold(0.0, worse) }
}

/// A smooth picture `[count, size, size, depth]`.
fn waves(count: usize, size: usize, depth: usize) -> Tensor {
    Tensor::from_fn([count, size, size, depth], |i| {
        let (c, x, y, n) = (i % depth, i / depth % size, i / (depth * size) % size, i / (depth * size * size));
        let (c, x, y, n) = (c as f32, x as f32, y as f32, n as f32);
        0.6 * (0.7 * y + 1.3 * n + c).sin() + 0.4 * (0.9 * x - 0.8 * n - c).cos()
    })
}

/// Moves every parameter by up to 0.3, so that biases are not 0.
fn shake(params: &mut Params, seed: u64) {
    let mut stream = stream(5, "validation shake", seed);
    let ids: Vec<ParamId> = params.iter().map(|(id, _, _)| id).collect();
    for id in ids {
        params.get_mut(id).as_mut_slice().iter_mut().for_each(|value| *value += stream.random_range(-0.3f32..0.3));
    }
}

/// A number for each value, so that no two gradients cancel.
fn weigh(tape: &mut Tape, value: Var) -> Var {
    let weights = tape.constant(tape.shape(value), |weights| {
        weights.iter_mut().enumerate().for_each(|(i, w)| *w = ((i as f32 + 1.0) * 1.618).sin());
    });
    let product = tape.mul(value, weights);
    tape.sum(product)
}

/// Sizes of the units: patches of 3 x 3 x 2 values, two pixels apart, codes of four.
const DIMS: UnitDims = UnitDims { geometry: LayerGeometry { kernel: 3, offset: 2 }, depth: 2, features: 4 };

fn unit_error(spec: UnitSpec) -> f64 {
    let (unit, params, map) = match spec {
        UnitSpec::KSparse { encoder, decoder, k } => {
            // Which values are the largest must not change within the reach of the differences.
            let map = waves(1, 3, 2);
            let clear = (0..10_000).find(|&seed| gap(UnitSpec::standard(encoder, decoder), seed, &map, k) > CLEAR);
            let Some(seed) = clear else { return f64::NAN };
            let (unit, params) = built(spec, seed);
            (unit, params, map)
        }
        _ => {
            let (unit, params) = built(spec, 0);
            (unit, params, waves(1, 7, 2))
        }
    };
    worst(param_gradient_errors(&params, |tape| {
        let x = tape.constant(map.shape(), |values| values.copy_from_slice(map.as_slice()));
        let (code, switches) = unit.encode_with_switches(tape, x);
        let decoded = unit.decode_patches(tape, code, switches);
        weigh(tape, decoded)
    }))
}

/// A unit with shaken parameters.
fn built(spec: UnitSpec, seed: u64) -> (Arc<dyn Unit>, Params) {
    let mut params = Params::new();
    let unit = spec.build(DIMS, &mut params, "layer0", &mut stream(11, "init", 0));
    shake(&mut params, seed);
    (unit, params)
}

/// Two values of a code this far apart stay in order: the differences move 18 weights by 2/256 each, on values below 1.
const CLEAR: f32 = 0.3;

/// How far the k-th value of the only code is above the next one.
fn gap(spec: UnitSpec, seed: u64, map: &Tensor, k: usize) -> f32 {
    let (unit, params) = built(spec, seed);
    let mut workspace = Workspace::new();
    let mut tape = Tape::with_params(&params, &mut workspace);
    let x = tape.input(map);
    let code = unit.encode(&mut tape, x);
    let mut values = tape.value(code).as_slice().to_vec();
    values.sort_by(|a, b| b.total_cmp(a));
    values[k - 1] - values[k]
}

fn penalised() -> Result<f64> {
    // Twelve codes of three values, none within the reach of the differences of a kink at 0.
    let code = Tensor::from_fn([4, 1, 3, 3], |i| {
        let value = ((i + 1) as f32 * 1.7).sin();
        value + 0.1f32.copysign(value)
    });
    let mut largest = 0.0f64;
    let l1 = Sparsity::L1 { weight: 0.7 };
    largest = largest.max(gradcheck(std::slice::from_ref(&code), |tape, v| l1.record(tape, v[0]))?.worst);
    let divergence = Sparsity::KullbackLeibler { target: 0.2, weight: 0.7 };
    let of_sigmoid = |tape: &mut Tape, v: &[Var]| {
        let code = tape.sigmoid(v[0]);
        divergence.record(tape, code)
    };
    largest = largest.max(gradcheck(std::slice::from_ref(&code), of_sigmoid)?.worst);
    let weight = Tensor::from_fn([2, 2, 1, 3], |i| ((i + 2) as f32 * 0.9).cos());
    for activation in [LINEAR, SOFTSIGN, Activation::Tanh, Activation::Sigmoid, Activation::Relu, Activation::Softplus]
    {
        let inputs = [code.clone(), weight.clone()];
        let checked = gradcheck(&inputs, |tape, v| {
            let code = tape.activation(v[0], activation);
            contraction(tape, code, v[1], activation)
        })?;
        largest = largest.max(checked.worst);
    }
    Ok(largest)
}

fn classifiers(sharing: Sharing) -> f64 {
    let layer = |kernel, offset, features| LayerSpec {
        geometry: LayerGeometry { kernel, offset },
        features,
        unit: UnitSpec::standard(SOFTSIGN, LINEAR),
    };
    let spec = ScaeSpec { picture: [8, 8, 1], layers: vec![layer(2, 2, 4), layer(2, 1, 5), layer(3, 3, 6)] };
    let mut scae = Scae::new(spec, &mut stream(2, "init", 0));
    let encoders: Vec<ParamId> =
        scae.params().iter().filter(|(_, name, _)| name.ends_with("encoder.weight")).map(|(id, _, _)| id).collect();
    for id in encoders {
        scae.params_mut().get_mut(id).as_mut_slice().iter_mut().for_each(|w| *w *= 3.0);
    }
    let (pictures, labels) = (waves(6, 8, 1), [0, 1, 2, 2, 1, 0]);
    let error_of = |loss: Loss| {
        let hidden = vec![Hidden { features: 5, activation: Activation::Tanh }];
        let spec = ClassifierSpec { sharing, loss, hidden, ..ClassifierSpec::new(3) };
        let classifier = Classifier::with_spec(scae.clone(), spec, 1).expect("standard units can be un-shared");
        worst(param_gradient_errors(classifier.scae().params(), |tape| {
            let input = tape.constant(pictures.shape(), |values| values.copy_from_slice(pictures.as_slice()));
            classifier.record_loss(tape, input, &labels)
        }))
    };
    worse(error_of(Loss::CrossEntropy), error_of(Loss::SquaredError { output: SOFTSIGN }))
}

fn end_to_end(code: Code) -> f64 {
    // With strides and tanh there is no kink anywhere.
    let spec = CaeSpec {
        downsampling: Downsampling::Stride,
        activation: Activation::Tanh,
        code,
        ..CaeSpec::new([8, 8, 1], &[3, 4], 5)
    };
    let network = ConvAutoencoder::new(spec, 3);
    let pictures = waves(3, 8, 1);
    worst(param_gradient_errors(network.params(), |tape| {
        let input = tape.constant(pictures.shape(), |values| values.copy_from_slice(pictures.as_slice()));
        network.record_loss(tape, [input; 2], &mut stream(1, "vae", 0))
    }))
}
