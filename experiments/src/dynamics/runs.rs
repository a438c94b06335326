//! Do error and accuracy move together along one training run?

use super::checkpoint::CheckpointRow;
use crate::{
    correlation::population::Initialisation,
    statistics::{CONFIDENCE, Mean, linear_trend, mean_interval, spearman},
};
use serde::Serialize;

/// One network over its checkpoints: a row of `runs.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunRow {
    /// The set.
    pub data: String,
    /// Its number in P2.
    pub network: usize,
    /// How its layers began.
    pub initialisation: Initialisation,
    /// What kept it from learning by heart.
    pub regulariser: String,
    /// Learning rate.
    pub lr: f64,
    /// Checkpoints that did not fail.
    pub checkpoints: usize,
    /// Spearman's rho of reconstruction quality and accuracy over them, on test pictures.
    pub rho: Option<f64>,
    /// The same over the later half of them.
    pub late_rho: Option<f64>,
    /// Patches for each layer at the best validation accuracy, the fewest of equals.
    pub best_accuracy_patches: usize,
    /// Patches at the lowest validation error.
    pub best_mse_patches: usize,
    /// Test accuracy at the best validation accuracy minus that at the lowest validation error: what it costs to stop by the
    /// error.
    pub price: f64,
    /// Whether the validation error is lowest at the last checkpoint: it was falling still.
    pub error_falls_to_the_end: bool,
    /// Change of the test accuracy with every doubling of the patches, over the later half.
    pub late_accuracy_slope: Option<f64>,
    /// Change of the test error with every doubling, as a share of it, over the later half.
    pub late_mse_slope: Option<f64>,
}

impl RunRow {
    /// Doublings of the patches from the best accuracy to the lowest error: negative where accuracy is best last.
    pub fn lead(&self) -> f64 {
        (self.best_mse_patches as f64 / self.best_accuracy_patches as f64).log2()
    }
}

/// A row for each network that has at least two checkpoints, by number.
pub fn runs(rows: &[CheckpointRow]) -> Vec<RunRow> {
    networks(rows).into_iter().filter_map(|network| run(&checkpoints(rows, network))).collect()
}

/// The numbers of the networks, rising.
pub fn networks(rows: &[CheckpointRow]) -> Vec<usize> {
    let mut networks: Vec<usize> = rows.iter().map(|row| row.network).collect();
    networks.sort_unstable();
    networks.dedup();
    networks
}

/// The checkpoints of a network that did not fail, by patches.
pub fn checkpoints(rows: &[CheckpointRow], network: usize) -> Vec<&CheckpointRow> {
    let mut known: Vec<&CheckpointRow> =
        rows.iter().filter(|row| row.network == network && row.reason.is_empty()).collect();
    known.sort_by_key(|row| row.patches);
    known
}

fn run(checkpoints: &[&CheckpointRow]) -> Option<RunRow> {
    let column = |value: fn(&CheckpointRow) -> Option<f64>| -> Option<Vec<f64>> {
        checkpoints.iter().map(|row| value(row)).collect()
    };
    let (mse, accuracy) = (column(|row| row.mse)?, column(|row| row.accuracy)?);
    let (mse_validation, accuracy_validation) =
        (column(|row| row.mse_validation)?, column(|row| row.accuracy_validation)?);
    if checkpoints.len() < 2 {
        return None;
    }
    let first = checkpoints[0];
    let quality: Vec<f64> = mse.iter().map(|mse| -mse).collect();
    let doublings: Vec<f64> = checkpoints.iter().map(|row| (row.patches as f64).log2()).collect();
    let late = checkpoints.len() / 2..checkpoints.len();
    let log_mse: Vec<f64> = mse.iter().map(|mse| mse.ln()).collect();
    let slope = |values: &[f64]| {
        linear_trend(&doublings[late.clone()], &values[late.clone()], CONFIDENCE).map(|trend| trend.slope)
    };
    let lowest = |values: &[f64]| (0..values.len()).min_by(|a, b| values[*a].total_cmp(&values[*b]));
    let losses: Vec<f64> = accuracy_validation.iter().map(|accuracy| -accuracy).collect();
    let (best_accuracy, best_mse) = (lowest(&losses)?, lowest(&mse_validation)?);
    Some(RunRow {
        data: first.data.clone(),
        network: first.network,
        initialisation: first.initialisation,
        regulariser: first.regulariser.clone(),
        lr: first.lr,
        checkpoints: checkpoints.len(),
        rho: spearman(&quality, &accuracy),
        late_rho: spearman(&quality[late.clone()], &accuracy[late.clone()]),
        best_accuracy_patches: checkpoints[best_accuracy].patches,
        best_mse_patches: checkpoints[best_mse].patches,
        price: accuracy[best_accuracy] - accuracy[best_mse],
        error_falls_to_the_end: best_mse + 1 == checkpoints.len(),
        late_accuracy_slope: slope(&accuracy),
        late_mse_slope: slope(&log_mse).map(f64::exp_m1),
    })
}

