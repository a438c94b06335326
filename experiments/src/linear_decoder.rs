//! The best linear decoder of a code: what the code holds, told apart from what its own decoder makes of it.

use crate::{
    data::Labelled,
    linear_algebra::{LinearAlgebraError, Ridge, RidgeSettings, Rows, select_ridge},
};
use patchgrad::Tensor;

/// Penalties of the ridge regression; one is chosen by validation.
const PENALTIES: [f64; 5] = [0.0, 1e-5, 1e-4, 1e-3, 1e-2];

/// What the best linear map makes of codes.
pub struct LinearlyDecoded {
    /// The test codes as pictures, `[N, H * W * C]`.
    pub pixels: Vec<f32>,
    /// Mean squared error on validation pictures, on which the penalty was chosen.
    pub validation_mse: f64,
}

/// The best linear map from codes to pixels: ridge regression on training pictures, its penalty chosen on validation
/// pictures. Codes `[N, h]` and pictures are those of training, validation and, the codes alone, test.
///
/// # Errors
/// When a value is not finite.
pub fn decode_linearly(
    [codes, validation_codes, test_codes]: [&Tensor; 3],
    [train, validation]: [&Labelled; 2],
) -> Result<LinearlyDecoded, LinearAlgebraError> {
    let pixels = [train, validation].map(|part| Rows::new(part.pictures.as_slice(), part.pixels()));
    let (ridge, validation_mse) = best_linear_decoder([codes, validation_codes], pixels)?;
    let test_codes = Rows::new(test_codes.as_slice(), codes.shape().dims()[1]);
    Ok(LinearlyDecoded { pixels: ridge.predict(test_codes), validation_mse })
}

/// The map itself, from training and validation codes `[N, h]` to pixels, and its mean squared error on validation pictures.
///
/// # Errors
/// When a value is not finite.
pub fn best_linear_decoder(
    [codes, validation_codes]: [&Tensor; 2],
    [pixels, validation_pixels]: [Rows; 2],
) -> Result<(Ridge, f64), LinearAlgebraError> {
    let columns = codes.shape().dims()[1];
    let rows = |codes| -> Rows<'_> { Rows::new(Tensor::as_slice(codes), columns) };
    let settings = RidgeSettings { penalties: &PENALTIES, standardise: true };
    let path = Ridge::fit_path(rows(codes), pixels, settings)?;
    let chosen = select_ridge(path, rows(validation_codes), validation_pixels).ok_or(LinearAlgebraError::NotFinite)?;
    let validation_mse = chosen.validation_errors.iter().copied().fold(f64::INFINITY, f64::min);
    Ok((chosen.ridge, validation_mse))
}
