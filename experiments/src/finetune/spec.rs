//! What a classifier on a stack is to be, and how it is trained.

use super::{Hidden, Loss};
use crate::training::FitSpec;
use patchgrad::optim::{Sgd, SgdConfig};
use serde::{Deserialize, Serialize};

/// How a network is fine-tuned: mini-batches and momentum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FineTuneConfig {
    /// Times that every training picture is shown.
    pub epochs: usize,
    /// Pictures in one step.
    pub batch_size: usize,
    /// Learning rate for the mean loss of a batch.
    pub lr: f64,
    /// Momentum.
    pub momentum: f64,
    /// Seed of the head and of the order of pictures.
    pub seed: u64,
}

impl FineTuneConfig {
    /// Its epochs and mini-batches.
    pub fn fit_spec(&self) -> FitSpec {
        FitSpec { stream: "fine-tune", ..FitSpec::new(self.epochs, self.batch_size, self.lr, self.seed) }
    }

    /// Its optimiser.
    pub fn optimizer(&self) -> Sgd {
        Sgd::new(SgdConfig { momentum: self.momentum, ..SgdConfig::new(self.lr) })
    }
}

/// Whether the positions of a layer share their weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// One weight for all positions: a convolution.
    #[default]
    Shared,
    /// A weight for each position, all alike at first.
    Unshared,
}

/// Which layers of the stack are trained; the head always is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrainedLayers {
    /// All.
    #[default]
    All,
    /// The upper so many; 0 trains the head alone.
    Top(usize),
}

/// What goes on top of a stack, and how it is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassifierSpec {
    /// How many classes.
    pub classes: usize,
    /// Layers between the code and the output layer.
    pub hidden: Vec<Hidden>,
    /// What is minimised.
    pub loss: Loss,
    /// Whether positions share weights.
    pub sharing: Sharing,
    /// Which layers are trained.
    pub trained: TrainedLayers,
}

impl ClassifierSpec {
    /// A linear layer on the code, cross-entropy, shared weights, all layers trained.
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            hidden: Vec::new(),
            loss: Loss::CrossEntropy,
            sharing: Sharing::Shared,
            trained: TrainedLayers::All,
        }
    }
}

/// A classifier that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassifierError {
    /// A unit whose encoder is more than a convolution cannot have weights of its own at every position.
    #[error("layer {layer}: the weights of a {kind} unit cannot be un-shared; share them, or take another unit")]
    NotAConvolution {
        /// The layer, counted from 0.
        layer: usize,
        /// Its unit.
        kind: &'static str,
    },
    /// More layers are to be trained than there are.
    #[error("the top {asked} layers are to be trained, but the stack has {depth}")]
    TooManyLayers {
        /// Asked for.
        asked: usize,
        /// Layers of the stack.
        depth: usize,
    },
}
