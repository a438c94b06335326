//! Gradients of parameters against differences along random directions.

use patchgrad::{Params, Tape, Var, Workspace, random::stream};
use rand::RngExt;

/// The step of the differences: a power of two. Every value of a parameter moves at once, so it is smaller than that of
/// [`patchgrad::gradcheck`].
const STEP: f32 = 1.0 / 256.0;

/// For each parameter.
const DIRECTIONS: u64 = 6;

/// A gradient shorter than this is compared with this.
const SHORTEST: f64 = 0.01;

/// The error of the gradient of the scalar that `f` records, for every parameter that gets one: its name, and the largest
/// difference between
///
/// ```text
/// <dL/dp, d>   and   (8 (L(p + h d) - L(p - h d)) - (L(p + 2h d) - L(p - 2h d))) / 12h
/// ```
///
/// over six random directions d of +-1, as a share of the length of the gradient (a derivative along such a direction is about
/// as large). `f` must be smooth within 2/256 in every value.
pub(crate) fn param_gradient_errors(params: &Params, f: impl Fn(&mut Tape) -> Var) -> Vec<(String, f64)> {
    let mut workspace = Workspace::new();
    let mut tape = Tape::with_params(params, &mut workspace);
    let loss = f(&mut tape);
    let gradients = tape.backward(loss);
    let error_of = |(id, name, tensor): (_, &str, &patchgrad::Tensor)| {
        let gradient = gradients.param(id)?.as_slice();
        let length = gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        let along = |index: u64| {
            let mut stream = stream(index, name, 3);
            let direction: Vec<f32> = (0..tensor.len()).map(|_| if stream.random() { 1.0 } else { -1.0 }).collect();
            let value_at = |step: f32| {
                let mut moved = params.clone();
                let values = moved.get_mut(id).as_mut_slice().iter_mut().zip(&direction);
                values.for_each(|(value, d)| *value += step * d);
                let mut workspace = Workspace::new();
                let mut tape = Tape::with_params(&moved, &mut workspace);
                let loss = f(&mut tape);
                f64::from(tape.value(loss).item())
            };
            let difference = |step| value_at(step) - value_at(-step);
            let numeric = (8.0 * difference(STEP) - difference(2.0 * STEP)) / (12.0 * f64::from(STEP));
            let analytic: f64 = gradient.iter().zip(&direction).map(|(&g, &d)| f64::from(g) * f64::from(d)).sum();
            (analytic - numeric).abs() / length.max(SHORTEST)
        };
        // `f64::max` would drop a NaN.
        let worst = (0..DIRECTIONS)
            .map(along)
            .fold(0.0, |worst: f64, error| if error > worst || error.is_nan() { error } else { worst });
        Some((name.to_string(), worst))
    };
    params.iter().filter_map(error_of).collect()
}
