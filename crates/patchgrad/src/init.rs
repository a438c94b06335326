//! Initialisers, named and computed as in `torch.nn.init`.
//!
//! [`Init`] is a distribution whose draws are independent; [`orthogonal`] and [`dirac`] fill a weight as a whole.

use crate::{Shape, Tensor, random::Stream};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal, Uniform};

/// How many inputs feed one output of a layer, and how many outputs one input feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fan {
    /// Inputs of one output unit.
    pub fan_in: usize,
    /// Outputs that one input unit reaches, as PyTorch counts them.
    pub fan_out: usize,
}

impl Fan {
    /// Of a convolution weight `[KH, KW, C/G, O]`: `C/G * KH * KW` and `O * KH * KW`.
    pub fn conv2d(weight: Shape) -> Self {
        let [kh, kw, c, o] = weight.nhwc().expect("a convolution weight has four sizes [KH, KW, C/G, O]");
        Self { fan_in: c * kh * kw, fan_out: o * kh * kw }
    }

    /// Of a transposed convolution weight `[KH, KW, O/G, C]`. PyTorch takes axis 1 of its `(C, O/G, KH, KW)` for the
    /// inputs, so the fan in is `O/G * KH * KW` and the fan out `C * KH * KW`: as of the convolution it is the adjoint of.
    pub fn conv_transpose2d(weight: Shape) -> Self {
        Self::conv2d(weight)
    }

    /// Of a linear weight `[in_features, out_features]`.
    pub fn linear(weight: Shape) -> Self {
        let &[fan_in, fan_out] = weight.dims() else { panic!("a linear weight has two sizes [in, out], got {weight}") };
        Self { fan_in, fan_out }
    }
}

/// Which fan an initialiser of He et al. divides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FanMode {
    /// Keeps the variance of the values in the forward pass (PyTorch's default).
    FanIn,
    /// Keeps the variance of the gradients in the backward pass.
    FanOut,
}

impl FanMode {
    fn of(self, fan: Fan) -> f64 {
        match self {
            Self::FanIn => fan.fan_in as f64,
            Self::FanOut => fan.fan_out as f64,
        }
    }
}

/// The gain that keeps the variance of activations for a non-linearity (`torch.nn.init.calculate_gain`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gain {
    /// Linear, convolution, sigmoid: 1.
    Linear,
    /// Tanh: 5/3.
    Tanh,
    /// ReLU: sqrt(2).
    Relu,
    /// Leaky ReLU with this negative slope `a`: sqrt(2 / (1 + a^2)).
    LeakyRelu(f32),
    /// SELU: 3/4.
    Selu,
}

impl Gain {
    /// The factor.
    pub fn value(self) -> f64 {
        match self {
            Self::Linear => 1.0,
            Self::Tanh => 5.0 / 3.0,
            Self::Relu => 2f64.sqrt(),
            Self::LeakyRelu(slope) => (2.0 / (1.0 + f64::from(slope).powi(2))).sqrt(),
            Self::Selu => 0.75,
        }
    }
}

/// A distribution to draw a parameter from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Every value the same (`constant_`).
    Constant(f32),
    /// Uniform in `[low, high)` (`uniform_`).
    Uniform {
        /// The smallest value.
        low: f64,
        /// The bound above all values.
        high: f64,
    },
    /// Normal (`normal_`).
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// Normal with every draw outside `[low, high]` drawn again (`trunc_normal_`), so its spread is below `std`.
    TruncNormal {
        /// The mean before truncation, at most `2 std` outside the interval.
        mean: f64,
        /// The standard deviation before truncation.
        std: f64,
        /// The smallest value, `a` in PyTorch: a value, not a number of standard deviations.
        low: f64,
        /// The largest value, `b` in PyTorch.
        high: f64,
    },
}

impl Init {
    /// Every value 0 (`zeros_`).
    pub const ZEROS: Self = Self::Constant(0.0);

    /// Every value 1 (`ones_`).
    pub const ONES: Self = Self::Constant(1.0);

    /// Uniform in `[-bound, bound)`.
    fn symmetric(bound: f64) -> Self {
        Self::Uniform { low: -bound, high: bound }
    }

