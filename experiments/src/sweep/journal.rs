//! The rows of a sweep on the disk, while it runs and afterwards.

use super::Identity;
use crate::files::{WriteError, remove_partial_files, write_atomically};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A sweep that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The folder holds another sweep.
    #[error("{} holds another sweep: its {what} is {got}, this one's is {expected}; give another folder", .folder.display())]
    Other {
        /// The folder.
        folder: PathBuf,
        /// What differs.
        what: &'static str,
        /// There.
        got: String,
        /// Here.
        expected: String,
    },
    /// A file cannot be read, or its rows are not those of this sweep.
    #[error("cannot go on with {}: {reason}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// A folder that no sweep was begun in.
    #[error("{} holds no sweep, for it has no sweep.json; expected a folder OUT/SET/NAME that `pitfall run` wrote", .0.display())]
    None(PathBuf),
    /// The rows that are there were written by a version whose rows have other columns.
    #[error(
        "the rows in {} have other columns than this version writes ({difference}); go on with the version that began them (sweep.json \
         names its commit), or give another folder", .file.display()
    )]
    Columns {
        /// The file.
        file: PathBuf,
        /// Which.
        difference: String,
    },
    /// Rows of nobody knows which sweep.
    #[error("{} has rows but no sweep.json, which tells of which sweep they are; put it back, or give another folder", .0.display())]
    Stray(PathBuf),
    /// A sweep, or a shard of one, that has not come to its end.
    #[error("{} is not finished: it has no rows.csv yet; go on with it by --resume first", .0.display())]
    Unfinished(PathBuf),
    /// Another process writes there.
    #[error("another run is writing to {}; wait for it, stop it, or give another folder", .0.display())]
    Busy(PathBuf),
    /// A row cannot be added. Those before it are there.
    #[error("cannot write to {}: {source}; the rows before are kept", .file.display())]
    Append {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Two shards have different rows for one piece of work.
    #[error("row {index} of {} differs from that of {}; they are not of one sweep", .files[1].display(), .files[0].display())]
    Disagree {
        /// The piece of work.
        index: usize,
        /// The two files.
        files: Box<[PathBuf; 2]>,
    },
    /// Shards that do not make a whole.
    #[error("rows are missing: {}", .0)]
    Missing(String),
    /// Someone asked to stop after the last piece.
    #[error("interrupted before its picture was drawn; what is done is kept in {}", .0.display())]
    NoPicture(PathBuf),
    /// Someone asked to stop.
    #[error("interrupted after {pieces} of {of}; what is done is kept in {}", .folder.display())]
    Interrupted {
        /// Pieces that are done.
        pieces: usize,
        /// Of so many.
        of: usize,
        /// Where.
        folder: PathBuf,
    },
}

impl SweepError {
    /// The exit code of a command that ends with this: 75 (try again) for an interrupt, 2 for a folder that is not the right one, 1
    /// otherwise.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Interrupted { .. } | Self::NoPicture(_) => 75,
            Self::Other { .. }
            | Self::Columns { .. }
            | Self::None(_)
            | Self::Stray(_)
            | Self::Unfinished(_)
            | Self::Busy(_) => 2,
            _ => 1,
        }
    }
}

/// A row of a file: the index, then the columns of the row.
pub(super) fn line<R: Serialize>(index: usize, row: &R) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.serialize((index, row)).expect("a row of plain fields is a line of CSV");
    writer.into_inner().expect("memory does not run out of space")
}

/// The names of the columns.
pub(super) fn header<R: Serialize>(row: &R) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.serialize(row).expect("a row of plain fields is a line of CSV");
    let bytes = writer.into_inner().expect("memory does not run out of space");
    let end = bytes.iter().position(|&byte| byte == b'\n').expect("the names are a line") + 1;
    [&b"index,"[..], &bytes[..end]].concat()
}

/// The rows of a file by index. A last line without its end is left out; how many bytes the whole lines have.
pub(super) fn read<R: DeserializeOwned>(file: &Path) -> Result<(BTreeMap<usize, R>, u64), SweepError> {
    let wrong = |reason: String| SweepError::Read { file: file.to_path_buf(), reason };
    let bytes = fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let whole = whole_lines(&bytes);
    let mut reader = csv::Reader::from_reader(whole);
    let headers = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
    let mut rows = BTreeMap::new();
    // A row without its index, so that columns are found by their names.
    let names: csv::StringRecord = headers.iter().skip(1).collect();
    for record in reader.records() {
        let record = record.map_err(|error| wrong(damaged_line(&error)))?;
        let index: usize =
            record.get(0).and_then(|index| index.parse().ok()).ok_or_else(|| wrong("a row has no index".into()))?;
        let values: csv::StringRecord = record.iter().skip(1).collect();
        let row = values.deserialize(Some(&names));
        let row = row.map_err(|error| wrong(format!("row {index}: {}", wrong_value(&error, &names, &values))))?;
        rows.insert(index, row);
    }
    Ok((rows, whole.len() as u64))
}

