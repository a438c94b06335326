//! Greedy training: one layer at a time on random patches, the layers below frozen.
//!
//! For each step a mini-batch of patches is drawn: pictures in a shuffled order, one patch from each at a random position
//! (any pixel). A patch is as wide as the receptive field of the layer that is trained; the layers below encode it, on a
//! tape of their own, and what comes out enters as a constant. The layer then encodes and decodes its one position, and
//! encoder and decoder take one step of gradient descent on
//!
//! ```text
//! loss = mean over the mini-batch of 1/2 * sum over the patch of (decoded - patch)^2
//! ```
//!
//! With this loss a learning rate of `eta` for each single sample corresponds to `lr = eta * batch_size`; a batch of 1 is
//! the stochastic descent of N-light-N. [`Descent::Adam`] reaches in a thousand steps what plain descent reaches in tens of
//! thousands, whatever the activation; its rate does not depend on the size of batch and patch. With both, the last tenth
//! of the patches runs at a tenth of the rate, because the iterate of a constant rate is noisy.

use super::Scae;
use crate::training::{Checkpoints, Order, TrainingError};
use patchgrad::{
    Gradients, Params, Tape, Tensor, Var, Workspace,
    checkpoint::{Checkpoint, CheckpointError},
    optim::{Adam, AdamConfig, Optimizer, Sgd, SgdConfig},
    random::stream,
};
use rand::RngExt;
use serde::Serialize;

/// How a step follows the gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Descent {
    /// Plain gradient descent, as N-light-N.
    Sgd,
    /// Adam with its usual constants.
    Adam,
}

/// How a network is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainConfig {
    /// Patches shown to each layer.
    pub samples_per_layer: usize,
    /// Patches in one step.
    pub batch_size: usize,
    /// How a step follows the gradient.
    pub descent: Descent,
    /// Learning rate for the loss above.
    pub lr: f64,
    /// L2 penalty on weights and biases.
    pub weight_decay: f64,
    /// Seed of the order of pictures and of the positions.
    pub seed: u64,
}

/// What training reports of one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trained {
    /// Mean absolute error over the last tenth of the patches, per value of the patch.
    pub final_error: f64,
    /// Mean absolute error over all patches.
    pub mean_error: f64,
}

/// Training met a loss that is not a number or infinite; the parameters are those before that step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("layer {layer} diverged: the loss of step {step} is not finite; try a smaller learning rate")]
pub struct TrainError {
    /// The layer, counted from 0.
    pub layer: usize,
    /// The step, counted from 0.
    pub step: usize,
}

/// Which side of a layer takes steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trains {
    EncoderAndDecoder,
    DecoderOnly,
}

impl Trains {
    /// What a checkpoint calls it.
    fn name(self) -> &'static str {
        match self {
            Self::EncoderAndDecoder => "encoder and decoder",
            Self::DecoderOnly => "decoder only",
        }
    }
}

/// Trains every layer, lowest first, on `pictures` `[N, H, W, C]`.
///
/// # Errors
/// When the loss of a layer is no longer finite.
pub fn train(
    scae: &mut Scae,
    pictures: &Tensor,
    config: &TrainConfig,
    workspace: &mut Workspace,
) -> Result<Vec<Trained>, TrainError> {
    let outcome = train_layers(scae, Trains::EncoderAndDecoder, pictures, config, &mut Checkpoints::none(), workspace);
    outcome.map_err(Stopped::diverged)
}

/// [`train`], saved to and resumed from `checkpoints`.
///
/// # Errors
/// When the loss of a layer is no longer finite, the run is interrupted, or a checkpoint cannot be read or written.
pub fn train_resumable(
    scae: &mut Scae,
    pictures: &Tensor,
    config: &TrainConfig,
    checkpoints: &mut Checkpoints,
    workspace: &mut Workspace,
) -> Result<Vec<Trained>, TrainingError> {
    Ok(train_layers(scae, Trains::EncoderAndDecoder, pictures, config, checkpoints, workspace)?)
}

