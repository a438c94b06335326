//! Finding the results of experiments in folders.

use super::experiment;
use crate::sweep::{self, Identity, SweepError};
use anyhow::{Context, Result, bail};
use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

/// Folders below the given one that are looked into: OUT/SET/NAME and one more.
const DEPTH: usize = 3;

/// The results that were found.
#[derive(Debug, Default)]
pub struct Collected {
    /// Finished sweeps, by set and experiment.
    pub sweeps: Vec<Found>,
    /// Sweeps that have not come to their end: they are named, not counted.
    pub unfinished: Vec<Unfinished>,
    /// Folders with the table of a validation.
    pub validations: Vec<PathBuf>,
}

/// A sweep that has not come to its end, or a shard of one.
#[derive(Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The set: the name of the folder above.
    pub set: String,
    /// Which experiment.
    pub name: String,
    /// Where it lies.
    pub folder: PathBuf,
    /// Rows that are there.
    pub rows: usize,
    /// Rows of the whole; `None` in files of versions that did not keep it.
    pub of: Option<usize>,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.folder.display(), self.rows)?;
        match self.of {
            Some(of) => write!(f, " of {of} rows)"),
            None => write!(f, " rows)"),
        }
    }
}

/// A finished sweep.
#[derive(Debug)]
pub struct Found {
    /// The set: the name of the folder above.
    pub set: String,
    /// Where it lies.
    pub folder: PathBuf,
    /// What it says of itself.
    pub identity: Identity,
    /// Rows that a mistake of this program left, which say nothing of a network.
    pub mistakes: usize,
}

/// Everything below `folders`.
///
/// # Errors
/// If a folder cannot be read, holds no results, or two folders hold different results of one experiment on one set.
pub fn collect(folders: &[PathBuf]) -> Result<Collected> {
    let mut collected = Collected::default();
    for folder in folders {
        let before = collected.sweeps.len() + collected.unfinished.len() + collected.validations.len();
        look_into(folder, DEPTH, &mut collected)?;
        if collected.sweeps.len() + collected.unfinished.len() + collected.validations.len() == before {
            bail!(
                "{}: no results of an experiment; expected a folder that `pitfall run NAME --out` wrote, with SET/NAME/rows.csv",
                folder.display()
            );
        }
    }
    let mut kept: Vec<Found> = Vec::new();
    for found in collected.sweeps {
        let same = |known: &&Found| known.set == found.set && known.identity.name == found.identity.name;
        match kept.iter().find(same) {
            None => kept.push(found),
            Some(known) if bytes(&known.folder)? == bytes(&found.folder)? => {}
            Some(known) => bail!(
                "{} and {} hold different rows of {} on {}; give one of them",
                known.folder.display(),
                found.folder.display(),
                found.identity.name,
                found.set
            ),
        }
    }
    for found in &kept {
        let other = kept.iter().find(|known| known.set == found.set && known.identity.data != found.identity.data);
        if let Some(other) = other {
            bail!(
                "{} and {} are called {} both, but are of other pictures ({} and {}); report them separately",
                found.folder.display(),
                other.folder.display(),
                found.set,
                found.identity.data.join(", "),
                other.identity.data.join(", ")
            );
        }
    }
    // Bundled samples and full sets in the order of folders: the page is the same wherever they were found first.
    kept.sort_by(|a, b| (order(&a.set), &a.set).cmp(&(order(&b.set), &b.set)));
    let mut unfinished: Vec<Unfinished> = Vec::new();
    for part in collected.unfinished {
        // Shards beside what they were joined to, and folders that were given twice.
        let is_whole = kept.iter().any(|found| (&found.set, &found.identity.name) == (&part.set, &part.name));
        if !is_whole && !unfinished.contains(&part) {
            unfinished.push(part);
        }
    }
    Ok(Collected { sweeps: kept, unfinished, validations: collected.validations })
}

/// The usual order of the sets.
fn order(set: &str) -> usize {
    ["mnist", "fashion-mnist", "cifar-10", "svhn"].iter().position(|known| *known == set).unwrap_or(4)
}

fn bytes(folder: &Path) -> Result<Vec<u8>> {
    let file = folder.join("rows.csv");
    fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
}

