//! The linear probe and the linear algebra against scikit-learn on its digits: `tests/fixtures/sklearn`.
#![forbid(unsafe_code)]

mod digits;

use digits::{Case, PIXELS, digits};
use patchgrad::Workspace;
use pitfall::{
    linear_algebra::{Pca, Ridge, RidgeSettings, Rows},
    probe::{Features, ProbeData, linear_probe},
};

/// The cases of one op, at least `least` of them.
fn cases(op: &str, least: usize) -> Vec<Case> {
    digits::cases(include_str!("fixtures/sklearn/cases.json"), op, least)
}

fn mean_squared(a: &[f32], b: &[f32]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    sum / a.len() as f64
}

#[test]
fn the_probe_is_multinomial_logistic_regression() {
    let digits = digits();
    let train = Features { rows: &digits.train, labels: &digits.train_labels };
    let test = Features { rows: &digits.test, labels: &digits.test_labels };
    let data = ProbeData { train, validation: test, test, classes: 10 };
    for case in cases("logistic", 5) {
        let probed = linear_probe(&data, &[case.number("lambda")], &mut Workspace::new()).unwrap();
        // The probe stops at a gradient of 1e-4, where a weight may still be off by 1e-4 / lambda; scikit-learn's optimum
        // has a gradient below 1e-7.
        let (got, expected) = (probed.test_cross_entropy, case.number("test_cross_entropy"));
        assert!((got - expected).abs() < 0.03 * expected, "{}: cross-entropy {got}, expected {expected}", case.name);
        let (got, expected) = (probed.test_accuracy, case.number("test_accuracy"));
        // With the small penalties one of the 100 pictures lies too close to a border for that.
        let borderline = if case.number("lambda") < 1e-2 { 0.01 } else { 0.0 };
        assert!((got - expected).abs() <= borderline + 1e-9, "{}: accuracy {got}, expected {expected}", case.name);
    }
}

#[test]
fn principal_components_explain_and_reconstruct_as_expected() {
    let digits = digits();
    let pca = Pca::fit(Rows::new(digits.train.as_slice(), PIXELS)).unwrap();
    for case in cases("pca", 4) {
        if let Some(variances) = case.expected.get("variances") {
            for (got, expected) in pca.variances().iter().zip(variances.as_array().unwrap()) {
                let expected = expected.as_f64().unwrap();
                assert!((got - expected).abs() < 1e-9 * expected + 1e-9, "{}: {got}, expected {expected}", case.name);
            }
            continue;
        }
        let size = case.number("k") as usize;
        for (rows, name) in [(&digits.train, "train_mse"), (&digits.test, "test_mse")] {
            let decoded = pca.reconstruct(Rows::new(rows.as_slice(), PIXELS), size);
            let (got, expected) = (mean_squared(&decoded, rows.as_slice()), case.number(name));
            assert!((got - expected).abs() < 1e-6 * expected, "{}: {name} {got}, expected {expected}", case.name);
        }
    }
}

#[test]
fn ridge_regression_has_the_expected_errors() {
    let digits = digits();
    let one_hot = |labels: &[u32]| -> Vec<f32> {
        labels.iter().flat_map(|&label| (0..10).map(move |class| if class == label { 1.0 } else { 0.0 })).collect()
    };
    let (train, test) = (one_hot(&digits.train_labels), one_hot(&digits.test_labels));
    for case in cases("ridge", 3) {
        // scikit-learn minimises |Y - X W|^2 + alpha |W|^2, ours is divided by 2 n.
        let penalties = [case.number("alpha") / digits.train_labels.len() as f64];
        let settings = RidgeSettings { penalties: &penalties, standardise: true };
        let path = Ridge::fit_path(Rows::new(digits.train.as_slice(), PIXELS), Rows::new(&train, 10), settings);
        let ridge = &path.unwrap()[0];
        for (x, y, name) in [(&digits.train, &train, "train_mse"), (&digits.test, &test, "test_mse")] {
            let (got, expected) = (ridge.error(Rows::new(x.as_slice(), PIXELS), Rows::new(y, 10)), case.number(name));
            assert!((got - expected).abs() < 1e-5 * expected, "{}: {name} {got}, expected {expected}", case.name);
        }
    }
}
