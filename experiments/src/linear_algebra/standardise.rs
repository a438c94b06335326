//! Features of mean 0 and standard deviation 1.

use super::rows::{Rows, column_means};

/// A standard deviation below this counts as 1: the feature is constant, and dividing would blow up its rounding.
pub const SMALLEST_DEVIATION: f64 = 1e-6;

/// `(x - mean) / sd` per feature, with mean and standard deviation taken from the training rows only.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardiser {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Standardiser {
    /// Measures mean and standard deviation (divisor n, as scikit-learn's `StandardScaler`) of every column. A
    /// deviation below [`SMALLEST_DEVIATION`] becomes 1.
    ///
    /// Values that are not finite give a NaN mean and features of NaN; no rows, likewise.
    pub fn fit(train: Rows) -> Self {
        let mean = column_means(train);
        let mut deviation = vec![0.0; train.columns()];
        for row in train.iter() {
            for ((sum, &value), &mean) in deviation.iter_mut().zip(row).zip(&mean) {
                *sum += (f64::from(value) - mean).powi(2);
            }
        }
        for sum in &mut deviation {
            let sd = (*sum / train.count() as f64).sqrt();
            *sum = if sd < SMALLEST_DEVIATION { 1.0 } else { sd };
        }
        Standardiser { mean, deviation }
    }

    /// The mean of every feature.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// What every feature is divided by.
    pub fn deviation(&self) -> &[f64] {
        &self.deviation
    }

    /// The standardised rows, row after row.
    ///
    /// # Panics
    /// If the number of columns differs from that of the fit.
    pub fn apply(&self, rows: Rows) -> Vec<f32> {
        rows.assert_columns(self.mean.len(), "standardise");
        let scaled = |row: &[f32]| -> Vec<f32> {
            let statistics = self.mean.iter().zip(&self.deviation);
            row.iter().zip(statistics).map(|(&x, (mean, sd))| ((f64::from(x) - mean) / sd) as f32).collect()
        };
        rows.iter().flat_map(scaled).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn train_rows_get_mean_zero_and_deviation_one() {
        let train = [1.0, 0.1, -5.0, 3.0, 0.1, -4.0, 5.0, 0.1, 0.0];
        let standardiser = Standardiser::fit(Rows::new(&train, 3));
        let scaled = standardiser.apply(Rows::new(&train, 3));
        let again = Standardiser::fit(Rows::new(&scaled, 3));
        for (column, constant) in [(0, false), (1, true), (2, false)] {
            assert!(again.mean()[column].abs() < 1e-7);
            assert!((again.deviation()[column] - 1.0).abs() < 1e-6);
            assert_eq!(scaled[column] == 0.0, constant, "a constant feature becomes 0");
        }
    }

    #[test]
    fn other_rows_use_the_statistics_of_the_training_rows() {
        let standardiser = Standardiser::fit(Rows::new(&[0.0, 4.0], 1));
        assert_eq!((standardiser.mean(), standardiser.deviation()), (&[2.0][..], &[2.0][..]));
        assert_eq!(standardiser.apply(Rows::new(&[2.0, 8.0, -2.0], 1)), [0.0, 3.0, -2.0]);
    }

    #[test]
    fn a_large_mean_costs_no_digits() {
        let train: Vec<f32> = (0..1000).map(|i| 4096.0 + if i % 2 == 0 { 0.5 } else { -0.5 }).collect();
        assert_eq!(Standardiser::fit(Rows::new(&train, 1)).deviation(), [0.5]);
    }

    #[test]
    #[should_panic(expected = "rows of 3 columns, fitted to 2")]
    fn other_columns_panic() {
        Standardiser::fit(Rows::new(&[0.0; 4], 2)).apply(Rows::new(&[0.0; 6], 3));
    }
}