/// A line that is none of the file, and what helps.
fn damaged_line(error: &csv::Error) -> String {
    format!("{error}; take the line out, and --resume computes its row again")
}

/// The column and the value that a row cannot have.
fn wrong_value(error: &csv::Error, names: &csv::StringRecord, values: &csv::StringRecord) -> String {
    let csv::ErrorKind::Deserialize { err, .. } = error.kind() else { return error.to_string() };
    let field = err.field().and_then(|field| usize::try_from(field).ok());
    match field.and_then(|field| Some((names.get(field)?, values.get(field)?))) {
        Some((name, value)) => format!("{name} is {value:?}: {}", err.kind()),
        None => err.kind().to_string(),
    }
}

/// The indices of the whole rows of a file, whatever their columns.
pub(super) fn indices(file: &Path) -> Result<BTreeSet<usize>, SweepError> {
    Ok(records(file)?.into_iter().map(|(index, _)| index).collect())
}

/// How many rows of `rows.csv` and of the journal in `folder` have a value that begins with `start`.
pub(super) fn rows_with(folder: &Path, start: &str) -> Result<usize, SweepError> {
    let mut found = BTreeSet::new();
    for file in ["rows.csv", "journal.csv"].map(|name| folder.join(name)).into_iter().filter(|file| file.exists()) {
        let begins = |row: &csv::StringRecord| row.iter().any(|value| value.starts_with(start));
        found.extend(records(&file)?.into_iter().filter(|(_, row)| begins(row)).map(|(index, _)| index));
    }
    Ok(found.len())
}

/// The whole rows of a file with their indices, whatever their columns.
fn records(file: &Path) -> Result<Vec<(usize, csv::StringRecord)>, SweepError> {
    let wrong = |reason: String| SweepError::Read { file: file.to_path_buf(), reason };
    let bytes = fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let rows = csv::Reader::from_reader(whole_lines(&bytes)).into_records();
    let row = |row: csv::Result<csv::StringRecord>| {
        let row = row.map_err(|error| wrong(damaged_line(&error)))?;
        let index = row.get(0).and_then(|index| index.parse().ok());
        Ok((index.ok_or_else(|| wrong("a row has no index".into()))?, row))
    };
    rows.map(row).collect()
}

/// A file without the part of a line that a crash left at its end.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1)]
}

/// The rows of a sweep that are known, and the file that takes the next one.
pub struct Journal<R> {
    folder: PathBuf,
    rows: BTreeMap<usize, R>,
    /// `None` as long as nothing is added to a `rows.csv` that is there already.
    file: Option<File>,
}

impl<R: Serialize + DeserializeOwned + Clone> Journal<R> {
    /// The journal in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// If the folder holds another sweep, or cannot be read or written.
    pub fn open(folder: &Path, identity: &Identity) -> Result<Self, SweepError> {
        let at =
            |file: &Path, error: io::Error| SweepError::Read { file: file.to_path_buf(), reason: error.to_string() };
        fs::create_dir_all(folder).map_err(|error| at(folder, error))?;
        let (whole, journal) = (folder.join("rows.csv"), folder.join("journal.csv"));
        if whole.exists() && !journal.exists() {
            check(folder, identity)?;
            let (rows, _) = read(&whole)?;
            check_last(&whole, rows.keys().last().copied(), identity.known_rows())?;
            return Ok(Self { folder: folder.to_path_buf(), rows, file: None });
        }
        let file = locked(folder)?;
        remove_partial_files(folder).map_err(|error| at(folder, error))?;
        check(folder, identity)?;
        let rows = known(folder, &file)?;
        check_last(&journal, rows.keys().last().copied(), identity.known_rows())?;
        Ok(Self { folder: folder.to_path_buf(), rows, file: Some(file) })
    }

    /// Whether a row is known.
    pub fn has(&self, index: usize) -> bool {
        self.rows.contains_key(&index)
    }

