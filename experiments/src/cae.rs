//! The auto-encoder people use today: end to end, convolution and pooling down, transposed convolution up, Adam.
//!
//! ```text
//! encoder   conv 3x3 -> ReLU -> max-pool 2, twice; then a convolution as large as what is left: the code [N, 1, 1, h]
//! decoder   transposed convolution of the same size -> ReLU; transposed 2x2 stride 2 -> ReLU; transposed 2x2 stride 2
//! ```

use crate::{
    batches,
    data::Labelled,
    finetune::Diverged,
    training::{Checkpoints, FitSpec, History, Trainable, TrainingError, fit},
};
use patchgrad::{
    Gradients, Params, Tape, Tensor, Var, Workspace,
    layers::{Conv2d, ConvTranspose2d, Layer, Sequential},
    ops::{Activation, Conv2dSpec, ConvTranspose2dSpec},
    optim::{Adam, AdamConfig, Optimizer},
    random::stream,
};

/// Sizes of a [`ConvAutoencoder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaeSpec {
    /// H, W, C of a picture; H and W multiples of 4.
    pub picture: [usize; 3],
    /// Channels after the first and the second convolution.
    pub widths: [usize; 2],
    /// h, the length of the code.
    pub code_size: usize,
}

/// How it is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CaeTraining {
    /// Times that every training picture is shown.
    pub epochs: usize,
    /// Pictures in one step.
    pub batch_size: usize,
    /// Learning rate of Adam.
    pub lr: f64,
    /// Seed of the order of pictures.
    pub seed: u64,
}

/// A convolutional auto-encoder that is trained end to end on the mean squared error.
#[derive(Debug)]
pub struct ConvAutoencoder {
    spec: CaeSpec,
    params: Params,
    encoder: Sequential,
    decoder: Sequential,
}

impl ConvAutoencoder {
    /// A network before training.
    ///
    /// # Panics
    /// If H or W is not a multiple of 4.
    #[track_caller]
    pub fn new(spec: CaeSpec, seed: u64) -> Self {
        let CaeSpec { picture: [h, w, c], widths: [first, second], code_size } = spec;
        assert!(h % 4 == 0 && w % 4 == 0, "ConvAutoencoder: pictures of {h}x{w} cannot be halved twice");
        let (mut params, mut init) = (Params::new(), stream(seed, "init", 0));
        let (p, s) = (&mut params, &mut init);
        let same = Conv2dSpec { padding: [1, 1], ..Conv2dSpec::new([3, 3]) };
        let up = ConvTranspose2dSpec { stride: [2, 2], ..ConvTranspose2dSpec::new([2, 2]) };
        let rest = [h / 4, w / 4];
        let encoder = Sequential::new()
            .then(Conv2d::new(p, "encoder.0", [c, first], same, s).activation(Activation::Relu).max_pool())
            .then(Conv2d::new(p, "encoder.1", [first, second], same, s).activation(Activation::Relu).max_pool())
            .then(Conv2d::new(p, "encoder.2", [second, code_size], Conv2dSpec::new(rest), s));
        let whole = ConvTranspose2d::new(p, "decoder.0", [code_size, second], ConvTranspose2dSpec::new(rest), s);
        let decoder = Sequential::new()
            .then(whole.activation(Activation::Relu))
            .then(ConvTranspose2d::new(p, "decoder.1", [second, first], up, s).activation(Activation::Relu))
            .then(ConvTranspose2d::new(p, "decoder.2", [first, c], up, s));
        Self { spec, params, encoder, decoder }
    }

    /// Trains on `data`; gives the mean loss (mean squared error) of each epoch.
    ///
    /// # Errors
    /// When a loss is no longer finite; that step is not taken.
    pub fn train(
        &mut self,
        data: &Labelled,
        config: &CaeTraining,
        workspace: &mut Workspace,
    ) -> Result<Vec<f64>, Diverged> {
        let spec = FitSpec::new(config.epochs, config.batch_size, config.lr, config.seed);
        let mut optimizer = Adam::new(AdamConfig::new(config.lr));
        let outcome = self.fit(data, None, &spec, &mut optimizer, &mut Checkpoints::none(), workspace);
        Diverged::or_losses(outcome, data.count(), config.batch_size)
    }

