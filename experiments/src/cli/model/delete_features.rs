//! `pitfall delete-features`.

use super::{
    super::folders::{Otherwise, claim},
    BadRequest, ModelArgs, prepare, print, train,
};
use crate::{
    config::{Config, Network},
    evaluation::{self, Seen},
    run_folder::{RunFolder, RunRecord},
    scae::{Scae, inspect_features},
    scores::Score,
};
use anyhow::{Context, Result};
use clap::{ArgGroup, Args};
use patchgrad::{Tensor, Workspace};
use std::path::PathBuf;

/// Training pictures that say whether a feature is dead.
const PICTURES: usize = 1_000;

/// Options of `pitfall delete-features`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["features", "dead"]))]
pub(in crate::cli) struct DeleteFeaturesArgs {
    #[command(flatten)]
    pub(super) model: ModelArgs,
    /// The layer, counted from 0 [default with --dead: all layers]
    #[arg(long, value_name = "N")]
    layer: Option<usize>,
    /// The features, counted from 0 and separated by commas
    #[arg(long, value_name = "N,...", value_delimiter = ',', requires = "layer")]
    features: Vec<usize>,
    /// The features that answer all positions of the first 1,000 training pictures with the same number
    #[arg(long)]
    dead: bool,
    /// The folder for the smaller stack
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(args: &DeleteFeaturesArgs) -> Result<()> {
    let model = args.model.open()?;
    let Network::Scae(scae) = &model.network else {
        let text =
            "an end-to-end network has no layers that could be smaller by themselves; train one with other widths";
        return Err(BadRequest(text.to_string()).into());
    };
    let seen = Seen::new(&model.examples, scae.spec().picture, model.config.seed)?;
    let mut workspace = Workspace::new();
    let inspected = crate::pictures::first(seen.train.pictures(), PICTURES);
    let wanted = wanted(args, scae, &inspected, &mut workspace)?;
    if wanted.is_empty() {
        return Err(BadRequest("no feature is dead; nothing was written".to_string()).into());
    }
    let (mut smaller, mut text) = (scae.clone(), String::new());
    for (layer, features) in &wanted {
        smaller = smaller.without_features(*layer, features).map_err(|error| BadRequest(error.to_string()))?;
        let of = scae.spec().layers[*layer].features;
        text += &format!("layer {layer}: {} of {of} features deleted\n", features.len());
    }
    prepare(&args.out, Otherwise::Force, args.model.force)?;
    let _claim = claim(&args.out)?;
    let folder = RunFolder { path: args.out.clone() };
    folder.clear()?;
    let config = config_of(&model.config, &smaller);
    let record = RunRecord { command: command(args, &wanted), ..model.folder.record()? };
    let json = serde_json::to_string_pretty(&record).context("cannot describe the run")?;
    folder.write("run.json", format!("{json}\n").as_bytes())?;
    folder.write("config.toml", config.to_toml().as_bytes())?;
    folder.save_model(&config, smaller.params())?;
    for (name, network) in [("before", model.network.clone()), ("after", Network::Scae(smaller))] {
        let scores = evaluation::score(&network, &model.examples, &seen, &[Score::Mse], &mut workspace);
        text += &format!("{name}:\n{}", train::table(&scores));
    }
    print(&format!("{text}{}\n", folder.path.display()))
}

/// Layers with the features that are to go.
fn wanted(
    args: &DeleteFeaturesArgs,
    scae: &Scae,
    pictures: &Tensor,
    workspace: &mut Workspace,
) -> Result<Vec<(usize, Vec<usize>)>, BadRequest> {
    let layers = scae.spec().layers.len();
    if let Some(layer) = args.layer.filter(|&layer| layer >= layers) {
        return Err(BadRequest(format!("--layer {layer}: the stack has layers 0 to {}", layers - 1)));
    }
    if !args.dead {
        let mut features = args.features.clone();
        features.sort_unstable();
        features.dedup();
        return Ok(args.layer.map(|layer| (layer, features)).into_iter().collect());
    }
    let dead = |layer: usize| {
        let statistics = inspect_features(scae, layer, pictures, workspace);
        let dead = statistics.iter().filter(|feature| feature.is_dead()).map(|feature| feature.feature);
        (layer, dead.collect::<Vec<usize>>())
    };
    // A pooling layer has the features of the layer below it, with which they go.
    let own = |layer: &usize| !scae.spec().layers[*layer].unit.is_pooling();
    let asked = (0..layers).filter(|&layer| args.layer.is_none_or(|only| only == layer)).filter(own);
    Ok(asked.map(dead).filter(|(_, features)| !features.is_empty()).collect())
}

/// The configuration of the smaller stack.
fn config_of(config: &Config, smaller: &Scae) -> Config {
    let mut config = config.clone();
    for (layer, spec) in config.network.layers.iter_mut().zip(&smaller.spec().layers) {
        layer.features = spec.features;
    }
    config
}

/// What makes the smaller stack from the larger one again.
fn command(args: &DeleteFeaturesArgs, wanted: &[(usize, Vec<usize>)]) -> String {
    let one = |(layer, features): &(usize, Vec<usize>)| {
        let features: Vec<String> = features.iter().map(usize::to_string).collect();
        format!("--layer {layer} --features {}", features.join(","))
    };
    let which = match (wanted, args.dead) {
        ([only], false) => one(only),
        _ => args.layer.map(|layer| format!("--layer {layer} ")).unwrap_or_default() + "--dead",
    };
    let [run, out] = [&args.model.run, &args.out].map(|path| path.display().to_string().replace('\'', r"'\''"));
    format!("cargo run --release -- delete-features '{run}' {which} --out '{out}'")
}
