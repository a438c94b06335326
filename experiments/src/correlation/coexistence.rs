//! Claim C1: are there networks that reconstruct well and classify poorly?

use super::network::{NetworkRow, Status};
use crate::{
    statistics::{CONFIDENCE, Interval, RESAMPLES, SIGNIFICANCE_LEVEL, Verdict, bootstrap, median, wilson_interval},
    suite::claims::{Case, exists},
};
use patchgrad::random::stream;

/// The best quarter of P1 by its own decoder's error, against the median accuracy.
pub struct Coexistence<'a> {
    /// The median accuracy of the logistic probe over all networks that did not fail.
    pub median: f64,
    /// The best quarter by error, best first, with what each shows.
    pub best: Vec<(&'a NetworkRow, Case)>,
    /// The other way round: dead ones, which reconstruct no better than the mean picture, among the most accurate quarter, each with its
    /// place by accuracy, from 1.
    pub dead_but_accurate: Vec<(usize, &'a NetworkRow)>,
    /// What follows.
    pub verdict: Verdict,
    /// The accuracies of all networks.
    accuracies: Vec<f64>,
    test_pictures: usize,
}

impl<'a> Coexistence<'a> {
    /// Of the networks of P1; accuracies were measured on `test_pictures` pictures. `None` with fewer than four networks.
    pub fn of(rows: &[&'a NetworkRow], test_pictures: usize) -> Option<Self> {
        let mut known: Vec<(&NetworkRow, f64, f64)> = rows
            .iter()
            .filter(|row| row.status != Status::Failed)
            .filter_map(|row| Some((*row, row.mse?, row.logistic?)))
            .collect();
        if known.len() < 4 {
            return None;
        }
        let accuracies: Vec<f64> = known.iter().map(|(_, _, accuracy)| *accuracy).collect();
        let median = median(&accuracies)?;
        let quarter = known.len() / 4;
        known.sort_by(|a, b| b.2.total_cmp(&a.2));
        let accurate = known.iter().take(quarter).enumerate();
        let dead_but_accurate: Vec<_> = accurate
            .filter(|(_, (row, ..))| row.status == Status::Dead)
            .map(|(at, (row, ..))| (at + 1, *row))
            .collect();
        known.sort_by(|a, b| a.1.total_cmp(&b.1));
        known.truncate(quarter);
        let of = known.len();
        let case = |accuracy: f64| match of_accuracy(accuracy, test_pictures, of) {
            Some(interval) if interval.high < median => Case::ForIt,
            Some(interval) if interval.low > median => Case::AgainstIt,
            _ => Case::Open,
        };
        let best: Vec<_> = known.into_iter().map(|(row, _, accuracy)| (row, case(accuracy))).collect();
        let verdict = exists(best.iter().map(|(_, case)| *case));
        Some(Self { median, best, dead_but_accurate, verdict, accuracies, test_pictures })
    }

    /// The 95 % interval of the median over other draws of networks, by the bootstrap. The verdict is about these networks and does
    /// not rest on it.
    pub fn median_interval(&self, seed: u64) -> Option<Interval> {
        let of = |drawn: &[usize]| median(&drawn.iter().map(|&at| self.accuracies[at]).collect::<Vec<f64>>());
        let random = &mut stream(seed, "median accuracy", 0);
        Some(bootstrap(self.accuracies.len(), of, RESAMPLES, CONFIDENCE, random)?.percentile)
    }

    /// How many of the best quarter are certainly less accurate than `accuracy`.
    pub fn certainly_below(&self, accuracy: f64) -> usize {
        let is_below = |row: &NetworkRow| {
            let interval = row.logistic.and_then(|known| of_accuracy(known, self.test_pictures, self.best.len()));
            interval.is_some_and(|interval| interval.high < accuracy)
        };
        self.best.iter().filter(|(row, _)| is_below(row)).count()
    }

    /// How many of the best quarter are certainly less accurate than the median.
    pub fn poor(&self) -> usize {
        self.count(Case::ForIt)
    }

    /// How many of the best quarter are certainly more accurate than the median.
    pub fn good(&self) -> usize {
        self.count(Case::AgainstIt)
    }

    /// Places by error, from 1, of those that are certainly less accurate.
    pub fn places_of_poor(&self) -> Vec<usize> {
        let poor = self.best.iter().enumerate().filter(|(_, (_, case))| *case == Case::ForIt);
        poor.map(|(at, _)| at + 1).collect()
    }

    fn count(&self, wanted: Case) -> usize {
        self.best.iter().filter(|(_, case)| *case == wanted).count()
    }

    /// Of those that are certainly less accurate, the one with the lowest error.
    pub fn best_poor(&self) -> Option<&'a NetworkRow> {
        self.best.iter().find(|(_, case)| *case == Case::ForIt).map(|(row, _)| *row)
    }

    /// The least accurate of the best quarter.
    pub fn worst(&self) -> &'a NetworkRow {
        let accuracy = |row: &NetworkRow| row.logistic.unwrap_or(f64::INFINITY);
        let least = self.best.iter().min_by(|(a, _), (b, _)| accuracy(a).total_cmp(&accuracy(b)));
        least.map(|(row, _)| *row).expect("a quarter of at least four networks is not empty")
    }
}

