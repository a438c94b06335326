//! The ways of fine-tuning, epoch by epoch.

use crate::{
    data::Labelled,
    finetune::{Classifier, ClassifierSpec, FineTuneConfig, Loss, TrainedLayers},
    scae::Scae,
    training::{Checkpoints, TrainingError},
};
use patchgrad::{Workspace, ops::Activation, optim::Sgd, random::stream};
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// A way of fine-tuning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// As N-light-N: plain descent on the squared error against one-hot targets, a soft-sign output. Its rate of 1e-3 for
    /// single pictures is 0.032 for the mean over 32.
    Reference,
    /// Mini-batches with momentum on the cross-entropy.
    MiniBatch,
    /// The same for the classification layer alone; the encoder stays as it is.
    HeadOnly,
}

impl Variant {
    /// Every variant, in the order of tables.
    pub const ALL: [Self; 3] = [Self::Reference, Self::MiniBatch, Self::HeadOnly];

    /// How tables name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Reference => "plain descent, squared error",
            Self::MiniBatch => "momentum, cross-entropy",
            Self::HeadOnly => "classification layer alone",
        }
    }

    /// How numbers and files name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::MiniBatch => "mini-batch",
            Self::HeadOnly => "head-only",
        }
    }

    /// Whether the encoder changes.
    pub fn trains_encoder(self) -> bool {
        self != Self::HeadOnly
    }

    fn spec(self, classes: usize) -> ClassifierSpec {
        let spec = ClassifierSpec::new(classes);
        match self {
            Self::Reference => ClassifierSpec { loss: Loss::SquaredError { output: Activation::Softsign }, ..spec },
            Self::MiniBatch => spec,
            Self::HeadOnly => ClassifierSpec { trained: TrainedLayers::Top(0), ..spec },
        }
    }

    fn config(self) -> FineTuneConfig {
        match self {
            Self::Reference => FineTuneConfig { epochs: 1, batch_size: 32, lr: 0.032, momentum: 0.0, seed: 0 },
            _ => FineTuneConfig { epochs: 1, batch_size: 64, lr: 0.01, momentum: 0.9, seed: 0 },
        }
    }
}

/// A network while it is fine-tuned.
pub struct FineTuning {
    /// The network as it is now.
    pub classifier: Classifier,
    optimizer: Sgd,
    config: FineTuneConfig,
    seed: u64,
    epoch: u64,
}

impl FineTuning {
    /// `scae` under an untrained classification layer.
    pub fn new(scae: &Scae, variant: Variant, classes: usize, seed: u64) -> Self {
        let classifier = Classifier::with_spec(scae.clone(), variant.spec(classes), seed);
        let classifier = classifier.expect("shared weights fit every unit, and every stack has 0 layers");
        let config = variant.config();
        Self { classifier, optimizer: config.optimizer(), config, seed, epoch: 0 }
    }

    /// Shows every picture once; the mean loss.
    ///
    /// # Errors
    /// When a loss is no longer finite.
    pub fn one_epoch(&mut self, train: &Labelled, workspace: &mut Workspace) -> Result<f64, TrainingError> {
        let seed = stream(self.seed, "fine-tune-epoch", self.epoch).random();
        self.epoch += 1;
        let spec = FineTuneConfig { seed, ..self.config }.fit_spec();
        let optimizer = &mut self.optimizer;
        let history = self.classifier.fit(train, None, &spec, optimizer, &mut Checkpoints::none(), workspace)?;
        Ok(history.losses.iter().sum())
    }

    /// The fine-tuned encoder under the decoders it came with.
    pub fn scae(&self) -> Scae {
        self.classifier.to_scae().expect("the positions of a layer share their weights")
    }
}
