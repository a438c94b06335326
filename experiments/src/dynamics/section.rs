//! What E5 has to say on the page: figures F8 to F9, tables T11 and T11b, findings for C7 and C8.

use super::{
    checkpoint::CheckpointRow,
    fewer_page,
    prediction::{Model, PredictionRow, noise, predictions},
    runs::{RunRow, RunSummary, checkpoints, networks, runs},
};
use crate::{
    correlation::{E1, network::NetworkRow},
    figures::{LinePlot, LinePoint, LineSeries, Scale},
    report::format::{NONE, count, error, interval, number, optional, percent, span},
    statistics::{CONFIDENCE, Mean, mean_interval},
    suite::{
        Block, Experiment, Image, Results, Section,
        claims::{Claim, Finding},
        columns,
    },
};

/// The section over all sets.
///
/// # Errors
/// If rows cannot be read.
pub(super) fn section(results: &[Results]) -> anyhow::Result<Section> {
    let mut section = Section::default();
    let mut without = Vec::new();
    for of_set in results {
        let of_e1 = of_set.rows_beside::<NetworkRow>(E1.name())?;
        if of_e1.is_none() {
            without.push(of_set.identity.data[0].clone());
        }
        one_set(&mut section, of_set, &of_set.rows::<CheckpointRow>()?, of_e1.as_deref());
    }
    section.deviations = vec![
        "Every checkpoint is a training to its end, with the last tenth of its patches at a tenth of the rate, not a state of \
         one long run."
            .to_string(),
        "The training error is the mean over the layers, whose codes have scales of their own, and with noise it is that of the \
         corrupted patches."
            .to_string(),
        "24 networks of P2 (quick: 8) are trained along all checkpoints, in place of the population: each checkpoint is a training of \
         its own."
            .to_string(),
        "The patches of a checkpoint do not count those from which a layer learnt its start, which are as many."
            .to_string(),
        "C8 is judged by ranks, and no share of the training error is given for the learning rate or the seed alone; seeds are the \
         noise named below."
            .to_string(),
        "The error of the best linear decoder does not stand beside the correlations within runs.".to_string(),
        "The probe of the checkpoints is ridge regression, not logistic; that of the lower layers reads their maps averaged \
         within each quarter."
            .to_string(),
    ];
    if !without.is_empty() {
        section.deviations.push(format!(
            "C7 and C8 are not judged on {}: the results of experiment E1 are not there.",
            without.join(", ")
        ));
    }
    Ok(section)
}

fn one_set(section: &mut Section, of_set: &Results, rows: &[CheckpointRow], of_e1: Option<&[NetworkRow]>) {
    let (set, name) = (of_set.set, of_set.identity.data[0].as_str());
    section.blocks.push(Block::Heading(name.to_string()));
    let found = runs(rows);
    let summary = RunSummary::of(&found);
    let mut put = |key: &str, value: String| drop(section.numbers.insert(format!("{set}.{key}"), value));
    put("networks", summary.networks.to_string());
    put("failed", rows.iter().filter(|row| !row.reason.is_empty()).count().to_string());
    put("earlier", summary.earlier.to_string());
    put("falling", summary.falling.to_string());
    put("to-the-end", summary.to_the_end.to_string());
    let means = [
        ("rho", &summary.rho, 1.0),
        ("late-rho", &summary.late_rho, 1.0),
        ("lead", &summary.lead, 1.0),
        ("price", &summary.price, 100.0),
        ("late-accuracy", &summary.late_accuracy_slope, 100.0),
        ("late-mse", &summary.late_mse_slope, 100.0),
    ];
    for (key, mean, scale) in means {
        let Some(mean) = mean else { continue };
        put(key, number(scale * mean.mean, 2));
        put(&format!("{key}.interval"), scaled_interval(mean, scale));
    }
    let networks = of_set.networks();
    section.blocks.push(curves(
        "F8",
        (name, networks),
        rows,
        "accuracy of the code, test pictures, %",
        Scale::Linear,
        |row| row.accuracy.map(|accuracy| 100.0 * accuracy),
    ));
    section.blocks.push(curves(
        "F8b",
        (name, networks),
        rows,
        "mean squared error, test pictures",
        Scale::Logarithmic,
        |row| row.mse,
    ));
    section.blocks.push(layers(name, rows));
    section.blocks.push(phases((name, networks), rows));
    section.blocks.push(run_table(name, &found));
    section.blocks.push(Block::Text(sentences(&summary)));
    let Some(of_e1) = of_e1 else { return };

    let predicted = predictions(of_e1, of_set.identity.seed);
    for row in &predicted {
        let key = format!("{set}.{}", row.model.name());
        section.numbers.insert(key.clone(), number(row.adjusted, 2));
        section.numbers.insert(format!("{key}.interval"), interval_of(row));
        let symmetric = row.symmetric();
        section.numbers.insert(format!("{key}.symmetric"), span(symmetric.low, symmetric.high, 2));
        section.numbers.insert(format!("{key}.n"), row.networks.to_string());
    }
    section.blocks.push(prediction_table(name, &predicted));
    fewer_page::add(section, of_set, of_e1);
    if let Some(noise) = noise(of_e1) {
        // Two decimals: it is far below one per cent where seeds make little of it.
        let share = format!("{}\u{a0}%", number(100.0 * (noise.of_seeds / noise.of_networks).powi(2), 2));
        section.numbers.insert(format!("{set}.c7.noise"), share.clone());
        section.blocks.push(Block::Text(format!(
            "Seeds alone (P3, {} networks) spread the log training error by a standard deviation of {}, networks of P1 by {}: \
             {} of its variance is noise.",
            noise.networks,
            number(noise.of_seeds, 3),
            number(noise.of_networks, 3),
            share
        )));
    }
    for (claim, model, beside, what) in [
        (Claim::C7, Model::ErrorByConfiguration, Model::ErrorBySize, "size alone"),
        (Claim::C8, Model::AccuracyByErrors, Model::AccuracyByMse, "the reconstruction error alone"),
    ] {
        let of = |model: Model| predicted.iter().find(|row| row.model == model);
        let Some(row) = of(model) else { continue };
        let beside = of(beside).map_or(String::new(), |row| format!("; {what}: {}", number(row.adjusted, 2)));
        section.findings.push(Finding {
            claim,
            data: name.to_string(),
            verdict: row.verdict(),
            numbers: format!(
                "adjusted R² = {} ({}), {} networks{beside}",
                number(row.adjusted, 2),
                interval_of(row),
                row.networks
            ),
        });
    }
}

