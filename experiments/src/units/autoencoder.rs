//! Auto-encoders that learn by gradient descent on the reconstruction: standard, tied, denoising, sparse, k-sparse,
//! contractive.
//!
//! ```text
//! code       y = f(x W + b)                 x a patch, W [k*k*d, n]
//! decoded    z = g(y V + c)                 untied V [n, k*k*d]; tied V = W'
//! loss       mean over the mini-batch of 1/2 |z - x|^2, plus penalties
//! ```
//!
//! With this loss a learning rate of `eta` for each single sample corresponds to `lr = eta * batch_size`; a batch of 1 is
//! the stochastic descent of N-light-N. [`Descent::Adam`](super::Descent::Adam) reaches in a thousand steps what plain
//! descent reaches in tens of thousands, whatever the activation; its rate does not depend on the size of batch and patch.
//!
//! A *denoising* unit encodes the corrupted patch and is held to the clean one. In a *k-sparse* code all but the k largest
//! values of a position are 0, in training and afterwards (Makhzani and Frey, "k-Sparse autoencoders", 2013); of equal
//! values the first stay.

use super::{
    Axis, Convolution, Fit, FitError, Noise, Sparsity, Trained, Unit, UnitDims,
    by_rule::{ByRule, Rule},
    fit::{Step, reconstruction_loss},
    penalty::contraction,
};
use patchgrad::{
    ParamId, Params, Tape, Tensor, Var, Workspace,
    init::{Fan, Init},
    layout::ParamLayout,
    ops::Activation,
    random::Stream,
};

/// The rule: gradient descent on the reconstruction, and what goes beyond that.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Extras {
    /// Whether the decoder is the transpose of the encoder.
    pub(super) tied: bool,
    /// What corrupts the input.
    pub(super) noise: Option<Noise>,
    /// A penalty on the code.
    pub(super) sparsity: Option<Sparsity>,
    /// The weight of the Jacobian's squared norm.
    pub(super) contraction: Option<f32>,
    /// How many values of a position stay.
    pub(super) largest: Option<usize>,
}

/// The parameters of encoder and decoder.
#[derive(Clone, Copy, Debug)]
pub(super) struct AutoencoderParams {
    /// `[k, k, d, n]`.
    pub(super) encoder_weight: ParamId,
    /// `[n]`.
    pub(super) encoder_bias: ParamId,
    /// `[n, k * k * d]`; none when tied.
    pub(super) decoder_weight: Option<ParamId>,
    /// `[k * k * d]`: every pixel of a patch has its own.
    pub(super) decoder_bias: ParamId,
}

impl AutoencoderParams {
    /// Weights uniform in ±1/sqrt(fan in) and biases 0, as N-light-N starts them.
    pub(super) fn new(params: &mut Params, prefix: &str, dims: &UnitDims, tied: bool, stream: &mut Stream) -> Self {
        let (patch, features) = (dims.patch_len(), dims.features);
        let uniform = |fan_in: usize| Init::fan_in_uniform(Fan { fan_in, fan_out: 0 });
        let mut add = |name: &str, tensor: Tensor| params.add(format!("{prefix}.{name}"), tensor);
        let ids = Self {
            encoder_weight: add("encoder.weight", uniform(patch).tensor(dims.encoder_weight(), stream)),
            encoder_bias: add("encoder.bias", Tensor::zeros([features])),
            decoder_weight: (!tied).then(|| add("decoder.weight", uniform(features).tensor([features, patch], stream))),
            decoder_bias: add("decoder.bias", Tensor::zeros([patch])),
        };
        // In files the decoder is the transposed convolution that it is a part of, with a bias for each pixel of a patch.
        let map = [dims.geometry.kernel, dims.geometry.kernel, dims.depth];
        if let Some(weight) = ids.decoder_weight {
            params.set_layout(weight, ParamLayout::LinearToPatch(map));
        }
        params.set_layout(ids.decoder_bias, ParamLayout::Patch(map));
        ids
    }

    /// Records `f(x W + b)` at every position.
    pub(super) fn encode(&self, dims: &UnitDims, activation: Activation, tape: &mut Tape, map: Var) -> Var {
        let (weight, bias) = (tape.param(self.encoder_weight), tape.param(self.encoder_bias));
        let sums = tape.conv2d(map, weight, Some(bias), &dims.conv());
        tape.activation(sums, activation)
    }

    /// Records `g(y V + c)` at every position.
    pub(super) fn decode(&self, activation: Activation, tape: &mut Tape, code: Var) -> Var {
        let weight = match self.decoder_weight {
            Some(weight) => tape.param(weight),
            None => {
                let weight = tape.param(self.encoder_weight);
                let weight = UnitDims::rows(tape, weight);
                tape.transpose(weight)
            }
        };
        let bias = tape.param(self.decoder_bias);
        let patches = tape.linear(code, weight, Some(bias));
        tape.activation(patches, activation)
    }

