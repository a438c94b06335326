//! A score of a whole set of pictures, or of their patches.

use super::{
    Pair, Score, ScoreError, pixel_colours::delta_e94_of_pixels, pixel_distances, reconstruction::mean_picture,
    ssim::SsimScratch,
};
use patchgrad::{Tensor, parallel};
use serde::Serialize;

/// Pictures whose scores one piece of work computes.
const PICTURES_PER_CHUNK: usize = 16;

/// The score of a set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreSummary {
    /// Which one.
    pub score: Score,
    /// The mean over pictures (or patches); for [`Score::R2`] and [`Score::Psnr`] the score of the set.
    pub value: f64,
    /// The variance (divisor n) over pictures or patches; `None` for the scores of a set.
    pub variance: Option<f64>,
    /// The score of each picture; with patches, those of the first picture first. Empty for the scores of a set.
    #[serde(skip)]
    pub items: Vec<f64>,
}

/// Where patches lie in a picture: the first in the top left corner, then to the right, then row by row.
///
/// Patches that would hang over the edge are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatchGrid {
    /// Height and width of a patch.
    pub size: [usize; 2],
    /// Steps down and to the right from one patch to the next; the size, for patches that tile the picture.
    pub step: [usize; 2],
}

impl PatchGrid {
    /// Top left corners in a picture of this height and width.
    ///
    /// # Errors
    /// When a patch does not fit, or a size or a step is 0.
    pub fn corners(&self, picture: [usize; 2]) -> Result<Vec<[usize; 2]>, ScoreError> {
        let Self { size, step } = *self;
        let fits = (0..2).all(|axis| (1..=picture[axis]).contains(&size[axis]) && step[axis] > 0);
        if !fits {
            return Err(ScoreError::Patches { size, step, picture });
        }
        let along = |axis: usize| (0..=picture[axis] - size[axis]).step_by(step[axis]);
        Ok(along(0).flat_map(|top| along(1).map(move |left| [top, left])).collect())
    }
}

/// Scores full reconstructions, `[N, H, W, C]` both; the mean and the variance are those over pictures.
///
/// The bits do not depend on the number of threads.
///
/// # Errors
/// When the shapes differ or do not suit the score.
pub fn score_pictures(score: Score, originals: &Tensor, reconstructions: &Tensor) -> Result<ScoreSummary, ScoreError> {
    let [_, height, width, _] = shape_of_set(originals, reconstructions)?;
    score_patches(score, originals, reconstructions, PatchGrid { size: [height, width], step: [height, width] })
}

/// Scores patches of full reconstructions: each patch of an original is compared with the patch **at the same place** of its
/// reconstruction, after overlaps were averaged and whatever else decoding did. The mean and the variance are those over all
/// patches of all pictures.
///
/// # Errors
/// When the shapes differ or do not suit the score, or no patch fits.
pub fn score_patches(
    score: Score,
    originals: &Tensor,
    reconstructions: &Tensor,
    grid: PatchGrid,
) -> Result<ScoreSummary, ScoreError> {
    let [count, height, width, channels] = shape_of_set(originals, reconstructions)?;
    let corners = grid.corners([height, width])?;
    let shape = [grid.size[0], grid.size[1], channels];
    score.check(shape)?;
    let whole = grid.size == [height, width];
    let mut items = vec![0.0; count * corners.len()];
    parallel::for_each_chunk(&mut items, PICTURES_PER_CHUNK * corners.len(), |chunk, items| {
        let mut scratch = SsimScratch::default();
        let (mut original_patch, mut reconstruction_patch) = (Vec::new(), Vec::new());
        let mut patch_of_differences = Vec::new();
        for (picture, items) in items.chunks_mut(corners.len()).enumerate() {
            let index = chunk * PICTURES_PER_CHUNK + picture;
            let (original, reconstruction) =
                (originals.samples(index..index + 1), reconstructions.samples(index..index + 1));
            if score.is_of_colours_as_seen() && !whole {
                // The patches overlap; the colours of a pixel are compared once.
                let pair = Pair { original, reconstruction, shape: [height, width, channels] };
                let differences = delta_e94_of_pixels(&pair);
                for (item, &corner) in items.iter_mut().zip(&corners) {
                    let size = [grid.size[0], grid.size[1], 1];
                    let mean = pixel_distances::mean(cut(&differences, width, corner, size, &mut patch_of_differences));
                    *item = score.of_mean_difference(mean, size);
                }
                continue;
            }
            for (item, &corner) in items.iter_mut().zip(&corners) {
                let pair = if whole {
                    Pair { original, reconstruction, shape }
                } else {
                    Pair {
                        original: cut(original, width, corner, shape, &mut original_patch),
                        reconstruction: cut(reconstruction, width, corner, shape, &mut reconstruction_patch),
                        shape,
                    }
                };
                *item = score.of_picture(&pair, &mut scratch);
            }
        }
    });
    Ok(summarise(score, items, || spread_around_mean(originals, &corners, shape)))
}

