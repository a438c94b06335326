//! Buffers whose first element lies on a cache line.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Alignment of every [`AlignedBuffer`], in bytes: one cache line, and the width of an AVX-512 vector.
pub const ALIGNMENT: usize = 64;

/// Elements of four bytes in one line of [`ALIGNMENT`] bytes.
const LINE_LEN: usize = 16;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for u32 {}
}

/// The element types of an [`AlignedBuffer`]: `f32` for values, `u32` for indices. Sealed: both are four bytes wide and
/// have no padding, which the buffer relies on.
pub trait Element: sealed::Sealed + Copy + fmt::Debug + Send + Sync + 'static {
    /// The value that [`AlignedBuffer::zeroed`] fills with.
    const ZERO: Self;
}

impl Element for f32 {
    const ZERO: Self = 0.0;
}

impl Element for u32 {
    const ZERO: Self = 0;
}

/// One cache line of elements; a `Vec` of lines is how the allocation gets its alignment.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line<T>([T; LINE_LEN]);

/// A slice of fixed length on the heap, aligned to [`ALIGNMENT`] bytes and always initialised.
///
/// It dereferences to `[T]`, so the kernels never see the type.
///
/// ```
/// use patchgrad_kernels::aligned::{ALIGNMENT, AlignedBuffer};
///
/// let mut buffer = AlignedBuffer::<f32>::zeroed(5);
/// buffer[4] = 2.0;
/// assert_eq!(*buffer, [0.0, 0.0, 0.0, 0.0, 2.0]);
/// assert_eq!(buffer.as_ptr() as usize % ALIGNMENT, 0);
/// ```
#[derive(Clone)]
pub struct AlignedBuffer<T: Element> {
    /// `len.div_ceil(LINE_LEN)` lines, all initialised.
    lines: Vec<Line<T>>,
    len: usize,
}

impl<T: Element> AlignedBuffer<T> {
    /// `len` zeros. A length of 0 allocates nothing.
    pub fn zeroed(len: usize) -> Self {
        Self::filled(len, T::ZERO)
    }

    /// `len` copies of `value`.
    pub fn filled(len: usize, value: T) -> Self {
        Self { lines: vec![Line([value; LINE_LEN]); len.div_ceil(LINE_LEN)], len }
    }

    /// A copy of `values`.
    pub fn from_slice(values: &[T]) -> Self {
        let mut buffer = Self::zeroed(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl<T: Element> Deref for AlignedBuffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: a `Line<T>` is an array of LINE_LEN `T` without padding (repr(C), and its size is checked below), so the
        // `Vec` holds `lines.len() * LINE_LEN >= len` initialised, contiguous `T`, borrowed as long as `self` is.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast::<T>(), self.len) }
    }
}

impl<T: Element> DerefMut for AlignedBuffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; the mutable borrow of `self` makes this the only way to the elements.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast::<T>(), self.len) }
    }
}

const _: () = assert!(size_of::<Line<f32>>() == ALIGNMENT && align_of::<Line<f32>>() == ALIGNMENT);
const _: () = assert!(size_of::<Line<u32>>() == ALIGNMENT && align_of::<Line<u32>>() == ALIGNMENT);

impl<T: Element> fmt::Debug for AlignedBuffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_aligned_and_filled() {
        for len in (0..67).chain([1000]) {
            let zeroed = AlignedBuffer::<f32>::zeroed(len);
            let filled = AlignedBuffer::<u32>::filled(len, 7);
            assert_eq!(zeroed.as_ptr() as usize % ALIGNMENT, 0);
            assert_eq!(filled.as_ptr() as usize % ALIGNMENT, 0);
            assert_eq!(*zeroed, vec![0.0; len]);
            assert_eq!(*filled, vec![7; len]);
        }
    }

    #[test]
    fn a_clone_is_a_copy_of_its_own() {
        let values: Vec<u32> = (0..37).collect();
        let original = AlignedBuffer::from_slice(&values);
        let mut clone = original.clone();
        clone[36] = 0;
        assert_eq!(*original, values);
        assert_eq!(clone[..36], values[..36]);
        assert_eq!(clone[36], 0);
        assert_eq!(clone.as_ptr() as usize % ALIGNMENT, 0);
    }

    #[test]
    fn prints_as_a_slice() {
        assert_eq!(format!("{:?}", AlignedBuffer::from_slice(&[1u32, 2])), "[1, 2]");
    }

    #[test]
    fn crosses_threads() {
        fn is_send_and_sync<T: Send + Sync>() {}
        is_send_and_sync::<AlignedBuffer<f32>>();
        is_send_and_sync::<AlignedBuffer<u32>>();
    }
}
