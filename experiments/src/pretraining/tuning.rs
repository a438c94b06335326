//! Fine-tuning with early stopping: all layers, cross-entropy, Adam on mini-batches.
//!
//! Validation accuracy is taken after every round: an epoch, or as many as make [`ROUND`] steps where an epoch is shorter. What
//! is kept is the network of the best round, the first of equals; training ends when [`PATIENCE`] rounds brought nothing better.

use crate::{
    data::Labelled,
    finetune::Classifier,
    scae::Scae,
    training::{Checkpoints, FitSpec, TrainingError},
};
use patchgrad::{
    Workspace,
    optim::{Adam, AdamConfig},
    random::stream,
};
use rand::RngExt;

/// Pictures in one step.
const BATCH: usize = 32;
/// Learning rate of Adam.
const RATE: f64 = 1e-3;
/// Steps of a round, at least.
const ROUND: usize = 50;
/// Rounds without a better one that end training.
const PATIENCE: usize = 4;
/// The share of the final accuracy that counts as learnt.
const LEARNT: f64 = 0.95;

/// A fine-tuned network.
pub(super) struct Tuned {
    pub(super) classifier: Classifier,
    /// Validation accuracy of the round that was kept.
    pub(super) validation_accuracy: f64,
    /// Epochs until the validation accuracy was 95 % of that for the first time.
    pub(super) epochs_to_95: usize,
    /// Epochs until training ended.
    pub(super) epochs: usize,
    /// Whether the limit of steps ended it.
    pub(super) ended_by_limit: bool,
}

/// Fine-tunes a stack for at most about `steps` steps.
///
/// # Errors
/// When a loss is not finite.
pub(super) fn fine_tune(
    scae: Scae,
    [labelled, validation]: [&Labelled; 2],
    classes: usize,
    steps: usize,
    seed: u64,
    workspace: &mut Workspace,
) -> Result<Tuned, TrainingError> {
    let epoch_steps = labelled.count().div_ceil(BATCH).max(1);
    let round_epochs = ROUND.div_ceil(epoch_steps);
    let rounds = steps.div_ceil(round_epochs * epoch_steps).max(1);
    let mut classifier = Classifier::new(scae, classes, seed);
    let mut adam = Adam::new(AdamConfig::new(RATE));
    let mut accuracies: Vec<f64> = Vec::new();
    let mut best: Option<(usize, Classifier)> = None;
    let mut ended_by_limit = true;
    for round in 0..rounds {
        let order = stream(seed, "round", round as u64).random();
        let spec = FitSpec { stream: "fine-tune", ..FitSpec::new(round_epochs, BATCH, RATE, order) };
        classifier.fit(labelled, None, &spec, &mut adam, &mut Checkpoints::none(), workspace)?;
        let accuracy = classifier.accuracy(validation, workspace);
        accuracies.push(accuracy);
        match &best {
            Some((at, _)) if accuracy <= accuracies[*at] => {
                if round - at >= PATIENCE {
                    ended_by_limit = false;
                    break;
                }
            }
            _ => best = Some((round, classifier.clone())),
        }
    }
    let (at, classifier) = best.expect("the first round is the best so far");
    let learnt = accuracies.iter().position(|accuracy| *accuracy >= LEARNT * accuracies[at]).unwrap_or(at);
    Ok(Tuned {
        classifier,
        validation_accuracy: accuracies[at],
        epochs_to_95: (learnt + 1) * round_epochs,
        epochs: accuracies.len() * round_epochs,
        ended_by_limit,
    })
}
