//! Which unit is asked for.

use super::{
    HebbianRule, KMeansCode, Noise, Sparsity, Unit, UnitDims, Unpooling, VisibleRange,
    autoencoder::{AutoencoderParams, Extras},
    by_rule::ByRule,
    k_means::{KMeans, KMeansOptions},
    lda::Discriminants,
    max_pooling::MaxPooling,
    named,
    pca::PrincipalComponents,
    penalty::check_weight,
    rbm::Rbm,
};

use patchgrad::{Params, ops::Activation, random::Stream};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A unit as it is asked for: its kind and parameters. The [table of kinds](super) says what each does.
///
/// In files it is a table with a `kind`; activations are written by name.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum UnitSpec {
    /// Untied encoder and decoder.
    Standard {
        /// Activation of the encoder.
        #[serde(with = "named")]
        encoder: Activation,
        /// Activation of the decoder.
        #[serde(with = "named")]
        decoder: Activation,
    },
    /// The decoder is the adjoint of the encoder, with a bias of its own.
    Tied {
        /// Activation of the encoder.
        #[serde(with = "named")]
        encoder: Activation,
        /// Activation of the decoder.
        #[serde(with = "named")]
        decoder: Activation,
    },
    /// Learns to undo noise.
    Denoising {
        /// Activation of the encoder.
        #[serde(with = "named")]
        encoder: Activation,
        /// Activation of the decoder.
        #[serde(with = "named")]
        decoder: Activation,
        /// What corrupts the input while it learns.
        noise: Noise,
    },
    /// Pays for a code that is not sparse.
    Sparse {
        /// Activation of the encoder.
        #[serde(with = "named")]
        encoder: Activation,
        /// Activation of the decoder.
        #[serde(with = "named")]
        decoder: Activation,
        /// What it pays.
        sparsity: Sparsity,
    },
    /// Keeps the k largest values of a code.
    KSparse {
        /// Activation of the encoder.
        #[serde(with = "named")]
        encoder: Activation,
        /// Activation of the decoder.
        #[serde(with = "named")]
        decoder: Activation,
        /// How many values stay, from 1 to the number of features.
        k: usize,
    },
    /// Pays for the squared norm of the encoder's Jacobian.
    Contractive {
        /// Activation of the encoder.
        #[serde(with = "named")]
        encoder: Activation,
        /// Activation of the decoder.
        #[serde(with = "named")]
        decoder: Activation,
        /// Weight of the norm against half the squared error of a patch.
        weight: f32,
    },
    /// Principal components; the number of features is at most that of the values of a patch.
    Pca {
        /// Activation on top of the components; linear for principal components proper.
        #[serde(with = "named")]
        encoder: Activation,
        /// Activation of the decoder.
        #[serde(with = "named")]
        decoder: Activation,
    },
    /// Discriminant directions, from labels; at most as many features as a patch has values.
    Lda {
        /// Activation on top of the directions.
        #[serde(with = "named")]
        encoder: Activation,
    },
    /// Leading components learnt by a Hebbian rule; the learning rate is relative to the size of the patches.
    Oja {
        /// Which rule.
        rule: HebbianRule,
        /// Activation on top of the components.
        #[serde(with = "named")]
        encoder: Activation,
        /// Activation of the decoder.
        #[serde(with = "named")]
        decoder: Activation,
    },
    /// A restricted Boltzmann machine with binary visible units; its encoder and decoder are sigmoid.
    BernoulliRbm {
        /// k of CD-k, at least 1.
        steps: usize,
        /// The range of the patches.
        range: VisibleRange,
    },
    /// A restricted Boltzmann machine with normally distributed visible units; its encoder is sigmoid, its decoder linear.
    GaussianRbm {
        /// k of CD-k, at least 1.
        steps: usize,
        /// Standard deviation of the visible units, where it starts if it is learnt.
        sd: f32,
        /// Whether every visible unit learns its own.
        learn_sd: bool,
    },
    /// The largest value of each channel; the number of features is that of the channels below.
    MaxPooling {
        /// How it is undone.
        unpooling: Unpooling,
    },
    /// Nearness to centroids of whitened patches.
    KMeans {
        /// What the distances become.
        code: KMeansCode,
        /// Passes of Lloyd's algorithm.
        iterations: usize,
        /// Added to the variance of a patch before it is divided by its root: Coates' 10 for pictures in 0..255 is 6e-4
        /// for pictures in [-1, 1].
        contrast: f32,
        /// Added to the variance of each component before it is scaled to 1; Coates takes 0.1.
        whitening: f32,
    },
}

/// A unit that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct UnitError {
    /// The kind, as files call it.
    pub kind: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

impl UnitSpec {
    /// A standard unit.
    pub const fn standard(encoder: Activation, decoder: Activation) -> Self {
        Self::Standard { encoder, decoder }
    }

