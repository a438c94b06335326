//! One TOML file describes a run: data, network, training, classifier, evaluation.
//!
//! ```toml
//! name = "first"
//! seed = 42
//!
//! [data]
//! set = "fashion-mnist"
//!
//! [network]
//! kind = "scae"
//!
//! [[network.layers]]
//! kernel = 4
//! offset = 4
//! features = 32
//!
//! [[network.layers]]
//! kernel = 7
//! features = 64
//!
//! [training]
//! samples_per_layer = 20000
//! ```
//!
//! Every key but `name`, the set and the network has a default; `pitfall config show FILE` prints all of them. A key can be
//! changed on the command line, `--set network.layers.1.features=128`. What cannot be is refused with the name of the key and
//! what it may be.

mod classifier;
mod data;
mod evaluation;
mod examples;
mod network;
mod read;
mod training;

pub use classifier::{ClassifierConfig, ClassifierKind, LossName};
pub use data::{DataConfig, SetKind, ValueRange};
pub use evaluation::{CodeKind, EvaluationConfig};
pub use examples::{Examples, Part};
pub use network::{LayerConfig, Network, NetworkConfig, NetworkKind, Progressed};
pub use read::ConfigError;
pub use training::{ScheduleName, TrainingConfig};

use serde::{Deserialize, Serialize};

/// Everything that makes a run the one that it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Names the folder of the run: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Seed of everything random.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// What is learnt from.
    pub data: DataConfig,
    /// What learns.
    pub network: NetworkConfig,
    /// How it learns.
    #[serde(default)]
    pub training: TrainingConfig,
    /// What is put on top of it by `pitfall finetune`.
    #[serde(default)]
    pub classifier: ClassifierConfig,
    /// What is measured.
    #[serde(default)]
    pub evaluation: EvaluationConfig,
}

fn default_seed() -> u64 {
    42
}

impl Config {
    /// The effective configuration as TOML: every key, also those left to their defaults. Read again it is the same.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("every value of a configuration can be written as TOML")
    }

    /// The pictures of the run.
    ///
    /// # Errors
    /// As [`DataConfig::load`].
    pub fn load(&self) -> anyhow::Result<Examples> {
        let mut examples = self.data.load(self.seed)?;
        if self.evaluation.on_train {
            (examples.validation, examples.test) = (examples.train.clone(), examples.train.clone());
        }
        Ok(examples)
    }

    /// The same in a few seconds: few pictures, few steps.
    pub fn shorten(&mut self) {
        let [train, validation, test] = match self.data.set {
            SetKind::SyntheticPages => [2, 1, 1],
            _ => [256, 64, 64],
        };
        (self.data.train, self.data.validation, self.data.test) = (train, validation, test);
        (self.training.samples_per_layer, self.training.epochs) = (640, 1);
    }

    /// What is wrong with the values, each by itself and together.
    fn check(&self) -> Result<(), ConfigError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || self.name.starts_with('.') || !self.name.chars().all(allowed) {
            return Err(ConfigError::value("name", "must be letters, digits, -, _ and ., as it names a folder"));
        }
        if i64::try_from(self.seed).is_err() {
            return Err(ConfigError::value("seed", "must be below 2^63, as TOML has no larger numbers"));
        }
        self.data.check()?;
        self.training.check()?;
        self.classifier.check()?;
        if self.network.kind == NetworkKind::Cae && self.evaluation.code == CodeKind::Central {
            let text = "central features are those of all layers of a stack, kind = \"scae\"";
            return Err(ConfigError::value("evaluation.code", text));
        }
        self.network.check(&self.data, &self.training)
    }
}
