//! Central multilayer features: what every layer says about the middle of a picture.
//!
//! The code of the top describes the whole receptive field; the layers below describe parts of it, finer and finer. The
//! *central multilayer features* of N-light-N are the vectors of all layers at the position `(floor(h/2), floor(w/2))` of
//! their maps, one after the other, lowest first.

use super::{Scae, ScaeSpec};
use crate::{batches::gather_pictures, pictures::PictureSource};
use patchgrad::{Tape, Tensor, Workspace};

impl ScaeSpec {
    /// The number of central multilayer features: the features of all layers together.
    pub fn central_features(&self) -> usize {
        self.layers.iter().map(|layer| layer.features).sum()
    }
}

impl Scae {
    /// The central multilayer features of `pictures` `[N, H, W, C]`, `[N, features of all layers]`.
    pub fn central_features(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Tensor {
        let features = self.spec().central_features();
        let layers = self.spec().layers.len();
        gather_pictures(pictures, features, workspace, |batch, rows, workspace| {
            let mut tape = Tape::with_params(self.params(), workspace);
            let mut map = tape.input(batch);
            let mut start = 0;
            for layer in 0..layers {
                map = self.encode_layer(&mut tape, layer, map);
                let [_, h, w, n] = tape.shape(map).nhwc().expect("codes are [N, h, w, n]");
                let maps = tape.value(map).as_slice().chunks_exact(h * w * n);
                for (row, map) in rows.chunks_exact_mut(features).zip(maps) {
                    let centre = (h / 2 * w + w / 2) * n;
                    row[start..start + n].copy_from_slice(&map[centre..centre + n]);
                }
                start += n;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        scae::{LayerGeometry, LayerSpec, Scae, ScaeSpec},
        units::UnitSpec,
    };
    use patchgrad::{Tape, Tensor, Workspace, ops::Activation, random::stream};

    #[test]
    fn they_are_the_codes_at_the_centre_of_every_layer() {
        let unit = UnitSpec::standard(Activation::Tanh, Activation::Linear);
        let layer = |kernel, offset, features| LayerSpec { geometry: LayerGeometry { kernel, offset }, features, unit };
        let spec = ScaeSpec { picture: [10, 10, 1], layers: vec![layer(2, 2, 3), layer(2, 1, 4), layer(4, 4, 2)] };
        let scae = Scae::new(spec, &mut stream(1, "init", 0));
        let pictures = Tensor::from_fn([150, 10, 10, 1], |i| ((i * 31) % 67) as f32 / 33.0 - 1.0);
        let mut workspace = Workspace::new();
        let rows = scae.central_features(&pictures, &mut workspace);
        assert_eq!((scae.spec().central_features(), rows.shape().dims()), (9, &[150, 9][..]));
        let last = Tensor::new([1, 10, 10, 1], pictures.samples(149..150));
        let mut tape = Tape::with_params(scae.params(), &mut workspace);
        let mut map = tape.input(&last);
        let mut start = 0;
        for (layer, (centre, features)) in [(2 * 5 + 2, 3), (2 * 4 + 2, 4), (0, 2)].into_iter().enumerate() {
            map = scae.encode_layer(&mut tape, layer, map);
            let expected = &tape.value(map).as_slice()[centre * features..][..features];
            let got = &rows.samples(149..150)[start..][..features];
            assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "layer {layer}");
            start += features;
        }
    }
}
