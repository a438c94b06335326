//! The folder of a training run.
//!
//! | file | what |
//! |---|---|
//! | `config.toml` | the effective configuration; `pitfall train config.toml` repeats the run |
//! | `run.json` | version, seed, instruction set, threads, data and their checksums, the command to repeat |
//! | `checkpoints/last.safetensors` | where training stands: what `--resume` goes on from |
//! | `model.safetensors` | the trained network, with PyTorch's names and layouts, and the configuration |
//! | `metrics.jsonl` | a line for each layer or epoch |
//! | `results.csv` | a row for each number that was measured |
//! | `figures/` | reconstructions and features, PNG |
//! | `report.html` | all of it on one page that needs nothing else |
//! | `classifier/` | the same files of a classifier that was put on top |

use crate::{
    config::{Config, Examples, Network},
    files::{remove_partial_files, write_atomically},
    version::VERSION,
};
use anyhow::{Context, Result, bail};
use patchgrad::{ENVIRONMENT_VARIABLE, Isa, Params, checkpoint::Checkpoint, parallel};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What `run.json` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of the project.
    pub version: String,
    /// The command that repeats the run.
    pub command: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Threads that ran. They do not change results.
    pub threads: usize,
    /// Instruction set of the kernels. Another one may change the last bits.
    pub instruction_set: String,
    /// When it began, UTC.
    pub started: String,
    /// The pictures.
    pub data: String,
    /// Pictures of the three parts: training, validation, test.
    pub pictures: [usize; 3],
    /// CRC-32 of all training and of all test pictures and labels of the set; empty if they are computed.
    pub crc32: Vec<String>,
    /// Owner and terms of the pictures.
    pub licence: String,
}

impl RunRecord {
    /// The record of a run that begins at `started`.
    pub fn new(folder: &RunFolder, config: &Config, examples: &Examples, started: String) -> Self {
        let forced = std::env::var(ENVIRONMENT_VARIABLE).map(|isa| format!("{ENVIRONMENT_VARIABLE}={isa} "));
        // Quoted as a shell takes it literally.
        let file = folder.path.join("config.toml").display().to_string().replace('\'', r"'\''");
        Self {
            version: VERSION.to_string(),
            command: format!("{}cargo run --release -- train '{file}'", forced.unwrap_or_default()),
            seed: config.seed,
            threads: parallel::threads(),
            instruction_set: Isa::active().to_string(),
            started,
            data: examples.name.clone(),
            pictures: [&examples.train, &examples.validation, &examples.test].map(|part| part.count()),
            crc32: examples.checksums.clone(),
            licence: examples.licence.clone(),
        }
    }
}

/// The folder of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    /// Where it is.
    pub path: PathBuf,
}

impl RunFolder {
    /// The folder of an earlier run, and its configuration.
    ///
    /// # Errors
    /// If there is no run, or its configuration cannot be read.
    pub fn open(path: &Path, overrides: &[String]) -> Result<(Self, Config)> {
        let file = path.join("config.toml");
        if !file.is_file() {
            bail!(
                "{} is not the folder of a run: there is no config.toml in it; `pitfall train` makes one",
                path.display()
            );
        }
        let config = Config::read(&file, overrides)?;
        Ok((Self { path: path.to_path_buf() }, config))
    }

