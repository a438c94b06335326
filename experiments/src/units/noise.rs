//! What corrupts a patch before a denoising unit encodes it.

use patchgrad::{Tensor, random::Stream};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// Corruption of a patch `[k, k, d]` (Vincent et al., "Stacked denoising autoencoders", JMLR 2010).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Noise {
    /// The patch is cut into blocks of `block` x `block` pixels from its upper left corner (those at the other border may be
    /// smaller); each is set to 0, in all channels, with this probability. A block of 1 masks pixels.
    Masking {
        /// In [0, 1].
        probability: f64,
        /// Width and height of a block, at least 1.
        block: usize,
    },
    /// Adds a normal number of this standard deviation to every value.
    Gaussian {
        /// At least 0.
        sd: f64,
    },
    /// Sets every value with this probability to `low` or `high`, each as often.
    SaltAndPepper {
        /// In [0, 1].
        probability: f64,
        /// Pepper, -1 for pictures in [-1, 1].
        low: f32,
        /// Salt.
        high: f32,
    },
    /// Every value becomes a mean of its channel around it, with the weights of a normal distribution. Nothing is random.
    Blur {
        /// Standard deviation in pixels, at least 0; neighbours up to 3 of them away count, those outside the patch do not.
        sd: f64,
    },
}

impl Noise {
    /// Says what is wrong with the parameters, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        match *self {
            Self::Masking { probability, .. } | Self::SaltAndPepper { probability, .. }
                if !(0.0..=1.0).contains(&probability) =>
            {
                Err(format!("the probability of the noise is {probability}, but must be in [0, 1]"))
            }
            Self::Masking { block: 0, .. } => {
                Err("the noise masks blocks of 0 pixels; a block of 1 masks pixels".into())
            }
            Self::SaltAndPepper { low, high, .. } if !(low.is_finite() && high.is_finite()) => {
                Err(format!("salt and pepper are {high} and {low}, but must be finite"))
            }
            Self::Gaussian { sd } | Self::Blur { sd } if !(sd >= 0.0 && sd.is_finite()) => {
                Err(format!("the standard deviation of the noise is {sd}, but must be finite and at least 0"))
            }
            _ => Ok(()),
        }
    }

    /// Corrupts patches `[B, k, k, d]` in place.
    ///
    /// # Panics
    /// If `patches` has another number of axes.
    pub fn corrupt(&self, patches: &mut Tensor, stream: &mut Stream) {
        let [_, height, width, depth] = patches.shape().nhwc().expect("patches are [B, k, k, d]");
        match *self {
            Self::Masking { probability, block } => {
                for patch in patches.as_mut_slice().chunks_exact_mut((height * width * depth).max(1)) {
                    for top in (0..height).step_by(block) {
                        for left in (0..width).step_by(block) {
                            if !stream.random_bool(probability) {
                                continue;
                            }
                            let columns = left * depth..(left + block).min(width) * depth;
                            for row in patch.chunks_exact_mut(width * depth).skip(top).take(block) {
                                row[columns.clone()].fill(0.0);
                            }
                        }
                    }
                }
            }
            Self::Gaussian { sd } => {
                for value in patches.as_mut_slice() {
                    let normal: f64 = StandardNormal.sample(stream);
                    *value += (sd * normal) as f32;
                }
            }
            Self::SaltAndPepper { probability, low, high } => {
                for value in patches.as_mut_slice() {
                    if stream.random_bool(probability) {
                        *value = if stream.random() { high } else { low };
                    }
                }
            }
            Self::Blur { sd } => {
                let size = [height, width, depth];
                let patches = patches.as_mut_slice().chunks_exact_mut((height * width * depth).max(1));
                patches.for_each(|patch| blur(patch, size, sd));
            }
        }
    }
}

