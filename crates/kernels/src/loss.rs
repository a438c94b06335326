//! Losses and their gradients, on slices: a batch may be cut into chunks, the sums of which are added up.
//!
//! Sums are in `f64`, in a fixed order. A mean is the sum times a `scale` that the caller chooses, and the
//! gradients take the same `scale`.

use crate::isa::dispatched;
use crate::math;
use crate::reduce::{self, BLOCK_LEN, LaneTotals};

dispatched! {
    /// `grad = scale * (prediction - target)`: the gradient of `scale / 2 * sum (prediction - target)^2`. For the mean
    /// squared error over `n` values, `scale` is `2 / n`. The loss itself is [`reduce::squared_distance`].
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn squared_error_grad(grad: &mut [f32], prediction: &[f32], target: &[f32], scale: f32) {
        check("squared_error_grad", prediction, target);
        assert_eq!(grad.len(), target.len(), "squared_error_grad: grad and target differ in length");
        for ((grad, &prediction), &target) in grad.iter_mut().zip(prediction).zip(target) {
            *grad = scale * (prediction - target);
        }
    }

    /// The sum of the binary cross-entropies of `sigmoid(x)` against targets `t` in [0, 1], from the logits `x`:
    /// `max(x, 0) - x t + ln(1 + e^-|x|)`, which neither overflows nor takes the logarithm of 0. The order of the sum
    /// is that of [`crate::reduce`].
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn bce_with_logits(logits: &[f32], target: &[f32]) -> f64 {
        check("bce_with_logits", logits, target);
        let mut terms = [0.0; BLOCK_LEN];
        let mut total = LaneTotals::default();
        for (logits, target) in logits.chunks(BLOCK_LEN).zip(target.chunks(BLOCK_LEN)) {
            let terms = &mut terms[..logits.len()];
            for ((term, &x), &t) in terms.iter_mut().zip(logits).zip(target) {
                // In this order the large terms cancel first: a small loss keeps its digits.
                *term = ((if x < 0.0 { 0.0 } else { x }) - x * t) + math::softplus_excess(x);
            }
            total.add_block(terms, terms, |term, _| term);
        }
        total.sum()
    }

    /// `grad = scale * (sigmoid(logits) - target)`: the gradient of `scale` times [`bce_with_logits`].
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn bce_with_logits_grad(grad: &mut [f32], logits: &[f32], target: &[f32], scale: f32) {
        check("bce_with_logits_grad", logits, target);
        assert_eq!(grad.len(), target.len(), "bce_with_logits_grad: grad and target differ in length");
        for ((grad, &x), &t) in grad.iter_mut().zip(logits).zip(target) {
            *grad = scale * (math::sigmoid(x) - t);
        }
    }

    /// The sum over rows of `-ln softmax(row)[label]`, as `ln sum e^(x - max) - (x[label] - max)`.
    ///
    /// # Shapes
    /// `logits` [rows, classes], row-major; `labels` one per row, each below `classes`.
    ///
    /// # Panics
    /// If the sizes do not fit each other, or a label is not a class.
    pub fn cross_entropy_rows(logits: &[f32], classes: usize, labels: &[u32]) -> f64 {
        check_labels("cross_entropy_rows", logits, classes, labels);
        // Many short rows at a time, so that the exponentials fill whole vectors.
        let rows = (TERMS / classes).max(1);
        let mut terms = [0.0; TERMS];
        let mut total = 0.0;
        for (block, labels) in logits.chunks(rows * classes).zip(labels.chunks(rows)) {
            if block.len() <= TERMS {
                let terms = &mut terms[..block.len()];
                exponentials(terms, block, classes);
                for ((terms, row), &label) in terms.chunks_exact(classes).zip(block.chunks_exact(classes)).zip(labels) {
                    total += row_loss(sum_of_terms(terms), row, label);
                }
            } else {
                let max = reduce::max_of(block);
                let sum = block.iter().map(|&x| f64::from(math::exp(x - max))).sum();
                total += row_loss(sum, block, labels[0]);
            }
        }
        total
    }

    /// `grad = scale * (softmax(row) - onehot(label))` for every row: the gradient of `scale` times
    /// [`cross_entropy_rows`].
    ///
    /// # Shapes
    /// `grad` and `logits` [rows, classes], row-major; `labels` one per row, each below `classes`.
    ///
    /// # Panics
    /// If the sizes do not fit each other, or a label is not a class.
    pub fn cross_entropy_rows_grad(grad: &mut [f32], logits: &[f32], classes: usize, labels: &[u32], scale: f32) {
        check_labels("cross_entropy_rows_grad", logits, classes, labels);
        assert_eq!(grad.len(), logits.len(), "cross_entropy_rows_grad: grad and logits differ in length");
        exponentials(grad, logits, classes);
        for (grad, &label) in grad.chunks_exact_mut(classes).zip(labels) {
            let sum = sum_of_terms(grad);
            let factor = scale / sum as f32;
            for grad in grad.iter_mut() {
                *grad *= factor;
            }
            grad[label as usize] -= scale;
        }
    }
}

