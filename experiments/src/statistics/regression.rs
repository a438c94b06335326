//! How much of a quantity do others explain, or predict? Least squares.

use super::assert_paired;
use super::bootstrap::Interval;
use super::distributions::{f_upper_tail, student_t_quantile, student_t_two_sided_p};
use crate::linear_algebra::{orthonormalise, remove_projection};

/// A share of the variation smaller than this is rounding.
const ROUNDING: f64 = 1e-20;

/// A row whose leverage is this close to 1 determines a parameter of its own: leaving it out leaves that parameter open.
const FULL_LEVERAGE: f64 = 1e-9;

/// A least-squares fit with a constant; see [`explained_variance`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Explained {
    /// Rows that entered.
    pub rows: usize,
    /// Independent columns, the constant not counted.
    pub parameters: usize,
    /// Share of the variance explained on the rows themselves; it can only grow with every column.
    pub r_squared: f64,
    /// `1 - (1 - R2) (n - 1) / (n - parameters - 1)`: about unbiased for the population.
    pub adjusted_r_squared: f64,
    /// Share of the variance predicted by the fit to all *other* rows, `1 - PRESS / SS`: negative where the mean predicts
    /// better. `None` if a row has a column to itself, as the only network of its kind does.
    pub predictive_r_squared: Option<f64>,
    /// F statistic of "the columns explain nothing"; `None` without columns or where the fit is exact.
    pub f: Option<f64>,
    /// Its p-value.
    pub p: Option<f64>,
}

/// How much of `y` the columns explain by least squares with a constant. Categories enter as
/// [`indicator_columns`](super::indicator_columns): then `r_squared` is the eta squared of a one-way analysis of variance.
/// Columns that depend on earlier ones are ignored and not counted.
///
/// `None` if a value is not finite, `y` is constant, or fewer than `parameters + 2` rows are left to speak.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// use pitfall::statistics::explained_variance;
///
/// let (y, x) = ([1.0, 3.0, 2.0, 5.0, 4.0], vec![1.0, 2.0, 3.0, 4.0, 5.0]);
/// let fit = explained_variance(&y, &[x]).unwrap();
/// assert!((fit.r_squared - 0.64).abs() < 1e-12 && fit.predictive_r_squared.unwrap() < fit.adjusted_r_squared);
/// ```
pub fn explained_variance(y: &[f64], columns: &[Vec<f64>]) -> Option<Explained> {
    for column in columns {
        assert_paired(column, y);
        if !column.iter().all(|value| value.is_finite()) {
            return None;
        }
    }
    let rows = y.len();
    if rows < 2 || !y.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mean = y.iter().sum::<f64>() / rows as f64;
    let centred: Vec<f64> = y.iter().map(|value| value - mean).collect();
    let total = sum_of_squares(&centred);
    if total <= rows as f64 * (4.0 * f64::EPSILON * mean).powi(2) {
        return None;
    }
    let mut directions = vec![vec![1.0; rows]];
    directions.extend_from_slice(columns);
    let basis = orthonormalise(directions);
    let parameters = basis.len() - 1;
    let freedom = rows.checked_sub(parameters + 1).filter(|&freedom| freedom > 0)?;
    let mut residuals = centred;
    remove_projection(&mut residuals, &basis);
    let left = Some(sum_of_squares(&residuals)).filter(|left| *left > ROUNDING * total).unwrap_or(0.0);

    let leverage = |row: usize| basis.iter().map(|direction| direction[row].powi(2)).sum::<f64>();
    let press = residuals
        .iter()
        .enumerate()
        .map(|(row, residual)| {
            let share_of_others = 1.0 - leverage(row);
            (share_of_others > FULL_LEVERAGE).then(|| (residual / share_of_others).powi(2))
        })
        .sum::<Option<f64>>();
    let f =
        (parameters > 0 && left > 0.0).then(|| ((total - left) / parameters as f64 / (left / freedom as f64)).max(0.0));
    Some(Explained {
        rows,
        parameters,
        r_squared: 1.0 - left / total,
        adjusted_r_squared: 1.0 - left / total * (rows - 1) as f64 / freedom as f64,
        predictive_r_squared: press.map(|press| 1.0 - press / total),
        f,
        p: f.and_then(|f| f_upper_tail(f, parameters as f64, freedom as f64)),
    })
}