/// The runs of a set together: means over networks with Student's intervals.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// Networks.
    pub networks: usize,
    /// Rho over all checkpoints.
    pub rho: Option<Mean>,
    /// Rho over the later half.
    pub late_rho: Option<Mean>,
    /// [`RunRow::lead`].
    pub lead: Option<Mean>,
    /// Networks whose accuracy was best before their error was lowest.
    pub earlier: usize,
    /// [`RunRow::price`].
    pub price: Option<Mean>,
    /// Networks whose error was lowest at the end.
    pub to_the_end: usize,
    /// Networks whose accuracy fell over the later half.
    pub falling: usize,
    /// Change of accuracy with a doubling of the patches.
    pub late_accuracy_slope: Option<Mean>,
    /// Change of the error, as a share of it.
    pub late_mse_slope: Option<Mean>,
}

impl RunSummary {
    /// Of these runs.
    pub fn of(runs: &[RunRow]) -> Self {
        let mean = |value: &dyn Fn(&RunRow) -> Option<f64>| {
            mean_interval(&runs.iter().filter_map(value).collect::<Vec<f64>>(), CONFIDENCE)
        };
        Self {
            networks: runs.len(),
            rho: mean(&|run| run.rho),
            late_rho: mean(&|run| run.late_rho),
            lead: mean(&|run| Some(run.lead())),
            earlier: runs.iter().filter(|run| run.lead() > 0.0).count(),
            price: mean(&|run| Some(run.price)),
            to_the_end: runs.iter().filter(|run| run.error_falls_to_the_end).count(),
            falling: runs.iter().filter(|run| run.late_accuracy_slope.is_some_and(|slope| slope < 0.0)).count(),
            late_accuracy_slope: mean(&|run| run.late_accuracy_slope),
            late_mse_slope: mean(&|run| run.late_mse_slope),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Checkpoints at 64, 128, ... with these errors and accuracies.
    pub(crate) fn network(network: usize, values: &[(f64, f64)]) -> Vec<CheckpointRow> {
        let row = |(at, (mse, accuracy)): (usize, &(f64, f64))| CheckpointRow {
            data: "set".to_string(),
            network,
            initialisation: Initialisation::Random,
            regulariser: "none".to_string(),
            lr: 1e-3,
            seed: 1,
            patches: 64 << at,
            reason: String::new(),
            train_error: Some(mse.sqrt()),
            train_error_top: Some(mse.sqrt()),
            mse_validation: Some(*mse),
            mse: Some(*mse),
            accuracy_validation: Some(*accuracy),
            accuracy: Some(*accuracy),
            layer1_validation: Some(0.8),
            layer2_validation: Some(0.85),
        };
        values.iter().enumerate().map(row).collect()
    }

    #[test]
    fn a_run_whose_accuracy_falls_late_by_hand() {
        // The error halves each time; accuracy rises to the fourth checkpoint of six, then falls by 0.1 twice.
        let values = [(0.32, 0.5), (0.16, 0.6), (0.08, 0.7), (0.04, 0.9), (0.02, 0.8), (0.01, 0.7)];
        let found = runs(&network(7, &values));
        let run = &found[0];
        assert_eq!((found.len(), run.network, run.checkpoints), (1, 7, 6));
        assert_eq!((run.best_accuracy_patches, run.best_mse_patches, run.lead()), (512, 2048, 2.0));
        assert!((run.price - 0.2).abs() < 1e-12 && run.error_falls_to_the_end);
        assert!((run.late_rho.unwrap() + 1.0).abs() < 1e-12 && run.rho.unwrap() > 0.5);
        assert!((run.late_accuracy_slope.unwrap() + 0.1).abs() < 1e-12);
        assert!((run.late_mse_slope.unwrap() + 0.5).abs() < 1e-12);
        assert_eq!(RunSummary::of(&found).falling, 1);
    }

    #[test]
    fn checkpoints_that_failed_and_short_runs_do_not_enter() {
        let mut rows = network(1, &[(0.3, 0.5), (0.2, 0.6), (0.1, 0.7)]);
        rows[1].reason = "diverged".to_string();
        rows.extend(network(0, &[(0.3, 0.5)]));
        let found = runs(&rows);
        assert_eq!((found.len(), found[0].checkpoints, found[0].rho), (1, 2, Some(1.0)));
        assert_eq!((found[0].late_rho, found[0].late_accuracy_slope), (None, None));
        assert!(runs(&[]).is_empty());
    }

    #[test]
    fn the_summary_counts_and_means() {
        let mut rows = network(0, &[(0.3, 0.5), (0.2, 0.7), (0.1, 0.6)]);
        rows.extend(network(1, &[(0.3, 0.5), (0.2, 0.6), (0.1, 0.7)]));
        let summary = RunSummary::of(&runs(&rows));
        assert_eq!((summary.networks, summary.earlier), (2, 1));
        assert!((summary.rho.unwrap().mean - 0.75).abs() < 1e-12);
        assert!((summary.lead.unwrap().mean - 0.5).abs() < 1e-12);
        // 0.1 and nothing; two checkpoints have no slope.
        assert!((summary.price.unwrap().mean - 0.05).abs() < 1e-12);
        assert_eq!((summary.falling, summary.to_the_end), (0, 2));
        assert_eq!(RunSummary::of(&[]).rho, None);
    }
}
