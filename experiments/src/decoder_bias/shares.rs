//! The share of the decoder looked at in other ways, of which none decides.

use super::{
    analysis::{decoder_share, decomposition, share_interval},
    errors::encoder_errors,
    row::{Decoder, DecoderRow},
};
use crate::statistics::Interval;
use patchgrad::random::Stream;
use serde::Serialize;

/// [`decoder_share`] of a part of the rows, or of another error.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OtherShare {
    /// The set.
    pub data: String,
    /// Of what.
    pub of: ShareOf,
    /// Encoders that entered.
    pub encoders: usize,
    /// The share.
    pub share: f64,
    /// Lower end of its 95 % interval over resampled encoders.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

impl OtherShare {
    /// Its interval, where there is one.
    pub fn interval(&self) -> Option<Interval> {
        self.low.zip(self.high).map(|(low, high)| Interval { low, high })
    }
}

/// Other ways to look at the share of the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShareOf {
    /// Over [`Decoder::WITHOUT_PERCEPTRONS`]: what is left if perceptrons are not at their end.
    WithoutPerceptrons,
    /// Over encoders whose code one of [`Decoder::TRAINED`] decodes better than the mean picture: what is left if the difference
    /// to codes that hold nothing is taken out of the encoders' share. Whether the own decoder can does not matter, since its share
    /// is what is asked for.
    Decodable,
    /// Of errors of pictures clipped to the range of pixels.
    Clipped,
    /// Over all decoders, those among them that were made worse on purpose or saw few patches.
    AllDecoders,
}

impl ShareOf {
    /// Every way, in the order of tables.
    pub const ALL: [Self; 4] = [Self::WithoutPerceptrons, Self::Decodable, Self::Clipped, Self::AllDecoders];

    /// How tables name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::WithoutPerceptrons => "the same without perceptrons",
            Self::Decodable => "the same without codes that no decoder can decode",
            Self::Clipped => "the same of clipped pictures",
            Self::AllDecoders => "the same over all eleven decoders",
        }
    }

    /// How numbers name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::WithoutPerceptrons => "without-perceptrons",
            Self::Decodable => "decodable",
            Self::Clipped => "clipped",
            Self::AllDecoders => "all-decoders",
        }
    }
}

/// The share of all `rows` in another way; `None` where it does not exist.
pub(super) fn other_share(rows: &[DecoderRow], of: ShareOf, random: &mut Stream) -> Option<OtherShare> {
    let decoders: &[Decoder] = match of {
        ShareOf::WithoutPerceptrons => &Decoder::WITHOUT_PERCEPTRONS,
        ShareOf::AllDecoders => &Decoder::ALL,
        _ => &Decoder::TRAINED,
    };
    let (mut encoders, _) = match of {
        ShareOf::Clipped => encoder_errors(rows, |row| row.mse_clipped, decoders),
        _ => encoder_errors(rows, |row| row.mse, decoders),
    };
    if of == ShareOf::Decodable {
        encoders.retain(|encoder| encoder.decodable);
    }
    let table = decomposition(&encoders.iter().collect::<Vec<_>>(), decoders)?;
    let interval = share_interval(&encoders, decoders, random);
    Some(OtherShare {
        data: rows.first()?.data.clone(),
        of,
        encoders: encoders.len(),
        share: decoder_share(&table),
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
    })
}
