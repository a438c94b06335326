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
//! Four evaluations for each element are too many for large inputs. [`gradcheck_directions`] moves all elements of an input
//! at once, each by `+h` or `-h` at random, and compares `<dL/dx, d>` for a few such directions d. A derivative of n
//! elements is about sqrt(n) times as large as one of them, so a single element that is off by its own size is seen among
//! some hundred thousand.
//!
//! ```
//! use patchgrad::{Tensor, gradcheck::gradcheck};
//! let x = Tensor::new([3], &[0.3, -1.2, 2.0]);
//! let checked = gradcheck(&[x], |tape, v| tape.tanh(v[0])).unwrap();
//! assert_eq!(checked.elements, 3);
//! ```

use crate::{Shape, Tape, Tensor, Var, Workspace, random::stream};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use std::fmt;

/// The step of the differences: a power of two, so that adding it to a number of order 1 is exact to the last bit.
const STEP: f32 = 1.0 / 64.0;

/// Largest accepted error, as a share of the largest difference quotient of the same input.
const TOLERANCE: f64 = 1e-3;

/// What was checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checked {
    /// How many elements the inputs have together.
    pub elements: usize,
    /// How many derivatives were compared: one for each element, or one for each direction of each input.
    pub derivatives: usize,
    /// The largest error, as a share of the largest difference quotient of the same input.
    pub worst: f64,
}

/// Along what a derivative was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// One element, counted in memory order.
    Element(usize),
    /// One of the random directions.
    Direction(usize),
}

impl fmt::Display for Along {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Element(element) => write!(f, "at element {element}"),
            Self::Direction(direction) => write!(f, "along direction {direction}"),
        }
    }
}

/// A gradient that does not agree with the differences.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "gradient of input {input} (shape {shape}) {along}: the tape says {analytic:e}, differences say {numeric:e} \
     (off by {:.1e} of the largest, accepted {TOLERANCE:.0e})", self.share
)]
pub struct Mismatch {
    /// Which input.
    pub input: usize,
    /// Its shape.
    pub shape: Shape,
    /// Which of its derivatives.
    pub along: Along,
    /// What the backward pass gave.
    pub analytic: f64,
    /// What the differences gave.
    pub numeric: f64,
    share: f64,
}

/// Compares the gradients of `f` at `inputs` with differences in every element, for a random cotangent.
///
/// `f` records its computation on a tape, given one variable for each input, and must be smooth within 2/64 of `inputs`:
/// keep values away from the kinks of ReLU and from ties in a maximum.
///
/// # Errors
/// With the first element whose gradient is off by more than a thousandth of the largest of the same input.
pub fn gradcheck(inputs: &[Tensor], f: impl Fn(&mut Tape, &[Var]) -> Var) -> Result<Checked, Mismatch> {
    check(inputs, f, |function, input, gradient| {
        let along = |(element, &analytic): (usize, &f32)| {
            let at = function.inputs[input].as_slice()[element];
            let numeric = quotient(|step| {
                function.inputs[input].as_mut_slice()[element] = at + step;
                function.value()
            });
            function.inputs[input].as_mut_slice()[element] = at;
            Derivative { along: Along::Element(element), analytic: f64::from(analytic), numeric }
        };
        gradient.as_slice().iter().enumerate().map(along).collect()
    })
}

/// Compares the gradients of `f` at `inputs` with differences along `directions` random directions of each input, for a
/// random cotangent: `4 directions` evaluations for an input of any size.
///
/// A direction moves every element by the same step up or down, so `f` must be smooth where [`gradcheck`] wants it, with
/// elements 4/64 apart where their order counts.
///
/// # Errors
/// With the first direction along which the derivative is off by more than a thousandth of the largest of the same input.
pub fn gradcheck_directions(
    inputs: &[Tensor],
    directions: usize,
    f: impl Fn(&mut Tape, &[Var]) -> Var,
) -> Result<Checked, Mismatch> {
    check(inputs, f, |function, input, gradient| {
        let at = function.inputs[input].clone();
        let mut stream = stream(0, "gradcheck directions", input as u64);
        let along = |index| {
            let direction: Vec<f32> = (0..at.len()).map(|_| if stream.random() { 1.0 } else { -1.0 }).collect();
            let pairs = gradient.as_slice().iter().zip(&direction);
            let analytic = pairs.map(|(&g, &d)| f64::from(g) * f64::from(d)).sum();
            let numeric = quotient(|step| {
                let moved = function.inputs[input].as_mut_slice().iter_mut().zip(at.as_slice()).zip(&direction);
                moved.for_each(|((x, at), d)| *x = at + step * d);
                function.value()
            });
            Derivative { along: Along::Direction(index), analytic, numeric }
        };
        let derivatives = (0..directions).map(along).collect();
        function.inputs[input] = at;
        derivatives
    })
}

/// One derivative of `L`, both ways.
struct Derivative {
    along: Along,
    analytic: f64,
    numeric: f64,
}

/// The function `L = <v, f(x)>` at inputs that the differences move.
struct Function<F> {
    inputs: Vec<Tensor>,
    cotangent: Tensor,
    workspace: Workspace,
    f: F,
}

