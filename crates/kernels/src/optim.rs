//! Steps of the optimisers: one pass over parameter, gradient and state.
//!
//! Hyperparameters are `f64` and combined in `f64` before they meet the data, as PyTorch does: `1 - 0.999` taken in
//! `f32` would already be off by 5e-5, and the variance of Adam with it.
//!
//! A parameter whose gradient has become 0 for good, as behind a dead ReLU, leaves a running mean that shrinks step by step until
//! it is subnormal, and there rounding keeps it from ever being 0. Arithmetic with subnormal numbers is done in microcode on many
//! processors, a hundred times slower; so what is too small to move a parameter is made 0 here.

use crate::isa::dispatched;

/// Magnitude below which a velocity or a running mean of gradients counts as 0: 2^-100, about 8e-31.
///
/// Divided by Adam's `eps` of 1e-8, where the variance is 0 too, and times a learning rate of 1e-3 this moves a parameter by less
/// than 1e-25, which changes no bit of one above 2e-18. And it is still so far from the subnormal numbers, which begin below
/// 2^-126, that its product with a learning rate is none of them.
const NEGLIGIBLE_MEAN: f32 = f32::from_bits((127 - 100) << 23);

/// Below this, the smallest normal number, a variance counts as 0: its root is below 1.1e-19, nothing beside an `eps` of 1e-8.
const NEGLIGIBLE_VARIANCE: f32 = f32::MIN_POSITIVE;

/// `x`, or 0 if its magnitude is below `least`. NaN stays.
#[inline(always)]
fn or_zero(x: f32, least: f32) -> f32 {
    if x.abs() < least { 0.0 } else { x }
}

/// What [`sgd_step`] needs to know besides the data; the fields are those of `torch.optim.SGD`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdStep {
    /// Learning rate.
    pub lr: f64,
    /// Momentum factor; 0 for none.
    pub momentum: f64,
    /// Dampening of the momentum: the gradient enters the velocity times `1 - dampening`, except in the first step.
    pub dampening: f64,
    /// Nesterov's momentum (PyTorch requires a momentum and no dampening with it; the formula does not).
    pub nesterov: bool,
    /// Weight decay, added to the gradient: `grad + weight_decay * param`.
    pub weight_decay: f64,
    /// Is this the first step of this parameter? The velocity is then started with the gradient and not read.
    pub first: bool,
}

/// What [`adam_step`] needs to know besides the data; the fields are those of `torch.optim.Adam` and `AdamW`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the running mean of the gradient.
    pub beta1: f64,
    /// Decay of the running mean of the squared gradient.
    pub beta2: f64,
    /// Added to the root of the mean squared gradient, against division by 0.
    pub eps: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// AdamW: the weight decay shrinks the parameter by `1 - lr * weight_decay`. Otherwise (Adam) it is added to the
    /// gradient.
    pub decoupled: bool,
    /// The number of this step, from 1, for the bias correction.
    pub step: u64,
}

