//! Greedy training: one layer at a time on random patches, the layers below frozen.
//!
//! For each step a mini-batch of patches is drawn: pictures in a shuffled order, one patch from each at a random position
//! (any pixel). A patch is as wide as the receptive field of the layer that is trained; the layers below encode it, on a
//! tape of their own, and what comes out enters as a constant. The layer then encodes and decodes its one position, and its
//! [unit](crate::units) learns from it: most by gradient descent on the reconstruction. The last tenth of the patches then
//! runs at a tenth of the rate, because the iterate of a constant rate is noisy.

use super::{Labels, PicturePatches, Scae};
use crate::{
    pictures::PictureSource,
    training::{Checkpoints, TrainingError},
    units::{Fit, Progress, TrainConfig, Trained},
};
use patchgrad::Workspace;

/// Which side of a layer learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trains {
    EncoderAndDecoder,
    DecoderOnly,
}

impl Trains {
    /// What a checkpoint calls it.
    fn name(self) -> &'static str {
        match self {
            Self::EncoderAndDecoder => "encoder and decoder",
            Self::DecoderOnly => "decoder only",
        }
    }
}

/// Trains every layer, lowest first, on `pictures` `[N, H, W, C]`.
///
/// # Errors
/// When the loss of a layer is no longer finite, or a unit needs labels.
pub fn train(
    scae: &mut Scae,
    pictures: &dyn PictureSource,
    config: &TrainConfig,
    workspace: &mut Workspace,
) -> Result<Vec<Trained>, TrainingError> {
    train_resumable(scae, pictures, Labels::None, config, &mut Checkpoints::none(), workspace)
}

/// [`train`] with labels for the units that are supervised, saved to and resumed from `checkpoints`.
///
/// # Errors
/// When the loss of a layer is no longer finite, a unit needs labels and there are none, the run is interrupted, or a
/// checkpoint cannot be read or written.
pub fn train_resumable(
    scae: &mut Scae,
    pictures: &dyn PictureSource,
    labels: Labels,
    config: &TrainConfig,
    checkpoints: &mut Checkpoints,
    workspace: &mut Workspace,
) -> Result<Vec<Trained>, TrainingError> {
    train_layers(scae, Trains::EncoderAndDecoder, (pictures, labels), config, checkpoints, workspace)
}

/// Trains every decoder on the code of its encoder, which stays as it is: for an encoder that was changed, or to tell what
/// a code holds from what its decoder makes of it.
///
/// # Errors
/// When the loss of a layer is no longer finite.
pub fn train_decoders(
    scae: &mut Scae,
    pictures: &dyn PictureSource,
    config: &TrainConfig,
    workspace: &mut Workspace,
) -> Result<Vec<Trained>, TrainingError> {
    train_decoders_resumable(scae, pictures, config, &mut Checkpoints::none(), workspace)
}

/// [`train_decoders`], saved to and resumed from `checkpoints`.
///
/// # Errors
/// As [`train_resumable`].
pub fn train_decoders_resumable(
    scae: &mut Scae,
    pictures: &dyn PictureSource,
    config: &TrainConfig,
    checkpoints: &mut Checkpoints,
    workspace: &mut Workspace,
) -> Result<Vec<Trained>, TrainingError> {
    train_layers(scae, Trains::DecoderOnly, (pictures, Labels::None), config, checkpoints, workspace)
}

/// Trains layer `layer` (counted from 0) alone: one step of what [`train_resumable`] does.
///
/// # Errors
/// When the loss is no longer finite, or the unit needs labels and there are none.
pub fn train_layer(
    scae: &mut Scae,
    layer: usize,
    pictures: &dyn PictureSource,
    labels: Labels,
    config: &TrainConfig,
    workspace: &mut Workspace,
) -> Result<Trained, TrainingError> {
    let (mut checkpoints, trains) = (Checkpoints::none(), Trains::EncoderAndDecoder);
    let progress = &mut Progress::new(&mut checkpoints, trains.name(), 1, scae.params_mut())?;
    fit_layer(scae, layer, trains, (pictures, labels), config, progress, workspace)
}

