//! One interface for every auto-encoder of pictures, stacked or end to end.

use crate::{
    cae::{ConvAutoencoder, Examples},
    pictures::PictureSource,
    scae::{Labels, Scae, train_resumable},
    training::{Checkpoints, FitSpec, TrainingError},
    units::TrainConfig,
};
use patchgrad::{Params, Tensor, Workspace};

/// An auto-encoder: pictures to codes and back.
pub trait Autoencoder {
    /// H, W, C of a picture.
    fn picture_shape(&self) -> [usize; 3];

    /// H, W, C of the code of a picture; its number of values is their product.
    fn code_shape(&self) -> [usize; 3];

    /// The parameters.
    fn params(&self) -> &Params;

    /// Learns from `pictures` `[N, H, W, C]`; `labels` are for units that are supervised. Gives the training error of
    /// each layer at its end (mean absolute error over the last tenth) or of each epoch (mean loss). Saved to and resumed from `checkpoints`.
    ///
    /// # Errors
    /// When a loss is no longer finite, labels are needed and there are none, the run is interrupted, or a checkpoint cannot
    /// be read or written.
    fn fit(
        &mut self,
        pictures: &dyn PictureSource,
        labels: Labels,
        config: &TrainConfig,
        checkpoints: &mut Checkpoints,
        workspace: &mut Workspace,
    ) -> Result<Vec<f64>, TrainingError>;

