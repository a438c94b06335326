//! Principal component analysis: the best linear code of every size.

use faer::{Mat, MatRef};

use super::LinearAlgebraError;
use super::blocks::{Scatter, affine_map, symmetric_eigen};
use super::rows::{ColumnMeans, Rows};

/// Principal components of a table: `code = (x - mean) U_k`, `x ~ code U_k' + mean`, the columns of `U_k` being the `k`
/// eigenvectors of the covariance with the largest eigenvalues (Pearson 1901, Hotelling 1933).
///
/// No linear code of `k` numbers reconstructs the training rows with a smaller squared error. The covariance is
/// accumulated in `f64` from centred blocks of rows and decomposed directly: with more images than pixels that is less
/// work than a singular value decomposition of the table, and in `f64` squaring the singular values leaves 8 digits.
#[derive(Clone, Debug)]
pub struct Pca {
    mean: Vec<f64>,
    /// `[features, features]`, a component per column.
    components: Mat<f64>,
    variances: Vec<f64>,
}

impl Pca {
    /// Decomposes the covariance (divisor n - 1) of the rows.
    ///
    /// # Errors
    /// [`TooFewRows`](LinearAlgebraError::TooFewRows) below two rows, [`NotFinite`](LinearAlgebraError::NotFinite).
    pub fn fit(rows: Rows) -> Result<Self, LinearAlgebraError> {
        Self::fit_pieces(rows.columns(), |each| {
            each(rows);
            Ok(())
        })
    }

    /// The same of rows that need not be in memory together: `pass` hands them over in pieces, and is called twice, for the
    /// means and for the covariance about them. How rows are cut into pieces does not change a bit.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and those of `pass`.
    ///
    /// # Panics
    /// If a piece has another number of columns.
    pub fn fit_pieces<E: From<LinearAlgebraError>>(
        columns: usize,
        mut pass: impl FnMut(&mut dyn FnMut(Rows)) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut means = ColumnMeans::new(columns);
        pass(&mut |rows| {
            rows.assert_columns(columns, "PCA");
            means.add(rows);
        })?;
        let (mean, count) = means.finish();
        if count < 2 {
            return Err(LinearAlgebraError::TooFewRows { got: count, needed: 2 }.into());
        }
        let mut scatter = Scatter::new(&mean);
        pass(&mut |rows| scatter.add(rows))?;
        let (scatter, components) = symmetric_eigen(&scatter.finish())?;
        // Rounding may leave an eigenvalue of a singular covariance slightly below zero.
        let variances = scatter.iter().map(|value| value.max(0.0) / (count - 1) as f64).collect();
        Ok(Pca { mean, components, variances })
    }

    /// Number of features, and of components.
    pub fn features(&self) -> usize {
        self.mean.len()
    }

    /// The mean of every feature.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The variance along every component, in falling order. Their sum is the total variance of the rows.
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// Component `index` (0 has the largest variance): a unit vector whose entry of largest magnitude is positive.
    ///
    /// # Panics
    /// If there are not that many components.
    pub fn component(&self, index: usize) -> Vec<f64> {
        self.components.col(index).iter().copied().collect()
    }

    /// The matrix `V diag(1 / sqrt(variance + floor)) V'`, row by row: rows times it have variances of (nearly) 1 in all
    /// directions, and stay as close to what they were as that allows (ZCA, Bell and Sejnowski 1997). A direction without
    /// variance and without a floor is left out instead of divided by zero.
    pub fn whitening(&self, floor: f64) -> Vec<f64> {
        let features = self.features();
        let scale = |index: usize| {
            let scale = (self.variances[index] + floor).sqrt().recip();
            if scale.is_finite() { scale } else { 0.0 }
        };
        let scaled = Mat::from_fn(features, features, |i, j| self.components[(i, j)] * scale(j));
        // Symmetric, so its columns are its rows.
        let whitening = scaled * self.components.transpose();
        whitening.col_iter().flat_map(|column| column.iter().copied().collect::<Vec<f64>>()).collect()
    }

    /// Codes of `size` numbers, row after row.
    ///
    /// # Panics
    /// If `size` is 0 or exceeds the number of features, or the columns differ from those of the fit.
    pub fn transform(&self, rows: Rows, size: usize) -> Vec<f32> {
        rows.assert_columns(self.features(), "PCA");
        affine_map(rows, &self.mean, self.basis(size), &vec![0.0; size])
    }

    /// The rows that codes made by [`transform`](Self::transform) stand for; the size is the codes' number of columns.
    ///
    /// # Panics
    /// If a code has more numbers than there are features.
    pub fn inverse_transform(&self, codes: Rows) -> Vec<f32> {
        let size = codes.columns();
        affine_map(codes, &vec![0.0; size], self.basis(size).transpose(), &self.mean)
    }

    /// The rows after passing through a code of `size` numbers: the best linear reconstruction.
    ///
    /// # Panics
    /// As [`transform`](Self::transform).
    pub fn reconstruct(&self, rows: Rows, size: usize) -> Vec<f32> {
        self.inverse_transform(Rows::new(&self.transform(rows, size), size))
    }

