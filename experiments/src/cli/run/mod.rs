//! `pitfall run`: the experiments by name.

mod validation;

use clap::Subcommand;

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
}

/// Runs it.
///
/// # Errors
/// When the request is wrong, a file cannot be read or written, or the experiment says so.
pub(super) fn run(command: &RunCommand) -> anyhow::Result<()> {
    match command {
        RunCommand::Validation(args) => validation::run(args),
    }
}