impl Explained {
    /// What this fit explains beyond `smaller`, a fit of the same `y` to some of the same columns: the gain in R2, and the
    /// p-value of the F test of "the additional columns explain nothing" (`None` where there are none or the fit is exact).
    ///
    /// # Panics
    /// If the fits rest on different numbers of rows or `smaller` has more parameters.
    pub fn beyond(&self, smaller: &Explained) -> (f64, Option<f64>) {
        assert_eq!(self.rows, smaller.rows, "the fits rest on {} and {} rows", self.rows, smaller.rows);
        assert!(
            smaller.parameters <= self.parameters,
            "the smaller fit has {} parameters, this one {}",
            smaller.parameters,
            self.parameters
        );
        let gain = self.r_squared - smaller.r_squared;
        let added = self.parameters - smaller.parameters;
        let freedom = self.rows - self.parameters - 1;
        let testable = added > 0 && self.r_squared < 1.0;
        let f = testable.then(|| (gain / added as f64 / ((1.0 - self.r_squared) / freedom as f64)).max(0.0));
        (gain, f.and_then(|f| f_upper_tail(f, added as f64, freedom as f64)))
    }
}

/// A straight line through the points, with its uncertainty; see [`linear_trend`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Change of `y` per unit of `x`.
    pub slope: f64,
    /// Value at `x = 0`.
    pub intercept: f64,
    /// Standard error of the slope.
    pub standard_error: f64,
    /// Interval of the slope, by Student's t with n - 2 degrees of freedom.
    pub interval: Interval,
    /// Two-sided p-value of "the slope is zero".
    pub p: f64,
}

/// The least-squares line of `y` on `x`, such as gain in accuracy on the logarithm of unlabelled per labelled images.
///
/// The interval takes the points as independent with equal, normal errors; along one training run they are not, and
/// several runs are better summed up by a mean of their slopes.
///
/// `None` with fewer than three points, a value that is not finite, a constant `x`, or a confidence that is not strictly
/// between 0 and 1.
///
/// # Panics
/// If the lengths differ.
pub fn linear_trend(x: &[f64], y: &[f64], confidence: f64) -> Option<Trend> {
    assert_paired(x, y);
    let finite = x.iter().chain(y).all(|value| value.is_finite());
    if x.len() < 3 || !finite || x.iter().all(|value| *value == x[0]) || !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let n = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let squares_x: f64 = x.iter().map(|x| (x - mean_x).powi(2)).sum();
    let slope = x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / squares_x;
    let intercept = mean_y - slope * mean_x;
    let left: f64 = x.iter().zip(y).map(|(x, y)| (y - mean_y - slope * (x - mean_x)).powi(2)).sum();
    let standard_error = (left / (n - 2.0) / squares_x).sqrt();
    if !(slope.is_finite() && standard_error.is_finite()) {
        return None;
    }
    let half_width = student_t_quantile((1.0 + confidence) / 2.0, n - 2.0)? * standard_error;
    let p = match (slope == 0.0, standard_error == 0.0) {
        (true, true) => 1.0,
        (false, true) => 0.0,
        _ => student_t_two_sided_p(slope / standard_error, n - 2.0)?,
    };
    let interval = Interval { low: slope - half_width, high: slope + half_width };
    Some(Trend { slope, intercept, standard_error, interval, p })
}

fn sum_of_squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

#[cfg(test)]
mod tests {
    use super::super::{indicator_columns, pearson};
    use super::*;

