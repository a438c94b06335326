//! One network of a population: trained, scored, probed. One row of the sweep.

use super::{
    population::{Initialisation, Member, Population},
    store::Trainer,
};
use crate::{
    classification::accuracy,
    config::{Examples, Part},
    data::Labelled,
    linear_algebra::Rows,
    linear_decoder::decode_linearly,
    measures,
    neighbours::Metric,
    probe::{Features, FittedProbe, LogisticProbe, MlpSettings, PENALTIES, Probe, ProbeError},
    scae::Scae,
    scores::{Reconstruction, Score, r2_of_clipped, score_pictures},
    units::Trained,
};
use patchgrad::{Tensor, Workspace};
use serde::{Deserialize, Serialize};

/// Neighbours that vote.
const NEIGHBOURS: usize = 5;

/// How a network ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It reconstructs better than the mean picture.
    Ok,
    /// Its code is constant or it reconstructs no better than the mean picture.
    Dead,
    /// A loss or a value was not finite, or it could not be trained.
    Failed,
}

impl Status {
    /// Of a network that did not fail: how many of its `code_size` features are constant, and the share of the variance around
    /// the mean picture that it explains.
    pub fn of(dead_features: usize, code_size: usize, r2: f64) -> Self {
        if dead_features == code_size || r2 <= 0.0 { Self::Dead } else { Self::Ok }
    }

    /// Whether a network of this status is looked at: one that failed never, a dead one unless they are left out.
    pub fn enters(self, without_dead: bool) -> bool {
        match self {
            Self::Ok => true,
            Self::Dead => !without_dead,
            Self::Failed => false,
        }
    }
}

/// A row of the sweep. What is not defined for a network that failed is empty. Accuracies are shares of the test pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkRow {
    /// The set, such as `MNIST sample`.
    pub data: String,
    /// Its population.
    pub population: Population,
    /// Position in it.
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
    /// How the layers began.
    pub initialisation: Initialisation,
    /// What kept it from learning by heart.
    pub regulariser: String,
    /// Patches shown to each layer.
    pub samples_per_layer: usize,
    /// Learning rate.
    pub lr: f64,
    /// Seed of weights and patches.
    pub seed: u64,
    /// Trainable values.
    pub parameters: usize,
    /// How it ended.
    pub status: Status,
    /// Why it failed.
    pub reason: String,
    /// Mean absolute error over the last tenth of the patches, mean over the layers.
    pub train_error: Option<f64>,
    /// The same of the lowest layer.
    pub train_error_bottom: Option<f64>,
    /// The same of the top layer.
    pub train_error_top: Option<f64>,
    /// Mean absolute error over all patches, mean over the layers: as N-light-N has it.
    pub train_error_cumulative: Option<f64>,
    /// Mean squared error of the test reconstruction by the network's own decoder.
    pub mse: Option<f64>,
    /// The same, clipped to [-1, 1].
    pub mse_clipped: Option<f64>,
    /// Share of the variance around the mean picture that the reconstruction explains.
    pub r2: Option<f64>,
    /// Peak signal-to-noise ratio, dB.
    pub psnr: Option<f64>,
    /// Structural similarity.
    pub ssim: Option<f64>,
    /// Mean distance of two colours.
    pub euclidean: Option<f64>,
    /// Scale-offset invariant distance.
    pub soid: Option<f64>,
    /// The same with the best scale and offset.
    pub soid_optimal: Option<f64>,
    /// One minus the magnitude of the correlation.
    pub correlation: Option<f64>,
    /// Mean CIE94 colour difference.
    pub delta_e94: Option<f64>,
    /// Mean Mahalanobis distance of two colours.
    pub mahalanobis: Option<f64>,
    /// What N-light-N compares by mistake: the top left patch of the original with the bottom right patch of the
    /// reconstruction, both of the lowest layer's size. Mean squared error.
    pub misaligned_mse: Option<f64>,
    /// Mean squared error of the own decoder on validation pictures.
    pub mse_validation: Option<f64>,
    /// Mean squared error of the best linear decoder of the same code.
    pub linear_decoder_mse: Option<f64>,
    /// The same on validation pictures.
    pub linear_decoder_mse_validation: Option<f64>,
    /// Logistic probe.
    pub logistic: Option<f64>,
    /// Logistic probe on validation pictures.
    pub logistic_validation: Option<f64>,
    /// Its mean cross-entropy on test pictures, nats.
    pub cross_entropy: Option<f64>,
    /// Ridge probe.
    pub ridge: Option<f64>,
    /// Five nearest neighbours, Euclidean.
    pub knn_euclidean: Option<f64>,
    /// Five nearest neighbours by angle.
    pub knn_cosine: Option<f64>,
    /// One hidden layer of 256 units.
    pub mlp: Option<f64>,
    /// Fisher's criterion of the test codes.
    pub fisher: Option<f64>,
    /// Thornton's index of the test codes.
    pub thornton: Option<f64>,
    /// Silhouette of a sample of the test codes.
    pub silhouette: Option<f64>,
    /// What the code tells about the class at least, nats.
    pub information: Option<f64>,
    /// Effective rank of the test codes.
    pub effective_rank: Option<f64>,
    /// Participation ratio of the test codes.
    pub participation_ratio: Option<f64>,
    /// Features that are constant over the test pictures.
    pub dead_features: Option<usize>,
    /// Hoyer's sparsity of the test codes.
    pub sparsity: Option<f64>,
}

