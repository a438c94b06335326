//! CIFAR-10, CIFAR-100 and SVHN as whole sets: synthetic pictures in the official files, under their official names.

mod common;

use std::fs;
use std::path::Path;

use common::{MAT_STYLES, cifar_record, gzip, is_as_written, svhn, tar};
use patchgrad_datasets::svhn::SvhnProblem;
use patchgrad_datasets::{DataSet, ImageShape, Problem, SetName, TarProblem, cifar, open};

const COLOUR: ImageShape = ImageShape { height: 32, width: 32, channels: 3 };

/// The six batches of CIFAR-10 with 2, 3, 4, 5, 6 and 7 pictures, numbered through.
fn cifar_10_files() -> Vec<(String, Vec<u8>)> {
    let names = (1..=5).map(|number| format!("data_batch_{number}.bin")).chain(["test_batch.bin".to_owned()]);
    let mut index = 0;
    names
        .zip(2..)
        .map(|(name, count)| {
            let records = (index..index + count).flat_map(|index| cifar_record(index, &[(index % 10) as u8])).collect();
            index += count;
            (name, records)
        })
        .collect()
}

fn cifar_100_files() -> Vec<(String, Vec<u8>)> {
    let records = |range: std::ops::Range<usize>| {
        range.flat_map(|index| cifar_record(index, &[(index % 20) as u8, (99 - index) as u8])).collect()
    };
    vec![("train.bin".to_owned(), records(0..5)), ("test.bin".to_owned(), records(5..7))]
}

fn write_all(folder: &Path, files: &[(String, Vec<u8>)]) {
    fs::create_dir_all(folder).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
}

/// An archive as published: a folder, texts beside the batches, and the batches in another order than needed.
fn archive(folder: &str, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let name = |name: &str| format!("{folder}/{name}");
    let mut entries = vec![(name("batches.meta.txt"), b"airplane\nautomobile\n".to_vec())];
    entries.extend(files.iter().rev().map(|(file, content)| (name(file), content.clone())));
    let entries: Vec<(&str, Vec<u8>)> =
        entries.iter().map(|(name, content)| (name.as_str(), content.clone())).collect();
    gzip(&tar(&entries))
}

fn assert_cifar_10(data: &DataSet) {
    assert_eq!((data.train.count(), data.test.count(), data.train.classes()), (20, 7, 10));
    assert_eq!(data.train.images().shape(), COLOUR);
    assert!(data.train.labels().iter().copied().eq((0..20).map(|index| index % 10)));
    assert!(data.test.labels().iter().copied().eq((20..27).map(|index| index % 10)));
    assert!(is_as_written(data.train.images().pixels(), 0) && is_as_written(data.test.images().pixels(), 20));
    assert_eq!(data.class_names[9], "truck");
}

#[test]
fn cifar_10_is_read_from_batches_and_from_its_archive() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("cifar-10");
    let batches = home.join("cifar-10-batches-bin");
    write_all(&batches, &cifar_10_files());
    assert_cifar_10(&open(SetName::Cifar10, folder.path()).unwrap());

    // One batch compressed in place.
    let packed = gzip(&fs::read(batches.join("data_batch_3.bin")).unwrap());
    fs::write(batches.join("data_batch_3.bin.gz"), packed).unwrap();
    fs::remove_file(batches.join("data_batch_3.bin")).unwrap();
    assert_cifar_10(&open(SetName::Cifar10, folder.path()).unwrap());

    fs::remove_dir_all(&batches).unwrap();
    fs::write(home.join("cifar-10-binary.tar.gz"), archive("cifar-10-batches-bin", &cifar_10_files())).unwrap();
    assert_cifar_10(&open(SetName::Cifar10, folder.path()).unwrap());
}

