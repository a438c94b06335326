//! Where the greedy training of a stack stands, and the checkpoint it is saved to.

use super::{FitError, Trained};
use crate::training::{Checkpoints, TrainingError};
use patchgrad::{
    Params,
    checkpoint::{Checkpoint, CheckpointError},
};

/// The layers that are done, and the one that is being trained, for runs that are interrupted and resumed.
///
/// A unit that learns by descent is saved between two steps, at any of them. One that is computed from all patches at once
/// (closed forms, k-means, Hebbian rules) is not: interrupted, its layer starts again from the state it began with, to the
/// same result.
pub struct Progress<'c> {
    checkpoints: &'c mut Checkpoints,
    /// What learns, as a checkpoint calls it.
    trains: &'static str,
    trained: Vec<Trained>,
    /// A checkpoint from within the layer that is next.
    within: Option<Checkpoint>,
}

impl<'c> Progress<'c> {
    /// Training from the first layer, or from where `checkpoints` stand: then `params` are those of the checkpoint. `trains`
    /// is what learns; a checkpoint of something else is refused.
    ///
    /// # Errors
    /// If the checkpoint is of another stack of at most `layers` layers.
    pub fn new(
        checkpoints: &'c mut Checkpoints,
        trains: &'static str,
        layers: usize,
        params: &mut Params,
    ) -> Result<Self, TrainingError> {
        let Some(checkpoint) = checkpoints.resumed() else {
            return Ok(Self { checkpoints, trains, trained: Vec::new(), within: None });
        };
        match take(checkpoint, trains, layers, params) {
            Ok((trained, within)) => Ok(Self { checkpoints, trains, trained, within }),
            Err(error) => Err(checkpoints.refuse(error)),
        }
    }

    /// What training reported of the layers that are done, lowest first.
    pub fn trained(&self) -> &[Trained] {
        &self.trained
    }

    /// A layer is done, each layer taking `steps`.
    ///
    /// # Errors
    /// As [`Checkpoints::after_step`].
    pub(crate) fn layer_done(&mut self, trained: Trained, steps: usize, params: &Params) -> Result<(), TrainingError> {
        self.trained.push(trained);
        self.between_layers(steps, params)
    }

    /// Saves when it is time to, or ends when it was asked to, what does not hold anything of the layer that is next.
    pub(super) fn between_layers(&mut self, steps: usize, params: &Params) -> Result<(), TrainingError> {
        let Self { checkpoints, trains, trained, .. } = self;
        let taken = (trained.len() * steps) as u64;
        checkpoints.after_step(taken, |checkpoint| put(checkpoint, trains, trained, params))
    }

    /// Saves, when it is time to, also what `more` stores of the layer that is being trained: `step` of `steps` are taken.
    pub(super) fn after_step(
        &mut self,
        [step, steps]: [usize; 2],
        params: &Params,
        more: impl FnOnce(&mut Checkpoint),
    ) -> Result<(), TrainingError> {
        let Self { checkpoints, trains, trained, .. } = self;
        let taken = (trained.len() * steps + step) as u64;
        checkpoints.after_step(taken, |checkpoint| {
            put(checkpoint, trains, trained, params);
            checkpoint.set("step", step);
            more(checkpoint);
        })
    }

    /// Saves the end, each layer taking `steps`; gives what training reported of every layer.
    ///
    /// # Errors
    /// As [`Checkpoints::save`].
    pub(crate) fn finish(self, steps: usize, params: &Params) -> Result<Vec<Trained>, TrainingError> {
        let Self { checkpoints, trains, trained, .. } = self;
        let taken = (trained.len() * steps) as u64;
        checkpoints.save(taken, |checkpoint| put(checkpoint, trains, &trained, params))?;
        Ok(trained)
    }

    /// What [`after_step`](Self::after_step) stored of this layer, once.
    pub(super) fn within(&mut self) -> Option<Checkpoint> {
        self.within.take()
    }

    /// The error for a checkpoint that does not fit.
    pub(super) fn refuse(&self, error: CheckpointError) -> FitError {
        FitError::Stopped(self.checkpoints.refuse(error))
    }
}

fn put(checkpoint: &mut Checkpoint, trains: &str, trained: &[Trained], params: &Params) {
    checkpoint.put_params("", params);
    checkpoint.set("trains", trains);
    checkpoint.set("layers_done", trained.len());
    checkpoint.set_list("final_errors", &trained.iter().map(|layer| layer.final_error).collect::<Vec<_>>());
    checkpoint.set_list("mean_errors", &trained.iter().map(|layer| layer.mean_error).collect::<Vec<_>>());
}

/// What [`put`] stored; the rest of the checkpoint when it is from within a layer.
fn take(
    mut checkpoint: Checkpoint,
    trains: &str,
    layers: usize,
    params: &mut Params,
) -> Result<(Vec<Trained>, Option<Checkpoint>), CheckpointError> {
    let wrong = |key: &str, value: String, expected: String| {
        Err(CheckpointError::Entry { key: key.to_string(), value, expected })
    };
    let what: String = checkpoint.get("trains")?;
    if what != trains {
        return wrong("trains", what, trains.to_string());
    }
    let done: usize = checkpoint.get("layers_done")?;
    let errors: [Vec<f64>; 2] = [checkpoint.get_list("final_errors")?, checkpoint.get_list("mean_errors")?];
    if done > layers || errors.iter().any(|errors| errors.len() != done) {
        return wrong("layers_done", done.to_string(), format!("at most {layers}, and as many errors"));
    }
    let [finals, means] = errors;
    let pairs = finals.into_iter().zip(means);
    let trained = pairs.map(|(final_error, mean_error)| Trained { final_error, mean_error }).collect();
    let mut taken = params.clone();
    checkpoint.take_params("", &mut taken)?;
    let within = if checkpoint.entry("step").is_some() && done < layers {
        Some(checkpoint)
    } else {
        checkpoint.finish()?;
        None
    };
    *params = taken;
    Ok((trained, within))
}
