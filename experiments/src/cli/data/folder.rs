//! Which data folder is meant.

use super::BadRequest;
use patchgrad_datasets::folder::{DATA_VARIABLE, default_data_dir};
use std::path::PathBuf;

/// The folder that was named, or else the usual one.
pub(super) fn chosen(dir: Option<&PathBuf>) -> Result<PathBuf, BadRequest> {
    let nowhere =
        || BadRequest(format!("there is no home folder to keep data in; give a folder, or set {DATA_VARIABLE}"));
    dir.cloned().or_else(default_data_dir).ok_or_else(nowhere)
}
