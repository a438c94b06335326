//! Reading cases that other software computed, and comparing with them.

mod layout;
mod ops;

pub use ops::check;

use patchgrad::Tensor;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fs, path::PathBuf};

/// The files `cases.json` and `tensors.safetensors` of one folder of `tests/fixtures`.
pub struct Fixtures<Index> {
    /// What `cases.json` says.
    pub index: Index,
    bytes: Vec<u8>,
}

/// One case: an op in PyTorch's words, its attributes, and the shapes of its tensors by role.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    pub op: String,
    attributes: serde_json::Value,
    pub tensors: BTreeMap<String, Vec<usize>>,
    /// ONNX's name of the op, in ONNX's cases.
    #[serde(default)]
    operator: String,
}

impl Case {
    /// What the case is counted under: ONNX's operator, or else the op.
    pub fn counted_as(&self) -> &str {
        if self.operator.is_empty() { &self.op } else { &self.operator }
    }

    /// The attributes of an op that has exactly these.
    pub fn attributes<T: DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.attributes.clone()).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

/// The text of `tests/fixtures/<folder>/cases.json`, parsed.
pub fn read_index<Index: DeserializeOwned>(folder: &str) -> Index {
    let path = fixture_path(folder, "cases.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn fixture_path(folder: &str, file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", folder, file].iter().collect()
}

impl<Index: DeserializeOwned> Fixtures<Index> {
    pub fn read(folder: &str) -> Self {
        let path = fixture_path(folder, "tensors.safetensors");
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { index: read_index(folder), bytes }
    }
}

impl<Index> Fixtures<Index> {
    /// All tensors, to take from.
    pub fn tensors(&self) -> Tensors<'_> {
        Tensors(SafeTensors::deserialize(&self.bytes).unwrap())
    }
}

/// The tensors of a folder, in PyTorch's layouts.
pub struct Tensors<'a>(SafeTensors<'a>);

impl Tensors<'_> {
    fn bytes(&self, case: &Case, role: &str, dtype: Dtype) -> &[u8] {
        let key = format!("{}/{role}", case.name);
        let view = self.0.tensor(&key).unwrap_or_else(|error| panic!("{key}: {error}"));
        assert_eq!((view.dtype(), view.shape()), (dtype, &case.tensors[role][..]), "{key}: type and shape");
        view.data()
    }

    /// The f32 tensor of a role.
    pub fn floats(&self, case: &Case, role: &str) -> Tensor {
        let (values, _) = self.bytes(case, role, Dtype::F32).as_chunks();
        let values: Vec<f32> = values.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        Tensor::new(patchgrad::Shape::new(&case.tensors[role]), &values)
    }

    /// The indices or labels of a role.
    pub fn integers(&self, case: &Case, role: &str) -> Vec<u32> {
        let (values, _) = self.bytes(case, role, Dtype::I64).as_chunks();
        values.iter().map(|&bytes| i64::from_le_bytes(bytes).try_into().unwrap()).collect()
    }
}

/// The largest accepted difference from `expected`: `atol + rtol * |expected|`, as numpy and PyTorch define it.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Tolerance {
    pub rtol: f64,
    pub atol: f64,
}

impl Tolerance {
    /// Compares shape and elements; NaN must meet NaN. Gives the largest difference as a share of the accepted one.
    #[track_caller]
    pub fn compare(self, what: &str, got: &Tensor, expected: &Tensor) -> f64 {
        assert_eq!(got.shape(), expected.shape(), "{what}: the shape");
        let mut worst = 0f64;
        for (at, (&got, &expected)) in got.as_slice().iter().zip(expected.as_slice()).enumerate() {
            if got == expected || (got.is_nan() && expected.is_nan()) {
                continue;
            }
            let (got, expected) = (f64::from(got), f64::from(expected));
            let share = (got - expected).abs() / (self.atol + self.rtol * expected.abs());
            // Written so that a NaN fails.
            assert!(share <= 1.0, "{what}: element {at} is {got}, expected {expected}, accepted {self:?}");
            worst = worst.max(share);
        }
        worst
    }
}

/// Counts cases by op, and how close they come to the tolerance.
#[derive(Default)]
pub struct Tally {
    by_op: BTreeMap<String, (usize, f64)>,
}

impl Tally {
    /// Counts one case of `op` whose largest difference was this share of the accepted one.
    pub fn add(&mut self, op: &str, worst: f64) {
        let entry = self.by_op.entry(op.to_string()).or_default();
        *entry = (entry.0 + 1, entry.1.max(worst));
    }

    /// Prints the counts and compares the number of ops and of cases with what is known to be in the fixtures.
    #[track_caller]
    pub fn finish(self, what: &str, ops: usize, cases: usize) {
        let counted: usize = self.by_op.values().map(|(count, _)| count).sum();
        println!("{what}: {counted} cases of {} ops agree", self.by_op.len());
        for (op, (count, worst)) in &self.by_op {
            println!("  {op:<34} {count:>3}, largest difference {worst:.0e} of the accepted one");
        }
        assert_eq!((self.by_op.len(), counted), (ops, cases), "{what}: number of ops and of cases");
    }
}