/// The starts that occur, in the order of the first network that has each: colours of the curves.
fn starts(rows: &[CheckpointRow]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for network in networks(rows) {
        let name = rows.iter().find(|row| row.network == network).map(start);
        names.extend(name.filter(|name| !names.contains(name)));
    }
    names
}

fn start(row: &CheckpointRow) -> String {
    format!("{:?}", row.initialisation).to_lowercase()
}

/// A curve for each network; only the first of each start is named.
fn of_networks(rows: &[CheckpointRow], point: impl Fn(&CheckpointRow) -> Option<[f64; 2]>) -> Vec<LineSeries> {
    let starts = starts(rows);
    let mut named = vec![false; starts.len()];
    let series = networks(rows).into_iter().filter_map(|network| {
        let checkpoints = checkpoints(rows, network);
        let own = start(checkpoints.first()?);
        let style = starts.iter().position(|name| *name == own)?;
        let name = if named[style] { String::new() } else { starts[style].clone() };
        named[style] = true;
        let place = |row: &&CheckpointRow| {
            let [x, y] = point(row)?;
            let title = format!(
                "P2-{} after {} patches: error {}, accuracy {}",
                row.network,
                count(row.patches),
                row.mse.map_or(NONE.to_string(), error),
                row.accuracy.map_or(NONE.to_string(), percent)
            );
            Some(LinePoint { x, y, title, ..LinePoint::default() })
        };
        let points = checkpoints.iter().filter_map(place).collect();
        Some(LineSeries { name, style: Some(style), joined: true, points })
    });
    series.collect()
}

/// F8, F8b: a quantity over the patches.
fn curves(
    id: &'static str,
    (name, networks): (&str, Option<&str>),
    rows: &[CheckpointRow],
    quantity: &str,
    scale: Scale,
    value: impl Fn(&CheckpointRow) -> Option<f64>,
) -> Block {
    let plot = LinePlot {
        title: format!("{name}: along training"),
        description: format!("{name}: {quantity}, over the patches that each layer was shown."),
        x_title: "patches for each layer".to_string(),
        y_title: quantity.to_string(),
        x_scale: Scale::Logarithmic,
        y_scale: scale,
        series_title: "Start".to_string(),
        series: of_networks(rows, |row| Some([row.patches as f64, value(row)?])),
        baselines: Vec::new(),
    };
    Block::Figure {
        id,
        caption: format!("{name}: {quantity}, a curve for each network of one architecture, its start in colour."),
        image: Image::Svg(plot.leading_to_networks_of(networks).to_svg()),
    }
}

/// The accuracy of a layer.
type Accuracy = fn(&CheckpointRow) -> Option<f64>;

