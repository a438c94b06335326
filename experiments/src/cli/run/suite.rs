//! `pitfall run NAME...`: experiments of the suite.

use super::{
    super::{
        folders::{Otherwise, new_folder, prepare},
        on_threads,
        output::{BadRequest, interrupt_on_signals, print, tell},
        progress::Progress,
        report::write_report,
    },
    validation::{self, ChecksInterrupted},
};
use crate::{
    config::{DataConfig, Examples},
    correlation::store::NetworkStore,
    data::{self, Limits},
    suite::{EXPERIMENTS, Experiment, Profile, Results, Setup, experiment},
    sweep::{self, Done, Settings, Shard, SweepError},
    training::Interrupt,
    validation::Subject,
};
use anyhow::{Context, Result};
use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use patchgrad_datasets::SetName;
use std::path::{Component, Path, PathBuf};

/// Sets with pictures of 28 or 32 pixels, for which the populations are.
const SETS: [&str; 6] = ["mnist", "fashion-mnist", "cifar-10", "cifar-100", "svhn", "svhn-1083"];

/// E0 among the names: it is no sweep.
const VALIDATION: &str = "validation";

/// Options of experiments.
#[derive(Debug, Args)]
pub(crate) struct SuiteArgs {
    /// The experiments, which are run in the order of their numbers; what they only look at in another way is computed too
    #[arg(value_name = "NAME", required_unless_present = "all", value_delimiter = ',', ignore_case = true, value_parser = names())]
    names: Vec<String>,
    /// Every experiment, validation included; without --data on mnist and fashion-mnist
    #[arg(long, conflicts_with = "names")]
    all: bool,
    #[command(flatten)]
    options: SuiteOptions,
}

/// The same for one experiment and for all.
#[derive(Debug, Args)]
pub(crate) struct SuiteOptions {
    /// The sets, as data.set of a configuration names them [default: mnist]
    #[arg(long, value_name = "SET", value_delimiter = ',', value_parser = SETS)]
    data: Vec<String>,
    /// How much is done
    #[arg(long, value_enum, default_value_t)]
    profile: Profile,
    /// Folder with the full data sets [default: the bundled samples of MNIST and Fashion-MNIST, and for other sets the folder of
    /// `pitfall data fetch`]
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
    /// Networks side by side, each on one thread of its own, whatever --threads says, and with memory of its own; 1 for one after
    /// the other, each on all threads; 0 to choose. They change the time, never the results
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u16).range(..=1024))]
    jobs: u16,
    /// Threads, 0 for one on each core; they change the time, never the results
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u16).range(..=1024))]
    threads: u16,
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

/// The names of experiments, and their numbers, by which the account and the page call them too.
fn names() -> impl TypedValueParser<Value = String> {
    let value = |name: &'static str, id: &'static str, about: &str| {
        PossibleValue::new(name).alias(id).help(format!("{id}. {about}"))
    };
    let about = "Is the implementation right? As the first name it stands alone, with options of its own";
    let others = EXPERIMENTS.into_iter().map(|of| value(of.name(), of.id(), of.question()));
    let all = std::iter::once(value(VALIDATION, "E0", about)).chain(others);
    PossibleValuesParser::from(all.collect::<Vec<_>>()).map(|given| {
        let given = given.to_lowercase();
        let by_number = EXPERIMENTS.into_iter().find(|of| of.id().to_lowercase() == given).map(|of| of.name());
        by_number.or_else(|| (given == "e0").then_some(VALIDATION)).map_or(given, str::to_string)
    })
}

pub(super) fn run(args: &SuiteArgs) -> Result<()> {
    on_threads(args.options.threads, || run_named(args))
}

