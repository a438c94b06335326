//! `pitfall probe`.

use super::{BadRequest, ModelArgs, print, train};
use crate::{
    evaluation::{self, Seen},
    probe::Probe,
};
use anyhow::Result;
use clap::Args;
use patchgrad::Workspace;

/// Options of `pitfall probe`.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ProbeArgs {
    #[command(flatten)]
    pub(super) model: ModelArgs,
    /// Every probe, and not only those of the configuration
    #[arg(long)]
    all: bool,
    /// Leave the pixels out
    #[arg(long)]
    code_only: bool,
}

pub(super) fn run(args: &ProbeArgs) -> Result<()> {
    args.model.new_file_of_run("probes.csv")?;
    let model = args.model.open()?;
    let mut workspace = Workspace::new();
    let seen = Seen::new(&model.examples, model.network.autoencoder().picture_shape(), model.config.seed)?;
    let parts = seen.labelled().ok_or_else(|| BadRequest("pairs of pictures have no classes to tell apart".into()))?;
    let probes = if args.all { Probe::ALL.to_vec() } else { model.config.evaluation.probes.clone() };
    let (code, classes) = (Some((&model.network, model.config.evaluation.code)), model.examples.classes());
    let mut results = evaluation::probe(code, parts, classes, &probes, &mut workspace);
    if !args.code_only {
        results.extend(evaluation::probe(None, parts, classes, &probes, &mut workspace));
    }
    let file = model.folder.write_csv("probes.csv", &results)?;
    print(&format!("{}{}\n", train::table(&results), file.display()))
}
