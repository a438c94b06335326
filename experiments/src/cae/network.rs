//! The network: layers, training, codes, reconstructions.

use super::{CaeError, CaeSpec, CaeTraining, Code, Downsampling, variational::Normal};
use crate::{
    batches,
    data::Labelled,
    pictures::PictureSource,
    training::{Checkpoints, FitSpec, History, Trainable, TrainingError, fit},
};
use patchgrad::{
    Gradients, Params, Tape, Tensor, Var, Workspace,
    autograd::IndicesVar,
    layers::{Conv2d, ConvTranspose2d, Layer},
    ops::{Conv2dSpec, ConvTranspose2dSpec, MaxPool2dSpec},
    optim::{Adam, AdamConfig, Optimizer},
    random::{Stream, stream},
};

/// A convolutional auto-encoder that is trained end to end on the mean squared error; a variational one on
/// `1/2 |x - decoded|^2 + beta * KL`, meaned over the pictures.
#[derive(Clone, Debug)]
pub struct ConvAutoencoder {
    spec: CaeSpec,
    params: Params,
    /// Convolutions that halve the size (with switches: before they are pooled).
    down: Vec<Conv2d>,
    /// To the code, or its mean.
    code: Conv2d,
    /// To the logarithm of its variance.
    log_variance: Option<Conv2d>,
    /// From the code.
    whole: ConvTranspose2d,
    up: Vec<Up>,
}

/// Pictures `[N, H, W, C]`, and what their reconstruction should be: the pictures themselves, or cleaner ones.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    /// What the encoder sees.
    pub inputs: &'a dyn PictureSource,
    /// What the decoder is held to.
    pub targets: &'a dyn PictureSource,
}

impl<'a> Examples<'a> {
    /// Pictures that are to be reconstructed as they are.
    pub fn of(pictures: &'a dyn PictureSource) -> Self {
        Self { inputs: pictures, targets: pictures }
    }

    fn is_plain(&self) -> bool {
        std::ptr::addr_eq(self.inputs, self.targets)
    }
}

/// A layer that doubles the size, or follows an un-pooling that does.
#[derive(Clone, Copy, Debug)]
enum Up {
    Transposed(ConvTranspose2d),
    Unpooled(Conv2d),
}

/// Where the maxima of each pooling stood.
type Switches = Vec<IndicesVar>;

impl ConvAutoencoder {
    /// A network before training.
    ///
    /// # Panics
    /// With the text of [`CaeSpec::check`] when there is no such network.
    #[track_caller]
    pub fn new(spec: CaeSpec, seed: u64) -> Self {
        Self::try_new(spec, seed).unwrap_or_else(|error| panic!("ConvAutoencoder: {error}"))
    }

    /// A network before training.
    ///
    /// # Errors
    /// When there is no such network: [`CaeSpec::check`].
    pub fn try_new(spec: CaeSpec, seed: u64) -> Result<Self, CaeError> {
        spec.check()?;
        let (mut params, mut init) = (Params::new(), stream(seed, "init", 0));
        let (p, s) = (&mut params, &mut init);
        let same = Conv2dSpec { padding: [1, 1], ..Conv2dSpec::new([3, 3]) };
        let halving = match spec.downsampling {
            Downsampling::Stride => Conv2dSpec { stride: [2, 2], ..same },
            _ => same,
        };
        let mut channels = spec.picture[2];
        let mut down = Vec::new();
        for (index, &width) in spec.widths.iter().enumerate() {
            let conv = Conv2d::new(p, &format!("encoder.{index}"), [channels, width], halving, s);
            let conv = conv.activation(spec.activation);
            down.push(if spec.downsampling == Downsampling::MaxPool { conv.max_pool() } else { conv });
            channels = width;
        }
        let rest = Conv2dSpec::new(spec.rest());
        let code = Conv2d::new(p, &format!("encoder.{}", down.len()), [channels, spec.code_size], rest, s);
        let log_variance = match spec.code {
            Code::Plain => None,
            Code::Variational { .. } => {
                Some(Conv2d::new(p, "encoder.log_variance", [channels, spec.code_size], rest, s))
            }
        };
        let whole = ConvTranspose2dSpec::new(spec.rest());
        let whole =
            ConvTranspose2d::new(p, "decoder.0", [spec.code_size, channels], whole, s).activation(spec.activation);
        let doubling = ConvTranspose2dSpec { stride: [2, 2], ..ConvTranspose2dSpec::new([2, 2]) };
        let mut up = Vec::new();
        for index in 0..spec.widths.len() {
            let below = spec.widths.len() - 1 - index;
            let to = if below == 0 { spec.picture[2] } else { spec.widths[below - 1] };
            let activation = if below == 0 { patchgrad::ops::Activation::Linear } else { spec.activation };
            let (name, channels) = (format!("decoder.{}", index + 1), [spec.widths[below], to]);
            up.push(match spec.downsampling {
                Downsampling::Switches => Up::Unpooled(Conv2d::new(p, &name, channels, same, s).activation(activation)),
                _ => Up::Transposed(ConvTranspose2d::new(p, &name, channels, doubling, s).activation(activation)),
            });
        }
        Ok(Self { spec, params, down, code, log_variance, whole, up })
    }

