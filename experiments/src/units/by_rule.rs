//! Units with the encoder and decoder of `standard`, untied, that learn them by a rule of their own.

use super::{Axis, Convolution, Equivalent, Fit, FitError, Trained, Unit, UnitDims, autoencoder::AutoencoderParams};
use patchgrad::{ParamId, Params, Tape, Var, autograd::IndicesVar, ops::Activation};
use std::fmt;

/// How encoder and decoder follow from patches.
pub(super) trait Rule: fmt::Debug + Send + Sync + Sized {
    /// Sets encoder and decoder.
    ///
    /// # Errors
    /// As [`Unit::fit`].
    fn fit(&self, unit: &ByRule<Self>, fit: &mut Fit) -> Result<(), FitError>;
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
        let weight = self.params.decoder_weight.expect("a unit with a rule is made untied");
        [weight, self.params.decoder_bias]
    }
}

impl<R: Rule> Unit for ByRule<R> {
    fn encode_with_switches(&self, tape: &mut Tape, map: Var) -> (Var, Option<IndicesVar>) {
        (self.params.encode(&self.dims, self.encoder, tape, map), None)
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
        Some(self.params.convolution(self.encoder))
    }

    fn equivalent(&self, params: &Params) -> Option<Equivalent> {
        Some(Equivalent::of(params, &self.params, &self.dims, [self.encoder, self.decoder]))
    }

    fn fit(&self, fit: &mut Fit) -> Result<Trained, FitError> {
        self.rule.fit(self, fit)?;
        Ok(fit.measure(self))
    }

    fn fit_decoder(&self, fit: &mut Fit) -> Result<Trained, FitError> {
        fit.descend_decoder(self)
    }
}
