//! `pitfall features`.

use super::{BadRequest, ModelArgs, pictures, print};
use crate::{
    config::Network,
    evaluation::Seen,
    figures::{Colour, Sheet},
    scae::{Scae, inspect_features},
};
use anyhow::Result;
use clap::Args;
use patchgrad::{Tensor, Workspace};
use serde::Serialize;

/// Test pictures that the statistics are taken over.
const PICTURES: usize = 1_000;

/// Options of `pitfall features`.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct FeaturesArgs {
    #[command(flatten)]
    pub(super) model: ModelArgs,
    /// The test picture whose activation maps are drawn, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    picture: usize,
}

pub(super) fn run(args: &FeaturesArgs) -> Result<()> {
    args.model.new_file_of_run("features.csv")?;
    let model = args.model.open()?;
    let Network::Scae(scae) = &model.network else {
        let text = "an end-to-end network has no layers with features of their own; `pitfall encode` writes its codes";
        return Err(BadRequest(text.to_string()).into());
    };
    let pictures = model.examples.test.pictures();
    let count = model.examples.test.count();
    if args.picture >= count {
        return Err(BadRequest(format!("--picture {}: there are {count} test pictures", args.picture)).into());
    }
    let mut workspace = Workspace::new();
    let seen = Seen::new(&model.examples, scae.spec().picture, model.config.seed)?;
    let inspected = crate::pictures::first(seen.test.pictures(), PICTURES);
    let (mut text, mut rows) = (String::new(), Vec::new());
    for layer in 0..scae.spec().layers.len() {
        let mosaic = pictures::mosaic(&model.examples, scae, layer, &mut workspace);
        model.folder.write(&format!("figures/features-layer{layer}.png"), &mosaic.to_png())?;
        if let Some(maps) = maps(scae, layer, pictures, args.picture, &mut workspace) {
            model.folder.write(&format!("figures/maps-layer{layer}.png"), &maps.to_png())?;
        }
        let statistics = inspect_features(scae, layer, &inspected, &mut workspace);
        let dead = statistics.iter().filter(|feature| feature.is_dead()).count();
        let mean = statistics.iter().map(|feature| feature.deviation).sum::<f64>() / statistics.len() as f64;
        let [h, w, n] = scae.spec().map_size(layer + 1);
        text += &format!("layer {layer}: {n} features at {h}x{w} positions, {dead} dead, mean deviation {mean:.3}\n");
        rows.extend(
            statistics
                .into_iter()
                .map(|s| (layer, s.feature, s.mean, s.deviation, s.smallest, s.largest, s.zeros, s.is_dead())),
        );
    }
    let header = ("layer", "feature", "mean", "deviation", "smallest", "largest", "zeros", "dead");
    model.folder.write("features.csv", &csv_of(header, rows.into_iter())?)?;
    print(&format!("{text}{}\n", model.folder.path.join("figures").display()))
}

fn csv_of<H: Serialize, R: Serialize>(header: H, rows: impl Iterator<Item = R>) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.serialize(header)?;
    for row in rows {
        writer.serialize(row)?;
    }
    Ok(writer.into_inner().map_err(|error| error.into_error())?)
}

/// Where in a picture each feature of a layer answers: dark where least, bright where most.
fn maps(scae: &Scae, layer: usize, pictures: &Tensor, index: usize, workspace: &mut Workspace) -> Option<Sheet> {
    let [_, height, width, channels] = pictures.shape().nhwc()?;
    let picture = Tensor::new([1, height, width, channels], pictures.samples(index..index + 1));
    let maps = scae.activation_maps(&picture, layer, workspace)?;
    let &[h, w, n] = maps.values.shape().dims() else { return None };
    let drawn: Vec<Vec<f32>> =
        (0..n).map(|feature| maps.normalised(feature).into_iter().map(|value| 2.0 * value - 1.0).collect()).collect();
    Some(Sheet::mosaic(&drawn, [h, w], Colour::Grey, (84 / h.max(w)).clamp(1, 12)))
}
