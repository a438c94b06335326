//! One fixed network for each data set, looked at closely: before and after fine-tuning, and under several decoders.
//!
//! Its architecture is set beforehand and is not part of the population, so that no outcome chose it.

use super::network::Codes;
use crate::{
    data::Task,
    finetune::{Classifier, FineTuneConfig},
    scae::{Descent, Geometry, LayerSpec, Scae, ScaeSpec, TrainConfig, feature_patches, train, train_decoders},
    scores::Reconstruction,
    training::TrainingError,
    units::UnitSpec,
};
use anyhow::{Context, Result};
use patchgrad::{Tensor, Workspace, ops::Activation, random::stream};
use serde::Serialize;

/// The length of its code.
pub const REFERENCE_CODE_SIZE: usize = 64;

/// Its architecture with a code of `code_size`: three layers, kernels 4, 3, 3 and offsets 4, 2, soft-sign encoders and
/// linear decoders.
pub fn reference_spec(code_size: usize) -> ScaeSpec {
    let geometry = Geometry::from_list(&[4, 4, 3, 2, 3]);
    let layers = geometry.layers().iter().zip([32, 64, code_size]);
    let unit = UnitSpec::standard(Activation::Softsign, Activation::Linear);
    let layers = layers.map(|(&geometry, features)| LayerSpec { geometry, features, unit }).collect();
    ScaeSpec { picture: [28, 28, 1], layers }
}

/// Before or after fine-tuning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// As greedy training left it.
    Before,
    /// After its encoder was fine-tuned to classify.
    After,
}

/// Who decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decoder {
    /// The decoders that the encoders were trained with.
    Own,
    /// New decoders of the same shape, trained on the frozen encoders as the own ones were.
    Retrained,
    /// Ridge regression from the code to the pixels.
    OptimalLinear,
}

impl Decoder {
    /// How tables and figures name it; after fine-tuning the own decoders are the old ones.
    pub fn label(self, stage: Stage) -> &'static str {
        match (self, stage) {
            (Self::Own, Stage::Before) => "own decoder",
            (Self::Own, Stage::After) => "old decoder",
            (Self::Retrained, _) => "re-trained decoder",
            (Self::OptimalLinear, _) => "optimal linear decoder",
        }
    }
}

/// One code decoded by one decoder.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Before or after fine-tuning.
    pub stage: Stage,
    /// Who decoded.
    pub decoder: Decoder,
    /// How well.
    pub scores: Reconstruction,
    /// The first of the test pictures as decoded, one row of pixels each: those of [`Reference::shown`].
    pub pictures: Vec<Vec<f32>>,
}

/// What was found out about the reference network of one data set.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Test accuracy of the linear probe on the code, before and after fine-tuning.
    pub probe_accuracy: [f64; 2],
    /// Test accuracy of the fine-tuned classifier.
    pub fine_tuned_accuracy: f64,
    /// Mean loss of each epoch of fine-tuning.
    pub losses: Vec<f64>,
    /// Every stage and decoder.
    pub decoded: Vec<Decoded>,
    /// Test pictures that figures show: the first one of each of the first classes, as rows of pixels.
    pub shown: Vec<Vec<f32>>,
    /// One picture `[r, r]` for each feature of the lowest layer, decoded alone.
    pub lowest_features: Tensor,
    /// The same for the top layer: whole pictures.
    pub top_features: Tensor,
}

impl Reference {
    /// The mean squared error of the decoders that the encoders were trained with.
    pub fn own_mse(&self, stage: Stage) -> f64 {
        let own = |decoded: &&Decoded| decoded.stage == stage && decoded.decoder == Decoder::Own;
        self.decoded.iter().find(own).expect("every stage has its own decoder").scores.mse
    }
}

/// How many test pictures figures show.
const SHOWN: usize = 5;

/// Trains, fine-tunes and decodes the reference network of `task`.
///
/// # Errors
/// When training diverges or a value is not finite.
pub fn run(task: &Task, seed: u64, samples: usize, fine_tuning: &FineTuneConfig) -> Result<Reference> {
    let mut workspace = Workspace::new();
    let workspace = &mut workspace;
    let training = TrainConfig {
        samples_per_layer: samples,
        batch_size: 32,
        descent: Descent::Adam,
        lr: 2e-3,
        weight_decay: 0.0,
        seed,
    };
    let diverged = |error: TrainingError| anyhow::anyhow!("the reference network of {}: {error}", task.name);

    let mut before = Scae::new(
        reference_spec(REFERENCE_CODE_SIZE),
        &mut stream(seed, &format!("reference-{}", task.set.folder()), 0),
    );
    train(&mut before, &task.train.pictures, &training, workspace).map_err(diverged)?;
    let (classifier, losses) = fine_tune(&before, task, fine_tuning, workspace)?;
    let fine_tuned_accuracy = classifier.accuracy(&task.test, workspace);
    let after = classifier.scae().clone();

    let shown = shown(task);
    let mut decoded = Vec::new();
    let mut probe_accuracy = [0.0; 2];
    for (at, (stage, scae)) in [(Stage::Before, &before), (Stage::After, &after)].into_iter().enumerate() {
        let codes = Codes::of(task, |pictures| scae.codes(pictures, workspace));
        let probed = codes.probe(task, workspace);
        probe_accuracy[at] = probed.context("the code of the reference network is not finite")?.test_accuracy;
        let mut retrained = scae.clone();
        retrained.reset_decoders(&mut stream(seed, "new-decoders", at as u64));
        train_decoders(&mut retrained, &task.train.pictures, &training, workspace).map_err(diverged)?;
        let own = scae.decode_codes(&codes.test, workspace);
        let again = retrained.decode_codes(&codes.test, workspace);
        let linear = codes.decode_linearly(task)?;
        for (decoder, pixels) in [
            (Decoder::Own, own.as_slice()),
            (Decoder::Retrained, again.as_slice()),
            (Decoder::OptimalLinear, &linear[..]),
        ] {
            let row = task.test.pixels();
            decoded.push(Decoded {
                stage,
                decoder,
                scores: Reconstruction::score(&task.test.pictures, pixels),
                pictures: shown.iter().map(|&index| pixels[index * row..][..row].to_vec()).collect(),
            });
        }
    }
    Ok(Reference {
        probe_accuracy,
        fine_tuned_accuracy,
        losses,
        decoded,
        shown: shown.iter().map(|&index| task.test.pictures.samples(index..index + 1).to_vec()).collect(),
        lowest_features: feature_patches(&before, 0, workspace),
        top_features: feature_patches(&before, 2, workspace),
    })
}

/// Fine-tunes a copy of `scae`. A rate at which the loss does not stay finite is halved, four times at most.
fn fine_tune(
    scae: &Scae,
    task: &Task,
    config: &FineTuneConfig,
    workspace: &mut Workspace,
) -> Result<(Classifier, Vec<f64>)> {
    let mut config = *config;
    let mut tries = 0;
    loop {
        let mut classifier = Classifier::new(scae.clone(), task.classes, config.seed);
        match classifier.train(&task.train, &config, workspace) {
            Ok(losses) => return Ok((classifier, losses)),
            Err(_) if tries < 4 => (tries, config.lr) = (tries + 1, config.lr / 2.0),
            Err(diverged) => {
                return Err(diverged).context(format!("fine-tuning the reference network of {}", task.name));
            }
        }
    }
}

/// The first test picture of each of the first classes.
fn shown(task: &Task) -> Vec<usize> {
    let first = |class: u32| task.test.labels.iter().position(|&label| label == class);
    (0..task.classes as u32).filter_map(first).take(SHOWN).collect()
}