dispatched! {
    /// One step of stochastic gradient descent, as `torch.optim.SGD`:
    ///
    /// ```text
    /// g = grad + weight_decay * param
    /// velocity = g                                                 in the first step
    /// velocity = momentum * velocity + (1 - dampening) * g         later
    /// g = g + momentum * velocity  if nesterov,  else velocity
    /// param = param - lr * g
    /// ```
    ///
    /// Without momentum the middle lines fall away and there is no velocity. A velocity below 2^-100 counts as 0.
    ///
    /// # Panics
    /// If the lengths differ, or `velocity` is given without momentum or missing with it.
    pub fn sgd_step(step: &SgdStep, param: &mut [f32], grad: &[f32], velocity: Option<&mut [f32]>) {
        assert_eq!(param.len(), grad.len(), "sgd_step: param and grad differ in length");
        let (lr, weight_decay) = (step.lr as f32, step.weight_decay as f32);
        let Some(velocity) = velocity else {
            assert!(step.momentum == 0.0, "sgd_step: momentum {} needs a velocity", step.momentum);
            for (param, &grad) in param.iter_mut().zip(grad) {
                *param -= lr * (grad + weight_decay * *param);
            }
            return;
        };
        assert!(step.momentum != 0.0, "sgd_step: a velocity without momentum");
        assert_eq!(param.len(), velocity.len(), "sgd_step: param and velocity differ in length");
        let (momentum, share) = (step.momentum as f32, (1.0 - step.dampening) as f32);
        for ((param, &grad), velocity) in param.iter_mut().zip(grad).zip(velocity) {
            let grad = grad + weight_decay * *param;
            let next = if step.first { grad } else { momentum * *velocity + share * grad };
            *velocity = or_zero(next, NEGLIGIBLE_MEAN);
            *param -= lr * if step.nesterov { grad + momentum * *velocity } else { *velocity };
        }
    }

    /// One step of Adam or AdamW, as `torch.optim.Adam` and `torch.optim.AdamW` (without AMSGrad):
    ///
    /// ```text
    /// g = grad + weight_decay * param                   Adam
    /// param = (1 - lr * weight_decay) * param           AdamW
    /// m = m + (1 - beta1) * (g - m)
    /// v = beta2 * v + (1 - beta2) * g^2
    /// param = param - lr / (1 - beta1^step) * m / (sqrt(v) / sqrt(1 - beta2^step) + eps)
    /// ```
    ///
    /// `m` and `v` are zeros before the first step. An `m` below 2^-100 and a `v` below 2^-126 count as 0.
    ///
    /// # Panics
    /// If the lengths differ, or `step` is 0.
    pub fn adam_step(step: &AdamStep, param: &mut [f32], grad: &[f32], m: &mut [f32], v: &mut [f32]) {
        assert!(step.step > 0, "adam_step: steps count from 1");
        assert_eq!(param.len(), grad.len(), "adam_step: param and grad differ in length");
        assert_eq!(param.len(), m.len(), "adam_step: param and m differ in length");
        assert_eq!(param.len(), v.len(), "adam_step: param and v differ in length");
        // Not the platform's power, whose last bit is not the same everywhere.
        let correction = |beta: f64| 1.0 - libm::pow(beta, step.step as f64);
        let step_size = (step.lr / correction(step.beta1)) as f32;
        let root_correction = correction(step.beta2).sqrt() as f32;
        let (grad_decay, param_decay) = if step.decoupled {
            (0.0, (1.0 - step.lr * step.weight_decay) as f32)
        } else {
            (step.weight_decay as f32, 1.0)
        };
        let (share1, beta2, share2) = ((1.0 - step.beta1) as f32, step.beta2 as f32, (1.0 - step.beta2) as f32);
        let eps = step.eps as f32;
        for (((param, &grad), m), v) in param.iter_mut().zip(grad).zip(m).zip(v) {
            let grad = grad + grad_decay * *param;
            *m = or_zero(*m + share1 * (grad - *m), NEGLIGIBLE_MEAN);
            *v = or_zero(beta2 * *v + share2 * grad * grad, NEGLIGIBLE_VARIANCE);
            *param = param_decay * *param - step_size * *m / (v.sqrt() / root_correction + eps);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{lengths, on_every_isa, values};

    const SGD: SgdStep =
        SgdStep { lr: 0.1, momentum: 0.0, dampening: 0.0, nesterov: false, weight_decay: 0.0, first: false };
    const ADAM: AdamStep =
        AdamStep { lr: 0.1, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0, decoupled: false, step: 1 };

    #[track_caller]
    fn assert_close(got: f32, expected: f64) {
        // The terms are below 20 and may cancel.
        let tolerance = 2e-6 * expected.abs().max(1.0);
        assert!((f64::from(got) - expected).abs() <= tolerance, "{got} for {expected}");
    }

    /// PyTorch's documented algorithm, word by word, for one number: the new parameter and velocity.
    fn sgd_reference(step: &SgdStep, param: f64, grad: f64, velocity: f64) -> [f64; 2] {
        let mut grad = grad + step.weight_decay * param;
        let mut velocity = velocity;
        if step.momentum != 0.0 {
            velocity = if step.first { grad } else { step.momentum * velocity + (1.0 - step.dampening) * grad };
            grad = if step.nesterov { grad + step.momentum * velocity } else { velocity };
        }
        [param - step.lr * grad, velocity]
    }

    /// PyTorch's documented algorithm, word by word, for one number: the new parameter, m and v.
    fn adam_reference(step: &AdamStep, param: f64, grad: f64, m: f64, v: f64) -> [f64; 3] {
        let (mut param, mut grad) = (param, grad);
        if step.decoupled {
            param -= step.lr * step.weight_decay * param;
        } else {
            grad += step.weight_decay * param;
        }
        let m = step.beta1 * m + (1.0 - step.beta1) * grad;
        let v = step.beta2 * v + (1.0 - step.beta2) * grad * grad;
        let m_hat = m / (1.0 - step.beta1.powi(step.step as i32));
        let v_hat = v / (1.0 - step.beta2.powi(step.step as i32));
        [param - step.lr * m_hat / (v_hat.sqrt() + step.eps), m, v]
    }

    #[test]
    fn sgd_without_momentum_matches_the_reference() {
        for weight_decay in [0.0, 0.1] {
            let step = SgdStep { weight_decay, ..SGD };
            for len in lengths() {
                let (param, grad) = (values(len, 1), values(len, 2));
                let got = on_every_isa(len, |out| {
                    out.copy_from_slice(&param);
                    sgd_step(&step, out, &grad, None);
                });
                for i in 0..len {
                    assert_close(got[i], sgd_reference(&step, param[i].into(), grad[i].into(), 0.0)[0]);
                }
            }
        }
    }

    #[test]
    fn sgd_with_momentum_matches_the_reference() {
        let momentum = SgdStep { momentum: 0.9, weight_decay: 0.1, ..SGD };
        let steps = [
            momentum,
            SgdStep { first: true, dampening: 0.5, ..momentum },
            SgdStep { dampening: 0.5, ..momentum },
            SgdStep { nesterov: true, ..momentum },
        ];
        for step in steps {
            for len in lengths() {
                let (param, grad, velocity) = (values(len, 1), values(len, 2), values(len, 3));
                let got = on_every_isa(2 * len, |out| {
                    let (p, v) = out.split_at_mut(len);
                    p.copy_from_slice(&param);
                    // In the first step the velocity is not read: it stays the NaN it was filled with.
                    if !step.first {
                        v.copy_from_slice(&velocity);
                    }
                    sgd_step(&step, p, &grad, Some(v));
                });
                for i in 0..len {
                    let [p, v] = sgd_reference(&step, param[i].into(), grad[i].into(), velocity[i].into());
                    assert_close(got[i], p);
                    assert_close(got[len + i], v);
                }
            }
        }
    }

    #[test]
    fn adam_matches_the_reference() {
        for decoupled in [false, true] {
            for number in [1, 2, 1000] {
                let step = AdamStep { weight_decay: 0.1, decoupled, step: number, ..ADAM };
                for len in lengths() {
                    let (param, grad, mean) = (values(len, 1), values(len, 2), values(len, 3));
                    let square: Vec<f32> = values(len, 4).iter().map(|x| x * x + 0.01).collect();
                    let got = on_every_isa(3 * len, |out| {
                        let (p, state) = out.split_at_mut(len);
                        let (m, v) = state.split_at_mut(len);
                        p.copy_from_slice(&param);
                        m.copy_from_slice(&mean);
                        v.copy_from_slice(&square);
                        adam_step(&step, p, &grad, m, v);
                    });
                    for i in 0..len {
                        let [g, m, v] = [grad[i], mean[i], square[i]].map(f64::from);
                        let [p, m, v] = adam_reference(&step, param[i].into(), g, m, v);
                        assert_close(got[i], p);
                        assert_close(got[len + i], m);
                        assert_close(got[2 * len + i], v);
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_step_of_adam_is_the_learning_rate() {
        // m / (1 - beta1) is the gradient and v / (1 - beta2) its square, whatever its size.
        for grad in [1e-3, 1.0, 1e3] {
            let (mut param, mut m, mut v) = ([1.0], [0.0], [0.0]);
            adam_step(&ADAM, &mut param, &[grad], &mut m, &mut v);
            assert!((param[0] - 0.9).abs() < 2e-6, "{} for gradient {grad}", param[0]);
        }
    }

    #[test]
    fn the_state_of_a_parameter_without_gradient_ends_at_zero() {
        // 0.9^n is below 2^-100 after 658 steps, 0.999^n below 2^-126 after 87,294; without a floor both would stop shrinking at a
        // handful of the smallest subnormal number.
        let (mut param, mut m, mut v, mut velocity) = ([0.5_f32; 9], [1.0; 9], [1.0; 9], [1.0; 9]);
        let momentum = SgdStep { momentum: 0.9, lr: 1e-3, ..SGD };
        for number in 1..=90_000 {
            adam_step(&AdamStep { step: 1000 + number, ..ADAM }, &mut param, &[0.0; 9], &mut m, &mut v);
            if number <= 700 {
                sgd_step(&momentum, &mut param, &[0.0; 9], Some(&mut velocity));
            }
            let subnormal = |x: &f32| x.is_subnormal();
            assert!(!m.iter().chain(&v).chain(&velocity).any(subnormal), "subnormal after {number} steps");
        }
        assert_eq!((m, v, velocity), ([0.0; 9], [0.0; 9], [0.0; 9]));
    }

    #[test]
    fn a_gradient_that_is_not_a_number_is_not_hidden() {
        let (mut param, mut m, mut v, mut velocity) = ([0.5], [0.0], [0.0], [0.0]);
        adam_step(&ADAM, &mut param, &[f32::NAN], &mut m, &mut v);
        assert!(param[0].is_nan() && m[0].is_nan() && v[0].is_nan());
        sgd_step(&SgdStep { momentum: 0.9, ..SGD }, &mut [0.5], &[f32::NAN], Some(&mut velocity));
        assert!(velocity[0].is_nan());
    }

    #[test]
    fn sgd_by_hand() {
        let step = SgdStep { momentum: 0.5, first: true, ..SGD };
        let (mut param, mut velocity) = ([1.0], [0.0]);
        sgd_step(&step, &mut param, &[2.0], Some(&mut velocity));
        assert_eq!((param, velocity), ([0.8], [2.0]));
        sgd_step(&SgdStep { first: false, ..step }, &mut param, &[1.0], Some(&mut velocity));
        assert_eq!((param, velocity), ([0.6], [2.0]));
    }

    #[test]
    #[should_panic(expected = "needs a velocity")]
    fn momentum_needs_a_velocity() {
        sgd_step(&SgdStep { momentum: 0.9, ..SGD }, &mut [0.0], &[0.0], None);
    }

    #[test]
    #[should_panic(expected = "count from 1")]
    fn adam_counts_from_one() {
        adam_step(&AdamStep { step: 0, ..ADAM }, &mut [0.0], &[0.0], &mut [0.0], &mut [0.0]);
    }
}
