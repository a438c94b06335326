//! Experiment E4 as the suite sees it.

use super::{
    BeforeAfter,
    changes::{ChangeRow, Group, changes},
    lengths,
    network::StateRow,
    networks, panel,
    section::section,
    variant::Variant,
};
use crate::{
    correlation::some_of_p2,
    report::format::{column_width, number, span},
    run_folder::RunFolder,
    suite::{Experiment, Results, Section, Setup, copy_picture, draw_picture, merge_rows, run_sweep},
    sweep::{Settings, SweepError},
};
use std::path::{Path, PathBuf};

/// Experiment E4.
pub struct E4;

impl Experiment for E4 {
    fn id(&self) -> &'static str {
        "E4"
    }

    fn name(&self) -> &'static str {
        "before-after"
    }

    fn question(&self) -> &'static str {
        "What happens to reconstruction when the features become good for the task?"
    }

    fn protocol(&self) -> &'static str {
        "Networks of population P2, at even distances, get a classification layer on their code and are fine-tuned in three \
         ways: all layers by plain descent on the squared error against one-hot targets, as N-light-N does it, here in batches \
         of 32 with the rate that is equivalent to 0.001 for single pictures; all layers with momentum on the cross-entropy; \
         and the classification layer alone. The old decoders are kept. Every epoch is watched on validation pictures. Before \
         and at the end three decoders are measured once on test pictures: the old ones, the same trained again layer by \
         layer on the new code, and the best linear one. What even the best of them does not recover bounds from above what \
         the encoder dropped."
    }

    fn run(&self, setup: &Setup, folder: &Path, settings: &Settings) -> Result<(), SweepError> {
        run_sweep(self.name(), &BeforeAfter::new(setup), setup, folder, settings)?;
        draw_picture(folder, panel::FILE, settings, |interrupt| {
            panel::panel(setup, &some_of_p2(setup, networks(setup.profile)), lengths(setup.profile), interrupt)
        })
    }

    fn merge(&self, shards: &[PathBuf], out: &Path) -> Result<usize, SweepError> {
        let rows = merge_rows::<StateRow>(shards, out)?;
        copy_picture(shards, out, panel::FILE)?;
        Ok(rows)
    }

    fn summarise(&self, results: &Results) -> anyhow::Result<String> {
        let rows: Vec<StateRow> = results.rows()?;
        let [found, living] = Group::ALL.map(|group| changes(&rows, group, results.identity.seed));
        let text = table(&results.identity.data[0], &found);
        let folder = RunFolder { path: results.folder.to_path_buf() };
        folder.write_csv("changes.csv", found.into_iter().chain(living))?;
        Ok(text)
    }

    fn section(&self, results: &[Results]) -> anyhow::Result<Section> {
        section(results)
    }
}

/// What a reader without a browser should see: accuracy and errors before and after.
fn table(data: &str, found: &[ChangeRow]) -> String {
    let mut text = format!("{data}: test pictures before and after fine-tuning, means over networks\n");
    let width = column_width("quantity", found.iter().map(|row| row.quantity.label()));
    text += &format!(
        "  {:<30} {:<width$} {:>3} {:>8} {:>8} {:>8} {:>18}\n",
        "fine-tuned", "quantity", "n", "before", "after", "change", "95 % interval"
    );
    for variant in Variant::ALL {
        for row in found.iter().filter(|row| row.variant == variant) {
            let cell = |value: Option<f64>| value.map_or(String::new(), |value| number(value, 4));
            text += &format!(
                "  {:<30} {:<width$} {:>3} {:>8} {:>8} {:>8} {:>18}\n",
                variant.label(),
                row.quantity.label(),
                row.networks,
                cell(row.before),
                cell(row.after),
                number(row.estimate, 4),
                span(row.low, row.high, 4)
            );
        }
    }
    text
}