fn look_into(folder: &Path, depth: usize, collected: &mut Collected) -> Result<()> {
    if folder.join("table-t0.csv").exists() {
        collected.validations.push(folder.to_path_buf());
        return Ok(());
    }
    if sweep::begun(folder) {
        return add_sweep(folder, collected).map_err(Into::into);
    }
    if depth == 0 {
        return Ok(());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut below: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    below.sort();
    below.iter().try_for_each(|folder| look_into(folder, depth - 1, collected))
}

fn add_sweep(folder: &Path, collected: &mut Collected) -> Result<(), SweepError> {
    let identity = sweep::identity(folder)?;
    if experiment(&identity.name).is_none() {
        // Rows of `pitfall units`: of no experiment.
        return Ok(());
    }
    // A relative path such as "." has no name above it.
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let set = whole.parent().and_then(Path::file_name).map_or(String::new(), |name| name.to_string_lossy().into());
    let of = identity.known_rows();
    let finished = folder.join("rows.csv").exists();
    let rows = match finished {
        true => sweep::count(&folder.join("rows.csv"), of)?,
        // Whatever a journal may look like: it is only told.
        false => sweep::count(&folder.join("journal.csv"), of).unwrap_or(0),
    };
    if finished && of.is_none_or(|of| rows >= of) {
        let mistakes = sweep::mistakes(folder)?;
        collected.sweeps.push(Found { set, folder: folder.to_path_buf(), identity, mistakes });
    } else {
        collected.unfinished.push(Unfinished { set, name: identity.name, folder: folder.to_path_buf(), rows, of });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &Path, below: &str, rows: Option<&str>) {
        let folder = folder.join(below);
        fs::create_dir_all(&folder).unwrap();
        let identity = Identity { rows: 2, ..Identity::made_up(&folder.file_name().unwrap().to_string_lossy()) };
        fs::write(folder.join("sweep.json"), serde_json::to_string(&identity).unwrap()).unwrap();
        if let Some(rows) = rows {
            fs::write(folder.join("rows.csv"), rows).unwrap();
        }
    }

    #[test]
    fn results_are_found_below_in_the_order_of_sets_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |below: &str| folder.path().join(below);
        put(folder.path(), "a/cifar-10/correlation", Some("index\n0\n1\n"));
        put(folder.path(), "a/mnist/correlation", Some("index\n1\n0\n"));
        put(folder.path(), "a/mnist/pretraining", None);
        put(folder.path(), "b/mnist/correlation", Some("index\n1\n0\n"));
        let found = collect(&[at("a"), at("b/mnist/correlation")]).unwrap();
        let sets: Vec<&str> = found.sweeps.iter().map(|found| found.set.as_str()).collect();
        assert_eq!(sets, ["mnist", "cifar-10"]);
        let unfinished = |below: &str, rows| {
            let names: Vec<&str> = below.split('/').skip(1).collect();
            Unfinished { set: names[0].into(), name: names[1].into(), folder: at(below), rows, of: Some(2) }
        };
        assert_eq!(found.unfinished, [unfinished("a/mnist/pretraining", 0)]);
        // A shard, rows that are gone, a line that was cut: not what a verdict is given on.
        for rows in ["index\n1\n", "index\n", "", "index\n0\n1"] {
            put(folder.path(), "shard/mnist/correlation", Some(rows));
            let found = collect(&[at("shard")]).unwrap();
            assert!(found.sweeps.is_empty());
            assert_eq!(
                found.unfinished,
                [unfinished("shard/mnist/correlation", rows.matches("\n").count().saturating_sub(1))]
            );
        }
        assert!(unfinished("a/b/c", 1).to_string().ends_with("a/b/c (1 of 2 rows)"));
        assert_eq!(collect(&[at("shard"), at("shard/mnist")]).unwrap().unfinished.len(), 1);
        assert_eq!(collect(&[at("a"), at("shard")]).unwrap().unfinished, [unfinished("a/mnist/pretraining", 0)]);

        put(folder.path(), "c/mnist/correlation", Some("index\n0\n1\n"));
        let message = collect(&[at("a"), at("c")]).unwrap_err().to_string();
        assert!(message.contains("hold different rows of correlation on mnist"), "{message}");
        put(folder.path(), "d/mnist/separability", Some("index\n0\n1\n"));
        let sweep = at("d/mnist/separability/sweep.json");
        let sample = fs::read_to_string(&sweep).unwrap().replace("\"Set\"", "\"Set sample\"");
        fs::write(&sweep, sample).unwrap();
        let message = collect(&[at("a"), at("d")]).unwrap_err().to_string();
        assert!(message.contains("are of other pictures (Set and Set sample)"), "{message}");
        put(folder.path(), "e/mnist/correlation", Some("index\n0\n1\n2\n"));
        let message = collect(&[at("e")]).unwrap_err().to_string();
        assert!(message.contains("it has a row 2, and the sweep has rows 0 to 1"), "{message}");
        put(folder.path(), "units", Some("index\n0\n1\n"));
        assert!(collect(&[at("units")]).unwrap_err().to_string().contains("no results of an experiment"));
        fs::create_dir(at("empty")).unwrap();
        assert!(collect(&[at("empty")]).unwrap_err().to_string().contains("no results of an experiment"));
        assert!(collect(&[at("nowhere")]).unwrap_err().to_string().contains("cannot read the folder"));
    }
}