fn train_layers(
    scae: &mut Scae,
    trains: Trains,
    examples: (&dyn PictureSource, Labels),
    config: &TrainConfig,
    checkpoints: &mut Checkpoints,
    workspace: &mut Workspace,
) -> Result<Vec<Trained>, TrainingError> {
    let (layers, steps) = (scae.spec().layers.len(), config.steps());
    let mut progress = Progress::new(checkpoints, trains.name(), layers, scae.params_mut())?;
    for layer in progress.trained().len()..layers {
        let trained = fit_layer(scae, layer, trains, examples, config, &mut progress, workspace)?;
        progress.layer_done(trained, steps, scae.params())?;
    }
    progress.finish(steps, scae.params())
}

fn fit_layer(
    scae: &mut Scae,
    layer: usize,
    trains: Trains,
    (pictures, labels): (&dyn PictureSource, Labels),
    config: &TrainConfig,
    progress: &mut Progress,
    workspace: &mut Workspace,
) -> Result<Trained, TrainingError> {
    let mut patches = PicturePatches::new(scae, layer, pictures, labels, config.samples_per_layer, config.seed);
    let (unit, params) = scae.unit_and_params_mut(layer);
    let mut fit = Fit { params, patches: &mut patches, config, layer, progress, workspace };
    let trained = match trains {
        Trains::EncoderAndDecoder => unit.fit(&mut fit),
        Trains::DecoderOnly => unit.fit_decoder(&mut fit),
    };
    trained.map_err(|error| error.of_layer(layer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        scae::{Descent, LayerGeometry, LayerSpec, ScaeSpec},
        units::UnitSpec,
    };
    use patchgrad::{Params, Tensor, ops::Activation, random::stream};

    /// Pictures of two smooth waves, so that a small code can describe them.
    fn pictures() -> Tensor {
        Tensor::from_fn([64, 8, 8, 1], |i| {
            let (n, y, x) = (i / 64, i / 8 % 8, i % 8);
            0.6 * (y as f32 * 0.5 + n as f32).sin() + 0.3 * (x as f32 * 0.7 + n as f32 * 0.3).cos()
        })
    }

    fn scae() -> Scae {
        let layer = |kernel, offset, features| LayerSpec {
            geometry: LayerGeometry { kernel, offset },
            features,
            unit: UnitSpec::standard(Activation::Softsign, Activation::Linear),
        };
        let spec = ScaeSpec { picture: [8, 8, 1], layers: vec![layer(4, 2, 6), layer(3, 3, 8)] };
        Scae::new(spec, &mut stream(1, "init", 0))
    }

    fn config(samples: usize) -> TrainConfig {
        TrainConfig {
            samples_per_layer: samples,
            batch_size: 16,
            descent: Descent::Sgd,
            lr: 0.05,
            weight_decay: 0.0,
            seed: 5,
        }
    }

    fn mse(scae: &Scae, pictures: &Tensor, workspace: &mut Workspace) -> f64 {
        let decoded = scae.reconstruct(pictures, workspace);
        let pairs = decoded.as_slice().iter().zip(pictures.as_slice());
        pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / decoded.len() as f64
    }

    #[test]
    fn training_lowers_the_reconstruction_error_of_whole_pictures() {
        let (mut scae, pictures, mut workspace) = (scae(), pictures(), Workspace::new());
        let before = mse(&scae, &pictures, &mut workspace);
        let trained = train(&mut scae, &pictures, &config(20_000), &mut workspace).unwrap();
        let after = mse(&scae, &pictures, &mut workspace);
        assert!(after < 0.15 * before, "{before} {after}");
        assert!(trained.iter().all(|layer| layer.final_error < layer.mean_error), "{trained:?}");
    }

    #[test]
    fn the_lower_layer_stays_as_it_is_while_the_upper_one_learns() {
        let (mut scae, pictures, mut workspace) = (scae(), pictures(), Workspace::new());
        let before = scae.params().clone();
        train_layer(&mut scae, 1, &pictures, Labels::None, &config(160), &mut workspace).unwrap();
        for (id, name, tensor) in scae.params().iter() {
            assert_eq!(tensor == before.get(id), name.starts_with("layer0"), "{name}");
        }
    }

    #[test]
    fn training_decoders_leaves_every_encoder_as_it_is() {
        let (mut scae, pictures, mut workspace) = (scae(), pictures(), Workspace::new());
        let (before, error) = (scae.params().clone(), mse(&scae, &pictures, &mut workspace));
        train_decoders(&mut scae, &pictures, &config(20_000), &mut workspace).unwrap();
        for (id, name, tensor) in scae.params().iter() {
            assert_eq!(tensor == before.get(id), name.contains("encoder"), "{name}");
        }
        let after = mse(&scae, &pictures, &mut workspace);
        assert!(after < 0.5 * error, "{error} {after}");
    }

    #[test]
    fn a_batch_of_one_is_stochastic_descent_with_the_rate_of_a_single_sample() {
        // One step on two patches at rate 2 eta is the mean of two gradients: the sum of two steps at rate eta, up to the
        // change between them, which vanishes with eta.
        let (pictures, mut workspace) = (pictures(), Workspace::new());
        let run = |batch_size: usize, lr: f64, workspace: &mut Workspace| {
            let mut scae = scae();
            // 20 patches, so that the last tenth is one pair.
            let config = TrainConfig { samples_per_layer: 20, batch_size, lr, ..config(20) };
            train_layer(&mut scae, 0, &pictures, Labels::None, &config, workspace).unwrap();
            scae
        };
        let eta = 1e-5;
        let (single, pairs) = (run(1, eta, &mut workspace), run(2, 2.0 * eta, &mut workspace));
        let start = scae();
        for (id, name, tensor) in single.params().iter().filter(|(_, name, _)| name.starts_with("layer0")) {
            let moved = |params: &Params| -> Vec<f32> {
                let pairs = params.get(id).as_slice().iter().zip(start.params().get(id).as_slice());
                pairs.map(|(a, b)| a - b).collect()
            };
            let (a, b) = (moved(single.params()), moved(pairs.params()));
            let norm = |v: &[f32]| v.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
            let difference: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
            assert!(norm(&difference) < 0.02 * norm(&a), "{name}: {} {}", norm(&difference), norm(&a));
            assert_eq!(tensor.shape(), pairs.params().get(id).shape());
        }
    }

    #[test]
    fn more_steps_take_no_more_memory() {
        let (mut scae, pictures, mut workspace) = (scae(), pictures(), Workspace::new());
        train(&mut scae, &pictures, &config(160), &mut workspace).unwrap();
        train_decoders(&mut scae, &pictures, &config(160), &mut workspace).unwrap();
        let after_ten_steps = workspace.allocations();
        train(&mut scae, &pictures, &config(1_600), &mut workspace).unwrap();
        train_decoders(&mut scae, &pictures, &config(1_600), &mut workspace).unwrap();
        assert_eq!(workspace.allocations(), after_ten_steps);
        let heap = allocation_counter::measure(|| {
            train(&mut scae, &pictures, &config(1_600), &mut workspace).unwrap();
        });
        assert_eq!(heap.bytes_current, 0);
    }

    #[test]
    fn a_rate_that_is_too_large_is_an_error_with_layer_and_step() {
        let (mut scae, pictures, mut workspace) = (scae(), pictures(), Workspace::new());
        let config = TrainConfig { lr: 1e3, ..config(4_000) };
        let error = train(&mut scae, &pictures, &config, &mut workspace).unwrap_err();
        assert!(error.to_string().contains("try a smaller learning rate"), "{error}");
        let finite = scae.params().iter().all(|(_, _, tensor)| tensor.as_slice().iter().all(|v| !v.is_nan()));
        let TrainingError::NotFinite { layer, step } = error else { panic!("{error}") };
        assert!(finite || step > 0);
        assert_eq!(layer, "layer 0");
    }
}
