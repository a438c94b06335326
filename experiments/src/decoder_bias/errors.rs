//! The errors of each encoder under the decoders, from the rows of a sweep.
//!
//! Encoders that failed, or that lack a finite error under one of the decoders that are looked at, drop out: a table with holes
//! would mix the effect of an encoder with that of the decoders it happens to have. A decoder that is not looked at costs none.

use super::row::{Decoder, DecoderRow};
use crate::{correlation::network::Status, statistics::mean};
use std::collections::BTreeMap;

/// The errors of an encoder under the decoders.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderErrors {
    /// Position in P1.
    pub network: usize,
    /// What tables call it.
    pub name: String,
    /// Whether it is dead.
    pub dead: bool,
    /// Whether one of [`Decoder::TRAINED`] explains a part of the variance around the mean picture.
    pub decodable: bool,
    /// Length of its code.
    pub code_size: usize,
    /// Test accuracy of the logistic probe, a share.
    pub accuracy: f64,
    /// Finite test errors by decoder, in the order of [`Decoder::ALL`], those of its repeats.
    pub errors: Vec<Vec<f64>>,
    /// Validation errors by decoder, mean over repeats; infinite where there is none, so that it is not the best.
    pub validation: Vec<f64>,
}

impl EncoderErrors {
    /// Mean test error under a decoder.
    ///
    /// # Panics
    /// If it has none under this one.
    pub fn mse(&self, decoder: Decoder) -> f64 {
        mean(&self.errors[decoder.place()]).expect("the encoder has an error under this decoder")
    }

    /// The decoder with the lowest validation error.
    pub fn best(&self) -> Decoder {
        let least = |a: &Decoder, b: &Decoder| self.validation[a.place()].total_cmp(&self.validation[b.place()]);
        Decoder::ALL.into_iter().min_by(least).expect("there are decoders")
    }

    /// `(MSE of the own decoder - MSE of the best) / MSE of the best`.
    pub fn gap(&self) -> f64 {
        let best = self.mse(self.best());
        (self.mse(Decoder::Own) - best) / best
    }
}

/// Which error of a row is looked at.
type ErrorOf = fn(&DecoderRow) -> Option<f64>;

/// The encoders with a finite error under each of `decoders`, in the order of their index, and how many have not.
pub fn encoder_errors(rows: &[DecoderRow], error: ErrorOf, decoders: &[Decoder]) -> (Vec<EncoderErrors>, usize) {
    let mut by_encoder: BTreeMap<usize, Vec<&DecoderRow>> = BTreeMap::new();
    for row in rows {
        by_encoder.entry(row.network).or_default().push(row);
    }
    let all = by_encoder.len();
    let has_all = |of: &EncoderErrors| decoders.iter().all(|decoder| !of.errors[decoder.place()].is_empty());
    let found: Vec<EncoderErrors> =
        by_encoder.values().filter_map(|rows| of_encoder(rows, error)).filter(has_all).collect();
    let dropped = all - found.len();
    (found, dropped)
}

fn of_encoder(rows: &[&DecoderRow], error: ErrorOf) -> Option<EncoderErrors> {
    let first = rows.first()?;
    let (mut errors, mut validation) = (Vec::new(), Vec::new());
    for decoder in Decoder::ALL {
        let of_decoder = rows.iter().filter(|row| row.decoder == decoder && row.status != Status::Failed);
        let known: Vec<(f64, f64)> = of_decoder
            .filter_map(|row| Some((error(row)?, row.mse_validation?)))
            .filter(|(test, validation)| *test > 0.0 && test.is_finite() && validation.is_finite())
            .collect();
        let (test, of_validation): (Vec<f64>, Vec<f64>) = known.into_iter().unzip();
        validation.push(mean(&of_validation).unwrap_or(f64::INFINITY));
        errors.push(test);
    }
    Some(EncoderErrors {
        network: first.network,
        name: format!("P1-{}: {} {}/{}", first.network, first.geometry, first.encoder, first.own_decoder),
        dead: first.status == Status::Dead,
        decodable: rows.iter().any(|row| Decoder::TRAINED.contains(&row.decoder) && row.r2.is_some_and(|r2| r2 > 0.0)),
        code_size: first.code_size,
        accuracy: first.logistic?,
        errors,
        validation,
    })
}

/// Mean test errors of all encoders under a decoder.
pub fn errors_under(encoders: &[EncoderErrors], decoder: Decoder) -> Vec<f64> {
    encoders.iter().map(|encoder| encoder.mse(decoder)).collect()
}
