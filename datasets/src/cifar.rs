//! The binary batches of CIFAR-10 and CIFAR-100: 32 x 32 pixels, three colours.
//!
//! Layout: records without a header. CIFAR-10: one byte for the class, then 3,072 bytes. CIFAR-100: two bytes, the
//! coarse class (0 to 19) and the fine one (0 to 99), then 3,072 bytes. The pixels stand in three planes (red, green,
//! blue), each row by row; they become [N, H, W, C] while they are read. See
//! <https://www.cs.toronto.edu/~kriz/cifar.html>.
//!
//! Nothing in a file says which of the two it is, but labels that are out of range and lengths that are no multiple
//! of a record are noticed. Batches may be compressed with gzip.

mod archive;
mod names;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::labelled::check_labels;
use crate::source::Source;
use crate::{DataError, ImageShape, Images, LabelledImages, Problem};

pub use archive::{archive_10_from_bytes, archive_100_from_bytes, read_archive_10, read_archive_100};
pub use names::{CLASSES_10, COARSE_CLASSES_100, FINE_CLASSES_100};

/// The shape of every picture.
pub const SHAPE: ImageShape = ImageShape { height: 32, width: 32, channels: 3 };

const PLANE: usize = 32 * 32;
const PIXELS: usize = 3 * PLANE;

/// Records that are read at a time, so that the buffer stays in the cache.
const BLOCK: usize = 32;

/// The batches of CIFAR-10: training in this order, then test.
const TRAIN_10: [&str; 5] =
    ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];
const TEST_10: [&str; 1] = ["test_batch.bin"];

/// The two parts of CIFAR-100.
const TRAIN_100: [&str; 1] = ["train.bin"];
const TEST_100: [&str; 1] = ["test.bin"];

/// What is wrong with a CIFAR batch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CifarProblem {
    /// The file is no whole number of records.
    #[error(
        "{complete} complete pictures, then {surplus} bytes of another, expected {record} bytes for each; \
         the file is cut short or of the other CIFAR set (records of {} bytes)",
        if *record == PIXELS + 1 { PIXELS + 2 } else { PIXELS + 1 }
    )]
    PartialRecord {
        /// Whole records.
        complete: usize,
        /// Bytes after the last of them.
        surplus: usize,
        /// Bytes of a record.
        record: usize,
    },

    /// There is not one record.
    #[error("the file is empty, expected records of {record} bytes; fetch it again")]
    Empty {
        /// Bytes of a record.
        record: usize,
    },
}

/// One part of CIFAR-100.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cifar100Part {
    /// The pictures with their fine classes, of which there are 100.
    pub fine: LabelledImages,
    /// The coarse class of each picture, below 20.
    pub coarse: Vec<u8>,
}

/// Reads a batch of CIFAR-10.
///
/// # Errors
///
/// When the file cannot be read, is no whole number of records, or holds a label of 10 or more.
pub fn read_10(path: impl AsRef<Path>) -> Result<LabelledImages, DataError> {
    part_10([Source::open(path.as_ref())])
}

/// The same as [`read_10`] for a file held in memory; `name` stands for the path in messages.
///
/// # Errors
///
/// As for [`read_10`].
pub fn batch_10_from_bytes(name: &str, bytes: &[u8]) -> Result<LabelledImages, DataError> {
    part_10([Source::from_bytes(name, bytes)])
}

/// Reads a part of CIFAR-100.
///
/// # Errors
///
/// When the file cannot be read, is no whole number of records, or holds a fine label of 100 or a coarse one of 20
/// or more.
pub fn read_100(path: impl AsRef<Path>) -> Result<Cifar100Part, DataError> {
    part_100(Source::open(path.as_ref())?)
}

/// The same as [`read_100`] for a file held in memory; `name` stands for the path in messages.
///
/// # Errors
///
/// As for [`read_100`].
pub fn batch_100_from_bytes(name: &str, bytes: &[u8]) -> Result<Cifar100Part, DataError> {
    part_100(Source::from_bytes(name, bytes)?)
}

/// Training and test part of CIFAR-10 from `folder/cifar-10-batches-bin/*.bin`, or else from the archive
/// `folder/cifar-10-binary.tar.gz`.
pub(crate) fn open_10(folder: &Path) -> Result<[LabelledImages; 2], DataError> {
    let batches = folder.join("cifar-10-batches-bin");
    match files_or_archive(&batches, [&TRAIN_10[..], &TEST_10].concat(), folder.join("cifar-10-binary.tar.gz"))? {
        Place::Archive(archive) => read_archive_10(archive),
        Place::Files => {
            let open = |name| Source::open(&batch(&batches, name));
            Ok([part_10(TRAIN_10.map(open))?, part_10(TEST_10.map(open))?])
        }
    }
}