/// Blurs a patch `[height, width, depth]` along its columns, then along its rows.
fn blur(patch: &mut [f32], [height, width, depth]: [usize; 3], sd: f64) {
    if sd == 0.0 {
        return;
    }
    // Nothing in a patch is farther away than its longer side.
    let reach = (3.0 * sd).min(height.max(width) as f64) as usize;
    let weights: Vec<f64> = (0..=reach).map(|at| (-0.5 * (at as f64 / sd).powi(2)).exp()).collect();
    for (len, stride) in [(height, width * depth), (width, depth)] {
        for start in (0..patch.len()).filter(|at| at / stride % len == 0) {
            let line: Vec<f64> = (0..len).map(|at| f64::from(patch[start + at * stride])).collect();
            for at in 0..len {
                let (mut sum, mut total) = (0.0, 0.0);
                for (other, value) in line.iter().enumerate() {
                    let weight = weights.get(at.abs_diff(other)).copied().unwrap_or(0.0);
                    sum += weight * value;
                    total += weight;
                }
                patch[start + at * stride] = (sum / total) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad::random::stream;

    fn corrupted(noise: Noise, dims: [usize; 4]) -> Tensor {
        let mut patches = Tensor::full(dims, 0.5);
        noise.corrupt(&mut patches, &mut stream(3, "noise", 0));
        patches
    }

    fn share(values: &[f32], of: f32) -> f64 {
        values.iter().filter(|&&value| value == of).count() as f64 / values.len() as f64
    }

    #[test]
    fn masked_pixels_are_zero_in_all_channels_and_as_many_as_asked_for() {
        let patches = corrupted(Noise::Masking { probability: 0.3, block: 1 }, [1000, 5, 5, 2]);
        // 25,000 pixels: the share has a standard error of 0.003.
        assert!((share(patches.as_slice(), 0.0) - 0.3).abs() < 0.012);
        assert_eq!(share(patches.as_slice(), 0.0) + share(patches.as_slice(), 0.5), 1.0);
        assert!(patches.as_slice().chunks(2).all(|pixel| pixel[0] == pixel[1]));
    }

    #[test]
    fn blocks_are_masked_as_a_whole_also_at_the_border() {
        let patches = corrupted(Noise::Masking { probability: 0.5, block: 2 }, [400, 5, 5, 1]);
        for patch in patches.as_slice().chunks(25) {
            for (at, &value) in patch.iter().enumerate() {
                let (y, x) = (at / 5, at % 5);
                assert_eq!(value, patch[y / 2 * 2 * 5 + x / 2 * 2], "pixel {y}, {x} has the value of its block");
            }
        }
        // 3,600 blocks: a standard error of 0.0083.
        let blocks: Vec<f32> = patches
            .as_slice()
            .chunks(25)
            .flat_map(|patch| [0, 2, 4, 10, 12, 14, 20, 22, 24].map(|at| patch[at]))
            .collect();
        assert!((share(&blocks, 0.0) - 0.5).abs() < 0.035);
    }

    #[test]
    fn gaussian_noise_has_its_mean_and_deviation() {
        let patches = corrupted(Noise::Gaussian { sd: 0.4 }, [1000, 5, 5, 2]);
        let n = patches.len() as f64;
        let noise: Vec<f64> = patches.as_slice().iter().map(|&value| f64::from(value) - 0.5).collect();
        let mean = noise.iter().sum::<f64>() / n;
        let sd = (noise.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        // Four standard errors: 0.4 / sqrt(50,000) of the mean, that over sqrt(2) of the deviation.
        assert!(mean.abs() < 0.0072 && (sd - 0.4).abs() < 0.0051, "{mean} {sd}");
        // Nearly independent from one value to the next.
        let covariance = noise.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / n;
        assert!(covariance.abs() < 0.003, "{covariance}");
    }

    #[test]
    fn salt_and_pepper_come_equally_often() {
        let patches = corrupted(Noise::SaltAndPepper { probability: 0.2, low: -1.0, high: 1.0 }, [1000, 5, 5, 2]);
        for (value, expected) in [(-1.0, 0.1), (1.0, 0.1), (0.5, 0.8)] {
            assert!((share(patches.as_slice(), value) - expected).abs() < 0.008, "{value}");
        }
    }

    #[test]
    fn a_blurred_pixel_becomes_a_bell_in_its_own_channel() {
        let mut patch = Tensor::zeros([1, 9, 9, 2]);
        patch.as_mut_slice()[(4 * 9 + 4) * 2] = 1.0;
        Noise::Blur { sd: 1.0 }.corrupt(&mut patch, &mut stream(3, "noise", 0));
        let at = |y: usize, x: usize, c: usize| f64::from(patch.as_slice()[(y * 9 + x) * 2 + c]);
        // Far from the border the weights are the same for all pixels, so their sum is 1.
        let sum: f64 = patch.as_slice().iter().map(|&value| f64::from(value)).sum();
        assert!((sum - 1.0).abs() < 0.02, "{sum}");
        assert!((at(4, 5, 0) / at(4, 4, 0) - (-0.5f64).exp()).abs() < 1e-6);
        assert!((at(6, 3, 0) / at(4, 4, 0) - (-2.5f64).exp()).abs() < 1e-2);
        assert!((at(3, 4, 0) - at(4, 3, 0)).abs() < 1e-7);
        assert_eq!(at(4, 0, 0), 0.0);
        assert!(patch.as_slice().iter().skip(1).step_by(2).all(|&value| value == 0.0));
        let flat = corrupted(Noise::Blur { sd: 2.0 }, [2, 4, 5, 2]);
        assert!(flat.as_slice().iter().all(|&value| (value - 0.5).abs() < 1e-6));
    }

    #[test]
    fn no_noise_changes_nothing_and_full_noise_everything() {
        assert_eq!(share(corrupted(Noise::Masking { probability: 0.0, block: 3 }, [9, 5, 5, 2]).as_slice(), 0.5), 1.0);
        assert_eq!(share(corrupted(Noise::Masking { probability: 1.0, block: 3 }, [9, 5, 5, 2]).as_slice(), 0.0), 1.0);
        assert!(Noise::Masking { probability: 1.1, block: 1 }.check().unwrap_err().contains("must be in [0, 1]"));
        assert!(Noise::Masking { probability: f64::NAN, block: 1 }.check().is_err());
        assert!(Noise::Masking { probability: 0.5, block: 0 }.check().is_err());
        assert!(Noise::Gaussian { sd: -1.0 }.check().is_err());
    }
}
