//! Reconstruction against accuracy over the networks: every correlation of E1.
//!
//! Sign convention: reconstruction *quality*, so a positive correlation says that better reconstruction goes with better
//! accuracy. Networks that failed never enter; every correlation is given with and without the dead ones.

use super::{network::NetworkRow, population::Population};
use crate::statistics::{Settings, Verdict, indicator_columns, kendall_tau_b, partial_rank_relation, pearson};
use patchgrad::{parallel, random::stream};
use serde::Serialize;

/// Which networks enter, and what is held fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// All of P1.
    Pooled,
    /// All of P1, with the logarithm of the code size, depth and activation held fixed; permuted within code size and
    /// activation.
    Partial,
    /// P1 with code sizes held fixed, permuted within them: what is left when networks of one size are compared.
    WithinCodeSize,
    /// P2: one architecture.
    OneArchitecture,
    /// P3: one architecture and one way of training, seeds alone. Noise, and too few networks for a verdict.
    Seeds,
    /// As [`Partial`](Self::Partial), with the regulariser held fixed too. Asked after the first full runs; no verdict rests on it.
    PartialAndRegulariser,
}

impl Level {
    /// Every level, in the order of tables. The last came later: it is at the end, so that the others draw the same numbers.
    pub const ALL: [Self; 6] = [
        Self::Pooled,
        Self::Partial,
        Self::WithinCodeSize,
        Self::OneArchitecture,
        Self::Seeds,
        Self::PartialAndRegulariser,
    ];

    /// How tables name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Pooled => "P1, pooled",
            Self::Partial => "P1, partial",
            Self::WithinCodeSize => "P1, within code size",
            Self::OneArchitecture => "P2, one architecture",
            Self::Seeds => "P3, seeds alone",
            Self::PartialAndRegulariser => "P1, partial, regulariser too",
        }
    }

    /// The population it looks at.
    pub(crate) fn population(self) -> Population {
        match self {
            Self::OneArchitecture => Population::P2,
            Self::Seeds => Population::P3,
            _ => Population::P1,
        }
    }

    /// Whether it looks at a network: one of its population that did not fail, nor died if those are left out.
    pub(crate) fn has(self, row: &NetworkRow, without_dead: bool) -> bool {
        row.population == self.population() && row.status.enters(without_dead)
    }

    /// What it holds fixed: a column for each covariate, and for each network the stratum within which a permutation test
    /// shuffles.
    pub(crate) fn held_fixed(self, rows: &[&NetworkRow]) -> (Vec<Vec<f64>>, Vec<usize>) {
        let of = |key: &dyn Fn(&NetworkRow) -> String| numbered(rows.iter().map(|row| key(row)).collect());
        match self {
            Self::Partial | Self::PartialAndRegulariser => {
                let mut covariates = vec![rows.iter().map(|row| (row.code_size as f64).ln()).collect()];
                covariates.extend(indicator_columns(&of(&|row| row.depth.to_string())));
                covariates.extend(indicator_columns(&of(&|row| format!("{}/{}", row.encoder, row.decoder))));
                if self == Self::PartialAndRegulariser {
                    covariates.extend(indicator_columns(&of(&|row| row.regulariser.clone())));
                }
                (covariates, of(&|row| format!("{} {}/{}", row.code_size, row.encoder, row.decoder)))
            }
            Self::WithinCodeSize => {
                let size = of(&|row| row.code_size.to_string());
                (indicator_columns(&size), size)
            }
            Self::Pooled | Self::OneArchitecture | Self::Seeds => (Vec::new(), vec![0; rows.len()]),
        }
    }
}

/// The number of each key in the order of the distinct keys.
fn numbered(keys: Vec<String>) -> Vec<usize> {
    let mut names = keys.clone();
    names.sort();
    names.dedup();
    keys.iter().map(|key| names.binary_search(key).expect("every key is a name")).collect()
}

/// A column of the rows.
pub type Column = fn(&NetworkRow) -> Option<f64>;

/// Reconstruction as quality: what is better when lower has its sign turned.
pub const QUALITIES: [(&str, Column); 10] = [
    ("mse", |row| row.mse.map(|value| -value)),
    ("mse-clipped", |row| row.mse_clipped.map(|value| -value)),
    ("ssim", |row| row.ssim),
    ("euclidean", |row| row.euclidean.map(|value| -value)),
    ("soid", |row| row.soid.map(|value| -value)),
    ("soid-optimal", |row| row.soid_optimal.map(|value| -value)),
    ("correlation", |row| row.correlation.map(|value| -value)),
    ("delta-e94", |row| row.delta_e94.map(|value| -value)),
    ("mahalanobis", |row| row.mahalanobis.map(|value| -value)),
    ("linear-decoder", |row| row.linear_decoder_mse.map(|value| -value)),
];

