//! The labelled pictures of an experiment in three parts.

use crate::{config::Examples, data::Labelled};
use patchgrad::Tensor;
use std::borrow::Cow;

/// What weights are learnt from, what choices are made on, and what is reported.
pub struct Parts<'a> {
    /// What weights are learnt from.
    pub train: Cow<'a, Labelled>,
    /// What choices are made on.
    pub validation: &'a Labelled,
    /// What is reported.
    pub test: &'a Labelled,
    /// The number of classes.
    pub classes: usize,
}

impl<'a> Parts<'a> {
    /// The first `most` of the training pictures and all others; `None` where pictures have no classes.
    pub fn of(examples: &'a Examples, most: usize) -> Option<Self> {
        let [train, validation, test] = examples.labelled()?;
        let train = match train.count() <= most {
            true => Cow::Borrowed(train),
            false => Cow::Owned(train.first(most)),
        };
        Some(Self { train, validation, test, classes: examples.classes() })
    }

    /// Training, validation, test.
    pub fn all(&self) -> [&Labelled; 3] {
        [&self.train, self.validation, self.test]
    }

    /// Features `[N, d]` of all three parts.
    pub fn features(&self, mut of: impl FnMut(&Tensor) -> Tensor) -> [Tensor; 3] {
        self.all().map(|part| of(&part.pictures))
    }
}
