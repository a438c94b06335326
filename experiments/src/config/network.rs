//! `[network]`: what learns, and building it.

use super::{ConfigError, DataConfig, Part, SetKind, TrainingConfig};
use crate::{
    autoencoder::Autoencoder,
    cae::{CaeSpec, Code, ConvAutoencoder, Downsampling},
    scae::{LayerGeometry, LayerSpec, Scae, ScaeError, ScaeSpec, train_resumable},
    training::{Checkpoints, TrainingError},
    units::{Descent, UnitSpec, named},
};
use patchgrad::{Params, Workspace, ops::Activation, random::stream};
use serde::{Deserialize, Serialize};

/// What learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkKind {
    /// A stack of units, trained one after the other on patches.
    Scae,
    /// A convolutional auto-encoder that is trained end to end.
    Cae,
}

/// One layer of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerConfig {
    /// Width of the window that a position sees.
    pub kernel: usize,
    /// Pixels between neighbouring positions.
    #[serde(default = "one")]
    pub offset: usize,
    /// Numbers of a position's code.
    pub features: usize,
    /// How a position is encoded and decoded.
    #[serde(default = "standard")]
    pub unit: UnitSpec,
}

fn one() -> usize {
    1
}

fn standard() -> UnitSpec {
    UnitSpec::standard(Activation::Softsign, Activation::Linear)
}

/// What learns. A stack has `layers`; an end-to-end network `widths` and `code_size`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Which kind.
    pub kind: NetworkKind,
    /// H, W, C of a picture; by default those of the data, for pages the smallest that the stack sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<[usize; 3]>,
    /// End-to-end: channels after each halving of the size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub widths: Vec<usize>,
    /// End-to-end: length of the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_size: Option<usize>,
    /// End-to-end: how sizes are halved and doubled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downsampling: Option<Downsampling>,
    /// End-to-end: of all layers but the code and the output.
    #[serde(default, with = "named::optional", skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,
    /// End-to-end: weight of the divergence; with it the code is variational.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<f32>,
    /// Of a stack, lowest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerConfig>,
}

/// Of an end-to-end network that names none.
const DEFAULT_ACTIVATION: Activation = Activation::Relu;

/// Weights that a network may have: 4 GB, and four times as much while Adam trains it.
const MOST_WEIGHTS: u128 = 1 << 30;

impl NetworkConfig {
    /// Checks what can be checked without the pictures.
    pub(super) fn check(&self, data: &DataConfig, training: &TrainingConfig) -> Result<(), ConfigError> {
        let wrong = |key: &str, rule: &str| Err(ConfigError::value(format!("network.{key}"), rule));
        match self.kind {
            NetworkKind::Scae => {
                if self.layers.is_empty() {
                    return wrong("layers", "a stack needs at least one [[network.layers]]");
                }
                let end_to_end_only = [
                    ("widths", !self.widths.is_empty()),
                    ("code_size", self.code_size.is_some()),
                    ("downsampling", self.downsampling.is_some()),
                    ("activation", self.activation.is_some()),
                    ("beta", self.beta.is_some()),
                ];
                if let Some((key, _)) = end_to_end_only.iter().find(|(_, is_given)| *is_given) {
                    let text = "is for kind = \"cae\"; a stack has layers with features, whose units have activations of their own";
                    return wrong(key, text);
                }
                for (at, layer) in self.layers.iter().enumerate() {
                    let sizes = [("kernel", layer.kernel), ("offset", layer.offset), ("features", layer.features)];
                    if let Some((key, _)) = sizes.iter().find(|(_, size)| *size == 0) {
                        return wrong(&format!("layers[{at}].{key}"), "must be at least 1");
                    }
                }
                if let Some(key) = training.end_to_end_only() {
                    let text = "is for kind = \"cae\"; greedy training takes its last tenth at a tenth of the rate";
                    return Err(ConfigError::value(format!("training.{key}"), text));
                }
                if data.set == SetKind::Pairs {
                    return wrong("kind", "pairs of pictures need an end-to-end network, kind = \"cae\"");
                }
            }
            NetworkKind::Cae => {
                if !self.layers.is_empty() {
                    return wrong(
                        "layers",
                        "are for kind = \"scae\"; an end-to-end network has widths and a code_size",
                    );
                }
                if training.optimizer == Descent::SgdWithNormRule {
                    let text = "the norm rule is for the linear units of a stack, kind = \"scae\"";
                    return Err(ConfigError::value("training.optimizer", text));
                }
                if self.code_size.is_none() {
                    return wrong("code_size", "must be given: the length of the code");
                }
                if data.set == SetKind::SyntheticPages {
                    return wrong(
                        "kind",
                        "pages need a stack, kind = \"scae\": their pixels are classified by patches",
                    );
                }
            }
        }
        let known = match data.set {
            SetKind::Mnist | SetKind::FashionMnist => Some([28, 28, 1]),
            SetKind::SyntheticS1 => Some([16, 16, 1]),
            SetKind::Cifar10 | SetKind::Cifar100 | SetKind::Svhn | SetKind::Svhn1083 => {
                Some([32, 32, data.color_space.channels()])
            }
            SetKind::SyntheticPages => self.smallest([0, 0, data.color_space.channels()]),
            _ => None,
        };
        match self.picture.or(known) {
            Some(picture) => self.check_for(picture),
            None => Ok(()),
        }
    }

