//! Many independent pieces of work, each of which ends in one row of a table.
//!
//! A sweep is a pure function from an index to a row: of the data, the seed and the index alone. So its rows can be computed in
//! any order, on any number of threads and machines, and after any stop.
//!
//! | file | what |
//! |---|---|
//! | `sweep.json` | which sweep: a folder of another one is refused |
//! | `journal.csv` | while it runs: a row as soon as it is known, in the order in which they came |
//! | `rows.csv` | at its end: the same rows in the order of their index; the journal is gone |
//!
//! A journal whose last line was cut by a crash loses that line, no other. [`merge`] joins the rows of several
//! [shards](Shard).

mod journal;
mod merge;
mod shard;

pub use journal::{Journal, SweepError, begun};
pub use merge::{merge, whole};
pub use shard::{Shard, ShardError};

use crate::{linear_algebra::decomposition_instructions, training::Interrupt, version::COMMIT};
use patchgrad::{Isa, parallel};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// What makes a sweep the one that it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Which experiment.
    pub name: String,
    /// How much of it.
    pub profile: String,
    /// Seed of everything random.
    pub seed: u64,
    /// The set, and the CRC-32 of its files.
    pub data: Vec<String>,
    /// Training, validation and test pictures.
    pub pictures: [usize; 3],
    /// How much is done, and so what the number of a row means, in words of the sweep; empty in files of versions that did not
    /// keep it, which cannot go on.
    #[serde(default)]
    pub plan: String,
    /// Rows of the whole sweep, those of all shards together; 0 in files of versions that did not keep it.
    #[serde(default)]
    pub rows: usize,
    /// Instruction set of the kernels: another one may change the last bits.
    pub instruction_set: String,
    /// [That of decompositions](crate::linear_algebra::decomposition_instructions), which is the processor's; empty in files of
    /// versions that did not keep it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub decompositions: String,
    /// Version of the project.
    pub version: String,
    /// The [commits](crate::version::COMMIT) that computed rows, in one order: a sweep goes on with another commit of the same version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub commit: String,
}

impl Identity {
    /// That of `sweep` as this program computes it on this processor, with `profile` for how much of it, on `data` with so many
    /// `pictures`.
    pub fn of(
        sweep: &impl Pieces,
        name: &str,
        profile: &str,
        seed: u64,
        data: Vec<String>,
        pictures: [usize; 3],
    ) -> Self {
        Self {
            name: name.to_string(),
            profile: profile.to_string(),
            seed,
            data,
            pictures,
            plan: sweep.plan(),
            rows: sweep.pieces() * sweep.rows_each(),
            instruction_set: Isa::active().to_string(),
            decompositions: decomposition_instructions().to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            commit: COMMIT.to_string(),
        }
    }

    /// Rows of the whole sweep, where they were kept.
    pub fn known_rows(&self) -> Option<usize> {
        (self.rows > 0).then_some(self.rows)
    }

    /// Whether both are of the same profile, seed and pictures, so that their networks are the same.
    pub fn has_networks_of(&self, other: &Self) -> bool {
        (&self.profile, self.seed, &self.data, self.pictures)
            == (&other.profile, other.seed, &other.data, other.pictures)
    }
}

#[cfg(test)]
impl Identity {
    /// That of a sweep that never ran: for tests of what is made of rows.
    pub(crate) fn made_up(name: &str) -> Self {
        Self {
            name: name.to_string(),
            profile: "quick".to_string(),
            seed: 1,
            data: vec!["Set".to_string()],
            pictures: [100, 50, 50],
            plan: "a few".to_string(),
            rows: 0,
            instruction_set: "portable".to_string(),
            decompositions: String::new(),
            version: "0".to_string(),
            commit: String::new(),
        }
    }
}

/// Pieces of work with one row each.
pub trait Sweep: Sync {
    /// A row. Its fields are the columns; what is not known is an `Option`.
    type Row: Serialize + DeserializeOwned + Clone + Send + PartialEq;

    /// Numbers of networks, pictures and steps, in words: rows of another plan are not mixed with those of this one.
    fn plan(&self) -> String;

    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How long piece `index` takes beside the others, in any unit: for the time left, and so that long ones come first.
    fn cost(&self, index: usize) -> f64;

    /// Whether piece `index` makes what others would have to wait for: it comes before all that does not.
    fn is_waited_for(&self, _index: usize) -> bool {
        false
    }

    /// The group of piece `index`: pieces of a group share what takes long to make, so that a [shard](Shard) has all of them or none.
    fn group(&self, index: usize) -> usize {
        index
    }