impl NetworkRow {
    /// R² of the reconstruction clipped to [-1, 1], as pictures are shown.
    pub fn r2_clipped(&self) -> Option<f64> {
        Some(r2_of_clipped(self.mse?, self.mse_clipped?, self.r2?))
    }

    /// Its name on a page: `P1-17`.
    pub fn name(&self) -> String {
        format!("{:?}-{}", self.population, self.network)
    }

    /// `P1-17 k4/4-k3/2-k3, 32-64-128, softsign/linear`: how figures name it.
    pub fn title(&self) -> String {
        format!("{} {}, {}, {}/{}", self.name(), self.geometry, self.widths, self.encoder, self.decoder)
    }

    /// The anchor of its row on a page, for the set as `--data` names it.
    pub fn anchor(&self, set: &str) -> String {
        format!("{set}-{}", self.name())
    }
}

/// Trains, scores and probes one member.
pub fn run(member: &Member, examples: &Examples, trainer: &Trainer) -> NetworkRow {
    let mut workspace = Workspace::new();
    let mut row = blank(member, examples);
    let (Part::Classes(train), Part::Classes(validation), Part::Classes(test)) =
        (&examples.train, &examples.validation, &examples.test)
    else {
        row.reason = "the pictures have no classes".to_string();
        return row;
    };
    match trainer.train(member, &mut workspace) {
        Ok((scae, trained)) => {
            let filled = measure(&scae, &trained, [train, validation, test], examples, row.clone(), &mut workspace);
            filled.unwrap_or_else(|why| {
                row.reason = why;
                row
            })
        }
        Err(error) => {
            row.reason = error.to_string();
            row
        }
    }
}

