//! Training that can be stopped at any moment and goes on to the same bytes.
//!
//! - [`Checkpoints`]: when and where to save, what to resume from, and the one call that a training loop makes after a step.
//! - [`fit`]: epochs over shuffled mini-batches of anything [`Trainable`], with schedule, clipping and early stopping.
//! - [`Interrupt`]: Ctrl-C, SIGTERM and SIGUSR1 end a run after its step, saved.
//! - [`TrainingError`]: why training ended before its end, and the exit code for it.
//!
//! A loop of another kind than [`fit`] is resumable when everything that decides its next steps is in the checkpoint:
//! parameters, optimiser, random streams, counters and sums. `scae::train` is one.

mod checkpoints;
mod error;
mod fit;
mod interrupt;
mod order;

pub use checkpoints::{Cadence, Checkpoints, Run};
pub use error::TrainingError;
pub use fit::{Clip, FitSpec, History, Trainable, fit};
pub use interrupt::Interrupt;
pub use order::Order;