fn run_named(args: &SuiteArgs) -> Result<()> {
    // In the order of their numbers: E5 reads the rows of E1.
    let wanted = |name: &str| args.all || args.names.iter().any(|given| given == name);
    let chosen: Vec<&'static dyn Experiment> =
        EXPERIMENTS.into_iter().filter(|experiment| wanted(experiment.name())).collect();
    let whole = args.options.shard == Shard::WHOLE;
    if wanted(VALIDATION) && !whole {
        tell("validation is left out of shards: run it once, by `pitfall run validation`");
    }
    let validation = (wanted(VALIDATION) && whole).then(|| pictures_of_validation(&args.options)).transpose()?;
    let default: &[&str] = if args.all { &["mnist", "fashion-mnist"] } else { &["mnist"] };
    let (sets, out) = prepared(&args.options, default)?;
    let interrupt = interrupt_on_signals()?;
    if validation.is_some() {
        prepare(&out.join(VALIDATION), Otherwise::Resume, args.options.resume)?;
    }
    run_chosen(&chosen, &args.options, &sets, &out, &interrupt)?;
    let mut failed = None;
    if let Some(subject) = validation {
        let folder = out.join(VALIDATION);
        if folder.join("table-t0.csv").exists() {
            tell(&format!("validation was done before: {}", folder.display()));
        } else {
            let dir = args.options.data_dir.as_deref();
            failed = validation::run_into(&folder, &subject, dir, args.options.quiet, &interrupt)
                .map_err(|error| advised(error, &out))?;
        }
    }
    if args.all && whole {
        write_report(std::slice::from_ref(&out), None, true)?;
    }
    // Last, so that everything is there all the same.
    failed.map_or(Ok(()), |failed| Err(failed.into()))
}

/// MNIST for E0: read before hours of other experiments, so that what is wrong with it is said before them.
fn pictures_of_validation(options: &SuiteOptions) -> Result<Subject> {
    let dir = options.data_dir.as_deref();
    let with_mnist = dir.filter(|dir| dir.join("mnist").is_dir());
    if let (Some(dir), None) = (dir, with_mnist) {
        tell(&format!("{}: no mnist/, so validation looks at the bundled sample", dir.display()));
    }
    Ok(Subject { mnist: data::load(SetName::Mnist, with_mnist, Limits::NONE)? })
}

/// Runs one experiment: the whole of its own binary.
pub(in crate::cli) fn run_one(experiment: &'static dyn Experiment, options: &SuiteOptions) -> Result<()> {
    on_threads(options.threads, || {
        let (sets, out) = prepared(options, &["mnist"])?;
        run_chosen(&[experiment], options, &sets, &out, &interrupt_on_signals()?)
    })
}

/// The sets by name, and where results go. Everything that may be wrong with the request is said before anything is written.
fn prepared(options: &SuiteOptions, default: &[&str]) -> Result<(Vec<(String, Examples)>, PathBuf)> {
    if let Some(out) = &options.out {
        check_out(out, options.resume)?;
    }
    let default: Vec<String> = default.iter().map(|set| (*set).to_string()).collect();
    let sets = if options.data.is_empty() { default } else { options.data.clone() };
    let sets = sets.into_iter().map(|set| load(&set, options).map(|examples| (set, examples)));
    let sets = sets.collect::<Result<Vec<_>>>()?;
    let out = options.out.clone().map_or_else(|| new_folder(""), Ok)?;
    Ok((sets, out))
}

/// Whether results can go to `out`: it is the folder above those of sets and experiments.
fn check_out(out: &Path, resume: bool) -> Result<()> {
    // A folder of one set or one experiment has results, but a run would begin anew somewhere below it.
    let absolute = std::path::absolute(out).with_context(|| format!("--out {}", out.display()))?;
    let absolute: PathBuf = absolute.components().filter(|part| *part != Component::CurDir).collect();
    let of_one = EXPERIMENTS.into_iter().any(|experiment| sweep::begun(&absolute.join(experiment.name())));
    let above =
        if sweep::begun(&absolute) { absolute.ancestors().nth(2) } else { absolute.parent().filter(|_| of_one) };
    if let Some(above) = above {
        let advice = format!("--out is the folder above those of sets, {}", above.display());
        return Err(BadRequest(format!("{} is the folder of a set or an experiment; {advice}", out.display())).into());
    }
    if resume && !out.exists() {
        tell(&format!("{} does not exist, so there is nothing to go on with: it begins", out.display()));
    }
    Ok(())
}

