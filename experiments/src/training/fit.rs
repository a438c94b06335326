//! Epochs over shuffled mini-batches.

use super::{Checkpoints, Order, TrainingError};
use patchgrad::{
    Gradients, Params, Workspace,
    checkpoint::{Checkpoint, CheckpointError},
    optim::{Optimizer, Schedule, clip_grad_norm, clip_grad_value},
    random::stream,
};

/// A model with a loss over numbered samples.
pub trait Trainable {
    /// Everything that steps change.
    fn params(&self) -> &Params;

    /// Everything that steps change, writable.
    fn params_mut(&mut self) -> &mut Params;

    /// The number of training samples.
    fn samples(&self) -> usize;

    /// The mean loss of the samples in `batch` and its gradients. What is random about it must depend on the number of the
    /// step, counted from 0, alone: a run that is resumed then draws the same.
    fn gradients(&self, batch: &[usize], step: u64, workspace: &mut Workspace) -> (f64, Gradients);

    /// The loss on samples that are not trained on, lower is better; asked for after every epoch.
    fn validate(&self, _workspace: &mut Workspace) -> Option<f64> {
        None
    }
}

/// How gradients are cut before a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// [`clip_grad_norm`]: the joint norm is at most this.
    Norm(f64),
    /// [`clip_grad_value`]: every value is at most this, either way.
    Value(f32),
}

/// How [`fit`] trains.
#[derive(Clone, Debug, PartialEq)]
pub struct FitSpec {
    /// Times that every sample is shown, at most.
    pub epochs: usize,
    /// Samples in one step; the last step of an epoch takes what is left.
    pub batch_size: usize,
    /// The learning rate that the schedule works on.
    pub lr: f64,
    /// The learning rate by step.
    pub schedule: Schedule,
    /// How gradients are cut.
    pub clip: Option<Clip>,
    /// Ends training when the validation loss was not the lowest so far for this many epochs.
    pub patience: Option<usize>,
    /// Seed of the order.
    pub seed: u64,
    /// The random stream of the order, such as `shuffle`; an epoch is its index.
    pub stream: &'static str,
}

impl FitSpec {
    /// A constant rate, no clipping, no early stopping.
    pub fn new(epochs: usize, batch_size: usize, lr: f64, seed: u64) -> Self {
        let (schedule, clip, patience) = (Schedule::Constant, None, None);
        Self { epochs, batch_size, lr, schedule, clip, patience, seed, stream: "shuffle" }
    }
}

/// What [`fit`] reports.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The mean training loss of every epoch, taken while the parameters change.
    pub losses: Vec<f64>,
    /// The validation loss after every epoch; empty if the model has none.
    pub validation: Vec<f64>,
    /// The epoch, counted from 0, after which the validation loss was lowest, the first one of equals: the parameters are
    /// those of then.
    pub best_epoch: Option<usize>,
    /// Steps taken.
    pub steps: u64,
}

impl History {
    /// Whether the last `patience` epochs brought nothing.
    fn is_over(&self, patience: Option<usize>) -> bool {
        let since = self.best_epoch.map(|best| self.validation.len() - 1 - best);
        matches!((since, patience), (Some(since), Some(patience)) if since >= patience.max(1))
    }
}

/// Trains `model`; goes on from what `checkpoints` resumes, to the same bytes as without a stop.
///
/// A model with a validation loss ends with the parameters of its best epoch.
///
/// # Errors
/// If a loss is not finite (that step is not taken), the run is interrupted, or a checkpoint cannot be read or written.
///
/// # Panics
/// If the batch size is 0.
pub fn fit(
    model: &mut dyn Trainable,
    optimizer: &mut dyn Optimizer,
    spec: &FitSpec,
    checkpoints: &mut Checkpoints,
    workspace: &mut Workspace,
) -> Result<History, TrainingError> {
    assert!(spec.batch_size > 0, "fit: a batch of no samples");
    let mut state = match checkpoints.resumed() {
        Some(checkpoint) => State::take(checkpoint, model, optimizer).map_err(|error| checkpoints.refuse(error))?,
        None => State::new(model.samples()),
    };
    while state.history.losses.len() < spec.epochs && !state.history.is_over(spec.patience) && model.samples() > 0 {
        state.one_step(model, optimizer, spec, workspace)?;
        if state.order.is_over() {
            state.end_epoch(model, workspace);
        }
        let steps = state.history.steps;
        checkpoints.after_step(steps, |checkpoint| state.put(checkpoint, model.params(), optimizer))?;
    }
    checkpoints.save(state.history.steps, |checkpoint| state.put(checkpoint, model.params(), optimizer))?;
    if let Some(best) = state.best {
        *model.params_mut() = best;
    }
    Ok(state.history)
}

