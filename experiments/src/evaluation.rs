//! What is measured of one network: how well it reconstructs, and how well its features tell the classes apart.

use crate::{
    config::{CodeKind, Examples, Network, Part, ValueRange},
    data::Labelled,
    pictures::PictureSource,
    probe::{Features, Probe, ProbeError},
    scores::{Score, score_pictures},
};
use patchgrad::{Tensor, Workspace};
use serde::Serialize;
use std::borrow::Cow;

/// Patches that stand for a part of pages.
const PAGE_PATCHES: usize = 4_000;

/// One number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// What: the name of a score, or of a probe.
    pub measure: String,
    /// On what: `reconstruction`, `code` or `pixels`.
    pub of: &'static str,
    /// The number: the score over the test pictures, or the share of them that the probe names right. `None` where it is not
    /// defined.
    pub value: Option<f64>,
    /// Why it is not defined, or what the probe chose by validation.
    pub note: String,
}

/// The parts of the data as a network sees them whole: pages become patches of its size, the classes equally often.
#[derive(Clone, Debug)]
pub struct Seen {
    /// For probes to learn from.
    pub train: Part,
    /// For probes to choose by.
    pub validation: Part,
    /// What is reported.
    pub test: Part,
}

impl Seen {
    /// The parts for a network that sees pictures of shape H, W, C; `seed` draws the patches of pages.
    ///
    /// # Errors
    /// If a page is smaller than a patch.
    pub fn new(examples: &Examples, [_, width, _]: [usize; 3], seed: u64) -> anyhow::Result<Self> {
        let part = |part: &Part, at: u64| -> anyhow::Result<Part> {
            Ok(match part {
                Part::Pages(pages) => {
                    Part::Classes(pages.balanced_sample(width, PAGE_PATCHES, seed.wrapping_add(at))?)
                }
                other => other.clone(),
            })
        };
        Ok(Self {
            train: part(&examples.train, 0)?,
            validation: part(&examples.validation, 1)?,
            test: part(&examples.test, 2)?,
        })
    }

    /// All three with their classes; `None` for pairs of pictures, which have none.
    pub fn labelled(&self) -> Option<[&Labelled; 3]> {
        match (&self.train, &self.validation, &self.test) {
            (Part::Classes(train), Part::Classes(validation), Part::Classes(test)) => Some([train, validation, test]),
            _ => None,
        }
    }
}

/// The features of `pictures` as rows: the code of the top, or the central features of all layers of a stack.
pub fn features(network: &Network, code: CodeKind, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Tensor {
    match (network, code) {
        (Network::Scae(scae), CodeKind::Central) => scae.central_features(pictures, workspace),
        _ => network.autoencoder().encode(pictures, workspace),
    }
}

/// Reconstructions of `pictures` `[N, H, W, C]`, in the same shape and unclipped.
pub fn reconstructions(network: &Network, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Tensor {
    let rows = network.autoencoder().reconstruct(pictures, workspace);
    rows.reshape(pictures.size()).expect("a reconstruction has as many values as its picture")
}

/// Values as the scores expect them, in [-1, 1].
fn symmetric<'t>(examples: &Examples, tensor: &'t Tensor) -> Cow<'t, Tensor> {
    match examples.range {
        ValueRange::MinusOneToOne => Cow::Borrowed(tensor),
        ValueRange::ZeroToOne => Cow::Owned(Tensor::new(tensor.shape(), &examples.symmetric(tensor.as_slice()))),
    }
}

/// The scores of the reconstructions of the test pictures.
pub fn score(
    network: &Network,
    examples: &Examples,
    seen: &Seen,
    scores: &[Score],
    workspace: &mut Workspace,
) -> Vec<Measured> {
    let decoded = reconstructions(network, seen.test.pictures(), workspace);
    let (targets, decoded) = (symmetric(examples, seen.test.targets()), symmetric(examples, &decoded));
    let of = |&score: &Score| {
        let (value, note) = match score_pictures(score, &targets, &decoded) {
            Ok(summary) => (Some(summary.value), String::new()),
            Err(error) => (None, error.to_string()),
        };
        Measured { measure: score.to_string(), of: "reconstruction", value, note }
    };
    scores.iter().map(of).collect()
}

/// What the probes make of the features, or of the pixels when there is no network.
pub fn probe(
    network: Option<(&Network, CodeKind)>,
    [train, validation, test]: [&Labelled; 3],
    classes: usize,
    probes: &[Probe],
    workspace: &mut Workspace,
) -> Vec<Measured> {
    let of = if network.is_some() { "code" } else { "pixels" };
    let mut rows = |data: &Labelled| match network {
        Some((network, code)) => features(network, code, &data.pictures, workspace),
        None => data.rows(),
    };
    let (train_rows, validation_rows, test_rows) = (rows(train), rows(validation), rows(test));
    let train = Features { rows: &train_rows, labels: &train.labels };
    let validation = Features { rows: &validation_rows, labels: &validation.labels };
    let test = Features { rows: &test_rows, labels: &test.labels };
    let mut measure = |probe: &Probe| -> Result<(f64, String), ProbeError> {
        let fitted = probe.fit(train, validation, classes, workspace)?;
        let note = fitted.choice().map_or(String::new(), |(what, value)| format!("{what} {value}"));
        Ok((fitted.accuracy(test, workspace)?, note))
    };
    let mut row = |probe: &Probe| {
        let (value, note) = match measure(probe) {
            Ok((accuracy, note)) => (Some(accuracy), note),
            Err(error) => (None, error.to_string()),
        };
        Measured { measure: probe.to_string(), of, value, note }
    };
    probes.iter().map(&mut row).collect()
}
