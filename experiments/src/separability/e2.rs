//! Experiment E2 as the suite sees it.

use super::{
    Separability,
    baselines::SIZES,
    comparison::{ComparisonRow, Outcome, comparisons, count, outcomes, verdict},
    features::LONGEST_MAP,
    figures,
    row::{Against, By, Kind, SeparabilityRow},
};
use crate::{
    correlation::{network::Status, population::Population},
    report::format::{count as grouped, number, optional, percentage},
    run_folder::RunFolder,
    statistics::{Comparison, median},
    suite::{
        Block, Experiment, Image, Results, Section, Setup,
        claims::{Claim, Finding},
        columns, merge_rows, run_sweep,
    },
    sweep::{Settings, SweepError},
};
use std::path::{Path, PathBuf};

/// Experiment E2.
pub struct E2;

impl Experiment for E2 {
    fn id(&self) -> &'static str {
        "E2"
    }

    fn name(&self) -> &'static str {
        "separability"
    }

    fn question(&self) -> &'static str {
        "Are the classes better separable in the code of an auto-encoder than in the pixels?"
    }

    fn protocol(&self) -> &'static str {
        "The networks of P1 and P2 (quick: P1), as in E1, are trained on training pictures without labels. A logistic probe and five \
         nearest neighbours then classify the test pictures from the code, from the pixels, from as many principal components and from \
         the code of the same network before training; a ridge probe and neighbours from every layer. Whether a code is better or worse \
         is decided for each network by McNemar's exact test on the same test pictures, Holm-corrected over all networks of the \
         population. Further baselines are random projections, LDA, a supervised network of P2's architecture and labels in random \
         order."
    }

    fn run(&self, setup: &Setup, folder: &Path, settings: &Settings) -> Result<(), SweepError> {
        run_sweep(self.name(), &Separability::new(setup), setup, folder, settings)
    }

    fn merge(&self, shards: &[PathBuf], out: &Path) -> Result<usize, SweepError> {
        merge_rows::<SeparabilityRow>(shards, out)
    }

    fn summarise(&self, results: &Results) -> anyhow::Result<String> {
        let rows: Vec<SeparabilityRow> = results.rows()?;
        let found = comparisons(&rows);
        RunFolder { path: results.folder.to_path_buf() }.write_csv("comparisons.csv", &found)?;
        Ok(text(&rows, &found))
    }

    fn section(&self, results: &[Results]) -> anyhow::Result<Section> {
        let mut section = Section { deviations: deviations(), ..Section::default() };
        for result in results {
            add(&mut section, (result.set, result.networks()), &result.rows()?);
        }
        Ok(section)
    }
}

/// Where the experiment differs from the protocol.
fn deviations() -> Vec<String> {
    vec![
        format!(
            "E2 probes at most {} training pictures, pixels and codes alike, to bound its time: the code, the untrained code \
             and the lower layers of a network are probed, which takes longer in all than training them even so.",
            grouped(super::PROBE_PICTURES)
        ),
        format!(
            "In E2, layers below the code are given to the ridge probe, and their information about the class is bounded by \
             a linear discriminant; maps of more than {LONGEST_MAP} values are meaned over a grid of cells."
        ),
        "E2 has the networks of P2 in the full profile only.".to_string(),
        "E1 to E4 look at the same networks, and so at the same test pictures. Probes and decoders are chosen on validation \
         pictures; which networks are dead goes by the test error itself."
            .to_string(),
        "Of the layers below the code only the ridge probe is shown (F3b); the other probes of theirs are in the rows. McNemar's tests \
         are of codes. Untrained encoders are judged by the logistic probe and by neighbours."
            .to_string(),
        "E2 compares with random projections and LDA by accuracy alone, not picture by picture.".to_string(),
    ]
}

