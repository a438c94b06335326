//! What stands between the convolutions: activations, reductions, optimiser steps; on one thread.
//!
//! ```text
//! cargo bench --bench elementwise -- activation
//! ```
//!
//! criterion's "Gelem/s" are values read per second, in billions. One pass over a tensor of the size of a layer's output
//! (128 images of 28 x 28 with 16 channels) does not fit the second-level cache: memory bounds the simple ones.

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use patchgrad::{
    Tensor,
    init::Init,
    ops::{Activation, activation, exp_ln, transpose},
    parallel,
    random::stream,
};
use patchgrad_kernels::{
    column_sums::column_sums,
    optim::{AdamStep, SgdStep, adam_step, sgd_step},
    reduce,
};
use std::hint::black_box;

/// The output of a first layer: `[N, H, W, C]`.
const SHAPE: [usize; 4] = [128, 28, 28, 16];

const ACTIVATIONS: [Activation; 6] = [
    Activation::Softsign,
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Relu,
    Activation::LeakyRelu { negative_slope: 0.01 },
    Activation::Softplus,
];

fn random(index: u64) -> Tensor {
    Init::Normal { mean: 0.0, std: 1.0 }.tensor(SHAPE, &mut stream(0, "bench", index))
}

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(SHAPE.iter().product::<usize>() as u64)).sample_size(20);
    group
}

fn activations(criterion: &mut Criterion) {
    let (x, g) = (random(0), random(1));
    let (mut y, mut dx) = (Tensor::zeros(SHAPE), Tensor::zeros(SHAPE));
    let mut group = group(criterion, "activation");
    for f in ACTIVATIONS {
        group.bench_function(format!("{f}/forward"), |b| {
            b.iter(|| activation::forward(f, x.as_slice(), y.as_mut_slice()));
        });
        // From the output of this very activation: the gradient kernels rely on its range.
        activation::forward(f, x.as_slice(), y.as_mut_slice());
        group.bench_function(format!("{f}/grad_input"), |b| {
            b.iter(|| activation::grad_input(f, y.as_slice(), g.as_slice(), dx.as_mut_slice()));
        });
    }
    group.finish();
}

fn others(criterion: &mut Criterion) {
    let x = random(0);
    let positive = Tensor::from_fn(SHAPE, |i| 0.5 + x.as_slice()[i].abs());
    let mut y = Tensor::zeros(SHAPE);
    let mut group = group(criterion, "elementwise");
    group.bench_function("exp", |b| b.iter(|| exp_ln::exp(x.as_slice(), y.as_mut_slice())));
    group.bench_function("ln", |b| b.iter(|| exp_ln::ln(positive.as_slice(), y.as_mut_slice())));
    let size = [SHAPE[0] * SHAPE[1], SHAPE[2] * SHAPE[3]];
    group.bench_function("transpose", |b| {
        b.iter(|| transpose::forward(size, x.as_slice(), y.as_mut_slice()));
    });
    group.finish();
}

fn reductions(criterion: &mut Criterion) {
    let (a, b) = (random(0), random(1));
    let (a, b) = (a.as_slice(), b.as_slice());
    let mut sums = [0.0; SHAPE[3]];
    let mut group = group(criterion, "reduce");
    group.bench_function("sum", |bencher| bencher.iter(|| black_box(reduce::sum(a))));
    group.bench_function("dot", |bencher| bencher.iter(|| black_box(reduce::dot(a, b))));
    group.bench_function("squared_distance", |bencher| bencher.iter(|| black_box(reduce::squared_distance(a, b))));
    group.bench_function("max", |bencher| bencher.iter(|| black_box(reduce::max(a))));
    group.bench_function("column_sums", |bencher| bencher.iter(|| column_sums(&mut sums, a, SHAPE[3])));
    group.finish();
}

fn optimisers(criterion: &mut Criterion) {
    let (mut p, g, mut m, mut v) = (random(0), random(1), Tensor::zeros(SHAPE), Tensor::zeros(SHAPE));
    // A learning rate of 0 moves nothing: every iteration does the same work on the same values.
    let sgd = SgdStep { lr: 0.0, momentum: 0.9, dampening: 0.0, nesterov: false, weight_decay: 0.0, first: false };
    let adam =
        AdamStep { lr: 0.0, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0, decoupled: false, step: 1000 };
    let mut group = group(criterion, "optim");
    group.bench_function("sgd_step", |b| {
        b.iter(|| sgd_step(&sgd, p.as_mut_slice(), g.as_slice(), Some(m.as_mut_slice())));
    });
    group.bench_function("adam_step", |b| {
        b.iter(|| adam_step(&adam, p.as_mut_slice(), g.as_slice(), m.as_mut_slice(), v.as_mut_slice()));
    });
    group.finish();
}

fn main() {
    parallel::with_threads(1, || {
        let mut criterion = Criterion::default().configure_from_args();
        activations(&mut criterion);
        others(&mut criterion);
        reductions(&mut criterion);
        optimisers(&mut criterion);
        criterion.final_summary();
    });
}
