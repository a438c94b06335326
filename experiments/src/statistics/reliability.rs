//! Intraclass correlation: how much of what is measured is the network, and how much is the measurement.

use super::bootstrap::Interval;
use super::distributions::{f_quantile, f_upper_tail};

/// A share of the variation smaller than this is rounding.
const ROUNDING: f64 = 1e-24;

/// One form of the intraclass correlation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reliability {
    /// Of a single measurement. May be negative, when measurements of one subject differ more than subjects do.
    pub single: f64,
    /// Of the mean of all `k` measurements of a subject.
    pub average: f64,
    /// Interval of `single` by the F distribution (McGraw & Wong 1996, table 7). `None` where measurements of a subject
    /// never differ.
    pub single_interval: Option<Interval>,
    /// Interval of `average`.
    pub average_interval: Option<Interval>,
    /// p-value of "subjects do not differ"; 0 where measurements of a subject never differ.
    pub p: f64,
}

/// The intraclass correlations of a table of subjects (rows, such as networks) by measurements (columns, such as halves of
/// the test set), in the notation of Shrout & Fleiss (1979).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntraclassCorrelations {
    /// ICC(1): the columns of a row are exchangeable, as seeds are.
    pub one_way: Reliability,
    /// ICC(2,1), absolute agreement: a column that is higher throughout counts as disagreement.
    pub agreement: Reliability,
    /// ICC(3,1), consistency: such a shift does not count. The form for the attenuation of a correlation, which does not
    /// see shifts either.
    pub consistency: Reliability,
}

/// Mean squares of the table: between rows, between columns, of what is left, and within rows.
struct MeanSquares {
    rows: f64,
    columns: f64,
    error: f64,
    within: f64,
}

/// All three forms, single and average, with intervals of the given confidence (0.95 is usual).
///
/// From the mean squares of the two-way table without replicates: with `n` rows and `k` columns,
/// `ICC(1) = (R - W) / (R + (k-1) W)`, `ICC(2,1) = (R - E) / (R + (k-1) E + k (C - E) / n)`,
/// `ICC(3,1) = (R - E) / (R + (k-1) E)`.
///
/// `None` with fewer than two rows or columns, a value that is not finite, rows that all have the same mean (there is
/// nothing to tell apart), or a confidence that is not strictly between 0 and 1.
///
/// # Panics
/// If the rows differ in length.
///
/// ```
/// use pitfall::statistics::intraclass_correlations;
///
/// // Two halves of a test set; the second is harder by 0.01 for every network.
/// let halves = [[0.90, 0.89], [0.80, 0.79], [0.85, 0.84], [0.95, 0.94]].map(|row| row.to_vec());
/// let icc = intraclass_correlations(&halves, 0.95).unwrap();
/// assert!(icc.consistency.single > 0.9999 && icc.agreement.single < 0.99);
/// ```
pub fn intraclass_correlations(table: &[Vec<f64>], confidence: f64) -> Option<IntraclassCorrelations> {
    let squares = mean_squares(table)?;
    if !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let (n, k) = (table.len() as f64, table[0].len() as f64);
    let (between, crossed) = (n - 1.0, (n - 1.0) * (k - 1.0));
    let upper = (1.0 + confidence) / 2.0;
    Some(IntraclassCorrelations {
        one_way: by_variance_ratio(squares.rows, squares.within, k, [between, n * (k - 1.0)], upper)?,
        agreement: agreement(&squares, n, k, [between, crossed], upper)?,
        consistency: by_variance_ratio(squares.rows, squares.error, k, [between, crossed], upper)?,
    })
}