/// What a reader without a browser should see.
fn text(rows: &[SeparabilityRow], found: &[ComparisonRow]) -> String {
    let networks = || rows.iter().filter(|row| row.kind == Kind::Network);
    let with = |status: Status| networks().filter(|row| row.status == status).count();
    let mut text = format!(
        "{}: {} networks ({} dead, {} failed); is the code better separable?\n",
        rows.first().map_or("no data", |row| &row.data),
        networks().count(),
        with(Status::Dead),
        with(Status::Failed)
    );
    text += &format!(
        "  {:<12} {:<20} {:<24} {:>4} {:>7} {:>6} {:>6} {:>16}\n",
        "networks", "probe", "against", "n", "better", "equal", "worse", "median, points"
    );
    for row in found.iter().filter(|row| row.without_dead) {
        text += &format!(
            "  {:<12} {:<20} {:<24} {:>4} {:>7} {:>6} {:>6} {:>16.2}\n",
            format!("{:?}, living", row.population),
            row.probe.label(),
            row.against.label(),
            row.networks,
            row.better,
            row.equal,
            row.worse,
            100.0 * row.median_difference
        );
    }
    text += &format!("  {:<24} {:>8} {:>9} {:>9}\n", "baseline", "columns", "logistic", "5-NN");
    for row in rows.iter().filter(|row| row.kind != Kind::Network) {
        let share = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{:.1}", 100.0 * value));
        text += &format!(
            "  {:<24} {:>8} {:>9} {:>9}\n",
            row.kind.label(),
            row.code_size,
            share(row.logistic),
            share(row.knn)
        );
    }
    text + &format!("  claim C3: {}\n", verdict(rows).name())
}

/// The part of one data set.
fn add(section: &mut Section, (set, networks): (&str, Option<&str>), rows: &[SeparabilityRow]) {
    let Some(data) = rows.first().map(|row| row.data.clone()) else { return };
    let living = outcomes(rows, Population::P1, true, By::Logistic, Against::Pixels);
    let [better, equal, worse] =
        [Comparison::Better, Comparison::Equal, Comparison::Worse].map(|which| count(&living, which));
    section.blocks.push(Block::Heading(data.clone()));
    section.blocks.push(Block::Figure {
        id: "F3",
        caption: format!(
            "{data}. Accuracy of the logistic probe on the code of every living network of P1, in rising order. Colour and \
             shape say how it compares with the pixels by McNemar's test with Holm's correction; a thread leads to the same \
             network before training. Dashed lines are baselines."
        ),
        image: Image::Svg(figures::codes(&data, rows, &living).leading_to_networks_of(networks).to_svg()),
    });
    section.blocks.push(Block::Table {
        id: "T2",
        caption: format!(
            "{data}. Networks whose code is certainly better, certainly worse, or neither, and the difference of the \
             accuracies, code minus baseline, in points."
        ),
        columns: columns([
            "networks",
            "probe",
            "against",
            "#n",
            "#better",
            "#equal",
            "#worse",
            "#median",
            "#smallest",
            "#largest",
        ]),
        rows: comparisons(rows).iter().map(comparison_cells).collect(),
    });
    section.blocks.push(Block::Figure {
        id: "F3b",
        caption: format!(
            "{data}. Median accuracy of the ridge probe on the pixels (0) and on every layer of living networks; bars reach \
             from the lower to the upper quartile. In brackets the number of networks. Long maps of lower layers are averaged \
             over cells first, codes never: a rise from one to the next is in part that."
        ),
        image: Image::Svg(figures::depth(&data, rows).to_svg()),
    });
    section.blocks.push(Block::Table {
        id: "T2b",
        caption: format!(
            "{data}. Codes (medians over the living networks of P1 of that size) and baselines: accuracy in %, information \
             about the class at least in nats, Thornton's index and Fisher's criterion of the test features. Fisher's grows with \
             the number of columns, also where they say nothing of the class; compare it in rows of equal size. Labels in random \
             order are one draw, which scatters around chance by a few points."
        ),
        columns: columns([
            "features",
            "#columns",
            "#logistic",
            "#ridge",
            "#5-NN",
            "#information",
            "#Thornton",
            "#Fisher",
        ]),
        rows: medians(rows)
            .iter()
            .chain(rows.iter().filter(|row| row.kind != Kind::Network))
            .map(feature_cells)
            .collect(),
    });
    let by_size = by_size(rows);
    section.blocks.push(Block::Table {
        id: "T2c",
        caption: format!(
            "{data}. Living networks of P1 by code size: how many have a code on which the logistic probe is certainly better, and how \
             many one on which it is certainly worse. Holm's correction is over all sizes, as above."
        ),
        columns: columns(["against", "#code size", "#n", "#better", "#worse"]),
        rows: by_size.iter().map(OfSize::cells).collect(),
    });
    section.findings.push(Finding {
        claim: Claim::C3,
        data,
        verdict: verdict(rows),
        numbers: format!(
            "of {} living networks of P1, the logistic probe is certainly better on the code of {better} than on the \
             pixels, certainly worse on {worse}, and neither on {equal}",
            living.len()
        ),
    });
    let mut put = |key: &str, value: String| section.numbers.insert(format!("{set}.{key}"), value);
    put("networks", living.len().to_string());
    put("better", better.to_string());
    put("equal", equal.to_string());
    put("worse", worse.to_string());
    for row in rows.iter().filter(|row| row.kind != Kind::Network && row.status == Status::Ok) {
        let name = match row.kind {
            Kind::Pixels => "pixels".to_string(),
            Kind::Lda => "lda".to_string(),
            Kind::Supervised => "supervised".to_string(),
            Kind::Shuffled => "shuffled".to_string(),
            Kind::Pca => format!("pca-{}", row.code_size),
            Kind::RandomProjection => format!("random-projection-{}", row.code_size),
            Kind::Network => continue,
        };
        for (probe, value) in [("logistic", row.logistic), ("ridge", row.ridge), ("knn", row.knn)] {
            if let Some(value) = value {
                put(&format!("{name}.{probe}"), percentage(value));
            }
        }
    }
    for of_size in &by_size {
        let prefix = format!("p1.{}.logistic.size-{}", against_key(of_size.against), of_size.size);
        put(&format!("{prefix}.networks"), of_size.networks.to_string());
        put(&format!("{prefix}.better"), of_size.better.to_string());
        put(&format!("{prefix}.worse"), of_size.worse.to_string());
    }
    for row in comparisons(rows).iter().filter(|row| row.without_dead) {
        let against = against_key(row.against);
        let probe = if row.probe == By::Logistic { "logistic" } else { "knn" };
        let prefix = format!("{}.{against}.{probe}", format!("{:?}", row.population).to_lowercase());
        put(&format!("{prefix}.networks"), row.networks.to_string());
        put(&format!("{prefix}.better"), row.better.to_string());
        put(&format!("{prefix}.equal"), row.equal.to_string());
        put(&format!("{prefix}.worse"), row.worse.to_string());
        put(&format!("{prefix}.median"), number(100.0 * row.median_difference, 1));
    }
}

