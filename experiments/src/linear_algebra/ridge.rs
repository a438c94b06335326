//! Ridge regression with many outputs: the best linear decoder of a code, in closed form.

use faer::{Mat, MatRef};

use super::LinearAlgebraError;
use super::blocks::{affine_map, affine_map_in_blocks, cross_scatter_matrix, scatter_matrix, symmetric_eigen};
use super::rows::{Rows, SquaredError, column_means};
use super::standardise::Standardiser;

/// An eigenvalue of the Gram matrix below this share of the largest is rounding: that direction holds no data. The
/// bound is the size of the rounding of `f32` features, squared.
const NO_DATA: f64 = 1e-14;

/// What [`Ridge::fit_path`] fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RidgeSettings<'a> {
    /// The penalties `lambda >= 0`, one fit each.
    pub penalties: &'a [f64],
    /// Whether features are divided by their standard deviation first (see [`Standardiser`]), so that the penalty does
    /// not depend on their units. Fits are given in terms of the features as they are, either way.
    pub standardise: bool,
}

/// A linear map with bias, `y = x W + b`, that minimises
/// `1 / (2 n) sum |y - x W - b|^2 + lambda / 2 |W|^2` over the n training rows; the bias is not penalised.
///
/// The minimum: `b = mean_y - mean_x W` and `(G + lambda I) W = C`, with `G` and `C` the covariances (divisor n) of x
/// with x and of x with y (Hoerl & Kennard 1970). One eigen-decomposition of `G` serves all penalties. `lambda = 0` is
/// least squares, the solution of smallest norm if there are several. scikit-learn's `Ridge(alpha)` is `lambda = alpha
/// / n`.
#[derive(Clone, Debug)]
pub struct Ridge {
    /// `[features, outputs]`.
    weight: Mat<f64>,
    bias: Vec<f64>,
    penalty: f64,
}

impl Ridge {
    /// Fits one map per penalty, in their order.
    ///
    /// # Errors
    /// [`TooFewRows`](LinearAlgebraError::TooFewRows) without rows, [`NotFinite`](LinearAlgebraError::NotFinite).
    ///
    /// # Panics
    /// If `x` and `y` differ in rows, or a penalty is negative or not finite.
    pub fn fit_path(x: Rows, y: Rows, settings: RidgeSettings) -> Result<Vec<Self>, LinearAlgebraError> {
        assert_eq!(x.count(), y.count(), "ridge: {} rows of features, {} of targets", x.count(), y.count());
        if x.count() == 0 {
            return Err(LinearAlgebraError::TooFewRows { got: 0, needed: 1 });
        }
        let (mean_x, mean_y) = (column_means(x), column_means(y));
        if !mean_y.iter().all(|mean| mean.is_finite()) {
            return Err(LinearAlgebraError::NotFinite);
        }
        let scale = if settings.standardise {
            Standardiser::fit(x).deviation().iter().map(|sd| 1.0 / sd).collect()
        } else {
            vec![1.0; x.columns()]
        };
        let n = x.count() as f64;
        let (own, cross) = (scatter_matrix(x, &mean_x), cross_scatter_matrix(x, &mean_x, y, &mean_y));
        let gram = Mat::from_fn(own.nrows(), own.ncols(), |i, j| own[(i, j)] * scale[i] * scale[j] / n);
        let covariance = Mat::from_fn(cross.nrows(), cross.ncols(), |i, j| cross[(i, j)] * scale[i] / n);
        let (values, vectors) = symmetric_eigen(&gram)?;
        let rotated = vectors.transpose() * covariance;
        let fit = |&penalty: &f64| {
            assert!(penalty >= 0.0 && penalty.is_finite(), "ridge: the penalty is {penalty}, but must be 0 or more");
            let shrink: Vec<f64> = values
                .iter()
                .map(|&value| if value > NO_DATA * values[0] { 1.0 / (value + penalty) } else { 0.0 })
                .collect();
            let mut weight =
                &vectors * Mat::from_fn(rotated.nrows(), rotated.ncols(), |i, j| shrink[i] * rotated[(i, j)]);
            for (i, scale) in scale.iter().enumerate() {
                weight.row_mut(i).iter_mut().for_each(|w| *w *= scale);
            }
            Ridge::with_bias(weight, &mean_x, &mean_y, penalty)
        };
        Ok(settings.penalties.iter().map(fit).collect())
    }

    /// The bias that maps the mean of the features to the mean of the targets.
    fn with_bias(weight: Mat<f64>, mean_x: &[f64], mean_y: &[f64], penalty: f64) -> Self {
        let mapped_mean = MatRef::from_row_major_slice(mean_x, 1, mean_x.len()) * &weight;
        let bias = mean_y.iter().enumerate().map(|(j, mean)| mean - mapped_mean[(0, j)]).collect();
        Ridge { weight, bias, penalty }
    }

