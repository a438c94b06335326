//! Table T0 in words, and the folder of a run.
//!
//! | file | what |
//! |---|---|
//! | `table-t0.csv` | a row for each check: check, what, how, bar, value, number, verdict, seconds |
//! | `run.json` | version, instruction set, threads, data and its checksums, the command to repeat, counts |

use super::{Row, Subject, Verdict};
use crate::version::VERSION;
use anyhow::{Context, Result};
use patchgrad::{ENVIRONMENT_VARIABLE, Isa, parallel};
use serde::Serialize;
use std::path::Path;

/// The head of the table.
pub fn head() -> String {
    format!(
        "{:<7} {:>7}  {:<12} {:<17} {:<31} what\n{:>16} how measured\n",
        "verdict", "seconds", "value", "bar", "check", ""
    )
}

/// One row of it, with how the value was measured below.
pub fn line(row: &Row) -> String {
    let Row { check, what, how, bar, value, verdict, seconds, .. } = row;
    format!("{verdict:<7} {seconds:>7.2}  {value:<12} {bar:<17} {check:<31} {what}\n{:>16} {how}\n", "")
}

/// The last line.
pub fn summary(rows: &[Row], seconds: f64) -> String {
    let count = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    format!(
        "{} checks passed, {} failed, {} defects with tests of their own; {seconds:.0} s",
        count(Verdict::Passed),
        count(Verdict::Failed),
        count(Verdict::Tested)
    )
}

/// What a run says of itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidationRecord {
    /// Which experiment.
    pub experiment: &'static str,
    /// Version of the project.
    pub version: &'static str,
    /// Threads that ran. They do not change values.
    pub threads: usize,
    /// Instruction set of the kernels; another one may change the last digits.
    pub instruction_set: String,
    /// The command that repeats the run.
    pub command: String,
    /// When it began, UTC.
    pub started: String,
    /// Wall time.
    pub seconds: f64,
    /// The pictures, such as `MNIST sample`.
    pub data: String,
    /// Pictures for training, validation and test.
    pub pictures: [usize; 3],
    /// CRC-32 of all training and of all test pictures and labels.
    pub crc32: [String; 2],
    /// Owner and terms of the pictures.
    pub licence: String,
    /// Checks that passed.
    pub passed: usize,
    /// Checks that failed.
    pub failed: usize,
    /// Defects that tests are named for.
    pub tested: usize,
}

impl ValidationRecord {
    /// The record of a run with the arguments `arguments` that began at `started` and took `seconds`.
    pub fn new(rows: &[Row], subject: &Subject, arguments: &str, started: String, seconds: f64) -> Self {
        let count = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
        let forced = std::env::var(ENVIRONMENT_VARIABLE).map(|isa| format!("{ENVIRONMENT_VARIABLE}={isa} "));
        let task = &subject.mnist;
        Self {
            experiment: "validation",
            version: VERSION,
            threads: parallel::threads(),
            instruction_set: Isa::active().to_string(),
            command: format!("{}cargo run --release -- run validation{arguments}", forced.unwrap_or_default()),
            started,
            seconds,
            data: task.name.clone(),
            pictures: [task.train.count(), task.validation.count(), task.test.count()],
            crc32: task.checksums.clone(),
            licence: task.licence.clone(),
            passed: count(Verdict::Passed),
            failed: count(Verdict::Failed),
            tested: count(Verdict::Tested),
        }
    }
}

/// Writes `table-t0.csv` and `run.json` into the folder `out`, each whole or not at all.
///
/// # Errors
/// When a file cannot be written.
pub fn write(out: &Path, rows: &[Row], record: &ValidationRecord) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).context("cannot make a row of table-t0.csv")?;
    }
    let table = writer.into_inner().context("a csv in memory can be finished")?;
    crate::files::write_atomically(&out.join("table-t0.csv"), &table)?;
    let json = serde_json::to_string_pretty(record).context("cannot describe the run")?;
    crate::files::write_atomically(&out.join("run.json"), format!("{json}\n").as_bytes())?;
    Ok(())
}
