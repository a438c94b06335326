//! The reconstruction scores against scikit-image and numpy: `tests/fixtures/scores`.
#![forbid(unsafe_code)]

use patchgrad::Tensor;
use pitfall::scores::{Lab, Pair, Score, SsimSettings, delta_e94, score_pictures};
use safetensors::SafeTensors;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Index {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    op: String,
    expected: BTreeMap<String, Value>,
}

fn cases(op: &str) -> Vec<Case> {
    let index: Index = serde_json::from_str(include_str!("fixtures/scores/cases.json")).unwrap();
    index.cases.into_iter().filter(|case| case.op == op).collect()
}

/// A picture `[1, H, W, C]`.
fn picture(name: &str) -> Tensor {
    let tensors = SafeTensors::deserialize(include_bytes!("fixtures/scores/tensors.safetensors")).unwrap();
    let view = tensors.tensor(name).unwrap();
    let values: Vec<f32> = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let [height, width, channels] = *view.shape() else { panic!("{name}: not a picture") };
    Tensor::new([1, height, width, channels], &values)
}

#[test]
fn scores_of_pictures_are_as_expected() {
    let mut compared = 0;
    for case in cases("score") {
        let original = picture(&format!("{}/original", case.name));
        let reconstruction = picture(&format!("{}/reconstruction", case.name));
        for (name, expected) in &case.expected {
            let expected = expected.as_f64().unwrap();
            let got = if name == "ssim-11" {
                // The window of scikit-image, and of Wang et al.
                let &[_, height, width, channels] = original.shape().dims() else { unreachable!() };
                let shape = [height, width, channels];
                let pair = Pair { original: original.as_slice(), reconstruction: reconstruction.as_slice(), shape };
                SsimSettings { window: 11, ..Default::default() }.score(&pair).unwrap()
            } else {
                score_pictures(name.parse().unwrap(), &original, &reconstruction).unwrap().value
            };
            // N-light-N adds 1e-5 to the denominator of the correlation, numpy does not.
            let tolerance = if name.parse() == Ok(Score::Correlation) { 1e-6 } else { 1e-10 };
            assert!((got - expected).abs() < tolerance, "{}: {name} {got}, expected {expected}", case.name);
            compared += 1;
        }
    }
    assert_eq!(compared, 31);
}

#[test]
fn colour_differences_are_as_expected() {
    for case in cases("delta-e94") {
        let list = |name: &str| serde_json::from_value(case.expected[name].clone()).unwrap();
        let (a, b): (Vec<[f64; 3]>, Vec<[f64; 3]>) = (list("a"), list("b"));
        let expected: Vec<f64> = serde_json::from_value(case.expected["distances"].clone()).unwrap();
        assert_eq!(expected.len(), 20);
        for ((a, b), expected) in a.into_iter().zip(b).zip(expected) {
            let got = delta_e94(Lab(a), Lab(b));
            assert!((got - expected).abs() < 1e-9, "{got}, expected {expected}");
        }
    }
}
