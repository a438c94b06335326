//! How the bundled samples were drawn from the full sets.
//!
//! `examples/draw_samples.rs` runs this and writes the files of `data/`.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::{DataError, DataSet, LabelledImages, class_balanced};

/// The seed of the bundled samples: the number of the paper, arXiv 1703.04332.
pub const SEED: u64 = 170_304_332;

/// Training images of each class in a bundled sample.
pub const TRAIN_PER_CLASS: usize = 1_000;

/// Test images of each class in a bundled sample.
pub const TEST_PER_CLASS: usize = 200;

/// Draws a class-balanced sample, training images from the training part and test images from the test part.
///
/// The order is that of [`class_balanced`]: every suffix is class-balanced, so the last 2,000 training images serve
/// as validation set.
///
/// # Errors
///
/// When a class has too few images.
pub fn draw(full: &DataSet, seed: u64) -> Result<DataSet, DataError> {
    Ok(DataSet {
        name: format!("{} sample", full.name),
        train: draw_part(full, &full.train, TRAIN_PER_CLASS, rng(seed, 0))?,
        test: draw_part(full, &full.test, TEST_PER_CLASS, rng(seed, 1))?,
        ..full.clone()
    })
}

/// Each part has a stream of its own, so that neither draw depends on the other.
fn rng(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

fn draw_part(
    full: &DataSet,
    part: &LabelledImages,
    per_class: usize,
    mut rng: ChaCha8Rng,
) -> Result<LabelledImages, DataError> {
    let indices = class_balanced(part.labels(), part.classes(), per_class, &mut rng)
        .map_err(|problem| DataError::new(&full.name, problem))?;
    Ok(part.select(&indices))
}
