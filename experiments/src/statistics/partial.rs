//! Rank correlation with other quantities held fixed.

use super::assert_paired;
use super::correlation::{average_ranks, pearson};
use crate::linear_algebra::{orthonormalise, remove_projection};

/// A residual shorter than this share of the ranks it is left of is rounding: the covariates explain everything.
const NOTHING_LEFT: f64 = 1e-9;

/// Result of [`partial_spearman`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PartialCorrelation {
    /// The correlation of what the covariates leave unexplained.
    pub rho: f64,
    /// How many independent covariates were held fixed: the `k` of `N - 3 - k` in an equivalence test.
    pub controlled: usize,
}

/// Spearman's rho of `x` and `y` with `covariates` held fixed: Pearson's r of the residuals which remain when the ranks
/// of `x` and the ranks of `y` are each regressed, by least squares, on a constant and the covariates.
///
/// A covariate is a column with one value per row, used as it is (not ranked): `ln h`, or [`indicator_columns`] of a
/// category. Columns that depend on earlier ones are ignored and not counted, so any set of columns is allowed. Without
/// covariates this is [`spearman`](super::spearman).
///
/// `None` if a value is not finite, if fewer than `controlled + 3` rows are left to speak, or if the covariates explain
/// the ranks of `x` or of `y` completely.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// use pitfall::statistics::{partial_spearman, spearman};
///
/// // Both grow with the size; at equal size they pull in opposite directions.
/// let size = vec![1.0, 1.0, 1.0, 2.0, 2.0, 2.0];
/// let (x, y) = ([1.0, 2.0, 3.0, 11.0, 12.0, 13.0], [3.0, 2.0, 1.0, 13.0, 12.0, 11.0]);
/// assert!(spearman(&x, &y).unwrap() > 0.5);
/// assert!(partial_spearman(&x, &y, &[size]).unwrap().rho < -0.99);
/// ```
pub fn partial_spearman(x: &[f64], y: &[f64], covariates: &[Vec<f64>]) -> Option<PartialCorrelation> {
    assert_paired(x, y);
    partial_of_ranks(average_ranks(x)?, average_ranks(y)?, covariates)
}

/// [`partial_spearman`] of what is ranked already.
pub(super) fn partial_of_ranks(
    ranks_x: Vec<f64>,
    ranks_y: Vec<f64>,
    covariates: &[Vec<f64>],
) -> Option<PartialCorrelation> {
    let ([x, y], controlled) = unexplained([ranks_x, ranks_y], covariates)?;
    Some(PartialCorrelation { rho: pearson(&x, &y)?, controlled })
}

/// What the covariates leave unexplained of each of the ranks, and how many of them are independent. Without any, the ranks
/// stay as they are: Pearson's r takes the constant away itself.
///
/// `None` where [`partial_spearman`] of two of them is, but for ranks that are constant.
pub(super) fn unexplained<const COLUMNS: usize>(
    mut ranks: [Vec<f64>; COLUMNS],
    covariates: &[Vec<f64>],
) -> Option<([Vec<f64>; COLUMNS], usize)> {
    let rows = ranks[0].len();
    let basis = explained_directions(rows, covariates)?;
    // The constant is the first direction; with no rows there is not even that.
    let controlled = basis.len().checked_sub(1)?;
    if controlled == 0 {
        return Some((ranks, controlled));
    }
    if rows < controlled + 3 {
        return None;
    }
    for column in &mut ranks {
        *column = residual(std::mem::take(column), &basis)?;
    }
    Some((ranks, controlled))
}

/// One variable with covariates held fixed, to be compared with many orders of another: a permutation test shuffles `y`,
/// while `x` and the covariates stay, so their part of the work is done once.
pub(super) struct Controlled {
    /// The constant, then the covariates.
    basis: Vec<Vec<f64>>,
    /// What the basis leaves of the ranks of x, and its length.
    residual: Vec<f64>,
    length: f64,
}

impl Controlled {
    /// `None` where the partial correlation with any `y` is.
    pub(super) fn new(x: &[f64], covariates: &[Vec<f64>]) -> Option<Self> {
        let basis = explained_directions(x.len(), covariates)?;
        let residual = residual(average_ranks(x)?, &basis)?;
        let length = dot(&residual, &residual).sqrt();
        Some(Controlled { basis, residual, length })
    }

    /// The partial rank correlation, given the ranks of `y` about their mean. Agrees with [`partial_of_ranks`] to rounding.
    pub(super) fn rho(&self, centred_ranks: &[f64]) -> Option<f64> {
        let whole = dot(centred_ranks, centred_ranks);
        // The ranks have no part along the constant, the first direction.
        let explained: f64 = self.basis.iter().skip(1).map(|direction| dot(direction, centred_ranks).powi(2)).sum();
        let left = whole - explained;
        // A difference of two nearly equal sums: its own rounding is larger than that of a residual.
        (left > 1e-12 * whole).then(|| dot(&self.residual, centred_ranks) / (self.length * left.sqrt()))
    }
}

