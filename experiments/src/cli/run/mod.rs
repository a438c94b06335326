//! `pitfall run`: the experiments by name.

mod correlation;
mod validation;

use clap::Subcommand;

pub(super) use correlation::{MergeArgs, merge};
pub(super) use validation::NoSuchCheck;

/// Which experiment.
#[derive(Debug, Subcommand)]
pub(super) enum RunCommand {
    /// Is the implementation right? (E0, table T0)
    ///
    /// Gradients against differences, decoding against its adjoint, learning against closed forms and exact likelihoods,
    /// scores against published values, two classifiers of MNIST against the literature, and the known defects of N-light-N
    /// with the tests that would catch them here. Prints a row for each check as it is done. Exit code 1 when one fails.
    Validation(validation::ValidationArgs),
    /// Does reconstruction quality predict how well features classify? (E1)
    ///
    /// Trains and measures three populations of networks: rows.csv has a row for each, relations.csv every correlation of nine
    /// scores with five probes at five levels of control. Stopped, it goes on with --resume; the bytes are the same for any
    /// number of jobs, shards and stops.
    Correlation(correlation::CorrelationArgs),
}

/// Runs it.
///
/// # Errors
/// When the request is wrong, a file cannot be read or written, or the experiment says so.
pub(super) fn run(command: &RunCommand) -> anyhow::Result<()> {
    match command {
        RunCommand::Validation(args) => validation::run(args),
        RunCommand::Correlation(args) => correlation::run(args),
    }
}