    /// U(-b, b) with b = gain * sqrt(3 / fan), fan in or out by `mode` (He et al. 2015, `kaiming_uniform_`).
    pub fn kaiming_uniform(fan: Fan, mode: FanMode, gain: Gain) -> Self {
        Self::symmetric(gain.value() * (3.0 / mode.of(fan)).sqrt())
    }

    /// N(0, s) with s = gain / sqrt(fan), fan in or out by `mode` (He et al. 2015, `kaiming_normal_`).
    pub fn kaiming_normal(fan: Fan, mode: FanMode, gain: Gain) -> Self {
        Self::Normal { mean: 0.0, std: gain.value() / mode.of(fan).sqrt() }
    }

    /// U(-b, b) with b = gain * sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, `xavier_uniform_`).
    pub fn xavier_uniform(fan: Fan, gain: Gain) -> Self {
        Self::symmetric(gain.value() * (6.0 / (fan.fan_in + fan.fan_out) as f64).sqrt())
    }

    /// N(0, s) with s = gain * sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio 2010, `xavier_normal_`).
    pub fn xavier_normal(fan: Fan, gain: Gain) -> Self {
        Self::Normal { mean: 0.0, std: gain.value() * (2.0 / (fan.fan_in + fan.fan_out) as f64).sqrt() }
    }

    /// What PyTorch's layers start from, weight and bias alike: U(-b, b) with b = 1 / sqrt(fan_in)
    /// (`kaiming_uniform_` with a = sqrt(5)). It is also how N-light-N starts its weights.
    pub fn fan_in_uniform(fan: Fan) -> Self {
        Self::symmetric(1.0 / (fan.fan_in as f64).sqrt())
    }

    /// A tensor with independent draws, in memory order.
    ///
    /// # Panics
    /// If the interval is empty or unbounded, or a truncated normal has its mean more than `2 std` outside of it.
    #[track_caller]
    pub fn tensor(self, shape: impl Into<Shape>, stream: &mut Stream) -> Tensor {
        match self {
            Self::Constant(value) => Tensor::full(shape, value),
            Self::Uniform { low, high } => {
                let interval = Uniform::new(low as f32, high as f32);
                let interval = interval.unwrap_or_else(|error| panic!("Init: uniform in [{low}, {high}): {error}"));
                Tensor::from_fn(shape, |_| interval.sample(stream))
            }
            Self::Normal { mean, std } => Tensor::from_fn(shape, |_| {
                let normal: f64 = StandardNormal.sample(stream);
                (mean + std * normal) as f32
            }),
            Self::TruncNormal { mean, std, low, high } => {
                let near = std > 0.0 && low < high && low - 2.0 * std <= mean && mean <= high + 2.0 * std;
                assert!(near, "Init: N({mean}, {std}) is not within 2 standard deviations of [{low}, {high}]");
                let [low, high] = [low, high].map(|bound| (bound - mean) / std);
                Tensor::from_fn(shape, |_| (mean + std * truncated_standard_normal([low, high], stream)) as f32)
            }
        }
    }
}

/// A draw of N(0, 1) within `[low, high]`, at most 2 away from 0, by rejection.
///
/// A wide interval rejects normal draws, a narrow one uniform draws, in proportion to the density: with the border at a
/// width of 2.5 about half of the draws are accepted when 0 is inside, and one in 44 at worst.
fn truncated_standard_normal([low, high]: [f64; 2], stream: &mut Stream) -> f64 {
    let wide = high - low > 2.5;
    let nearest_to_mean = 0f64.clamp(low, high);
    loop {
        let z = if wide { StandardNormal.sample(stream) } else { stream.random_range(low..=high) };
        let accepted = if wide {
            (low..=high).contains(&z)
        } else {
            stream.random::<f64>() < ((nearest_to_mean.powi(2) - z.powi(2)) / 2.0).exp()
        };
        if accepted {
            return z;
        }
    }
}