/// An orthonormal basis of the constant and the covariates; `None` if a value is not finite.
fn explained_directions(rows: usize, covariates: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    for column in covariates {
        assert_eq!(column.len(), rows, "a covariate has {} values for {rows} rows", column.len());
        if !column.iter().all(|value| value.is_finite()) {
            return None;
        }
    }
    let mut explained = vec![vec![1.0; rows]];
    explained.extend_from_slice(covariates);
    Some(orthonormalise(explained))
}

/// What is left of `ranks` beside the orthonormal `basis`; `None` if only rounding is left.
fn residual(mut ranks: Vec<f64>, basis: &[Vec<f64>]) -> Option<Vec<f64>> {
    let length = |vector: &[f64]| dot(vector, vector).sqrt();
    let before = length(&ranks);
    remove_projection(&mut ranks, basis);
    (length(&ranks) > NOTHING_LEFT * before).then_some(ranks)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// One column of zeros and ones per level but the first (in rising order): a category as covariates.
///
/// The first level is the one that the constant of the regression stands for.
///
/// ```
/// use pitfall::statistics::indicator_columns;
/// assert_eq!(indicator_columns(&["relu", "linear", "relu", "sigmoid"]), [[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]);
/// ```
pub fn indicator_columns<T: Ord>(categories: &[T]) -> Vec<Vec<f64>> {
    let mut levels: Vec<&T> = categories.iter().collect();
    levels.sort();
    levels.dedup();
    let indicator = |level: &T| categories.iter().map(|category| f64::from(u8::from(category == level))).collect();
    levels.into_iter().skip(1).map(indicator).collect()
}

#[cfg(test)]
mod tests {
    use super::super::spearman;
    use super::*;

    const X: [f64; 12] = [0.90, 0.85, 0.93, 0.70, 0.88, 0.95, 0.60, 0.91, 0.77, 0.83, 0.97, 0.66];
    const Y: [f64; 12] = [0.81, 0.79, 0.84, 0.80, 0.78, 0.88, 0.75, 0.85, 0.80, 0.74, 0.83, 0.79];
    const SIZE: [f64; 12] = [16.0, 16.0, 64.0, 16.0, 32.0, 128.0, 16.0, 64.0, 32.0, 32.0, 128.0, 16.0];
    const DEPTH: [f64; 12] = [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0];

    fn close(got: Option<PartialCorrelation>, rho: f64, controlled: usize) {
        let got = got.expect("the partial correlation exists");
        assert!((got.rho - rho).abs() < 1e-12 && got.controlled == controlled, "{got:?}, want {rho} and {controlled}");
    }

    #[test]
    fn agrees_with_numpy_and_scipy() {
        // numpy 2.4, scipy 1.17: r = rankdata(v); r - A @ lstsq(A, r)[0] for both, A = [1, ln SIZE, ...]; pearsonr of
        // these.
        let ln_size: Vec<f64> = SIZE.iter().map(|size| size.ln()).collect();
        close(partial_spearman(&X, &Y, &[]), 0.7403554346427416, 0);
        close(partial_spearman(&X, &Y, std::slice::from_ref(&ln_size)), 0.4381156632222375, 1);
        close(partial_spearman(&X, &Y, &[ln_size.clone(), DEPTH.to_vec()]), 0.36643465060365504, 2);
        // The complement of a covariate adds nothing, and is not counted.
        let complement = DEPTH.iter().map(|depth| 1.0 - depth).collect();
        close(partial_spearman(&X, &Y, &[ln_size, DEPTH.to_vec(), complement]), 0.36643465060365504, 2);
    }

    #[test]
    fn without_covariates_it_is_spearman() {
        close(partial_spearman(&X, &Y, &[]), spearman(&X, &Y).unwrap(), 0);
        close(partial_spearman(&X, &Y, &[vec![7.0; 12]]), spearman(&X, &Y).unwrap(), 0);
        close(partial_spearman(&[1.0, 2.0], &[5.0, 3.0], &[]), -1.0, 0);
    }

    #[test]
    fn the_prepared_form_agrees() {
        let centred: Vec<f64> = average_ranks(&Y).unwrap().iter().map(|rank| rank - 6.5).collect();
        for covariates in [vec![], vec![SIZE.to_vec()], vec![SIZE.to_vec(), DEPTH.to_vec()]] {
            let prepared = Controlled::new(&X, &covariates).unwrap().rho(&centred).unwrap();
            assert!((prepared - partial_spearman(&X, &Y, &covariates).unwrap().rho).abs() < 1e-14);
        }
        let explained = Controlled::new(&X, &[average_ranks(&Y).unwrap()]).unwrap();
        assert_eq!(explained.rho(&centred), None);
    }

    #[test]
    fn undefined_is_none() {
        assert_eq!(partial_spearman(&X, &Y, &[average_ranks(&X).unwrap()]), None, "x is explained completely");
        assert_eq!(partial_spearman(&X, &[2.0; 12], &[SIZE.to_vec()]), None, "y is constant");
        let mut diverged = SIZE.to_vec();
        diverged[0] = f64::NAN;
        assert_eq!(partial_spearman(&X, &Y, &[diverged]), None);
        assert_eq!(partial_spearman(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0], &[vec![0.0, 1.0, 5.0]]), None, "too few rows");
        assert_eq!(partial_spearman(&[], &[], &[]), None);
    }
}