    /// Does piece `index`, on one thread if others run beside it. What fails is a row that says so.
    fn row(&self, index: usize) -> Self::Row;

    /// The row of piece `index` that failed for `reason` before anything was known of it.
    fn failed(&self, index: usize, reason: String) -> Self::Row;
}

/// Pieces of work with several rows each, equally many: those of one network over the time of its training, say. A [`Sweep`]
/// has one. Row `j` of piece `i` has the index `i * rows_each + j`.
pub trait Pieces: Sync {
    /// See [`Sweep::Row`].
    type Row: Serialize + DeserializeOwned + Clone + Send + PartialEq;

    /// See [`Sweep::plan`].
    fn plan(&self) -> String;

    /// How many pieces there are.
    fn pieces(&self) -> usize;

    /// How many rows each has.
    fn rows_each(&self) -> usize;

    /// See [`Sweep::cost`].
    fn piece_cost(&self, piece: usize) -> f64;

    /// See [`Sweep::is_waited_for`].
    fn is_piece_waited_for(&self, _piece: usize) -> bool {
        false
    }

    /// See [`Sweep::group`].
    fn piece_group(&self, piece: usize) -> usize {
        piece
    }

    /// Does a piece, on one thread if others run beside it. One that fails has as many rows, which say so.
    fn rows(&self, piece: usize) -> Vec<Self::Row>;

    /// The rows of a piece that failed for `reason` before anything was known of it.
    fn failed_rows(&self, piece: usize, reason: String) -> Vec<Self::Row>;
}

impl<S: Sweep> Pieces for S {
    type Row = S::Row;

    fn plan(&self) -> String {
        Sweep::plan(self)
    }

    fn pieces(&self) -> usize {
        self.len()
    }

    fn rows_each(&self) -> usize {
        1
    }

    fn piece_cost(&self, piece: usize) -> f64 {
        self.cost(piece)
    }

    fn is_piece_waited_for(&self, piece: usize) -> bool {
        self.is_waited_for(piece)
    }

    fn piece_group(&self, piece: usize) -> usize {
        self.group(piece)
    }

    fn rows(&self, piece: usize) -> Vec<S::Row> {
        vec![self.row(piece)]
    }

    fn failed_rows(&self, piece: usize, reason: String) -> Vec<S::Row> {
        vec![self.failed(piece, reason)]
    }
}

/// How the reason of rows begins whose piece panicked.
const MISTAKE: &str = "a mistake of this program: ";

/// The rows of a piece. One that panics is a mistake of this program; it costs the piece, not the night: the rows say what happened.
fn rows_of<P: Pieces>(sweep: &P, piece: usize) -> Vec<P::Row> {
    // Pieces share only what is computed once and then read (`OnceLock`), which a panic leaves to be computed.
    let rows = catch_unwind(AssertUnwindSafe(|| sweep.rows(piece)));
    rows.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it panicked");
        // On one line, as a journal that a crash cuts has to end with a whole one.
        let text: Vec<&str> = text.split_whitespace().collect();
        sweep.failed_rows(piece, format!("{MISTAKE}{}", text.join(" ")))
    })
}

/// How far a sweep is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Done {
    /// Pieces that are done.
    pub pieces: usize,
    /// Pieces of the whole sweep (of this shard).
    pub of: usize,
    /// The share of the whole cost.
    pub share: f64,
}

/// How a sweep is run.
pub struct Settings<'a> {
    /// Pieces side by side, each on one thread; 1 for one after the other, each on all threads; 0 to choose: side by side where
    /// there is a piece for each thread, as that beats threads inside one for small networks.
    pub jobs: usize,
    /// The part of the sweep that is computed here.
    pub shard: Shard,
    /// Ends the sweep after the pieces that are under way.
    pub interrupt: &'a Interrupt,
    /// Told once before the first piece and after every piece, from any thread.
    pub progress: &'a (dyn Fn(Done) + Sync),
}

