//! What an end-to-end auto-encoder is asked to be.

use patchgrad::ops::Activation;
use serde::{Deserialize, Serialize};

/// How the size of a map is halved, and doubled again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Downsampling {
    /// Max-pooling; a transposed convolution on the way up.
    #[default]
    MaxPool,
    /// Max-pooling; un-pooling with switches on the way up. A code alone, without the switches of its picture, is
    /// un-pooled to every pixel of a window.
    Switches,
    /// Convolutions with stride 2; transposed convolutions on the way up.
    Stride,
}

/// What the encoder gives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Code {
    /// A vector.
    #[default]
    Plain,
    /// The mean and variance of a normal distribution.
    Variational {
        /// Weight of the Kullback-Leibler divergence from the standard normal distribution.
        beta: f32,
    },
}

/// Sizes and kind of a [`ConvAutoencoder`](super::ConvAutoencoder).
#[derive(Clone, Debug, PartialEq)]
pub struct CaeSpec {
    /// H, W, C of a picture; H and W multiples of 2 to the number of widths.
    pub picture: [usize; 3],
    /// Channels after each convolution.
    pub widths: Vec<usize>,
    /// h, the length of the code.
    pub code_size: usize,
    /// How sizes are halved and doubled.
    pub downsampling: Downsampling,
    /// Of all layers but the code and the output, which are linear.
    pub activation: Activation,
    /// What the encoder gives.
    pub code: Code,
}

/// A network that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaeError {
    /// The picture cannot be halved so often.
    #[error(
        "pictures of {height}x{width} cannot be halved {times} times; give fewer widths, or pad to a multiple of {multiple}"
    )]
    Size {
        /// H.
        height: usize,
        /// W.
        width: usize,
        /// The number of widths.
        times: usize,
        /// 2 to that number.
        multiple: usize,
    },
    /// A size of zero.
    #[error(
        "an auto-encoder needs at least one width, and widths and a code of at least 1, got {widths:?} and {code_size}"
    )]
    Empty {
        /// Channels.
        widths: Vec<usize>,
        /// Length of the code.
        code_size: usize,
    },
    /// A weight of the divergence that makes no sense.
    #[error("beta must be finite and at least 0")]
    Beta,
}

impl CaeSpec {
    /// Max-pooling, ReLU, a plain code.
    pub fn new(picture: [usize; 3], widths: &[usize], code_size: usize) -> Self {
        Self {
            picture,
            widths: widths.to_vec(),
            code_size,
            downsampling: Downsampling::default(),
            activation: Activation::Relu,
            code: Code::default(),
        }
    }

    /// Whether there is such a network.
    ///
    /// # Errors
    /// With what does not fit.
    pub fn check(&self) -> Result<(), CaeError> {
        let [height, width, _] = self.picture;
        let times = self.widths.len();
        if times == 0 || self.widths.contains(&0) || self.code_size == 0 {
            return Err(CaeError::Empty { widths: self.widths.clone(), code_size: self.code_size });
        }
        let multiple = 1usize.checked_shl(times as u32).unwrap_or(usize::MAX);
        if [height, width].iter().any(|&size| size == 0 || !size.is_multiple_of(multiple)) {
            return Err(CaeError::Size { height, width, times, multiple });
        }
        match self.code {
            Code::Variational { beta } if !(beta >= 0.0 && beta.is_finite()) => Err(CaeError::Beta),
            _ => Ok(()),
        }
    }

    /// What is left of a picture after the last halving.
    pub(super) fn rest(&self) -> [usize; 2] {
        [self.picture[0], self.picture[1]].map(|size| size >> self.widths.len())
    }
}

/// How it is trained: Adam in mini-batches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CaeTraining {
    /// Times that every training picture is shown.
    pub epochs: usize,
    /// Pictures in one step.
    pub batch_size: usize,
    /// Learning rate of Adam.
    pub lr: f64,
    /// Seed of the order of pictures, and of the noise of a variational code.
    pub seed: u64,
}