    /// The penalty lambda of this fit.
    pub fn penalty(&self) -> f64 {
        self.penalty
    }

    /// The weight from `feature` to `output`.
    ///
    /// # Panics
    /// If either does not exist.
    pub fn weight(&self, feature: usize, output: usize) -> f64 {
        self.weight[(feature, output)]
    }

    /// The bias of every output.
    pub fn bias(&self) -> &[f64] {
        &self.bias
    }

    /// The outputs for every row of features, row after row.
    ///
    /// # Panics
    /// If the number of columns differs from that of the fit.
    pub fn predict(&self, x: Rows) -> Vec<f32> {
        x.assert_columns(self.weight.nrows(), "ridge");
        affine_map(x, &vec![0.0; x.columns()], self.weight.as_ref(), &self.bias)
    }

    /// Mean squared error of the prediction over all rows and outputs.
    ///
    /// # Panics
    /// If the numbers of rows or columns do not fit.
    pub fn error(&self, x: Rows, y: Rows) -> f64 {
        y.assert_columns(self.bias.len(), "ridge targets");
        assert_eq!(x.count(), y.count(), "ridge: {} rows of features, {} of targets", x.count(), y.count());
        x.assert_columns(self.weight.nrows(), "ridge");
        let (mut error, mut left) = (SquaredError::default(), y.values());
        affine_map_in_blocks(x, &vec![0.0; x.columns()], self.weight.as_ref(), &self.bias, |predicted| {
            let (targets, rest) = left.split_at(predicted.len());
            error.add(predicted, targets);
            left = rest;
        });
        error.mean()
    }
}

/// The fit that [`select_ridge`] chose.
#[derive(Clone, Debug)]
pub struct SelectedRidge {
    /// The fit of smallest validation error.
    pub ridge: Ridge,
    /// Validation error (mean squared error) of every fit of the path, in its order.
    pub validation_errors: Vec<f64>,
}

/// Chooses the penalty by the mean squared error on validation rows; of equals, the first.
///
/// A fit with an error of NaN is never chosen; `None` if that leaves nothing.
///
/// # Panics
/// If the numbers of rows or columns do not fit.
pub fn select_ridge(path: Vec<Ridge>, x_validation: Rows, y_validation: Rows) -> Option<SelectedRidge> {
    let validation_errors: Vec<f64> = path.iter().map(|fit| fit.error(x_validation, y_validation)).collect();
    let (ridge, _) = path
        .into_iter()
        .zip(&validation_errors)
        .filter(|(_, error)| !error.is_nan())
        .min_by(|(_, a), (_, b)| a.total_cmp(b))?;
    Some(SelectedRidge { ridge, validation_errors })
}

