//! Reusable buffers: after the first training step nothing is allocated.

use crate::{Shape, Tensor};
use patchgrad_kernels::aligned::{AlignedBuffer, Element};
use std::{collections::BTreeMap, ops::DerefMut};

/// Lists of free buffers by exact length.
///
/// A [`Tape`](crate::Tape) takes every value and gradient from here and gives it back as soon as it is dead. The second
/// training step of the same shapes finds all it needs: [`allocations`](Self::allocations) stands still.
///
/// Buffers and tables of every shape that was seen are kept until [`clear`](Self::clear) is called: who goes through pictures of
/// many sizes calls it from time to time.
///
/// What a buffer holds when it is taken is not specified. Debug builds fill it with NaN, so that a kernel that reads
/// before it writes is found by the tests.
#[derive(Debug, Default)]
pub struct Workspace {
    values: FreeLists<AlignedBuffer<f32>>,
    indices: FreeLists<AlignedBuffer<u32>>,
    bytes: FreeLists<Vec<u8>>,
    /// Tables of convolutions, by shape.
    pub(crate) plans: crate::ops::conv2d::Plans,
}

/// Free buffers of one type.
#[derive(Debug)]
struct FreeLists<B: Buffer> {
    by_len: BTreeMap<usize, Vec<B>>,
    allocations: u64,
    allocated_bytes: usize,
}

/// A slice of fixed length on the heap.
trait Buffer: DerefMut<Target = [Self::Item]> {
    type Item: Copy;

    fn filled(len: usize, value: Self::Item) -> Self;
}

impl<T: Element> Buffer for AlignedBuffer<T> {
    type Item = T;

    fn filled(len: usize, value: T) -> Self {
        Self::filled(len, value)
    }
}

impl Buffer for Vec<u8> {
    type Item = u8;

    fn filled(len: usize, value: u8) -> Self {
        vec![value; len]
    }
}

impl<B: Buffer> Default for FreeLists<B> {
    fn default() -> Self {
        Self { by_len: BTreeMap::new(), allocations: 0, allocated_bytes: 0 }
    }
}

impl<B: Buffer> FreeLists<B> {
    fn take(&mut self, len: usize, poison: B::Item) -> B {
        match self.by_len.get_mut(&len).and_then(Vec::pop) {
            Some(mut buffer) => {
                if cfg!(debug_assertions) {
                    buffer.fill(poison);
                }
                buffer
            }
            None => {
                self.allocations += 1;
                self.allocated_bytes += len * size_of::<B::Item>();
                B::filled(len, poison)
            }
        }
    }

    fn give(&mut self, buffer: B) {
        self.by_len.entry(buffer.len()).or_default().push(buffer);
    }

    fn free(&self) -> usize {
        self.by_len.values().map(Vec::len).sum()
    }
}

impl Workspace {
    /// An empty workspace.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tensor with unspecified contents (NaN in debug builds).
    pub fn take(&mut self, shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into();
        Tensor::from_buffer(shape, self.take_buffer(shape.len()))
    }

    /// Takes back a tensor. One from elsewhere becomes part of the workspace: a step that gives back what it did not take
    /// makes it grow, see [`free_buffers`](Self::free_buffers).
    pub fn give(&mut self, tensor: Tensor) {
        self.give_buffer(tensor.into_buffer());
    }

    /// Scratch with unspecified contents (NaN in debug builds).
    pub(crate) fn take_buffer(&mut self, len: usize) -> AlignedBuffer<f32> {
        self.values.take(len, f32::NAN)
    }

    pub(crate) fn give_buffer(&mut self, buffer: AlignedBuffer<f32>) {
        self.values.give(buffer);
    }

    pub(crate) fn take_indices(&mut self, len: usize) -> AlignedBuffer<u32> {
        self.indices.take(len, u32::MAX)
    }

    pub(crate) fn give_indices(&mut self, buffer: AlignedBuffer<u32>) {
        self.indices.give(buffer);
    }

    pub(crate) fn take_bytes(&mut self, len: usize) -> Vec<u8> {
        self.bytes.take(len, u8::MAX)
    }

    pub(crate) fn give_bytes(&mut self, buffer: Vec<u8>) {
        self.bytes.give(buffer);
    }

    /// Frees all that nobody uses at the moment: free buffers, and the tables of convolutions.
    pub fn clear(&mut self) {
        self.values.by_len.clear();
        self.indices.by_len.clear();
        self.bytes.by_len.clear();
        self.plans = crate::ops::conv2d::Plans::default();
    }

    /// How many buffers were ever allocated.
    pub fn allocations(&self) -> u64 {
        self.values.allocations + self.indices.allocations + self.bytes.allocations
    }

    /// How many buffers lie here for the next who takes one. Between two steps of the same shapes it must not change.
    pub fn free_buffers(&self) -> usize {
        self.values.free() + self.indices.free() + self.bytes.free()
    }

    /// Bytes of all buffers ever allocated here, in use or free.
    pub fn allocated_bytes(&self) -> usize {
        self.values.allocated_bytes + self.indices.allocated_bytes + self.bytes.allocated_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_returned_buffer_is_used_again() {
        let mut workspace = Workspace::new();
        let first = workspace.take([2, 3]);
        workspace.give(first);
        let again = workspace.take([6]);
        assert_eq!(again.shape(), Shape::from([6]));
        assert_eq!((workspace.allocations(), workspace.allocated_bytes()), (1, 24));
        assert_eq!(workspace.free_buffers(), 0);
        workspace.give(again);
        workspace.give(Tensor::zeros([6]));
        assert_eq!(workspace.free_buffers(), 2, "one of them from elsewhere");
        workspace.take([7]);
        assert_eq!(workspace.allocations(), 2);
    }

    #[test]
    fn a_cleared_workspace_keeps_no_buffer() {
        let mut workspace = Workspace::new();
        let taken = workspace.take([3]);
        workspace.give(Tensor::zeros([6]));
        workspace.clear();
        assert_eq!(workspace.free_buffers(), 0);
        workspace.give(taken);
        assert_eq!(workspace.free_buffers(), 1, "what was in use comes back");
    }

    #[test]
    #[cfg(debug_assertions)]
    fn debug_builds_hand_out_nan() {
        let mut workspace = Workspace::new();
        workspace.give(Tensor::zeros([5]));
        assert!(workspace.take([5]).as_slice().iter().all(|v| v.is_nan()));
    }
}