    /// Trains on `data`; gives the mean loss of each epoch.
    ///
    /// # Errors
    /// When a loss is no longer finite; that step is not taken.
    pub fn train(
        &mut self,
        data: &Labelled,
        config: &CaeTraining,
        workspace: &mut Workspace,
    ) -> Result<Vec<f64>, TrainingError> {
        let spec = FitSpec::new(config.epochs, config.batch_size, config.lr, config.seed);
        let mut optimizer = Adam::new(AdamConfig::new(config.lr));
        let history =
            self.fit(Examples::of(&data.pictures), None, &spec, &mut optimizer, &mut Checkpoints::none(), workspace)?;
        Ok(history.losses)
    }

    /// Trains with any optimiser, schedule and early stopping on the mean squared error of `validation`; saved to and resumed
    /// from `checkpoints`.
    ///
    /// # Errors
    /// As [`fit`].
    ///
    /// # Panics
    /// If inputs and targets differ in shape.
    pub fn fit(
        &mut self,
        train: Examples,
        validation: Option<Examples>,
        spec: &FitSpec,
        optimizer: &mut dyn Optimizer,
        checkpoints: &mut Checkpoints,
        workspace: &mut Workspace,
    ) -> Result<History, TrainingError> {
        for examples in [Some(train), validation].into_iter().flatten() {
            let [inputs, targets] = [examples.inputs, examples.targets].map(|pictures| pictures.size());
            assert_eq!(inputs, targets, "an auto-encoder: inputs and targets");
        }
        let mut training = Training { network: self, train, validation, seed: spec.seed };
        fit(&mut training, optimizer, spec, checkpoints, workspace)
    }

    /// The mean squared error of the reconstructions, of which no more than a batch is kept.
    pub fn mse(&self, examples: Examples, workspace: &mut Workspace) -> f64 {
        let mut target = vec![0.0; self.spec.picture.iter().product()];
        let mut squares = 0.0;
        batches::each_batch(examples.inputs, workspace, |range, batch, workspace| {
            let mut tape = Tape::with_params(&self.params, workspace);
            let input = tape.input(batch);
            let decoded = self.record_reconstruction(&mut tape, input);
            for (picture, decoded) in range.zip(tape.value(decoded).as_slice().chunks(target.len())) {
                examples.targets.copy(picture, 0, &mut target);
                squares += decoded.iter().zip(&target).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
            }
        });
        squares / (examples.inputs.size()[0] * target.len()) as f64
    }

    /// Records what is minimised.
    pub(crate) fn record_loss(&self, tape: &mut Tape, [pictures, targets]: [Var; 2], noise: &mut Stream) -> Var {
        let (code, log_variance, switches) = self.record_encoder(tape, pictures);
        let (Some(log_variance), Code::Variational { beta }) = (log_variance, self.spec.code) else {
            let decoded = self.record_decoder(tape, code, Some(&switches));
            return tape.mse_loss(decoded, targets);
        };
        let normal = Normal { mean: code, log_variance };
        let drawn = normal.draw(tape, noise);
        let decoded = self.record_decoder(tape, drawn, Some(&switches));
        let mse = tape.mse_loss(decoded, targets);
        let error = tape.scale(mse, self.spec.picture.iter().product::<usize>() as f32 / 2.0);
        let divergence = normal.divergence(tape);
        let divergence = tape.scale(divergence, beta);
        tape.add(error, divergence)
    }

