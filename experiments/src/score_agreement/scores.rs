//! How well each score follows the accuracy, and whether that changes the verdict.

use super::{REFERENCE, SCORES, Score};
use crate::{
    correlation::{
        network::NetworkRow,
        relations::{Cell, Column, Level, RelationRow, relation, relations_where},
    },
    statistics::{CONFIDENCE, Interval, RESAMPLES, ScoreComparison, Verdict, compare_partial_scores, holm},
};
use patchgrad::{parallel, random::stream};
use serde::Serialize;

/// The probe whose accuracy is followed.
const PROBE: &str = "logistic";

/// The levels of control that a score is judged at; seeds alone are too few for a verdict.
pub const LEVELS: [Level; 4] = [Level::Pooled, Level::Partial, Level::WithinCodeSize, Level::OneArchitecture];

/// What is no other score of the own decoder.
const NOT_COUNTED: [&str; 4] = [REFERENCE, "psnr", "misaligned", "linear-decoder"];

/// A score at one level of control: a row of `scores.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreRow {
    /// The set.
    pub data: String,
    /// Which networks, and what is held fixed.
    pub level: Level,
    /// Whether dead networks are left out.
    pub without_dead: bool,
    /// By which score reconstruction is judged.
    pub score: &'static str,
    /// Networks that entered.
    pub networks: usize,
    /// Spearman's rho of quality and logistic accuracy, partial where something is held fixed.
    pub rho: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Two-sided permutation p.
    pub permutation_p: f64,
    /// On "no correlation", by the registered rule.
    pub verdict: Verdict,
    /// Its rho minus that of the mean squared error, with the same held fixed; empty for the error itself.
    pub difference: Option<f64>,
    /// Lower end of the difference's 95 % interval.
    pub difference_low: Option<f64>,
    /// Upper end.
    pub difference_high: Option<f64>,
    /// Steiger's p of "both follow the accuracy alike"; empty where both rank every network alike.
    pub steiger_p: Option<f64>,
    /// The same with Holm's correction over the scores of a level.
    pub holm_p: Option<f64>,
}

impl ScoreRow {
    /// Whether it is among the other scores of the own decoder that [`same_verdict`] counts.
    pub fn is_counted(&self) -> bool {
        !NOT_COUNTED.contains(&self.score)
    }

    /// The interval of its difference to the mean squared error.
    pub fn difference_interval(&self) -> Option<Interval> {
        Some(Interval { low: self.difference_low?, high: self.difference_high? })
    }
}

/// Every score at every level, with and without dead networks. The numbers of scores that E1 has are E1's.
pub fn scores(rows: &[NetworkRow], seed: u64) -> Vec<ScoreRow> {
    let known = relations_where(rows, seed, |cell| cell.probe.0 == PROBE);
    let mut cells = Vec::new();
    for level in LEVELS {
        for without_dead in [false, true] {
            cells.extend(SCORES.map(|score| (level, without_dead, score)));
        }
    }
    let found = parallel::map_jobs(cells.len(), |at| {
        let (level, without_dead, score) = cells[at];
        let same = |row: &&RelationRow| {
            row.level == level && row.without_dead == without_dead && Some(row.quality) == score.of_e1
        };
        let related = match known.iter().find(same) {
            Some(row) => row.clone(),
            None => {
                let quality = (score.name, score.quality);
                let random = &mut stream(seed, "score", at as u64);
                let probe: (_, Column) = (PROBE, |row| row.logistic);
                relation(rows, Cell { level, without_dead, quality, probe }, random)?
            }
        };
        let compared = compare(rows, level, without_dead, score, seed, at);
        Some(row_of(related, score.name, compared))
    });
    let mut found: Vec<ScoreRow> = found.into_iter().flatten().collect();
    for level in LEVELS {
        for without_dead in [false, true] {
            let of_level = |row: &&mut ScoreRow| row.level == level && row.without_dead == without_dead;
            let mut family: Vec<&mut ScoreRow> =
                found.iter_mut().filter(of_level).filter(|row| row.steiger_p.is_some()).collect();
            let p: Vec<f64> = family.iter().filter_map(|row| row.steiger_p).collect();
            for (row, corrected) in family.iter_mut().zip(holm(&p).unwrap_or_default()) {
                row.holm_p = Some(corrected);
            }
        }
    }
    found
}

fn row_of(related: RelationRow, score: &'static str, compared: Option<ScoreComparison>) -> ScoreRow {
    let interval = compared.map(|found| found.difference.interval());
    ScoreRow {
        data: related.data,
        level: related.level,
        without_dead: related.without_dead,
        score,
        networks: related.networks,
        rho: related.rho,
        low: related.low,
        high: related.high,
        permutation_p: related.permutation_p,
        verdict: related.verdict,
        difference: compared.map(|found| found.difference.estimate),
        difference_low: interval.map(|interval| interval.low),
        difference_high: interval.map(|interval| interval.high),
        steiger_p: compared.and_then(|found| found.steiger).map(|test| test.p),
        holm_p: None,
    }
}

