//! One network of the population: trained, scored, probed. One row of `results.csv`.

use super::population::Member;
use crate::{
    data::Task,
    linear_algebra::{LinearAlgebraError, Rows},
    linear_decoder::decode_linearly,
    measures::dead_units,
    probe::{Features, PENALTIES, ProbeData, Probed, linear_probe},
    scae::{Scae, train},
    scores::Reconstruction,
};
use patchgrad::{Tensor, Workspace, random::stream};
use serde::Serialize;

/// How a network ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It reconstructs better than the mean picture.
    Ok,
    /// Its code is constant or it reconstructs no better than the mean picture.
    Dead,
    /// A loss or a value was not finite.
    Diverged,
}

/// A row of `results.csv`. What is not defined for a diverged network is empty.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NetworkRow {
    /// `mnist` or `fashion-mnist`.
    pub data: String,
    /// Position in the population of its data set.
    pub network: usize,
    /// Geometry, such as `k4/4-k3/2-k3`.
    pub geometry: String,
    /// Number of layers.
    pub depth: usize,
    /// Features of the layers, lowest first, such as `32-64`.
    pub widths: String,
    /// Length of the code.
    pub code_size: usize,
    /// Activation of the encoders.
    pub encoder: String,
    /// Activation of the decoders.
    pub decoder: String,
    /// Patches shown to each layer.
    pub samples_per_layer: usize,
    /// Learning rate for mini-batches of 32.
    pub lr: f64,
    /// L2 penalty.
    pub weight_decay: f64,
    /// Seed of weights and patches.
    pub seed: u64,
    /// Trainable values.
    pub parameters: usize,
    /// How it ended.
    pub status: Status,
    /// Mean absolute error of the top layer over the last tenth of its patches.
    pub train_error: Option<f64>,
    /// Mean squared error of the test reconstruction by the network's own decoder.
    pub mse: Option<f64>,
    /// The same, clipped to [-1, 1].
    pub mse_clipped: Option<f64>,
    /// Share of the variance around the mean picture that the reconstruction explains.
    pub r2: Option<f64>,
    /// Peak signal-to-noise ratio, dB.
    pub psnr: Option<f64>,
    /// Mean squared error of the best linear decoder of the same code.
    pub linear_decoder_mse: Option<f64>,
    /// Test accuracy of the linear probe.
    pub probe_accuracy: Option<f64>,
    /// Its accuracy on validation data.
    pub probe_validation_accuracy: Option<f64>,
    /// Its mean cross-entropy on test data, nats.
    pub probe_cross_entropy: Option<f64>,
    /// Its penalty.
    pub probe_penalty: Option<f64>,
    /// Features of the code that are constant over the test pictures.
    pub dead_features: Option<usize>,
}

impl NetworkRow {
    /// Whether it has all numbers.
    pub fn is_finite(&self) -> bool {
        self.status != Status::Diverged
    }

    /// `#3 k4/4-k3/2-k3, 32-64-128, softsign/linear`: how figures name it.
    pub fn title(&self) -> String {
        format!("#{} {}, {}, {}/{}", self.network, self.geometry, self.widths, self.encoder, self.decoder)
    }

    /// `mnist-3`: what leads to it on a page.
    pub fn anchor(&self) -> String {
        format!("{}-{}", self.data, self.network)
    }
}

/// The codes of the three parts of a task, `[N, h]` each.
#[derive(Clone, Debug)]
pub struct Codes {
    /// Of the training pictures.
    pub train: Tensor,
    /// Of the validation pictures.
    pub validation: Tensor,
    /// Of the test pictures.
    pub test: Tensor,
}

impl Codes {
    /// Encodes all parts.
    pub fn of(task: &Task, mut encode: impl FnMut(&Tensor) -> Tensor) -> Self {
        let [train, validation, test] = [&task.train, &task.validation, &task.test].map(|part| encode(&part.pictures));
        Self { train, validation, test }
    }

    /// Probes them; `None` when a value is not finite.
    pub fn probe(&self, task: &Task, workspace: &mut Workspace) -> Option<Probed> {
        let data = ProbeData {
            train: Features { rows: &self.train, labels: &task.train.labels },
            validation: Features { rows: &self.validation, labels: &task.validation.labels },
            test: Features { rows: &self.test, labels: &task.test.labels },
            classes: task.classes,
        };
        linear_probe(&data, &PENALTIES, workspace)
    }