#[test]
fn cifar_100_is_read_from_parts_and_from_its_archive() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("cifar-100");
    let check = |data: &DataSet| {
        assert_eq!(data.train.labels(), [99, 98, 97, 96, 95]);
        assert_eq!((data.test.labels(), data.test.classes()), (&[94, 93][..], 100));
        assert!(is_as_written(data.train.images().pixels(), 0) && is_as_written(data.test.images().pixels(), 5));
        assert_eq!((data.class_names.len(), data.class_names[99].as_str()), (100, "worm"));
    };
    write_all(&home.join("cifar-100-binary"), &cifar_100_files());
    check(&open(SetName::Cifar100, folder.path()).unwrap());
    fs::remove_dir_all(home.join("cifar-100-binary")).unwrap();
    let packed = archive("cifar-100-binary", &cifar_100_files());
    fs::write(home.join("cifar-100-binary.tar.gz"), &packed).unwrap();
    check(&open(SetName::Cifar100, folder.path()).unwrap());
    let [train, test] = cifar::archive_100_from_bytes("memory", &packed).unwrap();
    assert_eq!((train.coarse.as_slice(), test.coarse.as_slice()), (&[0, 1, 2, 3, 4][..], &[5, 6][..]));
}

#[test]
fn archives_that_lack_a_batch_or_hold_another_set_say_so() {
    let mut files = cifar_10_files();
    let batch = files.remove(2);
    let error = cifar::archive_10_from_bytes("memory", &archive("x", &files)).unwrap_err();
    assert!(
        matches!(&error.problem, Problem::Tar(TarProblem::Missing { names }) if names == &["data_batch_3.bin"]),
        "{error}"
    );
    files.extend([batch.clone(), batch]);
    let error = cifar::archive_10_from_bytes("memory", &archive("x", &files)).unwrap_err();
    assert!(matches!(error.problem, Problem::Tar(TarProblem::Twice { name: "data_batch_3.bin" })), "{error}");
    let error = cifar::archive_10_from_bytes("memory", &archive("x", &cifar_100_files())).unwrap_err();
    assert!(error.to_string().contains("does not contain data_batch_1.bin, data_batch_2.bin"), "{error}");
}

#[test]
fn what_is_missing_is_listed_with_the_archive_that_would_do() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("cifar-10");
    write_all(&home.join("cifar-10-batches-bin"), &cifar_10_files()[1..]);
    let error = open(SetName::Cifar10, folder.path()).unwrap_err();
    let Problem::NeitherFilesNorArchive { looked_for, archive } = &error.problem else { panic!("{error}") };
    assert_eq!(*looked_for, [home.join("cifar-10-batches-bin/data_batch_1.bin")]);
    assert_eq!(*archive, home.join("cifar-10-binary.tar.gz"));
    let error = open(SetName::Svhn, folder.path()).unwrap_err();
    assert!(matches!(&error.problem, Problem::MissingFiles { looked_for } if looked_for.len() == 2), "{error}");
}

#[test]
fn svhn_is_read_in_every_style_with_10_as_digit_0() {
    for style in MAT_STYLES {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("svhn");
        fs::create_dir(&home).unwrap();
        fs::write(home.join("train_32x32.mat"), svhn(style, &[1, 10, 9, 10, 2])).unwrap();
        fs::write(home.join("test_32x32.mat"), svhn(style, &[10])).unwrap();
        let data = open(SetName::Svhn, folder.path()).unwrap();
        assert_eq!((data.train.labels(), data.test.labels()), (&[1, 0, 9, 0, 2][..], &[0][..]), "{style:?}");
        assert_eq!(data.train.images().shape(), COLOUR);
        assert!(is_as_written(data.train.images().pixels(), 0) && is_as_written(data.test.images().pixels(), 0));
    }
}

