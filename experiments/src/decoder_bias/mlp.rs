//! A perceptron from the code to the pixels: what a non-linear decoder of whole pictures makes of a code.
//!
//! It learns what the best linear decoder leaves over, and begins with adding nothing to it, so it is never worse than that one
//! on validation pictures. From the mean picture it would need many times the steps to come so far, and its error would say how
//! long it was trained.

use crate::{
    batches,
    finetune::{Hidden, Mlp},
    linear_algebra::{Ridge, Rows, Standardiser},
    linear_decoder::best_linear_decoder,
    training::{Checkpoints, FitSpec, Trainable, TrainingError, fit},
};
use patchgrad::{
    Gradients, Params, Tape, Tensor, Workspace,
    ops::Activation,
    optim::{Adam, AdamConfig, Schedule},
    random::stream,
};

/// Rows of a step.
pub const BATCH_SIZE: usize = 64;
/// Learning rate of Adam at the beginning; it falls to 0 along half a cosine, because epochs are few.
const LR: f64 = 2e-3;
/// Epochs without a better one before training stops.
const PATIENCE: usize = 3;

/// Codes `[N, h]` and the pictures they stand for, of d pixels each.
#[derive(Clone, Copy, Debug)]
pub struct Pairs<'a> {
    /// `[N, h]`.
    pub codes: &'a Tensor,
    /// `[N, d]`, or `[N, H, W, C]`, which is the same in memory.
    pub pixels: &'a Tensor,
}

impl<'a> Pairs<'a> {
    /// The pixels as rows.
    fn rows(&self) -> Rows<'a> {
        let count = self.codes.shape().dims()[0];
        Rows::new(self.pixels.as_slice(), self.pixels.len() / count.max(1))
    }
}

/// The best linear decoder, and linear layers with ReLU between them on standardised codes whose sum is added to it.
#[derive(Clone, Debug)]
pub struct MlpDecoder {
    linear: Ridge,
    scale: Standardiser,
    params: Params,
    network: Mlp,
    pixels: usize,
    /// Epochs after which the validation error was lowest; 0 if that was the best linear decoder's.
    pub epochs: usize,
}

impl MlpDecoder {
    /// Trains on the mean squared error for at most `epochs`; the parameters of the epoch with the lowest error on
    /// `validation` are kept, or none where the linear decoder alone has a lower one.
    ///
    /// # Errors
    /// When the loss is no longer finite, or a code is not from the beginning.
    pub fn fit(
        train: Pairs,
        validation: Pairs,
        hidden: &[usize],
        epochs: usize,
        seed: u64,
        workspace: &mut Workspace,
    ) -> Result<Self, TrainingError> {
        let (code_size, pixels) = (train.codes.shape().dims()[1], train.rows().columns());
        let scale = Standardiser::fit(Rows::new(train.codes.as_slice(), code_size));
        let (mut params, mut init) = (Params::new(), stream(seed, "mlp-decoder-init", 0));
        let relu = |&features: &usize| Hidden { features, activation: Activation::Relu };
        let hidden: Vec<Hidden> = hidden.iter().map(relu).collect();
        let network = Mlp::new(&mut params, [code_size, pixels], &hidden, &mut init);
        silence(&mut params);
        let (linear, linear_mse) =
            best_linear_decoder([train.codes, validation.codes], [train.rows(), validation.rows()])
                .map_err(|_| TrainingError::NotFinite { layer: "the best linear decoder".to_string(), step: 0 })?;
        let mut decoder = Self { linear, scale, params, network, pixels, epochs: 0 };
        let [left, validation_left] = [train, validation].map(|pairs| {
            let decoded = decoder.linear.predict(Rows::new(pairs.codes.as_slice(), code_size));
            let whole = pairs.pixels.as_slice();
            Tensor::from_fn([pairs.rows().count(), pixels], |at| whole[at] - decoded[at])
        });
        let [codes, validation_codes] = [train.codes, validation.codes].map(|codes| decoder.standardised(codes));
        let mut training = Training {
            decoder: &mut decoder,
            train: Pairs { codes: &codes, pixels: &left },
            validation: Pairs { codes: &validation_codes, pixels: &validation_left },
        };
        let steps = (epochs * training.samples().div_ceil(BATCH_SIZE)).max(1);
        let schedule = Schedule::Cosine { t_max: steps as u64, eta_min: 0.0 };
        let spec = FitSpec { patience: Some(PATIENCE), schedule, ..FitSpec::new(epochs, BATCH_SIZE, LR, seed) };
        let mut optimizer = Adam::new(AdamConfig::new(LR));
        let history = fit(&mut training, &mut optimizer, &spec, &mut Checkpoints::none(), workspace)?;
        let best = training.validate(workspace).filter(|mse| *mse < linear_mse);
        match best {
            Some(_) => decoder.epochs = history.best_epoch.map_or(0, |epoch| epoch + 1),
            None => silence(&mut decoder.params),
        }
        Ok(decoder)
    }

    fn standardised(&self, codes: &Tensor) -> Tensor {
        Tensor::new(codes.shape(), &self.scale.apply(Rows::new(codes.as_slice(), codes.shape().dims()[1])))
    }

    /// Pictures as rows `[N, d]` from codes `[N, h]`, unclipped.
    pub fn decode(&self, codes: &Tensor, workspace: &mut Workspace) -> Tensor {
        let mut decoded = self.decode_standardised(&self.standardised(codes), workspace);
        let linear = self.linear.predict(Rows::new(codes.as_slice(), codes.shape().dims()[1]));
        decoded.as_mut_slice().iter_mut().zip(linear).for_each(|(sum, linear)| *sum += linear);
        decoded
    }

    /// What is added to the linear decoder's picture.
    fn decode_standardised(&self, codes: &Tensor, workspace: &mut Workspace) -> Tensor {
        batches::map_rows(&self.params, codes, self.pixels, workspace, |tape, batch| self.network.record(tape, batch))
    }
}

/// Makes the last layer 0, and with it what the perceptron adds.
fn silence(params: &mut Params) {
    for name in ["head.weight", "head.bias"] {
        let id = params.find(name).expect("the last layer has weights and a bias");
        params.get_mut(id).as_mut_slice().fill(0.0);
    }
}

/// A decoder and what it is trained on; codes are standardised, pixels are what the linear decoder leaves over.
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
        // What no linear decoder finds is the larger part of the product.
        assert!(linear.0 > 0.01 && hidden.0 < 0.001, "{} and {}", linear.0, hidden.0);
        let none = MlpDecoder::fit(train, validation, &[32], 0, 1, &mut Workspace::new()).unwrap();
        assert_eq!(none.epochs, 0, "the linear decoder alone");
        assert!(hidden.2 > 0 && hidden.2 <= 60);
        assert_eq!(hidden.1, fit(&[32], 1).1);
        assert_ne!(hidden.1, fit(&[32], 2).1);
    }
}
