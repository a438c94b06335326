//! Activation functions, with the derivative computed from the *output*, so that a layer need not keep its input.

use crate::isa::dispatched;
use crate::math;
use std::fmt;
use std::str::FromStr;

/// An element-wise activation function, with PyTorch's semantics. `y = f(x)` below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `y = x`; `dy/dx = 1`.
    Linear,
    /// `y = x / (1 + |x|)`; `dy/dx = (1 - |y|)^2`.
    Softsign,
    /// `y = tanh(x)`; `dy/dx = 1 - y^2`.
    Tanh,
    /// `y = 1 / (1 + e^-x)`; `dy/dx = y (1 - y)`.
    Sigmoid,
    /// `y = max(x, 0)`, NaN stays NaN; `dy/dx = 1` where `y > 0` or NaN, else 0 (also at 0).
    Relu,
    /// `y = x` where `x > 0`, else `negative_slope * x`; `dy/dx = 1` where `y > 0`, else `negative_slope` (also at 0).
    LeakyRelu {
        /// Slope below zero, at least 0: the sign of the output must tell the sign of the input.
        negative_slope: f32,
    },
    /// `y = ln(1 + e^x)`; `dy/dx = 1 - e^-y`. PyTorch's with `beta = 1`; its switch to `y = x` above the threshold 20
    /// changes nothing in `f32`.
    Softplus,
}

/// The slope of `leaky_relu` written without one: PyTorch's default.
const DEFAULT_NEGATIVE_SLOPE: f32 = 0.01;

impl Activation {
    /// The name without parameters, in PyTorch's spelling: `"softsign"`, `"leaky_relu"`.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Linear => "linear",
            Activation::Softsign => "softsign",
            Activation::Tanh => "tanh",
            Activation::Sigmoid => "sigmoid",
            Activation::Relu => "relu",
            Activation::LeakyRelu { .. } => "leaky_relu",
            Activation::Softplus => "softplus",
        }
    }

    /// Checks the slope.
    ///
    /// # Panics
    /// If it is negative or not finite.
    #[track_caller]
    pub fn check(self) {
        if let Activation::LeakyRelu { negative_slope } = self {
            let valid = negative_slope >= 0.0 && negative_slope.is_finite();
            assert!(valid, "leaky_relu: negative_slope {negative_slope} must be finite and at least 0");
        }
    }

    /// `f(x)`.
    #[inline(always)]
    fn value(self, x: f32) -> f32 {
        match self {
            Activation::Linear => x,
            Activation::Softsign => x / (1.0 + x.abs()),
            Activation::Tanh => math::tanh(x),
            Activation::Sigmoid => math::sigmoid(x),
            // NaN, which is not below 0, passes. Both rectifiers end in arithmetic (here a sum, which turns -0 into 0):
            // the loop in place would store a bare selection through a mask, ten times slower on some CPUs.
            Activation::Relu => (if x < 0.0 { 0.0 } else { x }) + 0.0,
            Activation::LeakyRelu { negative_slope } => x * if x > 0.0 { 1.0 } else { negative_slope },
            Activation::Softplus => math::softplus(x),
        }
    }

    /// `f'(x)` as a function of `y = f(x)`, times `grad`.
    #[inline(always)]
    fn chain(self, y: f32, grad: f32) -> f32 {
        match self {
            Activation::Linear => grad,
            Activation::Softsign => {
                let rest = 1.0 - y.abs();
                grad * (rest * rest)
            }
            Activation::Tanh => grad * (1.0 - y * y),
            Activation::Sigmoid => grad * (y * (1.0 - y)),
            // As in PyTorch, the gradient passes where the output is NaN. Both end in arithmetic, as in `value`.
            Activation::Relu => (if y <= 0.0 { 0.0 } else { grad }) + 0.0,
            Activation::LeakyRelu { negative_slope } => grad * if y > 0.0 { 1.0 } else { negative_slope },
            // Not 1 - exp(-y), which loses every digit for small y.
            Activation::Softplus => grad * -math::exp_m1(-y),
        }
    }
}

/// Runs a loop over elements with the activation as a constant, so that the `match` inside the loop disappears.
macro_rules! with_constant {
    ($activation:expr, $each:ident($($argument:expr),*)) => {
        match $activation {
            Activation::Linear => $each(Activation::Linear, $($argument),*),
            Activation::Softsign => $each(Activation::Softsign, $($argument),*),
            Activation::Tanh => $each(Activation::Tanh, $($argument),*),
            Activation::Sigmoid => $each(Activation::Sigmoid, $($argument),*),
            Activation::Relu => $each(Activation::Relu, $($argument),*),
            Activation::LeakyRelu { negative_slope } => $each(Activation::LeakyRelu { negative_slope }, $($argument),*),
            Activation::Softplus => $each(Activation::Softplus, $($argument),*),
        }
    };
}

