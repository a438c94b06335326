//! Damaged and hostile files: always an error with a path, never a panic, and never silently other data
//! where the format makes damage detectable.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use patchgrad_datasets::{DataError, Images, NpyArray, Problem, idx, npy};
use proptest::prelude::*;

/// 3 images of 4 x 5 with varied pixels.
fn plain_images() -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5];
    bytes.extend((0..60u32).map(|i| (i * i * 7 + i) as u8));
    bytes
}

fn plain_labels() -> Vec<u8> {
    vec![0, 0, 8, 1, 0, 0, 0, 5, 3, 1, 4, 1, 5]
}

fn npy_bytes() -> Vec<u8> {
    npy::to_bytes(&NpyArray { shape: vec![2, 3], data: vec![0.5, -1.0, 2.0, 3.5, 4.0, -5.0] })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn read_images(bytes: &[u8]) -> Result<Images, DataError> {
    idx::images_from_bytes("some/images", bytes)
}

fn read_labels(bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    idx::labels_from_bytes("some/labels", bytes, 10)
}

fn read_npy(bytes: &[u8]) -> Result<NpyArray, DataError> {
    npy::from_bytes("some/array", bytes)
}

/// Reads with every reader; the point is that none panics and that errors name their path.
fn read_with_all(bytes: &[u8]) -> [bool; 3] {
    fn ok<T>(outcome: Result<T, DataError>) -> bool {
        if let Err(error) = &outcome {
            assert!(error.to_string().starts_with("some/"), "{error}");
        }
        outcome.is_ok()
    }
    [ok(read_images(bytes)), ok(read_labels(bytes)), ok(read_npy(bytes))]
}

#[test]
fn undamaged_files_are_read_plain_and_compressed() {
    assert_eq!(read_images(&plain_images()).unwrap(), read_images(&gzip(&plain_images())).unwrap());
    assert_eq!(read_labels(&gzip(&plain_labels())).unwrap(), [3, 1, 4, 1, 5]);
    assert_eq!(read_npy(&gzip(&npy_bytes())).unwrap(), read_npy(&npy_bytes()).unwrap());
}

#[test]
fn every_truncation_is_an_error() {
    for whole in [plain_images(), plain_labels(), npy_bytes()] {
        for bytes in [whole.clone(), gzip(&whole)] {
            for length in 0..bytes.len() {
                assert_eq!(read_with_all(&bytes[..length]), [false; 3], "{length} of {} bytes", bytes.len());
            }
        }
    }
}

#[test]
fn every_extension_is_an_error() {
    for whole in [plain_images(), plain_labels(), npy_bytes()] {
        for bytes in [whole.clone(), gzip(&whole)] {
            for tail in [&[0u8][..], &[0; 4096], b"\x1f\x8b", b"text"] {
                assert_eq!(read_with_all(&[&bytes, tail].concat()), [false; 3], "{} bytes more", tail.len());
            }
        }
        // Surplus inside an otherwise sound gzip stream, and in a second member of it.
        assert_eq!(read_with_all(&gzip(&[&whole[..], &[0]].concat())), [false; 3]);
        assert_eq!(read_with_all(&[gzip(&whole), gzip(&[0])].concat()), [false; 3]);
    }
}

#[test]
fn gzip_in_several_members_is_one_file() {
    let whole = plain_images();
    let members = [gzip(&whole[..20]), gzip(&whole[20..])].concat();
    assert_eq!(read_images(&members).unwrap(), read_images(&whole).unwrap());
}

#[test]
fn every_flipped_bit_of_a_gzip_is_noticed_or_harmless() {
    // Noise is stored as it is, stripes are packed with a code of their own: two kinds of deflate blocks.
    let mut stripes = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 40, 0, 0, 0, 40];
    stripes.extend((0..3200u32).map(|i| (i % 40 * (i / 40 % 7)) as u8));
    for whole in [plain_images(), stripes] {
        let packed = gzip(&whole);
        let sound = read_images(&packed).unwrap();
        let mut harmless = 0;
        for bit in 0..8 * packed.len() {
            let mut damaged = packed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            if let Ok(images) = read_images(&damaged) {
                assert!(images == sound, "bit {bit} changed the data unnoticed");
                harmless += 1;
            }
        }
        // Time stamp (32 bits), hints (8), operating system (8), text flag, and padding of deflate blocks (under 8 each).
        assert!(harmless <= 32 + 8 + 8 + 1 + 2 * 7, "{harmless} of {} flips unnoticed", 8 * packed.len());
    }
}

#[test]
fn every_flipped_bit_of_a_plain_header_is_an_error() {
    for bit in 0..8 * 16 {
        let mut damaged = plain_images();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(read_images(&damaged).is_err(), "bit {bit}");
    }
    for bit in 0..8 * 8 {
        let mut damaged = plain_labels();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(read_labels(&damaged).is_err(), "bit {bit}");
    }
}

