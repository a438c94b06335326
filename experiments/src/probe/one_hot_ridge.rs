//! The ridge probe: least squares on one-hot targets, in closed form.

use super::{Features, FittedProbe, ProbeError, arg_max, table};
use crate::{
    classification::accuracy,
    linear_algebra::{Ridge, RidgeSettings, Rows},
};
use patchgrad::{Tensor, Workspace};

/// The penalties tried (for standardised features and the mean loss: see [`Ridge`]), largest first.
pub const RIDGE_PENALTIES: [f64; 6] = [1.0, 1e-1, 1e-2, 1e-3, 1e-4, 0.0];

/// Ridge regression on the one-hot codes of the labels; the class is that of the largest output.
#[derive(Clone, Debug)]
pub struct RidgeProbe {
    ridge: Ridge,
    classes: usize,
}

impl RidgeProbe {
    /// Fits every penalty (one eigen-decomposition serves all) and keeps the one with the best validation accuracy; of
    /// equals, the one with the lowest squared error on validation data.
    ///
    /// # Errors
    /// When a feature is not finite, or there are no rows.
    ///
    /// # Panics
    /// If rows and labels do not fit or no penalty is given.
    pub fn fit(train: Features, validation: Features, classes: usize, penalties: &[f64]) -> Result<Self, ProbeError> {
        let settings = RidgeSettings { penalties, standardise: true };
        let targets = one_hot(train.labels, classes);
        let path = Ridge::fit_path(train.table(), Rows::new(&targets, classes), settings)?;
        let targets = one_hot(validation.labels, classes);
        let mut best: Option<(f64, f64, Ridge)> = None;
        for ridge in path {
            let outputs = ridge.predict(validation.table());
            let squared = outputs.iter().zip(&targets).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
            let error: f64 = squared.sum();
            let outputs = Tensor::new([validation.labels.len(), classes], &outputs);
            let accuracy = accuracy(&arg_max(&outputs, classes), validation.labels);
            let better = best.as_ref().is_none_or(|(best_accuracy, best_error, _)| {
                accuracy > *best_accuracy || (accuracy == *best_accuracy && error < *best_error)
            });
            if better {
                best = Some((accuracy, error, ridge));
            }
        }
        let (_, _, ridge) = best.expect("at least one penalty");
        Ok(Self { ridge, classes })
    }

    /// The fitted map.
    pub fn ridge(&self) -> &Ridge {
        &self.ridge
    }
}

impl FittedProbe for RidgeProbe {
    fn predict(&self, rows: &Tensor, _workspace: &mut Workspace) -> Result<Vec<u32>, ProbeError> {
        Features { rows, labels: &[] }.check_finite()?;
        let outputs = self.ridge.predict(table(rows));
        Ok(arg_max(&Tensor::new([outputs.len() / self.classes, self.classes], &outputs), self.classes))
    }

    fn choice(&self) -> Option<(&'static str, f64)> {
        Some(("penalty", self.ridge.penalty()))
    }
}

/// 1 for the class of the label, 0 for the others.
fn one_hot(labels: &[u32], classes: usize) -> Vec<f32> {
    labels
        .iter()
        .flat_map(|&label| (0..classes).map(move |class| f32::from(u8::from(class == label as usize))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::tests::clusters, *};

    #[test]
    fn the_penalty_of_the_best_validation_accuracy_is_chosen() {
        let ((rows, labels), (validation_rows, validation_labels)) = (clusters(40, 2.0, 0), clusters(200, 2.0, 1));
        let train = Features { rows: &rows, labels: &labels };
        let validation = Features { rows: &validation_rows, labels: &validation_labels };
        let accuracy = |penalties: &[f64]| {
            let probe = RidgeProbe::fit(train, validation, 3, penalties).unwrap();
            (probe.ridge().penalty(), probe.accuracy(validation, &mut Workspace::new()).unwrap())
        };
        let (penalty, chosen) = accuracy(&RIDGE_PENALTIES);
        let alone: Vec<(f64, f64)> = RIDGE_PENALTIES.iter().map(|&penalty| accuracy(&[penalty])).collect();
        assert!(alone.iter().all(|&(_, other)| other <= chosen), "{alone:?}");
        assert!(alone.contains(&(penalty, chosen)) && (0.6..0.95).contains(&chosen), "{penalty}, {chosen}");
    }

    #[test]
    fn one_hot_by_hand() {
        assert_eq!(one_hot(&[2, 0], 3), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    }
}
