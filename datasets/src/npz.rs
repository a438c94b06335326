//! numpy's npz: a zip archive of npy files, one for each named array.
//!
//! Entries may be stored (`numpy.savez`) or deflated (`numpy.savez_compressed`). The archive itself is taken apart by
//! the crate `zip`; what is in it goes through the same checks as any npy file, and an entry's claims are compared
//! with the size of the whole file.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Cursor, Read, Seek, Write};
use std::path::Path;

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::source::Source;
use crate::{DataError, NpyArray, Problem, npy};

/// What is wrong with an npz archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpzProblem {
    /// The zip archive is none, or damaged, or packed in another way.
    #[error("not a readable zip archive ({reason}); write it with numpy.savez or numpy.savez_compressed")]
    Zip {
        /// What the zip reader said.
        reason: String,
    },

    /// Two entries share bytes of the archive, or a name.
    #[error("entries of the archive overlap or have the same name; write it again with numpy.savez")]
    Overlap,

    /// An entry that is not an array.
    #[error("the archive contains {name:?}, expected only names that end in .npy; is it another kind of zip file?")]
    NotAnArray {
        /// Its name.
        name: String,
    },

    /// There is no array in the archive.
    #[error("the archive holds no array; write it again with numpy.savez")]
    Empty,

    /// One of the arrays is wrong.
    #[error("array {name:?}: {problem}")]
    Array {
        /// Its name, without `.npy`.
        name: String,
        /// What is wrong with it.
        problem: Box<Problem>,
    },
}

impl From<ZipError> for NpzProblem {
    fn from(error: ZipError) -> Self {
        NpzProblem::Zip { reason: error.to_string() }
    }
}

/// Whether arrays are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As they are, like `numpy.savez`.
    Stored,
    /// By deflate, like `numpy.savez_compressed`.
    Deflated,
}

/// Reads all arrays with their names, in the order of the archive; there is at least one.
///
/// # Errors
///
/// When the file cannot be read, is no zip archive, or holds anything but arrays that [`npy::read`] understands.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<(String, NpyArray)>, DataError> {
    let path = path.as_ref();
    let with_path = |error: io::Error| DataError::new(path, error.into());
    let file = File::open(path).map_err(with_path)?;
    let stored = file.metadata().map_err(with_path)?.len();
    arrays(path, BufReader::new(file), stored)
}

/// The same as [`read`] for a file held in memory; `name` stands for the path in messages.
///
/// # Errors
///
/// As for [`read`].
pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Vec<(String, NpyArray)>, DataError> {
    arrays(Path::new(name), Cursor::new(bytes), bytes.len() as u64)
}

fn arrays(path: &Path, file: impl Read + Seek, stored: u64) -> Result<Vec<(String, NpyArray)>, DataError> {
    let wrong = |problem: NpzProblem| DataError::new(path, problem.into());
    let zip = |error: ZipError| wrong(error.into());
    let mut archive = ZipArchive::new(file).map_err(zip)?;
    // Entries that share bytes could unpack to many times what a file of this size can hold.
    if archive.has_overlapping_entries().map_err(zip)? || archive.has_duplicate_names() {
        return Err(wrong(NpzProblem::Overlap));
    }
    let mut arrays = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(zip)?;
        let file_name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let Some(name) = file_name.strip_suffix(".npy") else {
            return Err(wrong(NpzProblem::NotAnArray { name: file_name }));
        };
        let packed = entry.compressed_size().min(stored);
        let array = npy::array(Source::from_archive(path, entry, packed))
            .map_err(|error| wrong(NpzProblem::Array { name: name.to_owned(), problem: Box::new(error.problem) }))?;
        arrays.push((name.to_owned(), array));
    }
    if arrays.is_empty() { Err(wrong(NpzProblem::Empty)) } else { Ok(arrays) }
}

