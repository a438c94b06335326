//! Running a network over more pictures than fit one tape, and training one in mini-batches.

use patchgrad::{Params, Tape, Tensor, Var, Workspace, random::stream};
use rand::seq::SliceRandom;

/// Pictures on one tape when nothing is trained: enough for the threads, little enough for the cache.
const BATCH: usize = 128;

/// Training met a loss that is not a number or infinite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the loss is not finite in epoch {epoch}; try a smaller learning rate")]
pub struct Diverged {
    /// The epoch, counted from 0.
    pub epoch: usize,
}

/// Passes over a set in mini-batches, each in an order of its own.
#[derive(Clone, Copy, Debug)]
pub struct Epochs {
    /// Times that every sample is shown.
    pub epochs: usize,
    /// Samples in one step; the last of an epoch may have fewer.
    pub batch_size: usize,
    /// Seed of the orders.
    pub seed: u64,
    /// The name of their random stream.
    pub stream: &'static str,
}

impl Epochs {
    /// Calls `step` with the indices of each mini-batch of `count` samples; it gives the mean loss of the batch, or `None`
    /// when that is not finite. Gives the mean loss of each epoch.
    ///
    /// # Errors
    /// When a step gave no loss.
    pub fn run(&self, count: usize, mut step: impl FnMut(&[usize]) -> Option<f64>) -> Result<Vec<f64>, Diverged> {
        let mut order: Vec<usize> = (0..count).collect();
        let mut losses = Vec::with_capacity(self.epochs);
        for epoch in 0..self.epochs {
            order.shuffle(&mut stream(self.seed, self.stream, epoch as u64));
            let mut sum = 0.0;
            for batch in order.chunks(self.batch_size) {
                sum += step(batch).ok_or(Diverged { epoch })? * batch.len() as f64;
            }
            losses.push(sum / count as f64);
        }
        Ok(losses)
    }
}

/// The pictures at `indices` of `pictures` `[N, H, W, C]`, in a buffer of the workspace.
pub fn gather(pictures: &Tensor, indices: &[usize], workspace: &mut Workspace) -> Tensor {
    let mut dims = pictures.shape().dims().to_vec();
    dims[0] = indices.len();
    let mut batch = workspace.take(patchgrad::Shape::new(&dims));
    let picture_len = batch.len() / indices.len().max(1);
    for (to, &index) in batch.as_mut_slice().chunks_mut(picture_len.max(1)).zip(indices) {
        to.copy_from_slice(pictures.samples(index..index + 1));
    }
    batch
}

/// Runs `record` without gradients on batches along the first axis of `inputs`; it must record rows of `row_len` values, one
/// for each input. The result is `[N, row_len]`.
///
/// # Panics
/// If `record` makes rows of another length.
pub fn map_rows(
    params: &Params,
    inputs: &Tensor,
    row_len: usize,
    workspace: &mut Workspace,
    record: impl Fn(&mut Tape, Var) -> Var,
) -> Tensor {
    gather_rows(inputs, row_len, workspace, |batch, rows, workspace| {
        let mut tape = Tape::with_params(params, workspace);
        let input = tape.input(batch);
        let output = record(&mut tape, input);
        rows.copy_from_slice(tape.value(output).as_slice());
    })
}

/// Calls `fill` with batches along the first axis of `inputs` and the rows of `row_len` values, one for each input, that it
/// must overwrite. The result is `[N, row_len]`.
pub fn gather_rows(
    inputs: &Tensor,
    row_len: usize,
    workspace: &mut Workspace,
    mut fill: impl FnMut(&Tensor, &mut [f32], &mut Workspace),
) -> Tensor {
    let dims = inputs.shape().dims().to_vec();
    let count = dims[0];
    let mut rows = Tensor::zeros([count, row_len]);
    for start in (0..count).step_by(BATCH) {
        let range = start..(start + BATCH).min(count);
        let mut batch_dims = dims.clone();
        batch_dims[0] = range.len();
        let mut batch = workspace.take(patchgrad::Shape::new(&batch_dims));
        batch.as_mut_slice().copy_from_slice(inputs.samples(range.clone()));
        fill(&batch, &mut rows.as_mut_slice()[range.start * row_len..range.end * row_len], workspace);
        workspace.give(batch);
    }
    rows
}
