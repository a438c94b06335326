//! Every pass of conv2d and conv_transpose2d, with every algorithm, on one and two threads, over `workloads.json`.
//!
//! ```text
//! cargo bench --bench convolution -- conv2d/cifar-enc2
//! ```
//!
//! criterion's "Gelem/s" are GFLOP/s: two operations for each multiply-add of one pass, as it is defined. The tensors are
//! those of `pitfall bench`: random, with a bias that is added in the forward pass and has its gradient with that of the
//! weight.

use criterion::{Criterion, Throughput};
use patchgrad::{ops::ConvAlgorithm, parallel};
use pitfall::cli::bench::workloads::{self, Work, Workload};

/// Thread counts to measure.
const THREADS: [usize; 2] = [1, 2];

/// The algorithms worth a measurement: one that would hand the pass to another (as `Auto` does) is measured as that other
/// one, and the naive loops use one thread.
fn algorithms(workload: &Workload, threads: usize) -> impl Iterator<Item = ConvAlgorithm> {
    ConvAlgorithm::ALL.into_iter().filter(move |&algorithm| {
        workload.algorithm(algorithm) == Some(algorithm)
            && !workload.is_too_slow(algorithm)
            && (algorithm != ConvAlgorithm::Naive || threads == 1)
    })
}

fn measure(criterion: &mut Criterion, workload: &Workload, algorithm: ConvAlgorithm, threads: usize) {
    let (shape, pass) = workload.name.rsplit_once('/').expect("a convolution's name ends with its pass");
    let flops = workload.flops().expect("a convolution has its number of operations");
    let mut group = criterion.benchmark_group(shape);
    group.throughput(Throughput::Elements(flops)).sample_size(10);
    // Made when first needed: not for the measurements that the command line filters out.
    let mut run = None;
    group.bench_function(format!("{pass}/{algorithm}/threads={threads}"), |b| {
        b.iter(run.get_or_insert_with(|| workload.prepare(algorithm)));
    });
    group.finish();
}

fn main() {
    let workloads = workloads::all();
    for threads in THREADS {
        parallel::with_threads(threads, || {
            let mut criterion = Criterion::default().configure_from_args();
            let convolutions = workloads.iter().filter(|workload| matches!(workload.work, Work::Convolution { .. }));
            for workload in convolutions {
                for algorithm in algorithms(workload, threads) {
                    measure(&mut criterion, workload, algorithm, threads);
                }
            }
            criterion.final_summary();
        });
    }
}
