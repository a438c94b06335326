//! Classes as normal distributions of one covariance: Fisher's criterion, and the linear discriminant classifier.

use faer::Mat;

use super::LinearAlgebraError;
use super::blocks::{affine_map, scatter_matrix, symmetric_eigen};
use super::rows::{Rows, column_means};

/// A direction in which the standardised classes vary less than this is left out: scikit-learn's `tol`, squared.
const NO_VARIANCE: f64 = 1e-8;

/// Added to the within-class covariance in Fisher's criterion, in units of its mean variance.
pub const FISHER_REGULARISATION: f64 = 1e-6;

/// Means of the classes, and how rows scatter around them.
struct ClassScatter {
    counts: Vec<usize>,
    /// One row for each class; the overall mean for a class without rows.
    means: Vec<Vec<f64>>,
    mean: Vec<f64>,
    /// `sum (x - m_c)(x - m_c)'` over rows x of class c with mean m_c; the lower triangle.
    within: Mat<f64>,
}

impl ClassScatter {
    #[track_caller]
    fn new(rows: Rows, labels: &[u32], classes: usize) -> Result<Self, LinearAlgebraError> {
        assert_eq!(rows.count(), labels.len(), "classes: {} rows, {} labels", rows.count(), labels.len());
        if rows.count() == 0 {
            return Err(LinearAlgebraError::TooFewRows { got: 0, needed: 1 });
        }
        let mean = column_means(rows);
        if !mean.iter().all(|mean| mean.is_finite()) {
            return Err(LinearAlgebraError::NotFinite);
        }
        let columns = rows.columns();
        let mut of_class: Vec<Vec<f32>> = vec![Vec::new(); classes];
        for (row, &label) in rows.iter().zip(labels) {
            let class = of_class.get_mut(label as usize);
            class.unwrap_or_else(|| panic!("label {label}, but there are {classes} classes")).extend_from_slice(row);
        }
        let mut within = Mat::zeros(columns, columns);
        let mut means = Vec::with_capacity(classes);
        for rows in &of_class {
            let rows = Rows::new(rows, columns);
            let class_mean = if rows.count() == 0 { mean.clone() } else { column_means(rows) };
            within += scatter_matrix(rows, &class_mean);
            means.push(class_mean);
        }
        let counts = of_class.iter().map(|rows| rows.len() / columns).collect();
        Ok(Self { counts, means, mean, within })
    }

    /// `m_c - m`, a class per column.
    fn offsets(&self) -> Mat<f64> {
        Mat::from_fn(self.mean.len(), self.means.len(), |i, class| self.means[class][i] - self.mean[i])
    }
}

/// Fisher's criterion `J = tr((S_w + eps I)^-1 S_b)`: how far class means are apart, in units of the spread inside classes.
///
/// `S_w` is the covariance of rows around the mean of their class, `S_b` that of the means, weighted by the size of their class;
/// both with the divisor n. `eps` is [`FISHER_REGULARISATION`] times the mean of the diagonal of `S_w`, so that J does not change
/// when a code is scaled, and stays finite when a direction has no variance. Infinite when only class means differ, and 0 when
/// nothing does (a dead code).
///
/// # Errors
/// [`TooFewRows`](LinearAlgebraError::TooFewRows) without rows, [`NotFinite`](LinearAlgebraError::NotFinite).
///
/// # Panics
/// If there are not as many labels as rows, or a label is not below `classes`.
#[track_caller]
pub fn fisher_criterion(rows: Rows, labels: &[u32], classes: usize) -> Result<f64, LinearAlgebraError> {
    let scatter = ClassScatter::new(rows, labels, classes)?;
    let (n, columns) = (rows.count() as f64, rows.columns());
    let within = Mat::from_fn(columns, columns, |i, j| scatter.within[(i, j)] / n);
    let trace: f64 = (0..columns).map(|i| within[(i, i)]).sum();
    let eps = FISHER_REGULARISATION * trace / columns as f64;
    let (values, vectors) = symmetric_eigen(&within)?;
    let rotated = vectors.transpose() * scatter.offsets();
    let mut criterion = 0.0;
    for (i, value) in values.iter().enumerate() {
        let between = |(class, &count): (usize, &usize)| count as f64 / n * rotated[(i, class)].powi(2);
        let between: f64 = scatter.counts.iter().enumerate().map(between).sum();
        // Rounding may leave an eigenvalue slightly below zero.
        criterion += if between > 0.0 { between / (value.max(0.0) + eps) } else { 0.0 };
    }
    Ok(criterion)
}

