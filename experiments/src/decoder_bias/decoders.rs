//! The decoders of a code whose encoder stays as it is.

use super::{
    encoder::Encoder,
    mlp::{BATCH_SIZE, MlpDecoder, Pairs},
    row::Decoder,
};
use crate::{
    linear_algebra::Rows,
    linear_decoder::decode_linearly,
    neighbours::{Metric, nearest},
    retrained_decoders::with_new_decoders,
    scae::Scae,
    scores::Reconstruction,
    suite::Parts,
};
use patchgrad::{Tensor, Workspace, layout::transpose, random::stream};
use rand::RngExt;
use rand_distr::StandardNormal;

/// Training pictures on which the scale of transposed weights is fitted, at most.
const SCALE_PICTURES: usize = 1000;

/// How much decoders are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Patches shown to each layer of re-trained decoders: short, medium, long.
    pub patches: [usize; 3],
    /// Epochs of perceptrons, at most.
    pub epochs: usize,
    /// Steps of theirs that there is time for; where pictures are few, epochs are more.
    pub steps: usize,
}

impl Effort {
    /// Epochs of perceptrons on so many pictures, at most.
    pub fn epochs_on(&self, pictures: usize) -> usize {
        self.epochs.max(self.steps.div_ceil(pictures.div_ceil(BATCH_SIZE).max(1)))
    }
}

/// What decoders learn from and are judged on.
pub struct Task<'a> {
    /// Whole pictures: training, validation, test.
    pub parts: &'a Parts<'a>,
    /// All training pictures `[N, H, W, C]`: what patches are cut from.
    pub pictures: &'a Tensor,
    /// How much decoders are trained.
    pub effort: Effort,
}

/// What a decoder makes of the test codes.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Pictures as rows of pixels, unclipped.
    pub test: Vec<f32>,
    /// Mean squared error on validation pictures.
    pub mse_validation: f64,
    /// Patches shown to each layer.
    pub patches: Option<usize>,
    /// Epochs kept.
    pub epochs: Option<usize>,
    /// The fitted scale.
    pub scale: Option<f64>,
}

