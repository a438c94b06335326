//! Every kind of unit on several sets of pictures, in the same stack: how well it reconstructs, how well its code classifies.
//!
//! It is a [sweep](crate::sweep) of a row for each kind on each set, so it can be stopped and goes on. Beside its rows lies
//! `reconstructions/SET-KIND.npy`, `[N, H, W, C]`: what a network made of the first test pictures.

mod row;
mod stacks;

pub use row::UnitRow;
pub use stacks::{kinds, network, training};

use crate::{
    arrays::npy_array,
    config::{Examples, SetKind},
    files::write_atomically,
    sweep::{Identity, Sweep},
    units::UnitSpec,
};
use anyhow::Context;
use patchgrad::{Shape, Tensor, Workspace};
use patchgrad_datasets::{NpyArray, npy};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// One of the sets.
#[derive(Debug)]
pub struct UnitSet {
    /// As the command line names it, such as `mnist`.
    pub name: String,
    /// Which.
    pub kind: SetKind,
    /// Its pictures.
    pub examples: Examples,
}

/// The kinds and sets that are compared. Row `i` is of set `i % sets`: the pixels of each set first, since their probes take longest,
/// then kind by kind.
#[derive(Debug)]
pub struct UnitTable<'a> {
    /// The sets.
    pub sets: &'a [UnitSet],
    /// The kinds.
    pub units: &'a [UnitSpec],
    /// Patches that every layer is shown.
    pub samples_per_layer: usize,
    /// Seed of everything random.
    pub seed: u64,
    /// Where the rows and the reconstructions are kept.
    pub folder: &'a Path,
    /// Why the first reconstructions that were not kept could not be written; rows do not depend on it.
    pub failure: OnceLock<String>,
}

impl UnitTable<'_> {
    /// What makes this table the one that it is.
    pub fn identity(&self) -> Identity {
        let data = self.sets.iter().flat_map(|set| {
            let Examples { name, checksums, .. } = &set.examples;
            std::iter::once(name.clone()).chain(checksums.iter().cloned())
        });
        let count = |part: fn(&Examples) -> usize| self.sets.iter().map(|set| part(&set.examples)).sum();
        let pictures = [
            count(|examples| examples.train.count()),
            count(|examples| examples.validation.count()),
            count(|examples| examples.test.count()),
        ];
        Identity::of(self, "units", "all", self.seed, data.collect(), pictures)
    }

    /// The rows of a set, in their order, among all of them.
    pub fn of_set<'r>(&self, set: usize, rows: &'r [UnitRow]) -> impl Iterator<Item = &'r UnitRow> {
        rows.iter().skip(set).step_by(self.sets.len())
    }

    /// The reconstructions of a set that are there, kind by kind.
    ///
    /// # Errors
    /// If a file is damaged.
    pub fn reconstructions(&self, set: usize) -> anyhow::Result<Vec<Tensor>> {
        let files = self.units.iter().map(|unit| self.file(set, unit)).filter(|file| file.exists());
        let read = |file: PathBuf| {
            let NpyArray { shape, data } = npy::read(&file)?;
            Tensor::try_new(Shape::new(&shape), &data).with_context(|| file.display().to_string())
        };
        files.map(read).collect()
    }

    fn file(&self, set: usize, unit: &UnitSpec) -> PathBuf {
        self.folder.join("reconstructions").join(format!("{}-{}.npy", self.sets[set].name, unit.kind()))
    }

    fn keep(&self, file: &Path, decoded: &Tensor) -> anyhow::Result<()> {
        fs::create_dir_all(file.parent().expect("it lies in the folder of reconstructions"))?;
        Ok(write_atomically(file, &npy::to_bytes(&npy_array(decoded)))?)
    }

    /// The set of a row and its kind; `None` for the pixels.
    fn piece(&self, index: usize) -> (&UnitSet, Option<&UnitSpec>) {
        let at = index / self.sets.len();
        (&self.sets[index % self.sets.len()], at.checked_sub(1).map(|at| &self.units[at]))
    }
}

impl Sweep for UnitTable<'_> {
    type Row = UnitRow;

    fn plan(&self) -> String {
        let kinds: Vec<&str> = self.units.iter().map(UnitSpec::kind).collect();
        format!("pixels, {}; {} patches a layer", kinds.join(", "), self.samples_per_layer)
    }

    fn len(&self) -> usize {
        (1 + self.units.len()) * self.sets.len()
    }

    fn cost(&self, index: usize) -> f64 {
        // Of 784 to 3,072 numbers a picture and not 64.
        if self.piece(index).1.is_none() { 2.0 } else { 1.0 }
    }

    fn row(&self, index: usize) -> UnitRow {
        let (set, unit) = self.piece(index);
        let workspace = &mut Workspace::new();
        let measured = match unit {
            None => row::pixels(&set.examples, self.seed, workspace).map(|row| (row, None)),
            Some(&unit) => row::measure(unit, set.kind, &set.examples, self.samples_per_layer, self.seed, workspace),
        };
        match (measured, unit) {
            (Ok((row, Some(decoded))), Some(unit)) => {
                if let Err(error) = self.keep(&self.file(index % self.sets.len(), unit), &decoded) {
                    // The first reason is enough: the others are most often the same.
                    let _ = self.failure.set(format!("{error:#}"));
                }
                row
            }
            (Ok((row, _)), _) => row,
            (Err(error), _) => self.failed(index, format!("{error:#}")),
        }
    }

    fn failed(&self, index: usize, reason: String) -> UnitRow {
        let (set, unit) = self.piece(index);
        UnitRow { note: reason, ..UnitRow::unmeasured(&set.examples, unit) }
    }
}
