//! The nearest rows of a table: k-NN, and measures built on it.
//!
//! # Method
//! All pairs, but as a matrix product: `|q - r|^2 = |q|^2 - 2 (q r - |r|^2 / 2)`, so for one query the reference with the
//! largest `q r - |r|^2 / 2` is the nearest, and for rows of length 1 the one with the largest `q r` has the smallest angle.
//! These keys are a linear layer (the references as its weight, `-|r|^2 / 2` as its bias), computed a block at a time by the
//! engine, and each block is searched at once, so memory grows with the rows and not with the pairs.
//!
//! # Accuracy
//! The keys are f32. Therefore [`SPARE`] candidates more than asked for are kept by key, their distances computed from the
//! rows in f64, and the nearest of these returned. A neighbour can only be missed when more than [`SPARE`] other
//! references are as near up to the rounding of a key, about `1e-7 sqrt(d) |q| |r|` (measured from the mean of the
//! references).
//!
//! # Ties
//! Of equally distant references the one of the smaller index comes first. The bits do not depend on the number of threads.

use crate::linear_algebra::{LinearAlgebraError, Rows};
use patchgrad::{Tape, Tensor, Workspace, parallel};
use serde::Serialize;

/// How far apart two rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// `|q - r|`.
    Euclidean,
    /// `1 - q r / (|q| |r|)`; 1 when a row is 0 everywhere (as scikit-learn has it).
    Cosine,
}

impl Metric {
    /// The distance of two rows, in f64.
    pub fn distance(self, q: &[f32], r: &[f32]) -> f64 {
        match self {
            Self::Euclidean => sum_of(q, r, |q, r| (q - r) * (q - r)).sqrt(),
            Self::Cosine => {
                let lengths = (sum_of(q, q, |q, _| q * q) * sum_of(r, r, |r, _| r * r)).sqrt();
                if lengths > 0.0 { 1.0 - sum_of(q, r, |q, r| q * r) / lengths } else { 1.0 }
            }
        }
    }
}

/// The sum of `term` over two rows, in eight running sums.
fn sum_of(q: &[f32], r: &[f32], term: impl Fn(f64, f64) -> f64) -> f64 {
    let ((q_groups, q_rest), (r_groups, r_rest)) = (q.as_chunks::<8>(), r.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (q, r) in q_groups.iter().zip(r_groups) {
        for lane in 0..8 {
            sums[lane] += term(f64::from(q[lane]), f64::from(r[lane]));
        }
    }
    let rest: f64 = q_rest.iter().zip(r_rest).map(|(&q, &r)| term(f64::from(q), f64::from(r))).sum();
    sums.iter().sum::<f64>() + rest
}

/// One of the nearest references.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Its row.
    pub index: u32,
    /// How far it is.
    pub distance: f64,
}

/// Candidates kept beyond those asked for, because they are chosen by keys with rounding.
pub const SPARE: usize = 16;

/// References in one matrix product: its weight stays in the cache.
const REFERENCES_PER_BLOCK: usize = 1024;

/// Queries in one matrix product: with 64, its output stays in the cache beside the weight. Measured for 256 columns on an
/// AMD EPYC: 59 GFLOP/s, 49 with 128 queries, 35 with 32 or 512.
const QUERIES_PER_BLOCK: usize = 64;

/// Queries that one piece of work searches a block of keys for.
const QUERIES_PER_CHUNK: usize = 16;

/// The `k` nearest references of every query, nearest first: `k` entries for each query (fewer when there are fewer
/// references).
///
/// # Errors
/// [`NotFinite`](LinearAlgebraError::NotFinite), or [`TooFewRows`](LinearAlgebraError::TooFewRows) without references.
///
/// # Panics
/// If queries and references differ in columns.
pub fn nearest(
    queries: Rows,
    references: Rows,
    k: usize,
    metric: Metric,
    workspace: &mut Workspace,
) -> Result<Vec<Neighbour>, LinearAlgebraError> {
    search(queries, references, k, metric, false, workspace)
}

/// The `k` nearest of the other rows for every row, nearest first: `k` entries for each (fewer when there are fewer others).
///
/// # Errors
/// [`NotFinite`](LinearAlgebraError::NotFinite), or [`TooFewRows`](LinearAlgebraError::TooFewRows) below two rows.
pub fn nearest_others(
    rows: Rows,
    k: usize,
    metric: Metric,
    workspace: &mut Workspace,
) -> Result<Vec<Neighbour>, LinearAlgebraError> {
    search(rows, rows, k, metric, true, workspace)
}

