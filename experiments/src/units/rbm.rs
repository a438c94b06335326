//! Restricted Boltzmann machines, learnt by contrastive divergence.
//!
//! Hidden units h are 0 or 1. With visible units v, energies and conditionals are
//!
//! ```text
//! Bernoulli  E = -b.v - c.h - v W h                               p(v=1|h) = s(b + W h)     p(h=1|v) = s(c + v W)
//! Gaussian   E = sum (v-b)^2 / 2 s2 - c.h - (v / s2) W h           v|h ~ N(b + W h, s2)      p(h=1|v) = s(c + (v / s2) W)
//! ```
//!
//! s the logistic function, `s2 = e^z` the variance of each visible unit. The bias b enters the mean of a visible unit once.
//! The code is `p(h=1|v)`, the decoded patch the mean of v given the code in the place of h. The weight is shared by both.
//!
//! CD-k follows the gradient of `F(v_0) - F(v_k)`, meaned over the mini-batch, where `v_k` comes from the data `v_0` by k
//! steps of Gibbs sampling and F is the free energy
//!
//! ```text
//! Bernoulli  F(v) = -b.v - sum ln(1 + e^(c + v W))
//! Gaussian   F(v) = sum (v-b)^2 / 2 s2 - sum ln(1 + e^(c + (v / s2) W))
//! ```
//!
//! so the gradient is taken by the tape, for the variance too. A Bernoulli unit takes the values of a patch as
//! probabilities (clipped to [0, 1]) and draws its visible units from them in each step; `symmetric` patches in [-1, 1] are
//! mapped to [0, 1] on the way in and back on the way out.
//!
//! References: Hinton, "Training products of experts by minimizing contrastive divergence" (2002); Cho, Ilin, Raiko,
//! "Improved learning of Gaussian-Bernoulli RBMs" (2011) for the energy with learnt variances.

use super::{
    Axis, Equivalent, Fit, FitError, Trained, Unit, UnitDims,
    equivalent::rows,
    fit::{Step, absolute_error},
};
use patchgrad::{
    ParamId, Params, Tape, Tensor, Var, Workspace,
    autograd::IndicesVar,
    init::{Fan, Init},
    ops::Activation,
    random::Stream,
};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// The range of the values that a Bernoulli unit takes for probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VisibleRange {
    /// [-1, 1], as pictures are: a value x is the probability (x + 1) / 2.
    Symmetric,
    /// [0, 1], as the codes of another such unit are.
    Unit,
}

/// What the visible units are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Visible {
    Bernoulli {
        range: VisibleRange,
    },
    Gaussian {
        /// Handle of z, the logarithm of the variances, `[k*k*d]`.
        log_variance: ParamId,
        /// Whether they are learnt.
        learned: bool,
    },
}

/// Handles and options.
#[derive(Clone, Debug)]
pub(super) struct Rbm {
    dims: UnitDims,
    visible: Visible,
    /// k of CD-k.
    steps: usize,
    /// W `[k, k, d, n]`.
    weight: ParamId,
    /// c `[n]`.
    hidden_bias: ParamId,
    /// b `[k*k*d]`.
    visible_bias: ParamId,
}

impl Rbm {
    /// Weights uniform in ±1/sqrt(k*k*d), biases 0.
    pub(super) fn bernoulli(
        (dims, steps): (UnitDims, usize),
        range: VisibleRange,
        params: &mut Params,
        prefix: &str,
        stream: &mut Stream,
    ) -> Self {
        Self::new((dims, steps), Visible::Bernoulli { range }, params, prefix, stream)
    }

    /// The same, with visible units of standard deviation `sd`.
    pub(super) fn gaussian(
        (dims, steps): (UnitDims, usize),
        (sd, learned): (f32, bool),
        params: &mut Params,
        prefix: &str,
        stream: &mut Stream,
    ) -> Self {
        let z = Tensor::full([dims.patch_len()], 2.0 * sd.ln());
        let log_variance = params.add(format!("{prefix}.encoder.log_variance"), z);
        Self::new((dims, steps), Visible::Gaussian { log_variance, learned }, params, prefix, stream)
    }

