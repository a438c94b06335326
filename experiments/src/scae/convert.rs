//! Units as a start for others: a layer that was, say, PCA goes on as a standard one.

use super::Scae;

impl Scae {
    /// The same network with a standard unit in layer `layer` (counted from 0) that encodes and decodes every patch as the
    /// unit there does, to be trained further by gradient descent. `None` for units that no standard one equals:
    /// max-pooling, k-means, k-sparse.
    ///
    /// # Panics
    /// If there is no such layer.
    pub fn with_standard_unit(&self, layer: usize) -> Option<Self> {
        let equivalent = self.unit(layer).equivalent(self.params())?;
        let mut spec = self.spec().clone();
        spec.layers[layer].unit = equivalent.spec();
        let mut network = Self::new(spec, &mut patchgrad::random::stream(0, "replaced", 0));
        let prefix = format!("layer{layer}.");
        let own = [
            ("encoder.weight", equivalent.encoder_weight),
            ("encoder.bias", equivalent.encoder_bias),
            ("decoder.weight", equivalent.decoder_weight),
            ("decoder.bias", equivalent.decoder_bias),
        ];
        let own = own.into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor));
        let others = self.params().iter().filter(|(_, name, _)| !name.starts_with(&prefix));
        let others = others.map(|(_, name, tensor)| (name.to_string(), tensor.clone()));
        for (name, tensor) in own.chain(others) {
            // What is not part of the stack, such as the head of a classifier, stays behind.
            if let Some(id) = network.params().find(&name) {
                *network.params_mut().get_mut(id) = tensor;
            }
        }
        Some(network)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        scae::{Labels, LayerGeometry, LayerSpec, Scae, ScaeSpec, train_layer, train_resumable},
        training::Checkpoints,
        units::{Descent, HebbianRule, TrainConfig, UnitSpec, Unpooling, VisibleRange},
    };
    use patchgrad::{Tensor, Workspace, ops::Activation, random::stream};

    const LINEAR: Activation = Activation::Linear;
    const SOFTSIGN: Activation = Activation::Softsign;

    fn stack(unit: UnitSpec) -> Scae {
        let layer =
            |kernel, features, unit| LayerSpec { geometry: LayerGeometry { kernel, offset: kernel }, features, unit };
        let top = UnitSpec::standard(SOFTSIGN, LINEAR);
        let spec = ScaeSpec { picture: [8, 8, 1], layers: vec![layer(4, 6, unit), layer(2, 5, top)] };
        Scae::new(spec, &mut stream(1, "init", 0))
    }

    fn pictures() -> Tensor {
        Tensor::from_fn([60, 8, 8, 1], |i| {
            let (n, y, x) = (i / 64, i / 8 % 8, i % 8);
            0.6 * (y as f32 * 0.5 + n as f32).sin() + 0.3 * (x as f32 * 0.7 + n as f32 * 0.3).cos()
        })
    }

    fn config() -> TrainConfig {
        TrainConfig {
            samples_per_layer: 3_200,
            batch_size: 32,
            descent: Descent::Adam,
            lr: 5e-3,
            weight_decay: 0.0,
            seed: 3,
        }
    }

    #[test]
    fn the_standard_unit_computes_the_same_and_learns_on() {
        let pictures = pictures();
        let labels: Vec<u32> = (0..60).map(|n| n % 2).collect();
        let units = [
            UnitSpec::Tied { encoder: SOFTSIGN, decoder: LINEAR },
            UnitSpec::Pca { encoder: SOFTSIGN, decoder: LINEAR },
            UnitSpec::Lda { encoder: LINEAR },
            UnitSpec::Oja { rule: HebbianRule::Sanger, encoder: LINEAR, decoder: LINEAR },
            UnitSpec::BernoulliRbm { steps: 1, range: VisibleRange::Symmetric },
            UnitSpec::BernoulliRbm { steps: 1, range: VisibleRange::Unit },
            UnitSpec::GaussianRbm { steps: 1, sd: 0.4, learn_sd: true },
        ];
        for unit in units {
            let mut scae = stack(unit);
            let mut workspace = Workspace::new();
            train_resumable(
                &mut scae,
                &pictures,
                Labels::Pictures(&labels),
                &config(),
                &mut Checkpoints::none(),
                &mut workspace,
            )
            .unwrap();
            let mut standard = scae.with_standard_unit(0).unwrap();
            assert_eq!(standard.spec().layers[0].unit.kind(), "standard");
            let close = |a: &Tensor, b: &Tensor| {
                a.as_slice().iter().zip(b.as_slice()).all(|(a, b)| (a - b).abs() < 1e-4 * b.abs().max(1.0))
            };
            let what = unit.kind();
            assert!(
                close(&standard.codes(&pictures, &mut workspace), &scae.codes(&pictures, &mut workspace)),
                "{what}"
            );
            let before = scae.reconstruct(&pictures, &mut workspace);
            assert!(close(&standard.reconstruct(&pictures, &mut workspace), &before), "{what}");
            let start = standard.params().clone();
            train_layer(&mut standard, 0, &pictures, Labels::None, &config(), &mut workspace).unwrap();
            for (id, name, tensor) in start.iter() {
                assert_eq!(tensor == standard.params().get(id), name.starts_with("layer1"), "{what}: {name}");
            }
        }
    }

    #[test]
    fn a_unit_that_no_standard_one_equals_has_none() {
        let k_sparse = UnitSpec::KSparse { encoder: SOFTSIGN, decoder: LINEAR, k: 2 };
        assert!(stack(k_sparse).with_standard_unit(0).is_none());
        assert!(stack(k_sparse).with_standard_unit(1).is_some());
        let pool = UnitSpec::MaxPooling { unpooling: Unpooling::Copy };
        let geometry = LayerGeometry { kernel: 2, offset: 2 };
        let spec = ScaeSpec { picture: [2, 2, 3], layers: vec![LayerSpec { geometry, features: 3, unit: pool }] };
        assert!(Scae::new(spec, &mut stream(1, "init", 0)).with_standard_unit(0).is_none());
    }
}
