//! The sample of scikit-learn's digits, and cases about it: `tests/fixtures/sklearn`, `tests/fixtures/probes`.

use patchgrad::Tensor;
use safetensors::SafeTensors;
use serde::Deserialize;
use serde_json::Value;

/// Values of one picture of the digits.
pub const PIXELS: usize = 64;

#[derive(Deserialize)]
struct Index {
    cases: Vec<Case>,
}

/// What was computed, and the numbers that came out.
#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    op: String,
    attributes: Value,
    #[serde(default)]
    pub expected: Value,
}

impl Case {
    /// An expected value or an attribute.
    pub fn value(&self, name: &str) -> &Value {
        let found = self.expected.get(name).or(self.attributes.get(name));
        found.unwrap_or_else(|| panic!("{}: no {name}", self.name))
    }

    pub fn number(&self, name: &str) -> f64 {
        self.value(name).as_f64().unwrap_or_else(|| panic!("{}: {name} is not a number", self.name))
    }
}

/// The sample of digits: pixels as rows, and labels.
pub struct Digits {
    pub train: Tensor,
    pub train_labels: Vec<u32>,
    pub test: Tensor,
    pub test_labels: Vec<u32>,
}

pub fn digits() -> Digits {
    let tensors = SafeTensors::deserialize(include_bytes!("../fixtures/sklearn/tensors.safetensors")).unwrap();
    let rows = |name: &str| {
        let view = tensors.tensor(&format!("digits/{name}")).unwrap();
        let values: Vec<f32> = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        Tensor::new([values.len() / PIXELS, PIXELS], &values)
    };
    let labels = |name: &str| -> Vec<u32> {
        let view = tensors.tensor(&format!("digits/{name}")).unwrap();
        view.data().as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes) as u32).collect()
    };
    Digits {
        train: rows("train"),
        train_labels: labels("train_labels"),
        test: rows("test"),
        test_labels: labels("test_labels"),
    }
}

/// The cases of one op in a `cases.json`, at least `least` of them.
pub fn cases(text: &str, op: &str, least: usize) -> Vec<Case> {
    let index: Index = serde_json::from_str(text).unwrap();
    let cases: Vec<Case> = index.cases.into_iter().filter(|case| case.op == op).collect();
    assert!(cases.len() >= least, "{op}: {} cases", cases.len());
    cases
}