    fn new(
        (dims, steps): (UnitDims, usize),
        visible: Visible,
        params: &mut Params,
        prefix: &str,
        stream: &mut Stream,
    ) -> Self {
        let init = Init::fan_in_uniform(Fan { fan_in: dims.patch_len(), fan_out: 0 });
        let weight = init.tensor(dims.encoder_weight(), stream);
        let mut add = |name: &str, tensor: Tensor| params.add(format!("{prefix}.{name}"), tensor);
        Self {
            dims,
            visible,
            steps,
            weight: add("encoder.weight", weight),
            hidden_bias: add("encoder.bias", Tensor::zeros([dims.features])),
            visible_bias: add("decoder.bias", Tensor::zeros([dims.patch_len()])),
        }
    }

    /// Records visible values for map values, of any shape.
    fn to_visible(&self, tape: &mut Tape, map: Var) -> Var {
        match self.visible {
            Visible::Bernoulli { range: VisibleRange::Symmetric } => affine(tape, map, 0.5, 0.5),
            _ => map,
        }
    }

    /// Records the weight as seen by the hidden units, `W / s2`.
    fn seen_weight(&self, tape: &mut Tape) -> Var {
        let weight = tape.param(self.weight);
        let Visible::Gaussian { .. } = self.visible else { return weight };
        let rows = UnitDims::rows(tape, weight);
        let precision = self.precision(tape);
        let ones = tape.constant([1, self.dims.features], |ones| ones.fill(1.0));
        let precisions = tape.linear(precision, ones, None);
        let seen = tape.mul(rows, precisions);
        tape.reshape(seen, self.dims.encoder_weight())
    }

    /// Records `1 / s2` as a column `[k*k*d, 1]`.
    fn precision(&self, tape: &mut Tape) -> Var {
        let Visible::Gaussian { log_variance, .. } = self.visible else {
            unreachable!("only Gaussian units have variances")
        };
        let z = tape.param(log_variance);
        let z = tape.reshape(z, [self.dims.patch_len(), 1]);
        let negative = tape.scale(z, -1.0);
        tape.exp(negative)
    }

    /// Records `c + v W / s2` for visible rows `[B, k*k*d]`.
    fn hidden_sums(&self, tape: &mut Tape, visible: Var) -> Var {
        let weight = self.seen_weight(tape);
        let weight = UnitDims::rows(tape, weight);
        let bias = tape.param(self.hidden_bias);
        tape.linear(visible, weight, Some(bias))
    }

    /// Records the mean of the visible units for hidden values `[.., n]`.
    fn visible_mean(&self, tape: &mut Tape, hidden: Var) -> Var {
        let weight = tape.param(self.weight);
        let weight = UnitDims::rows(tape, weight);
        let weight = tape.transpose(weight);
        let bias = tape.param(self.visible_bias);
        let mean = tape.linear(hidden, weight, Some(bias));
        match self.visible {
            Visible::Bernoulli { .. } => tape.sigmoid(mean),
            Visible::Gaussian { .. } => mean,
        }
    }

    /// Records the sum over rows `[B, k*k*d]` of the free energy.
    fn free_energy(&self, tape: &mut Tape, visible: Var) -> Var {
        let count = tape.shape(visible).dims()[0];
        let sums = self.hidden_sums(tape, visible);
        let hidden = tape.softplus(sums);
        let hidden = tape.sum(hidden);
        let bias = tape.param(self.visible_bias);
        let own = match self.visible {
            Visible::Bernoulli { .. } => {
                let bias = tape.reshape(bias, [self.dims.patch_len(), 1]);
                let own = tape.linear(visible, bias, None);
                tape.scale(own, -1.0)
            }
            Visible::Gaussian { .. } => {
                let bias = tape.reshape(bias, [1, self.dims.patch_len()]);
                let ones = tape.constant([count, 1], |ones| ones.fill(1.0));
                let bias = tape.linear(ones, bias, None);
                let apart = tape.sub(visible, bias);
                let square = tape.mul(apart, apart);
                let precision = self.precision(tape);
                let own = tape.linear(square, precision, None);
                tape.scale(own, 0.5)
            }
        };
        let own = tape.sum(own);
        tape.sub(own, hidden)
    }