/// Writes arrays under their names, for `numpy.load`. The same arrays always give the same bytes.
///
/// # Errors
///
/// When the file cannot be written, or two names are the same.
///
/// # Panics
///
/// If an array's shape does not multiply to the number of its elements.
pub fn write(path: impl AsRef<Path>, arrays: &[(&str, &NpyArray)], packing: Packing) -> Result<(), DataError> {
    let path = path.as_ref();
    let file = File::create(path).map_err(|error| DataError::new(path, error.into()))?;
    let written = write_to(BufWriter::new(file), arrays, packing).and_then(|mut file| Ok(file.flush()?));
    written.map_err(|error| match error {
        ZipError::Io(error) => DataError::new(path, error.into()),
        other => DataError::new(path, NpzProblem::from(other).into()),
    })
}

/// The bytes of such a file.
///
/// # Errors
///
/// When an array has more values than the format counts.
pub fn to_bytes(arrays: &[(&str, &NpyArray)], packing: Packing) -> Result<Vec<u8>, DataError> {
    let written = write_to(Cursor::new(Vec::new()), arrays, packing);
    written.map(Cursor::into_inner).map_err(|error| DataError::new("npz", NpzProblem::from(error).into()))
}

fn write_to<W: Write + Seek>(file: W, arrays: &[(&str, &NpyArray)], packing: Packing) -> Result<W, ZipError> {
    let method = match packing {
        Packing::Stored => CompressionMethod::Stored,
        Packing::Deflated => CompressionMethod::Deflated,
    };
    let mut zip = ZipWriter::new(file);
    for (name, array) in arrays {
        let bytes = npy::to_bytes(array);
        // The time stays at the format's beginning, 1980: the bytes depend on the content alone.
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(zip::DateTime::default())
            .large_file(u32::try_from(bytes.len()).is_err());
        zip.start_file(format!("{name}.npy"), options)?;
        zip.write_all(&bytes)?;
    }
    zip.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> [NpyArray; 2] {
        let data = (0..600).map(|value| (value / 7) as f32 - 3.5).collect();
        [NpyArray { shape: vec![20, 30], data }, NpyArray { shape: vec![2], data: vec![0.25, -8.0] }]
    }

    #[test]
    fn what_is_written_is_read_and_always_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let [features, labels] = two();
        let mut sizes = Vec::new();
        for packing in [Packing::Stored, Packing::Deflated] {
            let paths = ["a.npz", "b.npz"].map(|name| folder.path().join(name));
            for path in &paths {
                write(path, &[("features", &features), ("labels", &labels)], packing).unwrap();
            }
            let arrays = read(&paths[0]).unwrap();
            assert_eq!(arrays, [("features".to_owned(), features.clone()), ("labels".to_owned(), labels.clone())]);
            let bytes = paths.map(|path| std::fs::read(path).unwrap());
            assert_eq!(bytes[0], bytes[1]);
            sizes.push(bytes[0].len());
        }
        assert!(sizes[1] < sizes[0] / 2, "{sizes:?}");
    }

    #[test]
    fn what_is_no_npz_is_explained() {
        let problem = |bytes: &[u8]| from_bytes("memory", bytes).unwrap_err().to_string();
        assert!(problem(b"\x93NUMPY no zip").contains("not a readable zip archive"));
        let zip = |files: &[(&str, &[u8])]| {
            let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
            for (name, content) in files {
                zip.start_file(*name, SimpleFileOptions::default()).unwrap();
                zip.write_all(content).unwrap();
            }
            zip.finish().unwrap().into_inner()
        };
        assert!(problem(&zip(&[])).contains("no array"));
        assert!(problem(&zip(&[("word/document.xml", b"<xml>")])).contains("\"word/document.xml\""));
        let text = problem(&zip(&[("a.npy", b"not an array")]));
        assert!(text.contains("array \"a\": starts with the bytes"), "{text}");
        let [array, _] = two();
        let same = write_to(Cursor::new(Vec::new()), &[("a", &array), ("a", &array)], Packing::Stored);
        assert!(same.is_err());
    }
}
