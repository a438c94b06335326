//! Numbers to compute with, drawn from a stream of their own for every name: a new case changes no other.

use patchgrad::{Shape, Tensor, random::stream};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

/// How the elements of an input are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// Standard normal.
    Normal,
    /// Standard normal, moved away from zero by 0.1: more than a difference quotient steps, so no kink is crossed.
    AwayFromZero,
    /// At least 1/2, so that a logarithm is smooth over a difference quotient.
    Positive,
    /// Distinct multiples of 1/8 in random order: a difference quotient moves each by 1/32, so no maximum changes place.
    Distinct,
}

impl Draw {
    pub fn tensor(self, shape: Shape, name: &str, index: usize) -> Tensor {
        let mut stream = stream(1, name, index as u64);
        match self {
            Self::Normal => normal(shape, &mut stream),
            Self::AwayFromZero => {
                let mut tensor = normal(shape, &mut stream);
                tensor.as_mut_slice().iter_mut().for_each(|x| *x += 0.1f32.copysign(*x));
                tensor
            }
            Self::Positive => {
                let mut tensor = normal(shape, &mut stream);
                tensor.as_mut_slice().iter_mut().for_each(|x| *x = 0.5 + x.abs());
                tensor
            }
            Self::Distinct => {
                let mut values: Vec<f32> =
                    (0..shape.len()).map(|i| (i as f32 - shape.len() as f32 / 2.0) / 8.0).collect();
                for i in (1..values.len()).rev() {
                    values.swap(i, stream.random_range(0..=i));
                }
                Tensor::new(shape, &values)
            }
        }
    }
}

fn normal(shape: Shape, stream: &mut impl Rng) -> Tensor {
    Tensor::from_fn(shape, |_| StandardNormal.sample(stream))
}

/// Whole numbers from -3 to 3. Sums of a million products of two stay below 2^24, so f32 adds them exactly in any order.
pub fn integers(shape: impl Into<Shape>, name: &str, index: usize) -> Tensor {
    let mut stream = stream(2, name, index as u64);
    Tensor::from_fn(shape, |_| stream.random_range(-3i32..=3) as f32)
}

/// The whole numbers that stand for the gradient of an output.
pub fn cotangent(shape: Shape) -> Tensor {
    integers(shape, "cotangent", 0)
}

/// A tensor that `fill` overwrites; what it leaves alone stays NaN and equals nothing.
pub fn filled(shape: impl Into<Shape>, fill: impl FnOnce(&mut [f32])) -> Tensor {
    let mut tensor = Tensor::full(shape, f32::NAN);
    fill(tensor.as_mut_slice());
    tensor
}

/// `<a, b>` in f64: exact for whole numbers.
#[track_caller]
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "a scalar product of different lengths");
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// The bit patterns, which tell 0 from -0 and one NaN from another.
pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Same shape and `==` elements; otherwise says where they first differ.
#[track_caller]
pub fn assert_same(what: &str, got: &Tensor, expected: &Tensor) {
    assert_eq!(got.shape(), expected.shape(), "{what}: the shape");
    let mut pairs = got.as_slice().iter().zip(expected.as_slice()).enumerate();
    if let Some((at, (got, expected))) = pairs.find(|(_, (got, expected))| got != expected) {
        panic!("{what}: element {at} is {got}, expected {expected}");
    }
}

/// As [`assert_same`], where a NaN equals a NaN.
#[track_caller]
pub fn assert_same_or_nan(what: &str, got: &Tensor, expected: &Tensor) {
    assert_eq!(got.shape(), expected.shape(), "{what}: the shape");
    let mut pairs = got.as_slice().iter().zip(expected.as_slice()).enumerate();
    let differ = |got: &f32, expected: &f32| got != expected && !(got.is_nan() && expected.is_nan());
    if let Some((at, (got, expected))) = pairs.find(|(_, (got, expected))| differ(got, expected)) {
        panic!("{what}: element {at} is {got}, expected {expected}");
    }
}

/// Same shape and elements within `tolerance` times the root mean square of `expected`.
#[track_caller]
pub fn assert_near(what: &str, got: &Tensor, expected: &Tensor, tolerance: f64) {
    assert_eq!(got.shape(), expected.shape(), "{what}: the shape");
    let expected = expected.as_slice();
    let rms = (dot(expected, expected) / expected.len() as f64).sqrt();
    for (at, (&got, &expected)) in got.as_slice().iter().zip(expected).enumerate() {
        let error = (f64::from(got) - f64::from(expected)).abs();
        // Written so that a NaN fails.
        assert!(error <= tolerance * rms, "{what}: element {at} is {got}, expected {expected}; the rms is {rms}");
    }
}

/// Same shape and elements within `tolerance * max(1, |expected|)`.
#[track_caller]
pub fn assert_close(what: &str, got: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}: the length");
    for (at, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(got) - expected).abs();
        // Written so that a NaN fails.
        assert!(error <= tolerance * expected.abs().max(1.0), "{what}: element {at} is {got}, expected {expected}");
    }
}
