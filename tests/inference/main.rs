//! Tests, effect sizes and intervals against scipy, statsmodels and pingouin: `tests/fixtures/inference`.
//!
//! Every test also measures the largest deviation it met; `cargo test --test inference -- --nocapture` prints them.
#![forbid(unsafe_code)]

mod fixtures;

use fixtures::{AnovaEffect, Ends, Value, fixtures};
use patchgrad::random::stream;
use pitfall::statistics::*;

/// A Monte-Carlo estimate may be off by this many of its standard deviations: one in 16,000 is, and the seed is fixed.
const DEVIATIONS: f64 = 4.0;

/// Compares numbers with a bound on the deviation, relative for values above 1 and for the p-values, which may be tiny.
struct Check {
    what: &'static str,
    bound: f64,
    compared: usize,
    largest: f64,
}

impl Check {
    fn new(what: &'static str, bound: f64) -> Self {
        Check { what, bound, compared: 0, largest: 0.0 }
    }

    #[track_caller]
    fn close(&mut self, name: &str, got: f64, expected: f64) {
        self.within(name, (got - expected).abs() / expected.abs().max(1.0), got, expected);
    }

    /// For p-values and Bayes factors: the deviation as a share of the value, however small that is.
    #[track_caller]
    fn relative(&mut self, name: &str, got: f64, expected: f64) {
        let deviation = if got == expected { 0.0 } else { (got - expected).abs() / expected.abs() };
        self.within(name, deviation, got, expected);
    }

    #[track_caller]
    fn within(&mut self, name: &str, deviation: f64, got: f64, expected: f64) {
        assert!(deviation <= self.bound, "{}, {name}: {got} for {expected}", self.what);
        self.compared += 1;
        self.largest = self.largest.max(deviation);
    }

    fn report(self, cases: usize, expected_cases: usize) {
        assert_eq!(cases, expected_cases, "{}: cases", self.what);
        println!("{}: {} numbers, largest deviation {:.1e}", self.what, self.compared, self.largest);
    }
}

type Distribution = fn(&[f64]) -> Option<f64>;

