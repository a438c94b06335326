//! `pitfall run NAME...`: experiments of the suite, and `pitfall merge`, which joins their shards.

use super::{
    super::{
        output::{BadRequest, Otherwise, prepare, print},
        report::write_report,
    },
    progress::Progress,
    validation,
};
use crate::{
    config::{DataConfig, Examples},
    correlation::store::NetworkStore,
    suite::{EXPERIMENTS, Experiment, Profile, Results, Setup, experiment},
    sweep::{self, Settings, Shard},
    training::Interrupt,
};
use anyhow::{Context, Result};
use clap::Args;
use patchgrad::parallel;
use std::path::{Path, PathBuf};

/// Options of experiments.
#[derive(Debug, Args)]
pub(crate) struct SuiteArgs {
    /// The experiments; those whose rows they read are run before them
    #[arg(value_name = "NAME", required_unless_present = "all", value_parser = names())]
    names: Vec<String>,
    /// Every experiment, validation included
    #[arg(long, conflicts_with = "names")]
    all: bool,
    #[command(flatten)]
    options: SuiteOptions,
}

/// The same for one experiment and for all.
#[derive(Debug, Args)]
pub(crate) struct SuiteOptions {
    /// The sets, as data.set of a configuration names them: mnist, fashion-mnist, cifar-10, svhn, svhn-1083 [default: mnist;
    /// for --all mnist,fashion-mnist]
    #[arg(long, value_name = "SET", value_delimiter = ',')]
    data: Vec<String>,
    /// How much is done
    #[arg(long, value_enum, default_value_t)]
    profile: Profile,
    /// Folder with the full data sets [default: the bundled samples of MNIST and Fashion-MNIST]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Seed of everything random
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Folder for the results, which go into SET/NAME/ below it [default: runs/DATE-TIME]
    #[arg(long, value_name = "DIR", required_if_eq("resume", "true"))]
    out: Option<PathBuf>,
    /// Go on in --out: what is done is skipped
    #[arg(long)]
    resume: bool,
    /// Networks side by side, 0 for one on each core; they change the time, never the results
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u16).range(..=1024))]
    jobs: u16,
    /// Compute only every n-th network, from the i-th on: for several machines; `pitfall merge` joins them
    #[arg(long, value_name = "i/n", default_value_t = Shard::WHOLE)]
    shard: Shard,
    /// Folder in which trained networks are kept: E1 to E4 look at the same ones, and the next run of any of them reads what is
    /// there instead of training it again. The results are the same
    #[arg(long, value_name = "DIR")]
    networks: Option<PathBuf>,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// Options of `pitfall merge`.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Folders of finished shards, those with rows.csv
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Folder for the joined rows
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

fn names() -> clap::builder::PossibleValuesParser {
    EXPERIMENTS
        .into_iter()
        .map(|experiment| clap::builder::PossibleValue::new(experiment.name()).help(experiment.question()))
        .collect::<Vec<_>>()
        .into()
}

pub(super) fn run(args: &SuiteArgs) -> Result<()> {
    let chosen: Vec<&'static dyn Experiment> = match args.all {
        true => EXPERIMENTS.to_vec(),
        false => args.names.iter().filter_map(|name| experiment(name)).collect(),
    };
    let all: &[&str] = if args.all { &["mnist", "fashion-mnist"] } else { &["mnist"] };
    let out = run_chosen(&chosen, &args.options, all)?;
    if args.all && args.options.shard == Shard::WHOLE {
        let folder = out.join("validation");
        if !folder.join("table-t0.csv").exists() {
            validation::run_into(&folder, args.options.data_dir.as_deref(), args.options.quiet)?;
        }
        write_report(std::slice::from_ref(&out), None, true)?;
    }
    Ok(())
}

