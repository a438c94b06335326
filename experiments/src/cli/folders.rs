//! The folders that commands write to: new ones, those that hold something already, and those that another process writes to.

use super::output::BadRequest;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The folder for the results is taken: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{} exists and is not empty; nothing was written. {}", .folder.display(), .otherwise.advice())]
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
    /// Either, and there is no other folder to choose.
    ForceOrResume,
}

impl Otherwise {
    fn advice(self) -> &'static str {
        match self {
            Self::Refuse => "Give another --out",
            Self::Force => "Give another --out, or --force to write into it",
            Self::Resume => "Give another --out, or --resume to go on there",
            Self::ForceOrResume => "Give --force to write into it, or --resume to go on there",
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

/// A new folder in `runs/`, called by `name` and the time. It is made here: of two runs in one second each gets its own.
///
/// # Errors
/// If it cannot be made.
pub(super) fn new_folder(name: &str) -> Result<PathBuf> {
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    new_folder_in(Path::new("runs"), &if name.is_empty() { stamp } else { format!("{name}-{stamp}") })
}

fn new_folder_in(runs: &Path, first: &str) -> Result<PathBuf> {
    std::fs::create_dir_all(runs)
        .with_context(|| format!("cannot make the folder {}; give one by --out", runs.display()))?;
    let mut folder = runs.join(first);
    for number in 2.. {
        match std::fs::create_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                folder = runs.join(format!("{first}-{number}"));
            }
            made => {
                made.with_context(|| format!("cannot make the folder {}", folder.display()))?;
                break;
            }
        }
    }
    Ok(folder)
}

/// A folder that this process writes to, and no other that asks; until it is dropped, or the process ends, however that may be.
#[derive(Debug)]
#[must_use = "others may write when it is dropped"]
pub(super) struct Claim {
    _folder: Option<std::fs::File>,
}

/// Claims the folder. Where folders cannot be locked it is left at hope.
///
/// # Errors
/// If another process has claimed it.
pub(super) fn claim(folder: &Path) -> Result<Claim, BadRequest> {
    // Not everywhere can a folder be opened like a file.
    let Ok(opened) = std::fs::File::open(folder) else { return Ok(Claim { _folder: None }) };
    match opened.try_lock() {
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(BadRequest(format!("another run is writing to {}; wait for it, or stop it", folder.display())))
        }
        _ => Ok(Claim { _folder: Some(opened) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_one_second_have_folders_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        let made: Vec<PathBuf> = (0..3).map(|_| new_folder_in(&runs, "demo-1").unwrap()).collect();
        assert_eq!(made, ["demo-1", "demo-1-2", "demo-1-3"].map(|name| runs.join(name)));
        assert!(made.iter().all(|folder| folder.is_dir()));
    }

    #[test]
    fn a_folder_is_claimed_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = claim(folder.path()).unwrap();
        if cfg!(target_os = "linux") {
            let error = claim(folder.path()).unwrap_err().to_string();
            assert!(error.contains("another run is writing to"), "{error}");
        }
        drop(first);
        drop(claim(folder.path()).unwrap());
    }
}