    /// The kind as files call it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Standard { .. } => "standard",
            Self::Tied { .. } => "tied",
            Self::Denoising { .. } => "denoising",
            Self::Sparse { .. } => "sparse",
            Self::KSparse { .. } => "k-sparse",
            Self::Contractive { .. } => "contractive",
            Self::Pca { .. } => "pca",
            Self::Lda { .. } => "lda",
            Self::Oja { .. } => "oja",
            Self::BernoulliRbm { .. } => "bernoulli-rbm",
            Self::GaussianRbm { .. } => "gaussian-rbm",
            Self::MaxPooling { .. } => "max-pooling",
            Self::KMeans { .. } => "k-means",
        }
    }

    /// Whether it pools: its features are the channels below it.
    pub fn is_pooling(&self) -> bool {
        matches!(self, Self::MaxPooling { .. })
    }

    /// The activation of the encoder.
    pub fn encoder(&self) -> Activation {
        self.activations()[0]
    }

    /// The activation of the decoder.
    pub fn decoder(&self) -> Activation {
        self.activations()[1]
    }

    fn activations(&self) -> [Activation; 2] {
        match *self {
            Self::Standard { encoder, decoder }
            | Self::Tied { encoder, decoder }
            | Self::Denoising { encoder, decoder, .. }
            | Self::Sparse { encoder, decoder, .. }
            | Self::KSparse { encoder, decoder, .. }
            | Self::Contractive { encoder, decoder, .. }
            | Self::Oja { encoder, decoder, .. }
            | Self::Pca { encoder, decoder } => [encoder, decoder],
            Self::Lda { encoder } => [encoder, Activation::Linear],
            Self::BernoulliRbm { .. } => [Activation::Sigmoid; 2],
            Self::GaussianRbm { .. } => [Activation::Sigmoid, Activation::Linear],
            Self::MaxPooling { .. } | Self::KMeans { .. } => [Activation::Linear; 2],
        }
    }

    /// Checks the parameters, also against the sizes of the layer.
    ///
    /// # Errors
    /// With what was got and what would be right.
    pub fn check(&self, dims: &UnitDims) -> Result<(), UnitError> {
        let (features, patch) = (dims.features, dims.patch_len());
        let at_most_a_patch = || {
            if features <= patch {
                return Ok(());
            }
            Err(format!("{features} features from patches of {patch} values; there are at most as many directions"))
        };
        let verdict = match *self {
            _ if features == 0 => Err("a code of 0 features; take at least 1".to_string()),
            Self::Standard { .. } | Self::Tied { .. } => Ok(()),
            Self::Denoising { noise, .. } => noise.check(),
            Self::Sparse { sparsity, encoder, .. } => sparsity.check(encoder),
            Self::KSparse { k, .. } if !(1..=features).contains(&k) => {
                Err(format!("k is {k}, but must be from 1 to the number of features, {features}"))
            }
            Self::KSparse { .. } => Ok(()),
            Self::Contractive { weight, .. } => check_weight(weight),
            Self::Pca { .. } | Self::Lda { .. } | Self::Oja { .. } => at_most_a_patch(),
            Self::BernoulliRbm { steps: 0, .. } | Self::GaussianRbm { steps: 0, .. } => {
                Err("contrastive divergence takes at least 1 step, got 0".to_string())
            }
            Self::BernoulliRbm { .. } => Ok(()),
            Self::GaussianRbm { sd, .. } if !(sd > 0.0 && sd.is_finite()) => {
                Err(format!("the standard deviation is {sd}, but must be finite and above 0"))
            }
            Self::GaussianRbm { .. } => Ok(()),
            Self::MaxPooling { .. } if features != dims.depth => {
                Err(format!("{features} features from {} channels; pooling keeps their number", dims.depth))
            }
            Self::MaxPooling { .. } => Ok(()),
            Self::KMeans { contrast, whitening, .. } => {
                let wrong = [contrast, whitening].into_iter().find(|value| !(*value >= 0.0 && value.is_finite()));
                wrong.map_or(Ok(()), |value| {
                    Err(format!("contrast and whitening must be finite and at least 0, got {value}"))
                })
            }
        };
        verdict.map_err(|message| UnitError { kind: self.kind(), message })
    }

    /// A unit before training, with its parameters added to `params` as `prefix.encoder.weight` and so on.
    ///
    /// # Panics
    /// With the text of [`check`](Self::check) when the parameters do not fit.
    #[track_caller]
    pub fn build(&self, dims: UnitDims, params: &mut Params, prefix: &str, stream: &mut Stream) -> Arc<dyn Unit> {
        self.check(&dims).unwrap_or_else(|error| panic!("{prefix}: {error}"));
        let [encoder, decoder] = self.activations();
        let extras = match *self {
            Self::Tied { .. } => Extras { tied: true, ..Extras::default() },
            Self::Denoising { noise, .. } => Extras { noise: Some(noise), ..Extras::default() },
            Self::Sparse { sparsity, .. } => Extras { sparsity: Some(sparsity), ..Extras::default() },
            Self::KSparse { k, .. } => Extras { largest: Some(k), ..Extras::default() },
            Self::Contractive { weight, .. } => Extras { contraction: Some(weight), ..Extras::default() },
            _ => Extras::default(),
        };
        match *self {
            Self::BernoulliRbm { steps, range } => {
                return Arc::new(Rbm::bernoulli((dims, steps), range, params, prefix, stream));
            }
            Self::GaussianRbm { steps, sd, learn_sd } => {
                return Arc::new(Rbm::gaussian((dims, steps), (sd, learn_sd), params, prefix, stream));
            }
            Self::MaxPooling { unpooling } => return Arc::new(MaxPooling { dims, unpooling }),
            Self::KMeans { code, iterations, contrast, whitening } => {
                let options = KMeansOptions { code, iterations, contrast, whitening };
                return Arc::new(KMeans::new(dims, options, params, prefix, stream));
            }
            _ => {}
        }
        let params = AutoencoderParams::new(params, prefix, &dims, extras.tied, stream);
        match *self {
            Self::Pca { .. } => Arc::new(ByRule { rule: PrincipalComponents, dims, encoder, decoder, params }),
            Self::Lda { .. } => Arc::new(ByRule { rule: Discriminants, dims, encoder, decoder, params }),
            Self::Oja { rule, .. } => Arc::new(ByRule { rule, dims, encoder, decoder, params }),
            _ => Arc::new(ByRule { rule: extras, dims, encoder, decoder, params }),
        }
    }
}
