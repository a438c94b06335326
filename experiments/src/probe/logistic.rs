//! The linear probe: how well a linear classifier tells the classes apart from given features.
//!
//! Multinomial logistic regression on standardised features for several penalties, of which validation data choose one
//! (Alain and Bengio, arXiv 1610.01644):
//!
//! ```text
//! minimise over W, b:   mean over rows of -ln softmax(x W + b)[label]  +  lambda / 2 |W|^2
//! ```
//!
//! The bias is not penalised. Each penalty starts from the weights of the larger one before it and takes at most 100 steps
//! of L-BFGS. Because the penalty is the only choice, the accuracy measures the features and not the luck of a training run.

use super::{
    Features, FittedProbe, ProbeData, ProbeError, arg_max, cross_entropy,
    lbfgs::{Minimum, Settings, minimise},
    standardised,
};
use crate::{classification::accuracy, linear_algebra::Standardiser};
use patchgrad::{Tape, Tensor, Var, Workspace};

/// The penalties tried, largest first: each starts from the weights of the one before.
pub const PENALTIES: [f64; 6] = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 0.0];

/// What a probe found.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    /// The penalty with the best validation accuracy; of equals, the one with the lowest validation cross-entropy.
    pub penalty: f64,
    /// Accuracy on validation data with this penalty.
    pub validation_accuracy: f64,
    /// Accuracy on test data.
    pub test_accuracy: f64,
    /// Mean cross-entropy on test data, in nats.
    pub test_cross_entropy: f64,
    /// The class given to each test row.
    pub predictions: Vec<u32>,
}

/// Probes features with every penalty of [`PENALTIES`] that is given; `None` when a feature is not finite.
///
/// # Panics
/// If rows and labels do not fit or no penalty is given.
pub fn linear_probe(data: &ProbeData, penalties: &[f64], workspace: &mut Workspace) -> Option<Probed> {
    let fitted = LogisticProbe::fit(data.train, data.validation, data.classes, penalties, workspace).ok()?;
    let logits = fitted.logits(data.test.rows, workspace).ok()??;
    let predictions = arg_max(&logits, data.classes);
    Some(Probed {
        penalty: fitted.penalty,
        validation_accuracy: fitted.validation_accuracy,
        test_accuracy: accuracy(&predictions, data.test.labels),
        test_cross_entropy: cross_entropy(&logits, data.test.labels),
        predictions,
    })
}

/// Multinomial logistic regression on standardised features.
#[derive(Clone, Debug)]
pub struct LogisticProbe {
    scale: Standardiser,
    /// `[d, classes]`, then the bias.
    weights: Vec<f64>,
    classes: usize,
    penalty: f64,
    validation_accuracy: f64,
    minimum: Minimum,
}

impl LogisticProbe {
    /// Fits every penalty, each from the weights of the one before, and keeps the one with the best validation accuracy; of
    /// equals, the one with the lowest validation cross-entropy.
    ///
    /// # Errors
    /// When a feature is not finite.
    ///
    /// # Panics
    /// If rows and labels do not fit or no penalty is given.
    pub fn fit(
        train: Features,
        validation: Features,
        classes: usize,
        penalties: &[f64],
        workspace: &mut Workspace,
    ) -> Result<Self, ProbeError> {
        Self::fit_with(&Settings::default(), train, validation, classes, penalties, workspace)
    }

    /// [`LogisticProbe::fit`] with other limits of the search.
    pub(crate) fn fit_with(
        settings: &Settings,
        train: Features,
        validation: Features,
        classes: usize,
        penalties: &[f64],
        workspace: &mut Workspace,
    ) -> Result<Self, ProbeError> {
        let scale = Standardiser::fit(train.table());
        let [train_rows, validation_rows] = [train, validation].map(|part| standardised(&scale, part.rows));
        check_finite(&train_rows)?;
        check_finite(&validation_rows)?;
        let mut weights = vec![0.0; (train_rows.shape().dims()[1] + 1) * classes];
        let mut best: Option<Chosen> = None;
        for &penalty in penalties {
            let objective = Objective { rows: &train_rows, labels: train.labels, classes, penalty };
            let minimum = minimise(&mut weights, settings, |at, gradient| objective.evaluate(at, gradient, workspace));
            let logits = logits(&validation_rows, &weights, classes, workspace);
            let accuracy = accuracy(&arg_max(&logits, classes), validation.labels);
            let cross_entropy = cross_entropy(&logits, validation.labels);
            let candidate = Chosen { penalty, accuracy, cross_entropy, minimum, weights: weights.clone() };
            if best.as_ref().is_none_or(|best| candidate.beats(best)) {
                best = Some(candidate);
            }
        }
        let best = best.expect("at least one penalty");
        Ok(Self {
            scale,
            weights: best.weights,
            classes,
            penalty: best.penalty,
            validation_accuracy: best.accuracy,
            minimum: best.minimum,
        })
    }

    /// How the search ended with the penalty that was chosen.
    pub fn minimum(&self) -> Minimum {
        self.minimum
    }
}

impl FittedProbe for LogisticProbe {
    fn predict(&self, rows: &Tensor, workspace: &mut Workspace) -> Result<Vec<u32>, ProbeError> {
        let logits = self.logits(rows, workspace)?.expect("this probe gives logits");
        Ok(arg_max(&logits, self.classes))
    }

