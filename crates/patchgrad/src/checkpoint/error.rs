//! What can be wrong with a checkpoint.

use crate::optim::OptimizerStateError;

/// A file that is damaged, or holds something else than what it is loaded into.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The bytes are not in the format.
    #[error("not a whole safetensors file: {0}")]
    NotSafetensors(String),
    /// A tensor is not there.
    #[error("tensor `{name}` is missing; was the file written by another model?")]
    Missing {
        /// Its name.
        name: String,
    },
    /// A tensor is too many.
    #[error("tensor `{name}` {dims:?} is not part of this model")]
    Surplus {
        /// Its name.
        name: String,
        /// Its sizes in the file.
        dims: Vec<usize>,
    },
    /// A tensor has other sizes.
    #[error("tensor `{name}` is {got:?}, expected {expected:?} (PyTorch's layout); is a size of the model different?")]
    Shape {
        /// Its name.
        name: String,
        /// Its sizes in the file.
        got: Vec<usize>,
        /// The sizes that the model has in PyTorch's layout.
        expected: Vec<usize>,
    },
    /// A tensor has elements of another type.
    #[error("tensor `{name}` is {got}, expected {expected}")]
    Type {
        /// Its name.
        name: String,
        /// What it is.
        got: String,
        /// What it should be.
        expected: &'static str,
    },
    /// An element is NaN, infinite, or out of its range.
    #[error("element {at} of tensor `{name}` is {value}")]
    Value {
        /// The name of the tensor.
        name: String,
        /// The element in the order of the file.
        at: usize,
        /// What it is.
        value: String,
    },
    /// An entry of the metadata is not there.
    #[error("entry `{key}` of the metadata is missing; was the file written by another program?")]
    MissingEntry {
        /// Its key.
        key: String,
    },
    /// An entry of the metadata is something else.
    #[error("entry `{key}` of the metadata is `{value}`, expected {expected}")]
    Entry {
        /// Its key.
        key: String,
        /// What it is.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// The state of the optimiser does not fit.
    #[error(transparent)]
    Optimizer(#[from] OptimizerStateError),
}

impl CheckpointError {
    /// An entry that is no `T`.
    pub(super) fn entry<T>(key: &str, value: &str) -> Self {
        // Not more of a hostile text than a message has room for.
        let shown: String = value.chars().take(80).collect();
        let name = std::any::type_name::<T>();
        let expected = format!("a value of type {}", name.rsplit("::").next().unwrap_or(name));
        Self::Entry { key: key.to_string(), value: shown, expected }
    }
}
