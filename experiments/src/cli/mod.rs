//! The command line: parsing, messages, exit codes.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | something failed: a file, the disk, the run |
//! | 2 | the request was wrong: an option, a shape, a value; of `op` also a file that cannot be read or written |
//! | 4 | a loss is not finite: the training ended before that step, its last good checkpoint is kept |
//! | 75 | interrupted: the step was finished and saved, `--resume` goes on |

pub mod bench;
mod data;
mod demo;
mod folders;
mod model;
pub mod op;
mod output;
mod progress;
mod report;
mod run;

use crate::{config::ConfigError, sweep::SweepError, training::TrainingError, version::VERSION};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use patchgrad::{Isa, parallel};
use std::process::ExitCode;

/// Does a good reconstruction mean good features?
///
/// Without a command it runs the demonstration: on two bundled samples of real pictures it trains dozens of stacked
/// convolutional auto-encoders and writes a report on how well they reconstruct and how well their features classify.
#[derive(Debug, Parser)]
#[command(name = "pitfall", version = VERSION, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    demo: demo::DemoArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the demonstration (the same as no command at all)
    Demo(demo::DemoArgs),
    /// Run one op on npy files: PyTorch's tensors and names in, results and gradients out
    ///
    /// `pitfall op conv2d --input x.npy --weight w.npy --stride 2,2 --output y.npy`, or many at once with
    /// `pitfall op --cases FILE.jsonl`. Exit code 2 with a message that says what does not fit.
    Op(Box<op::OpArgs>),
    #[command(flatten)]
    Model(model::ModelCommand),
    /// List, download, check and look at the data sets
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Run experiments by their names, or all of them
    ///
    /// Results go into OUT/SET/NAME/: rows.csv has a row for each network. Stopped, a run goes on with --resume; the bytes are
    /// the same for any number of jobs, shards and stops.
    Run(Box<run::RunArgs>),
    /// Make one page of the results of experiments: a verdict for each claim, figures, tables, every network
    Report(report::ReportArgs),
    /// Join the shards of an experiment
    Merge(run::MergeArgs),
    /// Measure the speed of the engine on this machine, over shapes of the field
    ///
    /// Prints a line for each workload as it is measured: the median time of one pass over a batch, the rate in GFLOP/s and
    /// as a share of the peak that is measured at the start, and images per second. Three runs warm up, at least seven are
    /// timed. FLOP are two for each multiply-add of the convolution as it is defined: an algorithm that needs fewer, such
    /// as Winograd's, can exceed 100 %. Of a training step (conv, ReLU, max-pool down, transposed conv up, mean squared
    /// error, Adam) they are three times those of the forward convolutions; if it is what runs first, as with
    /// --only train_step/scae-cifar, the time from the start to the end of the first step and the peak of the memory are
    /// told too.
    Bench(bench::BenchArgs),
}

/// The options of one experiment, for its own binary.
#[derive(Debug, Parser)]
#[command(version = VERSION)]
struct OneExperiment {
    #[command(flatten)]
    options: run::SuiteOptions,
}

/// The options of the validation, for its own binary: is the implementation right? (E0)
#[derive(Debug, Parser)]
#[command(name = "validation", version = VERSION)]
struct OneValidation {
    #[command(flatten)]
    options: run::ValidationArgs,
}

/// Parses the arguments, runs the command and turns its outcome into an exit code.
pub fn main() -> ExitCode {
    let cli = parsed::<Cli>(Cli::command());
    if let Err(message) = Isa::from_env() {
        output::tell(&format!("error: {message}"));
        return ExitCode::from(2);
    }
    exit_code(match &cli.command {
        Some(Command::Op(args)) => op::run(args),
        Some(Command::Demo(args)) => demo::run(args),
        Some(Command::Bench(args)) => bench::run(args),
        Some(Command::Data(command)) => data::run(command),
        Some(Command::Model(command)) => model::run(command),
        Some(Command::Run(command)) => run::run(command),
        Some(Command::Report(args)) => report::run(args),
        Some(Command::Merge(args)) => run::merge(args),
        None => demo::run(&cli.demo),
    })
}

/// The same for the binary of the experiment `name`: `pitfall run NAME` without the name.
///
/// # Panics
/// If there is no such experiment.
pub fn experiment(name: &str) -> ExitCode {
    let experiment = crate::suite::experiment(name).expect("binaries are named after experiments");
    let command = OneExperiment::command().name(experiment.name()).about(experiment.question());
    let options = command.long_about(format!("{}\n\n{}", experiment.question(), experiment.protocol()));
    let parsed = parsed::<OneExperiment>(options);
    if let Err(message) = Isa::from_env() {
        output::tell(&format!("error: {message}"));
        return ExitCode::from(2);
    }
    exit_code(run::run_one(experiment, &parsed.options))
}

/// The same for the binary of the validation: `pitfall run validation`.
pub fn validation() -> ExitCode {
    let parsed = parsed::<OneValidation>(OneValidation::command());
    if let Err(message) = Isa::from_env() {
        output::tell(&format!("error: {message}"));
        return ExitCode::from(2);
    }
    exit_code(run::validate(&parsed.options))
}

/// The arguments of this process, or the end of it with a message.
fn parsed<P: FromArgMatches>(command: clap::Command) -> P {
    P::from_arg_matches(&with_negative_numbers(command).get_matches()).unwrap_or_else(|error| error.exit())
}

/// Takes `--seed -1` for a seed that is out of range, and says so, not for an option that is called 1.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let with = |arg: clap::Arg| {
        let is_option = arg.get_long().is_some() && arg.get_action().takes_values();
        if is_option { arg.allow_negative_numbers(true) } else { arg }
    };
    command.mut_args(with).mut_subcommands(with_negative_numbers)
}

/// Does `work` on `threads` threads, 0 for one on each core.
fn on_threads(threads: u16, work: impl FnOnce() -> anyhow::Result<()> + Send) -> anyhow::Result<()> {
    if threads == 0 { work() } else { parallel::with_threads(usize::from(threads), work) }
}

fn exit_code(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::tell(&format!("error: {}", output::with_causes(&error)));
            if let Some(stopped) = error.downcast_ref::<TrainingError>() {
                return ExitCode::from(stopped.exit_code());
            }
            if let Some(stopped) = error.downcast_ref::<SweepError>() {
                return ExitCode::from(stopped.exit_code());
            }
            if error.is::<run::ChecksInterrupted>() {
                return ExitCode::from(75);
            }
            let request = error.is::<output::BadRequest>()
                || error.is::<folders::OutputExists>()
                || error.is::<ConfigError>()
                || error.is::<op::UsageError>()
                || error.is::<bench::NothingToMeasure>()
                || error.is::<run::NoSuchCheck>();
            ExitCode::from(if request { 2 } else { 1 })
        }
    }
}
