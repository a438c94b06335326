//! `[training]`: how a network learns.

use super::ConfigError;
use crate::{
    training::{Clip, FitSpec},
    units::{Descent, TrainConfig},
};
use patchgrad::optim::Schedule;
use serde::{Deserialize, Serialize};

/// The learning rate over the steps of an end-to-end network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleName {
    /// The same from the first step to the last.
    #[default]
    Constant,
    /// Half a cosine from `lr` to 0.
    Cosine,
}

/// How a network learns. Greedy training of a stack counts patches for each layer, an end-to-end network epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Patches that every layer of a stack is shown.
    pub samples_per_layer: usize,
    /// Times that an end-to-end network is shown every picture.
    pub epochs: usize,
    /// Patches or pictures in one step.
    pub batch_size: usize,
    /// Plain descent or Adam.
    pub optimizer: Descent,
    /// Learning rate. Greedy training takes its last tenth at a tenth of it.
    pub lr: f64,
    /// L2 penalty on weights and biases.
    pub weight_decay: f64,
    /// Of an end-to-end network.
    pub schedule: ScheduleName,
    /// Steps in which the rate of an end-to-end network rises from 0.
    pub warm_up_steps: u64,
    /// The largest joint norm of the gradients of an end-to-end network; 0 for no limit.
    pub clip_grad_norm: f64,
    /// Epochs without a better validation error after which an end-to-end network stops; 0 to never stop. With it the weights
    /// are those of the best epoch.
    pub patience: usize,
    /// Seconds between two checkpoints.
    pub checkpoint_seconds: u64,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            samples_per_layer: 40_000,
            epochs: 10,
            batch_size: 64,
            optimizer: Descent::Adam,
            lr: 1e-3,
            weight_decay: 0.0,
            schedule: ScheduleName::Constant,
            warm_up_steps: 0,
            clip_grad_norm: 0.0,
            patience: 0,
            checkpoint_seconds: 60,
        }
    }
}

/// Pictures or patches in a batch.
pub(super) const MOST_IN_A_BATCH: usize = 1 << 20;
/// Patches shown, or epochs.
const MOST_SHOWN: usize = 1_000_000_000_000;

impl TrainingConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, rule: &str| Err(ConfigError::value(format!("training.{key}"), rule));
        if self.batch_size == 0 {
            return wrong("batch_size", "must be at least 1");
        }
        if self.samples_per_layer == 0 {
            return wrong("samples_per_layer", "must be at least 1");
        }
        if self.epochs == 0 {
            return wrong("epochs", "must be at least 1");
        }
        if self.batch_size > MOST_IN_A_BATCH {
            return wrong("batch_size", &format!("must be at most {MOST_IN_A_BATCH}: a batch has to fit into memory"));
        }
        let counts = [("samples_per_layer", self.samples_per_layer), ("epochs", self.epochs)];
        if let Some((key, _)) = counts.into_iter().find(|(_, count)| *count > MOST_SHOWN) {
            return wrong(key, &format!("must be at most {MOST_SHOWN}, which would take years already"));
        }
        if !(self.lr > 0.0 && self.lr.is_finite()) {
            return wrong("lr", "must be a number above 0, such as 0.001");
        }
        for (key, value) in [("weight_decay", self.weight_decay), ("clip_grad_norm", self.clip_grad_norm)] {
            if !(value >= 0.0 && value.is_finite()) {
                return wrong(key, "must be a number of at least 0");
            }
        }
        Ok(())
    }

    /// A key that is set and that greedy training does not know.
    pub(super) fn end_to_end_only(&self) -> Option<&'static str> {
        let set = [
            ("schedule", self.schedule != ScheduleName::Constant),
            ("warm_up_steps", self.warm_up_steps > 0),
            ("clip_grad_norm", self.clip_grad_norm > 0.0),
            ("patience", self.patience > 0),
        ];
        set.into_iter().find(|(_, set)| *set).map(|(key, _)| key)
    }

    /// For greedy training.
    pub fn greedy(&self, seed: u64) -> TrainConfig {
        let Self { samples_per_layer, batch_size, optimizer, lr, weight_decay, .. } = *self;
        TrainConfig { samples_per_layer, batch_size, descent: optimizer, lr, weight_decay, seed }
    }

    /// For an end-to-end network on `samples` pictures.
    pub fn end_to_end(&self, samples: usize, seed: u64) -> FitSpec {
        let steps = (self.epochs * samples.div_ceil(self.batch_size)) as u64;
        let schedule = match self.schedule {
            ScheduleName::Constant => Schedule::Constant,
            ScheduleName::Cosine => {
                Schedule::Cosine { t_max: steps.saturating_sub(self.warm_up_steps).max(1), eta_min: 0.0 }
            }
        };
        let schedule = match self.warm_up_steps {
            0 => schedule,
            // The first step of a warm-up from 0 would change nothing.
            steps => schedule.after_warm_up(steps, 1.0 / (steps + 1) as f64),
        };
        FitSpec {
            schedule,
            clip: (self.clip_grad_norm > 0.0).then_some(Clip::Norm(self.clip_grad_norm)),
            patience: (self.patience > 0).then_some(self.patience),
            ..FitSpec::new(self.epochs, self.batch_size, self.lr, seed)
        }
    }
}
