//! The units in closed form against scikit-learn: `tests/fixtures/units` and the digits of `tests/fixtures/sklearn`.
#![forbid(unsafe_code)]

use patchgrad::{Params, Tensor, Workspace, ops::Activation, random::stream};
use pitfall::{
    scae::{Labels, LayerGeometry, LayerSpec, Scae, ScaeSpec, train_resumable},
    training::Checkpoints,
    units::{Descent, TrainConfig, UnitSpec},
};
use safetensors::SafeTensors;
use serde_json::Value;

fn values(bytes: &[u8], name: &str) -> Vec<f32> {
    let tensors = SafeTensors::deserialize(bytes).unwrap();
    let view = tensors.tensor(name).unwrap();
    view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

fn cases(text: &str, op: &str) -> Vec<Value> {
    let index: Value = serde_json::from_str(text).unwrap();
    index["cases"].as_array().unwrap().iter().filter(|case| case["op"] == op).cloned().collect()
}

/// A stack of one layer that sees whole pictures, fitted to each of them once: `k` is their size.
fn fitted(unit: UnitSpec, [k, features]: [usize; 2], pictures: &Tensor, labels: Labels) -> Scae {
    let geometry = LayerGeometry { kernel: k, offset: k };
    let spec = ScaeSpec { picture: [k, k, 1], layers: vec![LayerSpec { geometry, features, unit }] };
    let mut scae = Scae::new(spec, &mut stream(1, "init", 0));
    let config = TrainConfig {
        samples_per_layer: pictures.shape().dims()[0],
        batch_size: 32,
        descent: Descent::Sgd,
        lr: 1.0,
        weight_decay: 0.0,
        seed: 1,
    };
    train_resumable(&mut scae, pictures, labels, &config, &mut Checkpoints::none(), &mut Workspace::new()).unwrap();
    scae
}

#[test]
fn a_pca_unit_reconstructs_the_digits_as_scikit_learn_does() {
    let bytes = include_bytes!("fixtures/sklearn/tensors.safetensors");
    let pictures = |name: &str| {
        let values = values(bytes, &format!("digits/{name}"));
        Tensor::new([values.len() / 64, 8, 8, 1], &values)
    };
    let (train, test) = (pictures("train"), pictures("test"));
    let mut checked = 0;
    for case in cases(include_str!("fixtures/sklearn/cases.json"), "pca") {
        let Some(k) = case["attributes"]["k"].as_u64() else { continue };
        let unit = UnitSpec::Pca { encoder: Activation::Linear, decoder: Activation::Linear };
        let scae = fitted(unit, [8, k as usize], &train, Labels::None);
        for (pictures, name) in [(&train, "train_mse"), (&test, "test_mse")] {
            let decoded = scae.reconstruct(pictures, &mut Workspace::new());
            let pairs = decoded.as_slice().iter().zip(pictures.as_slice());
            let mse = pairs.map(|(&a, &b)| f64::from(a - b).powi(2)).sum::<f64>() / pictures.len() as f64;
            let expected = case["expected"][name].as_f64().unwrap();
            assert!((mse / expected - 1.0).abs() < 1e-5, "{k} components, {name}: {mse}, expected {expected}");
            checked += 1;
        }
    }
    assert_eq!(checked, 6);
}

#[test]
fn an_lda_unit_has_scikit_learns_directions() {
    let bytes = include_bytes!("fixtures/units/tensors.safetensors");
    let patches = values(bytes, "lda/patches");
    let patches = Tensor::new([patches.len() / 9, 3, 3, 1], &patches);
    let labels: Vec<u32> = (0..patches.shape().dims()[0] as u32).map(|i| i % 4).collect();
    let [case] = &cases(include_str!("fixtures/units/cases.json"), "lda")[..] else { panic!("one case") };
    let scae = fitted(UnitSpec::Lda { encoder: Activation::Linear }, [3, 3], &patches, Labels::Pictures(&labels));
    let weight = parameter(scae.params(), "layer0.encoder.weight");
    for index in 0..3 {
        let expected: Vec<f64> = serde_json::from_value(case["expected"]["directions"][index].clone()).unwrap();
        let found: Vec<f64> = weight.iter().skip(index).step_by(3).copied().collect();
        let sign = expected.iter().zip(&found).map(|(a, b)| a * b).sum::<f64>().signum();
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let error = (found - sign * expected).abs();
            assert!(error < 1e-4, "direction {index}, value {at}: {found}, expected {}", sign * expected);
        }
    }
    // The ratio of between-class to within-class variance of each feature.
    let codes = scae.codes(&patches, &mut Workspace::new());
    for index in 0..3 {
        let of = |class: usize| -> Vec<f64> {
            codes.as_slice().chunks(3).skip(class).step_by(4).map(|code| f64::from(code[index])).collect()
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let variance =
            |values: &[f64]| values.iter().map(|v| (v - mean(values)).powi(2)).sum::<f64>() / values.len() as f64;
        let means: Vec<f64> = (0..4).map(|class| mean(&of(class))).collect();
        let within: Vec<f64> = (0..4).map(|class| variance(&of(class))).collect();
        let ratio = variance(&means) / mean(&within);
        let expected = case["expected"]["ratios"][index].as_f64().unwrap();
        assert!((ratio / expected - 1.0).abs() < 1e-4, "direction {index}: {ratio}, expected {expected}");
    }
}

fn parameter(params: &Params, name: &str) -> Vec<f64> {
    params.get(params.find(name).unwrap()).as_slice().iter().map(|&value| f64::from(value)).collect()
}
