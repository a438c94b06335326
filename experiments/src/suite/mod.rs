//! The experiments of the protocol, E0 to E8, behind one interface: run, resume, split, join, report.
//!
//! | experiment | asks | module |
//! |---|---|---|
//! | E0 `validation` | is it right? | [`crate::validation`] |
//! | E1 `correlation` | does reconstruction predict classification? | [`crate::correlation`] |
//! | E2 `separability` | is the code better separable than the pixels? | [`crate::separability`] |
//! | E3 `decoder-bias` | how much of the error is the decoder's? | [`crate::decoder_bias`] |
//! | E4 `before-after` | what does fine-tuning do to reconstruction? | [`crate::before_after`] |
//! | E5 `dynamics` | do error and accuracy move together along training? | [`crate::dynamics`] |
//! | E6 `scores` | does that depend on the score? | [`crate::score_agreement`] |
//! | E7 `selection` | what does choosing by reconstruction cost? | [`crate::selection_regret`] |
//! | E8 `pretraining` | does pre-training help, and with how many labels? | [`crate::pretraining`] |
//!
//! Results lie in `OUT/SET/EXPERIMENT/`: `sweep.json` says what it is, `rows.csv` has a row for each piece of work.
//! [`claims`] holds the claims of the paper and the rules by which they are judged.

pub mod account;
pub mod claims;
mod collect;
mod parts;
mod profile;
mod section;

pub use collect::{Collected, Found, collect};
pub use parts::Parts;
pub use profile::Profile;
pub use section::{Block, Column, Image, Section, columns};

use crate::{
    config::Examples,
    correlation::store::NetworkStore,
    files::write_atomically,
    sweep::{self, Identity, Pieces, Settings, SweepError},
    training::Interrupt,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// Every experiment that is a sweep over networks of a data set, in the order in which they are run.
pub const EXPERIMENTS: [&dyn Experiment; 8] = [
    &crate::correlation::E1,
    &crate::separability::E2,
    &crate::decoder_bias::E3,
    &crate::before_after::E4,
    &crate::dynamics::E5,
    &crate::score_agreement::E6,
    &crate::selection_regret::E7,
    &crate::pretraining::E8,
];

/// What an experiment is done on.
pub struct Setup<'a> {
    /// The set as `--data` names it, such as `mnist`.
    pub set: &'a str,
    /// Its pictures.
    pub examples: &'a Examples,
    /// How much of it.
    pub profile: Profile,
    /// Seed of everything random.
    pub seed: u64,
    /// Where networks are kept that several experiments train.
    pub networks: &'a NetworkStore,
}

impl Setup<'_> {
    /// What makes the sweep of the experiment `name` the one that it is.
    pub fn identity(&self, name: &str, sweep: &impl Pieces) -> Identity {
        let mut data = vec![self.examples.name.clone()];
        data.extend(self.examples.checksums.iter().cloned());
        let pictures = [&self.examples.train, &self.examples.validation, &self.examples.test].map(|part| part.count());
        Identity::of(sweep, name, self.profile.name(), self.seed, data, pictures)
    }
}

/// The finished results of an experiment on one data set.
pub struct Results<'a> {
    /// The set as `--data` names it: the name of the folder.
    pub set: &'a str,
    /// The folder with `rows.csv`.
    pub folder: &'a Path,
    /// What it says of itself.
    pub identity: &'a Identity,
    /// Whether the rows of E1 on the same set stand on the same page.
    pub has_networks: bool,
}

impl Results<'_> {
    /// The set, if the page has a row for each of its networks to which points may lead.
    pub fn networks(&self) -> Option<&str> {
        self.has_networks.then_some(self.set)
    }

    /// Its rows.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn rows<R: DeserializeOwned>(&self) -> Result<Vec<R>, SweepError> {
        sweep::rows(self.folder)
    }

    /// The rows of another experiment on the same set, in the folder beside; `None` if they are not there, not finished, or of another
    /// profile, seed or other pictures, so that they are not of the same networks.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn rows_beside<R: DeserializeOwned>(&self, experiment: &str) -> Result<Option<Vec<R>>, SweepError> {
        let folder = self.folder.with_file_name(experiment);
        if !folder.join("rows.csv").exists() {
            return Ok(None);
        }
        let (this, other) = (self.identity, sweep::identity(&folder)?);
        let rows = if this.has_networks_of(&other) { sweep::rows(&folder)? } else { return Ok(None) };
        Ok((rows.len() >= other.rows).then_some(rows))
    }

    /// The PNG file of this name beside the rows, if there is one.
    pub fn picture(&self, file: &str, description: &str) -> Option<Image> {
        Image::png(fs::read(self.folder.join(file)).ok()?, description)
    }
}

/// An experiment of the protocol.
pub trait Experiment: Sync {
    /// `E1`.
    fn id(&self) -> &'static str;

    /// The name on the command line, of its folder and of its module: `correlation`.
    fn name(&self) -> &'static str;

    /// What it asks, a sentence.
    fn question(&self) -> &'static str;

    /// How it asks it, a paragraph.
    fn protocol(&self) -> &'static str;

