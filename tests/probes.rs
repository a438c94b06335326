//! Probes, measures and confusion matrices against scikit-learn and numpy on the digits: `tests/fixtures/probes`.
#![forbid(unsafe_code)]

mod digits;

use digits::{Case, Digits, PIXELS, digits};
use patchgrad::Workspace;
use pitfall::{
    classification::ConfusionMatrix,
    linear_algebra::Rows,
    measures,
    neighbours::{Metric, nearest},
    probe::{Features, FittedProbe, MlpProbe, MlpSettings, NeighboursProbe, Probe, RidgeProbe},
};
use serde::de::DeserializeOwned;

/// The cases of one op, at least `least` of them.
fn cases(op: &str, least: usize) -> Vec<Case> {
    digits::cases(include_str!("fixtures/probes/cases.json"), op, least)
}

/// An expected list, or lists of lists.
fn list<T: DeserializeOwned>(case: &Case, name: &str) -> T {
    serde_json::from_value(case.value(name).clone()).unwrap_or_else(|error| panic!("{}: {name}: {error}", case.name))
}

fn parts(digits: &Digits) -> [Features<'_>; 2] {
    let Digits { train, train_labels, test, test_labels } = digits;
    [Features { rows: train, labels: train_labels }, Features { rows: test, labels: test_labels }]
}

#[track_caller]
fn assert_close(got: f64, expected: f64, relative: f64, what: &str) {
    assert!((got - expected).abs() <= relative * expected.abs(), "{what}: {got}, expected {expected}");
}

#[test]
fn nearest_neighbours_vote_as_expected() {
    let digits = digits();
    let [train, test] = parts(&digits);
    for case in cases("knn", 4) {
        let metric = if case.value("metric") == "cosine" { Metric::Cosine } else { Metric::Euclidean };
        let k = case.number("k") as usize;
        let mut workspace = Workspace::new();
        let found = nearest(
            Rows::new(test.rows.as_slice(), PIXELS),
            Rows::new(train.rows.as_slice(), PIXELS),
            k,
            metric,
            &mut workspace,
        );
        let expected: Vec<f64> = list::<Vec<Vec<f64>>>(&case, "distances").concat();
        for (got, expected) in found.unwrap().iter().zip(expected) {
            assert!((got.distance - expected).abs() < 1e-9, "{}: {}, expected {expected}", case.name, got.distance);
        }
        let predictions = NeighboursProbe::new(train, 10, k, metric).predict(test.rows, &mut workspace).unwrap();
        let (expected, sure): (Vec<u32>, Vec<usize>) = (list(&case, "predictions"), list(&case, "sure"));
        assert!(sure.len() >= 90, "{}: {} without a tie", case.name, sure.len());
        for row in sure {
            assert_eq!(predictions[row], expected[row], "{}: row {row}", case.name);
        }
    }
}

#[test]
fn the_discriminant_gives_the_expected_probabilities() {
    let digits = digits();
    let [train, test] = parts(&digits);
    let mut workspace = Workspace::new();
    let probe = Probe::LinearDiscriminant.fit(train, train, 10, &mut workspace).unwrap();
    for case in cases("lda", 1) {
        assert_eq!(probe.predict(test.rows, &mut workspace).unwrap(), list::<Vec<u32>>(&case, "predictions"));
        let cross_entropy = probe.cross_entropy(test, &mut workspace).unwrap().unwrap();
        assert_close(cross_entropy, case.number("test_cross_entropy"), 1e-6, "cross-entropy");
        let logits = probe.logits(test.rows, &mut workspace).unwrap().unwrap();
        let expected: Vec<Vec<f64>> = list(&case, "log_probabilities");
        for (logits, expected) in logits.as_slice().chunks(10).zip(expected) {
            let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 = logits.iter().map(|&logit| f64::from(logit - largest).exp()).sum();
            for (&logit, expected) in logits.iter().zip(expected) {
                let got = f64::from(logit - largest) - sum.ln();
                assert!((got - expected).abs() < 1e-4, "log-probability {got}, expected {expected}");
            }
        }
    }
}

#[test]
fn the_ridge_probe_predicts_as_expected() {
    let digits = digits();
    let [train, test] = parts(&digits);
    for case in cases("ridge", 3) {
        let probe = RidgeProbe::fit(train, test, 10, &[case.number("lambda")]).unwrap();
        assert!(case.number("smallest_test_margin") > 1e-4, "{}: too close to call", case.name);
        let predictions = probe.predict(test.rows, &mut Workspace::new()).unwrap();
        assert_eq!(predictions, list::<Vec<u32>>(&case, "predictions"), "{}", case.name);
    }
}

