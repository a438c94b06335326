//! How separable a table of features is: the same measures for codes, layers, pixels and baselines.

use crate::{
    classification::accuracy,
    linear_algebra::Rows,
    measures,
    neighbours::Metric,
    probe::{Features, FittedProbe, LogisticProbe, PENALTIES, Probe, arg_max},
    suite::Parts,
};
use patchgrad::{Tensor, Workspace};

/// Neighbours that vote.
const NEIGHBOURS: usize = 5;

/// The longest row of a layer's map that is probed as it is. It keeps the middle layer of P2 whole (3 x 3 x 64), and its
/// measures far cheaper than training the layer.
pub const LONGEST_MAP: usize = 576;

/// What every table of features is measured by, on test pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Common {
    /// Accuracy of the ridge probe.
    pub ridge: f64,
    /// What the features tell about the class at least, nats, by the probabilities of a linear discriminant; `None` with too
    /// few pictures for one.
    pub information: Option<f64>,
    /// Accuracy of five nearest neighbours, Euclidean.
    pub knn: f64,
    /// Thornton's index.
    pub thornton: Option<f64>,
    /// Fisher's criterion.
    pub fisher: Option<f64>,
    /// Which pictures the neighbours get right.
    pub knn_right: Vec<bool>,
}

/// What is measured of codes and baselines beyond that.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Accuracy of the logistic probe.
    pub logistic: f64,
    /// What the features tell about the class at least, nats, by its probabilities.
    pub information: f64,
    /// Which pictures it gets right.
    pub logistic_right: Vec<bool>,
    /// The rest.
    pub common: Common,
}

/// Labels of training and validation pictures, for the probes.
pub type ProbeLabels<'a> = [&'a [u32]; 2];

/// Features of training and validation with the labels that probes learn from, and the true labels of the test pictures.
fn labelled<'f>(
    parts: &'f Parts,
    [train, validation]: [&'f Tensor; 2],
    labels: Option<ProbeLabels<'f>>,
) -> (Features<'f>, Features<'f>, &'f [u32]) {
    let [own_train, own_validation, truth] = parts.all().map(|part| &part.labels[..]);
    let [train_labels, validation_labels] = labels.unwrap_or([own_train, own_validation]);
    let train = Features { rows: train, labels: train_labels };
    (train, Features { rows: validation, labels: validation_labels }, truth)
}

/// Measures features `[N, d]` of training, validation and test pictures without the logistic probe, which takes longest.
/// `labels` are those that probes learn from; `None` for the true ones.
///
/// `None` when a feature is not finite.
pub fn measure_common(
    parts: &Parts,
    [train, validation, test]: [&Tensor; 3],
    labels: Option<ProbeLabels>,
    workspace: &mut Workspace,
) -> Option<Common> {
    let (train, validation, truth) = labelled(parts, [train, validation], labels);
    let mut fit = |probe: Probe| probe.fit(train, validation, parts.classes, workspace).ok();
    let (ridge, discriminant) = (fit(Probe::Ridge)?, fit(Probe::LinearDiscriminant));
    let knn = fit(Probe::NearestNeighbours { k: NEIGHBOURS, metric: Metric::Euclidean })?;
    let knn_right = right(&knn.predict(test, workspace).ok()?, truth);
    let reported = Features { rows: test, labels: truth };
    let cross_entropy = discriminant.and_then(|probe| probe.cross_entropy(reported, workspace).ok()?);
    let rows = Rows::new(test.as_slice(), test.shape().dims()[1]);
    Some(Common {
        ridge: accuracy(&ridge.predict(test, workspace).ok()?, truth),
        information: cross_entropy.map(|entropy| measures::information_lower_bound(truth, entropy)),
        knn: share(&knn_right),
        thornton: measures::thornton_index(rows, truth, workspace),
        fisher: measures::fisher_criterion(rows, truth, parts.classes),
        knn_right,
    })
}

/// [`measure_common`] and the logistic probe.
///
/// `None` when a feature is not finite.
pub fn measure(
    parts: &Parts,
    [train, validation, test]: [&Tensor; 3],
    labels: Option<ProbeLabels>,
    workspace: &mut Workspace,
) -> Option<Measured> {
    let common = measure_common(parts, [train, validation, test], labels, workspace)?;
    let (train, validation, truth) = labelled(parts, [train, validation], labels);
    let logistic = LogisticProbe::fit(train, validation, parts.classes, &PENALTIES, workspace).ok()?;
    let logits = logistic.logits(test, workspace).ok()??;
    let logistic_right = right(&arg_max(&logits, parts.classes), truth);
    let cross_entropy = logistic.cross_entropy(Features { rows: test, labels: truth }, workspace).ok()??;
    Some(Measured {
        logistic: share(&logistic_right),
        information: measures::information_lower_bound(truth, cross_entropy),
        logistic_right,
        common,
    })
}

/// Which predictions are right.
fn right(predicted: &[u32], truth: &[u32]) -> Vec<bool> {
    predicted.iter().zip(truth).map(|(a, b)| a == b).collect()
}

