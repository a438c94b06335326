//! Experiment E3: how much of the reconstruction error is the decoder's?
//!
//! **Question.** The reconstruction error of an auto-encoder measures encoder and decoder together. How much of its variation over
//! networks belongs to the decoder, so that it says nothing about the features? The paper calls the error biased by the decoder
//! (its claim C4).
//!
//! **Protocol.** Networks of P1 at even distances of their index are trained as in E1 ([`encoder`]); then their encoders stay as they
//! are, and with them the accuracy of any classifier on the code. Eleven decoders are put on every code ([`decoders`]): the own
//! one, the transposed encoder, the optimal linear one, greedy ones trained anew for longer and longer, perceptrons, the own one
//! with noisy weights, and the training picture with the nearest code. What is random about a decoder is repeated with three
//! seeds.
//!
//! **Measures.** A two-way analysis of variance of the logarithm of the test error over encoders and the decoders that were trained
//! for longest ([`Decoder::TRAINED`]), concordance of the rankings of the encoders under different decoders, the gap between own
//! and best decoder, and how accuracy goes with each ([`analysis`]).

pub mod analysis;
pub mod decoders;
mod deviations;
mod e3;
pub mod encoder;
pub mod errors;
mod figures;
pub mod mlp;
mod pictures;
mod row;
mod section;
pub mod shares;
pub mod summary;

pub use e3::E3;
pub use row::{Decoder, DecoderRow};

use crate::{
    config::Examples,
    correlation::{
        members,
        network::Status,
        population::{Member, Population},
        store::Trainer,
    },
    scores::Reconstruction,
    separability::PROBE_PICTURES,
    suite::{Parts, Profile, Setup},
    sweep::Sweep,
};
use decoders::{Decoded, Effort, Task};
use encoder::Encoder;
use patchgrad::random::stream;
use rand::RngExt;
use std::sync::OnceLock;

/// Repeats of a decoder with randomness.
pub const REPLICATES: usize = 3;

/// How many encoders.
pub fn encoders(profile: Profile) -> usize {
    profile.choose([3, 12, 40])
}

/// How much decoders are trained.
pub fn effort(profile: Profile) -> Effort {
    profile.choose([
        Effort { patches: [64, 128, 320], epochs: 2, steps: 0 },
        Effort { patches: [1_000, 10_000, 30_000], epochs: 8, steps: 500 },
        Effort { patches: [1_000, 10_000, 100_000], epochs: 6, steps: 1_500 },
    ])
}

/// Some members at even distances of their index, the first among them: never chosen by an outcome.
fn evenly(members: Vec<Member>, count: usize) -> Vec<Member> {
    let (all, count) = (members.len(), count.min(members.len()));
    let chosen: Vec<usize> = (0..count).map(|at| at * all / count).collect();
    members.into_iter().enumerate().filter(|(index, _)| chosen.contains(index)).map(|(_, member)| member).collect()
}

/// A piece of work: one row.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Position among the members of this experiment.
    encoder: usize,
    decoder: Decoder,
    replicate: usize,
}

/// Encoders and decoders of one data set, as a sweep.
pub struct DecoderBias<'a> {
    examples: &'a Examples,
    /// `None` where pictures have no classes.
    parts: Option<Parts<'a>>,
    trainer: Trainer<'a>,
    members: Vec<Member>,
    /// Trained by whichever row needs one first; or why there is none.
    encoders: Vec<OnceLock<Result<Encoder, String>>>,
    pieces: Vec<Piece>,
    effort: Effort,
}

impl<'a> DecoderBias<'a> {
    /// The sweep of a profile on a data set: every encoder with all its decoders, one after the other.
    ///
    /// # Panics
    /// For pictures that are neither 28 nor 32 pixels wide.
    pub fn new(setup: &Setup<'a>) -> Self {
        let p1 = members(setup).into_iter().filter(|member| member.population == Population::P1);
        let members = evenly(p1.collect(), encoders(setup.profile));
        let mut pieces = Vec::new();
        for encoder in 0..members.len() {
            for decoder in Decoder::ALL {
                let replicates = if decoder.is_random() { REPLICATES } else { 1 };
                pieces.extend((0..replicates).map(|replicate| Piece { encoder, decoder, replicate }));
            }
        }
        Self {
            examples: setup.examples,
            parts: Parts::of(setup.examples, PROBE_PICTURES),
            trainer: Trainer::new(setup),
            encoders: members.iter().map(|_| OnceLock::new()).collect(),
            members,
            pieces,
            effort: effort(setup.profile),
        }
    }

    fn encoder(&self, at: usize, parts: &Parts) -> Result<&Encoder, String> {
        let train = || encoder::train(&self.members[at], &self.trainer, parts);
        self.encoders[at].get_or_init(train).as_ref().map_err(String::clone)
    }

    fn decode(&self, piece: Piece, encoder: &Encoder, parts: &Parts) -> Result<Decoded, String> {
        let task = Task { parts, pictures: self.examples.train.pictures(), effort: self.effort };
        let name = format!("decoder-{:?}", piece.decoder);
        let seed = stream(self.members[piece.encoder].training.seed, &name, piece.replicate as u64).random();
        task.decode(encoder, piece.decoder, seed)
    }

