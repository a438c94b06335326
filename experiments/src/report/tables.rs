//! The tables of the report, cell by cell as text.

use super::format::{NONE, bayes_factor, count, error, interval, number, optional, p_value, percentage};
use crate::demo::{
    SetResults,
    baselines::Kind,
    network::{NetworkRow, Status},
    population::FIXED_CODE_SIZE,
    reference::{Decoded, Decoder, Stage},
    relations::{JudgedBy, Relation},
};
use serde::Serialize;

/// The correlations of one data set.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Correlations {
    data: &'static str,
    rows: Vec<CorrelationRow>,
}

/// A row of the table of correlations.
#[derive(Clone, Debug, Serialize)]
struct CorrelationRow {
    networks: String,
    judged_by: &'static str,
    n: usize,
    spearman: String,
    interval: String,
    p: String,
    pearson: String,
    kendall: String,
    equivalence_p: String,
    bayes_factor: String,
    verdict: &'static str,
}

/// Every correlation of a data set.
pub(super) fn correlations(set: &SetResults) -> Correlations {
    let row = |relation: &Relation| {
        let rank = &relation.rank;
        let without = if relation.without_dead { ", without dead" } else { "" };
        CorrelationRow {
            networks: format!("{}{without}", relation.level.label()),
            judged_by: match relation.judged_by {
                JudgedBy::OwnDecoder => "own",
                JudgedBy::OptimalLinearDecoder => "optimal linear",
            },
            n: rank.rows,
            spearman: number(rank.rho, 2),
            interval: interval(rank.interval()),
            p: p_value(rank.permutation_p),
            pearson: number(relation.pearson, 2),
            kendall: number(relation.kendall, 2),
            equivalence_p: p_value(rank.equivalence.p()),
            bayes_factor: bayes_factor(rank.bayes_factor_01),
            verdict: rank.verdict.name(),
        }
    };
    Correlations { data: set.task.set.title(), rows: set.relations.iter().map(row).collect() }
}

/// A table of accuracies with a column for each size of features.
#[derive(Clone, Debug, Serialize)]
pub(super) struct BaselineTable {
    data: &'static str,
    sizes: Vec<usize>,
    rows: Vec<SizedRow>,
}

/// A row with a cell for each size.
#[derive(Clone, Debug, Serialize)]
struct SizedRow {
    label: String,
    /// Whether it is about the population rather than a baseline.
    population: bool,
    cells: Vec<SizedCell>,
}

/// Accuracy in percent with a remark below it, both perhaps empty.
#[derive(Clone, Debug, Serialize)]
struct SizedCell {
    value: String,
    note: String,
}

impl SizedCell {
    fn empty() -> Self {
        Self { value: NONE.to_string(), note: String::new() }
    }
}

/// Probe accuracy of the baselines, and of the population at the same sizes.
pub(super) fn baselines(set: &SetResults) -> BaselineTable {
    let of_networks = set.networks.iter().map(|row| row.code_size);
    let mut sizes: Vec<usize> = set.baselines.iter().map(|row| row.size).chain(of_networks).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let kinds = [Kind::RawPixels, Kind::Pca, Kind::RandomProjection, Kind::UntrainedEncoder, Kind::EndToEnd];
    let mut rows: Vec<SizedRow> = kinds.iter().map(|&kind| baseline_row(set, kind, &sizes)).collect();
    rows.push(population_row(set, &sizes, "SCAEs: median", |ordered| {
        let value = median(&ordered.iter().filter_map(|row| row.probe_accuracy).collect::<Vec<_>>())?;
        Some(SizedCell { value: percentage(value), note: format!("of {}", ordered.len()) })
    }));
    rows.push(population_row(set, &sizes, "SCAEs: best", |ordered| {
        let best = ordered.last()?;
        Some(SizedCell { value: percentage(best.probe_accuracy?), note: format!("#{}", best.network) })
    }));
    BaselineTable { data: set.task.set.title(), sizes, rows }
}

fn baseline_row(set: &SetResults, kind: Kind, sizes: &[usize]) -> SizedRow {
    let cell = |&size: &usize| {
        let found = set.baselines.iter().find(|row| row.kind == kind && row.size == size);
        found.map_or_else(SizedCell::empty, |row| SizedCell {
            value: percentage(row.probe_accuracy),
            note: row.r2.map_or_else(String::new, |r2| format!("R² {}", number(r2, 2))),
        })
    };
    SizedRow { label: kind.label().to_string(), population: false, cells: sizes.iter().map(cell).collect() }
}

/// A row made from the finite networks of each size, ordered by accuracy.
fn population_row(
    set: &SetResults,
    sizes: &[usize],
    label: &str,
    cell: impl Fn(&[&NetworkRow]) -> Option<SizedCell>,
) -> SizedRow {
    let of_size = |&size: &usize| {
        let finite = set.networks.iter().filter(|row| row.code_size == size && row.probe_accuracy.is_some());
        let mut ordered: Vec<&NetworkRow> = finite.collect();
        ordered.sort_by(|a, b| a.probe_accuracy.partial_cmp(&b.probe_accuracy).expect("an accuracy is a number"));
        cell(&ordered).unwrap_or_else(SizedCell::empty)
    };
    SizedRow { label: label.to_string(), population: true, cells: sizes.iter().map(of_size).collect() }
}

/// The middle of sorted values, or the mean of the two in the middle.
fn median(sorted: &[f64]) -> Option<f64> {
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some((lower + upper) / 2.0)
}

/// A row of the table below the panel: the reference network of one data set.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FineTuningRow {
    data: &'static str,
    probe_before: String,
    probe_after: String,
    classifier: String,
    mse_before: String,
    mse_old: String,
    mse_retrained: String,
}

