//! `pitfall merge`: joins the shards of experiments.

use super::{
    super::folders::{Otherwise, prepare},
    super::output::BadRequest,
    suite::{summarise, tell_of_mistakes},
};
use crate::{
    suite::{EXPERIMENTS, experiment},
    sweep::{self, SweepError},
};
use anyhow::{Context, Result};
use clap::Args;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Options of `pitfall merge`.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Folders of finished shards: what `pitfall run --out` got, with SET/NAME/ below, or those with rows.csv
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Folder for the joined rows
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Joins shards, and writes and prints what follows from the whole.
pub(in crate::cli) fn merge(args: &MergeArgs) -> Result<()> {
    let (sweeps, others): (Vec<&PathBuf>, Vec<&PathBuf>) = args.folders.iter().partition(|folder| sweep::begun(folder));
    let mut shards: BTreeMap<(usize, PathBuf), Vec<PathBuf>> = BTreeMap::new();
    for &folder in &others {
        let below = sweeps_below(folder)?;
        if below.is_empty() {
            return Err(SweepError::None(folder.clone()).into());
        }
        for (set, folder) in below {
            let name = sweep::identity(&folder)?.name;
            // By experiment, so that those come first whose rows others read.
            let at = EXPERIMENTS.into_iter().position(|experiment| experiment.name() == name);
            let out = args.out.join(set).join(name);
            shards.entry((at.unwrap_or(usize::MAX), out)).or_default().push(folder);
        }
    }
    if let (Some(sweep), Some(other)) = (sweeps.first(), others.first()) {
        let expected = "give either such folders, or those above that `pitfall run --out` got";
        let what =
            format!("{} is the folder of an experiment, {} is not; {expected}", sweep.display(), other.display());
        return Err(BadRequest(what).into());
    }
    if others.is_empty() {
        shards.insert((0, args.out.clone()), args.folders.clone());
    }
    // Whatever is missing is said before anything is written.
    for folders in shards.values() {
        sweep::whole(folders)?;
    }
    prepare(&args.out, Otherwise::Refuse, false)?;
    shards.into_iter().try_for_each(|((_, out), folders)| merge_one(&folders, &out))
}

/// The folders SET/NAME below, each with its set.
fn sweeps_below(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let entries = |folder: &Path| -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
        let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        folders.retain(|path| path.is_dir());
        folders.sort();
        Ok(folders)
    };
    let mut found = Vec::new();
    for of_set in entries(folder)? {
        let set = of_set.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let sweeps = entries(&of_set)?.into_iter().filter(|folder| sweep::begun(folder));
        found.extend(sweeps.map(|folder| (set.clone(), folder)));
    }
    Ok(found)
}

fn merge_one(folders: &[PathBuf], out: &Path) -> Result<()> {
    let name = sweep::identity(&folders[0])?.name;
    let whose = experiment(&name)
        .ok_or_else(|| BadRequest(format!("{}: there is no experiment {name}", folders[0].display())))?;
    whose.merge(folders, out)?;
    tell_of_mistakes(out);
    let set = out.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    EXPERIMENTS
        .into_iter()
        .filter(|experiment| experiment.rows_of() == name)
        .try_for_each(|experiment| summarise(experiment, &set, out))
}
