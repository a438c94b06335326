//! The order in which samples are shown.

use patchgrad::{
    checkpoint::{Checkpoint, CheckpointError},
    random::Stream,
};
use rand::seq::SliceRandom;

/// The numbers `0..count`, shuffled again for every epoch, and how many of them were shown in this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    indices: Vec<usize>,
    next: usize,
}

impl Order {
    /// An order whose first epoch has still to be shuffled.
    pub fn new(count: usize) -> Self {
        Self { indices: (0..count).collect(), next: count }
    }

    /// Whether every sample of this epoch was shown.
    pub fn is_over(&self) -> bool {
        self.next == self.indices.len()
    }

    /// Begins an epoch: shuffles what the last one left.
    pub fn shuffle(&mut self, stream: &mut Stream) {
        self.indices.shuffle(stream);
        self.next = 0;
    }

    /// The next `most` samples, fewer at the end of the epoch.
    pub fn next(&mut self, most: usize) -> &[usize] {
        let start = self.next;
        self.next = start.saturating_add(most).min(self.indices.len());
        &self.indices[start..self.next]
    }

    /// Stores the order as the tensor `order` and the entry `order_next`.
    pub fn put(&self, checkpoint: &mut Checkpoint) {
        checkpoint.put_indices("order", &self.indices);
        checkpoint.set("order_next", self.next);
    }

    /// The order of [`put`](Self::put).
    ///
    /// # Errors
    /// If it is missing or no order of `count` samples.
    pub fn take(checkpoint: &mut Checkpoint, count: usize) -> Result<Self, CheckpointError> {
        let indices = checkpoint.take_indices("order")?;
        let expected = vec![count];
        if indices.len() != count {
            return Err(CheckpointError::Shape { name: "order".to_string(), got: vec![indices.len()], expected });
        }
        let mut seen = vec![false; count];
        for (at, &index) in indices.iter().enumerate() {
            // Out of range or there twice: then another one is missing.
            if seen.get(index) != Some(&false) {
                return Err(CheckpointError::Value { name: "order".to_string(), at, value: index.to_string() });
            }
            seen[index] = true;
        }
        let next: usize = checkpoint.get("order_next")?;
        if next > count {
            let (key, value) = ("order_next".to_string(), next.to_string());
            return Err(CheckpointError::Entry { key, value, expected: format!("at most {count}") });
        }
        Ok(Self { indices, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad::random::stream;

    #[test]
    fn every_epoch_shows_every_sample_once_and_an_order_is_resumed_in_its_middle() {
        let mut order = Order::new(10);
        assert!(order.is_over());
        let mut epochs = Vec::new();
        for epoch in 0..3 {
            order.shuffle(&mut stream(1, "shuffle", epoch));
            let mut shown = Vec::new();
            while !order.is_over() {
                let mut checkpoint = Checkpoint::new();
                order.put(&mut checkpoint);
                let mut read = Checkpoint::from_bytes(&checkpoint.to_bytes()).unwrap();
                assert_eq!(Order::take(&mut read, 10).unwrap(), order);
                shown.extend_from_slice(order.next(4));
            }
            epochs.push(shown.clone());
            shown.sort_unstable();
            assert_eq!(shown, (0..10).collect::<Vec<_>>());
        }
        assert!(epochs[0] != epochs[1] && epochs[1] != epochs[2]);
    }

    #[test]
    fn what_is_no_order_is_refused() {
        let take = |indices: &[usize], next: &str| {
            let mut checkpoint = Checkpoint::new();
            checkpoint.put_indices("order", indices);
            checkpoint.set("order_next", next);
            Order::take(&mut checkpoint, 3).map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(take(&[2, 0, 1], "3"), Ok(()));
        for (indices, next, expected) in [
            (&[0, 1][..], "0", "`order` is [2], expected [3]"),
            (&[0, 1, 3], "0", "element 2 of tensor `order` is 3"),
            (&[0, 1, 1], "0", "element 2 of tensor `order` is 1"),
            (&[0, 1, 2], "4", "`order_next` of the metadata is `4`"),
        ] {
            let error = take(indices, next).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
