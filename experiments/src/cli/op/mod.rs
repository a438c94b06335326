//! `pitfall op`: one op of the engine on npy files, or many of them from a file of cases.
//!
//! It lets a student poke at an op, and a tester drive the engine from any language. One op goes through `arguments`
//! (what is asked for), `files` and `layout` (tensors in the engine's order of axes), `operation` (checked against the
//! shapes, then recorded on a tape) and `run` (all of it in order); `cases` does this for each line of a file.

mod arguments;
mod cases;
mod files;
mod layout;
mod operation;
mod run;
mod show;

pub use arguments::OpArgs;

use std::{io::Write, path::Path};

/// A mistake of the caller: a shape, an option or a file that does not do. The text says which and what to try.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

impl From<patchgrad::ShapeError> for UsageError {
    fn from(error: patchgrad::ShapeError) -> Self {
        Self(error.to_string())
    }
}

impl From<patchgrad_datasets::DataError> for UsageError {
    fn from(error: patchgrad_datasets::DataError) -> Self {
        Self(error.to_string())
    }
}

/// Runs what the arguments ask for and prints to standard output.
///
/// # Errors
/// [`UsageError`] when the request cannot be met (also when some case of a file of cases failed), something else when the
/// results cannot be printed.
pub fn run(args: &OpArgs) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match (&args.op, &args.cases) {
        (Some(op), _) => {
            let output = run::run(op, Path::new(""))?;
            if op.files().output.is_none() {
                write!(out, "{}", show::Shown(&output))?;
            }
        }
        (None, Some(cases)) => cases::run_cases(cases, &mut out)?,
        (None, None) => {
            return Err(UsageError("name an op, or give --cases FILE; see pitfall op --help".to_string()).into());
        }
    }
    Ok(())
}