/// Runs experiments on every set, each after the one whose rows it reads.
/// Gives the folder of the results.
pub(in crate::cli) fn run_chosen(
    chosen: &[&'static dyn Experiment],
    options: &SuiteOptions,
    default: &[&str],
) -> Result<PathBuf> {
    let sets: Vec<&str> =
        if options.data.is_empty() { default.to_vec() } else { options.data.iter().map(String::as_str).collect() };
    // Everything that may be wrong with the request is said before anything is written.
    let sets = sets.into_iter().map(|set| Ok((set, load(set, options)?))).collect::<Result<Vec<(&str, Examples)>>>()?;
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| Path::new("runs").join(jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string()));
    let folder_of = |set: &str, source: &dyn Experiment| out.join(set).join(source.name());
    for (set, _) in &sets {
        for &wanted in chosen {
            prepare(&folder_of(set, source_of(wanted)), Otherwise::Resume, options.resume)?;
        }
    }
    let networks = match &options.networks {
        None => NetworkStore::none(),
        Some(folder) => NetworkStore::in_folder(folder)
            .with_context(|| format!("cannot make the folder {} for --networks", folder.display()))?,
    };
    let interrupt = Interrupt::on_signals().context("cannot listen to signals")?;
    let jobs = if options.jobs == 0 { parallel::threads() } else { usize::from(options.jobs) };
    let several = chosen.len() * sets.len() > 1;
    for (set, examples) in &sets {
        let setup = Setup { set, examples, profile: options.profile, seed: options.seed, networks: &networks };
        let mut computed: Vec<&str> = Vec::new();
        for &wanted in chosen {
            let source = source_of(wanted);
            let folder = folder_of(set, source);
            if !computed.contains(&source.name()) {
                if several && !options.quiet {
                    eprintln!("{} {} on {}", source.id(), source.name(), examples.name);
                }
                let progress = Progress::new(options.quiet);
                let show = |done| progress.show(done);
                let settings = Settings { jobs, shard: options.shard, interrupt: &interrupt, progress: &show };
                source.run(&setup, &folder, &settings)?;
                progress.finish();
                computed.push(source.name());
            }
            if options.shard == Shard::WHOLE {
                summarise(wanted, set, &folder)?;
            } else {
                print(&format!("shard {}: {}\n", options.shard, folder.display()))?;
            }
        }
    }
    if let Some(failure) = networks.failure() {
        eprintln!("not all networks were kept for --networks ({failure}); the results are complete");
    }
    Ok(out)
}

/// The experiment that computes the rows of another, most often its own.
fn source_of(wanted: &'static dyn Experiment) -> &'static dyn Experiment {
    experiment(wanted.rows_of()).unwrap_or(wanted)
}

/// The pictures of a set.
fn load(set: &str, options: &SuiteOptions) -> Result<Examples> {
    let data = DataConfig::named("--data", set, options.profile.pictures(), options.data_dir.as_deref())?;
    let examples = data.load(options.seed)?;
    let [_, width, _] = examples.picture();
    if ![28, 32].contains(&width) {
        let suitable = "the populations are for pictures of 28 or 32 pixels";
        return Err(BadRequest(format!("--data {set}: its pictures are {width} pixels wide; {suitable}")).into());
    }
    Ok(examples)
}

/// Joins shards, and writes and prints what follows from the whole.
pub(in crate::cli) fn merge(args: &MergeArgs) -> Result<()> {
    let first = sweep::identity(&args.folders[0])?;
    let whose = experiment(&first.name)
        .ok_or_else(|| BadRequest(format!("{}: there is no experiment {}", args.folders[0].display(), first.name)))?;
    prepare(&args.out, Otherwise::Refuse, false)?;
    whose.merge(&args.folders, &args.out)?;
    summarise(whose, "", &args.out)
}

fn summarise(experiment: &dyn Experiment, set: &str, folder: &Path) -> Result<()> {
    let identity = sweep::identity(folder)?;
    let text = experiment.summarise(&Results { set, folder, identity: &identity })?;
    print(&format!("{text}{}\n", folder.display()))
}