/// F8c: the accuracy of each layer, means over networks.
fn layers(name: &str, rows: &[CheckpointRow]) -> Block {
    let of_layers: [(&str, Accuracy); 3] = [
        ("lowest layer", |row| row.layer1_validation),
        ("second layer", |row| row.layer2_validation),
        ("code", |row| row.accuracy_validation),
    ];
    let mut patches: Vec<usize> = rows.iter().map(|row| row.patches).collect();
    patches.sort_unstable();
    patches.dedup();
    let mean_at = |patches: usize, value: Accuracy| {
        let values: Vec<f64> = rows.iter().filter(|row| row.patches == patches).filter_map(value).collect();
        let mean = mean_interval(&values, CONFIDENCE)?;
        Some(LinePoint {
            x: patches as f64,
            y: 100.0 * mean.mean,
            interval: Some([mean.interval.low, mean.interval.high].map(|end| 100.0 * end)),
            title: format!("{} patches: {}, {} networks", count(patches), percent(mean.mean), values.len()),
            link: None,
        })
    };
    let series = of_layers.into_iter().enumerate().map(|(style, (name, value))| LineSeries {
        name: name.to_string(),
        style: Some(style),
        joined: true,
        points: patches.iter().filter_map(|&patches| mean_at(patches, value)).collect(),
    });
    let plot = LinePlot {
        title: format!("{name}: what each layer tells"),
        description: format!("{name}: accuracy of a probe on each layer over the patches, means over networks."),
        x_title: "patches for each layer".to_string(),
        y_title: "accuracy, validation pictures, %".to_string(),
        x_scale: Scale::Logarithmic,
        series_title: "Layer".to_string(),
        series: series.collect(),
        ..LinePlot::default()
    };
    Block::Figure {
        id: "F8c",
        caption: format!(
            "{name}: accuracy of a ridge probe on each layer, means over networks with their 95 % intervals. The maps of the \
             lower layers are averaged within each quarter."
        ),
        image: Image::Svg(plot.to_svg()),
    }
}

/// F9: error against accuracy.
fn phases((name, networks): (&str, Option<&str>), rows: &[CheckpointRow]) -> Block {
    let plot = LinePlot {
        title: format!("{name}: error against accuracy"),
        description: format!("{name}: the way of each network through error and accuracy as it is shown more patches."),
        x_title: "mean squared error, test pictures".to_string(),
        y_title: "accuracy of the code, test pictures, %".to_string(),
        x_scale: Scale::Logarithmic,
        series_title: "Start".to_string(),
        series: of_networks(rows, |row| Some([row.mse?, 100.0 * row.accuracy?])),
        ..LinePlot::default()
    };
    Block::Figure {
        id: "F9",
        caption: format!(
            "{name}: every network on its way through training. A way that rises to the left gains accuracy as the error falls; \
             one that sinks to the left loses it."
        ),
        image: Image::Svg(plot.leading_to_networks_of(networks).to_svg()),
    }
}

/// T11: the runs.
fn run_table(name: &str, found: &[RunRow]) -> Block {
    let row = |run: &RunRow| {
        vec![
            format!("P2-{}", run.network),
            format!("{:?}", run.initialisation).to_lowercase(),
            run.regulariser.clone(),
            run.lr.to_string(),
            run.checkpoints.to_string(),
            optional(run.rho, 2),
            optional(run.late_rho, 2),
            count(run.best_accuracy_patches),
            count(run.best_mse_patches),
            optional(run.late_accuracy_slope.map(|slope| 100.0 * slope), 2),
            optional(run.late_mse_slope.map(|slope| 100.0 * slope), 1),
        ]
    };
    Block::Table {
        id: "T11",
        caption: format!(
            "{name}: training runs. ρ is Spearman's, of reconstruction quality and accuracy over the checkpoints of a run (all, \
             and the later half); slopes are changes for every doubling of the patches over the later half, of the accuracy in \
             points and of the error in per cent. The best checkpoints are those of validation pictures."
        ),
        columns: columns([
            "Network",
            "Start",
            "Regulariser",
            "#Rate",
            "#Checkpoints",
            "#ρ",
            "#ρ, late",
            "#Patches, best accuracy",
            "#Patches, lowest error",
            "#Accuracy, late",
            "#Error, late",
        ]),
        rows: found.iter().map(row).collect(),
    }
}

/// T11b: what explains what.
fn prediction_table(name: &str, found: &[PredictionRow]) -> Block {
    let row = |row: &PredictionRow| {
        vec![
            row.model.label().to_string(),
            row.networks.to_string(),
            row.columns.to_string(),
            number(row.r_squared, 2),
            number(row.adjusted, 2),
            interval_of(row),
            optional(row.predictive, 2),
        ]
    };
    Block::Table {
        id: "T11b",
        caption: format!(
            "{name}: what explains the training error, as a logarithm, and the accuracy, in ranks, over the networks of P1 \
             (experiment E1). R² is the share of the variance, adjusted for the number of columns, with its interval over \
             networks; predicted is the share that a fit to all other networks tells."
        ),
        columns: columns(["Explained", "#Networks", "#Columns", "#R²", "#adjusted", "#95 %", "#predicted"]),
        rows: found.iter().map(row).collect(),
    }
}