    /// Trains with any optimiser, schedule and early stopping on the mean squared error of `validation`; saved to and resumed
    /// from `checkpoints`.
    ///
    /// # Errors
    /// As [`fit`].
    pub fn fit(
        &mut self,
        data: &Labelled,
        validation: Option<&Labelled>,
        spec: &FitSpec,
        optimizer: &mut dyn Optimizer,
        checkpoints: &mut Checkpoints,
        workspace: &mut Workspace,
    ) -> Result<History, TrainingError> {
        fit(&mut Training { network: self, data, validation }, optimizer, spec, checkpoints, workspace)
    }

    /// The mean squared error on `pictures`.
    pub fn mse(&self, pictures: &Tensor, workspace: &mut Workspace) -> f64 {
        let decoded = self.reconstruct(pictures, workspace);
        let pairs = decoded.as_slice().iter().zip(pictures.as_slice());
        pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / pictures.len() as f64
    }

    fn record(&self, tape: &mut Tape, pictures: Var) -> Var {
        let code = self.encoder.forward(tape, pictures);
        self.decoder.forward(tape, code)
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The codes of `pictures` as rows `[N, h]`.
    pub fn codes(&self, pictures: &Tensor, workspace: &mut Workspace) -> Tensor {
        batches::map_rows(&self.params, pictures, self.spec.code_size, workspace, |tape, batch| {
            self.encoder.forward(tape, batch)
        })
    }

    /// The reconstructions of `pictures` as rows `[N, H * W * C]`, unclipped.
    pub fn reconstruct(&self, pictures: &Tensor, workspace: &mut Workspace) -> Tensor {
        let [h, w, c] = self.spec.picture;
        batches::map_rows(&self.params, pictures, h * w * c, workspace, |tape, batch| self.record(tape, batch))
    }
}

/// A network and what it is trained on.
struct Training<'a> {
    network: &'a mut ConvAutoencoder,
    data: &'a Labelled,
    validation: Option<&'a Labelled>,
}

impl Trainable for Training<'_> {
    fn params(&self) -> &Params {
        &self.network.params
    }

    fn params_mut(&mut self) -> &mut Params {
        &mut self.network.params
    }

    fn samples(&self) -> usize {
        self.data.count()
    }

    fn gradients(&self, batch: &[usize], workspace: &mut Workspace) -> (f64, Gradients) {
        let pictures = batches::gather(&self.data.pictures, batch, workspace);
        let mut tape = Tape::with_params(&self.network.params, workspace);
        let input = tape.input(&pictures);
        let decoded = self.network.record(&mut tape, input);
        let loss = tape.mse_loss(decoded, input);
        let value = f64::from(tape.value(loss).item());
        let gradients = tape.backward(loss);
        workspace.give(pictures);
        (value, gradients)
    }

    fn validate(&self, workspace: &mut Workspace) -> Option<f64> {
        Some(self.network.mse(&self.validation?.pictures, workspace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns_to_reconstruct_and_its_sizes_fit() {
        let pictures = Tensor::from_fn([64, 8, 8, 1], |i| {
            let (n, y, x) = (i / 64, i / 8 % 8, i % 8);
            (y as f32 * 0.5 + n as f32).sin() * (x as f32 * 0.4 + n as f32 * 0.2).cos()
        });
        let data = Labelled { pictures, labels: vec![0; 64] };
        let mut cae = ConvAutoencoder::new(CaeSpec { picture: [8, 8, 1], widths: [6, 8], code_size: 5 }, 1);
        let mut workspace = Workspace::new();
        let config = CaeTraining { epochs: 40, batch_size: 16, lr: 5e-3, seed: 2 };
        let losses = cae.train(&data, &config, &mut workspace).unwrap();
        assert!(losses[39] < 0.3 * losses[0], "{losses:?}");
        assert_eq!(cae.codes(&data.pictures, &mut workspace).shape().dims(), [64, 5]);
        assert_eq!(cae.reconstruct(&data.pictures, &mut workspace).shape().dims(), [64, 64]);
    }
}