/// Where training stands, between two steps.
struct State {
    history: History,
    order: Order,
    /// Sum of the losses of this epoch's samples so far.
    loss_sum: f64,
    /// The parameters of the best epoch so far.
    best: Option<Params>,
}

impl State {
    fn new(samples: usize) -> Self {
        Self { history: History::default(), order: Order::new(samples), loss_sum: 0.0, best: None }
    }

    fn one_step(
        &mut self,
        model: &mut dyn Trainable,
        optimizer: &mut dyn Optimizer,
        spec: &FitSpec,
        workspace: &mut Workspace,
    ) -> Result<(), TrainingError> {
        let (epoch, step) = (self.history.losses.len(), self.history.steps);
        if self.order.is_over() {
            self.order.shuffle(&mut stream(spec.seed, spec.stream, epoch as u64));
        }
        let batch = self.order.next(spec.batch_size);
        let (loss, mut gradients) = model.gradients(batch, step, workspace);
        let norm = match spec.clip {
            Some(Clip::Norm(most)) if loss.is_finite() => clip_grad_norm(&mut gradients, most),
            _ => 0.0,
        };
        if !loss.is_finite() || !norm.is_finite() {
            return Err(TrainingError::NotFinite { layer: suspect(model.params()), step });
        }
        if let Some(Clip::Value(most)) = spec.clip {
            clip_grad_value(&mut gradients, most);
        }
        optimizer.set_lr(spec.schedule.lr(spec.lr, step));
        optimizer.step(model.params_mut(), &gradients);
        gradients.recycle(workspace);
        self.loss_sum += loss * batch.len() as f64;
        self.history.steps += 1;
        Ok(())
    }

    fn end_epoch(&mut self, model: &dyn Trainable, workspace: &mut Workspace) {
        let history = &mut self.history;
        history.losses.push(self.loss_sum / model.samples() as f64);
        self.loss_sum = 0.0;
        let Some(loss) = model.validate(workspace) else { return };
        let best = history.best_epoch.map_or(f64::INFINITY, |epoch| history.validation[epoch]);
        // The first epoch is the best so far whatever its loss is; a NaN is never better.
        if history.best_epoch.is_none() || loss < best || (best.is_nan() && !loss.is_nan()) {
            history.best_epoch = Some(history.validation.len());
            self.best = Some(model.params().clone());
        }
        history.validation.push(loss);
    }

    fn put(&self, checkpoint: &mut Checkpoint, params: &Params, optimizer: &dyn Optimizer) {
        let History { losses, validation, best_epoch, steps } = &self.history;
        checkpoint.put_params("", params);
        checkpoint.put_optimizer(optimizer, params);
        self.order.put(checkpoint);
        checkpoint.set("step", steps);
        checkpoint.set("epoch", losses.len());
        checkpoint.set("epoch_loss_sum", self.loss_sum);
        checkpoint.set_list("losses", losses);
        checkpoint.set_list("validation_losses", validation);
        if let (Some(epoch), Some(best)) = (best_epoch, &self.best) {
            checkpoint.set("best_epoch", epoch);
            checkpoint.set("best_loss", validation[*epoch]);
            checkpoint.put_params("best.", best);
        }
    }

