//! Activations, the linear layer, exponential, logarithm and transpose by definition.

use crate::ops::Activation;

/// `output[n, o] = sum over i of input[n, i] * weight[i, o]`, without bias.
pub fn linear([rows, in_features, out_features]: [usize; 3], input: &[f32], weight: &[f32], output: &mut [f32]) {
    for n in 0..rows {
        for o in 0..out_features {
            let products = (0..in_features)
                .map(|i| f64::from(input[n * in_features + i]) * f64::from(weight[i * out_features + o]));
            output[n * out_features + o] = products.sum::<f64>() as f32;
        }
    }
}

/// The value and the derivative of an activation at `x`, in f64.
pub fn activation(activation: Activation, x: f64) -> (f64, f64) {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match activation {
        Activation::Linear => (x, 1.0),
        Activation::Softsign => (x / (1.0 + x.abs()), 1.0 / (1.0 + x.abs()).powi(2)),
        Activation::Tanh => (x.tanh(), 1.0 - x.tanh().powi(2)),
        Activation::Sigmoid => (sigmoid(x), sigmoid(x) * (1.0 - sigmoid(x))),
        Activation::Relu if x.is_nan() => (x, x),
        Activation::Relu => (x.max(0.0), if x > 0.0 { 1.0 } else { 0.0 }),
        Activation::LeakyRelu { negative_slope } => {
            let slope = if x > 0.0 { 1.0 } else { f64::from(negative_slope) };
            (slope * x, slope)
        }
        Activation::Softplus => (x.max(0.0) + (-x.abs()).exp().ln_1p(), sigmoid(x)),
    }
}

/// `e^x`, rounded once from f64.
pub fn exp(input: &[f32], output: &mut [f32]) {
    input.iter().zip(output).for_each(|(&x, y)| *y = f64::from(x).exp() as f32);
}

/// The natural logarithm, rounded once from f64.
pub fn ln(input: &[f32], output: &mut [f32]) {
    input.iter().zip(output).for_each(|(&x, y)| *y = f64::from(x).ln() as f32);
}

/// `output[j, i] = input[i, j]` for `input` `[rows, columns]`.
pub fn transpose([rows, columns]: [usize; 2], input: &[f32], output: &mut [f32]) {
    for i in 0..rows {
        for j in 0..columns {
            output[j * rows + i] = input[i * columns + j];
        }
    }
}
