//! Losses: scalars (rank 0), the mean over all elements or rows, as PyTorch's default reduction.

use super::arithmetic::same_shape;
use crate::{
    Shape, ShapeError, Tensor,
    autograd::{Op, Tape, Var},
    error::OrPanic,
    parallel::{self, ELEMENTS_PER_CHUNK},
};
use patchgrad_kernels::{loss, reduce};

/// The sum over chunks of `f(a_chunk, b_chunk)`, in order.
fn sum_of_pairs(f: fn(&[f32], &[f32]) -> f64, a: &[f32], b: &[f32]) -> f64 {
    parallel::sum_of_chunks(a.len().div_ceil(ELEMENTS_PER_CHUNK), |i| {
        let range = i * ELEMENTS_PER_CHUNK..((i + 1) * ELEMENTS_PER_CHUNK).min(a.len());
        f(&a[range.clone()], &b[range])
    })
}

/// `gradient = scale * g(a, b)` chunk by chunk.
fn grad_of_pairs(f: fn(&mut [f32], &[f32], &[f32], f32), a: &[f32], b: &[f32], scale: f32, gradient: &mut [f32]) {
    parallel::for_each_chunk(gradient, ELEMENTS_PER_CHUNK, |i, gradient| {
        let from = i * ELEMENTS_PER_CHUNK;
        f(gradient, &a[from..][..gradient.len()], &b[from..][..gradient.len()], scale);
    });
}

/// The gradient of [`Tape::mse_loss`] with respect to the prediction; that of the target is its negative.
pub(crate) fn mse_grad(prediction: &[f32], target: &[f32], grad_loss: f32, gradient: &mut [f32]) {
    let scale = 2.0 * grad_loss / prediction.len() as f32;
    grad_of_pairs(loss::squared_error_grad, prediction, target, scale, gradient);
}

/// The gradient of [`Tape::bce_with_logits`] with respect to the logits.
pub(crate) fn bce_grad(logits: &[f32], target: &[f32], grad_loss: f32, gradient: &mut [f32]) {
    let scale = grad_loss / logits.len() as f32;
    grad_of_pairs(loss::bce_with_logits_grad, logits, target, scale, gradient);
}

/// The gradient of [`Tape::bce_with_logits`] with respect to the target: `-x / count`.
pub(crate) fn bce_grad_target(logits: &[f32], grad_loss: f32, gradient: &mut [f32]) {
    super::arithmetic::scale(-grad_loss / logits.len() as f32, logits, gradient);
}

/// Rows of logits that one chunk of the cross-entropy works on.
fn rows_per_chunk(classes: usize) -> usize {
    (ELEMENTS_PER_CHUNK / classes).max(1)
}

/// The gradient of [`Tape::cross_entropy`] with respect to the logits.
pub(crate) fn cross_entropy_grad(logits: &[f32], labels: &[u32], grad_loss: f32, gradient: &mut [f32]) {
    let classes = logits.len() / labels.len();
    let rows = rows_per_chunk(classes);
    let scale = grad_loss / labels.len() as f32;
    parallel::for_each_chunk(gradient, rows * classes, |i, gradient| {
        let logits = &logits[i * rows * classes..][..gradient.len()];
        let labels = &labels[i * rows..][..gradient.len() / classes];
        loss::cross_entropy_rows_grad(gradient, logits, classes, labels, scale);
    });
}

/// Checks `logits` `[N, classes]` and the labels.
fn resolve_cross_entropy(logits: Shape, labels: &[u32]) -> Result<[usize; 2], ShapeError> {
    let op = "cross_entropy";
    let &[rows, classes] = logits.dims() else {
        let message =
            format!("the logits {logits} need two sizes (N, classes); reshape those of pixels to [N*H*W, classes]");
        return Err(ShapeError::new(op, message));
    };
    if logits.is_empty() {
        return Err(ShapeError::new(op, format!("the logits {logits} (N, classes) are empty")));
    }
    if rows != labels.len() {
        let message =
            format!("the logits {logits} (N, classes) have {rows} rows, but there are {} labels", labels.len());
        return Err(ShapeError::new(op, message));
    }
    if let Some((row, &label)) = labels.iter().enumerate().find(|&(_, &label)| label as usize >= classes) {
        let message = format!("label {label} in row {row} is not below the number of classes, {classes}");
        return Err(ShapeError::new(op, message));
    }
    Ok([rows, classes])
}

