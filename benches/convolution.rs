//! Every pass of conv2d and conv_transpose2d, with every algorithm, on one and two threads, over `workloads.json`.
//!
//! ```text
//! cargo bench --bench convolution -- conv2d/cifar-enc2
//! ```
//!
//! criterion's "Gelem/s" are GFLOP/s: two operations for each multiply-add of one pass. Shapes in the file are
//! `[H, W, C]`. The tensors are random, without bias.

use criterion::{Criterion, Throughput};
use patchgrad::{
    Tensor, Workspace,
    init::Init,
    ops::{Conv2dSpec, ConvAlgorithm, ConvTranspose2dSpec, conv_transpose2d, conv2d},
    parallel,
    random::stream,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The naive loops are measured up to this many operations, so that one run of them stays far below a second.
const LARGEST_NAIVE: u64 = 30_000_000;

/// Thread counts to measure.
const THREADS: [usize; 2] = [1, 2];

#[derive(Deserialize)]
struct Workloads {
    conv2d: BTreeMap<String, Convolution>,
    conv_transpose2d: BTreeMap<String, Convolution>,
}

#[derive(Deserialize)]
struct Convolution {
    batch: usize,
    #[serde(rename = "in")]
    input: [usize; 3],
    out_channels: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
}

impl Convolution {
    /// `[N, H, W, C]`.
    fn input_shape(&self) -> [usize; 4] {
        let [h, w, c] = self.input;
        [self.batch, h, w, c]
    }
}

/// What one measurement is called.
struct Row<'n> {
    op: &'n str,
    workload: &'n str,
    algorithm: ConvAlgorithm,
    threads: usize,
    flops: u64,
}

impl Row<'_> {
    /// Measures `run` as one pass.
    fn measure(&self, criterion: &mut Criterion, pass: &str, mut run: impl FnMut()) {
        let mut group = criterion.benchmark_group(format!("{}/{}", self.op, self.workload));
        group.throughput(Throughput::Elements(self.flops)).sample_size(10);
        group.bench_function(format!("{pass}/{}/threads={}", self.algorithm, self.threads), |b| b.iter(&mut run));
        group.finish();
    }
}

fn random(shape: impl Into<patchgrad::Shape>, index: u64) -> Tensor {
    Init::Normal { mean: 0.0, std: 1.0 }.tensor(shape, &mut stream(0, "bench", index))
}

/// The algorithms worth a measurement: `Auto` is one of the others, and the naive loops use one thread.
fn algorithms(flops: u64, threads: usize) -> impl Iterator<Item = ConvAlgorithm> {
    ConvAlgorithm::ALL.into_iter().filter(move |algorithm| match algorithm {
        ConvAlgorithm::Auto => false,
        ConvAlgorithm::Naive => threads == 1 && flops <= LARGEST_NAIVE,
        _ => true,
    })
}

fn conv2d(criterion: &mut Criterion, name: &str, shape: &Convolution, threads: usize) {
    let Convolution { out_channels, kernel, stride, padding, .. } = *shape;
    let spec = Conv2dSpec { stride: [stride; 2], padding: [padding; 2], ..Conv2dSpec::new([kernel; 2]) };
    let weight = random([kernel, kernel, shape.input[2], out_channels], 1);
    let mut dims = spec.resolve(shape.input_shape().into(), weight.shape(), None).expect("a workload is valid");
    let (input, grad_output) = (random(dims.input(), 0), random(dims.output(), 2));
    let (x, w, g) = (input.as_slice(), weight.as_slice(), grad_output.as_slice());
    let [mut y, mut dx, mut dw] = [dims.output(), dims.input(), dims.weight()].map(Tensor::zeros);
    let mut workspace = Workspace::new();
    for algorithm in algorithms(dims.flops(), threads) {
        dims.algorithm = algorithm;
        let row = Row { op: "conv2d", workload: name, algorithm, threads, flops: dims.flops() };
        row.measure(criterion, "forward", || conv2d::forward(&dims, x, w, None, y.as_mut_slice(), &mut workspace));
        row.measure(criterion, "grad_input", || conv2d::grad_input(&dims, g, w, dx.as_mut_slice(), &mut workspace));
        row.measure(criterion, "grad_weight", || conv2d::grad_weight(&dims, x, g, dw.as_mut_slice(), &mut workspace));
    }
}

fn conv_transpose2d(criterion: &mut Criterion, name: &str, shape: &Convolution, threads: usize) {
    use conv_transpose2d::{forward, grad_input, grad_weight};
    let Convolution { out_channels, kernel, stride, padding, .. } = *shape;
    let spec =
        ConvTranspose2dSpec { stride: [stride; 2], padding: [padding; 2], ..ConvTranspose2dSpec::new([kernel; 2]) };
    let weight = random([kernel, kernel, out_channels, shape.input[2]], 1);
    let mut dims = spec.resolve(shape.input_shape().into(), weight.shape(), None).expect("a workload is valid");
    let (input, grad_output) = (random(dims.input(), 0), random(dims.output(), 2));
    let (x, w, g) = (input.as_slice(), weight.as_slice(), grad_output.as_slice());
    let [mut y, mut dx, mut dw] = [dims.output(), dims.input(), weight.shape()].map(Tensor::zeros);
    let mut workspace = Workspace::new();
    for algorithm in algorithms(dims.flops(), threads) {
        dims.adjoint.algorithm = algorithm;
        let row = Row { op: "conv_transpose2d", workload: name, algorithm, threads, flops: dims.flops() };
        row.measure(criterion, "forward", || forward(&dims, x, w, None, y.as_mut_slice(), &mut workspace));
        row.measure(criterion, "grad_input", || grad_input(&dims, g, w, dx.as_mut_slice(), &mut workspace));
        row.measure(criterion, "grad_weight", || grad_weight(&dims, x, g, dw.as_mut_slice(), &mut workspace));
    }
}

fn main() {
    let workloads: Workloads = serde_json::from_str(include_str!("workloads.json")).expect("workloads.json is valid");
    for threads in THREADS {
        parallel::with_threads(threads, || {
            let mut criterion = Criterion::default().configure_from_args();
            for (name, shape) in &workloads.conv2d {
                conv2d(&mut criterion, name, shape, threads);
            }
            for (name, shape) in &workloads.conv_transpose2d {
                conv_transpose2d(&mut criterion, name, shape, threads);
            }
            criterion.final_summary();
        });
    }
}