fn against_key(against: Against) -> &'static str {
    match against {
        Against::Pixels => "pixels",
        Against::Pca => "pca",
        Against::Untrained => "untrained",
    }
}

/// How the codes of one size compare.
struct OfSize {
    against: Against,
    size: usize,
    networks: usize,
    better: usize,
    worse: usize,
}

impl OfSize {
    fn cells(&self) -> Vec<String> {
        let numbers = [self.size, self.networks, self.better, self.worse];
        let label = self.against.label().to_string();
        std::iter::once(label).chain(numbers.map(|number| number.to_string())).collect()
    }
}

/// Living networks of P1 by code size against pixels and as many principal components, by the logistic probe.
fn by_size(rows: &[SeparabilityRow]) -> Vec<OfSize> {
    let mut found = Vec::new();
    for against in [Against::Pixels, Against::Pca] {
        let all = outcomes(rows, Population::P1, true, By::Logistic, against);
        for size in SIZES {
            let of_size: Vec<Outcome> = all.iter().filter(|outcome| outcome.row.code_size == size).copied().collect();
            let [better, worse] = [Comparison::Better, Comparison::Worse].map(|which| count(&of_size, which));
            found.push(OfSize { against, size, networks: of_size.len(), better, worse });
        }
    }
    found.retain(|of_size| of_size.networks > 0);
    found
}

