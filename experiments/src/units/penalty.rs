//! What a code pays for, besides the error of its reconstruction.

use super::UnitDims;
use patchgrad::{Tape, Var, ops::Activation};
use serde::{Deserialize, Serialize};

/// A penalty that keeps most of the code near zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Sparsity {
    /// `weight * sum over features of KL(target || m)`, m the mean of the feature over the mini-batch (Ng, "Sparse
    /// autoencoder", 2011). For sigmoid encoders, whose code lies in (0, 1).
    ///
    /// ```text
    /// KL(t || m) = t ln(t / m) + (1 - t) ln((1 - t) / (1 - m))
    /// ```
    KullbackLeibler {
        /// The mean that a feature should have, in (0, 1).
        target: f32,
        /// Its weight against half the squared error of a patch.
        weight: f32,
    },
    /// `weight * sum over features of |y|`, meaned over the mini-batch.
    L1 {
        /// Its weight against half the squared error of a patch.
        weight: f32,
    },
}

/// Means are moved into [this, 1 - this] before a logarithm is taken.
const SMALLEST_MEAN: f32 = 1e-6;

impl Sparsity {
    pub(super) fn check(&self, encoder: Activation) -> Result<(), String> {
        let (Self::KullbackLeibler { weight, .. } | Self::L1 { weight }) = *self;
        check_weight(weight)?;
        match *self {
            Self::KullbackLeibler { .. } if encoder != Activation::Sigmoid => Err(format!(
                "the Kullback-Leibler penalty needs a sigmoid encoder, got {encoder}; or take the l1 penalty"
            )),
            Self::KullbackLeibler { target, .. } if !(target > 0.0 && target < 1.0) => {
                Err(format!("the target of the Kullback-Leibler penalty is {target}, but must be inside (0, 1)"))
            }
            _ => Ok(()),
        }
    }

    /// Records the penalty of codes `[N, h, w, n]`.
    pub(crate) fn record(&self, tape: &mut Tape, code: Var) -> Var {
        let rows = UnitDims::rows(tape, code);
        let &[count, features] = tape.shape(rows).dims() else { unreachable!("rows have two axes") };
        match *self {
            Self::KullbackLeibler { target, weight } => {
                let share = (1.0 - 2.0 * SMALLEST_MEAN) / count as f32;
                let shares = tape.constant([1, count], |shares| shares.fill(share));
                let margin = tape.constant([1, features], |margin| margin.fill(SMALLEST_MEAN));
                let mean = tape.linear(shares, rows, None);
                let mean = tape.add(mean, margin);
                let on = tape.ln(mean);
                let on = tape.sum(on);
                let off = one_minus(tape, mean);
                let off = tape.ln(off);
                let off = tape.sum(off);
                let entropy = target * target.ln() + (1.0 - target) * (1.0 - target).ln();
                let constant = tape.constant([], |value| value[0] = features as f32 * entropy);
                let on = tape.scale(on, target);
                let off = tape.scale(off, 1.0 - target);
                let cross = tape.add(on, off);
                let divergence = tape.sub(constant, cross);
                tape.scale(divergence, weight)
            }
            Self::L1 { weight } => {
                let size = absolute(tape, rows);
                let sum = tape.sum(size);
                tape.scale(sum, weight / count as f32)
            }
        }
    }
}

pub(super) fn check_weight(weight: f32) -> Result<(), String> {
    if weight >= 0.0 && weight.is_finite() {
        Ok(())
    } else {
        Err(format!("the weight of the penalty is {weight}, but must be finite and at least 0"))
    }
}

