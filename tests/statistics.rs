//! The statistics of the experiments against scipy: `tests/fixtures/statistics`.
#![forbid(unsafe_code)]

use patchgrad::random::stream;
use pitfall::statistics::{
    Interval, average_ranks, bootstrap, kendall_tau_b, partial_spearman, pearson, permutation_p, spearman,
};
use serde::Deserialize;
use std::fs;

/// Rounding in f64, of values of order 1.
const TOLERANCE: f64 = 1e-12;

/// A Monte-Carlo estimate may be off by this many of its standard deviations: one in 16,000 is, and the seed is fixed.
const DEVIATIONS: f64 = 4.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixtures {
    #[serde(rename = "source")]
    _source: serde_json::Value,
    correlations: Vec<Correlations>,
    ranks: Vec<Ranks>,
    exact_permutation_p: Vec<ExactP>,
    bootstrap: Vec<Intervals>,
    partial: Vec<Partial>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Correlations {
    name: String,
    x: Vec<f64>,
    y: Vec<f64>,
    ranks_x: Vec<f64>,
    ranks_y: Vec<f64>,
    pearson: Option<f64>,
    spearman: Option<f64>,
    kendall_tau_b: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ranks {
    name: String,
    values: Vec<f64>,
    ranks: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExactP {
    name: String,
    x: Vec<f64>,
    y: Vec<f64>,
    permutations: usize,
    pearson: Enumerated,
    spearman: Enumerated,
    kendall_tau_b: Enumerated,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Enumerated {
    observed: f64,
    reached: usize,
    p: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Intervals {
    name: String,
    x: Vec<f64>,
    y: Vec<f64>,
    statistic: String,
    level: f64,
    percentile: Ends,
    bca: Ends,
    resamples: usize,
    #[serde(rename = "repeats")]
    _repeats: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ends {
    low: f64,
    high: f64,
    low_sd: f64,
    high_sd: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Partial {
    name: String,
    x: Vec<f64>,
    y: Vec<f64>,
    covariates: Vec<Vec<f64>>,
    spearman: f64,
    partial_spearman: f64,
}

fn fixtures() -> Fixtures {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/statistics/cases.json");
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[track_caller]
fn assert_close(what: &str, got: Option<f64>, expected: Option<f64>) {
    match (got, expected) {
        (Some(got), Some(expected)) => assert!((got - expected).abs() <= TOLERANCE, "{what}: {got} for {expected}"),
        _ => assert_eq!(got, expected, "{what}: undefined on one side only"),
    }
}

type Statistic = fn(&[f64], &[f64]) -> Option<f64>;

#[test]
fn correlations_and_ranks_agree() {
    let fixtures = fixtures();
    for case in &fixtures.correlations {
        let (name, x, y) = (&case.name, &case.x, &case.y);
        assert_eq!(average_ranks(x).as_ref(), Some(&case.ranks_x), "{name}: ranks of x");
        assert_eq!(average_ranks(y).as_ref(), Some(&case.ranks_y), "{name}: ranks of y");
        assert_close(&format!("{name}: Pearson's r"), pearson(x, y), case.pearson);
        assert_close(&format!("{name}: Spearman's rho"), spearman(x, y), case.spearman);
        assert_close(&format!("{name}: Kendall's tau-b"), kendall_tau_b(x, y), case.kendall_tau_b);
    }
    for Ranks { name, values, ranks } in &fixtures.ranks {
        assert_eq!(average_ranks(values).as_ref(), Some(ranks), "{name}");
    }
    assert_eq!((fixtures.correlations.len(), fixtures.ranks.len()), (17, 6));
}

#[test]
fn permutation_p_approaches_the_enumerated_one() {
    const SHUFFLES: usize = 20_000;
    let fixtures = fixtures();
    for case in &fixtures.exact_permutation_p {
        let statistics: [(&str, Statistic, &Enumerated); 3] = [
            ("pearson", pearson, &case.pearson),
            ("spearman", spearman, &case.spearman),
            ("kendall_tau_b", kendall_tau_b, &case.kendall_tau_b),
        ];
        for (statistic_name, statistic, exact) in statistics {
            let what = format!("{}: {statistic_name}", case.name);
            assert_close(&what, statistic(&case.x, &case.y), Some(exact.observed));
            assert_close(&what, Some(exact.reached as f64 / case.permutations as f64), Some(exact.p));
            let p = permutation_p(&case.x, &case.y, SHUFFLES, statistic, &mut stream(1, &what, 0)).unwrap();
            let deviation = (exact.p * (1.0 - exact.p) / SHUFFLES as f64).sqrt();
            // The observed order counts as one more shuffle, which moves p by at most 1/SHUFFLES.
            let accepted = DEVIATIONS * deviation + 1.0 / SHUFFLES as f64;
            assert!((p - exact.p).abs() <= accepted, "{what}: p = {p}, enumerated {}", exact.p);
        }
    }
    assert_eq!(fixtures.exact_permutation_p.len(), 5);
}

/// An end estimated from `share` times as many resamples spreads `1 / sqrt(share)` times as far.
#[track_caller]
fn assert_interval(what: &str, got: Interval, expected: &Ends, share: f64) {
    let near =
        |got: f64, expected: f64, deviation: f64| (got - expected).abs() <= DEVIATIONS * deviation / share.sqrt();
    assert!(near(got.low, expected.low, expected.low_sd), "{what}: low {} for {}", got.low, expected.low);
    assert!(near(got.high, expected.high, expected.high_sd), "{what}: high {} for {}", got.high, expected.high);
}

#[test]
fn bootstrap_intervals_agree() {
    const RESAMPLES: usize = 20_000;
    let fixtures = fixtures();
    for case in &fixtures.bootstrap {
        let statistic: Statistic = match case.statistic.as_str() {
            "pearson" => pearson,
            "spearman" => spearman,
            other => panic!("{}: no statistic {other}", case.name),
        };
        let of_rows = |rows: &[usize]| {
            let column = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<_>>();
            statistic(&column(&case.x), &column(&case.y))
        };
        let rng = &mut stream(1, &case.name, 0);
        let got = bootstrap(case.x.len(), of_rows, RESAMPLES, case.level, rng).unwrap();
        let share = RESAMPLES as f64 / case.resamples as f64;
        assert_interval(&format!("{}: percentile", case.name), got.percentile, &case.percentile, share);
        assert_interval(&format!("{}: BCa", case.name), got.bca.unwrap(), &case.bca, share);
    }
    assert_eq!(fixtures.bootstrap.len(), 8);
}

#[test]
fn partial_correlations_agree() {
    let fixtures = fixtures();
    for case in &fixtures.partial {
        let got = partial_spearman(&case.x, &case.y, &case.covariates).unwrap();
        assert_close(&format!("{}: partial", case.name), Some(got.rho), Some(case.partial_spearman));
        assert_close(&format!("{}: plain", case.name), spearman(&case.x, &case.y), Some(case.spearman));
        assert_eq!(got.controlled, case.covariates.len(), "{}", case.name);
    }
    assert_eq!(fixtures.partial.len(), 2);
}