    /// Records code (or its mean), logarithm of its variance, and switches.
    fn record_encoder(&self, tape: &mut Tape, pictures: Var) -> (Var, Option<Var>, Switches) {
        let mut switches = Vec::new();
        let map = self.down.iter().fold(pictures, |map, layer| {
            let map = layer.forward(tape, map);
            if self.spec.downsampling != Downsampling::Switches {
                return map;
            }
            let (pooled, at) = tape.max_pool2d(map, &MaxPool2dSpec::new([2, 2]));
            switches.push(at);
            pooled
        });
        let log_variance = self.log_variance.as_ref().map(|layer| layer.forward(tape, map));
        (self.code.forward(tape, map), log_variance, switches)
    }

    /// Records pictures from codes `[N, 1, 1, h]`.
    fn record_decoder(&self, tape: &mut Tape, code: Var, switches: Option<&Switches>) -> Var {
        let map = self.whole.forward(tape, code);
        let levels = (0..self.up.len()).rev();
        self.up.iter().zip(levels).fold(map, |map, (layer, level)| match layer {
            Up::Transposed(layer) => layer.forward(tape, map),
            Up::Unpooled(layer) => {
                let [_, h, w, channels] = tape.shape(map).nhwc().expect("maps are [N, H, W, C]");
                let unpooled = match switches {
                    Some(switches) => tape.max_unpool2d(map, switches[level], [2 * h, 2 * w]),
                    None => {
                        let ones = tape.constant([2, 2, 1, channels], |ones| ones.fill(1.0));
                        let spec = ConvTranspose2dSpec {
                            stride: [2, 2],
                            groups: channels,
                            ..ConvTranspose2dSpec::new([2, 2])
                        };
                        tape.conv_transpose2d(map, ones, None, &spec)
                    }
                };
                layer.forward(tape, unpooled)
            }
        })
    }

