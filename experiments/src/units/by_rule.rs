//! Units with an encoder `f(x W + b)` and a decoder `g(y V + c)`: one for each rule by which they learn, gradient descent among them.

use super::{
    Axis, Convolution, Equivalent, Fit, FitError, Trained, Unit, UnitDims,
    autoencoder::{AutoencoderParams, keep_largest},
};
use patchgrad::{ParamId, Params, Tape, Var, autograd::IndicesVar, ops::Activation};
use std::fmt;

/// How encoder and decoder follow from patches.
pub(super) trait Rule: fmt::Debug + Send + Sync + Sized {
    /// Learns encoder and decoder.
    ///
    /// # Errors
    /// As [`Unit::fit`].
    fn fit(&self, unit: &ByRule<Self>, fit: &mut Fit) -> Result<Trained, FitError>;

    /// How many values of a position stay, in training and afterwards; all where it is `None`.
    fn largest(&self) -> Option<usize> {
        None
    }
}

/// Encoder `f(x W + b)` and decoder `g(y V + c)`.
#[derive(Clone, Debug)]
pub(super) struct ByRule<R> {
    pub(super) rule: R,
    pub(super) dims: UnitDims,
    pub(super) encoder: Activation,
    pub(super) decoder: Activation,
    pub(super) params: AutoencoderParams,
}

impl<R> ByRule<R> {
    /// V `[n, k*k*d]` and c `[k*k*d]`.
    pub(super) fn weight_and_bias_of_decoder(&self) -> [ParamId; 2] {
        let weight = self.params.decoder_weight.expect("a unit that writes its decoder is made untied");
        [weight, self.params.decoder_bias]
    }
}

impl<R: Rule> Unit for ByRule<R> {
    fn encode_with_switches(&self, tape: &mut Tape, map: Var) -> (Var, Option<IndicesVar>) {
        let code = self.params.encode(&self.dims, self.encoder, tape, map);
        let code = match self.rule.largest() {
            Some(count) => keep_largest(tape, code, count),
            None => code,
        };
        (code, None)
    }

    fn decode_patches(&self, tape: &mut Tape, code: Var, _: Option<IndicesVar>) -> Var {
        self.params.decode(self.decoder, tape, code)
    }

    fn encoder_params(&self) -> Vec<ParamId> {
        self.params.of_encoder()
    }

    fn decoder_params(&self) -> Vec<ParamId> {
        self.params.of_decoder()
    }

    fn linear_weights(&self) -> Vec<ParamId> {
        self.params.linear_weights([self.encoder, self.decoder])
    }

    fn axes(&self) -> Vec<(ParamId, &'static [Axis])> {
        self.params.axes()
    }

    fn convolution(&self) -> Option<Convolution> {
        self.rule.largest().is_none().then(|| self.params.convolution(self.encoder))
    }

    fn equivalent(&self, params: &Params) -> Option<Equivalent> {
        let same = || Equivalent::of(params, &self.params, &self.dims, [self.encoder, self.decoder]);
        self.rule.largest().is_none().then(same)
    }

    fn fit(&self, fit: &mut Fit) -> Result<Trained, FitError> {
        self.rule.fit(self, fit)
    }

    fn fit_decoder(&self, fit: &mut Fit) -> Result<Trained, FitError> {
        fit.descend_decoder(self)
    }
}
