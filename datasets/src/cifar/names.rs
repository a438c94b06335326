//! The names of the classes, as the text files beside the official batches have them: in the order of the labels, which
//! is that of the alphabet.
//!
//! Compared with `batches.meta.txt` of the CIFAR-10 archive, and with the copies of the two files of CIFAR-100 in
//! TensorFlow Datasets, <https://github.com/tensorflow/datasets>, in
//! `tensorflow_datasets/image_classification/cifar100_n/dummy_data/cifar-100-binary/`. The page of the set,
//! <https://www.cs.toronto.edu/~kriz/cifar.html>, writes some of them in the plural, or as "computer keyboard" and
//! "medium-sized mammals"; the files do not.

/// The classes of CIFAR-10 (`batches.meta.txt`).
pub const CLASSES_10: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// The fine classes of CIFAR-100 (`fine_label_names.txt`).
#[rustfmt::skip]
pub const FINE_CLASSES_100: [&str; 100] = [
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
    "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
    "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
    "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
    "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
    "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
    "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
    "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
];

/// The coarse classes of CIFAR-100 (`coarse_label_names.txt`).
#[rustfmt::skip]
pub const COARSE_CLASSES_100: [&str; 20] = [
    "aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables",
    "household_electrical_devices", "household_furniture", "insects", "large_carnivores", "large_man-made_outdoor_things",
    "large_natural_outdoor_scenes", "large_omnivores_and_herbivores", "medium_mammals", "non-insect_invertebrates", "people",
    "reptiles", "small_mammals", "trees", "vehicles_1", "vehicles_2",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Checksum;

    #[test]
    fn the_names_are_those_of_the_official_files() {
        // CRC-32 of the lines that are not empty, each ended by a line feed.
        let lines = |names: &[&str]| names.iter().map(|name| format!("{name}\n")).collect::<String>();
        let checksum = |names: &[&str]| Checksum::of(&[lines(names).as_bytes()]);
        assert_eq!(checksum(&CLASSES_10), Checksum(0x8f05_d45e));
        assert_eq!(checksum(&FINE_CLASSES_100), Checksum(0xa7a2_e92d));
        assert_eq!(checksum(&COARSE_CLASSES_100), Checksum(0x6a71_c458));
    }
}