/// The search; `others` leaves out the reference with the index of the query.
fn search(
    queries: Rows,
    references: Rows,
    k: usize,
    metric: Metric,
    others: bool,
    workspace: &mut Workspace,
) -> Result<Vec<Neighbour>, LinearAlgebraError> {
    let columns = references.columns();
    assert_eq!(
        queries.columns(),
        columns,
        "nearest: queries of {} columns, references of {columns}",
        queries.columns()
    );
    let needed = 1 + usize::from(others);
    if references.count() < needed {
        return Err(LinearAlgebraError::TooFewRows { got: references.count(), needed });
    }
    if [queries, references].iter().any(|rows| rows.values().iter().any(|value| !value.is_finite())) {
        return Err(LinearAlgebraError::NotFinite);
    }
    let candidates = candidates(queries, references, k + SPARE + usize::from(others), metric, workspace);
    let found = k.min(references.count() - usize::from(others));
    let mut neighbours = vec![Neighbour { index: 0, distance: 0.0 }; queries.count() * found];
    if found == 0 {
        return Ok(neighbours);
    }
    parallel::for_each_chunk(&mut neighbours, QUERIES_PER_CHUNK * found, |chunk, neighbours| {
        for (offset, neighbours) in neighbours.chunks_exact_mut(found).enumerate() {
            let query = chunk * QUERIES_PER_CHUNK + offset;
            let row = |rows: Rows<'_>, index: usize| rows.values()[index * columns..][..columns].to_vec();
            let q = row(queries, query);
            let indices = candidates[query].0.iter().map(|candidate| candidate.index);
            let mut measured: Vec<Neighbour> = indices
                .filter(|&index| !(others && index as usize == query))
                .map(|index| {
                    let r = &references.values()[index as usize * columns..][..columns];
                    Neighbour { index, distance: metric.distance(&q, r) }
                })
                .collect();
            measured.sort_unstable_by(|a, b| a.distance.total_cmp(&b.distance).then(a.index.cmp(&b.index)));
            neighbours.copy_from_slice(&measured[..found]);
        }
    });
    Ok(neighbours)
}

/// A reference and its key.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    key: f32,
    index: u32,
}

/// The references of the largest keys for one query, largest first; of equal keys, the smaller index first.
#[derive(Clone, Debug)]
struct Candidates(Vec<Candidate>);

impl Candidates {
    /// Searches the keys of the references `first..first + keys.len()`; keeps at most `most` candidates.
    fn search(&mut self, keys: &[f32], first: usize, most: usize) {
        let mut threshold = self.threshold(most);
        let mut visit = |from: usize, keys: &[f32]| {
            // Nearly always no key of a group is among the largest, which one comparison of vectors finds out.
            if !keys.iter().fold(false, |found, &key| found | (key > threshold)) {
                return;
            }
            for (offset, &key) in keys.iter().enumerate() {
                if key > threshold {
                    if self.0.len() == most {
                        self.0.pop();
                    }
                    // Behind equal keys, which belong to smaller indices.
                    let place = self.0.partition_point(|candidate| candidate.key >= key);
                    self.0.insert(place, Candidate { key, index: (first + from + offset) as u32 });
                    threshold = self.threshold(most);
                }
            }
        };
        let (groups, rest) = keys.as_chunks::<32>();
        for (i, group) in groups.iter().enumerate() {
            visit(32 * i, group);
        }
        visit(32 * groups.len(), rest);
    }

    /// What a key must exceed to be kept.
    fn threshold(&self, most: usize) -> f32 {
        if self.0.len() < most { f32::NEG_INFINITY } else { self.0[most - 1].key }
    }
}

