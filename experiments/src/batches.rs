//! Running a network over more pictures than fit one tape.

use crate::pictures::PictureSource;
use patchgrad::{Params, Tape, Tensor, Var, Workspace};
use std::ops::Range;

/// Pictures on one tape when nothing is trained: enough for the threads, little enough for the cache.
const BATCH: usize = 128;

/// The rows at `indices` of `rows` `[N, n]`, in a buffer of the workspace.
pub fn gather(rows: &Tensor, indices: &[usize], workspace: &mut Workspace) -> Tensor {
    let mut dims = rows.shape().dims().to_vec();
    dims[0] = indices.len();
    let mut batch = workspace.take(patchgrad::Shape::new(&dims));
    let row_len = batch.len() / indices.len().max(1);
    for (to, &index) in batch.as_mut_slice().chunks_mut(row_len.max(1)).zip(indices) {
        to.copy_from_slice(rows.samples(index..index + 1));
    }
    batch
}

/// Runs `record` without gradients on batches of `pictures`; it must record rows of `row_len` values, one for each picture.
/// The result is `[N, row_len]`.
///
/// # Panics
/// If `record` makes rows of another length.
pub fn map_pictures(
    params: &Params,
    pictures: &dyn PictureSource,
    row_len: usize,
    workspace: &mut Workspace,
    record: impl Fn(&mut Tape, Var) -> Var,
) -> Tensor {
    gather_pictures(pictures, row_len, workspace, |batch, rows, workspace| {
        let mut tape = Tape::with_params(params, workspace);
        let input = tape.input(batch);
        let output = record(&mut tape, input);
        rows.copy_from_slice(tape.value(output).as_slice());
    })
}

/// Calls `fill` with batches of `pictures` and the rows of `row_len` values, one for each picture, that it must overwrite. The
/// result is `[N, row_len]`.
pub fn gather_pictures(
    pictures: &dyn PictureSource,
    row_len: usize,
    workspace: &mut Workspace,
    mut fill: impl FnMut(&Tensor, &mut [f32], &mut Workspace),
) -> Tensor {
    let mut rows = Tensor::zeros([pictures.size()[0], row_len]);
    each_batch(pictures, workspace, |range, batch, workspace| {
        fill(batch, &mut rows.as_mut_slice()[range.start * row_len..range.end * row_len], workspace);
    });
    rows
}

/// Calls `visit` with batches of `pictures`, and which pictures they are.
pub fn each_batch(
    pictures: &dyn PictureSource,
    workspace: &mut Workspace,
    mut visit: impl FnMut(Range<usize>, &Tensor, &mut Workspace),
) {
    let count = pictures.size()[0];
    for start in (0..count).step_by(BATCH) {
        let range = start..(start + BATCH).min(count);
        let indices: Vec<usize> = range.clone().collect();
        let batch = pictures.gather(&indices, workspace);
        visit(range, &batch, workspace);
        workspace.give(batch);
    }
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
    let dims = inputs.shape().dims().to_vec();
    let count = dims[0];
    let mut rows = Tensor::zeros([count, row_len]);
    for start in (0..count).step_by(BATCH) {
        let range = start..(start + BATCH).min(count);
        let mut batch_dims = dims.clone();
        batch_dims[0] = range.len();
        let mut batch = workspace.take(patchgrad::Shape::new(&batch_dims));
        batch.as_mut_slice().copy_from_slice(inputs.samples(range.clone()));
        let mut tape = Tape::with_params(params, workspace);
        let input = tape.input(&batch);
        let output = record(&mut tape, input);
        let to = &mut rows.as_mut_slice()[range.start * row_len..range.end * row_len];
        to.copy_from_slice(tape.value(output).as_slice());
        drop(tape);
        workspace.give(batch);
    }
    rows
}
