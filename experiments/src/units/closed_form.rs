//! Writing closed-form solutions into parameters.

use super::{Fit, FitError, Unit, UnitDims, autoencoder::AutoencoderParams};
use crate::{
    batches::map_rows,
    linear_algebra::{Ridge, RidgeSettings, Rows},
    scae::LayerGeometry,
};
use patchgrad::{ParamId, Params, Tensor};

/// Sets the encoder to `y_j = direction_j . (x - mean)`: weight `W_ij = direction_j[i]`, bias `-direction_j . mean`. Features
/// beyond the directions get weight and bias 0.
pub(super) fn set_encoder(params: &mut Params, to: &AutoencoderParams, directions: &[Vec<f64>], mean: &[f64]) {
    let features = params.get(to.encoder_bias).len();
    let weight = params.get_mut(to.encoder_weight).as_mut_slice();
    for (i, row) in weight.chunks_mut(features).enumerate() {
        for (j, value) in row.iter_mut().enumerate() {
            *value = directions.get(j).map_or(0.0, |direction| direction[i] as f32);
        }
    }
    let bias = params.get_mut(to.encoder_bias).as_mut_slice();
    for (j, value) in bias.iter_mut().enumerate() {
        let along = |direction: &Vec<f64>| direction.iter().zip(mean).map(|(d, m)| d * m).sum::<f64>();
        *value = directions.get(j).map_or(0.0, |direction| -along(direction) as f32);
    }
}

/// Sets the decoder to `x = mean + sum over j of y_j direction_j`.
pub(super) fn set_transposed_decoder(
    params: &mut Params,
    [weight, bias]: [ParamId; 2],
    directions: &[Vec<f64>],
    mean: &[f64],
) {
    let patch_len = mean.len();
    for (j, row) in params.get_mut(weight).as_mut_slice().chunks_mut(patch_len).enumerate() {
        for (i, value) in row.iter_mut().enumerate() {
            *value = directions.get(j).map_or(0.0, |direction| direction[i] as f32);
        }
    }
    let pairs = params.get_mut(bias).as_mut_slice().iter_mut().zip(mean);
    pairs.for_each(|(value, &mean)| *value = mean as f32);
}

/// Sets the decoder to the least-squares map from `codes` to `patches`, both as rows.
///
/// # Errors
/// When a value is not finite or there is no patch.
pub(super) fn set_least_squares_decoder(
    params: &mut Params,
    [weight, bias]: [ParamId; 2],
    dims: &UnitDims,
    codes: &[f32],
    patches: &[f32],
) -> Result<(), FitError> {
    let settings = RidgeSettings { penalties: &[0.0], standardise: false };
    let (x, y) = (Rows::new(codes, dims.features), Rows::new(patches, dims.patch_len()));
    let fits = Ridge::fit_path(x, y, settings)?;
    let fit = fits.first().expect("one fit for each penalty");
    for (j, row) in params.get_mut(weight).as_mut_slice().chunks_mut(dims.patch_len()).enumerate() {
        for (i, value) in row.iter_mut().enumerate() {
            *value = fit.weight(j, i) as f32;
        }
    }
    let pairs = params.get_mut(bias).as_mut_slice().iter_mut().zip(fit.bias());
    pairs.for_each(|(value, &bias)| *value = bias as f32);
    Ok(())
}

/// The codes of `patches` (rows of `k*k*d` values) as rows.
pub(super) fn codes_of(unit: &dyn Unit, dims: &UnitDims, fit: &mut Fit, patches: &[f32]) -> Tensor {
    let count = patches.len() / dims.patch_len();
    let LayerGeometry { kernel, .. } = dims.geometry;
    let maps = Tensor::new([count, kernel, kernel, dims.depth], patches);
    map_rows(fit.params, &maps, dims.features, fit.workspace, |tape, batch| unit.encode(tape, batch))
}
