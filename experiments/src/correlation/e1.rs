//! Experiment E1 as the suite sees it.

use super::{
    Correlation,
    network::{NetworkRow, Status},
    relations::{Level, RelationRow, relations},
    section::section,
};
use crate::{
    report::format::{column_width, number, span},
    run_folder::RunFolder,
    suite::{Experiment, Results, Section, Setup, merge_rows, run_sweep},
    sweep::{Settings, SweepError},
};
use std::path::{Path, PathBuf};

/// Experiment E1.
pub struct E1;

impl Experiment for E1 {
    fn id(&self) -> &'static str {
        "E1"
    }

    fn name(&self) -> &'static str {
        "correlation"
    }

    fn question(&self) -> &'static str {
        "Over many stacked auto-encoders, does the one that reconstructs better also classify better?"
    }

    fn protocol(&self) -> &'static str {
        "Three populations of networks are drawn from a seed by a Latin hypercube: P1 differs in geometry, widths, code size, \
         activations, initialisation, patches, rate and regulariser; P2 has one architecture and differs in how it is trained; \
         P3 differs in the seed alone. Each network is trained on training pictures without labels, then measured once on the \
         test pictures: reconstruction by twelve scores of its own decoder and by the best linear decoder of the same code, \
         classification by five probes on the frozen code. Correlations are those of ranks, over networks; quality is turned \
         so that more is better."
    }

    fn run(&self, setup: &Setup, folder: &Path, settings: &Settings) -> Result<(), SweepError> {
        run_sweep(self.name(), &Correlation::new(setup), setup, folder, settings)
    }

    fn merge(&self, shards: &[PathBuf], out: &Path) -> Result<usize, SweepError> {
        merge_rows::<NetworkRow>(shards, out)
    }

    fn summarise(&self, results: &Results) -> anyhow::Result<String> {
        let rows: Vec<NetworkRow> = results.rows()?;
        let found = relations(&rows, results.identity.seed);
        RunFolder { path: results.folder.to_path_buf() }.write_csv("relations.csv", &found)?;
        Ok(table(&rows, &found))
    }

    fn section(&self, results: &[Results]) -> anyhow::Result<Section> {
        section(results)
    }
}

/// What a reader without a browser should see: reconstruction by the own and by the best linear decoder against the
/// logistic probe.
fn table(rows: &[NetworkRow], found: &[RelationRow]) -> String {
    let count = |status: Status| rows.iter().filter(|row| row.status == status).count();
    let mut text = format!(
        "{}: {} networks ({} dead, {} failed); reconstruction quality against the accuracy of a logistic probe\n",
        rows.first().map_or("no data", |row| &row.data),
        rows.len(),
        count(Status::Dead),
        count(Status::Failed)
    );
    let width = column_width("networks", Level::ALL.iter().map(|level| level.label()));
    text += &format!(
        "  {:<width$} {:<24} {:>4} {:>6} {:>16} {:>8} {:>8}  {}\n",
        "networks", "judged by", "n", "rho", "95 % interval", "p", "BF01", "no correlation?"
    );
    for level in Level::ALL {
        for (quality, name) in [("mse", "own decoder"), ("linear-decoder", "best linear decoder")] {
            let wanted = |row: &&RelationRow| {
                row.level == level && !row.without_dead && row.quality == quality && row.probe == "logistic"
            };
            let Some(row) = found.iter().find(wanted) else { continue };
            text += &format!(
                "  {:<width$} {:<24} {:>4} {:>6} {:>16} {:>8.4} {:>8.2}  {}\n",
                level.label(),
                name,
                row.networks,
                number(row.rho, 2),
                span(row.low, row.high, 2),
                row.permutation_p,
                row.bayes_factor_01,
                row.verdict
            );
        }
    }
    text
}
