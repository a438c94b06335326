//! A network of P2 after 2^k patches for each layer: one row of the sweep.

use crate::{
    batches::gather_pictures,
    config::Examples,
    correlation::{
        population::{Initialisation, Member},
        training::train_member,
    },
    data::Labelled,
    probe::{Features, FittedProbe, RIDGE_PENALTIES, RidgeProbe},
    scae::Scae,
    scores::Reconstruction,
    units::TrainConfig,
};
use patchgrad::{Tape, Tensor, Workspace, random::stream};
use serde::{Deserialize, Serialize};

/// A row of the sweep. Accuracies are those of a ridge probe, as shares of the pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointRow {
    /// The set, such as `MNIST sample`.
    pub data: String,
    /// Its number in P2.
    pub network: usize,
    /// How its layers began.
    pub initialisation: Initialisation,
    /// What kept it from learning by heart.
    pub regulariser: String,
    /// Learning rate.
    pub lr: f64,
    /// Seed of weights and patches.
    pub seed: u64,
    /// Patches that each layer was shown.
    pub patches: usize,
    /// Why it failed; empty if it did not.
    pub reason: String,
    /// Mean absolute error over the last tenth of the patches, mean over the layers.
    pub train_error: Option<f64>,
    /// The same of the top layer.
    pub train_error_top: Option<f64>,
    /// Mean squared error of the reconstruction of validation pictures.
    pub mse_validation: Option<f64>,
    /// The same of test pictures.
    pub mse: Option<f64>,
    /// Accuracy of the top code on validation pictures.
    pub accuracy_validation: Option<f64>,
    /// The same on test pictures.
    pub accuracy: Option<f64>,
    /// Accuracy of the lowest layer on validation pictures, its map averaged within each quarter.
    pub layer1_validation: Option<f64>,
    /// The same of the second layer.
    pub layer2_validation: Option<f64>,
}

/// Trains `member` with `patches` for each layer and measures it.
pub fn run(member: &Member, patches: usize, examples: &Examples) -> CheckpointRow {
    let training = TrainConfig { samples_per_layer: patches, ..member.training };
    let member = Member { training, ..member.clone() };
    let mut row = blank(&member, patches, examples);
    let Some(parts) = examples.labelled() else {
        row.reason = "the pictures have no classes".to_string();
        return row;
    };
    let workspace = &mut Workspace::new();
    let mut scae = Scae::new(member.spec.clone(), &mut stream(member.training.seed, "init", 0));
    match train_member(&mut scae, &member, &parts[0].pictures, workspace) {
        Ok(trained) => {
            let layers = trained.len() as f64;
            row.train_error = Some(trained.iter().map(|layer| layer.final_error).sum::<f64>() / layers);
            row.train_error_top = trained.last().map(|layer| layer.final_error);
            if measure(&scae, parts, examples.classes(), &mut row, workspace).is_none() {
                row.reason = "a code or a reconstruction is not finite".to_string();
            }
        }
        Err(error) => row.reason = error.to_string(),
    }
    row
}

/// Fills in the row; `None` when a value is not finite.
fn measure(
    scae: &Scae,
    parts: [&Labelled; 3],
    classes: usize,
    row: &mut CheckpointRow,
    workspace: &mut Workspace,
) -> Option<()> {
    let [_, validation, test] = parts;
    let mut mse = |part: &Labelled| {
        let decoded = scae.reconstruct(&part.pictures, workspace);
        let mse = Reconstruction::score(&part.pictures, decoded.as_slice()).mse;
        mse.is_finite().then_some(mse)
    };
    let errors = [mse(validation)?, mse(test)?];
    let codes = parts.map(|part| scae.codes(&part.pictures, workspace));
    let [train_features, validation_features, test_features] = features(&codes, parts);
    let probe = RidgeProbe::fit(train_features, validation_features, classes, &RIDGE_PENALTIES).ok()?;
    let [below_validation, below_test] =
        [validation_features, test_features].map(|part| probe.accuracy(part, workspace));
    let mut of_layer = |layer: usize| {
        let maps = parts.map(|part| quarters(scae, layer, &part.pictures, workspace));
        let [train_features, validation_features, _] = features(&maps, parts);
        let probe = RidgeProbe::fit(train_features, validation_features, classes, &RIDGE_PENALTIES).ok()?;
        probe.accuracy(validation_features, workspace).ok()
    };
    let layers = [of_layer(1), of_layer(2)];
    [row.mse_validation, row.mse] = errors.map(Some);
    (row.accuracy_validation, row.accuracy) = (Some(below_validation.ok()?), Some(below_test.ok()?));
    [row.layer1_validation, row.layer2_validation] = layers;
    Some(())
}

fn features<'a>(rows: &'a [Tensor; 3], parts: [&'a Labelled; 3]) -> [Features<'a>; 3] {
    std::array::from_fn(|part| Features { rows: &rows[part], labels: &parts[part].labels })
}

/// What the lowest `layers` layers make of pictures: the mean of every feature in each quarter of the map, `[N, 4 n]`. The
/// middle of an odd map belongs to the second half.
fn quarters(scae: &Scae, layers: usize, pictures: &Tensor, workspace: &mut Workspace) -> Tensor {
    let [height, width, features] = scae.spec().map_size(layers);
    gather_pictures(pictures, 4 * features, workspace, |batch, rows, workspace| {
        let mut tape = Tape::with_params(scae.params(), workspace);
        let input = tape.input(batch);
        let map = scae.encode(&mut tape, input, layers);
        let maps = tape.value(map).as_slice().chunks(height * width * features);
        for (row, map) in rows.chunks_mut(4 * features).zip(maps) {
            average_quarters(map, [height, width, features], row);
        }
    })
}

/// `map` `[h, w, n]` into the means `[4, n]` of its quarters, row by row; an empty one (of a map of one position) is 0.
fn average_quarters(map: &[f32], [height, width, features]: [usize; 3], means: &mut [f32]) {
    let halves = |length: usize| [0..length / 2, length / 2..length];
    for (at, rows) in halves(height).into_iter().enumerate() {
        for (beside, columns) in halves(width).into_iter().enumerate() {
            let positions = rows.len() * columns.len();
            let means = &mut means[(2 * at + beside) * features..][..features];
            means.fill(0.0);
            for position in rows.clone().flat_map(|y| columns.clone().map(move |x| y * width + x)) {
                let values = &map[position * features..][..features];
                means.iter_mut().zip(values).for_each(|(mean, value)| *mean += value / positions as f32);
            }
        }
    }
}

/// What is known before training.
pub(super) fn blank(member: &Member, patches: usize, examples: &Examples) -> CheckpointRow {
    CheckpointRow {
        data: examples.name.clone(),
        network: member.index,
        initialisation: member.initialisation,
        regulariser: member.regulariser.to_string(),
        lr: member.training.lr,
        seed: member.training.seed,
        patches,
        reason: String::new(),
        train_error: None,
        train_error_top: None,
        mse_validation: None,
        mse: None,
        accuracy_validation: None,
        accuracy: None,
        layer1_validation: None,
        layer2_validation: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_by_hand() {
        // 3x2 positions, one feature: rows 0 | 1, 2 and columns 0 | 1.
        let mut means = [9.0; 4];
        average_quarters(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [3, 2, 1], &mut means);
        assert_eq!(means, [1.0, 2.0, 4.0, 5.0]);
        let mut two = [9.0; 8];
        average_quarters(&[7.0, -7.0], [1, 1, 2], &mut two);
        assert_eq!(two, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0, -7.0]);
    }
}