/// What the numbers say, in words.
fn sentences(summary: &RunSummary) -> String {
    let mut text = String::new();
    if let Some(rho) = &summary.rho {
        text += &format!(
            "Within a run, reconstruction quality and accuracy have a mean ρ of {} ({}) over all checkpoints",
            number(rho.mean, 2),
            interval(rho.interval)
        );
        text += &match &summary.late_rho {
            Some(late) => {
                format!(", and of {} ({}) over the later half. ", number(late.mean, 2), interval(late.interval))
            }
            None => ". ".to_string(),
        };
    }
    if let (Some(accuracy), Some(error)) = (&summary.late_accuracy_slope, &summary.late_mse_slope) {
        text += &format!(
            "In the later half a doubling of the patches changes the accuracy by {} points ({}) and the error by {}\u{a0}% ({}). ",
            number(100.0 * accuracy.mean, 2),
            scaled_interval(accuracy, 100.0),
            number(100.0 * error.mean, 1),
            scaled_interval(error, 100.0)
        );
    }
    if let Some(lead) = &summary.lead {
        text += &format!(
            "The accuracy falls there in {} of {} runs. In {} the accuracy was best before the error was lowest, {} doublings ({}) \
             before in the mean; in {} the error was lowest at the last checkpoint, so it might go on falling.",
            summary.falling,
            summary.networks,
            summary.earlier,
            number(lead.mean, 1),
            interval(lead.interval),
            summary.to_the_end
        );
    }
    if let Some(price) = &summary.price {
        text += &format!(
            " To stop at the lowest error instead of the best accuracy costs {} points ({}).",
            number(100.0 * price.mean, 2),
            scaled_interval(price, 100.0)
        );
    }
    text.trim_end().to_string()
}

fn scaled_interval(mean: &Mean, scale: f64) -> String {
    span(scale * mean.interval.low, scale * mean.interval.high, 2)
}

pub(super) fn interval_of(row: &PredictionRow) -> String {
    span(row.low, row.high, 2)
}

#[cfg(test)]
mod tests {
    use super::super::{prediction::tests::network as of_p1, runs::tests::network};
    use super::*;
    use crate::{statistics::Verdict, sweep::Identity};
    use std::path::Path;

    fn of(rows: &[CheckpointRow], of_e1: Option<&[NetworkRow]>) -> Section {
        let identity = Identity::made_up("dynamics");
        let results = Results { set: "set", folder: Path::new("nowhere"), identity: &identity, has_networks: true };
        let mut section = Section::default();
        one_set(&mut section, &results, rows, of_e1);
        section
    }

    fn rows() -> Vec<CheckpointRow> {
        let values = [(0.4, 0.5), (0.3, 0.7), (0.2, 0.8), (0.1, 0.75)];
        (0..3).flat_map(|at| network(at, &values)).collect()
    }

    #[test]
    fn the_verdicts_follow_the_networks_of_e1() {
        // The training error is that of the code size; accuracy has a pattern of its own.
        let of_e1: Vec<NetworkRow> = (0..40)
            .map(|at| {
                let size = 16 << (at % 5);
                of_p1("P1", at, size, [1.0 / size as f64, 0.1, ((at * 37) % 40) as f64])
            })
            .collect();
        let section = of(&rows(), Some(&of_e1));
        let verdict = |claim: Claim| {
            section.findings.iter().find(|finding| finding.claim == claim).map(|finding| finding.verdict)
        };
        assert_eq!((verdict(Claim::C7), verdict(Claim::C8)), (Some(Verdict::Contradicted), Some(Verdict::Supported)));
        assert_eq!(section.numbers["set.c7"], "1.00");
        assert_eq!((section.numbers["set.earlier"].as_str(), section.numbers["set.lead"].as_str()), ("3", "1.00"));
    }

    #[test]
    fn without_e1_there_are_curves_and_no_verdict() {
        let section = of(&rows(), None);
        assert!(section.findings.is_empty() && !section.numbers.contains_key("set.c7"));
        let figures = section.blocks.iter().filter(|block| matches!(block, Block::Figure { .. })).count();
        assert_eq!(figures, 4);
        assert!(of(&[], None).findings.is_empty());
    }

    #[test]
    fn each_start_is_named_once() {
        let named: Vec<String> = of_networks(&rows(), |row| Some([row.patches as f64, row.mse?]))
            .into_iter()
            .map(|series| series.name)
            .collect();
        assert_eq!(named, ["random", "", ""]);
    }
}