    /// The experiment whose rows it reads; its own, unless it only looks at them in another way.
    fn rows_of(&self) -> &'static str {
        self.name()
    }

    /// An experiment whose results of the same set its verdicts need beside its own.
    fn needs(&self) -> Option<&'static str> {
        None
    }

    /// Computes its rows in `folder`, or goes on there.
    ///
    /// # Errors
    /// If the folder holds another sweep, a file cannot be read or written, or it is interrupted.
    fn run(&self, setup: &Setup, folder: &Path, settings: &Settings) -> Result<(), SweepError>;

    /// Joins the finished shards into `out`; gives the number of rows.
    ///
    /// # Errors
    /// See [`sweep::merge`].
    fn merge(&self, shards: &[PathBuf], out: &Path) -> Result<usize, SweepError>;

    /// Writes tables of its own beside the rows; what should be printed.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    fn summarise(&self, results: &Results) -> anyhow::Result<String>;

    /// Its part of the page, over all data sets.
    ///
    /// # Errors
    /// If rows cannot be read.
    fn section(&self, results: &[Results]) -> anyhow::Result<Section>;
}

/// The experiment of this name.
pub fn experiment(name: &str) -> Option<&'static dyn Experiment> {
    EXPERIMENTS.into_iter().find(|experiment| experiment.name() == name)
}

/// [`Experiment::run`] of one that is a [`Sweep`](crate::sweep::Sweep) or [`Pieces`].
///
/// # Errors
/// See [`sweep::run`].
pub fn run_sweep<P: Pieces>(
    name: &str,
    sweep: &P,
    setup: &Setup,
    folder: &Path,
    settings: &Settings,
) -> Result<(), SweepError> {
    sweep::run(sweep, &setup.identity(name, sweep), folder, settings).map(drop)
}

/// Draws the picture `file` into `folder` unless it is there, once the rows are: the shard with the first piece does.
///
/// It costs no row and no sweep behind it: where there is nothing to draw, or a mistake of this program ends the drawing (which says so
/// itself), there is no picture, and the next run of the same sweep tries again.
///
/// # Errors
/// If it cannot be written, or someone asks to stop; `draw` should then end early, with nothing.
pub fn draw_picture(
    folder: &Path,
    file: &str,
    settings: &Settings,
    draw: impl FnOnce(&Interrupt) -> Option<Vec<u8>>,
) -> Result<(), SweepError> {
    let (file, interrupt) = (folder.join(file), settings.interrupt);
    if file.exists() || !settings.shard.has(0) {
        return Ok(());
    }
    let drawn = if interrupt.is_requested() { Ok(None) } else { catch_unwind(AssertUnwindSafe(|| draw(interrupt))) };
    match drawn {
        Ok(Some(png)) => Ok(write_atomically(&file, &png)?),
        Ok(None) if interrupt.is_requested() => Err(SweepError::NoPicture(folder.to_path_buf())),
        Ok(None) | Err(_) => Ok(()),
    }
}

/// Copies the file of this name from the first of the shards that has it to `out`: pictures that one shard draws.
///
/// # Errors
/// If it cannot be read or written.
pub fn copy_picture(shards: &[PathBuf], out: &Path, file: &str) -> Result<(), SweepError> {
    let Some(from) = shards.iter().map(|folder| folder.join(file)).find(|file| file.exists()) else { return Ok(()) };
    let bytes = fs::read(&from).map_err(|error| SweepError::Read { file: from, reason: error.to_string() })?;
    Ok(write_atomically(&out.join(file), &bytes)?)
}

/// [`Experiment::merge`] of one whose rows are `R`.
///
/// # Errors
/// See [`sweep::merge`].
pub fn merge_rows<R: Serialize + DeserializeOwned + PartialEq>(
    shards: &[PathBuf],
    out: &Path,
) -> Result<usize, SweepError> {
    sweep::merge::<R>(shards, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Shard;

    #[test]
    fn a_picture_is_drawn_once_by_one_shard_and_costs_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (folder, interrupt) = (folder.path(), Interrupt::new());
        let settings = |shard: Shard| Settings { jobs: 1, shard, interrupt: &interrupt, progress: &|_| () };
        let draw = |shard: &str, draw: &dyn Fn() -> Option<Vec<u8>>| {
            let outcome = draw_picture(folder, "a.png", &settings(shard.parse().unwrap()), |_| draw());
            (outcome, fs::read(folder.join("a.png")).ok())
        };
        assert!(matches!(draw("1/1", &|| None), (Ok(()), None)));
        assert!(matches!(draw("1/1", &|| panic!("a mistake")), (Ok(()), None)));
        assert!(matches!(draw("2/2", &|| Some(vec![1])), (Ok(()), None)), "that of the first shard");
        assert_eq!(draw("1/2", &|| Some(vec![2])).1, Some(vec![2]));
        assert_eq!(draw("1/2", &|| Some(vec![3])).1, Some(vec![2]), "it is there");
        fs::remove_file(folder.join("a.png")).unwrap();
        // Asked to stop while it is drawn, and before.
        let stopped = |outcome: Result<(), SweepError>| outcome.unwrap_err().exit_code() == 75;
        let stops = || {
            interrupt.request();
            None
        };
        assert!(stopped(draw("1/1", &stops).0) && stopped(draw("1/1", &|| Some(vec![4])).0));
        assert!(!folder.join("a.png").exists());
    }
}
