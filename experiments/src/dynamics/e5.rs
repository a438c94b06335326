//! Experiment E5 as the suite sees it.

use super::{
    Dynamics,
    checkpoint::CheckpointRow,
    prediction::{PredictionRow, predictions},
    runs::{RunSummary, runs},
    section::section,
};
use crate::{
    correlation::{E1, network::NetworkRow},
    report::format::{column_width, number},
    run_folder::RunFolder,
    statistics::Mean,
    suite::{Experiment, Results, Section, Setup, merge_rows, run_sweep},
    sweep::{Settings, SweepError},
};
use std::path::{Path, PathBuf};

/// Experiment E5.
pub struct E5;

impl Experiment for E5 {
    fn id(&self) -> &'static str {
        "E5"
    }

    fn name(&self) -> &'static str {
        "dynamics"
    }

    fn question(&self) -> &'static str {
        "Along one training run, do error and accuracy move together, and can either be predicted?"
    }

    fn protocol(&self) -> &'static str {
        "Networks of population P2, at even distances, are trained with 64, 128, 256, ... patches for each layer; each number is \
         a training of its own from the same start, because layers are trained one after the other on what is below them. \
         Training error, reconstruction error and the accuracy of a ridge probe on the code and on the lower layers are \
         measured at each. How much of the training error the configuration explains, and how much of the accuracy the errors, \
         is asked over the networks of population P1 of experiment E1."
    }

    fn needs(&self) -> Option<&'static str> {
        Some(E1.name())
    }

    fn run(&self, setup: &Setup, folder: &Path, settings: &Settings) -> Result<(), SweepError> {
        run_sweep(self.name(), &Dynamics::new(setup), setup, folder, settings)
    }

    fn merge(&self, shards: &[PathBuf], out: &Path) -> Result<usize, SweepError> {
        merge_rows::<CheckpointRow>(shards, out)
    }

    fn summarise(&self, results: &Results) -> anyhow::Result<String> {
        let found = runs(&results.rows::<CheckpointRow>()?);
        let folder = RunFolder { path: results.folder.to_path_buf() };
        folder.write_csv("runs.csv", &found)?;
        let mut text = table(&results.identity.data[0], &RunSummary::of(&found));
        if let Some(rows) = results.rows_beside::<NetworkRow>(E1.name())? {
            let found = predictions(&rows, results.identity.seed);
            folder.write_csv("prediction.csv", &found)?;
            text += &prediction_table(&found);
        } else {
            text += &format!(
                "  claims C7 and C8 need the networks of {} (`pitfall run {0}`) with the same profile, seed and pictures beside\n",
                E1.name()
            );
        }
        Ok(text)
    }

    fn section(&self, results: &[Results]) -> anyhow::Result<Section> {
        section(results)
    }
}

/// What a reader without a browser should see of the runs.
fn table(data: &str, summary: &RunSummary) -> String {
    let mut text = format!("{data}: {} training runs, means over them\n", summary.networks);
    let lines: [(&str, &Option<Mean>, f64); 5] = [
        ("rho of quality and accuracy over the checkpoints of a run", &summary.rho, 1.0),
        ("the same over the later half", &summary.late_rho, 1.0),
        ("doublings from the best accuracy to the lowest error", &summary.lead, 1.0),
        ("later half: accuracy per doubling, points", &summary.late_accuracy_slope, 100.0),
        ("later half: error per doubling, per cent", &summary.late_mse_slope, 100.0),
    ];
    for (what, mean, scale) in lines {
        let Some(mean) = mean else { continue };
        text += &format!(
            "  {what:<64} {:>7}  ({} to {})\n",
            number(scale * mean.mean, 2),
            number(scale * mean.interval.low, 2),
            number(scale * mean.interval.high, 2)
        );
    }
    text
}

/// The same of what explains what.
fn prediction_table(found: &[PredictionRow]) -> String {
    let heading = "explained, over P1 of E1";
    let width = column_width(heading, found.iter().map(|row| row.model.label()));
    let mut text = format!("  {heading:<width$} {:>4} {:>6} {:>9}  {}\n", "n", "R2", "adjusted", "95 %");
    for row in found {
        text += &format!(
            "  {:<width$} {:>4} {:>6} {:>9}  {} to {}\n",
            row.model.label(),
            row.networks,
            number(row.r_squared, 2),
            number(row.adjusted, 2),
            number(row.low, 2),
            number(row.high, 2)
        );
    }
    text
}
