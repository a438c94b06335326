//! Experiment E6 as the suite sees it.

use super::{
    REFERENCE,
    agreement::agreement,
    page,
    scores::{LEVELS, ScoreRow, same_verdict, scores},
};
use crate::{
    correlation::{E1, network::NetworkRow, relations::Level},
    report::format::{number, optional, p_value, span},
    run_folder::RunFolder,
    suite::{Experiment, Results, Section, Setup},
    sweep::{Settings, SweepError},
};
use std::path::{Path, PathBuf};

/// Experiment E6.
pub struct E6;

impl Experiment for E6 {
    fn id(&self) -> &'static str {
        "E6"
    }

    fn name(&self) -> &'static str {
        "scores"
    }

    fn question(&self) -> &'static str {
        "Does what is found depend on the score that reconstruction is judged by?"
    }

    fn protocol(&self) -> &'static str {
        "The networks are those of E1. Ten scores of the own decoder, the error of the best linear decoder of the same code and \
         the misaligned error that N-light-N reports are compared: how alike they rank the networks of P1 (Kendall's tau), how \
         closely each follows the accuracy of the logistic probe (Spearman's rho, with the registered verdict), and whether it \
         does so better or worse than the mean squared error (bootstrap over networks; Steiger's test, Holm-corrected)."
    }

    fn rows_of(&self) -> &'static str {
        E1.name()
    }

    fn run(&self, setup: &Setup, folder: &Path, settings: &Settings) -> Result<(), SweepError> {
        E1.run(setup, folder, settings)
    }

    fn merge(&self, shards: &[PathBuf], out: &Path) -> Result<usize, SweepError> {
        E1.merge(shards, out)
    }

    fn summarise(&self, results: &Results) -> anyhow::Result<String> {
        let rows: Vec<NetworkRow> = results.rows()?;
        let found = scores(&rows, results.identity.seed);
        let folder = RunFolder { path: results.folder.to_path_buf() };
        folder.write_csv("scores.csv", &found)?;
        folder.write_csv("scores-agreement.csv", agreement(&rows))?;
        Ok(table(&found))
    }

    fn section(&self, results: &[Results]) -> anyhow::Result<Section> {
        let deviations = vec![
            "Steiger's test was made for plain correlations of normal data. For partial ones of ranks it takes as many networks fewer \
             as covariates are held fixed, and rejects a little too often: with 60 networks and 4 covariates in 6.3 % of simulated \
             draws without a difference, instead of 5 %. The bootstrap of the difference stands beside it. Seeds alone (P3) are too \
             few to judge a score."
                .to_string(),
        ];
        let mut section = Section { deviations, ..Section::default() };
        for result in results {
            let rows: Vec<NetworkRow> = result.rows()?;
            page::add(&mut section, result.set, &agreement(&rows), &scores(&rows, result.identity.seed));
        }
        Ok(section)
    }
}

/// Each score at the level that decides claim C2, and how it compares with the mean squared error.
fn table(found: &[ScoreRow]) -> String {
    let mut text = format!(
        "{}: reconstruction scores against the accuracy of a logistic probe over P1\n  {:<15} {:>6} {:>7} {:>16} {:>16} {:>8}  {}\n",
        found.first().map_or("no data", |row| &row.data),
        "score",
        "pooled",
        "partial",
        "95 % interval",
        "minus MSE's",
        "Holm p",
        "no correlation, size, depth and activation held fixed?"
    );
    let at = |level: Level, score: &str| {
        found.iter().find(|row| row.level == level && !row.without_dead && row.score == score)
    };
    for score in super::SCORES {
        let Some(partial) = at(Level::Partial, score.name) else { continue };
        let pooled = at(Level::Pooled, score.name);
        text += &format!(
            "  {:<15} {:>6} {:>7} {:>16} {:>16} {:>8}  {}\n",
            score.name,
            optional(pooled.map(|row| row.rho), 2),
            number(partial.rho, 2),
            span(partial.low, partial.high, 2),
            partial.difference_interval().map_or(String::new(), |interval| span(interval.low, interval.high, 2)),
            partial.holm_p.map_or(String::new(), p_value),
            partial.verdict
        );
    }
    for level in LEVELS {
        if let Some((same, of, verdict)) = same_verdict(found, level) {
            text += &format!(
                "  {}: {same} of {of} other scores of the own decoder give the verdict of {REFERENCE}, {verdict}\n",
                level.label()
            );
        }
    }
    text
}