#[test]
fn claims_of_gigabytes_are_refused_before_anything_is_read() {
    // 65536 images of 256 x 256: 4 GiB.
    let mut claim = plain_images();
    claim[4..16].copy_from_slice(&[0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0]);
    let claimed = 16 + (1 << 32);
    let error = read_images(&claim).unwrap_err();
    assert!(matches!(error.problem, Problem::TooShort { expected, found: 76 } if expected == claimed), "{error}");

    let packed = gzip(&claim);
    let stored = packed.len() as u64;
    let error = read_images(&packed).unwrap_err();
    assert!(
        matches!(error.problem, Problem::ImpossibleClaim { claimed: c, stored: s, limit }
            if c == claimed && s == stored && limit == 1032 * stored),
        "{error}"
    );

    // npy: a header text of 4 GB, an array of 4 GB, and shapes whose product leaves u64.
    let header = b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr'";
    let expected_size = 12 + 0xffff_ffff;
    let error = read_npy(header).unwrap_err();
    assert!(matches!(error.problem, Problem::TooShort { expected, found: 20 } if expected == expected_size), "{error}");
    assert!(matches!(read_npy(&npy_claiming("(1073741824,)")).unwrap_err().problem, Problem::TooShort { .. }));
    let overflow = read_npy(&npy_claiming("(4294967296, 4294967296, 4)")).unwrap_err();
    assert!(matches!(overflow.problem, Problem::Overflow { .. }), "{overflow}");
    let deep = read_npy(&npy_claiming(&format!("({})", "1, ".repeat(65)))).unwrap_err();
    assert!(matches!(deep.problem, Problem::NpyRank { rank: 65, .. }), "{deep}");
    let nested = read_npy(&npy_claiming(&"(".repeat(50_000))).unwrap_err();
    assert!(matches!(nested.problem, Problem::NpyHeader { .. }), "{nested}");
}

fn npy_claiming(shape: &str) -> Vec<u8> {
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    let length = u16::try_from(text.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes()].concat()
}

#[test]
fn a_gzip_bomb_is_left_after_one_surplus_byte() {
    // The header promises 60 pixels; 64 MiB of zeros follow.
    let mut bomb = plain_images();
    bomb.resize(64 << 20, 0);
    let error = read_images(&gzip(&bomb)).unwrap_err();
    assert!(matches!(error.problem, Problem::TooLong { expected: 76, found: 77 }), "{error}");
}

#[test]
fn a_possible_claim_that_is_not_kept_is_reported_with_what_arrived() {
    let mut claim = plain_images();
    claim[7] = 9; // 9 images announced, 3 there: within what gzip could hold
    let error = read_images(&gzip(&claim)).unwrap_err();
    assert!(matches!(error.problem, Problem::TooShort { expected: 196, found: 76 }), "{error}");
}

#[test]
fn damage_on_disk_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train-images-idx3-ubyte.gz");
    let mut packed = gzip(&plain_images());
    packed.truncate(packed.len() - 3);
    std::fs::write(&path, packed).unwrap();
    let error = idx::read_images(&path).unwrap_err();
    assert_eq!(error.path, path);
    assert!(matches!(error.problem, Problem::CorruptGzip { arrived: 76, .. }), "{error}");
    assert!(idx::read_images(folder.path()).is_err(), "a folder is not a file");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_with_all(&bytes);
        read_with_all(&gzip(&bytes));
    }

    #[test]
    fn random_headers_and_bodies_never_panic(
        rank in 0u8..5,
        dims in prop::collection::vec(prop_oneof![0u32..6, any::<u32>()], 0..5),
        body in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut bytes = vec![0, 0, 8, rank];
        bytes.extend(dims.iter().flat_map(|dim| dim.to_be_bytes()));
        bytes.extend(body);
        read_with_all(&bytes);
        read_with_all(&gzip(&bytes));
    }

    #[test]
    fn overwritten_npy_headers_never_panic(
        position in 0usize..128,
        patch in "[-0-9(),':{} TF<>|fiub]{1,12}",
    ) {
        let mut bytes = npy_bytes();
        let end = (position + patch.len()).min(bytes.len());
        bytes[position..end].copy_from_slice(&patch.as_bytes()[..end - position]);
        read_with_all(&bytes);
    }

    #[test]
    fn what_is_written_is_read(
        [count, height, width] in [1usize..6, 1usize..9, 1usize..9],
        seed in any::<u64>(),
    ) {
        let pixels = (0..(count * height * width) as u64).map(|i| (seed.wrapping_mul(i + 1) >> 56) as u8).collect();
        let shape = patchgrad_datasets::ImageShape { height, width, channels: 1 };
        let images = Images::new(shape, pixels);
        let folder = tempfile::tempdir().unwrap();
        for name in ["images", "images.gz"] {
            let path = folder.path().join(name);
            idx::write_images(&path, &images).unwrap();
            prop_assert_eq!(&idx::read_images(&path).unwrap(), &images);
        }
    }
}
