//! Work on numbers that have shrunk below the smallest normal one, beside the same with ordinary numbers: convolutions whose weights
//! have, and steps of optimisers for parameters that have had no gradient for long, as those behind a dead ReLU.
//!
//! ```text
//! cargo bench --bench denormals
//! ```
//!
//! Some CPUs take a hundred cycles for an operation on such a number. The convolutions do not flush them to zero and the optimisers
//! do, so what is asked here is whether a network that decays becomes slow: each pair should be within a factor of two.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use patchgrad::{
    Shape, Tensor, Workspace,
    init::Init,
    ops::{
        Conv2dSpec, ConvAlgorithm,
        conv2d::{self, Conv2dDims},
    },
    random::stream,
};
use patchgrad_kernels::optim::{AdamStep, SgdStep, adam_step, sgd_step};

/// `[N, H, W, C]`.
const INPUT: [usize; 4] = [32, 16, 16, 32];
const OUT_CHANNELS: usize = 64;

/// Factors of the weights; products with the second are denormal, and so are all sums.
const WEIGHTS: [(&str, f32); 2] = [("normal", 1.0), ("denormal", 1e-40)];

fn forward_and_gradients(criterion: &mut Criterion) {
    for algorithm in [ConvAlgorithm::Im2col, ConvAlgorithm::Direct, ConvAlgorithm::Winograd] {
        let spec = Conv2dSpec { padding: [1, 1], algorithm, ..Conv2dSpec::new([3, 3]) };
        let weight_shape = Shape::from([3, 3, INPUT[3], OUT_CHANNELS]);
        let dims: Conv2dDims = spec.resolve(Shape::from(INPUT), weight_shape, None).expect("the sizes fit");
        let random =
            |shape: Shape, index| Init::Uniform { low: -1.0, high: 1.0 }.tensor(shape, &mut stream(0, "bench", index));
        let (input, weight, grad) = (random(dims.input(), 0), random(dims.weight(), 1), random(dims.output(), 2));
        let mut group = criterion.benchmark_group(format!("denormals/{algorithm}"));
        group.throughput(Throughput::Elements(dims.flops())).sample_size(10);
        for (name, factor) in WEIGHTS {
            let weight = Tensor::from_fn(dims.weight(), |i| weight.as_slice()[i] * factor);
            let mut workspace = Workspace::new();
            let mut output = Tensor::zeros(dims.output());
            group.bench_function(BenchmarkId::new("forward", name), |b| {
                b.iter(|| {
                    let to = output.as_mut_slice();
                    conv2d::forward(&dims, input.as_slice(), weight.as_slice(), None, to, &mut workspace);
                });
            });
            let mut grad_input = Tensor::zeros(dims.input());
            group.bench_function(BenchmarkId::new("grad_input", name), |b| {
                b.iter(|| {
                    let to = grad_input.as_mut_slice();
                    conv2d::grad_input(&dims, grad.as_slice(), weight.as_slice(), to, &mut workspace);
                });
            });
            let small = Tensor::from_fn(dims.output(), |i| grad.as_slice()[i] * factor);
            let mut grad_weight = Tensor::zeros(dims.weight());
            group.bench_function(BenchmarkId::new("grad_weight", name), |b| {
                b.iter(|| {
                    let to = grad_weight.as_mut_slice();
                    conv2d::grad_weight(&dims, input.as_slice(), small.as_slice(), to, &mut workspace);
                });
            });
        }
        group.finish();
    }
}

/// Parameters of a linear layer from 1,024 features to 784 pixels.
const PARAMS: usize = 1024 * 784;

/// Steps without gradient before the first that is timed: 0.9^2000 is far below the smallest subnormal number.
const STEPS_WITHOUT_GRADIENT: u64 = 2_000;

fn optimisers(criterion: &mut Criterion) {
    let sgd = SgdStep { lr: 1e-3, momentum: 0.9, dampening: 0.0, nesterov: false, weight_decay: 0.0, first: false };
    let adam = AdamStep {
        lr: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 0.0,
        decoupled: false,
        step: STEPS_WITHOUT_GRADIENT,
    };
    let mut group = criterion.benchmark_group("denormals/optimisers");
    group.throughput(Throughput::Elements(PARAMS as u64)).sample_size(10);
    for (name, gradient) in [("learning", 1e-2), ("dead", 0.0)] {
        let gradient = vec![gradient; PARAMS];
        let (mut param, mut mean, mut square) = (vec![0.1; PARAMS], vec![1e-2; PARAMS], vec![1e-4; PARAMS]);
        for _ in 0..STEPS_WITHOUT_GRADIENT {
            adam_step(&adam, &mut param, &gradient, &mut mean, &mut square);
        }
        group.bench_function(BenchmarkId::new("adam", name), |b| {
            b.iter(|| adam_step(&adam, &mut param, &gradient, &mut mean, &mut square));
        });
        let mut velocity = vec![1e-2; PARAMS];
        for _ in 0..STEPS_WITHOUT_GRADIENT {
            sgd_step(&sgd, &mut param, &gradient, Some(&mut velocity));
        }
        group.bench_function(BenchmarkId::new("sgd", name), |b| {
            b.iter(|| sgd_step(&sgd, &mut param, &gradient, Some(&mut velocity)));
        });
    }
    group.finish();
}

criterion_group!(benches, forward_and_gradients, optimisers);
criterion_main!(benches);