    /// What the best linear decoder makes of the test codes, `[N, H * W * C]`; its penalty is chosen on validation data.
    ///
    /// # Errors
    /// When a value is not finite.
    pub fn decode_linearly(&self, task: &Task) -> Result<Vec<f32>, LinearAlgebraError> {
        let codes = [&self.train, &self.validation, &self.test];
        Ok(decode_linearly(codes, [&task.train, &task.validation])?.pixels)
    }

    /// Features whose standard deviation over the test pictures is below [`DEAD_DEVIATION`](crate::measures::DEAD_DEVIATION);
    /// `None` when a value is not finite.
    fn dead_features(&self) -> Option<usize> {
        dead_units(Rows::new(self.test.as_slice(), self.test.shape().dims()[1]))
    }
}

/// Trains, scores and probes one member of the population.
pub fn run(member: &Member, task: &Task) -> NetworkRow {
    let mut scae = Scae::new(member.spec.clone(), &mut stream(member.seed, "init", 0));
    let diverged = blank_row(member, task, &scae);
    let measured = measure(&mut scae, member, task, diverged.clone(), &mut Workspace::new());
    measured.unwrap_or(diverged)
}

/// Fills in the row; `None` when a loss or a value is not finite.
fn measure(
    scae: &mut Scae,
    member: &Member,
    task: &Task,
    mut row: NetworkRow,
    workspace: &mut Workspace,
) -> Option<NetworkRow> {
    let trained = train(scae, &task.train.pictures, &member.training, workspace).ok()?;
    let codes = Codes::of(task, |pictures| scae.codes(pictures, workspace));
    let probed = codes.probe(task, workspace)?;
    let linear = codes.decode_linearly(task).ok()?;
    let decoded = scae.reconstruct(&task.test.pictures, workspace);
    let scores = Reconstruction::score(&task.test.pictures, decoded.as_slice());
    if !scores.mse.is_finite() {
        return None;
    }
    let dead_features = codes.dead_features()?;
    let constant = dead_features == member.spec.code_size();
    row.status = if constant || scores.r2 <= 0.0 { Status::Dead } else { Status::Ok };
    row.train_error = trained.last().map(|top| top.final_error);
    row.mse = Some(scores.mse);
    row.mse_clipped = Some(scores.mse_clipped);
    row.r2 = Some(scores.r2);
    row.psnr = Some(scores.psnr);
    row.linear_decoder_mse = Some(Reconstruction::score(&task.test.pictures, &linear).mse);
    row.probe_accuracy = Some(probed.test_accuracy);
    row.probe_validation_accuracy = Some(probed.validation_accuracy);
    row.probe_cross_entropy = Some(probed.test_cross_entropy);
    row.probe_penalty = Some(probed.penalty);
    row.dead_features = Some(dead_features);
    Some(row)
}

/// The row of a diverged network: what is known before training.
fn blank_row(member: &Member, task: &Task, scae: &Scae) -> NetworkRow {
    let widths: Vec<String> = member.spec.layers.iter().map(|layer| layer.features.to_string()).collect();
    NetworkRow {
        data: task.set.folder().to_string(),
        network: member.index,
        geometry: member.spec.geometry().to_string(),
        depth: member.spec.layers.len(),
        widths: widths.join("-"),
        code_size: member.spec.code_size(),
        encoder: member.spec.layers[0].unit.encoder().to_string(),
        decoder: member.spec.layers[0].unit.decoder().to_string(),
        samples_per_layer: member.training.samples_per_layer,
        lr: member.training.lr,
        weight_decay: member.training.weight_decay,
        seed: member.seed,
        parameters: scae.params().values(),
        status: Status::Diverged,
        train_error: None,
        mse: None,
        mse_clipped: None,
        r2: None,
        psnr: None,
        linear_decoder_mse: None,
        probe_accuracy: None,
        probe_validation_accuracy: None,
        probe_cross_entropy: None,
        probe_penalty: None,
        dead_features: None,
    }
}
