//! The same kinds of damage to a file of every format that is read piece by piece or through another crate: cut short,
//! flipped bits, surplus, and headers that claim gigabytes.
//!
//! Always: no panic, errors name their file, and memory stays bounded by the file. Where a format has a checksum, also:
//! never other data.

mod common;

use common::{MAT_STYLES, MatWriter, cifar_record, gzip, svhn, tar};
use patchgrad_datasets::npz::Packing;
use patchgrad_datasets::pictures::{self, Options};
use patchgrad_datasets::{Checksum, DataError, LabelledImages, NpyArray, cifar, matlab, npz};
use proptest::prelude::*;

/// What was read, as text that is the same only for the same data.
type Outcome = Result<String, DataError>;

struct Format {
    name: &'static str,
    sound: Vec<u8>,
    /// Bytes after unpacking.
    unpacked: usize,
    /// Whether the format notices any change of its data.
    is_checked: bool,
    read: fn(&[u8]) -> Outcome,
}

const NAME: &str = "some/file";

fn labelled(images: &LabelledImages) -> String {
    format!("{} {} {:?}", images.images().shape(), images.checksum(), images.labels())
}

fn read_cifar_10(bytes: &[u8]) -> Outcome {
    cifar::batch_10_from_bytes(NAME, bytes).map(|batch| labelled(&batch))
}

fn read_cifar_100(bytes: &[u8]) -> Outcome {
    cifar::batch_100_from_bytes(NAME, bytes).map(|part| format!("{} {:?}", labelled(&part.fine), part.coarse))
}

fn read_archive(bytes: &[u8]) -> Outcome {
    cifar::archive_100_from_bytes(NAME, bytes).map(|parts| parts.map(|part| labelled(&part.fine)).concat())
}

fn read_matlab(bytes: &[u8]) -> Outcome {
    matlab::from_bytes(NAME, bytes).map(|variables| format!("{variables:?}"))
}

fn read_svhn(bytes: &[u8]) -> Outcome {
    patchgrad_datasets::svhn::from_bytes(NAME, bytes).map(|part| labelled(&part))
}

fn read_npz(bytes: &[u8]) -> Outcome {
    npz::from_bytes(NAME, bytes).map(|arrays| format!("{arrays:?}"))
}

fn read_picture(bytes: &[u8]) -> Outcome {
    let picture = pictures::from_bytes(NAME, bytes, &Options::default())?;
    Ok(format!("{} {}", picture.shape(), Checksum::of(&[picture.pixels()])))
}

fn npz_bytes(packing: Packing) -> Vec<u8> {
    let array = |count: usize| NpyArray { shape: vec![count], data: (0..count).map(|i| i as f32 * 0.5).collect() };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    npz::write(&path, &[("features", &array(40)), ("labels", &array(5))], packing).unwrap();
    std::fs::read(path).unwrap()
}

fn formats() -> Vec<Format> {
    let records = |labels: &[u8]| -> Vec<u8> { (0..2).flat_map(|index| cifar_record(index, labels)).collect() };
    let archive = tar(&[("c/train.bin", records(&[1, 2])), ("c/test.bin", records(&[3, 4]))]);
    let matlab = |style| {
        let double =
            (9, (0..12u8).flat_map(|i| if i % 3 == 0 { [63, i, 0, 0, 0, 0, i, 64] } else { [0; 8] }).collect());
        MatWriter::new(style).variable("double", 6, 0, &[3, 4], &[double]).finish()
    };
    let picture = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures").join(name);
        std::fs::read(path).unwrap()
    };
    let format = |name, sound: Vec<u8>, unpacked: usize, is_checked, read: fn(&[u8]) -> Outcome| Format {
        name,
        unpacked: unpacked.max(sound.len()),
        sound,
        is_checked,
        read,
    };
    vec![
        format("CIFAR-10", records(&[7]), 0, false, read_cifar_10),
        format("CIFAR-10 in gzip", gzip(&records(&[7])), 6146, true, read_cifar_10),
        format("CIFAR-100", records(&[7, 70]), 0, false, read_cifar_100),
        format("tar", archive.clone(), 0, false, read_archive),
        format("tar.gz", gzip(&archive), archive.len(), true, read_archive),
        format("MATLAB, plain", matlab(MAT_STYLES[0]), 0, false, read_matlab),
        format("MATLAB, compressed", matlab(MAT_STYLES[1]), 300, true, read_matlab),
        format("MATLAB, big-endian", matlab(MAT_STYLES[2]), 0, false, read_matlab),
        format("SVHN, plain", svhn(MAT_STYLES[2], &[1, 10]), 0, false, read_svhn),
        format("SVHN, compressed", svhn(MAT_STYLES[1], &[1, 10, 3]), 9500, true, read_svhn),
        format("npz, stored", npz_bytes(Packing::Stored), 0, false, read_npz),
        format("npz, deflated", npz_bytes(Packing::Deflated), 700, false, read_npz),
        format("PNG", picture("colour.png"), 72, true, read_picture),
        format("PNG with a palette", picture("palette.png"), 72, false, read_picture),
        // JPEG has no checksum: a changed size is believed as far as a file of this length can hold it.
        format("JPEG", picture("colour_200_100_50.jpeg"), 1032 * 631, false, read_picture),
        format("JPEG, progressive", picture("progressive.jpg"), 1032 * 521, false, read_picture),
    ]
}

