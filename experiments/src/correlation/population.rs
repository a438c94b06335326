//! The networks of experiment E1: three populations, drawn from a seed by a Latin hypercube.
//!
//! | population | question | what varies |
//! |---|---|---|
//! | P1 | over networks that differ in everything | geometry, widths, code size, activations, initialisation, patches, rate, regulariser |
//! | P2 | over networks of one architecture | initialisation, patches, rate, regulariser |
//! | P3 | how much is noise? | the seed |
//!
//! Factors are drawn by a Latin [`hypercube`]. A population is a function of data set, seed and number of networks; a member one
//! of these and its index.

use crate::{
    hypercube::{self, level},
    scae::{
        Descent, Geometry, LayerSpec, ScaeSpec, TrainConfig,
        geometry::{WHOLE_28, WHOLE_32},
    },
    units::{HebbianRule, Noise, UnitSpec, VisibleRange},
};
use patchgrad::{ops::Activation, random::stream};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Encoder and decoder activations of P1.
const ACTIVATIONS: [(Activation, Activation); 6] = [
    (Activation::Softsign, Activation::Softsign),
    (Activation::Softsign, Activation::Linear),
    (Activation::Sigmoid, Activation::Linear),
    (Activation::Relu, Activation::Linear),
    (Activation::Softplus, Activation::Linear),
    (Activation::Linear, Activation::Linear),
];

/// Features of the lowest layer of a stack of two or three, in P1.
const FIRST_WIDTHS: [usize; 4] = [8, 16, 32, 64];
/// Features of the middle layer of a stack of three, in P1.
const MIDDLE_WIDTHS: [usize; 4] = [16, 32, 64, 128];
/// Code sizes of P1.
const CODE_SIZES: [usize; 5] = [16, 32, 64, 128, 256];
/// Features of the layers in P2 and P3.
pub(crate) const FIXED_WIDTHS: [usize; 3] = [32, 64, 128];
/// Learning rates of Adam.
const RATES: [f64; 4] = [3e-4, 1e-3, 3e-3, 1e-2];
/// The rate of P3.
const FIXED_RATE: f64 = 1e-3;
/// Patches in one step.
const BATCH_SIZE: usize = 32;
/// Levels of the number of patches in P2.
const SAMPLE_LEVELS: usize = 20;

/// Which population.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Population {
    /// Networks that differ in everything.
    P1,
    /// Networks of one architecture.
    P2,
    /// Networks that differ in their seed alone.
    P3,
}

/// How the layers begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initialisation {
    /// Uniform weights.
    Random,
    /// Principal components of the layer's patches.
    Pca,
    /// Components by Sanger's rule.
    Oja,
    /// A Gaussian machine (a Bernoulli machine above the lowest layer).
    Rbm,
    /// A denoising unit.
    Denoising,
}

impl Initialisation {
    /// The unit that layer `layer` is trained as first; `None` for a random start.
    pub fn unit(self, layer: usize, encoder: Activation, decoder: Activation) -> Option<UnitSpec> {
        Some(match self {
            Self::Random => return None,
            Self::Pca => UnitSpec::Pca { encoder, decoder },
            Self::Oja => UnitSpec::Oja { rule: HebbianRule::Sanger, encoder, decoder },
            Self::Rbm if layer == 0 => UnitSpec::GaussianRbm { steps: 1, sd: 0.3, learn_sd: false },
            Self::Rbm => UnitSpec::BernoulliRbm { steps: 1, range: VisibleRange::Symmetric },
            Self::Denoising => {
                let noise = Noise::Masking { probability: 0.3, block: 1 };
                UnitSpec::Denoising { encoder, decoder, noise }
            }
        })
    }
}

/// What keeps a network from learning its patches by heart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Regulariser {
    /// Nothing.
    None,
    /// An L2 penalty of 1e-4.
    Decay,
    /// Pixels are masked with this probability.
    Masking(f64),
    /// Normal noise of this standard deviation.
    Gaussian(f64),
}

/// Those of P1 and P2.
const REGULARISERS: [Regulariser; 7] = [
    Regulariser::None,
    Regulariser::Decay,
    Regulariser::Masking(0.1),
    Regulariser::Masking(0.3),
    Regulariser::Masking(0.5),
    Regulariser::Gaussian(0.1),
    Regulariser::Gaussian(0.3),
];

impl fmt::Display for Regulariser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Decay => f.write_str("decay-1e-4"),
            Self::Masking(probability) => write!(f, "masking-{probability}"),
            Self::Gaussian(sd) => write!(f, "gaussian-{sd}"),
        }
    }
}

