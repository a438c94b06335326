//! Gradient clipping, as `torch.nn.utils.clip_grad_norm_` and `clip_grad_value_`.

use crate::Gradients;

/// Scales all gradients of parameters by one factor so that their joint L2 norm is at most `max_norm`; gives the norm
/// before.
///
/// ```text
/// norm = sqrt(sum over all parameters of g^2),    g = g * min(1, max_norm / (norm + 1e-6))
/// ```
///
/// The squares are added in f64, parameter by parameter, so the result does not depend on the number of threads. A norm
/// that is not finite is given back and, as in PyTorch, spoils the gradients: look at it before the step.
///
/// # Panics
/// If `max_norm` is negative or NaN.
///
/// # References
/// Pascanu, Mikolov, Bengio: "On the difficulty of training recurrent neural networks", arXiv 1211.5063.
#[track_caller]
pub fn clip_grad_norm(gradients: &mut Gradients, max_norm: f64) -> f64 {
    assert!(max_norm >= 0.0, "clip_grad_norm: max_norm {max_norm} is negative");
    let squares = |values: &[f32]| values.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>();
    let norm = gradients.params().map(|(_, gradient)| squares(gradient.as_slice())).sum::<f64>().sqrt();
    // Written so that NaN goes through to the gradients, as PyTorch's clamp does.
    let factor = max_norm / (norm + 1e-6);
    let factor = if factor >= 1.0 { 1.0 } else { factor } as f32;
    if factor != 1.0 {
        for (_, gradient) in gradients.params_mut() {
            gradient.as_mut_slice().iter_mut().for_each(|value| *value *= factor);
        }
    }
    norm
}

/// Clamps every gradient of a parameter to `[-clip_value, clip_value]`; NaN stays.
///
/// # Panics
/// If `clip_value` is negative or NaN.
#[track_caller]
pub fn clip_grad_value(gradients: &mut Gradients, clip_value: f32) {
    assert!(clip_value >= 0.0, "clip_grad_value: clip_value {clip_value} is negative");
    for (_, gradient) in gradients.params_mut() {
        gradient.as_mut_slice().iter_mut().for_each(|value| *value = value.clamp(-clip_value, clip_value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Params, Tape, Tensor, Workspace};

    /// 3 and 4 in one parameter, `third` in another: gradients of `mean((p - target)^2)` at 0, which are `-2 target / n`.
    fn gradients(third: f32) -> Gradients {
        let mut params = Params::new();
        let ids = [params.add("a", Tensor::zeros([2])), params.add("b", Tensor::zeros([1]))];
        let targets = [Tensor::new([2], &[-3.0, -4.0]), Tensor::full([1], -third / 2.0)];
        let mut workspace = Workspace::new();
        let mut tape = Tape::with_params(&params, &mut workspace);
        let [a, b] = [0, 1].map(|i| {
            let (param, target) = (tape.param(ids[i]), tape.input(&targets[i]));
            tape.mse_loss(param, target)
        });
        let loss = tape.add(a, b);
        tape.backward(loss)
    }

    fn values(gradients: &Gradients) -> Vec<f32> {
        gradients.params().flat_map(|(_, gradient)| gradient.as_slice().to_vec()).collect()
    }

    #[test]
    fn the_joint_norm_is_cut_and_a_smaller_one_left() {
        let mut large = gradients(12.0);
        assert_eq!(clip_grad_norm(&mut large, 6.5), 13.0);
        for (got, expected) in values(&large).iter().zip([1.5, 2.0, 6.0]) {
            assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        }
        let mut small = gradients(12.0);
        assert_eq!(clip_grad_norm(&mut small, 14.0), 13.0);
        assert_eq!(values(&small), [3.0, 4.0, 12.0]);
    }

    #[test]
    fn a_norm_that_is_not_finite_is_told_and_spoils_the_gradients() {
        let mut gradients = gradients(f32::NAN);
        assert!(clip_grad_norm(&mut gradients, 1.0).is_nan());
        assert!(values(&gradients).iter().all(|value| value.is_nan()));
    }

    #[test]
    fn values_are_clamped_one_by_one() {
        let mut gradients = gradients(-12.0);
        clip_grad_value(&mut gradients, 3.5);
        assert_eq!(values(&gradients), [3.0, 3.5, -3.5]);
    }
}
