//! How a network of a population is trained: each layer as the unit of its initialisation, then as what it is.

use super::population::Member;
use crate::{
    scae::{Labels, Scae, train_layer},
    training::TrainingError,
    units::{TrainConfig, Trained, UnitSpec},
};
use patchgrad::{Tensor, Workspace, random::stream};

/// Trains every layer, lowest first: as the unit of its initialisation, then as what it is.
///
/// # Errors
/// When a loss is not finite, or a decomposition has no result.
pub fn train_member(
    scae: &mut Scae,
    member: &Member,
    pictures: &Tensor,
    workspace: &mut Workspace,
) -> Result<Vec<Trained>, TrainingError> {
    let layer = |layer: usize| {
        if let Some(start) = start_of(member, layer) {
            initialise(scae, layer, start, (pictures, Labels::None), &member.training, workspace)?;
        }
        train_layer(scae, layer, pictures, Labels::None, &member.training, workspace)
    };
    (0..member.spec.layers.len()).map(layer).collect()
}

/// The unit that a layer starts as; `None` where it starts at random.
pub(super) fn start_of(member: &Member, layer: usize) -> Option<UnitSpec> {
    let unit = member.spec.layers[layer].unit;
    member.initialisation.unit(layer, unit.encoder(), unit.decoder())
}

/// The learning rate of a start, where the layer itself has `lr`. That of a Hebbian rule is relative to the size of the patches.
pub(super) fn start_rate(unit: UnitSpec, lr: f64) -> f64 {
    if unit.kind() == "oja" { 0.3 } else { lr.min(2e-3) }
}

/// Starts a layer with what `unit` learns from the same patches. Where it has fewer directions than the layer has features
/// (a patch has only so many), the other features keep their random start.
///
/// # Errors
/// When a loss is not finite, a decomposition has no result, or the unit needs labels and there are none.
pub(crate) fn initialise(
    scae: &mut Scae,
    layer: usize,
    unit: UnitSpec,
    (pictures, labels): (&Tensor, Labels),
    training: &TrainConfig,
    workspace: &mut Workspace,
) -> Result<(), TrainingError> {
    let dims = scae.spec().unit_dims(layer);
    let features = match unit {
        UnitSpec::Pca { .. } | UnitSpec::Oja { .. } => dims.features.min(dims.patch_len()),
        // Classes differ along one direction less than there are; any others would be arbitrary.
        UnitSpec::Lda { .. } => dims.features.min(dims.patch_len()).min(classes_of(labels).saturating_sub(1).max(1)),
        _ => dims.features,
    };
    let mut spec = scae.spec().clone();
    spec.layers.truncate(layer + 1);
    (spec.layers[layer].unit, spec.layers[layer].features) = (unit, features);
    let mut start = Scae::new(spec, &mut stream(training.seed, "start", layer as u64));
    let below: Vec<_> = start.params().iter().map(|(id, name, _)| (id, name.to_string())).collect();
    for (id, name) in below.into_iter().filter(|(_, name)| !name.starts_with(&format!("layer{layer}."))) {
        let known = scae.params().find(&name).expect("the layers below are the same");
        *start.params_mut().get_mut(id) = scae.params().get(known).clone();
    }
    let config = TrainConfig { lr: start_rate(unit, training.lr), weight_decay: 0.0, ..*training };
    train_layer(&mut start, layer, pictures, labels, &config, workspace)?;
    let Some(equivalent) = start.unit(layer).equivalent(start.params()) else { return Ok(()) };
    let mut copy = |name: &str, from: &Tensor, columns: bool| {
        let id = scae.params().find(&format!("layer{layer}.{name}")).expect("a layer has encoder and decoder");
        let to = scae.params_mut().get_mut(id).as_mut_slice();
        if columns {
            // [.., n'] into the first n' of [.., n].
            for (to, from) in to.chunks_mut(dims.features).zip(from.as_slice().chunks(features)) {
                to[..features].copy_from_slice(from);
            }
        } else {
            // [n', ..] into the first n' of [n, ..].
            to[..from.len()].copy_from_slice(from.as_slice());
        }
    };
    copy("encoder.weight", &equivalent.encoder_weight, true);
    copy("encoder.bias", &equivalent.encoder_bias, true);
    copy("decoder.weight", &equivalent.decoder_weight, false);
    copy("decoder.bias", &equivalent.decoder_bias, false);
    Ok(())
}

/// How many classes occur; 0 without labels.
fn classes_of(labels: Labels) -> usize {
    let mut classes: Vec<u32> = match labels {
        Labels::None => Vec::new(),
        Labels::Pictures(labels) => labels.to_vec(),
        Labels::Pixels(labels) => labels.iter().map(|&label| u32::from(label)).collect(),
    };
    classes.sort_unstable();
    classes.dedup();
    classes.len()
}
