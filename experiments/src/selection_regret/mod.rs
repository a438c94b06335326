//! Experiment E7: what does it cost to choose a network by its reconstruction?
//!
//! **Question.** Someone has a few trained networks and wants the one whose code classifies best. How much accuracy is lost by
//! taking the one that reconstructs best, and do other criteria that need no labels choose better? (Claim C5.)
//!
//! **Protocol.** No network is trained: the networks of P1 of [E1](crate::correlation) that did not fail are read. Candidates
//! are chosen by a [criterion](CRITERIA) that needs no labels: an error on validation pictures or of the training, or the rank of the
//! codes of test pictures; what is compared with is the choice by the
//! validation accuracy of the logistic probe. Both are paid in its test accuracy.
//!
//! **Measures.** The [`regret`] in pools of 5, 10, 20 and 50 random networks, all sizes together and within one code
//! size; over all networks the rank of the chosen one, the share of pairs that the criterion orders as the accuracy does, and
//! how many of the best tenth it finds ([`choice`]).

pub mod choice;
mod e7;
mod page;
pub mod regret;

pub use e7::E7;

use crate::correlation::{
    network::{NetworkRow, Status},
    population::Population,
    relations::Column,
};

/// What networks may be chosen by. None of them looks at a label.
#[derive(Clone, Copy, Debug)]
pub struct Criterion {
    /// As in tables: `own-decoder`.
    pub name: &'static str,
    /// As on the page.
    pub label: &'static str,
    /// More is better.
    pub value: Column,
}

/// The criterion that claim C5 speaks of.
pub const RECONSTRUCTION: &str = "own-decoder";

/// Every criterion, that of the claim first, the blind choice last.
pub const CRITERIA: [Criterion; 6] = [
    Criterion { name: RECONSTRUCTION, label: "own decoder's MSE", value: |row| row.mse_validation.map(|value| -value) },
    Criterion {
        name: "linear-decoder",
        label: "linear decoder's MSE",
        value: |row| row.linear_decoder_mse_validation.map(|value| -value),
    },
    Criterion { name: "effective-rank", label: "effective rank", value: |row| row.effective_rank },
    Criterion { name: "participation-ratio", label: "participation ratio", value: |row| row.participation_ratio },
    Criterion {
        name: "lowest-layer",
        label: "lowest layer's error",
        value: |row| row.train_error_bottom.map(|value| -value),
    },
    Criterion { name: "blind", label: "blind choice", value: |_| Some(0.0) },
];

/// Candidates side by side: what they are chosen by, and what the choice is worth.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    /// The criterion, more is better.
    pub criterion: Vec<f64>,
    /// Validation accuracy, what one would rather choose by.
    pub reference: Vec<f64>,
    /// Test accuracy.
    pub accuracy: Vec<f64>,
    /// Code size.
    pub code_size: Vec<usize>,
}

impl Candidates {
    /// The networks of P1 that did not fail and have the criterion.
    pub fn of(rows: &[NetworkRow], criterion: &Criterion) -> Self {
        let mut all = Self::default();
        for row in rows.iter().filter(|row| row.population == Population::P1 && row.status != Status::Failed) {
            let values = ((criterion.value)(row), row.logistic_validation, row.logistic);
            if let (Some(criterion), Some(reference), Some(accuracy)) = values {
                all.criterion.push(criterion);
                all.reference.push(reference);
                all.accuracy.push(accuracy);
                all.code_size.push(row.code_size);
            }
        }
        all
    }

    /// The networks that have both criteria, once with the one and once with the other, in one order.
    pub fn of_both(rows: &[NetworkRow], criteria: [&Criterion; 2]) -> [Self; 2] {
        let has_both = |row: &&NetworkRow| criteria.iter().all(|criterion| (criterion.value)(row).is_some());
        let rows: Vec<NetworkRow> = rows.iter().filter(has_both).cloned().collect();
        criteria.map(|criterion| Self::of(&rows, criterion))
    }

    /// Some of them, in this order; one may be taken twice.
    pub fn pick(&self, networks: &[usize]) -> Self {
        let values = |of: &[f64]| networks.iter().map(|&network| of[network]).collect();
        Self {
            criterion: values(&self.criterion),
            reference: values(&self.reference),
            accuracy: values(&self.accuracy),
            code_size: networks.iter().map(|&network| self.code_size[network]).collect(),
        }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.accuracy.len()
    }

    /// Those of each code size, smallest first.
    pub fn by_code_size(&self) -> Vec<Self> {
        let mut sizes = self.code_size.clone();
        sizes.sort_unstable();
        sizes.dedup();
        let of = |size: usize| (0..self.count()).filter(|&at| self.code_size[at] == size).collect::<Vec<_>>();
        sizes.into_iter().map(|size| self.pick(&of(size))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlation::network::tests::row;

    #[test]
    fn candidates_are_of_p1_and_did_not_fail() {
        let mut rows: Vec<NetworkRow> = (0..5).map(row).collect();
        for (i, row) in rows.iter_mut().enumerate() {
            (row.logistic, row.logistic_validation) = (Some(i as f64), Some(10.0 + i as f64));
            (row.mse_validation, row.code_size) = (Some(0.5), [64, 16, 64, 16, 64][i]);
        }
        rows[1].status = Status::Failed;
        rows[2].population = Population::P2;
        rows[4].status = Status::Dead;
        let all = Candidates::of(&rows, &CRITERIA[0]);
        assert_eq!((all.accuracy.as_slice(), all.criterion.as_slice()), (&[0.0, 3.0, 4.0][..], &[-0.5; 3][..]));
        let sizes: Vec<Vec<f64>> = all.by_code_size().into_iter().map(|group| group.reference).collect();
        assert_eq!(sizes, [vec![13.0], vec![10.0, 14.0]]);
        assert_eq!(Candidates::of(&rows, &CRITERIA[2]).count(), 0, "the effective rank was not measured");
    }
}