/// Fills in the row.
///
/// # Errors
/// With what cannot be measured, and why: most often a value that is not finite.
fn measure(
    scae: &Scae,
    trained: &[Trained],
    [train, validation, test]: [&Labelled; 3],
    examples: &Examples,
    mut row: NetworkRow,
    workspace: &mut Workspace,
) -> Result<NetworkRow, String> {
    let layers = trained.len() as f64;
    row.train_error = Some(trained.iter().map(|layer| layer.final_error).sum::<f64>() / layers);
    row.train_error_bottom = trained.first().map(|layer| layer.final_error);
    row.train_error_top = trained.last().map(|layer| layer.final_error);
    row.train_error_cumulative = Some(trained.iter().map(|layer| layer.mean_error).sum::<f64>() / layers);

    let decoded = scae.reconstruct(&test.pictures, workspace).reshape(test.pictures.shape());
    let decoded = decoded.expect("as many values as the pictures");
    let whole = Reconstruction::score(&test.pictures, decoded.as_slice());
    if !whole.mse.is_finite() {
        return Err("the reconstruction is not finite".to_string());
    }
    (row.mse, row.mse_clipped) = (Some(whole.mse), Some(whole.mse_clipped));
    (row.r2, row.psnr) = (Some(whole.r2), Some(whole.psnr));
    // One infinite value would leave all networks without a correlation of this score.
    let score = |score: Score| {
        let summary = score_pictures(score, &test.pictures, &decoded).ok()?;
        Some(summary.value).filter(|value| value.is_finite())
    };
    row.ssim = score(Score::Ssim);
    row.euclidean = score(Score::Euclidean);
    row.soid = score(Score::Soid);
    row.soid_optimal = score(Score::SoidOptimal);
    row.correlation = score(Score::Correlation);
    row.delta_e94 = score(Score::DeltaE94);
    row.mahalanobis = score(Score::Mahalanobis);
    row.misaligned_mse = Some(misaligned_mse(&test.pictures, &decoded, scae.spec().layers[0].geometry.kernel));
    let validation_decoded = scae.reconstruct(&validation.pictures, workspace);
    let of_validation = Reconstruction::score(&validation.pictures, validation_decoded.as_slice()).mse;
    if !of_validation.is_finite() {
        return Err("the reconstruction of a validation picture is not finite".to_string());
    }
    row.mse_validation = Some(of_validation);

    let [codes, validation_codes, test_codes] =
        [train, validation, test].map(|part| scae.codes(&part.pictures, workspace));
    let classes = examples.classes();
    let linear = decode_linearly([&codes, &validation_codes, &test_codes], [train, validation]);
    let linear = linear.map_err(|error| format!("best linear decoder: {error}"))?;
    row.linear_decoder_mse = Some(Reconstruction::score(&test.pictures, &linear.pixels).mse);
    row.linear_decoder_mse_validation = Some(linear.validation_mse);

    let parts = [(&codes, train), (&validation_codes, validation), (&test_codes, test)];
    let [train_features, validation_features, test_features] =
        parts.map(|(rows, part)| Features { rows, labels: &part.labels });
    let of_probe = |error: ProbeError| format!("logistic probe: {error}");
    let logistic = LogisticProbe::fit(train_features, validation_features, classes, &PENALTIES, workspace);
    let logistic = logistic.map_err(of_probe)?;
    row.logistic = Some(logistic.accuracy(test_features, workspace).map_err(of_probe)?);
    row.logistic_validation = Some(logistic.accuracy(validation_features, workspace).map_err(of_probe)?);
    row.cross_entropy = logistic.cross_entropy(test_features, workspace).map_err(of_probe)?;
    let mut probe = |probe: Probe| {
        let fitted = probe.fit(train_features, validation_features, classes, workspace).ok()?;
        let predicted = fitted.predict(&test_codes, workspace).ok()?;
        Some(accuracy(&predicted, &test.labels))
    };
    row.ridge = probe(Probe::Ridge);
    row.knn_euclidean = probe(Probe::NearestNeighbours { k: NEIGHBOURS, metric: Metric::Euclidean });
    row.knn_cosine = probe(Probe::NearestNeighbours { k: NEIGHBOURS, metric: Metric::Cosine });
    row.mlp = probe(Probe::Mlp(MlpSettings { seed: row.seed, ..MlpSettings::DEFAULT }));

    let rows = Rows::new(test_codes.as_slice(), row.code_size);
    row.fisher = measures::fisher_criterion(rows, &test.labels, classes);
    row.thornton = measures::thornton_index(rows, &test.labels, workspace);
    row.silhouette = measures::silhouette_of_sample(rows, &test.labels, classes, row.seed);
    row.information = row.cross_entropy.map(|entropy| measures::information_lower_bound(&test.labels, entropy));
    row.effective_rank = measures::effective_rank(rows);
    row.participation_ratio = measures::participation_ratio(rows);
    let dead = measures::dead_units(rows).ok_or("a code is not finite")?;
    row.dead_features = Some(dead);
    row.sparsity = measures::hoyer_sparsity(rows);
    row.status = Status::of(dead, row.code_size, whole.r2);
    Ok(row)
}

/// Mean squared difference of the top left `kernel` x `kernel` pixels of the originals `[N, H, W, C]` and the bottom right
/// ones of the reconstructions: what N-light-N reports as soon as a stack has two layers (defect D3).
fn misaligned_mse(originals: &Tensor, reconstructions: &Tensor, kernel: usize) -> f64 {
    let &[_, height, width, channels] = originals.shape().dims() else { panic!("pictures are [N, H, W, C]") };
    let (row, picture) = (width * channels, height * width * channels);
    let last = (height - kernel) * row + (width - kernel) * channels;
    let (mut sum, mut values) = (0.0, 0);
    for (original, decoded) in originals.as_slice().chunks(picture).zip(reconstructions.as_slice().chunks(picture)) {
        for y in 0..kernel {
            let first = &original[y * row..][..kernel * channels];
            let decoded = &decoded[last + y * row..][..kernel * channels];
            sum += first.iter().zip(decoded).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
            values += first.len();
        }
    }
    sum / values as f64
}