fn comparison_cells(row: &ComparisonRow) -> Vec<String> {
    let living = if row.without_dead { ", living" } else { "" };
    let points = |difference: f64| number(100.0 * difference, 1);
    vec![
        format!("{:?}{living}", row.population),
        row.probe.label().to_string(),
        row.against.label().to_string(),
        row.networks.to_string(),
        row.better.to_string(),
        row.equal.to_string(),
        row.worse.to_string(),
        points(row.median_difference),
        points(row.smallest_difference),
        points(row.largest_difference),
    ]
}

/// For each code size a row with the medians over the living networks of P1.
fn medians(rows: &[SeparabilityRow]) -> Vec<SeparabilityRow> {
    let of_size = |size: usize| {
        let chosen = |row: &&SeparabilityRow| {
            row.population == Some(Population::P1) && row.code_size == size && row.status == Status::Ok
        };
        let own: Vec<&SeparabilityRow> = rows.iter().filter(chosen).collect();
        let first = own.first()?;
        let middle = |value: fn(&SeparabilityRow) -> Option<f64>| {
            median(&own.iter().filter_map(|row| value(row)).collect::<Vec<f64>>())
        };
        Some(SeparabilityRow {
            logistic: middle(|row| row.logistic),
            ridge: middle(|row| row.ridge),
            knn: middle(|row| row.knn),
            information: middle(|row| row.information),
            thornton: middle(|row| row.thornton),
            fisher: middle(|row| row.fisher),
            ..SeparabilityRow::new(&first.data, Kind::Network, size, [first.probe_pictures, first.images as usize])
        })
    };
    SIZES.into_iter().filter_map(of_size).collect()
}

fn feature_cells(row: &SeparabilityRow) -> Vec<String> {
    let share = |value: Option<f64>| optional(value.map(|value| 100.0 * value), 1);
    vec![
        row.kind.label().to_string(),
        row.code_size.to_string(),
        share(row.logistic),
        share(row.ridge),
        share(row.knn),
        optional(row.information, 2),
        optional(row.thornton, 3),
        optional(row.fisher, 2),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::comparison::tests::network;
    use super::*;
    use crate::statistics::Verdict;

    #[test]
    fn a_set_has_its_figures_finding_and_numbers() {
        let pixels = SeparabilityRow::new("set", Kind::Pixels, 784, [4000, 1000]);
        let pixels = SeparabilityRow { status: Status::Ok, logistic: Some(0.8), ..pixels };
        let rows = [network(0, [90, 10]), network(1, [10, 90]), pixels];
        let mut section = Section::default();
        add(&mut section, ("mnist", Some("mnist")), &rows);
        assert_eq!(section.blocks.len(), 6);
        assert_eq!(section.findings[0].verdict, Verdict::Supported);
        let number = |key: &str| section.numbers[key].as_str();
        assert_eq!(
            [number("mnist.networks"), number("mnist.better"), number("mnist.worse"), number("mnist.equal")],
            ["2", "1", "1", "0"]
        );
        assert_eq!(number("mnist.pixels.logistic"), "80.0");
        let size = rows[0].code_size;
        assert_eq!(number(&format!("mnist.p1.pixels.logistic.size-{size}.better")), "1");
        assert_eq!(number(&format!("mnist.p1.pixels.logistic.size-{size}.networks")), "2");
        let of_size: Vec<SeparabilityRow> = [0.7, 0.9]
            .map(|logistic| SeparabilityRow { code_size: 64, logistic: Some(logistic), ..network(0, [1, 1]) })
            .into();
        let middle = medians(&of_size);
        assert_eq!((middle.len(), middle[0].code_size, middle[0].logistic, middle[0].knn), (1, 64, Some(0.8), None));
        assert_eq!(number("mnist.p1.pixels.logistic.median"), "0.0");
        for block in &section.blocks {
            if let Block::Table { columns, rows, .. } = block {
                assert!(!rows.is_empty() && rows.iter().all(|row| row.len() == columns.len()));
            }
        }
        add(&mut section, ("empty", None), &[]);
        assert_eq!(section.findings.len(), 1);
        let text = text(&rows, &comparisons(&rows));
        assert!(text.contains("set: 2 networks (0 dead, 0 failed)") && text.contains("claim C3: supported"), "{text}");
    }
}
