//! The bundled samples are what their README says.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use patchgrad_datasets::{Checksum, LabelledImages, SetName, bundled, catalog, fixed_split, samples};

fn data_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

#[test]
fn each_sample_has_its_counts_shapes_and_licence() {
    for set in SetName::BUNDLED {
        let data = bundled(set).unwrap();
        assert_eq!((data.train.count(), data.test.count()), (10_000, 2_000));
        for part in [&data.train, &data.test] {
            assert_eq!(part.images().shape().to_string(), "28x28x1");
            assert_eq!(part.images().count(), part.count());
            assert_eq!(part.classes(), data.class_names.len());
        }
        let notice = std::fs::read_to_string(data_folder().join(set.folder()).join("LICENSE")).unwrap();
        for holder in ["Zalando SE", "Corinna Cortes"] {
            assert_eq!(notice.contains(holder), data.licence.contains(holder), "{set}");
        }
    }
}

#[test]
fn every_block_of_ten_holds_each_class_once() {
    for set in SetName::BUNDLED {
        let data = bundled(set).unwrap();
        for part in [&data.train, &data.test] {
            for (block, labels) in part.labels().chunks(10).enumerate() {
                let mut labels = labels.to_vec();
                labels.sort_unstable();
                assert_eq!(labels, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "{set}, block {block}");
            }
        }
    }
}

#[test]
fn the_validation_images_are_class_balanced() {
    let data = bundled(SetName::FashionMnist).unwrap();
    let mut counts = [0; 10];
    for &label in &data.train.labels()[fixed_split(data.train.count()).validation] {
        counts[usize::from(label)] += 1;
    }
    assert_eq!(counts, [200; 10]);
}

#[test]
fn the_readme_lists_size_and_checksum_of_every_file() {
    let readme = std::fs::read_to_string(data_folder().join("README.md")).unwrap();
    let mut files = 0;
    for set in SetName::BUNDLED {
        for entry in std::fs::read_dir(data_folder().join(set.folder())).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "gz") {
                let bytes = std::fs::read(&path).unwrap();
                let name = path.file_name().unwrap().to_str().unwrap();
                let row = format!("| {set}/{name} | {} | {} |", bytes.len(), Checksum::of(&[&bytes]));
                assert!(readme.contains(&row), "missing in data/README.md: {row}");
                files += 1;
            }
        }
    }
    assert_eq!(files, 8);
    assert!(readme.contains(&format!("seed {}", samples::SEED)));
}

#[test]
fn the_decoded_data_are_pinned_by_their_checksums() {
    let checksums = |set| {
        let data = bundled(set).unwrap();
        [data.train.checksum().to_string(), data.test.checksum().to_string()]
    };
    assert_eq!(checksums(SetName::Mnist), ["e0a6429a", "65e08b44"]);
    assert_eq!(checksums(SetName::FashionMnist), ["0183a56b", "757e10df"]);
}

#[test]
fn no_image_stands_twice_in_a_part() {
    for set in SetName::BUNDLED {
        let data = bundled(set).unwrap();
        for part in [&data.train, &data.test] {
            assert_eq!(pairs(part).len(), part.count(), "{set}");
        }
    }
}

#[test]
#[ignore = "needs the full sets: PATCHGRAD_DATA_DIR=DIR cargo test -p patchgrad-datasets -- --ignored"]
fn the_samples_are_drawn_from_the_full_sets_as_described() {
    let folder = std::env::var_os("PATCHGRAD_DATA_DIR").expect("PATCHGRAD_DATA_DIR names the folder of the full sets");
    for set in SetName::BUNDLED {
        let full = catalog::open(set, &folder).unwrap();
        assert_eq!((full.train.count(), full.test.count()), (60_000, 10_000));
        let sample = bundled(set).unwrap();

        assert!(pairs(&sample.train).is_subset(&pairs(&full.train)), "{set}: training part");
        assert!(pairs(&sample.test).is_subset(&pairs(&full.test)), "{set}: test part");

        let again = samples::draw(&full, samples::SEED).unwrap();
        assert!(again.train == sample.train, "{set}: another draw of the training part");
        assert!(again.test == sample.test, "{set}: another draw of the test part");
    }
}

/// Every image with its label.
fn pairs(part: &LabelledImages) -> HashSet<(&[u8], u8)> {
    (0..part.count()).map(|index| (part.images().image(index), part.labels()[index])).collect()
}
