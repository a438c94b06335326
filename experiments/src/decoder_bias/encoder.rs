//! The encoders: networks of P1, trained as in E1 and then left as they are.

use crate::{
    correlation::{network::Status, population::Member, store::Trainer},
    linear_algebra::Rows,
    measures,
    probe::{Features, FittedProbe, LogisticProbe, PENALTIES},
    scae::Scae,
    scores::Reconstruction,
    suite::Parts,
};
use patchgrad::Workspace;

/// A trained network whose encoder stays as it is.
#[derive(Clone, Debug)]
pub struct Encoder {
    /// The network, with its own decoders.
    pub scae: Scae,
    /// Whether it is dead.
    pub status: Status,
    /// Accuracy of the logistic probe on the code, a share of the test pictures.
    pub logistic: f64,
    /// The same on validation pictures.
    pub logistic_validation: f64,
}

/// Trains and probes a member.
///
/// # Errors
/// With the reason why there is no such encoder, for its rows.
pub fn train(member: &Member, trainer: &Trainer, parts: &Parts) -> Result<Encoder, String> {
    let workspace = &mut Workspace::new();
    let (scae, _) = trainer.train(member, workspace).map_err(|error| error.to_string())?;
    let decoded = scae.reconstruct(&parts.test.pictures, workspace);
    let own = Reconstruction::score(&parts.test.pictures, decoded.as_slice());
    if !own.mse.is_finite() {
        return Err("a reconstruction is not finite".to_string());
    }
    let [train, validation, test] = parts.features(|pictures| scae.codes(pictures, workspace));
    let features = |rows, labels| Features { rows, labels };
    let [train_part, validation_part, test_part] = parts.all();
    let validation = features(&validation, &validation_part.labels);
    let probe =
        LogisticProbe::fit(features(&train, &train_part.labels), validation, parts.classes, &PENALTIES, workspace)
            .map_err(|error| error.to_string())?;
    let mut accuracy = |of: Features| probe.accuracy(of, workspace).map_err(|error| error.to_string());
    let logistic_validation = accuracy(validation)?;
    let logistic = accuracy(features(&test, &test_part.labels))?;
    let rows = Rows::new(test.as_slice(), member.spec.code_size());
    let dead = measures::dead_units(rows).ok_or("a code is not finite")?;
    let status = Status::of(dead, member.spec.code_size(), own.r2);
    Ok(Encoder { scae, status, logistic, logistic_validation })
}
