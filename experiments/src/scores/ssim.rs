//! SSIM: are the means, contrasts and structures of small windows alike?
//!
//! ```text
//! (2 m_a m_b + c1) (2 s_ab + c2) / ((m_a^2 + m_b^2 + c1) (s_aa + s_bb + c2))
//! ```
//!
//! with Gaussian-weighted means m, variances and covariance s (divisor: the sum of weights) in a window around each pixel,
//! `c1 = (0.01 L)^2` and `c2 = (0.03 L)^2`. The score is the mean over all windows that lie inside the picture, and over
//! channels (Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
//! similarity", 2004).

use super::{Pair, ScoreError};

/// Window and range of SSIM.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SsimSettings {
    /// Side of the window, odd.
    pub window: usize,
    /// Standard deviation of the Gaussian weights, in pixels.
    pub sigma: f64,
    /// L, the range of values.
    pub range: f64,
}

impl Default for SsimSettings {
    /// A window of 7 x 7, sigma 1.5, and 2 for pictures in [-1, 1]. (Wang et al. have 11 x 11, too much for 28 x 28 pixels.)
    fn default() -> Self {
        Self { window: 7, sigma: 1.5, range: 2.0 }
    }
}

/// Memory that [`SsimSettings::score`] works in; kept between pictures.
#[derive(Debug, Default)]
pub struct SsimScratch {
    filtered_rows: Vec<f64>,
}

/// What is averaged in a window: a, b, a^2, b^2, ab.
const MOMENTS: usize = 5;

impl SsimSettings {
    /// SSIM of a reconstruction: 1 when it equals the original.
    ///
    /// # Errors
    /// When the window does not fit the picture.
    ///
    /// # Panics
    /// If the window is even.
    pub fn score(&self, pair: &Pair) -> Result<f64, ScoreError> {
        self.score_with(pair, &mut SsimScratch::default())
    }

    pub(super) fn check(&self, [height, width]: [usize; 2]) -> Result<(), ScoreError> {
        assert!(self.window % 2 == 1, "ssim: the window {} must be odd", self.window);
        let fits = height.min(width) >= self.window;
        if fits { Ok(()) } else { Err(ScoreError::Window { window: self.window, height, width }) }
    }

    pub(super) fn score_with(&self, pair: &Pair, scratch: &mut SsimScratch) -> Result<f64, ScoreError> {
        let [height, width, channels] = pair.shape;
        self.check([height, width])?;
        let weights = self.weights();
        let (rows_out, row_len) = (height + 1 - self.window, (width + 1 - self.window) * channels);
        let rows = &mut scratch.filtered_rows;
        rows.clear();
        rows.resize(height * MOMENTS * row_len, 0.0);
        for (y, row) in rows.chunks_exact_mut(MOMENTS * row_len).enumerate() {
            let pixels = y * width * channels..(y + 1) * width * channels;
            filter_row(&pair.reconstruction[pixels.clone()], &pair.original[pixels], channels, &weights, row);
        }
        let (c1, c2) = ((0.01 * self.range).powi(2), (0.03 * self.range).powi(2));
        let mut window = vec![0.0; MOMENTS * row_len];
        let mut sum = 0.0;
        for y in 0..rows_out {
            window.fill(0.0);
            for (k, weight) in weights.iter().enumerate() {
                let row = &rows[(y + k) * MOMENTS * row_len..][..MOMENTS * row_len];
                window.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
            }
            let moment = |index: usize| &window[index * row_len..][..row_len];
            let (a, b, aa, bb, ab) = (moment(0), moment(1), moment(2), moment(3), moment(4));
            for i in 0..row_len {
                let (mean_product, mean_squares) = (a[i] * b[i], a[i] * a[i] + b[i] * b[i]);
                let covariance = ab[i] - mean_product;
                let variances = aa[i] + bb[i] - mean_squares;
                sum += (2.0 * mean_product + c1) * (2.0 * covariance + c2) / ((mean_squares + c1) * (variances + c2));
            }
        }
        Ok(sum / (rows_out * row_len) as f64)
    }

    /// The Gaussian's values at whole numbers, scaled to a sum of 1.
    fn weights(&self) -> Vec<f64> {
        let radius = (self.window / 2) as f64;
        let values = (0..self.window).map(|i| (-0.5 * ((i as f64 - radius) / self.sigma).powi(2)).exp());
        let values: Vec<f64> = values.collect();
        let sum: f64 = values.iter().sum();
        values.iter().map(|value| value / sum).collect()
    }
}

/// Averages the five moments of a row of pixels along it; `out` holds them one after the other.
///
/// Channels lie side by side, so "the next pixel" is `channels` values on, and one loop serves them all.
fn filter_row(a: &[f32], b: &[f32], channels: usize, weights: &[f64], out: &mut [f64]) {
    let row_len = out.len() / MOMENTS;
    out.fill(0.0);
    let mut moments = out.chunks_exact_mut(row_len);
    let mut next = || moments.next().expect("five moments");
    let (mean_a, mean_b, aa, bb, ab) = (next(), next(), next(), next(), next());
    for (k, weight) in weights.iter().enumerate() {
        let (a, b) = (&a[k * channels..][..row_len], &b[k * channels..][..row_len]);
        for i in 0..row_len {
            let (a, b) = (f64::from(a[i]), f64::from(b[i]));
            mean_a[i] += weight * a;
            mean_b[i] += weight * b;
            aa[i] += weight * a * a;
            bb[i] += weight * b * b;
            ab[i] += weight * a * b;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_pictures_by_hand() {
        // Without variance the second factor is 1: (2 m n + c1) / (m^2 + n^2 + c1), c1 = 0.0004.
        let (a, b) = ([0.5; 49], [0.25; 49]);
        let score =
            SsimSettings::default().score(&Pair { original: &a, reconstruction: &b, shape: [7, 7, 1] }).unwrap();
        assert!((score - 0.2504 / 0.3129).abs() < 1e-12, "{score}");
    }

    #[test]
    fn equal_pictures_score_one_and_inverted_structure_less_than_nothing() {
        // Around 0.3; turned over, the windows keep about their means. (Around 0 they would not: there the means of a negative
        // have the wrong sign as well, and both factors are negative.)
        let a: Vec<f32> = (0..9 * 8 * 3).map(|i| 0.3 + ((i * 31) % 17) as f32 / 20.0 - 0.4).collect();
        let inverted: Vec<f32> = a.iter().map(|a| 0.6 - a).collect();
        let score = |reconstruction: &[f32]| {
            SsimSettings::default().score(&Pair { original: &a, reconstruction, shape: [9, 8, 3] }).unwrap()
        };
        assert!((score(&a) - 1.0).abs() < 1e-14);
        assert!(score(&inverted) < -0.5, "{}", score(&inverted));
    }

    #[test]
    fn a_window_that_does_not_fit_is_an_error() {
        let pair = Pair { original: &[0.0; 48], reconstruction: &[0.0; 48], shape: [6, 8, 1] };
        let error = SsimSettings::default().score(&pair).unwrap_err();
        assert_eq!(error.to_string(), "ssim: a window of 7 x 7 does not fit 6 x 8 pixels; try a larger patch, or mse");
        assert!(SsimSettings { window: 5, ..Default::default() }.score(&pair).is_ok());
    }
}