#[test]
fn the_mlp_is_as_accurate_as_expected() {
    let digits = digits();
    let [train, test] = parts(&digits);
    for case in cases("mlp", 1) {
        let number = |name| case.number(name) as usize;
        let epochs = number("epochs");
        let seeds = 4;
        let mean = (0..seeds)
            .map(|seed| {
                let (hidden, batch_size) = (number("hidden"), number("batch_size"));
                let settings =
                    MlpSettings { hidden, batch_size, epochs, patience: epochs, seed, ..MlpSettings::DEFAULT };
                let mut workspace = Workspace::new();
                let probe = MlpProbe::fit(train, train, 10, &settings, &mut workspace).unwrap();
                probe.accuracy(test, &mut workspace).unwrap()
            })
            .sum::<f64>()
            / seeds as f64;
        // Three standard deviations of the mean of so many seeds.
        let tolerance = 3.0 * case.number("sd_accuracy") / (seeds as f64).sqrt();
        let expected = case.number("mean_accuracy");
        assert!((mean - expected).abs() < tolerance, "accuracy {mean}, expected {expected} +- {tolerance}");
    }
}

#[test]
fn every_probe_does_well_on_the_digits() {
    let digits = digits();
    let [train, test] = parts(&digits);
    let mut workspace = Workspace::new();
    for probe in Probe::ALL {
        let fitted = probe.fit(train, test, 10, &mut workspace).unwrap();
        let accuracy = fitted.accuracy(test, &mut workspace).unwrap();
        assert!((0.85..1.0).contains(&accuracy), "{probe}: {accuracy}");
    }
}

#[test]
fn measures_have_the_expected_values() {
    let digits = digits();
    for case in cases("measures", 2) {
        let [train, test] = parts(&digits);
        let Features { rows, labels } = if case.name.ends_with("train") { train } else { test };
        let rows = Rows::new(rows.as_slice(), PIXELS);
        let halves: [Vec<f32>; 2] =
            [0, PIXELS / 2].map(|start| rows.iter().flat_map(|row| &row[start..start + PIXELS / 2]).copied().collect());
        let [left, right] = halves.each_ref().map(|half| Rows::new(half, PIXELS / 2));
        let measured = [
            ("fisher", measures::fisher_criterion(rows, labels, 10)),
            ("thornton", measures::thornton_index(rows, labels, &mut Workspace::new())),
            ("silhouette", measures::silhouette(rows, labels, 10)),
            ("label_entropy", Some(measures::label_entropy(labels))),
            ("effective_rank", measures::effective_rank(rows)),
            ("participation_ratio", measures::participation_ratio(rows)),
            ("dead_units", measures::dead_units(rows).map(|units| units as f64)),
            ("near_zero", measures::near_zero_share(rows)),
            ("hoyer", measures::hoyer_sparsity(rows)),
            ("cka_of_halves", measures::linear_cka(left, right)),
        ];
        assert_eq!(case.expected.as_object().unwrap().len(), measured.len());
        for (name, got) in measured {
            assert_close(got.unwrap(), case.number(name), 1e-6, &format!("{}: {name}", case.name));
        }
    }
}

#[test]
fn confusion_matrices_have_the_expected_scores() {
    let digits = digits();
    for case in cases("classification", 2) {
        let predictions: Vec<u32> = list(&case, "predictions");
        let matrix = ConfusionMatrix::new(&predictions, &digits.test_labels, 10);
        for (label, row) in list::<Vec<Vec<u64>>>(&case, "matrix").iter().enumerate() {
            for (prediction, &expected) in row.iter().enumerate() {
                assert_eq!(matrix.count(label, prediction), expected, "{}: {label} as {prediction}", case.name);
            }
        }
        let scores = matrix.class_scores();
        let lists = [
            ("precision", scores.iter().map(|class| class.precision).collect::<Vec<f64>>()),
            ("recall", scores.iter().map(|class| class.recall).collect()),
            ("f1", scores.iter().map(|class| class.f1).collect()),
            ("support", scores.iter().map(|class| class.support as f64).collect()),
            ("macro_f1", vec![matrix.macro_f1()]),
        ];
        for (name, got) in lists {
            let expected: Vec<f64> = if name == "macro_f1" { vec![case.number(name)] } else { list(&case, name) };
            for (got, expected) in got.iter().zip(expected) {
                assert!((got - expected).abs() < 1e-12, "{}: {name} {got}, expected {expected}", case.name);
            }
        }
    }
}
