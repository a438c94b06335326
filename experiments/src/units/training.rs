//! How long and how fast a unit learns.

use patchgrad::optim::{Adam, AdamConfig, Optimizer, Sgd, SgdConfig};
use serde::{Deserialize, Serialize};

/// How a step follows the gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Descent {
    /// Plain gradient descent, as N-light-N.
    Sgd,
    /// The same with N-light-N's rule for linear layers: after a step the weight of a linear encoder or decoder that has a
    /// value beyond 5 is divided by its norm. Linear layers then stay finite at some rates at which they diverge without.
    #[serde(rename = "sgd-norm-rule")]
    SgdWithNormRule,
    /// Adam with its usual constants.
    Adam,
}

/// How a network is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainConfig {
    /// Patches shown to each layer; what a unit in closed form is computed from.
    pub samples_per_layer: usize,
    /// Patches in one step.
    pub batch_size: usize,
    /// How a step follows the gradient.
    pub descent: Descent,
    /// Learning rate for the unit's loss, a mean over the mini-batch.
    pub lr: f64,
    /// L2 penalty on weights and biases.
    pub weight_decay: f64,
    /// Seed of everything random: the order of pictures, the positions, noise, sampling.
    pub seed: u64,
}

impl TrainConfig {
    /// The number of steps.
    pub(crate) fn steps(&self) -> usize {
        self.samples_per_layer.div_ceil(self.batch_size)
    }

    /// The first of the steps that run at a tenth of the rate: the last tenth of them, one at least.
    pub(super) fn slow_from(&self) -> usize {
        let steps = self.steps();
        steps - (steps / 10).max(1).min(steps)
    }

    pub(crate) fn optimizer(&self) -> Box<dyn Optimizer> {
        let Self { lr, weight_decay, .. } = *self;
        match self.descent {
            Descent::Sgd | Descent::SgdWithNormRule => {
                Box::new(Sgd::new(SgdConfig { weight_decay, ..SgdConfig::new(lr) }))
            }
            Descent::Adam => Box::new(Adam::new(AdamConfig { weight_decay, ..AdamConfig::new(lr) })),
        }
    }
}
