//! What the curves come to: areas, slopes, whether reconstruction tells, and claim C6.

use super::{
    curves::{CurveRow, cells, gains},
    piece::PretrainingRow,
    starts::Start,
};
use crate::{
    report::format::number,
    statistics::{CONFIDENCE, Mean, SIGNIFICANCE_LEVEL, Verdict, linear_trend, mean, mean_interval, spearman},
    suite::claims::{Case, prevails},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A start over all numbers of labels: a row of `pretraining-starts.csv`. Intervals are 95 % over seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StartRow {
    /// The set.
    pub data: String,
    /// Where fine-tuning starts from.
    pub start: Start,
    /// Mean accuracy over the logarithm of the number of labels: the area under the curve over its width.
    pub area: Option<f64>,
    /// Lower end of its interval.
    pub area_low: Option<f64>,
    /// Upper end.
    pub area_high: Option<f64>,
    /// Gain over the random start for each factor of e in unlabelled pictures per labelled one, mean of the slopes of the seeds.
    pub slope: Option<f64>,
    /// Lower end of its interval.
    pub slope_low: Option<f64>,
    /// Upper end.
    pub slope_high: Option<f64>,
    /// Mean squared error before fine-tuning, mean; of starts whose decoders were trained.
    pub mse: Option<f64>,
    /// The same with the best linear decoder of the code.
    pub linear_mse: Option<f64>,
}

/// Whether starts that reconstruct better end up better: a row of `pretraining-reconstruction.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReconstructionRow {
    /// The set.
    pub data: String,
    /// Pictures with labels.
    pub labels: usize,
    /// Seeds in which the correlation exists.
    pub seeds: usize,
    /// Spearman's rho over the starts of a seed, controls left out, between reconstruction quality before and accuracy after fine-tuning, mean over
    /// seeds; quality is that of the best linear decoder, which all starts have alike.
    pub rho: f64,
    /// Lower end of its 95 % interval over seeds; the starts are always the same.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// Every start.
pub fn starts(rows: &[PretrainingRow]) -> Vec<StartRow> {
    let cells = cells(rows);
    let Some(first) = rows.first() else { return Vec::new() };
    let of = |start: Start| {
        let own: Vec<(usize, &Vec<&PretrainingRow>)> =
            cells.iter().filter(|((known, _), _)| *known == start).map(|((_, labels), own)| (*labels, own)).collect();
        if own.is_empty() {
            return None;
        }
        let mut accuracies: BTreeMap<usize, Vec<(f64, f64)>> = BTreeMap::new();
        let mut gained: BTreeMap<usize, Vec<(f64, f64)>> = BTreeMap::new();
        for (labels, own) in &own {
            for row in own.iter() {
                if let Some(accuracy) = row.accuracy {
                    accuracies.entry(row.seed).or_default().push(((*labels as f64).ln(), accuracy));
                }
            }
            if start != Start::Random
                && let Some(random) = cells.get(&(Start::Random, *labels))
            {
                let ratio = own[0].unlabelled as f64 / *labels as f64;
                for (seed, gain) in gains(own, random) {
                    gained.entry(seed).or_default().push((ratio.ln(), gain));
                }
            }
        }
        let complete = |curve: &&Vec<(f64, f64)>| curve.len() == own.len();
        let areas: Vec<f64> = accuracies.values().filter(complete).filter_map(|curve| area(curve)).collect();
        let slopes: Vec<f64> = gained.values().filter(complete).filter_map(|curve| slope(curve)).collect();
        let errors = |of: fn(&PretrainingRow) -> Option<f64>| {
            own.iter().flat_map(|(_, own)| own.iter().filter_map(|row| of(row))).collect::<Vec<f64>>()
        };
        let ends = |values: &[f64]| mean_interval(values, CONFIDENCE).map(|Mean { interval, .. }| interval);
        let (of_area, of_slope) = (ends(&areas), ends(&slopes));
        Some(StartRow {
            data: first.data.clone(),
            start,
            area: mean(&areas),
            area_low: of_area.map(|interval| interval.low),
            area_high: of_area.map(|interval| interval.high),
            slope: mean(&slopes),
            slope_low: of_slope.map(|interval| interval.low),
            slope_high: of_slope.map(|interval| interval.high),
            mse: mean(&errors(|row| row.mse)),
            linear_mse: mean(&errors(|row| row.linear_mse)),
        })
    };
    Start::ALL.into_iter().filter_map(of).collect()
}

/// The mean height of a curve of points with rising x: its area by trapezia over its width. `None` of fewer than two.
fn area(curve: &[(f64, f64)]) -> Option<f64> {
    let width = curve.last()?.0 - curve.first()?.0;
    let sum: f64 = curve.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0).sum();
    (width > 0.0).then_some(sum / width)
}

fn slope(curve: &[(f64, f64)]) -> Option<f64> {
    let (x, y): (Vec<f64>, Vec<f64>) = curve.iter().copied().unzip();
    linear_trend(&x, &y, CONFIDENCE).map(|trend| trend.slope)
}

/// Quality and accuracy over initialisations, by seed.
type BySeed = BTreeMap<usize, (Vec<f64>, Vec<f64>)>;

/// Every number of labels.
pub fn reconstruction(rows: &[PretrainingRow]) -> Vec<ReconstructionRow> {
    let mut pairs: BTreeMap<usize, BySeed> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.start.shuffles().is_none()) {
        if let (Some(mse), Some(accuracy)) = (row.linear_mse, row.accuracy) {
            let (quality, accuracies) = pairs.entry(row.labels).or_default().entry(row.seed).or_default();
            quality.push(-mse);
            accuracies.push(accuracy);
        }
    }
    let of = |(labels, seeds): (usize, BySeed)| {
        let rhos: Vec<f64> = seeds.values().filter_map(|(quality, accuracy)| spearman(quality, accuracy)).collect();
        let interval = mean_interval(&rhos, CONFIDENCE).map(|mean| mean.interval);
        Some(ReconstructionRow {
            data: rows.first()?.data.clone(),
            labels,
            seeds: rhos.len(),
            rho: mean(&rhos)?,
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
        })
    };
    pairs.into_iter().filter_map(of).collect()
}