    /// What it is.
    pub fn spec(&self) -> &CaeSpec {
        &self.spec
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The parameters, writable.
    pub fn params_mut(&mut self) -> &mut Params {
        &mut self.params
    }

    /// The codes of `pictures` as rows `[N, h]`; of a variational code the mean.
    pub fn codes(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Tensor {
        batches::map_pictures(&self.params, pictures, self.spec.code_size, workspace, |tape, batch| {
            self.record_encoder(tape, batch).0
        })
    }

    /// Pictures decoded from codes `[N, h]`, as rows `[N, H * W * C]`, unclipped; without switches.
    pub fn decode_codes(&self, codes: &Tensor, workspace: &mut Workspace) -> Tensor {
        let pixels = self.spec.picture.iter().product();
        batches::map_rows(&self.params, codes, pixels, workspace, |tape, batch| {
            let count = tape.shape(batch).dims()[0];
            let code = tape.reshape(batch, [count, 1, 1, self.spec.code_size]);
            self.record_decoder(tape, code, None)
        })
    }

    /// The reconstructions of `pictures` as rows `[N, H * W * C]`, unclipped.
    pub fn reconstruct(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Tensor {
        let pixels = self.spec.picture.iter().product();
        let record = |tape: &mut Tape, batch| self.record_reconstruction(tape, batch);
        batches::map_pictures(&self.params, pictures, pixels, workspace, record)
    }

    /// Records what the decoder makes of the code; of a variational one, of its mean.
    fn record_reconstruction(&self, tape: &mut Tape, pictures: Var) -> Var {
        let (code, _, switches) = self.record_encoder(tape, pictures);
        self.record_decoder(tape, code, Some(&switches))
    }
}

/// A network and what it is trained on.
struct Training<'a> {
    network: &'a mut ConvAutoencoder,
    train: Examples<'a>,
    validation: Option<Examples<'a>>,
    /// Of the noise of a variational code.
    seed: u64,
}

impl Trainable for Training<'_> {
    fn params(&self) -> &Params {
        &self.network.params
    }

    fn params_mut(&mut self) -> &mut Params {
        &mut self.network.params
    }

    fn samples(&self) -> usize {
        self.train.inputs.size()[0]
    }

    fn gradients(&self, batch: &[usize], step: u64, workspace: &mut Workspace) -> (f64, Gradients) {
        let pictures = self.train.inputs.gather(batch, workspace);
        let targets = (!self.train.is_plain()).then(|| self.train.targets.gather(batch, workspace));
        let mut tape = Tape::with_params(&self.network.params, workspace);
        let input = tape.input(&pictures);
        let target = targets.as_ref().map_or(input, |targets| tape.input(targets));
        let loss = self.network.record_loss(&mut tape, [input, target], &mut stream(self.seed, "vae", step));
        let value = f64::from(tape.value(loss).item());
        let gradients = tape.backward(loss);
        [Some(pictures), targets].into_iter().flatten().for_each(|tensor| workspace.give(tensor));
        (value, gradients)
    }

    fn validate(&self, workspace: &mut Workspace) -> Option<f64> {
        Some(self.network.mse(self.validation?, workspace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad::ops::Activation;

    fn data() -> Labelled {
        let pictures = Tensor::from_fn([64, 8, 8, 1], |i| {
            let (n, y, x) = (i / 64, i / 8 % 8, i % 8);
            (y as f32 * 0.5 + n as f32).sin() * (x as f32 * 0.4 + n as f32 * 0.2).cos()
        });
        Labelled { pictures: pictures.into(), labels: vec![0; 64] }
    }

    fn small() -> CaeSpec {
        CaeSpec::new([8, 8, 1], &[6, 8], 5)
    }

    fn every_kind() -> Vec<CaeSpec> {
        let [pool, switches, stride] = [Downsampling::MaxPool, Downsampling::Switches, Downsampling::Stride]
            .map(|downsampling| CaeSpec { downsampling, ..small() });
        let variational = CaeSpec { code: Code::Variational { beta: 0.1 }, activation: Activation::Tanh, ..small() };
        vec![pool, switches, stride, variational]
    }

    fn mse(network: &ConvAutoencoder, data: &Labelled, workspace: &mut Workspace) -> f64 {
        let decoded = network.reconstruct(&data.pictures, workspace);
        let pairs = decoded.as_slice().iter().zip(data.pictures.as_slice());
        pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / decoded.len() as f64
    }

    #[test]
    fn every_kind_learns_to_reconstruct_and_its_sizes_fit() {
        let data = data();
        for spec in every_kind() {
            let what = format!("{:?}, {:?}", spec.downsampling, spec.code);
            let mut cae = ConvAutoencoder::new(spec, 1);
            let mut workspace = Workspace::new();
            let before = mse(&cae, &data, &mut workspace);
            let config = CaeTraining { epochs: 40, batch_size: 16, lr: 5e-3, seed: 2 };
            let losses = cae.train(&data, &config, &mut workspace).unwrap();
            let after = mse(&cae, &data, &mut workspace);
            assert!(losses[39] < 0.4 * losses[0] && after < 0.4 * before, "{what}: {losses:?}, {before} {after}");
            let codes = cae.codes(&data.pictures, &mut workspace);
            assert_eq!(codes.shape().dims(), [64, 5]);
            let decoded = cae.decode_codes(&codes, &mut workspace);
            assert_eq!(decoded.shape().dims(), [64, 64]);
            let direct = cae.reconstruct(&data.pictures, &mut workspace);
            assert_eq!(decoded == direct, cae.spec.downsampling != Downsampling::Switches, "{what}");
        }
    }

    #[test]
    fn from_noisy_pictures_it_learns_the_clean_ones() {
        let data = data();
        let mut noisy = data.pictures.tensor().clone();
        let mut random = stream(5, "test", 0);
        for value in noisy.as_mut_slice() {
            let noise: f32 = rand_distr::Distribution::sample(&rand_distr::StandardNormal, &mut random);
            *value += 0.5 * noise;
        }
        let mut cae = ConvAutoencoder::new(CaeSpec::new([8, 8, 1], &[8, 12], 8), 1);
        let pairs = Examples { inputs: &noisy, targets: &data.pictures };
        let (mut workspace, spec) = (Workspace::new(), FitSpec::new(60, 16, 5e-3, 2));
        let mut adam = Adam::new(AdamConfig::new(5e-3));
        cae.fit(pairs, Some(pairs), &spec, &mut adam, &mut Checkpoints::none(), &mut workspace).unwrap();
        let noise = noisy.as_slice().iter().zip(data.pictures.as_slice()).map(|(a, b)| f64::from(a - b).powi(2));
        let noise = noise.sum::<f64>() / noisy.len() as f64;
        let left = cae.mse(pairs, &mut workspace);
        assert!(left < 0.4 * noise, "{left} of {noise}");
        assert!(left < cae.mse(Examples::of(&noisy), &mut workspace), "it reconstructs the noise");
    }

    #[test]
    fn gradients_of_every_kind_agree_with_differences() {
        let data = data();
        let pictures = Tensor::new([3, 8, 8, 1], data.pictures.samples(0..3));
        for spec in every_kind() {
            // A smooth activation has no kinks; the step is small, so that few maxima of windows change place.
            let cae = ConvAutoencoder::new(CaeSpec { activation: Activation::Tanh, ..spec }, 3);
            let value = |params: &Params, gradients: bool| {
                let mut workspace = Workspace::new();
                let mut tape = Tape::with_params(params, &mut workspace);
                let input = tape.input(&pictures);
                let loss = cae.record_loss(&mut tape, [input; 2], &mut stream(1, "vae", 0));
                (f64::from(tape.value(loss).item()), gradients.then(|| tape.backward(loss)))
            };
            let gradients = value(&cae.params, true).1.unwrap();
            let mut checked = 0;
            for (id, name, _) in cae.params.iter() {
                let gradient = gradients.param(id).unwrap_or_else(|| panic!("{name} gets no gradient"));
                // Below a pooling a difference moves switches, and what is put back jumps.
                let below = name.starts_with("encoder.0") || name.starts_with("encoder.1");
                if below && cae.spec.downsampling == Downsampling::Switches {
                    continue;
                }
                let length = gradient.as_slice().iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
                let moved = |step: f64| {
                    let mut params = cae.params.clone();
                    let values = params.get_mut(id).as_mut_slice().iter_mut().zip(gradient.as_slice());
                    values.for_each(|(value, &g)| *value += (step * f64::from(g) / length) as f32);
                    value(&params, false).0
                };
                let numeric = (moved(2e-3) - moved(-2e-3)) / 4e-3;
                let error = (numeric - length).abs() / length.max(1e-3);
                assert!(error < 0.03, "{:?}, {name}: {numeric} {length}", cae.spec.downsampling);
                checked += 1;
            }
            let skipped = if cae.spec.downsampling == Downsampling::Switches { 4 } else { 0 };
            assert_eq!(checked + skipped, cae.params.len());
        }
    }

    #[test]
    fn beta_pulls_the_code_towards_the_standard_normal_distribution() {
        let data = data();
        let size = |beta: f32| {
            let spec = CaeSpec { code: Code::Variational { beta }, ..small() };
            let mut cae = ConvAutoencoder::new(spec, 1);
            let mut workspace = Workspace::new();
            let config = CaeTraining { epochs: 40, batch_size: 16, lr: 5e-3, seed: 2 };
            cae.train(&data, &config, &mut workspace).unwrap();
            let codes = cae.codes(&data.pictures, &mut workspace);
            codes.as_slice().iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / codes.len() as f64
        };
        let (free, bound) = (size(1e-3), size(30.0));
        assert!(bound < 0.1 && bound < 0.1 * free, "mean square of the codes: {free} with beta 0.001, {bound} with 30");
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_noise_included() {
        let data = data();
        let run = |seed: u64| {
            let mut cae = ConvAutoencoder::new(every_kind().remove(3), 1);
            let config = CaeTraining { epochs: 2, batch_size: 16, lr: 5e-3, seed };
            cae.train(&data, &config, &mut Workspace::new()).unwrap();
            cae.params.iter().map(|(_, _, tensor)| tensor.clone()).collect::<Vec<Tensor>>()
        };
        assert_eq!(run(2), run(2));
        assert_ne!(run(2), run(3));
    }

    #[test]
    fn what_cannot_be_is_refused_with_advice() {
        let message = |spec: CaeSpec| ConvAutoencoder::try_new(spec, 1).unwrap_err().to_string();
        assert_eq!(
            message(CaeSpec::new([8, 12, 1], &[2, 2, 2], 4)),
            "pictures of 8x12 cannot be halved 3 times; give fewer widths, or pad to a multiple of 8"
        );
        assert!(message(CaeSpec::new([8, 8, 1], &[], 4)).contains("at least one width"));
        assert!(message(CaeSpec { code: Code::Variational { beta: -1.0 }, ..small() }).contains("beta"));
    }
}