/// A weight whose outputs, or whose inputs when they are fewer, are orthogonal vectors of length `gain` (Saxe et al.
/// 2014, `orthogonal_`): a matrix W with `W^T W = gain^2 I` or `W W^T = gain^2 I`.
///
/// The last axis of `shape` is one side of the matrix and all others together are the other: `[I, O]` of a linear layer,
/// `KH KW C/G x O` of a convolution, `KH KW O/G x C` of a transposed one. These are the sides that PyTorch flattens to.
///
/// # Panics
/// If `shape` has fewer than two axes.
#[track_caller]
pub fn orthogonal(shape: impl Into<Shape>, gain: Gain, stream: &mut Stream) -> Tensor {
    let shape = shape.into();
    let (&columns, others) = shape.dims().split_last().unwrap_or((&1, &[]));
    assert!(!others.is_empty(), "orthogonal: a weight has two axes or more, got {shape}");
    let rows: usize = others.iter().product();
    let vectors = orthonormal_vectors(rows.min(columns), rows.max(columns), stream);
    Tensor::from_fn(shape, |i| {
        let (row, column) = (i / columns, i % columns);
        let value = if columns <= rows { vectors[column][row] } else { vectors[row][column] };
        (gain.value() * value) as f32
    })
}

/// `count <= len` orthonormal vectors in a uniformly random position: normal draws through Gram and Schmidt's process,
/// whose triangular factor has the positive diagonal that PyTorch makes for its QR decomposition.
fn orthonormal_vectors(count: usize, len: usize, stream: &mut Stream) -> Vec<Vec<f64>> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut vector: Vec<f64> = (0..len).map(|_| StandardNormal.sample(stream)).collect();
        // One pass leaves rounding errors that grow with the length that is taken away; a second takes these away too.
        for _ in 0..2 {
            for other in &vectors {
                let share = dot(&vector, other);
                vector.iter_mut().zip(other).for_each(|(v, o)| *v -= share * o);
            }
            let length = dot(&vector, &vector).sqrt();
            vector.iter_mut().for_each(|v| *v /= length);
        }
        vectors.push(vector);
    }
    vectors
}

