//! Why training ended before its end.

use crate::files::WriteError;
use patchgrad::checkpoint::CheckpointError;
use std::{io, path::PathBuf};

/// Training that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The loss or a parameter is NaN or infinite; the parameters are those before that step, and the last checkpoint too is
    /// from before.
    #[error("{layer} diverged: the loss of step {step} is not finite; try a smaller learning rate, or clip gradients")]
    NotFinite {
        /// The layer where it shows: a name of the model, such as `layer 1` or `encoder.0`.
        layer: String,
        /// The step, counted from 0.
        step: u64,
    },
    /// A layer cannot be trained on these data.
    #[error("layer {layer}: {why}")]
    Layer {
        /// The layer, counted from 0.
        layer: usize,
        /// What is missing, and what to do.
        why: String,
    },
    /// A signal asked to stop.
    #[error("interrupted after step {step}{}", saved(.checkpoint.as_ref()))]
    Interrupted {
        /// Steps that were taken.
        step: u64,
        /// Where the run was saved.
        checkpoint: Option<PathBuf>,
    },
    /// A checkpoint could not be read.
    #[error("cannot read the checkpoint {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The folder for checkpoints could not be made or cleaned.
    #[error("cannot prepare the folder {}: {source}; free some space or choose another folder", .path.display())]
    Prepare {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A checkpoint is damaged or belongs to another model.
    #[error("cannot resume from {}: {source}; without it the run begins anew, to the same bytes", .path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: CheckpointError,
    },
    /// A checkpoint belongs to another run.
    #[error("cannot resume from {}: {what}; start anew in another folder, or repeat the run's own settings", .path.display())]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// How the runs differ.
        what: String,
    },
    /// A checkpoint could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

fn saved(checkpoint: Option<&PathBuf>) -> String {
    match checkpoint {
        Some(path) => format!("; saved to {}, --resume goes on from there", path.display()),
        None => "; nothing was saved".to_string(),
    }
}

impl TrainingError {
    /// The exit code of a command that ends with this: 4 for a loss that is not finite, 75 (try again) for an interrupt, 2 for
    /// a checkpoint of another run and for data that a layer cannot be trained on, 1 otherwise.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotFinite { .. } => 4,
            Self::Interrupted { .. } => 75,
            Self::OtherRun { .. } | Self::Layer { .. } => 2,
            Self::Read { .. } | Self::Prepare { .. } | Self::Checkpoint { .. } | Self::Write(_) => 1,
        }
    }
}