    const Y: [f64; 8] = [2.0, 1.5, 3.5, 3.0, 4.5, 6.5, 5.0, 7.5];
    const X: [f64; 8] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];

    #[track_caller]
    fn close(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-12, "got {got}, want {want}");
    }

    #[test]
    fn one_column_is_pearsons_r_squared() {
        let fit = explained_variance(&Y, &[X.to_vec()]).unwrap();
        close(fit.r_squared, pearson(&X, &Y).unwrap().powi(2));
        // The F test of one column is the t test of the slope.
        close(fit.p.unwrap(), linear_trend(&X, &Y, 0.95).unwrap().p);
    }

    #[test]
    fn a_category_is_a_one_way_analysis_of_variance() {
        // Means 2 and 5, grand mean 3.5: SS between 4 (9/4 + 9/4)... = 13.5 of 13.5 + 4 within; F = 13.5 / (4 / 4).
        let fit = explained_variance(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &indicator_columns(&[0, 0, 0, 1, 1, 1])).unwrap();
        close(fit.r_squared, 13.5 / 17.5);
        close(fit.f.unwrap(), 13.5);
    }

    #[test]
    fn prediction_refits_without_the_row() {
        let columns = [X.to_vec(), X.iter().map(|x| (x * 1.7).sin()).collect()];
        let fit = explained_variance(&Y, &columns).unwrap();
        let mut press = 0.0;
        for left_out in 0..8 {
            let without = |values: &[f64]| {
                values.iter().enumerate().filter(|(row, _)| *row != left_out).map(|(_, v)| *v).collect::<Vec<_>>()
            };
            // The prediction of a row is what makes its residual vanish in the fit with a column for that row alone.
            let mut own = vec![0.0; 8];
            own[left_out] = 1.0;
            let basis = orthonormalise([vec![1.0; 8]].into_iter().chain(columns.clone()).chain([own]).collect());
            let direction = basis.last().unwrap();
            let along: f64 = direction.iter().zip(&Y).map(|(d, y)| d * y).sum();
            press += (along / direction[left_out]).powi(2);
            assert!(explained_variance(&without(&Y), &[without(&X)]).is_some());
        }
        let mean = Y.iter().sum::<f64>() / 8.0;
        let total: f64 = Y.iter().map(|y| (y - mean).powi(2)).sum();
        close(fit.predictive_r_squared.unwrap(), 1.0 - press / total);
    }

    #[test]
    fn the_only_row_of_its_kind_cannot_be_predicted() {
        let fit = explained_variance(&Y, &indicator_columns(&[0, 0, 0, 0, 1, 1, 1, 2])).unwrap();
        assert_eq!((fit.predictive_r_squared, fit.parameters), (None, 2));
        assert!(fit.r_squared > 0.5);
    }

    #[test]
    fn more_columns_and_what_they_add() {
        let small = explained_variance(&Y, &[X.to_vec()]).unwrap();
        let doubled = explained_variance(&Y, &[X.to_vec(), X.iter().map(|x| 2.0 * x + 1.0).collect()]).unwrap();
        assert_eq!(doubled.parameters, 1, "a dependent column is not counted");
        assert_eq!(doubled.beyond(&small).1, None);
        let nothing = explained_variance(&Y, &[]).unwrap();
        assert_eq!((nothing.parameters, nothing.f), (0, None));
        close(nothing.r_squared, 0.0);
        let (gain, p) = small.beyond(&nothing);
        close(gain, small.r_squared);
        close(p.unwrap(), small.p.unwrap());
    }

    #[test]
    fn an_exact_line() {
        let y: Vec<f64> = X.iter().map(|x| 2.0 * x - 3.0).collect();
        let trend = linear_trend(&X, &y, 0.95).unwrap();
        assert_eq!((trend.slope, trend.intercept, trend.standard_error, trend.p), (2.0, -3.0, 0.0, 0.0));
        assert_eq!(linear_trend(&X, &[4.0; 8], 0.95).unwrap().p, 1.0);
        let fit = explained_variance(&y, &[X.to_vec()]).unwrap();
        assert_eq!((fit.r_squared, fit.f, fit.predictive_r_squared.map(|r| r > 0.999)), (1.0, None, Some(true)));
    }

    #[test]
    fn undefined_is_none() {
        assert_eq!(explained_variance(&[], &[]), None);
        assert_eq!(explained_variance(&[0.1; 5], &[]), None, "constant");
        assert_eq!(explained_variance(&[1.0, 2.0], &[vec![1.0, 2.0]]), None, "no row left");
        assert_eq!(explained_variance(&[1.0, f64::NAN, 2.0], &[]), None);
        assert_eq!(explained_variance(&[1.0, 3.0, 2.0], &[vec![1.0, f64::INFINITY, 2.0]]), None);
        assert_eq!(linear_trend(&[1.0, 2.0], &[1.0, 2.0], 0.95), None);
        assert_eq!(linear_trend(&[1.0; 3], &[1.0, 2.0, 3.0], 0.95), None);
        assert_eq!(linear_trend(&[1.0, 2.0, f64::NAN], &[1.0, 2.0, 3.0], 0.95), None);
        assert_eq!(linear_trend(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], 0.0), None);
    }
}
