//! `pitfall run`: the experiments by name; `pitfall merge`: their shards.

mod merge;
mod suite;
mod validation;

use clap::{Args, Subcommand};

pub(super) use merge::{MergeArgs, merge};
pub(super) use suite::{SuiteOptions, advised, run_one, tell_of_mistakes};
pub(super) use validation::{ChecksInterrupted, NoSuchCheck, ValidationArgs, run as validate};

/// Which experiments.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct RunArgs {
    #[command(subcommand)]
    validation: Option<OneExperiment>,
    #[command(flatten)]
    suite: suite::SuiteArgs,
}

/// An experiment with options of its own.
#[derive(Debug, Subcommand)]
pub(super) enum OneExperiment {
    /// Is the implementation right? (E0, table T0)
    ///
    /// Gradients against differences, decoding against its adjoint, learning against closed forms and exact likelihoods,
    /// scores against published values, two classifiers of MNIST against the literature, and the known defects of N-light-N
    /// with the tests that would catch them here. Prints a row for each check as it is done. Exit code 1 when one fails.
    Validation(validation::ValidationArgs),
}

/// Runs them.
///
/// # Errors
/// When the request is wrong, a file cannot be read or written, or an experiment says so.
pub(super) fn run(args: &RunArgs) -> anyhow::Result<()> {
    match &args.validation {
        Some(OneExperiment::Validation(args)) => validation::run(args),
        None => suite::run(&args.suite),
    }
}
