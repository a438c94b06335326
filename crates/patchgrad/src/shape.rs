//! The sizes of a tensor: at most four, outermost first.

use std::fmt;

/// Sizes of a contiguous tensor of rank 0 to 4, outermost axis first. Images are `[N, H, W, C]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    dims: [usize; 4],
    rank: usize,
}

impl Shape {
    /// A shape from its sizes.
    ///
    /// # Panics
    /// If there are more than four.
    #[track_caller]
    pub fn new(dims: &[usize]) -> Self {
        assert!(dims.len() <= 4, "Shape: rank {} is more than 4 (sizes {dims:?})", dims.len());
        let mut padded = [1; 4];
        padded[..dims.len()].copy_from_slice(dims);
        Self { dims: padded, rank: dims.len() }
    }

    /// The sizes, outermost first.
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank]
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The number of elements; 1 for rank 0, `usize::MAX` when there are more than can be counted.
    pub fn len(&self) -> usize {
        if self.dims.contains(&0) { 0 } else { self.dims.into_iter().fold(1, usize::saturating_mul) }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sizes as `[N, H, W, C]` when the rank is 4.
    pub fn nhwc(&self) -> Option<[usize; 4]> {
        (self.rank == 4).then_some(self.dims)
    }
}

impl<const RANK: usize> From<[usize; RANK]> for Shape {
    #[track_caller]
    fn from(dims: [usize; RANK]) -> Self {
        Self::new(&dims)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn len_is_the_product_and_a_scalar_has_one_element() {
        assert_eq!(Shape::from([2, 3, 4, 5]).len(), 120);
        assert_eq!(Shape::from([]).len(), 1);
        assert_eq!(Shape::from([7, 0]).len(), 0);
        assert_eq!(Shape::from([1 << 32, 1 << 32]).len(), usize::MAX);
        assert_eq!(Shape::from([1 << 32, 1 << 32, 0]).len(), 0);
        assert_ne!(Shape::from([1, 2]), Shape::from([1, 2, 1]));
        assert_eq!(Shape::from([1, 4, 4, 3]).to_string(), "[1, 4, 4, 3]");
    }

    #[test]
    #[should_panic(expected = "rank 5 is more than 4")]
    fn five_axes_are_refused() {
        Shape::new(&[1; 5]);
    }
}
