//! Deleting features: a smaller stack that computes what the larger one computed without them. Of units whose features depend on each
//! other (the largest of a k-sparse code, the nearest or mean centroid of k-means) the features that are left may change.
//!
//! A feature of a layer is a column of its encoder, a row of its decoder, and a channel of the patches that the layer above
//! encodes and decodes: all go. A max-pooling layer above passes the deletion on to the layer above it, because its features
//! are its channels. Where a k-means layer sees fewer channels, the whitening keeps its remaining rows and columns.

use super::{Scae, ScaeSpec};
use crate::units::Axis;
use patchgrad::{Params, Tensor, random::stream};

/// Features that cannot be deleted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeleteError {
    /// There is no such layer.
    #[error("there is no layer {layer}; the stack has layers 0 to {top}")]
    NoLayer {
        /// Asked for.
        layer: usize,
        /// The last one.
        top: usize,
    },
    /// There is no such feature.
    #[error("there is no feature {feature} in layer {layer}; it has features 0 to {last}")]
    NoFeature {
        /// Asked for.
        feature: usize,
        /// The layer.
        layer: usize,
        /// The last one.
        last: usize,
    },
    /// Nothing would be left, or too little for the unit.
    #[error("layer {layer} without these features: {message}")]
    TooFew {
        /// The layer.
        layer: usize,
        /// Why not.
        message: String,
    },
    /// The features of a max-pooling layer are the channels below it.
    #[error("layer {0} pools: its features are those of the layer below it; delete them there")]
    Pooling(usize),
}

impl Scae {
    /// The same stack without the `features` (counted from 0, in any order) of layer `layer`.
    ///
    /// # Errors
    /// If there is no such layer or feature, or too few features would be left.
    pub fn without_features(&self, layer: usize, features: &[usize]) -> Result<Self, DeleteError> {
        let spec = self.spec();
        let Some(layer_spec) = spec.layers.get(layer) else {
            return Err(DeleteError::NoLayer { layer, top: spec.layers.len() - 1 });
        };
        if let Some(&feature) = features.iter().find(|&&feature| feature >= layer_spec.features) {
            return Err(DeleteError::NoFeature { feature, layer, last: layer_spec.features - 1 });
        }
        if layer_spec.unit.is_pooling() {
            return Err(DeleteError::Pooling(layer));
        }
        let kept: Vec<usize> = (0..layer_spec.features).filter(|feature| !features.contains(feature)).collect();

        // The layers whose features shrink: this one, and those that pool it.
        let above = spec.layers[layer + 1..].iter();
        let pooled = above.take_while(|layer| layer.unit.is_pooling()).count();
        let shrunk = layer..=layer + pooled;
        let mut smaller: ScaeSpec = spec.clone();
        for at in shrunk.clone() {
            smaller.layers[at].features = kept.len();
        }
        for at in layer..spec.layers.len() {
            let check = smaller.layers[at].unit.check(&smaller.unit_dims(at));
            check.map_err(|error| DeleteError::TooFew { layer: at, message: error.to_string() })?;
        }
        let mut network = Self::new(smaller, &mut stream(0, "replaced", 0));
        let all = |count: usize| (0..count).collect::<Vec<usize>>();
        for at in 0..spec.layers.len() {
            let dims = spec.unit_dims(at);
            let features = if shrunk.contains(&at) { kept.clone() } else { all(dims.features) };
            let channels = if at > 0 && shrunk.contains(&(at - 1)) { kept.clone() } else { all(dims.depth) };
            let taps = dims.geometry.kernel * dims.geometry.kernel;
            let patch = (0..taps).flat_map(|tap| channels.iter().map(move |channel| tap * dims.depth + channel));
            let patch: Vec<usize> = patch.collect();
            for (id, axes) in self.unit(at).axes() {
                let indices: Vec<Vec<usize>> = axes
                    .iter()
                    .map(|axis| match axis {
                        Axis::Kernel => all(dims.geometry.kernel),
                        Axis::Channels => channels.clone(),
                        Axis::Features => features.clone(),
                        Axis::Patch => patch.clone(),
                    })
                    .collect();
                let name = self.params().name(id);
                let selected = select(self.params().get(id), &indices);
                set(network.params_mut(), name, selected);
            }
        }
        Ok(network)
    }
}

