//! The plots of the report, as SVG.

use super::{
    Figure,
    findings::{Reading, at_status},
    format::{error, interval, number, p_value, percent},
};
use crate::{
    demo::{
        SetResults,
        baselines::{BaselineRow, Kind},
        network::{NetworkRow, Status},
        population::FIXED_CODE_SIZE,
        reference::{Decoder, REFERENCE_CODE_SIZE, Stage},
        relations::{JudgedBy, Level, Relation},
    },
    figures::{Band, Baseline, Dot, DotPlot, DotRow, Reference, Scatter, ScatterPoint},
    statistics::EQUIVALENCE_MARGIN,
};

/// R2 below this is drawn at this: one broken network should not squeeze all others into a corner.
pub(super) const LOWEST_R2: f64 = -0.2;

const JUDGES: [JudgedBy; 2] = [JudgedBy::OwnDecoder, JudgedBy::OptimalLinearDecoder];

/// Networks below that accuracy are drawn at it: 5 points below all working networks and all baselines of the plot. A
/// network with a constant code says one class to everything, and would squeeze the others as much.
fn lowest_accuracy(set: &SetResults) -> f64 {
    let working = at_status(&set.networks, Status::Ok).filter_map(|row| row.probe_accuracy);
    let lowest = working.chain(plotted_baselines(set).map(|row| row.probe_accuracy)).fold(1.0, f64::min);
    (lowest - 0.05).max(0.0)
}

/// Networks that are not drawn at their place but at the edge of the scatter plot.
pub(super) fn at_the_edge(set: &SetResults) -> usize {
    let lowest_accuracy = lowest_accuracy(set);
    let beyond = |value: Option<f64>, lowest: f64| value.is_some_and(|value| value < lowest);
    let at_edge = |row: &&NetworkRow| beyond(row.r2, LOWEST_R2) || beyond(row.probe_accuracy, lowest_accuracy);
    set.networks.iter().filter(at_edge).count()
}

/// Reconstruction against accuracy, a point for each network, baselines as dashed lines.
pub(super) fn scatter(set: &SetResults) -> Figure {
    let sizes = distinct(set.networks.iter().map(|row| row.code_size));
    let activations = distinct(set.networks.iter().map(|row| format!("{} / {}", row.encoder, row.decoder)));
    let lowest_accuracy = lowest_accuracy(set);
    let position = |index: Option<usize>| index.expect("every level was collected from these rows");
    let points = set.networks.iter().map(|row| {
        // A diverged network has no place; the plot counts it in its legend.
        let (r2, accuracy) = (row.r2.unwrap_or(f64::NAN), row.probe_accuracy.unwrap_or(f64::NAN));
        let activation = format!("{} / {}", row.encoder, row.decoder);
        ScatterPoint {
            x: r2.max(LOWEST_R2),
            y: 100.0 * accuracy.max(if accuracy.is_nan() { f64::NAN } else { lowest_accuracy }),
            series: position(sizes.iter().position(|&size| size == row.code_size)),
            marker: position(activations.iter().position(|known| *known == activation)),
            title: format!("{}: R² {}, accuracy {}", row.title(), number(r2, 3), percent(accuracy)),
            link: Some(row.anchor()),
        }
    });
    let title = set.task.set.title();
    let svg = Scatter {
        title: format!("{title}: reconstruction against accuracy"),
        description: scatter_description(set),
        x_title: "R² of the reconstruction by the network’s own decoder".to_string(),
        y_title: "test accuracy of the linear probe, %".to_string(),
        series_title: "Code size".to_string(),
        series: sizes.iter().map(usize::to_string).collect(),
        marker_title: "Encoder / decoder".to_string(),
        points: points.collect(),
        markers: activations,
        baselines: scatter_baselines(set),
    };
    Figure { name: format!("scatter-{}.svg", set.task.set.folder()), bytes: svg.to_svg().into_bytes() }
}

fn scatter_description(set: &SetResults) -> String {
    let drawn = set.networks.iter().filter(|row| row.is_finite()).count();
    let pooled = set.relations.iter().find(|r| is(r, Level::Pooled, JudgedBy::OwnDecoder, false));
    let finding = match (pooled, at_status(&set.networks, Status::Ok).next()) {
        (Some(relation), Some(_)) => {
            let towards = match Reading::of(Some(relation)) {
                Reading::Together => "they rise together",
                Reading::Opposed => "one falls where the other rises",
                Reading::Unrelated => "they are not correlated",
                Reading::Open | Reading::Undefined => "a correlation is neither shown nor excluded",
            };
            format!("{towards}, Spearman's rho {}", number(relation.rank.rho, 2))
        }
        _ => "no correlation can be computed".to_string(),
    };
    let title = set.task.set.title();
    format!(
        "{title}: test accuracy of the linear probe against R² of the reconstruction for {drawn} networks; {finding}."
    )
}

