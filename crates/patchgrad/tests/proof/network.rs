//! A small network with every kind of layer, to train.

use patchgrad::{
    Params, Tape, Tensor, Workspace,
    layers::{Conv2d, ConvTranspose2d, Flatten, Layer, Linear, MaxPool2d, Sequential},
    ops::{Activation, Conv2dSpec, ConvTranspose2dSpec, FoldSpec, MaxPool2dSpec},
    optim::{Adam, AdamConfig, Optimizer},
    random::stream,
};
use rand::RngExt;

const CLASSES: usize = 10;

/// A convolutional auto-encoder with a classifier on its code, trained together by Adam.
pub struct Network {
    pub params: Params,
    pub workspace: Workspace,
    encoder: Sequential,
    decoder: Sequential,
    classifier: Sequential,
    optimizer: Adam,
}

/// Images `[N, size, size, 1]` and their labels.
pub struct Batch {
    images: Tensor,
    labels: Vec<u32>,
}

impl Batch {
    pub fn new(samples: usize, size: usize) -> Self {
        let mut stream = stream(3, "batch", 0);
        let images = Tensor::from_fn([samples, size, size, 1], |_| stream.random());
        Self { images, labels: (0..samples).map(|sample| (sample % CLASSES) as u32).collect() }
    }
}

impl Network {
    /// For images of `size` x `size` pixels; `size` is even.
    pub fn new(size: usize) -> Self {
        let (mut params, mut stream) = (Params::new(), stream(3, "init", 0));
        let padded = Conv2dSpec { padding: [1, 1], ..Conv2dSpec::new([3, 3]) };
        let doubling = ConvTranspose2dSpec {
            stride: [2, 2],
            padding: [1, 1],
            output_padding: [1, 1],
            ..ConvTranspose2dSpec::new([3, 3])
        };
        let encoder = Sequential::new()
            .then(Conv2d::new(&mut params, "encoder", [1, 6], padded, &mut stream))
            .then(Activation::Relu)
            .then(MaxPool2d(MaxPool2dSpec::new([2, 2])));
        let decoder = Sequential::new()
            .then(ConvTranspose2d::new(&mut params, "decoder", [6, 1], doubling, &mut stream))
            .then(Activation::Sigmoid);
        let features = 6 * (size / 2) * (size / 2);
        let classifier = Sequential::new().then(Flatten).then(Linear::new(
            &mut params,
            "classifier",
            [features, CLASSES],
            &mut stream,
        ));
        let optimizer = Adam::new(AdamConfig::new(0.01));
        Self { params, workspace: Workspace::new(), encoder, decoder, classifier, optimizer }
    }

    /// One update; gives the loss before it: the squared error of the reconstruction plus the cross-entropy of the labels.
    pub fn step(&mut self, batch: &Batch) -> f32 {
        let mut tape = Tape::with_params(&self.params, &mut self.workspace);
        let images = tape.input(&batch.images);
        let code = self.encoder.forward(&mut tape, images);
        let decoded = self.decoder.forward(&mut tape, code);
        let reconstruction = tape.overlap_mean(decoded, &FoldSpec::new([2, 2]));
        let logits = self.classifier.forward(&mut tape, code);
        let (error, entropy) = (tape.mse_loss(reconstruction, images), tape.cross_entropy(logits, &batch.labels));
        let loss = tape.add(error, entropy);
        let before = tape.value(loss).item();
        let gradients = tape.backward(loss);
        self.optimizer.step(&mut self.params, &gradients);
        gradients.recycle(&mut self.workspace);
        before
    }
}