impl Task<'_> {
    /// Makes a decoder of one kind and decodes with it; `seed` decides what is random about it.
    ///
    /// # Errors
    /// With the reason why there is no such decoder, for its row.
    pub fn decode(&self, encoder: &Encoder, decoder: Decoder, seed: u64) -> Result<Decoded, String> {
        let workspace = &mut Workspace::new();
        let scae = &encoder.scae;
        match decoder {
            Decoder::Own => Ok(self.by_stack(scae, workspace)),
            Decoder::Tied => {
                let sample = self.parts.train.first(SCALE_PICTURES);
                let (tied, scale) = tied(scae, &sample.pictures, workspace).ok_or("no scale gives finite values")?;
                Ok(Decoded { scale: Some(scale), ..self.by_stack(&tied, workspace) })
            }
            Decoder::SlightNoise => Ok(self.by_stack(&with_noise(scae, 0.05, seed), workspace)),
            Decoder::StrongNoise => Ok(self.by_stack(&with_noise(scae, 0.2, seed), workspace)),
            Decoder::RetrainedShort => self.retrained(scae, 0, seed, workspace),
            Decoder::RetrainedMedium => self.retrained(scae, 1, seed, workspace),
            Decoder::RetrainedLong => self.retrained(scae, 2, seed, workspace),
            Decoder::Linear => {
                let [train, validation, test] = self.codes(scae, workspace);
                let [train_part, validation_part, _] = self.parts.all();
                let linear = decode_linearly([&train, &validation, &test], [train_part, validation_part])
                    .map_err(|error| error.to_string())?;
                Ok(plain(linear.pixels, linear.validation_mse))
            }
            Decoder::Mlp => self.perceptron(scae, &[512], seed, workspace),
            Decoder::DeepMlp => self.perceptron(scae, &[1024, 1024], seed, workspace),
            Decoder::Nearest => self.exemplars(scae, workspace),
        }
    }

    fn codes(&self, scae: &Scae, workspace: &mut Workspace) -> [Tensor; 3] {
        self.parts.features(|pictures| scae.codes(pictures, workspace))
    }

    fn validation_mse(&self, decoded: &[f32]) -> f64 {
        Reconstruction::score(&self.parts.validation.pictures, decoded).mse
    }

    /// By the decoders of a stack.
    fn by_stack(&self, scae: &Scae, workspace: &mut Workspace) -> Decoded {
        let [validation, test] =
            [self.parts.validation, self.parts.test].map(|part| scae.reconstruct(&part.pictures, workspace));
        plain(test.as_slice().to_vec(), self.validation_mse(validation.as_slice()))
    }

    fn retrained(&self, scae: &Scae, level: usize, seed: u64, workspace: &mut Workspace) -> Result<Decoded, String> {
        let samples_per_layer = self.effort.patches[level];
        let retrained = with_new_decoders(scae, self.pictures, samples_per_layer, [seed, level as u64], workspace)
            .map_err(|error| error.to_string())?;
        Ok(Decoded { patches: Some(samples_per_layer), ..self.by_stack(&retrained, workspace) })
    }

    fn perceptron(
        &self,
        scae: &Scae,
        hidden: &[usize],
        seed: u64,
        workspace: &mut Workspace,
    ) -> Result<Decoded, String> {
        let [train, validation, test] = self.codes(scae, workspace);
        let [pixels, validation_pixels] =
            [&*self.parts.train, self.parts.validation].map(|part| part.pictures.tensor());
        let train = Pairs { codes: &train, pixels };
        let known = Pairs { codes: &validation, pixels: validation_pixels };
        let epochs = self.effort.epochs_on(self.parts.train.count());
        let decoder =
            MlpDecoder::fit(train, known, hidden, epochs, seed, workspace).map_err(|error| error.to_string())?;
        let mse_validation = self.validation_mse(decoder.decode(&validation, workspace).as_slice());
        let decoded = decoder.decode(&test, workspace);
        Ok(Decoded { epochs: Some(decoder.epochs), ..plain(decoded.as_slice().to_vec(), mse_validation) })
    }

    /// The training pictures whose codes are nearest.
    fn exemplars(&self, scae: &Scae, workspace: &mut Workspace) -> Result<Decoded, String> {
        let [train, validation, test] = self.codes(scae, workspace);
        let columns = scae.spec().code_size();
        let mut decode = |codes: &Tensor| {
            let references = Rows::new(train.as_slice(), columns);
            let found = nearest(Rows::new(codes.as_slice(), columns), references, 1, Metric::Euclidean, workspace)
                .map_err(|error| error.to_string())?;
            let picture = |at: usize| self.parts.train.pictures.samples(at..at + 1);
            Ok::<_, String>(found.iter().flat_map(|near| picture(near.index as usize)).copied().collect::<Vec<f32>>())
        };
        let (validation, test) = (decode(&validation)?, decode(&test)?);
        Ok(plain(test, self.validation_mse(&validation)))
    }
}

fn plain(test: Vec<f32>, mse_validation: f64) -> Decoded {
    Decoded { test, mse_validation, patches: None, epochs: None, scale: None }
}

/// The stack with the weights of its decoders replaced, layer by layer; biases stay.
fn with_decoder_weights(scae: &Scae, mut weight: impl FnMut(usize, &Tensor) -> Tensor) -> Scae {
    let mut changed = scae.clone();
    for layer in 0..scae.spec().layers.len() {
        let name = format!("layer{layer}.decoder.weight");
        // A decoder without a weight of its own stays.
        let Some(id) = scae.params().find(&name) else { continue };
        *changed.params_mut().get_mut(id) = weight(layer, scae.params().get(id));
    }
    changed
}

/// The stack with normal noise on the weights of its decoders, of `share` times their root mean square in each layer.
fn with_noise(scae: &Scae, share: f64, seed: u64) -> Scae {
    with_decoder_weights(scae, |layer, weight| {
        let squares: f64 = weight.as_slice().iter().map(|&w| f64::from(w).powi(2)).sum();
        let deviation = share * (squares / weight.len() as f64).sqrt();
        let mut random = stream(seed, "decoder-noise", layer as u64);
        Tensor::from_fn(weight.shape(), |i| {
            let noise: f64 = random.sample(StandardNormal);
            (f64::from(weight.as_slice()[i]) + deviation * noise) as f32
        })
    })
}

/// The stack with the transposed weights of its encoders, times `scale`, as those of its decoders; biases stay.
fn transposed(scae: &Scae, scale: f64) -> Scae {
    with_decoder_weights(scae, |layer, own| {
        let id = scae.params().find(&format!("layer{layer}.encoder.weight"));
        let Some(encoder) = id.map(|id| scae.params().get(id)) else { return own.clone() };
        let [features, patch] = [own.shape().dims()[0], own.shape().dims()[1]];
        let rows = encoder.clone().reshape([patch, features]).expect("a weight has a column for each feature");
        let turned = transpose(&rows);
        Tensor::from_fn(own.shape(), |i| (scale * f64::from(turned.as_slice()[i])) as f32)
    })
}

