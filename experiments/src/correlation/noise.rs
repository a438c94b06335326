//! How much of the differences between networks is noise, and how strong correlations would be without it.

use super::{
    network::{NetworkRow, Status},
    population::Population,
    relations::{Level, RelationRow, headline},
    section::JUDGES,
};
use crate::{
    report::format::{number, percent},
    statistics::{disattenuate, mean_interval, reliability_from_replicates},
};
use std::collections::BTreeMap;

type Value = fn(&NetworkRow) -> Option<f64>;

/// The errors of [`JUDGES`].
const ERRORS: [Value; 2] = [|row| row.mse, |row| row.linear_decoder_mse];

/// What seeds alone (P3) do to a quantity.
struct Noise {
    /// Standard deviation over the seeds.
    deviation: f64,
    /// The share of the variance of its ranks over P1 that is not noise.
    reliability: Option<f64>,
}

impl Noise {
    /// `None` with fewer than two seeds.
    fn of(rows: &[NetworkRow], value: Value) -> Option<Self> {
        let of = |population: Population| -> Vec<f64> {
            let chosen = rows.iter().filter(|row| row.population == population && row.status != Status::Failed);
            chosen.filter_map(value).collect()
        };
        let (networks, seeds) = (of(Population::P1), of(Population::P3));
        let deviation = mean_interval(&seeds, 0.95)?.standard_deviation;
        // Correlations are of ranks: a few networks with huge errors would make the error itself look more reliable.
        let ranks = |values: &[f64]| -> Vec<f64> { values.iter().map(|value| rank(*value, &networks)).collect() };
        Some(Self { deviation, reliability: reliability_from_replicates(&ranks(&networks), &ranks(&seeds)) })
    }
}

/// The rank that `value` has, or would have, among `values`: the mean of ranks where it is there several times, half a rank above the
/// next smaller one where it is not there.
fn rank(value: f64, values: &[f64]) -> f64 {
    let with = |is: fn(&f64, &f64) -> bool| values.iter().filter(|other| is(other, &value)).count() as f64;
    with(|other, value| other < value) + (with(|other, value| other == value) + 1.0) / 2.0
}

/// A paragraph, and its numbers by name.
pub(super) fn paragraph(
    rows: &[NetworkRow],
    found: &[RelationRow],
    set: &str,
    numbers: &mut BTreeMap<String, String>,
) -> String {
    let noise = |value: Value| Noise::of(rows, value);
    let (Some(accuracy), [Some(own), Some(linear)]) = (noise(|row| row.logistic), ERRORS.map(noise)) else {
        return "There are too few replicates (P3) to tell the noise.".to_string();
    };
    let mut put = |key: &str, value: String| drop(numbers.insert(format!("{set}.noise.{key}"), value));
    put("accuracy", format!("{} points", number(100.0 * accuracy.deviation, 2)));
    put("mse", number(own.deviation, 4));
    let seeds = rows.iter().filter(|row| row.population == Population::P3 && row.status != Status::Failed).count();
    let mut text = format!(
        "Seeds alone (P3, {seeds} networks) have a standard deviation of {} in the error by the own decoder, of {} by the best linear one, \
         and of {} points in accuracy.",
        number(own.deviation, 4),
        number(linear.deviation, 4),
        number(100.0 * accuracy.deviation, 2)
    );
    let Some(of_accuracy) = accuracy.reliability else { return text };
    put("accuracy.reliability", percent(of_accuracy));
    for ((quality, label, key), noise) in JUDGES.into_iter().zip([own, linear]) {
        let pooled = headline(found, Level::Pooled, quality);
        let (Some(of_error), Some(pooled)) = (noise.reliability, pooled) else { continue };
        put(&format!("{key}.reliability"), percent(of_error));
        let Some(true_rho) = disattenuate(pooled.rho, of_error, of_accuracy) else { continue };
        put(&format!("{key}.rho"), number(true_rho, 2));
        text += &format!(
            " By the {label} {} of the variance of the ranks of the error over P1 are more than that noise, of those of the accuracy {}: \
             without noise the pooled ρ of {} would be about {}.",
            percent(of_error),
            percent(of_accuracy),
            number(pooled.rho, 2),
            number(true_rho, 2)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::network::tests::measured, super::relations::relations_where, *};

    #[test]
    fn ranks_are_those_of_the_population() {
        let values = [3.0, 1.0, 2.0, 2.0];
        assert_eq!([3.0, 1.0, 2.0].map(|value| rank(value, &values)), [4.0, 1.0, 2.5]);
        assert_eq!([0.0, 2.5, 9.0].map(|value| rank(value, &values)), [0.5, 3.5, 4.5]);
    }

    #[test]
    fn noise_is_that_of_seeds_and_makes_correlations_smaller() {
        // Eight networks in rank order but for one exchange, and three seeds at the ranks 2, 3 and 4 of the error and 6.5 of the accuracy.
        let at = |index: usize, mse: f64, accuracy: f64| NetworkRow {
            linear_decoder_mse: Some(mse),
            ..measured(index, mse, accuracy)
        };
        let accuracies = [0.9, 0.8, 0.85, 0.7, 0.6, 0.5, 0.4, 0.3];
        let mut rows: Vec<NetworkRow> =
            accuracies.iter().enumerate().map(|(index, accuracy)| at(index, (index + 1) as f64, *accuracy)).collect();
        rows.extend([2.0, 3.0, 4.0].map(|mse| NetworkRow { population: Population::P3, ..at(0, mse, 0.75) }));
        let found = relations_where(&rows, 1, |cell| cell.level == Level::Pooled && cell.probe.0 == "logistic");
        let mut numbers = BTreeMap::new();
        let text = paragraph(&rows, &found, "set", &mut numbers);
        // Variance 6 of the ranks 1 to 8, and 1 of 2, 3, 4; none in the accuracy. Spearman's rho with one exchange: 1 - 6 * 2 / (8 * 63).
        let number = |key: &str| numbers[&format!("set.noise.{key}")].as_str();
        assert_eq!(
            [number("own.reliability"), number("accuracy.reliability")],
            ["83.3\u{a0}%", "100.0\u{a0}%"],
            "{text}"
        );
        let rho = 1.0 - 12.0 / 504.0;
        assert_eq!(number("linear.rho"), super::number(rho / (5.0_f64 / 6.0).sqrt(), 2), "{text}");
        assert!(paragraph(&rows[..8], &found, "set", &mut numbers).contains("too few replicates"));
    }
}
