//! Classifiers on a stacked auto-encoder.
//!
//! - [`Classifier`]: the encoder of an SCAE with a head on its code, trained through all layers or the upper ones; with the
//!   weights of a layer shared by all its positions, or with a copy of its own at each.
//! - [`CentralClassifier`]: a multi-layer perceptron on the central multilayer features of a frozen SCAE.
//! - [`pages`]: the class of every pixel of a page, from the patch around it; [`ConfusionMatrix`](crate::classification::ConfusionMatrix): how well.

mod central;
mod loss;
mod mlp;
mod network;
pub mod pages;
mod spec;
mod unshared;

pub use central::CentralClassifier;
pub use loss::Loss;
pub use mlp::Hidden;
pub(crate) use mlp::Mlp;
pub use network::Classifier;
pub use spec::{ClassifierError, ClassifierSpec, FineTuneConfig, Sharing, TrainedLayers};

use crate::pictures::PictureSource;
use patchgrad::Workspace;

/// What names the class of pictures.
pub trait Classify {
    /// The class of each of `pictures` `[N, H, W, C]`.
    fn predict(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Vec<u32>;

    /// How many classes there are.
    fn classes(&self) -> usize;
}