    /// Gives what an end-to-end network leaves to its defaults the values that it has then.
    pub(super) fn fill_in_defaults(&mut self) {
        if self.kind == NetworkKind::Cae {
            self.downsampling.get_or_insert_default();
            self.activation.get_or_insert(DEFAULT_ACTIVATION);
        }
    }

    /// The smallest picture that a stack sees, with the channels of `picture`.
    fn smallest(&self, [_, _, channels]: [usize; 3]) -> Option<[usize; 3]> {
        let mut sizes = self.layers.iter().rev();
        let width =
            sizes.try_fold(1_usize, |width, layer| (width - 1).checked_mul(layer.offset)?.checked_add(layer.kernel));
        width.map(|width| [width, width, channels])
    }

    /// Checks the network for pictures of this shape.
    ///
    /// # Errors
    /// With the key, and what would fit.
    pub fn check_for(&self, picture: [usize; 3]) -> Result<(), ConfigError> {
        // First: what follows multiplies sizes.
        let weights = self.weights(picture);
        if weights > MOST_WEIGHTS {
            let gigabytes = weights / 250_000_000;
            let text = format!(
                "would have {weights} weights, {gigabytes} GB; at most {MOST_WEIGHTS} are possible: take fewer features, or a shorter code"
            );
            return Err(ConfigError::value("network", text));
        }
        match self.kind {
            NetworkKind::Scae => self.stack(picture).check().map_err(|error| match error {
                ScaeError::Unit { layer, error } => {
                    ConfigError::value(format!("network.layers[{layer}].unit"), error.to_string())
                }
                other => ConfigError::value("network.layers", other.to_string()),
            }),
            NetworkKind::Cae => {
                self.end_to_end(picture).check().map_err(|error| ConfigError::value("network", error.to_string()))
            }
        }
    }

    /// Weights of encoder and decoder for pictures of this shape. They are counted in 128 bits, since each size
    /// may be anything.
    fn weights(&self, picture: [usize; 3]) -> u128 {
        let wide = |size: usize| size as u128;
        match self.kind {
            NetworkKind::Scae => {
                let depths = std::iter::once(picture[2]).chain(self.layers.iter().map(|layer| layer.features));
                let of_layer = |(layer, depth): (&LayerConfig, usize)| {
                    if layer.unit.is_pooling() {
                        return 0;
                    }
                    let patch = wide(layer.kernel).saturating_mul(wide(layer.kernel)).saturating_mul(wide(depth));
                    patch.saturating_mul(wide(layer.features)).saturating_mul(2)
                };
                self.layers.iter().zip(depths).map(of_layer).fold(0, u128::saturating_add)
            }
            NetworkKind::Cae => {
                let depths = std::iter::once(picture[2]).chain(self.widths.iter().copied());
                let of_width =
                    |(&width, depth): (&usize, usize)| wide(width).saturating_mul(wide(depth)).saturating_mul(2 * 9);
                let convolutions = self.widths.iter().zip(depths).map(of_width).fold(0, u128::saturating_add);
                let halved = |size: usize| size.checked_shr(self.widths.len() as u32).unwrap_or(0);
                // What is left of the picture, all of it into each value of the code.
                let rest = wide(halved(picture[0])).saturating_mul(wide(halved(picture[1])));
                let last = wide(self.widths.last().copied().unwrap_or(picture[2]));
                let code = rest.saturating_mul(last).saturating_mul(wide(self.code_size.unwrap_or(0)));
                convolutions.saturating_add(code.saturating_mul(2))
            }
        }
    }

    /// Fills in what the data say: the shape of a picture.
    ///
    /// # Errors
    /// If the network does not fit the pictures.
    pub fn resolve(&mut self, set: SetKind, picture: [usize; 3]) -> Result<(), ConfigError> {
        let own = match set {
            SetKind::SyntheticPages => self.smallest(picture).unwrap_or(picture),
            _ => picture,
        };
        let chosen = *self.picture.get_or_insert(own);
        let [height, width, channels] = chosen;
        if set == SetKind::SyntheticPages
            && (height != width || width > picture[0].min(picture[1]) || channels != picture[2])
        {
            let text = format!(
                "is {chosen:?}; on pages of {picture:?} (H, W, C) a stack sees squares of at most {} pixels with {} channels: take smaller \
                 kernels and offsets, or a larger data.page_size",
                picture[0].min(picture[1]),
                picture[2]
            );
            return Err(ConfigError::value("network.picture", text));
        }
        if set != SetKind::SyntheticPages && chosen != picture {
            let text = format!("is {chosen:?}, but the pictures of the data are {picture:?} (H, W, C); leave it out");
            return Err(ConfigError::value("network.picture", text));
        }
        self.check_for(chosen)
    }