/// Trains every decoder on the code of its encoder, which stays as it is: for an encoder that was changed, or to tell what
/// a code holds from what its decoder makes of it.
///
/// # Errors
/// When the loss of a layer is no longer finite.
pub fn train_decoders(
    scae: &mut Scae,
    pictures: &Tensor,
    config: &TrainConfig,
    workspace: &mut Workspace,
) -> Result<Vec<Trained>, TrainError> {
    let outcome = train_layers(scae, Trains::DecoderOnly, pictures, config, &mut Checkpoints::none(), workspace);
    outcome.map_err(Stopped::diverged)
}

/// [`train_decoders`], saved to and resumed from `checkpoints`.
///
/// # Errors
/// As [`train_resumable`].
pub fn train_decoders_resumable(
    scae: &mut Scae,
    pictures: &Tensor,
    config: &TrainConfig,
    checkpoints: &mut Checkpoints,
    workspace: &mut Workspace,
) -> Result<Vec<Trained>, TrainingError> {
    Ok(train_layers(scae, Trains::DecoderOnly, pictures, config, checkpoints, workspace)?)
}

/// Why the layers were not all trained.
#[derive(Debug)]
enum Stopped {
    Diverged(TrainError),
    Training(TrainingError),
}

impl Stopped {
    /// Of a run without checkpoints and interrupts, which can only diverge.
    fn diverged(self) -> TrainError {
        match self {
            Self::Diverged(error) => error,
            Self::Training(other) => unreachable!("a run without checkpoints: {other}"),
        }
    }
}

impl From<TrainingError> for Stopped {
    fn from(error: TrainingError) -> Self {
        Self::Training(error)
    }
}

impl From<Stopped> for TrainingError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Diverged(TrainError { layer, step }) => {
                Self::NotFinite { layer: format!("layer {layer}"), step: step as u64 }
            }
            Stopped::Training(error) => error,
        }
    }
}

fn train_layers(
    scae: &mut Scae,
    trains: Trains,
    pictures: &Tensor,
    config: &TrainConfig,
    checkpoints: &mut Checkpoints,
    workspace: &mut Workspace,
) -> Result<Vec<Trained>, Stopped> {
    let (layers, steps) = (scae.spec().layers.len(), steps(config) as u64);
    let (mut trained, mut running) = match checkpoints.resumed() {
        Some(checkpoint) => {
            take(checkpoint, scae, trains, pictures, config).map_err(|error| checkpoints.refuse(error))?
        }
        None => (Vec::new(), None),
    };
    while trained.len() < layers {
        let layer = trained.len();
        let mut run = running.take().unwrap_or_else(|| LayerRun::new(scae, layer, pictures, config));
        while run.step < steps as usize {
            run.one_step(scae, trains, config, workspace).map_err(Stopped::Diverged)?;
            let taken = layer as u64 * steps + run.step as u64;
            checkpoints.after_step(taken, |checkpoint| put(checkpoint, scae, trains, &trained, Some(&run)))?;
        }
        trained.push(run.trained(config));
    }
    checkpoints.save(layers as u64 * steps, |checkpoint| put(checkpoint, scae, trains, &trained, None))?;
    Ok(trained)
}

/// Stores where training stands: layers that are done, and the one that is being trained.
fn put(checkpoint: &mut Checkpoint, scae: &Scae, trains: Trains, trained: &[Trained], run: Option<&LayerRun>) {
    checkpoint.put_params("", scae.params());
    checkpoint.set("trains", trains.name());
    checkpoint.set("layers_done", trained.len());
    checkpoint.set_list("final_errors", &trained.iter().map(|layer| layer.final_error).collect::<Vec<_>>());
    checkpoint.set_list("mean_errors", &trained.iter().map(|layer| layer.mean_error).collect::<Vec<_>>());
    let Some(run) = run else { return };
    checkpoint.set("step", run.step);
    checkpoint.set("error_sum", run.sum);
    checkpoint.set("final_error_sum", run.final_sum);
    checkpoint.put_optimizer(run.optimizer.as_ref(), scae.params());
    checkpoint.put_stream("patches", &run.patches.stream);
    run.patches.order.put(checkpoint);
}

