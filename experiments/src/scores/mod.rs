//! How well pictures are reconstructed.
//!
//! | score | what it asks | better is |
//! |---|---|---|
//! | [`Mse`](Score::Mse), [`R2`](Score::R2), [`Psnr`](Score::Psnr) | how far is every value off? | low, high, high |
//! | [`Ssim`](Score::Ssim) | are means, contrasts and structures of small windows alike? | high |
//! | [`Euclidean`](Score::Euclidean) | how far apart are the colours of a pixel? | low |
//! | [`Soid`](Score::Soid), [`SoidOptimal`](Score::SoidOptimal) | the same, after a change of brightness and contrast | low |
//! | [`Correlation`](Score::Correlation), [`SignedCorrelation`](Score::SignedCorrelation) | do the values rise and fall together? | low |
//! | [`DeltaE94`](Score::DeltaE94), [`DeltaE94Sum`](Score::DeltaE94Sum) | how different do the colours look? | low |
//! | [`Mahalanobis`](Score::Mahalanobis) | how far off, measured by how much colours vary here? | low |
//!
//! The last five are N-light-N's (M. Seuret, M. Alberti, R. Ingold and M. Liwicki: the framework of arXiv 1703.04332), written
//! anew from their formulas. [`Score::quality`] turns each into a number that is higher for a better reconstruction.
//!
//! [`score_pictures`] compares whole pictures, [`score_patches`] the patches at the same places of original and
//! reconstruction. Pictures are `[N, H, W, C]` in [-1, 1] with one (grey) or three (red, green, blue) channels.

mod colour;
mod evaluate;
mod pixel_colours;
mod pixel_distances;
mod reconstruction;
mod score;
mod signal;
mod ssim;
mod sums;

pub use crate::classification::accuracy;
pub use colour::{Lab, Rgb, Xyz, delta_e76, delta_e94};
pub use evaluate::{PatchGrid, ScoreSummary, score_patches, score_pictures};
pub use reconstruction::{Reconstruction, r2_of_clipped};
pub use score::Score;
pub use ssim::SsimSettings;

/// A picture, or a patch of one, and what it was reconstructed as.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// H x W x C values, channels last, in [-1, 1].
    pub original: &'a [f32],
    /// As many values; those of a linear decoder may leave [-1, 1].
    pub reconstruction: &'a [f32],
    /// H, W, C.
    pub shape: [usize; 3],
}

/// Why pictures cannot be compared by a score.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// The tensors are not two equal sets of pictures.
    #[error(
        "originals {originals} and reconstructions {reconstructions} must have the same shape (N, H, W, C), none of it 0"
    )]
    Shapes {
        /// Shape of the originals.
        originals: String,
        /// Shape of the reconstructions.
        reconstructions: String,
    },
    /// The score needs colours, or grey.
    #[error("{score} compares pictures of 1 (grey) or 3 (red, green, blue) channels, not of {channels}")]
    Channels {
        /// The score.
        score: Score,
        /// Channels of the pictures.
        channels: usize,
    },
    /// The window of SSIM is larger than the picture or patch.
    #[error("ssim: a window of {window} x {window} does not fit {height} x {width} pixels; try a larger patch, or mse")]
    Window {
        /// Side of the window.
        window: usize,
        /// Rows of the picture or patch.
        height: usize,
        /// Columns of the picture or patch.
        width: usize,
    },
    /// A patch is larger than the picture, or has no pixel, or steps by 0.
    #[error(
        "patches of {size:?} in steps of {step:?} do not fit pictures of {picture:?} (height, width); sizes and steps \
         start at 1"
    )]
    Patches {
        /// Height and width of a patch.
        size: [usize; 2],
        /// Steps down and to the right.
        step: [usize; 2],
        /// Height and width of a picture.
        picture: [usize; 2],
    },
}
