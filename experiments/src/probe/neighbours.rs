//! The k-NN probe: the vote of the nearest training rows.

use super::{Features, FittedProbe, ProbeError, table};
use crate::neighbours::{Metric, Neighbour, nearest};
use patchgrad::{Tensor, Workspace};

/// The class of most of the `k` nearest training rows, features as they are.
///
/// Ties: of equally distant rows the earlier ones vote; of classes with equally many votes the smaller one wins (as in
/// scikit-learn).
#[derive(Clone, Debug)]
pub struct NeighboursProbe {
    rows: Tensor,
    labels: Vec<u32>,
    classes: usize,
    k: usize,
    metric: Metric,
}

impl NeighboursProbe {
    /// Remembers the training rows.
    ///
    /// # Panics
    /// If `k` is 0, or a label is not below `classes` (when asked).
    pub fn new(train: Features, classes: usize, k: usize, metric: Metric) -> Self {
        assert!(k > 0, "k-NN: at least one neighbour must vote");
        Self { rows: train.rows.clone(), labels: train.labels.to_vec(), classes, k, metric }
    }

    fn vote(&self, neighbours: &[Neighbour]) -> u32 {
        let mut votes = vec![0; self.classes];
        for neighbour in neighbours {
            votes[self.labels[neighbour.index as usize] as usize] += 1;
        }
        (1..self.classes).fold(0, |best, class| if votes[class] > votes[best] { class } else { best }) as u32
    }
}

impl FittedProbe for NeighboursProbe {
    fn predict(&self, rows: &Tensor, workspace: &mut Workspace) -> Result<Vec<u32>, ProbeError> {
        let neighbours = nearest(table(rows), table(&self.rows), self.k, self.metric, workspace)?;
        Ok(neighbours.chunks(self.k.min(self.labels.len())).map(|neighbours| self.vote(neighbours)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_and_their_ties_by_hand() {
        let rows = Tensor::new([5, 1], &[0.0, 1.0, 2.0, 3.0, 10.0]);
        let probe = |k| {
            let train = Features { rows: &rows, labels: &[2, 1, 1, 2, 0] };
            let probe = NeighboursProbe::new(train, 3, k, Metric::Euclidean);
            probe.predict(&Tensor::new([4, 1], &[0.1, 1.4, 2.9, 9.0]), &mut Workspace::new()).unwrap()
        };
        assert_eq!(probe(1), [2, 1, 2, 0]);
        assert_eq!(probe(2), [1, 1, 1, 0], "of two votes for different classes the smaller class wins");
        assert_eq!(probe(3), [1, 1, 1, 0], "9.0: one vote each");
        assert_eq!(probe(99), [1; 4], "all vote: 1 and 2 twice each");
    }
}
