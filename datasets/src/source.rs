//! Where bytes come from: a file or a slice, plain or gzip, with the stored size known before anything is read.
//!
//! Every format reader goes through [`Source`], so that two promises are kept in one place: memory is never
//! allocated on the word of a header alone, and damage ends in an error that carries path and numbers.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::{DataError, Problem};

/// Deflate spends at least 2 bits on a match, and a match is at most 258 bytes long: 1032 bytes per byte.
pub(crate) const DEFLATE_MAX_RATIO: u64 = 1032;

/// Bytes of a file that are read at a time: with the default of 8 KiB, unpacking stops and starts again every 8 KiB.
const BUFFER: usize = 1 << 16;

/// A stream of uncompressed bytes and what is known about the file behind it.
pub(crate) struct Source<'a> {
    path: PathBuf,
    reader: Box<dyn Read + 'a>,
    /// Size of the file as it is stored, compressed or not.
    stored: u64,
    packing: Packing,
    /// Uncompressed bytes handed out so far.
    delivered: u64,
}

/// How the bytes are stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    /// As they are: the stored size is the number of bytes.
    Plain,
    /// A gzip file.
    Gzip,
    /// Compressed by deflate in a container that does the unpacking.
    Deflate,
}

impl Source<'static> {
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let with_path = |error: io::Error| DataError::new(path, error.into());
        let file = File::open(path).map_err(with_path)?;
        let stored = file.metadata().map_err(with_path)?.len();
        Source::new(path, BufReader::with_capacity(BUFFER, file), stored)
    }
}

impl<'a> Source<'a> {
    /// `name` takes the place of the path in messages.
    pub fn from_bytes(name: &str, bytes: &'a [u8]) -> Result<Self, DataError> {
        Source::new(Path::new(name), bytes, bytes.len() as u64)
    }

    fn new(path: &Path, mut stream: impl BufRead + 'a, stored: u64) -> Result<Self, DataError> {
        let start = stream.fill_buf().map_err(|error| DataError::new(path, error.into()))?;
        let is_gzip = start.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn Read + 'a> = if is_gzip { Box::new(MultiGzDecoder::new(stream)) } else { Box::new(stream) };
        let packing = if is_gzip { Packing::Gzip } else { Packing::Plain };
        Ok(Source { path: path.to_path_buf(), reader, stored, packing, delivered: 0 })
    }

    /// The unpacked bytes of an entry of an archive, which takes up at most `stored` bytes of it.
    pub fn from_archive(path: &Path, stream: impl Read + 'a, stored: u64) -> Self {
        Source { path: path.to_path_buf(), reader: Box::new(stream), stored, packing: Packing::Deflate, delivered: 0 }
    }

    /// The file, or the name that stands for it in messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn error(&self, problem: Problem) -> DataError {
        DataError::new(&self.path, problem)
    }

    /// Reads a header of `size` bytes. Callers ask for a fixed few bytes, or have passed `check_claim`.
    pub fn read_header(&mut self, size: usize) -> Result<Vec<u8>, DataError> {
        let bytes = self.read_up_to(size as u64)?;
        if bytes.len() < size {
            return Err(self.too_short(size as u64 - bytes.len() as u64));
        }
        Ok(bytes)
    }

    /// Refuses a header's claim that `remaining` more bytes follow when the stored size rules it out.
    ///
    /// With `exact`, nothing may follow after them, so a plain file's size has to agree to the byte.
    pub fn check_claim(&self, remaining: u64, exact: bool) -> Result<(), DataError> {
        let claimed = self.delivered.saturating_add(remaining);
        let is_packed = self.packing != Packing::Plain;
        let limit = if is_packed { self.stored.saturating_mul(DEFLATE_MAX_RATIO) } else { self.stored };
        let problem = match (is_packed, claimed > limit) {
            (true, true) => Problem::ImpossibleClaim { claimed, stored: self.stored, limit },
            (false, true) => Problem::TooShort { expected: claimed, found: self.stored },
            (false, false) if exact && claimed < self.stored => {
                Problem::TooLong { expected: claimed, found: self.stored }
            }
            _ => return Ok(()),
        };
        Err(self.error(problem))
    }

    /// Reads the `size` bytes that the header announced, and makes sure that nothing follows.
    pub fn read_rest(&mut self, size: usize) -> Result<Vec<u8>, DataError> {
        let expected = size as u64;
        self.check_claim(expected, true)?;
        // One byte more than expected: surplus is noticed, and reaching the end makes gzip verify its checksum.
        let bytes = self.read_up_to(expected.saturating_add(1))?;
        if bytes.len() < size {
            return Err(self.too_short(expected - bytes.len() as u64));
        }
        if bytes.len() > size {
            return Err(self.error(Problem::TooLong { expected: self.delivered - 1, found: self.delivered }));
        }
        Ok(bytes)
    }

    /// Reads until `limit` bytes or the end. The buffer grows with what really arrives, never ahead of it.
    fn read_up_to(&mut self, limit: u64) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        let outcome = (&mut self.reader).take(limit).read_to_end(&mut bytes);
        self.delivered += bytes.len() as u64;
        match outcome {
            Ok(_) => {
                bytes.shrink_to_fit();
                Ok(bytes)
            }
            Err(error) => Err(self.error(self.explain(error))),
        }
    }

    /// The problem behind a failed read.
    pub fn explain(&self, error: io::Error) -> Problem {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match error.kind() {
            // The kinds by which the decompressor reports damage; a failing disk reports others.
            InvalidData | InvalidInput | UnexpectedEof if self.packing == Packing::Gzip => {
                Problem::CorruptGzip { arrived: self.delivered, reason: error.to_string() }
            }
            _ => Problem::Io(error),
        }
    }

    /// How many bytes are still to come, as far as the file system knows. Compressed files hold about as many bytes as
    /// they are stored in, or more: deflate adds five bytes to 65,535 at worst.
    pub fn known(&self) -> u64 {
        self.stored.saturating_sub(self.delivered)
    }

    fn too_short(&self, missing: u64) -> DataError {
        self.error(Problem::TooShort { expected: self.delivered + missing, found: self.delivered })
    }
}

/// For formats that are read piece by piece; what a failure means is told by [`Source::explain`].
impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.delivered += count as u64;
        Ok(count)
    }
}
