//! What a classifier minimises.

use patchgrad::{Tape, Var, ops::Activation};

/// A loss of outputs `[N, classes]` against labels, meaned over the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// Cross-entropy of the softmax of the outputs.
    CrossEntropy,
    /// Half the squared error against 1 for the class and 0 for the others, summed over the classes, as N-light-N trains.
    SquaredError {
        /// Activation of the output layer.
        output: Activation,
    },
}

impl Loss {
    /// Records the loss of what the last layer's sums say.
    ///
    /// # Panics
    /// If there are not as many labels as rows, or a label is no class.
    #[track_caller]
    pub(super) fn record(&self, tape: &mut Tape, sums: Var, labels: &[u32]) -> Var {
        match *self {
            Self::CrossEntropy => tape.cross_entropy(sums, labels),
            Self::SquaredError { output } => {
                let outputs = tape.activation(sums, output);
                let &[rows, classes] = tape.shape(outputs).dims() else { unreachable!("outputs have two axes") };
                assert_eq!(rows, labels.len(), "squared error: {rows} rows, {} labels", labels.len());
                let targets = tape.constant([rows, classes], |targets| {
                    targets.fill(0.0);
                    for (row, &label) in targets.chunks_exact_mut(classes).zip(labels) {
                        row[label as usize] = 1.0;
                    }
                });
                let mean = tape.mse_loss(outputs, targets);
                tape.scale(mean, classes as f32 / 2.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad::{Tensor, Workspace, gradcheck::gradcheck};

    #[test]
    fn the_squared_error_is_against_one_hot_targets() {
        let sums = Tensor::new([2, 3], &[0.5, -0.25, 0.0, 1.0, 0.0, 0.5]);
        let loss = Loss::SquaredError { output: Activation::Linear };
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace);
        let v = tape.input(&sums);
        let recorded = loss.record(&mut tape, v, &[0, 2]);
        // (0.25 + 0.0625) / 2 and (1 + 0.25) / 2, meaned.
        assert_eq!(tape.value(recorded).item(), (0.3125 + 1.25) / 4.0);
        for loss in [loss, Loss::SquaredError { output: Activation::Softsign }, Loss::CrossEntropy] {
            gradcheck(&[Tensor::from_fn([2, 3], |i| i as f32 / 3.0 - 0.7)], |tape, v| loss.record(tape, v[0], &[0, 2]))
                .unwrap();
        }
    }
}
