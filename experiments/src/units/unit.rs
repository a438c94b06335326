//! What a stack asks of a unit.

use super::{Equivalent, Fit, FitError, Trained};
use patchgrad::{ParamId, Params, Tape, Var, autograd::IndicesVar, ops::Activation};
use std::fmt;

/// What an axis of a parameter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Rows or columns of the kernel.
    Kernel,
    /// d, the channels of the map.
    Channels,
    /// n, the features of the code.
    Features,
    /// The values of a patch, k * k * d in the order (row, column, channel).
    Patch,
}

/// An encoder that is a convolution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Convolution {
    /// `[k, k, d, n]`.
    pub weight: ParamId,
    /// `[n]`.
    pub bias: ParamId,
    /// On top.
    pub activation: Activation,
}

/// An auto-encoder for patches, used at every position of a map.
///
/// It holds handles; its parameters stand in the [`Params`](patchgrad::Params) of the stack, so a copy of a unit goes with
/// a copy of the parameters.
pub trait Unit: fmt::Debug + Send + Sync {
    /// Records the encoder on maps `[N, H, W, d]`: codes `[N, h, w, n]`, and *switches* where the unit has them, which
    /// tell its decoder what the code alone does not.
    ///
    /// Gradients flow to the parameters and to the map, except where a unit's documentation says otherwise.
    fn encode_with_switches(&self, tape: &mut Tape, map: Var) -> (Var, Option<IndicesVar>);

    /// Records the encoder on maps `[N, H, W, d]`: codes `[N, h, w, n]`.
    fn encode(&self, tape: &mut Tape, map: Var) -> Var {
        self.encode_with_switches(tape, map).0
    }

    /// Records the decoder on codes `[N, h, w, n]`, position by position: patches `[N, h, w, k*k*d]`. Without the switches
    /// of the same picture a unit decodes as well as it can; most have none.
    fn decode_patches(&self, tape: &mut Tape, code: Var, switches: Option<IndicesVar>) -> Var;

    /// The parameters of the encoder.
    fn encoder_params(&self) -> Vec<ParamId>;

    /// The parameters that belong to the decoder alone: a weight tied to the encoder is not among them.
    fn decoder_params(&self) -> Vec<ParamId>;

    /// The weights of linear layers, encoder or decoder without an activation, that learn by gradient descent: those that
    /// [`Descent::SgdWithNormRule`](super::Descent::SgdWithNormRule) is about.
    fn linear_weights(&self) -> Vec<ParamId> {
        Vec::new()
    }

    /// All parameters, with what their axes count: what has to go when features of this or of the layer below are deleted.
    fn axes(&self) -> Vec<(ParamId, &'static [Axis])>;

    /// Weight, bias and activation, where the encoder is one convolution and an activation: what can get a copy of its own
    /// at every position.
    fn convolution(&self) -> Option<Convolution> {
        None
    }

    /// A standard unit that computes the same from the same parameters; `None` where there is none.
    fn equivalent(&self, _params: &Params) -> Option<Equivalent> {
        None
    }

    /// Learns encoder and decoder from patches.
    ///
    /// # Errors
    /// When a value is no longer finite (that step is not taken), or the patches lack what the unit needs.
    fn fit(&self, fit: &mut Fit) -> Result<Trained, FitError>;

    /// Learns the decoder alone by gradient descent on the reconstruction; the encoder stays as it is, bit for bit.
    ///
    /// # Errors
    /// When a loss is no longer finite; that step is not taken.
    fn fit_decoder(&self, fit: &mut Fit) -> Result<Trained, FitError>;
}
