//! Gradients against differences.
//!
//! A gradient exists when it is checked. [`gradcheck`] takes any computation on a tape, draws a random cotangent `v`, and
//! compares the gradient of `L = <v, f(x)>` that the tape gives with the fourth-order central difference
//!
//! ```text
//! dL/dx_i  ~  (8 (L(x_i + h) - L(x_i - h)) - (L(x_i + 2h) - L(x_i - 2h))) / 12h
//! ```
//!
//! in every element of every input. The random cotangent matters: with all ones, gradients that sit at the wrong output
//! cancel. With h = 1/64 the truncation error is of the order of h^4 (6e-8) and rounding in f32 costs about 1e-7 / h (6e-6)
//! of the largest term, so gradients are held to a thousandth of the largest one.
//!
//! ```
//! use patchgrad::{Tensor, gradcheck::gradcheck};
//! let x = Tensor::new([3], &[0.3, -1.2, 2.0]);
//! let checked = gradcheck(&[x], |tape, v| tape.tanh(v[0])).unwrap();
//! assert_eq!(checked.elements, 3);
//! ```

use crate::{Shape, Tape, Tensor, Var, Workspace, random::stream};
use rand_distr::{Distribution, StandardNormal};

/// The step of the differences: a power of two, so that adding it to a number of order 1 is exact to the last bit.
const STEP: f32 = 1.0 / 64.0;

/// Largest accepted error, as a share of the largest difference quotient of the same input.
const TOLERANCE: f64 = 1e-3;

/// What was checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checked {
    /// How many partial derivatives were compared.
    pub elements: usize,
    /// The largest error, as a share of the largest difference quotient of the same input.
    pub worst: f64,
}

/// A gradient that does not agree with the differences.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "gradient of input {input} (shape {shape}) at element {element}: the tape says {analytic:e}, differences say {numeric:e} \
     (off by {:.1e} of the largest, accepted {TOLERANCE:.0e})", self.share
)]
pub struct Mismatch {
    /// Which input.
    pub input: usize,
    /// Its shape.
    pub shape: Shape,
    /// Which element, in memory order.
    pub element: usize,
    /// What the backward pass gave.
    pub analytic: f64,
    /// What the differences gave.
    pub numeric: f64,
    share: f64,
}

/// Compares the gradients of `f` at `inputs` with differences, for a random cotangent.
///
/// `f` records its computation on a tape, given one variable for each input, and must be smooth within 2/64 of `inputs`:
/// keep values away from the kinks of ReLU and from ties in a maximum.
///
/// # Errors
/// With the worst element of the first input whose gradient is off by more than a thousandth of its largest.
pub fn gradcheck(inputs: &[Tensor], f: impl Fn(&mut Tape, &[Var]) -> Var) -> Result<Checked, Mismatch> {
    let mut workspace = Workspace::new();
    let mut cotangent = None;
    let analytic = {
        let mut tape = Tape::new(&mut workspace);
        let vars: Vec<Var> = inputs.iter().map(|input| tape.variable(input)).collect();
        let output = f(&mut tape, &vars);
        let mut stream = stream(0, "gradcheck", 0);
        let cotangent = &*cotangent.insert(Tensor::from_fn(tape.shape(output), |_| StandardNormal.sample(&mut stream)));
        let gradients = tape.backward_from(output, cotangent);
        vars.iter()
            .zip(inputs)
            .map(|(&var, input)| gradients.variable(var).cloned().unwrap_or_else(|| Tensor::zeros(input.shape())))
            .collect::<Vec<_>>()
    };
    let cotangent = cotangent.expect("set above");

    let mut value = |inputs: &[Tensor]| -> f64 {
        let mut tape = Tape::new(&mut workspace);
        let vars: Vec<Var> = inputs.iter().map(|input| tape.input(input)).collect();
        let output = f(&mut tape, &vars);
        let pairs = tape.value(output).as_slice().iter().zip(cotangent.as_slice());
        pairs.map(|(&y, &v)| f64::from(y) * f64::from(v)).sum()
    };

    let mut checked = Checked { elements: 0, worst: 0.0 };
    let mut moved = inputs.to_vec();
    for (input, analytic) in analytic.iter().enumerate() {
        let numeric: Vec<f64> = (0..analytic.len())
            .map(|element| {
                let at = moved[input].as_slice()[element];
                let mut difference = |step: f32| {
                    moved[input].as_mut_slice()[element] = at + step;
                    let above = value(&moved);
                    moved[input].as_mut_slice()[element] = at - step;
                    above - value(&moved)
                };
                let (near, far) = (difference(STEP), difference(2.0 * STEP));
                moved[input].as_mut_slice()[element] = at;
                (8.0 * near - far) / (12.0 * f64::from(STEP))
            })
            .collect();
        // A gradient of zero is compared with the size of a typical one.
        let largest = numeric.iter().fold(1e-2, |m: f64, g| m.max(g.abs()));
        for (element, (&analytic, &numeric)) in analytic.as_slice().iter().zip(&numeric).enumerate() {
            let analytic = f64::from(analytic);
            let share = (analytic - numeric).abs() / largest;
            // A NaN fails too.
            if share.is_nan() || share > TOLERANCE {
                let shape = inputs[input].shape();
                return Err(Mismatch { input, shape, element, analytic, numeric, share });
            }
            checked.worst = checked.worst.max(share);
        }
        checked.elements += analytic.len();
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_gradient_is_found() {
        // Frozen at its value, the second factor gets no gradient: d(x * x) = x instead of 2 x.
        let x = Tensor::new([2], &[0.5, -2.0]);
        let frozen = x.clone();
        let error = gradcheck(&[x], |tape, v| {
            let copy = tape.value(v[0]).to_tensor();
            if copy == frozen { tape.scale(v[0], 3.0) } else { tape.mul(v[0], v[0]) }
        })
        .unwrap_err();
        assert_eq!((error.input, error.element), (0, 0));
        assert!(error.to_string().contains("the tape says"), "{error}");
    }

    #[test]
    fn a_right_gradient_passes_closely() {
        let x = Tensor::from_fn([2, 5], |i| i as f32 * 0.37 - 1.6);
        let checked = gradcheck(&[x], |tape, v| tape.softplus(v[0])).unwrap();
        assert_eq!(checked.elements, 10);
        assert!(checked.worst < 1e-4, "{}", checked.worst);
    }
}
