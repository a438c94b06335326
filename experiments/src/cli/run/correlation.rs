//! `pitfall run correlation`: experiment E1, and `pitfall merge`, which joins its shards.

use super::super::output::{BadRequest, prepare, print};
use crate::{
    config::DataConfig,
    correlation::{
        Correlation, Profile,
        network::{NetworkRow, Status},
        relations::{Level, RelationRow, relations},
    },
    run_folder::RunFolder,
    sweep::{self, Done, Settings, Shard},
    training::Interrupt,
};
use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use patchgrad::parallel;
use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

/// Options of the experiment.
#[derive(Debug, Args)]
pub(crate) struct CorrelationArgs {
    /// The set, as data.set of a configuration names it: mnist, fashion-mnist, cifar-10, svhn, svhn-1083
    #[arg(long, value_name = "SET", default_value = "mnist")]
    data: String,
    /// How much is done
    #[arg(long, value_enum, default_value_t)]
    profile: Profile,
    /// Folder with the full data sets [default: the bundled samples of MNIST and Fashion-MNIST]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Seed of everything random
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Folder for the results [default: runs/correlation-SET-DATE-TIME]
    #[arg(long, value_name = "DIR", required_if_eq("resume", "true"))]
    out: Option<PathBuf>,
    /// Go on in --out: networks that are done are skipped
    #[arg(long)]
    resume: bool,
    /// Networks side by side, 0 for one on each core; they change the time, never the results
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u16).range(..=1024))]
    jobs: u16,
    /// Compute only every n-th network, from the i-th on: for several machines; `pitfall merge` joins them
    #[arg(long, value_name = "i/n", default_value_t = Shard::WHOLE)]
    shard: Shard,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// Options of `pitfall merge`.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Folders of finished shards
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Folder for the joined rows
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(args: &CorrelationArgs) -> Result<()> {
    let data = DataConfig::named("--data", &args.data, args.profile.pictures(), args.data_dir.as_deref())?;
    let examples = data.load(args.seed)?;
    let [_, width, _] = examples.picture();
    if ![28, 32].contains(&width) {
        let suitable = "the populations are for pictures of 28 or 32 pixels";
        return Err(
            BadRequest(format!("--data {}: its pictures are {width} pixels wide; {suitable}", args.data)).into()
        );
    }
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S");
    let default = || Path::new("runs").join(format!("correlation-{}-{stamp}", args.data));
    let out = args.out.clone().unwrap_or_else(default);
    prepare(&out, args.resume)?;
    let experiment = Correlation::new(examples, &args.data, args.profile, args.seed);
    let identity = experiment.identity(args.profile, args.seed);
    let jobs = if args.jobs == 0 { parallel::threads() } else { usize::from(args.jobs) };
    let interrupt = Interrupt::on_signals().context("cannot listen to signals")?;
    let progress = Progress::new(args.quiet);
    let settings = Settings { jobs, shard: args.shard, interrupt: &interrupt, progress: &|done| progress.show(done) };
    let rows = sweep::run(&experiment, &identity, &out, &settings)?;
    progress.finish();
    if args.shard != Shard::WHOLE {
        return print(&format!("{} rows of shard {}: {}\n", rows.len(), args.shard, out.display()));
    }
    report(&out, &rows, args.seed)
}

/// Joins shards, and computes the correlations of the whole.
pub(in crate::cli) fn merge(args: &MergeArgs) -> Result<()> {
    prepare(&args.out, false)?;
    sweep::merge::<NetworkRow>(&args.folders, &args.out)?;
    let (rows, seed) = sweep::finished::<NetworkRow>(&args.out)?;
    report(&args.out, &rows, seed)
}

/// Writes and prints the correlations.
fn report(out: &Path, rows: &[NetworkRow], seed: u64) -> Result<()> {
    let found = relations(rows, seed);
    RunFolder { path: out.to_path_buf() }.write_csv("relations.csv", &found)?;
    print(&format!("{}{}\n", table(rows, &found), out.display()))
}

/// What a reader without a browser should see: reconstruction by the own and by the best linear decoder against the
/// logistic probe.
fn table(rows: &[NetworkRow], found: &[RelationRow]) -> String {
    let count = |status: Status| rows.iter().filter(|row| row.status == status).count();
    let mut text = format!(
        "{}: {} networks ({} dead, {} failed); reconstruction quality against the accuracy of a logistic probe\n",
        rows.first().map_or("no data", |row| &row.data),
        rows.len(),
        count(Status::Dead),
        count(Status::Failed)
    );
    text += &format!(
        "  {:<22} {:<24} {:>4} {:>6} {:>16} {:>8} {:>8}  {}\n",
        "networks", "judged by", "n", "rho", "95 % interval", "p", "BF01", "no correlation?"
    );
    for level in Level::ALL {
        for (quality, name) in [("mse", "own decoder"), ("linear-decoder", "best linear decoder")] {
            let wanted = |row: &&RelationRow| {
                row.level == level && !row.without_dead && row.quality == quality && row.probe == "logistic"
            };
            let Some(row) = found.iter().find(wanted) else { continue };
            text += &format!(
                "  {:<22} {:<24} {:>4} {:>6.2} {:>16} {:>8.4} {:>8.2}  {}\n",
                level.label(),
                name,
                row.networks,
                row.rho,
                format!("{:.2} to {:.2}", row.low, row.high),
                row.permutation_p,
                row.bayes_factor_01,
                row.verdict
            );
        }
    }
    text
}

/// A bar with the time left on a terminal; a plain line for every tenth elsewhere.
enum Progress {
    Bar(ProgressBar),
    Lines { start: Instant, state: Mutex<(Option<f64>, usize)> },
    Quiet,
}

impl Progress {
    fn new(quiet: bool) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines { start: Instant::now(), state: Mutex::new((None, 0)) };
        }
        let style = ProgressStyle::with_template("{bar:40} {msg}, {elapsed} gone");
        let bar = ProgressBar::new(1_000).with_style(style.expect("the template is well-formed"));
        bar.enable_steady_tick(Duration::from_millis(500));
        Self::Bar(bar)
    }

    /// Called from any thread after each network.
    fn show(&self, done: Done) {
        match self {
            Self::Bar(bar) => {
                bar.set_position((1_000.0 * done.share) as u64);
                bar.set_message(format!("{}/{} networks", done.rows, done.of));
            }
            Self::Lines { start, state } => {
                let mut state = state.lock().expect("nothing panics while it holds the lock");
                let (first, tenths) = &mut *state;
                let before = *first.get_or_insert(done.share);
                let now = (10.0 * done.share) as usize;
                if now > *tenths {
                    *tenths = now;
                    let gone = start.elapsed().as_secs_f64();
                    let left = gone / (done.share - before).max(1e-9) * (1.0 - done.share);
                    eprintln!("{}/{} networks, {gone:.0} s gone, about {left:.0} s left", done.rows, done.of);
                }
            }
            Self::Quiet => {}
        }
    }

    fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
