//! A multi-layer perceptron on the central multilayer features of a frozen SCAE.

use super::{Classify, FineTuneConfig, Hidden, Loss, mlp::Mlp};
use crate::{
    batches,
    data::Labelled,
    pictures::PictureSource,
    probe::arg_max,
    scae::Scae,
    scores::accuracy,
    training::{Checkpoints, FitSpec, History, Trainable, TrainingError, fit},
};
use patchgrad::{Gradients, Params, Tape, Tensor, Var, Workspace, optim::Optimizer, random::stream};

/// The frozen stack and the perceptron, whose inputs are the features of *all* layers.
#[derive(Clone, Debug)]
pub struct CentralClassifier {
    scae: Scae,
    params: Params,
    mlp: Mlp,
    loss: Loss,
    classes: usize,
}

impl CentralClassifier {
    /// An untrained perceptron on `scae`: hidden layers, lowest first, and an output layer.
    pub fn new(scae: Scae, hidden: &[Hidden], classes: usize, loss: Loss, seed: u64) -> Self {
        let mut params = Params::new();
        let sizes = [scae.spec().central_features(), classes];
        let mlp = Mlp::new(&mut params, sizes, hidden, &mut stream(seed, "head", 0));
        Self { scae, params, mlp, loss, classes }
    }

    /// The parameters of the perceptron.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The stack, which training leaves as it is.
    pub fn scae(&self) -> &Scae {
        &self.scae
    }

    /// Trains the perceptron; gives the mean loss of each epoch. The features are computed once.
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
        let mut part = |data: &Labelled| (self.scae.central_features(&data.pictures, workspace), data.labels.clone());
        let (train, validation) = (part(data), validation.map(part));
        let mut training = Training { network: self, train, validation };
        fit(&mut training, optimizer, spec, checkpoints, workspace)
    }

    /// Records the mean loss of the rows at `batch` and gives what `finish` makes of it.
    fn loss<R>(
        &self,
        features: &Tensor,
        labels: &[u32],
        batch: &[usize],
        workspace: &mut Workspace,
        finish: impl FnOnce(Tape, Var) -> R,
    ) -> R {
        let rows = batches::gather(features, batch, workspace);
        let labels: Vec<u32> = batch.iter().map(|&index| labels[index]).collect();
        let mut tape = Tape::with_params(&self.params, workspace);
        let input = tape.input(&rows);
        let sums = self.mlp.record(&mut tape, input);
        let loss = self.loss.record(&mut tape, sums, &labels);
        let result = finish(tape, loss);
        workspace.give(rows);
        result
    }

    /// The output sums for `pictures`, `[N, classes]`.
    pub fn outputs(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Tensor {
        let features = self.scae.central_features(pictures, workspace);
        batches::map_rows(&self.params, &features, self.classes, workspace, |tape, rows| self.mlp.record(tape, rows))
    }

    /// The share of pictures that are classified right.
    pub fn accuracy(&self, data: &Labelled, workspace: &mut Workspace) -> f64 {
        accuracy(&self.predict(&data.pictures, workspace), &data.labels)
    }
}

/// A perceptron and what it is trained on.
struct Training<'a> {
    network: &'a mut CentralClassifier,
    /// Features `[N, features]` and their classes.
    train: (Tensor, Vec<u32>),
    validation: Option<(Tensor, Vec<u32>)>,
}

impl Trainable for Training<'_> {
    fn params(&self) -> &Params {
        &self.network.params
    }

    fn params_mut(&mut self) -> &mut Params {
        &mut self.network.params
    }

    fn samples(&self) -> usize {
        self.train.1.len()
    }

    fn gradients(&self, batch: &[usize], _: u64, workspace: &mut Workspace) -> (f64, Gradients) {
        let (features, labels) = &self.train;
        self.network.loss(features, labels, batch, workspace, |tape, loss| {
            (f64::from(tape.value(loss).item()), tape.backward(loss))
        })
    }

    fn validate(&self, workspace: &mut Workspace) -> Option<f64> {
        let (features, labels) = self.validation.as_ref()?;
        let all: Vec<usize> = (0..labels.len()).collect();
        let sums = all.chunks(128).map(|batch| {
            let mean = self.network.loss(features, labels, batch, workspace, |tape, loss| tape.value(loss).item());
            f64::from(mean) * batch.len() as f64
        });
        Some(sums.sum::<f64>() / labels.len() as f64)
    }
}

impl Classify for CentralClassifier {
    fn predict(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Vec<u32> {
        arg_max(&self.outputs(pictures, workspace), self.classes)
    }

    fn classes(&self) -> usize {
        self.classes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        scae::{LayerGeometry, LayerSpec, ScaeSpec},
        units::UnitSpec,
    };
    use patchgrad::ops::Activation;

    fn classifier() -> CentralClassifier {
        let unit = UnitSpec::standard(Activation::Softsign, Activation::Linear);
        let layer = |kernel, offset, features| LayerSpec { geometry: LayerGeometry { kernel, offset }, features, unit };
        let spec = ScaeSpec { picture: [8, 8, 1], layers: vec![layer(4, 2, 6), layer(3, 3, 5)] };
        let scae = Scae::new(spec, &mut stream(2, "init", 0));
        let hidden = [Hidden { features: 8, activation: Activation::Softsign }];
        CentralClassifier::new(scae, &hidden, 2, Loss::CrossEntropy, 1)
    }

    fn data() -> Labelled {
        let pictures = Tensor::from_fn([80, 8, 8, 1], |i| {
            let (n, y, x) = (i / 64, i / 8 % 8, i % 8);
            let bright = if n % 2 == 0 { x < 4 } else { y < 4 };
            let noise = ((i * 7919) % 97) as f32 / 97.0 - 0.5;
            if bright { 0.5 + noise } else { -0.5 + noise }
        });
        Labelled { pictures: pictures.into(), labels: (0..80).map(|n| n % 2).collect() }
    }

    /// N-light-N sized the perceptron by the top layer alone and never computed the features of a new patch.
    #[test]
    fn d5_the_perceptron_reads_all_layers_and_sees_every_new_picture() {
        let (classifier, data, mut workspace) = (classifier(), data(), Workspace::new());
        let weight = classifier.params.get(classifier.params.find("hidden0.weight").unwrap());
        assert_eq!(weight.shape().dims(), [6 + 5, 8]);
        let outputs = classifier.outputs(&data.pictures, &mut workspace);
        let mut rows: Vec<Vec<u32>> =
            outputs.as_slice().chunks(2).map(|row| row.iter().map(|value| value.to_bits()).collect()).collect();
        rows.sort();
        rows.dedup();
        assert!(rows.len() >= 79, "only {} of 80 pictures differ", rows.len());
    }

    #[test]
    fn it_learns_the_classes_and_leaves_the_stack_alone() {
        let (mut classifier, data, mut workspace) = (classifier(), data(), Workspace::new());
        let before = classifier.scae.params().clone();
        let config = FineTuneConfig { epochs: 60, batch_size: 16, lr: 0.1, momentum: 0.9, seed: 1 };
        classifier.train(&data, &config, &mut workspace).unwrap();
        assert!(classifier.accuracy(&data, &mut workspace) >= 0.95);
        assert!(before.iter().all(|(id, _, tensor)| tensor == classifier.scae.params().get(id)));
    }
}