    fn take(
        mut checkpoint: Checkpoint,
        model: &mut dyn Trainable,
        optimizer: &mut dyn Optimizer,
    ) -> Result<Self, CheckpointError> {
        let wrong = |key: &str, value: usize, expected: String| {
            Err(CheckpointError::Entry { key: key.to_string(), value: value.to_string(), expected })
        };
        let order = Order::take(&mut checkpoint, model.samples())?;
        let losses: Vec<f64> = checkpoint.get_list("losses")?;
        let validation: Vec<f64> = checkpoint.get_list("validation_losses")?;
        let epoch: usize = checkpoint.get("epoch")?;
        if epoch != losses.len() {
            return wrong("epoch", epoch, format!("{}, the number of losses", losses.len()));
        }
        let best_epoch = checkpoint.entry("best_epoch").is_some().then(|| checkpoint.get::<usize>("best_epoch"));
        let best_epoch = best_epoch.transpose()?;
        let mut best = None;
        if let Some(epoch) = best_epoch {
            if epoch >= validation.len() {
                return wrong("best_epoch", epoch, format!("less than {}, the number of epochs", validation.len()));
            }
            let mut params = model.params().clone();
            checkpoint.take_params("best.", &mut params)?;
            best = Some(params);
        }
        let (steps, loss_sum) = (checkpoint.get("step")?, checkpoint.get("epoch_loss_sum")?);
        let mut params = model.params().clone();
        checkpoint.take_params("", &mut params)?;
        checkpoint.take_optimizer(optimizer, &params)?;
        checkpoint.finish()?;
        *model.params_mut() = params;
        Ok(Self { history: History { losses, validation, best_epoch, steps }, order, loss_sum, best })
    }
}