#[cfg(test)]
mod tests {
    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};
    use rand_distr::StandardNormal;

    use super::*;

    const PLAIN: RidgeSettings = RidgeSettings { penalties: &[0.0, 0.1, 10.0], standardise: false };

    /// Normal features of unequal scale around 3, and 2 outputs that are linear in them plus noise.
    fn sample(count: usize, noise: f32, seed: u64) -> (Vec<f32>, Vec<f32>) {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let row: Vec<f32> =
                [0.5, 1.0, 4.0].map(|scale| 3.0 + scale * rng.sample::<f32, _>(StandardNormal)).to_vec();
            for weights in [[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]] {
                let exact: f32 = row.iter().zip(weights).map(|(x, w)| x * w).sum();
                y.push(exact + 7.0 + noise * rng.sample::<f32, _>(StandardNormal));
            }
            x.extend(row);
        }
        (x, y)
    }

    #[test]
    fn by_hand() {
        // x = -1, 1 and y = 0, 4: G = 1, C = 2, so W = 2 / (1 + lambda), b = 2.
        let path = Ridge::fit_path(Rows::new(&[-1.0, 1.0], 1), Rows::new(&[0.0, 4.0], 1), PLAIN).unwrap();
        for (fit, penalty) in path.iter().zip(PLAIN.penalties) {
            assert_eq!(fit.penalty(), *penalty);
            assert!((fit.weight(0, 0) - 2.0 / (1.0 + penalty)).abs() < 1e-14);
            assert!((fit.bias()[0] - 2.0).abs() < 1e-14);
        }
        assert_eq!(path[0].predict(Rows::new(&[0.5, 3.0], 1)), [3.0, 8.0]);
        assert_eq!(path[0].error(Rows::new(&[0.5, 3.0], 1), Rows::new(&[1.0, 8.0], 1)), 2.0);
    }

    #[test]
    fn without_noise_and_penalty_the_map_is_recovered() {
        let (x, y) = sample(50, 0.0, 1);
        for standardise in [false, true] {
            let settings = RidgeSettings { penalties: &[0.0], standardise };
            let fit = &Ridge::fit_path(Rows::new(&x, 3), Rows::new(&y, 2), settings).unwrap()[0];
            for (output, weights) in [[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]].iter().enumerate() {
                for (feature, weight) in weights.iter().enumerate() {
                    assert!((fit.weight(feature, output) - weight).abs() < 1e-5);
                }
                assert!((fit.bias()[output] - 7.0).abs() < 1e-5);
            }
        }
    }

    /// Gradient of the stated objective with respect to weights (per unit feature) and bias, by its definition.
    fn gradient(fit: &Ridge, x: &[f32], y: &[f32], scale: [f64; 3]) -> Vec<f64> {
        let count = x.len() / 3;
        let mut gradient = vec![0.0; 8];
        for row in 0..count {
            for output in 0..2 {
                let features = |i: usize| f64::from(x[row * 3 + i]);
                let prediction = fit.bias()[output] + (0..3).map(|i| features(i) * fit.weight(i, output)).sum::<f64>();
                let residual = (prediction - f64::from(y[row * 2 + output])) / count as f64;
                (0..3).for_each(|i| gradient[i * 2 + output] += residual * features(i) / scale[i]);
                gradient[6 + output] += residual;
            }
        }
        for i in 0..6 {
            gradient[i] += fit.penalty() * fit.weight(i / 2, i % 2) * scale[i / 2];
        }
        gradient
    }

    #[test]
    fn the_gradient_of_the_objective_vanishes() {
        let (x, y) = sample(80, 1.0, 2);
        let deviation = Standardiser::fit(Rows::new(&x, 3)).deviation().to_vec();
        for (standardise, scale) in [(false, [1.0; 3]), (true, [deviation[0], deviation[1], deviation[2]])] {
            let settings = RidgeSettings { standardise, ..PLAIN };
            for fit in Ridge::fit_path(Rows::new(&x, 3), Rows::new(&y, 2), settings).unwrap() {
                let largest = gradient(&fit, &x, &y, scale).into_iter().fold(0.0, |a: f64, g| a.max(g.abs()));
                assert!(largest < 1e-10, "lambda {}: gradient {largest}", fit.penalty());
            }
        }
    }

    #[test]
    fn duplicate_and_constant_features_take_the_smallest_solution() {
        // Three equal features and a constant one; y = 3 x: weight 1 each.
        let x: Vec<f32> = (0..20).flat_map(|i| [i as f32, i as f32, i as f32, 5.0]).collect();
        let y: Vec<f32> = (0..20).map(|i| 3.0 * i as f32).collect();
        for standardise in [false, true] {
            let settings = RidgeSettings { penalties: &[0.0], standardise };
            let fit = &Ridge::fit_path(Rows::new(&x, 4), Rows::new(&y, 1), settings).unwrap()[0];
            (0..3).for_each(|i| assert!((fit.weight(i, 0) - 1.0).abs() < 1e-9, "{}", fit.weight(i, 0)));
            assert!(fit.weight(3, 0).abs() < 1e-9);
        }
        let constant = Ridge::fit_path(Rows::new(&[5.0; 20], 1), Rows::new(&y, 1), PLAIN).unwrap();
        assert_eq!(constant[0].predict(Rows::new(&[5.0], 1)), [28.5], "a dead code predicts the mean");
    }

    #[test]
    fn validation_chooses_the_penalty() {
        let (x, y) = sample(12, 6.0, 3);
        let (x_validation, y_validation) = sample(200, 6.0, 4);
        let (x_validation, y_validation) = (Rows::new(&x_validation, 3), Rows::new(&y_validation, 2));
        let settings = RidgeSettings { penalties: &[0.0, 0.1, 1.0, 1000.0], standardise: true };
        let path = Ridge::fit_path(Rows::new(&x, 3), Rows::new(&y, 2), settings).unwrap();
        let chosen = select_ridge(path, x_validation, y_validation).unwrap();
        let smallest = chosen.validation_errors.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(chosen.ridge.error(x_validation, y_validation), smallest);
        assert!(chosen.ridge.penalty() > 0.0 && chosen.ridge.penalty() < 1000.0, "{:?}", chosen.validation_errors);
        assert!(select_ridge(vec![], x_validation, y_validation).is_none());
    }

    #[test]
    fn the_errors() {
        let y = [1.0, 2.0];
        let fit =
            |x: &[f32], y: &[f32]| Ridge::fit_path(Rows::new(x, 1), Rows::new(y, 1), PLAIN).map(|_| ()).unwrap_err();
        assert_eq!(fit(&[1.0, f32::NAN], &y), LinearAlgebraError::NotFinite);
        assert_eq!(fit(&y, &[1.0, f32::INFINITY]), LinearAlgebraError::NotFinite);
        assert_eq!(fit(&[], &[]), LinearAlgebraError::TooFewRows { got: 0, needed: 1 });
    }
}