/// A score against the mean squared error, with what the level holds fixed.
fn compare(
    rows: &[NetworkRow],
    level: Level,
    without_dead: bool,
    score: Score,
    seed: u64,
    at: usize,
) -> Option<ScoreComparison> {
    if score.name == REFERENCE {
        return None;
    }
    let (mut chosen, mut first, mut second, mut accuracy) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| level.has(row, without_dead)) {
        if let (Some(a), Some(b), Some(c)) = ((score.quality)(row), (SCORES[0].quality)(row), row.logistic) {
            chosen.push(row);
            first.push(a);
            second.push(b);
            accuracy.push(c);
        }
    }
    let random = &mut stream(seed, "score-difference", at as u64);
    let (covariates, _) = level.held_fixed(&chosen);
    compare_partial_scores(&first, &second, &accuracy, &covariates, RESAMPLES, CONFIDENCE, random)
}

/// How many of the other scores of the own decoder share the verdict of the mean squared error at a level, dead networks
/// included: `(so many, of so many, that verdict)`. PSNR, which ranks networks as the error does, and the misaligned error, which
/// is none, are not counted. `None` where the error has none.
pub fn same_verdict(found: &[ScoreRow], level: Level) -> Option<(usize, usize, Verdict)> {
    let of_level: Vec<&ScoreRow> = found.iter().filter(|row| row.level == level && !row.without_dead).collect();
    let verdict = of_level.iter().find(|row| row.score == REFERENCE)?.verdict;
    let others = || of_level.iter().filter(|row| row.is_counted());
    Some((others().filter(|row| row.verdict == verdict).count(), others().count(), verdict))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::correlation::network::tests::row;

    /// Networks of P1 of one size: the error falls and the accuracy rises with the number; SSIM is turned round; the others go
    /// with the error, but for the misaligned one, which is scrambled.
    pub(in crate::score_agreement) fn networks(count: usize) -> Vec<NetworkRow> {
        let network = |i: usize| {
            let mut row = row(i);
            let error = 1.0 / (i + 1) as f64;
            (row.mse, row.mse_clipped, row.psnr) = (Some(error), Some(error), Some(10.0 * (4.0 / error).log10()));
            (row.euclidean, row.soid, row.soid_optimal) = (Some(error), Some(error), Some(error));
            (row.correlation, row.delta_e94, row.linear_decoder_mse) = (Some(error), Some(error), Some(error));
            row.mahalanobis = Some(error);
            row.ssim = Some(error);
            row.misaligned_mse = Some(((i * 7) % count) as f64);
            // Neighbours change places, so that no correlation is perfect.
            row.logistic = Some(0.5 + 0.01 * (i ^ 1) as f64);
            row
        };
        (0..count).map(network).collect()
    }

    fn one<'a>(found: &'a [ScoreRow], level: Level, score: &str) -> &'a ScoreRow {
        found.iter().find(|row| row.level == level && !row.without_dead && row.score == score).unwrap()
    }

    #[test]
    fn scores_that_disagree_are_told_apart_and_counted() {
        let found = scores(&networks(40), 1);
        let (mse, ssim) = (one(&found, Level::Pooled, "mse"), one(&found, Level::Pooled, "ssim"));
        assert!(mse.rho > 0.9 && (mse.rho + ssim.rho).abs() < 1e-12, "{mse:?} {ssim:?}");
        assert_eq!((mse.difference, mse.steiger_p), (None, None));
        let psnr = one(&found, Level::Pooled, "psnr");
        assert_eq!((psnr.rho, psnr.difference, psnr.steiger_p), (mse.rho, Some(0.0), None), "the same order");
        let scrambled = one(&found, Level::Pooled, "misaligned");
        assert!(scrambled.difference.unwrap() < -0.5 && scrambled.holm_p.unwrap() < 0.01, "{scrambled:?}");
        assert!(scrambled.difference_high.unwrap() < 0.0);
        let partial = one(&found, Level::Partial, "misaligned");
        assert_eq!(partial.difference, Some(partial.rho - one(&found, Level::Partial, "mse").rho));
        assert!(partial.difference_high.unwrap() < 0.0 && partial.holm_p.unwrap() < 0.01, "{partial:?}");
        assert_eq!(found, scores(&networks(40), 1));
        // SSIM contradicts as well, with the opposite sign.
        let same = same_verdict(&found, Level::Pooled).unwrap();
        assert_eq!(same, (8, 8, Verdict::Contradicted));
        assert_eq!(same_verdict(&found, Level::OneArchitecture), None, "no network of P2");
    }

    #[test]
    fn numbers_of_scores_that_e1_has_are_those_of_e1() {
        let rows = networks(20);
        let known = crate::correlation::relations::relations(&rows, 5);
        let found = scores(&rows, 5);
        for score in ["mse", "soid", "linear-decoder"] {
            let wanted = |row: &&RelationRow| {
                row.level == Level::Pooled && !row.without_dead && row.quality == score && row.probe == "logistic"
            };
            let (e1, e6) = (known.iter().find(wanted).unwrap(), one(&found, Level::Pooled, score));
            assert_eq!((e1.rho, e1.low, e1.high, e1.permutation_p), (e6.rho, e6.low, e6.high, e6.permutation_p));
        }
        assert!(scores(&[], 1).is_empty());
    }
}