/// The layer to look at when a loss is not finite: the first one with a parameter that is not finite either, or else the one
/// with the largest value.
fn suspect(params: &Params) -> String {
    let largest = |values: &[f32]| {
        values.iter().fold(0.0_f32, |most, value| if value.is_finite() { most.max(value.abs()) } else { f32::INFINITY })
    };
    let mut found: Option<(f32, &str)> = None;
    for (_, name, tensor) in params.iter() {
        let size = largest(tensor.as_slice());
        if found.is_none_or(|(most, _)| size > most) {
            found = Some((size, name));
        }
    }
    let name = found.map_or("the model", |(_, name)| name);
    name.strip_suffix(".weight").or_else(|| name.strip_suffix(".bias")).unwrap_or(name).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::{Cadence, Interrupt, Run};
    use patchgrad::{
        Tape, Tensor,
        layers::{Layer, Linear},
        optim::{Adam, AdamConfig, Sgd, SgdConfig},
    };
    use std::{cell::Cell, path::Path};

    /// A linear layer that learns another one; its validation losses are told in advance.
    struct Toy {
        params: Params,
        layer: Linear,
        inputs: Tensor,
        targets: Tensor,
        validation: Vec<f64>,
        asked: Cell<usize>,
    }

    impl Toy {
        fn new() -> Self {
            let mut params = Params::new();
            let layer = Linear::new(&mut params, "layer", [3, 2], &mut stream(1, "init", 0));
            let inputs = Tensor::from_fn([10, 3], |i| (i as f32 * 1.7).sin());
            let targets = Tensor::from_fn([10, 2], |i| (i as f32 * 0.9).cos());
            Self { params, layer, inputs, targets, validation: Vec::new(), asked: Cell::new(0) }
        }
    }

    impl Trainable for Toy {
        fn params(&self) -> &Params {
            &self.params
        }

        fn params_mut(&mut self) -> &mut Params {
            &mut self.params
        }

        fn samples(&self) -> usize {
            10
        }

        fn gradients(&self, batch: &[usize], _: u64, workspace: &mut Workspace) -> (f64, Gradients) {
            let rows = |of: &Tensor, width: usize| {
                Tensor::from_fn([batch.len(), width], |i| of.as_slice()[batch[i / width] * width + i % width])
            };
            let (x, y) = (rows(&self.inputs, 3), rows(&self.targets, 2));
            let mut tape = Tape::with_params(&self.params, workspace);
            let (x, y) = (tape.input(&x), tape.input(&y));
            let output = self.layer.forward(&mut tape, x);
            let loss = tape.mse_loss(output, y);
            (f64::from(tape.value(loss).item()), tape.backward(loss))
        }

        fn validate(&self, _workspace: &mut Workspace) -> Option<f64> {
            self.asked.set(self.asked.get() + 1);
            self.validation.get(self.asked.get() - 1).copied()
        }
    }

    fn spec(epochs: usize) -> FitSpec {
        FitSpec::new(epochs, 4, 0.05, 3)
    }

    fn fit_toy(toy: &mut Toy, spec: &FitSpec, checkpoints: &mut Checkpoints) -> Result<History, TrainingError> {
        fit(toy, &mut Adam::new(AdamConfig::new(0.05)), spec, checkpoints, &mut Workspace::new())
    }

    fn checkpoints(file: &Path) -> Checkpoints {
        let run = Run { config: "toy".to_string(), seed: 3 };
        Checkpoints::resume(file, run, Cadence::default()).unwrap()
    }

    #[test]
    fn it_learns_and_counts() {
        let mut toy = Toy::new();
        let history = fit_toy(&mut toy, &spec(60), &mut Checkpoints::none()).unwrap();
        assert_eq!((history.losses.len(), history.steps, history.best_epoch), (60, 180, None));
        assert!(history.losses[59] < 0.75 * history.losses[0], "{history:?}");
    }

    #[test]
    fn interrupted_after_every_single_step_it_ends_in_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let [straight, resumed] = ["straight", "resumed"].map(|name| folder.path().join(name));
        let validation = vec![3.0, 2.0, 4.0, 5.0, 6.0];
        let spec = FitSpec {
            schedule: Schedule::Cosine { t_max: 12, eta_min: 0.0 }.after_warm_up(3, 0.1),
            clip: Some(Clip::Norm(0.5)),
            patience: Some(2),
            ..spec(5)
        };
        let mut toy = Toy { validation: validation.clone(), ..Toy::new() };
        let history = fit_toy(&mut toy, &spec, &mut checkpoints(&straight)).unwrap();
        assert_eq!((history.best_epoch, history.steps), (Some(1), 12), "two epochs brought nothing");
        let mut interrupted = 0;
        let (again, params) = loop {
            // A new process: nothing is left but the file. What validation finds depends on the parameters alone.
            let file = checkpoints(&resumed);
            let done = interrupted / 3;
            let mut toy = Toy { validation: validation.clone(), asked: Cell::new(done), ..Toy::new() };
            let interrupt = Interrupt::new();
            interrupt.request();
            match fit_toy(&mut toy, &spec, &mut file.interrupted_by(interrupt)) {
                Ok(history) => break (history, toy.params),
                Err(TrainingError::Interrupted { .. }) => interrupted += 1,
                Err(other) => panic!("{other}"),
            }
        };
        assert_eq!((interrupted, &again), (12, &history));
        assert_eq!(std::fs::read(&straight).unwrap(), std::fs::read(&resumed).unwrap());
        for (id, name, tensor) in toy.params.iter() {
            assert_eq!(tensor, params.get(id), "{name}: the parameters of the best epoch");
        }
    }

    #[test]
    fn a_loss_that_is_not_finite_stops_before_the_step_and_names_the_layer() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("last");
        let mut toy = Toy::new();
        fit_toy(&mut toy, &spec(1), &mut checkpoints(&file)).unwrap();
        let good = std::fs::read(&file).unwrap();
        let mut toy = Toy::new();
        let wild = FitSpec { lr: 1e30, ..spec(20) };
        let mut sgd = Sgd::new(SgdConfig::new(1e30));
        let mut none = Checkpoints::none();
        let error = fit(&mut toy, &mut sgd, &wild, &mut none, &mut Workspace::new()).unwrap_err();
        assert_eq!(error.exit_code(), 4);
        assert!(error.to_string().starts_with("layer diverged: the loss of step "), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), good);
    }

    #[test]
    fn a_checkpoint_of_another_model_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("last");
        fit_toy(&mut Toy::new(), &spec(1), &mut checkpoints(&file)).unwrap();
        let mut other = Toy::new();
        other.params.add("more.weight", Tensor::zeros([2, 2]));
        let error = fit_toy(&mut other, &spec(1), &mut checkpoints(&file)).unwrap_err().to_string();
        assert!(error.contains("cannot resume from") && error.contains("tensor `more.weight` is missing"), "{error}");
    }

    #[test]
    fn no_epochs_and_no_samples_are_no_steps() {
        let history = fit_toy(&mut Toy::new(), &spec(0), &mut Checkpoints::none()).unwrap();
        assert_eq!(history, History::default());
    }
}
