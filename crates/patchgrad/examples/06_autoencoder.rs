//! A convolutional auto-encoder on real digits: 784 pixels through a code of 7 x 7 x 4 = 196 values and back.
//!
//! ```text
//! cargo run --release -p patchgrad --example 06_autoencoder
//! ```
//!
//! Trains for about ten seconds on the bundled MNIST sample and prints the reconstruction error on the 2,000 test digits:
//! `test MSE 0.0133` (the mean of the training images, as a prediction for all, has 0.0678), then one digit before and after.

use patchgrad::{
    Params, Tape, Tensor, Workspace,
    layers::{Conv2d, ConvTranspose2d, Layer, MaxPool2d, Sequential},
    ops::{Activation, Conv2dSpec, ConvTranspose2dSpec, MaxPool2dSpec},
    optim::{Adam, AdamConfig, Optimizer},
    random::stream,
    summary,
};
use patchgrad_datasets::{Images, Scaling, SetName, bundled, shuffled};
use std::error::Error;

const SEED: u64 = 0;
const EPOCHS: usize = 4;
const BATCH: usize = 50;

/// Convolution and pooling halve the image twice; transposed convolution with stride 2 doubles it twice.
fn auto_encoder(params: &mut Params) -> Sequential {
    let mut init = stream(SEED, "init", 0);
    let conv = Conv2dSpec { padding: [1, 1], ..Conv2dSpec::new([3, 3]) };
    let up = ConvTranspose2dSpec { stride: [2, 2], ..ConvTranspose2dSpec::new([2, 2]) };
    Sequential::new()
        .then(Conv2d::new(params, "encode1", [1, 16], conv, &mut init))
        .then(Activation::LeakyRelu { negative_slope: 0.1 })
        .then(MaxPool2d(MaxPool2dSpec::new([2, 2])))
        .then(Conv2d::new(params, "encode2", [16, 4], conv, &mut init))
        .then(Activation::LeakyRelu { negative_slope: 0.1 })
        .then(MaxPool2d(MaxPool2dSpec::new([2, 2])))
        .then(ConvTranspose2d::new(params, "decode1", [4, 16], up, &mut init))
        .then(Activation::LeakyRelu { negative_slope: 0.1 })
        .then(ConvTranspose2d::new(params, "decode2", [16, 1], up, &mut init))
        .then(Activation::Sigmoid)
}

fn batch(images: &Images, indices: &[usize]) -> Tensor {
    let mut batch = Tensor::zeros([indices.len(), 28, 28, 1]);
    images.gather(indices, Scaling::ZeroToOne, batch.as_mut_slice());
    batch
}

/// The mean squared error over all of `images`.
fn error(network: &Sequential, params: &Params, images: &Images, workspace: &mut Workspace) -> f32 {
    let indices: Vec<usize> = (0..images.count()).collect();
    let sum: f32 = indices
        .chunks(BATCH)
        .map(|indices| {
            let images = batch(images, indices);
            let mut tape = Tape::with_params(params, workspace);
            let input = tape.input(&images);
            let output = network.forward(&mut tape, input);
            let loss = tape.mse_loss(output, input);
            tape.value(loss).item() * indices.len() as f32
        })
        .sum();
    sum / images.count() as f32
}

/// Two images of 28 x 28 side by side; a character stands for two rows.
fn show(before: &[f32], after: &[f32]) {
    let row = |image: &[f32], h: usize| -> String {
        let shade = |w: usize| (image[2 * h * 28 + w] + image[(2 * h + 1) * 28 + w]) / 2.0;
        (0..28).map(|w| b" .:-=+*#%@"[(shade(w) * 9.99) as usize] as char).collect()
    };
    (0..14).for_each(|h| println!("{}  {}", row(before, h), row(after, h)));
}

fn main() -> Result<(), Box<dyn Error>> {
    let data = bundled(SetName::Mnist)?;
    let (train, test) = (data.train.images(), data.test.images());
    let (mut params, mut workspace) = (Params::new(), Workspace::new());
    let network = auto_encoder(&mut params);
    println!("{}", summary(&network, &params, [1, 28, 28, 1])?);

    let mut optimizer = Adam::new(AdamConfig::new(1e-2));
    for epoch in 0..EPOCHS {
        let order = shuffled(train.count(), &mut stream(SEED, "shuffle", epoch as u64));
        let mut sum = 0.0;
        for indices in order.chunks_exact(BATCH) {
            let images = batch(train, indices);
            let mut tape = Tape::with_params(&params, &mut workspace);
            let input = tape.input(&images);
            let output = network.forward(&mut tape, input);
            let loss = tape.mse_loss(output, input);
            sum += tape.value(loss).item();
            let gradients = tape.backward(loss);
            optimizer.step(&mut params, &gradients);
            gradients.recycle(&mut workspace);
        }
        println!("epoch {} of {EPOCHS}: training MSE {:.4}", epoch + 1, sum / (train.count() / BATCH) as f32);
    }

    let mse = error(&network, &params, test, &mut workspace);
    println!("test MSE {mse:.4}\n\nbefore and after:");
    let digit = batch(test, &[0]);
    let mut tape = Tape::with_params(&params, &mut workspace);
    let input = tape.input(&digit);
    let output = network.forward(&mut tape, input);
    show(digit.as_slice(), tape.value(output).as_slice());
    // A range, because a CPU with other instructions for products of matrices rounds differently, and training amplifies it.
    assert!((mse - 0.0133).abs() < 0.002, "expected a test MSE of about 0.0133, got {mse}");
    Ok(())
}