dispatched! {
    /// `out = f(x)`.
    ///
    /// # Panics
    /// If the lengths differ, or a slope is negative.
    pub fn forward(activation: Activation, out: &mut [f32], x: &[f32]) {
        activation.check();
        assert_eq!(out.len(), x.len(), "activation: output and input differ in length");
        with_constant!(activation, forward_each(out, x))
    }

    /// `x = f(x)`.
    ///
    /// # Panics
    /// If a slope is negative.
    pub fn forward_in_place(activation: Activation, x: &mut [f32]) {
        activation.check();
        with_constant!(activation, forward_each_in_place(x))
    }

    /// `grad_input = f'(x) * grad_output`, where `output = f(x)`.
    ///
    /// Where the function is flat (|y| near 1 for softsign and tanh, y near 0 or 1 for sigmoid), the rounding of `y`
    /// limits the derivative to an *absolute* error of about 1.2e-7; the input would tell more, and cost its memory.
    ///
    /// # Panics
    /// If the lengths differ, or a slope is negative.
    pub fn grad_input(activation: Activation, grad_input: &mut [f32], output: &[f32], grad_output: &[f32]) {
        activation.check();
        assert_eq!(grad_input.len(), output.len(), "activation: grad_input and output differ in length");
        assert_eq!(grad_input.len(), grad_output.len(), "activation: grad_input and grad_output differ in length");
        with_constant!(activation, grad_each(grad_input, output, grad_output))
    }

    /// `grad = f'(x) * grad`, where `output = f(x)`: [`grad_input`] in place.
    ///
    /// # Panics
    /// If the lengths differ, or a slope is negative.
    pub fn grad_in_place(activation: Activation, grad: &mut [f32], output: &[f32]) {
        activation.check();
        assert_eq!(grad.len(), output.len(), "activation: gradient and output differ in length");
        with_constant!(activation, grad_each_in_place(grad, output))
    }
}

#[inline(always)]
fn forward_each(activation: Activation, out: &mut [f32], x: &[f32]) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = activation.value(x);
    }
}

#[inline(always)]
fn forward_each_in_place(activation: Activation, x: &mut [f32]) {
    for x in x {
        *x = activation.value(*x);
    }
}

#[inline(always)]
fn grad_each(activation: Activation, grad_input: &mut [f32], output: &[f32], grad_output: &[f32]) {
    for ((grad_input, &y), &grad_output) in grad_input.iter_mut().zip(output).zip(grad_output) {
        *grad_input = activation.chain(y, grad_output);
    }
}

#[inline(always)]
fn grad_each_in_place(activation: Activation, grad: &mut [f32], output: &[f32]) {
    for (grad, &y) in grad.iter_mut().zip(output) {
        *grad = activation.chain(y, *grad);
    }
}

/// The text is a name, and for `leaky_relu` its slope: `leaky_relu(0.01)`.
impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Activation::LeakyRelu { negative_slope } => write!(f, "leaky_relu({negative_slope})"),
            other => f.pad(other.name()),
        }
    }
}

/// A text that names no activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseActivationError(String);

impl fmt::Display for ParseActivationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseActivationError {}

/// Reads what [`Display`](fmt::Display) writes; `leaky_relu` alone has the slope 0.01.
impl FromStr for Activation {
    type Err = ParseActivationError;

    fn from_str(text: &str) -> Result<Self, ParseActivationError> {
        Ok(match text {
            "linear" => Activation::Linear,
            "softsign" => Activation::Softsign,
            "tanh" => Activation::Tanh,
            "sigmoid" => Activation::Sigmoid,
            "relu" => Activation::Relu,
            "leaky_relu" => Activation::LeakyRelu { negative_slope: DEFAULT_NEGATIVE_SLOPE },
            "softplus" => Activation::Softplus,
            _ => match text.strip_prefix("leaky_relu(").and_then(|rest| rest.strip_suffix(')')) {
                Some(slope) => Activation::LeakyRelu { negative_slope: parse_slope(slope)? },
                None => {
                    return Err(ParseActivationError(format!(
                        "unknown activation {text:?}, expected linear, softsign, tanh, sigmoid, relu, leaky_relu, \
                         leaky_relu(SLOPE) or softplus"
                    )));
                }
            },
        })
    }
}

