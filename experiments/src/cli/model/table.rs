//! `pitfall units`: a table of units by data sets.

use super::{
    super::{
        folders::{Otherwise, new_folder, prepare},
        output::{interrupt_on_signals, tell},
        progress::Progress,
        run::{advised, tell_of_mistakes},
    },
    BadRequest, on_threads, pictures, print,
};
use crate::{
    config::{DataConfig, Examples},
    pictures::first,
    run_folder::RunFolder,
    sweep::{self, Done, Settings, Shard},
    unit_table::{UnitRow, UnitSet, UnitTable, kinds},
    units::UnitSpec,
};
use anyhow::Result;
use clap::Args;
use patchgrad::Tensor;
use std::{path::PathBuf, sync::OnceLock};

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
    #[arg(long, value_name = "DIR", required_if_eq("resume", "true"))]
    out: Option<PathBuf>,
    /// Go on in --out: what is done is skipped
    #[arg(long)]
    resume: bool,
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
    let sets = args.sets.iter().zip(sets).map(|(name, config)| {
        let examples = config.load(args.seed)?;
        Ok(UnitSet { name: name.clone(), kind: config.set, examples })
    });
    let sets: Vec<UnitSet> = sets.collect::<Result<_>>()?;
    let folder = RunFolder { path: args.out.clone().map_or_else(|| new_folder("units"), Ok)? };
    prepare(&folder.path, Otherwise::Resume, args.resume)?;
    let table = UnitTable {
        sets: &sets,
        units: &units,
        samples_per_layer: args.samples as usize,
        seed: args.seed,
        folder: &folder.path,
        failure: OnceLock::new(),
    };
    let (progress, interrupt) = (Progress::new("done", args.quiet), interrupt_on_signals()?);
    let show = |done: Done| progress.show(done.pieces, done.of, done.share);
    let settings = Settings { jobs: 0, shard: Shard::WHOLE, interrupt: &interrupt, progress: &show };
    let rows = sweep::run(&table, &table.identity(), &folder.path, &settings);
    drop(progress);
    tell_of_mistakes(&folder.path);
    let rows = rows.map_err(|error| advised(error.into(), &folder.path))?;
    if let Some(failure) = table.failure.get() {
        tell(&format!("not all reconstructions were kept for the sheets ({failure}); the rows are complete"));
    }
    let mut text = String::new();
    for (at, UnitSet { name, examples, .. }) in sets.iter().enumerate() {
        text += &as_text(examples, table.of_set(at, &rows));
        let sheet = sheet(examples, &table.reconstructions(at)?);
        folder.write(&format!("figures/{name}.png"), &sheet)?;
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
fn sheet(examples: &Examples, decoded: &[Tensor]) -> Vec<u8> {
    let count = decoded.first().map_or(1, |decoded| decoded.shape().dims()[0]);
    let originals = first(examples.test.pictures(), count);
    let rows: Vec<&Tensor> = std::iter::once(&originals).chain(decoded).collect();
    pictures::rows(examples, &rows).to_png()
}