/// ICC(1) and ICC(3): functions of `F = rows / error` alone, so an interval of the variance ratio is one of them.
fn by_variance_ratio(rows: f64, error: f64, k: f64, freedom: [f64; 2], upper: f64) -> Option<Reliability> {
    let [between, within] = freedom;
    let single = (rows - error) / (rows + (k - 1.0) * error);
    let average = (rows - error) / rows;
    let ratio = rows / error;
    let mut intervals = (None, None);
    if error > 0.0 {
        let low = ratio / f_quantile(upper, between, within)?;
        let high = ratio * f_quantile(upper, within, between)?;
        let of_single = |ratio: f64| (ratio - 1.0) / (ratio + k - 1.0);
        let of_average = |ratio: f64| 1.0 - 1.0 / ratio;
        intervals.0 = Some(Interval { low: of_single(low), high: of_single(high) });
        intervals.1 = Some(Interval { low: of_average(low), high: of_average(high) });
    }
    let p = f_upper_tail(ratio, between, within)?;
    Some(Reliability { single, average, single_interval: intervals.0, average_interval: intervals.1, p })
}

/// ICC(2), whose interval needs Satterthwaite's degrees of freedom for a sum of two mean squares.
fn agreement(squares: &MeanSquares, n: f64, k: f64, freedom: [f64; 2], upper: f64) -> Option<Reliability> {
    let MeanSquares { rows, columns, error, .. } = *squares;
    let [between, crossed] = freedom;
    let single = (rows - error) / (rows + (k - 1.0) * error + k * (columns - error) / n);
    let average = (rows - error) / (rows + (columns - error) / n);
    if !average.is_finite() {
        return None;
    }
    let mut intervals = (None, None);
    if error > 0.0 {
        let ratio = columns / error;
        let rest = n * (1.0 + (k - 1.0) * single) - k * single;
        let satterthwaite =
            crossed * (k * single * ratio + rest).powi(2) / (between * (k * single * ratio).powi(2) + rest * rest);
        let above = f_quantile(upper, between, satterthwaite)?;
        let below = f_quantile(upper, satterthwaite, between)?;
        let others = k * columns + (k * n - k - n) * error;
        let interval = Interval {
            low: n * (rows - above * error) / (above * others + n * rows),
            high: n * (below * rows - error) / (others + n * below * rows),
        };
        let averaged = |single: f64| single * k / (1.0 + single * (k - 1.0));
        intervals = (Some(interval), Some(Interval { low: averaged(interval.low), high: averaged(interval.high) }));
    }
    let p = f_upper_tail(rows / error, between, crossed)?;
    Some(Reliability { single, average, single_interval: intervals.0, average_interval: intervals.1, p })
}

fn mean_squares(table: &[Vec<f64>]) -> Option<MeanSquares> {
    let columns = table.first()?.len();
    for row in table {
        assert_eq!(row.len(), columns, "a row of the table has {} measurements, the first has {columns}", row.len());
    }
    if table.len() < 2 || columns < 2 || !table.iter().flatten().all(|value| value.is_finite()) {
        return None;
    }
    let (n, k) = (table.len() as f64, columns as f64);
    let mean = table.iter().flatten().sum::<f64>() / (n * k);
    let row_means: Vec<f64> = table.iter().map(|row| row.iter().sum::<f64>() / k).collect();
    let column_means: Vec<f64> =
        (0..columns).map(|column| table.iter().map(|row| row[column]).sum::<f64>() / n).collect();
    let squares = |means: &[f64]| means.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    let (mut within, mut error, mut total) = (0.0, 0.0, 0.0);
    for (row, row_mean) in table.iter().zip(&row_means) {
        for (value, column_mean) in row.iter().zip(&column_means) {
            within += (value - row_mean).powi(2);
            error += (value - row_mean - column_mean + mean).powi(2);
            total += (value - mean).powi(2);
        }
    }
    // The largest rounding error of a difference of values of this size.
    let rounding = (ROUNDING * total).max(n * k * (4.0 * f64::EPSILON * mean).powi(2));
    let clean = |sum: f64| if sum > rounding { sum } else { 0.0 };
    let between = clean(k * squares(&row_means));
    if between == 0.0 {
        return None;
    }
    Some(MeanSquares {
        rows: between / (n - 1.0),
        columns: clean(n * squares(&column_means)) / (k - 1.0),
        error: clean(error) / ((n - 1.0) * (k - 1.0)),
        within: clean(within) / (n * (k - 1.0)),
    })
}

