//! The encoder of an SCAE with a head on top, trained to classify: fine-tuning.
//!
//! The decoders stay attached and as they are, so that the same network shows what its old decoder makes of the new code:
//! the *after* of the paper's figure 1.

use super::{
    ClassifierError, ClassifierSpec, Classify, FineTuneConfig, Sharing, TrainedLayers, mlp::Mlp,
    unshared::UnsharedLayer,
};
use crate::{
    batches,
    data::Labelled,
    pictures::PictureSource,
    probe::arg_max,
    scae::Scae,
    scores::accuracy,
    training::{Checkpoints, FitSpec, History, Trainable, TrainingError, fit},
};
use patchgrad::{Gradients, Params, Tape, Var, Workspace, layout::ParamLayout, optim::Optimizer, random::stream};

/// A classifier: the encoder of an SCAE and a head on its code.
#[derive(Clone, Debug)]
pub struct Classifier {
    scae: Scae,
    spec: ClassifierSpec,
    /// One for each layer that does not share its weights; empty when all do.
    unshared: Vec<UnsharedLayer>,
    head: Mlp,
    /// Layers, lowest first, that stay as they are.
    frozen: usize,
}

impl Classifier {
    /// The encoder of `scae` with an untrained linear layer: [`ClassifierSpec::new`].
    pub fn new(scae: Scae, classes: usize, seed: u64) -> Self {
        Self::with_spec(scae, ClassifierSpec::new(classes), seed).expect("shared weights fit every unit")
    }

    /// The encoder of `scae` with an untrained head.
    ///
    /// # Errors
    /// If a unit cannot have un-shared weights, or more layers are to be trained than there are.
    pub fn with_spec(mut scae: Scae, spec: ClassifierSpec, seed: u64) -> Result<Self, ClassifierError> {
        let depth = scae.spec().layers.len();
        let frozen = match spec.trained {
            TrainedLayers::All => 0,
            TrainedLayers::Top(asked) => {
                depth.checked_sub(asked).ok_or(ClassifierError::TooManyLayers { asked, depth })?
            }
        };
        let mut unshared = Vec::new();
        if spec.sharing == Sharing::Unshared {
            for layer in 0..depth {
                let kind = scae.spec().layers[layer].unit.kind();
                let shared = scae.unit(layer).convolution();
                let shared = shared.ok_or(ClassifierError::NotAConvolution { layer, kind })?;
                let [h, w, _] = scae.spec().map_size(layer + 1);
                let sizes = (scae.spec().unit_dims(layer), h * w);
                unshared.push(UnsharedLayer::new(scae.params_mut(), &format!("layer{layer}"), shared, sizes));
            }
        }
        let sizes = [scae.spec().code_size(), spec.classes];
        let map = scae.spec().code_map();
        let head = Mlp::new(scae.params_mut(), sizes, &spec.hidden, &mut stream(seed, "head", 0));
        let first = head.first_weight();
        scae.params_mut().set_layout(first, ParamLayout::LinearOfMap(map));
        Ok(Self { scae, spec, unshared, head, frozen })
    }

    /// What it is.
    pub fn spec(&self) -> &ClassifierSpec {
        &self.spec
    }

    /// The network with its present encoder and the decoders it came with; its parameters include those of the head. With
    /// un-shared weights its encoder is still the one it came with.
    pub fn scae(&self) -> &Scae {
        &self.scae
    }

    /// A stack of its own with the fine-tuned encoder under the old decoders, without the head. With un-shared weights there
    /// is no such stack.
    pub fn to_scae(&self) -> Option<Scae> {
        self.unshared.is_empty().then(|| Scae::from_params(self.scae.spec().clone(), self.scae.params()))
    }

    /// Trains head and upper layers; gives the mean loss of each epoch.
    ///
    /// # Errors
    /// When a loss is no longer finite; that step is not taken.
    pub fn train(
        &mut self,
        data: &Labelled,
        config: &FineTuneConfig,
        workspace: &mut Workspace,
    ) -> Result<Vec<f64>, TrainingError> {
        let (spec, mut sgd) = (config.fit_spec(), config.optimizer());
        Ok(self.fit(data, None, &spec, &mut sgd, &mut Checkpoints::none(), workspace)?.losses)
    }