    #[track_caller]
    fn basis(&self, size: usize) -> MatRef<'_, f64> {
        assert!(
            (1..=self.features()).contains(&size),
            "PCA: a code of {size} numbers from {} features",
            self.features()
        );
        self.components.subcols(0, size)
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};
    use rand_distr::StandardNormal;

    use super::super::rows::mean_squared_error;
    use super::*;

    /// 200 rows of 6 features with standard deviations 6, 5, ..., 1, mixed by a shear, around a mean of 10.
    fn sample() -> Vec<f32> {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(5);
        let mut values = Vec::new();
        for _ in 0..200 {
            let mut row: Vec<f32> = (0..6).map(|i| (6 - i) as f32 * rng.sample::<f32, _>(StandardNormal)).collect();
            (1..6).for_each(|i| row[i] += 0.5 * row[i - 1]);
            values.extend(row.iter().map(|value| value + 10.0));
        }
        values
    }

    #[test]
    fn pieces_of_any_length_give_the_same_bits() {
        let values: Vec<f32> = (0..6).flat_map(|_| sample()).collect();
        let whole = Pca::fit(Rows::new(&values, 6)).unwrap();
        // 1,200 rows are two blocks and a part of one.
        for rows in [1, 7, 512, 1_000] {
            let pass = |piece: &mut dyn FnMut(Rows)| {
                values.chunks(6 * rows).for_each(|values| piece(Rows::new(values, 6)));
                Ok::<(), LinearAlgebraError>(())
            };
            let pieces = Pca::fit_pieces(6, pass).unwrap();
            assert!(pieces.mean == whole.mean && pieces.components == whole.components, "{rows}");
            assert_eq!(pieces.variances, whole.variances);
        }
        let none = Pca::fit_pieces(6, |_| Ok::<(), LinearAlgebraError>(()));
        assert!(matches!(none, Err(LinearAlgebraError::TooFewRows { got: 0, needed: 2 })));
    }

    #[test]
    fn by_hand() {
        // Along [3, 4] / 5 with offsets -2, 0, 2 around [1, 1]: variance 4, and none across.
        let values = [1.0 - 1.2, 1.0 - 1.6, 1.0, 1.0, 1.0 + 1.2, 1.0 + 1.6];
        let rows = Rows::new(&values, 2);
        let pca = Pca::fit(rows).unwrap();
        assert!((pca.variances()[0] - 4.0).abs() < 1e-6 && pca.variances()[1] < 1e-12, "{:?}", pca.variances());
        let first = pca.component(0);
        assert!((first[0] - 0.6).abs() < 1e-6 && (first[1] - 0.8).abs() < 1e-6, "{first:?}");
        for (code, want) in pca.transform(rows, 1).into_iter().zip([-2.0, 0.0, 2.0]) {
            assert!((code - want).abs() < 1e-6);
        }
        assert!(mean_squared_error(&pca.reconstruct(rows, 1), &values) < 1e-12);
    }

    #[test]
    fn what_is_left_out_is_the_variance_of_the_components_left_out() {
        let values = sample();
        let rows = Rows::new(&values, 6);
        let pca = Pca::fit(rows).unwrap();
        assert!(pca.variances().is_sorted_by(|a, b| a >= b));
        for size in 1..=6 {
            let error = mean_squared_error(&pca.reconstruct(rows, size), &values);
            let left_out: f64 = pca.variances()[size..].iter().sum();
            assert!((error * 6.0 - left_out * 199.0 / 200.0).abs() < 1e-4, "{size} components: {error}");
        }
    }

    #[test]
    fn components_are_orthonormal_with_their_sign_fixed() {
        let pca = Pca::fit(Rows::new(&sample(), 6)).unwrap();
        for i in 0..6 {
            let component = pca.component(i);
            let largest = component.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap();
            assert!(largest > 0.0);
            for j in 0..6 {
                let product: f64 = component.iter().zip(pca.component(j)).map(|(a, b)| a * b).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn more_features_than_rows_leave_variances_of_zero() {
        let values: Vec<f32> = (0..3 * 8).map(|i| ((i * i) % 7) as f32).collect();
        let pca = Pca::fit(Rows::new(&values, 8)).unwrap();
        assert!(pca.variances()[1] > 0.1 && pca.variances()[2..].iter().all(|&variance| variance < 1e-12));
        assert!(mean_squared_error(&pca.reconstruct(Rows::new(&values, 8), 2), &values) < 1e-10);
    }

    #[test]
    fn the_errors() {
        assert_eq!(
            Pca::fit(Rows::new(&[1.0, 2.0], 2)).unwrap_err(),
            LinearAlgebraError::TooFewRows { got: 1, needed: 2 }
        );
        let diverged = [1.0, 2.0, f32::INFINITY, 4.0];
        assert_eq!(Pca::fit(Rows::new(&diverged, 2)).unwrap_err(), LinearAlgebraError::NotFinite);
    }

    #[test]
    #[should_panic(expected = "a code of 7 numbers from 6 features")]
    fn a_code_longer_than_the_row_panics() {
        let values = sample();
        Pca::fit(Rows::new(&values, 6)).unwrap().transform(Rows::new(&values, 6), 7);
    }
}
