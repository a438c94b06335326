//! How far a code keeps classes apart.

use crate::{
    linear_algebra::{self, Rows},
    neighbours::{Metric, nearest_others},
};
use patchgrad::{Workspace, parallel, random::stream};
use rand::seq::index;

/// Rows that [`silhouette_of_sample`] draws: its time grows with their square.
pub const SILHOUETTE_ROWS: usize = 2000;

/// Fisher's criterion: see [`linear_algebra::fisher_criterion`]. `None` without rows or when a value is not finite.
///
/// # Panics
/// If there are not as many labels as rows, or a label is not below `classes`.
#[track_caller]
pub fn fisher_criterion(rows: Rows, labels: &[u32], classes: usize) -> Option<f64> {
    linear_algebra::fisher_criterion(rows, labels, classes).ok()
}

/// Thornton's index: the share of rows whose nearest other row (Euclidean; of equally near ones the first) has the same class.
///
/// C. Thornton, "Separability is a learner's best friend" (1998).
///
/// `None` below two rows or when a value is not finite.
///
/// # Panics
/// If there are not as many labels as rows.
#[track_caller]
pub fn thornton_index(rows: Rows, labels: &[u32], workspace: &mut Workspace) -> Option<f64> {
    assert_labels(rows, labels);
    let nearest = nearest_others(rows, 1, Metric::Euclidean, workspace).ok()?;
    let same = nearest.iter().zip(labels).filter(|(other, label)| labels[other.index as usize] == **label).count();
    Some(same as f64 / labels.len() as f64)
}

/// The mean silhouette `(b - a) / max(a, b)`: a is the mean distance (Euclidean) of a row to the others of its class, b the
/// smallest mean distance to another class. Between -1 and 1; 0 for the only row of a class, and where a = b = 0.
///
/// P. J. Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis" (1987).
///
/// All pairs of rows are visited: see [`silhouette_of_sample`]. `None` when there are fewer than two classes or a value is not
/// finite.
///
/// # Panics
/// If there are not as many labels as rows, or a label is not below `classes`.
#[track_caller]
pub fn silhouette(rows: Rows, labels: &[u32], classes: usize) -> Option<f64> {
    assert_labels(rows, labels);
    let mut counts = vec![0_usize; classes];
    labels.iter().for_each(|&label| counts[label as usize] += 1);
    let finite = rows.values().iter().all(|value| value.is_finite());
    if !finite || counts.iter().filter(|&&count| count > 0).count() < 2 {
        return None;
    }
    let columns = rows.columns();
    let row = |index: usize| &rows.values()[index * columns..][..columns];
    let total = parallel::sum_of_chunks(rows.count(), |i| {
        let own = labels[i] as usize;
        let mut sums = vec![0.0; classes];
        for (j, &label) in labels.iter().enumerate() {
            sums[label as usize] += Metric::Euclidean.distance(row(i), row(j));
        }
        if counts[own] == 1 {
            return 0.0;
        }
        let a = sums[own] / (counts[own] - 1) as f64;
        let others = (0..classes).filter(|&class| class != own && counts[class] > 0);
        let b = others.map(|class| sums[class] / counts[class] as f64).fold(f64::INFINITY, f64::min);
        if a.max(b) > 0.0 { (b - a) / a.max(b) } else { 0.0 }
    });
    Some(total / rows.count() as f64)
}

/// [`silhouette`] of [`SILHOUETTE_ROWS`] rows that `seed` draws, or of all if there are not more.
///
/// # Panics
/// As [`silhouette`].
#[track_caller]
pub fn silhouette_of_sample(rows: Rows, labels: &[u32], classes: usize, seed: u64) -> Option<f64> {
    assert_labels(rows, labels);
    if rows.count() <= SILHOUETTE_ROWS {
        return silhouette(rows, labels, classes);
    }
    let mut drawn = index::sample(&mut stream(seed, "silhouette", 0), rows.count(), SILHOUETTE_ROWS).into_vec();
    drawn.sort_unstable();
    let columns = rows.columns();
    let values: Vec<f32> = drawn.iter().flat_map(|&i| &rows.values()[i * columns..][..columns]).copied().collect();
    let labels: Vec<u32> = drawn.iter().map(|&i| labels[i]).collect();
    silhouette(Rows::new(&values, columns), &labels, classes)
}