/// The row of a network that failed: what is known before training.
pub(super) fn blank(member: &Member, examples: &Examples) -> NetworkRow {
    let widths: Vec<String> = member.spec.layers.iter().map(|layer| layer.features.to_string()).collect();
    let unit = member.spec.layers[0].unit;
    NetworkRow {
        data: examples.name.clone(),
        population: member.population,
        network: member.index,
        geometry: member.spec.geometry().to_string(),
        depth: member.spec.layers.len(),
        widths: widths.join("-"),
        code_size: member.spec.code_size(),
        encoder: unit.encoder().to_string(),
        decoder: unit.decoder().to_string(),
        initialisation: member.initialisation,
        regulariser: member.regulariser.to_string(),
        samples_per_layer: member.training.samples_per_layer,
        lr: member.training.lr,
        seed: member.training.seed,
        parameters: Trainer::untrained(member).params().values(),
        status: Status::Failed,
        reason: String::new(),
        train_error: None,
        train_error_bottom: None,
        train_error_top: None,
        train_error_cumulative: None,
        mse: None,
        mse_clipped: None,
        r2: None,
        psnr: None,
        ssim: None,
        euclidean: None,
        soid: None,
        soid_optimal: None,
        correlation: None,
        delta_e94: None,
        mahalanobis: None,
        misaligned_mse: None,
        mse_validation: None,
        linear_decoder_mse: None,
        linear_decoder_mse_validation: None,
        logistic: None,
        logistic_validation: None,
        cross_entropy: None,
        ridge: None,
        knn_euclidean: None,
        knn_cosine: None,
        mlp: None,
        fisher: None,
        thornton: None,
        silhouette: None,
        information: None,
        effective_rank: None,
        participation_ratio: None,
        dead_features: None,
        sparsity: None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A network of P1 with an error and an accuracy; what else is known of it does not matter.
    pub(crate) fn measured(network: usize, mse: f64, accuracy: f64) -> NetworkRow {
        let text = |text: &str| text.to_string();
        let known = Some(mse);
        NetworkRow {
            data: text("set"),
            population: Population::P1,
            network,
            geometry: text("k4/4-k7"),
            depth: 2,
            widths: text("8-32"),
            code_size: 32,
            encoder: text("softsign"),
            decoder: text("linear"),
            initialisation: Initialisation::Random,
            regulariser: text("none"),
            samples_per_layer: 1_000,
            lr: 1e-3,
            seed: 1,
            parameters: 1_000,
            status: Status::Ok,
            reason: String::new(),
            train_error: known,
            train_error_bottom: known,
            train_error_top: known,
            train_error_cumulative: known,
            mse: known,
            mse_clipped: known,
            r2: Some(1.0 - mse),
            psnr: Some(-mse),
            ssim: Some(-mse),
            euclidean: known,
            soid: known,
            soid_optimal: known,
            correlation: known,
            delta_e94: known,
            mahalanobis: known,
            misaligned_mse: known,
            mse_validation: known,
            linear_decoder_mse: known,
            linear_decoder_mse_validation: known,
            logistic: Some(accuracy),
            logistic_validation: Some(accuracy),
            cross_entropy: Some(1.0 - accuracy),
            ridge: Some(accuracy),
            knn_euclidean: Some(accuracy),
            knn_cosine: Some(accuracy),
            mlp: Some(accuracy),
            fisher: Some(accuracy),
            thornton: Some(accuracy),
            silhouette: Some(accuracy),
            information: Some(accuracy),
            effective_rank: Some(10.0),
            participation_ratio: Some(10.0),
            dead_features: Some(0),
            sparsity: Some(0.5),
        }
    }

    /// Network `index` of P1 with a code of 64 and nothing measured, for tests that fill in what they need.
    pub(crate) fn row(index: usize) -> NetworkRow {
        let known = serde_json::json!({
            "data": "hand-made", "population": "P1", "network": index, "geometry": "k28", "depth": 1, "widths": "64",
            "code_size": 64, "encoder": "softsign", "decoder": "linear", "initialisation": "random", "regulariser": "none",
            "samples_per_layer": 100, "lr": 0.001, "seed": index, "parameters": 1, "status": "ok", "reason": "",
        });
        serde_json::from_value(known).unwrap()
    }

    #[test]
    fn the_misaligned_error_compares_opposite_corners() {
        // 3x3 pictures: values 0 to 8, and 0 to 80 in tens.
        let picture = |step: f32| Tensor::new([1, 3, 3, 1], &std::array::from_fn::<f32, 9, _>(|i| step * i as f32));
        // 2x2 corners: 0, 1, 3, 4 against 40, 50, 70, 80.
        let expected = (40.0_f64.powi(2) + 49.0_f64.powi(2) + 67.0_f64.powi(2) + 76.0_f64.powi(2)) / 4.0;
        assert_eq!(misaligned_mse(&picture(1.0), &picture(10.0), 2), expected);
        assert_eq!(misaligned_mse(&picture(1.0), &picture(1.0), 3), 0.0, "the whole picture is aligned");
    }
}