/// The raw pixels, and the other baselines at the shared code size.
fn plotted_baselines(set: &SetResults) -> impl Iterator<Item = &BaselineRow> {
    set.baselines.iter().filter(|row| match row.kind {
        Kind::RawPixels => true,
        Kind::Pca | Kind::UntrainedEncoder => row.size == FIXED_CODE_SIZE,
        Kind::RandomProjection | Kind::EndToEnd => false,
    })
}

fn scatter_baselines(set: &SetResults) -> Vec<Baseline> {
    let label = |kind: Kind| match kind {
        Kind::RawPixels => kind.label().to_string(),
        Kind::UntrainedEncoder => format!("untrained {FIXED_CODE_SIZE}"),
        _ => format!("{} {FIXED_CODE_SIZE}", kind.label()),
    };
    plotted_baselines(set).map(|row| Baseline { y: 100.0 * row.probe_accuracy, label: label(row.kind) }).collect()
}

/// All rank correlations with their intervals.
pub(super) fn forest(results: &[SetResults]) -> Figure {
    let mut rows = Vec::new();
    for set in results {
        for without_dead in [false, true] {
            for level in [Level::Pooled, Level::OneCodeSize] {
                rows.extend(forest_row(set, level, without_dead));
            }
        }
    }
    let svg = DotPlot {
        title: "Does accuracy follow reconstruction?".to_string(),
        description:
            "Rank correlations between reconstruction quality and probe accuracy with 95 % intervals; the table \
                      below has the numbers."
                .to_string(),
        x_title: "Spearman’s ρ between reconstruction quality and probe accuracy, 95 % interval".to_string(),
        series: JUDGES.map(|judge| format!("judged by the {}", judge.label())).to_vec(),
        rows,
        references: vec![Reference { x: 0.0, label: String::new() }],
        band: Some(Band { low: -EQUIVALENCE_MARGIN, high: EQUIVALENCE_MARGIN, label: "none to speak of".to_string() }),
    };
    Figure { name: "correlations.svg".to_string(), bytes: svg.to_svg().into_bytes() }
}

fn forest_row(set: &SetResults, level: Level, without_dead: bool) -> Option<DotRow> {
    let found = JUDGES.map(|judge| set.relations.iter().find(|r| is(r, level, judge, without_dead)));
    let networks = found.iter().flatten().map(|relation| relation.rank.rows).next()?;
    let dots = found.iter().enumerate().filter_map(|(series, relation)| {
        let rank = relation.as_ref()?.rank;
        let ends = rank.interval();
        let title = format!("ρ {}, {}, p {}", number(rank.rho, 2), interval(ends), p_value(rank.permutation_p));
        Some(Dot { value: rank.rho, interval: Some([ends.low, ends.high]), series, title })
    });
    let without = if without_dead { ", without dead" } else { "" };
    let note = format!("{}{without}, n = {networks}", level.label());
    Some(DotRow { label: set.task.set.title().to_string(), note, dots: dots.collect() })
}

fn is(relation: &Relation, level: Level, judged_by: JudgedBy, without_dead: bool) -> bool {
    relation.level == level && relation.judged_by == judged_by && relation.without_dead == without_dead
}

/// The error of one code under several decoders, before and after fine-tuning.
pub(super) fn decoders(set: &SetResults) -> Figure {
    let stages = [(Stage::Before, "before fine-tuning"), (Stage::After, "after")];
    let rows = [Decoder::Own, Decoder::Retrained, Decoder::OptimalLinear].map(|decoder| {
        let dots = stages.iter().enumerate().filter_map(|(series, &(stage, when))| {
            let decoded = set.reference.decoded.iter().find(|d| d.stage == stage && d.decoder == decoder)?;
            let mse = decoded.scores.mse;
            let title = format!("{}, {when}: {}", decoder.label(stage), error(mse));
            Some(Dot { value: mse, interval: None, series, title })
        });
        let label = match decoder {
            Decoder::Own => "own decoder, left as it was",
            other => other.label(Stage::After),
        };
        DotRow { label: label.to_string(), note: String::new(), dots: dots.collect() }
    });
    let title = set.task.set.title();
    let svg = DotPlot {
        title: format!("{title}: one code, several decoders"),
        description: format!(
            "{title}: mean squared error of the reference network's code of size {REFERENCE_CODE_SIZE} under three \
             decoders, before and after fine-tuning; the table below has the numbers."
        ),
        x_title: "mean squared error of the test reconstruction".to_string(),
        series: stages.map(|(_, when)| when.to_string()).to_vec(),
        rows: rows.to_vec(),
        references: vec![Reference { x: 0.0, label: String::new() }],
        band: None,
    };
    Figure { name: format!("decoders-{}.svg", set.task.set.folder()), bytes: svg.to_svg().into_bytes() }
}

fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.collect::<std::collections::BTreeSet<T>>().into_iter().collect()
}
