//! Linear discriminant analysis: the directions along which classes lie apart most.

use faer::Mat;

use super::LinearAlgebraError;
use super::blocks::{scatter_matrix, symmetric_eigen};
use super::rows::{Rows, column_means};

/// Directions `w` that maximise between-class over within-class variance, `w' S_b w / w' S_w w`: the eigenvectors of
/// `S_w^-1 S_b` (Fisher 1936, Rao 1948).
///
/// Classes count alike, however many rows they have: `S_w` is the mean of the classes' covariances (divisor: rows of the
/// class), `S_b` the covariance of the class means (divisor: classes). `S_w` gets [`RIDGE`](Self::RIDGE) times its mean
/// diagonal on the diagonal. Where it is singular, because features are constant within classes (the black border of a
/// picture) or there are fewer different rows than features, it gets [`SINGULAR_RIDGE`](Self::SINGULAR_RIDGE) times that:
/// directions in which nothing varied would otherwise give new rows numbers without bounds.
///
/// A direction is scaled to a within-class variance of 1, its entry of largest magnitude is positive. With C classes
/// only the first C - 1 tell classes apart; the others have eigenvalue 0 and any basis of that space would do.
#[derive(Clone, Debug)]
pub struct DiscriminantDirections {
    mean: Vec<f64>,
    /// `[features, features]`, a direction per column.
    directions: Mat<f64>,
    ratios: Vec<f64>,
}

impl DiscriminantDirections {
    /// The share of the mean within-class variance that is added to each.
    pub const RIDGE: f64 = 1e-6;

    /// The same where a variance is 0, up to [`SINGULAR`](Self::SINGULAR).
    pub const SINGULAR_RIDGE: f64 = 1e-2;

    /// The share of the mean within-class variance below which one counts as 0.
    pub const SINGULAR: f64 = 1e-9;

    /// Finds the directions for rows with one label each.
    ///
    /// # Errors
    /// [`TooFewRows`](LinearAlgebraError::TooFewRows) unless two classes have rows,
    /// [`NotFinite`](LinearAlgebraError::NotFinite).
    ///
    /// # Panics
    /// If there are not as many labels as rows.
    pub fn fit(rows: Rows, labels: &[u32]) -> Result<Self, LinearAlgebraError> {
        assert_eq!(rows.count(), labels.len(), "LDA: {} rows, {} labels", rows.count(), labels.len());
        let columns = rows.columns();
        let mut classes: Vec<u32> = labels.to_vec();
        classes.sort_unstable();
        classes.dedup();
        if classes.len() < 2 {
            return Err(LinearAlgebraError::TooFewRows { got: classes.len(), needed: 2 });
        }
        let share = 1.0 / classes.len() as f64;
        let mut within = Mat::<f64>::zeros(columns, columns);
        let mut means = Vec::with_capacity(classes.len());
        for &class in &classes {
            let own = rows.iter().zip(labels).filter(|&(_, &label)| label == class);
            let values: Vec<f32> = own.flat_map(|(row, _)| row.iter().copied()).collect();
            let own = Rows::new(&values, columns);
            let mean = column_means(own);
            within += scatter_matrix(own, &mean) * faer::Scale(share / own.count() as f64);
            means.push(mean);
        }
        let mean: Vec<f64> = (0..columns).map(|i| means.iter().map(|mean| mean[i]).sum::<f64>() * share).collect();
        let centred = Mat::from_fn(classes.len(), columns, |class, i| means[class][i] - mean[i]);

        let mean_variance = (0..columns).map(|i| within[(i, i)]).sum::<f64>() / columns as f64;
        // S_w = V L V', and with the ridge V (L + ridge) V'. In the coordinates T = V (L + ridge)^-1/2 it is the identity, and
        // S_b an ordinary symmetric matrix.
        let (values, vectors) = symmetric_eigen(&within)?;
        let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let share_added = if smallest > Self::SINGULAR * mean_variance { Self::RIDGE } else { Self::SINGULAR_RIDGE };
        let ridge = share_added * mean_variance;
        // If nothing varies within classes, every direction counts alike.
        let ridge = if ridge > 0.0 { ridge } else { 1.0 };
        let scaled = Mat::from_fn(columns, columns, |i, j| vectors[(i, j)] / (values[j].max(0.0) + ridge).sqrt());
        let seen = &centred * &scaled;
        let between = seen.transpose() * &seen * faer::Scale(share);
        let (ratios, rotation) = symmetric_eigen(&between)?;
        let mut directions = &scaled * rotation;
        for column in directions.col_iter_mut() {
            let largest = (0..columns).fold(0, |best, i| if column[i].abs() > column[best].abs() { i } else { best });
            if column[largest] < 0.0 {
                column.iter_mut().for_each(|value| *value = -*value);
            }
        }
        Ok(Self { mean, directions, ratios: ratios.into_iter().map(|ratio| ratio.max(0.0)).collect() })
    }

