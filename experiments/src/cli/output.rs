//! What commands share: requests that cannot be met, folders that must be new, printing.

use anyhow::{Context, Result};
use std::{
    io::Write,
    path::{Path, PathBuf},
};

/// A request that cannot be met as it stands: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadRequest(pub String);

/// The folder for the results is taken: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{} exists and is not empty; nothing was written. Give another --out{}", .folder.display(), .otherwise.advice())]
pub(super) struct OutputExists {
    folder: PathBuf,
    otherwise: Otherwise,
}

/// What a command can do with a folder that is not empty.
#[derive(Clone, Copy, Debug)]
pub(super) enum Otherwise {
    /// Nothing.
    Refuse,
    /// Write into it when asked to by `--force`.
    Force,
    /// Go on in it when asked to by `--resume`.
    Resume,
}

impl Otherwise {
    fn advice(self) -> &'static str {
        match self {
            Self::Refuse => "",
            Self::Force => ", or --force to write into it",
            Self::Resume => ", or --resume to go on there",
        }
    }
}

/// Makes sure that the folder `out` can be written and overwrites nothing unasked.
///
/// # Errors
/// [`OutputExists`] for a folder that is not empty, unless `asked`, by what `otherwise` names; or if it cannot be made or read.
pub(super) fn prepare(out: &Path, otherwise: Otherwise, asked: bool) -> Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    let mut entries = std::fs::read_dir(out).with_context(|| format!("cannot read the folder {}", out.display()))?;
    if !asked && entries.next().is_some() {
        return Err(OutputExists { folder: out.to_path_buf(), otherwise }.into());
    }
    Ok(())
}

/// Prints to standard output at once; a reader who closed the pipe has seen enough, and that is no error.
///
/// # Errors
/// If it cannot be written.
pub(super) fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("cannot print the result"),
        _ => Ok(()),
    }
}