    /// The codes of `pictures` `[N, H, W, C]`, as rows.
    fn encode(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Tensor;

    /// What the codes, as rows, stand for: pictures as rows `[N, H * W * C]`, unclipped.
    fn decode(&self, codes: &Tensor, workspace: &mut Workspace) -> Tensor;

    /// The reconstructions of `pictures` `[N, H, W, C]` as rows, unclipped; units with switches use them.
    fn reconstruct(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Tensor;
}

fn as_rows(pictures: Tensor) -> Tensor {
    let count = pictures.shape().dims()[0];
    let pixels = pictures.len() / count.max(1);
    pictures.reshape([count, pixels]).expect("a row has as many values as a picture")
}

impl Autoencoder for Scae {
    fn picture_shape(&self) -> [usize; 3] {
        self.spec().picture
    }

    fn code_shape(&self) -> [usize; 3] {
        self.spec().map_size(self.spec().layers.len())
    }

    fn params(&self) -> &Params {
        self.params()
    }

    fn fit(
        &mut self,
        pictures: &dyn PictureSource,
        labels: Labels,
        config: &TrainConfig,
        checkpoints: &mut Checkpoints,
        workspace: &mut Workspace,
    ) -> Result<Vec<f64>, TrainingError> {
        let trained = train_resumable(self, pictures, labels, config, checkpoints, workspace)?;
        Ok(trained.into_iter().map(|layer| layer.final_error).collect())
    }

    fn encode(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Tensor {
        self.codes(pictures, workspace)
    }

    fn decode(&self, codes: &Tensor, workspace: &mut Workspace) -> Tensor {
        as_rows(self.decode_codes(codes, workspace))
    }

    fn reconstruct(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Tensor {
        as_rows(self.reconstruct(pictures, workspace))
    }
}

impl Autoencoder for ConvAutoencoder {
    fn picture_shape(&self) -> [usize; 3] {
        self.spec().picture
    }

    fn code_shape(&self) -> [usize; 3] {
        [1, 1, self.spec().code_size]
    }

    fn params(&self) -> &Params {
        self.params()
    }

    /// [`samples_per_layer`](TrainConfig::samples_per_layer) counts pictures: they are shown in whole epochs, at least one.
    fn fit(
        &mut self,
        pictures: &dyn PictureSource,
        _: Labels,
        config: &TrainConfig,
        checkpoints: &mut Checkpoints,
        workspace: &mut Workspace,
    ) -> Result<Vec<f64>, TrainingError> {
        let count = pictures.size()[0].max(1);
        let epochs = ((config.samples_per_layer + count / 2) / count).max(1);
        let spec = FitSpec::new(epochs, config.batch_size, config.lr, config.seed);
        let history =
            self.fit(Examples::of(pictures), None, &spec, &mut *config.optimizer(), checkpoints, workspace)?;
        Ok(history.losses)
    }

    fn encode(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Tensor {
        self.codes(pictures, workspace)
    }

    fn decode(&self, codes: &Tensor, workspace: &mut Workspace) -> Tensor {
        self.decode_codes(codes, workspace)
    }

    fn reconstruct(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Tensor {
        self.reconstruct(pictures, workspace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cae::{CaeSpec, Code, Downsampling},
        scae::{LayerGeometry, LayerSpec, ScaeSpec},
        units::{Descent, UnitSpec, Unpooling},
    };
    use patchgrad::{ops::Activation, random::stream};

    #[test]
    fn stacked_and_end_to_end_ones_answer_alike() {
        let pictures = Tensor::from_fn([64, 8, 8, 1], |i| {
            let (n, y, x) = (i / 64, i / 8 % 8, i % 8);
            (y as f32 * 0.5 + n as f32).sin() * (x as f32 * 0.4 + n as f32 * 0.2).cos()
        });
        let labels: Vec<u32> = (0..64).map(|n| n % 3).collect();
        let layer =
            |kernel, features, unit| LayerSpec { geometry: LayerGeometry { kernel, offset: kernel }, features, unit };
        let stack = |layers| -> Box<dyn Autoencoder> {
            Box::new(Scae::new(ScaeSpec { picture: [8, 8, 1], layers }, &mut stream(1, "init", 0)))
        };
        let standard = UnitSpec::standard(Activation::Softsign, Activation::Linear);
        let pool = UnitSpec::MaxPooling { unpooling: Unpooling::Switches };
        let lda = UnitSpec::Lda { encoder: Activation::Linear };
        let small = CaeSpec::new([8, 8, 1], &[6, 8], 5);
        let networks: Vec<Box<dyn Autoencoder>> = vec![
            stack(vec![layer(4, 8, standard), layer(2, 6, standard)]),
            stack(vec![layer(2, 6, standard), layer(2, 6, pool), layer(2, 12, standard)]),
            stack(vec![layer(4, 8, standard), layer(2, 6, lda)]),
            Box::new(ConvAutoencoder::new(small.clone(), 1)),
            Box::new(ConvAutoencoder::new(CaeSpec { downsampling: Downsampling::Switches, ..small.clone() }, 1)),
            Box::new(ConvAutoencoder::new(CaeSpec { code: Code::Variational { beta: 0.1 }, ..small }, 1)),
        ];
        let config = TrainConfig {
            samples_per_layer: 1_280,
            batch_size: 16,
            descent: Descent::Adam,
            lr: 5e-3,
            weight_decay: 0.0,
            seed: 2,
        };
        for mut network in networks {
            let mut workspace = Workspace::new();
            let error = |network: &dyn Autoencoder, workspace: &mut Workspace| {
                let decoded = network.reconstruct(&pictures, workspace);
                assert_eq!(decoded.shape().dims(), [64, 64]);
                let pairs = decoded.as_slice().iter().zip(pictures.as_slice());
                pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
            };
            let before = error(&*network, &mut workspace);
            let checkpoints = &mut Checkpoints::none();
            network.fit(&pictures, Labels::Pictures(&labels), &config, checkpoints, &mut workspace).unwrap();
            let after = error(&*network, &mut workspace);
            assert!(after < before, "{before} {after}");
            let codes = network.encode(&pictures, &mut workspace);
            assert_eq!(codes.shape().dims(), [64, network.code_shape().iter().product()]);
            assert_eq!(network.decode(&codes, &mut workspace).shape().dims(), [64, 64]);
            assert_eq!(network.picture_shape(), [8, 8, 1]);
            assert!(network.params().values() > 0);
        }
    }
}
