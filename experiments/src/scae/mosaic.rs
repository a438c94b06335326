//! What each feature of the code stands for, as a picture.

use super::Scae;
use patchgrad::{Tape, Tensor, Workspace};

/// One picture for each feature of layer `layer`: the patch of pixels decoded from a code that is 1 at that feature and 0
/// elsewhere, `[n, r, r, C]` with r the receptive field of the layer. Values are not clipped.
pub fn feature_patches(scae: &Scae, layer: usize, workspace: &mut Workspace) -> Tensor {
    let features = scae.spec().layers[layer].features;
    let one_hot = Tensor::from_fn([features, 1, 1, features], |i| if i / features == i % features { 1.0 } else { 0.0 });
    let mut tape = Tape::with_params(scae.params(), workspace);
    let mut map = tape.input(&one_hot);
    for below in (0..=layer).rev() {
        map = scae.decode_layer(&mut tape, below, map);
    }
    tape.finish(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        scae::{LayerGeometry, LayerSpec, ScaeSpec},
        units::UnitSpec,
    };
    use patchgrad::{ops::Activation, random::stream};

    #[test]
    fn a_feature_of_a_linear_layer_is_its_row_of_the_decoder() {
        let geometry = LayerGeometry { kernel: 3, offset: 3 };
        let layer =
            LayerSpec { geometry, features: 4, unit: UnitSpec::standard(Activation::Linear, Activation::Linear) };
        let scae =
            Scae::new(ScaeSpec { picture: [6, 6, 2], layers: vec![layer, layer_on_top()] }, &mut stream(0, "init", 0));
        let patches = feature_patches(&scae, 0, &mut Workspace::new());
        assert_eq!(patches.shape().dims(), [4, 3, 3, 2]);
        let decoder = scae.params().get(scae.params().find("layer0.decoder.weight").unwrap());
        assert_eq!(patches.as_slice(), decoder.as_slice());
        assert_eq!(feature_patches(&scae, 1, &mut Workspace::new()).shape().dims(), [5, 6, 6, 2]);
    }

    fn layer_on_top() -> LayerSpec {
        let geometry = LayerGeometry { kernel: 2, offset: 2 };
        LayerSpec { geometry, features: 5, unit: UnitSpec::standard(Activation::Tanh, Activation::Softsign) }
    }
}