/// What [`put`] stored.
fn take<'p>(
    mut checkpoint: Checkpoint,
    scae: &mut Scae,
    trains: Trains,
    pictures: &'p Tensor,
    config: &TrainConfig,
) -> Result<(Vec<Trained>, Option<LayerRun<'p>>), CheckpointError> {
    let wrong = |key: &str, value: String, expected: String| {
        Err(CheckpointError::Entry { key: key.to_string(), value, expected })
    };
    let what: String = checkpoint.get("trains")?;
    if what != trains.name() {
        return wrong("trains", what, trains.name().to_string());
    }
    let (done, layers): (usize, usize) = (checkpoint.get("layers_done")?, scae.spec().layers.len());
    let errors: [Vec<f64>; 2] = [checkpoint.get_list("final_errors")?, checkpoint.get_list("mean_errors")?];
    if done > layers || errors.iter().any(|errors| errors.len() != done) {
        return wrong("layers_done", done.to_string(), format!("at most {layers}, and as many errors"));
    }
    let [finals, means] = errors;
    let pairs = finals.into_iter().zip(means);
    let trained = pairs.map(|(final_error, mean_error)| Trained { final_error, mean_error }).collect();
    let mut params = scae.params().clone();
    checkpoint.take_params("", &mut params)?;
    let run = if done < layers {
        let mut run = LayerRun::new(scae, done, pictures, config);
        run.step = checkpoint.get("step")?;
        if run.step > steps(config) {
            return wrong("step", run.step.to_string(), format!("at most {}", steps(config)));
        }
        (run.sum, run.final_sum) = (checkpoint.get("error_sum")?, checkpoint.get("final_error_sum")?);
        checkpoint.take_optimizer(run.optimizer.as_mut(), &params)?;
        run.patches.stream = checkpoint.get_stream("patches")?;
        run.patches.order = Order::take(&mut checkpoint, pictures.shape().dims()[0])?;
        Some(run)
    } else {
        None
    };
    checkpoint.finish()?;
    *scae.params_mut() = params;
    Ok((trained, run))
}

/// Steps that every layer takes.
fn steps(config: &TrainConfig) -> usize {
    config.samples_per_layer.div_ceil(config.batch_size)
}

/// The first of the steps that run at a tenth of the rate.
fn last_tenth(config: &TrainConfig) -> usize {
    let steps = steps(config);
    steps - (steps / 10).max(1)
}

/// The training of one layer, between two steps.
struct LayerRun<'p> {
    layer: usize,
    /// Steps taken.
    step: usize,
    patches: PatchSource<'p>,
    optimizer: Box<dyn Optimizer>,
    /// Sums of the absolute errors of all steps and of those of the last tenth.
    sum: f64,
    final_sum: f64,
}

impl<'p> LayerRun<'p> {
    fn new(scae: &Scae, layer: usize, pictures: &'p Tensor, config: &TrainConfig) -> Self {
        let patches = PatchSource::new(scae, layer, pictures, config.seed);
        Self { layer, step: 0, patches, optimizer: optimizer(config), sum: 0.0, final_sum: 0.0 }
    }

    fn one_step(
        &mut self,
        scae: &mut Scae,
        trains: Trains,
        config: &TrainConfig,
        workspace: &mut Workspace,
    ) -> Result<(), TrainError> {
        let (layer, step, last_tenth) = (self.layer, self.step, last_tenth(config));
        if step == last_tenth {
            self.optimizer.set_lr(config.lr / 10.0);
        }
        let pixels = self.patches.next_batch(config.batch_size, workspace);
        let maps = encode_frozen(scae, &pixels, layer, workspace);
        let code = match trains {
            Trains::EncoderAndDecoder => None,
            Trains::DecoderOnly => Some(encode_frozen_layer(scae, &maps, layer, workspace)),
        };
        let outcome = step_gradients(scae, layer, &maps, code.as_ref(), workspace);
        if !outcome.loss.is_finite() {
            return Err(TrainError { layer, step });
        }
        self.optimizer.step(scae.params_mut(), &outcome.gradients);
        outcome.gradients.recycle(workspace);
        [Some(pixels), Some(maps), code].into_iter().flatten().for_each(|tensor| workspace.give(tensor));
        self.sum += outcome.absolute_error;
        if step >= last_tenth {
            self.final_sum += outcome.absolute_error;
        }
        self.step += 1;
        Ok(())
    }

