//! A perceptron from the code to the pixels: what a non-linear decoder of whole pictures makes of a code.

use crate::{
    batches,
    finetune::{Hidden, Mlp},
    linear_algebra::{Rows, Standardiser},
    training::{Checkpoints, FitSpec, Trainable, TrainingError, fit},
};
use patchgrad::{
    Gradients, Params, Tape, Tensor, Workspace,
    ops::Activation,
    optim::{Adam, AdamConfig, Schedule},
    random::stream,
};

/// Rows of a step.
const BATCH_SIZE: usize = 64;
/// Learning rate of Adam at the beginning; it falls to 0 along half a cosine, because epochs are few.
const LR: f64 = 2e-3;
/// Epochs without a better one before training stops.
const PATIENCE: usize = 3;

/// Codes `[N, h]` and the pictures they stand for, as rows of pixels `[N, d]`.
#[derive(Clone, Copy, Debug)]
pub struct Pairs<'a> {
    /// `[N, h]`.
    pub codes: &'a Tensor,
    /// `[N, d]`.
    pub pixels: &'a Tensor,
}

/// Linear layers with ReLU between them, on standardised codes.
#[derive(Clone, Debug)]
pub struct MlpDecoder {
    scale: Standardiser,
    params: Params,
    network: Mlp,
    pixels: usize,
    /// Epochs after which the validation error was lowest.
    pub epochs: usize,
}

impl MlpDecoder {
    /// Trains on the mean squared error for at most `epochs`; the parameters of the epoch with the lowest error on
    /// `validation` are kept. It begins at the mean picture.
    ///
    /// # Errors
    /// When the loss is no longer finite.
    pub fn fit(
        train: Pairs,
        validation: Pairs,
        hidden: &[usize],
        epochs: usize,
        seed: u64,
        workspace: &mut Workspace,
    ) -> Result<Self, TrainingError> {
        let [code_size, pixels] = [train.codes, train.pixels].map(|rows| rows.shape().dims()[1]);
        let scale = Standardiser::fit(Rows::new(train.codes.as_slice(), code_size));
        let (mut params, mut init) = (Params::new(), stream(seed, "mlp-decoder-init", 0));
        let relu = |&features: &usize| Hidden { features, activation: Activation::Relu };
        let hidden: Vec<Hidden> = hidden.iter().map(relu).collect();
        let network = Mlp::new(&mut params, [code_size, pixels], &hidden, &mut init);
        let bias = params.find("head.bias").expect("the last layer has a bias");
        let mean = Standardiser::fit(Rows::new(train.pixels.as_slice(), pixels));
        for (bias, &mean) in params.get_mut(bias).as_mut_slice().iter_mut().zip(mean.mean()) {
            *bias = mean as f32;
        }
        let mut decoder = Self { scale, params, network, pixels, epochs: 0 };
        let [codes, validation_codes] = [train.codes, validation.codes].map(|codes| decoder.standardised(codes));
        let mut training = Training {
            decoder: &mut decoder,
            train: Pairs { codes: &codes, pixels: train.pixels },
            validation: Pairs { codes: &validation_codes, pixels: validation.pixels },
        };
        let steps = (epochs * training.samples().div_ceil(BATCH_SIZE)).max(1);
        let schedule = Schedule::Cosine { t_max: steps as u64, eta_min: 0.0 };
        let spec = FitSpec { patience: Some(PATIENCE), schedule, ..FitSpec::new(epochs, BATCH_SIZE, LR, seed) };
        let mut optimizer = Adam::new(AdamConfig::new(LR));
        let history = fit(&mut training, &mut optimizer, &spec, &mut Checkpoints::none(), workspace)?;
        decoder.epochs = history.best_epoch.map_or(0, |epoch| epoch + 1);
        Ok(decoder)
    }

    fn standardised(&self, codes: &Tensor) -> Tensor {
        Tensor::new(codes.shape(), &self.scale.apply(Rows::new(codes.as_slice(), codes.shape().dims()[1])))
    }

