//! How many patches a second greedy training takes: the two-layer SCAE of N-light-N's size on full MNIST.
//!
//! ```text
//! cargo run --release -p pitfall --example greedy_speed -- DATA_FOLDER [THREADS [PATCHES_PER_LAYER [BATCH]]]
//! ```
//!
//! Layers: 4x4 offset 4 with 32 features, 7x7 with 64 features, soft-sign encoder and linear decoder, plain gradient descent.
//! A patch of the second layer is the 28x28 picture; of the first, 4x4 pixels anywhere in it. N-light-N (Java) was
//! measured elsewhere on one core of a machine of this kind: 43 s for 40,000 patches per layer, about 1,860 patches a second.

use anyhow::{Context, Result};
use patchgrad::{Workspace, ops::Activation, parallel, random::stream};
use patchgrad_datasets::SetName;
use pitfall::{
    data::{self, Limits},
    scae::{Descent, LayerGeometry, LayerSpec, Scae, ScaeSpec, TrainConfig, train},
    units::UnitSpec,
};
use std::{path::PathBuf, time::Instant};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder: PathBuf =
        arguments.next().context("usage: greedy_speed DATA_FOLDER [THREADS [PATCHES [BATCH]]]")?.into();
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse().context(text));
    let (threads, patches, batch) = (number(2)?, number(400_000)?, number(64)?);
    let task = data::load(SetName::Mnist, Some(&folder), Limits::NONE)?;
    let layer = |kernel, offset, features| LayerSpec {
        geometry: LayerGeometry { kernel, offset },
        features,
        unit: UnitSpec::standard(Activation::Softsign, Activation::Linear),
    };
    let spec = ScaeSpec { picture: [28, 28, 1], layers: vec![layer(4, 4, 32), layer(7, 7, 64)] };
    let mut scae = Scae::new(spec, &mut stream(1, "init", 0));
    let config = TrainConfig {
        samples_per_layer: patches,
        batch_size: batch,
        descent: Descent::Sgd,
        lr: 1e-3 * batch.min(30) as f64,
        weight_decay: 0.0,
        seed: 1,
    };
    let start = Instant::now();
    let trained =
        parallel::with_threads(threads, || train(&mut scae, &task.train.pictures, &config, &mut Workspace::new()))?;
    let seconds = start.elapsed().as_secs_f64();
    for (i, layer) in trained.iter().enumerate() {
        println!("layer {i}: mean absolute error of the last tenth {:.4}", layer.final_error);
    }
    let rate = (trained.len() * patches) as f64 / seconds;
    println!(
        "{threads} threads, {patches} patches per layer in batches of {batch}: {seconds:.2} s, {rate:.0} patches/s"
    );
    Ok(())
}