/// Reads what was made of a sound file, and checks what holds for any file.
fn read(format: &Format, bytes: &[u8], what: &str) -> Option<String> {
    let mut outcome = None;
    let memory = allocation_counter::measure(|| outcome = Some((format.read)(bytes)));
    // A decoder's tables and buffers take a few hundred KiB, whatever the file.
    let bound = (2 << 20) + 16 * format.unpacked.max(bytes.len()) as u64;
    assert!(memory.bytes_max <= bound, "{}, {what}: {} bytes allocated", format.name, memory.bytes_max);
    match outcome.expect("measured") {
        Ok(data) => Some(data),
        Err(error) => {
            assert!(error.to_string().starts_with("some/file: "), "{}, {what}: {error}", format.name);
            None
        }
    }
}

/// Every place in a short file; in a longer one every place near both ends and some two hundred between.
fn places(length: usize) -> impl Iterator<Item = usize> {
    let step = (length / 200).max(1);
    (0..length).filter(move |place| *place < 300 || length - place < 100 || place.is_multiple_of(step))
}

#[test]
fn undamaged_files_are_read() {
    for format in formats() {
        assert!(read(&format, &format.sound, "sound").is_some(), "{}", format.name);
    }
}

#[test]
fn cut_files_are_errors() {
    for format in formats() {
        let sound = read(&format, &format.sound, "sound");
        for length in places(format.sound.len()) {
            let outcome = read(&format, &format.sound[..length], &format!("{length} bytes"));
            // A batch may end after any record; marks at the end of a picture or archive carry no data.
            let is_batch = format.name == "CIFAR-10" && length == 3073 || format.name == "CIFAR-100" && length == 3074;
            assert!(outcome.is_none() || is_batch || outcome == sound, "{}: {length} bytes", format.name);
            assert!(outcome.is_none() || length > 0, "{}: nothing", format.name);
        }
    }
}

#[test]
fn flipped_bits_never_give_other_data_where_there_is_a_checksum() {
    for format in formats() {
        let sound = read(&format, &format.sound, "sound");
        for place in places(format.sound.len()) {
            for bit in 0..8 {
                let mut damaged = format.sound.clone();
                damaged[place] ^= 1 << bit;
                let outcome = read(&format, &damaged, &format!("bit {bit} of byte {place}"));
                let is_sound = outcome.is_none() || outcome == sound;
                assert!(is_sound || !format.is_checked, "{}: bit {bit} of byte {place}", format.name);
            }
        }
    }
}

#[test]
fn surplus_never_gives_other_data() {
    for format in formats() {
        let sound = read(&format, &format.sound, "sound");
        for tail in [&[0u8][..], &[0; 4096], b"\x1f\x8b", b"text", &[0xff; 8]] {
            let outcome = read(&format, &[&format.sound, tail].concat(), &format!("{} bytes more", tail.len()));
            assert!(outcome.is_none() || outcome == sound, "{}: {} bytes more", format.name, tail.len());
        }
    }
}