/// N, H, W, C of two equal sets of pictures.
fn shape_of_set(originals: &Tensor, reconstructions: &Tensor) -> Result<[usize; 4], ScoreError> {
    let shape: Option<[usize; 4]> = originals.shape().dims().try_into().ok();
    match shape {
        Some(shape) if originals.shape() == reconstructions.shape() && !originals.is_empty() => Ok(shape),
        _ => Err(ScoreError::Shapes {
            originals: originals.shape().to_string(),
            reconstructions: reconstructions.shape().to_string(),
        }),
    }
}

/// The values of a patch, in `to`.
fn cut<'a, T: Copy>(picture: &[T], width: usize, corner: [usize; 2], shape: [usize; 3], to: &'a mut Vec<T>) -> &'a [T] {
    let ([top, left], [height, patch_width, channels]) = (corner, shape);
    to.clear();
    for y in top..top + height {
        to.extend_from_slice(&picture[(y * width + left) * channels..][..patch_width * channels]);
    }
    to
}

/// Mean and variance of the items, or the score of the set that their mean squared errors give. `spread` is the mean squared
/// error of a decoder that always shows the mean picture.
fn summarise(score: Score, items: Vec<f64>, spread: impl Fn() -> f64) -> ScoreSummary {
    let count = items.len() as f64;
    let mean = items.iter().sum::<f64>() / count;
    let of_set = |value| ScoreSummary { score, value, variance: None, items: Vec::new() };
    match score {
        Score::Psnr => of_set(10.0 * (4.0 / mean).log10()),
        Score::R2 => of_set(1.0 - mean / spread()),
        _ => {
            let variance = items.iter().map(|item| (item - mean).powi(2)).sum::<f64>() / count;
            ScoreSummary { score, value: mean, variance: Some(variance), items }
        }
    }
}