/// C6 by the registered rule, and the numbers it follows from.
pub fn verdict(curves: &[CurveRow]) -> (Verdict, String) {
    let own: Vec<&CurveRow> = curves.iter().filter(|row| row.start == Start::Scae).collect();
    let case = |row: &&CurveRow| match (row.gain, row.gain_holm) {
        (Some(gain), Some(p)) if p < SIGNIFICANCE_LEVEL && gain > 0.0 => Case::ForIt,
        (Some(gain), Some(p)) if p < SIGNIFICANCE_LEVEL && gain < 0.0 => Case::AgainstIt,
        _ => Case::Open,
    };
    let named = |wanted: Case| {
        let labels: Vec<String> =
            own.iter().filter(|row| case(row) == wanted).map(|row| row.labels.to_string()).collect();
        if labels.is_empty() { "no number of labels".to_string() } else { format!("{} labels", labels.join(", ")) }
    };
    let gains: Vec<String> = own
        .iter()
        .filter_map(|row| Some(format!("{} with {} labels", signed(100.0 * row.gain?), row.labels)))
        .collect();
    let numbers = format!(
        "points of accuracy that an SCAE gains over a random start: {}; certainly better with {}, certainly worse with {}",
        gains.join(", "),
        named(Case::ForIt),
        named(Case::AgainstIt)
    );
    (prevails(own.iter().map(case)), numbers)
}

/// With its sign.
pub(super) fn signed(points: f64) -> String {
    let text = number(points, 2);
    if text.starts_with('−') || text == "0.00" { text } else { format!("+{text}") }
}

#[cfg(test)]
mod tests {
    use super::super::curves::{
        curves,
        tests::{row, rows},
    };
    use super::*;

    #[test]
    fn areas_and_slopes_by_hand() {
        // Height 0.2 at 0, 0.6 at 1, 0.6 at 3: (0.4 + 1.2) / 3.
        assert!((area(&[(0.0, 0.2), (1.0, 0.6), (3.0, 0.6)]).unwrap() - 1.6 / 3.0).abs() < 1e-12);
        assert_eq!((area(&[]), area(&[(1.0, 0.5)])), (None, None));
        // The gain is 0.02 for each factor of e in pictures per label, with every seed.
        let mut rows = Vec::new();
        for seed in 0..3 {
            for labels in [10, 100, 1_000] {
                let gain = 0.02 * (1_000.0 / labels as f64).ln();
                rows.push(row(Start::Random, labels, seed, 0.5));
                rows.push(row(Start::Pca, labels, seed, 0.5 + gain));
            }
        }
        let found = starts(&rows);
        assert_eq!(found.len(), 2);
        assert!((found[0].area.unwrap() - 0.5).abs() < 1e-12 && found[0].slope.is_none());
        assert!((found[1].slope.unwrap() - 0.02).abs() < 1e-9 && found[1].start == Start::Pca);
        // A seed without one of its points has no area.
        rows[0].accuracy = None;
        assert!(starts(&rows)[0].area.is_some());
        assert!(starts(&[]).is_empty());
    }

    #[test]
    fn reconstruction_is_correlated_over_the_starts_of_each_seed() {
        let mut rows = Vec::new();
        for seed in 0..4 {
            for (at, start) in Start::ALL.into_iter().enumerate() {
                // The error falls with the accuracy with 10 labels, and rises with it with 20; the controls turn it round.
                let control = start.shuffles().is_some();
                let accuracy = if control { 0.1 } else { 0.5 + 0.05 * at as f64 + 0.01 * seed as f64 };
                let turned = PretrainingRow { linear_mse: Some(0.0), ..row(start, 10, seed, accuracy) };
                rows.push(if control { turned } else { row(start, 10, seed, accuracy) });
                rows.push(PretrainingRow { linear_mse: Some(accuracy), ..row(start, 20, seed, accuracy) });
            }
        }
        let found = reconstruction(&rows);
        assert_eq!(found.len(), 2);
        assert!((found[0].rho - 1.0).abs() < 1e-12 && (found[1].rho + 1.0).abs() < 1e-12, "{found:?}");
        assert_eq!(found[0].seeds, 4);
        assert!(reconstruction(&[]).is_empty());
    }

    #[test]
    fn the_registered_rule() {
        let (verdict_of_rows, numbers) = verdict(&curves(&rows()));
        assert_eq!(verdict_of_rows, Verdict::Supported);
        assert!(numbers.contains("+5.00 with 100 labels"), "{numbers}");
        assert!(
            numbers.ends_with("certainly better with 100 labels, certainly worse with no number of labels"),
            "{numbers}"
        );
        // Turned round: the SCAE is worse with 100 labels.
        let mut turned = rows();
        for row in &mut turned {
            row.start = if row.start == Start::Random { Start::Scae } else { Start::Random };
        }
        assert_eq!(verdict(&curves(&turned)).0, Verdict::Contradicted);
        let other: Vec<PretrainingRow> = rows()
            .into_iter()
            .map(|row| PretrainingRow { start: if row.start == Start::Scae { Start::Pca } else { row.start }, ..row })
            .collect();
        assert_eq!(verdict(&curves(&other)).0, Verdict::Inconclusive, "no SCAE");
    }
}