/// Records the squared Frobenius norm of the encoder's Jacobian, meaned over the rows of codes `[N, h, w, n]` (Rifai et al.,
/// "Contractive auto-encoders", ICML 2011). For one layer it has a closed form in the code and the weight `[k, k, d, n]`:
///
/// ```text
/// sum over j, i of (dy_j / dx_i)^2  =  sum over j of f'(s_j)^2 * sum over i of W_ij^2
/// ```
pub(crate) fn contraction(tape: &mut Tape, code: Var, weight: Var, activation: Activation) -> Var {
    let rows = UnitDims::rows(tape, code);
    let &[count, features] = tape.shape(rows).dims() else { unreachable!("rows have two axes") };
    let weight = UnitDims::rows(tape, weight);
    let patch_len = tape.shape(weight).dims()[0];
    let squares = tape.mul(weight, weight);
    let ones = tape.constant([1, patch_len], |ones| ones.fill(1.0));
    let norms = tape.linear(ones, squares, None);
    let norms = tape.reshape(norms, [features, 1]);
    let slope = derivative(tape, rows, activation);
    let slope = tape.mul(slope, slope);
    let each = tape.linear(slope, norms, None);
    let sum = tape.sum(each);
    tape.scale(sum, 1.0 / count as f32)
}

/// Records `f'(s)` as a function of `y = f(s)`. That of a ReLU is a constant: it does not change in between its kinks.
fn derivative(tape: &mut Tape, y: Var, activation: Activation) -> Var {
    match activation {
        Activation::Linear | Activation::Relu | Activation::LeakyRelu { .. } => {
            let flat = match activation {
                Activation::Linear => 1.0,
                Activation::LeakyRelu { negative_slope } => negative_slope,
                _ => 0.0,
            };
            let slopes: Vec<f32> = tape.value(y).as_slice().iter().map(|&y| if y > 0.0 { 1.0 } else { flat }).collect();
            tape.constant(tape.shape(y), |values| values.copy_from_slice(&slopes))
        }
        Activation::Softsign => {
            let size = absolute(tape, y);
            let rest = one_minus(tape, size);
            tape.mul(rest, rest)
        }
        Activation::Tanh => {
            let square = tape.mul(y, y);
            one_minus(tape, square)
        }
        Activation::Sigmoid => {
            let square = tape.mul(y, y);
            tape.sub(y, square)
        }
        Activation::Softplus => {
            let negative = tape.scale(y, -1.0);
            let power = tape.exp(negative);
            one_minus(tape, power)
        }
    }
}

fn absolute(tape: &mut Tape, x: Var) -> Var {
    let negated = tape.scale(x, -1.0);
    let (above, below) = (tape.relu(x), tape.relu(negated));
    tape.add(above, below)
}

