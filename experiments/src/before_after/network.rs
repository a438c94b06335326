//! One network of E4: trained, then fine-tuned in every variant, a row for each epoch.

use super::{
    state::{Reported, WATCHED_PICTURES, Watched, alignment, report, watch},
    variant::{FineTuning, Variant},
};
use crate::{
    config::Examples,
    correlation::{
        population::{Initialisation, Member},
        store::Trainer,
    },
    scae::Scae,
    scores::r2_of_clipped,
    suite::Parts,
};
use patchgrad::Workspace;
use serde::{Deserialize, Serialize};

/// How long a network is fine-tuned, and its decoders are trained again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// Epochs of fine-tuning.
    pub epochs: usize,
    /// Patches shown to each decoder that is trained again.
    pub decoder_patches: usize,
}

/// A row of the sweep: a network after some epochs of fine-tuning in one variant; epoch 0 is before. What is reported on test
/// pictures (names without `_validation`) is known before and at the end alone. Accuracies are shares of the pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateRow {
    /// The set, such as `MNIST sample`.
    pub data: String,
    /// Its number in P2.
    pub network: usize,
    /// How its layers began.
    pub initialisation: Initialisation,
    /// What kept it from learning by heart.
    pub regulariser: String,
    /// Patches shown to each layer.
    pub samples_per_layer: usize,
    /// Learning rate of these.
    pub lr: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// How it is fine-tuned.
    pub variant: Variant,
    /// Epochs of fine-tuning so far.
    pub epoch: usize,
    /// Why it failed; empty if it did not.
    pub reason: String,
    /// The mean training loss of the epoch.
    pub loss: Option<f64>,
    /// Accuracy of the classifier itself.
    pub classifier_validation: Option<f64>,
    /// Accuracy of a ridge probe on the code.
    pub ridge_validation: Option<f64>,
    /// Mean squared error of the old decoder.
    pub mse_old_validation: Option<f64>,
    /// That of the best linear decoder of at most 8,000 training pictures.
    pub mse_linear_validation: Option<f64>,
    /// Accuracy of a logistic probe on the code.
    pub logistic_validation: Option<f64>,
    /// Mean squared error of the decoders trained again.
    pub mse_retrained_validation: Option<f64>,
    /// Accuracy of the classifier itself.
    pub classifier: Option<f64>,
    /// Accuracy of a logistic probe on the code.
    pub logistic: Option<f64>,
    /// Share of the variance around the mean picture that the old decoder explains: at most 0 for a dead network.
    pub r2: Option<f64>,
    /// Mean squared error of the old decoder.
    pub mse_old: Option<f64>,
    /// The same, clipped to [-1, 1].
    pub mse_old_clipped: Option<f64>,
    /// That of the decoders trained again.
    pub mse_retrained: Option<f64>,
    /// The same, clipped to [-1, 1].
    pub mse_retrained_clipped: Option<f64>,
    /// That of the best linear decoder.
    pub mse_linear: Option<f64>,
    /// The same, clipped to [-1, 1].
    pub mse_linear_clipped: Option<f64>,
    /// That of the one of the three that is best on validation pictures.
    pub mse_best: Option<f64>,
    /// Linear CKA of the code before fine-tuning and now.
    pub cka: Option<f64>,
}

/// Trains a member and fine-tunes it in every variant: rows by variant, then epoch, from 0 to `lengths.epochs`.
pub fn run(member: &Member, examples: &Examples, trainer: &Trainer, lengths: Lengths) -> Vec<StateRow> {
    let workspace = &mut Workspace::new();
    let failed = |reason: String| failed(member, examples, lengths, &reason);
    // The pictures that a network is watched with become numbers once, and not with every look.
    let [Some(parts), Some(some)] = &[usize::MAX, WATCHED_PICTURES].map(|most| Parts::of(examples, most)) else {
        return failed("the pictures have no classes".to_string());
    };
    let scae = match trainer.train(member, workspace) {
        Ok((scae, _)) => scae,
        Err(error) => return failed(error.to_string()),
    };
    let seed = member.training.seed;
    let before = watch(&scae, some, workspace)
        .and_then(|watched| Some((watched, report(&scae, parts, lengths.decoder_patches, seed, workspace)?)));
    let Some(before) = before else { return failed(NOT_FINITE.to_string()) };
    let mut rows = blank_rows(member, examples, lengths);
    for (variant, rows) in Variant::ALL.into_iter().zip(rows.chunks_mut(lengths.epochs + 1)) {
        follow(&scae, variant, (&before.0, &before.1), [parts, some], lengths, rows, workspace);
    }
    rows
}

