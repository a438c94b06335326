//! The network of N-light-N's MNIST example, without pre-training: 784 - 300 - 10 soft-sign units, squared error.
//!
//! ```text
//! cargo run --release -p pitfall --example soft_sign_784_300_10 -- DIR [EPOCHS]
//! ```
//!
//! `DIR/mnist/` holds the four files of MNIST, unpacked. After 20 epochs on 50,000 pictures the test error is about 4.3 %;
//! LeCun's table has 4.7 % for a network of this shape. `pitfall run validation` holds it to that.

use anyhow::{Context, Result};
use patchgrad::Workspace;
use patchgrad_datasets::SetName;
use pitfall::{
    data::{Limits, load},
    validation::supervised::{SOFT_SIGN_EPOCHS, soft_sign_network},
};
use std::path::PathBuf;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().context("give the folder that holds mnist/")?);
    let epochs = arguments.next().map_or(Ok(SOFT_SIGN_EPOCHS), |text| text.parse());
    let task = load(SetName::Mnist, Some(&dir), Limits::NONE)?;
    let mut workspace = Workspace::new();
    let error = soft_sign_network(&task, epochs.context("the number of epochs")?, |epoch, loss, network| {
        let validation = 100.0 * (1.0 - network.accuracy(&task.validation, &mut workspace));
        println!("epoch {:2}: loss {loss:.4}, validation error {validation:.2} %", epoch + 1);
    })?;
    println!("test error {error:.2} %");
    Ok(())
}