fn set(params: &mut Params, name: &str, tensor: Tensor) {
    let id = params.find(name).expect("both stacks have the same parameters");
    assert_eq!(params.get(id).shape(), tensor.shape(), "{name}");
    *params.get_mut(id) = tensor;
}

/// The elements of `tensor` at the given indices of each axis.
fn select(tensor: &Tensor, indices: &[Vec<usize>]) -> Tensor {
    let shape = tensor.shape();
    let dims = shape.dims();
    let sizes: Vec<usize> = indices.iter().map(Vec::len).collect();
    Tensor::from_fn(patchgrad::Shape::new(&sizes), |mut at| {
        let (mut source, mut stride) = (0, 1);
        for axis in (0..dims.len()).rev() {
            source += indices[axis][at % sizes[axis]] * stride;
            at /= sizes[axis];
            stride *= dims[axis];
        }
        tensor.as_slice()[source]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        scae::{LayerGeometry, LayerSpec, feature_patches, inspect_features},
        units::{UnitSpec, Unpooling},
    };
    use patchgrad::{Workspace, ops::Activation};

    const TANH: UnitSpec = UnitSpec::standard(Activation::Tanh, Activation::Linear);

    fn layer(kernel: usize, features: usize, unit: UnitSpec) -> LayerSpec {
        LayerSpec { geometry: LayerGeometry { kernel, offset: kernel }, features, unit }
    }

    fn pictures() -> Tensor {
        Tensor::from_fn([9, 8, 8, 1], |i| ((i * 31) % 67) as f32 / 33.0 - 1.0)
    }

    fn close(a: &Tensor, b: &Tensor) -> bool {
        a.shape() == b.shape() && a.as_slice().iter().zip(b.as_slice()).all(|(a, b)| (a - b).abs() < 1e-5)
    }

    /// Sets to 0 what layer 1 reads from and writes to the features `deleted` of the layer below (kernel 2).
    fn silenced(scae: &Scae, deleted: &[usize], depth: usize) -> Scae {
        let mut scae = scae.clone();
        for name in ["layer1.encoder.weight"] {
            let id = scae.params().find(name).unwrap();
            let features = scae.spec().layers[1].features;
            for (i, row) in scae.params_mut().get_mut(id).as_mut_slice().chunks_mut(features).enumerate() {
                if deleted.contains(&(i % depth)) {
                    row.fill(0.0);
                }
            }
        }
        scae
    }

    /// N-light-N lost the last output column with every deleted input.
    #[test]
    fn d8_the_layer_above_loses_the_deleted_inputs_and_nothing_else() {
        let spec = ScaeSpec { picture: [8, 8, 1], layers: vec![layer(4, 5, TANH), layer(2, 6, TANH)] };
        let scae = Scae::new(spec, &mut stream(1, "init", 0));
        let mut workspace = Workspace::new();
        let smaller = scae.without_features(0, &[3, 1]).unwrap();
        assert_eq!(smaller.spec().layers.iter().map(|layer| layer.features).collect::<Vec<_>>(), [3, 6]);
        let expected = silenced(&scae, &[1, 3], 5).codes(&pictures(), &mut workspace);
        assert!(close(&smaller.codes(&pictures(), &mut workspace), &expected));
        // The top's own parameters keep all six columns.
        let top = |scae: &Scae, name: &str| scae.params().get(scae.params().find(name).unwrap()).clone();
        assert_eq!(top(&smaller, "layer1.encoder.bias"), top(&scae, "layer1.encoder.bias"));
        assert_eq!(top(&smaller, "layer1.decoder.weight").shape().dims(), [6, 12]);
        // What is left of a feature's picture at the lowest layer is as it was.
        let (before, after) = (feature_patches(&scae, 0, &mut workspace), feature_patches(&smaller, 0, &mut workspace));
        for (new, old) in [0, 2, 4].into_iter().enumerate() {
            assert_eq!(after.samples(new..new + 1), before.samples(old..old + 1));
        }
    }

    #[test]
    fn features_of_the_top_are_deleted_from_the_code() {
        let spec = ScaeSpec { picture: [8, 8, 1], layers: vec![layer(4, 5, TANH), layer(2, 6, TANH)] };
        let scae = Scae::new(spec, &mut stream(1, "init", 0));
        let mut workspace = Workspace::new();
        let smaller = scae.without_features(1, &[0, 5]).unwrap();
        let (before, after) = (scae.codes(&pictures(), &mut workspace), smaller.codes(&pictures(), &mut workspace));
        let kept: Vec<f32> = before.as_slice().chunks(6).flat_map(|code| code[1..5].to_vec()).collect();
        assert!(close(&after, &Tensor::new([9, 4], &kept)));
    }

    #[test]
    fn pooling_passes_a_deletion_on() {
        let pool = UnitSpec::MaxPooling { unpooling: Unpooling::Switches };
        let spec =
            ScaeSpec { picture: [8, 8, 1], layers: vec![layer(2, 5, TANH), layer(2, 5, pool), layer(2, 3, TANH)] };
        let scae = Scae::new(spec, &mut stream(1, "init", 0));
        let mut workspace = Workspace::new();
        let smaller = scae.without_features(0, &[2]).unwrap();
        assert_eq!(smaller.spec().layers.iter().map(|layer| layer.features).collect::<Vec<_>>(), [4, 4, 3]);
        assert_eq!(smaller.reconstruct(&pictures(), &mut workspace).shape().dims(), [9, 8, 8, 1]);
        assert_eq!(scae.without_features(1, &[2]).unwrap_err(), DeleteError::Pooling(1));
    }

    #[test]
    fn what_cannot_be_deleted_is_said() {
        let k_sparse = UnitSpec::KSparse { encoder: Activation::Tanh, decoder: Activation::Linear, k: 2 };
        let spec = ScaeSpec { picture: [8, 8, 1], layers: vec![layer(8, 3, k_sparse)] };
        let scae = Scae::new(spec, &mut stream(1, "init", 0));
        let message = |layer, features: &[usize]| scae.without_features(layer, features).unwrap_err().to_string();
        assert_eq!(message(1, &[0]), "there is no layer 1; the stack has layers 0 to 0");
        assert_eq!(message(0, &[0, 3]), "there is no feature 3 in layer 0; it has features 0 to 2");
        assert!(message(0, &[0, 1, 2]).contains("take at least 1"));
        assert!(message(0, &[0, 1]).contains("k is 2"));
    }

    #[test]
    fn inspection_finds_dead_features() {
        let spec = ScaeSpec { picture: [8, 8, 1], layers: vec![layer(4, 3, TANH)] };
        let mut scae = Scae::new(spec, &mut stream(1, "init", 0));
        let id = scae.params().find("layer0.encoder.weight").unwrap();
        scae.params_mut().get_mut(id).as_mut_slice().iter_mut().skip(1).step_by(3).for_each(|w| *w = 0.0);
        let found = inspect_features(&scae, 0, &pictures(), &mut Workspace::new());
        assert_eq!(found.iter().map(|feature| feature.is_dead()).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!((found[1].mean, found[1].largest, found[1].zeros), (0.0, 0.0, 1.0));
        assert!(found[0].smallest < 0.0 && found[0].largest > 0.0 && found[0].zeros == 0.0);
    }
}
