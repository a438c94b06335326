//! What can be wrong with a data file, told so that the reader knows what to do next.

use std::io;
use std::path::{Path, PathBuf};

use crate::ImageShape;
use crate::cifar::CifarProblem;
use crate::matlab::MatlabProblem;
use crate::npz::NpzProblem;
use crate::pictures::PictureProblem;
use crate::svhn::SvhnProblem;
use crate::tar::TarProblem;

/// A data file (or folder) that could not be used, and why.
///
/// The text is complete by itself: it names the path, what was found, what was expected and what to try.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct DataError {
    /// The file or folder concerned; the display name, for data that came from memory.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

impl DataError {
    /// Attaches a path to a problem.
    pub fn new(path: impl AsRef<Path>, problem: Problem) -> Self {
        DataError { path: path.as_ref().to_path_buf(), problem }
    }
}

/// What is wrong with a data file. Sizes are in bytes, counted after decompression unless said otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The operating system refused to read or write.
    #[error("{0}")]
    Io(#[from] io::Error),

    /// The gzip stream is cut short, damaged, or followed by bytes that are not gzip.
    #[error("corrupt or truncated gzip after {arrived} decompressed bytes ({reason}); fetch or copy the file again")]
    CorruptGzip {
        /// Bytes that were decompressed before the damage was noticed.
        arrived: u64,
        /// What the decompressor said.
        reason: String,
    },

    /// The data end before the header's promise is kept.
    #[error("the data end after {found} bytes, expected {expected}; the file is cut short: fetch or copy it again")]
    TooShort {
        /// Bytes promised.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },

    /// There are bytes after the end that the header announces.
    #[error(
        "the header announces {expected} bytes, but at least {found} are there; \
         either the header is damaged or something was appended"
    )]
    TooLong {
        /// Bytes announced.
        expected: u64,
        /// Bytes that are there; reading stops at the first surplus byte of a compressed file.
        found: u64,
    },

    /// The header claims more than a compressed file of this size can contain.
    #[error(
        "the header claims {claimed} bytes, but {stored} compressed bytes cannot hold more than {limit}; \
         the header is damaged"
    )]
    ImpossibleClaim {
        /// Bytes claimed.
        claimed: u64,
        /// Size of the compressed file.
        stored: u64,
        /// What that many bytes can expand to.
        limit: u64,
    },

    /// The claimed dimensions do not fit into this machine's memory addresses.
    #[error("dimensions {dims:?} multiply to more bytes than this machine can address; the header is damaged")]
    Overflow {
        /// The dimensions claimed, slowest first.
        dims: Vec<u64>,
    },

    /// The first bytes are not an idx magic number.
    #[error(
        "starts with the bytes {found:02x?}, expected an idx magic number (00 00 08 03 for images, \
         00 00 08 01 for labels); is it another format, or a web page saved in place of the file?"
    )]
    NotIdx {
        /// The first four bytes.
        found: [u8; 4],
    },

    /// The idx elements are not unsigned bytes.
    #[error("idx type code {code:#04x} ({}), expected 0x08 (unsigned byte); convert the elements to bytes", idx_type_name(*code))]
    IdxType {
        /// The third byte of the file.
        code: u8,
    },

    /// The idx array has the wrong number of dimensions.
    #[error(
        "an idx array of rank {rank}, expected rank {expected}; \
         images have rank 3 (count, height, width) and labels rank 1: were the two files exchanged?"
    )]
    IdxRank {
        /// The fourth byte of the file.
        rank: u8,
        /// What the caller asked for.
        expected: u8,
    },

    /// A dimension of an image set is zero.
    #[error("dimensions {dims:?} contain a zero, so the file holds no data; fetch it again")]
    NoData {
        /// The dimensions claimed, slowest first.
        dims: Vec<u64>,
    },

    /// These images cannot be written as idx.
    #[error(
        "{count} images of {shape} cannot be stored as idx, which holds one channel and sizes below 2^32; \
         convert to grey or split the set"
    )]
    NotIdxWritable {
        /// Number of images.
        count: usize,
        /// Their shape.
        shape: ImageShape,
    },

    /// A label that no class belongs to.
    #[error("label {index} is {label}, expected 0 to {}; is this the label file of another set?", classes.saturating_sub(1))]
    LabelOutOfRange {
        /// Position of the label, from 0.
        index: usize,
        /// Its value.
        label: u8,
        /// Number of classes of the set.
        classes: usize,
    },

    /// Not as many labels as images.
    #[error("{images} images but {labels} labels; the two files belong to different parts or sets")]
    CountMismatch {
        /// Number of images.
        images: usize,
        /// Number of labels.
        labels: usize,
    },

    /// Training and test images differ in shape.
    #[error("training images are {train}, test images {test}; the files belong to different sets")]
    ShapeMismatch {
        /// Shape of the training images.
        train: ImageShape,
        /// Shape of the test images.
        test: ImageShape,
    },

    /// A class-balanced draw asks for more images than a class has.
    #[error("class {class} has {available} images, {requested} were asked for; ask for at most {available} per class")]
    TooFewOfClass {
        /// The class.
        class: usize,
        /// How many images it has.
        available: usize,
        /// How many were asked for.
        requested: usize,
    },

    /// Files of a data set are not where they are looked for.
    #[error("data files are missing; put each of these there, with or without .gz:{}", list(looked_for))]
    MissingFiles {
        /// The missing files, without the `.gz`.
        looked_for: Vec<PathBuf>,
    },

    /// A set that comes as an archive: neither the files nor the archive are where they are looked for.
    #[error(
        "data files are missing; put the archive there as it was published:\n  {}\nor unpacked, each of these:{}",
        archive.display(),
        list(looked_for)
    )]
    NeitherFilesNorArchive {
        /// The missing files.
        looked_for: Vec<PathBuf>,
        /// The archive that would do instead.
        archive: PathBuf,
    },

    /// No sample of this set is part of the build.
    #[error("no sample of {title} is bundled, its terms do not allow it; give a data folder that holds {folder}/")]
    NotBundled {
        /// The set's name.
        title: &'static str,
        /// The folder it is looked for in.
        folder: &'static str,
    },

    /// A CIFAR batch is wrong.
    #[error(transparent)]
    Cifar(#[from] CifarProblem),

    /// A tar archive is wrong.
    #[error(transparent)]
    Tar(#[from] TarProblem),

    /// A MATLAB file is wrong.
    #[error(transparent)]
    Matlab(Box<MatlabProblem>),

    /// A MATLAB file does not hold cropped digits as SVHN publishes them.
    #[error(transparent)]
    Svhn(#[from] SvhnProblem),

    /// A picture, or a folder of pictures, is wrong.
    #[error(transparent)]
    Picture(#[from] PictureProblem),

    /// An npz archive is wrong.
    #[error(transparent)]
    Npz(#[from] NpzProblem),

    /// The first bytes are not those of an npy file.
    #[error("starts with the bytes {found:02x?}, expected 93 \"NUMPY\"; write the array with numpy.save")]
    NotNpy {
        /// The first bytes, at most six.
        found: Vec<u8>,
    },

    /// An npy format version that does not exist yet.
    #[error("npy format version {major}.{minor}, expected 1.0, 2.0 or 3.0; write the array with numpy.save")]
    NpyVersion {
        /// Major version.
        major: u8,
        /// Minor version.
        minor: u8,
    },

    /// The npy header text cannot be understood.
    #[error("npy header: {expected} expected at byte {position} of {excerpt:?}; write the array with numpy.save")]
    NpyHeader {
        /// What should have stood there.
        expected: &'static str,
        /// Byte offset in the header text.
        position: usize,
        /// The text from there on, at most 24 characters.
        excerpt: String,
    },

    /// Elements that are not real numbers of up to 8 bytes.
    #[error("npy element type {descr:?} is not supported, expected f4, f8, i1-i8, u1-u8 or b1; try .astype('<f4')")]
    NpyType {
        /// numpy's type string.
        descr: String,
    },

    /// More dimensions than numpy allows.
    #[error("an npy array of rank {rank}, expected at most {limit}; the header is damaged")]
    NpyRank {
        /// The rank claimed.
        rank: usize,
        /// The highest rank read.
        limit: usize,
    },

    /// An integer that f32 cannot represent.
    #[error("element {index} is {value}, which f32 cannot represent exactly; save floats, or integers up to 2^24")]
    InexactInteger {
        /// Position of the element in the file's order, from 0.
        index: usize,
        /// Its value.
        value: i128,
    },
}

/// In a box, so that an error takes up little room where there is none.
impl From<MatlabProblem> for Problem {
    fn from(problem: MatlabProblem) -> Self {
        Problem::Matlab(Box::new(problem))
    }
}

fn idx_type_name(code: u8) -> &'static str {
    match code {
        0x08 => "unsigned byte",
        0x09 => "signed byte",
        0x0b => "16-bit integer",
        0x0c => "32-bit integer",
        0x0d => "32-bit float",
        0x0e => "64-bit float",
        _ => "unknown",
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("\n  {}", path.display())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_path_the_numbers_and_the_remedy() {
        let error = DataError::new("set/labels", Problem::LabelOutOfRange { index: 7, label: 12, classes: 10 });
        assert_eq!(
            error.to_string(),
            "set/labels: label 7 is 12, expected 0 to 9; is this the label file of another set?"
        );
        let error = DataError::new("x", Problem::IdxType { code: 0x0d });
        assert!(error.to_string().contains("0x0d (32-bit float), expected 0x08"), "{error}");
        let missing = Problem::MissingFiles { looked_for: vec!["a/b".into(), "a/c".into()] };
        assert!(missing.to_string().ends_with(":\n  a/b\n  a/c"), "{missing}");
    }
}
