//! `pitfall run validation`: options, progress, the printed table.

use super::super::{
    folders::{Otherwise, prepare},
    on_threads,
    output::print,
    progress::on_terminal,
};
use crate::{
    data::{Limits, load},
    training::Interrupt,
    validation::{
        Check, Row, Subject, Verdict, checks,
        output::{ValidationRecord, head, line, summary, write},
    },
};
use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use patchgrad_datasets::SetName;
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Options of the validation.
#[derive(Debug, Args)]
pub(crate) struct ValidationArgs {
    /// Folder with the full data sets: the networks then train on all of mnist/ and are held to the bars of the full set
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Folder for table-t0.csv and run.json; without it nothing is written
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write into a folder that is not empty
    #[arg(long, requires = "out")]
    force: bool,
    /// Threads, 0 for one on each core; they change the time, never the values
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u16).range(..=1024))]
    threads: u16,
    /// Run only the checks whose name contains this
    #[arg(long, default_value = "", value_name = "SUBSTRING", hide_default_value = true)]
    only: String,
    /// Print only the checks that fail and the last line
    #[arg(long)]
    quiet: bool,
}

/// No check's name contains what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("no check's name contains {only:?}; the names are\n  {}", names.join("\n  "))]
pub(crate) struct NoSuchCheck {
    only: String,
    names: Vec<String>,
}

/// The implementation is not right, or a bar is not.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {checks} checks failed: {}", names.join(", "))]
pub(super) struct ChecksFailed {
    failed: usize,
    checks: usize,
    names: Vec<String>,
}

/// Someone asked to stop: exit code 75.
#[derive(Debug, thiserror::Error)]
#[error("validation was interrupted after {done} of {of} checks, of which none is kept")]
pub(crate) struct ChecksInterrupted {
    done: usize,
    of: usize,
}

/// Runs the checks, prints and writes their table.
pub(crate) fn run(args: &ValidationArgs) -> Result<()> {
    let started = jiff::Timestamp::now().to_string();
    let clock = Instant::now();
    if let Some(out) = &args.out {
        // The folder is made first: nobody should wait for a run that cannot be written.
        prepare(out, Otherwise::Force, args.force)?;
    }
    // Asked for before anything is read, so that a misspelt name costs no time.
    choose(&args.only, false)?;
    let subject = Subject { mnist: load(SetName::Mnist, args.data_dir.as_deref(), Limits::NONE)? };
    run_on(args, &subject, &Interrupt::new(), started, clock)
}

/// Runs the checks on pictures that are there, from the `clock` on.
fn run_on(
    args: &ValidationArgs,
    subject: &Subject,
    interrupt: &Interrupt,
    started: String,
    clock: Instant,
) -> Result<()> {
    let checks = choose(&args.only, subject.is_full())?;
    let work = || -> Result<()> {
        let rows = measure(&checks, subject, args.quiet, interrupt)?;
        let seconds = clock.elapsed().as_secs_f64();
        if let Some(out) = &args.out {
            let record = ValidationRecord::new(&rows, subject, &arguments(args), started.clone(), seconds);
            write(out, &rows, &record)?;
        }
        print(&format!("{}\n", summary(&rows, seconds)))?;
        let failed = rows.iter().filter(|row| row.verdict == Verdict::Failed);
        let names: Vec<String> = failed.map(|row| row.check.clone()).collect();
        if names.is_empty() {
            return Ok(());
        }
        Err(ChecksFailed { failed: names.len(), checks: rows.len(), names }.into())
    };
    on_threads(args.threads, work)
}

/// Runs every check on `subject`, which was read from `data_dir`, and writes the table into the folder `out`; for a run of several
/// experiments. Checks that fail are in the table and end nothing: they are given back.
pub(super) fn run_into(
    out: &Path,
    subject: &Subject,
    data_dir: Option<&Path>,
    quiet: bool,
    interrupt: &Interrupt,
) -> Result<Option<ChecksFailed>> {
    let (started, clock) = (jiff::Timestamp::now().to_string(), Instant::now());
    prepare(out, Otherwise::Force, true)?;
    let args = ValidationArgs {
        data_dir: data_dir.filter(|_| subject.is_full()).map(Path::to_path_buf),
        out: Some(out.to_path_buf()),
        force: true,
        // The run has chosen them.
        threads: 0,
        only: String::new(),
        quiet,
    };
    match run_on(&args, subject, interrupt, started, clock) {
        Ok(()) => Ok(None),
        Err(error) => error.downcast::<ChecksFailed>().map(Some),
    }
}

fn choose(only: &str, full: bool) -> Result<Vec<Check>, NoSuchCheck> {
    let (chosen, others): (Vec<Check>, Vec<Check>) =
        checks(full).into_iter().partition(|check| check.name.contains(only));
    if chosen.is_empty() {
        let names = others.into_iter().map(|check| check.name).collect();
        return Err(NoSuchCheck { only: only.to_string(), names });
    }
    Ok(chosen)
}

/// Runs one check after the other; rows are printed as they are done.
fn measure(checks: &[Check], subject: &Subject, quiet: bool, interrupt: &Interrupt) -> Result<Vec<Row>> {
    let bar = bar(checks.len(), quiet);
    if !quiet {
        let set = &subject.mnist;
        print(&format!(
            "{}: {} training and {} test pictures\n{}",
            set.name,
            set.train.count(),
            set.test.count(),
            head()
        ))?;
    }
    let mut rows = Vec::with_capacity(checks.len());
    for check in checks {
        if interrupt.is_requested() {
            return Err(ChecksInterrupted { done: rows.len(), of: checks.len() }.into());
        }
        bar.set_message(check.name.clone());
        let row = check.run(subject);
        if !quiet || row.verdict == Verdict::Failed {
            bar.suspend(|| print(&line(&row)))?;
        }
        bar.inc(1);
        rows.push(row);
    }
    bar.finish_and_clear();
    Ok(rows)
}

/// Which check is running, on a terminal; elsewhere the rows tell.
fn bar(checks: usize, quiet: bool) -> ProgressBar {
    if quiet || !on_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} checks, {elapsed} gone: {msg}");
    let bar = ProgressBar::new(checks as u64).with_style(style.expect("the template is well-formed"));
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

/// What follows `run validation` in the command that repeats this run.
fn arguments(args: &ValidationArgs) -> String {
    let mut text = String::new();
    if let Some(dir) = &args.data_dir {
        // Quoted as a shell takes it literally.
        text += &format!(" --data-dir '{}'", dir.display().to_string().replace('\'', r"'\''"));
    }
    if !args.only.is_empty() {
        text += &format!(" --only '{}'", args.only.replace('\'', r"'\''"));
    }
    text
}
