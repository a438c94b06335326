//! The folder of a run.
//!
//! | file | what |
//! |---|---|
//! | `results.csv` | a row for each network of the population |
//! | `baselines.csv`, `correlations.csv`, `decoders.csv` | the other tables of the report |
//! | `run.json` | seed, version, instruction set, threads, data checksums, the command to repeat |
//! | `figures/` | every figure of the report, SVG or PNG |
//! | `report.html` | the report, one file that needs nothing else |

use super::{
    SetResults,
    record::RunRecord,
    reference::{Decoder, Stage},
    relations::{JudgedBy, Level},
};
use crate::{files::write_atomically, report, statistics::Verdict};
use anyhow::{Context, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A row of `correlations.csv`.
#[derive(Serialize)]
struct CorrelationRow<'a> {
    data: &'a str,
    level: Level,
    judged_by: JudgedBy,
    without_dead: bool,
    networks: usize,
    spearman: f64,
    low: f64,
    high: f64,
    permutation_p: f64,
    pearson: f64,
    kendall: f64,
    equivalence_p: f64,
    bayes_factor_01: f64,
    verdict: &'static str,
}

/// A row of `decoders.csv`.
#[derive(Serialize)]
struct DecoderRow<'a> {
    data: &'a str,
    stage: Stage,
    decoder: Decoder,
    mse: f64,
    mse_clipped: f64,
    r2: f64,
    psnr: f64,
    probe_accuracy: f64,
}

/// Writes everything into the folder `out`; gives the path of the report.
///
/// # Errors
/// When a file cannot be written.
pub fn write(out: &Path, results: &[SetResults], record: &RunRecord) -> Result<PathBuf> {
    write_csv(&out.join("results.csv"), results.iter().flat_map(|set| &set.networks))?;
    write_csv(&out.join("baselines.csv"), results.iter().flat_map(|set| &set.baselines))?;
    write_csv(&out.join("correlations.csv"), results.iter().flat_map(correlation_rows))?;
    write_csv(&out.join("decoders.csv"), results.iter().flat_map(decoder_rows))?;
    let json = serde_json::to_string_pretty(record).context("cannot describe the run")?;
    write_file(&out.join("run.json"), format!("{json}\n").as_bytes())?;

    let rendered = report::render(results, record)?;
    let figures = out.join("figures");
    std::fs::create_dir_all(&figures).with_context(|| format!("cannot make the folder {}", figures.display()))?;
    for figure in &rendered.figures {
        write_file(&figures.join(&figure.name), &figure.bytes)?;
    }
    let path = out.join("report.html");
    write_file(&path, rendered.html.as_bytes())?;
    Ok(path)
}

fn correlation_rows(set: &SetResults) -> impl Iterator<Item = CorrelationRow<'_>> {
    set.relations.iter().map(|relation| {
        let (rank, interval) = (&relation.rank, relation.rank.interval());
        CorrelationRow {
            data: &relation.data,
            level: relation.level,
            judged_by: relation.judged_by,
            without_dead: relation.without_dead,
            networks: rank.rows,
            spearman: rank.rho,
            low: interval.low,
            high: interval.high,
            permutation_p: rank.permutation_p,
            pearson: relation.pearson,
            kendall: relation.kendall,
            equivalence_p: rank.equivalence.p(),
            bayes_factor_01: rank.bayes_factor_01,
            verdict: Verdict::name(rank.verdict),
        }
    })
}

fn decoder_rows(set: &SetResults) -> impl Iterator<Item = DecoderRow<'_>> {
    set.reference.decoded.iter().map(|decoded| DecoderRow {
        data: set.task.set.folder(),
        stage: decoded.stage,
        decoder: decoded.decoder,
        mse: decoded.scores.mse,
        mse_clipped: decoded.scores.mse_clipped,
        r2: decoded.scores.r2,
        psnr: decoded.scores.psnr,
        probe_accuracy: set.reference.probe_accuracy[decoded.stage as usize],
    })
}

fn write_csv(path: &Path, rows: impl Iterator<Item = impl Serialize>) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).with_context(|| format!("cannot make a row of {}", path.display()))?;
    }
    let bytes = writer.into_inner().context("a csv in memory can be finished")?;
    write_file(path, &bytes)
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    Ok(write_atomically(path, bytes)?)
}
