//! Joining the shards of a sweep.

use super::{
    Identity, SweepError,
    journal::{check, check_last, identity_of, indices, read, with_commits, write},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Missing rows that a message names.
const NAMED: usize = 20;

/// Which sweep the shards in `folders` make together. Nothing is written.
///
/// # Errors
/// If one is not finished, they are not of one sweep, rows are missing, or a file cannot be read.
pub fn whole(folders: &[PathBuf]) -> Result<Identity, SweepError> {
    let mut whole: Option<Identity> = None;
    let mut known: BTreeSet<usize> = BTreeSet::new();
    for folder in folders {
        let here = identity_of(folder)?;
        match &mut whole {
            None => whole = Some(here),
            Some(whole) => {
                check(folder, whole)?;
                (whole.rows, whole.commit) = (whole.rows.max(here.rows), with_commits(&whole.commit, &here.commit));
            }
        }
        if !folder.join("rows.csv").exists() {
            return Err(SweepError::Unfinished(folder.clone()));
        }
        let rows = indices(&folder.join("rows.csv"))?;
        check_last(&folder.join("rows.csv"), rows.last().copied(), whole.as_ref().and_then(Identity::known_rows))?;
        known.extend(rows);
    }
    let (Some(mut whole), Some(last)) = (whole, known.last()) else {
        return Err(SweepError::Missing("no folder has any".to_string()));
    };
    // Of versions that did not keep the number it has to be believed that the last row is the last.
    whole.rows = if whole.rows > 0 { whole.rows } else { last + 1 };
    let missing: Vec<String> = (0..whole.rows).filter(|index| !known.contains(index)).map(|i| i.to_string()).collect();
    if !missing.is_empty() {
        let more = if missing.len() > NAMED { ", ..." } else { "" };
        let named = missing[..missing.len().min(NAMED)].join(", ");
        let text = format!("{} of {}: {named}{more}; is there another shard?", missing.len(), whole.rows);
        return Err(SweepError::Missing(text));
    }
    Ok(whole)
}

/// Joins the finished rows of `folders` into `out`; gives their number. Rows that two folders have must be the same.
///
/// # Errors
/// If the folders are not the [whole] of one sweep, rows disagree, or a file cannot be read or written.
pub fn merge<R: Serialize + DeserializeOwned + PartialEq>(
    folders: &[PathBuf],
    out: &Path,
) -> Result<usize, SweepError> {
    let identity = whole(folders)?;
    let mut rows: BTreeMap<usize, (R, &PathBuf)> = BTreeMap::new();
    for folder in folders {
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
    std::fs::create_dir_all(out)
        .map_err(|error| SweepError::Read { file: out.to_path_buf(), reason: error.to_string() })?;
    check(out, &identity)?;
    let rows: BTreeMap<usize, R> = rows.into_iter().map(|(index, (row, _))| (index, row)).collect();
    write(out, &rows)?;
    Ok(rows.len())
}