    /// What is reported when all steps are taken.
    fn trained(&self, config: &TrainConfig) -> Trained {
        let mean = |sum: f64, steps: usize| sum / steps.max(1) as f64;
        let final_steps = self.step - last_tenth(config);
        Trained { final_error: mean(self.final_sum, final_steps), mean_error: mean(self.sum, self.step) }
    }
}

fn optimizer(config: &TrainConfig) -> Box<dyn Optimizer> {
    let TrainConfig { lr, weight_decay, .. } = *config;
    match config.descent {
        Descent::Sgd => Box::new(Sgd::new(SgdConfig { weight_decay, ..SgdConfig::new(lr) })),
        Descent::Adam => Box::new(Adam::new(AdamConfig { weight_decay, ..AdamConfig::new(lr) })),
    }
}

/// What one step found.
struct Outcome {
    loss: f32,
    /// Mean of |decoded - patch| over the mini-batch and the patch.
    absolute_error: f64,
    gradients: Gradients,
}

/// The gradients of one step on maps `[B, k, k, d]`, or only those of the decoder when the `code` is given.
fn step_gradients(
    scae: &Scae,
    layer: usize,
    maps: &Tensor,
    code: Option<&Tensor>,
    workspace: &mut Workspace,
) -> Outcome {
    let mut tape = Tape::with_params(scae.params(), workspace);
    let input = tape.input(maps);
    let code = match code {
        Some(code) => tape.input(code),
        None => scae.encode_layer(&mut tape, layer, input),
    };
    let decoded = scae.decode_patches(&mut tape, layer, code);
    let target = tape.reshape(input, tape.shape(decoded));
    let error = absolute_error(&tape, decoded, target);
    let mse = tape.mse_loss(decoded, target);
    // The mean over B * k * k * d values, times k * k * d / 2.
    let patch_len = maps.len() / maps.shape().dims()[0];
    let loss = tape.scale(mse, patch_len as f32 / 2.0);
    Outcome { loss: tape.value(loss).item(), absolute_error: error, gradients: tape.backward(loss) }
}

fn absolute_error(tape: &Tape, a: Var, b: Var) -> f64 {
    let (a, b) = (tape.value(a).as_slice(), tape.value(b).as_slice());
    let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).sum();
    sum / a.len() as f64
}

/// What the layers below `layer` make of patches of pixels `[B, r, r, C]`: maps `[B, k, k, d]`.
fn encode_frozen(scae: &Scae, pixels: &Tensor, layer: usize, workspace: &mut Workspace) -> Tensor {
    frozen(scae.params(), pixels, workspace, |tape, input| scae.encode(tape, input, layer))
}

/// The code of layer `layer` on maps `[B, k, k, d]`.
fn encode_frozen_layer(scae: &Scae, maps: &Tensor, layer: usize, workspace: &mut Workspace) -> Tensor {
    frozen(scae.params(), maps, workspace, |tape, input| scae.encode_layer(tape, layer, input))
}

/// A computation on a tape of its own: its result is a plain tensor, so no gradient reaches what made it.
fn frozen(
    params: &Params,
    input: &Tensor,
    workspace: &mut Workspace,
    record: impl FnOnce(&mut Tape, Var) -> Var,
) -> Tensor {
    let mut tape = Tape::with_params(params, workspace);
    let input = tape.input(input);
    let output = record(&mut tape, input);
    tape.finish(output)
}

/// Draws patches of pixels.
struct PatchSource<'p> {
    pictures: &'p Tensor,
    /// Width of a patch, the receptive field of the layer.
    width: usize,
    stream: patchgrad::random::Stream,
    order: Order,
}

impl<'p> PatchSource<'p> {
    fn new(scae: &Scae, layer: usize, pictures: &'p Tensor, seed: u64) -> Self {
        let order = Order::new(pictures.shape().dims()[0]);
        let width = scae.spec().geometry().receptive_field(layer);
        Self { pictures, width, stream: stream(seed, "patches", layer as u64), order }
    }

