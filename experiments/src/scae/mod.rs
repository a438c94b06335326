//! The stacked convolutional auto-encoder (SCAE).
//!
//! A layer is one auto-encoder for patches, a [unit](crate::units): an encoder `R^(k*k*d) -> R^n` and a decoder back. As a
//! layer of the stack it visits a grid of positions, `offset` apart, so encoding a picture is a *convolution*, and the codes of all
//! positions are the picture that the next layer sees. Decoding goes down the stack: every position decodes its patch, the
//! patches are pasted where they came from, and where they overlap their *mean* is taken.
//!
//! Layers are trained one after the other, greedily: the lowest on patches of pictures, each next one on the frozen codes
//! below it.
//!
//! References: Masci et al., "Stacked convolutional auto-encoders for hierarchical feature extraction" (2011); the
//! framework N-light-N of the authors of arXiv 1703.04332 for the geometry, the pasting and the training.

mod activation_maps;
mod central;
mod convert;
mod delete;
pub mod geometry;
mod inspect;
mod model;
mod mosaic;
mod patches;
mod recode;
mod train;

pub use crate::units::{Descent, TrainConfig, Trained};
pub use activation_maps::ActivationMaps;
pub use delete::DeleteError;
pub use geometry::{Geometry, LayerGeometry};
pub use inspect::{FeatureStatistics, inspect_features};
pub use model::{LayerSpec, Scae, ScaeError, ScaeSpec};
pub use mosaic::feature_patches;
pub use patches::{Labels, PicturePatches};
pub use train::{train, train_decoders, train_decoders_resumable, train_layer, train_resumable};