    /// Trains with any optimiser, schedule and early stopping on the loss of `validation`; saved to and resumed from
    /// `checkpoints`.
    ///
    /// # Errors
    /// As [`fit`].
    pub fn fit(
        &mut self,
        data: &Labelled,
        validation: Option<&Labelled>,
        spec: &FitSpec,
        optimizer: &mut dyn Optimizer,
        checkpoints: &mut Checkpoints,
        workspace: &mut Workspace,
    ) -> Result<History, TrainingError> {
        fit(&mut Training { network: self, data, validation }, optimizer, spec, checkpoints, workspace)
    }

    /// Records the mean loss of the pictures at `batch` and gives what `finish` makes of it.
    fn loss<R>(
        &self,
        data: &Labelled,
        batch: &[usize],
        workspace: &mut Workspace,
        finish: impl FnOnce(Tape, Var) -> R,
    ) -> R {
        let mut maps = data.pictures.gather(batch, workspace);
        let labels: Vec<u32> = batch.iter().map(|&index| data.labels[index]).collect();
        if self.frozen > 0 {
            let mut tape = Tape::with_params(self.scae.params(), workspace);
            let input = tape.input(&maps);
            let code = self.record_layers(&mut tape, input, 0..self.frozen);
            let below = tape.finish(code);
            workspace.give(std::mem::replace(&mut maps, below));
        }
        let mut tape = Tape::with_params(self.scae.params(), workspace);
        let input = tape.input(&maps);
        let sums = self.record_from(&mut tape, input, self.frozen);
        let loss = self.spec.loss.record(&mut tape, sums, &labels);
        let result = finish(tape, loss);
        workspace.give(maps);
        result
    }

    /// Records the encoders of some layers.
    fn record_layers(&self, tape: &mut Tape, map: Var, layers: std::ops::Range<usize>) -> Var {
        layers.fold(map, |map, layer| match self.unshared.get(layer) {
            Some(unshared) => unshared.encode(tape, map),
            None => self.scae.encode_layer(tape, layer, map),
        })
    }

    /// Records the mean loss of pictures `[N, H, W, C]`, through all layers, whichever are trained.
    ///
    /// # Panics
    /// If there are not as many labels as pictures, or a label is no class.
    pub(crate) fn record_loss(&self, tape: &mut Tape, pictures: Var, labels: &[u32]) -> Var {
        let sums = self.record_from(tape, pictures, 0);
        self.spec.loss.record(tape, sums, labels)
    }

    /// Records the output sums from what layer `first` sees.
    fn record_from(&self, tape: &mut Tape, map: Var, first: usize) -> Var {
        let code = self.record_layers(tape, map, first..self.scae.spec().layers.len());
        let code = tape.flatten(code);
        self.head.record(tape, code)
    }

    /// The share of pictures that are classified right.
    pub fn accuracy(&self, data: &Labelled, workspace: &mut Workspace) -> f64 {
        accuracy(&self.predict(&data.pictures, workspace), &data.labels)
    }

    /// The class of each picture.
    pub fn predict(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Vec<u32> {
        let classes = self.spec.classes;
        let sums = batches::map_pictures(self.scae.params(), pictures, classes, workspace, |tape, batch| {
            self.record_from(tape, batch, 0)
        });
        arg_max(&sums, classes)
    }
}

/// A classifier and what it is trained on.
struct Training<'a> {
    network: &'a mut Classifier,
    data: &'a Labelled,
    validation: Option<&'a Labelled>,
}

impl Trainable for Training<'_> {
    fn params(&self) -> &Params {
        self.network.scae.params()
    }

    fn params_mut(&mut self) -> &mut Params {
        self.network.scae.params_mut()
    }

    fn samples(&self) -> usize {
        self.data.count()
    }

    fn gradients(&self, batch: &[usize], _: u64, workspace: &mut Workspace) -> (f64, Gradients) {
        self.network
            .loss(self.data, batch, workspace, |tape, loss| (f64::from(tape.value(loss).item()), tape.backward(loss)))
    }

    fn validate(&self, workspace: &mut Workspace) -> Option<f64> {
        let data = self.validation?;
        let all: Vec<usize> = (0..data.count()).collect();
        let sums = all.chunks(128).map(|batch| {
            let mean = self.network.loss(data, batch, workspace, |tape, loss| tape.value(loss).item());
            f64::from(mean) * batch.len() as f64
        });
        Some(sums.sum::<f64>() / data.count() as f64)
    }
}

