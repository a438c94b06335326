//! Experiment E5: along one training run, do error and accuracy move together? And can either be predicted?
//!
//! **Question.** The first version of the paper says that the size of a network does not tell its training error (claim C7), and
//! that reconstruction and training error, even together, do not judge features (C8).
//!
//! **Protocol.** Networks of P2 at even distances ([`some_of_p2`]), each trained with 2^k patches for each layer, k from 6
//! ([`checkpoint`]). Every k is a training of its own, from the same start: layers are trained one after the other on what is
//! below them, so a network that has seen 2^k patches is one whose layers all have.
//!
//! **Measures.** Rank correlation within a run, where accuracy and error are best, slopes of the later half ([`runs`]). C7 and C8
//! are judged on the networks of experiment E1, by what explains their training error and their accuracy ([`prediction`]).

pub mod checkpoint;
mod e5;
mod fewer_page;
pub mod prediction;
pub mod runs;
mod section;

pub use e5::E5;

use crate::{
    config::Examples,
    correlation::{population::Member, sizes, some_of_p2},
    suite::{Profile, Setup},
    sweep::Sweep,
};
use checkpoint::CheckpointRow;

/// The first checkpoint, 64 patches for each layer: two steps.
const FIRST: u32 = 6;

/// How many networks.
pub fn networks(profile: Profile) -> usize {
    profile.choose([2, 8, 24])
}

/// Patches for each layer at the checkpoints: powers of two from 64 up to the most of P2.
pub fn patches(profile: Profile) -> Vec<usize> {
    let [_, most] = sizes(profile).samples_p2;
    (FIRST..=most.ilog2()).map(|k| 1 << k).collect()
}

/// The checkpoints of E5 on one data set, as a sweep: those of a network follow each other.
pub struct Dynamics<'a> {
    examples: &'a Examples,
    members: Vec<Member>,
    patches: Vec<usize>,
}

impl<'a> Dynamics<'a> {
    /// The sweep of a profile on a data set.
    ///
    /// # Panics
    /// For pictures that are neither 28 nor 32 pixels wide.
    pub fn new(setup: &Setup<'a>) -> Self {
        let members = some_of_p2(setup, networks(setup.profile));
        Self { examples: setup.examples, members, patches: patches(setup.profile) }
    }

    fn at(&self, index: usize) -> (&Member, usize) {
        (&self.members[index / self.patches.len()], self.patches[index % self.patches.len()])
    }
}

impl Sweep for Dynamics<'_> {
    type Row = CheckpointRow;

    fn plan(&self) -> String {
        format!("{} networks, patches {:?}", self.members.len(), self.patches)
    }

    fn len(&self) -> usize {
        self.members.len() * self.patches.len()
    }

    /// Multiply-adds of the training, and those of encoding and probing, which are the same for all.
    fn cost(&self, index: usize) -> f64 {
        let (member, patches) = self.at(index);
        let of_a_patch = member.training_cost() / member.training.samples_per_layer.max(1) as f64;
        of_a_patch * (patches + self.examples.train.count()) as f64
    }

    fn row(&self, index: usize) -> CheckpointRow {
        let (member, patches) = self.at(index);
        checkpoint::run(member, patches, self.examples)
    }

    fn failed(&self, index: usize, reason: String) -> CheckpointRow {
        let (member, patches) = self.at(index);
        CheckpointRow { reason, ..checkpoint::blank(member, patches, self.examples) }
    }
}