/// Training and test part of CIFAR-100 from `folder/cifar-100-binary/{train,test}.bin`, or else from the archive
/// `folder/cifar-100-binary.tar.gz`.
pub(crate) fn open_100(folder: &Path) -> Result<[Cifar100Part; 2], DataError> {
    let batches = folder.join("cifar-100-binary");
    match files_or_archive(&batches, [TRAIN_100, TEST_100].concat(), folder.join("cifar-100-binary.tar.gz"))? {
        Place::Archive(archive) => read_archive_100(archive),
        Place::Files => {
            let read = |name| read_100(batch(&batches, name));
            Ok([read(TRAIN_100[0])?, read(TEST_100[0])?])
        }
    }
}

enum Place {
    Files,
    Archive(PathBuf),
}

/// The files if they are all there, else the archive, else an error that lists what is missing.
fn files_or_archive(folder: &Path, names: Vec<&str>, archive: PathBuf) -> Result<Place, DataError> {
    let looked_for: Vec<PathBuf> =
        names.into_iter().map(|name| batch(folder, name)).filter(|path| !path.is_file()).collect();
    if looked_for.is_empty() {
        Ok(Place::Files)
    } else if archive.is_file() {
        Ok(Place::Archive(archive))
    } else {
        Err(DataError::new(folder, Problem::NeitherFilesNorArchive { looked_for, archive }))
    }
}

/// The batch, or its compressed form if only that is there.
fn batch(folder: &Path, name: &str) -> PathBuf {
    let packed = folder.join(format!("{name}.gz"));
    let plain = folder.join(name);
    if !plain.is_file() && packed.is_file() { packed } else { plain }
}

fn part_10<'s, const N: usize>(batches: [Result<Source<'s>, DataError>; N]) -> Result<LabelledImages, DataError> {
    let mut records = Records::<1>::default();
    // All are opened before one is read: a missing file is found at once.
    let mut opened = Vec::with_capacity(N);
    for source in batches {
        opened.push(source?);
    }
    for mut source in opened {
        let first = records.labels.len();
        records.append(&mut source, Source::known).map_err(|failure| failure.at(&source))?;
        records.check_10(first).map_err(|problem| source.error(problem))?;
    }
    Ok(records.into_10())
}

fn part_100(mut source: Source) -> Result<Cifar100Part, DataError> {
    let mut records = Records::<2>::default();
    records.append(&mut source, Source::known).map_err(|failure| failure.at(&source))?;
    records.into_100().map_err(|problem| source.error(problem))
}

/// Why records could not be read.
enum Failure {
    Read(io::Error),
    Wrong(CifarProblem),
}

impl Failure {
    fn at(self, source: &Source) -> DataError {
        match self {
            Failure::Read(error) => source.error(source.explain(error)),
            Failure::Wrong(problem) => source.error(problem.into()),
        }
    }
}

/// Pictures as [N, H, W, C], each with `L` bytes of labels.
struct Records<const L: usize> {
    pixels: Vec<u8>,
    labels: Vec<[u8; L]>,
}

impl<const L: usize> Default for Records<L> {
    fn default() -> Self {
        Records { pixels: Vec::new(), labels: Vec::new() }
    }
}

impl<const L: usize> Records<L> {
    const SIZE: usize = L + PIXELS;

    /// Reads to the end of `input`. Room is made beforehand for as many bytes as are `known` to come.
    fn append<R: Read>(&mut self, input: &mut R, known: impl Fn(&R) -> u64) -> Result<(), Failure> {
        let before = self.labels.len();
        let expected = known(input) as usize / Self::SIZE;
        self.pixels.reserve(expected * PIXELS);
        self.labels.reserve(expected);
        let mut block = Vec::with_capacity(BLOCK * Self::SIZE);
        loop {
            block.clear();
            let wanted = (BLOCK * Self::SIZE) as u64;
            input.by_ref().take(wanted).read_to_end(&mut block).map_err(Failure::Read)?;
            let records = block.chunks_exact(Self::SIZE);
            let surplus = records.remainder().len();
            for record in records {
                let (labels, planes) = record.split_at(L);
                self.labels.push(labels.try_into().expect("a record begins with its labels"));
                push_channels_last(&mut self.pixels, planes);
            }
            let complete = self.labels.len() - before;
            if surplus > 0 {
                return Err(Failure::Wrong(CifarProblem::PartialRecord { complete, surplus, record: Self::SIZE }));
            }
            if block.len() < BLOCK * Self::SIZE {
                let empty = Failure::Wrong(CifarProblem::Empty { record: Self::SIZE });
                return if complete == 0 { Err(empty) } else { Ok(()) };
            }
        }
    }
}

