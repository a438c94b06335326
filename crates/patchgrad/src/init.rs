//! Initialisers, named and computed as in `torch.nn.init`.

use crate::{Shape, Tensor, random::Stream};
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
}

impl Gain {
    /// The factor.
    pub fn value(self) -> f64 {
        match self {
            Self::Linear => 1.0,
            Self::Tanh => 5.0 / 3.0,
            Self::Relu => 2f64.sqrt(),
            Self::LeakyRelu(slope) => (2.0 / (1.0 + f64::from(slope).powi(2))).sqrt(),
        }
    }
}

/// A distribution to draw a parameter from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Every value the same.
    Constant(f32),
    /// Uniform in `[-bound, bound)`.
    Uniform {
        /// Half the width of the interval.
        bound: f64,
    },
    /// Normal with mean 0.
    Normal {
        /// The standard deviation.
        std: f64,
    },
}

impl Init {
    /// U(-b, b) with b = gain * sqrt(3 / fan_in) (He et al. 2015, `kaiming_uniform_`, mode fan_in).
    pub fn kaiming_uniform(fan: Fan, gain: Gain) -> Self {
        Self::Uniform { bound: gain.value() * (3.0 / fan.fan_in as f64).sqrt() }
    }

    /// N(0, s) with s = gain / sqrt(fan_in) (He et al. 2015, `kaiming_normal_`, mode fan_in).
    pub fn kaiming_normal(fan: Fan, gain: Gain) -> Self {
        Self::Normal { std: gain.value() / (fan.fan_in as f64).sqrt() }
    }

    /// U(-b, b) with b = gain * sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, `xavier_uniform_`).
    pub fn xavier_uniform(fan: Fan, gain: Gain) -> Self {
        Self::Uniform { bound: gain.value() * (6.0 / (fan.fan_in + fan.fan_out) as f64).sqrt() }
    }

    /// N(0, s) with s = gain * sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio 2010, `xavier_normal_`).
    pub fn xavier_normal(fan: Fan, gain: Gain) -> Self {
        Self::Normal { std: gain.value() * (2.0 / (fan.fan_in + fan.fan_out) as f64).sqrt() }
    }

    /// What PyTorch's layers start from, weight and bias alike: U(-b, b) with b = 1 / sqrt(fan_in)
    /// (`kaiming_uniform_` with a = sqrt(5)). It is also how N-light-N starts its weights.
    pub fn fan_in_uniform(fan: Fan) -> Self {
        Self::Uniform { bound: 1.0 / (fan.fan_in as f64).sqrt() }
    }

    /// A tensor with independent draws, in memory order.
    pub fn tensor(self, shape: impl Into<Shape>, stream: &mut Stream) -> Tensor {
        match self {
            Self::Constant(value) => Tensor::full(shape, value),
            Self::Uniform { bound } => {
                let bound = bound as f32;
                let interval = Uniform::new(-bound, bound).expect("the bound of an initialiser is finite and above 0");
                Tensor::from_fn(shape, |_| interval.sample(stream))
            }
            Self::Normal { std } => Tensor::from_fn(shape, |_| {
                let normal: f64 = StandardNormal.sample(stream);
                (std * normal) as f32
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    #[test]
    fn uniform_draws_fill_their_interval_and_normal_draws_have_their_spread() {
        let uniform = Init::Uniform { bound: 0.5 }.tensor([100, 100], &mut stream(1, "test", 0));
        let (low, high) = uniform.as_slice().iter().fold((0f32, 0f32), |(l, h), &v| (l.min(v), h.max(v)));
        assert!((-0.5..-0.499).contains(&low) && (0.499..0.5).contains(&high), "{low} {high}");

        let normal = Init::Normal { std: 2.0 }.tensor([100, 100], &mut stream(1, "test", 1));
        let mean = normal.as_slice().iter().map(|&v| f64::from(v)).sum::<f64>() / 1e4;
        let variance = normal.as_slice().iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / 1e4;
        // Five standard errors: 2 / 100 for the mean, 4 * sqrt(2) / 100 for the variance.
        assert!(mean.abs() < 0.1 && (variance - 4.0).abs() < 0.29, "{mean} {variance}");
    }
}
