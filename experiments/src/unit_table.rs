//! Every kind of unit on several sets of pictures, in the same stack: how well it reconstructs, how well its code classifies.

use crate::{
    config::{Examples, LayerConfig, Network, NetworkConfig, NetworkKind, SetKind, TrainingConfig},
    evaluation::{self, Measured, Seen, reconstructions},
    probe::Probe,
    scores::Score,
    training::{Checkpoints, TrainingError},
    units::{Descent, HebbianRule, KMeansCode, Noise, Sparsity, UnitSpec, Unpooling, VisibleRange},
};
use patchgrad::{Tensor, Workspace, ops::Activation};
use serde::Serialize;
use std::time::Instant;

const SOFTSIGN: Activation = Activation::Softsign;
const LINEAR: Activation = Activation::Linear;

/// Features of the lowest layer at most, and of the top.
const FEATURES: [usize; 2] = [32, 64];

/// Pictures whose reconstructions are kept for a sheet.
const SHOWN: usize = 12;

/// One of each kind, with the settings people start from.
pub fn kinds() -> Vec<UnitSpec> {
    let (encoder, decoder) = (SOFTSIGN, LINEAR);
    vec![
        UnitSpec::standard(encoder, decoder),
        UnitSpec::Tied { encoder, decoder },
        UnitSpec::Denoising { encoder, decoder, noise: Noise::Masking { probability: 0.3, block: 1 } },
        UnitSpec::Sparse { encoder, decoder, sparsity: Sparsity::L1 { weight: 0.01 } },
        UnitSpec::KSparse { encoder, decoder, k: 8 },
        UnitSpec::Contractive { encoder, decoder, weight: 0.01 },
        UnitSpec::Pca { encoder: LINEAR, decoder },
        UnitSpec::Lda { encoder: LINEAR },
        UnitSpec::Oja { rule: HebbianRule::Sanger, encoder: LINEAR, decoder },
        UnitSpec::BernoulliRbm { steps: 1, range: VisibleRange::Symmetric },
        UnitSpec::GaussianRbm { steps: 1, sd: 0.3, learn_sd: false },
        UnitSpec::MaxPooling { unpooling: Unpooling::Copy },
        UnitSpec::KMeans { code: KMeansCode::Triangle, iterations: 10, contrast: 6e-4, whitening: 0.1 },
    ]
}

/// What was found of one kind on one set.
#[derive(Clone, Debug, PartialEq, Serialize)]
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

/// The stack of two layers of `unit` whose top sees the whole picture of shape H, W, C.
pub fn network(unit: UnitSpec, [height, _, channels]: [usize; 3]) -> NetworkConfig {
    // Four pixels a step leave 7x7 positions of 28 and of 32 pixels, 4x4 of 16.
    let kernel = if height == 32 { 8 } else { 4 };
    let lowest = FEATURES[0].min(kernel * kernel * channels);
    let positions = (height - kernel) / 4 + 1;
    let (below, features) = match unit {
        UnitSpec::MaxPooling { .. } => (UnitSpec::standard(SOFTSIGN, LINEAR), lowest),
        _ => (unit, FEATURES[1]),
    };
    let above = match unit {
        // What a machine below gives are probabilities.
        UnitSpec::BernoulliRbm { steps, .. } | UnitSpec::GaussianRbm { steps, .. } => {
            UnitSpec::BernoulliRbm { steps, range: VisibleRange::Unit }
        }
        other => other,
    };
    NetworkConfig {
        kind: NetworkKind::Scae,
        picture: None,
        widths: Vec::new(),
        code_size: None,
        downsampling: None,
        activation: None,
        beta: None,
        layers: vec![
            LayerConfig { kernel, offset: 4, features: lowest, unit: below },
            LayerConfig { kernel: positions, offset: 1, features, unit: above },
        ],
    }
}

/// How all of them are trained; the rate of a Hebbian rule is relative to the size of the patches.
pub fn training(unit: &UnitSpec, samples_per_layer: usize) -> TrainingConfig {
    let lr = if unit.kind() == "oja" { 0.3 } else { 2e-3 };
    TrainingConfig { samples_per_layer, batch_size: 64, optimizer: Descent::Adam, lr, ..TrainingConfig::default() }
}

/// Trains and measures one kind on one set; gives the row and the reconstructions of the first test pictures.
///
/// A training that diverges is a row with its reason.
///
/// # Errors
/// If the stack does not fit the pictures.
pub fn measure(
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
    let mut row = UnitRow {
        data: examples.name.clone(),
        unit: unit.kind().to_string(),
        code_size: network.autoencoder().code_shape().iter().product(),
        mse: None,
        r2: None,
        ssim: None,
        logistic: None,
        ridge: None,
        seconds: 0.0,
        note: String::new(),
    };
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
    let count = seen.test.count().min(SHOWN);
    let mut dims = seen.test.pictures().shape().dims().to_vec();
    dims[0] = count;
    let shown = Tensor::new(patchgrad::Shape::new(&dims), seen.test.pictures().samples(0..count));
    Ok((row, Some(reconstructions(&network, &shown, workspace))))
}

/// What the probes make of the pixels themselves.
///
/// # Errors
/// Never for sets of pictures with classes.
pub fn pixels(examples: &Examples, seed: u64, workspace: &mut Workspace) -> anyhow::Result<UnitRow> {
    let seen = Seen::new(examples, examples.picture(), seed)?;
    let clock = Instant::now();
    let [logistic, ridge] = probe(None, &seen, examples, workspace);
    Ok(UnitRow {
        data: examples.name.clone(),
        unit: "pixels".to_string(),
        code_size: examples.picture().iter().product(),
        mse: None,
        r2: None,
        ssim: None,
        logistic,
        ridge,
        seconds: clock.elapsed().as_secs_f64(),
        note: String::new(),
    })
}

fn probe(network: Option<&Network>, seen: &Seen, examples: &Examples, workspace: &mut Workspace) -> [Option<f64>; 2] {
    let Some(parts) = seen.labelled() else { return [None; 2] };
    let network = network.map(|network| (network, Default::default()));
    let results: Vec<Measured> =
        evaluation::probe(network, parts, examples.classes(), &[Probe::Logistic, Probe::Ridge], workspace);
    [0, 1].map(|at| results[at].value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_fits_the_pictures_of_every_set() {
        for picture in [[28, 28, 1], [32, 32, 3], [16, 16, 1]] {
            for unit in kinds() {
                let mut config = network(unit, picture);
                let resolved = config.resolve(SetKind::Folders, picture);
                resolved.unwrap_or_else(|error| panic!("{} on {picture:?}: {error}", unit.kind()));
                assert_eq!(config.build(1).autoencoder().code_shape()[..2], [1, 1]);
            }
        }
        let mut names: Vec<&str> = kinds().iter().map(UnitSpec::kind).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 13);
    }
}
