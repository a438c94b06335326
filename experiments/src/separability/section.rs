//! What E2 has to say on the page: figure F3, table T2, the finding for C3.

use super::{
    baselines::SIZES,
    comparison::{ComparisonRow, Outcome, comparisons, count, outcomes, verdict},
    figures,
    row::{Against, By, Kind, SeparabilityRow},
};
use crate::{
    correlation::{network::Status, population::Population},
    report::format::{number, optional, percentage},
    statistics::{Comparison, median},
    suite::{
        Block, Image, Section,
        claims::{Claim, Finding},
        columns,
    },
};

/// The part of one data set.
pub(super) fn add(section: &mut Section, (set, networks): (&str, Option<&str>), rows: &[SeparabilityRow]) {
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
    let with_dead = outcomes(rows, Population::P1, false, By::Logistic, Against::Pixels);
    section.findings.push(Finding {
        claim: Claim::C3,
        data,
        verdict: verdict(rows),
        numbers: format!(
            "of {} living networks of P1, the logistic probe is certainly better on the code of {better} than on the \
             pixels, certainly worse on {worse}, and neither on {equal}; with dead ones, of {} better on {} and worse on {}",
            living.len(),
            with_dead.len(),
            count(&with_dead, Comparison::Better),
            count(&with_dead, Comparison::Worse)
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
    for row in &comparisons(rows) {
        let against = against_key(row.against);
        let probe = if row.probe == By::Logistic { "logistic" } else { "knn" };
        let with_dead = if row.without_dead { "" } else { ".with-dead" };
        let prefix = format!("{}{with_dead}.{against}.{probe}", format!("{:?}", row.population).to_lowercase());
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
        assert_eq!(number("mnist.p1.with-dead.pixels.logistic.networks"), "2");
        for block in &section.blocks {
            if let Block::Table { columns, rows, .. } = block {
                assert!(!rows.is_empty() && rows.iter().all(|row| row.len() == columns.len()));
            }
        }
        add(&mut section, ("empty", None), &[]);
        assert_eq!(section.findings.len(), 1);
    }
}