/// Mean over all patches of the squared difference between the original and the mean of the set at the same place.
fn spread_around_mean(originals: &Tensor, corners: &[[usize; 2]], shape: [usize; 3]) -> f64 {
    let mean = mean_picture(originals);
    let shape_of_set = originals.shape();
    let (count, width) = (shape_of_set.dims()[0], shape_of_set.dims()[2]);
    let total = parallel::sum_of_chunks(count, |index| {
        let (mut patch, mut mean_patch) = (Vec::new(), Vec::new());
        let spread = |&corner: &[usize; 2]| -> f64 {
            let original = cut(originals.samples(index..index + 1), width, corner, shape, &mut patch);
            let mean = cut(&mean, width, corner, shape, &mut mean_patch);
            original.iter().zip(mean).map(|(&value, mean)| (f64::from(value) - mean).powi(2)).sum()
        };
        corners.iter().map(spread).sum()
    });
    total / (count * corners.len() * shape.iter().product::<usize>()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        scae::{LayerGeometry, LayerSpec, Scae, ScaeSpec},
        scores::Reconstruction,
    };
    use patchgrad::{Workspace, ops::Activation, random::stream};

    /// Pictures in which no two patches are alike.
    fn pictures(shape: [usize; 4]) -> Tensor {
        Tensor::from_fn(shape, |i| ((i * 7919) % 1009) as f32 / 504.5 - 1.0)
    }

    #[test]
    fn mean_and_variance_are_those_over_pictures() {
        let originals = Tensor::new([2, 1, 2, 1], &[1.0, 1.0, -1.0, 1.0]);
        let reconstructions = Tensor::new([2, 1, 2, 1], &[0.5, 1.0, -1.0, 0.0]);
        let mse = score_pictures(Score::Mse, &originals, &reconstructions).unwrap();
        assert_eq!((mse.value, mse.variance), (0.3125, Some(0.1875 * 0.1875)));
        assert_eq!(mse.items, [0.125, 0.5]);
        // The same numbers as of the set as a whole.
        let whole = Reconstruction::score(&originals, reconstructions.as_slice());
        let r2 = score_pictures(Score::R2, &originals, &reconstructions).unwrap();
        assert_eq!((r2.value, r2.variance), (whole.r2, None));
        assert_eq!(score_pictures(Score::Psnr, &originals, &reconstructions).unwrap().value, whole.psnr);
    }

    #[test]
    fn patches_by_hand() {
        // 2 x 3 pixels, patches of 2 x 1 side by side: errors in the first and the last column.
        let originals = Tensor::zeros([1, 2, 3, 1]);
        let reconstructions = Tensor::new([1, 2, 3, 1], &[1.0, 0.0, 0.0, 1.0, 0.0, 2.0]);
        let grid = PatchGrid { size: [2, 1], step: [2, 1] };
        let scored = score_patches(Score::Mse, &originals, &reconstructions, grid).unwrap();
        assert_eq!(scored.items, [1.0, 0.0, 2.0]);
        let overlapping = PatchGrid { size: [1, 2], step: [1, 1] };
        let scored = score_patches(Score::Mse, &originals, &reconstructions, overlapping).unwrap();
        assert_eq!(scored.items, [0.5, 0.0, 0.5, 2.0]);
    }

    /// Defect D3 of N-light-N: with more than one layer, the patch at the top left of the original is compared with the patch
    /// at the bottom right of the reconstruction.
    #[test]
    fn d3_patches_are_compared_with_those_at_the_same_place() {
        let layer = |kernel, offset, features| LayerSpec {
            geometry: LayerGeometry { kernel, offset },
            features,
            unit: crate::units::UnitSpec::standard(Activation::Softsign, Activation::Linear),
        };
        let spec = ScaeSpec { picture: [8, 8, 3], layers: vec![layer(4, 4, 6), layer(2, 2, 5)] };
        let scae = Scae::new(spec, &mut stream(3, "init", 0));
        let originals = pictures([5, 8, 8, 3]);
        let mut decoded = scae.reconstruct(&originals, &mut Workspace::new());
        let grid = PatchGrid { size: [4, 4], step: [4, 4] };
        // Patches that tile the picture have its error as their mean.
        let whole = score_pictures(Score::Mse, &originals, &decoded).unwrap();
        let patches = score_patches(Score::Mse, &originals, &decoded, grid).unwrap();
        for (picture, patches) in whole.items.iter().zip(patches.items.chunks(4)) {
            assert!((patches.iter().sum::<f64>() / 4.0 - picture).abs() < 1e-12);
        }
        // A network that decodes the first patch of the first layer perfectly: that patch, and no other, has no error.
        for index in 0..5 {
            for y in 0..4 {
                let at = (index * 64 + y * 8) * 3;
                decoded.as_mut_slice()[at..at + 12].copy_from_slice(&originals.as_slice()[at..at + 12]);
            }
        }
        for score in [Score::Mse, Score::Euclidean, Score::Soid, Score::DeltaE94, Score::Mahalanobis] {
            let patches = score_patches(score, &originals, &decoded, grid).unwrap();
            for patches in patches.items.chunks(4) {
                assert!(patches[0] < 1e-10 && patches[1..].iter().all(|&error| error > 1e-2), "{score}: {patches:?}");
            }
        }
    }

    #[test]
    fn the_sum_of_colour_differences_is_the_mean_times_the_pixels() {
        let (originals, decoded) = (pictures([2, 6, 5, 3]), Tensor::zeros([2, 6, 5, 3]));
        let [mean, sum] = [Score::DeltaE94, Score::DeltaE94Sum]
            .map(|score| score_pictures(score, &originals, &decoded).unwrap().value);
        assert!((sum / mean - 30.0).abs() < 1e-10);
    }

    #[test]
    fn overlapping_patches_have_the_colour_differences_of_their_cuttings() {
        let (originals, decoded) = (pictures([1, 6, 5, 3]), Tensor::from_fn([1, 6, 5, 3], |i| (i as f32).sin()));
        let grid = PatchGrid { size: [3, 2], step: [1, 1] };
        for score in [Score::DeltaE94, Score::DeltaE94Sum] {
            let items = score_patches(score, &originals, &decoded, grid).unwrap().items;
            let corners = grid.corners([6, 5]).unwrap();
            assert_eq!(items.len(), corners.len());
            for (item, corner) in items.iter().zip(corners) {
                let cutting = |set: &Tensor| {
                    Tensor::new([1, 3, 2, 3], cut(set.samples(0..1), 5, corner, [3, 2, 3], &mut Vec::new()))
                };
                let alone = score_pictures(score, &cutting(&originals), &cutting(&decoded)).unwrap().value;
                assert!((item - alone).abs() < 1e-9, "{score} at {corner:?}: {item}, {alone}");
            }
        }
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let originals = pictures([70, 9, 8, 3]);
        let decoded = Tensor::from_fn([70, 9, 8, 3], |i| 0.7 * ((i * 7919) % 1009) as f32 / 504.5 - 0.6);
        let grid = PatchGrid { size: [7, 7], step: [1, 1] };
        for score in Score::ALL {
            let scored = |threads| {
                parallel::with_threads(threads, || {
                    let patches = score_patches(score, &originals, &decoded, grid).unwrap();
                    (score_pictures(score, &originals, &decoded).unwrap(), patches)
                })
            };
            let one = scored(1);
            assert!(one.0.value.is_finite() && [2, 8].into_iter().all(|threads| scored(threads) == one), "{score}");
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let (grey, colour) = (pictures([2, 6, 6, 1]), pictures([2, 6, 6, 3]));
        let text = |result: Result<ScoreSummary, ScoreError>| result.unwrap_err().to_string();
        assert_eq!(
            text(score_pictures(Score::Mse, &grey, &colour)),
            "originals [2, 6, 6, 1] and reconstructions [2, 6, 6, 3] must have the same shape (N, H, W, C), none of it 0"
        );
        assert!(
            text(score_pictures(Score::Ssim, &grey, &grey)).starts_with("ssim: a window of 7 x 7 does not fit 6 x 6")
        );
        let two = pictures([1, 6, 6, 2]);
        assert!(text(score_pictures(Score::Mahalanobis, &two, &two)).starts_with("mahalanobis compares pictures of 1"));
        assert!(score_pictures(Score::Soid, &two, &two).is_ok());
        for (size, step) in [([7, 1], [1, 1]), ([0, 1], [1, 1]), ([2, 2], [1, 0])] {
            let error = text(score_patches(Score::Mse, &grey, &grey, PatchGrid { size, step }));
            assert!(error.contains("do not fit pictures of [6, 6]"), "{error}");
        }
    }
}
