//! The three passes against loops over the definition in f64, on every instruction set, in buffers that held NaN.

use super::{Channels, Convolution, KERNEL, Pass, Strip, WeightGradient};
use crate::{
    isa::{self, Isa},
    testing::{same_where_fused, values},
};

/// Samples of an image and the channels on both sides.
#[derive(Clone, Copy, Debug)]
struct Case {
    strip: Strip,
    channels: Channels,
}

impl Case {
    fn new(samples: usize, [height, width]: [usize; 2], [input, output]: [usize; 2]) -> Self {
        Self { strip: Strip { samples, height, width }, channels: Channels { input, output } }
    }

    /// Every number of channels from 1 to 67 on both sides, heights and widths from 1 to 9 and one to three samples.
    fn sweep() -> impl Iterator<Item = Self> {
        (1..68).map(|i| Self::new(1 + i % 3, [1 + i * 7 % 9, 1 + i * 5 % 9], [i, i * 29 % 67 + 1]))
    }

    fn pixels(&self) -> usize {
        self.strip.samples * self.strip.height * self.strip.width
    }

    fn input(&self, seed: u64) -> Vec<f32> {
        normal(self.pixels() * self.channels.input, seed)
    }

    fn weight(&self, seed: u64) -> Vec<f32> {
        normal(KERNEL * KERNEL * self.channels.input * self.channels.output, seed)
    }

    fn grad_output(&self, seed: u64) -> Vec<f32> {
        normal(self.pixels() * self.channels.output, seed)
    }

    /// With a border of one pixel of zeros, and zeros up to whole tiles.
    fn padded_input(&self, x: &[f32]) -> Vec<f32> {
        self.pad(x, self.channels.input, self.strip.padded_input(), 1)
    }

    /// With zeros up to whole tiles.
    fn padded_grad_output(&self, grad: &[f32]) -> Vec<f32> {
        self.pad(grad, self.channels.output, self.strip.padded_grad_output(), 0)
    }

    fn pad(&self, x: &[f32], channels: usize, [height, width]: [usize; 2], border: usize) -> Vec<f32> {
        let mut padded = vec![0.0; self.strip.samples * height * width * channels];
        for (row, from) in x.chunks(self.strip.width * channels).enumerate() {
            let (sample, y) = (row / self.strip.height, row % self.strip.height);
            let to = ((sample * height + y + border) * width + border) * channels;
            padded[to..to + from.len()].copy_from_slice(from);
        }
        padded
    }

    /// Calls `visit` with the places in input, weight and output of every term of the convolution with padding 1.
    fn terms(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let Strip { samples, height, width } = self.strip;
        let Channels { input, output } = self.channels;
        for pixel in 0..samples * height * width {
            let (y, x) = (pixel / width % height, pixel % width);
            for tap in 0..KERNEL * KERNEL {
                let (ky, kx) = (tap / KERNEL, tap % KERNEL);
                if (1..=height).contains(&(y + ky)) && (1..=width).contains(&(x + kx)) {
                    let from = (pixel + ky * width + kx) - width - 1;
                    for c in 0..input {
                        for o in 0..output {
                            visit(from * input + c, (tap * input + c) * output + o, pixel * output + o);
                        }
                    }
                }
            }
        }
    }

    fn forward(&self, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let input = self.padded_input(x);
        convolve(Pass::Forward, self.channels, self.strip, weight, &input, bias)
    }

    fn grad_input(&self, weight: &[f32], grad: &[f32]) -> Vec<f32> {
        let Channels { input, output } = self.channels;
        let back = Self { strip: self.strip, channels: Channels { input: output, output: input } };
        let grad = back.padded_input(grad);
        convolve(Pass::GradInput, back.channels, self.strip, weight, &grad, None)
    }

    fn grad_weight(&self, x: &[f32], grad: &[f32]) -> Vec<f32> {
        let gradient = WeightGradient::new(self.channels);
        let mut scratch = vec![f32::NAN; gradient.scratch_len()];
        let mut sums = vec![0.0; gradient.sums_len()];
        let mut out = vec![f32::NAN; KERNEL * KERNEL * self.channels.input * self.channels.output];
        gradient.add(self.strip, &self.padded_input(x), &self.padded_grad_output(grad), &mut scratch, &mut sums);
        gradient.finish(&sums, &mut out);
        out
    }
}