#[test]
fn truncated_svhn_says_how_many_pictures_are_complete() {
    // Plain: the pictures begin at 128 (header) + 8 (variable) + 16 (flags) + 24 (dimensions) + 8 (name) + 8 (tag).
    let whole = svhn(MAT_STYLES[0], &[1, 2, 3, 4, 5]);
    let error = patchgrad_datasets::svhn::from_bytes("memory", &whole[..192 + 3 * 3072 + 3071]).unwrap_err();
    assert!(matches!(error.problem, Problem::Svhn(SvhnProblem::CutShort { complete: 3, announced: 5, .. })), "{error}");
    assert!(error.to_string().contains("3 complete pictures of the 5 announced"), "{error}");

    // Compressed: a committed file of which the end was cut off; see the script beside it.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/matlab/svhn_truncated.mat");
    let error = patchgrad_datasets::svhn::read(&path).unwrap_err();
    assert_eq!(error.path, path);
    assert!(matches!(error.problem, Problem::Svhn(SvhnProblem::CutShort { complete: 2, announced: 4, .. })), "{error}");
}

#[test]
fn matlab_files_that_are_not_svhn_say_what_they_are() {
    let problem = |bytes: &[u8]| patchgrad_datasets::svhn::from_bytes("memory", bytes).unwrap_err().to_string();
    let writer = || common::MatWriter::new(MAT_STYLES[1]);
    let labels = |value: u8| (6, 0, [1, 1], [(2, vec![value])]);
    let (class, flags, dims, parts) = labels(3);
    let only_y = writer().variable("y", class, flags, &dims, &parts).finish();
    assert!(problem(&only_y).contains("no variable \"X\", only y"), "{}", problem(&only_y));
    let grey = writer().variable("X", 9, 0, &[32, 32], &[(2, vec![0; 1024])]);
    let grey = grey.variable("y", class, flags, &dims, &parts).finish();
    assert!(problem(&grey).contains("X is uint8 [32, 32], expected uint8 [32, 32, 3, N]"), "{}", problem(&grey));
    for (digit, accepted) in [(0, false), (1, true), (10, true), (11, false)] {
        let outcome = patchgrad_datasets::svhn::from_bytes("memory", &svhn(MAT_STYLES[3], &[1, digit]));
        assert_eq!(outcome.is_ok(), accepted, "{digit}");
    }
    assert!(problem(&svhn(MAT_STYLES[0], &[1, 11])).contains("y(2) is 11, expected 1 to 10"));
}

/// On the real files: run with `PATCHGRAD_DATA_DIR=DIR cargo test -p patchgrad-datasets -- --ignored`.
#[test]
#[ignore = "needs the first 1,083 crops of SVHN and the truncated original in PATCHGRAD_DATA_DIR/svhn-1083"]
fn real_crops_have_their_published_counts_and_the_truncated_original_is_counted() {
    let folder = Path::new(&std::env::var("PATCHGRAD_DATA_DIR").expect("PATCHGRAD_DATA_DIR")).join("svhn-1083");
    let crops = patchgrad_datasets::svhn::read(folder.join("train_first1083_32x32.mat")).unwrap();
    let mut counts = [0; 10];
    crops.labels().iter().for_each(|&label| counts[usize::from(label)] += 1);
    assert_eq!(counts, [66, 227, 141, 134, 110, 112, 78, 70, 78, 67]);

    let error = patchgrad_datasets::svhn::read(folder.join("train_32x32.truncated.mat")).unwrap_err();
    println!("{error}");
    let Problem::Svhn(SvhnProblem::CutShort { complete, announced, .. }) = error.problem else { panic!("{error}") };
    assert_eq!((complete, announced), (1_083, 73_257));
}

/// On the real files, as above.
#[test]
#[ignore = "needs CIFAR-10 in PATCHGRAD_DATA_DIR/cifar-10"]
fn the_real_cifar_10_is_balanced() {
    let data = open(SetName::Cifar10, std::env::var("PATCHGRAD_DATA_DIR").expect("PATCHGRAD_DATA_DIR")).unwrap();
    for (part, each) in [(&data.train, 5_000), (&data.test, 1_000)] {
        for class in 0..10 {
            assert_eq!(part.labels().iter().filter(|&&label| label == class).count(), each);
        }
    }
    // The first test picture is a cat (3); its first pixel in the published file.
    assert_eq!((data.test.labels()[0], &data.test.images().image(0)[..3]), (3, &[158, 112, 49][..]));
}
