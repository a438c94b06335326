//! `pitfall data`: which data sets there are, and how to get, check and see them.
//!
//! A data folder holds `mnist/`, `fashion-mnist/`, `cifar-10/`, `cifar-100/` and `svhn/`, with the published file names inside.
//! Where none is named, it is `$PATCHGRAD_DATA`, or else `patchgrad/data` in the user's folder for caches.

#[cfg(feature = "fetch")]
mod fetch;
mod folder;
mod list;
mod sets;
mod show;
mod verify;

use super::output::{BadRequest, print};
use clap::{Args, Subcommand};
use sets::AnySet;
use std::path::PathBuf;

/// What is to be done with data sets.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum DataCommand {
    /// Print every data set: pictures, terms, and where it is found
    List(ListArgs),
    /// Download data sets from their publishers, and check them
    ///
    /// A broken download is resumed, also by the next call. Size and SHA-256 are checked before a file gets its name, and an
    /// archive only then is unpacked. Without a network the message says which files to put where. http_proxy, https_proxy and
    /// no_proxy are honoured.
    #[cfg(feature = "fetch")]
    Fetch(fetch::FetchArgs),
    /// Read every data set of a folder completely and compare it with the published files
    ///
    /// One line for each set; exit code 1 when one is damaged or incomplete, or none is there.
    Verify(VerifyArgs),
    /// Draw a contact sheet of a data set: a row of pictures for each class
    Show(ShowArgs),
}

/// Options of `pitfall data list`.
#[derive(Clone, Debug, Args)]
pub(super) struct ListArgs {
    /// Data folder to look into [default: $PATCHGRAD_DATA, or the user's cache]
    #[arg(long, visible_alias = "data-dir", value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Options of `pitfall data verify`.
#[derive(Clone, Debug, Args)]
pub(super) struct VerifyArgs {
    /// Data folder, which holds mnist/, cifar-10/ and so on [default: $PATCHGRAD_DATA, or the user's cache]
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Options of `pitfall data show`.
#[derive(Clone, Debug, Args)]
pub(super) struct ShowArgs {
    /// The data set
    #[arg(value_name = "SET", value_parser = sets::any_set())]
    set: AnySet,
    /// Data folder to read it from [default: the usual one if the set is there, else the bundled sample]
    #[arg(long, visible_alias = "data-dir", value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The picture to write [default: SET.png in the present folder]
    #[arg(long, value_name = "FILE.png")]
    out: Option<PathBuf>,
    /// Pictures of each class; number of pages of synthetic-pages
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
    /// Seed of the synthetic sets
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Write into a file that exists
    #[arg(long)]
    force: bool,
}

/// Does what the command says.
///
/// # Errors
/// [`BadRequest`], or whatever went wrong with files and servers.
pub(super) fn run(command: &DataCommand) -> anyhow::Result<()> {
    match command {
        DataCommand::List(args) => list::run(args),
        #[cfg(feature = "fetch")]
        DataCommand::Fetch(args) => fetch::run(args),
        DataCommand::Verify(args) => verify::run(args),
        DataCommand::Show(args) => show::run(args),
    }
}