impl Tape<'_> {
    /// The mean squared error, `mean of (prediction - target)^2`, of equal shapes (`torch.nn.functional.mse_loss`).
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn mse_loss(&mut self, prediction: Var, target: Var) -> Var {
        let shape = same_shape("mse_loss", self.shape(prediction), self.shape(target)).or_panic();
        let sum = sum_of_pairs(reduce::squared_distance, self.values.get(prediction), self.values.get(target));
        self.record_scalar(Op::MseLoss { prediction, target }, sum / shape.len() as f64)
    }

    /// Binary cross-entropy on logits, `mean of max(x, 0) - x t + ln(1 + e^-|x|)`, of equal shapes with targets in [0, 1]
    /// (`torch.nn.functional.binary_cross_entropy_with_logits`). This form never overflows.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn bce_with_logits(&mut self, logits: Var, target: Var) -> Var {
        let shape = same_shape("bce_with_logits", self.shape(logits), self.shape(target)).or_panic();
        let sum = sum_of_pairs(loss::bce_with_logits, self.values.get(logits), self.values.get(target));
        self.record_scalar(Op::BceWithLogits { logits, target }, sum / shape.len() as f64)
    }

    /// Cross-entropy on logits `[N, classes]`, `mean over rows of -ln softmax(logits)[label]`
    /// (`torch.nn.functional.cross_entropy`).
    ///
    /// # Panics
    /// If the number of labels is not N or a label is not a class.
    #[track_caller]
    pub fn cross_entropy(&mut self, logits: Var, labels: &[u32]) -> Var {
        let [rows, classes] = resolve_cross_entropy(self.shape(logits), labels).or_panic();
        let values = self.values.get(logits);
        let chunk = rows_per_chunk(classes);
        let sum = parallel::sum_of_chunks(rows.div_ceil(chunk), |i| {
            let range = i * chunk..((i + 1) * chunk).min(rows);
            let logits = &values[range.start * classes..range.end * classes];
            loss::cross_entropy_rows(logits, classes, &labels[range])
        });
        let mut kept = self.workspace.take_indices(rows);
        kept.copy_from_slice(labels);
        let labels = self.keep_indices(super::max_pool2d::Indices { shape: Shape::from([rows]), data: kept });
        self.record_scalar(Op::CrossEntropy { logits, labels }, sum / rows as f64)
    }

    /// The sum of all elements, as a scalar.
    pub fn sum(&mut self, input: Var) -> Var {
        let values = self.values.get(input);
        let total = parallel::sum_of_chunks(values.len().div_ceil(ELEMENTS_PER_CHUNK), |i| {
            reduce::sum(&values[i * ELEMENTS_PER_CHUNK..((i + 1) * ELEMENTS_PER_CHUNK).min(values.len())])
        });
        self.record_scalar(Op::Sum { input }, total)
    }

    fn record_scalar(&mut self, op: Op, value: f64) -> Var {
        let mut output: Tensor = self.workspace.take([]);
        output.as_mut_slice()[0] = value as f32;
        self.record(op, output)
    }
}

/// The gradient of [`Tape::sum`]: the same for every element.
pub(crate) fn sum_grad(grad_loss: f32, gradient: &mut [f32]) {
    gradient.fill(grad_loss);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_entropy_errors_name_row_and_label() {
        let message =
            |shape: [usize; 2], labels: &[u32]| resolve_cross_entropy(shape.into(), labels).unwrap_err().to_string();
        assert_eq!(message([2, 3], &[0, 3]), "cross_entropy: label 3 in row 1 is not below the number of classes, 3");
        assert_eq!(
            message([2, 3], &[0]),
            "cross_entropy: the logits [2, 3] (N, classes) have 2 rows, but there are 1 labels"
        );
    }
}