/// The rows of a network that failed for `reason` before it was fine-tuned.
pub(super) fn failed(member: &Member, examples: &Examples, lengths: Lengths, reason: &str) -> Vec<StateRow> {
    let mut rows = blank_rows(member, examples, lengths);
    rows.iter_mut().for_each(|row| row.reason = reason.to_string());
    rows
}

fn blank_rows(member: &Member, examples: &Examples, lengths: Lengths) -> Vec<StateRow> {
    let of_variant = |variant| (0..=lengths.epochs).map(move |epoch| blank(member, examples, variant, epoch));
    Variant::ALL.into_iter().flat_map(of_variant).collect()
}

const NOT_FINITE: &str = "a code, a reconstruction or a decoder is not finite";

/// Fine-tunes in one variant; `rows` are those of its epochs, after each of which `some` of the pictures are looked at.
fn follow(
    scae: &Scae,
    variant: Variant,
    before: (&Watched, &Reported),
    [parts, some]: [&Parts; 2],
    lengths: Lengths,
    rows: &mut [StateRow],
    workspace: &mut Workspace,
) {
    let mut tuning = FineTuning::new(scae, variant, parts.classes, rows[0].seed);
    for epoch in 0..rows.len() {
        let loss = match epoch {
            0 => Ok(None),
            _ => tuning.one_epoch(&parts.train, workspace).map(Some),
        };
        let loss = match loss {
            Ok(loss) => loss,
            Err(error) => {
                rows[epoch..].iter_mut().for_each(|row| row.reason = error.to_string());
                return;
            }
        };
        let row = &mut rows[epoch];
        let ends = epoch == 0 || epoch == lengths.epochs;
        row.loss = loss;
        row.classifier_validation = Some(tuning.classifier.accuracy(parts.validation, workspace));
        row.classifier = ends.then(|| tuning.classifier.accuracy(parts.test, workspace));
        if epoch == 0 || !variant.trains_encoder() {
            row.watched(before.0);
            if ends {
                row.reported(before.1, before.1);
            }
            continue;
        }
        let now = tuning.scae();
        let watched = watch(&now, some, workspace);
        let reported = match ends {
            true => report(&now, parts, lengths.decoder_patches, row.seed, workspace),
            false => None,
        };
        match (watched, reported) {
            (Some(watched), reported) if reported.is_some() || !ends => {
                row.watched(&watched);
                reported.iter().for_each(|reported| row.reported(reported, before.1));
            }
            _ => row.reason = NOT_FINITE.to_string(),
        }
    }
}

impl StateRow {
    /// R² of the old decoder's pictures clipped to [-1, 1], as they are shown.
    pub fn r2_clipped(&self) -> Option<f64> {
        Some(r2_of_clipped(self.mse_old?, self.mse_old_clipped?, self.r2?))
    }

    fn watched(&mut self, watched: &Watched) {
        self.ridge_validation = Some(watched.ridge);
        self.mse_old_validation = Some(watched.mse_old);
        self.mse_linear_validation = Some(watched.mse_linear);
    }

    fn reported(&mut self, now: &Reported, before: &Reported) {
        self.logistic_validation = Some(now.logistic_validation);
        self.mse_retrained_validation = Some(now.mse_retrained_validation);
        self.logistic = Some(now.logistic);
        self.r2 = Some(now.old.r2);
        (self.mse_old, self.mse_old_clipped) = (Some(now.old.mse), Some(now.old.mse_clipped));
        (self.mse_retrained, self.mse_retrained_clipped) = (Some(now.retrained.mse), Some(now.retrained.mse_clipped));
        (self.mse_linear, self.mse_linear_clipped) = (Some(now.linear.mse), Some(now.linear.mse_clipped));
        self.mse_best = Some(now.mse_best);
        self.cka = alignment(&before.test_codes, &now.test_codes);
    }
}

/// What is known beforehand.
fn blank(member: &Member, examples: &Examples, variant: Variant, epoch: usize) -> StateRow {
    StateRow {
        data: examples.name.clone(),
        network: member.index,
        initialisation: member.initialisation,
        regulariser: member.regulariser.to_string(),
        samples_per_layer: member.training.samples_per_layer,
        lr: member.training.lr,
        seed: member.training.seed,
        variant,
        epoch,
        reason: String::new(),
        loss: None,
        classifier_validation: None,
        ridge_validation: None,
        mse_old_validation: None,
        mse_linear_validation: None,
        logistic_validation: None,
        mse_retrained_validation: None,
        classifier: None,
        logistic: None,
        r2: None,
        mse_old: None,
        mse_old_clipped: None,
        mse_retrained: None,
        mse_retrained_clipped: None,
        mse_linear: None,
        mse_linear_clipped: None,
        mse_best: None,
        cka: None,
    }
}
