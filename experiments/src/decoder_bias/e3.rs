//! Experiment E3 as the suite sees it.

use super::{
    DecoderBias,
    analysis::{Analysis, analyse},
    deviations::deviations,
    pictures::FILE,
    row::{Decoder, DecoderRow},
    section,
    summary::{DecoderSummary, summaries},
};
use crate::{
    report::format::{number, optional, span},
    run_folder::RunFolder,
    statistics::{Concordance, Interval, RankRelation},
    suite::{Experiment, Results, Section, Setup, copy_picture, draw_picture, merge_rows, run_sweep},
    sweep::{Settings, SweepError},
};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Experiment E3.
pub struct E3;

impl Experiment for E3 {
    fn id(&self) -> &'static str {
        "E3"
    }

    fn name(&self) -> &'static str {
        "decoder-bias"
    }

    fn question(&self) -> &'static str {
        "How much of the reconstruction error is the decoder's?"
    }

    fn protocol(&self) -> &'static str {
        "Networks of P1 at even distances of their index are trained as in E1, then their encoders stay as they are. Each code \
         is decoded by eleven decoders: the own one, the transposed encoder with one fitted scale, the optimal linear one, \
         greedy ones trained anew on three numbers of patches, the linear one with a perceptron added to it (two sizes), the \
         own one with 5 and 20 % noise on its weights, and the training picture with the nearest code. What is random about a \
         decoder is repeated with three seeds. \
         A two-way analysis of variance of the logarithm of the test error, over encoders and the five decoders that were \
         trained for longest (own, optimal linear, longest re-trained, both perceptrons), says whose variation it is; \
         intervals resample encoders."
    }

    fn run(&self, setup: &Setup, folder: &Path, settings: &Settings) -> Result<(), SweepError> {
        let sweep = DecoderBias::new(setup);
        run_sweep(self.name(), &sweep, setup, folder, settings)?;
        draw_picture(folder, FILE, settings, |_| sweep.pictures())
    }

    fn merge(&self, shards: &[PathBuf], out: &Path) -> Result<usize, SweepError> {
        let rows = merge_rows::<DecoderRow>(shards, out)?;
        copy_picture(shards, out, FILE)?;
        Ok(rows)
    }

    fn summarise(&self, results: &Results) -> anyhow::Result<String> {
        let rows: Vec<DecoderRow> = results.rows()?;
        let Some(found) = analyse(&rows, results.identity.seed) else {
            return Ok(format!("{}: too few encoders for an analysis\n", data(&rows)));
        };
        let folder = RunFolder { path: results.folder.to_path_buf() };
        let summaries = summaries(&found.encoders);
        folder.write_csv("decoders.csv", &summaries)?;
        folder.write_csv("decomposition.csv", [DecompositionRow::of(data(&rows), &found)])?;
        folder.write_csv("decoder-shares.csv", &found.others)?;
        Ok(text(data(&rows), &found, &summaries))
    }

    fn section(&self, results: &[Results]) -> anyhow::Result<Section> {
        let mut section = Section { deviations: deviations(), ..Section::default() };
        for result in results {
            let rows: Vec<DecoderRow> = result.rows()?;
            let description =
                "Test pictures and their reconstructions from one code by several decoders, side by side.";
            let pictures = result.picture(FILE, description);
            section::add(&mut section, result, &rows, pictures);
        }
        Ok(section)
    }
}

fn data(rows: &[DecoderRow]) -> &str {
    rows.first().map_or("no data", |row| &row.data)
}

/// The analysis of one data set: the row of `decomposition.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct DecompositionRow {
    data: String,
    encoders: usize,
    dropped: usize,
    eta_encoder: f64,
    eta_decoder: f64,
    eta_interaction: Option<f64>,
    eta_residual: f64,
    decoder_share: f64,
    low: Option<f64>,
    high: Option<f64>,
    verdict: &'static str,
    concordance_trained: Option<f64>,
    concordance_trained_p: Option<f64>,
    concordance_all: Option<f64>,
    concordance_all_p: Option<f64>,
    rho_own: Option<f64>,
    rho_best: Option<f64>,
    rho_gap: Option<f64>,
}

