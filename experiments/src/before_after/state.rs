//! What is measured of a network in one state: how well its code classifies, and what decoders make of it.

use crate::{
    data::Labelled,
    linear_algebra::Rows,
    linear_decoder::decode_linearly,
    probe::{Features, FittedProbe, LogisticProbe, PENALTIES, RIDGE_PENALTIES, RidgeProbe},
    retrained_decoders::with_new_decoders,
    scae::Scae,
    scores::Reconstruction,
    suite::Parts,
};
use patchgrad::{Tensor, Workspace};

/// Training pictures from which probe and linear decoder learn when a network is watched, at most.
pub(super) const WATCHED_PICTURES: usize = 8_000;

/// What is looked at after every epoch, on validation pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watched {
    /// Accuracy of a ridge probe on the code.
    pub ridge: f64,
    /// Mean squared error of the old decoder.
    pub mse_old: f64,
    /// That of the best linear decoder.
    pub mse_linear: f64,
}

/// What is reported once of a network before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Reported {
    /// Accuracy of the logistic probe on validation pictures.
    pub logistic_validation: f64,
    /// The same on test pictures, as everything below.
    pub logistic: f64,
    /// The old decoder.
    pub old: Reconstruction,
    /// The decoders trained again on the code, layer by layer.
    pub retrained: Reconstruction,
    /// Their mean squared error on validation pictures.
    pub mse_retrained_validation: f64,
    /// The best linear decoder.
    pub linear: Reconstruction,
    /// Mean squared error of the decoder, out of these three, which has the lowest error on validation pictures.
    pub mse_best: f64,
    /// The test codes `[N, h]`.
    pub test_codes: Tensor,
}

/// Looks at a network; `None` when a value is not finite. Meant for a few thousand training pictures.
pub fn watch(scae: &Scae, parts: &Parts, workspace: &mut Workspace) -> Option<Watched> {
    let [codes, validation_codes] = [&*parts.train, parts.validation].map(|part| scae.codes(&part.pictures, workspace));
    let none = Tensor::zeros([0, scae.spec().code_size()]);
    let linear = decode_linearly([&codes, &validation_codes, &none], [&parts.train, parts.validation]).ok()?;
    let [train, validation] = [
        Features { rows: &codes, labels: &parts.train.labels },
        Features { rows: &validation_codes, labels: &parts.validation.labels },
    ];
    let probe = RidgeProbe::fit(train, validation, parts.classes, &RIDGE_PENALTIES).ok()?;
    Some(Watched {
        ridge: probe.accuracy(validation, workspace).ok()?,
        mse_old: reconstruction(scae, parts.validation, workspace)?.mse,
        mse_linear: linear.validation_mse,
    })
}

/// Measures a network; `None` when a value is not finite. `patches` are shown to each of the decoders that are trained again.
pub fn report(scae: &Scae, parts: &Parts, patches: usize, seed: u64, workspace: &mut Workspace) -> Option<Reported> {
    let [train, validation, test] = parts.all();
    let [codes, validation_codes, test_codes] = parts.features(|pictures| scae.codes(pictures, workspace));
    let [train_features, validation_features, test_features] =
        [(&codes, train), (&validation_codes, validation), (&test_codes, test)]
            .map(|(rows, part)| Features { rows, labels: &part.labels });
    let logistic =
        LogisticProbe::fit(train_features, validation_features, parts.classes, &PENALTIES, workspace).ok()?;
    let linear = decode_linearly([&codes, &validation_codes, &test_codes], [train, validation]).ok()?;
    // New ones before and after fine-tuning alike: the old weights would be a better beginning before it.
    let retrained = with_new_decoders(scae, &train.pictures, patches, [seed, 0], workspace).ok()?;
    let mut of = |scae: &Scae, part: &Labelled| reconstruction(scae, part, workspace);
    let (old, of_retrained) = (of(scae, test)?, of(&retrained, test)?);
    let mse_retrained_validation = of(&retrained, validation)?.mse;
    let of_linear = Reconstruction::score(&test.pictures, &linear.pixels);
    let by_validation = [
        (of(scae, validation)?.mse, old.mse),
        (mse_retrained_validation, of_retrained.mse),
        (linear.validation_mse, of_linear.mse),
    ];
    let (_, mse_best) = by_validation.into_iter().min_by(|(a, _), (b, _)| a.total_cmp(b))?;
    Some(Reported {
        logistic_validation: logistic.accuracy(validation_features, workspace).ok()?,
        logistic: logistic.accuracy(test_features, workspace).ok()?,
        old,
        retrained: of_retrained,
        mse_retrained_validation,
        linear: of_linear,
        mse_best,
        test_codes,
    })
}

/// Linear CKA of two codes `[N, h]` of the same pictures.
pub fn alignment(before: &Tensor, after: &Tensor) -> Option<f64> {
    let rows = |codes| -> Rows<'_> { Rows::new(Tensor::as_slice(codes), codes.shape().dims()[1]) };
    crate::measures::linear_cka(rows(before), rows(after))
}

/// How well the network reconstructs pictures; `None` if the error is not finite.
fn reconstruction(scae: &Scae, part: &Labelled, workspace: &mut Workspace) -> Option<Reconstruction> {
    let decoded = scae.reconstruct(&part.pictures, workspace);
    let found = Reconstruction::score(&part.pictures, decoded.as_slice());
    found.mse.is_finite().then_some(found)
}
