//! Checkpoints: parameters, optimiser, random streams and facts of a run in one safetensors file.
//!
//! | in the file | what |
//! |---|---|
//! | tensor `<parameter>` | a parameter under its own name, in PyTorch's layout ([`ParamLayout`](crate::layout::ParamLayout)) |
//! | tensor `optimizer.<parameter>.<moment>` | a moment, as PyTorch names it, laid out as its parameter |
//! | tensor of i32 | indices, such as the order of the training pictures |
//! | entries of `__metadata__` | everything else, as text: `format_version`, options of the optimiser, random streams |
//!
//! `safetensors.torch.load_file` gives the tensors, `safe_open(path, "pt").metadata()` the rest. A number is written with as
//! many digits as it takes to read the same bits back. The same contents are always the same bytes: tensors and entries are
//! in the order of their names.
//!
//! Reading *takes* things out and [`finish`](Checkpoint::finish) refuses what is left, so that a file that holds less or
//! more than the model is an error that names the tensor. A damaged file is an error too, and never needs more memory than
//! a small multiple of its size.
//!
//! ```
//! use patchgrad::{Params, checkpoint::Checkpoint, layers::{Layer, Linear}, random::stream};
//! let network = |seed| {
//!     let mut params = Params::new();
//!     Linear::new(&mut params, "linear", [3, 2], &mut stream(seed, "init", 0));
//!     params
//! };
//! let (trained, mut fresh) = (network(1), network(2));
//! let mut checkpoint = Checkpoint::new();
//! checkpoint.put_params("", &trained);
//! checkpoint.set("step", 17);
//! let bytes = checkpoint.to_bytes();
//!
//! let mut checkpoint = Checkpoint::from_bytes(&bytes)?;
//! assert_eq!(checkpoint.get::<u64>("step")?, 17);
//! checkpoint.take_params("", &mut fresh)?;
//! checkpoint.finish()?;
//! let weight = fresh.find("linear.weight").unwrap();
//! assert_eq!(fresh.get(weight), trained.get(weight));
//! # Ok::<(), patchgrad::checkpoint::CheckpointError>(())
//! ```

mod error;
mod file;
mod model;
#[cfg(test)]
mod tests;

pub use error::CheckpointError;

use crate::{
    Isa,
    random::{Stream, StreamState},
};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// The version of the names and meanings in a file; it changes when an older reader would misunderstand a newer file.
pub const FORMAT_VERSION: u32 = 1;

/// The contents of a checkpoint file.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    entries: BTreeMap<String, String>,
    tensors: BTreeMap<String, Stored>,
}

/// A tensor as it is in the file: PyTorch's layout, any number of axes.
#[derive(Clone, Debug)]
struct Stored {
    dims: Vec<usize>,
    data: Data,
}

#[derive(Clone, Debug)]
enum Data {
    F32(Vec<f32>),
    I32(Vec<i32>),
    /// A type that nothing here has: its name.
    Other(String),
}

impl Stored {
    fn check_finite(&self, name: &str) -> Result<(), CheckpointError> {
        let Data::F32(values) = &self.data else { return Ok(()) };
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(CheckpointError::Value { name: name.to_string(), at, value: values[at].to_string() }),
            None => Ok(()),
        }
    }
}

impl Data {
    fn type_name(&self) -> &str {
        match self {
            Self::F32(_) => "F32",
            Self::I32(_) => "I32",
            Self::Other(name) => name,
        }
    }
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self::new()
    }
}

impl Checkpoint {
    /// A checkpoint without tensors. It says who wrote it: format and its version, version of the crate, instruction set.
    pub fn new() -> Self {
        let mut new = Self { entries: BTreeMap::new(), tensors: BTreeMap::new() };
        new.set("format", "pt");
        new.set("format_version", FORMAT_VERSION);
        new.set("patchgrad_version", env!("CARGO_PKG_VERSION"));
        new.set("instruction_set", Isa::active());
        new
    }

    /// Sets an entry of the metadata.
    pub fn set(&mut self, key: &str, value: impl fmt::Display) {
        self.entries.insert(key.to_string(), value.to_string());
    }

    /// Sets an entry to a list, its values separated by blanks.
    pub fn set_list<T: fmt::Display>(&mut self, key: &str, values: &[T]) {
        self.set(key, values.iter().map(T::to_string).collect::<Vec<_>>().join(" "));
    }

    /// The text of an entry, if there is one.
    pub fn entry(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(String::as_str)
    }