/// One network before training.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its population.
    pub population: Population,
    /// Position in it.
    pub index: usize,
    /// The stack.
    pub spec: ScaeSpec,
    /// How its layers begin.
    pub initialisation: Initialisation,
    /// What keeps it from learning by heart.
    pub regulariser: Regulariser,
    /// How it is trained.
    pub training: TrainConfig,
}

impl Member {
    /// Multiply-adds of its training.
    pub fn training_cost(&self) -> f64 {
        let layers = 0..self.spec.layers.len();
        let weights: usize = layers
            .map(|layer| {
                let dims = self.spec.unit_dims(layer);
                2 * dims.patch_len() * dims.features
            })
            .sum();
        self.training.samples_per_layer as f64 * 3.0 * weights as f64
    }

    /// Its name, such as `P1-17`.
    pub fn name(&self) -> String {
        format!("{:?}-{}", self.population, self.index)
    }
}

/// How many networks, and how many patches each layer is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Networks of P1, P2, P3.
    pub networks: [usize; 3],
    /// Fewest and most patches for each layer in P1, on a logarithmic scale.
    pub samples_p1: [usize; 2],
    /// The same in P2, in 20 levels.
    pub samples_p2: [usize; 2],
    /// Patches for each layer in P3.
    pub samples_p3: usize,
}

/// What is drawn of one member: a number in [0, 1) for each factor.
struct Draws {
    geometry: f64,
    activation: f64,
    first: f64,
    middle: f64,
    code: f64,
    initialisation: f64,
    samples: f64,
    rate: f64,
    regulariser: f64,
}

/// All three populations for pictures of shape H, W, C (28 or 32 pixels wide), P1 first. `name` keeps the draws of data sets
/// apart.
///
/// # Panics
/// For pictures of another width.
pub fn populations(seed: u64, name: &str, picture: [usize; 3], sizes: &Sizes) -> Vec<Member> {
    let all = [Population::P1, Population::P2, Population::P3];
    let counts = all.into_iter().zip(sizes.networks);
    counts.flat_map(|(population, count)| draw(population, count, seed, name, picture, sizes)).collect()
}

fn draw(
    population: Population,
    count: usize,
    seed: u64,
    name: &str,
    picture: [usize; 3],
    sizes: &Sizes,
) -> Vec<Member> {
    let columns: Vec<Vec<f64>> =
        (0..9).map(|factor| hypercube::column(seed, &format!("{population:?}-{name}"), factor, count)).collect();
    let member = |index: usize| {
        let u = |factor: usize| columns[factor][index];
        let draws = Draws {
            geometry: u(0),
            activation: u(1),
            first: u(2),
            middle: u(3),
            code: u(4),
            initialisation: u(5),
            samples: u(6),
            rate: u(7),
            regulariser: u(8),
        };
        let member_seed = stream(seed, &format!("member-{population:?}-{name}"), index as u64).random();
        member_of(population, index, &draws, member_seed, picture, sizes)
    };
    (0..count).map(member).collect()
}

/// The geometry of P2 and P3.
///
/// # Panics
/// For pictures that are neither 28 nor 32 pixels wide.
pub(crate) fn fixed_geometry(picture: [usize; 3]) -> Geometry {
    match picture[1] {
        28 => Geometry::from_list(&[4, 4, 3, 2, 3]),
        32 => Geometry::from_list(&[8, 4, 3, 2, 3]),
        other => panic!("populations are for pictures of 28 or 32 pixels, not {other}"),
    }
}

