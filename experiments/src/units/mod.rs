//! The units: auto-encoders for patches, any of which can be any layer of a stack.
//!
//! A unit encodes a patch `R^(k*k*d) -> R^n` and decodes it again. [`UnitSpec`] says which one is asked for, [`Unit`] is
//! what a stack calls: it records `encode` and `decode_patches` on a tape and is `fit` on patches that a [`PatchSource`]
//! draws. Its parameters stand in the stack's [`Params`](patchgrad::Params), named `layer0.encoder.weight` and so on.
//!
//! | kind | encoder | decoder | learns by |
//! |---|---|---|---|
//! | `standard` | `f(x W + b)` | `g(y V + c)`, untied | gradient descent on the reconstruction |
//! | `tied` | the same | `g(y W' + c)`: the adjoint of the encoder | the same |
//! | `denoising` | the same | untied | the same, from a [`Noise`]-corrupted patch to the clean one |
//! | `sparse` | the same | untied | the same, with a [`Sparsity`] penalty on the code |
//! | `k-sparse` | the same, all but the k largest set to 0 | untied | the same |
//! | `contractive` | the same | untied | the same, with a penalty on the encoder's Jacobian |
//! | `pca` | principal components | their transpose | closed form, one pass |
//! | `lda` | discriminant directions | least squares | closed form, one pass, with labels |
//! | `oja` | leading components, adaptively | their transpose | Oja's or Sanger's rule |
//! | `bernoulli-rbm`, `gaussian-rbm` | probabilities of hidden units | mean of visible units | contrastive divergence |
//! | `max-pooling` | largest value of each channel | arg-max routing, or a copy to all | nothing |
//! | `k-means` | nearness to centroids of whitened patches | least squares | Lloyd's algorithm |

mod autoencoder;
mod by_rule;
mod closed_form;
mod dims;
mod equivalent;
mod fit;
mod k_means;
mod lda;
mod max_pooling;
pub(crate) mod named;
mod noise;
mod norm_rule;
mod oja;
mod patches;
mod pca;
mod penalty;
mod progress;
mod rbm;
mod spec;
mod training;
mod unit;

pub use dims::UnitDims;
pub use equivalent::Equivalent;
pub use fit::{Fit, FitError, Trained};
pub use k_means::KMeansCode;
pub use max_pooling::Unpooling;
pub use noise::Noise;
pub use oja::HebbianRule;
pub use patches::{PatchBatch, PatchSource};
pub use penalty::Sparsity;
pub(crate) use penalty::contraction;
pub use progress::Progress;
pub use rbm::VisibleRange;
pub use spec::{UnitError, UnitSpec};
pub use training::{Descent, TrainConfig};
pub use unit::{Axis, Convolution, Unit};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
