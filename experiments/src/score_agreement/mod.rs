//! Experiment E6: does what is found depend on the score that reconstruction is judged by?
//!
//! **Question.** Over the networks of E1, do the reconstruction scores rank networks alike, does one of them follow the
//! accuracy better than the mean squared error does, and does the verdict on claim C2 change with the score?
//!
//! **Protocol.** No network is trained: the rows of [E1](crate::correlation) are read. Ten scores of the own decoder, the
//! error of the best linear decoder of the same code, and the error that N-light-N reports by mistake (defect D3: the top left
//! patch of the original against the bottom right one of the reconstruction).
//!
//! **Measures.** Kendall's tau between all scores ([`agreement`]); for each score Spearman's rho with the accuracy of the
//! logistic probe and the registered verdict, and the difference of its rho to that of the mean squared error, with the same held
//! fixed, by bootstrap and by Steiger's test with Holm's correction ([`scores`]).

pub mod agreement;
mod e6;
mod page;
pub mod scores;

pub use e6::E6;

use crate::correlation::relations::Column;

/// A reconstruction score of E1's rows.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    /// As in tables: `mse`.
    pub name: &'static str,
    /// As on the page.
    pub label: &'static str,
    /// As quality: more is better.
    pub quality: Column,
    /// The quality of E1 that ranks every network alike, if it has one.
    pub of_e1: Option<&'static str>,
}

impl Score {
    const fn new(name: &'static str, label: &'static str, of_e1: Option<&'static str>, quality: Column) -> Self {
        Self { name, label, quality, of_e1 }
    }
}

/// The score that the others are compared with.
pub const REFERENCE: &str = "mse";

/// Every score, the reference first. PSNR is a falling function of the mean squared error.
pub const SCORES: [Score; 12] = [
    Score::new(REFERENCE, "MSE", Some("mse"), |row| row.mse.map(|value| -value)),
    Score::new("psnr", "PSNR", Some("mse"), |row| row.psnr),
    Score::new("mse-clipped", "MSE, clipped", Some("mse-clipped"), |row| row.mse_clipped.map(|value| -value)),
    Score::new("euclidean", "Euclidean", Some("euclidean"), |row| row.euclidean.map(|value| -value)),
    Score::new("ssim", "SSIM", Some("ssim"), |row| row.ssim),
    Score::new("soid", "SOID", Some("soid"), |row| row.soid.map(|value| -value)),
    Score::new("soid-optimal", "SOID, optimal", Some("soid-optimal"), |row| row.soid_optimal.map(|value| -value)),
    Score::new("correlation", "correlation", Some("correlation"), |row| row.correlation.map(|value| -value)),
    Score::new("delta-e94", "Delta E94", Some("delta-e94"), |row| row.delta_e94.map(|value| -value)),
    Score::new("mahalanobis", "Mahalanobis", Some("mahalanobis"), |row| row.mahalanobis.map(|value| -value)),
    Score::new("misaligned", "misaligned (D3)", None, |row| row.misaligned_mse.map(|value| -value)),
    Score::new("linear-decoder", "linear decoder", Some("linear-decoder"), |row| {
        row.linear_decoder_mse.map(|value| -value)
    }),
];