fn member_of(
    population: Population,
    index: usize,
    draws: &Draws,
    seed: u64,
    picture: [usize; 3],
    sizes: &Sizes,
) -> Member {
    let fixed = fixed_geometry(picture);
    let geometries: &[&[usize]] = if picture[1] == 28 { &WHOLE_28 } else { &WHOLE_32 };
    let logarithmic = |[low, high]: [usize; 2], u: f64| (low as f64 * (high as f64 / low as f64).powf(u)) as usize;
    let (mut geometry, mut widths) = (fixed, FIXED_WIDTHS.to_vec());
    let (mut activations, mut initialisation) = ((Activation::Softsign, Activation::Linear), Initialisation::Random);
    let (mut rate, mut regulariser) = (FIXED_RATE, Regulariser::None);
    let samples = match population {
        Population::P1 => {
            geometry = Geometry::from_list(level(geometries, draws.geometry));
            let code = level(&CODE_SIZES, draws.code);
            widths = match geometry.depth() {
                1 => vec![code],
                2 => vec![level(&FIRST_WIDTHS, draws.first), code],
                _ => vec![level(&FIRST_WIDTHS, draws.first), level(&MIDDLE_WIDTHS, draws.middle), code],
            };
            activations = level(&ACTIVATIONS, draws.activation);
            initialisation = level(&[Initialisation::Random, Initialisation::Pca], draws.initialisation);
            logarithmic(sizes.samples_p1, draws.samples)
        }
        Population::P2 => {
            let all = [
                Initialisation::Random,
                Initialisation::Pca,
                Initialisation::Oja,
                Initialisation::Rbm,
                Initialisation::Denoising,
            ];
            initialisation = level(&all, draws.initialisation);
            let step = (draws.samples * SAMPLE_LEVELS as f64).floor() / (SAMPLE_LEVELS - 1) as f64;
            logarithmic(sizes.samples_p2, step)
        }
        Population::P3 => sizes.samples_p3,
    };
    if population != Population::P3 {
        (rate, regulariser) = (level(&RATES, draws.rate), level(&REGULARISERS, draws.regulariser));
    }
    let (encoder, decoder) = activations;
    let unit = match regulariser {
        Regulariser::None | Regulariser::Decay => UnitSpec::standard(encoder, decoder),
        Regulariser::Masking(probability) => {
            UnitSpec::Denoising { encoder, decoder, noise: Noise::Masking { probability, block: 1 } }
        }
        Regulariser::Gaussian(sd) => UnitSpec::Denoising { encoder, decoder, noise: Noise::Gaussian { sd } },
    };
    let layers = geometry.layers().iter().zip(widths);
    let layers = layers.map(|(&geometry, features)| LayerSpec { geometry, features, unit }).collect();
    Member {
        population,
        index,
        spec: ScaeSpec { picture, layers },
        initialisation,
        regulariser,
        training: TrainConfig {
            samples_per_layer: samples,
            batch_size: BATCH_SIZE,
            descent: Descent::Adam,
            lr: rate,
            weight_decay: if regulariser == Regulariser::Decay { 1e-4 } else { 0.0 },
            seed,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SIZES: Sizes =
        Sizes { networks: [60, 40, 8], samples_p1: [20_000, 50_000], samples_p2: [500, 50_000], samples_p3: 20_000 };

    #[test]
    fn a_population_is_a_function_of_seed_and_name_and_fits_its_pictures() {
        for picture in [[28, 28, 1], [32, 32, 3]] {
            let members = populations(1, "set", picture, &SIZES);
            assert_eq!(members.len(), 108);
            assert_eq!(members, populations(1, "set", picture, &SIZES));
            assert_ne!(members, populations(2, "set", picture, &SIZES));
            assert_ne!(members, populations(1, "other", picture, &SIZES));
            members.iter().for_each(|member| member.spec.check().unwrap());
            let seeds: BTreeSet<u64> = members.iter().map(|member| member.training.seed).collect();
            assert_eq!(seeds.len(), 108);
        }
    }

    #[test]
    fn every_level_of_every_factor_occurs() {
        let members = populations(3, "set", [28, 28, 1], &SIZES);
        let (p1, rest) = members.split_at(60);
        let (p2, p3) = rest.split_at(40);
        let count = |values: Vec<String>| values.into_iter().collect::<BTreeSet<String>>().len();
        assert_eq!(count(p1.iter().map(|member| member.spec.geometry().to_string()).collect()), WHOLE_28.len());
        assert_eq!(count(p1.iter().map(|member| member.spec.code_size().to_string()).collect()), CODE_SIZES.len());
        assert_eq!(count(p1.iter().map(|member| member.regulariser.to_string()).collect()), REGULARISERS.len());
        assert_eq!(count(p1.iter().map(|member| member.training.lr.to_string()).collect()), RATES.len());
        let activations = |member: &Member| {
            let unit = member.spec.layers[0].unit;
            format!("{}/{}", unit.encoder(), unit.decoder())
        };
        assert_eq!(count(p1.iter().map(activations).collect()), ACTIVATIONS.len());
        assert_eq!(count(p2.iter().map(|member| format!("{:?}", member.initialisation)).collect()), 5);
        let samples: BTreeSet<usize> = p2.iter().map(|member| member.training.samples_per_layer).collect();
        assert_eq!((samples.len(), samples.first(), samples.last()), (20, Some(&500), Some(&50_000)));
        assert_eq!(count(p2.iter().map(|member| member.spec.geometry().to_string()).collect()), 1);
        assert!(p3.iter().all(|member| member.training.lr == FIXED_RATE && member.spec == p3[0].spec));
    }
}
