//! `pitfall encode`.

use super::{BadRequest, ModelArgs, print};
use crate::{
    arrays::npy_array,
    config::{CodeKind, Network, Part},
    evaluation::{self, Seen},
    files::write_atomically,
};
use anyhow::{Context, Result};
use clap::Args;
use patchgrad::Workspace;
use patchgrad_datasets::{NpyArray, npz};
use std::path::PathBuf;

/// Options of `pitfall encode`.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct EncodeArgs {
    #[command(flatten)]
    pub(super) model: ModelArgs,
    /// The file to write [default: codes.npz in the folder of the run]
    #[arg(long, value_name = "FILE.npz")]
    out: Option<PathBuf>,
    /// Write the central features of all layers of a stack, and not the code of the top
    #[arg(long)]
    central: bool,
    /// Compress the file
    #[arg(long)]
    compress: bool,
}

pub(super) fn run(args: &EncodeArgs) -> Result<()> {
    let model = args.model.open()?;
    let out = args.model.new_file(args.out.clone().unwrap_or_else(|| model.folder.path.join("codes.npz")))?;
    if args.central && !matches!(model.network, Network::Scae(_)) {
        let text = "--central: an end-to-end network has one code; central features are those of all layers of a stack";
        return Err(BadRequest(text.to_string()).into());
    }
    let code = if args.central { CodeKind::Central } else { model.config.evaluation.code };
    let mut workspace = Workspace::new();
    let seen = Seen::new(&model.examples, model.network.autoencoder().picture_shape(), model.config.seed)?;
    let mut arrays = Vec::new();
    for (name, part) in [("train", &seen.train), ("validation", &seen.validation), ("test", &seen.test)] {
        let features = evaluation::features(&model.network, code, part.source(), &mut workspace);
        arrays.push((name.to_string(), npy_array(&features)));
        if let Part::Classes(data) = part {
            // f32 holds every class number.
            let labels = data.labels.iter().map(|&label| label as f32).collect();
            arrays.push((format!("{name}_labels"), NpyArray { shape: vec![data.count()], data: labels }));
        }
    }
    let packing = if args.compress { npz::Packing::Deflated } else { npz::Packing::Stored };
    let named: Vec<(&str, &NpyArray)> = arrays.iter().map(|(name, array)| (name.as_str(), array)).collect();
    let bytes = npz::to_bytes(&named, packing).context("cannot write the features")?;
    write_atomically(&out, &bytes)?;
    let shapes: Vec<String> = arrays.iter().map(|(name, array)| format!("{name} {:?}", array.shape)).collect();
    print(&format!("{}\n{}\n", shapes.join(", "), out.display()))
}