/// The share that is right.
fn share(right: &[bool]) -> f64 {
    right.iter().filter(|right| **right).count() as f64 / right.len() as f64
}

/// Cells over which maps of the shape h, w, c are meaned: those of the finest grid g x g that leaves at most so many values, or the
/// whole map. Neighbouring cells share a line of positions where g does not divide the side.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    map: [usize; 3],
    /// `None` for maps that are short enough as they are.
    side: Option<usize>,
}

impl Grid {
    /// For maps of the shape `[h, w, c]`, of which at most `longest` values are to be left.
    pub fn of([h, w, c]: [usize; 3], longest: usize) -> Self {
        let finest = || (1..=h.min(w)).rev().find(|side| side * side * c <= longest).unwrap_or(1);
        Self { map: [h, w, c], side: (h * w * c > longest).then(finest) }
    }

    /// Values that are left of a map.
    pub fn values(&self) -> usize {
        let [h, w, c] = self.map;
        self.side.map_or(h * w * c, |side| side * side * c)
    }

    /// Writes the means of `maps` `[N, h, w, c]` into `rows` `[N, values]`.
    pub fn mean(&self, maps: &[f32], rows: &mut [f32]) {
        let [h, w, c] = self.map;
        let Some(grid) = self.side else { return rows.copy_from_slice(maps) };
        let cell = |at: usize, side: usize| at * side / grid..((at + 1) * side).div_ceil(grid);
        for (to, map) in rows.chunks_mut(grid * grid * c).zip(maps.chunks(h * w * c)) {
            for (index, to) in to.chunks_mut(c).enumerate() {
                let (rows, columns) = (cell(index / grid, h), cell(index % grid, w));
                let positions = rows.len() * columns.len();
                to.fill(0.0);
                for y in rows {
                    for x in columns.clone() {
                        let from = &map[(y * w + x) * c..][..c];
                        to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                    }
                }
                to.iter_mut().for_each(|to| *to /= positions as f32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Labelled;
    use std::borrow::Cow;

    #[test]
    fn a_short_map_stays_and_a_long_one_is_meaned_by_cells() {
        let meaned = |maps: &[f32], size: [usize; 3], longest: usize| {
            let grid = Grid::of(size, longest);
            let mut rows = vec![f32::NAN; maps.len() / size.iter().product::<usize>() * grid.values()];
            grid.mean(maps, &mut rows);
            rows
        };
        let map = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        assert_eq!(meaned(&map, [3, 3, 1], 9), map);
        // Cells of 2 x 2 that share the middle row and column.
        assert_eq!(meaned(&map, [3, 3, 1], 8), [3.0, 4.0, 6.0, 7.0]);
        assert_eq!(meaned(&map, [3, 3, 1], 3), [5.0]);
        // Two channels stay apart: 4 x 1 positions, one cell; of two pictures.
        let two = [0.0, 10.0, 2.0, 20.0, 4.0, 30.0, 6.0, 40.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        assert_eq!(meaned(&two, [4, 1, 2], 7), [3.0, 25.0, 1.0, 1.0]);
    }

    #[test]
    fn classes_that_lie_apart_are_told_apart_and_shuffled_labels_are_not() {
        let part = |count: usize| {
            let labels: Vec<u32> = (0..count).map(|i| (i % 2) as u32).collect();
            let pictures = Tensor::from_fn([count, 1, 1, 2], |i| {
                let (picture, axis) = (i / 2, i % 2);
                if axis == 0 {
                    (picture % 2) as f32 * 4.0 + (picture % 7) as f32 / 7.0
                } else {
                    (picture % 13) as f32 / 13.0
                }
            });
            Labelled { pictures: pictures.into(), labels }
        };
        let (train, validation, test) = (part(60), part(20), part(40));
        let parts = Parts { train: Cow::Borrowed(&train), validation: &validation, test: &test, classes: 2 };
        let rows = parts.features(|pictures| pictures.clone().reshape([pictures.len() / 2, 2]).unwrap());
        let workspace = &mut Workspace::new();
        let rows = rows.each_ref();
        let found = measure(&parts, rows, None, workspace).unwrap();
        let common = &found.common;
        assert_eq!((found.logistic, common.ridge, common.knn, common.thornton), (1.0, 1.0, 1.0, Some(1.0)));
        assert!(found.information > 0.6 && common.information.unwrap() > 0.6 && common.fisher.unwrap() > 10.0);
        assert!(found.logistic_right.iter().all(|right| *right) && common.knn_right.len() == 40);
        let other: Vec<u32> = test.labels.iter().map(|label| 1 - label).collect();
        let wrong = [&[1, 0].repeat(30)[..], &other[..20]];
        let found = measure(&parts, rows, Some(wrong), workspace).unwrap();
        assert_eq!((found.logistic, found.common.knn), (0.0, 0.0), "the test labels are the true ones");
        let broken = Tensor::from_fn([60, 2], |_| f32::NAN);
        assert_eq!(measure(&parts, [&broken, rows[1], rows[2]], None, workspace), None);
    }
}
