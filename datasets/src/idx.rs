//! The idx format of MNIST and its relatives, plain or gzip (told apart by content, not by name).
//!
//! Layout: two zero bytes, a type code (0x08 = unsigned byte), the rank, one big-endian u32 per dimension, then the
//! elements, last dimension fastest. Images have rank 3 (count, height, width), labels rank 1 (count).
//!
//! Readers trust nothing: a claimed size is compared with the size of the file before memory is allocated for it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use byteorder::{BigEndian, ByteOrder, WriteBytesExt};
use flate2::{Compression, GzBuilder};

use crate::labelled::check_labels;
use crate::source::Source;
use crate::{DataError, ImageShape, Images, Problem};

const UNSIGNED_BYTE: u8 = 0x08;
const IMAGE_RANK: u8 = 3;
const LABEL_RANK: u8 = 1;

/// Reads grey images, [N, H, W, 1].
///
/// # Errors
///
/// When the file cannot be read, or is not exactly what its header announces.
pub fn read_images(path: impl AsRef<Path>) -> Result<Images, DataError> {
    images(Source::open(path.as_ref())?)
}

/// The same as [`read_images`] for a file held in memory; `name` stands for the path in messages.
///
/// # Errors
///
/// As for [`read_images`].
pub fn images_from_bytes(name: &str, bytes: &[u8]) -> Result<Images, DataError> {
    images(Source::from_bytes(name, bytes)?)
}

/// Reads labels, each below `classes`.
///
/// # Errors
///
/// When the file cannot be read, is not exactly what its header announces, or holds a label out of range.
pub fn read_labels(path: impl AsRef<Path>, classes: usize) -> Result<Vec<u8>, DataError> {
    labels(Source::open(path.as_ref())?, classes)
}

/// The same as [`read_labels`] for a file held in memory; `name` stands for the path in messages.
///
/// # Errors
///
/// As for [`read_labels`].
pub fn labels_from_bytes(name: &str, bytes: &[u8], classes: usize) -> Result<Vec<u8>, DataError> {
    labels(Source::from_bytes(name, bytes)?, classes)
}

fn images(mut source: Source) -> Result<Images, DataError> {
    let (dims, pixels) = array(&mut source, IMAGE_RANK)?;
    Ok(Images::new(ImageShape { height: dims[1], width: dims[2], channels: 1 }, pixels))
}

fn labels(mut source: Source, classes: usize) -> Result<Vec<u8>, DataError> {
    let (_, labels) = array(&mut source, LABEL_RANK)?;
    check_labels(&labels, classes).map_err(|problem| source.error(problem))?;
    Ok(labels)
}

/// Reads a whole file of the given rank: its dimensions, none of them zero, and its elements.
fn array(source: &mut Source, rank: u8) -> Result<(Vec<usize>, Vec<u8>), DataError> {
    let magic = source.read_header(4)?;
    check_magic([magic[0], magic[1], magic[2], magic[3]], rank).map_err(|problem| source.error(problem))?;
    let header = source.read_header(4 * usize::from(rank))?;
    let (dims, size) = dimensions(&header).map_err(|problem| source.error(problem))?;
    let elements = source.read_rest(size)?;
    Ok((dims, elements))
}

fn check_magic(magic: [u8; 4], expected: u8) -> Result<(), Problem> {
    match magic {
        [0, 0, UNSIGNED_BYTE, rank] if rank == expected => Ok(()),
        [0, 0, UNSIGNED_BYTE, rank] => Err(Problem::IdxRank { rank, expected }),
        [0, 0, code, _] => Err(Problem::IdxType { code }),
        found => Err(Problem::NotIdx { found }),
    }
}

/// The dimensions in `header` and their product.
fn dimensions(header: &[u8]) -> Result<(Vec<usize>, usize), Problem> {
    let claimed = || header.chunks_exact(4).map(|dim| u64::from(BigEndian::read_u32(dim))).collect();
    let mut dims = Vec::new();
    let mut size = 1usize;
    for bytes in header.chunks_exact(4) {
        let dim = BigEndian::read_u32(bytes) as usize;
        if dim == 0 {
            return Err(Problem::NoData { dims: claimed() });
        }
        size = size.checked_mul(dim).ok_or_else(|| Problem::Overflow { dims: claimed() })?;
        dims.push(dim);
    }
    Ok((dims, size))
}

/// Writes grey images, compressed if the name ends in `.gz`; the same images always give the same bytes.
///
/// # Errors
///
/// When the file cannot be written, or the images have more than one channel.
pub fn write_images(path: impl AsRef<Path>, images: &Images) -> Result<(), DataError> {
    let ImageShape { height, width, channels } = images.shape();
    let dims = [images.count(), height, width].map(u32::try_from);
    let [Ok(count), Ok(height), Ok(width)] = dims else { return Err(not_writable(path, images)) };
    if channels != 1 {
        return Err(not_writable(path, images));
    }
    write_array(path.as_ref(), &[count, height, width], images.pixels())
}

/// Writes labels, compressed if the name ends in `.gz`; the same labels always give the same bytes.
///
/// # Errors
///
/// When the file cannot be written.
///
/// # Panics
///
/// If there are 2^32 labels or more.
pub fn write_labels(path: impl AsRef<Path>, labels: &[u8]) -> Result<(), DataError> {
    let count = u32::try_from(labels.len()).expect("idx: fewer than 2^32 labels");
    write_array(path.as_ref(), &[count], labels)
}

