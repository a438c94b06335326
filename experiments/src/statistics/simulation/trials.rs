//! One trial each: data drawn from a known truth, and whether an interval held it or a test rejected it.

use std::f64::consts::PI;

use rand::{Rng, RngExt};
use rand_distr::{Exp1, StandardNormal};

use super::super::*;

pub(super) fn normal(rows: usize, rng: &mut dyn Rng) -> Vec<f64> {
    (0..rows).map(|_| rng.sample(StandardNormal)).collect()
}

/// Normal pairs whose Spearman's rho is `rho`: with Pearson's `r = 2 sin(pi rho / 6)` (Pearson 1907). The second variable
/// is bent afterwards, which ranks do not see.
pub(in super::super) fn related(rho: f64, rows: usize, rng: &mut dyn Rng) -> (Vec<f64>, Vec<f64>) {
    let r = 2.0 * (PI * rho / 6.0).sin();
    let x = normal(rows, rng);
    let noise = (1.0 - r * r).sqrt();
    let y = x.iter().map(|x| (r * x + noise * rng.sample::<f64, _>(StandardNormal)).exp()).collect();
    (x, y)
}

pub(super) fn equivalent_at_the_margin(rho: f64, rows: usize, rng: &mut dyn Rng) -> bool {
    let (x, y) = related(rho, rows, rng);
    equivalence(spearman(&x, &y).unwrap(), rows, 0, 0.3).unwrap().passes()
}

pub(super) fn spearman_interval_covers(rho: f64, rows: usize, bca: bool, rng: &mut dyn Rng) -> bool {
    let (x, y) = related(rho, rows, rng);
    let (x, y) = (Ranking::new(&x).unwrap(), Ranking::new(&y).unwrap());
    let spread = bootstrap(rows, |rows| pearson(&x.of_rows(rows), &y.of_rows(rows)), 400, 0.95, rng).unwrap();
    (if bca { spread.bca.unwrap() } else { spread.percentile }).contains(rho)
}

/// With as many covariates as claim C2 holds fixed: a number, and categories of three and six levels. They have nothing to do with
/// either variable, so that the partial correlation is `rho`.
pub(super) fn partial_interval_covers(rho: f64, rows: usize, rng: &mut dyn Rng) -> bool {
    let (x, y) = related(rho, rows, rng);
    let mut covariates = vec![normal(rows, rng)];
    for levels in [3, 6] {
        covariates.extend(indicator_columns(&(0..rows).map(|_| rng.random_range(0..levels)).collect::<Vec<usize>>()));
    }
    let settings = Settings { permutations: 1, resamples: 400, ..Settings::default() };
    let relation = partial_rank_relation(&x, &y, &covariates, &vec![0; rows], &settings, rng).unwrap();
    relation.bca.unwrap().contains(rho)
}

/// Four code sizes which drive both variables, by curves of their own: `(x, y, strata, covariates)`.
pub(super) fn confounded(rows: usize, rng: &mut dyn Rng) -> (Vec<f64>, Vec<f64>, Vec<usize>, Vec<Vec<f64>>) {
    let size: Vec<usize> = (0..rows).map(|row| row % 4).collect();
    let x = size.iter().map(|&size| size as f64 + rng.sample::<f64, _>(StandardNormal)).collect();
    let y = size.iter().map(|&size| (size as f64).powi(2) + 2.0 * rng.sample::<f64, _>(StandardNormal)).collect();
    let covariates = vec![size.iter().map(|&size| (1.0 + size as f64).ln()).collect()];
    (x, y, size, covariates)
}

pub(super) fn wilson_covers(share: f64, trials: u64, rng: &mut dyn Rng) -> bool {
    let successes = (0..trials).filter(|_| rng.random::<f64>() < share).count() as u64;
    wilson_interval(successes, trials, 0.95).unwrap().contains(share)
}

/// Two equally good classifiers which differ on about this share of the images.
pub(super) fn differing(images: u64, share: f64, rng: &mut dyn Rng) -> Disagreement {
    let (mut only_first, mut only_second) = (0, 0);
    for _ in 0..images {
        let u: f64 = rng.random();
        only_first += u64::from(u < share / 2.0);
        only_second += u64::from(u > 1.0 - share / 2.0);
    }
    Disagreement { only_first, only_second, images }
}

/// Four levels by three, one to three values per cell, with an effect of the second factor only.
pub(super) fn null_anova(rng: &mut dyn Rng) -> TwoWayAnova {
    let (mut values, mut first, mut second) = (Vec::new(), Vec::new(), Vec::new());
    for a in 0..4_usize {
        for b in 0..3_usize {
            for _ in 0..1 + (a * b) % 3 {
                values.push(b as f64 + rng.sample::<f64, _>(StandardNormal));
                first.push(a);
                second.push(b);
            }
        }
    }
    two_way_anova(&values, &first, &second).unwrap()
}

/// Subjects of variance 1, noise of variance 1/4, shifts of the columns of the given standard deviation.
pub(super) fn reliability_table(rows: usize, columns: usize, shift: f64, rng: &mut dyn Rng) -> Vec<Vec<f64>> {
    let shifts: Vec<f64> = normal(columns, rng).iter().map(|z| shift * z).collect();
    (0..rows)
        .map(|_| {
            let subject: f64 = rng.sample(StandardNormal);
            shifts.iter().map(|shift| subject + shift + 0.5 * rng.sample::<f64, _>(StandardNormal)).collect()
        })
        .collect()
}

pub(super) fn independent_judges(judges: usize, items: usize, rng: &mut dyn Rng) -> Vec<Vec<f64>> {
    (0..judges).map(|_| normal(items, rng)).collect()
}