    /// Adds a row: it is on the disk when this returns.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn append(&mut self, index: usize, row: R) -> Result<(), SweepError> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                // Another shard into a folder that has rows: those stay where they are until all are written anew, and what a
                // third one added since they were read is not lost. What may not be added to stays without a journal.
                check_columns(&self.folder.join("rows.csv"), &self.rows)?;
                let file = locked(&self.folder)?;
                self.rows.extend(known(&self.folder, &file)?);
                none.insert(file)
            }
        };
        let journal = self.folder.join("journal.csv");
        let written = file.metadata().and_then(|file_now| {
            let mut bytes = if file_now.len() == 0 { header(&row) } else { Vec::new() };
            bytes.extend(line(index, &row));
            let written = file.write_all(&bytes).and_then(|()| file.sync_data());
            if written.is_err() {
                // Half a line must not grow into the next one. If this fails too, half a line at the end is read as none.
                let _ = file.set_len(file_now.len());
            }
            written
        });
        written.map_err(|source| SweepError::Append { file: journal, source })?;
        self.rows.insert(index, row);
        Ok(())
    }

    /// Writes `rows.csv`, removes the journal, and gives the rows in the order of their index.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn finish(self) -> Result<Vec<R>, SweepError> {
        if self.file.is_none() {
            // Nothing was added, and the folder is not locked: another shard may be writing there.
            return Ok(self.rows.into_values().collect());
        }
        write(&self.folder, &self.rows)?;
        let journal = self.folder.join("journal.csv");
        match fs::remove_file(&journal) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(SweepError::Append { file: journal, source: error })
            }
            _ => Ok(self.rows.into_values().collect()),
        }
    }
}

/// The journal in `folder`, for this process alone until it is closed, by whatever end of the process. Where locks do not exist
/// there is none.
fn locked(folder: &Path) -> Result<File, SweepError> {
    let journal = folder.join("journal.csv");
    let file = OpenOptions::new().create(true).append(true).open(&journal);
    let file = file.map_err(|error| SweepError::Read { file: journal, reason: error.to_string() })?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(SweepError::Busy(folder.to_path_buf())),
        _ => Ok(file),
    }
}

/// The rows of the journal, which is locked, and of `rows.csv` if that is there too. What a crash left of a line is cut off, so
/// that the next one begins on a line of its own.
///
/// Rows are about to be added, so those that are there have to have the same columns: a line of other ones behind them would be
/// read wrongly, and a whole of both would be no sweep of any one version.
fn known<R: Serialize + DeserializeOwned>(folder: &Path, file: &File) -> Result<BTreeMap<usize, R>, SweepError> {
    let (whole, journal) = (folder.join("rows.csv"), folder.join("journal.csv"));
    let (mut rows, whole_lines) = read(&journal)?;
    check_columns(&journal, &rows)?;
    // Names without a row are written again with the first.
    let kept = if rows.is_empty() { 0 } else { whole_lines };
    if whole.exists() {
        let (finished, _) = read(&whole)?;
        check_columns(&whole, &finished)?;
        rows.extend(finished);
    }
    file.set_len(kept).map_err(|error| SweepError::Read { file: journal, reason: error.to_string() })?;
    Ok(rows)
}

/// Compares the columns of `file`, which has these rows, with those that this version writes.
fn check_columns<R: Serialize>(file: &Path, rows: &BTreeMap<usize, R>) -> Result<(), SweepError> {
    let Some(row) = rows.values().next() else { return Ok(()) };
    let wrong = |error: io::Error| SweepError::Read { file: file.to_path_buf(), reason: error.to_string() };
    let (there, here) = (fs::read_to_string(file).map_err(wrong)?, header(row));
    let there: Vec<&str> = there.lines().next().unwrap_or_default().split(',').collect();
    let here = String::from_utf8(here).expect("names of columns are text");
    let here: Vec<&str> = here.trim_end().split(',').collect();
    if there == here {
        return Ok(());
    }
    let without = |of: &[&str], other: &[&str]| -> String {
        of.iter().filter(|name| !other.contains(name)).copied().collect::<Vec<_>>().join(", ")
    };
    let difference = match (without(&here, &there), without(&there, &here)) {
        (missing, foreign) if missing.is_empty() && foreign.is_empty() => "in another order".to_string(),
        (missing, foreign) if foreign.is_empty() => format!("{missing} is missing"),
        (missing, foreign) if missing.is_empty() => format!("{foreign} is not known"),
        (missing, foreign) => format!("{missing} is missing, {foreign} is not known"),
    };
    Err(SweepError::Columns { file: file.to_path_buf(), difference })
}