    fn blank(&self, piece: Piece) -> DecoderRow {
        let member = &self.members[piece.encoder];
        let unit = member.spec.layers[0].unit;
        DecoderRow {
            data: self.examples.name.clone(),
            network: member.index,
            geometry: member.spec.geometry().to_string(),
            depth: member.spec.layers.len(),
            code_size: member.spec.code_size(),
            encoder: unit.encoder().to_string(),
            own_decoder: unit.decoder().to_string(),
            decoder: piece.decoder,
            replicate: piece.replicate,
            status: Status::Failed,
            reason: String::new(),
            patches: None,
            epochs: None,
            scale: None,
            logistic: None,
            logistic_validation: None,
            mse: None,
            mse_clipped: None,
            r2: None,
            mse_validation: None,
        }
    }

    /// Fills in a row.
    ///
    /// # Errors
    /// With the reason why it is not filled in as a whole.
    fn fill(&self, row: &mut DecoderRow, piece: Piece) -> Result<(), String> {
        let parts = self.parts.as_ref().ok_or("the pictures have no classes")?;
        let encoder = self.encoder(piece.encoder, parts)?;
        row.status = encoder.status;
        (row.logistic, row.logistic_validation) = (Some(encoder.logistic), Some(encoder.logistic_validation));
        let decoded = self.decode(piece, encoder, parts)?;
        (row.patches, row.epochs, row.scale) = (decoded.patches, decoded.epochs, decoded.scale);
        let scores = Reconstruction::score(&parts.test.pictures, &decoded.test);
        if !(scores.mse.is_finite() && decoded.mse_validation.is_finite()) {
            return Err("a reconstruction is not finite".to_string());
        }
        (row.mse, row.mse_clipped, row.r2) = (Some(scores.mse), Some(scores.mse_clipped), Some(scores.r2));
        row.mse_validation = Some(decoded.mse_validation);
        Ok(())
    }
}

impl Sweep for DecoderBias<'_> {
    type Row = DecoderRow;

    fn plan(&self) -> String {
        let [encoders, pieces] = [self.members.len(), self.pieces.len()];
        format!(
            "{encoders} encoders, {pieces} rows, {:?}, decoders of whole pictures learn from {PROBE_PICTURES}",
            self.effort
        )
    }

    fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Multiply-adds of training the decoder, or of encoding the pictures it is made from. The own decoder's row trains the encoder.
    fn cost(&self, index: usize) -> f64 {
        let Piece { encoder, decoder, .. } = self.pieces[index];
        let member = &self.members[encoder];
        let per_patch = member.training_cost() / member.training.samples_per_layer as f64;
        let count = self.parts.as_ref().map_or(0, |parts| parts.train.count());
        let (pictures, epochs) = (count as f64, self.effort.epochs_on(count) as f64);
        let (code, pixels) = (member.spec.code_size() as f64, self.examples.picture().iter().product::<usize>() as f64);
        let perceptron = |weights: f64| 3.0 * epochs * pictures * weights;
        let encoding = 4.0 * pictures * per_patch;
        let learning = match decoder {
            Decoder::Own => member.training_cost(),
            Decoder::RetrainedShort => self.effort.patches[0] as f64 * per_patch,
            Decoder::RetrainedMedium => self.effort.patches[1] as f64 * per_patch,
            Decoder::RetrainedLong => self.effort.patches[2] as f64 * per_patch,
            Decoder::Mlp => perceptron(512.0 * (code + pixels)),
            Decoder::DeepMlp => perceptron(1024.0 * (code + 1024.0 + pixels)),
            _ => 0.0,
        };
        learning + if decoder.needs_training_codes() { 2.0 * encoding } else { encoding }
    }

    /// The own decoder's row, the first of its encoder: it trains the encoder.
    fn is_waited_for(&self, index: usize) -> bool {
        self.pieces[index].decoder == Decoder::Own
    }

    /// Decoders of one encoder, which is trained for all of them.
    fn group(&self, index: usize) -> usize {
        self.pieces[index].encoder
    }

    fn row(&self, index: usize) -> DecoderRow {
        let piece = self.pieces[index];
        let mut row = self.blank(piece);
        if let Err(reason) = self.fill(&mut row, piece) {
            row.reason = reason;
        }
        row
    }

    fn failed(&self, index: usize, reason: String) -> DecoderRow {
        DecoderRow { reason, ..self.blank(self.pieces[index]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlation::population::{Sizes, populations};

    #[test]
    fn encoders_are_taken_at_even_distances() {
        let sizes = Sizes { networks: [60, 0, 0], samples_p1: [10, 20], samples_p2: [10, 20], samples_p3: 10 };
        let members = populations(1, "set", [28, 28, 1], &sizes);
        let indices =
            |count| -> Vec<usize> { evenly(members.clone(), count).iter().map(|member| member.index).collect() };
        assert_eq!(indices(12), [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55]);
        assert_eq!(indices(7).len(), 7);
        assert_eq!(indices(100).len(), 60);
    }
}
