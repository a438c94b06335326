//! Fine-tuning: the encoder of an SCAE with a classification layer on top, trained through all layers.
//!
//! The decoders stay attached and as they are, so that the same network shows what its old decoder makes of the new code:
//! the *after* of the paper's figure 1.

use crate::{batches, data::Labelled, probe::arg_max, scae::Scae, scores::accuracy};
use patchgrad::{
    Tape, Tensor, Workspace,
    layers::{Layer, Linear},
    optim::{Optimizer, Sgd, SgdConfig},
    random::stream,
};
use rand::seq::SliceRandom;

/// How a network is fine-tuned: mini-batches, cross-entropy, momentum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FineTuneConfig {
    /// Times that every training picture is shown.
    pub epochs: usize,
    /// Pictures in one step.
    pub batch_size: usize,
    /// Learning rate for the mean cross-entropy of a batch.
    pub lr: f64,
    /// Momentum.
    pub momentum: f64,
    /// Seed of the classification layer and of the order of pictures.
    pub seed: u64,
}

/// Training met a loss that is not a number or infinite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the loss is not finite in epoch {epoch}; try a smaller learning rate")]
pub struct Diverged {
    /// The epoch, counted from 0.
    pub epoch: usize,
}

/// A classifier: the encoder of an SCAE and a linear layer on its code.
#[derive(Clone, Debug)]
pub struct Classifier {
    scae: Scae,
    head: Linear,
    classes: usize,
}

impl Classifier {
    /// The encoder of `scae` with an untrained classification layer.
    pub fn new(mut scae: Scae, classes: usize, seed: u64) -> Self {
        let features = [scae.spec().code_size(), classes];
        let head = Linear::new(scae.params_mut(), "head", features, &mut stream(seed, "head", 0));
        Self { scae, head, classes }
    }

    /// The network with its present encoder and the decoders it came with.
    pub fn scae(&self) -> &Scae {
        &self.scae
    }

    /// Trains encoder and classification layer; gives the mean loss of each epoch.
    ///
    /// # Errors
    /// When a loss is no longer finite; that step is not taken.
    pub fn train(
        &mut self,
        data: &Labelled,
        config: &FineTuneConfig,
        workspace: &mut Workspace,
    ) -> Result<Vec<f64>, Diverged> {
        let sgd = SgdConfig { momentum: config.momentum, ..SgdConfig::new(config.lr) };
        let mut optimizer = Sgd::new(sgd);
        let mut order: Vec<usize> = (0..data.count()).collect();
        let mut losses = Vec::with_capacity(config.epochs);
        for epoch in 0..config.epochs {
            order.shuffle(&mut stream(config.seed, "fine-tune", epoch as u64));
            let mut sum = 0.0;
            for batch in order.chunks(config.batch_size) {
                let loss = self.step(data, batch, &mut optimizer, workspace);
                sum += loss.ok_or(Diverged { epoch })? * batch.len() as f64;
            }
            losses.push(sum / data.count() as f64);
        }
        Ok(losses)
    }

    /// One step on the pictures at `batch`; gives the loss before it, or `None` without a step when that is not finite.
    fn step(
        &mut self,
        data: &Labelled,
        batch: &[usize],
        optimizer: &mut Sgd,
        workspace: &mut Workspace,
    ) -> Option<f64> {
        let pictures = batches::gather(&data.pictures, batch, workspace);
        let labels: Vec<u32> = batch.iter().map(|&index| data.labels[index]).collect();
        let mut tape = Tape::with_params(self.scae.params(), workspace);
        let input = tape.input(&pictures);
        let code = self.scae.encode(&mut tape, input, self.scae.spec().layers.len());
        let code = tape.flatten(code);
        let logits = self.head.forward(&mut tape, code);
        let loss = tape.cross_entropy(logits, &labels);
        let value = f64::from(tape.value(loss).item());
        if !value.is_finite() {
            return None;
        }
        let gradients = tape.backward(loss);
        optimizer.step(self.scae.params_mut(), &gradients);
        gradients.recycle(workspace);
        workspace.give(pictures);
        Some(value)
    }

    /// The class of each picture.
    pub fn predict(&self, pictures: &Tensor, workspace: &mut Workspace) -> Vec<u32> {
        let logits = batches::map_rows(self.scae.params(), pictures, self.classes, workspace, |tape, batch| {
            let code = self.scae.encode(tape, batch, self.scae.spec().layers.len());
            let code = tape.flatten(code);
            self.head.forward(tape, code)
        });
        arg_max(&logits, self.classes)
    }

    /// The share of pictures that are classified right.
    pub fn accuracy(&self, data: &Labelled, workspace: &mut Workspace) -> f64 {
        accuracy(&self.predict(&data.pictures, workspace), &data.labels)
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

    #[test]
    fn fine_tuning_learns_the_classes_and_leaves_the_decoders_alone() {
        // Bars: class 0 is bright on the left, class 1 at the top.
        let pictures = Tensor::from_fn([80, 8, 8, 1], |i| {
            let (n, y, x) = (i / 64, i / 8 % 8, i % 8);
            let bright = if n % 2 == 0 { x < 4 } else { y < 4 };
            let noise = ((i * 7919) % 97) as f32 / 97.0 - 0.5;
            if bright { 0.5 + noise } else { -0.5 + noise }
        });
        let data = Labelled { pictures, labels: (0..80).map(|n| n % 2).collect() };
        let layer = |kernel, offset, features| LayerSpec {
            geometry: LayerGeometry { kernel, offset },
            features,
            unit: UnitSpec::standard(Activation::Softsign, Activation::Linear),
        };
        let spec = ScaeSpec { picture: [8, 8, 1], layers: vec![layer(4, 4, 6), layer(2, 2, 5)] };
        let before = Scae::new(spec, &mut stream(2, "init", 0));
        let mut classifier = Classifier::new(before.clone(), 2, 1);
        let config = FineTuneConfig { epochs: 20, batch_size: 16, lr: 0.1, momentum: 0.9, seed: 1 };
        let mut workspace = Workspace::new();
        let losses = classifier.train(&data, &config, &mut workspace).unwrap();
        assert!(losses[19] < 0.1 * losses[0], "{losses:?}");
        assert_eq!(classifier.accuracy(&data, &mut workspace), 1.0);
        let config = FineTuneConfig { lr: 1e38, ..config };
        assert!(Classifier::new(before.clone(), 2, 1).train(&data, &config, &mut workspace).is_err());
        for (id, name, tensor) in before.params().iter() {
            let unchanged = tensor == classifier.scae().params().get(id);
            assert_eq!(unchanged, name.contains("decoder"), "{name}");
        }
    }
}
