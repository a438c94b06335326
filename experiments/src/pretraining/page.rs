//! What E8 shows on the page, and what follows for claim C6.

use super::{
    curves::{CurveRow, curves},
    piece::PretrainingRow,
    sizes,
    starts::Start,
    summary::{ReconstructionRow, StartRow, reconstruction, signed, starts, verdict},
};
use crate::{
    figures::{Baseline, LinePlot, LinePoint, LineSeries, Scale},
    report::format::{count, number, optional, span},
    statistics::SIGNIFICANCE_LEVEL,
    suite::{
        Block, Image, Profile, Section,
        claims::{Claim, Finding},
        columns,
    },
};

use std::collections::BTreeSet;

/// Adds figure F12, table T7, their account and the finding of the data set `set`.
pub(super) fn add(section: &mut Section, set: &str, rows: &[PretrainingRow]) {
    let (found, of_starts, of_reconstruction) = (curves(rows), starts(rows), reconstruction(rows));
    let Some(first) = found.first() else { return };
    let data = &first.data;
    section.blocks.push(Block::Heading(data.clone()));
    section.blocks.push(accuracy_figure(data, &found));
    section.blocks.push(gain_figure(data, &found));
    section.blocks.push(table(data, &found));
    section.blocks.push(table_of_starts(data, &of_starts));
    let (verdict, numbers) = verdict(&found);
    section.blocks.push(Block::Text(account(&found, &of_starts, &of_reconstruction, verdict.name(), &numbers)));
    section.findings.push(Finding { claim: Claim::C6, data: data.clone(), verdict, numbers });
    for row in &found {
        let key = format!("{set}.{}.{}", row.start.name(), labels_key(row.labels, row.ratio));
        section.numbers.insert(format!("{key}.accuracy"), optional(row.accuracy.map(|a| 100.0 * a), 2));
        section.numbers.insert(format!("{key}.gain"), row.gain.map_or(String::new(), |gain| signed(100.0 * gain)));
        section.numbers.insert(format!("{key}.p"), optional(row.gain_holm, 4));
        section.numbers.insert(format!("{key}.probe"), optional(row.probe.map(|probe| 100.0 * probe), 1));
        section.numbers.insert(format!("{key}.star"), star(row).to_string());
        section.numbers.insert(format!("{key}.limit"), optional(row.ended_by_limit.map(|ended| 100.0 * ended), 0));
    }
    for row in &of_starts {
        let key = format!("{set}.{}", row.start.name());
        section.numbers.insert(format!("{key}.area"), optional(row.area.map(|area| 100.0 * area), 2));
        section.numbers.insert(format!("{key}.mse"), optional(row.mse, 4));
        section.numbers.insert(format!("{key}.linear"), optional(row.linear_mse, 4));
    }
    for row in &of_reconstruction {
        let ratio = rows[0].unlabelled as f64 / row.labels as f64;
        let key = format!("{set}.{}.rho", labels_key(row.labels, ratio));
        let interval = row.low.zip(row.high).map(|(low, high)| span(low, high, 2));
        section.numbers.insert(format!("{key}.interval"), interval.unwrap_or_default());
        section.numbers.insert(key, number(row.rho, 2));
    }
}

/// How a number of labels is called in a name: `all` where every picture has one, as sets differ in how many that are.
fn labels_key(labels: usize, ratio: f64) -> String {
    if ratio == 1.0 { "all".to_string() } else { labels.to_string() }
}

/// Where the experiment differs from the protocol.
pub(super) fn deviations() -> Vec<String> {
    let [quick, full] = [Profile::Quick, Profile::Full].map(sizes);
    vec![
        format!(
            "The end of fine-tuning is chosen on the first {} validation pictures (quick: {}), to bound its time. Their labels are more \
             than the smallest sets of labels have; all starts have the same advantage of it.",
            count(full.validation),
            count(quick.validation)
        ),
        format!(
            "Two controls with shuffled weights, the best linear decoder in place of the own one, which four of the starts do not have, \
             and {} steps of fine-tuning in place of 12,000 came after a first full run on MNIST had been seen.",
            count(full.steps)
        ),
        format!(
            "Starts learn from {} patches a layer (quick: {}), PCA and LDA, in closed form, from {} ({}). All fine-tuning is by Adam.",
            count(full.patches),
            count(quick.patches),
            count(full.closed_form),
            count(quick.closed_form)
        ),
        "Gains are tested by Student's t of the paired seeds: with five seeds no p of flipped signs is below 0.0625.".to_string(),
        "The weights of restricted Boltzmann machines, which have sigmoid units, begin a soft-sign network as they are.".to_string(),
    ]
}