/// The variance with divisor n - 1. `None` with fewer than two values, or one that is not finite.
pub(super) fn variance(values: &[f64]) -> Option<f64> {
    if values.len() < 2 || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    Some(values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Rows (1, 2), (3, 4), (5, 6), (7, 8): row means 1.5, 3.5, 5.5, 7.5, column means 4 and 5, mean 4.5.
        // R = 2 (9 + 1 + 1 + 9) / 3 = 40/3, C = 4 (1/4 + 1/4) = 2, E = 0, W = 4 (1/4 + 1/4) / 4 = 1/2.
        let table: Vec<Vec<f64>> = (0..4).map(|row| vec![f64::from(2 * row + 1), f64::from(2 * row + 2)]).collect();
        let icc = intraclass_correlations(&table, 0.95).unwrap();
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-14, "got {got}, want {want}");
        close(icc.one_way.single, (40.0 / 3.0 - 0.5) / (40.0 / 3.0 + 0.5));
        close(icc.one_way.average, (40.0 / 3.0 - 0.5) / (40.0 / 3.0));
        close(icc.agreement.single, (40.0 / 3.0) / (40.0 / 3.0 + 1.0));
        close(icc.agreement.average, (40.0 / 3.0) / (40.0 / 3.0 + 0.5));
        assert_eq!((icc.consistency.single, icc.consistency.average, icc.consistency.p), (1.0, 1.0, 0.0));
        assert_eq!((icc.consistency.single_interval, icc.agreement.single_interval), (None, None));
        assert!(icc.one_way.single_interval.unwrap().contains(icc.one_way.single));
    }

    #[test]
    fn the_average_is_the_single_one_stepped_up() {
        let table = [[0.3, 0.5, 0.1], [0.9, 0.7, 0.8], [0.2, 0.4, 0.4], [0.6, 0.6, 0.9]].map(|row| row.to_vec());
        let icc = intraclass_correlations(&table, 0.9).unwrap();
        for form in [icc.one_way, icc.agreement, icc.consistency] {
            let stepped_up = super::super::spearman_brown(form.single, 3.0).unwrap();
            assert!((form.average - stepped_up).abs() < 1e-12, "{form:?}");
            let (single, average) = (form.single_interval.unwrap(), form.average_interval.unwrap());
            assert!(single.contains(form.single) && average.contains(form.average), "{form:?}");
        }
    }

    #[test]
    fn undefined_is_none() {
        let table = |rows: &[[f64; 2]]| rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>();
        let icc = |rows: &[[f64; 2]]| intraclass_correlations(&table(rows), 0.95);
        assert_eq!(icc(&[]), None);
        assert_eq!(icc(&[[1.0, 2.0]]), None, "one row");
        assert_eq!(icc(&[[0.1, 0.1], [0.1, 0.1], [0.1, 0.1]]), None, "constant");
        assert_eq!(icc(&[[0.1, 0.3], [0.3, 0.1]]), None, "equal row means");
        assert_eq!(icc(&[[1.0, 2.0], [3.0, f64::NAN]]), None);
        assert_eq!(intraclass_correlations(&[vec![1.0], vec![2.0]], 0.95), None, "one column");
        assert_eq!(intraclass_correlations(&table(&[[1.0, 2.0], [2.0, 4.0]]), 1.0), None);
    }

    #[test]
    #[should_panic(expected = "has 1 measurements, the first has 2")]
    fn ragged_tables_panic() {
        intraclass_correlations(&[vec![1.0, 2.0], vec![1.0]], 0.95);
    }
}
