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
#[error("{} exists and is not empty; nothing was written. Give another --out, or --force to write into it", .0.display())]
pub(super) struct OutputExists(PathBuf);

/// Makes sure that the folder `out` can be written and overwrites nothing unasked.
///
/// # Errors
/// [`OutputExists`] for a folder that is not empty, unless `force`; or if it cannot be made or read.
pub(super) fn prepare(out: &Path, force: bool) -> Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    let mut entries = std::fs::read_dir(out).with_context(|| format!("cannot read the folder {}", out.display()))?;
    if !force && entries.next().is_some() {
        return Err(OutputExists(out.to_path_buf()).into());
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
