//! `pitfall units`: a table of units by data sets.

use super::{
    super::folders::{Otherwise, claim, new_folder, prepare},
    super::output::tell,
    BadRequest, on_threads, pictures, print,
};
use crate::{
    config::{DataConfig, Examples},
    run_folder::RunFolder,
    unit_table::{self, UnitRow, kinds},
    units::UnitSpec,
};
use anyhow::Result;
use clap::Args;
use patchgrad::{Shape, Tensor, Workspace, parallel};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Options of `pitfall units`.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct UnitsArgs {
    /// Sets, separated by commas, as data.set of a configuration names them
    #[arg(long, value_delimiter = ',', value_name = "SET,...", default_value = "mnist,fashion-mnist,synthetic-s1")]
    sets: Vec<String>,
    /// Kinds of units, separated by commas [default: all]
    #[arg(long, value_delimiter = ',', value_name = "KIND,...")]
    units: Vec<String>,
    /// Folder with the full data sets [default: the bundled samples, other sets from the usual folder]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Training pictures of each set at most, 0 for all
    #[arg(long, value_name = "N", default_value_t = 8_000)]
    limit_train: usize,
    /// Test pictures of each set at most, 0 for all
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    limit_test: usize,
    /// Patches that every layer is shown
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    /// Seed of everything random
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Threads, 0 for one on each core; they change the time, never the results
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u16).range(..=1024))]
    threads: u16,
    /// Folder for the results [default: runs/units-DATE-TIME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write into a folder that is not empty
    #[arg(long)]
    force: bool,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

pub(super) fn run(args: &UnitsArgs) -> Result<()> {
    on_threads(args.threads, || table(args))
}

fn table(args: &UnitsArgs) -> Result<()> {
    let units = chosen(&args.units)?;
    let limits = [args.limit_train, args.limit_train / 4, args.limit_test];
    let sets = args.sets.iter().map(|set| DataConfig::named("--sets", set, limits, args.data_dir.as_deref()));
    let sets: Vec<DataConfig> = sets.collect::<Result<_, _>>()?;
    let out = args.out.clone().map_or_else(|| new_folder("units"), Ok)?;
    prepare(&out, Otherwise::Force, args.force)?;
    let _claim = claim(&out)?;
    let folder = RunFolder { path: out };
    let examples = sets.iter().map(|set| set.load(args.seed));
    let examples: Vec<Examples> = examples.collect::<Result<_>>()?;
    // The pixels first: their probes take longest.
    let jobs: Vec<(usize, Option<UnitSpec>)> = std::iter::once(None)
        .chain(units.iter().copied().map(Some))
        .flat_map(|unit| (0..sets.len()).map(move |set| (set, unit)))
        .collect();
    let done = AtomicUsize::new(0);
    let results = parallel::map_jobs(jobs.len(), |at| {
        let (set, unit) = jobs[at];
        let (kind, examples, mut workspace) = (sets[set].set, &examples[set], Workspace::new());
        let result = match unit {
            Some(unit) => unit_table::measure(unit, kind, examples, args.samples as usize, args.seed, &mut workspace),
            None => unit_table::pixels(examples, args.seed, &mut workspace).map(|row| (row, None)),
        };
        let finished = done.fetch_add(1, Ordering::Relaxed) + 1;
        if !args.quiet {
            tell(&format!(
                "{finished}/{} {}: {}",
                jobs.len(),
                examples.name,
                unit.map_or("pixels", |unit| unit.kind())
            ));
        }
        result
    });
    let results: Vec<(UnitRow, Option<Tensor>)> = results.into_iter().collect::<Result<_>>()?;
    folder.write_csv("units.csv", results.iter().map(|(row, _)| row))?;
    let mut text = String::new();
    for (set, examples) in examples.iter().enumerate() {
        let of_set = || jobs.iter().zip(&results).filter(|((of, _), _)| *of == set).map(|(_, result)| result);
        text += &as_text(examples, of_set().map(|(row, _)| row));
        let sheet = sheet(examples, of_set().filter_map(|(_, decoded)| decoded.as_ref()));
        folder.write(&format!("figures/{}.png", args.sets[set]), &sheet)?;
    }
    print(&format!("{text}{}\n", folder.path.display()))
}

fn chosen(names: &[String]) -> Result<Vec<UnitSpec>> {
    if names.is_empty() {
        return Ok(kinds());
    }
    let known = kinds();
    let find = |name: &String| {
        let found = known.iter().find(|unit| unit.kind() == name).copied();
        found.ok_or_else(|| {
            let all: Vec<&str> = known.iter().map(UnitSpec::kind).collect();
            BadRequest(format!("--units: there is no kind {name:?}; there are {}", all.join(", "))).into()
        })
    };
    names.iter().map(find).collect()
}

fn as_text<'r>(examples: &Examples, rows: impl Iterator<Item = &'r UnitRow>) -> String {
    let mut text = format!(
        "\n{}, {} training and {} test pictures\n{:<14} {:>5} {:>8} {:>7} {:>7} {:>9} {:>7} {:>8}\n",
        examples.name,
        examples.train.count(),
        examples.test.count(),
        "unit",
        "code",
        "mse",
        "r2",
        "ssim",
        "logistic",
        "ridge",
        "seconds"
    );
    for row in rows {
        let number = |value: Option<f64>, digits: usize| value.map_or("-".into(), |value| format!("{value:.digits$}"));
        let share = |value: Option<f64>| value.map_or("-".into(), |share| format!("{:.1} %", 100.0 * share));
        text += &format!(
            "{:<14} {:>5} {:>8} {:>7} {:>7} {:>9} {:>7} {:>8.1} {}\n",
            row.unit,
            row.code_size,
            number(row.mse, 4),
            number(row.r2, 3),
            number(row.ssim, 3),
            share(row.logistic),
            share(row.ridge),
            row.seconds,
            row.note
        );
    }
    text
}

/// The first test pictures above what each kind makes of them.
fn sheet<'t>(examples: &Examples, decoded: impl Iterator<Item = &'t Tensor>) -> Vec<u8> {
    let decoded: Vec<&Tensor> = decoded.collect();
    let count = decoded.first().map_or(1, |decoded| decoded.shape().dims()[0]);
    let mut dims = examples.test.pictures().shape().dims().to_vec();
    dims[0] = count;
    let originals = Tensor::new(Shape::new(&dims), examples.test.pictures().samples(0..count));
    let rows: Vec<&Tensor> = std::iter::once(&originals).chain(decoded).collect();
    pictures::rows(examples, &rows).to_png()
}
