//! What a probe makes of features that nobody trained on reconstruction, and of a modern auto-encoder.

use super::{
    network::Codes,
    reference::{REFERENCE_CODE_SIZE, reference_spec},
};
use crate::{
    cae::{CaeSpec, CaeTraining, ConvAutoencoder},
    data::Task,
    linear_algebra::{Pca, RandomProjection, Rows},
    scae::Scae,
    scores::Reconstruction,
};
use anyhow::{Context, Result};
use patchgrad::{Tensor, Workspace, random::stream};
use serde::Serialize;

/// Code sizes at which the baselines are measured: those of the population.
pub const SIZES: [usize; 4] = [16, 32, 64, 128];

/// A kind of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The pixels themselves.
    RawPixels,
    /// The leading principal components of the training pictures.
    Pca,
    /// A random projection of the pixels.
    RandomProjection,
    /// The encoder of the reference network as it was initialised.
    UntrainedEncoder,
    /// The code of an end-to-end convolutional auto-encoder.
    EndToEnd,
}

impl Kind {
    /// How tables and figures name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::RawPixels => "raw pixels",
            Self::Pca => "PCA",
            Self::RandomProjection => "random projection",
            Self::UntrainedEncoder => "untrained encoder",
            Self::EndToEnd => "end-to-end auto-encoder",
        }
    }
}

/// A row of `baselines.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BaselineRow {
    /// `mnist` or `fashion-mnist`.
    pub data: String,
    /// Which features.
    pub kind: Kind,
    /// How many.
    pub size: usize,
    /// Test accuracy of the linear probe.
    pub probe_accuracy: f64,
    /// Mean cross-entropy of the probe on test data, nats.
    pub probe_cross_entropy: f64,
    /// Mean squared error of the test reconstruction, where the features come with a decoder.
    pub mse: Option<f64>,
    /// R2 of the same.
    pub r2: Option<f64>,
}

/// Which baseline at which size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The features.
    pub kind: Kind,
    /// How many.
    pub size: usize,
}

/// All baselines for pictures of `pixels` values, the slowest first.
pub fn baselines(pixels: usize) -> Vec<Baseline> {
    let at = |kind: Kind| SIZES.map(|size| Baseline { kind, size });
    let mut all = vec![
        Baseline { kind: Kind::RawPixels, size: pixels },
        Baseline { kind: Kind::EndToEnd, size: REFERENCE_CODE_SIZE },
    ];
    for kind in [Kind::Pca, Kind::RandomProjection, Kind::UntrainedEncoder] {
        all.extend(at(kind));
    }
    all
}

/// Measures one baseline.
///
/// # Errors
/// When the features or their probe are not finite.
pub fn measure(baseline: Baseline, task: &Task, seed: u64, training: &CaeTraining) -> Result<BaselineRow> {
    let Baseline { kind, size } = baseline;
    let mut workspace = Workspace::new();
    let (codes, decoded) = features(baseline, task, seed, training, &mut workspace)?;
    let probed = codes.probe(task, &mut workspace);
    let probed = probed.with_context(|| format!("{} of {}: features are not finite", kind.label(), task.name))?;
    let scores = decoded.map(|decoded| Reconstruction::score(&task.test.pictures, &decoded));
    Ok(BaselineRow {
        data: task.set.folder().to_string(),
        kind,
        size,
        probe_accuracy: probed.test_accuracy,
        probe_cross_entropy: probed.test_cross_entropy,
        mse: scores.map(|scores| scores.mse),
        r2: scores.map(|scores| scores.r2),
    })
}

/// The features of all parts, and the reconstruction of the test pictures where there is one.
fn features(
    Baseline { kind, size }: Baseline,
    task: &Task,
    seed: u64,
    training: &CaeTraining,
    workspace: &mut Workspace,
) -> Result<(Codes, Option<Vec<f32>>)> {
    let pixels = task.train.pixels();
    fn rows(pictures: &Tensor, pixels: usize) -> Rows<'_> {
        Rows::new(pictures.as_slice(), pixels)
    }
    let table = |pictures: &Tensor, values: &[f32]| Tensor::new([pictures.shape().dims()[0], size], values);
    Ok(match kind {
        Kind::RawPixels => {
            let [train, validation, test] = [&task.train, &task.validation, &task.test].map(|part| part.rows());
            (Codes { train, validation, test }, None)
        }
        Kind::Pca => {
            let pca = Pca::fit(rows(&task.train.pictures, pixels))?;
            let codes = Codes::of(task, |pictures| table(pictures, &pca.transform(rows(pictures, pixels), size)));
            (codes, Some(pca.reconstruct(rows(&task.test.pictures, pixels), size)))
        }
        Kind::RandomProjection => {
            let mut stream = stream(seed, "random-projection", size as u64);
            let projection = RandomProjection::new(pixels, size, &mut stream);
            (Codes::of(task, |pictures| table(pictures, &projection.transform(rows(pictures, pixels)))), None)
        }
        Kind::UntrainedEncoder => {
            let scae = Scae::new(reference_spec(size), &mut stream(seed, "untrained", size as u64));
            (Codes::of(task, |pictures| scae.codes(pictures, workspace)), None)
        }
        Kind::EndToEnd => {
            let spec = CaeSpec::new([28, 28, 1], &[8, 16], size);
            let mut network = ConvAutoencoder::new(spec, seed);
            network.train(&task.train, training, workspace)?;
            let codes = Codes::of(task, |pictures| network.codes(pictures, workspace));
            let decoded = network.reconstruct(&task.test.pictures, workspace);
            (codes, Some(decoded.as_slice().to_vec()))
        }
    })
}
