//! How much the demonstration does.

use super::population::PopulationSize;
use crate::{cae::CaeTraining, data::Limits, finetune::FineTuneConfig};
use clap::ValueEnum;
use serde::Serialize;
use std::path::PathBuf;

/// How long a run may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Seconds: a few networks on a few pictures, to see that everything works. Its numbers say nothing.
    Smoke,
    /// About a minute on two cores: the bundled samples, two dozen networks for each.
    #[default]
    Demo,
}

/// What a run was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoConfig {
    /// Seed of everything random.
    pub seed: u64,
    /// Threads; 0 for one on each core. They change the time, never the results.
    pub threads: usize,
    /// How much is done.
    pub profile: Profile,
    /// A folder with the full data sets, instead of the bundled samples.
    pub data_dir: Option<PathBuf>,
}

/// The sizes that a profile stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    /// Pictures used.
    pub limits: Limits,
    /// The population of each data set.
    pub population: PopulationSize,
    /// Patches shown to each layer of the reference network, and to its decoders when they are trained again.
    pub reference_samples: usize,
    /// Fine-tuning of the reference network.
    pub fine_tuning: FineTuneConfig,
    /// Training of the end-to-end auto-encoder.
    pub end_to_end: CaeTraining,
}

impl Profile {
    /// Its sizes, for a seed.
    pub fn sizes(self, seed: u64) -> Sizes {
        let fine_tuning = FineTuneConfig { epochs: 8, batch_size: 32, lr: 0.02, momentum: 0.9, seed };
        let end_to_end = CaeTraining { epochs: 3, batch_size: 32, lr: 2e-3, seed };
        match self {
            Self::Smoke => Sizes {
                limits: Limits { train: 400, validation: 200, test: 200 },
                population: PopulationSize { networks: 6, fewest_samples: 500, most_samples: 1_500 },
                reference_samples: 1_000,
                fine_tuning: FineTuneConfig { epochs: 2, ..fine_tuning },
                end_to_end: CaeTraining { epochs: 1, ..end_to_end },
            },
            Self::Demo => Sizes {
                limits: Limits::NONE,
                population: PopulationSize { networks: 24, fewest_samples: 20_000, most_samples: 40_000 },
                reference_samples: 40_000,
                fine_tuning,
                end_to_end,
            },
        }
    }

    /// `smoke` or `demo`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Demo => "demo",
        }
    }
}
