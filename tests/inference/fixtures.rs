//! What scipy, statsmodels and pingouin said: `tests/fixtures/inference/cases.json`.

use serde::Deserialize;
use serde::de::IgnoredAny;
use std::fs;
use std::sync::OnceLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixtures {
    #[serde(rename = "source")]
    pub _source: IgnoredAny,
    pub distributions: Vec<Value>,
    pub wilson: Vec<Wilson>,
    pub holm: Vec<Holm>,
    pub mcnemar: Vec<McNemar>,
    pub concordance: Vec<Agreement>,
    pub icc: Vec<Icc>,
    pub anova: Vec<Anova>,
    pub regression: Vec<Regression>,
    pub bayes: Vec<Bayes>,
    pub bic: Vec<Bic>,
    pub steiger: Vec<Steiger>,
    pub partial: Vec<Partial>,
    pub mean: Vec<Repeats>,
    pub paired: Vec<Paired>,
    pub comparison: Vec<Comparisons>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    pub function: String,
    pub arguments: Vec<f64>,
    pub value: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wilson {
    pub successes: u64,
    pub trials: u64,
    pub confidence: f64,
    pub low: f64,
    pub high: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holm {
    pub name: String,
    pub p: Vec<f64>,
    pub adjusted: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McNemar {
    pub only_first: u64,
    pub only_second: u64,
    pub exact_p: f64,
    pub chi_squared: f64,
    pub chi_squared_p: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    pub name: String,
    pub scores: Vec<Vec<f64>>,
    pub w: f64,
    pub chi_squared: f64,
    pub p: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Icc {
    pub name: String,
    pub table: Vec<Vec<f64>>,
    pub one_way: IccForm,
    pub agreement: IccForm,
    pub consistency: IccForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IccForm {
    pub single: f64,
    pub average: f64,
    pub p: f64,
    pub single_interval: [f64; 2],
    pub average_interval: [f64; 2],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anova {
    pub name: String,
    pub values: Vec<f64>,
    pub first: Vec<usize>,
    pub second: Vec<usize>,
    pub effect_of_first: AnovaEffect,
    pub effect_of_second: AnovaEffect,
    pub interaction: Option<AnovaEffect>,
    pub residual_sum_of_squares: f64,
    pub residual_freedom: usize,
    pub total_sum_of_squares: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnovaEffect {
    pub sum_of_squares: f64,
    pub freedom: usize,
    pub f: f64,
    pub p: f64,
    pub eta_squared: f64,
    pub partial_eta_squared: f64,
    pub omega_squared: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    pub name: String,
    pub y: Vec<f64>,
    pub columns: Vec<Vec<f64>>,
    pub r_squared: f64,
    pub adjusted_r_squared: f64,
    pub predictive_r_squared: f64,
    pub f: f64,
    pub p: f64,
    pub p_beyond_the_first_column: Option<f64>,
    pub slope: f64,
    pub intercept: f64,
    pub standard_error: f64,
    pub slope_p: f64,
    pub slope_low: f64,
    pub slope_high: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bayes {
    pub r: f64,
    pub rows: usize,
    pub width: f64,
    pub bf01: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bic {
    pub name: String,
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    pub bf01: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steiger {
    pub r_xz: f64,
    pub r_yz: f64,
    pub r_xy: f64,
    pub rows: usize,
    pub z: f64,
    pub p: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partial {
    pub name: String,
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    pub rho: f64,
    pub ranked_covariates: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeats {
    pub name: String,
    pub values: Vec<f64>,
    pub confidence: f64,
    pub mean: f64,
    pub standard_deviation: f64,
    pub low: f64,
    pub high: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paired {
    pub name: String,
    pub before: Vec<f64>,
    pub after: Vec<f64>,
    pub mean: f64,
    pub sign_flip_p: f64,
    pub resamples: usize,
    pub percentile: Ends,
    pub bca: Ends,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparisons {
    pub name: String,
    pub first: Vec<f64>,
    pub second: Vec<f64>,
    pub quantity: Vec<f64>,
    pub difference: f64,
    pub resamples: usize,
    pub percentile: Ends,
    pub bca: Ends,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ends {
    pub low: f64,
    pub high: f64,
    pub low_sd: f64,
    pub high_sd: f64,
}

pub fn fixtures() -> &'static Fixtures {
    static READ: OnceLock<Fixtures> = OnceLock::new();
    READ.get_or_init(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/inference/cases.json");
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
    })
}
