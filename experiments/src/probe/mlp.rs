//! The MLP probe: what a non-linear reader finds in the features.

use super::{Features, FittedProbe, ProbeError, arg_max, cross_entropy, standardised};
use crate::{batches, classification::accuracy, linear_algebra::Standardiser};
use patchgrad::{
    Params, Tape, Tensor, Var, Workspace,
    layers::{Layer, Linear},
    optim::{Adam, AdamConfig, Optimizer},
    random::stream,
};
use rand::seq::SliceRandom;

/// How the probe is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MlpSettings {
    /// Units of the hidden layer (ReLU).
    pub hidden: usize,
    /// Learning rate of Adam.
    pub lr: f64,
    /// Rows of a step.
    pub batch_size: usize,
    /// Epochs at most.
    pub epochs: usize,
    /// Epochs without a better one before training stops.
    pub patience: usize,
    /// Seed of the weights and of the order of rows.
    pub seed: u64,
}

impl MlpSettings {
    /// 256 units, Adam at 1e-3, 200 rows a step, at most 200 epochs, 10 epochs of patience: scikit-learn's `MLPClassifier`
    /// with early stopping, but for the units.
    pub const DEFAULT: Self = Self { hidden: 256, lr: 1e-3, batch_size: 200, epochs: 200, patience: 10, seed: 0 };
}

impl Default for MlpSettings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A multi-layer perceptron with one hidden layer on standardised features, trained with cross-entropy.
///
/// After every epoch it is asked about the validation rows; the weights of the epoch with the best accuracy (of equals, the
/// lowest cross-entropy) are kept.
#[derive(Clone, Debug)]
pub struct MlpProbe {
    scale: Standardiser,
    params: Params,
    layers: [Linear; 2],
    classes: usize,
    best_epoch: usize,
}

impl MlpProbe {
    /// Trains.
    ///
    /// # Errors
    /// When a feature or the loss is not finite.
    ///
    /// # Panics
    /// If rows and labels do not fit.
    pub fn fit(
        train: Features,
        validation: Features,
        classes: usize,
        settings: &MlpSettings,
        workspace: &mut Workspace,
    ) -> Result<Self, ProbeError> {
        let scale = Standardiser::fit(train.table());
        let [train_rows, validation_rows] = [train, validation].map(|part| standardised(&scale, part.rows));
        Features { rows: &train_rows, labels: &[] }.check_finite()?;
        let mut params = Params::new();
        let sizes = [[train_rows.shape().dims()[1], settings.hidden], [settings.hidden, classes]];
        let mut init = stream(settings.seed, "mlp-probe-init", 0);
        let layers = ["hidden", "output"].into_iter().zip(sizes);
        let mut layers = layers.map(|(name, sizes)| Linear::new(&mut params, name, sizes, &mut init));
        let layers: [Linear; 2] = std::array::from_fn(|_| layers.next().expect("two layers"));
        let mut probe = Self { scale, params, layers, classes, best_epoch: 0 };
        let mut optimizer = Adam::new(AdamConfig::new(settings.lr));
        let mut order: Vec<usize> = (0..train.labels.len()).collect();
        let mut best: Option<(f64, f64, Params)> = None;
        for epoch in 0..settings.epochs {
            order.shuffle(&mut stream(settings.seed, "mlp-probe-order", epoch as u64));
            for batch in order.chunks(settings.batch_size) {
                let finite = probe.step(&train_rows, train.labels, batch, &mut optimizer, workspace);
                if !finite {
                    return Err(ProbeError::Diverged { epoch, lr: settings.lr });
                }
            }
            let logits = probe.logits_of(&validation_rows, workspace);
            let accuracy = accuracy(&arg_max(&logits, classes), validation.labels);
            let cross_entropy = cross_entropy(&logits, validation.labels);
            let better = best.as_ref().is_none_or(|(best_accuracy, best_cross_entropy, _)| {
                accuracy > *best_accuracy || (accuracy == *best_accuracy && cross_entropy < *best_cross_entropy)
            });
            if better {
                best = Some((accuracy, cross_entropy, probe.params.clone()));
                probe.best_epoch = epoch;
            } else if epoch - probe.best_epoch >= settings.patience {
                break;
            }
        }
        if let Some((_, _, params)) = best {
            probe.params = params;
        }
        Ok(probe)
    }

    /// One step; `false`, and no step, when the loss is not finite.
    fn step(
        &mut self,
        rows: &Tensor,
        labels: &[u32],
        batch: &[usize],
        optimizer: &mut Adam,
        workspace: &mut Workspace,
    ) -> bool {
        let rows = batches::gather(rows, batch, workspace);
        let labels: Vec<u32> = batch.iter().map(|&index| labels[index]).collect();
        let mut tape = Tape::with_params(&self.params, workspace);
        let input = tape.input(&rows);
        let logits = self.record(&mut tape, input);
        let loss = tape.cross_entropy(logits, &labels);
        if !tape.value(loss).item().is_finite() {
            return false;
        }
        let gradients = tape.backward(loss);
        optimizer.step(&mut self.params, &gradients);
        gradients.recycle(workspace);
        workspace.give(rows);
        true
    }

