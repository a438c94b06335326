//! The one list of shapes, `benches/workloads.json`: for `pitfall bench`, for the criterion benchmarks and for the PyTorch
//! script in `benches/peers`.

use serde::Deserialize;
use std::collections::BTreeMap;

const FILE: &str = include_str!("../../../../benches/workloads.json");

/// The list as it stands in the file: shapes by op and name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shapes {
    /// Convolutions.
    pub conv2d: BTreeMap<String, Convolution>,
    /// Transposed convolutions.
    pub conv_transpose2d: BTreeMap<String, Convolution>,
    /// Max poolings.
    pub max_pool2d: BTreeMap<String, Pooling>,
    /// Training steps of auto-encoders.
    pub train_step: BTreeMap<String, Training>,
}

impl Shapes {
    /// The list of the file.
    pub fn bundled() -> Self {
        serde_json::from_str(FILE).expect("the bundled list of shapes is well-formed")
    }
}

/// A convolution or transposed convolution of a square kernel, with bias.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convolution {
    /// N.
    pub batch: usize,
    /// H, W and C of one input image.
    #[serde(rename = "in")]
    pub input: [usize; 3],
    /// O.
    pub out_channels: usize,
    /// Taps along each axis.
    pub kernel: usize,
    /// Stride along each axis.
    pub stride: usize,
    /// Padding on each side.
    pub padding: usize,
}

/// A max pooling of a square window.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pooling {
    /// N.
    pub batch: usize,
    /// H, W and C of one input image.
    #[serde(rename = "in")]
    pub input: [usize; 3],
    /// Size of the window along each axis.
    pub kernel: usize,
    /// Distance between windows along each axis.
    pub stride: usize,
}

/// A training step of an auto-encoder: convolutions and max-poolings down, transposed convolutions back up.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// N.
    pub batch: usize,
    /// H, W and C of one image.
    #[serde(rename = "in")]
    pub input: [usize; 3],
    /// Channels after each convolution of the encoder.
    pub encoder: Vec<usize>,
}