/// The interval of one of `of` accuracies, together at 95 %.
fn of_accuracy(accuracy: f64, test_pictures: usize, of: usize) -> Option<Interval> {
    let correct = (accuracy * test_pictures as f64).round() as u64;
    wilson_interval(correct, test_pictures as u64, 1.0 - SIGNIFICANCE_LEVEL / of as f64)
}

#[cfg(test)]
mod tests {
    use super::super::network::tests::measured;
    use super::*;

    fn found(accuracies: [f64; 8], pictures: usize) -> (Verdict, usize, f64) {
        // The first two reconstruct best.
        let rows: Vec<NetworkRow> = accuracies
            .iter()
            .enumerate()
            .map(|(index, accuracy)| measured(index, 0.1 * (index + 1) as f64, *accuracy))
            .collect();
        let rows: Vec<&NetworkRow> = rows.iter().collect();
        let coexistence = Coexistence::of(&rows, pictures).unwrap();
        (coexistence.verdict, coexistence.poor(), coexistence.median)
    }

    #[test]
    fn one_poor_network_among_the_best_is_enough() {
        let accuracies = [0.95, 0.60, 0.90, 0.91, 0.92, 0.93, 0.94, 0.88];
        assert_eq!(found(accuracies, 1_000), (Verdict::Supported, 1, 0.915));
    }

    #[test]
    fn all_good_ones_contradict_and_few_pictures_leave_it_open() {
        let accuracies = [0.99, 0.98, 0.80, 0.81, 0.82, 0.83, 0.84, 0.85];
        assert_eq!(found(accuracies, 2_000).0, Verdict::Contradicted);
        assert_eq!(found([0.86, 0.70, 0.80, 0.81, 0.82, 0.83, 0.84, 0.85], 20).0, Verdict::Inconclusive);
    }

    #[test]
    fn the_poor_and_the_good_are_counted_and_the_poor_one_that_reconstructs_best_is_named() {
        // Of twelve the first three reconstruct best: good, poor, poorer.
        let accuracy = |at: usize| [0.99, 0.70, 0.60].get(at).copied().unwrap_or(0.9);
        let rows: Vec<NetworkRow> = (0..12).map(|at| measured(at, 0.1 * (at + 1) as f64, accuracy(at))).collect();
        let found = Coexistence::of(&rows.iter().collect::<Vec<_>>(), 1_000).unwrap();
        assert_eq!((found.poor(), found.good()), (2, 1));
        assert_eq!(found.places_of_poor(), [2, 3]);
        assert_eq!((found.best_poor().map(|row| row.network), found.worst().network), (Some(1), 2));
    }

    #[test]
    fn another_draw_of_networks_has_another_median() {
        let rows: Vec<NetworkRow> =
            (0..40).map(|at| measured(at, 0.1 + 0.01 * at as f64, 0.5 + 0.01 * at as f64)).collect();
        let found = Coexistence::of(&rows.iter().collect::<Vec<_>>(), 10_000).unwrap();
        let ends = found.median_interval(1).unwrap();
        assert!(ends.low < 0.67 && ends.low > 0.55 && ends.high > 0.72 && ends.high < 0.84, "{ends:?}");
        // The ten best have accuracies of 0.50 to 0.59, each known to about 0.015.
        assert_eq!([found.poor(), found.certainly_below(0.56), found.certainly_below(0.5)], [10, 5, 0]);
    }

    #[test]
    fn dead_networks_among_the_most_accurate_are_found() {
        // Rising accuracy: of eight, the most accurate quarter are the last two.
        let mut rows: Vec<NetworkRow> = (0..8).map(|at| measured(at, 0.1, 0.5 + 0.05 * at as f64)).collect();
        [1, 6].iter().for_each(|at: &usize| rows[*at].status = Status::Dead);
        let found = Coexistence::of(&rows.iter().collect::<Vec<_>>(), 1_000).unwrap();
        let found: Vec<(usize, usize)> = found.dead_but_accurate.iter().map(|(at, row)| (*at, row.network)).collect();
        assert_eq!(found, [(2, 6)]);
    }

    #[test]
    fn failed_networks_do_not_enter() {
        let mut rows: Vec<NetworkRow> = (0..4).map(|index| measured(index, 0.1, 0.9)).collect();
        rows[3].status = Status::Failed;
        assert!(Coexistence::of(&rows.iter().collect::<Vec<_>>(), 100).is_none());
    }
}
