//! Training a network from a configuration, and working with a trained one.

mod delete_features;
mod encode;
mod features;
mod finetune;
mod pictures;
mod probe;
mod reconstruct;
mod show;
mod table;
mod train;

use super::{
    folders::prepare,
    on_threads,
    output::{BadRequest, print},
};
use crate::{
    config::{Config, Examples, Network},
    run_folder::RunFolder,
};
use anyhow::Result;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// What is to be done with configurations.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print the effective configuration: every key with its value
    Show(ShowArgs),
}

/// Options of `pitfall config show`.
#[derive(Clone, Debug, Args)]
pub(super) struct ShowArgs {
    /// The configuration, a TOML file
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
    #[command(flatten)]
    overrides: Overrides,
}

/// Changes of a configuration.
#[derive(Clone, Debug, Args)]
pub(super) struct Overrides {
    /// Change a key, such as training.lr=0.01 or network.layers.0.features=32; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Folder with the full data sets (mnist/, cifar-10/, ...): the same as --set data.dir=DIR
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Overrides {
    /// As `key=value`.
    fn all(&self) -> Vec<String> {
        let dir =
            self.data_dir.as_ref().map(|dir| format!("data.dir={}", toml::Value::from(dir.display().to_string())));
        self.set.iter().cloned().chain(dir).collect()
    }
}

/// A trained network and what is done with it.
#[derive(Clone, Debug, Args)]
pub(super) struct ModelArgs {
    /// The folder of a training run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    overrides: Overrides,
    /// Threads, 0 for one on each core; they change the time, never the results
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u16).range(..=1024))]
    threads: u16,
    /// Write into files that exist
    #[arg(long)]
    force: bool,
}

/// A trained network with its pictures.
struct Model {
    folder: RunFolder,
    config: Config,
    examples: Examples,
    network: Network,
}

impl ModelArgs {
    fn open(&self) -> Result<Model> {
        let (folder, config) = RunFolder::open(&self.run, &self.overrides.all())?;
        Self::loaded(folder, config)
    }

    /// The same network with the settings of another file, which was made from those of the run.
    fn open_as(&self, config: &Path) -> Result<Model> {
        let (folder, _) = RunFolder::open(&self.run, &[])?;
        Self::loaded(folder, Config::read(config, &self.overrides.all())?)
    }

    fn loaded(folder: RunFolder, config: Config) -> Result<Model> {
        let network = folder.load_network(&config)?;
        let examples = config.load()?;
        // Overrides may have named other pictures.
        config.network.clone().resolve(config.data.set, examples.picture())?;
        Ok(Model { folder, config, examples, network })
    }

    /// A file in the folder of the run that the command writes, which must not be there yet.
    fn new_file_of_run(&self, name: &str) -> Result<(), BadRequest> {
        self.refuse_to_replace(&self.run.join(name), "--force to replace it")
    }

    /// A file that the command writes, which must not be there yet.
    fn new_file(&self, path: PathBuf) -> Result<PathBuf, BadRequest> {
        self.refuse_to_replace(&path, "another --out, or --force")?;
        Ok(path)
    }

    fn refuse_to_replace(&self, path: &Path, advice: &str) -> Result<(), BadRequest> {
        if path.exists() && !self.force {
            return Err(BadRequest(format!("{} exists; nothing was written. Give {advice}", path.display())));
        }
        Ok(())
    }
}

/// Commands that work with a trained network.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// Train a network as a configuration says
    ///
    /// Writes runs/NAME-DATE-TIME/ with config.toml, run.json, metrics.jsonl, results.csv, model.safetensors, checkpoints/ and
    /// figures/. Ctrl-C, SIGTERM and SIGUSR1 finish the step, save, and exit with 75; `pitfall train --resume RUN` goes on to
    /// the same bytes. A loss that is not finite ends the run with 4 and keeps the last good checkpoint.
    Train(train::TrainArgs),
    /// Write the features of pictures as npz: train, validation and test with their labels
    Encode(encode::EncodeArgs),
    /// Draw pictures above their reconstructions, and score these
    Reconstruct(reconstruct::ReconstructArgs),
    /// Draw what the features of a stack stand for and where in a picture they answer, and find dead ones
    Features(features::FeaturesArgs),
    /// Delete features of a stack, those named or all that are dead, and write the smaller stack as a run of its own
    ///
    /// Before and after, the error of the test pictures is printed. A dead feature that is not 0 may have held a constant for
    /// others.
    DeleteFeatures(delete_features::DeleteFeaturesArgs),
    /// Train a classifier on top of a stack, and compare reconstructions before and after
    Finetune(finetune::FinetuneArgs),
    /// Measure how well probes tell the classes apart, by the code and by the pixels
    Probe(probe::ProbeArgs),
    /// Train every kind of unit on several data sets, in the same stack, and print a table
    ///
    /// Reconstruction and probe accuracy of each, beside the probes on the pixels; also as units.csv and as pictures.
    Units(table::UnitsArgs),
    /// Check and print configurations
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Does what the command says.
///
/// # Errors
/// [`BadRequest`], [`ConfigError`](crate::config::ConfigError), [`TrainingError`](crate::training::TrainingError), or what went wrong with files.
pub(super) fn run(command: &ModelCommand) -> Result<()> {
    match command {
        ModelCommand::Train(args) => train::run(args),
        ModelCommand::Encode(args) => on_threads(args.model.threads, || encode::run(args)),
        ModelCommand::Reconstruct(args) => on_threads(args.model.threads, || reconstruct::run(args)),
        ModelCommand::Features(args) => on_threads(args.model.threads, || features::run(args)),
        ModelCommand::DeleteFeatures(args) => on_threads(args.model.threads, || delete_features::run(args)),
        ModelCommand::Finetune(args) => on_threads(args.model.threads, || finetune::run(args)),
        ModelCommand::Probe(args) => on_threads(args.model.threads, || probe::run(args)),
        ModelCommand::Units(args) => table::run(args),
        ModelCommand::Config(ConfigCommand::Show(args)) => show::run(args),
    }
}
