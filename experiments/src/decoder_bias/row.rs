//! A row of the sweep: one encoder under one decoder.

use crate::correlation::network::Status;
use serde::{Deserialize, Serialize};

/// Who decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decoder {
    /// The decoders that the encoders were trained with.
    Own,
    /// The encoders' weights transposed, times one fitted scale.
    Tied,
    /// Ridge regression from the code to the pixels.
    Linear,
    /// New greedy decoders after few patches.
    RetrainedShort,
    /// New greedy decoders after more patches.
    RetrainedMedium,
    /// New greedy decoders after many patches.
    RetrainedLong,
    /// A perceptron with a hidden layer of 512.
    Mlp,
    /// A perceptron with two hidden layers of 1024.
    DeepMlp,
    /// The own ones, with noise of 5 % of the weights' size.
    SlightNoise,
    /// The own ones, with noise of 20 % of the weights' size.
    StrongNoise,
    /// The training picture with the nearest code.
    Nearest,
}

impl Decoder {
    /// Every decoder, in the order of tables.
    pub const ALL: [Self; 11] = [
        Self::Own,
        Self::Tied,
        Self::Linear,
        Self::RetrainedShort,
        Self::RetrainedMedium,
        Self::RetrainedLong,
        Self::Mlp,
        Self::DeepMlp,
        Self::SlightNoise,
        Self::StrongNoise,
        Self::Nearest,
    ];

    /// Those that were trained for longest: whose differences are the least of the making of this experiment. Some own decoders
    /// of P1 were not trained for long, which is a part of what is asked.
    pub const TRAINED: [Self; 5] = [Self::Own, Self::Linear, Self::RetrainedLong, Self::Mlp, Self::DeepMlp];

    /// The same without perceptrons, which few epochs may leave far from their end.
    pub const WITHOUT_PERCEPTRONS: [Self; 3] = [Self::Own, Self::Linear, Self::RetrainedLong];

    /// How tables and figures name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Tied => "transposed, scaled",
            Self::Linear => "optimal linear",
            Self::RetrainedShort => "re-trained, short",
            Self::RetrainedMedium => "re-trained, medium",
            Self::RetrainedLong => "re-trained, long",
            Self::Mlp => "MLP 512",
            Self::DeepMlp => "MLP 1024-1024",
            Self::SlightNoise => "own, 5 % noise",
            Self::StrongNoise => "own, 20 % noise",
            Self::Nearest => "nearest exemplar",
        }
    }

    /// Its place in [`ALL`](Self::ALL).
    pub fn place(self) -> usize {
        self as usize
    }

    /// Whether a seed changes it.
    pub fn is_random(self) -> bool {
        !matches!(self, Self::Own | Self::Tied | Self::Linear | Self::Nearest)
    }

    /// Whether it is made from the codes of training pictures.
    pub fn needs_training_codes(self) -> bool {
        matches!(self, Self::Tied | Self::Linear | Self::Mlp | Self::DeepMlp | Self::Nearest)
    }
}

/// A row of the sweep. What does not apply is empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecoderRow {
    /// The set, such as `MNIST sample`.
    pub data: String,
    /// The encoder: position in P1.
    pub network: usize,
    /// Its geometry, such as `k4/4-k3/2-k3`.
    pub geometry: String,
    /// Its number of layers.
    pub depth: usize,
    /// Length of its code.
    pub code_size: usize,
    /// Activation of its encoders.
    pub encoder: String,
    /// Activation of its own decoders.
    pub own_decoder: String,
    /// Who decodes.
    pub decoder: Decoder,
    /// Which repeat of a decoder with randomness, from 0.
    pub replicate: usize,
    /// How the encoder ended: dead ones have a constant code or reconstruct no better than the mean picture.
    pub status: Status,
    /// Why encoder or decoder failed.
    pub reason: String,
    /// Patches shown to each layer of a re-trained decoder.
    pub patches: Option<usize>,
    /// Epochs that a perceptron kept.
    pub epochs: Option<usize>,
    /// The fitted scale of transposed weights.
    pub scale: Option<f64>,
    /// Test accuracy of the logistic probe on the code, a share.
    pub logistic: Option<f64>,
    /// The same on validation pictures.
    pub logistic_validation: Option<f64>,
    /// Mean squared error of the test reconstruction.
    pub mse: Option<f64>,
    /// The same, clipped to [-1, 1].
    pub mse_clipped: Option<f64>,
    /// Share of the variance around the mean picture that the reconstruction explains.
    pub r2: Option<f64>,
    /// Mean squared error on validation pictures.
    pub mse_validation: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_list() {
        for (place, decoder) in Decoder::ALL.into_iter().enumerate() {
            assert_eq!(decoder.place(), place);
        }
    }
}
