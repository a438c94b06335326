//! Which images are for training and which for validation, and draws among them.
//!
//! Everything here returns indices or ranges; images stay where they are. Random draws take the caller's generator:
//! with a portable one (ChaCha) the same seed gives the same indices on every machine.

use std::ops::Range;

use rand::Rng;
use rand::seq::SliceRandom;

use crate::Problem;

/// At most so many images are held out for validation.
const LARGEST_VALIDATION: usize = 10_000;

/// Index ranges into the training part of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// For training.
    pub train: Range<usize>,
    /// For choosing hyper-parameters and models.
    pub validation: Range<usize>,
}

/// The fixed split: the last fifth of the training part, but at most its last 10,000 images, is for validation.
///
/// | training part | train | validation |
/// |---|---|---|
/// | 60,000 (MNIST, Fashion-MNIST) | 50,000 | last 10,000 |
/// | 50,000 (CIFAR-10) | 40,000 | last 10,000 |
/// | 50,000 (CIFAR-100) | 40,000 | last 10,000 |
/// | 73,257 (SVHN) | 63,257 | last 10,000, by position |
/// | 10,000 (the bundled samples) | 8,000 | last 2,000, class-balanced |
///
/// The split is by position on purpose. SVHN's crops come in the order of the photographs, and those of one house number
/// overlap: a random split would show a network nearly the same pixels in training and validation. By position, at most
/// the one photograph at the border is in both parts. The test part is always the published one.
pub fn fixed_split(train_count: usize) -> Split {
    let train = train_count - (train_count / 5).min(LARGEST_VALIDATION);
    Split { train: 0..train, validation: train..train_count }
}

/// 0, 1, ..., `count` - 1 in random order.
pub fn shuffled<R: Rng + ?Sized>(count: usize, rng: &mut R) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(rng);
    order
}

/// Draws `per_class` images of each class without replacement; returns their indices.
///
/// They come in blocks of `classes` indices, one of each class in random order. So every prefix and every suffix is
/// class-balanced to within one image per class.
///
/// # Errors
///
/// [`Problem::TooFewOfClass`] or [`Problem::LabelOutOfRange`].
pub fn class_balanced<R: Rng + ?Sized>(
    labels: &[u8],
    classes: usize,
    per_class: usize,
    rng: &mut R,
) -> Result<Vec<usize>, Problem> {
    let mut members = vec![Vec::new(); classes];
    for (index, &label) in labels.iter().enumerate() {
        let class = members.get_mut(usize::from(label));
        class.ok_or(Problem::LabelOutOfRange { index, label, classes })?.push(index);
    }
    for (class, indices) in members.iter_mut().enumerate() {
        if indices.len() < per_class {
            return Err(Problem::TooFewOfClass { class, available: indices.len(), requested: per_class });
        }
        indices.shuffle(rng);
    }
    let mut drawn = Vec::with_capacity(classes * per_class);
    for block in 0..per_class {
        drawn.extend(members.iter().map(|indices| indices[block]));
        drawn[block * classes..].shuffle(rng);
    }
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    #[test]
    fn the_fixed_split_holds_out_the_end() {
        assert_eq!(fixed_split(60_000), Split { train: 0..50_000, validation: 50_000..60_000 });
        assert_eq!(fixed_split(50_000), Split { train: 0..40_000, validation: 40_000..50_000 });
        assert_eq!(fixed_split(73_257), Split { train: 0..63_257, validation: 63_257..73_257 });
        assert_eq!(fixed_split(10_000), Split { train: 0..8_000, validation: 8_000..10_000 });
        assert_eq!(fixed_split(4), Split { train: 0..4, validation: 4..4 });
    }

    #[test]
    fn shuffling_is_a_permutation_pinned_to_its_seed() {
        let mut order = shuffled(1000, &mut rng(1));
        assert_ne!(order, shuffled(1000, &mut rng(2)));
        order.sort_unstable();
        assert!(order.into_iter().eq(0..1000));
        // Golden values: a new release of the generator must not change published draws unnoticed.
        assert_eq!(shuffled(8, &mut rng(1)), [3, 4, 5, 2, 7, 1, 6, 0]);
    }

    #[test]
    fn balanced_draws_hold_each_class_once_per_block_and_nothing_twice() {
        // Unequal classes: 60 of class 0, 30 of class 1, 10 of class 2.
        let labels: Vec<u8> = (0..100).map(|i| [0, 0, 1, 0, 0, 1, 0, 0, 1, 2][i % 10]).collect();
        let drawn = class_balanced(&labels, 3, 10, &mut rng(3)).unwrap();
        assert_eq!(drawn.len(), 30);
        for block in drawn.chunks(3) {
            let mut classes: Vec<u8> = block.iter().map(|&index| labels[index]).collect();
            classes.sort_unstable();
            assert_eq!(classes, [0, 1, 2]);
        }
        let mut distinct = drawn.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 30);
        assert_eq!(drawn, class_balanced(&labels, 3, 10, &mut rng(3)).unwrap());
        assert_ne!(drawn, class_balanced(&labels, 3, 10, &mut rng(4)).unwrap());
    }

    #[test]
    fn draws_that_cannot_be_made_are_explained() {
        let error = class_balanced(&[0, 1, 1], 2, 2, &mut rng(1)).unwrap_err();
        assert!(matches!(error, Problem::TooFewOfClass { class: 0, available: 1, requested: 2 }));
        let error = class_balanced(&[0, 5], 2, 1, &mut rng(1)).unwrap_err();
        assert!(matches!(error, Problem::LabelOutOfRange { index: 1, label: 5, classes: 2 }));
    }
}
