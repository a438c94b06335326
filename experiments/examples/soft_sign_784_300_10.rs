//! The network of N-light-N's MNIST example, without pre-training: 784 - 300 - 10 soft-sign units, squared error.
//!
//! ```text
//! cargo run --release -p pitfall --example soft_sign_784_300_10 -- DIR [EPOCHS]
//! ```
//!
//! `DIR/mnist/` holds the four files of MNIST, unpacked. After 20 epochs on 50,000 pictures it prints `test error 4.37 %`;
//! LeCun's table has 4.7 % for a network of this shape.

use anyhow::{Context, Result};
use patchgrad::{Workspace, ops::Activation, random::stream};
use patchgrad_datasets::SetName;
use pitfall::{
    data::{Limits, load},
    finetune::{Classifier, ClassifierSpec, FineTuneConfig, Loss},
    scae::{LayerGeometry, LayerSpec, Scae, ScaeSpec},
    units::UnitSpec,
};
use std::path::PathBuf;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().context("give the folder that holds mnist/")?);
    let epochs = arguments.next().map_or(Ok(20), |text| text.parse()).context("the number of epochs")?;
    let task = load(SetName::Mnist, Some(&dir), Limits::NONE)?;
    let unit = UnitSpec::standard(Activation::Softsign, Activation::Linear);
    let geometry = LayerGeometry { kernel: 28, offset: 28 };
    let spec = ScaeSpec { picture: [28, 28, 1], layers: vec![LayerSpec { geometry, features: 300, unit }] };
    let spec_of_head = ClassifierSpec {
        loss: Loss::SquaredError { output: Activation::Softsign },
        ..ClassifierSpec::new(task.classes)
    };
    let mut network = Classifier::with_spec(Scae::new(spec, &mut stream(1, "init", 0)), spec_of_head, 1)?;
    let mut workspace = Workspace::new();
    // A mini-batch of 10 with momentum 0.9: each picture moves the weights as far as a rate of 0.02 would on its own.
    for epoch in 0..epochs {
        let lr = if epoch * 4 < epochs * 3 { 0.02 } else { 0.004 };
        let config = FineTuneConfig { epochs: 1, batch_size: 10, lr, momentum: 0.9, seed: epoch as u64 };
        let loss = network.train(&task.train, &config, &mut workspace)?[0];
        let validation = 100.0 * (1.0 - network.accuracy(&task.validation, &mut workspace));
        println!("epoch {:2}: loss {loss:.4}, validation error {validation:.2} %", epoch + 1);
    }
    println!("test error {:.2} %", 100.0 * (1.0 - network.accuracy(&task.test, &mut workspace)));
    Ok(())
}
