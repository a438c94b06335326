//! What a unit learnt, as a standard unit: principal components, machines and the like as a start for gradient descent.

use super::{UnitDims, UnitSpec, autoencoder::AutoencoderParams};
use patchgrad::{Params, Tensor, layout::transpose, ops::Activation};

/// A standard unit that encodes and decodes every patch as another unit does.
#[derive(Clone, Debug, PartialEq)]
pub struct Equivalent {
    /// Activation of the encoder.
    pub encoder: Activation,
    /// Activation of the decoder.
    pub decoder: Activation,
    /// `[k, k, d, n]`.
    pub encoder_weight: Tensor,
    /// `[n]`.
    pub encoder_bias: Tensor,
    /// `[n, k*k*d]`.
    pub decoder_weight: Tensor,
    /// `[k*k*d]`.
    pub decoder_bias: Tensor,
}

impl Equivalent {
    /// The unit to ask for.
    pub fn spec(&self) -> UnitSpec {
        UnitSpec::standard(self.encoder, self.decoder)
    }

    /// From the parameters of an encoder that is a convolution and a decoder that is linear, tied or not.
    pub(super) fn of(
        params: &Params,
        ids: &AutoencoderParams,
        dims: &UnitDims,
        [encoder, decoder]: [Activation; 2],
    ) -> Self {
        let encoder_weight = params.get(ids.encoder_weight).clone();
        let decoder_weight = match ids.decoder_weight {
            Some(id) => params.get(id).clone(),
            None => transpose(&rows(&encoder_weight, dims)),
        };
        Self {
            encoder,
            decoder,
            encoder_weight,
            encoder_bias: params.get(ids.encoder_bias).clone(),
            decoder_weight,
            decoder_bias: params.get(ids.decoder_bias).clone(),
        }
    }
}

/// A weight `[k, k, d, n]` as a matrix `[k*k*d, n]`.
pub(super) fn rows(weight: &Tensor, dims: &UnitDims) -> Tensor {
    weight.clone().reshape([dims.patch_len(), dims.features]).expect("a weight has a column for each feature")
}
