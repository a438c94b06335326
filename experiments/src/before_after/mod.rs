//! Experiment E4: what happens to reconstruction when the features become good for the task?
//!
//! **Question.** Figure 1 of the paper shows pictures reconstructed before and after fine-tuning. Does accuracy rise while the
//! reconstruction falls apart (claims C1 and C5), and is that the encoder or a decoder that no longer fits?
//!
//! **Protocol.** Networks of P2 at even distances ([`some_of_p2`]). Each gets a
//! classification layer and is fine-tuned in three ways ([`variant`]); the old decoders are kept ([`network`]). After every
//! epoch validation pictures tell accuracy and error; before and at the end test pictures do, once, with three decoders
//! ([`state`]): the old ones, the same trained again on the new code, and the best linear one.
//!
//! **Measures.** Changes over networks, paired, with intervals; the share of the lost reconstruction that another decoder
//! recovers; the rank correlation of both changes; linear CKA of the code before and after ([`changes`]). What no decoder
//! recovers bounds from above what the encoder dropped; the rest is a decoder that no longer fits.

pub mod changes;
mod e4;
pub mod network;
mod panel;
mod section;
pub mod state;
pub mod variant;

pub use e4::E4;
pub use network::Lengths;

use crate::{
    config::Examples,
    correlation::{population::Member, some_of_p2, store::Trainer},
    suite::{Profile, Setup},
    sweep::Pieces,
};
use network::StateRow;
use variant::Variant;

/// How many networks.
pub fn networks(profile: Profile) -> usize {
    profile.choose([2, 10, 40])
}

/// How long they are fine-tuned.
pub fn lengths(profile: Profile) -> Lengths {
    let [epochs, decoder_patches] = profile.choose([[1, 320], [10, 20_000], [20, 100_000]]);
    Lengths { epochs, decoder_patches }
}

/// The networks of E4 on one data set, as a sweep with a row for each variant and epoch.
pub struct BeforeAfter<'a> {
    examples: &'a Examples,
    trainer: Trainer<'a>,
    members: Vec<Member>,
    lengths: Lengths,
}

impl<'a> BeforeAfter<'a> {
    /// The sweep of a profile on a data set.
    ///
    /// # Panics
    /// For pictures that are neither 28 nor 32 pixels wide.
    pub fn new(setup: &Setup<'a>) -> Self {
        let members = some_of_p2(setup, networks(setup.profile));
        Self { examples: setup.examples, trainer: Trainer::new(setup), members, lengths: lengths(setup.profile) }
    }
}

impl Pieces for BeforeAfter<'_> {
    type Row = StateRow;

    fn plan(&self) -> String {
        format!("{} networks, {:?}", self.members.len(), self.lengths)
    }

    fn pieces(&self) -> usize {
        self.members.len()
    }

    fn rows_each(&self) -> usize {
        Variant::ALL.len() * (self.lengths.epochs + 1)
    }

    /// Multiply-adds of the training, and those of the fine-tuning, the same for all.
    fn piece_cost(&self, piece: usize) -> f64 {
        let member = &self.members[piece];
        let of_a_patch = member.training_cost() / member.training.samples_per_layer.max(1) as f64;
        let shown = self.examples.train.count() * self.lengths.epochs * 10 + 6 * self.lengths.decoder_patches;
        member.training_cost() + of_a_patch * shown as f64
    }

    fn rows(&self, piece: usize) -> Vec<StateRow> {
        network::run(&self.members[piece], self.examples, &self.trainer, self.lengths)
    }

    fn failed_rows(&self, piece: usize, reason: String) -> Vec<StateRow> {
        network::failed(&self.members[piece], self.examples, self.lengths, &reason)
    }
}
