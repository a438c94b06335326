//! A table of numbers, seen through a slice.

/// A table of `f32` stored row after row: one row per image, one column per feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rows<'a> {
    values: &'a [f32],
    columns: usize,
}

impl<'a> Rows<'a> {
    /// Views `values` as rows of `columns` values.
    ///
    /// # Panics
    /// If `columns` is 0 or does not divide the number of values.
    #[track_caller]
    pub fn new(values: &'a [f32], columns: usize) -> Self {
        assert!(
            columns > 0 && values.len().is_multiple_of(columns),
            "{} values cannot be split into rows of {columns}",
            values.len()
        );
        Rows { values, columns }
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.values.len() / self.columns
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row after row.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// The rows, in order.
    pub fn iter(&self) -> std::slice::ChunksExact<'a, f32> {
        self.values.chunks_exact(self.columns)
    }

    /// Panics unless there are `expected` columns; `what` says of what.
    #[track_caller]
    pub(super) fn assert_columns(&self, expected: usize, what: &str) {
        assert_eq!(self.columns, expected, "{what}: rows of {} columns, fitted to {expected}", self.columns);
    }
}

/// The mean of every column, in `f64`; NaN without rows.
pub(super) fn column_means(rows: Rows) -> Vec<f64> {
    let mut means = ColumnMeans::new(rows.columns());
    means.add(rows);
    means.finish().0
}

/// [`column_means`] of rows that come in pieces.
pub(super) struct ColumnMeans {
    sums: Vec<f64>,
    count: usize,
}

impl ColumnMeans {
    pub(super) fn new(columns: usize) -> Self {
        Self { sums: vec![0.0; columns], count: 0 }
    }

    pub(super) fn add(&mut self, rows: Rows) {
        for row in rows.iter() {
            self.sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        self.count += rows.count();
    }

    /// The means and the number of rows.
    pub(super) fn finish(mut self) -> (Vec<f64>, usize) {
        self.sums.iter_mut().for_each(|sum| *sum /= self.count as f64);
        (self.sums, self.count)
    }
}

/// Mean over all values of the squared difference between two equally long slices; NaN if they are empty.
#[cfg(test)]
pub(super) fn mean_squared_error(a: &[f32], b: &[f32]) -> f64 {
    let mut error = SquaredError::default();
    error.add(a, b);
    error.mean()
}

/// The mean squared difference of values that come in pieces, to the same bits wherever they are cut.
#[derive(Debug, Default)]
pub(super) struct SquaredError {
    sum: f64,
    count: usize,
}

impl SquaredError {
    /// Adds two equally long pieces.
    pub(super) fn add(&mut self, a: &[f32], b: &[f32]) {
        self.sum = a.iter().zip(b).fold(self.sum, |sum, (&a, &b)| sum + (f64::from(a) - f64::from(b)).powi(2));
        self.count += a.len();
    }

    /// NaN without values.
    pub(super) fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_rows_and_means() {
        let rows = Rows::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 9.0], 3);
        assert_eq!((rows.count(), rows.columns()), (2, 3));
        assert_eq!(column_means(rows), [2.5, 3.5, 6.0]);
        assert_eq!(mean_squared_error(&[1.0, 2.0], &[1.0, 4.0]), 2.0);
    }

    #[test]
    #[should_panic(expected = "5 values cannot be split into rows of 3")]
    fn a_ragged_table_panics() {
        Rows::new(&[0.0; 5], 3);
    }
}
