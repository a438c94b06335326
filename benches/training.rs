//! A whole training step of each auto-encoder of `workloads.json`, with every algorithm, on one and two threads.
//!
//! ```text
//! cargo bench --bench training -- scae-cifar/auto
//! ```
//!
//! criterion's "elem/s" are images per second.

use criterion::{Criterion, Throughput};
use patchgrad::{ops::ConvAlgorithm, parallel};
use pitfall::cli::bench::workloads::{self, Work};

/// Thread counts to measure.
const THREADS: [usize; 2] = [1, 2];

fn main() {
    let workloads = workloads::all();
    for threads in THREADS {
        parallel::with_threads(threads, || {
            let mut criterion = Criterion::default().configure_from_args();
            for workload in workloads.iter().filter(|workload| matches!(workload.work, Work::TrainStep(_))) {
                let mut group = criterion.benchmark_group(&workload.name);
                group.throughput(Throughput::Elements(workload.batch() as u64)).sample_size(10);
                for algorithm in ConvAlgorithm::ALL.into_iter().filter(|&algorithm| !workload.is_too_slow(algorithm)) {
                    let mut run = None;
                    group.bench_function(format!("{algorithm}/threads={threads}"), |b| {
                        b.iter(run.get_or_insert_with(|| workload.prepare(algorithm)));
                    });
                }
                group.finish();
            }
            criterion.final_summary();
        });
    }
}