    fn stack(&self, picture: [usize; 3]) -> ScaeSpec {
        let layer = |layer: &LayerConfig| LayerSpec {
            geometry: LayerGeometry { kernel: layer.kernel, offset: layer.offset },
            features: layer.features,
            unit: layer.unit,
        };
        ScaeSpec { picture, layers: self.layers.iter().map(layer).collect() }
    }

    fn end_to_end(&self, picture: [usize; 3]) -> CaeSpec {
        CaeSpec {
            picture,
            widths: self.widths.clone(),
            code_size: self.code_size.unwrap_or(0),
            downsampling: self.downsampling.unwrap_or_default(),
            activation: self.activation.unwrap_or(DEFAULT_ACTIVATION),
            code: self.beta.map_or(Code::Plain, |beta| Code::Variational { beta }),
        }
    }

    /// The network before training.
    ///
    /// # Panics
    /// If [`resolve`](Self::resolve) did not accept it before.
    pub fn build(&self, seed: u64) -> Network {
        let picture = self.picture.expect("the network was resolved");
        match self.kind {
            NetworkKind::Scae => Network::Scae(Scae::new(self.stack(picture), &mut stream(seed, "init", 0))),
            NetworkKind::Cae => Network::Cae(Box::new(ConvAutoencoder::new(self.end_to_end(picture), seed))),
        }
    }
}

/// A network of either kind.
#[derive(Clone, Debug)]
pub enum Network {
    /// A stack.
    Scae(Scae),
    /// An end-to-end network.
    Cae(Box<ConvAutoencoder>),
}

/// What training reported of one layer or one epoch.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Progressed {
    /// A layer of a stack.
    Layer {
        /// Counted from 0.
        layer: usize,
        /// Mean absolute error over all patches.
        mean_error: f64,
        /// The same over the last tenth.
        final_error: f64,
    },
    /// An epoch of an end-to-end network.
    Epoch {
        /// Counted from 0.
        epoch: usize,
        /// The mean loss.
        loss: f64,
        /// The mean squared error of the validation pictures, if asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        validation_mse: Option<f64>,
    },
}

impl Network {
    /// The interface that both have.
    pub fn autoencoder(&self) -> &dyn Autoencoder {
        match self {
            Self::Scae(scae) => scae,
            Self::Cae(cae) => cae.as_ref(),
        }
    }

    /// The parameters, writable.
    pub fn params_mut(&mut self) -> &mut Params {
        match self {
            Self::Scae(scae) => scae.params_mut(),
            Self::Cae(cae) => cae.params_mut(),
        }
    }

    /// Steps that training takes, at most.
    pub fn steps(&self, training: &TrainingConfig, samples: usize) -> u64 {
        let steps = match self {
            Self::Scae(scae) => scae.spec().layers.len() * training.samples_per_layer.div_ceil(training.batch_size),
            Self::Cae(_) => training.epochs * samples.div_ceil(training.batch_size),
        };
        steps as u64
    }

    /// Learns from `train`; an end-to-end network may stop early by `validation`.
    ///
    /// # Errors
    /// When a loss is no longer finite, a unit needs labels and there are none, the run is interrupted, or a checkpoint
    /// cannot be read or written.
    pub fn train(
        &mut self,
        [train, validation]: [&Part; 2],
        training: &TrainingConfig,
        seed: u64,
        checkpoints: &mut Checkpoints,
        workspace: &mut Workspace,
    ) -> Result<Vec<Progressed>, TrainingError> {
        let greedy = training.greedy(seed);
        match self {
            Self::Scae(scae) => {
                let trained = train_resumable(scae, train.source(), train.labels(), &greedy, checkpoints, workspace)?;
                let layers = trained.into_iter().enumerate();
                let report = |(layer, trained): (usize, crate::units::Trained)| {
                    let crate::units::Trained { mean_error, final_error } = trained;
                    Progressed::Layer { layer, mean_error, final_error }
                };
                Ok(layers.map(report).collect())
            }
            Self::Cae(cae) => {
                let spec = training.end_to_end(train.count(), seed);
                let (train, validation) = (train.pairs(), (training.patience > 0).then(|| validation.pairs()));
                let history = cae.fit(train, validation, &spec, &mut *greedy.optimizer(), checkpoints, workspace)?;
                let epochs = history.losses.iter().enumerate();
                let report = |(epoch, &loss): (usize, &f64)| Progressed::Epoch {
                    epoch,
                    loss,
                    validation_mse: history.validation.get(epoch).copied(),
                };
                Ok(epochs.map(report).collect())
            }
        }
    }
}