/// A convolution weight `[KH, KW, C/G, O]` that copies channels (`dirac_`): in each group output `d` is input `d`, as far
/// as both exist, through the pixel `[KH / 2, KW / 2]` of the kernel; all else is 0. With stride 1, an odd kernel and
/// padding of half of it, a convolution with as many outputs as inputs keeps the image.
///
/// # Panics
/// If `shape` has not four axes or `groups` does not divide O.
#[track_caller]
pub fn dirac(shape: impl Into<Shape>, groups: usize) -> Tensor {
    let shape = shape.into();
    let Some([kh, kw, channels, outputs]) = shape.nhwc() else {
        panic!("dirac: a convolution weight has four axes [KH, KW, C/G, O], got {shape}")
    };
    assert!(groups > 0 && outputs % groups == 0, "dirac: groups {groups} must divide O = {outputs}");
    let group = outputs / groups;
    Tensor::from_fn(shape, |i| {
        let (pixel, channel, output) = (i / outputs / channels, i / outputs % channels, i % outputs);
        let copies = pixel == kh / 2 * kw + kw / 2 && channel == output % group;
        if copies { 1.0 } else { 0.0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Tape, Workspace, ops::Conv2dSpec, random::stream};

    fn mean_and_variance(tensor: &Tensor) -> [f64; 2] {
        let mean = |f: &dyn Fn(f64) -> f64| {
            tensor.as_slice().iter().map(|&v| f(f64::from(v))).sum::<f64>() / tensor.len() as f64
        };
        let centre = mean(&|v| v);
        [centre, mean(&|v| (v - centre).powi(2))]
    }

    fn extremes(tensor: &Tensor) -> [f32; 2] {
        tensor.as_slice().iter().fold([f32::MAX, f32::MIN], |[low, high], &v| [low.min(v), high.max(v)])
    }

    #[test]
    fn uniform_draws_fill_their_interval() {
        let [low, high] =
            extremes(&Init::Uniform { low: -0.5, high: 1.5 }.tensor([100, 100], &mut stream(1, "test", 0)));
        assert!((-0.5..-0.498).contains(&low) && (1.498..1.5).contains(&high), "{low} {high}");
    }

    #[test]
    fn normal_draws_have_their_mean_and_spread() {
        let normal = Init::Normal { mean: 1.0, std: 2.0 }.tensor([100, 100], &mut stream(1, "test", 1));
        let [mean, variance] = mean_and_variance(&normal);
        // Five standard errors: 2 / 100 for the mean, 4 * sqrt(2) / 100 for the variance.
        assert!((mean - 1.0).abs() < 0.1 && (variance - 4.0).abs() < 0.29, "{mean} {variance}");
    }

    /// With density p and cumulative P of N(0, 1), on `[a, b]`: mean m = (p(a) - p(b)) / (P(b) - P(a)), variance
    /// 1 + (a p(a) - b p(b)) / (P(b) - P(a)) - m^2.
    #[test]
    fn truncated_draws_have_the_moments_of_the_formula() {
        let wide = ([-2.0, 2.0], [0.0, 0.773_741]);
        let narrow = ([-1.0, 1.0], [0.0, 0.291_125]);
        let one_sided = ([0.0, f64::INFINITY], [0.797_885, 0.363_380]);
        let without_the_mean = ([1.0, 2.0], [1.383_169, 0.072_743]);
        for (index, ([low, high], expected)) in [wide, narrow, one_sided, without_the_mean].into_iter().enumerate() {
            let (mean, std) = (-3.0, 0.5);
            let [low, high] = [low, high].map(|bound| mean + std * bound);
            let init = Init::TruncNormal { mean, std, low, high };
            let tensor = init.tensor([200, 200], &mut stream(1, "test", index as u64));
            let [least, most] = extremes(&tensor).map(f64::from);
            assert!(low <= least && most <= high, "{init:?}: {least} {most}");
            let [got_mean, got_variance] = mean_and_variance(&tensor);
            // 40,000 draws, five standard errors: at most 5 / 200 and 5 * sqrt(2) / 200 of a variance of 1.
            let errors = [(got_mean - mean) / std - expected[0], got_variance / std.powi(2) - expected[1]];
            assert!(errors[0].abs() < 0.025 && errors[1].abs() < 0.035, "{init:?}: off by {errors:?}");
        }
    }

    #[test]
    #[should_panic(expected = "N(0, 1) is not within 2 standard deviations of [3, 4]")]
    fn a_truncated_normal_far_from_its_interval_is_refused() {
        Init::TruncNormal { mean: 0.0, std: 1.0, low: 3.0, high: 4.0 }.tensor([1], &mut stream(1, "test", 0));
    }

    #[test]
    fn orthogonal_weights_are_orthogonal_along_their_shorter_side() {
        for shape in [Shape::from([3, 3, 2, 8]), [2, 1, 3, 8].into(), [7, 7].into(), [5, 9].into(), [9, 5].into()] {
            let weight = orthogonal(shape, Gain::Relu, &mut stream(1, "test", 0));
            let columns = shape.dims()[shape.rank() - 1];
            let rows = shape.len() / columns;
            let at = |row: usize, column: usize| f64::from(weight.as_slice()[row * columns + column]);
            for i in 0..rows.min(columns) {
                for j in 0..rows.min(columns) {
                    let product: f64 = if columns <= rows {
                        (0..rows).map(|k| at(k, i) * at(k, j)).sum()
                    } else {
                        (0..columns).map(|k| at(i, k) * at(j, k)).sum()
                    };
                    let expected = if i == j { 2.0 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-6, "{shape}: vectors {i} and {j} give {product}");
                }
            }
        }
    }

    #[test]
    fn a_dirac_convolution_keeps_the_image() {
        let image = Init::Normal { mean: 0.0, std: 1.0 }.tensor([2, 4, 5, 6], &mut stream(1, "test", 0));
        for groups in [1, 2, 3, 6] {
            let weight = dirac([3, 5, 6 / groups, 6], groups);
            let spec = Conv2dSpec { padding: [1, 2], groups, ..Conv2dSpec::new([3, 5]) };
            let mut workspace = Workspace::new();
            let mut tape = Tape::new(&mut workspace);
            let [x, w] = [tape.input(&image), tape.input(&weight)];
            let y = tape.conv2d(x, w, None, &spec);
            assert_eq!(tape.finish(y), image, "{groups} groups");
        }
        assert_eq!(dirac([1, 1, 3, 2], 1).as_slice(), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    }
}