    /// Removes what an earlier run left that could be taken for results of this one, with what was made of its model.
    ///
    /// # Errors
    /// If a file is there and cannot be removed.
    pub fn clear(&self) -> Result<()> {
        let names = [
            "model.safetensors",
            "checkpoints/last.safetensors",
            "results.csv",
            "metrics.jsonl",
            "report.html",
            "probes.csv",
            "features.csv",
            "codes.npz",
            "reconstructions.png",
        ];
        let figures = fs::read_dir(self.path.join("figures")).into_iter().flatten().flatten().map(|entry| entry.path());
        let figures = figures.filter(|file| is_figure(file));
        let classifier = Self { path: self.path.join("classifier") };
        if classifier.path.is_dir() {
            classifier.clear()?;
        }
        // A classifier without its settings is none that could go on.
        let of_classifier = ["config.toml", "confusion.txt"].map(|name| classifier.path.join(name));
        for path in names.map(|name| self.path.join(name)).into_iter().chain(figures).chain(of_classifier) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", path.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes files that killed processes left half-written.
    ///
    /// # Errors
    /// If a folder cannot be read or such a file not be removed.
    pub fn remove_partial_files(&self) -> Result<()> {
        for folder in [self.path.clone(), self.path.join("figures")] {
            remove_partial_files(&folder).with_context(|| format!("cannot clean {}", folder.display()))?;
        }
        Ok(())
    }

    /// What `run.json` says.
    ///
    /// # Errors
    /// If it is missing or damaged.
    pub fn record(&self) -> Result<RunRecord> {
        let path = self.path.join("run.json");
        let json = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&json).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Where training stands.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoints").join("last.safetensors")
    }

    /// Writes a file as a whole, or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.path.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        write_atomically(&path, bytes)?;
        Ok(path)
    }

    /// Writes rows as CSV with their field names.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_csv<T: Serialize>(&self, name: &str, rows: impl IntoIterator<Item = T>) -> Result<PathBuf> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in rows {
            writer.serialize(row).with_context(|| format!("cannot write a row of {name}"))?;
        }
        let bytes =
            writer.into_inner().map_err(|error| error.into_error()).with_context(|| format!("cannot write {name}"))?;
        self.write(name, &bytes)
    }

    /// Writes rows as JSON, a line each.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_jsonl<T: Serialize>(&self, name: &str, rows: impl IntoIterator<Item = T>) -> Result<PathBuf> {
        let mut text = String::new();
        for row in rows {
            text += &serde_json::to_string(&row).with_context(|| format!("cannot write a line of {name}"))?;
            text.push('\n');
        }
        self.write(name, text.as_bytes())
    }

    /// Writes a trained model: parameters, configuration, seed.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save_model(&self, config: &Config, params: &Params) -> Result<PathBuf> {
        let mut checkpoint = Checkpoint::new();
        checkpoint.set("config", config.to_toml());
        checkpoint.set("seed", config.seed);
        checkpoint.put_params("", params);
        self.write("model.safetensors", &checkpoint.to_bytes())
    }

    /// Reads the parameters of a trained model.
    ///
    /// # Errors
    /// If the run was not finished, or the file is not of this model.
    pub fn load_params(&self, params: &mut Params) -> Result<()> {
        let path = self.path.join("model.safetensors");
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
                "{} is missing: the training did not come to its end; `pitfall train --resume {}` goes on",
                path.display(),
                self.path.display()
            ),
            other => other.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let mut read = || {
            let mut checkpoint = Checkpoint::from_bytes(&bytes)?;
            checkpoint.check_version()?;
            checkpoint.take_params("", params)?;
            checkpoint.finish()
        };
        read().with_context(|| format!("cannot use {}", path.display()))
    }

    /// The trained network.
    ///
    /// # Errors
    /// As [`load_params`](Self::load_params); if the configuration was not resolved.
    pub fn load_network(&self, config: &Config) -> Result<Network> {
        if config.network.picture.is_none() {
            bail!(
                "network.picture is missing in {}; it is written by `pitfall train`",
                self.path.join("config.toml").display()
            );
        }
        let mut network = config.network.build(config.seed);
        self.load_params(network.params_mut())?;
        Ok(network)
    }
}

/// Whether a file of `figures/` has a name that this program gives; a folder may hold pictures of its owner.
fn is_figure(file: &Path) -> bool {
    let ours = ["reconstructions", "features-layer", "maps-layer", "before-after", "page"];
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".png") && ours.iter().any(|start| name.starts_with(start))
}