    /// `[batch, width, width, C]`: one patch from each of the next pictures; every epoch is shuffled anew.
    fn next_batch(&mut self, batch: usize, workspace: &mut Workspace) -> Tensor {
        let &[_, height, width, channels] = self.pictures.shape().dims() else {
            unreachable!("pictures have four axes")
        };
        let mut patches = workspace.take([batch, self.width, self.width, channels]);
        let row_len = self.width * channels;
        for patch in patches.as_mut_slice().chunks_mut(self.width * row_len) {
            if self.order.is_over() {
                self.order.shuffle(&mut self.stream);
            }
            let picture = self.order.next(1)[0];
            // Every position counts, the last one included.
            let y = self.stream.random_range(0..=(height - self.width) as u32) as usize;
            let x = self.stream.random_range(0..=(width - self.width) as u32) as usize;
            let picture = self.pictures.samples(picture..picture + 1);
            for (row, to) in patch.chunks_mut(row_len).enumerate() {
                let from = ((y + row) * width + x) * channels;
                to.copy_from_slice(&picture[from..from + row_len]);
            }
        }
        patches
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scae::{LayerGeometry, LayerSpec, ScaeSpec};
    use patchgrad::ops::Activation;

    /// Pictures of two smooth waves, so that a small code can describe them.
    fn pictures() -> Tensor {
        Tensor::from_fn([64, 8, 8, 1], |i| {
            let (n, y, x) = (i / 64, i / 8 % 8, i % 8);
            0.6 * (y as f32 * 0.5 + n as f32).sin() + 0.3 * (x as f32 * 0.7 + n as f32 * 0.3).cos()
        })
    }

    fn scae() -> Scae {
        let layer = |kernel, offset, features| LayerSpec {
            geometry: LayerGeometry { kernel, offset },
            features,
            encoder: Activation::Softsign,
            decoder: Activation::Linear,
        };
        let spec = ScaeSpec { picture: [8, 8, 1], layers: vec![layer(4, 2, 6), layer(3, 3, 8)] };
        Scae::new(spec, &mut stream(1, "init", 0))
    }

    fn config(samples: usize) -> TrainConfig {
        TrainConfig {
            samples_per_layer: samples,
            batch_size: 16,
            descent: Descent::Sgd,
            lr: 0.05,
            weight_decay: 0.0,
            seed: 5,
        }
    }

    /// Trains layer `layer` alone.
    fn train_layer(scae: &mut Scae, layer: usize, pictures: &Tensor, config: &TrainConfig, workspace: &mut Workspace) {
        let mut run = LayerRun::new(scae, layer, pictures, config);
        for _ in 0..steps(config) {
            run.one_step(scae, Trains::EncoderAndDecoder, config, workspace).unwrap();
        }
    }

    fn mse(scae: &Scae, pictures: &Tensor, workspace: &mut Workspace) -> f64 {
        let decoded = scae.reconstruct(pictures, workspace);
        let pairs = decoded.as_slice().iter().zip(pictures.as_slice());
        pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / decoded.len() as f64
    }

    #[test]
    fn training_lowers_the_reconstruction_error_of_whole_pictures() {
        let (mut scae, pictures, mut workspace) = (scae(), pictures(), Workspace::new());
        let before = mse(&scae, &pictures, &mut workspace);
        let trained = train(&mut scae, &pictures, &config(20_000), &mut workspace).unwrap();
        let after = mse(&scae, &pictures, &mut workspace);
        assert!(after < 0.15 * before, "{before} {after}");
        assert!(trained.iter().all(|layer| layer.final_error < layer.mean_error), "{trained:?}");
    }

    #[test]
    fn the_lower_layer_stays_as_it_is_while_the_upper_one_learns() {
        let (mut scae, pictures, mut workspace) = (scae(), pictures(), Workspace::new());
        let before = scae.params().clone();
        train_layer(&mut scae, 1, &pictures, &config(160), &mut workspace);
        for (id, name, tensor) in scae.params().iter() {
            assert_eq!(tensor == before.get(id), name.starts_with("layer0"), "{name}");
        }
    }

    #[test]
    fn training_decoders_leaves_every_encoder_as_it_is() {
        let (mut scae, pictures, mut workspace) = (scae(), pictures(), Workspace::new());
        let (before, error) = (scae.params().clone(), mse(&scae, &pictures, &mut workspace));
        train_decoders(&mut scae, &pictures, &config(20_000), &mut workspace).unwrap();
        for (id, name, tensor) in scae.params().iter() {
            assert_eq!(tensor == before.get(id), name.contains("encoder"), "{name}");
        }
        let after = mse(&scae, &pictures, &mut workspace);
        assert!(after < 0.5 * error, "{error} {after}");
    }

    #[test]
    fn a_batch_of_one_is_stochastic_descent_with_the_rate_of_a_single_sample() {
        // One step on two patches at rate 2 eta is the mean of two gradients: the sum of two steps at rate eta, up to the
        // change between them, which vanishes with eta.
        let (pictures, mut workspace) = (pictures(), Workspace::new());
        let run = |batch_size: usize, lr: f64, workspace: &mut Workspace| {
            let mut scae = scae();
            // 20 patches, so that the last tenth is one pair.
            let config = TrainConfig { samples_per_layer: 20, batch_size, lr, ..config(20) };
            train_layer(&mut scae, 0, &pictures, &config, workspace);
            scae
        };
        let eta = 1e-5;
        let (single, pairs) = (run(1, eta, &mut workspace), run(2, 2.0 * eta, &mut workspace));
        let start = scae();
        for (id, name, tensor) in single.params().iter().filter(|(_, name, _)| name.starts_with("layer0")) {
            let moved = |params: &Params| -> Vec<f32> {
                let pairs = params.get(id).as_slice().iter().zip(start.params().get(id).as_slice());
                pairs.map(|(a, b)| a - b).collect()
            };
            let (a, b) = (moved(single.params()), moved(pairs.params()));
            let norm = |v: &[f32]| v.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
            let difference: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
            assert!(norm(&difference) < 0.02 * norm(&a), "{name}: {} {}", norm(&difference), norm(&a));
            assert_eq!(tensor.shape(), pairs.params().get(id).shape());
        }
    }

    #[test]
    fn more_steps_take_no_more_memory() {
        let (mut scae, pictures, mut workspace) = (scae(), pictures(), Workspace::new());
        train(&mut scae, &pictures, &config(32), &mut workspace).unwrap();
        train_decoders(&mut scae, &pictures, &config(32), &mut workspace).unwrap();
        let after_two_steps = workspace.allocations();
        train(&mut scae, &pictures, &config(1_600), &mut workspace).unwrap();
        train_decoders(&mut scae, &pictures, &config(1_600), &mut workspace).unwrap();
        assert_eq!(workspace.allocations(), after_two_steps);
        let heap = allocation_counter::measure(|| {
            train(&mut scae, &pictures, &config(1_600), &mut workspace).unwrap();
        });
        assert_eq!(heap.bytes_current, 0);
    }

    #[test]
    fn every_position_of_the_picture_is_drawn_the_last_one_included() {
        let (scae, pictures) = (scae(), Tensor::from_fn([1, 8, 8, 1], |i| i as f32));
        let mut source = PatchSource::new(&scae, 0, &pictures, 3);
        let patches = source.next_batch(600, &mut Workspace::new());
        let mut corners: Vec<u32> = patches.as_slice().chunks(16).map(|patch| patch[0] as u32).collect();
        corners.sort_unstable();
        corners.dedup();
        let all: Vec<u32> = (0..5).flat_map(|y| (0..5).map(move |x| y * 8 + x)).collect();
        assert_eq!(corners, all);
    }

    #[test]
    fn a_rate_that_is_too_large_is_an_error_with_layer_and_step() {
        let (mut scae, pictures, mut workspace) = (scae(), pictures(), Workspace::new());
        let config = TrainConfig { lr: 1e3, ..config(4_000) };
        let error = train(&mut scae, &pictures, &config, &mut workspace).unwrap_err();
        assert!(error.to_string().contains("try a smaller learning rate"), "{error}");
        let finite = scae.params().iter().all(|(_, _, tensor)| tensor.as_slice().iter().all(|v| !v.is_nan()));
        assert!(finite || error.step > 0);
    }
}
