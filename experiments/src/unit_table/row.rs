//! A row of the table: one kind on one set, trained and measured.

use super::stacks::{network, training};
use crate::{
    config::{Examples, Network, SetKind},
    evaluation::{self, Measured, Seen, reconstructions},
    pictures::first,
    probe::Probe,
    scores::Score,
    training::{Checkpoints, TrainingError},
    units::UnitSpec,
};
use patchgrad::{Tensor, Workspace};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// Pictures whose reconstructions are kept for a sheet.
const SHOWN: usize = 12;

/// What was found of one kind on one set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitRow {
    /// The set, such as `MNIST sample`.
    pub data: String,
    /// The kind of both layers; of max-pooling that of the upper one, over a standard layer; of the Gaussian machine that of
    /// the lower one, under a Bernoulli machine. `pixels` without a network.
    pub unit: String,
    /// Numbers of a code.
    pub code_size: usize,
    /// Mean squared error of the test pictures.
    pub mse: Option<f64>,
    /// 1 for a perfect reconstruction, 0 for always the mean picture.
    pub r2: Option<f64>,
    /// Structural similarity.
    pub ssim: Option<f64>,
    /// The share of test pictures that a logistic probe on the code names right.
    pub logistic: Option<f64>,
    /// The same for a ridge probe.
    pub ridge: Option<f64>,
    /// Seconds of training.
    pub seconds: f64,
    /// Why there is no number.
    pub note: String,
}

impl UnitRow {
    /// Before anything is known; of the pixels without a unit.
    pub(super) fn unmeasured(examples: &Examples, unit: Option<&UnitSpec>) -> Self {
        let picture = examples.picture();
        let code_size = unit.map_or(picture.iter().product(), |&unit| {
            let layers = network(unit, picture).layers;
            layers.last().expect("a stack has layers").features
        });
        Self {
            data: examples.name.clone(),
            unit: unit.map_or("pixels", UnitSpec::kind).to_string(),
            code_size,
            mse: None,
            r2: None,
            ssim: None,
            logistic: None,
            ridge: None,
            seconds: 0.0,
            note: String::new(),
        }
    }
}

/// Trains and measures one kind on one set; gives the row and the reconstructions of the first test pictures.
///
/// A training that diverges is a row with its reason.
///
/// # Errors
/// If the stack does not fit the pictures.
pub(super) fn measure(
    unit: UnitSpec,
    set: SetKind,
    examples: &Examples,
    samples_per_layer: usize,
    seed: u64,
    workspace: &mut Workspace,
) -> anyhow::Result<(UnitRow, Option<Tensor>)> {
    let mut config = network(unit, examples.picture());
    config.resolve(set, examples.picture())?;
    let mut network = config.build(seed);
    let mut row = UnitRow::unmeasured(examples, Some(&unit));
    let (parts, clock) = ([&examples.train, &examples.validation], Instant::now());
    let trained = network.train(parts, &training(&unit, samples_per_layer), seed, &mut Checkpoints::none(), workspace);
    row.seconds = clock.elapsed().as_secs_f64();
    match trained {
        Ok(_) => {}
        Err(error @ (TrainingError::NotFinite { .. } | TrainingError::Layer { .. })) => {
            row.note = error.to_string();
            return Ok((row, None));
        }
        Err(other) => return Err(other.into()),
    }
    let seen = Seen::new(examples, network.autoencoder().picture_shape(), seed)?;
    let scores = evaluation::score(&network, examples, &seen, &[Score::Mse, Score::R2, Score::Ssim], workspace);
    [row.mse, row.r2, row.ssim] = [0, 1, 2].map(|at| scores[at].value);
    [row.logistic, row.ridge] = probe(Some(&network), &seen, examples, workspace);
    let shown = first(seen.test.pictures(), SHOWN);
    Ok((row, Some(reconstructions(&network, &shown, workspace))))
}

/// What the probes make of the pixels themselves.
///
/// # Errors
/// Never for sets of pictures with classes.
pub(super) fn pixels(examples: &Examples, seed: u64, workspace: &mut Workspace) -> anyhow::Result<UnitRow> {
    let seen = Seen::new(examples, examples.picture(), seed)?;
    let clock = Instant::now();
    let [logistic, ridge] = probe(None, &seen, examples, workspace);
    let seconds = clock.elapsed().as_secs_f64();
    Ok(UnitRow { logistic, ridge, seconds, ..UnitRow::unmeasured(examples, None) })
}

fn probe(network: Option<&Network>, seen: &Seen, examples: &Examples, workspace: &mut Workspace) -> [Option<f64>; 2] {
    let Some(parts) = seen.labelled() else { return [None; 2] };
    let network = network.map(|network| (network, Default::default()));
    let results: Vec<Measured> =
        evaluation::probe(network, parts, examples.classes(), &[Probe::Logistic, Probe::Ridge], workspace);
    [0, 1].map(|at| results[at].value)
}
