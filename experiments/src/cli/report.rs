//! `pitfall report`: one page from the results of experiments; its figures and its numbers for other texts.

use super::output::{BadRequest, print};
use crate::{
    files::write_atomically,
    report::{render_claims, verdict_lines},
    suite::{account, collect},
};
use anyhow::{Context, Result};
use clap::Args;
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// Options of `pitfall report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Folders with results: those that `pitfall run --out` wrote, or some below them
    #[arg(value_name = "RUNS", required = true)]
    runs: Vec<PathBuf>,
    /// The page [default: report.html in the first folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Fill in this account, a text in which {{ n["NAME"] }} stands for a number of the report; --numbers lists the names
    #[arg(long, value_name = "TEMPLATE", requires = "write")]
    fill: Option<PathBuf>,
    /// Where the filled account goes
    #[arg(long, value_name = "FILE", requires = "fill")]
    write: Option<PathBuf>,
    /// Write every figure into this folder too: F1-mnist.svg and so on; files of these names are replaced
    #[arg(long, value_name = "DIR")]
    figures: Option<PathBuf>,
    /// Print every number with its name instead of the verdicts
    #[arg(long)]
    numbers: bool,
}

pub(super) fn run(args: &ReportArgs) -> Result<()> {
    // Read before anything is written.
    let template = args.fill.as_ref().map(|file| {
        fs::read_to_string(file).map(|text| (file, text)).with_context(|| format!("cannot read {}", file.display()))
    });
    let template = template.transpose()?;
    if let (Some(template), Some(to)) = (&args.fill, &args.write)
        && to.is_file()
        && to.extension() != template.extension()
    {
        return Err(replaces(to, &format!("an account: its name ends otherwise than {}", template.display())));
    }
    let out = write_report(&args.runs, args.out.clone(), !args.numbers)?;
    if let Some(folder) = &args.figures {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        out.figures.iter().try_for_each(|figure| write_atomically(&folder.join(&figure.name), &figure.bytes))?;
    }
    if args.numbers {
        let lines: Vec<String> = out.numbers.iter().map(|(name, value)| format!("{name}\t{value}\n")).collect();
        print(&lines.concat())?;
    }
    if let (Some((file, text)), Some(to)) = (template, &args.write) {
        let filled = account::fill(&text, &out.numbers).with_context(|| format!("in {}", file.display()))?;
        write_atomically(to, filled.as_bytes())?;
    }
    Ok(())
}

/// Writes the page of everything below `runs`, and prints the verdicts and its path if `tell`.
pub(super) fn write_report(runs: &[PathBuf], out: Option<PathBuf>, tell: bool) -> Result<crate::report::ClaimsPage> {
    if let Some(out) = &out
        && out.is_file()
        && !is_page(out)
    {
        return Err(replaces(out, "a page"));
    }
    let collected = collect(runs)?;
    if collected.sweeps.is_empty() && collected.validations.is_empty() {
        let unfinished: Vec<String> = collected.unfinished.iter().map(ToString::to_string).collect();
        let advice = "--resume goes on with a sweep, `pitfall merge` joins shards";
        return Err(BadRequest(format!("nothing is finished yet: {}; {advice}", unfinished.join(", "))).into());
    }
    let page = render_claims(&collected)?;
    let out = out.unwrap_or_else(|| runs[0].join("report.html"));
    write_atomically(&out, page.html.as_bytes())?;
    if tell {
        print(&format!("{}{}\n", verdict_lines(&page), out.display()))?;
    }
    Ok(page)
}

/// Whether the file is HTML, or empty: an older page of the same name is replaced.
fn is_page(file: &Path) -> bool {
    let mut start = Vec::new();
    let read = fs::File::open(file).and_then(|file| file.take(15).read_to_end(&mut start));
    read.is_ok() && (start.is_empty() || start.eq_ignore_ascii_case(b"<!doctype html>"))
}

/// That a file which is no earlier result stays: rows are in the folders that a report is of.
fn replaces(file: &Path, expected: &str) -> anyhow::Error {
    BadRequest(format!("{} exists and is not {expected}; nothing was written. Give another name", file.display()))
        .into()
}