    /// Pictures as rows `[N, d]` from codes `[N, h]`, unclipped.
    pub fn decode(&self, codes: &Tensor, workspace: &mut Workspace) -> Tensor {
        self.decode_standardised(&self.standardised(codes), workspace)
    }

    fn decode_standardised(&self, codes: &Tensor, workspace: &mut Workspace) -> Tensor {
        batches::map_rows(&self.params, codes, self.pixels, workspace, |tape, batch| self.network.record(tape, batch))
    }
}

/// A decoder and what it is trained on; codes are standardised.
struct Training<'a> {
    decoder: &'a mut MlpDecoder,
    train: Pairs<'a>,
    validation: Pairs<'a>,
}

impl Trainable for Training<'_> {
    fn params(&self) -> &Params {
        &self.decoder.params
    }

    fn params_mut(&mut self) -> &mut Params {
        &mut self.decoder.params
    }

    fn samples(&self) -> usize {
        self.train.codes.shape().dims()[0]
    }

    fn gradients(&self, batch: &[usize], _: u64, workspace: &mut Workspace) -> (f64, Gradients) {
        let [codes, pixels] = [self.train.codes, self.train.pixels].map(|rows| batches::gather(rows, batch, workspace));
        let mut tape = Tape::with_params(&self.decoder.params, workspace);
        let [input, target] = [&codes, &pixels].map(|rows| tape.input(rows));
        let decoded = self.decoder.network.record(&mut tape, input);
        let loss = tape.mse_loss(decoded, target);
        let value = f64::from(tape.value(loss).item());
        let gradients = tape.backward(loss);
        [codes, pixels].into_iter().for_each(|tensor| workspace.give(tensor));
        (value, gradients)
    }

    fn validate(&self, workspace: &mut Workspace) -> Option<f64> {
        let decoded = self.decoder.decode_standardised(self.validation.codes, workspace);
        let pairs = decoded.as_slice().iter().zip(self.validation.pixels.as_slice());
        Some(pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / decoded.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes of two values in [-1, 1] and pictures of three: the codes, and their product, which no linear decoder finds.
    fn pairs(count: usize, salt: usize) -> [Tensor; 2] {
        let value = |i: usize| (((i + salt) * 7919) % 1009) as f32 / 504.5 - 1.0;
        let codes = Tensor::from_fn([count, 2], value);
        let pixels = Tensor::from_fn([count, 3], |i| {
            let code = &codes.as_slice()[2 * (i / 3)..][..2];
            if i % 3 == 2 { code[0] * code[1] } else { code[i % 3] }
        });
        [codes, pixels]
    }

    #[test]
    fn it_learns_what_is_not_linear_and_gives_the_same_bits_again() {
        let ([codes, pixels], [validation_codes, validation_pixels]) = (pairs(400, 0), pairs(100, 5000));
        let (train, validation) =
            (Pairs { codes: &codes, pixels: &pixels }, Pairs { codes: &validation_codes, pixels: &validation_pixels });
        let workspace = &mut Workspace::new();
        let mut fit = |hidden: &[usize], seed| {
            let decoder = MlpDecoder::fit(train, validation, hidden, 60, seed, workspace).unwrap();
            let decoded = decoder.decode(&validation_codes, workspace);
            let error = decoded.as_slice().iter().zip(validation_pixels.as_slice()).map(|(a, b)| (a - b).powi(2));
            (error.sum::<f32>() / 300.0, decoded, decoder.epochs)
        };
        let (linear, hidden) = (fit(&[], 1), fit(&[32], 1));
        // The product has a variance of 1/9, a third of which is the mean over the three values.
        assert!(linear.0 > 0.02 && hidden.0 < 0.01, "{} and {}", linear.0, hidden.0);
        assert!(hidden.2 > 0 && hidden.2 <= 60);
        assert_eq!(hidden.1, fit(&[32], 1).1);
        assert_ne!(hidden.1, fit(&[32], 2).1);
    }
}
