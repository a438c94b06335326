//! What a unit learns with, and the loop of those that learn by gradient descent.

use super::{Descent, PatchBatch, PatchSource, Progress, TrainConfig, Unit, norm_rule};
use crate::{linear_algebra::LinearAlgebraError, training::TrainingError};
use patchgrad::{
    Gradients, ParamId, Params, Tape, Tensor, Var, Workspace,
    checkpoint::{Checkpoint, CheckpointError},
    optim::Optimizer,
    random::{self, Stream},
};

/// One layer's training: the parameters of the stack, the patches, how long and how fast.
pub struct Fit<'a, 'c> {
    /// Parameters of the whole stack; a unit changes its own.
    pub params: &'a mut Params,
    /// Draws patches.
    pub patches: &'a mut dyn PatchSource,
    /// How long and how fast.
    pub config: &'a TrainConfig,
    /// The layer, counted from 0: the index of its random streams.
    pub layer: usize,
    /// Saves, and goes on from what was saved.
    pub progress: &'a mut Progress<'c>,
    /// Buffers.
    pub workspace: &'a mut Workspace,
}

/// What training reports of one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trained {
    /// Mean absolute error over the last tenth of the patches, per value of the patch.
    pub final_error: f64,
    /// Mean absolute error over all patches.
    pub mean_error: f64,
}

