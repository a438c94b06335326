//! Where fine-tuning starts from.
//!
//! | start | layers, lowest first | reference |
//! |---|---|---|
//! | random | uniform weights | |
//! | SCAE | learn to reconstruct their patches | Masci et al. 2011 |
//! | PCA | principal components of their patches | Seuret et al. 2017 |
//! | LDA | discriminant directions of the labelled pictures' patches | Alberti et al. 2017 |
//! | denoising | learn to reconstruct patches of which 30 % of the values are masked | Vincent et al. 2010 |
//! | GBRBM | machines, normally distributed at the bottom, binary above | Hinton et al. 2006 |
//! | PCA + SCAE | principal components, then as SCAE | Seuret et al. 2017 |
//! | SCAE, shuffled | the weights of each feature of the SCAE at other places of its patch | control |
//! | GBRBM, shuffled | those of the machines | control |
//!
//! The controls tell what was learnt from how large it is: a feature keeps its weights, and so their sum and size, and its bias; only
//! which pixel or channel has which weight is lost.
//!
//! Where a start has fewer directions than a layer has features, as 16 values of a patch have at most 16 components and ten
//! classes nine discriminant directions, the other features keep their random weights.
//!
//! What is left of decoders differs: those of the stacks learnt to reconstruct, the others have none that was trained on their code.
//! So starts are compared by the best linear decoder of their code, which all have alike.

use crate::{
    correlation::{population::Initialisation, training::initialise},
    data::Labelled,
    scae::{Descent, Labels, Scae, ScaeSpec, TrainConfig, train_layer},
    training::TrainingError,
    units::UnitSpec,
};
use patchgrad::{Workspace, random::stream};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// How a network begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Uniform weights.
    Random,
    /// A stacked auto-encoder.
    Scae,
    /// Principal components.
    Pca,
    /// Discriminant directions.
    Lda,
    /// A denoising stacked auto-encoder.
    Denoising,
    /// Restricted Boltzmann machines.
    Gbrbm,
    /// A stacked auto-encoder that begins with principal components.
    PcaScae,
    /// The stacked auto-encoder, the weights of each feature shuffled.
    ScaeShuffled,
    /// The Boltzmann machines, the weights of each feature shuffled.
    GbrbmShuffled,
}

impl Start {
    /// Every start, that which others are compared with first, that of claim C6 second.
    pub const ALL: [Self; 9] = [
        Self::Random,
        Self::Scae,
        Self::Pca,
        Self::Lda,
        Self::Denoising,
        Self::Gbrbm,
        Self::PcaScae,
        Self::ScaeShuffled,
        Self::GbrbmShuffled,
    ];

    /// As in the rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Scae => "scae",
            Self::Pca => "pca",
            Self::Lda => "lda",
            Self::Denoising => "denoising",
            Self::Gbrbm => "gbrbm",
            Self::PcaScae => "pca-scae",
            Self::ScaeShuffled => "scae-shuffled",
            Self::GbrbmShuffled => "gbrbm-shuffled",
        }
    }

    /// As on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Scae => "SCAE",
            Self::Pca => "PCA",
            Self::Lda => "LDA",
            Self::Denoising => "denoising SCAE",
            Self::Gbrbm => "GBRBM",
            Self::PcaScae => "PCA + SCAE",
            Self::ScaeShuffled => "SCAE, shuffled",
            Self::GbrbmShuffled => "GBRBM, shuffled",
        }
    }

    /// Whether it sees the labelled pictures instead of all.
    pub fn needs_labels(self) -> bool {
        self == Self::Lda
    }

    /// The start whose weights a control shuffles.
    pub fn shuffles(self) -> Option<Self> {
        match self {
            Self::ScaeShuffled => Some(Self::Scae),
            Self::GbrbmShuffled => Some(Self::Gbrbm),
            _ => None,
        }
    }

    /// Whether its decoders were trained to reconstruct from the code that they decode.
    pub fn has_own_decoders(self) -> bool {
        matches!(self, Self::Scae | Self::Denoising | Self::PcaScae)
    }

    /// What a layer is begun with.
    fn unit(self, layer: usize, own: UnitSpec) -> Option<UnitSpec> {
        let (encoder, decoder) = (own.encoder(), own.decoder());
        match self {
            Self::Random | Self::Scae | Self::ScaeShuffled | Self::GbrbmShuffled => None,
            Self::Pca | Self::PcaScae => Initialisation::Pca.unit(layer, encoder, decoder),
            Self::Lda => Some(UnitSpec::Lda { encoder }),
            Self::Denoising => Initialisation::Denoising.unit(layer, encoder, decoder),
            Self::Gbrbm => Initialisation::Rbm.unit(layer, encoder, decoder),
        }
    }

    /// Whether a layer then learns to reconstruct.
    fn reconstructs(self) -> bool {
        matches!(self, Self::Scae | Self::PcaScae)
    }
}

/// How much the layers learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Training {
    /// Patches that a layer is shown.
    pub patches: usize,
    /// Patches that components and directions are computed from.
    pub closed_form: usize,
    /// Seed of weights and patches.
    pub seed: u64,
}

/// The stack with the encoder weights of each feature at other places of its patch, drawn by `seed`. Over a whole layer they would
/// not fit the biases any more: those of a machine hold the sum of the weights.
pub fn shuffled(mut scae: Scae, seed: u64) -> Scae {
    for layer in 0..scae.spec().layers.len() {
        let weight =
            scae.params().find(&format!("layer{layer}.encoder.weight")).expect("every layer is a standard one");
        let random = &mut stream(seed, "shuffled-weights", layer as u64);
        let features = scae.spec().layers[layer].features;
        let weight = scae.params_mut().get_mut(weight).as_mut_slice();
        for feature in 0..features {
            let mut own: Vec<f32> = weight.iter().skip(feature).step_by(features).copied().collect();
            own.shuffle(random);
            weight.iter_mut().skip(feature).step_by(features).zip(own).for_each(|(weight, own)| *weight = own);
        }
    }
    scae
}

/// The stack as fine-tuning finds it, of all starts but [those that shuffle](Start::shuffles) another.
///
/// # Errors
/// When a loss is not finite, or a decomposition has no result.
pub fn begin(
    start: Start,
    spec: &ScaeSpec,
    data: &Labelled,
    training: &Training,
    workspace: &mut Workspace,
) -> Result<Scae, TrainingError> {
    let mut scae = Scae::new(spec.clone(), &mut stream(training.seed, "init", 0));
    let config = TrainConfig {
        samples_per_layer: training.patches,
        batch_size: 32,
        descent: Descent::Adam,
        lr: 1e-3,
        weight_decay: 0.0,
        seed: training.seed,
    };
    for layer in 0..spec.layers.len() {
        if let Some(unit) = start.unit(layer, spec.layers[layer].unit) {
            let closed_form = matches!(unit, UnitSpec::Pca { .. } | UnitSpec::Lda { .. });
            let samples_per_layer = if closed_form { training.closed_form } else { training.patches };
            let labels = if start.needs_labels() { Labels::Pictures(&data.labels) } else { Labels::None };
            let config = TrainConfig { samples_per_layer, ..config };
            initialise(&mut scae, layer, unit, (&data.pictures, labels), &config, workspace)?;
        }
        if start.reconstructs() {
            train_layer(&mut scae, layer, &data.pictures, Labels::None, &config, workspace)?;
        }
    }
    Ok(scae)
}
