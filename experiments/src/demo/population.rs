//! The networks of the demonstration: many that differ, drawn from a seed.
//!
//! They are a Latin [`hypercube`]: even two dozen networks spread over all levels of all factors.
//!
//! Half of the networks share one code size, so that the relation between reconstruction and accuracy can also be looked
//! at where the size of the code cannot be what drives both.

use crate::{
    hypercube,
    scae::{Descent, Geometry, LayerSpec, ScaeSpec, TrainConfig, geometry::WHOLE_28},
    units::UnitSpec,
};
use patchgrad::{ops::Activation, random::stream};
use rand::RngExt;
use serde::Serialize;

/// Encoder and decoder activations.
const ACTIVATIONS: [(Activation, Activation); 6] = [
    (Activation::Softsign, Activation::Softsign),
    (Activation::Softsign, Activation::Linear),
    (Activation::Sigmoid, Activation::Linear),
    (Activation::Relu, Activation::Linear),
    (Activation::Softplus, Activation::Linear),
    (Activation::Linear, Activation::Linear),
];

/// Features of the first layer of a stack of two or three.
const FIRST_WIDTHS: [usize; 4] = [8, 16, 32, 64];
/// Features of the middle layer of a stack of three.
const MIDDLE_WIDTHS: [usize; 4] = [16, 32, 64, 128];
/// Code sizes of the networks outside the half with one size.
const CODE_SIZES: [usize; 3] = [16, 32, 128];
/// The code size that half of the networks share.
pub const FIXED_CODE_SIZE: usize = 64;
/// Learning rates of Adam.
const RATES: [f64; 3] = [1e-3, 2e-3, 4e-3];
/// L2 penalties.
const WEIGHT_DECAYS: [f64; 2] = [0.0, 1e-4];
/// Patches in one step.
const BATCH_SIZE: usize = 32;

/// One network of the population, before training.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Position in the population.
    pub index: usize,
    /// The stack.
    pub spec: ScaeSpec,
    /// How it is trained.
    pub training: TrainConfig,
    /// Seed of its weights.
    pub seed: u64,
}

/// How many networks, and between how many patches each layer of one is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PopulationSize {
    /// Networks.
    pub networks: usize,
    /// Fewest patches for each layer.
    pub fewest_samples: usize,
    /// Most patches for each layer; between the two on a logarithmic scale.
    pub most_samples: usize,
}

/// The population of `seed` for pictures of 28 x 28 grey pixels. `name` keeps the draws of data sets apart.
pub fn population(seed: u64, name: &str, size: &PopulationSize) -> Vec<Member> {
    let count = size.networks;
    let mut factor = 0;
    let mut draw = |levels: usize| -> Vec<usize> {
        factor += 1;
        let strata = hypercube::column(seed, name, factor, count);
        strata.into_iter().map(|u| (u * levels as f64) as usize).collect()
    };
    let (geometries, activations) = (draw(WHOLE_28.len()), draw(ACTIVATIONS.len()));
    let (firsts, middles) = (draw(FIRST_WIDTHS.len()), draw(MIDDLE_WIDTHS.len()));
    // The first half of the levels is the shared size.
    let codes = draw(2 * CODE_SIZES.len());
    let (rates, decays) = (draw(RATES.len()), draw(WEIGHT_DECAYS.len()));
    let samples = hypercube::column(seed, name, 100, count);
    (0..count)
        .map(|i| {
            let geometry = Geometry::from_list(WHOLE_28[geometries[i]]);
            let (encoder, decoder) = ACTIVATIONS[activations[i]];
            let code = codes[i].checked_sub(CODE_SIZES.len()).map_or(FIXED_CODE_SIZE, |other| CODE_SIZES[other]);
            let widths = match geometry.depth() {
                1 => vec![code],
                2 => vec![FIRST_WIDTHS[firsts[i]], code],
                _ => vec![FIRST_WIDTHS[firsts[i]], MIDDLE_WIDTHS[middles[i]], code],
            };
            let layers = geometry.layers().iter().zip(widths);
            let unit = UnitSpec::standard(encoder, decoder);
            let layers = layers.map(|(&geometry, features)| LayerSpec { geometry, features, unit });
            let ratio = size.most_samples as f64 / size.fewest_samples as f64;
            let member_seed = stream(seed, name, 1_000 + i as u64).random();
            Member {
                index: i,
                spec: ScaeSpec { picture: [28, 28, 1], layers: layers.collect() },
                training: TrainConfig {
                    samples_per_layer: (size.fewest_samples as f64 * ratio.powf(samples[i])) as usize,
                    batch_size: BATCH_SIZE,
                    descent: Descent::Adam,
                    lr: RATES[rates[i]],
                    weight_decay: WEIGHT_DECAYS[decays[i]],
                    seed: member_seed,
                },
                seed: member_seed,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SIZE: PopulationSize = PopulationSize { networks: 24, fewest_samples: 20_000, most_samples: 40_000 };

    #[test]
    fn a_population_is_a_function_of_seed_and_name() {
        assert_eq!(population(1, "mnist", &SIZE), population(1, "mnist", &SIZE));
        assert_ne!(population(1, "mnist", &SIZE), population(2, "mnist", &SIZE));
        assert_ne!(population(1, "mnist", &SIZE), population(1, "fashion-mnist", &SIZE));
    }

    #[test]
    fn every_level_occurs_and_half_of_the_networks_share_a_code_size() {
        let members = population(7, "mnist", &SIZE);
        let geometries: BTreeSet<_> = members.iter().map(|m| m.spec.geometry()).collect();
        assert_eq!(geometries.len(), WHOLE_28.len());
        let activations: BTreeSet<_> = members.iter().map(|m| m.spec.layers[0].unit.encoder().to_string()).collect();
        assert_eq!(activations.len(), 5);
        assert_eq!(members.iter().filter(|m| m.spec.code_size() == FIXED_CODE_SIZE).count(), 12);
        for size in CODE_SIZES {
            assert_eq!(members.iter().filter(|m| m.spec.code_size() == size).count(), 4);
        }
        let samples = members.iter().map(|m| m.training.samples_per_layer);
        assert!(samples.clone().all(|s| (20_000..40_000).contains(&s)));
        assert_eq!(samples.collect::<BTreeSet<_>>().len(), 24);
    }
}
