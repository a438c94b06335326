//! Joining the shards of a sweep.

use super::{
    Identity, SweepError,
    journal::{check, identity_of, read, write},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Missing rows that a message names.
const NAMED: usize = 20;

/// Joins the finished rows of `folders` into `out`; gives their number. Rows that two folders have must be the same.
///
/// # Errors
/// If the folders are not of one sweep, rows disagree, an index is missing between the others, or a file cannot be read or
/// written.
pub fn merge<R: Serialize + DeserializeOwned + PartialEq>(
    folders: &[PathBuf],
    out: &Path,
) -> Result<usize, SweepError> {
    let mut identity: Option<Identity> = None;
    let mut rows: BTreeMap<usize, (R, &PathBuf)> = BTreeMap::new();
    for folder in folders {
        match &identity {
            None => identity = Some(identity_of(folder)?),
            Some(identity) => check(folder, identity)?,
        }
        if !folder.join("rows.csv").exists() {
            return Err(SweepError::Unfinished(folder.clone()));
        }
        let (of_folder, _) = read::<R>(&folder.join("rows.csv"))?;
        for (index, row) in of_folder {
            match rows.get(&index) {
                Some((known, first)) if *known != row => {
                    let files = Box::new([first.join("rows.csv"), folder.join("rows.csv")]);
                    return Err(SweepError::Disagree { index, files });
                }
                Some(_) => {}
                None => drop(rows.insert(index, (row, folder))),
            }
        }
    }
    let (Some(identity), Some((&last, _))) = (identity, rows.last_key_value()) else {
        return Err(SweepError::Missing("no folder has any".to_string()));
    };
    // Versions that did not keep the number would have to be believed that the last row is the last.
    let of = if identity.rows > 0 { identity.rows } else { last + 1 };
    let missing: Vec<String> = (0..of).filter(|index| !rows.contains_key(index)).map(|i| i.to_string()).collect();
    if !missing.is_empty() {
        let more = if missing.len() > NAMED { ", ..." } else { "" };
        let named = missing[..missing.len().min(NAMED)].join(", ");
        return Err(SweepError::Missing(format!("{} of {of}: {named}{more}; is there another shard?", missing.len())));
    }
    std::fs::create_dir_all(out)
        .map_err(|error| SweepError::Read { file: out.to_path_buf(), reason: error.to_string() })?;
    check(out, &identity)?;
    let rows: BTreeMap<usize, R> = rows.into_iter().map(|(index, (row, _))| (index, row)).collect();
    write(out, &rows)?;
    Ok(rows.len())
}