/// Writes `rows.csv`.
pub(super) fn write<R: Serialize>(folder: &Path, rows: &BTreeMap<usize, R>) -> Result<(), SweepError> {
    let mut bytes = rows.values().next().map_or(Vec::new(), |row| header(row));
    rows.iter().for_each(|(index, row)| bytes.extend(line(*index, row)));
    Ok(write_atomically(&folder.join("rows.csv"), &bytes)?)
}

/// Adds the commit of `identity` to those that computed rows of the sweep in `folder`.
pub(super) fn note_commit(folder: &Path, identity: &Identity) -> Result<(), SweepError> {
    let mut there = identity_of(folder)?;
    let commits = with_commits(&there.commit, &identity.commit);
    if commits == there.commit {
        Ok(())
    } else {
        there.commit = commits;
        replace(folder, &there)
    }
}

/// Commits of two lists, each once, in one order: which came first does not matter.
pub(super) fn with_commits(one: &str, other: &str) -> String {
    let commits: BTreeSet<&str> =
        one.split(", ").chain(other.split(", ")).filter(|commit| !commit.is_empty()).collect();
    commits.into_iter().collect::<Vec<_>>().join(", ")
}

/// The file that tells which sweep a folder holds.
fn identity_file(folder: &Path) -> PathBuf {
    folder.join("sweep.json")
}

/// Whether a sweep was begun in a folder.
pub fn begun(folder: &Path) -> bool {
    identity_file(folder).exists()
}

/// Writes `sweep.json`.
fn replace(folder: &Path, identity: &Identity) -> Result<(), SweepError> {
    let json = serde_json::to_string_pretty(identity).expect("plain fields are JSON");
    Ok(write_atomically(&identity_file(folder), format!("{json}\n").as_bytes())?)
}

/// Whether the rows of `file`, the last of which is `last`, are those of a sweep `of` so many; where it is not known, any are.
pub(super) fn check_last(file: &Path, last: Option<usize>, of: Option<usize>) -> Result<(), SweepError> {
    match (last, of) {
        (Some(last), Some(of)) if last >= of => {
            let reason = format!("it has a row {last}, and the sweep has rows 0 to {}; take its line out", of - 1);
            Err(SweepError::Read { file: file.to_path_buf(), reason })
        }
        _ => Ok(()),
    }
}

/// Compares the identity with that of the folder, or writes it there.
pub(super) fn check(folder: &Path, identity: &Identity) -> Result<(), SweepError> {
    if !begun(folder) {
        let has_some = |name: &str| fs::metadata(folder.join(name)).is_ok_and(|file| file.len() > 0);
        if has_some("rows.csv") || has_some("journal.csv") {
            return Err(SweepError::Stray(folder.to_path_buf()));
        }
        return replace(folder, identity);
    }
    let there = identity_of(folder)?;
    // Versions that did not keep the number of rows or the processor agree with any.
    let kept = there.rows > 0 && identity.rows > 0;
    let rows = |rows: usize| if kept { rows.to_string() } else { String::new() };
    let kept = !there.decompositions.is_empty() && !identity.decompositions.is_empty();
    let decompositions = |of: String| if kept { of } else { String::new() };
    let differs = [
        ("experiment", there.name, identity.name.clone()),
        ("profile", there.profile, identity.profile.clone()),
        ("seed", there.seed.to_string(), identity.seed.to_string()),
        ("data", there.data.join(", "), identity.data.join(", ")),
        ("number of pictures", format!("{:?}", there.pictures), format!("{:?}", identity.pictures)),
        ("plan", there.plan, identity.plan.clone()),
        ("number of rows", rows(there.rows), rows(identity.rows)),
        ("instruction set", there.instruction_set, identity.instruction_set.clone()),
        (
            "instruction set of decompositions",
            decompositions(there.decompositions),
            decompositions(identity.decompositions.clone()),
        ),
        ("version", there.version, identity.version.clone()),
    ];
    match differs.into_iter().find(|(_, got, expected)| got != expected) {
        Some((what, got, expected)) => Err(SweepError::Other { folder: folder.to_path_buf(), what, got, expected }),
        None => Ok(()),
    }
}

/// Which sweep a folder holds.
pub(super) fn identity_of(folder: &Path) -> Result<Identity, SweepError> {
    let file = identity_file(folder);
    let wrong = |reason: String| SweepError::Read { file: file.clone(), reason };
    let text = match fs::read_to_string(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SweepError::None(folder.to_path_buf())),
        text => text.map_err(|error| wrong(error.to_string())),
    };
    let damaged = |error| format!("it is damaged ({error}); put a copy in its place, of another shard for example");
    serde_json::from_str(&text?).map_err(|error| wrong(damaged(error)))
}