/// Accuracies of the probes.
pub const ACCURACIES: [(&str, Column); 5] = [
    ("logistic", |row| row.logistic),
    ("ridge", |row| row.ridge),
    ("knn-euclidean", |row| row.knn_euclidean),
    ("knn-cosine", |row| row.knn_cosine),
    ("mlp", |row| row.mlp),
];

/// One correlation: a row of `relations.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RelationRow {
    /// The set.
    pub data: String,
    /// Which networks, and what is held fixed.
    pub level: Level,
    /// Whether dead networks are left out.
    pub without_dead: bool,
    /// By which score reconstruction is judged.
    pub quality: &'static str,
    /// By which probe the code is judged.
    pub probe: &'static str,
    /// Networks that entered.
    pub networks: usize,
    /// Spearman's rho, partial where something is held fixed.
    pub rho: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Two-sided permutation p.
    pub permutation_p: f64,
    /// Pearson's r, nothing held fixed.
    pub pearson: f64,
    /// Kendall's tau-b, nothing held fixed.
    pub kendall: f64,
    /// The larger p of the two one-sided tests of a correlation below the margin.
    pub equivalence_p: f64,
    /// Bayes factor for no relation.
    pub bayes_factor_01: f64,
    /// By the registered rule.
    pub verdict: Verdict,
}

/// Which correlation: a level of control, with or without dead networks, a score and a probe.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// Which networks, and what is held fixed.
    pub level: Level,
    /// Whether dead networks are left out.
    pub without_dead: bool,
    /// The name and the column of the score.
    pub quality: (&'static str, Column),
    /// The name and the column of the probe.
    pub probe: (&'static str, Column),
}

/// The correlation of a score with the accuracy of the logistic probe at a level of control, dead networks among them.
pub(crate) fn headline<'r>(found: &'r [RelationRow], level: Level, quality: &str) -> Option<&'r RelationRow> {
    let is_it = |row: &&RelationRow| {
        row.level == level && !row.without_dead && row.quality == quality && row.probe == "logistic"
    };
    found.iter().find(is_it)
}

/// Every correlation there is. One that is undefined (too few networks, a constant) is left out.
pub fn relations(rows: &[NetworkRow], seed: u64) -> Vec<RelationRow> {
    relations_where(rows, seed, |_| true)
}

/// Those that are `wanted`, with the same digits as in [`relations`].
pub fn relations_where(rows: &[NetworkRow], seed: u64, wanted: impl Fn(&Cell) -> bool) -> Vec<RelationRow> {
    let mut cells = Vec::new();
    for level in Level::ALL {
        for without_dead in [false, true] {
            for quality in QUALITIES {
                cells.extend(ACCURACIES.map(|probe| Cell { level, without_dead, quality, probe }));
            }
        }
    }
    let cells: Vec<(usize, Cell)> = cells.into_iter().enumerate().filter(|(_, cell)| wanted(cell)).collect();
    let found = parallel::map_jobs(cells.len(), |at| {
        let (index, cell) = cells[at];
        relation(rows, cell, &mut stream(seed, "relation", index as u64))
    });
    found.into_iter().flatten().collect()
}

/// One correlation: of the networks of its level, failed ones left out, and dead ones if asked.
pub(crate) fn relation(rows: &[NetworkRow], cell: Cell, random: &mut patchgrad::random::Stream) -> Option<RelationRow> {
    let Cell { level, without_dead, quality: (quality, quality_of), probe: (probe, accuracy_of) } = cell;
    let (mut chosen, mut x, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| level.has(row, without_dead)) {
        if let (Some(quality), Some(accuracy)) = (quality_of(row), accuracy_of(row)) {
            chosen.push(row);
            x.push(quality);
            y.push(accuracy);
        }
    }
    let (covariates, strata) = level.held_fixed(&chosen);
    let rank = partial_rank_relation(&x, &y, &covariates, &strata, &Settings::default(), random)?;
    let interval = rank.interval();
    // Seeds alone are too few for a verdict, whatever the numbers are.
    let verdict = if level == Level::Seeds { Verdict::Inconclusive } else { rank.verdict };
    Some(RelationRow {
        data: chosen.first()?.data.clone(),
        level,
        without_dead,
        quality,
        probe,
        networks: rank.rows,
        rho: rank.rho,
        low: interval.low,
        high: interval.high,
        permutation_p: rank.permutation_p,
        pearson: pearson(&x, &y)?,
        kendall: kendall_tau_b(&x, &y)?,
        equivalence_p: rank.equivalence.p(),
        bayes_factor_01: rank.bayes_factor_01,
        verdict,
    })
}