    /// The mean of the class means.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Between-class over within-class variance along every direction, in falling order.
    pub fn ratios(&self) -> &[f64] {
        &self.ratios
    }

    /// Direction `index`, of within-class variance 1.
    ///
    /// # Panics
    /// If there are not that many features.
    pub fn direction(&self, index: usize) -> Vec<f64> {
        self.directions.col(index).iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};
    use rand_distr::StandardNormal;

    use super::*;

    /// Two classes of unequal size with a common covariance, whose direction is known: `S_w^-1 (m_1 - m_0)`.
    #[test]
    fn two_classes_have_fishers_direction() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(9);
        let (mut values, mut labels) = (Vec::new(), Vec::new());
        for i in 0..900 {
            let class = u32::from(i % 3 == 0);
            let [a, b, c]: [f32; 3] = std::array::from_fn(|_| rng.sample(StandardNormal));
            let shift = if class == 1 { 1.0 } else { 0.0 };
            values.extend([3.0 * a + shift, 3.0 * a + b + shift, 0.5 * c - 0.3 * shift]);
            labels.push(class);
        }
        let rows = Rows::new(&values, 3);
        let lda = DiscriminantDirections::fit(rows, &labels).unwrap();
        // From the definition, in f64: 3 x 3 by Cramer's rule.
        let of = |class: u32| -> (Vec<f64>, Mat<f64>) {
            let own: Vec<f32> =
                rows.iter().zip(&labels).filter(|&(_, &l)| l == class).flat_map(|(r, _)| r.to_vec()).collect();
            let own = Rows::new(&own, 3);
            let mean = column_means(own);
            let scatter = scatter_matrix(own, &mean);
            (mean, Mat::from_fn(3, 3, |i, j| scatter[(i.max(j), i.min(j))] / own.count() as f64))
        };
        let ((m0, s0), (m1, s1)) = (of(0), of(1));
        let s = Mat::from_fn(3, 3, |i, j| (s0[(i, j)] + s1[(i, j)]) / 2.0);
        let d: Vec<f64> = m1.iter().zip(&m0).map(|(a, b)| a - b).collect();
        let determinant = |m: &Mat<f64>| {
            (0..3)
                .map(|i| {
                    m[(0, i)] * (m[(1, (i + 1) % 3)] * m[(2, (i + 2) % 3)] - m[(1, (i + 2) % 3)] * m[(2, (i + 1) % 3)])
                })
                .sum::<f64>()
        };
        let solution: Vec<f64> = (0..3)
            .map(|column| {
                let replaced = Mat::from_fn(3, 3, |i, j| if j == column { d[i] } else { s[(i, j)] });
                determinant(&replaced) / determinant(&s)
            })
            .collect();
        let found = lda.direction(0);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let cosine = dot(&found, &solution) / (dot(&found, &found) * dot(&solution, &solution)).sqrt();
        assert!(cosine.abs() > 1.0 - 1e-9, "{cosine}");
        // The variance between two means is d^2 / 4, that within is 1.
        let along = dot(&found, &d).powi(2) / 4.0;
        assert!((lda.ratios()[0] / along - 1.0).abs() < 1e-9);
        let within: f64 = (0..3).map(|i| (0..3).map(|j| found[i] * s[(i, j)] * found[j]).sum::<f64>()).sum();
        assert!((within - 1.0).abs() < 1e-4, "{within}");
        assert!(lda.ratios()[1] < 1e-9 && lda.ratios()[2] < 1e-9);
    }

    #[test]
    fn one_class_is_an_error_and_constant_features_are_not() {
        let rows = Rows::new(&[1.0, 0.0, 2.0, 0.0, 3.0, 0.0, 5.0, 0.0], 2);
        let error = DiscriminantDirections::fit(rows, &[4, 4, 4, 4]).unwrap_err();
        assert_eq!(error, LinearAlgebraError::TooFewRows { got: 1, needed: 2 });
        let lda = DiscriminantDirections::fit(rows, &[0, 0, 1, 1]).unwrap();
        assert!(lda.direction(0).iter().all(|value| value.is_finite()));
        assert!(lda.direction(0)[1].abs() < 1e-6);
    }
}
