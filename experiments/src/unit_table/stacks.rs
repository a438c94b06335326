//! The kinds that are compared, and the stack and the training of each.

use crate::{
    config::{LayerConfig, NetworkConfig, NetworkKind, TrainingConfig},
    units::{Descent, HebbianRule, KMeansCode, Noise, Sparsity, UnitSpec, Unpooling, VisibleRange},
};
use patchgrad::ops::Activation;

const SOFTSIGN: Activation = Activation::Softsign;
const LINEAR: Activation = Activation::Linear;

/// Features of the lowest layer at most, and of the top.
const FEATURES: [usize; 2] = [32, 64];

/// One of each kind, with the settings people start from.
pub fn kinds() -> Vec<UnitSpec> {
    let (encoder, decoder) = (SOFTSIGN, LINEAR);
    vec![
        UnitSpec::standard(encoder, decoder),
        UnitSpec::Tied { encoder, decoder },
        UnitSpec::Denoising { encoder, decoder, noise: Noise::Masking { probability: 0.3, block: 1 } },
        UnitSpec::Sparse { encoder, decoder, sparsity: Sparsity::L1 { weight: 0.01 } },
        UnitSpec::KSparse { encoder, decoder, k: 8 },
        UnitSpec::Contractive { encoder, decoder, weight: 0.01 },
        UnitSpec::Pca { encoder: LINEAR, decoder },
        UnitSpec::Lda { encoder: LINEAR },
        UnitSpec::Oja { rule: HebbianRule::Sanger, encoder: LINEAR, decoder },
        UnitSpec::BernoulliRbm { steps: 1, range: VisibleRange::Symmetric },
        UnitSpec::GaussianRbm { steps: 1, sd: 0.3, learn_sd: false },
        UnitSpec::MaxPooling { unpooling: Unpooling::Copy },
        UnitSpec::KMeans { code: KMeansCode::Triangle, iterations: 10, contrast: 6e-4, whitening: 0.1 },
    ]
}

/// The stack of two layers of `unit` whose top sees the whole picture of shape H, W, C.
pub fn network(unit: UnitSpec, [height, _, channels]: [usize; 3]) -> NetworkConfig {
    // Four pixels a step leave 7x7 positions of 28 and of 32 pixels, 4x4 of 16.
    let kernel = if height == 32 { 8 } else { 4 };
    let lowest = FEATURES[0].min(kernel * kernel * channels);
    let positions = (height - kernel) / 4 + 1;
    let (below, features) = match unit {
        UnitSpec::MaxPooling { .. } => (UnitSpec::standard(SOFTSIGN, LINEAR), lowest),
        _ => (unit, FEATURES[1]),
    };
    let above = match unit {
        // What a machine below gives are probabilities.
        UnitSpec::BernoulliRbm { steps, .. } | UnitSpec::GaussianRbm { steps, .. } => {
            UnitSpec::BernoulliRbm { steps, range: VisibleRange::Unit }
        }
        other => other,
    };
    NetworkConfig {
        kind: NetworkKind::Scae,
        picture: None,
        widths: Vec::new(),
        code_size: None,
        downsampling: None,
        activation: None,
        beta: None,
        layers: vec![
            LayerConfig { kernel, offset: 4, features: lowest, unit: below },
            LayerConfig { kernel: positions, offset: 1, features, unit: above },
        ],
    }
}

/// How all of them are trained; the rate of a Hebbian rule is relative to the size of the patches.
pub fn training(unit: &UnitSpec, samples_per_layer: usize) -> TrainingConfig {
    let lr = if unit.kind() == "oja" { 0.3 } else { 2e-3 };
    TrainingConfig { samples_per_layer, batch_size: 64, optimizer: Descent::Adam, lr, ..TrainingConfig::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SetKind;

    #[test]
    fn every_kind_fits_the_pictures_of_every_set() {
        for picture in [[28, 28, 1], [32, 32, 3], [16, 16, 1]] {
            for unit in kinds() {
                let mut config = network(unit, picture);
                let resolved = config.resolve(SetKind::Folders, picture);
                resolved.unwrap_or_else(|error| panic!("{} on {picture:?}: {error}", unit.kind()));
                assert_eq!(config.build(1).autoencoder().code_shape()[..2], [1, 1]);
            }
        }
        let mut names: Vec<&str> = kinds().iter().map(UnitSpec::kind).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 13);
    }
}
