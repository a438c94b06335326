//! Reconstruction against accuracy over the population: the correlation and what may be said of it.
//!
//! Sign convention: reconstruction *quality*, so a positive correlation means that better reconstruction goes along with
//! better accuracy. R2 and the negative error rank networks alike; the own decoder enters by R2, the optimal linear one by
//! its negative error.

use super::{
    network::{NetworkRow, Status},
    population::FIXED_CODE_SIZE,
};
use crate::statistics::{RankRelation, Settings, kendall_tau_b, pearson, rank_relation};
use patchgrad::random::stream;
use serde::Serialize;

/// Which networks enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// All code sizes together.
    Pooled,
    /// Only the code size that half of them share.
    OneCodeSize,
}

impl Level {
    /// How tables and figures name it.
    pub fn label(self) -> String {
        match self {
            Self::Pooled => "all code sizes".to_string(),
            Self::OneCodeSize => format!("code size {FIXED_CODE_SIZE} only"),
        }
    }
}

/// By which decoder the reconstruction is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JudgedBy {
    /// The network's own decoder.
    OwnDecoder,
    /// The best linear decoder of its code.
    OptimalLinearDecoder,
}

impl JudgedBy {
    /// How tables and figures name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::OwnDecoder => "own decoder",
            Self::OptimalLinearDecoder => "optimal linear decoder",
        }
    }
}

/// One correlation between reconstruction quality and probe accuracy.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    /// `mnist` or `fashion-mnist`.
    pub data: String,
    /// Which networks.
    pub level: Level,
    /// Whether dead networks are left out; diverged ones always are.
    pub without_dead: bool,
    /// By which decoder.
    pub judged_by: JudgedBy,
    /// Spearman's rho with interval, permutation p, equivalence test and verdict.
    pub rank: RankRelation,
    /// Pearson's r.
    pub pearson: f64,
    /// Kendall's tau-b.
    pub kendall: f64,
}

/// Every correlation of one data set. One that is undefined (fewer than four networks, a constant) is left out; without the
/// dead is only looked at when there are any.
pub fn relations(data: &str, rows: &[NetworkRow], seed: u64) -> Vec<Relation> {
    let mut found = Vec::new();
    let dead = rows.iter().any(|row| row.status == Status::Dead);
    for without_dead in [false, true].into_iter().filter(|&without| dead || !without) {
        for level in [Level::Pooled, Level::OneCodeSize] {
            for judged_by in [JudgedBy::OwnDecoder, JudgedBy::OptimalLinearDecoder] {
                let enters = |row: &&NetworkRow| {
                    row.data == data
                        && row.is_finite()
                        && !(without_dead && row.status == Status::Dead)
                        && (level == Level::Pooled || row.code_size == FIXED_CODE_SIZE)
                };
                let (quality, accuracy): (Vec<f64>, Vec<f64>) = rows
                    .iter()
                    .filter(enters)
                    .filter_map(|row| {
                        let quality = match judged_by {
                            JudgedBy::OwnDecoder => row.r2?,
                            JudgedBy::OptimalLinearDecoder => -row.linear_decoder_mse?,
                        };
                        Some((quality, row.probe_accuracy?))
                    })
                    .unzip();
                let mut stream = stream(seed, &format!("relation-{data}"), found.len() as u64);
                let rank = rank_relation(&quality, &accuracy, &Settings::default(), &mut stream);
                let others = pearson(&quality, &accuracy).zip(kendall_tau_b(&quality, &accuracy));
                if let Some((rank, (pearson, kendall))) = rank.zip(others) {
                    let data = data.to_string();
                    found.push(Relation { data, level, without_dead, judged_by, rank, pearson, kendall });
                }
            }
        }
    }
    found
}
