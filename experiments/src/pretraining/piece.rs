//! One start, one number of labels, one seed: a row of the sweep.

use super::{starts::Start, tuning::fine_tune};
use crate::{
    config::Examples,
    data::Labelled,
    linear_decoder::decode_linearly,
    probe::{Features, FittedProbe, LogisticProbe, PENALTIES},
    scae::Scae,
    scores::Reconstruction,
    suite::Parts,
};
use patchgrad::Workspace;
use serde::{Deserialize, Serialize};

/// A row. What is not defined for one that failed is empty. Accuracies are shares of pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PretrainingRow {
    /// The set.
    pub data: String,
    /// Where fine-tuning starts from.
    pub start: Start,
    /// Pictures with labels.
    pub labels: usize,
    /// Training pictures of the set, which a start may learn from without labels; LDA learns from the labelled ones alone.
    pub unlabelled: usize,
    /// Which seed: what starts are paired by.
    pub seed: usize,
    /// Why it failed.
    pub reason: String,
    /// Test accuracy after fine-tuning.
    pub accuracy: Option<f64>,
    /// Accuracy on the validation pictures that the end was chosen on.
    pub validation_accuracy: Option<f64>,
    /// Epochs until the validation accuracy was 95 % of that for the first time, counted in rounds.
    pub epochs_to_95: Option<usize>,
    /// Epochs of fine-tuning.
    pub epochs: Option<usize>,
    /// Whether the limit of steps ended fine-tuning, not the validation pictures.
    pub ended_by_limit: Option<bool>,
    /// Mean squared error of the test reconstruction before fine-tuning, of starts whose decoders were trained.
    pub mse: Option<f64>,
    /// The same with the best linear decoder of the code.
    pub linear_mse: Option<f64>,
    /// Test accuracy of a logistic probe of the code before fine-tuning, fitted to the labelled pictures.
    pub probe: Option<f64>,
}

impl PretrainingRow {
    /// What is known beforehand.
    pub(super) fn blank(examples: &Examples, start: Start, labels: usize, seed: usize) -> Self {
        Self {
            data: examples.name.clone(),
            start,
            labels,
            unlabelled: examples.train.count(),
            seed,
            reason: String::new(),
            accuracy: None,
            validation_accuracy: None,
            epochs_to_95: None,
            epochs: None,
            ended_by_limit: None,
            mse: None,
            linear_mse: None,
            probe: None,
        }
    }
}

/// A stack before fine-tuning, and how well its code can be decoded.
#[derive(Clone, Debug)]
pub(super) struct Pretrained {
    pub(super) scae: Scae,
    /// By its own decoders, where they were trained.
    mse: Option<f64>,
    /// By the best linear decoder, where it exists.
    linear_mse: Option<f64>,
}

impl Pretrained {
    /// Decodes the test pictures with the stack's own decoders, if it has any, and with the best linear decoder of training
    /// and validation codes.
    pub(super) fn new(
        scae: Scae,
        own_decoders: bool,
        [train, validation, test]: [&Labelled; 3],
        workspace: &mut Workspace,
    ) -> Self {
        let score =
            |decoded: &[f32]| Some(Reconstruction::score(&test.pictures, decoded).mse).filter(|mse| mse.is_finite());
        let mse = if own_decoders { score(scae.reconstruct(&test.pictures, workspace).as_slice()) } else { None };
        let codes = [train, validation, test].map(|part| scae.codes(&part.pictures, workspace));
        let linear = decode_linearly(codes.each_ref(), [train, validation]).ok();
        Self { mse, linear_mse: linear.and_then(|linear| score(&linear.pixels)), scae }
    }
}

/// Probes the stack, fine-tunes it and fills in the row; the reason when it fails.
pub(super) fn run(
    before: &Pretrained,
    parts: &Parts,
    steps: usize,
    seed: u64,
    row: PretrainingRow,
) -> Result<PretrainingRow, String> {
    let mut workspace = Workspace::new();
    let probe = probe(&before.scae, parts, &mut workspace);
    let (data, classes) = ([&parts.train, parts.validation], parts.classes);
    let tuned = fine_tune(before.scae.clone(), data, classes, steps, seed, &mut workspace);
    let tuned = tuned.map_err(|error| error.to_string())?;
    Ok(PretrainingRow {
        accuracy: Some(tuned.classifier.accuracy(parts.test, &mut workspace)),
        validation_accuracy: Some(tuned.validation_accuracy),
        epochs_to_95: Some(tuned.epochs_to_95),
        epochs: Some(tuned.epochs),
        ended_by_limit: Some(tuned.ended_by_limit),
        mse: before.mse,
        linear_mse: before.linear_mse,
        probe,
        ..row
    })
}

/// Test accuracy of a logistic probe; `None` where a code is not finite.
fn probe(scae: &Scae, parts: &Parts, workspace: &mut Workspace) -> Option<f64> {
    let all = parts.all();
    let codes = all.map(|part| scae.codes(&part.pictures, workspace));
    let features = |at: usize| Features { rows: &codes[at], labels: &all[at].labels };
    let fitted = LogisticProbe::fit(features(0), features(1), parts.classes, &PENALTIES, workspace).ok()?;
    fitted.accuracy(features(2), workspace).ok()
}
