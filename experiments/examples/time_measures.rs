//! How long measures, probes and scores take on data of the size of a real test set.
//!
//! `cargo run --release --package pitfall --example time_measures` prints seconds for 10,000 codes of 256 units and 10,000
//! pictures of 32 x 32 x 3; `-- knn` adds the k-NN search of 10,000 codes among 50,000. On one core of an AMD EPYC with AVX-512
//! every measure and probe took at most 1.5 s, every score at most 0.7 s but CIE94 (twelve roots a pixel; 0.18 s of
//! processor time for 2,000 of the pictures), and the search 6 s.

use patchgrad::{Tensor, Workspace, random::stream};
use pitfall::{
    linear_algebra::Rows,
    measures,
    neighbours::{Metric, nearest},
    probe::{Features, Probe},
    scores::{Reconstruction, Score, score_pictures},
};
use rand_distr::{Distribution, StandardNormal};
use std::time::Instant;

const COLUMNS: usize = 256;
const CLASSES: usize = 10;

/// Codes whose units have falling variances, around the centre of their class.
fn codes(count: usize, index: u64) -> (Tensor, Vec<u32>) {
    let mut noise = stream(1, "codes", index);
    let labels: Vec<u32> = (0..count).map(|i| (i % CLASSES) as u32).collect();
    let rows = Tensor::from_fn([count, COLUMNS], |i| {
        let (row, unit) = (i / COLUMNS, i % COLUMNS);
        let centre = ((row % CLASSES + 1) as f32 * (unit + 1) as f32).sin();
        let noise: f32 = StandardNormal.sample(&mut noise);
        (0.3 * centre + 2.0 * noise) / (1.0 + unit as f32).sqrt()
    });
    (rows, labels)
}

fn time<R: std::fmt::Debug>(name: &str, f: impl FnOnce() -> R) {
    let start = Instant::now();
    let result = f();
    println!("{name:<24}{:>8.3} s    {result:?}", start.elapsed().as_secs_f64());
}

fn main() {
    println!("{} threads", patchgrad::parallel::threads());
    let (code, labels) = codes(10_000, 0);
    let rows = Rows::new(code.as_slice(), COLUMNS);
    let mut workspace = Workspace::new();
    println!("\nmeasures, 10,000 x {COLUMNS}");
    time("fisher", || measures::fisher_criterion(rows, &labels, CLASSES));
    time("thornton", || measures::thornton_index(rows, &labels, &mut workspace));
    time("silhouette, 2,000 rows", || measures::silhouette_of_sample(rows, &labels, CLASSES, 0));
    time("effective rank", || measures::effective_rank(rows));
    time("participation ratio", || measures::participation_ratio(rows));
    time("dead units", || measures::dead_units(rows));
    time("near zero", || measures::near_zero_share(rows));
    time("hoyer", || measures::hoyer_sparsity(rows));
    let (other, _) = codes(10_000, 1);
    time("linear CKA", || measures::linear_cka(rows, Rows::new(other.as_slice(), COLUMNS)));

    println!("\nprobes, 8,000 training and 2,000 validation rows, asked about 2,000");
    let part =
        |range: std::ops::Range<usize>| (Tensor::new([range.len(), COLUMNS], code.samples(range.clone())), range);
    let ((train, train_range), (validation, validation_range)) = (part(0..8_000), part(8_000..10_000));
    let train = Features { rows: &train, labels: &labels[train_range] };
    let validation = Features { rows: &validation, labels: &labels[validation_range] };
    for probe in Probe::ALL {
        time(probe.name(), || {
            let fitted = probe.fit(train, validation, CLASSES, &mut workspace)?;
            fitted.accuracy(validation, &mut workspace)
        });
    }

    println!("\nscores, 10,000 pictures of 32 x 32 x 3");
    let mut noise = stream(1, "pictures", 0);
    let originals =
        Tensor::from_fn([10_000, 32, 32, 3], |i| ((i / 96) as f32 / 7.0).sin() * ((i % 96) as f32 / 20.0).cos());
    let reconstructions = Tensor::from_fn([10_000, 32, 32, 3], |i| {
        let noise: f32 = StandardNormal.sample(&mut noise);
        0.9 * originals.as_slice()[i] + 0.1 * noise
    });
    time("whole set: mse, r2, psnr", || Reconstruction::score(&originals, reconstructions.as_slice()).r2);
    for score in Score::ALL {
        time(score.name(), || score_pictures(score, &originals, &reconstructions).map(|summary| summary.value));
    }

    if std::env::args().any(|argument| argument == "knn") {
        println!("\n5 nearest of 50,000 x {COLUMNS} for 10,000 queries");
        let (references, _) = codes(50_000, 2);
        for metric in [Metric::Euclidean, Metric::Cosine] {
            time(&format!("{metric:?}"), || {
                let found = nearest(rows, Rows::new(references.as_slice(), COLUMNS), 5, metric, &mut workspace);
                found.map(|found| found[0])
            });
        }
    }
}
