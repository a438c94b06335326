//! Bootstrap intervals over rows (networks): percentile and BCa.

use rand::{Rng, RngExt};

use super::{
    normal::{normal_cdf, normal_quantile},
    reliability::variance,
};

/// A closed interval of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies within, ends included.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Whether `value` lies outside. Not the opposite of [`contains`](Self::contains) for NaN: an end that is not a number
    /// excludes nothing.
    pub fn excludes(&self, value: f64) -> bool {
        self.low > value || self.high < value
    }
}

/// What resampling the rows says about a statistic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// The statistic of the rows themselves.
    pub estimate: f64,
    /// The resamples on which the statistic was defined; the intervals rest on these.
    pub resamples: usize,
    /// The standard deviation of the resampled statistic.
    pub standard_error: f64,
    /// The quantiles `(1 - confidence) / 2` and `(1 + confidence) / 2` of the resampled statistic.
    pub percentile: Interval,
    /// The same with quantiles corrected for bias and for an error that changes with the value (Efron, *Better
    /// bootstrap confidence intervals*, 1987). `None` where it does not exist: every resample on one side of the
    /// estimate, or a statistic that is undefined, or always the same, when one row is left out.
    pub bca: Option<Interval>,
}

impl Bootstrap {
    /// The interval to report, and the one that verdicts use: BCa, or percentile where BCa does not exist.
    pub fn interval(&self) -> Interval {
        self.bca.unwrap_or(self.percentile)
    }
}

/// Draws `resamples` times `rows` row numbers with replacement and looks at the spread of `statistic(row numbers)`.
///
/// The statistic gets row numbers rather than data, so that pairs, covariates or paired differences stay together.
/// [`Ranking`](super::Ranking) gives the ranks of a resample without sorting it. The usual choice is 2,000 resamples and
/// confidence 0.95. Quantiles are interpolated linearly, as numpy does.
///
/// `None` if the statistic of the rows themselves is undefined, or if it is undefined on more than half of the
/// resamples (constant draws of very few rows): the spread of the rest would say little.
///
/// # Panics
/// If `confidence` is not strictly between 0 and 1.
///
/// ```
/// use pitfall::statistics::bootstrap;
/// use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
///
/// let data = [2.1, 2.9, 3.2, 3.3, 4.5, 4.8, 5.1, 6.0];
/// let mean = |rows: &[usize]| Some(rows.iter().map(|&row| data[row]).sum::<f64>() / rows.len() as f64);
/// let spread = bootstrap(data.len(), mean, 2_000, 0.95, &mut Xoshiro256PlusPlus::seed_from_u64(1)).unwrap();
/// assert!(spread.percentile.contains(spread.estimate));
/// ```
pub fn bootstrap(
    rows: usize,
    statistic: impl Fn(&[usize]) -> Option<f64>,
    resamples: usize,
    confidence: f64,
    rng: &mut (impl Rng + ?Sized),
) -> Option<Bootstrap> {
    assert!(confidence > 0.0 && confidence < 1.0, "confidence is {confidence}, but must lie between 0 and 1");
    let all_rows: Vec<usize> = (0..rows).collect();
    let estimate = statistic(&all_rows)?;
    let mut drawn = vec![0; rows];
    let mut values = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        drawn.fill_with(|| rng.random_range(0..rows));
        values.extend(statistic(&drawn));
    }
    if values.is_empty() || 2 * values.len() < resamples {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    let percentile = Interval { low: quantile(&values, tail), high: quantile(&values, 1.0 - tail) };
    let bca = bca_interval(&all_rows, &statistic, estimate, &values, tail);
    let standard_error = variance(&values).map_or(0.0, f64::sqrt);
    Some(Bootstrap { estimate, resamples: values.len(), standard_error, percentile, bca })
}

/// Efron's interval: the tails `alpha` are moved to `Phi(z0 + (z0 + z) / (1 - a (z0 + z)))`, `z = Phi^-1(alpha)`.
fn bca_interval(
    all_rows: &[usize],
    statistic: &impl Fn(&[usize]) -> Option<f64>,
    estimate: f64,
    sorted: &[f64],
    tail: f64,
) -> Option<Interval> {
    // Bias: the share of resamples below the estimate, equal ones counted half.
    let below = sorted.partition_point(|&value| value < estimate);
    let not_above = sorted.partition_point(|&value| value <= estimate);
    let z0 = normal_quantile((below + not_above) as f64 / (2 * sorted.len()) as f64);
    let acceleration = acceleration(all_rows, statistic)?;
    let moved = |alpha: f64| {
        let shifted = z0 + normal_quantile(alpha);
        normal_cdf(z0 + shifted / (1.0 - acceleration * shifted))
    };
    let (low, high) = (moved(tail), moved(1.0 - tail));
    (z0.is_finite() && low < high).then(|| Interval { low: quantile(sorted, low), high: quantile(sorted, high) })
}