fn one_minus(tape: &mut Tape, x: Var) -> Var {
    let ones = tape.constant(tape.shape(x), |ones| ones.fill(1.0));
    tape.sub(ones, x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad::{Tensor, Workspace, gradcheck::gradcheck, reference};

    const ALL: [Activation; 7] = [
        Activation::Linear,
        Activation::Softsign,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Relu,
        Activation::LeakyRelu { negative_slope: 0.2 },
        Activation::Softplus,
    ];

    /// Three patches of six values, and a weight for four features.
    fn inputs() -> [Tensor; 2] {
        let wave = |i: usize, f: f32| ((i as f32 + 1.0) * f).sin() * 0.8;
        [Tensor::from_fn([3, 6], |i| wave(i, 1.7)), Tensor::from_fn([6, 4], |i| wave(i, 2.3))]
    }

    #[test]
    fn the_contraction_is_the_jacobian_of_the_encoder_by_finite_differences() {
        let [x, w] = inputs();
        for activation in ALL {
            let mut workspace = Workspace::new();
            let mut tape = Tape::new(&mut workspace);
            let (vx, vw) = (tape.input(&x), tape.input(&w));
            let sums = tape.linear(vx, vw, None);
            let code = tape.activation(sums, activation);
            let penalty = contraction(&mut tape, code, vw, activation);
            let got = f64::from(tape.value(penalty).item());
            // In f64, from the definition of the encoder alone.
            let encode = |patch: &[f64], j: usize| {
                let sum: f64 = patch.iter().enumerate().map(|(i, x)| x * f64::from(w.as_slice()[i * 4 + j])).sum();
                reference::activation(activation, sum).0
            };
            let mut expected = 0.0;
            for patch in x.as_slice().chunks(6) {
                let patch: Vec<f64> = patch.iter().map(|&x| f64::from(x)).collect();
                for i in 0..6 {
                    for j in 0..4 {
                        let moved = |step: f64| {
                            let mut moved = patch.clone();
                            moved[i] += step;
                            encode(&moved, j)
                        };
                        expected += ((moved(1e-5) - moved(-1e-5)) / 2e-5).powi(2) / 3.0;
                    }
                }
            }
            assert!((got / expected - 1.0).abs() < 1e-5, "{activation}: {got}, differences say {expected}");
        }
    }

    #[test]
    fn the_contraction_has_right_gradients_with_respect_to_patches_and_weight() {
        // No sum of a feature is near 0, where the derivative of soft-sign has a kink.
        let wave = |i: usize, f: f32| ((i as f32 + 1.0) * f).sin() * 0.8;
        let draw = |f: f32| [Tensor::from_fn([3, 6], |i| wave(i, f)), Tensor::from_fn([6, 4], |i| wave(i, 2.3))];
        let smallest = |[x, w]: &[Tensor; 2]| {
            let sum = |row: &[f32], j: usize| (0..6).map(|i| row[i] * w.as_slice()[i * 4 + j]).sum::<f32>();
            let sums = x.as_slice().chunks(6).flat_map(|row| (0..4).map(move |j| sum(row, j)));
            sums.fold(f32::MAX, |least, sum| least.min(sum.abs()))
        };
        let inputs = (0..500).map(|i| draw(1.0 + i as f32 * 0.01)).find(|inputs| smallest(inputs) > 0.12).unwrap();
        for activation in ALL {
            gradcheck(&inputs, |tape, v| {
                let sums = tape.linear(v[0], v[1], None);
                let code = tape.activation(sums, activation);
                contraction(tape, code, v[1], activation)
            })
            .unwrap_or_else(|mismatch| panic!("{activation}: {mismatch}"));
        }
    }

    #[test]
    fn sparsity_is_its_formula_and_has_right_gradients() {
        let code = Tensor::new([2, 1, 1, 3], &[0.2, 0.9, 0.5, 0.4, 0.7, 0.5]);
        let value = |penalty: Sparsity| {
            let mut workspace = Workspace::new();
            let mut tape = Tape::new(&mut workspace);
            let y = tape.input(&code);
            let recorded = penalty.record(&mut tape, y);
            f64::from(tape.value(recorded).item())
        };
        let kl = Sparsity::KullbackLeibler { target: 0.1, weight: 2.0 };
        let term = |m: f64| 0.1 * (0.1 / m).ln() + 0.9 * (0.9 / (1.0 - m)).ln();
        assert!((value(kl) - 2.0 * (term(0.3) + term(0.8) + term(0.5))).abs() < 2e-5);
        let l1 = Sparsity::L1 { weight: 0.5 };
        assert!((value(l1) - 0.5 * 3.2 / 2.0).abs() < 1e-6);
        let target_reached = Sparsity::KullbackLeibler { target: 0.5, weight: 1.0 };
        let half = Tensor::full([4, 1, 1, 2], 0.5);
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace);
        let y = tape.input(&half);
        let nothing = target_reached.record(&mut tape, y);
        assert!(tape.value(nothing).item().abs() < 1e-6);
        for penalty in [kl, l1] {
            gradcheck(std::slice::from_ref(&code), |tape, v| penalty.record(tape, v[0])).unwrap();
        }
        let signed = Tensor::from_fn([4, 1, 1, 3], |i| if i % 2 == 0 { 0.3 + i as f32 } else { -0.2 - i as f32 });
        gradcheck(&[signed], |tape, v| l1.record(tape, v[0])).unwrap();
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let kl = |target| Sparsity::KullbackLeibler { target, weight: 1.0 };
        assert!(kl(0.1).check(Activation::Tanh).unwrap_err().contains("needs a sigmoid encoder"));
        assert!(kl(1.0).check(Activation::Sigmoid).is_err());
        assert!(kl(0.1).check(Activation::Sigmoid).is_ok());
        assert!(Sparsity::L1 { weight: -1.0 }.check(Activation::Relu).is_err());
    }
}
