//! The list of scores: names, signs, and what each is for one picture.

use super::{
    Pair, ScoreError, pixel_distances, signal,
    ssim::{SsimScratch, SsimSettings},
    sums::mean_squared_error,
};
use serde::Serialize;
use std::{fmt, str::FromStr};

/// A way to compare a reconstruction with its original.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Score {
    /// Mean squared error per value.
    Mse,
    /// `1 - sum |x - x'|^2 / sum |x - m|^2`, m the mean picture of the set. Of a set, not of a picture.
    R2,
    /// `10 log10(4 / mse)` in decibel, from the error of all pictures together. Of a set, not of a picture.
    Psnr,
    /// Structural similarity: see [`SsimSettings`].
    Ssim,
    /// Mean over pixels of the distance between two colours in RGB.
    Euclidean,
    /// Scale-offset invariant distance: offset first, then scale.
    Soid,
    /// Scale-offset invariant distance with the best scale and offset.
    SoidOptimal,
    /// One minus the magnitude of the correlation: a negative is as good as the picture.
    Correlation,
    /// One minus the correlation.
    SignedCorrelation,
    /// Mean over pixels of the colour difference CIE94.
    #[serde(rename = "delta-e94")]
    DeltaE94,
    /// Sum over pixels of the colour difference CIE94, as N-light-N has it: grows with the picture.
    #[serde(rename = "delta-e94-sum")]
    DeltaE94Sum,
    /// Mean over pixels of the distance between two colours in units of their spread in both pictures.
    Mahalanobis,
}

impl Score {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Mse,
        Self::R2,
        Self::Psnr,
        Self::Ssim,
        Self::Euclidean,
        Self::Soid,
        Self::SoidOptimal,
        Self::Correlation,
        Self::SignedCorrelation,
        Self::DeltaE94,
        Self::DeltaE94Sum,
        Self::Mahalanobis,
    ];

    /// The name in tables and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mse => "mse",
            Self::R2 => "r2",
            Self::Psnr => "psnr",
            Self::Ssim => "ssim",
            Self::Euclidean => "euclidean",
            Self::Soid => "soid",
            Self::SoidOptimal => "soid-optimal",
            Self::Correlation => "correlation",
            Self::SignedCorrelation => "signed-correlation",
            Self::DeltaE94 => "delta-e94",
            Self::DeltaE94Sum => "delta-e94-sum",
            Self::Mahalanobis => "mahalanobis",
        }
    }

    /// Whether a better reconstruction has a higher score; of the others, a lower one.
    pub fn higher_is_better(self) -> bool {
        matches!(self, Self::R2 | Self::Psnr | Self::Ssim)
    }

    /// The score with its sign chosen so that higher is better: what is correlated with accuracy.
    pub fn quality(self, value: f64) -> f64 {
        if self.higher_is_better() { value } else { -value }
    }

    /// Whether it is a number of a whole set, from sums over all pictures, and not a mean over pictures.
    pub fn is_of_a_set(self) -> bool {
        matches!(self, Self::R2 | Self::Psnr)
    }

    /// Whether pictures of this shape (H, W, C) can be compared.
    pub(super) fn check(self, [height, width, channels]: [usize; 3]) -> Result<(), ScoreError> {
        let of_colours = matches!(self, Self::Euclidean | Self::DeltaE94 | Self::DeltaE94Sum | Self::Mahalanobis);
        if of_colours && channels != 1 && channels != 3 {
            return Err(ScoreError::Channels { score: self, channels });
        }
        if self == Self::Ssim { SsimSettings::default().check([height, width]) } else { Ok(()) }
    }

    /// Whether it is made of the colour difference CIE94 of each pixel, and of nothing else.
    pub(super) fn is_of_colours_as_seen(self) -> bool {
        matches!(self, Self::DeltaE94 | Self::DeltaE94Sum)
    }

    /// The score of a picture (H, W, and whatever else) with this mean of [CIE94](Self::is_of_colours_as_seen).
    pub(super) fn of_mean_difference(self, mean: f64, [height, width, _]: [usize; 3]) -> f64 {
        if self == Self::DeltaE94Sum { mean * (height * width) as f64 } else { mean }
    }

    /// The score of one picture that [`check`](Self::check) accepts; for those of a set, its mean squared error.
    pub(super) fn of_picture(self, pair: &Pair, scratch: &mut SsimScratch) -> f64 {
        match self {
            Self::Mse | Self::R2 | Self::Psnr => mean_squared_error(pair.reconstruction, pair.original),
            Self::Ssim => {
                let score = SsimSettings::default().score_with(pair, scratch);
                score.expect("the shape was checked")
            }
            Self::Euclidean => pixel_distances::euclidean(pair),
            Self::Soid => signal::soid(pair),
            Self::SoidOptimal => signal::soid_optimal(pair),
            Self::Correlation => signal::correlation(pair),
            Self::SignedCorrelation => signal::signed_correlation(pair),
            Self::DeltaE94 | Self::DeltaE94Sum => {
                self.of_mean_difference(pixel_distances::delta_e94_mean(pair), pair.shape)
            }
            Self::Mahalanobis => pixel_distances::mahalanobis(pair),
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Score {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|score| score.name() == name).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|score| score.name()).collect();
            format!("there is no score {name:?}; there are {}", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for score in Score::ALL {
            assert_eq!(score.name().parse(), Ok(score));
            assert_eq!(serde_json::to_value(score).unwrap(), score.name());
        }
        let error = "sim".parse::<Score>().unwrap_err();
        assert!(error.starts_with("there is no score \"sim\"; there are mse, r2, psnr, ssim,"), "{error}");
    }

    #[test]
    fn quality_is_higher_for_the_better_reconstruction() {
        use crate::scores::score_pictures;
        use patchgrad::Tensor;
        // Two different colour pictures, and reconstructions with a little and with much noise.
        let value = |i: usize, period: usize| ((i * 31) % period) as f32 / period as f32 - 0.5;
        let originals = Tensor::from_fn([2, 8, 8, 3], |i| value(i, 97));
        let noisy = |amount: f32| Tensor::from_fn([2, 8, 8, 3], |i| value(i, 97) + amount * value(i, 13));
        for score in Score::ALL {
            let [good, bad] = [0.1, 0.8].map(|amount| score_pictures(score, &originals, &noisy(amount)).unwrap().value);
            assert!(score.quality(good) > score.quality(bad), "{score}: {good}, {bad}");
        }
    }
}