    fn record(&self, tape: &mut Tape, input: Var) -> Var {
        let hidden = self.layers[0].forward(tape, input);
        let hidden = tape.relu(hidden);
        self.layers[1].forward(tape, hidden)
    }

    /// The logits of standardised rows.
    fn logits_of(&self, rows: &Tensor, workspace: &mut Workspace) -> Tensor {
        batches::map_rows(&self.params, rows, self.classes, workspace, |tape, input| self.record(tape, input))
    }
}

impl FittedProbe for MlpProbe {
    fn predict(&self, rows: &Tensor, workspace: &mut Workspace) -> Result<Vec<u32>, ProbeError> {
        let logits = self.logits(rows, workspace)?.expect("this probe gives logits");
        Ok(arg_max(&logits, self.classes))
    }

    fn logits(&self, rows: &Tensor, workspace: &mut Workspace) -> Result<Option<Tensor>, ProbeError> {
        Features { rows, labels: &[] }.check_finite()?;
        let rows = standardised(&self.scale, rows);
        Ok(Some(self.logits_of(&rows, workspace)))
    }

    fn choice(&self) -> Option<(&'static str, f64)> {
        Some(("epochs", (self.best_epoch + 1) as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad::parallel;
    use rand::RngExt;

    /// Points in a square; the class is whether the signs of x and y agree: no line parts them.
    fn exclusive_or(count: usize, index: u64) -> (Tensor, Vec<u32>) {
        let mut stream = stream(2, "exclusive or", index);
        let values: Vec<f32> = (0..2 * count).map(|_| stream.random_range(-1.0..1.0)).collect();
        let labels = values.chunks(2).map(|point| u32::from(point[0] * point[1] > 0.0)).collect();
        (Tensor::new([count, 2], &values), labels)
    }

    const FAST: MlpSettings = MlpSettings { hidden: 32, lr: 1e-2, batch_size: 50, ..MlpSettings::DEFAULT };

    #[test]
    fn it_learns_what_no_linear_probe_can() {
        let parts = [exclusive_or(500, 0), exclusive_or(200, 1), exclusive_or(200, 2)];
        let [train, validation, test] = parts.each_ref().map(|(rows, labels)| Features { rows, labels });
        let mut workspace = Workspace::new();
        let probe = MlpProbe::fit(train, validation, 2, &FAST, &mut workspace).unwrap();
        let accuracy = probe.accuracy(test, &mut workspace).unwrap();
        assert!(accuracy > 0.94, "{accuracy}");
        let linear = super::super::RidgeProbe::fit(train, validation, 2, &[0.0]).unwrap();
        let accuracy = linear.accuracy(test, &mut workspace).unwrap();
        assert!(accuracy < 0.65, "{accuracy}");
    }

    #[test]
    fn the_best_epoch_is_kept_and_the_seed_decides() {
        let parts = [exclusive_or(60, 0), exclusive_or(60, 1)];
        let [train, validation] = parts.each_ref().map(|(rows, labels)| Features { rows, labels });
        let fit = |threads, settings: MlpSettings| {
            parallel::with_threads(threads, || {
                let mut workspace = Workspace::new();
                let probe = MlpProbe::fit(train, validation, 2, &settings, &mut workspace).unwrap();
                let logits = probe.logits(validation.rows, &mut workspace).unwrap().unwrap();
                (probe.choice().unwrap().1, probe.accuracy(validation, &mut workspace).unwrap(), logits)
            })
        };
        let stopped = fit(1, FAST);
        assert_eq!(stopped, fit(2, FAST));
        assert_ne!(stopped.2, fit(1, MlpSettings { seed: 1, ..FAST }).2);
        // Training that ends with the best epoch gives the same weights.
        let epochs = stopped.0 as usize;
        assert!((1..FAST.epochs - FAST.patience).contains(&epochs), "{epochs}");
        assert_eq!(stopped, fit(1, MlpSettings { epochs, ..FAST }));
    }

    #[test]
    fn a_learning_rate_that_is_too_large_is_an_error() {
        let (rows, labels) = exclusive_or(60, 0);
        let features = Features { rows: &rows, labels: &labels };
        let settings = MlpSettings { lr: 1e38, ..FAST };
        let error = MlpProbe::fit(features, features, 2, &settings, &mut Workspace::new()).unwrap_err();
        assert!(matches!(error, ProbeError::Diverged { .. }), "{error}");
    }
}
