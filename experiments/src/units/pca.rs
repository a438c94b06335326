//! Principal components as a unit, in closed form.
//!
//! ```text
//! y = f((x - m) U),     z = g(y U' + m)
//! ```
//!
//! with m the mean patch and U the n eigenvectors of the patches' covariance with the largest eigenvalues. As in N-light-N, a
//! component whose standard deviation is at most `sqrt(2.2e-16)` of the first one's is dropped: its feature is always
//! `f(0)`. With linear activations no code of n numbers reconstructs the training patches better; another activation is put
//! on top and distorts that. Encoder and decoder are untied afterwards: what follows may train them apart.

use super::{
    Axis, Convolution, Equivalent, Fit, FitError, Trained, Unit, UnitDims,
    autoencoder::AutoencoderParams,
    closed_form::{set_encoder, set_transposed_decoder},
};
use crate::linear_algebra::{Pca, Rows};
use patchgrad::{ParamId, Params, Tape, Var, autograd::IndicesVar, ops::Activation};

/// Handles and activations.
#[derive(Clone, Debug)]
pub(super) struct PcaUnit {
    pub(super) dims: UnitDims,
    pub(super) encoder: Activation,
    pub(super) decoder: Activation,
    pub(super) params: AutoencoderParams,
}

/// `sqrt(2.2e-16)`, N-light-N's share of the first standard deviation.
const NO_DEVIATION: f64 = 1.483_239_697_419_132_7e-8;

impl Unit for PcaUnit {
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
        let columns = self.dims.patch_len();
        let start = fit.bookmark();
        let pca = Pca::fit_pieces(columns, |piece| fit.pass_from(&start, |rows| piece(Rows::new(rows, columns))))?;
        let directions = kept(&pca, self.dims.features);
        set_encoder(fit.params, &self.params, &directions, pca.mean());
        let weight = self.params.decoder_weight.expect("a PCA unit is untied");
        set_transposed_decoder(fit.params, [weight, self.params.decoder_bias], &directions, pca.mean());
        Ok(fit.measure(self))
    }

    fn fit_decoder(&self, fit: &mut Fit) -> Result<Trained, FitError> {
        fit.descend_decoder(self)
    }
}

/// The components, at most `features`, without those that hold no variance.
fn kept(pca: &Pca, features: usize) -> Vec<Vec<f64>> {
    let deviations: Vec<f64> = pca.variances().iter().map(|variance| variance.sqrt()).collect();
    let first = deviations.first().copied().unwrap_or(0.0);
    let holds = deviations.iter().take(features).take_while(|&&deviation| deviation > NO_DEVIATION * first);
    (0..holds.count()).map(|index| pca.component(index)).collect()
}