    /// The visible units that data stand for, `[B, k*k*d]`.
    fn start(&self, params: &Params, maps: &Tensor, stream: &mut Stream, workspace: &mut Workspace) -> Tensor {
        let mut tape = Tape::with_params(params, workspace);
        let map = tape.input(maps);
        let rows = tape.reshape(map, [maps.len() / self.dims.patch_len(), self.dims.patch_len()]);
        let visible = self.to_visible(&mut tape, rows);
        let mut visible = tape.finish(visible);
        if let Visible::Bernoulli { .. } = self.visible {
            draw(visible.as_mut_slice(), stream);
        }
        visible
    }

    /// k steps of Gibbs sampling from `visible`.
    fn sample(&self, params: &Params, visible: &Tensor, stream: &mut Stream, workspace: &mut Workspace) -> Tensor {
        let mut chain = workspace.take(visible.shape());
        chain.as_mut_slice().copy_from_slice(visible.as_slice());
        for _ in 0..self.steps {
            let mut tape = Tape::with_params(params, workspace);
            let v = tape.input(&chain);
            let sums = self.hidden_sums(&mut tape, v);
            let probabilities = tape.sigmoid(sums);
            let mut hidden = tape.finish(probabilities);
            draw(hidden.as_mut_slice(), stream);
            let mut tape = Tape::with_params(params, workspace);
            let h = tape.input(&hidden);
            let mean = self.visible_mean(&mut tape, h);
            let mut next = tape.finish(mean);
            match self.visible {
                Visible::Bernoulli { .. } => draw(next.as_mut_slice(), stream),
                Visible::Gaussian { log_variance, .. } => {
                    let z = params.get(log_variance).as_slice();
                    for (value, z) in next.as_mut_slice().iter_mut().zip(z.iter().cycle()) {
                        let normal: f32 = StandardNormal.sample(stream);
                        *value += (z / 2.0).exp() * normal;
                    }
                }
            }
            workspace.give(hidden);
            workspace.give(std::mem::replace(&mut chain, next));
        }
        chain
    }

    /// One step of contrastive divergence on maps `[B, k, k, d]`.
    fn step(&self, params: &Params, maps: &Tensor, stream: &mut Stream, workspace: &mut Workspace) -> Step {
        let data = self.start(params, maps, stream, workspace);
        let sampled = self.sample(params, &data, stream, workspace);
        let mut tape = Tape::with_params(params, workspace);
        let map = tape.input(maps);
        let code = self.encode(&mut tape, map);
        let decoded = self.decode_patches(&mut tape, code, None);
        let error = absolute_error(&tape, decoded, map);
        let (v0, vk) = (tape.input(&data), tape.input(&sampled));
        let (up, down) = (self.free_energy(&mut tape, v0), self.free_energy(&mut tape, vk));
        let difference = tape.sub(up, down);
        let loss = tape.scale(difference, 1.0 / maps.shape().dims()[0] as f32);
        let value = tape.value(loss).item();
        let mut gradients = tape.backward(loss);
        if let Visible::Gaussian { log_variance, learned: false } = self.visible {
            gradients.retain_params(|id| id != log_variance, workspace);
        }
        workspace.give(data);
        workspace.give(sampled);
        Step { loss: value, absolute_error: error, gradients }
    }
}

impl Unit for Rbm {
    fn encode_with_switches(&self, tape: &mut Tape, map: Var) -> (Var, Option<IndicesVar>) {
        let visible = self.to_visible(tape, map);
        let weight = self.seen_weight(tape);
        let bias = tape.param(self.hidden_bias);
        let sums = tape.conv2d(visible, weight, Some(bias), &self.dims.conv());
        (tape.activation(sums, Activation::Sigmoid), None)
    }

    fn decode_patches(&self, tape: &mut Tape, code: Var, _: Option<IndicesVar>) -> Var {
        let mean = self.visible_mean(tape, code);
        match self.visible {
            Visible::Bernoulli { range: VisibleRange::Symmetric } => affine(tape, mean, 2.0, -1.0),
            _ => mean,
        }
    }