/// Exponentials that the loss of rows works on at a time.
const TERMS: usize = 512;

/// `terms = e^(x - max of its row)`: first the differences row by row, then all exponentials in one pass.
#[inline(always)]
fn exponentials(terms: &mut [f32], logits: &[f32], classes: usize) {
    for (terms, row) in terms.chunks_exact_mut(classes).zip(logits.chunks_exact(classes)) {
        let max = reduce::max_of(row);
        for (term, &x) in terms.iter_mut().zip(row) {
            *term = x - max;
        }
    }
    for term in terms {
        *term = math::exp(*term);
    }
}

#[inline(always)]
fn sum_of_terms(terms: &[f32]) -> f64 {
    terms.iter().map(|&term| f64::from(term)).sum()
}

/// `-ln softmax(row)[label]`, given the sum of `e^(x - max)`.
#[inline(always)]
fn row_loss(sum: f64, row: &[f32], label: u32) -> f64 {
    // The largest term is exactly 1; without it, a small loss keeps its digits.
    f64::from(math::ln_1p((sum - 1.0) as f32)) - f64::from(row[label as usize] - reduce::max_of(row))
}

#[inline(always)]
fn check(name: &str, prediction: &[f32], target: &[f32]) {
    assert_eq!(prediction.len(), target.len(), "{name}: prediction and target differ in length");
}