/// The references of the `most` largest keys for every query.
fn candidates(
    queries: Rows,
    references: Rows,
    most: usize,
    metric: Metric,
    workspace: &mut Workspace,
) -> Vec<Candidates> {
    let columns = references.columns();
    let scaling = KeyScaling::new(queries, references, metric);
    let scaled_queries: Vec<Tensor> = queries
        .values()
        .chunks(QUERIES_PER_BLOCK * columns)
        .map(|block| Tensor::new([block.len() / columns, columns], &scaling.apply(Rows::new(block, columns))))
        .collect();
    let mut found = vec![Candidates(Vec::with_capacity(most)); queries.count()];
    for (block, rows) in references.values().chunks(REFERENCES_PER_BLOCK * columns).enumerate() {
        let count = rows.len() / columns;
        let rows = scaling.apply(Rows::new(rows, columns));
        let mut weight = Tensor::zeros([columns, count]);
        let mut bias = Tensor::zeros([count]);
        for (i, row) in rows.chunks_exact(columns).enumerate() {
            weight.as_mut_slice()[i..].iter_mut().step_by(count).zip(row).for_each(|(to, &from)| *to = from);
            if metric == Metric::Euclidean {
                bias.as_mut_slice()[i] = (-0.5 * sum_of(row, row, |r, _| r * r)) as f32;
            }
        }
        for (queries, found) in scaled_queries.iter().zip(found.chunks_mut(QUERIES_PER_BLOCK)) {
            let mut tape = Tape::new(workspace);
            let (x, w, b) = (tape.input(queries), tape.input(&weight), tape.input(&bias));
            let keys = tape.linear(x, w, Some(b));
            let keys = tape.finish(keys);
            parallel::for_each_chunk(found, QUERIES_PER_CHUNK, |chunk, found| {
                for (offset, found) in found.iter_mut().enumerate() {
                    let row = (chunk * QUERIES_PER_CHUNK + offset) * count;
                    found.search(&keys.as_slice()[row..row + count], block * REFERENCES_PER_BLOCK, most);
                }
            });
            workspace.give(keys);
        }
    }
    found
}

/// What is done to rows before their keys are computed; it changes no order of distances.
struct KeyScaling {
    /// Subtracted: distances do not change, but the rounding of keys grows with the length of the rows. 0 for angles.
    mean: Vec<f64>,
    /// Then multiplied: a power of two that brings the largest value to about 1, so that no key overflows.
    scale: f64,
    metric: Metric,
}

