//! Experiment E2 as the suite sees it.

use super::{
    Separability,
    comparison::{ComparisonRow, comparisons, verdict},
    features::LONGEST_MAP,
    row::{Kind, SeparabilityRow},
    section,
};
use crate::{
    correlation::network::Status,
    report::format::count,
    run_folder::RunFolder,
    suite::{Experiment, Results, Section, Setup, merge_rows, run_sweep},
    sweep::{Settings, SweepError},
};
use std::path::{Path, PathBuf};

/// Experiment E2.
pub struct E2;

impl Experiment for E2 {
    fn id(&self) -> &'static str {
        "E2"
    }

    fn name(&self) -> &'static str {
        "separability"
    }

    fn question(&self) -> &'static str {
        "Are the classes better separable in the code of an auto-encoder than in the pixels?"
    }

    fn protocol(&self) -> &'static str {
        "The networks of P1 and P2 (quick: P1), as in E1, are trained on training pictures without labels. A logistic probe and five \
         nearest neighbours then classify the test pictures from the code, from the pixels, from as many principal components and from \
         the code of the same network before training; a ridge probe and neighbours from every layer. Whether a code is better or worse \
         is decided for each network by McNemar's exact test on the same test pictures, Holm-corrected over all networks of the \
         population. Further baselines are random projections, LDA, a supervised network of P2's architecture and labels in random \
         order."
    }

    fn run(&self, setup: &Setup, folder: &Path, settings: &Settings) -> Result<(), SweepError> {
        run_sweep(self.name(), &Separability::new(setup), setup, folder, settings)
    }

    fn merge(&self, shards: &[PathBuf], out: &Path) -> Result<usize, SweepError> {
        merge_rows::<SeparabilityRow>(shards, out)
    }

    fn summarise(&self, results: &Results) -> anyhow::Result<String> {
        let rows: Vec<SeparabilityRow> = results.rows()?;
        let found = comparisons(&rows);
        RunFolder { path: results.folder.to_path_buf() }.write_csv("comparisons.csv", &found)?;
        Ok(text(&rows, &found))
    }

    fn section(&self, results: &[Results]) -> anyhow::Result<Section> {
        let mut section = Section { deviations: deviations(), ..Section::default() };
        for result in results {
            section::add(&mut section, (result.set, result.networks()), &result.rows()?);
        }
        Ok(section)
    }
}

/// Where the experiment differs from the protocol.
fn deviations() -> Vec<String> {
    vec![
        format!(
            "E2 probes at most {} training pictures, pixels and codes alike, to bound its time: the code, the untrained code \
             and the lower layers of a network are probed, which takes longer in all than training them even so.",
            count(super::PROBE_PICTURES)
        ),
        format!(
            "In E2, layers below the code are given to the ridge probe, and their information about the class is bounded by \
             a linear discriminant; maps of more than {LONGEST_MAP} values are meaned over a grid of cells."
        ),
        "E2 has the networks of P2 in the full profile only.".to_string(),
        "E1 to E4 look at the same networks, and so at the same test pictures. Probes and decoders are chosen on validation \
         pictures; which networks are dead goes by the test error itself."
            .to_string(),
        "Of the layers below the code only the ridge probe is shown (F3b); the other probes of theirs are in the rows. McNemar's tests \
         are of codes. Untrained encoders are judged by the logistic probe and by neighbours."
            .to_string(),
        "Holm's correction in E2 is over the networks of a population, for each probe and each baseline by itself; the verdict looks at one \
         of these families."
            .to_string(),
        "E2 compares with random projections and LDA by accuracy alone, not picture by picture.".to_string(),
    ]
}

/// What a reader without a browser should see.
fn text(rows: &[SeparabilityRow], found: &[ComparisonRow]) -> String {
    let networks = || rows.iter().filter(|row| row.kind == Kind::Network);
    let with = |status: Status| networks().filter(|row| row.status == status).count();
    let mut text = format!(
        "{}: {} networks ({} dead, {} failed); is the code better separable?\n",
        rows.first().map_or("no data", |row| &row.data),
        networks().count(),
        with(Status::Dead),
        with(Status::Failed)
    );
    text += &format!(
        "  {:<12} {:<20} {:<24} {:>4} {:>7} {:>6} {:>6} {:>16}\n",
        "networks", "probe", "against", "n", "better", "equal", "worse", "median, points"
    );
    for row in found {
        let living = if row.without_dead { ", living" } else { "" };
        text += &format!(
            "  {:<12} {:<20} {:<24} {:>4} {:>7} {:>6} {:>6} {:>16.2}\n",
            format!("{:?}{living}", row.population),
            row.probe.label(),
            row.against.label(),
            row.networks,
            row.better,
            row.equal,
            row.worse,
            100.0 * row.median_difference
        );
    }
    text += &format!("  {:<24} {:>8} {:>9} {:>9}\n", "baseline", "columns", "logistic", "5-NN");
    for row in rows.iter().filter(|row| row.kind != Kind::Network) {
        let share = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{:.1}", 100.0 * value));
        text += &format!(
            "  {:<24} {:>8} {:>9} {:>9}\n",
            row.kind.label(),
            row.code_size,
            share(row.logistic),
            share(row.knn)
        );
    }
    text + &format!("  claim C3: {}\n", verdict(rows).name())
}

#[cfg(test)]
mod tests {
    use super::{super::comparison::tests::network, *};

    #[test]
    fn the_text_has_the_networks_and_the_verdict() {
        let rows = [network(0, [90, 10]), network(1, [10, 90])];
        let text = text(&rows, &comparisons(&rows));
        assert!(text.contains("set: 2 networks (0 dead, 0 failed)") && text.contains("claim C3: supported"), "{text}");
    }
}
