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

pub mod lbfgs;

use crate::{
    linear_algebra::{Rows, Standardiser},
    scores::accuracy,
};
use lbfgs::{Settings, minimise};
use patchgrad::{Tape, Tensor, Var, Workspace};

/// Features `[N, d]` with their labels.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    /// `[N, d]`.
    pub rows: &'a Tensor,
    /// N classes.
    pub labels: &'a [u32],
}

/// The three parts that a probe sees.
#[derive(Clone, Copy, Debug)]
pub struct ProbeData<'a> {
    /// Weights are learnt from these.
    pub train: Features<'a>,
    /// The penalty is chosen on these.
    pub validation: Features<'a>,
    /// These are reported.
    pub test: Features<'a>,
    /// The number of classes.
    pub classes: usize,
}

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
    let columns = data.train.rows.shape().dims()[1];
    let scale = Standardiser::fit(Rows::new(data.train.rows.as_slice(), columns));
    let standardised = |features: Features| {
        let rows = scale.apply(Rows::new(features.rows.as_slice(), columns));
        Tensor::new(features.rows.shape(), &rows)
    };
    let (train, validation, test) = (standardised(data.train), standardised(data.validation), standardised(data.test));
    if [&train, &validation, &test].iter().any(|rows| rows.as_slice().iter().any(|value| !value.is_finite())) {
        return None;
    }
    let mut weights = vec![0.0; (columns + 1) * data.classes];
    let loss = |rows: &Tensor, labels: &[u32], weights: &[f64], workspace: &mut Workspace| {
        let objective = Objective { rows, labels, classes: data.classes, penalty: 0.0 };
        objective.evaluate(weights, &mut vec![0.0; weights.len()], workspace)
    };
    let mut best: Option<Chosen> = None;
    for &penalty in penalties {
        let objective = Objective { rows: &train, labels: data.train.labels, classes: data.classes, penalty };
        minimise(&mut weights, &Settings::default(), |at, gradient| objective.evaluate(at, gradient, workspace));
        let logits = logits(&validation, &weights, data.classes, workspace);
        let accuracy = accuracy(&arg_max(&logits, data.classes), data.validation.labels);
        let cross_entropy = loss(&validation, data.validation.labels, &weights, workspace);
        let candidate = Chosen { penalty, accuracy, cross_entropy, weights: weights.clone() };
        if best.as_ref().is_none_or(|best| candidate.beats(best)) {
            best = Some(candidate);
        }
    }
    let best = best.expect("at least one penalty");
    let test_cross_entropy = loss(&test, data.test.labels, &best.weights, workspace);
    let predictions = arg_max(&logits(&test, &best.weights, data.classes, workspace), data.classes);
    let test_accuracy = accuracy(&predictions, data.test.labels);
    let Chosen { penalty, accuracy: validation_accuracy, .. } = best;
    Some(Probed { penalty, validation_accuracy, test_accuracy, test_cross_entropy, predictions })
}

/// A trained probe and how it does on validation data.
struct Chosen {
    penalty: f64,
    accuracy: f64,
    cross_entropy: f64,
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
    let (weight, bias) = split(weights, classes);
    let mut tape = Tape::new(workspace);
    let (x, w, b) = (tape.input(rows), tape.input(&weight), tape.input(&bias));
    let logits = tape.linear(x, w, Some(b));
    tape.finish(logits)
}

/// The class of the largest logit of each row; the first of equals.
pub fn arg_max(logits: &Tensor, classes: usize) -> Vec<u32> {
    let row = |row: &[f32]| (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best });
    logits.as_slice().chunks(classes).map(|logits| row(logits) as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    /// `per_class` points around each of three centres in the plane, with a third feature that is constant.
    fn clusters(per_class: usize, spread: f64, index: u64) -> (Tensor, Vec<u32>) {
        let centres = [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]];
        let mut stream = stream(1, "clusters", index);
        let mut noise = || -> f64 { StandardNormal.sample(&mut stream) };
        let labels: Vec<u32> = (0..3 * per_class).map(|i| (i % 3) as u32).collect();
        let values: Vec<f32> = labels
            .iter()
            .flat_map(|&label| {
                let [x, y] = centres[label as usize];
                [(x + spread * noise()) as f32, (y + spread * noise()) as f32, 7.0]
            })
            .collect();
        (Tensor::new([labels.len(), 3], &values), labels)
    }

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