impl DecompositionRow {
    fn of(data: &str, found: &Analysis) -> Self {
        let rho = |relation: &Option<RankRelation>| relation.map(|relation| relation.rho);
        Self {
            data: data.to_string(),
            encoders: found.entered,
            dropped: found.dropped,
            eta_encoder: found.table.first.eta_squared,
            eta_decoder: found.table.second.eta_squared,
            eta_interaction: found.table.interaction.map(|interaction| interaction.eta_squared),
            eta_residual: found.residual(),
            decoder_share: found.share,
            low: found.interval.map(|interval| interval.low),
            high: found.interval.map(|interval| interval.high),
            verdict: found.verdict.name(),
            concordance_trained: found.trained.map(|concordance| concordance.w),
            concordance_trained_p: found.trained.map(|concordance| concordance.p),
            concordance_all: found.all.map(|concordance| concordance.w),
            concordance_all_p: found.all.map(|concordance| concordance.p),
            rho_own: rho(&found.own),
            rho_best: rho(&found.best),
            rho_gap: rho(&found.gap),
        }
    }
}

/// What a reader without a browser should see.
fn text(data: &str, found: &Analysis, summaries: &[DecoderSummary]) -> String {
    let table = &found.table;
    let mut text = format!(
        "{data}: {} encoders ({} dropped out, {} dead) under the {} decoders trained for longest; whose is the error?\n",
        found.entered,
        found.dropped,
        found.dead,
        Decoder::TRAINED.len()
    );
    text += &format!(
        "  {:<20} {:>10} {:>14} {:>5} {:>9} {:>14}\n",
        "decoder", "median MSE", "over the best", "best", "tau, own", "tau, accuracy"
    );
    let tau = |tau: Option<f64>| optional(tau, 2);
    for row in summaries {
        text += &format!(
            "  {:<20} {:>10.4} {:>14.2} {:>5} {:>9} {:>14}\n",
            row.decoder.label(),
            row.median_mse,
            row.median_ratio,
            row.best,
            tau(row.tau_own),
            tau(row.tau_accuracy)
        );
    }
    text += &format!(
        "  shares of the log error: encoder {:.3}, decoder {:.3}, interaction {:.3}, repeats {:.3}\n",
        table.first.eta_squared,
        table.second.eta_squared,
        table.interaction.map_or(0.0, |interaction| interaction.eta_squared),
        found.residual()
    );
    let ends = |of: Option<Interval>| of.map_or("unknown".to_string(), |i| format!("{:.3} to {:.3}", i.low, i.high));
    text += &format!("  decoder and interaction: {:.3}, 95 % interval {}\n", found.share, ends(found.interval));
    for other in &found.others {
        let (name, encoders) = (other.of.label(), other.encoders);
        text +=
            &format!("  {name}: {:.3}, 95 % interval {}, {encoders} encoders\n", other.share, ends(other.interval()));
    }
    let w = |of: &Option<Concordance>| optional(of.map(|concordance| concordance.w), 2);
    text += &format!("  Kendall's W: {} trained for longest, {} all\n", w(&found.trained), w(&found.all));
    for (_, name, relation) in found.relations() {
        let Some(relation) = relation else { continue };
        let ends = relation.interval();
        text += &format!("  accuracy and {name}: rho {} ({})\n", number(relation.rho, 2), span(ends.low, ends.high, 2));
    }
    text + &format!("  claim C4: {}\n", found.verdict.name())
}

#[cfg(test)]
mod tests {
    use super::super::section::tests::five;
    use super::*;

    #[test]
    fn the_text_has_every_decoder_and_the_verdict() {
        let found = analyse(&five(), 1).unwrap();
        let text = text("set", &found, &summaries(&found.encoders));
        assert!(Decoder::ALL.iter().all(|decoder| text.contains(decoder.label())), "{text}");
        assert!(text.contains("without perceptrons: ") && text.contains("of clipped pictures: "), "{text}");
        assert!(text.contains("5 encoders (0 dropped out, 0 dead)") && text.contains("claim C4: supported"), "{text}");
        let row = DecompositionRow::of("set", &found);
        let sum = row.eta_encoder + row.eta_decoder + row.eta_interaction.unwrap() + row.eta_residual;
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    }
}
