//! `[classifier]`: what is put on top of a stack, and how it learns.

use super::{ConfigError, training::MOST_IN_A_BATCH};
use crate::{
    finetune::{ClassifierSpec, FineTuneConfig, Hidden, Loss, Sharing, TrainedLayers},
    units::named,
};
use patchgrad::ops::Activation;
use serde::{Deserialize, Serialize};

/// What a classifier reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassifierKind {
    /// The code of the top layer; the layers of the stack are trained too.
    #[default]
    Network,
    /// The central features of all layers of a stack that stays as it is.
    Central,
}

/// What a classifier minimises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossName {
    /// Cross-entropy of the softmax.
    #[default]
    CrossEntropy,
    /// Half the squared error against one-hot targets.
    SquaredError,
}

/// What is put on top of a stack, and how it learns: mini-batches with momentum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClassifierConfig {
    /// What it reads.
    pub kind: ClassifierKind,
    /// Whether the positions of a layer share their weights.
    pub sharing: Sharing,
    /// Layers of the stack that are trained, from the top; all of them if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trained_layers: Option<usize>,
    /// What it minimises.
    pub loss: LossName,
    /// Activation of the output layer under the squared error.
    #[serde(with = "named")]
    pub output: Activation,
    /// Times that every picture is shown.
    pub epochs: usize,
    /// Pictures in one step.
    pub batch_size: usize,
    /// Learning rate.
    pub lr: f64,
    /// Momentum.
    pub momentum: f64,
    /// Epochs without a better validation loss after which it stops; 0 to never stop.
    pub patience: usize,
    /// Pages: pixels that are shown in an epoch, the classes equally often.
    pub pixels: usize,
    /// Pages: every so many pixels along both axes one is classified when it is measured.
    pub pixel_step: usize,
    /// Layers between the features and the output layer, lowest first.
    pub hidden: Vec<Hidden>,
}

impl Default for ClassifierConfig {
    fn default() -> Self {
        Self {
            kind: ClassifierKind::Network,
            sharing: Sharing::Shared,
            trained_layers: None,
            loss: LossName::CrossEntropy,
            output: Activation::Linear,
            epochs: 10,
            batch_size: 64,
            lr: 0.01,
            momentum: 0.9,
            patience: 0,
            pixels: 20_000,
            pixel_step: 5,
            hidden: Vec::new(),
        }
    }
}

/// Features of a hidden layer.
const MOST_FEATURES: usize = 1 << 16;

impl ClassifierConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, rule: &str| Err(ConfigError::value(format!("classifier.{key}"), rule));
        let at_least_one = [
            ("epochs", self.epochs),
            ("batch_size", self.batch_size),
            ("pixels", self.pixels),
            ("pixel_step", self.pixel_step),
        ];
        if let Some((key, _)) = at_least_one.iter().find(|(_, value)| *value == 0) {
            return wrong(key, "must be at least 1");
        }
        if !(self.lr > 0.0 && self.lr.is_finite()) {
            return wrong("lr", "must be a number above 0, such as 0.01");
        }
        if !(0.0..1.0).contains(&self.momentum) {
            return wrong("momentum", "must be in [0, 1)");
        }
        if self.hidden.iter().any(|hidden| hidden.features == 0) {
            return wrong("hidden", "every layer needs at least 1 feature");
        }
        if self.hidden.iter().any(|hidden| hidden.features > MOST_FEATURES) {
            return wrong(
                "hidden",
                &format!("a layer has at most {MOST_FEATURES} features: its weights have to fit into memory"),
            );
        }
        if self.batch_size > MOST_IN_A_BATCH {
            return wrong("batch_size", &format!("must be at most {MOST_IN_A_BATCH}: a batch has to fit into memory"));
        }
        Ok(())
    }

    /// What is minimised.
    pub fn loss(&self) -> Loss {
        match self.loss {
            LossName::CrossEntropy => Loss::CrossEntropy,
            LossName::SquaredError => Loss::SquaredError { output: self.output },
        }
    }

    /// A network on the code, for `classes` classes.
    pub fn spec(&self, classes: usize) -> ClassifierSpec {
        ClassifierSpec {
            classes,
            hidden: self.hidden.clone(),
            loss: self.loss(),
            sharing: self.sharing,
            trained: self.trained_layers.map_or(TrainedLayers::All, TrainedLayers::Top),
        }
    }

    /// How it learns.
    pub fn training(&self, seed: u64) -> FineTuneConfig {
        let Self { epochs, batch_size, lr, momentum, .. } = *self;
        FineTuneConfig { epochs, batch_size, lr, momentum, seed }
    }
}