/// `a = sum(d^3) / (6 sum(d^2)^1.5)`, `d` = mean of the leave-one-out statistics minus each of them.
fn acceleration(all_rows: &[usize], statistic: &impl Fn(&[usize]) -> Option<f64>) -> Option<f64> {
    let without_one: Vec<f64> = all_rows
        .iter()
        .map(|left_out| {
            let kept: Vec<usize> = all_rows.iter().copied().filter(|row| row != left_out).collect();
            statistic(&kept)
        })
        .collect::<Option<_>>()?;
    let mean = without_one.iter().sum::<f64>() / without_one.len() as f64;
    let power_sum = |power| without_one.iter().map(|value| (mean - value).powi(power)).sum::<f64>();
    let a = power_sum(3) / (6.0 * power_sum(2).powf(1.5));
    a.is_finite().then_some(a)
}

/// The `p` quantile of sorted values, linear between neighbours (numpy's default).
pub(super) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let position = p * (sorted.len() - 1) as f64;
    let (low, fraction) = (position.floor() as usize, position.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + fraction * (sorted[high] - sorted[low])
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::Xoshiro256PlusPlus;
    use rand_distr::StandardNormal;

    use super::super::{pearson, spearman};
    use super::*;

    fn pick(values: &[f64], rows: &[usize]) -> Vec<f64> {
        rows.iter().map(|&row| values[row]).collect()
    }

    #[test]
    fn agrees_with_scipy() {
        let x: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 30)).collect();
        let y: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 30) + 0.1 * f64::from((i * i) % 300)).collect();
        // scipy 1.17: bootstrap((x, y), lambda a, b: pearsonr(a, b)[0], paired=True, vectorized=False,
        // n_resamples=100_000, rng=1, method="percentile" | "BCa").confidence_interval
        let (percentile, bca) = ([0.6285145456072405, 0.8711256745143858], [0.6266435457514075, 0.870253222676993]);
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(2);
        let got = bootstrap(30, |rows| pearson(&pick(&x, rows), &pick(&y, rows)), 20_000, 0.95, rng).unwrap();
        let got_bca = got.bca.unwrap();
        for (got, want) in [
            (got.percentile.low, percentile[0]),
            (got.percentile.high, percentile[1]),
            (got_bca.low, bca[0]),
            (got_bca.high, bca[1]),
        ] {
            assert!((got - want).abs() < 0.01, "got {got}, scipy has {want}");
        }
    }

    #[test]
    fn covers_the_truth_about_95_times_in_100() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(4);
        let correlation = 0.5_f64;
        // Spearman's rho of a bivariate normal distribution with that correlation.
        let truth = 6.0 / std::f64::consts::PI * (correlation / 2.0).asin();
        let (trials, rows) = (300, 40);
        let (mut percentile, mut bca) = (0, 0);
        for _ in 0..trials {
            let x: Vec<f64> = (0..rows).map(|_| rng.sample(StandardNormal)).collect();
            let noise = (1.0 - correlation * correlation).sqrt();
            let y: Vec<f64> =
                x.iter().map(|x| correlation * x + noise * rng.sample::<f64, _>(StandardNormal)).collect();
            let statistic = |drawn: &[usize]| spearman(&pick(&x, drawn), &pick(&y, drawn));
            let spread = bootstrap(rows, statistic, 400, 0.95, rng).unwrap();
            percentile += usize::from(spread.percentile.contains(truth));
            bca += usize::from(spread.bca.unwrap().contains(truth));
        }
        // 285 expected of a perfect interval, standard deviation 3.8; at 40 rows the bootstrap is known to run a little
        // short.
        assert!((271..=296).contains(&percentile), "percentile interval: {percentile} of {trials}");
        assert!((271..=296).contains(&bca), "BCa interval: {bca} of {trials}");
    }

    #[test]
    fn quantiles_interpolate() {
        let sorted = [0.0, 1.0, 2.0, 10.0];
        assert_eq!([0.0, 0.5, 1.0].map(|p| quantile(&sorted, p)), [0.0, 1.5, 10.0]);
        assert!((quantile(&sorted, 0.9) - 7.6).abs() < 1e-12);
        assert_eq!(quantile(&[3.0], 0.3), 3.0);
    }

    #[test]
    fn a_perfect_relation_has_a_point_for_an_interval_and_no_bca() {
        let x: Vec<f64> = (0..12).map(f64::from).collect();
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(0);
        let spread = bootstrap(12, |rows| spearman(&pick(&x, rows), &pick(&x, rows)), 200, 0.95, rng).unwrap();
        assert!((spread.percentile.low - 1.0).abs() < 1e-12 && (spread.percentile.high - 1.0).abs() < 1e-12);
        assert_eq!(spread.bca, None);
    }

    #[test]
    fn undefined_is_none() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(0);
        assert_eq!(bootstrap(5, |_| None, 100, 0.95, rng), None);
        assert_eq!(bootstrap(0, |rows| (!rows.is_empty()).then_some(1.0), 100, 0.95, rng), None);
        assert_eq!(bootstrap(5, |_| Some(1.0), 0, 0.95, rng), None, "no resamples, no spread");
        // Two rows: half of the draws repeat one row and have no correlation; jackknifing leaves a single row.
        let two = bootstrap(2, |rows| spearman(&pick(&[1.0, 2.0], rows), &pick(&[5.0, 3.0], rows)), 200, 0.95, rng);
        assert!(two.is_none_or(|spread| spread.bca.is_none()));
    }
}
