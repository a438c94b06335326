//! The figures of E2.

use super::{
    comparison::{Outcome, count},
    row::{Kind, SeparabilityRow},
};
use crate::{
    correlation::{network::Status, population::Population},
    figures::{Baseline, LinePlot, LinePoint, LineSeries},
    report::format::{networks, percent, points},
    statistics::{Comparison, median},
};

/// The row of a baseline; of the first size, if it has several.
pub fn baseline(rows: &[SeparabilityRow], kind: Kind) -> Option<&SeparabilityRow> {
    rows.iter().find(|row| row.kind == kind && row.status == Status::Ok)
}

/// How a comparison is named.
pub fn label(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Better => "better",
        Comparison::Equal => "no certain difference",
        Comparison::Worse => "worse",
    }
}

/// F3: the logistic accuracy of every code, in rising order, against that of the pixels and of itself before training.
pub fn codes(data: &str, rows: &[SeparabilityRow], outcomes: &[Outcome]) -> LinePlot {
    let mut ordered: Vec<&Outcome> = outcomes.iter().collect();
    ordered.sort_by(|a, b| a.row.logistic.unwrap_or(0.0).total_cmp(&b.row.logistic.unwrap_or(0.0)));
    let point = |at: usize, y: Option<f64>, title: String| LinePoint {
        x: (at + 1) as f64,
        y: 100.0 * y.unwrap_or(f64::NAN),
        title,
        ..LinePoint::default()
    };
    let mut series: Vec<LineSeries> = Vec::new();
    for (at, outcome) in ordered.iter().enumerate() {
        let ends = [outcome.row.untrained_logistic, outcome.row.logistic];
        let points = ends.map(|y| point(at, y, String::new())).to_vec();
        series.push(LineSeries { joined: true, points, ..LineSeries::default() });
    }
    let before =
        ordered.iter().enumerate().map(|(at, outcome)| point(at, outcome.row.untrained_logistic, String::new()));
    series.push(LineSeries {
        name: "before training".to_string(),
        style: Some(5),
        joined: false,
        points: before.collect(),
    });
    for (style, comparison) in [(2, Comparison::Better), (1, Comparison::Equal), (3, Comparison::Worse)] {
        let chosen = ordered.iter().enumerate().filter(|(_, outcome)| outcome.comparison == comparison);
        let of = |(at, outcome): (usize, &&Outcome)| point(at, outcome.row.logistic, title(outcome));
        let points: Vec<LinePoint> = chosen.map(of).collect();
        series.push(LineSeries { name: label(comparison).to_string(), style: Some(style), joined: false, points });
    }
    let lines = [Kind::Pixels, Kind::Lda, Kind::Supervised].into_iter().filter_map(|kind| {
        let y = 100.0 * baseline(rows, kind)?.logistic?;
        Some(Baseline { y, label: kind.label().to_string() })
    });
    let [better, worse] = [Comparison::Better, Comparison::Worse].map(|which| count(outcomes, which));
    LinePlot {
        title: format!("{data}: the code of every network against the pixels"),
        description: format!(
            "Of {}, {better} have a code on which the probe is certainly better than on the pixels, {worse} one on which it \
             is certainly worse.",
            networks(outcomes.len())
        ),
        x_title: "networks of P1, by accuracy".to_string(),
        y_title: "accuracy of the logistic probe, %".to_string(),
        series_title: "code against pixels".to_string(),
        series,
        baselines: lines.collect(),
        ..LinePlot::default()
    }
}

fn title(outcome: &Outcome) -> String {
    let row = outcome.row;
    format!(
        "P1-{}: {} {}/{}, code of {}: {}, {} beside the pixels",
        row.network.unwrap_or(0),
        row.geometry,
        row.encoder,
        row.decoder,
        row.code_size,
        row.logistic.map_or(String::new(), percent),
        points(outcome.difference())
    )
}