/// Runs experiments on every set in folders below `out`, each after the one whose rows it reads.
fn run_chosen(
    chosen: &[&'static dyn Experiment],
    options: &SuiteOptions,
    sets: &[(String, Examples)],
    out: &Path,
    interrupt: &Interrupt,
) -> Result<()> {
    let folder_of = |set: &str, source: &dyn Experiment| out.join(set).join(source.name());
    for (set, _) in sets {
        for &wanted in chosen {
            prepare(&folder_of(set, source_of(wanted)), Otherwise::Resume, options.resume)?;
        }
    }
    let networks = match &options.networks {
        None => NetworkStore::none(),
        Some(folder) => NetworkStore::in_folder(folder)
            .with_context(|| format!("cannot make the folder {} for --networks", folder.display()))?,
    };
    let several = chosen.len() * sets.len() > 1;
    for (set, examples) in sets {
        let setup = Setup { set, examples, profile: options.profile, seed: options.seed, networks: &networks };
        let mut computed: Vec<&str> = Vec::new();
        for &wanted in chosen {
            let source = source_of(wanted);
            let folder = folder_of(set, source);
            if !computed.contains(&source.name()) {
                if several && !options.quiet {
                    tell(&format!("{} {} on {}", source.id(), source.name(), examples.name));
                }
                if options.resume && !options.quiet && !sweep::begun(&folder) {
                    tell(&format!("{}: nothing to go on with yet, so it begins", folder.display()));
                }
                let progress = Progress::new("done", options.quiet);
                let show = |done: Done| progress.show(done.pieces, done.of, done.share);
                let jobs = usize::from(options.jobs);
                let settings = Settings { jobs, shard: options.shard, interrupt, progress: &show };
                let outcome = source.run(&setup, &folder, &settings);
                drop(progress);
                tell_of_mistakes(&folder);
                outcome.map_err(|error| advised(error.into(), out))?;
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
        tell(&format!("not all networks were kept for --networks ({failure}); the results are complete"));
    }
    Ok(())
}

/// Says what a user may not see among hundreds of rows.
pub(in crate::cli) fn tell_of_mistakes(folder: &Path) {
    // What cannot be read is said by whoever needs it.
    if let Ok(rows @ 1..) = sweep::mistakes(folder) {
        tell(&format!(
            "{}: a mistake of this program ended the work on {rows} of the rows, which say which. Once it is mended, take their lines out \
             of rows.csv (or journal.csv), and --resume computes them again",
            folder.display()
        ));
    }
}

/// The error, with the way to go on after an interrupt.
pub(in crate::cli) fn advised(error: anyhow::Error, out: &Path) -> anyhow::Error {
    let of_sweep = matches!(error.downcast_ref(), Some(SweepError::Interrupted { .. } | SweepError::NoPicture(_)));
    if !of_sweep && !error.is::<ChecksInterrupted>() {
        return error;
    }
    error.context(format!("stopped; the same command with --out {} --resume goes on", out.display()))
}

/// The experiment that computes the rows of another, most often its own.
fn source_of(wanted: &'static dyn Experiment) -> &'static dyn Experiment {
    experiment(wanted.rows_of()).unwrap_or(wanted)
}

/// The pictures of a set.
fn load(set: &str, options: &SuiteOptions) -> Result<Examples> {
    let data = DataConfig::named("--data", set, options.profile.pictures(), options.data_dir.as_deref())?;
    if options.profile == Profile::Full && data.is_bundled() {
        tell(&format!(
            "--profile full looks at the bundled sample of {set}, not at all of it: `pitfall data fetch {set}` downloads that, and \
             --data-dir names its folder"
        ));
    }
    data.load(options.seed)
}

/// Writes and prints what follows from the rows of a sweep.
pub(super) fn summarise(experiment: &dyn Experiment, set: &str, folder: &Path) -> Result<()> {
    let identity = sweep::identity(folder)?;
    let text = experiment.summarise(&Results { set, folder, identity: &identity, has_networks: false })?;
    print(&format!("{text}{}\n", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn experiments_are_known_by_name_and_by_number() {
        let command = || SuiteArgs::augment_args(clap::Command::new("run"));
        let names = |arguments: &[&str]| {
            let matches = command().try_get_matches_from([&["run"], arguments].concat()).ok()?;
            Some(matches.get_many::<String>("names")?.cloned().collect::<Vec<String>>())
        };
        let known = names(&["E1", "e6,selection", "Decoder-Bias", "E0"]).unwrap();
        assert_eq!(known, ["correlation", "scores", "selection", "decoder-bias", "validation"]);
        assert_eq!(names(&["E9"]), None);
    }
}
