//! Trains a tiny SCAE and a tiny convolutional auto-encoder, saves their checkpoints, and what both make of some pictures:
//! for `load_checkpoint.py`, which rebuilds them in PyTorch.
//!
//! ```sh
//! cargo run --package pitfall --example save_checkpoint -- FOLDER
//! python experiments/examples/load_checkpoint.py FOLDER      # needs torch and safetensors
//! ```

use patchgrad::{
    Params, Shape, Tensor, Workspace,
    checkpoint::Checkpoint,
    layout::ParamLayout,
    ops::Activation,
    optim::{Adam, AdamConfig},
    random::stream,
};
use pitfall::{
    cae::{CaeSpec, ConvAutoencoder, Examples},
    data::Labelled,
    files::write_atomically,
    scae::{Descent, Labels, LayerGeometry, LayerSpec, Scae, ScaeSpec, TrainConfig, train_resumable},
    training::{Cadence, Checkpoints, FitSpec, Run},
    units::UnitSpec,
};
use std::path::PathBuf;

const SCAE: &str = "\
[[layer]]
kernel = 4
offset = 2
[[layer]]
kernel = 3
offset = 3
";

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "checkpoint-example".to_string()));
    // 8x8 pixels, 2 channels: an order of axes that is mixed up shows.
    let pictures = Tensor::from_fn([32, 8, 8, 2], |i| {
        let (n, y, x, c) = (i / 128, i / 16 % 8, i / 2 % 8, i % 2);
        (y as f32 * 0.5 + n as f32).sin() * (x as f32 * 0.4 + (n + c) as f32 * 0.3).cos()
    });
    let mut workspace = Workspace::new();
    let mut results = Params::new();
    let mut keep = |name: &str, tensor: Tensor| {
        let id = results.add(name, tensor);
        results.set_layout(id, ParamLayout::Same);
    };

    let layer = |kernel, offset, features| LayerSpec {
        geometry: LayerGeometry { kernel, offset },
        features,
        unit: UnitSpec::standard(Activation::Softsign, Activation::Linear),
    };
    let spec = ScaeSpec { picture: [8, 8, 2], layers: vec![layer(4, 2, 6), layer(3, 3, 8)] };
    let mut scae = Scae::new(spec, &mut stream(1, "init", 0));
    let config = TrainConfig {
        samples_per_layer: 1_600,
        batch_size: 16,
        descent: Descent::Adam,
        lr: 0.01,
        weight_decay: 0.0,
        seed: 1,
    };
    let run = Run { config: SCAE.to_string(), seed: 1 };
    let mut checkpoints = Checkpoints::start(&folder.join("scae.safetensors"), run, Cadence::default())?;
    train_resumable(&mut scae, &pictures, Labels::None, &config, &mut checkpoints, &mut workspace)?;
    keep("scae.code", scae.codes(&pictures, &mut workspace).reshape([32, 1, 1, 8])?);
    keep("scae.reconstruction", scae.reconstruct(&pictures, &mut workspace));

    let data = Labelled { pictures: pictures.into(), labels: vec![0; 32] };
    let mut cae = ConvAutoencoder::new(CaeSpec::new([8, 8, 2], &[6, 8], 5), 1);
    let run = Run { config: String::new(), seed: 1 };
    let mut checkpoints = Checkpoints::start(&folder.join("cae.safetensors"), run, Cadence::default())?;
    let (spec, mut adam) = (FitSpec::new(20, 8, 5e-3, 1), Adam::new(AdamConfig::new(5e-3)));
    let history = cae.fit(
        Examples::of(&data.pictures),
        Some(Examples::of(&data.pictures)),
        &spec,
        &mut adam,
        &mut checkpoints,
        &mut workspace,
    )?;
    keep("cae.code", cae.codes(&data.pictures, &mut workspace).reshape([32, 1, 1, 5])?);
    let shape: Shape = data.pictures.shape();
    keep("cae.reconstruction", cae.reconstruct(&data.pictures, &mut workspace).reshape(shape)?);
    keep("pictures", data.pictures.tensor().clone());

    let mut expected = Checkpoint::new();
    expected.put_params("", &results);
    write_atomically(&folder.join("expected.safetensors"), &expected.to_bytes())?;
    let (first, last) = (history.losses[0], history.losses[19]);
    println!("saved to {}; the auto-encoder's loss went from {first:.3} to {last:.3}", folder.display());
    assert!(last < 0.5 * first);
    Ok(())
}