/// `*` for a gain or loss that is certain within its start, `**` for one that is over all starts.
pub(super) fn star(row: &CurveRow) -> &'static str {
    let certain = |p: Option<f64>| p.is_some_and(|p| p < SIGNIFICANCE_LEVEL);
    match (certain(row.gain_holm), certain(row.gain_holm_starts)) {
        (_, true) => "**",
        (true, false) => "*",
        (false, false) => "",
    }
}

/// A little apart, so that intervals do not hide each other.
fn beside(labels: usize, start: usize) -> f64 {
    labels as f64 * (1.0 + 0.025 * start as f64)
}

fn percent_with_interval(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> String {
    let interval = low.zip(high).map(|(low, high)| format!(" ({})", span(100.0 * low, 100.0 * high, 2)));
    optional(value.map(|value| 100.0 * value), 2) + &interval.unwrap_or_default()
}

/// A curve for each start, of a value with an interval.
fn series(found: &[CurveRow], of: impl Fn(&CurveRow) -> Option<(f64, Option<f64>, Option<f64>)>) -> Vec<LineSeries> {
    let of_start = |(at, start): (usize, Start)| {
        let point = |row: &CurveRow| {
            let (value, low, high) = of(row)?;
            let text = percent_with_interval(Some(value), low, high);
            Some(LinePoint {
                x: beside(row.labels, at),
                y: 100.0 * value,
                interval: low.zip(high).map(|(low, high)| [100.0 * low, 100.0 * high]),
                title: format!("{}, {} labels: {text}", start.label(), row.labels),
                link: None,
            })
        };
        LineSeries {
            name: start.label().to_string(),
            style: Some(at),
            joined: true,
            points: found.iter().filter(|row| row.start == start).filter_map(point).collect(),
        }
    };
    let all = Start::ALL.into_iter().enumerate().map(of_start);
    all.filter(|series| !series.points.is_empty()).collect()
}

fn accuracy_figure(data: &str, found: &[CurveRow]) -> Block {
    let plot = LinePlot {
        title: format!("Accuracy by number of labels: {data}"),
        description: format!(
            "Test accuracy after fine-tuning from {} starts.",
            found.iter().map(|row| row.start).collect::<BTreeSet<Start>>().len()
        ),
        x_title: "labelled pictures".to_string(),
        y_title: "test accuracy, %".to_string(),
        x_scale: Scale::Logarithmic,
        series_title: "start".to_string(),
        series: series(found, |row| Some((row.accuracy?, row.low, row.high))),
        ..LinePlot::default()
    };
    Block::Figure {
        id: "F12",
        caption: "Test accuracy after fine-tuning by number of labelled pictures: mean over seeds with 95 % interval."
            .to_string(),
        image: Image::Svg(plot.to_svg()),
    }
}

fn gain_figure(data: &str, found: &[CurveRow]) -> Block {
    let plot = LinePlot {
        title: format!("Gain over a random start: {data}"),
        description: verdict(found).1,
        x_title: "labelled pictures".to_string(),
        y_title: "points of accuracy gained".to_string(),
        x_scale: Scale::Logarithmic,
        series_title: "start".to_string(),
        series: series(found, |row| Some((row.gain?, row.gain_low, row.gain_high))),
        baselines: vec![Baseline { y: 0.0, label: "random".to_string() }],
        ..LinePlot::default()
    };
    Block::Figure {
        id: "F12b",
        caption: "Test accuracy gained over the random start with the same labels, order of pictures and head: mean over seeds with \
                  95 % interval."
            .to_string(),
        image: Image::Svg(plot.to_svg()),
    }
}

fn table(data: &str, found: &[CurveRow]) -> Block {
    let mut ordered: Vec<&CurveRow> = found.iter().collect();
    ordered.sort_by_key(|row| (row.labels, row.start));
    let rows = ordered.into_iter().map(|row| {
        vec![
            row.start.label().to_string(),
            row.labels.to_string(),
            percent_with_interval(row.accuracy, row.low, row.high),
            optional(row.spread.map(|spread| 100.0 * spread), 2),
            percent_with_interval(row.gain, row.gain_low, row.gain_high),
            optional(row.gain_holm, 4),
            optional(row.gain_holm_starts, 4),
            optional(row.epochs_to_95, 1),
            optional(row.ended_by_limit.map(|ended| 100.0 * ended), 0),
            optional(row.probe.map(|probe| 100.0 * probe), 2),
            optional(row.linear_mse, 4),
        ]
    });
    Block::Table {
        id: "T7",
        caption: format!(
            "{data}: test accuracy in % after fine-tuning (mean over seeds, 95 % interval), its standard deviation over seeds, \
             points gained over the random start, their p with Holm's correction within each start and over all starts but the \
             controls, epochs until 95 % of the \
             final validation accuracy, the share in % of the seeds that the limit of steps ended, and before fine-tuning the \
             accuracy in % of a logistic probe and the mean squared error of the best linear decoder."
        ),
        columns: columns([
            "start",
            "#labels",
            "#accuracy",
            "#spread",
            "#gain",
            "#p",
            "#p, all starts",
            "#epochs",
            "#by limit",
            "#probe",
            "#linear MSE",
        ]),
        rows: rows.collect(),
    }
}

fn table_of_starts(data: &str, of_starts: &[StartRow]) -> Block {
    let rows = of_starts.iter().map(|row| {
        vec![
            row.start.label().to_string(),
            percent_with_interval(row.area, row.area_low, row.area_high),
            percent_with_interval(row.slope, row.slope_low, row.slope_high),
            optional(row.linear_mse, 4),
            optional(row.mse, 4),
        ]
    });
    Block::Table {
        id: "T7b",
        caption: format!(
            "{data}: mean accuracy in % over the logarithm of the number of labels (area under the curve), points that the gain \
             over the random start grows by for each factor of e in training pictures per labelled one (LDA sees the labelled ones alone), and the mean squared \
             error before fine-tuning: of the best linear decoder of the code, and of the start's own decoders where they were \
             trained."
        ),
        columns: columns(["start", "#area", "#slope of the gain", "#linear MSE", "#own MSE"]),
        rows: rows.collect(),
    }
}

/// What the numbers say, in sentences.
fn account(
    found: &[CurveRow],
    of_starts: &[StartRow],
    of_reconstruction: &[ReconstructionRow],
    verdict: &str,
    numbers: &str,
) -> String {
    let mut text = format!(
        "C6 is {verdict}, judged by the stacked auto-encoder, with Holm's correction over its numbers of labels: {numbers}."
    );
    let certain: Vec<String> = found
        .iter()
        .filter(|row| row.start != Start::Scae && !star(row).is_empty())
        .filter_map(|row| {
            Some(format!("{} {} with {} labels", row.start.label(), signed(100.0 * row.gain?), row.labels))
        })
        .collect();
    if !certain.is_empty() {
        text += &format!(
            " Gains and losses of the other starts that are certain within the start, an observation, for no rule was registered \
             for them: {}.",
            certain.join(", ")
        );
    }
    let with_area = of_starts.iter().filter(|row| row.start.shuffles().is_none());
    let with_area = with_area.filter_map(|row| Some((row.area?, row.start)));
    if let Some((area, start)) = with_area.max_by(|a, b| a.0.total_cmp(&b.0)) {
        text += &format!(
            " Over all numbers of labels {} does best, {} % on average.",
            start.label(),
            number(100.0 * area, 2)
        );
    }
    let rhos: Vec<String> = of_reconstruction
        .iter()
        .map(|row| {
            let interval = row.low.zip(row.high).map(|(low, high)| format!(" ({})", span(low, high, 2)));
            format!("{}{} with {} labels", number(row.rho, 2), interval.unwrap_or_default(), row.labels)
        })
        .collect();
    if !rhos.is_empty() {
        text += &format!(
            " Spearman's rho over the starts of a seed, without the controls, between reconstruction quality of the best linear \
             decoder before and accuracy after fine-tuning: {}.",
            rhos.join(", ")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::curves::tests::rows;
    use super::*;

    #[test]
    fn the_page_has_figures_tables_text_and_the_finding() {
        let mut section = Section::default();
        add(&mut section, "mnist", &rows());
        let kinds: Vec<&str> = section
            .blocks
            .iter()
            .map(|block| match block {
                Block::Heading(_) => "heading",
                Block::Text(_) => "text",
                Block::Figure { id, .. } | Block::Table { id, .. } => id,
            })
            .collect();
        assert_eq!(kinds, ["heading", "F12", "F12b", "T7", "T7b", "text"]);
        let Some(Block::Text(text)) = section.blocks.last() else { panic!() };
        assert!(text.starts_with("C6 is supported, judged by the stacked auto-encoder"), "{text}");
        assert_eq!((section.findings.len(), section.findings[0].claim), (1, Claim::C6));
        assert_eq!(section.numbers["mnist.scae.100.gain"], "+5.00");
        assert_eq!(section.numbers["mnist.random.100.accuracy"], "72.50");
        assert!(section.numbers.contains_key("mnist.scae.all.gain"), "a thousand labels of a thousand pictures");
        add(&mut section, "none", &[]);
        assert_eq!(section.blocks.len(), 6);
    }
}