/// Why a unit could not be trained.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// The loss of a step is NaN or infinite; the parameters are those before that step.
    #[error("the training diverged: the loss of step {step} is not finite; try a smaller learning rate")]
    Diverged {
        /// The step, counted from 0.
        step: usize,
    },
    /// The unit is supervised and the patches have no labels.
    #[error("an {0} unit learns from labels, but the patches have none; train it with labelled pictures")]
    NeedsLabels(&'static str),
    /// Fewer classes than a discriminant needs.
    #[error("a discriminant needs patches of at least two classes, got {0}; draw more patches")]
    TooFewClasses(usize),
    /// A decomposition has no result.
    #[error(transparent)]
    LinearAlgebra(#[from] LinearAlgebraError),
    /// Interrupted, or a checkpoint could not be read or written.
    #[error(transparent)]
    Stopped(#[from] TrainingError),
}

impl FitError {
    /// The same as the end of a training, of layer `layer` counted from 0.
    pub(crate) fn of_layer(self, layer: usize) -> TrainingError {
        match self {
            Self::Diverged { step } => TrainingError::NotFinite { layer: format!("layer {layer}"), step: step as u64 },
            Self::Stopped(error) => error,
            other => TrainingError::Layer { layer, why: other.to_string() },
        }
    }
}

/// What one step found.
pub(super) struct Step {
    /// The loss before the step.
    pub(super) loss: f32,
    /// Mean of |decoded - patch| over the mini-batch and the patch.
    pub(super) absolute_error: f64,
    /// Of the parameters that are to change.
    pub(super) gradients: Gradients,
}

impl Fit<'_, '_> {
    /// The random numbers `name` of this layer.
    pub(super) fn stream(&self, name: &str) -> Stream {
        random::stream(self.config.seed, name, self.layer as u64)
    }

    /// Takes a step of descent for each mini-batch, with the random numbers `name` of that step: a run that is resumed draws
    /// the same. The last tenth of the steps runs at a tenth of the rate. `linear` are the weights of linear layers among
    /// what learns, for [`Descent::SgdWithNormRule`].
    ///
    /// # Errors
    /// When a loss is not finite, or the run is interrupted; that step is not taken.
    pub(super) fn descend(
        &mut self,
        name: &str,
        linear: &[ParamId],
        mut step: impl FnMut(&Params, &Tensor, &mut Stream, &mut Workspace) -> Step,
    ) -> Result<Trained, FitError> {
        let steps = self.config.steps();
        let mut run = match self.progress.within() {
            Some(checkpoint) => self.resume(checkpoint).map_err(|error| self.progress.refuse(error))?,
            None => Descending { step: 0, optimizer: self.config.optimizer(), errors: Errors::default() },
        };
        while run.step < steps {
            if run.step == self.config.slow_from() {
                run.optimizer.set_lr(self.config.lr / 10.0);
            }
            let batch = self.patches.next_batch(self.params, self.config.batch_size, self.workspace);
            // 2^32 steps a layer.
            let mut random = random::stream(self.config.seed, name, (self.layer as u64) << 32 | run.step as u64);
            let found = step(self.params, &batch.maps, &mut random, self.workspace);
            if !found.loss.is_finite() {
                return Err(FitError::Diverged { step: run.step });
            }
            run.optimizer.step(self.params, &found.gradients);
            if self.config.descent == Descent::SgdWithNormRule {
                linear.iter().for_each(|&id| norm_rule::apply(self.params.get_mut(id).as_mut_slice()));
            }
            found.gradients.recycle(self.workspace);
            self.workspace.give(batch.maps);
            run.errors.add(found.absolute_error, run.step >= self.config.slow_from());
            run.step += 1;
            let (patches, params) = (&*self.patches, &*self.params);
            self.progress.after_step([run.step, steps], params, |checkpoint| {
                run.errors.put(checkpoint);
                checkpoint.put_optimizer(run.optimizer.as_ref(), params);
                patches.put(checkpoint);
            })?;
        }
        Ok(run.errors.trained())
    }

    /// What [`descend`](Self::descend) stored.
    fn resume(&mut self, mut checkpoint: Checkpoint) -> Result<Descending, CheckpointError> {
        let (step, steps): (usize, usize) = (checkpoint.get("step")?, self.config.steps());
        if step > steps {
            let (key, value, expected) = ("step".to_string(), step.to_string(), format!("at most {steps}"));
            return Err(CheckpointError::Entry { key, value, expected });
        }
        let errors = Errors::take(&checkpoint)?;
        let mut optimizer = self.config.optimizer();
        checkpoint.take_optimizer(optimizer.as_mut(), self.params)?;
        self.patches.take(&mut checkpoint)?;
        checkpoint.finish()?;
        Ok(Descending { step, optimizer, errors })
    }

    /// For units that cannot be saved halfway, while the parameters are as they were at the layer's beginning: ends the run
    /// if that was asked for.
    ///
    /// # Errors
    /// If the run is interrupted.
    pub(super) fn may_end(&mut self) -> Result<(), FitError> {
        Ok(self.progress.between_layers(self.config.steps(), self.params)?)
    }

    /// Descent on the reconstruction by the decoder of `unit` alone.
    ///
    /// # Errors
    /// As [`descend`](Self::descend).
    pub(super) fn descend_decoder(&mut self, unit: &dyn Unit) -> Result<Trained, FitError> {
        let decoder = unit.decoder_params();
        if decoder.is_empty() {
            return Ok(self.measure(unit));
        }
        let linear: Vec<ParamId> = unit.linear_weights().into_iter().filter(|id| decoder.contains(id)).collect();
        self.descend("decoder", &linear, |params, maps, _, workspace| {
            let mut tape = Tape::with_params(params, workspace);
            let input = tape.input(maps);
            let (code, switches) = unit.encode_with_switches(&mut tape, input);
            let switches = switches.map(|switches| tape.indices(switches).clone());
            let code = tape.finish(code);
            let mut tape = Tape::with_params(params, workspace);
            let (input, fixed) = (tape.input(maps), tape.input(&code));
            let switches = switches.map(|switches| tape.record_indices(&switches));
            let decoded = unit.decode_patches(&mut tape, fixed, switches);
            let (loss, absolute_error) = reconstruction_loss(&mut tape, decoded, input);
            let loss_value = tape.value(loss).item();
            let mut gradients = tape.backward(loss);
            // What a decoder shares with the encoder stays.
            gradients.retain_params(|id: ParamId| decoder.contains(&id), workspace);
            workspace.give(code);
            Step { loss: loss_value, absolute_error, gradients }
        })
    }

    /// The error of the reconstruction as it is, over a tenth of the patches.
    pub(super) fn measure(&mut self, unit: &dyn Unit) -> Trained {
        let mut errors = Errors::default();
        for _ in 0..self.config.steps().div_ceil(10) {
            let batch = self.patches.next_batch(self.params, self.config.batch_size, self.workspace);
            let mut tape = Tape::with_params(self.params, self.workspace);
            let input = tape.input(&batch.maps);
            let (code, switches) = unit.encode_with_switches(&mut tape, input);
            let decoded = unit.decode_patches(&mut tape, code, switches);
            errors.add(absolute_error(&tape, decoded, input), true);
            drop(tape);
            self.workspace.give(batch.maps);
        }
        errors.trained()
    }

    /// All patches at once, `[samples, k*k*d]` as rows, for what is computed in closed form; their labels where all are
    /// known. Memory: four bytes for each value.
    ///
    /// # Errors
    /// If the run is interrupted.
    pub(super) fn all_patches(&mut self) -> Result<(Vec<f32>, Option<Vec<u32>>), FitError> {
        let (mut rows, mut labels) = (Vec::new(), Some(Vec::new()));
        self.each_batch(|batch| {
            rows.extend_from_slice(batch.maps.as_slice());
            labels = labels.take().zip(batch.labels.as_deref()).map(|(mut all, new)| {
                all.extend_from_slice(new);
                all
            });
        })?;
        Ok((rows, labels))
    }

    /// Where the supply of patches stands, for [`pass_from`](Self::pass_from).
    pub(super) fn bookmark(&self) -> Checkpoint {
        let mut bookmark = Checkpoint::new();
        self.patches.put(&mut bookmark);
        bookmark
    }

    /// Hands over all patches from a bookmark on, `[B, k*k*d]` as rows in pieces, for what goes through them several times:
    /// that takes less memory than [`all_patches`](Self::all_patches), and the supply stands as after one pass.
    ///
    /// # Errors
    /// If the run is interrupted.
    pub(super) fn pass_from(&mut self, bookmark: &Checkpoint, mut each: impl FnMut(&[f32])) -> Result<(), FitError> {
        self.patches.take(&mut bookmark.clone()).expect("a bookmark is of this supply");
        self.each_batch(|batch| each(batch.maps.as_slice()))
    }

    /// Draws all patches, batch by batch.
    fn each_batch(&mut self, mut each: impl FnMut(&PatchBatch)) -> Result<(), FitError> {
        let mut left = self.config.samples_per_layer;
        while left > 0 {
            let count = left.min(self.config.batch_size.max(256));
            let batch = self.patches.next_batch(self.params, count, self.workspace);
            each(&batch);
            self.workspace.give(batch.maps);
            left -= count;
            self.may_end()?;
        }
        Ok(())
    }
}

/// Records half the squared error of a patch, meaned over the patches: `1/B sum 1/2 |decoded - target|^2`. Gives it and
/// the mean absolute error.
pub(super) fn reconstruction_loss(tape: &mut Tape, decoded: Var, target: Var) -> (Var, f64) {
    let target = tape.reshape(target, tape.shape(decoded));
    let error = absolute_error(tape, decoded, target);
    let mse = tape.mse_loss(decoded, target);
    // The mean over B * k * k * d values, times k * k * d / 2.
    let patch_len = *tape.shape(decoded).dims().last().expect("patches have four axes");
    (tape.scale(mse, patch_len as f32 / 2.0), error)
}

/// The mean of |a - b| over all values.
pub(super) fn absolute_error(tape: &Tape, a: Var, b: Var) -> f64 {
    let (a, b) = (tape.value(a).as_slice(), tape.value(b).as_slice());
    let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).sum();
    sum / a.len() as f64
}

/// A descent between two steps.
struct Descending {
    /// Steps taken.
    step: usize,
    optimizer: Box<dyn Optimizer>,
    errors: Errors,
}

/// Means over all steps and over the last of them: sum and count.
#[derive(Default)]
pub(super) struct Errors {
    all: [f64; 2],
    last: [f64; 2],
}

impl Errors {
    pub(super) fn add(&mut self, error: f64, last: bool) {
        let sums = [Some(&mut self.all), last.then_some(&mut self.last)];
        for [sum, count] in sums.into_iter().flatten() {
            *sum += error;
            *count += 1.0;
        }
    }

    fn put(&self, checkpoint: &mut Checkpoint) {
        checkpoint.set_list("error_sum", &self.all);
        checkpoint.set_list("final_error_sum", &self.last);
    }

    fn take(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        let pair = |key: &str| {
            let values: Vec<f64> = checkpoint.get_list(key)?;
            <[f64; 2]>::try_from(values).map_err(|values| CheckpointError::Entry {
                key: key.to_string(),
                value: format!("{} numbers", values.len()),
                expected: "a sum and a count".to_string(),
            })
        };
        Ok(Self { all: pair("error_sum")?, last: pair("final_error_sum")? })
    }

    pub(super) fn trained(&self) -> Trained {
        let mean = |[sum, count]: [f64; 2]| sum / count.max(1.0);
        Trained { final_error: mean(self.last), mean_error: mean(self.all) }
    }
}