/// The linear discriminant classifier: the class of the largest posterior when every class is a normal distribution with a mean
/// of its own and the covariance common to all.
///
/// ```text
/// logit_c(x) = (x - m) S^-1 (m_c - m)' - 1/2 (m_c - m) S^-1 (m_c - m)' + ln(n_c / n)
/// ```
///
/// S has the divisor n - classes. Features are first divided by their standard deviation inside classes, and directions in
/// which hardly anything varies are left out: the rules of scikit-learn's `LinearDiscriminantAnalysis(solver="svd")`, from
/// an eigen-decomposition (Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 4.3).
#[derive(Clone, Debug)]
pub struct LinearDiscriminant {
    mean: Vec<f64>,
    /// `[features, classes]`.
    weight: Mat<f64>,
    bias: Vec<f64>,
}

impl LinearDiscriminant {
    /// Estimates means and covariance.
    ///
    /// # Errors
    /// [`TooFewRows`](LinearAlgebraError::TooFewRows) when there are not more rows than classes,
    /// [`NotFinite`](LinearAlgebraError::NotFinite).
    ///
    /// # Panics
    /// If there are not as many labels as rows, or a label is not below `classes`.
    #[track_caller]
    pub fn fit(rows: Rows, labels: &[u32], classes: usize) -> Result<Self, LinearAlgebraError> {
        if rows.count() <= classes {
            return Err(LinearAlgebraError::TooFewRows { got: rows.count(), needed: classes + 1 });
        }
        let scatter = ClassScatter::new(rows, labels, classes)?;
        let (n, columns) = (rows.count() as f64, rows.columns());
        let inverse_deviation = |i: usize| {
            let variance = scatter.within[(i, i)] / n;
            if variance > 0.0 { 1.0 / variance.sqrt() } else { 1.0 }
        };
        let scale: Vec<f64> = (0..columns).map(inverse_deviation).collect();
        let occurring = scatter.counts.iter().filter(|&&count| count > 0).count() as f64;
        let covariance =
            Mat::from_fn(columns, columns, |i, j| scatter.within[(i, j)] * scale[i] * scale[j] / (n - occurring));
        let (values, vectors) = symmetric_eigen(&covariance)?;
        let offsets = scatter.offsets();
        let scaled = Mat::from_fn(columns, classes, |i, class| scale[i] * offsets[(i, class)]);
        let rotated = vectors.transpose() * scaled;
        let shrink = |i: usize| if values[i] > NO_VARIANCE { 1.0 / values[i] } else { 0.0 };
        let whitened = Mat::from_fn(columns, classes, |i, class| shrink(i) * rotated[(i, class)]);
        let mut weight = vectors * &whitened;
        for (i, scale) in scale.iter().enumerate() {
            weight.row_mut(i).iter_mut().for_each(|weight| *weight *= scale);
        }
        let bias = scatter.counts.iter().enumerate().map(|(class, &count)| {
            let squared: f64 = (0..columns).map(|i| rotated[(i, class)] * whitened[(i, class)]).sum();
            (count as f64 / n).ln() - 0.5 * squared
        });
        let bias = bias.collect();
        Ok(Self { mean: scatter.mean, weight, bias })
    }

