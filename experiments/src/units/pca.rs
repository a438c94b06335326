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
    Fit, FitError, Trained,
    by_rule::{ByRule, Rule},
    closed_form::{set_encoder, set_transposed_decoder},
};
use crate::linear_algebra::{Pca, Rows};

/// The rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct PrincipalComponents;

/// `sqrt(2.2e-16)`, N-light-N's share of the first standard deviation.
const NO_DEVIATION: f64 = 1.483_239_697_419_132_7e-8;

impl Rule for PrincipalComponents {
    fn fit(&self, unit: &ByRule<Self>, fit: &mut Fit) -> Result<Trained, FitError> {
        let columns = unit.dims.patch_len();
        let start = fit.bookmark();
        let pca = Pca::fit_pieces(columns, |piece| fit.pass_from(&start, |rows| piece(Rows::new(rows, columns))))?;
        let directions = kept(&pca, unit.dims.features);
        set_encoder(fit.params, &unit.params, &directions, pca.mean());
        set_transposed_decoder(fit.params, unit.weight_and_bias_of_decoder(), &directions, pca.mean());
        Ok(fit.measure(unit))
    }
}

/// The components, at most `features`, without those that hold no variance.
fn kept(pca: &Pca, features: usize) -> Vec<Vec<f64>> {
    let deviations: Vec<f64> = pca.variances().iter().map(|variance| variance.sqrt()).collect();
    let first = deviations.first().copied().unwrap_or(0.0);
    let holds = deviations.iter().take(features).take_while(|&&deviation| deviation > NO_DEVIATION * first);
    (0..holds.count()).map(|index| pca.component(index)).collect()
}