impl Records<1> {
    /// Checks the labels from record `first` on, which begins a file.
    fn check_10(&self, first: usize) -> Result<(), Problem> {
        check_labels(self.labels[first..].as_flattened(), CLASSES_10.len())
    }

    fn into_10(self) -> LabelledImages {
        let images = Images::new(SHAPE, self.pixels);
        LabelledImages::new(images, self.labels.into_flattened(), CLASSES_10.len()).expect("one checked label each")
    }
}

impl Records<2> {
    fn into_100(self) -> Result<Cifar100Part, Problem> {
        let (coarse, fine): (Vec<u8>, Vec<u8>) = self.labels.into_iter().map(|[coarse, fine]| (coarse, fine)).unzip();
        check_labels(&coarse, COARSE_CLASSES_100.len())?;
        let fine = LabelledImages::new(Images::new(SHAPE, self.pixels), fine, FINE_CLASSES_100.len())?;
        Ok(Cifar100Part { fine, coarse })
    }
}

/// Appends one picture, given as three planes.
fn push_channels_last(pixels: &mut Vec<u8>, planes: &[u8]) {
    let start = pixels.len();
    pixels.resize(start + PIXELS, 0);
    let (red, rest) = planes.split_at(PLANE);
    let (green, blue) = rest.split_at(PLANE);
    let colours = red.iter().zip(green).zip(blue);
    for (pixel, ((&red, &green), &blue)) in pixels[start..].as_chunks_mut::<3>().0.iter_mut().zip(colours) {
        *pixel = [red, green, blue];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Record `index`: its value at (row, column, colour) is a different one everywhere near.
    fn value(index: usize, row: usize, column: usize, colour: usize) -> u8 {
        (index * 91 + row * 37 + column * 5 + colour * 101) as u8
    }

    fn record(index: usize, labels: &[u8]) -> Vec<u8> {
        let mut bytes = labels.to_vec();
        for colour in 0..3 {
            for row in 0..32 {
                bytes.extend((0..32).map(|column| value(index, row, column, colour)));
            }
        }
        bytes
    }

    fn assert_pixels(images: &Images) {
        for index in 0..images.count() {
            for (position, &found) in images.image(index).iter().enumerate() {
                let (row, column, colour) = (position / 96, position / 3 % 32, position % 3);
                assert_eq!(found, value(index, row, column, colour), "picture {index} at {row}, {column}, {colour}");
            }
        }
    }

    #[test]
    fn planes_become_channels_last_beyond_one_block_of_records() {
        let count = 2 * BLOCK + 3;
        let bytes: Vec<u8> = (0..count).flat_map(|index| record(index, &[(index % 10) as u8])).collect();
        let batch = batch_10_from_bytes("memory", &bytes).unwrap();
        assert_eq!((batch.count(), batch.images().shape()), (count, SHAPE));
        assert!(batch.labels().iter().copied().eq((0..count).map(|index| (index % 10) as u8)));
        assert_pixels(batch.images());
        let exact = batch_10_from_bytes("memory", &bytes[..BLOCK * 3073]).unwrap();
        assert_eq!(exact.count(), BLOCK);
    }

    #[test]
    fn cifar_100_has_two_labels_coarse_first() {
        let bytes = [record(0, &[19, 99]), record(1, &[0, 7])].concat();
        let part = batch_100_from_bytes("memory", &bytes).unwrap();
        assert_eq!((part.coarse.as_slice(), part.fine.labels()), (&[19, 0][..], &[99, 7][..]));
        assert_pixels(part.fine.images());
    }

    #[test]
    fn what_is_no_batch_is_explained() {
        let problem = |bytes: &[u8]| batch_10_from_bytes("memory", bytes).unwrap_err().problem;
        assert!(matches!(problem(&[]), Problem::Cifar(CifarProblem::Empty { record: 3073 })));
        let two = [record(0, &[1]), record(1, &[2])].concat();
        let cut = problem(&two[..6000]);
        assert!(
            matches!(cut, Problem::Cifar(CifarProblem::PartialRecord { complete: 1, surplus: 2927, record: 3073 })),
            "{cut}"
        );
        assert!(cut.to_string().contains("1 complete pictures, then 2927 bytes"), "{cut}");
        let label = problem(&[record(0, &[1]), record(1, &[10])].concat());
        assert!(matches!(label, Problem::LabelOutOfRange { index: 1, label: 10, classes: 10 }), "{label}");

        let problem = |labels: &[u8]| batch_100_from_bytes("memory", &record(0, labels)).unwrap_err().problem;
        assert!(matches!(problem(&[20, 0]), Problem::LabelOutOfRange { label: 20, classes: 20, .. }));
        assert!(matches!(problem(&[0, 100]), Problem::LabelOutOfRange { label: 100, classes: 100, .. }));
    }
}
