//! Decoders that begin anew on a code that stays as it is: what layer-wise training can make of it, whatever the old ones did.

use crate::{
    scae::{Descent, Scae, TrainConfig, train_decoders},
    training::TrainingError,
};
use patchgrad::{Tensor, Workspace, random::stream};

/// Learning rate (Adam): the same for every encoder.
const RATE: f64 = 3e-3;

/// The stack with new decoders, each trained on `patches` clean patches of `pictures` `[N, H, W, C]`; the encoders are those of
/// `scae`. `round` tells apart beginnings of one `seed`.
///
/// # Errors
/// When a loss is not finite.
pub fn with_new_decoders(
    scae: &Scae,
    pictures: &Tensor,
    patches: usize,
    [seed, round]: [u64; 2],
    workspace: &mut Workspace,
) -> Result<Scae, TrainingError> {
    let mut anew = scae.clone();
    anew.reset_decoders(&mut stream(seed, "new-decoders", round));
    let config = TrainConfig {
        samples_per_layer: patches,
        batch_size: 32,
        descent: Descent::Adam,
        lr: RATE,
        weight_decay: 0.0,
        seed,
    };
    train_decoders(&mut anew, pictures, &config, workspace)?;
    Ok(anew)
}