    /// The logits of every row, `[N, classes]`: the posteriors are their soft-max. Minus infinity for a class without rows.
    ///
    /// # Panics
    /// If the number of columns differs from that of the fit.
    pub fn logits(&self, rows: Rows) -> Vec<f32> {
        rows.assert_columns(self.mean.len(), "linear discriminant");
        affine_map(rows, &self.mean, self.weight.as_ref(), &self.bias)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fishers_criterion_by_hand() {
        // One feature: class 0 at -3, -1, class 1 at 1, 3. S_w = 1, S_b = 4; eps = 1e-6.
        let values = [-3.0, -1.0, 1.0, 3.0];
        let criterion = |values: &[f32]| fisher_criterion(Rows::new(values, 1), &[0, 0, 1, 1], 2).unwrap();
        assert!((criterion(&values) - 4.0 / 1.000001).abs() < 1e-12);
        assert!((criterion(&values.map(|x| 1000.0 * x)) - 4.0 / 1.000001).abs() < 1e-12, "scaling changes nothing");
        assert_eq!(criterion(&[2.0; 4]), 0.0, "a dead code");
        assert_eq!(criterion(&[1.0, 1.0, 2.0, 2.0]), f64::INFINITY);
        // A second, unrelated feature adds nothing: variances 1 and 4, means equal.
        let two: Vec<f32> = values.iter().zip([2.0, -2.0, 2.0, -2.0]).flat_map(|(&x, y)| [x, y]).collect();
        let criterion = fisher_criterion(Rows::new(&two, 2), &[0, 0, 1, 1], 2).unwrap();
        // Inside classes x and y correlate: x = -1, 1 with y = 2, -2, so the covariance is [[1, -2], [-2, 4]], singular.
        // Along (2, 1) / sqrt(5) nothing varies, and the means are 4 / sqrt(5) on either side of 0: J ~ 16 / 5 / eps.
        assert!((criterion / (16.0 / 5.0 / 2.5e-6) - 1.0).abs() < 1e-5, "{criterion}");
    }

    #[test]
    fn the_discriminant_by_hand() {
        // As above: S = 4 / (4 - 2) = 2, m = 0, priors 1/2. logit_1 - logit_0 = x (2 - -2) / 2 = 2 x.
        let fit = LinearDiscriminant::fit(Rows::new(&[-3.0, -1.0, 1.0, 3.0], 1), &[0, 0, 1, 1], 2).unwrap();
        for (x, logits) in [0.0, 1.5, -4.0].iter().zip(fit.logits(Rows::new(&[0.0, 1.5, -4.0], 1)).chunks(2)) {
            assert!((logits[1] - logits[0] - 2.0 * x).abs() < 1e-5, "{x}: {logits:?}");
        }
    }

    #[test]
    fn classes_without_rows_are_never_chosen_and_constant_features_do_no_harm() {
        let rows = [-3.0, 7.0, -1.0, 7.0, 1.0, 7.0, 3.0, 7.0];
        let fit = LinearDiscriminant::fit(Rows::new(&rows, 2), &[0, 0, 2, 2], 3).unwrap();
        let logits = fit.logits(Rows::new(&[1.0, 8.0], 2));
        assert!(logits[1] == f32::NEG_INFINITY && (logits[2] - logits[0] - 2.0).abs() < 1e-5, "{logits:?}");
    }

    #[test]
    fn the_errors() {
        let fit = |rows: &[f32]| {
            let labels: Vec<u32> = (0..rows.len()).map(|i| (i % 2) as u32).collect();
            LinearDiscriminant::fit(Rows::new(rows, 1), &labels, 2).map(|_| ()).unwrap_err()
        };
        assert_eq!(fit(&[1.0, 2.0]), LinearAlgebraError::TooFewRows { got: 2, needed: 3 });
        assert_eq!(fit(&[1.0, 2.0, f32::NAN]), LinearAlgebraError::NotFinite);
        assert_eq!(fisher_criterion(Rows::new(&[f32::NAN], 1), &[0], 1), Err(LinearAlgebraError::NotFinite));
    }
}
