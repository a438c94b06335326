//! The stacked convolutional auto-encoder (SCAE).
//!
//! A layer is one auto-encoder for patches: an encoder `R^(k*k*d) -> R^n` and an untied decoder back. As a layer of the
//! stack it visits a grid of positions, `offset` apart, so encoding a picture is a *convolution*, and the codes of all
//! positions are the picture that the next layer sees. Decoding goes down the stack: every position decodes its patch, the
//! patches are pasted where they came from, and where they overlap their *mean* is taken.
//!
//! Layers are trained one after the other, greedily: the lowest on patches of pictures, each next one on the frozen codes
//! below it.
//!
//! References: Masci et al., "Stacked convolutional auto-encoders for hierarchical feature extraction" (2011); the
//! framework N-light-N of the authors of arXiv 1703.04332 for the geometry, the pasting and the training.

pub mod geometry;
mod model;
mod mosaic;
mod train;

pub use geometry::{Geometry, LayerGeometry};
pub use model::{LayerSpec, Scae, ScaeSpec};
pub use mosaic::feature_patches;
pub use train::{
    Descent, TrainConfig, TrainError, Trained, train, train_decoders, train_decoders_resumable, train_resumable,
};
