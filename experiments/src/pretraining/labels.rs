//! Which pictures have labels.

use crate::data::Labelled;
use patchgrad::random::stream;
use rand::seq::SliceRandom;

/// `count` pictures of `labels`, each class as often, one more of the first classes where that does not go. A larger set from
/// the same seed contains a smaller one if `count` is a multiple of the classes. A class that has fewer pictures gives all it
/// has.
pub(super) fn balanced(labels: &[u32], classes: usize, count: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.shuffle(&mut stream(seed, "labels", 0));
    let mut left: Vec<usize> = (0..classes).map(|class| (count + classes - 1 - class) / classes).collect();
    let mut take = |&picture: &usize| {
        let left = &mut left[labels[picture] as usize];
        let taken = *left > 0;
        *left -= usize::from(taken);
        taken
    };
    order.retain(&mut take);
    order
}

/// Some of the pictures, in this order.
pub(super) fn pick(data: &Labelled, pictures: &[usize]) -> Labelled {
    Labelled {
        pictures: data.pictures.select(pictures),
        labels: pictures.iter().map(|&picture| data.labels[picture]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad::Tensor;

    #[test]
    fn classes_are_balanced_and_sets_contain_each_other() {
        // Class 2 is rare.
        let labels: Vec<u32> = (0..300).map(|i| if i % 30 == 0 { 2 } else { i % 2 }).collect();
        let counts = |chosen: &[usize]| [0, 1, 2].map(|class| chosen.iter().filter(|&&i| labels[i] == class).count());
        let few = balanced(&labels, 3, 9, 5);
        assert_eq!(counts(&few), [3, 3, 3]);
        let more = balanced(&labels, 3, 60, 5);
        assert_eq!(counts(&more), [20, 20, 10], "the rare class gives all it has");
        assert!(few.iter().all(|picture| more.contains(picture)));
        assert_eq!(counts(&balanced(&labels, 3, 11, 5)), [4, 4, 3]);
        assert_ne!(few, balanced(&labels, 3, 9, 6));
        let mut distinct = more.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), more.len());
    }

    #[test]
    fn pictures_keep_their_labels() {
        let pictures = Tensor::from_fn([4, 1, 2, 1], |i| i as f32);
        let picked = pick(&Labelled { pictures: pictures.into(), labels: vec![5, 6, 7, 8] }, &[3, 1]);
        assert_eq!((picked.pictures.as_slice(), picked.labels), (&[6.0, 7.0, 2.0, 3.0][..], vec![8, 6]));
    }
}