    pub(super) fn axes(&self) -> Vec<(ParamId, &'static [Axis])> {
        let weight = self.decoder_weight.map(|id| (id, &[Axis::Features, Axis::Patch][..]));
        let all: [(ParamId, &'static [Axis]); 3] = [
            (self.encoder_weight, &[Axis::Kernel, Axis::Kernel, Axis::Channels, Axis::Features]),
            (self.encoder_bias, &[Axis::Features]),
            (self.decoder_bias, &[Axis::Patch]),
        ];
        all.into_iter().chain(weight).collect()
    }

    pub(super) fn convolution(&self, activation: Activation) -> Convolution {
        Convolution { weight: self.encoder_weight, bias: self.encoder_bias, activation }
    }

    /// The weights of the sides without an activation; a tied weight is the encoder's.
    pub(super) fn linear_weights(&self, [encoder, decoder]: [Activation; 2]) -> Vec<ParamId> {
        let of_encoder = (encoder == Activation::Linear).then_some(self.encoder_weight);
        let of_decoder = self.decoder_weight.filter(|_| decoder == Activation::Linear);
        of_encoder.into_iter().chain(of_decoder).collect()
    }

    pub(super) fn of_encoder(&self) -> Vec<ParamId> {
        vec![self.encoder_weight, self.encoder_bias]
    }

    pub(super) fn of_decoder(&self) -> Vec<ParamId> {
        self.decoder_weight.into_iter().chain([self.decoder_bias]).collect()
    }
}

impl Extras {
    /// One step on clean patches, of which the encoder sees `seen`.
    fn step(
        &self,
        unit: &ByRule<Self>,
        params: &Params,
        [clean, seen]: [&Tensor; 2],
        workspace: &mut Workspace,
    ) -> Step {
        let mut tape = Tape::with_params(params, workspace);
        let (seen, target) = (tape.input(seen), tape.input(clean));
        let code = unit.encode(&mut tape, seen);
        let decoded = unit.decode_patches(&mut tape, code, None);
        let (mut loss, absolute_error) = reconstruction_loss(&mut tape, decoded, target);
        if let Some(sparsity) = self.sparsity {
            let penalty = sparsity.record(&mut tape, code);
            loss = tape.add(loss, penalty);
        }
        if let Some(weight) = self.contraction {
            let encoder = tape.param(unit.params.encoder_weight);
            let penalty = contraction(&mut tape, code, encoder, unit.encoder);
            let penalty = tape.scale(penalty, weight);
            loss = tape.add(loss, penalty);
        }
        Step { loss: tape.value(loss).item(), absolute_error, gradients: tape.backward(loss) }
    }
}

impl Rule for Extras {
    fn fit(&self, unit: &ByRule<Self>, fit: &mut Fit) -> Result<Trained, FitError> {
        fit.descend("noise", &unit.linear_weights(), |params, maps, stream, workspace| {
            let Some(noise) = self.noise else { return self.step(unit, params, [maps, maps], workspace) };
            let mut corrupted = workspace.take(maps.shape());
            corrupted.as_mut_slice().copy_from_slice(maps.as_slice());
            noise.corrupt(&mut corrupted, stream);
            let step = self.step(unit, params, [maps, &corrupted], workspace);
            workspace.give(corrupted);
            step
        })
    }

    fn largest(&self) -> Option<usize> {
        self.largest
    }
}

/// Records the code with all but the `count` largest values of each position set to 0. The gradient passes where a value
/// stayed.
pub(super) fn keep_largest(tape: &mut Tape, code: Var, count: usize) -> Var {
    let shape = tape.shape(code);
    let features = *shape.dims().last().expect("codes have four axes");
    let mut mask = vec![0.0; shape.len()];
    let mut order: Vec<usize> = Vec::with_capacity(features);
    for (row, mask) in tape.value(code).as_slice().chunks(features).zip(mask.chunks_mut(features)) {
        order.clear();
        order.extend(0..features);
        // Falling by value, equal ones in their order; NaN counts as large and shows up in the loss.
        order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        order.iter().take(count).for_each(|&at| mask[at] = 1.0);
    }
    let mask = tape.constant(shape, |values| values.copy_from_slice(&mask));
    tape.mul(code, mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_k_largest_stay_and_of_equal_ones_the_first() {
        let code = Tensor::new([2, 1, 1, 5], &[0.3, -0.2, 0.9, 0.3, 0.3, -5.0, -1.0, -3.0, -2.0, -4.0]);
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace);
        let y = tape.variable(&code);
        let sparse = keep_largest(&mut tape, y, 2);
        assert_eq!(tape.value(sparse).as_slice(), [0.3, 0.0, 0.9, 0.0, 0.0, 0.0, -1.0, 0.0, -2.0, 0.0]);
        let sum = tape.sum(sparse);
        let gradients = tape.backward(sum);
        let gradient = gradients.variable(y).unwrap();
        assert_eq!(gradient.as_slice(), [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
    }
}