/// The entropy `H(Y) = -sum p ln p` of the labels, in nats, p the share of each class.
pub fn label_entropy(labels: &[u32]) -> f64 {
    let mut counts = Vec::new();
    for &label in labels {
        let label = label as usize;
        if counts.len() <= label {
            counts.resize(label + 1, 0_usize);
        }
        counts[label] += 1;
    }
    let shares = counts.iter().filter(|&&count| count > 0).map(|&count| count as f64 / labels.len() as f64);
    shares.map(|p| -p * p.ln()).sum()
}

/// `H(Y) - CE`, in nats: what a code tells about the class at the least, given the mean cross-entropy of a probe on test data
/// with these labels. Negative when the probe does worse than always answering with the shares of the classes.
pub fn information_lower_bound(test_labels: &[u32], test_cross_entropy: f64) -> f64 {
    label_entropy(test_labels) - test_cross_entropy
}

#[track_caller]
fn assert_labels(rows: Rows, labels: &[u32]) {
    assert_eq!(rows.count(), labels.len(), "measures: {} rows, {} labels", rows.count(), labels.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thorntons_index_by_hand() {
        // Nearest: 0 -> 1, 1 -> 0, 5 -> 6.5, 6.5 -> 5, 9 -> 6.5; classes 0 0 1 0 0.
        let values = [0.0, 1.0, 5.0, 6.5, 9.0];
        let index = |labels: &[u32]| thornton_index(Rows::new(&values, 1), labels, &mut Workspace::new());
        assert_eq!(index(&[0, 0, 1, 0, 0]), Some(0.6));
        assert_eq!(index(&[0, 1, 0, 1, 0]), Some(0.0));
        assert_eq!(thornton_index(Rows::new(&[1.0], 1), &[0], &mut Workspace::new()), None);
        assert_eq!(thornton_index(Rows::new(&[1.0, f32::NAN], 1), &[0, 0], &mut Workspace::new()), None);
    }

    #[test]
    fn the_silhouette_by_hand() {
        // Classes {0, 1}, {4}: a = 1, 1; b = 4, 3: 3/4, 2/3, and 0 for the only row of its class.
        let values = [0.0, 1.0, 4.0];
        let found = silhouette(Rows::new(&values, 1), &[0, 0, 2], 3).unwrap();
        assert!((found - (0.75 + 2.0 / 3.0) / 3.0).abs() < 1e-15);
        assert_eq!(silhouette(Rows::new(&values, 1), &[1, 1, 1], 3), None);
        assert_eq!(silhouette(Rows::new(&[1.0; 4], 1), &[0, 0, 1, 1], 2), Some(0.0), "a dead code");
    }

    #[test]
    fn a_sample_is_close_to_the_whole_and_the_seed_decides() {
        let values: Vec<f32> = (0..2400).map(|i| (i % 3) as f32 * 2.0 + ((i * 7919) % 101) as f32 / 101.0).collect();
        let labels: Vec<u32> = (0..2400).map(|i| i % 3).collect();
        let rows = Rows::new(&values, 1);
        let whole = silhouette(rows, &labels, 3).unwrap();
        let sampled = silhouette_of_sample(rows, &labels, 3, 1).unwrap();
        assert!((whole - sampled).abs() < 0.01 && whole != sampled, "{whole}, {sampled}");
        assert_eq!(silhouette_of_sample(rows, &labels, 3, 1), Some(sampled));
        let few = Rows::new(&values[..90], 1);
        assert_eq!(silhouette_of_sample(few, &labels[..90], 3, 1), silhouette(few, &labels[..90], 3));
    }

    #[test]
    fn the_information_bound_by_hand() {
        // Shares 1/2, 1/4, 1/4: 1.5 ln 2. A probe that answers with the shares has that cross-entropy.
        let labels = [0, 0, 3, 1];
        assert!((label_entropy(&labels) - 1.5 * 2_f64.ln()).abs() < 1e-15);
        assert!(information_lower_bound(&labels, 1.5 * 2_f64.ln()).abs() < 1e-15);
        assert_eq!(information_lower_bound(&[1, 1], 0.0), 0.0);
    }
}
