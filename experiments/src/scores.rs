//! How well pictures are reconstructed.

use patchgrad::Tensor;
use serde::Serialize;

/// Scores of a reconstruction over a whole set; pictures in [-1, 1].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reconstruction {
    /// Mean squared error per value, of the reconstruction as it is.
    pub mse: f64,
    /// The same after clipping the reconstruction to [-1, 1].
    pub mse_clipped: f64,
    /// `1 - sum |x - x'|^2 / sum |x - m|^2` with m the mean picture of the set, pixel by pixel: 0 for a decoder that always
    /// shows m, 1 for a perfect one.
    pub r2: f64,
    /// `10 log10(4 / mse)` in decibel: 4 is the square of the range of values.
    pub psnr: f64,
}

impl Reconstruction {
    /// Scores `reconstructed` against `originals`, both `[N, ..]`.
    ///
    /// # Panics
    /// If their sizes differ or there is no picture.
    pub fn score(originals: &Tensor, reconstructed: &[f32]) -> Self {
        assert_eq!(originals.len(), reconstructed.len(), "scores: as many values as the originals have");
        let count = originals.shape().dims()[0];
        let pixels = originals.len() / count;
        let mut mean = vec![0.0; pixels];
        for picture in originals.as_slice().chunks(pixels) {
            for (mean, &value) in mean.iter_mut().zip(picture) {
                *mean += f64::from(value) / count as f64;
            }
        }
        let (mut error, mut clipped, mut spread) = (0.0, 0.0, 0.0);
        for (x, y) in originals.as_slice().chunks(pixels).zip(reconstructed.chunks(pixels)) {
            for ((&x, &y), mean) in x.iter().zip(y).zip(&mean) {
                let (x, y) = (f64::from(x), f64::from(y));
                error += (x - y).powi(2);
                clipped += (x - y.clamp(-1.0, 1.0)).powi(2);
                spread += (x - mean).powi(2);
            }
        }
        let values = originals.len() as f64;
        let mse = error / values;
        Self { mse, mse_clipped: clipped / values, r2: 1.0 - error / spread, psnr: 10.0 * (4.0 / mse).log10() }
    }
}

/// The share of rows whose prediction is their label.
pub fn accuracy(predictions: &[u32], labels: &[u32]) -> f64 {
    let right = predictions.iter().zip(labels).filter(|(a, b)| a == b).count();
    right as f64 / labels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed_scores() {
        // Two pictures of two pixels; the mean picture is (0, 1).
        let x = Tensor::new([2, 1, 2, 1], &[1.0, 1.0, -1.0, 1.0]);
        let scores = Reconstruction::score(&x, &[0.5, 1.0, -1.0, 1.5]);
        assert_eq!(scores.mse, 0.5 / 4.0);
        assert_eq!(scores.mse_clipped, 0.25 / 4.0);
        assert_eq!(scores.r2, 1.0 - 0.5 / 2.0);
        assert!((scores.psnr - 10.0 * 32f64.log10()).abs() < 1e-12);
        let mean_picture = Reconstruction::score(&x, &[0.0, 1.0, 0.0, 1.0]);
        assert_eq!(mean_picture.r2, 0.0);
    }

    #[test]
    fn accuracy_counts_equal_entries() {
        assert_eq!(accuracy(&[1, 2, 3, 4], &[1, 2, 0, 4]), 0.75);
    }
}