/// [`transposed`] with the scale, the same for all layers, that gives `pictures` the smallest error: the best of a grid of
/// eighths of a decade, refined by golden sections. `None` when no error is finite.
fn tied(scae: &Scae, pictures: &Tensor, workspace: &mut Workspace) -> Option<(Scae, f64)> {
    let mut error = |exponent: f64| {
        let decoded = transposed(scae, 10_f64.powf(exponent)).reconstruct(pictures, workspace);
        let mse = Reconstruction::score(pictures, decoded.as_slice()).mse;
        if mse.is_nan() { f64::INFINITY } else { mse }
    };
    let grid = (-16..=16).map(|step| f64::from(step) / 8.0).map(|exponent| (exponent, error(exponent)));
    let (best, least) = grid.min_by(|a, b| a.1.total_cmp(&b.1))?;
    if least.is_infinite() {
        return None;
    }
    let ratio = (5_f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (best - 0.125, best + 0.125);
    for _ in 0..12 {
        let [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
        if error(a) <= error(b) { high = b } else { low = a }
    }
    let refined = (low + high) / 2.0;
    let exponent = if error(refined) <= least { refined } else { best };
    Some((transposed(scae, 10_f64.powf(exponent)), 10_f64.powf(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        scae::{Geometry, LayerSpec, ScaeSpec},
        units::UnitSpec,
    };
    use patchgrad::ops::Activation;

    /// One linear layer over whole pictures of four pixels: an orthonormal encoder of two features, times `factor`.
    fn linear(factor: f32) -> Scae {
        let unit = UnitSpec::standard(Activation::Linear, Activation::Linear);
        let layers = vec![LayerSpec { geometry: Geometry::from_list(&[2]).layers()[0], features: 2, unit }];
        let mut scae = Scae::new(ScaeSpec { picture: [2, 2, 1], layers }, &mut stream(1, "init", 0));
        let id = scae.params().find("layer0.encoder.weight").unwrap();
        let weight = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0].map(|w| factor * w);
        scae.params_mut().get_mut(id).as_mut_slice().copy_from_slice(&weight);
        scae
    }

    #[test]
    fn the_scale_of_transposed_weights_undoes_that_of_the_encoder() {
        // Codes are 0.5 times the first two pixels, so 2 is the scale beside the weights' own 0.5: 2 * 0.5 * 0.5 x != x; 4 is.
        let pictures =
            Tensor::from_fn([20, 2, 2, 1], |i| if i % 4 < 2 { ((i * 37) % 11) as f32 / 5.0 - 1.0 } else { 0.0 });
        let workspace = &mut Workspace::new();
        let (tied, scale) = tied(&linear(0.5), &pictures, workspace).unwrap();
        assert!((scale - 4.0).abs() < 0.02, "{scale}");
        let decoded = tied.reconstruct(&pictures, workspace);
        assert!(Reconstruction::score(&pictures, decoded.as_slice()).mse < 1e-4);
        let broken = linear(f32::NAN);
        assert!(super::tied(&broken, &pictures, workspace).is_none());
    }

    #[test]
    fn noise_has_the_size_asked_for_and_leaves_the_encoder() {
        let unit = UnitSpec::standard(Activation::Softsign, Activation::Linear);
        let layers = vec![LayerSpec { geometry: Geometry::from_list(&[8]).layers()[0], features: 64, unit }];
        let scae = Scae::new(ScaeSpec { picture: [8, 8, 1], layers }, &mut stream(1, "init", 0));
        let noisy = with_noise(&scae, 0.2, 7);
        let values = |scae: &Scae, name: &str| scae.params().get(scae.params().find(name).unwrap()).clone();
        let size = |values: &[f32]| values.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>();
        let [before, after] = [&scae, &noisy].map(|scae| values(scae, "layer0.decoder.weight"));
        let difference: Vec<f32> = before.as_slice().iter().zip(after.as_slice()).map(|(a, b)| a - b).collect();
        let share = (size(&difference) / size(before.as_slice())).sqrt();
        assert!((share - 0.2).abs() < 0.01, "{share}");
        assert_eq!(values(&scae, "layer0.encoder.weight"), values(&noisy, "layer0.encoder.weight"));
        assert_eq!(after, values(&with_noise(&scae, 0.2, 7), "layer0.decoder.weight"));
        assert_ne!(after, values(&with_noise(&scae, 0.2, 8), "layer0.decoder.weight"));
    }
}
