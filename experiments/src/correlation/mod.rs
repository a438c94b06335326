//! Experiment E1: does reconstruction quality predict how well features classify?
//!
//! **Question.** Over many stacked auto-encoders, does the one that reconstructs better also have the code that classifies
//! better? The paper says no (its claims C1 and C2).
//!
//! **Protocol.** Three populations of networks are drawn from a seed ([`population`]). Each network is trained on training
//! pictures alone, then measured once on test pictures ([`network`]): eight reconstruction scores of its own decoder, the error
//! of the best linear decoder of the same code, five probes, measures of separability and geometry.
//!
//! **Measures.** Spearman's rho between reconstruction *quality* (higher is better) and accuracy, with interval, permutation p,
//! equivalence test, Bayes factor and the registered verdict ([`relations`]), at several levels of control: code size drives
//! both quantities, so a pooled correlation alone says little.

pub mod network;
pub mod population;
pub mod relations;

use crate::{
    config::Examples,
    sweep::{Identity, Sweep},
};
use network::NetworkRow;
use patchgrad::Isa;
use population::{Member, Sizes, populations};

/// How much of the experiment is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// Seconds: a few networks on a few pictures, to see that everything works. Its numbers say nothing.
    Smoke,
    /// Minutes: 108 networks on at most 8,000 training pictures.
    #[default]
    Quick,
    /// Hours: 320 networks on all pictures. The verdict of equivalence belongs to it.
    Full,
}

impl Profile {
    /// `smoke`, `quick` or `full`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Quick => "quick",
            Self::Full => "full",
        }
    }

    /// Training, validation and test pictures at most; 0 for all.
    pub fn pictures(self) -> [usize; 3] {
        match self {
            Self::Smoke => [300, 100, 100],
            Self::Quick => [8_000, 2_000, 2_000],
            Self::Full => [0, 0, 0],
        }
    }

    /// Networks, and patches that their layers are shown.
    pub fn sizes(self) -> Sizes {
        match self {
            Self::Smoke => {
                Sizes { networks: [8, 4, 2], samples_p1: [320, 640], samples_p2: [64, 640], samples_p3: 320 }
            }
            Self::Quick => Sizes {
                networks: [60, 40, 8],
                samples_p1: [20_000, 50_000],
                samples_p2: [500, 50_000],
                samples_p3: 50_000,
            },
            Self::Full => Sizes {
                networks: [200, 100, 20],
                samples_p1: [20_000, 500_000],
                samples_p2: [500, 1_000_000],
                samples_p3: 100_000,
            },
        }
    }
}

/// The networks of all three populations on one data set, as a sweep.
pub struct Correlation {
    examples: Examples,
    members: Vec<Member>,
}

impl Correlation {
    /// The sweep of `profile` on `examples`, whose set is called `name`.
    ///
    /// # Panics
    /// For pictures that are neither 28 nor 32 pixels wide.
    pub fn new(examples: Examples, name: &str, profile: Profile, seed: u64) -> Self {
        let members = populations(seed, name, examples.picture(), &profile.sizes());
        Self { examples, members }
    }

    /// What makes it the one that it is.
    pub fn identity(&self, profile: Profile, seed: u64) -> Identity {
        let mut data = vec![self.examples.name.clone()];
        data.extend(self.examples.checksums.iter().cloned());
        Identity {
            name: "correlation".to_string(),
            profile: profile.name().to_string(),
            seed,
            data,
            instruction_set: Isa::active().to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
        }
    }
}

impl Sweep for Correlation {
    type Row = NetworkRow;

    fn len(&self) -> usize {
        self.members.len()
    }

    /// Multiply-adds of the training, and those of the probes, which grow with the code.
    fn cost(&self, index: usize) -> f64 {
        let member = &self.members[index];
        let layers = 0..member.spec.layers.len();
        let weights: usize = layers
            .map(|layer| {
                let dims = member.spec.unit_dims(layer);
                2 * dims.patch_len() * dims.features
            })
            .sum();
        let training = member.training.samples_per_layer as f64 * 3.0 * weights as f64;
        let probes = self.examples.train.count() as f64 * 200.0 * (member.spec.code_size() * 256) as f64;
        training + probes
    }

    fn row(&self, index: usize) -> NetworkRow {
        network::run(&self.members[index], &self.examples)
    }
}