/// Runs a sweep in `folder`, or goes on with it there; gives the rows in the order of their index.
///
/// # Errors
/// If the folder holds another sweep, a file cannot be read or written, or the sweep is interrupted; what was computed is
/// kept. A piece that panics is no error: its rows say so, as those of a network that diverges do.
pub fn run<P: Pieces>(
    sweep: &P,
    identity: &Identity,
    folder: &Path,
    settings: &Settings,
) -> Result<Vec<P::Row>, SweepError> {
    let is_mine = |piece: &usize| settings.shard.has(sweep.piece_group(*piece));
    let mine: Vec<usize> = (0..sweep.pieces()).filter(is_mine).collect();
    let each = sweep.rows_each();
    let indices = |piece: usize| piece * each..(piece + 1) * each;
    let mut journal = Journal::<P::Row>::open(folder, identity)?;
    let known = |journal: &Journal<P::Row>, piece: usize| indices(piece).all(|index| journal.has(index));
    let mut left: Vec<usize> = mine.iter().copied().filter(|piece| !known(&journal, *piece)).collect();
    // What others wait for first, so that no thread waits beside another; then the long ones, so that none is left alone with one at
    // the end.
    let is_first = |piece: &usize| sweep.is_piece_waited_for(*piece);
    let by_cost = |a: &usize, b: &usize| sweep.piece_cost(*b).total_cmp(&sweep.piece_cost(*a));
    left.sort_by(|a, b| is_first(b).cmp(&is_first(a)).then(by_cost(a, b)).then(a.cmp(b)));
    let cost = |pieces: &[usize]| pieces.iter().map(|piece| sweep.piece_cost(*piece)).sum::<f64>();
    let total = cost(&mine);
    let tell = |pieces: usize, gone: f64| {
        let share = if total > 0.0 { gone / total } else { 1.0 };
        (settings.progress)(Done { pieces, of: mine.len(), share });
    };
    let gone = total - cost(&left);
    tell(mine.len() - left.len(), gone);
    if !left.is_empty() {
        journal::note_commit(folder, identity)?;
        let state = Mutex::new((&mut journal, mine.len() - left.len(), gone, None::<SweepError>));
        let failed = AtomicBool::new(false);
        let piece = |at: usize| {
            if failed.load(Ordering::Relaxed) || settings.interrupt.is_requested() {
                return;
            }
            let rows = rows_of(sweep, left[at]);
            assert_eq!(rows.len(), each, "rows of piece {}", left[at]);
            let mut state = state.lock().expect("no thread panics while it holds the journal");
            let (journal, pieces, gone, error) = &mut *state;
            if error.is_some() {
                // Nothing is added behind what could not be written.
                return;
            }
            let appended = indices(left[at]).zip(rows).try_for_each(|(index, row)| journal.append(index, row));
            match appended {
                Ok(()) => {
                    (*pieces, *gone) = (*pieces + 1, *gone + sweep.piece_cost(left[at]));
                    tell(*pieces, *gone);
                }
                Err(why) => {
                    failed.store(true, Ordering::Relaxed);
                    error.get_or_insert(why);
                }
            }
        };
        match side_by_side(settings.jobs, left.len()) {
            1 => (0..left.len()).for_each(piece),
            jobs => drop(parallel::with_threads(jobs, || parallel::map_jobs(left.len(), piece))),
        }
        let (_, pieces, _, error) = state.into_inner().expect("no thread panics while it holds the journal");
        if let Some(error) = error {
            return Err(error);
        }
        if pieces < mine.len() {
            return Err(SweepError::Interrupted { pieces, of: mine.len(), folder: folder.to_path_buf() });
        }
    }
    journal.finish()
}

/// How many of `pieces` run side by side; see [`Settings::jobs`].
fn side_by_side(jobs: usize, pieces: usize) -> usize {
    match jobs {
        0 if pieces < parallel::threads() => 1,
        0 => parallel::threads(),
        jobs => jobs.min(pieces),
    }
}

/// The rows of a finished sweep in `folder`.
///
/// # Errors
/// If it is not finished, or the file cannot be read.
pub fn rows<R: DeserializeOwned>(folder: &Path) -> Result<Vec<R>, SweepError> {
    let (rows, _) = journal::read(&folder.join("rows.csv"))?;
    Ok(rows.into_values().collect())
}

/// How many whole rows a file of rows has.
///
/// # Errors
/// If it cannot be read, or is no CSV; if it has a row that a sweep `of` so many rows has not.
pub fn count(file: &Path, of: Option<usize>) -> Result<usize, SweepError> {
    let indices = journal::indices(file)?;
    journal::check_last(file, indices.last().copied(), of)?;
    Ok(indices.len())
}

/// How many rows in `folder` say that a mistake of this program ended their piece, so that they are none of a network.
///
/// # Errors
/// If the rows cannot be read.
pub fn mistakes(folder: &Path) -> Result<usize, SweepError> {
    journal::rows_with(folder, MISTAKE)
}

/// Which sweep `folder` holds.
///
/// # Errors
/// If it holds none, or the file cannot be read.
pub fn identity(folder: &Path) -> Result<Identity, SweepError> {
    journal::identity_of(folder)
}

#[cfg(test)]
mod tests;
