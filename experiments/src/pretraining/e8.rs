//! Experiment E8 as the suite sees it.

use super::{
    Pretraining,
    curves::{CurveRow, curves},
    page,
    piece::PretrainingRow,
    sizes,
    starts::Start,
    summary::{StartRow, reconstruction, signed, starts, verdict},
};
use crate::{
    report::format::{count, number},
    run_folder::RunFolder,
    suite::{Experiment, Profile, Results, Section, Setup, merge_rows, run_sweep},
    sweep::{Settings, SweepError},
};
use std::path::{Path, PathBuf};

/// Experiment E8.
pub struct E8;

impl Experiment for E8 {
    fn id(&self) -> &'static str {
        "E8"
    }

    fn name(&self) -> &'static str {
        "pretraining"
    }

    fn question(&self) -> &'static str {
        "Does a network that was trained without labels first classify better than one that begins at random?"
    }

    fn protocol(&self) -> &'static str {
        "One architecture is begun in nine ways: at random, as a stacked auto-encoder, from principal components, from \
         discriminant directions of the labelled pictures, as a denoising stack, from restricted Boltzmann machines, and as a \
         stacked auto-encoder that began with principal components; in two controls the weights of each feature of the \
         stacked auto-encoder and of the machines are at other places, so that their size is kept and what was learnt is lost. Then a linear layer is put on the code and everything is \
         fine-tuned with cross-entropy on 100 labelled pictures up to all of them, classes balanced, until the accuracy on \
         validation pictures rises no more. A seed decides the labels, the order of the pictures and the head, so that starts \
         are paired; the gain over the random start is tested by Student's t over seeds, Holm-corrected over the numbers of \
         labels, for each start by itself."
    }

    fn run(&self, setup: &Setup, folder: &Path, settings: &Settings) -> Result<(), SweepError> {
        run_sweep(self.name(), &Pretraining::new(setup), setup, folder, settings)
    }

    fn merge(&self, shards: &[PathBuf], out: &Path) -> Result<usize, SweepError> {
        merge_rows::<PretrainingRow>(shards, out)
    }

    fn summarise(&self, results: &Results) -> anyhow::Result<String> {
        let rows: Vec<PretrainingRow> = results.rows()?;
        let (found, of_starts) = (curves(&rows), starts(&rows));
        let folder = RunFolder { path: results.folder.to_path_buf() };
        folder.write_csv("pretraining.csv", &found)?;
        folder.write_csv("pretraining-starts.csv", &of_starts)?;
        folder.write_csv("pretraining-reconstruction.csv", reconstruction(&rows))?;
        Ok(table(&rows, &found, &of_starts))
    }

    fn section(&self, results: &[Results]) -> anyhow::Result<Section> {
        let mut section = Section::default();
        for result in results {
            let rows: Vec<PretrainingRow> = result.rows()?;
            page::add(&mut section, result.set, &rows);
            if let Some(profile) = Profile::named(&result.identity.profile) {
                let validation = sizes(profile).validation.min(result.identity.pictures[1]);
                section.numbers.insert(format!("{}.validation", result.set), count(validation));
            }
        }
        section.deviations = page::deviations();
        Ok(section)
    }
}

/// Accuracy of the random start, gain of the others, by number of labels.
fn table(rows: &[PretrainingRow], found: &[CurveRow], of_starts: &[StartRow]) -> String {
    let mut labels: Vec<usize> = found.iter().map(|row| row.labels).collect();
    labels.sort_unstable();
    labels.dedup();
    let mut text = format!(
        "{}: {} fine-tuned networks ({} failed); test accuracy in % of the random start, points gained by others (* p < 0.05 within the start, ** over all starts)\n",
        rows.first().map_or("no data", |row| &row.data),
        rows.len(),
        rows.iter().filter(|row| row.accuracy.is_none()).count()
    );
    text += &format!("  {:<16}", "labels");
    labels.iter().for_each(|labels| text += &format!(" {labels:>9}"));
    text += &format!(" {:>9} {:>8}\n", "area, %", "linear");
    for start in Start::ALL {
        text += &format!("  {:<16}", start.label());
        for &labels in &labels {
            let row = found.iter().find(|row| row.start == start && row.labels == labels);
            let cell = match (start, row) {
                (Start::Random, Some(row)) => row.accuracy.map(|accuracy| number(100.0 * accuracy, 2)),
                (_, Some(row)) => row.gain.map(|gain| signed(100.0 * gain) + page::star(row)),
                (_, None) => None,
            };
            text += &format!(" {:>9}", cell.unwrap_or_default());
        }
        let own = of_starts.iter().find(|row| row.start == start);
        let area = own.and_then(|row| row.area).map(|area| number(100.0 * area, 2));
        let mse = own.and_then(|row| row.linear_mse).map(|mse| number(mse, 4));
        text += &format!(" {:>9} {:>8}\n", area.unwrap_or_default(), mse.unwrap_or_default());
    }
    let (verdict, numbers) = verdict(found);
    text += &format!("  C6 {}: {numbers}\n", verdict.name());
    text
}