fn parse_slope(text: &str) -> Result<f32, ParseActivationError> {
    match text.trim().parse::<f32>() {
        Ok(slope) if slope >= 0.0 && slope.is_finite() => Ok(slope),
        _ => Err(ParseActivationError(format!(
            "leaky_relu: the slope {text:?} must be a finite number of at least 0, as in leaky_relu(0.01)"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{lengths, on_every_isa, values};

    const ALL: [Activation; 8] = [
        Activation::Linear,
        Activation::Softsign,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Relu,
        Activation::LeakyRelu { negative_slope: 0.25 },
        Activation::LeakyRelu { negative_slope: 2.0 },
        Activation::Softplus,
    ];

    fn reference(activation: Activation, x: f64) -> f64 {
        match activation {
            Activation::Linear => x,
            Activation::Softsign => x / (1.0 + x.abs()),
            Activation::Tanh => x.tanh(),
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Activation::Relu => x.max(0.0),
            Activation::LeakyRelu { negative_slope } => x.max(0.0) + f64::from(negative_slope) * x.min(0.0),
            Activation::Softplus => (1.0 + x.exp()).ln(),
        }
    }

    #[test]
    fn forward_matches_the_formula_also_in_place() {
        for activation in ALL {
            for len in lengths() {
                let x = values(len, 1);
                let out = on_every_isa(len, |out| forward(activation, out, &x));
                for (&x, &y) in x.iter().zip(&out) {
                    let exact = reference(activation, x.into());
                    assert!((f64::from(y) - exact).abs() <= 4e-7 * exact.abs(), "{activation}({x}) = {y}, not {exact}");
                }
                let in_place = on_every_isa(len, |out| {
                    out.copy_from_slice(&x);
                    forward_in_place(activation, out);
                });
                assert_eq!(in_place, out, "{activation}");
            }
        }
    }

    #[test]
    fn the_gradient_from_the_output_is_the_slope_at_the_input() {
        for activation in ALL {
            for len in lengths() {
                // The kink of the rectifiers, and its neighbourhood, has no slope.
                let x: Vec<f32> = values(len, 1).iter().map(|x| if x.abs() < 1e-3 { 1.0 } else { *x }).collect();
                let grad_output = values(len, 2);
                let mut y = vec![0.0; len];
                forward(activation, &mut y, &x);
                let got = on_every_isa(len, |out| grad_input(activation, out, &y, &grad_output));
                let in_place = on_every_isa(len, |out| {
                    out.copy_from_slice(&grad_output);
                    grad_in_place(activation, out, &y);
                });
                assert_eq!(in_place, got, "{activation}");
                for i in 0..len {
                    let f = |x| reference(activation, x);
                    let x = f64::from(x[i]);
                    let expected = f64::from(grad_output[i]) * (f(x + 1e-5) - f(x - 1e-5)) / 2e-5;
                    assert!(
                        (f64::from(got[i]) - expected).abs() < 2e-6,
                        "{activation} at {x}: {} != {expected}",
                        got[i]
                    );
                }
            }
        }
    }

    #[test]
    fn nan_passes_and_the_ends_are_reached() {
        for activation in ALL {
            let y = on_every_isa(33, |out| {
                out.fill(f32::NAN);
                forward_in_place(activation, out);
            });
            assert!(y.iter().all(|y| y.is_nan()), "{activation} drops NaN");
        }
        let at = |activation, x| {
            let mut y = [x];
            forward_in_place(activation, &mut y);
            y[0]
        };
        for (activation, low, high) in [
            (Activation::Tanh, -1.0, 1.0),
            (Activation::Sigmoid, 0.0, 1.0),
            (Activation::Relu, 0.0, f32::INFINITY),
            (Activation::Softplus, 0.0, f32::INFINITY),
        ] {
            assert_eq!(at(activation, f32::NEG_INFINITY), low, "{activation}");
            assert_eq!(at(activation, f32::INFINITY), high, "{activation}");
        }
    }

    #[test]
    fn at_zero_the_rectifiers_take_the_slope_from_below() {
        let grad_at_zero = |activation| {
            let mut grad = [f32::NAN];
            grad_input(activation, &mut grad, &[0.0], &[4.0]);
            grad[0]
        };
        assert_eq!(grad_at_zero(Activation::Relu), 0.0);
        assert_eq!(grad_at_zero(Activation::LeakyRelu { negative_slope: 0.25 }), 1.0);
    }

    #[test]
    fn the_gradient_of_a_small_softplus_keeps_its_digits() {
        let mut grad = [0.0];
        grad_input(Activation::Softplus, &mut grad, &[1e-12], &[1.0]);
        assert!((grad[0] - 1e-12).abs() <= 1e-18, "{:e}", grad[0]);
    }

    #[test]
    fn names_are_read_back() {
        for activation in ALL {
            assert_eq!(activation.to_string().parse(), Ok(activation));
        }
        assert_eq!("leaky_relu".parse(), Ok(Activation::LeakyRelu { negative_slope: 0.01 }));
        assert_eq!(Activation::LeakyRelu { negative_slope: 0.01 }.to_string(), "leaky_relu(0.01)");
    }

    #[test]
    fn other_names_are_refused_with_a_reason() {
        let error = |text: &str| text.parse::<Activation>().unwrap_err().to_string();
        assert!(error("Tanh").contains("unknown activation \"Tanh\", expected linear, softsign"));
        for slope in ["-1", "NaN", "inf", ""] {
            assert!(error(&format!("leaky_relu({slope})")).contains("at least 0"), "{slope}");
        }
    }

    #[test]
    #[should_panic(expected = "negative_slope -1 must be finite and at least 0")]
    fn a_negative_slope_below_zero_is_refused() {
        forward_in_place(Activation::LeakyRelu { negative_slope: -1.0 }, &mut [1.0]);
    }
}
