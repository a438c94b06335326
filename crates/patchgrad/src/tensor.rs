//! A contiguous f32 array with a shape.

use crate::{Shape, ShapeError, error::OrPanic};
use patchgrad_kernels::aligned::AlignedBuffer;
use std::{fmt, ops::Range};

/// A contiguous f32 array, last axis fastest. Images are `[N, H, W, C]`: the channels of one pixel lie side by side.
///
/// There are no strided views: a tensor owns its 64-byte aligned buffer, and [`reshape`](Tensor::reshape) moves it.
///
/// ```
/// use patchgrad::Tensor;
/// let x = Tensor::new([1, 2, 2, 1], &[1.0, 2.0, 3.0, 4.0]);
/// assert_eq!(x.reshape([2, 2]).unwrap().as_slice()[2], 3.0);
/// ```
#[derive(Clone)]
pub struct Tensor {
    shape: Shape,
    data: AlignedBuffer<f32>,
}

impl Tensor {
    /// A tensor with a copy of `values`.
    ///
    /// # Panics
    /// If their number is not the number of elements of `shape`; see [`try_new`](Self::try_new).
    #[track_caller]
    pub fn new(shape: impl Into<Shape>, values: &[f32]) -> Self {
        Self::try_new(shape, values).or_panic()
    }

    /// A tensor with a copy of `values`.
    ///
    /// # Errors
    /// If their number is not the number of elements of `shape`.
    pub fn try_new(shape: impl Into<Shape>, values: &[f32]) -> Result<Self, ShapeError> {
        let shape = shape.into();
        if values.len() != shape.len() {
            let (expected, got) = (shape.len(), values.len());
            return Err(ShapeError::new("Tensor", format!("shape {shape} holds {expected} values, got {got}")));
        }
        Ok(Self { shape, data: AlignedBuffer::from_slice(values) })
    }

    /// All zeros.
    pub fn zeros(shape: impl Into<Shape>) -> Self {
        Self::full(shape, 0.0)
    }

    /// Every element `value`.
    pub fn full(shape: impl Into<Shape>, value: f32) -> Self {
        let shape = shape.into();
        Self { shape, data: AlignedBuffer::filled(shape.len(), value) }
    }

    /// A scalar: rank 0, one element.
    pub fn scalar(value: f32) -> Self {
        Self::full([], value)
    }

    /// Element `i` (in memory order) is `f(i)`.
    pub fn from_fn(shape: impl Into<Shape>, f: impl FnMut(usize) -> f32) -> Self {
        let mut tensor = Self::zeros(shape);
        let mut f = f;
        for (i, value) in tensor.data.iter_mut().enumerate() {
            *value = f(i);
        }
        tensor
    }

    /// A tensor over a buffer whose length is known to fit.
    pub(crate) fn from_buffer(shape: Shape, data: AlignedBuffer<f32>) -> Self {
        debug_assert_eq!(shape.len(), data.len());
        Self { shape, data }
    }

    pub(crate) fn into_buffer(self) -> AlignedBuffer<f32> {
        self.data
    }

    /// The sizes.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The elements in memory order.
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// The elements in memory order, writable.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// The only element of a tensor with one element (a loss).
    ///
    /// # Panics
    /// If there is more or less than one.
    #[track_caller]
    pub fn item(&self) -> f32 {
        assert_eq!(self.len(), 1, "Tensor::item: shape {} has {} elements, not one", self.shape, self.len());
        self.data[0]
    }

    /// The same elements under another shape; nothing is copied.
    ///
    /// # Errors
    /// If the number of elements differs.
    pub fn reshape(self, shape: impl Into<Shape>) -> Result<Self, ShapeError> {
        let shape = shape.into();
        check_reshape(self.shape, shape)?;
        Ok(Self { shape, data: self.data })
    }

    /// The elements of the samples `range` along the first axis, in memory order.
    ///
    /// # Panics
    /// If the tensor is a scalar or `range` leaves the first axis.
    #[track_caller]
    pub fn samples(&self, range: Range<usize>) -> &[f32] {
        let count = *self.shape.dims().first().expect("Tensor::samples: a scalar has no samples");
        assert!(range.end <= count, "Tensor::samples: {range:?} leaves the first axis of {}", self.shape);
        let len = self.len() / count.max(1);
        &self.data[range.start * len..range.end * len]
    }
}

/// Checks that `to` has as many elements as `from`.
pub(crate) fn check_reshape(from: Shape, to: Shape) -> Result<(), ShapeError> {
    if from.len() == to.len() {
        return Ok(());
    }
    let message = format!("{from} has {} elements, {to} has {}; a reshape keeps their number", from.len(), to.len());
    Err(ShapeError::new("reshape", message))
}

impl PartialEq for Tensor {
    /// Same shape and equal elements (NaN is unequal to itself).
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.as_slice() == other.as_slice()
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let more = if self.len() > SHOWN { ", ..." } else { "" };
        let shown: Vec<String> = self.data.iter().take(SHOWN).map(f32::to_string).collect();
        write!(f, "Tensor{} [{}{more}]", self.shape, shown.join(", "))
    }
}

impl fmt::Display for Tensor {
    /// The last axis as a row, the one before as lines, a blank line between planes: for small tensors in a lesson.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims = self.shape.dims();
        let columns = dims.last().copied().unwrap_or(1).max(1);
        let rows = dims.iter().rev().nth(1).copied().unwrap_or(1).max(1);
        for (i, row) in self.data.chunks(columns).enumerate() {
            if i > 0 {
                f.write_str(if i % rows == 0 { "\n\n" } else { "\n" })?;
            }
            for (j, value) in row.iter().enumerate() {
                let gap = if j > 0 { " " } else { "" };
                match f.precision() {
                    Some(digits) => write!(f, "{gap}{value:>8.digits$}")?,
                    None => write!(f, "{gap}{value:>6}")?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_number_of_values_says_both_numbers() {
        let error = Tensor::try_new([2, 3], &[0.0; 5]).unwrap_err();
        assert_eq!(error.to_string(), "Tensor: shape [2, 3] holds 6 values, got 5");
        let error = Tensor::zeros([2, 3]).reshape([7]).unwrap_err();
        assert_eq!(error.to_string(), "reshape: [2, 3] has 6 elements, [7] has 7; a reshape keeps their number");
    }

    #[test]
    fn samples_are_contiguous_runs_of_the_first_axis() {
        let x = Tensor::from_fn([3, 2], |i| i as f32);
        assert_eq!(x.samples(1..3), [2.0, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn display_separates_planes() {
        let x = Tensor::from_fn([2, 1, 2], |i| i as f32);
        assert_eq!(x.to_string(), "     0      1\n\n     2      3");
    }
}
