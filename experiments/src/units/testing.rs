//! What the tests of units share: patches from a table, a unit with its parameters, gradients against differences.

use super::{
    Descent, Fit, FitError, PatchBatch, PatchSource, Progress, TrainConfig, Trained, Unit, UnitDims, UnitSpec,
};
use crate::{scae::LayerGeometry, training::Checkpoints, validation::param_gradient_errors};
use patchgrad::{
    ParamId, Params, Tape, Tensor, Workspace,
    checkpoint::{Checkpoint, CheckpointError},
    random::stream,
};
use rand::RngExt;
use std::sync::Arc;

/// Patches from a table, row after row, from the start again when it ends.
pub(super) struct Table {
    /// `[N, k, k, d]`.
    pub(super) patches: Tensor,
    pub(super) labels: Option<Vec<u32>>,
    pub(super) next: usize,
}

impl Table {
    pub(super) fn new(patches: Tensor) -> Self {
        Self { patches, labels: None, next: 0 }
    }
}

impl PatchSource for Table {
    fn next_batch(&mut self, _: &Params, count: usize, workspace: &mut Workspace) -> PatchBatch {
        let [rows, k, _, d] = self.patches.shape().nhwc().unwrap();
        let mut maps = workspace.take([count, k, k, d]);
        let mut labels = Vec::new();
        for patch in maps.as_mut_slice().chunks_mut(k * k * d) {
            patch.copy_from_slice(self.patches.samples(self.next..self.next + 1));
            labels.extend(self.labels.as_ref().map(|labels| labels[self.next]));
            self.next = (self.next + 1) % rows;
        }
        PatchBatch { maps, labels: self.labels.is_some().then_some(labels) }
    }

    fn put(&self, checkpoint: &mut Checkpoint) {
        checkpoint.set("next", self.next);
    }

    fn take(&mut self, checkpoint: &mut Checkpoint) -> Result<(), CheckpointError> {
        self.next = checkpoint.get("next")?;
        Ok(())
    }
}

/// A unit with parameters of its own.
pub(super) struct Alone {
    pub(super) unit: Arc<dyn Unit>,
    pub(super) params: Params,
    pub(super) workspace: Workspace,
}

pub(super) fn dims(kernel: usize, offset: usize, depth: usize, features: usize) -> UnitDims {
    UnitDims { geometry: LayerGeometry { kernel, offset }, depth, features }
}

pub(super) fn config(samples_per_layer: usize, lr: f64) -> TrainConfig {
    TrainConfig { samples_per_layer, batch_size: 32, descent: Descent::Adam, lr, weight_decay: 0.0, seed: 4 }
}

impl Alone {
    pub(super) fn new(spec: UnitSpec, dims: UnitDims) -> Self {
        let mut params = Params::new();
        let unit = spec.build(dims, &mut params, "layer0", &mut stream(11, "init", 0));
        Self { unit, params, workspace: Workspace::new() }
    }

    pub(super) fn fit(&mut self, patches: &mut dyn PatchSource, config: &TrainConfig) -> Result<Trained, FitError> {
        let Self { unit, params, workspace } = self;
        let mut checkpoints = Checkpoints::none();
        let progress = &mut Progress::new(&mut checkpoints, "unit", 1, params)?;
        unit.fit(&mut Fit { params, patches, config, layer: 0, progress, workspace })
    }

    pub(super) fn fit_decoder(
        &mut self,
        patches: &mut dyn PatchSource,
        config: &TrainConfig,
    ) -> Result<Trained, FitError> {
        let Self { unit, params, workspace } = self;
        let mut checkpoints = Checkpoints::none();
        let progress = &mut Progress::new(&mut checkpoints, "decoder", 1, params)?;
        unit.fit_decoder(&mut Fit { params, patches, config, layer: 0, progress, workspace })
    }

    pub(super) fn param(&self, name: &str) -> &Tensor {
        self.params.get(self.params.find(&format!("layer0.{name}")).unwrap())
    }

    /// Codes of maps `[N, H, W, d]`.
    pub(super) fn encode(&mut self, maps: &Tensor) -> Tensor {
        let mut tape = Tape::with_params(&self.params, &mut self.workspace);
        let map = tape.input(maps);
        let code = self.unit.encode(&mut tape, map);
        tape.finish(code)
    }

    /// What becomes of patches `[N, k, k, d]`: `[N, 1, 1, k*k*d]`.
    pub(super) fn reconstruct(&mut self, patches: &Tensor) -> Tensor {
        let mut tape = Tape::with_params(&self.params, &mut self.workspace);
        let map = tape.input(patches);
        let (code, switches) = self.unit.encode_with_switches(&mut tape, map);
        let decoded = self.unit.decode_patches(&mut tape, code, switches);
        tape.finish(decoded)
    }

    /// The mean squared error of the reconstruction of patches.
    pub(super) fn mse(&mut self, patches: &Tensor) -> f64 {
        let decoded = self.reconstruct(patches);
        let pairs = decoded.as_slice().iter().zip(patches.as_slice());
        pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / patches.len() as f64
    }

    /// Moves every parameter by random numbers, so that biases are not 0 where gradients are checked.
    pub(super) fn shake(&mut self) {
        let mut stream = stream(5, "shake", 0);
        let ids: Vec<ParamId> = self.params.iter().map(|(id, _, _)| id).collect();
        for id in ids {
            let values = self.params.get_mut(id).as_mut_slice();
            values.iter_mut().for_each(|value| *value += stream.random_range(-0.3f32..0.3));
        }
    }
}

/// Compares the gradient of the scalar that `f` records with differences, for every parameter: see
/// [`param_gradient_errors`]. Gives how many got a gradient.
///
/// # Panics
/// With the name of the parameter whose derivative is off by more than a hundredth of the gradient's length.
pub(super) fn assert_param_gradients(what: &str, params: &Params, f: impl Fn(&mut Tape) -> patchgrad::Var) -> usize {
    let errors = param_gradient_errors(params, f);
    for (name, error) in &errors {
        assert!(*error <= 0.01, "{what}: {name}: the tape and differences are {error} of the gradient's length apart");
    }
    errors.len()
}

/// Smooth patches `[count, k, k, d]` of a few waves with random phases, in about [-1, 1].
pub(super) fn waves(count: usize, kernel: usize, depth: usize) -> Tensor {
    let mut random = stream(8, "waves", 0);
    let mut values = Vec::with_capacity(count * kernel * kernel * depth);
    for _ in 0..count {
        let [a, b, p, q]: [f32; 4] = std::array::from_fn(|_| random.random_range(0.0..6.2));
        for y in 0..kernel {
            for x in 0..kernel {
                for c in 0..depth {
                    let (y, x, c) = (y as f32, x as f32, c as f32);
                    values.push(0.6 * (0.7 * y + p + c).sin() * a.cos() + 0.4 * (0.9 * x + q - c).cos() * b.sin());
                }
            }
        }
    }
    Tensor::new([count, kernel, kernel, depth], &values)
}
