//! The errors of a whole set: mean squared error, R2, PSNR.

use super::sums::sums;
use patchgrad::{Tensor, parallel};
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

/// Pictures whose sums one piece of work computes.
const PICTURES_PER_CHUNK: usize = 64;

/// The mean of every pixel of pictures `[N, ..]`, in f64; the bits do not depend on the number of threads.
pub(super) fn mean_picture(pictures: &Tensor) -> Vec<f64> {
    let count = pictures.shape().dims()[0];
    let pixels = pictures.len() / count;
    let sums = parallel::map(count.div_ceil(PICTURES_PER_CHUNK), |chunk| {
        let mut sum = vec![0.0; pixels];
        for picture in chunk_of(pictures.as_slice(), pixels, chunk).chunks_exact(pixels) {
            sum.iter_mut().zip(picture).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        sum
    });
    let mut mean = vec![0.0; pixels];
    for sum in sums {
        mean.iter_mut().zip(sum).for_each(|(mean, sum)| *mean += sum);
    }
    mean.iter_mut().for_each(|mean| *mean /= count as f64);
    mean
}

/// The values of the pictures of one piece of work.
fn chunk_of(values: &[f32], pixels: usize, chunk: usize) -> &[f32] {
    let start = chunk * PICTURES_PER_CHUNK * pixels;
    &values[start..(start + PICTURES_PER_CHUNK * pixels).min(values.len())]
}

impl Reconstruction {
    /// Scores `reconstructed` against `originals`, both `[N, ..]`. The bits do not depend on the number of threads.
    ///
    /// # Panics
    /// If their sizes differ or there is no picture.
    pub fn score(originals: &Tensor, reconstructed: &[f32]) -> Self {
        assert_eq!(originals.len(), reconstructed.len(), "scores: as many values as the originals have");
        let count = originals.shape().dims()[0];
        let pixels = originals.len() / count;
        let mean = mean_picture(originals);
        let sums = parallel::map(count.div_ceil(PICTURES_PER_CHUNK), |chunk| {
            let originals = chunk_of(originals.as_slice(), pixels, chunk);
            let reconstructed = chunk_of(reconstructed, pixels, chunk);
            let [error, clipped] = sums(originals, reconstructed, |x, y| {
                let clipped = y.clamp(-1.0, 1.0);
                [(x - y) * (x - y), (x - clipped) * (x - clipped)]
            });
            let differences = originals.chunks_exact(pixels).flat_map(|picture| picture.iter().zip(&mean));
            let spread: f64 = differences.map(|(&x, mean)| (f64::from(x) - mean).powi(2)).sum();
            [error, clipped, spread]
        });
        let [error, clipped, spread] = sums.iter().fold([0.0; 3], |a, b| std::array::from_fn(|i| a[i] + b[i]));
        let values = originals.len() as f64;
        let mse = error / values;
        Self { mse, mse_clipped: clipped / values, r2: 1.0 - error / spread, psnr: 10.0 * (4.0 / mse).log10() }
    }
}

/// R² of a reconstruction clipped to [-1, 1], from its error before and after clipping and R² before: the variance around the mean picture
/// is what the latter two tell of it.
pub fn r2_of_clipped(mse: f64, mse_clipped: f64, r2: f64) -> f64 {
    1.0 - mse_clipped * (1.0 - r2) / mse
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
}
