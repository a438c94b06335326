//! What a run says of itself: `run.json`.

use super::{SetResults, config::DemoConfig};
use crate::version::VERSION;
use patchgrad::{ENVIRONMENT_VARIABLE, Isa, parallel};
use serde::Serialize;

/// Everything that is needed to repeat a run, and what it took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunRecord {
    /// Version of the project.
    pub version: String,
    /// The profile's name.
    pub profile: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Threads that ran. They do not change results.
    pub threads: usize,
    /// Instruction set of the kernels; matrix products choose theirs by the processor alone. Another one may change the
    /// last bits.
    pub instruction_set: String,
    /// The command that repeats the run.
    pub command: String,
    /// When it began, UTC.
    pub started: String,
    /// Wall time in seconds.
    pub seconds: f64,
    /// The data it saw.
    pub data: Vec<DataRecord>,
}

/// One data set of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataRecord {
    /// Its name, such as `MNIST sample`.
    pub name: String,
    /// Pictures that weights were learnt from.
    pub train: usize,
    /// Pictures that choices were made on.
    pub validation: usize,
    /// Pictures that are reported.
    pub test: usize,
    /// CRC-32 of all training and of all test pictures and labels of the set.
    pub crc32: [String; 2],
    /// Owner and terms.
    pub licence: String,
}

impl RunRecord {
    /// The record of a run that began at `started` and took `seconds`.
    pub fn new(config: &DemoConfig, results: &[SetResults], started: String, seconds: f64) -> Self {
        let forced = std::env::var(ENVIRONMENT_VARIABLE).map(|isa| format!("{ENVIRONMENT_VARIABLE}={isa} "));
        let mut command = forced.unwrap_or_default() + "cargo run --release --";
        command += &format!(" --seed {} --profile {}", config.seed, config.profile.name());
        if let Some(dir) = &config.data_dir {
            // Quoted as a shell takes it literally.
            command += &format!(" --data-dir '{}'", dir.display().to_string().replace('\'', r"'\''"));
        }
        let data = |set: &SetResults| DataRecord {
            name: set.task.name.clone(),
            train: set.task.train.count(),
            validation: set.task.validation.count(),
            test: set.task.test.count(),
            crc32: set.task.checksums.clone(),
            licence: set.task.licence.clone(),
        };
        Self {
            version: VERSION.to_string(),
            profile: config.profile.name().to_string(),
            seed: config.seed,
            threads: if config.threads == 0 { parallel::threads() } else { config.threads },
            instruction_set: Isa::active().to_string(),
            command,
            started,
            seconds,
            data: results.iter().map(data).collect(),
        }
    }
}