    fn encoder_params(&self) -> Vec<ParamId> {
        let z = match self.visible {
            Visible::Gaussian { log_variance, .. } => Some(log_variance),
            Visible::Bernoulli { .. } => None,
        };
        [self.weight, self.hidden_bias].into_iter().chain(z).collect()
    }

    fn decoder_params(&self) -> Vec<ParamId> {
        vec![self.visible_bias]
    }

    fn axes(&self) -> Vec<(ParamId, &'static [Axis])> {
        let z = match self.visible {
            Visible::Gaussian { log_variance, .. } => Some((log_variance, &[Axis::Patch][..])),
            Visible::Bernoulli { .. } => None,
        };
        let all: [(ParamId, &'static [Axis]); 3] = [
            (self.weight, &[Axis::Kernel, Axis::Kernel, Axis::Channels, Axis::Features]),
            (self.hidden_bias, &[Axis::Features]),
            (self.visible_bias, &[Axis::Patch]),
        ];
        all.into_iter().chain(z).collect()
    }

    fn equivalent(&self, params: &Params) -> Option<Equivalent> {
        let scaled = |tensor: &Tensor, factor: &dyn Fn(usize) -> f32| {
            Tensor::from_fn(tensor.shape(), |i| tensor.as_slice()[i] * factor(i))
        };
        let (weight, n) = (params.get(self.weight), self.dims.features);
        let decoder = patchgrad::layout::transpose(&rows(weight, &self.dims));
        let [hidden, visible] = [self.hidden_bias, self.visible_bias].map(|id| params.get(id).clone());
        let same = Equivalent {
            encoder: Activation::Sigmoid,
            decoder: Activation::Sigmoid,
            encoder_weight: weight.clone(),
            encoder_bias: hidden,
            decoder_weight: decoder,
            decoder_bias: visible,
        };
        Some(match self.visible {
            Visible::Bernoulli { range: VisibleRange::Unit } => same,
            // c + (x + 1) / 2 W = (c + 1/2 sum W) + x W / 2, and 2 s(t) - 1 = tanh(t / 2).
            Visible::Bernoulli { range: VisibleRange::Symmetric } => {
                let mut bias = same.encoder_bias.clone();
                for row in weight.as_slice().chunks_exact(n) {
                    bias.as_mut_slice().iter_mut().zip(row).for_each(|(bias, w)| *bias += w / 2.0);
                }
                Equivalent {
                    decoder: Activation::Tanh,
                    encoder_weight: scaled(weight, &|_| 0.5),
                    encoder_bias: bias,
                    decoder_weight: scaled(&same.decoder_weight, &|_| 0.5),
                    decoder_bias: scaled(&same.decoder_bias, &|_| 0.5),
                    ..same
                }
            }
            Visible::Gaussian { log_variance, .. } => {
                let z = params.get(log_variance).as_slice();
                let encoder_weight = scaled(weight, &|i| (-z[i / n]).exp());
                Equivalent { decoder: Activation::Linear, encoder_weight, ..same }
            }
        })
    }

    fn fit(&self, fit: &mut Fit) -> Result<Trained, FitError> {
        fit.descend("gibbs", &[], |params, maps, stream, workspace| self.step(params, maps, stream, workspace))
    }

    fn fit_decoder(&self, fit: &mut Fit) -> Result<Trained, FitError> {
        fit.descend_decoder(self)
    }
}

/// Records `factor * x + shift`.
fn affine(tape: &mut Tape, x: Var, factor: f32, shift: f32) -> Var {
    let scaled = tape.scale(x, factor);
    let shift = tape.constant(tape.shape(x), |values| values.fill(shift));
    tape.add(scaled, shift)
}

/// Replaces probabilities, clipped to [0, 1], by 1 or 0 drawn with them; NaN by 0.
fn draw(probabilities: &mut [f32], stream: &mut Stream) {
    for value in probabilities {
        *value = if stream.random::<f32>() < *value { 1.0 } else { 0.0 };
    }
}

#[cfg(test)]
mod tests;
