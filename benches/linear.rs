//! The three passes of a linear layer on mini-batches, by products of the register tile and of matrixmultiply, on one and two threads.
//!
//! ```text
//! cargo bench --bench linear -- 64x1024x1024
//! ```
//!
//! A name is `batch x inputs x outputs`; criterion's "Gelem/s" are GFLOP/s. Small batches against large weights are what perceptrons
//! train on, and where the memory that a product reads decides its rate.

use criterion::{BenchmarkId, Criterion, Throughput};
use patchgrad::{
    Shape, Tensor, Workspace,
    init::Init,
    ops::{
        Conv2dSpec, ConvAlgorithm,
        conv2d::{self, Conv2dDims},
    },
    parallel,
    random::stream,
};

/// Batch, inputs, outputs: single rows, the sizes of perceptrons and of the layers of stacks, and a batch that fills the tile anyhow.
const SIZES: [[usize; 3]; 8] = [
    [1, 1024, 1024],
    [32, 64, 64],
    [32, 1024, 64],
    [16, 1024, 1024],
    [32, 1024, 1024],
    [64, 1024, 1024],
    [256, 1024, 1024],
    [2048, 256, 512],
];

fn passes(criterion: &mut Criterion, threads: usize) {
    for [batch, inputs, outputs] in SIZES {
        let random =
            |shape: Shape, index| Init::Uniform { low: -1.0, high: 1.0 }.tensor(shape, &mut stream(0, "bench", index));
        let shapes = [[batch, 1, 1, inputs], [1, 1, inputs, outputs], [batch, 1, 1, outputs]].map(Shape::from);
        let [x, weight, grad] = [0, 1, 2].map(|at| random(shapes[at], at as u64));
        let mut group = criterion.benchmark_group(format!("linear/{batch}x{inputs}x{outputs}"));
        for algorithm in [ConvAlgorithm::Direct, ConvAlgorithm::Im2col] {
            let spec = Conv2dSpec { algorithm, ..Conv2dSpec::new([1, 1]) };
            let dims: Conv2dDims = spec.resolve(shapes[0], shapes[1], None).expect("the sizes fit");
            group.throughput(Throughput::Elements(dims.flops())).sample_size(10);
            let name = |pass: &str| BenchmarkId::new(format!("{pass}/{algorithm}"), format!("threads={threads}"));
            let (mut workspace, mut y) = (Workspace::new(), Tensor::zeros(shapes[2]));
            group.bench_function(name("forward"), |b| {
                let (x, weight) = (x.as_slice(), weight.as_slice());
                b.iter(|| conv2d::forward(&dims, x, weight, None, y.as_mut_slice(), &mut workspace));
            });
            let mut to = Tensor::zeros(shapes[0]);
            group.bench_function(name("grad_input"), |b| {
                let (grad, weight) = (grad.as_slice(), weight.as_slice());
                b.iter(|| conv2d::grad_input(&dims, grad, weight, to.as_mut_slice(), &mut workspace));
            });
            let mut to = Tensor::zeros(shapes[1]);
            group.bench_function(name("grad_weight"), |b| {
                let (x, grad) = (x.as_slice(), grad.as_slice());
                b.iter(|| conv2d::grad_weight(&dims, x, grad, to.as_mut_slice(), &mut workspace));
            });
        }
        group.finish();
    }
}

fn main() {
    for threads in [1, 2] {
        parallel::with_threads(threads, || {
            let mut criterion = Criterion::default().configure_from_args();
            passes(&mut criterion, threads);
            criterion.final_summary();
        });
    }
}