impl<F: Fn(&mut Tape, &[Var]) -> Var> Function<F> {
    /// `L` at `inputs`, with a random cotangent, and its gradient there.
    fn with_gradients(inputs: &[Tensor], f: F) -> (Self, Vec<Tensor>) {
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace);
        let vars: Vec<Var> = inputs.iter().map(|input| tape.variable(input)).collect();
        let output = f(&mut tape, &vars);
        let mut stream = stream(0, "gradcheck", 0);
        let cotangent = Tensor::from_fn(tape.shape(output), |_| StandardNormal.sample(&mut stream));
        let gradients = tape.backward_from(output, &cotangent);
        let gradient = |(&var, input): (&Var, &Tensor)| {
            gradients.variable(var).cloned().unwrap_or_else(|| Tensor::zeros(input.shape()))
        };
        let gradients = vars.iter().zip(inputs).map(gradient).collect();
        (Self { inputs: inputs.to_vec(), cotangent, workspace, f }, gradients)
    }

    fn value(&mut self) -> f64 {
        let mut tape = Tape::new(&mut self.workspace);
        let vars: Vec<Var> = self.inputs.iter().map(|input| tape.input(input)).collect();
        let output = (self.f)(&mut tape, &vars);
        let pairs = tape.value(output).as_slice().iter().zip(self.cotangent.as_slice());
        pairs.map(|(&y, &v)| f64::from(y) * f64::from(v)).sum()
    }
}

/// The difference quotient of fourth order at 0.
fn quotient(mut value_at: impl FnMut(f32) -> f64) -> f64 {
    let mut difference = |step| value_at(step) - value_at(-step);
    (8.0 * difference(STEP) - difference(2.0 * STEP)) / (12.0 * f64::from(STEP))
}

/// Takes the derivatives of each input and compares them.
fn check<F: Fn(&mut Tape, &[Var]) -> Var>(
    inputs: &[Tensor],
    f: F,
    derivatives: impl Fn(&mut Function<F>, usize, &Tensor) -> Vec<Derivative>,
) -> Result<Checked, Mismatch> {
    let (mut function, gradients) = Function::with_gradients(inputs, f);
    let mut checked = Checked { elements: 0, derivatives: 0, worst: 0.0 };
    for (input, gradient) in gradients.iter().enumerate() {
        let derivatives = derivatives(&mut function, input, gradient);
        // A gradient of zero is compared with the size of a typical one.
        let largest = derivatives.iter().fold(1e-2, |m: f64, derivative| m.max(derivative.numeric.abs()));
        for &Derivative { along, analytic, numeric } in &derivatives {
            let share = (analytic - numeric).abs() / largest;
            // A NaN fails too.
            if share.is_nan() || share > TOLERANCE {
                return Err(Mismatch { input, shape: gradient.shape(), along, analytic, numeric, share });
            }
            checked.worst = checked.worst.max(share);
        }
        checked.elements += gradient.len();
        checked.derivatives += derivatives.len();
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

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
        assert_eq!((error.input, error.along), (0, Along::Element(0)));
        assert!(error.to_string().contains("the tape says"), "{error}");
    }

    #[test]
    fn a_right_gradient_passes_closely() {
        let x = Tensor::from_fn([2, 5], |i| i as f32 * 0.37 - 1.6);
        let checked = gradcheck(&[x], |tape, v| tape.softplus(v[0])).unwrap();
        assert_eq!((checked.elements, checked.derivatives), (10, 10));
        assert!(checked.worst < 1e-4, "{}", checked.worst);
    }

    #[test]
    fn one_wrong_element_among_thousands_is_found_along_directions() {
        static ONES: LazyLock<Tensor> = LazyLock::new(|| Tensor::full([100, 100], 1.0));
        static ONE_MISSING: LazyLock<Tensor> =
            LazyLock::new(|| Tensor::from_fn([100, 100], |i| if i == 9_999 { 0.0 } else { 1.0 }));
        let x = Tensor::from_fn([100, 100], |i| (i as f32).sin());
        // Where the tape is differentiated the mask hides an element that the differences see.
        let error = gradcheck_directions(std::slice::from_ref(&x), 4, |tape, v| {
            let at_x = tape.value(v[0]).to_tensor() == x;
            tape.mask(v[0], if at_x { &ONE_MISSING } else { &ONES })
        })
        .unwrap_err();
        assert_eq!((error.input, error.along), (0, Along::Direction(0)));
        assert!(error.to_string().contains("along direction 0: the tape says"), "{error}");
    }

    #[test]
    fn a_right_gradient_passes_along_directions() {
        let inputs = [0, 1].map(|k| Tensor::from_fn([100, 100], |i| ((i + k) as f32).sin()));
        let checked = gradcheck_directions(&inputs, 4, |tape, v| {
            let product = tape.mul(v[0], v[1]);
            tape.tanh(product)
        })
        .unwrap();
        assert_eq!((checked.elements, checked.derivatives), (20_000, 8));
        assert!(checked.worst < 1e-4, "{}", checked.worst);
    }
}