impl Classify for Classifier {
    fn predict(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Vec<u32> {
        self.predict(pictures, workspace)
    }

    fn classes(&self) -> usize {
        self.spec.classes
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Hidden, Loss};
    use super::*;
    use crate::{
        scae::{LayerGeometry, LayerSpec, ScaeSpec},
        units::UnitSpec,
    };
    use patchgrad::{ParamId, Params, Tensor, ops::Activation};

    /// Bars: class 0 is bright on the left, class 1 at the top.
    fn data() -> Labelled {
        let pictures = Tensor::from_fn([80, 8, 8, 1], |i| {
            let (n, y, x) = (i / 64, i / 8 % 8, i % 8);
            let bright = if n % 2 == 0 { x < 4 } else { y < 4 };
            let noise = ((i * 7919) % 97) as f32 / 97.0 - 0.5;
            if bright { 0.5 + noise } else { -0.5 + noise }
        });
        Labelled { pictures: pictures.into(), labels: (0..80).map(|n| n % 2).collect() }
    }

    fn layer(kernel: usize, offset: usize, features: usize, encoder: Activation) -> LayerSpec {
        let unit = UnitSpec::standard(encoder, Activation::Linear);
        LayerSpec { geometry: LayerGeometry { kernel, offset }, features, unit }
    }

    fn stack(layers: Vec<LayerSpec>) -> Scae {
        Scae::new(ScaeSpec { picture: [8, 8, 1], layers }, &mut stream(2, "init", 0))
    }

    fn two_layers() -> Scae {
        stack(vec![layer(4, 4, 6, Activation::Softsign), layer(2, 2, 5, Activation::Softsign)])
    }

    const CONFIG: FineTuneConfig = FineTuneConfig { epochs: 20, batch_size: 16, lr: 0.1, momentum: 0.9, seed: 1 };

    #[test]
    fn fine_tuning_learns_the_classes_and_leaves_the_decoders_alone() {
        let (data, before) = (data(), two_layers());
        let mut classifier = Classifier::new(before.clone(), 2, 1);
        let mut workspace = Workspace::new();
        let losses = classifier.train(&data, &CONFIG, &mut workspace).unwrap();
        assert!(losses[19] < 0.1 * losses[0], "{losses:?}");
        assert_eq!(classifier.accuracy(&data, &mut workspace), 1.0);
        let config = FineTuneConfig { lr: 1e38, ..CONFIG };
        assert!(Classifier::new(before.clone(), 2, 1).train(&data, &config, &mut workspace).is_err());
        for (id, name, tensor) in before.params().iter() {
            let unchanged = tensor == classifier.scae().params().get(id);
            assert_eq!(unchanged, name.contains("decoder"), "{name}");
        }
    }

    #[test]
    fn a_fine_tuned_encoder_comes_back_under_its_old_decoders() {
        let (data, before) = (data(), two_layers());
        let mut classifier = Classifier::new(before.clone(), 2, 1);
        let mut workspace = Workspace::new();
        classifier.train(&data, &CONFIG, &mut workspace).unwrap();
        let after = classifier.to_scae().unwrap();
        assert_eq!(after.params().len(), before.params().len());
        assert_eq!(
            after.codes(&data.pictures, &mut workspace),
            classifier.scae().codes(&data.pictures, &mut workspace)
        );
        assert_ne!(after.codes(&data.pictures, &mut workspace), before.codes(&data.pictures, &mut workspace));
        let code = before.codes(&data.pictures, &mut workspace);
        assert_eq!(after.decode_codes(&code, &mut workspace), before.decode_codes(&code, &mut workspace));
    }

    /// The largest error of the gradients of a classifier's loss against differences, as a share of the gradient's length,
    /// over the encoder of each layer.
    fn gradient_error(classifier: &Classifier, data: &Labelled) -> Vec<(String, f64)> {
        let loss_of = |params: &Params, gradients: bool| {
            let mut workspace = Workspace::new();
            let mut tape = Tape::with_params(params, &mut workspace);
            let input = tape.input(&data.pictures);
            let loss = classifier.record_loss(&mut tape, input, &data.labels);
            let value = f64::from(tape.value(loss).item());
            (value, gradients.then(|| tape.backward(loss)))
        };
        let params = classifier.scae.params();
        let gradients = loss_of(params, true).1.unwrap();
        let of = |(id, name, tensor): (ParamId, &str, &Tensor)| {
            let gradient = gradients.param(id)?;
            let length = gradient.as_slice().iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
            // Along the gradient itself the derivative is its length.
            let step = 2e-3;
            let moved = |sign: f64| {
                let mut params = params.clone();
                let values = params.get_mut(id).as_mut_slice().iter_mut().zip(gradient.as_slice());
                values.for_each(|(value, &g)| *value += (sign * step * f64::from(g) / length) as f32);
                loss_of(&params, false).0
            };
            assert!(length > 0.0, "{name} of shape {}", tensor.shape());
            let numeric = (moved(1.0) - moved(-1.0)) / (2.0 * step);
            Some((name.to_string(), (numeric / length - 1.0).abs()))
        };
        params.iter().filter_map(of).collect()
    }

    /// N-light-N's gradient of the lowest of three layers with large weights had a cosine of 0.05 with the true one.
    #[test]
    fn d1_gradients_through_three_layers_with_large_weights_are_right_at_all_positions() {
        let mut scae = stack(vec![
            layer(2, 2, 4, Activation::Softsign),
            layer(2, 1, 5, Activation::Softsign),
            layer(3, 3, 6, Activation::Softsign),
        ]);
        let encoders: Vec<ParamId> =
            scae.params().iter().filter(|(_, name, _)| name.ends_with("encoder.weight")).map(|(id, _, _)| id).collect();
        for id in encoders {
            scae.params_mut().get_mut(id).as_mut_slice().iter_mut().for_each(|w| *w *= 3.0);
        }
        let data = data();
        for sharing in [Sharing::Shared, Sharing::Unshared] {
            for loss in [Loss::CrossEntropy, Loss::SquaredError { output: Activation::Softsign }] {
                let hidden = vec![Hidden { features: 5, activation: Activation::Tanh }];
                let spec = ClassifierSpec { sharing, loss, hidden, ..ClassifierSpec::new(2) };
                let classifier = Classifier::with_spec(scae.clone(), spec, 1).unwrap();
                let errors = gradient_error(&classifier, &data);
                assert_eq!(errors.len(), 3 * 2 + 4);
                for (name, error) in errors {
                    assert!(error < 0.02, "{sharing:?}, {loss:?}, {name}: off by {error:.3} of its length");
                }
            }
        }
    }

    /// N-light-N turned sigmoid and soft-plus layers into soft-sign when it cloned them into a classifier.
    #[test]
    fn d2_a_classifier_keeps_the_activations_of_its_stack() {
        let data = data();
        for encoder in [Activation::Sigmoid, Activation::Softplus, Activation::Relu, Activation::Tanh] {
            let scae = stack(vec![layer(4, 4, 6, encoder), layer(2, 2, 5, encoder)]);
            let mut workspace = Workspace::new();
            for sharing in [Sharing::Shared, Sharing::Unshared] {
                let spec = ClassifierSpec { sharing, ..ClassifierSpec::new(2) };
                let classifier = Classifier::with_spec(scae.clone(), spec, 1).unwrap();
                let code = batches::map_pictures(
                    classifier.scae.params(),
                    &data.pictures,
                    5,
                    &mut workspace,
                    |tape, batch| {
                        let code = classifier.record_layers(tape, batch, 0..2);
                        tape.flatten(code)
                    },
                );
                let expected = scae.codes(&data.pictures, &mut workspace);
                let pairs = code.as_slice().iter().zip(expected.as_slice());
                assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-5), "{encoder}, {sharing:?}");
            }
        }
    }

    #[test]
    fn d9_a_classifier_takes_every_kind_of_unit() {
        use crate::{
            scae::train,
            units::{Descent, KMeansCode, TrainConfig, Unpooling, VisibleRange},
        };
        let data = data();
        let greedy = TrainConfig {
            samples_per_layer: 1_600,
            batch_size: 16,
            descent: Descent::Adam,
            lr: 5e-3,
            weight_decay: 0.0,
            seed: 1,
        };
        let units = [
            (UnitSpec::BernoulliRbm { steps: 1, range: VisibleRange::Symmetric }, 6),
            (UnitSpec::GaussianRbm { steps: 1, sd: 0.5, learn_sd: true }, 6),
            (UnitSpec::MaxPooling { unpooling: Unpooling::Switches }, 1),
            (UnitSpec::KMeans { code: KMeansCode::Triangle, iterations: 3, contrast: 6e-4, whitening: 0.1 }, 6),
        ];
        for (unit, features) in units {
            let lowest = LayerSpec { geometry: LayerGeometry { kernel: 4, offset: 4 }, features, unit };
            let mut scae = stack(vec![lowest, layer(2, 2, 5, Activation::Softsign)]);
            train(&mut scae, &data.pictures, &greedy, &mut Workspace::new()).unwrap();
            let mut classifier = Classifier::new(scae.clone(), 2, 1);
            let losses = classifier.train(&data, &CONFIG, &mut Workspace::new()).unwrap();
            // The classes differ in brightness, which a k-means unit takes away from every patch.
            let blind = matches!(unit, UnitSpec::KMeans { .. });
            assert!(losses[19] < if blind { 1.0 } else { 0.7 } * losses[0], "{}: {losses:?}", unit.kind());
            let spec = ClassifierSpec { sharing: Sharing::Unshared, ..ClassifierSpec::new(2) };
            let error = Classifier::with_spec(scae, spec, 1).unwrap_err();
            assert_eq!(error, ClassifierError::NotAConvolution { layer: 0, kind: unit.kind() });
        }
    }

    /// N-light-N's search for the largest output began at the second one.
    #[test]
    fn d8_the_first_class_can_win() {
        let mut classifier = Classifier::new(two_layers(), 3, 1);
        let params = classifier.scae.params_mut();
        let [weight, bias] = ["head.weight", "head.bias"].map(|name| params.find(name).unwrap());
        params.get_mut(weight).as_mut_slice().fill(0.0);
        for class in 0..3u32 {
            let bias = classifier.scae.params_mut().get_mut(bias).as_mut_slice();
            bias.iter_mut().enumerate().for_each(|(at, bias)| *bias = if at as u32 == class { -1.0 } else { -2.0 });
            let predicted = classifier.predict(&data().pictures, &mut Workspace::new());
            assert!(predicted.iter().all(|&label| label == class));
        }
    }

    #[test]
    fn unshared_weights_start_alike_and_part() {
        let (data, scae) = (data(), two_layers());
        let spec = ClassifierSpec { sharing: Sharing::Unshared, ..ClassifierSpec::new(2) };
        let mut classifier = Classifier::with_spec(scae, spec, 1).unwrap();
        let weight = |classifier: &Classifier, position: usize| -> Vec<f32> {
            let params = classifier.scae.params();
            let weight = params.get(params.find("layer0.unshared.weight").unwrap());
            weight.as_slice().chunks(24).flat_map(|row| row[position * 6..][..6].to_vec()).collect()
        };
        assert!((1..4).all(|position| weight(&classifier, 0) == weight(&classifier, position)));
        let mut workspace = Workspace::new();
        classifier.train(&data, &CONFIG, &mut workspace).unwrap();
        assert!((1..4).all(|position| weight(&classifier, 0) != weight(&classifier, position)));
        assert_eq!(classifier.accuracy(&data, &mut workspace), 1.0);
        assert!(classifier.to_scae().is_none());
    }

    #[test]
    fn only_the_upper_layers_are_trained_when_asked() {
        let (data, before) = (data(), two_layers());
        let mut workspace = Workspace::new();
        for top in 0..=2 {
            let spec = ClassifierSpec { trained: TrainedLayers::Top(top), ..ClassifierSpec::new(2) };
            let mut classifier = Classifier::with_spec(before.clone(), spec, 1).unwrap();
            classifier.train(&data, &CONFIG, &mut workspace).unwrap();
            for (id, name, tensor) in before.params().iter().filter(|(_, name, _)| name.contains("encoder")) {
                let trained = name.starts_with("layer1") && top >= 1 || top == 2;
                assert_eq!(tensor != classifier.scae.params().get(id), trained, "top {top}: {name}");
            }
        }
        let spec = ClassifierSpec { trained: TrainedLayers::Top(3), ..ClassifierSpec::new(2) };
        let error = Classifier::with_spec(before, spec, 1).unwrap_err();
        assert_eq!(error.to_string(), "the top 3 layers are to be trained, but the stack has 2");
    }

    #[test]
    fn squared_error_with_hidden_layers_learns_the_classes() {
        let data = data();
        let spec = ClassifierSpec {
            hidden: vec![Hidden { features: 6, activation: Activation::Softsign }],
            loss: Loss::SquaredError { output: Activation::Softsign },
            ..ClassifierSpec::new(2)
        };
        let mut classifier = Classifier::with_spec(two_layers(), spec, 1).unwrap();
        let mut workspace = Workspace::new();
        classifier.train(&data, &FineTuneConfig { epochs: 40, ..CONFIG }, &mut workspace).unwrap();
        assert_eq!(classifier.accuracy(&data, &mut workspace), 1.0);
    }
}
