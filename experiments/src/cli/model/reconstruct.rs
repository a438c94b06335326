//! `pitfall reconstruct`.

use super::{ModelArgs, pictures, print, train};
use crate::{
    arrays::npy_array,
    evaluation::{self, Seen},
    scores::Score,
};
use anyhow::{Context, Result};
use clap::Args;
use patchgrad::Workspace;
use patchgrad_datasets::npz;
use std::path::PathBuf;

/// Options of `pitfall reconstruct`.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ReconstructArgs {
    #[command(flatten)]
    pub(super) model: ModelArgs,
    /// The picture to write [default: reconstructions.png in the folder of the run]
    #[arg(long, value_name = "FILE.png")]
    out: Option<PathBuf>,
    /// Write the reconstructions of all test pictures too, unclipped and as the network sees them
    #[arg(long, value_name = "FILE.npz")]
    npz: Option<PathBuf>,
    /// Test pictures that are drawn
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
    /// All scores, and not only those of the configuration
    #[arg(long)]
    all_scores: bool,
}

pub(super) fn run(args: &ReconstructArgs) -> Result<()> {
    let model = args.model.open()?;
    let out = args.out.clone().unwrap_or_else(|| model.folder.path.join("reconstructions.png"));
    let out = args.model.new_file(out)?;
    let archive = args.npz.clone().map(|path| args.model.new_file(path)).transpose()?;
    let mut workspace = Workspace::new();
    let seen = Seen::new(&model.examples, model.network.autoencoder().picture_shape(), model.config.seed)?;
    let shown = crate::pictures::first(seen.test.pictures(), usize::from(args.count));
    let decoded = evaluation::reconstructions(&model.network, &shown, &mut workspace);
    let targets = crate::pictures::first(seen.test.targets(), usize::from(args.count));
    // Of pairs the noisy picture, the clean one, and what the network makes of the noisy one.
    let rows = if targets == shown { vec![&shown, &decoded] } else { vec![&shown, &targets, &decoded] };
    let sheet = pictures::rows(&model.examples, &rows);
    crate::files::write_atomically(&out, &sheet.to_png())?;
    if let Some(path) = archive {
        let all = evaluation::reconstructions(&model.network, seen.test.pictures(), &mut workspace);
        let array = npy_array(&all);
        let bytes =
            npz::to_bytes(&[("test", &array)], npz::Packing::Stored).context("cannot write the reconstructions")?;
        crate::files::write_atomically(&path, &bytes)?;
    }
    let scores = if args.all_scores { Score::ALL.to_vec() } else { model.config.evaluation.scores.clone() };
    let results = evaluation::score(&model.network, &model.examples, &seen, &scores, &mut workspace);
    print(&format!("{}{}\n", train::table(&results), out.display()))
}