#[inline(always)]
fn check_labels(name: &str, logits: &[f32], classes: usize, labels: &[u32]) {
    assert!(classes > 0, "{name}: no classes");
    assert_eq!(logits.len(), labels.len() * classes, "{name}: {} labels of {classes} classes", labels.len());
    for (row, &label) in labels.iter().enumerate() {
        assert!((label as usize) < classes, "{name}: label {label} of row {row} is not below {classes}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{lengths, number_on_every_isa, on_every_isa, values};

    const SCALE: f32 = 0.25;

    /// The derivative of `loss` at `x`, by a central difference in `f64`.
    fn slope(mut loss: impl FnMut(f64) -> f64, x: f64) -> f64 {
        (loss(x + 1e-5) - loss(x - 1e-5)) / 2e-5
    }

    fn targets(len: usize) -> Vec<f32> {
        values(len, 2).iter().map(|x| (x + 4.0) / 8.0).collect()
    }

    fn bce_reference(x: f64, t: f64) -> f64 {
        // -ln sigmoid(x) is ln(1 + e^-x).
        t * (-x).exp().ln_1p() + (1.0 - t) * x.exp().ln_1p()
    }

    fn cross_entropy_reference(row: &[f64], label: u32) -> f64 {
        row.iter().map(|x| x.exp()).sum::<f64>().ln() - row[label as usize]
    }

    #[test]
    fn squared_error_grad_is_the_slope_of_the_squared_distance() {
        for len in lengths() {
            let (prediction, target) = (values(len, 1), targets(len));
            let grad = on_every_isa(len, |grad| squared_error_grad(grad, &prediction, &target, SCALE));
            for i in 0..len {
                let loss = |x: f64| f64::from(SCALE) / 2.0 * (x - f64::from(target[i])).powi(2);
                assert!((f64::from(grad[i]) - slope(loss, prediction[i].into())).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn bce_matches_its_definition() {
        for len in lengths() {
            let (logits, target) = (values(len, 1), targets(len));
            let expected: f64 = logits.iter().zip(&target).map(|(&x, &t)| bce_reference(x.into(), t.into())).sum();
            let got = number_on_every_isa(|| bce_with_logits(&logits, &target));
            assert!((got - expected).abs() <= 1e-6 * expected, "{got} for {expected}");
        }
    }

    #[test]
    fn small_losses_keep_their_digits() {
        let expected = bce_reference(15.0, 1.0);
        let got = bce_with_logits(&[15.0], &[1.0]);
        assert!((got - expected).abs() <= 1e-6 * expected, "{got:e} for {expected:e}");
        // Softmax of two classes is the sigmoid of their difference.
        let got = cross_entropy_rows(&[15.0, 0.0], 2, &[0]);
        assert!((got - expected).abs() <= 1e-6 * expected, "{got:e} for {expected:e}");
    }

    #[test]
    fn bce_grad_is_the_slope_of_the_loss() {
        for len in lengths() {
            let (logits, target) = (values(len, 1), targets(len));
            let grad = on_every_isa(len, |grad| bce_with_logits_grad(grad, &logits, &target, SCALE));
            for i in 0..len {
                let expected = f64::from(SCALE) * slope(|x| bce_reference(x, target[i].into()), logits[i].into());
                assert!((f64::from(grad[i]) - expected).abs() < 1e-6, "{} for {expected}", grad[i]);
            }
        }
    }

    #[test]
    fn bce_of_extreme_logits_is_finite() {
        assert_eq!(bce_with_logits(&[1000.0, -1000.0], &[1.0, 0.0]), 0.0);
        assert_eq!(bce_with_logits(&[1000.0, -1000.0], &[0.0, 1.0]), 2000.0);
        let mut grad = [f32::NAN; 4];
        bce_with_logits_grad(&mut grad, &[1000.0, -1000.0, 1000.0, -1000.0], &[1.0, 0.0, 0.0, 1.0], 1.0);
        assert_eq!(grad, [0.0, 0.0, 1.0, -1.0]);
    }

    #[test]
    fn cross_entropy_matches_its_definition_and_slope() {
        for (rows, classes) in [(0, 3), (1, 1), (5, 2), (7, 10), (3, 16), (3, 33), (2, 1000)] {
            let logits = values(rows * classes, 1);
            let labels: Vec<u32> = (0..rows).map(|row| (7 * row % classes) as u32).collect();
            let mut expected = 0.0;
            let got = number_on_every_isa(|| cross_entropy_rows(&logits, classes, &labels));
            let grad =
                on_every_isa(logits.len(), |grad| cross_entropy_rows_grad(grad, &logits, classes, &labels, SCALE));
            for (row, &label) in labels.iter().enumerate() {
                let at = row * classes;
                let mut line: Vec<f64> = logits[at..at + classes].iter().map(|&x| x.into()).collect();
                expected += cross_entropy_reference(&line, label);
                for class in 0..classes {
                    let x = line[class];
                    let slope = slope(
                        |x| {
                            line[class] = x;
                            cross_entropy_reference(&line, label)
                        },
                        x,
                    );
                    line[class] = x;
                    let got = f64::from(grad[at + class]);
                    assert!((got - f64::from(SCALE) * slope).abs() < 1e-6, "[{rows}, {classes}]: {got}, slope {slope}");
                }
            }
            assert!((got - expected).abs() <= 1e-6 * expected, "[{rows}, {classes}]: {got} for {expected}");
        }
    }

    #[test]
    fn cross_entropy_of_extreme_logits_is_finite() {
        let logits = [1000.0, 0.0, -1000.0, 1000.0];
        assert_eq!(cross_entropy_rows(&logits, 2, &[0, 0]), 2000.0);
        let mut grad = [f32::NAN; 4];
        cross_entropy_rows_grad(&mut grad, &logits, 2, &[0, 0], 1.0);
        assert_eq!(grad, [0.0, 0.0, -1.0, 1.0]);
    }

    #[test]
    #[should_panic(expected = "label 3 of row 1 is not below 3")]
    fn labels_are_checked() {
        cross_entropy_rows(&[0.0; 6], 3, &[2, 3]);
    }
}