#[test]
fn distributions_agree() {
    // statrs stops iterating for quantiles earlier than for tails.
    let functions: [(&'static str, f64, usize, Distribution); 8] = [
        ("student_t_two_sided_p", 1e-10, 49, |a| student_t_two_sided_p(a[0], a[1])),
        ("student_t_quantile", 1e-9, 30, |a| student_t_quantile(a[0], a[1])),
        ("f_upper_tail", 1e-10, 54, |a| f_upper_tail(a[0], a[1], a[2])),
        ("f_quantile", 1e-9, 36, |a| f_quantile(a[0], a[1], a[2])),
        ("chi_squared_upper_tail", 1e-10, 25, |a| chi_squared_upper_tail(a[0], a[1])),
        ("binomial_cdf", 1e-10, 10, |a| binomial_cdf(a[0] as u64, a[1] as u64, a[2])),
        ("normal_cdf", 1e-10, 7, |a| Some(normal_cdf(a[0]))),
        ("normal_quantile", 1e-10, 6, |a| Some(normal_quantile(a[0]))),
    ];
    let mut cases = 0;
    for (function, bound, expected_cases, distribution) in functions {
        let mut check = Check::new(function, bound);
        for Value { arguments, value, .. } in fixtures().distributions.iter().filter(|case| case.function == function) {
            let (name, got) = (format!("{arguments:?}"), distribution(arguments).unwrap());
            // The median of t is exactly 0 for one of us and 1e-17 for the other.
            if value.abs() < 1e-12 && function.ends_with("quantile") {
                check.close(&name, got, *value);
            } else {
                check.relative(&name, got, *value);
            }
        }
        cases += check.compared;
        let compared = check.compared;
        check.report(compared, expected_cases);
    }
    assert_eq!(cases, fixtures().distributions.len(), "every case has its function");
}

#[test]
fn wilson_intervals_agree() {
    let cases = &fixtures().wilson;
    let mut check = Check::new("Wilson's interval", 1e-12);
    for case in cases {
        let name = format!("{} of {}", case.successes, case.trials);
        let got = wilson_interval(case.successes, case.trials, case.confidence).unwrap();
        check.close(&name, got.low, case.low);
        check.close(&name, got.high, case.high);
    }
    check.report(cases.len(), 6);
}

#[test]
fn holms_correction_agrees() {
    let cases = &fixtures().holm;
    let mut check = Check::new("Holm", 1e-14);
    for case in cases {
        let got = holm(&case.p).unwrap();
        assert_eq!(got.len(), case.adjusted.len());
        got.iter().zip(&case.adjusted).for_each(|(got, expected)| check.close(&case.name, *got, *expected));
    }
    check.report(cases.len(), 3);
}

#[test]
fn mcnemars_test_agrees() {
    let cases = &fixtures().mcnemar;
    let mut check = Check::new("McNemar", 1e-10);
    for case in cases {
        let (only_first, only_second) = (case.only_first, case.only_second);
        let name = format!("{only_first} and {only_second}");
        let pair = Disagreement { only_first, only_second, images: 10_000 };
        check.relative(&name, pair.exact_p(), case.exact_p);
        let (statistic, p) = pair.chi_squared().unwrap();
        if only_first == only_second {
            // statsmodels applies the correction to a difference of 0, too.
            assert_eq!((statistic, p), (0.0, 1.0));
            continue;
        }
        check.close(&name, statistic, case.chi_squared);
        check.relative(&name, p, case.chi_squared_p);
    }
    check.report(cases.len(), 8);
}

#[test]
fn kendalls_w_agrees() {
    let cases = &fixtures().concordance;
    let mut check = Check::new("Kendall's W", 1e-10);
    for case in cases {
        let got = kendall_w(&case.scores).unwrap();
        check.close(&case.name, got.w, case.w);
        check.close(&case.name, got.chi_squared, case.chi_squared);
        check.relative(&case.name, got.p, case.p);
    }
    check.report(cases.len(), 4);
}

#[test]
fn intraclass_correlations_agree() {
    let cases = &fixtures().icc;
    let mut check = Check::new("ICC", 1e-9);
    for case in cases {
        let got = intraclass_correlations(&case.table, 0.95).unwrap();
        let forms = [
            ("one-way", got.one_way, &case.one_way),
            ("agreement", got.agreement, &case.agreement),
            ("consistency", got.consistency, &case.consistency),
        ];
        for (form, got, expected) in forms {
            let name = format!("{}: {form}", case.name);
            check.close(&name, got.single, expected.single);
            check.close(&name, got.average, expected.average);
            check.relative(&name, got.p, expected.p);
            for (interval, [low, high]) in
                [(got.single_interval, expected.single_interval), (got.average_interval, expected.average_interval)]
            {
                check.close(&name, interval.unwrap().low, low);
                check.close(&name, interval.unwrap().high, high);
            }
        }
    }
    check.report(cases.len(), 4);
}

#[test]
fn analysis_of_variance_agrees() {
    let cases = &fixtures().anova;
    let mut check = Check::new("two-way ANOVA", 1e-9);
    for case in cases {
        let got = two_way_anova(&case.values, &case.first, &case.second).unwrap();
        let mut effect = |which: &str, got: Effect, expected: &AnovaEffect| {
            let name = format!("{}: {which}", case.name);
            assert_eq!(got.freedom, expected.freedom, "{name}");
            check.close(&name, got.sum_of_squares, expected.sum_of_squares);
            check.close(&name, got.f.unwrap(), expected.f);
            check.relative(&name, got.p.unwrap(), expected.p);
            check.close(&name, got.eta_squared, expected.eta_squared);
            check.close(&name, got.partial_eta_squared, expected.partial_eta_squared);
            check.close(&name, got.omega_squared, expected.omega_squared);
        };
        effect("first", got.first, &case.effect_of_first);
        effect("second", got.second, &case.effect_of_second);
        match (got.interaction, &case.interaction) {
            (Some(got), Some(expected)) => effect("interaction", got, expected),
            (got, expected) => assert!(got.is_none() && expected.is_none(), "{}: interaction", case.name),
        }
        check.close(&case.name, got.residual_sum_of_squares, case.residual_sum_of_squares);
        check.close(&case.name, got.total_sum_of_squares, case.total_sum_of_squares);
        assert_eq!(got.residual_freedom, case.residual_freedom, "{}", case.name);
    }
    check.report(cases.len(), 4);
}

#[test]
fn least_squares_agree() {
    let cases = &fixtures().regression;
    let mut check = Check::new("least squares", 1e-9);
    for case in cases {
        let name = &case.name;
        let got = explained_variance(&case.y, &case.columns).unwrap();
        check.close(name, got.r_squared, case.r_squared);
        check.close(name, got.adjusted_r_squared, case.adjusted_r_squared);
        check.close(name, got.predictive_r_squared.unwrap(), case.predictive_r_squared);
        check.close(name, got.f.unwrap(), case.f);
        check.relative(name, got.p.unwrap(), case.p);
        if let Some(expected) = case.p_beyond_the_first_column {
            let smaller = explained_variance(&case.y, &case.columns[..1]).unwrap();
            check.relative(name, got.beyond(&smaller).1.unwrap(), expected);
        }
        let line = linear_trend(&case.columns[0], &case.y, 0.95).unwrap();
        check.close(name, line.slope, case.slope);
        check.close(name, line.intercept, case.intercept);
        check.close(name, line.standard_error, case.standard_error);
        check.relative(name, line.p, case.slope_p);
        check.close(name, line.interval.low, case.slope_low);
        check.close(name, line.interval.high, case.slope_high);
    }
    check.report(cases.len(), 3);
}

#[test]
fn bayes_factors_agree() {
    let (cases, bic_cases) = (&fixtures().bayes, &fixtures().bic);
    let mut check = Check::new("Bayes factor, beta prior", 1e-9);
    for case in cases {
        let name = format!("r = {}, {} rows, width {}", case.r, case.rows, case.width);
        check.relative(&name, beta_bayes_factor_01(case.r, case.rows, case.width).unwrap(), case.bf01);
    }
    check.report(cases.len(), 34);
    let mut check = Check::new("Bayes factor, BIC", 1e-10);
    for case in bic_cases {
        let r = pearson(&case.x, &case.y).unwrap();
        check.relative(&case.name, bayes_factor_01(r, case.x.len()).unwrap(), case.bf01);
    }
    check.report(bic_cases.len(), 2);
}

#[test]
fn steigers_test_agrees() {
    let cases = &fixtures().steiger;
    let mut check = Check::new("Steiger's Z", 1e-10);
    for case in cases {
        let name = format!("{} and {}", case.r_xz, case.r_yz);
        let got = steiger(case.r_xz, case.r_yz, case.r_xy, case.rows).unwrap();
        check.close(&name, got.z, case.z);
        check.relative(&name, got.p, case.p);
    }
    check.report(cases.len(), 4);
}

#[test]
fn partial_correlations_agree_with_pingouin() {
    let cases = &fixtures().partial;
    let mut check = Check::new("partial rank correlation", 1e-12);
    for case in cases {
        let got = partial_spearman(&case.x, &case.y, &case.ranked_covariates).unwrap();
        check.close(&case.name, got.rho, case.rho);
        assert_eq!(got.controlled, case.ranked_covariates.len());
    }
    check.report(cases.len(), 2);
}

#[test]
fn means_agree() {
    let cases = &fixtures().mean;
    let mut check = Check::new("interval of a mean", 1e-12);
    for case in cases {
        let got = mean_interval(&case.values, case.confidence).unwrap();
        check.close(&case.name, got.mean, case.mean);
        check.close(&case.name, got.standard_deviation, case.standard_deviation);
        check.close(&case.name, got.interval.low, case.low);
        check.close(&case.name, got.interval.high, case.high);
    }
    check.report(cases.len(), 3);
}

#[test]
fn paired_differences_agree() {
    const DRAWS: usize = 20_000;
    let cases = &fixtures().paired;
    for case in cases {
        let rng = &mut stream(1, &case.name, 0);
        let got = paired_difference(&case.before, &case.after, DRAWS, DRAWS, 0.95, rng).unwrap();
        assert!((got.mean.estimate - case.mean).abs() < 1e-12, "{}", case.name);
        let deviation = (case.sign_flip_p * (1.0 - case.sign_flip_p) / DRAWS as f64).sqrt();
        let accepted = DEVIATIONS * deviation + 1.0 / DRAWS as f64;
        assert!((got.sign_flip_p - case.sign_flip_p).abs() <= accepted, "{}: p = {}", case.name, got.sign_flip_p);
        assert_eq!(case.resamples, DRAWS, "the spread of an end is that of one bootstrap of this size");
        assert_ends(&case.name, &got.mean, [&case.percentile, &case.bca]);
    }
    assert_eq!(cases.len(), 2);
}

#[test]
fn comparisons_of_scores_agree() {
    const DRAWS: usize = 20_000;
    let cases = &fixtures().comparison;
    for case in cases {
        let rng = &mut stream(1, &case.name, 0);
        let got = compare_scores(&case.first, &case.second, &case.quantity, DRAWS, 0.95, rng).unwrap();
        assert!((got.difference.estimate - case.difference).abs() < 1e-12, "{}", case.name);
        assert_eq!(case.resamples, DRAWS, "the spread of an end is that of one bootstrap of this size");
        assert_ends(&case.name, &got.difference, [&case.percentile, &case.bca]);
    }
    assert_eq!(cases.len(), 2);
}

/// Both intervals within the spread of a single bootstrap of the fixtures.
#[track_caller]
fn assert_ends(name: &str, got: &Bootstrap, [percentile, bca]: [&Ends; 2]) {
    for (got, expected) in [(got.percentile, percentile), (got.bca.unwrap(), bca)] {
        assert!((got.low - expected.low).abs() <= DEVIATIONS * expected.low_sd, "{name}: {got:?}");
        assert!((got.high - expected.high).abs() <= DEVIATIONS * expected.high_sd, "{name}: {got:?}");
    }
}