impl KeyScaling {
    fn new(queries: Rows, references: Rows, metric: Metric) -> Self {
        let columns = references.columns();
        let mut mean = vec![0.0; columns];
        if metric == Metric::Euclidean {
            for row in references.iter() {
                mean.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value));
            }
            mean.iter_mut().for_each(|mean| *mean /= references.count() as f64);
        }
        let largest_of = |rows: Rows| {
            let row = |row: &[f32]| {
                row.iter().zip(&mean).fold(0.0, |largest: f64, (&x, mean)| largest.max((f64::from(x) - mean).abs()))
            };
            rows.iter().map(row).fold(0.0, f64::max)
        };
        let largest = largest_of(queries).max(largest_of(references));
        let scale = if largest > 0.0 { (-largest.log2().floor()).exp2() } else { 1.0 };
        Self { mean, scale, metric }
    }

    fn apply(&self, rows: Rows) -> Vec<f32> {
        let mut scaled = Vec::with_capacity(rows.values().len());
        for row in rows.iter() {
            let values = row.iter().zip(&self.mean).map(|(&x, mean)| ((f64::from(x) - mean) * self.scale) as f32);
            let start = scaled.len();
            scaled.extend(values);
            if self.metric == Metric::Cosine {
                // The lengths of f32 values near 1e-38 would vanish when squared: measured in f64, of the row as it was.
                let length = sum_of(row, row, |x, _| x * x).sqrt();
                let to_unit = if length > 0.0 { 1.0 / length } else { 0.0 };
                let unit = scaled[start..].iter_mut().zip(row);
                unit.for_each(|(to, &from)| *to = (f64::from(from) * to_unit) as f32);
            }
        }
        scaled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    fn normal(count: usize, columns: usize, offset: f32, index: u64) -> Vec<f32> {
        let mut stream = stream(5, "rows", index);
        (0..count * columns).map(|_| offset + Distribution::<f32>::sample(&StandardNormal, &mut stream)).collect()
    }

    /// All distances, sorted, by definition.
    fn naive(query: &[f32], references: Rows, skip: Option<usize>, metric: Metric) -> Vec<Neighbour> {
        let measured = references.iter().enumerate().filter(|(index, _)| Some(*index) != skip);
        let measured = measured.map(|(index, row)| {
            let (mut qr, mut qq, mut rr, mut dd) = (0.0, 0.0, 0.0, 0.0);
            for (&q, &r) in query.iter().zip(row) {
                let (q, r) = (f64::from(q), f64::from(r));
                (qr, qq, rr, dd) = (qr + q * r, qq + q * q, rr + r * r, dd + (q - r) * (q - r));
            }
            let distance = match metric {
                Metric::Euclidean => dd.sqrt(),
                Metric::Cosine => 1.0 - qr / (qq * rr).sqrt(),
            };
            Neighbour { index: index as u32, distance }
        });
        let mut measured: Vec<Neighbour> = measured.collect();
        measured.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        measured
    }

    #[test]
    fn the_search_agrees_with_its_definition_across_blocks() {
        // A mean far from 0: without subtracting it, keys would have an error of 0.01.
        let columns = 19;
        let references = normal(2 * REFERENCES_PER_BLOCK + 37, columns, 100.0, 0);
        let queries = normal(QUERIES_PER_BLOCK + 5, columns, 100.0, 1);
        let (references, queries) = (Rows::new(&references, columns), Rows::new(&queries, columns));
        for metric in [Metric::Euclidean, Metric::Cosine] {
            let found = nearest(queries, references, 3, metric, &mut Workspace::new()).unwrap();
            let others = nearest_others(references, 2, metric, &mut Workspace::new()).unwrap();
            let check = |got: &[Neighbour], expected: &[Neighbour]| {
                for (got, expected) in got.iter().zip(expected) {
                    assert_eq!(got.index, expected.index, "{metric:?}: {got:?}, {expected:?}");
                    assert!((got.distance - expected.distance).abs() < 1e-12);
                }
            };
            for (query, found) in queries.iter().zip(found.chunks(3)).step_by(16) {
                check(found, &naive(query, references, None, metric));
            }
            for (index, (query, others)) in references.iter().zip(others.chunks(2)).enumerate().step_by(64) {
                check(others, &naive(query, references, Some(index), metric));
            }
        }
    }

    #[test]
    fn ties_go_to_the_smaller_index() {
        // Rows 0, 1, 0, 1, ...: 1.0 is at distance 0 of the odd ones.
        let values: Vec<f32> = (0..200).map(|i| (i % 2) as f32).collect();
        let references = Rows::new(&values, 1);
        let found = nearest(Rows::new(&[1.0], 1), references, 4, Metric::Euclidean, &mut Workspace::new()).unwrap();
        assert_eq!(found.iter().map(|n| n.index).collect::<Vec<_>>(), [1, 3, 5, 7]);
        let found = nearest_others(references, 2, Metric::Euclidean, &mut Workspace::new()).unwrap();
        assert_eq!(found[2 * 3..][..2].iter().map(|n| n.index).collect::<Vec<_>>(), [1, 5], "not itself");
    }

    #[test]
    fn awkward_rows() {
        let near = |queries: &[f32], references: &[f32], metric| {
            nearest(Rows::new(queries, 2), Rows::new(references, 2), 2, metric, &mut Workspace::new())
        };
        // Values whose squares overflow, and tiny ones.
        for scale in [1e30, 1.0, 1e-30] {
            let references = [3.0, 0.0, 0.0, 1.0, 1.0, 1.0].map(|x: f32| x * scale);
            let found = near(&[0.9 * scale, 0.8 * scale], &references, Metric::Euclidean).unwrap();
            assert_eq!((found[0].index, found[1].index), (2, 1), "{scale}");
            let found = near(&[0.9 * scale, 0.8 * scale], &references, Metric::Cosine).unwrap();
            assert_eq!((found[0].index, found[1].index), (2, 0), "{scale}");
        }
        let zero = near(&[0.0, 0.0], &[1.0, 0.0, 0.0, 0.0], Metric::Cosine).unwrap();
        assert_eq!(zero.iter().map(|n| (n.index, n.distance)).collect::<Vec<_>>(), [(0, 1.0), (1, 1.0)]);
        assert_eq!(near(&[0.0, 0.0], &[5.0, 0.0], Metric::Euclidean).unwrap().len(), 1, "fewer than k references");
        assert_eq!(near(&[f32::NAN, 0.0], &[1.0, 0.0], Metric::Cosine), Err(LinearAlgebraError::NotFinite));
        assert_eq!(near(&[0.0, 0.0], &[], Metric::Cosine), Err(LinearAlgebraError::TooFewRows { got: 0, needed: 1 }));
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let values = normal(1500, 7, 0.0, 2);
        let search = |threads| {
            parallel::with_threads(threads, || {
                nearest_others(Rows::new(&values, 7), 5, Metric::Euclidean, &mut Workspace::new()).unwrap()
            })
        };
        let one = search(1);
        assert!([2, 8].into_iter().all(|threads| search(threads) == one));
    }
}