/// Accuracy and error of the reference network before and after fine-tuning.
pub(super) fn fine_tuning(set: &SetResults) -> FineTuningRow {
    let reference = &set.reference;
    FineTuningRow {
        data: set.task.set.title(),
        probe_before: percentage(reference.probe_accuracy[0]),
        probe_after: percentage(reference.probe_accuracy[1]),
        classifier: percentage(reference.fine_tuned_accuracy),
        mse_before: decoder_error(set, Stage::Before, Decoder::Own),
        mse_old: decoder_error(set, Stage::After, Decoder::Own),
        mse_retrained: decoder_error(set, Stage::After, Decoder::Retrained),
    }
}

fn decoder_error(set: &SetResults, stage: Stage, decoder: Decoder) -> String {
    let found = set.reference.decoded.iter().find(|d| d.stage == stage && d.decoder == decoder);
    found.map_or(NONE.to_string(), |decoded| error(decoded.scores.mse))
}

/// A row of the table of decoders.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DecoderRow {
    stage: &'static str,
    decoder: &'static str,
    mse: String,
    mse_clipped: String,
    r2: String,
    psnr: String,
    accuracy: String,
}

/// The reference network under every decoder.
pub(super) fn decoders(set: &SetResults) -> Vec<DecoderRow> {
    let row = |decoded: &Decoded| DecoderRow {
        stage: if decoded.stage == Stage::Before { "before" } else { "after" },
        decoder: decoded.decoder.label(decoded.stage),
        mse: error(decoded.scores.mse),
        mse_clipped: error(decoded.scores.mse_clipped),
        r2: number(decoded.scores.r2, 2),
        psnr: number(decoded.scores.psnr, 1),
        accuracy: percentage(set.reference.probe_accuracy[decoded.stage as usize]),
    };
    set.reference.decoded.iter().map(row).collect()
}

/// A row of the table of all networks.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Network {
    /// `mnist-3`: other parts of the page may point at it.
    anchor: String,
    number: usize,
    geometry: String,
    widths: String,
    code_size: usize,
    activations: String,
    samples: String,
    lr: String,
    weight_decay: String,
    r2: String,
    mse: String,
    linear_mse: String,
    accuracy: String,
    dead_features: String,
    status: &'static str,
}

/// Every network of a data set, in the order of the population.
pub(super) fn networks(set: &SetResults) -> Vec<Network> {
    let mut rows: Vec<&NetworkRow> = set.networks.iter().collect();
    rows.sort_by_key(|row| row.network);
    let cells = rows.into_iter().map(|row| Network {
        anchor: row.anchor(),
        number: row.network,
        geometry: row.geometry.clone(),
        widths: row.widths.clone(),
        code_size: row.code_size,
        activations: format!("{} / {}", row.encoder, row.decoder),
        samples: count(row.samples_per_layer),
        lr: row.lr.to_string(),
        weight_decay: row.weight_decay.to_string(),
        r2: optional(row.r2, 3),
        mse: row.mse.map_or(NONE.to_string(), error),
        linear_mse: row.linear_decoder_mse.map_or(NONE.to_string(), error),
        accuracy: row.probe_accuracy.map_or(NONE.to_string(), percentage),
        dead_features: row.dead_features.map_or(NONE.to_string(), |dead| dead.to_string()),
        status: match row.status {
            Status::Ok => "ok",
            Status::Dead => "dead",
            Status::Diverged => "diverged",
        },
    });
    cells.collect()
}

/// How the population of one data set was varied, as found in its rows.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Factor {
    name: &'static str,
    levels: String,
}

/// The factors in which the networks of all data sets differ.
pub(super) fn factors(results: &[SetResults]) -> Vec<Factor> {
    let rows = || results.iter().flat_map(|set| &set.networks);
    let samples = || rows().map(|row| row.samples_per_layer);
    let sizes = levels(rows().map(|row| row.code_size)).join(", ");
    // The last width is the code size, a level of its own.
    let width = |layer: usize| {
        let below_the_top = rows().filter(move |row| row.depth > layer + 1);
        let widths = below_the_top.filter_map(move |row| row.widths.split('-').nth(layer)?.parse::<usize>().ok());
        levels(widths).join(", ")
    };
    let all = [
        ("Geometry", levels(rows().map(|row| row.geometry.clone())).join(", ")),
        ("Features of the lowest layer", width(0)),
        ("Features of the middle layer", width(1)),
        ("Code size", format!("{sizes} (about half of the networks share {FIXED_CODE_SIZE})")),
        ("Encoder / decoder", levels(rows().map(|row| format!("{} / {}", row.encoder, row.decoder))).join(", ")),
        (
            "Patches per layer",
            format!("{} to {}", count(samples().min().unwrap_or(0)), count(samples().max().unwrap_or(0))),
        ),
        ("Learning rate", ordered(rows().map(|row| row.lr))),
        ("Weight decay", ordered(rows().map(|row| row.weight_decay))),
    ];
    all.into_iter().map(|(name, levels)| Factor { name, levels }).collect()
}

fn levels<T: Ord + ToString>(values: impl Iterator<Item = T>) -> Vec<String> {
    values.collect::<std::collections::BTreeSet<T>>().iter().map(T::to_string).collect()
}

fn ordered(values: impl Iterator<Item = f64>) -> String {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median(&[]), None);
        assert_eq!([median(&[3.0]), median(&[1.0, 2.0]), median(&[1.0, 5.0, 9.0])], [Some(3.0), Some(1.5), Some(5.0)]);
    }
}
