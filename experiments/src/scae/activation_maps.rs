//! Where in a picture each feature answers: the encoder's map over a picture larger than its receptive field.

use super::Scae;
use patchgrad::{Tape, Tensor, Workspace};

/// The answers of the features of one layer over one picture.
#[derive(Clone, Debug)]
pub struct ActivationMaps {
    /// `[h, w, n]`, as the encoder gives them.
    pub values: Tensor,
    /// The smallest and the largest value of each feature over the picture.
    pub ranges: Vec<[f32; 2]>,
    /// Pixels between neighbouring positions: the product of the offsets.
    pub step: usize,
    /// Width of the patch of pixels that one position sees; position (y, x) is centred on pixel
    /// `(y * step + width / 2, x * step + width / 2)`.
    pub width: usize,
}

impl Scae {
    /// Encodes the picture `[1, H, W, C]`, of any size from the receptive field of layer `layer` up, with the layers up to
    /// `layer` (counted from 0). `None` when the picture is smaller than that.
    pub fn activation_maps(&self, picture: &Tensor, layer: usize, workspace: &mut Workspace) -> Option<ActivationMaps> {
        let geometry = self.spec().geometry();
        let width = geometry.receptive_field(layer);
        let &[1, height, columns, _] = picture.shape().dims() else { return None };
        if height.min(columns) < width {
            return None;
        }
        let mut tape = Tape::with_params(self.params(), workspace);
        let map = tape.input(picture);
        let code = self.encode(&mut tape, map, layer + 1);
        let [_, h, w, n] = tape.shape(code).nhwc().expect("codes are [N, h, w, n]");
        let values = tape.finish(code).reshape([h, w, n]).expect("one picture");
        let ranges = (0..n).map(|feature| range(values.as_slice().iter().skip(feature).step_by(n))).collect();
        let step = geometry.layers()[..=layer].iter().map(|layer| layer.offset).product();
        Some(ActivationMaps { values, ranges, step, width })
    }
}

impl ActivationMaps {
    /// The map of feature `feature`, row by row, with its smallest value at 0 and its largest at 1; all 0 where it is the
    /// same everywhere.
    ///
    /// # Panics
    /// If there is no such feature.
    pub fn normalised(&self, feature: usize) -> Vec<f32> {
        let [low, high] = self.ranges[feature];
        let scale = if high > low { 1.0 / (high - low) } else { 0.0 };
        let values = self.values.as_slice().iter().skip(feature).step_by(self.ranges.len());
        values.map(|value| (value - low) * scale).collect()
    }
}

/// The smallest and the largest of some values. Both searches start at a value that is there, not at a constant that may be
/// larger than all of them.
fn range<'v>(mut values: impl Iterator<Item = &'v f32>) -> [f32; 2] {
    let first = *values.next().expect("a map has at least one position");
    values.fold([first, first], |[low, high], &value| [low.min(value), high.max(value)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        scae::{LayerGeometry, LayerSpec, ScaeSpec},
        units::UnitSpec,
    };
    use patchgrad::{ops::Activation, random::stream};

    /// One layer with one feature, the value of the upper left pixel of 2 x 2 minus 5.
    fn pixel() -> Scae {
        let unit = UnitSpec::standard(Activation::Linear, Activation::Linear);
        let geometry = LayerGeometry { kernel: 2, offset: 2 };
        let spec = ScaeSpec { picture: [2, 2, 1], layers: vec![LayerSpec { geometry, features: 1, unit }] };
        let mut scae = Scae::new(spec, &mut stream(1, "init", 0));
        let set = |scae: &mut Scae, name: &str, values: &[f32]| {
            let id = scae.params().find(name).unwrap();
            scae.params_mut().get_mut(id).as_mut_slice().copy_from_slice(values);
        };
        set(&mut scae, "layer0.encoder.weight", &[1.0, 0.0, 0.0, 0.0]);
        set(&mut scae, "layer0.encoder.bias", &[-5.0]);
        scae
    }

    /// N-light-N searched the maximum from the smallest positive number on.
    #[test]
    fn d10_a_map_of_negative_values_has_its_own_maximum() {
        let picture = Tensor::from_fn([1, 4, 6, 1], |i| i as f32 / 10.0);
        let maps = pixel().activation_maps(&picture, 0, &mut Workspace::new()).unwrap();
        assert_eq!(maps.values.shape().dims(), [2, 3, 1]);
        assert_eq!((maps.step, maps.width), (2, 2));
        assert!(maps.ranges[0][1] < 0.0);
        // Pixels (0, 0), (0, 2), (0, 4), (2, 0), (2, 2), (2, 4): 0, .2, .4, 1.2, 1.4, 1.6.
        let expected = [0.0, 0.125, 0.25, 0.75, 0.875, 1.0];
        for (got, expected) in maps.normalised(0).into_iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        }
        assert_eq!(maps.ranges[0][0], -5.0);
    }

    #[test]
    fn a_flat_map_is_zero_and_a_picture_that_is_too_small_has_none() {
        let flat = Tensor::full([1, 4, 4, 1], 3.0);
        let maps = pixel().activation_maps(&flat, 0, &mut Workspace::new()).unwrap();
        assert_eq!(maps.normalised(0), [0.0; 4]);
        assert!(pixel().activation_maps(&Tensor::zeros([1, 1, 4, 1]), 0, &mut Workspace::new()).is_none());
    }
}