fn convolve(
    pass: Pass,
    channels: Channels,
    strip: Strip,
    weight: &[f32],
    input: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let convolution = Convolution::new(channels);
    let mut transformed = vec![f32::NAN; convolution.weight_len()];
    for (part, to) in transformed.chunks_mut(convolution.weight_part_len()).enumerate() {
        convolution.transform_weight(pass, weight, part, to);
    }
    let mut scratch = vec![f32::NAN; convolution.scratch_len()];
    let mut out = vec![f32::NAN; strip.samples * strip.height * strip.width * channels.output];
    convolution.run(strip, &transformed, input, bias, &mut scratch, &mut out);
    out
}

/// Standard normal values, by Box and Muller.
fn normal(len: usize, seed: u64) -> Vec<f32> {
    let uniform = |seed| values(len, seed).into_iter().map(|x| (f64::from(x) + 4.0) / 8.0);
    let pair = |(u, v): (f64, f64)| ((-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32;
    uniform(seed).zip(uniform(!seed)).map(pair).collect()
}

/// The root mean square and the largest of the differences, relative to the root mean square of `expected`.
#[track_caller]
fn errors(got: &[f32], expected: &[f64]) -> [f64; 2] {
    assert_eq!(got.len(), expected.len());
    assert!(got.iter().all(|value| value.is_finite()), "a value was not written, or read where nothing was");
    let rms = |values: &[f64]| (values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64).sqrt();
    let differences: Vec<f64> = got.iter().zip(expected).map(|(got, y)| f64::from(*got) - y).collect();
    let largest = differences.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    [rms(&differences), largest].map(|error| error / rms(expected))
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// The bounds of [`errors`] that the documentation of the module states.
const BOUNDS: [f64; 2] = [1e-5, 1e-4];

#[track_caller]
fn assert_close(got: &[f32], expected: &[f64], isa: Isa, case: Case) {
    let errors = errors(got, expected);
    assert!(errors[0] < BOUNDS[0] && errors[1] < BOUNDS[1], "{errors:?} on {isa}, {case:?}");
}

#[test]
fn forward_is_the_convolution() {
    for (seed, case) in (0..).zip(Case::sweep()) {
        let (x, weight) = (case.input(seed), case.weight(seed + 100));
        let bias = (seed % 2 == 0).then(|| normal(case.channels.output, seed + 200));
        let mut expected: Vec<f64> = match &bias {
            Some(bias) => (0..case.pixels()).flat_map(|_| bias.iter().map(|&b| f64::from(b))).collect(),
            None => vec![0.0; case.pixels() * case.channels.output],
        };
        case.terms(|i, w, o| expected[o] += f64::from(x[i]) * f64::from(weight[w]));
        for isa in Isa::available() {
            let got = isa::with(isa, || case.forward(&x, &weight, bias.as_deref()));
            assert_close(&got, &expected, isa, case);
        }
    }
}

#[test]
fn grad_input_is_the_adjoint_in_the_input() {
    for (seed, case) in (0..).zip(Case::sweep()) {
        let (weight, grad) = (case.weight(seed), case.grad_output(seed + 100));
        let mut expected = vec![0.0; case.pixels() * case.channels.input];
        case.terms(|i, w, o| expected[i] += f64::from(weight[w]) * f64::from(grad[o]));
        for isa in Isa::available() {
            let got = isa::with(isa, || case.grad_input(&weight, &grad));
            assert_close(&got, &expected, isa, case);
        }
    }
}

#[test]
fn grad_weight_is_the_adjoint_in_the_weight() {
    for (seed, case) in (0..).zip(Case::sweep()) {
        let (x, grad) = (case.input(seed), case.grad_output(seed + 100));
        let mut expected = vec![0.0; case.weight(0).len()];
        case.terms(|i, w, o| expected[w] += f64::from(x[i]) * f64::from(grad[o]));
        for isa in Isa::available() {
            let got = isa::with(isa, || case.grad_weight(&x, &grad));
            assert_close(&got, &expected, isa, case);
        }
    }
}

/// `<y, y>` of `y = conv(x, w)` is `<w, grad_weight(x, y)>` and `<x, grad_input(w, y)>`.
#[test]
fn the_passes_are_adjoint_to_each_other() {
    for (seed, case) in
        (0..).zip([Case::new(3, [9, 7], [5, 18]), Case::new(13, [8, 8], [33, 70]), Case::new(1, [30, 21], [64, 3])])
    {
        for isa in Isa::available() {
            isa::with(isa, || {
                let (x, weight) = (case.input(seed), case.weight(seed + 100));
                let y = case.forward(&x, &weight, None);
                let square = dot(&y, &y);
                for other in [dot(&weight, &case.grad_weight(&x, &y)), dot(&x, &case.grad_input(&weight, &y))] {
                    assert!((other / square - 1.0).abs() < 1e-5, "{other} and {square} on {isa}, {case:?}");
                }
            });
        }
    }
}

#[test]
fn avx2_and_avx512_round_alike() {
    for (seed, case) in (0..).zip(Case::sweep()) {
        let (x, weight, grad) = (case.input(seed), case.weight(seed + 100), case.grad_output(seed + 200));
        same_where_fused(grad.len(), |out| out.copy_from_slice(&case.forward(&x, &weight, None)));
        same_where_fused(x.len(), |out| out.copy_from_slice(&case.grad_input(&weight, &grad)));
        same_where_fused(weight.len(), |out| out.copy_from_slice(&case.grad_weight(&x, &grad)));
    }
}

#[test]
fn the_error_stays_small_up_to_512_channels() {
    for (seed, channels) in (0..).zip([1, 4, 32, 128, 512]) {
        let case = Case::new(1, [16, 16], [channels, 16]);
        let (x, weight, grad) = (case.input(seed), case.weight(seed + 100), case.grad_output(seed + 200));
        let (mut y, mut grad_weight) = (vec![0.0; grad.len()], vec![0.0; weight.len()]);
        case.terms(|i, w, o| {
            y[o] += f64::from(x[i]) * f64::from(weight[w]);
            grad_weight[w] += f64::from(x[i]) * f64::from(grad[o]);
        });
        for isa in Isa::available() {
            isa::with(isa, || {
                assert_close(&case.forward(&x, &weight, None), &y, isa, case);
                assert_close(&case.grad_weight(&x, &grad), &grad_weight, isa, case);
            });
        }
    }
}

#[test]
fn the_bits_of_a_pixel_do_not_depend_on_the_strip() {
    let case = Case::new(1, [28, 30], [20, 70]);
    let (x, weight, bias) = (case.input(1), case.weight(2), normal(70, 3));
    let whole = case.forward(&x, &weight, Some(&bias));
    let input = case.padded_input(&x);
    let [_, width] = case.strip.padded_input();
    let mut rows = Vec::new();
    for (top, height) in [(0, 4), (4, 16), (20, 8)] {
        let strip = Strip { height, ..case.strip };
        let input = &input[top * width * 20..][..strip.padded_input()[0] * width * 20];
        rows.extend(convolve(Pass::Forward, case.channels, strip, &weight, input, Some(&bias)));
    }
    assert_eq!(rows, whole);
}

#[test]
fn strips_add_up() {
    let case = Case::new(5, [6, 9], [7, 11]);
    let (x, grad) = (case.input(1), case.grad_output(2));
    let whole = case.grad_weight(&x, &grad);
    let mut sum = vec![0.0; whole.len()];
    for (sample, (x, grad)) in x.chunks(x.len() / 5).zip(grad.chunks(grad.len() / 5)).enumerate() {
        let part = Case { strip: Strip { samples: 1, ..case.strip }, ..case }.grad_weight(x, grad);
        assert_ne!(part, whole, "sample {sample}");
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += f64::from(part));
    }
    let [error, _] = errors(&whole, &sum);
    assert!(error < BOUNDS[0], "{error:e}");
}

#[test]
fn wrong_lengths_are_refused() {
    let channels = Channels { input: 3, output: 5 };
    let strip = Strip { samples: 2, height: 5, width: 4 };
    let refused = |delta: [usize; 5]| {
        std::panic::catch_unwind(|| {
            let convolution = Convolution::new(channels);
            let buffer = |len: usize, i: usize| vec![0.0; len - delta[i]];
            let (weight, mut scratch) = (buffer(convolution.weight_len(), 0), buffer(convolution.scratch_len(), 1));
            let (input, bias, mut out) = (buffer(2 * 10 * 6 * 3, 2), buffer(5, 3), buffer(2 * 5 * 4 * 5, 4));
            convolution.run(strip, &weight, &input, Some(&bias), &mut scratch, &mut out);
        })
        .is_err()
    };
    assert!(!refused([0; 5]));
    for which in 0..5 {
        assert!(refused(std::array::from_fn(|i| usize::from(i == which))), "buffer {which}");
    }
}
