//! Accuracy by start and number of labels, and the gain over the random start.

use super::{piece::PretrainingRow, starts::Start};
use crate::statistics::{CONFIDENCE, holm, mean, mean_interval};
use serde::Serialize;
use std::collections::BTreeMap;

/// A start with a number of labels: a row of `pretraining.csv`. Accuracies are shares of the test pictures, intervals are 95 %
/// over seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CurveRow {
    /// The set.
    pub data: String,
    /// Where fine-tuning starts from.
    pub start: Start,
    /// Pictures with labels.
    pub labels: usize,
    /// Unlabelled pictures for each of them.
    pub ratio: f64,
    /// Seeds that ended.
    pub seeds: usize,
    /// Seeds that failed.
    pub failed: usize,
    /// Mean test accuracy.
    pub accuracy: Option<f64>,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Standard deviation over seeds.
    pub spread: Option<f64>,
    /// Mean gain over the random start, paired over seeds; of other starts.
    pub gain: Option<f64>,
    /// Lower end of its interval.
    pub gain_low: Option<f64>,
    /// Upper end.
    pub gain_high: Option<f64>,
    /// Two-sided p of "no gain", by Student's t of the pairs.
    pub gain_p: Option<f64>,
    /// The same with Holm's correction over the numbers of labels.
    pub gain_holm: Option<f64>,
    /// The same over all starts but the controls, and all numbers of labels.
    pub gain_holm_starts: Option<f64>,
    /// Mean number of epochs until 95 % of the final validation accuracy.
    pub epochs_to_95: Option<f64>,
    /// Mean number of epochs.
    pub epochs: Option<f64>,
    /// Share of the seeds whose fine-tuning was ended by the limit of steps.
    pub ended_by_limit: Option<f64>,
    /// Mean squared error before fine-tuning, mean; of starts whose decoders were trained.
    pub mse: Option<f64>,
    /// The same with the best linear decoder of the code.
    pub linear_mse: Option<f64>,
    /// Accuracy of the probe before fine-tuning, mean.
    pub probe: Option<f64>,
}

/// Rows by start and number of labels, in rising order of both.
pub(super) fn cells(rows: &[PretrainingRow]) -> BTreeMap<(Start, usize), Vec<&PretrainingRow>> {
    let mut cells: BTreeMap<_, Vec<&PretrainingRow>> = BTreeMap::new();
    for row in rows {
        cells.entry((row.start, row.labels)).or_default().push(row);
    }
    cells
}

/// The differences to the random start with the same labels and seed, in the order of `own`.
pub(super) fn gains(own: &[&PretrainingRow], random: &[&PretrainingRow]) -> Vec<(usize, f64)> {
    let gain = |row: &&PretrainingRow| {
        let other = random.iter().find(|other| other.seed == row.seed)?;
        Some((row.seed, row.accuracy? - other.accuracy?))
    };
    own.iter().filter_map(gain).collect()
}

/// Every start with every number of labels.
pub fn curves(rows: &[PretrainingRow]) -> Vec<CurveRow> {
    let cells = cells(rows);
    let mut found: Vec<CurveRow> = Vec::new();
    for (&(start, labels), own) in &cells {
        let random = cells.get(&(Start::Random, labels)).map_or(&[][..], Vec::as_slice);
        let gains: Vec<f64> = match start {
            Start::Random => Vec::new(),
            _ => gains(own, random).into_iter().map(|(_, gain)| gain).collect(),
        };
        found.push(curve_row(start, labels, own, &gains));
    }
    for start in Start::ALL {
        correct(&mut found, |row| row.start == start, |row, p| row.gain_holm = Some(p));
    }
    correct(&mut found, |row| row.start.shuffles().is_none(), |row, p| row.gain_holm_starts = Some(p));
    found
}

/// Holm's correction over the gains of a family.
fn correct(rows: &mut [CurveRow], of_family: impl Fn(&CurveRow) -> bool, put: impl Fn(&mut CurveRow, f64)) {
    let mut family: Vec<&mut CurveRow> = rows.iter_mut().filter(|row| of_family(row) && row.gain_p.is_some()).collect();
    let p: Vec<f64> = family.iter().filter_map(|row| row.gain_p).collect();
    for (row, corrected) in family.iter_mut().zip(holm(&p).unwrap_or_default()) {
        put(row, corrected);
    }
}