/// `x` and `y` follow `z` equally well, and each other.
pub(super) fn steiger_rejects(correlation: fn(&[f64], &[f64]) -> Option<f64>, rows: usize, rng: &mut dyn Rng) -> bool {
    let (shared, z) = (normal(rows, rng), normal(rows, rng));
    let mut score = || {
        let mixed = |(s, z): (&f64, &f64)| 0.6 * s + 0.4 * z + 0.5 * rng.sample::<f64, _>(StandardNormal);
        shared.iter().zip(&z).map(mixed).collect::<Vec<_>>()
    };
    let (x, y) = (score(), score());
    let r = |a: &[f64], b: &[f64]| correlation(a, b).unwrap();
    steiger(r(&x, &z), r(&y, &z), r(&x, &y), rows).unwrap().p <= 0.05
}

/// 60 rows, `x` and `y` alike in how they follow `z`, each other and four covariates, which drive `z` too.
pub(super) fn equal_partial_scores(resamples: usize, rng: &mut dyn Rng) -> ScoreComparison {
    let covariates: Vec<Vec<f64>> = (0..4).map(|_| normal(60, rng)).collect();
    let driven = |share: f64, own: Vec<f64>| -> Vec<f64> {
        let of_row = |(row, own): (usize, f64)| own + share * covariates.iter().map(|column| column[row]).sum::<f64>();
        own.into_iter().enumerate().map(of_row).collect()
    };
    let shared = normal(60, rng);
    let z = driven(0.5, normal(60, rng));
    let mut score = || {
        let mixed = |(s, z): (&f64, &f64)| 0.6 * s + 0.4 * z + 0.5 * rng.sample::<f64, _>(StandardNormal);
        shared.iter().zip(&z).map(mixed).collect::<Vec<_>>()
    };
    let (x, y) = (driven(0.3, score()), driven(0.3, score()));
    compare_partial_scores(&x, &y, &z, &covariates, resamples, 0.95, rng).unwrap()
}

/// Five groups of 20 pairs that are normal with correlation `r`.
pub(super) fn homogeneity_rejects(r: f64, rng: &mut dyn Rng) -> bool {
    let mut group = || {
        let (x, noise) = (normal(20, rng), normal(20, rng));
        let y: Vec<f64> = x.iter().zip(&noise).map(|(x, noise)| r * x + (1.0 - r * r).sqrt() * noise).collect();
        (spearman(&x, &y).unwrap(), 20)
    };
    let groups = [group(), group(), group(), group(), group()];
    homogeneity(&groups).is_some_and(|test| test.p <= 0.05)
}

/// The BCa interval of the adjusted R-squared of 12 columns which explain a half of the variance of 80 rows, and that of 1.96
/// standard errors to either side.
pub(super) fn intervals_of_half_explained(rng: &mut dyn Rng) -> [Interval; 2] {
    let columns: Vec<Vec<f64>> = (0..12).map(|_| normal(80, rng)).collect();
    let signal = |row: usize| columns.iter().map(|column| column[row]).sum::<f64>() / 12.0_f64.sqrt();
    let y: Vec<f64> = (0..80).map(|row| signal(row) + rng.sample::<f64, _>(StandardNormal)).collect();
    let pick = |values: &[f64], rows: &[usize]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
    let adjusted = |rows: &[usize]| {
        let columns: Vec<Vec<f64>> = columns.iter().map(|column| pick(column, rows)).collect();
        explained_variance(&pick(&y, rows), &columns).map(|fit| fit.adjusted_r_squared)
    };
    let spread = bootstrap(80, adjusted, 200, 0.95, rng).unwrap();
    let half = 1.96 * spread.standard_error;
    [spread.bca.unwrap(), Interval { low: spread.estimate - half, high: spread.estimate + half }]
}

/// The share that decoders and the interaction have of the values of [`decoder_share_interval`], over infinitely many encoders: one
/// minus the variance of means over decoders, `1 + 0.64 / 25 + 0.0225 / 5`, over that of all values, which is that of a decoder's,
/// `1 + 0.64 / 5 + 0.0225` on average, and that of the decoders' means, `0.8^2 * 0.2 * 0.8`.
pub(super) const DECODER_SHARE: f64 =
    1.0 - (1.0 + 0.64 / 25.0 + 0.0225 / 5.0) / (1.0 + 0.64 / 5.0 + 0.0225 + 0.64 * 0.16);

/// The BCa interval of the share of decoders and interaction in a table of 40 encoders under 5 decoders, encoders resampled as claim C4
/// does: encoders of variance 1, a first decoder that loses 0.8 on average and more for a few, noise of standard deviation 0.15.
pub(super) fn decoder_share_interval(rng: &mut dyn Rng) -> Interval {
    let encoder = |_| -> [f64; 5] {
        let own: f64 = rng.sample(StandardNormal);
        let lost = 0.8 * rng.sample::<f64, _>(Exp1);
        std::array::from_fn(|decoder| {
            own + if decoder == 0 { lost } else { 0.0 } + 0.15 * rng.sample::<f64, _>(StandardNormal)
        })
    };
    let table: Vec<[f64; 5]> = (0..40).map(encoder).collect();
    let share = |rows: &[usize]| {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let all: Vec<f64> = rows.iter().flat_map(|&row| table[row]).collect();
        let of_encoders: Vec<f64> = rows.iter().map(|&row| mean(&table[row])).collect();
        let centre = mean(&all);
        let around = |values: &[f64]| values.iter().map(|value| (value - centre).powi(2)).sum::<f64>();
        Some(1.0 - 5.0 * around(&of_encoders) / around(&all))
    };
    bootstrap(40, share, 400, 0.95, rng).unwrap().bca.unwrap()
}
