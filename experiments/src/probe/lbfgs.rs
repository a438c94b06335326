//! L-BFGS: a quasi-Newton method that remembers a few steps.
//!
//! The direction is `-H g`, with the inverse Hessian H built from the last steps and changes of the gradient by the two-loop
//! recursion; the step along it is halved or interpolated until the value has fallen enough (Armijo).
//!
//! References: Liu and Nocedal, "On the limited memory BFGS method for large scale optimization" (1989); Nocedal and
//! Wright, "Numerical Optimization" (2006), algorithms 7.4 and 7.5.

use std::collections::VecDeque;

/// When to stop, and how much to remember.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Steps at most.
    pub iterations: usize,
    /// Stop when no entry of the gradient is larger.
    pub gradient_tolerance: f64,
    /// Steps remembered.
    pub memory: usize,
}

impl Default for Settings {
    /// 100 steps, a tolerance of 1e-4 (scikit-learn's), 10 steps remembered.
    fn default() -> Self {
        Self { iterations: 100, gradient_tolerance: 1e-4, memory: 10 }
    }
}

/// A value is only known to this share of itself: the objective is summed in f32.
const VALUE_NOISE: f64 = 1e-7;

/// What Armijo's rule asks for: this share of the decrease that the slope promises.
const SUFFICIENT_DECREASE: f64 = 1e-4;

/// How the search ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minimum {
    /// The value at the end.
    pub value: f64,
    /// Steps taken.
    pub iterations: usize,
    /// Whether the gradient is within the tolerance.
    pub converged: bool,
}

/// One remembered step: `s` the move, `y` the change of the gradient, `rho = 1 / <y, s>`.
struct Pair {
    s: Vec<f64>,
    y: Vec<f64>,
    rho: f64,
}

/// Moves `x` to a minimum of `f`, which gives its value and writes its gradient.
pub fn minimise(x: &mut [f64], settings: &Settings, mut f: impl FnMut(&[f64], &mut [f64]) -> f64) -> Minimum {
    let mut gradient = vec![0.0; x.len()];
    let mut value = f(x, &mut gradient);
    let mut memory: VecDeque<Pair> = VecDeque::new();
    for iteration in 0..settings.iterations {
        if largest(&gradient) <= settings.gradient_tolerance {
            return Minimum { value, iterations: iteration, converged: true };
        }
        let direction = quasi_newton_direction(&gradient, &memory);
        let slope = dot(&direction, &gradient);
        // The first step knows nothing of the scale of the problem.
        let first = if memory.is_empty() { (1.0 / dot(&gradient, &gradient).sqrt()).min(1.0) } else { 1.0 };
        let Some(step) = line_search(x, value, &direction, slope, first, &mut f) else {
            return Minimum { value, iterations: iteration, converged: false };
        };
        let s: Vec<f64> = step.x.iter().zip(&*x).map(|(new, old)| new - old).collect();
        let y: Vec<f64> = step.gradient.iter().zip(&gradient).map(|(new, old)| new - old).collect();
        let curvature = dot(&s, &y);
        // Only steps along which the gradient grew describe a convex bowl.
        if curvature > 1e-10 * dot(&y, &y) {
            if memory.len() == settings.memory {
                memory.pop_front();
            }
            memory.push_back(Pair { s, y, rho: 1.0 / curvature });
        }
        x.copy_from_slice(&step.x);
        (value, gradient) = (step.value, step.gradient);
    }
    let converged = largest(&gradient) <= settings.gradient_tolerance;
    Minimum { value, iterations: settings.iterations, converged }
}

/// Where a line search ended.
struct Step {
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// The first of `first`, and interpolated shorter steps, that lowers the value enough; `None` when none of twenty does.
fn line_search(
    x: &[f64],
    value: f64,
    direction: &[f64],
    slope: f64,
    first: f64,
    f: &mut impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Option<Step> {
    let mut length = first;
    for _ in 0..20 {
        let moved: Vec<f64> = x.iter().zip(direction).map(|(x, d)| x + length * d).collect();
        let mut gradient = vec![0.0; x.len()];
        let new = f(&moved, &mut gradient);
        if new <= value + SUFFICIENT_DECREASE * length * slope + VALUE_NOISE * value.abs() {
            return Some(Step { x: moved, value: new, gradient });
        }
        // The minimum of the parabola through the value and slope here and the value there, kept within [0.1, 0.5].
        let parabola = -slope * length / (2.0 * (new - value - slope * length));
        length *= if parabola.is_finite() { parabola.clamp(0.1, 0.5) } else { 0.1 };
    }
    None
}

/// `-H g` by the two-loop recursion.
fn quasi_newton_direction(gradient: &[f64], memory: &VecDeque<Pair>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut weights = Vec::with_capacity(memory.len());
    for pair in memory.iter().rev() {
        let weight = pair.rho * dot(&pair.s, &direction);
        add_scaled(&mut direction, -weight, &pair.y);
        weights.push(weight);
    }
    if let Some(last) = memory.back() {
        let scale = 1.0 / (last.rho * dot(&last.y, &last.y));
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for (pair, weight) in memory.iter().zip(weights.iter().rev()) {
        let other = pair.rho * dot(&pair.y, &direction);
        add_scaled(&mut direction, weight - other, &pair.s);
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add_scaled(sum: &mut [f64], scale: f64, x: &[f64]) {
    sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += scale * x);
}

fn largest(gradient: &[f64]) -> f64 {
    gradient.iter().fold(0.0, |m, g| g.abs().max(m))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIGHT: Settings = Settings { iterations: 200, gradient_tolerance: 1e-8, memory: 10 };

    #[test]
    fn a_stretched_bowl_is_minimised_in_a_few_steps() {
        let centre = [1.0, -2.0, 3.0, 0.5];
        let curvature = [1.0, 10.0, 100.0, 1000.0];
        let mut x = [0.0; 4];
        let found = minimise(&mut x, &TIGHT, |x, gradient| {
            (0..4).for_each(|i| gradient[i] = curvature[i] * (x[i] - centre[i]));
            (0..4).map(|i| 0.5 * curvature[i] * (x[i] - centre[i]).powi(2)).sum()
        });
        assert!(found.converged && found.iterations < 40, "{found:?}");
        assert!(x.iter().zip(centre).all(|(x, c)| (x - c).abs() < 1e-6), "{x:?}");
    }

    #[test]
    fn rosenbrocks_valley_is_followed_to_its_end() {
        let mut x = [-1.2, 1.0];
        let found = minimise(&mut x, &TIGHT, |x, gradient| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            gradient.copy_from_slice(&[-2.0 * a - 400.0 * x[0] * b, 200.0 * b]);
            a * a + 100.0 * b * b
        });
        assert!(found.converged, "{found:?}");
        assert!((x[0] - 1.0).abs() < 1e-6 && (x[1] - 1.0).abs() < 1e-6, "{x:?}");
    }

    #[test]
    fn a_start_at_the_minimum_takes_no_step() {
        let found = minimise(&mut [0.0], &TIGHT, |x, gradient| {
            gradient[0] = 2.0 * x[0];
            x[0] * x[0]
        });
        assert_eq!(found, Minimum { value: 0.0, iterations: 0, converged: true });
    }
}
