//! Max pooling over `workloads.json`, with the indices of the maxima, and average pooling of the same sizes; on one and
//! two threads.
//!
//! ```text
//! cargo bench --bench pooling -- max_pool2d/pool28
//! ```
//!
//! criterion's "Gelem/s" are values before pooling per second, in billions.

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use patchgrad::{
    Shape, Tensor,
    init::Init,
    ops::{AvgPool2dSpec, ConvAlgorithm, avg_pool2d},
    parallel,
    random::stream,
};
use pitfall::cli::bench::{
    shapes::{Pooling, Shapes},
    workloads::{self, Work},
};

/// Thread counts to measure.
const THREADS: [usize; 2] = [1, 2];

fn group<'c>(criterion: &'c mut Criterion, name: &str, input: Shape) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(input.len() as u64)).sample_size(20);
    group
}

fn input(shape: &Pooling) -> Shape {
    let [h, w, c] = shape.input;
    Shape::from([shape.batch, h, w, c])
}

fn max_pooling(criterion: &mut Criterion, threads: usize) {
    for workload in workloads::all() {
        let (Work::MaxPool(shape) | Work::MaxPoolGradInput(shape)) = &workload.work else { continue };
        let (name, pass) = workload.name.rsplit_once('/').expect("a pooling's name ends with its pass");
        let mut group = group(criterion, name, input(shape));
        let mut run = workload.prepare(ConvAlgorithm::Auto);
        group.bench_function(format!("{pass}/threads={threads}"), |b| b.iter(&mut run));
        group.finish();
    }
}

fn average_pooling(criterion: &mut Criterion, threads: usize) {
    for (name, shape) in Shapes::bundled().max_pool2d {
        let spec = AvgPool2dSpec { stride: [shape.stride; 2], ..AvgPool2dSpec::new([shape.kernel; 2]) };
        let dims = spec.resolve(input(&shape)).expect("a workload of the list is valid");
        let normal = Init::Normal { mean: 0.0, std: 1.0 };
        let x = normal.tensor(dims.input(), &mut stream(0, "bench", 0));
        let (mut y, mut dx) = (Tensor::zeros(dims.output()), Tensor::zeros(dims.input()));
        let mut group = group(criterion, &format!("avg_pool2d/{name}"), dims.input());
        group.bench_function(format!("forward/threads={threads}"), |b| {
            b.iter(|| avg_pool2d::forward(&dims, true, x.as_slice(), y.as_mut_slice()));
        });
        group.bench_function(format!("grad_input/threads={threads}"), |b| {
            b.iter(|| avg_pool2d::grad_input(&dims, true, y.as_slice(), dx.as_mut_slice()));
        });
        group.finish();
    }
}

fn main() {
    for threads in THREADS {
        parallel::with_threads(threads, || {
            let mut criterion = Criterion::default().configure_from_args();
            max_pooling(&mut criterion, threads);
            average_pooling(&mut criterion, threads);
            criterion.final_summary();
        });
    }
}