/// F3b: the median accuracy of the ridge probe by depth, from the pixels up, and its quartiles.
pub fn depth(data: &str, rows: &[SeparabilityRow]) -> LinePlot {
    let pixels = baseline(rows, Kind::Pixels).and_then(|row| row.ridge);
    let mut series = Vec::new();
    for (style, depth) in [(0, 1), (1, 2), (2, 3)] {
        let chosen = |row: &&SeparabilityRow| {
            row.population == Some(Population::P1) && row.depth == depth && row.status == Status::Ok
        };
        series.extend(curve(&rows.iter().filter(chosen).collect::<Vec<_>>(), pixels, "P1", style));
    }
    let one = |row: &&SeparabilityRow| row.population == Some(Population::P2) && row.status == Status::Ok;
    series.extend(curve(&rows.iter().filter(one).collect::<Vec<_>>(), pixels, "P2", 3));
    let supervised: Vec<&SeparabilityRow> = baseline(rows, Kind::Supervised).into_iter().collect();
    series.extend(curve(&supervised, pixels, "supervised", 4));
    LinePlot {
        title: format!("{data}: accuracy by depth"),
        description: "Median accuracy of the ridge probe on the pixels and on every layer, by the number of layers."
            .to_string(),
        x_title: "layer (0: the pixels)".to_string(),
        y_title: "accuracy of the ridge probe, %".to_string(),
        series_title: "networks".to_string(),
        series,
        ..LinePlot::default()
    }
}

/// Median and quartiles over networks of one depth.
fn curve(rows: &[&SeparabilityRow], pixels: Option<f64>, name: &str, style: usize) -> Option<LineSeries> {
    let layers: Vec<Vec<f64>> = rows.iter().map(|row| row.ridge_by_layer()).filter(|all| !all.is_empty()).collect();
    let depth = layers.first()?.len();
    let mut points: Vec<LinePoint> =
        pixels.into_iter().map(|pixels| LinePoint { y: 100.0 * pixels, ..LinePoint::default() }).collect();
    for layer in 0..depth {
        let mut values: Vec<f64> = layers.iter().map(|all| 100.0 * all[layer]).collect();
        values.sort_by(f64::total_cmp);
        let (first, last) = (values.len() / 4, values.len() - 1);
        let interval = (last > 0).then(|| [values[first], values[last - first]]);
        let y = median(&values)?;
        let title = format!("{name}, layer {} of {depth}: {}", layer + 1, percent(y / 100.0));
        points.push(LinePoint { x: (layer + 1) as f64, y, interval, title, link: None });
    }
    let plural = if depth == 1 { "" } else { "s" };
    let name = format!("{name}, {depth} layer{plural} ({})", layers.len());
    Some(LineSeries { name, style: Some(style), joined: true, points })
}

#[cfg(test)]
mod tests {
    use super::super::{
        comparison::{outcomes, tests::network},
        row::{Against, By},
    };
    use super::*;

    fn rows() -> Vec<SeparabilityRow> {
        let mut rows = vec![network(0, [90, 10]), network(1, [10, 90]), network(2, [50, 45])];
        let pixels = SeparabilityRow::new("set", Kind::Pixels, 784, [4000, 1000]);
        rows.push(SeparabilityRow { status: Status::Ok, logistic: Some(0.8), ridge: Some(0.79), ..pixels });
        rows
    }

    #[test]
    fn codes_stand_in_the_order_of_their_accuracy_by_outcome() {
        let rows = rows();
        let outcomes = outcomes(&rows, Population::P1, true, By::Logistic, Against::Pixels);
        let plot = codes("set", &rows, &outcomes);
        let at = |name: &str| -> Vec<f64> {
            let series = plot.series.iter().find(|series| series.name == name).unwrap();
            series.points.iter().map(|point| point.x).collect()
        };
        assert_eq!([at("worse"), at("no certain difference"), at("better")], [[1.0], [2.0], [3.0]]);
        assert_eq!(plot.baselines.len(), 1);
        assert!(plot.description.contains("Of 3 networks, 1 have") && plot.to_svg().contains("P1-0"));
    }

    #[test]
    fn curves_begin_at_the_pixels_and_show_the_middle_of_networks() {
        let plot = depth("set", &rows());
        assert_eq!(plot.series.len(), 1);
        let points: Vec<[f64; 2]> = plot.series[0].points.iter().map(|point| [point.x, point.y.round()]).collect();
        assert_eq!(points, [[0.0, 79.0], [1.0, 85.0], [2.0, 78.0]]);
        assert_eq!(plot.series[0].name, "P1, 2 layers (3)");
        assert!(depth("set", &[]).series.is_empty());
    }
}
