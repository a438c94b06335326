//! The transpose of a matrix: rows become columns.
//!
//! ```text
//! y[j, i] = x[i, j]
//! ```
//!
//! Its gradient is the transpose of the gradient. With it one weight serves an encoder and, transposed, its *tied* decoder.
//!
//! # Shapes
//! input `[R, C]`, output `[C, R]`.
//!
//! # PyTorch
//! `x.T`, but copied: tensors here are contiguous.

use crate::{
    Shape, ShapeError,
    autograd::{Op, Tape, Var},
    error::OrPanic,
};

/// `[R, C]` of a matrix.
///
/// # Errors
/// If `input` has another number of axes.
pub fn resolve(input: Shape) -> Result<[usize; 2], ShapeError> {
    match *input.dims() {
        [rows, columns] => Ok([rows, columns]),
        _ => Err(ShapeError::new("transpose", format!("the input {input} needs two sizes (R, C); reshape it first"))),
    }
}

/// `output[j, i] = input[i, j]` for `input` `[rows, columns]`.
pub fn forward([rows, columns]: [usize; 2], input: &[f32], output: &mut [f32]) {
    if rows == 0 || columns == 0 {
        return;
    }
    for (j, to) in output.chunks_exact_mut(rows).enumerate() {
        for (to, from) in to.iter_mut().zip(input.chunks_exact(columns)) {
            *to = from[j];
        }
    }
}

impl Tape<'_> {
    /// The transpose `[C, R]` of the matrix `input` `[R, C]`: see [`ops::transpose`](crate::ops::transpose).
    ///
    /// # Panics
    /// With the text of the [`ShapeError`] of [`resolve`].
    ///
    /// ```
    /// use patchgrad::{Tape, Tensor, Workspace};
    /// let x = Tensor::new([2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    /// let mut workspace = Workspace::new();
    /// let mut tape = Tape::new(&mut workspace);
    /// let v = tape.input(&x);
    /// let y = tape.transpose(v);
    /// assert_eq!(tape.finish(y), Tensor::new([3, 2], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]));
    /// ```
    #[track_caller]
    pub fn transpose(&mut self, input: Var) -> Var {
        let size = resolve(self.shape(input)).or_panic();
        let mut output = self.workspace.take([size[1], size[0]]);
        forward(size, self.values.get(input), output.as_mut_slice());
        self.record(Op::Transpose { size, input }, output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_refused_with_advice() {
        let error = resolve([2, 3, 4, 1].into()).unwrap_err();
        assert_eq!(error.to_string(), "transpose: the input [2, 3, 4, 1] needs two sizes (R, C); reshape it first");
    }
}