fn not_writable(path: impl AsRef<Path>, images: &Images) -> DataError {
    DataError::new(path, Problem::NotIdxWritable { count: images.count(), shape: images.shape() })
}

fn write_array(path: &Path, dims: &[u32], elements: &[u8]) -> Result<(), DataError> {
    let write = || -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        if path.extension().is_some_and(|extension| extension == "gz") {
            // No name and no time in the gzip header: the bytes depend on the content alone.
            let mut gzip = GzBuilder::new().mtime(0).write(&mut file, Compression::best());
            write_elements(&mut gzip, dims, elements)?;
            gzip.finish()?;
        } else {
            write_elements(&mut file, dims, elements)?;
        }
        file.flush()
    };
    write().map_err(|error| DataError::new(path, error.into()))
}

fn write_elements(out: &mut impl Write, dims: &[u32], elements: &[u8]) -> io::Result<()> {
    out.write_all(&[0, 0, UNSIGNED_BYTE, dims.len() as u8])?;
    for &dim in dims {
        out.write_u32::<BigEndian>(dim)?;
    }
    out.write_all(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two images of 2 x 3, written by hand after the format's description.
    const IMAGES: &[u8] = &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    const LABELS: &[u8] = &[0, 0, 8, 1, 0, 0, 0, 3, 0, 9, 4];

    fn problem(bytes: &[u8]) -> Problem {
        images_from_bytes("memory", bytes).unwrap_err().problem
    }

    fn with(position: usize, value: &[u8]) -> Vec<u8> {
        let mut bytes = IMAGES.to_vec();
        bytes[position..position + value.len()].copy_from_slice(value);
        bytes
    }

    #[test]
    fn plain_files_are_read() {
        let images = images_from_bytes("memory", IMAGES).unwrap();
        assert_eq!(images.shape(), ImageShape { height: 2, width: 3, channels: 1 });
        assert_eq!(images.image(1), [7, 8, 9, 10, 11, 12]);
        assert_eq!(labels_from_bytes("memory", LABELS, 10).unwrap(), [0, 9, 4]);
    }

    #[test]
    fn written_files_are_what_the_format_says_and_read_back_whatever_their_name() {
        let folder = tempfile::tempdir().unwrap();
        let images = images_from_bytes("memory", IMAGES).unwrap();
        let plain = folder.path().join("images");
        write_images(&plain, &images).unwrap();
        assert_eq!(std::fs::read(&plain).unwrap(), IMAGES);

        let packed = folder.path().join("images.gz");
        write_images(&packed, &images).unwrap();
        assert_eq!(std::fs::read(&packed).unwrap()[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0], "no name, no time");
        let renamed = folder.path().join("no-suffix");
        std::fs::rename(&packed, &renamed).unwrap();
        assert_eq!(read_images(&renamed).unwrap(), images);

        let labels = folder.path().join("labels.gz");
        write_labels(&labels, &[0, 9, 4]).unwrap();
        assert_eq!(read_labels(&labels, 10).unwrap(), [0, 9, 4]);
    }

    #[test]
    fn each_kind_of_wrong_header_has_its_own_error() {
        assert!(matches!(problem(b"<html>"), Problem::NotIdx { found: [b'<', b'h', b't', b'm'] }));
        assert!(matches!(problem(&with(2, &[0x0d])), Problem::IdxType { code: 0x0d }));
        assert!(matches!(problem(LABELS), Problem::IdxRank { rank: 1, expected: 3 }));
        assert!(matches!(problem(&with(8, &[0; 4])), Problem::NoData { dims } if dims == [2, 0, 3]));
        assert!(matches!(problem(&with(4, &[0xff; 12])), Problem::Overflow { dims } if dims == [0xffff_ffff; 3]));
        let exchanged = labels_from_bytes("memory", IMAGES, 10).unwrap_err();
        assert!(matches!(exchanged.problem, Problem::IdxRank { rank: 3, expected: 1 }));
        let label = labels_from_bytes("memory", LABELS, 9).unwrap_err();
        assert!(matches!(label.problem, Problem::LabelOutOfRange { index: 1, label: 9, classes: 9 }));
    }

    #[test]
    fn sizes_that_disagree_with_the_header_are_reported_with_both_numbers() {
        assert!(matches!(problem(&[]), Problem::TooShort { expected: 4, found: 0 }));
        assert!(matches!(problem(&IMAGES[..10]), Problem::TooShort { expected: 16, found: 10 }));
        assert!(matches!(problem(&IMAGES[..27]), Problem::TooShort { expected: 28, found: 27 }));
        let longer = [IMAGES, &[0, 0]].concat();
        assert!(matches!(problem(&longer), Problem::TooLong { expected: 28, found: 30 }));
    }

    #[test]
    fn files_that_are_not_there_are_named() {
        let error = read_images("no-such-folder/images").unwrap_err();
        assert!(error.to_string().starts_with("no-such-folder/images: "), "{error}");
        assert!(matches!(error.problem, Problem::Io(error) if error.kind() == io::ErrorKind::NotFound));
    }

    #[test]
    fn colour_images_are_not_written_as_idx() {
        let colour = Images::new(ImageShape { height: 1, width: 1, channels: 3 }, vec![1, 2, 3]);
        let error = write_images("never-created", &colour).unwrap_err();
        assert!(matches!(error.problem, Problem::NotIdxWritable { count: 1, .. }));
        assert!(!Path::new("never-created").exists());
    }
}
