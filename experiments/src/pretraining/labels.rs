//! Which pictures have labels.

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
