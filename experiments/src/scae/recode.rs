//! Recoding a picture larger than the receptive field: what the stack makes of it, placement by placement.
//!
//! The stack is placed at every `step` pixels, and once more at the far border where the steps do not reach it. Each placement
//! encodes its patch to the one vector at the top and decodes that; where placements overlap their mean is taken. A step as
//! wide as the receptive field tiles the picture, smaller steps are smoother. Inside one placement the layers overlap as the
//! offsets say.

use super::Scae;
use crate::batches::map_rows;
use patchgrad::{Tensor, Workspace};

/// Placements that are encoded and decoded at a time.
const PLACEMENTS: usize = 1024;

impl Scae {
    /// The picture `[1, H, W, C]` encoded and decoded at every `step` pixels, unclipped; `None` when it is smaller than the
    /// receptive field, or the stack sees another number of channels.
    ///
    /// # Panics
    /// If the step is 0.
    pub fn recode(&self, picture: &Tensor, step: usize, workspace: &mut Workspace) -> Option<Tensor> {
        assert!(step > 0, "recode: a step of 0 pixels stays in place");
        let geometry = self.spec().geometry();
        let width = geometry.receptive_field(geometry.depth() - 1);
        let &[1, height, columns, depth] = picture.shape().dims() else { return None };
        if height.min(columns) < width || depth != self.spec().picture[2] {
            return None;
        }
        let corners: Vec<[usize; 2]> = starts(height, width, step)
            .into_iter()
            .flat_map(|y| starts(columns, width, step).into_iter().map(move |x| [y, x]))
            .collect();
        let row_len = width * depth;
        let from = |[y, x]: [usize; 2], row: usize| ((y + row) * columns + x) * depth;
        let (mut sums, mut counts) = (vec![0.0f32; picture.len()], vec![0.0f32; picture.len()]);
        // A page has as many placements as pixels at a step of 1, too many to keep what each sees and makes.
        for corners in corners.chunks(PLACEMENTS) {
            let mut patches = Tensor::zeros([corners.len(), width, width, depth]);
            for (patch, &corner) in patches.as_mut_slice().chunks_exact_mut(width * row_len).zip(corners) {
                for (row, to) in patch.chunks_exact_mut(row_len).enumerate() {
                    to.copy_from_slice(&picture.as_slice()[from(corner, row)..][..row_len]);
                }
            }
            let decoded = map_rows(self.params(), &patches, width * row_len, workspace, |tape, batch| {
                let decoded = self.encode_and_decode(tape, batch);
                tape.flatten(decoded)
            });
            for (patch, &corner) in decoded.as_slice().chunks_exact(width * row_len).zip(corners) {
                for (row, values) in patch.chunks_exact(row_len).enumerate() {
                    let at = from(corner, row)..from(corner, row) + row_len;
                    sums[at.clone()].iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                    counts[at].iter_mut().for_each(|count| *count += 1.0);
                }
            }
        }
        // A step above the receptive field leaves gaps, which stay 0, the middle grey.
        sums.iter_mut().zip(&counts).filter(|(_, count)| **count > 0.0).for_each(|(sum, count)| *sum /= count);
        Some(Tensor::new(picture.shape(), &sums))
    }
}

/// Where placements of `width` start along `size` pixels: every `step`, and where the last one fits.
fn starts(size: usize, width: usize, step: usize) -> Vec<usize> {
    let last = size - width;
    let mut starts: Vec<usize> = (0..=last).step_by(step).collect();
    // With gaps between placements anyway, the border is one of them.
    if step <= width && starts.last() != Some(&last) {
        starts.push(last);
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        scae::{LayerGeometry, LayerSpec, ScaeSpec},
        units::UnitSpec,
    };
    use patchgrad::{ops::Activation, random::stream};

    fn scae() -> Scae {
        let unit = UnitSpec::standard(Activation::Tanh, Activation::Linear);
        let layer = |kernel, offset, features| LayerSpec { geometry: LayerGeometry { kernel, offset }, features, unit };
        let spec = ScaeSpec { picture: [6, 6, 2], layers: vec![layer(4, 2, 5), layer(2, 2, 6)] };
        Scae::new(spec, &mut stream(1, "init", 0))
    }

    fn picture(height: usize, width: usize) -> Tensor {
        Tensor::from_fn([1, height, width, 2], |i| ((i * 31) % 67) as f32 / 33.0 - 1.0)
    }

    /// N-light-N wrote an empty picture here.
    #[test]
    fn d8_a_picture_as_large_as_the_receptive_field_is_recoded() {
        let (scae, picture, mut workspace) = (scae(), picture(6, 6), Workspace::new());
        let recoded = scae.recode(&picture, 6, &mut workspace).unwrap();
        assert_eq!(recoded, scae.reconstruct(&picture, &mut workspace));
        assert!(recoded.as_slice().iter().any(|&value| value != 0.0));
    }

    /// D3: each patch is compared with, and pasted at, its own place.
    #[test]
    fn every_placement_is_decoded_where_it_was_encoded_and_overlaps_are_means() {
        let (scae, picture, mut workspace) = (scae(), picture(8, 11), Workspace::new());
        let recoded = scae.recode(&picture, 2, &mut workspace).unwrap();
        let (mut sums, mut counts) = (vec![0.0f32; 176], vec![0.0f32; 176]);
        for top in [0, 2] {
            for left in [0, 2, 4, 5] {
                let at = |i: usize| ((top + i / 12) * 11 + left + i / 2 % 6) * 2 + i % 2;
                let patch = Tensor::from_fn([1, 6, 6, 2], |i| picture.as_slice()[at(i)]);
                let decoded = scae.reconstruct(&patch, &mut workspace);
                for (i, value) in decoded.as_slice().iter().enumerate() {
                    sums[at(i)] += value;
                    counts[at(i)] += 1.0;
                }
            }
        }
        for ((got, sum), count) in recoded.as_slice().iter().zip(sums).zip(counts) {
            assert!((got - sum / count).abs() < 1e-5);
        }
    }

    #[test]
    fn a_picture_with_more_placements_than_are_held_at_a_time_is_recoded_whole() {
        let (scae, picture, mut workspace) = (scae(), picture(40, 41), Workspace::new());
        assert!(starts(40, 6, 1).len() * starts(41, 6, 1).len() > PLACEMENTS);
        let recoded = scae.recode(&picture, 1, &mut workspace).unwrap();
        // The last rows are those of the placements of the second part; alone, the lower third of the picture has the same there,
        // where no placement reaches above it.
        let lower = Tensor::new([1, 12, 41, 2], &picture.as_slice()[28 * 82..]);
        let alone = scae.recode(&lower, 1, &mut workspace).unwrap();
        for (got, expected) in recoded.as_slice()[34 * 82..].iter().zip(&alone.as_slice()[6 * 82..]) {
            assert!((got - expected).abs() < 1e-5, "{got} for {expected}");
        }
    }

    #[test]
    fn a_picture_that_does_not_fit_has_none() {
        let mut workspace = Workspace::new();
        assert!(scae().recode(&picture(5, 9), 1, &mut workspace).is_none());
        assert!(scae().recode(&Tensor::zeros([1, 8, 8, 1]), 1, &mut workspace).is_none());
    }
}
