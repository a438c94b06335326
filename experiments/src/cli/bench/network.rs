//! The network whose training step is measured.

use super::shapes::Training;
use patchgrad::{
    Params,
    layers::{Conv2d, ConvTranspose2d, Sequential},
    ops::{Activation, Conv2dSpec, ConvAlgorithm, ConvTranspose2dSpec},
    random::stream,
};

/// The auto-encoder:
///
/// ```text
/// encoder   for each width: conv 3x3 padding 1 -> ReLU -> max-pool 2x2
/// decoder   back through the widths to the channels of a picture: transposed conv 2x2 stride 2 -> ReLU, at the end sigmoid
/// ```
///
/// Activation and pooling are the epilogue of their convolution.
pub(super) fn auto_encoder(params: &mut Params, shape: &Training, algorithm: ConvAlgorithm) -> Sequential {
    let mut init = stream(0, "init", 0);
    let same = Conv2dSpec { padding: [1, 1], algorithm, ..Conv2dSpec::new([3, 3]) };
    let up = ConvTranspose2dSpec { stride: [2, 2], algorithm, ..ConvTranspose2dSpec::new([2, 2]) };
    let mut widths = vec![shape.input[2]];
    widths.extend(&shape.encoder);

    let mut network = Sequential::new();
    for (i, width) in widths.windows(2).enumerate() {
        let convolution = Conv2d::new(params, &format!("encoder.{i}"), [width[0], width[1]], same, &mut init);
        network = network.then(convolution.activation(Activation::Relu).max_pool());
    }
    for (i, width) in widths.windows(2).enumerate().rev() {
        let activation = if i == 0 { Activation::Sigmoid } else { Activation::Relu };
        let convolution = ConvTranspose2d::new(params, &format!("decoder.{i}"), [width[1], width[0]], up, &mut init);
        network = network.then(convolution.activation(activation));
    }
    network
}