    fn logits(&self, rows: &Tensor, workspace: &mut Workspace) -> Result<Option<Tensor>, ProbeError> {
        let rows = standardised(&self.scale, rows);
        check_finite(&rows)?;
        Ok(Some(logits(&rows, &self.weights, self.classes, workspace)))
    }

    fn choice(&self) -> Option<(&'static str, f64)> {
        Some(("penalty", self.penalty))
    }
}

/// Refuses features that are not finite, or were not before they were standardised.
fn check_finite(rows: &Tensor) -> Result<(), ProbeError> {
    Features { rows, labels: &[] }.check_finite()
}

/// A trained probe and how it does on validation data.
struct Chosen {
    penalty: f64,
    accuracy: f64,
    cross_entropy: f64,
    minimum: Minimum,
    weights: Vec<f64>,
}

impl Chosen {
    fn beats(&self, other: &Self) -> bool {
        self.accuracy > other.accuracy || (self.accuracy == other.accuracy && self.cross_entropy < other.cross_entropy)
    }
}

/// The penalised loss as a function of the flat weights: `[d, classes]`, then the bias `[classes]`.
struct Objective<'a> {
    rows: &'a Tensor,
    labels: &'a [u32],
    classes: usize,
    penalty: f64,
}

impl Objective<'_> {
    /// The loss; writes its gradient.
    fn evaluate(&self, weights: &[f64], gradient: &mut [f64], workspace: &mut Workspace) -> f64 {
        let (weight, bias) = split(weights, self.classes);
        let mut tape = Tape::new(workspace);
        let (x, w, b) = (tape.input(self.rows), tape.variable(&weight), tape.variable(&bias));
        let logits = tape.linear(x, w, Some(b));
        let loss = tape.cross_entropy(logits, self.labels);
        let mut value = f64::from(tape.value(loss).item());
        let gradients = tape.backward(loss);
        let of = |var: Var| gradients.variable(var).expect("the loss depends on weight and bias").as_slice();
        for (to, &from) in gradient.iter_mut().zip(of(w).iter().chain(of(b))) {
            *to = f64::from(from);
        }
        let penalised = weight.len();
        for (to, &weight) in gradient.iter_mut().zip(&weights[..penalised]) {
            *to += self.penalty * weight;
            value += 0.5 * self.penalty * weight * weight;
        }
        gradients.recycle(workspace);
        value
    }
}

/// Flat weights as the tensors of a linear layer.
fn split(weights: &[f64], classes: usize) -> (Tensor, Tensor) {
    let features = weights.len() / classes - 1;
    let values: Vec<f32> = weights.iter().map(|&value| value as f32).collect();
    let (weight, bias) = values.split_at(features * classes);
    (Tensor::new([features, classes], weight), Tensor::new([classes], bias))
}

fn logits(rows: &Tensor, weights: &[f64], classes: usize, workspace: &mut Workspace) -> Tensor {
    if rows.is_empty() {
        // The engine refuses a product with nothing.
        return Tensor::zeros([0, classes]);
    }
    let (weight, bias) = split(weights, classes);
    let mut tape = Tape::new(workspace);
    let (x, w, b) = (tape.input(rows), tape.input(&weight), tape.input(&bias));
    let logits = tape.linear(x, w, Some(b));
    tape.finish(logits)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::clusters, *};
    fn probe(spread: f64) -> Probed {
        let parts = [clusters(200, spread, 0), clusters(100, spread, 1), clusters(100, spread, 2)];
        let [train, validation, test] = parts.each_ref().map(|(rows, labels)| Features { rows, labels });
        let data = ProbeData { train, validation, test, classes: 3 };
        linear_probe(&data, &PENALTIES, &mut Workspace::new()).unwrap()
    }

    #[test]
    fn clusters_that_a_line_can_part_are_parted() {
        let far = probe(0.4);
        assert!(far.test_accuracy > 0.99 && far.test_cross_entropy < 0.05, "{far:?}");
        let close = probe(3.0);
        assert!((0.4..0.8).contains(&close.test_accuracy), "{close:?}");
    }

    #[test]
    fn the_gradient_of_the_objective_agrees_with_differences() {
        let (rows, labels) = clusters(20, 1.0, 0);
        let objective = Objective { rows: &rows, labels: &labels, classes: 3, penalty: 0.3 };
        let weights: Vec<f64> = (0..12).map(|i| f64::from(i).sin() * 0.3).collect();
        let mut gradient = vec![0.0; 12];
        let mut workspace = Workspace::new();
        objective.evaluate(&weights, &mut gradient, &mut workspace);
        for i in 0..12 {
            let mut value = |step: f64| {
                let mut moved = weights.clone();
                moved[i] += step;
                objective.evaluate(&moved, &mut [0.0; 12], &mut workspace)
            };
            let numeric = (value(0.01) - value(-0.01)) / 0.02;
            assert!((numeric - gradient[i]).abs() < 1e-3, "{i}: {numeric} {}", gradient[i]);
        }
    }

    #[test]
    fn features_that_are_not_finite_are_refused() {
        let (rows, labels) = clusters(10, 1.0, 0);
        let mut broken = rows.clone();
        broken.as_mut_slice()[4] = f32::NAN;
        let good = Features { rows: &rows, labels: &labels };
        let data =
            ProbeData { train: good, validation: good, test: Features { rows: &broken, labels: &labels }, classes: 3 };
        assert_eq!(linear_probe(&data, &PENALTIES, &mut Workspace::new()), None);
    }
}
