//! Experiment E1: does reconstruction quality predict how well features classify?
//!
//! **Question.** Over many stacked auto-encoders, does the one that reconstructs better also have the code that classifies
//! better? The paper says no (its claims C1 and C2).
//!
//! **Protocol.** Three populations of networks are drawn from a seed ([`population`]). Each network is trained on training
//! pictures alone, then measured once on test pictures ([`network`]): twelve reconstruction scores of its own decoder, the error
//! of the best linear decoder of the same code, five probes, measures of separability and geometry.
//!
//! **Measures.** Spearman's rho between reconstruction *quality* (higher is better) and accuracy, with interval, permutation p,
//! equivalence test, Bayes factor and the registered verdict ([`relations`]), at several levels of control: code size drives
//! both quantities, so a pooled correlation alone says little.

mod baselines;
pub mod coexistence;
mod e1;
mod group_page;
pub mod groups;
pub mod network;
mod noise;
pub mod population;
mod probe_page;
#[cfg(test)]
mod probe_steps;
pub mod relations;
mod section;
pub mod store;
pub mod subset;
mod subset_page;
pub mod training;

pub use e1::E1;

use crate::{
    config::Examples,
    suite::{Profile, Setup},
    sweep::Sweep,
};
use network::NetworkRow;
use population::{Member, Population, Sizes, populations};
use store::Trainer;

/// Networks, and patches that their layers are shown.
pub fn sizes(profile: Profile) -> Sizes {
    profile.choose([
        Sizes { networks: [8, 4, 2], samples_p1: [320, 640], samples_p2: [64, 640], samples_p3: 320 },
        Sizes { networks: [60, 40, 8], samples_p1: [20_000, 50_000], samples_p2: [500, 50_000], samples_p3: 50_000 },
        Sizes {
            networks: [200, 100, 20],
            samples_p1: [20_000, 500_000],
            samples_p2: [500, 1_000_000],
            samples_p3: 100_000,
        },
    ])
}

/// The members of all three populations, P1 first.
///
/// # Panics
/// For pictures that are neither 28 nor 32 pixels wide.
pub fn members(setup: &Setup) -> Vec<Member> {
    populations(setup.seed, setup.set, setup.examples.picture(), &sizes(setup.profile))
}

/// At most `count` members of P2, at even distances: for experiments that follow a network more closely.
///
/// # Panics
/// As [`members`].
pub fn some_of_p2(setup: &Setup, count: usize) -> Vec<Member> {
    let p2: Vec<Member> = members(setup).into_iter().filter(|member| member.population == Population::P2).collect();
    let count = count.min(p2.len());
    (0..count).map(|at| p2[at * p2.len() / count].clone()).collect()
}

/// The networks of all three populations on one data set, as a sweep.
pub struct Correlation<'a> {
    examples: &'a Examples,
    trainer: Trainer<'a>,
    sizes: Sizes,
    members: Vec<Member>,
}

impl<'a> Correlation<'a> {
    /// The sweep of a profile on a data set.
    ///
    /// # Panics
    /// For pictures that are neither 28 nor 32 pixels wide.
    pub fn new(setup: &Setup<'a>) -> Self {
        Self {
            examples: setup.examples,
            trainer: Trainer::new(setup),
            sizes: sizes(setup.profile),
            members: members(setup),
        }
    }
}

impl Sweep for Correlation<'_> {
    type Row = NetworkRow;

    fn plan(&self) -> String {
        format!("{:?}", self.sizes)
    }

    fn len(&self) -> usize {
        self.members.len()
    }

    /// Multiply-adds of the training, and those of the probes, which grow with the code.
    fn cost(&self, index: usize) -> f64 {
        let member = &self.members[index];
        let probes = self.examples.train.count() as f64 * 200.0 * (member.spec.code_size() * 256) as f64;
        member.training_cost() + probes
    }

    fn row(&self, index: usize) -> NetworkRow {
        network::run(&self.members[index], self.examples, &self.trainer)
    }

    fn failed(&self, index: usize, reason: String) -> NetworkRow {
        NetworkRow { reason, ..network::blank(&self.members[index], self.examples) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DataConfig;
    use network::Status;
    use store::NetworkStore;

    #[test]
    fn a_network_that_diverges_is_a_row_with_its_reason() {
        let examples = DataConfig::named("--data", "mnist", [60, 20, 20], None).unwrap().load(1).unwrap();
        let networks = NetworkStore::none();
        let setup = Setup { set: "mnist", examples: &examples, profile: Profile::Smoke, seed: 3, networks: &networks };
        let mut sweep = Correlation::new(&setup);
        sweep.members[1].training.lr = 1e30;
        let rows = [0, 1].map(|index| sweep.row(index));
        assert!(rows[0].status != Status::Failed && rows[0].logistic.is_some(), "{:?}", rows[0].reason);
        assert_eq!((rows[1].status, rows[1].network, rows[1].logistic), (Status::Failed, rows[0].network + 1, None));
        assert!(rows[1].reason.contains("finite"), "{:?}", rows[1].reason);
        let other = sweep.failed(1, rows[1].reason.clone());
        assert_eq!(other, rows[1], "as what fails for any other reason");
    }
}
