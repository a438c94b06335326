//! What is measured of a network in one state: how well its code classifies, and what decoders make of it.

use crate::{
    data::Labelled,
    linear_algebra::Rows,
    linear_decoder::decode_linearly,
    probe::{Features, FittedProbe, LogisticProbe, PENALTIES, RIDGE_PENALTIES, RidgeProbe},
    scae::{Descent, Scae, TrainConfig, train_decoders},
    scores::Reconstruction,
    suite::Parts,
    units::UnitSpec,
};
use patchgrad::{Tensor, Workspace};

/// Training pictures from which probe and linear decoder learn when a network is watched, at most.
const WATCHED_PICTURES: usize = 8_000;

/// The rate of decoders that are trained again, for the mean over 32 patches.
const DECODER_RATE: f64 = 0.01;

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
    /// Mean squared error of the old decoder.
    pub mse_old: f64,
    /// That of the decoders trained again on the code, layer by layer.
    pub mse_retrained: f64,
    /// The same on validation pictures.
    pub mse_retrained_validation: f64,
    /// That of the best linear decoder.
    pub mse_linear: f64,
    /// That of the decoder, out of these three, which has the lowest error on validation pictures.
    pub mse_best: f64,
    /// The test codes `[N, h]`.
    pub test_codes: Tensor,
}

/// Looks at a network; `None` when a value is not finite.
pub fn watch(scae: &Scae, parts: &Parts, workspace: &mut Workspace) -> Option<Watched> {
    let some = parts.train.first(WATCHED_PICTURES);
    let [codes, validation_codes] = [&some, parts.validation].map(|part| scae.codes(&part.pictures, workspace));
    let none = Tensor::zeros([0, scae.spec().code_size()]);
    let linear = decode_linearly([&codes, &validation_codes, &none], [&some, parts.validation]).ok()?;
    let [train, validation] = [
        Features { rows: &codes, labels: &some.labels },
        Features { rows: &validation_codes, labels: &parts.validation.labels },
    ];
    let probe = RidgeProbe::fit(train, validation, parts.classes, &RIDGE_PENALTIES).ok()?;
    Some(Watched {
        ridge: probe.accuracy(validation, workspace).ok()?,
        mse_old: mse(scae, parts.validation, workspace)?,
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
    let retrained = with_retrained_decoders(scae, &train.pictures, patches, seed, workspace)?;
    let mse_old = mse(scae, test, workspace)?;
    let (mse_retrained, mse_retrained_validation) =
        (mse(&retrained, test, workspace)?, mse(&retrained, validation, workspace)?);
    let mse_linear = Reconstruction::score(&test.pictures, &linear.pixels).mse;
    let by_validation = [
        (mse(scae, validation, workspace)?, mse_old),
        (mse_retrained_validation, mse_retrained),
        (linear.validation_mse, mse_linear),
    ];
    let (_, mse_best) = by_validation.into_iter().min_by(|(a, _), (b, _)| a.total_cmp(b))?;
    Some(Reported {
        logistic_validation: logistic.accuracy(validation_features, workspace).ok()?,
        logistic: logistic.accuracy(test_features, workspace).ok()?,
        mse_old,
        mse_retrained,
        mse_retrained_validation,
        mse_linear,
        mse_best,
        test_codes,
    })
}

/// Linear CKA of two codes `[N, h]` of the same pictures.
pub fn alignment(before: &Tensor, after: &Tensor) -> Option<f64> {
    let rows = |codes| -> Rows<'_> { Rows::new(Tensor::as_slice(codes), codes.shape().dims()[1]) };
    crate::measures::linear_cka(rows(before), rows(after))
}

/// The same encoders under decoders that go on learning, from clean patches, what the code is now; `None` when they diverge.
pub fn with_retrained_decoders(
    scae: &Scae,
    pictures: &Tensor,
    patches: usize,
    seed: u64,
    workspace: &mut Workspace,
) -> Option<Scae> {
    let mut spec = scae.spec().clone();
    for layer in &mut spec.layers {
        layer.unit = UnitSpec::standard(layer.unit.encoder(), layer.unit.decoder());
    }
    let mut retrained = Scae::from_params(spec, scae.params());
    let config = TrainConfig {
        samples_per_layer: patches,
        batch_size: 32,
        descent: Descent::Sgd,
        lr: DECODER_RATE,
        weight_decay: 0.0,
        seed,
    };
    train_decoders(&mut retrained, pictures, &config, workspace).ok()?;
    Some(retrained)
}

/// Mean squared error of the network's reconstructions, unclipped; `None` if it is not finite.
fn mse(scae: &Scae, part: &Labelled, workspace: &mut Workspace) -> Option<f64> {
    let decoded = scae.reconstruct(&part.pictures, workspace);
    let mse = Reconstruction::score(&part.pictures, decoded.as_slice()).mse;
    mse.is_finite().then_some(mse)
}