fn curve_row(start: Start, labels: usize, own: &[&PretrainingRow], gains: &[f64]) -> CurveRow {
    let values = |of: fn(&PretrainingRow) -> Option<f64>| own.iter().filter_map(|row| of(row)).collect::<Vec<f64>>();
    let accuracies = values(|row| row.accuracy);
    let (accuracy, gain) = (mean_interval(&accuracies, CONFIDENCE), mean_interval(gains, CONFIDENCE));
    CurveRow {
        data: own[0].data.clone(),
        start,
        labels,
        ratio: own[0].unlabelled as f64 / labels as f64,
        seeds: accuracies.len(),
        failed: own.len() - accuracies.len(),
        accuracy: mean(&accuracies),
        low: accuracy.map(|mean| mean.interval.low),
        high: accuracy.map(|mean| mean.interval.high),
        spread: accuracy.map(|mean| mean.standard_deviation),
        gain: mean(gains),
        gain_low: gain.map(|mean| mean.interval.low),
        gain_high: gain.map(|mean| mean.interval.high),
        gain_p: gain.and_then(|mean| mean.p_of_zero()),
        gain_holm: None,
        gain_holm_starts: None,
        epochs_to_95: mean(&values(|row| row.epochs_to_95.map(|epochs| epochs as f64))),
        epochs: mean(&values(|row| row.epochs.map(|epochs| epochs as f64))),
        ended_by_limit: mean(&values(|row| row.ended_by_limit.map(|ended| f64::from(u8::from(ended))))),
        mse: mean(&values(|row| row.mse)),
        linear_mse: mean(&values(|row| row.linear_mse)),
        probe: mean(&values(|row| row.probe)),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A row with an accuracy, and an error that falls with it.
    pub(in crate::pretraining) fn row(start: Start, labels: usize, seed: usize, accuracy: f64) -> PretrainingRow {
        PretrainingRow {
            data: "hand-made".to_string(),
            start,
            labels,
            unlabelled: 1_000,
            seed,
            reason: String::new(),
            accuracy: Some(accuracy),
            validation_accuracy: Some(accuracy),
            epochs_to_95: Some(2 + seed),
            epochs: Some(10),
            ended_by_limit: Some(seed == 0),
            mse: Some(2.0 - accuracy),
            linear_mse: Some(1.0 - accuracy),
            probe: Some(0.5),
        }
    }

    /// SCAE is better by 0.04, 0.05 or 0.06 with 100 labels, and neither with 1,000.
    pub(in crate::pretraining) fn rows() -> Vec<PretrainingRow> {
        let mut rows = Vec::new();
        for seed in 0..6 {
            let noise = 0.01 * seed as f64;
            let (few, many) = (0.04 + 0.01 * (seed % 3) as f64, if seed % 2 == 0 { 0.01 } else { -0.01 });
            rows.push(row(Start::Random, 100, seed, 0.70 + noise));
            rows.push(row(Start::Scae, 100, seed, 0.70 + noise + few));
            rows.push(row(Start::Random, 1_000, seed, 0.90 + noise));
            rows.push(row(Start::Scae, 1_000, seed, 0.90 + noise + many));
        }
        rows
    }

    #[test]
    fn gains_are_paired_over_seeds_and_corrected() {
        let found = curves(&rows());
        let of = |start, labels| found.iter().find(|row| row.start == start && row.labels == labels).unwrap();
        let (random, few, many) = (of(Start::Random, 100), of(Start::Scae, 100), of(Start::Scae, 1_000));
        assert!((random.accuracy.unwrap() - 0.725).abs() < 1e-12 && (random.ratio, random.seeds) == (10.0, 6));
        assert_eq!((random.gain, random.gain_holm), (None, None));
        // The spread over seeds is larger than the gain, but the pairs are not.
        assert!((few.gain.unwrap() - 0.05).abs() < 1e-12 && few.gain_low.unwrap() > 0.04);
        let (p, holm) = (few.gain_p.unwrap(), few.gain_holm.unwrap());
        assert!(p < 1e-4 && (holm - 2.0 * p).abs() < 1e-15, "{p} {holm}");
        assert!(many.gain.unwrap().abs() < 1e-12 && many.gain_holm.unwrap() > 0.9);
        assert_eq!((few.epochs_to_95, few.probe, few.ended_by_limit), (Some(4.5), Some(0.5), Some(1.0 / 6.0)));
    }

    #[test]
    fn failures_are_counted_and_break_their_pair_alone() {
        let mut rows = rows();
        let failed = rows.iter_mut().find(|row| row.start == Start::Random && row.labels == 100 && row.seed == 5);
        failed.unwrap().accuracy = None;
        let found = curves(&rows);
        let of = |start, labels| found.iter().find(|row| row.start == start && row.labels == labels).unwrap();
        assert_eq!((of(Start::Random, 100).seeds, of(Start::Random, 100).failed), (5, 1));
        // The failed pair had a gain of 0.06.
        assert!((of(Start::Scae, 100).gain.unwrap() - 0.048).abs() < 1e-12);
        assert!(curves(&[]).is_empty());
    }
}