#[test]
fn claims_of_gigabytes_are_refused_or_found_empty_in_bounded_memory() {
    for format in formats() {
        for place in places(format.sound.len().saturating_sub(4)) {
            for claim in [0xffff_ffffu32, 0x8000_0000, 0x7fff_ffff, 0x0fff_fff8] {
                for bytes in [claim.to_le_bytes(), claim.to_be_bytes()] {
                    let mut damaged = format.sound.clone();
                    damaged[place..place + 4].copy_from_slice(&bytes);
                    read(&format, &damaged, &format!("{claim:#x} at {place}"));
                }
            }
        }
    }
    // The sizes of tar are octal digits: 8 GiB - 1.
    let mut claim = formats().remove(3);
    assert_eq!(claim.name, "tar");
    claim.sound[124..135].fill(b'7');
    claim.sound[148..156].fill(b' ');
    let sum: u32 = claim.sound[..512].iter().map(|&byte| u32::from(byte)).sum();
    claim.sound[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    assert!(read(&claim, &claim.sound, "8 GiB").is_none());
    assert!(read(&claim, &gzip(&claim.sound), "8 GiB in gzip").is_none());
}

#[test]
fn a_compressed_variable_that_claims_more_than_it_holds_is_counted() {
    // 4 GB of pictures announced, three there, in both byte orders.
    for style in [MAT_STYLES[1], MAT_STYLES[3]] {
        let mut pictures = vec![0; 3 * 3072];
        pictures[0] = 1;
        let bytes = MatWriter::new(style).variable("X", 9, 0, &[32, 32, 3, 3], &[(2, pictures)]).finish();
        // Unpack, enlarge the claims of matrix, dimension and numbers, pack again.
        let mut inner = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(&bytes[136..]), &mut inner).unwrap();
        let put = |inner: &mut Vec<u8>, place: usize, value: u32| {
            let bytes = if style.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
            inner[place..place + 4].copy_from_slice(&bytes);
        };
        let count = 1_398_101;
        put(&mut inner, 4, 64 + count * 3072);
        put(&mut inner, 8 + 16 + 8 + 12, count);
        put(&mut inner, 8 + 16 + 24 + 8 + 4, count * 3072);
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, &inner).unwrap();
        let packed = encoder.finish().unwrap();
        let mut file = bytes[..136].to_vec();
        let size = packed.len() as u32;
        file[132..136].copy_from_slice(&if style.big_endian { size.to_be_bytes() } else { size.to_le_bytes() });
        file.extend(packed);
        let mut error = None;
        let memory = allocation_counter::measure(|| error = read_svhn(&file).err());
        let error = error.unwrap().to_string();
        assert!(error.contains("3 complete pictures of the 1398101 announced"), "{error}");
        assert!(memory.bytes_max < 1 << 20, "{}", memory.bytes_max);
    }
}

/// Seeds for the fuzz targets, see `fuzz/README.md`.
#[test]
#[ignore = "writes files into PATCHGRAD_FUZZ_SEEDS"]
fn sound_files_are_written_as_seeds() {
    let folder = std::path::PathBuf::from(std::env::var("PATCHGRAD_FUZZ_SEEDS").expect("PATCHGRAD_FUZZ_SEEDS"));
    let write = |target: &str, number: usize, bytes: &[u8]| {
        std::fs::create_dir_all(folder.join(target)).unwrap();
        std::fs::write(folder.join(target).join(format!("seed_{number}")), bytes).unwrap();
    };
    for (number, format) in formats().iter().enumerate() {
        let target = match format.name.split([' ', ',', '-', '.']).next().unwrap() {
            "CIFAR" => "cifar",
            "tar" => "cifar_archive",
            "MATLAB" => "matlab",
            "SVHN" => "svhn",
            "npz" => "npz",
            _ => "picture",
        };
        write(target, number, &format.sound);
    }
    let images = [&[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2][..], &[1, 2, 3, 4]].concat();
    write("idx", 0, &images);
    write("idx", 1, &gzip(&images));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn several_patches_at_random_never_panic(
        patches in prop::collection::vec((any::<prop::sample::Index>(), any::<[u8; 3]>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        for format in formats() {
            let mut bytes = format.sound.clone();
            for (place, patch) in &patches {
                let place = place.index(bytes.len());
                let end = (place + patch.len()).min(bytes.len());
                bytes[place..end].copy_from_slice(&patch[..end - place]);
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            read(&format, &bytes, "patched");
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for format in formats() {
            read(&format, &bytes, "random");
            read(&format, &gzip(&bytes), "random in gzip");
        }
    }
}