    /// An entry as a number, or whatever it is.
    ///
    /// # Errors
    /// If it is missing or its text is something else.
    pub fn get<T: FromStr>(&self, key: &str) -> Result<T, CheckpointError> {
        let text = self.entry(key).ok_or_else(|| CheckpointError::MissingEntry { key: key.to_string() })?;
        text.parse().map_err(|_| CheckpointError::entry::<T>(key, text))
    }

    /// The values of a list.
    ///
    /// # Errors
    /// If it is missing or a value is something else.
    pub fn get_list<T: FromStr>(&self, key: &str) -> Result<Vec<T>, CheckpointError> {
        let text = self.get::<String>(key)?;
        let values =
            text.split_whitespace().map(|value| value.parse().map_err(|_| CheckpointError::entry::<T>(key, value)));
        values.collect()
    }

    /// Checks that this library wrote the file, in a format that this version understands.
    ///
    /// # Errors
    /// If it did not.
    pub fn check_version(&self) -> Result<(), CheckpointError> {
        let key = "format_version";
        let version: u32 = self.get(key)?;
        if version == FORMAT_VERSION {
            return Ok(());
        }
        let expected = format!("{FORMAT_VERSION}; the file was written by version {} of patchgrad", {
            self.entry("patchgrad_version").unwrap_or("?")
        });
        Err(CheckpointError::Entry { key: key.to_string(), value: version.to_string(), expected })
    }

    /// Stores where a random stream stands, as the entry `random.<name>`.
    pub fn put_stream(&mut self, name: &str, stream: &Stream) {
        self.set(&format!("random.{name}"), StreamState::of(stream));
    }

    /// The random stream of [`put_stream`](Self::put_stream): it goes on with the same numbers.
    ///
    /// # Errors
    /// If it is missing or damaged.
    pub fn get_stream(&self, name: &str) -> Result<Stream, CheckpointError> {
        Ok(self.get::<StreamState>(&format!("random.{name}"))?.stream())
    }

    /// Stores indices as a tensor of i32.
    ///
    /// # Panics
    /// If the name is taken or an index is 2^31 or more.
    #[track_caller]
    pub fn put_indices(&mut self, name: &str, indices: &[usize]) {
        let index = |&index: &usize| i32::try_from(index).expect("put_indices: an index of 2^31 or more");
        let data = Data::I32(indices.iter().map(index).collect());
        self.put(name.to_string(), Stored { dims: vec![indices.len()], data });
    }

    /// Takes out the indices of [`put_indices`](Self::put_indices).
    ///
    /// # Errors
    /// If they are missing, of another type or shape, or one is negative.
    pub fn take_indices(&mut self, name: &str) -> Result<Vec<usize>, CheckpointError> {
        let stored = self.take(name)?;
        let (Data::I32(values), [_]) = (&stored.data, &stored.dims[..]) else {
            let got = format!("{} {:?}", stored.data.type_name(), stored.dims);
            return Err(CheckpointError::Type { name: name.to_string(), got, expected: "a list of I32" });
        };
        let index = |(at, &value): (usize, &i32)| {
            let value_of = || CheckpointError::Value { name: name.to_string(), at, value: value.to_string() };
            usize::try_from(value).map_err(|_| value_of())
        };
        values.iter().enumerate().map(index).collect()
    }

    /// Checks that every f32 element is finite: what [`take_params`](Self::take_params) and
    /// [`take_optimizer`](Self::take_optimizer) will ask of it.
    ///
    /// # Errors
    /// If one is not, named by its tensor.
    pub fn check_finite(&self) -> Result<(), CheckpointError> {
        for (name, stored) in &self.tensors {
            stored.check_finite(name)?;
        }
        Ok(())
    }

    /// Checks that everything in the file was taken.
    ///
    /// # Errors
    /// If a tensor is left.
    pub fn finish(self) -> Result<(), CheckpointError> {
        match self.tensors.into_iter().next() {
            Some((name, stored)) => Err(CheckpointError::Surplus { name, dims: stored.dims }),
            None => Ok(()),
        }
    }

    #[track_caller]
    fn put(&mut self, name: String, stored: Stored) {
        assert!(name != file::METADATA, "Checkpoint: {name} is no name for a tensor");
        assert!(!self.tensors.contains_key(&name), "Checkpoint: there is already a tensor `{name}`");
        self.tensors.insert(name, stored);
    }

    fn take(&mut self, name: &str) -> Result<Stored, CheckpointError> {
        self.tensors.remove(name).ok_or_else(|| CheckpointError::Missing { name: name.to_string() })
    }
}
