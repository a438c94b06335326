//! What the features of a layer do on given pictures: which answer, which are dead, which reconstruct.

use super::Scae;
use crate::{batches::map_rows, measures::DEAD_DEVIATION};
use patchgrad::{Tensor, Workspace};
use serde::Serialize;

/// How one feature answers, over all positions of some pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FeatureStatistics {
    /// The feature, counted from 0.
    pub feature: usize,
    /// The mean answer.
    pub mean: f64,
    /// The standard deviation of the answers.
    pub deviation: f64,
    /// The smallest answer.
    pub smallest: f32,
    /// The largest answer.
    pub largest: f32,
    /// The share of answers that are 0.
    pub zeros: f64,
}

impl FeatureStatistics {
    /// Whether the feature gives (nearly) the same answer everywhere: a standard deviation below [`DEAD_DEVIATION`], or not a number.
    pub fn is_dead(&self) -> bool {
        self.deviation.is_nan() || self.deviation < DEAD_DEVIATION
    }
}

/// The answers of all features of layer `layer` (counted from 0) on `pictures` `[N, H, W, C]`.
///
/// # Panics
/// If there is no picture.
pub fn inspect_features(
    scae: &Scae,
    layer: usize,
    pictures: &Tensor,
    workspace: &mut Workspace,
) -> Vec<FeatureStatistics> {
    let [h, w, n] = scae.spec().map_size(layer + 1);
    let codes = map_rows(scae.params(), pictures, h * w * n, workspace, |tape, batch| {
        let code = scae.encode(tape, batch, layer + 1);
        tape.flatten(code)
    });
    let of = |feature: usize| codes.as_slice().iter().skip(feature).step_by(n).copied();
    let statistics = |feature: usize| {
        let count = (codes.len() / n) as f64;
        let mean = of(feature).map(f64::from).sum::<f64>() / count;
        let variance = of(feature).map(|value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
        FeatureStatistics {
            feature,
            mean,
            deviation: variance.sqrt(),
            smallest: of(feature).reduce(f32::min).expect("there are pictures"),
            largest: of(feature).reduce(f32::max).expect("there are pictures"),
            zeros: of(feature).filter(|&value| value == 0.0).count() as f64 / count,
        }
    };
    (0..n).map(statistics).collect()
}
