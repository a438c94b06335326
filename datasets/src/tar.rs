//! Just enough of the tar format to read a data set straight from the archive it is published in.
//!
//! Layout: for each file one block of 512 bytes (name, size in octal, checksum, kind, prefix of the name), then its
//! bytes, padded to whole blocks; at the end at least one block of zeros. See POSIX.1-1988 (ustar).
//!
//! Written by hand because so little is needed: the stream is read once, nothing is held in memory but one block, and
//! whatever is not a plain file (folders, links, extended headers) is passed over unread.

use std::io::{self, Read};

use crate::source::Source;
use crate::{DataError, Problem};

const BLOCK: usize = 512;

/// What is wrong with a tar archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TarProblem {
    /// A header block is none.
    #[error(
        "no tar header at byte {position}: the checksum of the block is {found}, its field says {claimed:?}; \
         is it another kind of archive, or damaged?"
    )]
    Header {
        /// Where the block begins, counted after decompression.
        position: u64,
        /// The sum of its bytes.
        found: u32,
        /// The checksum field as text.
        claimed: String,
    },

    /// A size that is not an octal number.
    #[error("the size of {name:?} is written as {field:?}, expected octal digits; the archive is damaged")]
    Size {
        /// The entry.
        name: String,
        /// The field as text.
        field: String,
    },

    /// The archive ends inside an entry or before its end mark.
    #[error("the archive ends after {found} bytes, {place}; it is cut short: fetch or copy it again")]
    CutShort {
        /// Bytes that are there, after decompression.
        found: u64,
        /// Where that is.
        place: String,
    },

    /// Files that the archive should contain.
    #[error("the archive does not contain {}; is it another set?", names.join(", "))]
    Missing {
        /// Their names, without folders.
        names: Vec<&'static str>,
    },

    /// A file that the archive contains more than once.
    #[error("the archive contains {name} more than once; fetch it again")]
    Twice {
        /// Its name, without folders.
        name: &'static str,
    },
}

/// A walk over the plain files of an archive.
pub(crate) struct Tar<'s> {
    source: Source<'s>,
    /// Bytes consumed up to now.
    position: u64,
    /// Bytes of the current entry that are still to come, without and with the padding.
    content: u64,
    padded: u64,
    name: String,
}

impl<'s> Tar<'s> {
    pub fn new(source: Source<'s>) -> Self {
        Tar { source, position: 0, content: 0, padded: 0, name: String::new() }
    }

    pub fn error(&self, problem: impl Into<Problem>) -> DataError {
        self.source.error(problem.into())
    }

    /// The problem behind a failed read of the current entry.
    pub fn explain(&self, error: io::Error) -> DataError {
        self.source.error(self.source.explain(error))
    }

    /// Steps to the next plain file; returns its name without folders, or nothing at the end of the archive.
    pub fn next(&mut self) -> Result<Option<String>, DataError> {
        loop {
            self.skip()?;
            let header = self.block()?;
            if header.iter().all(|&byte| byte == 0) {
                self.drain()?;
                return Ok(None);
            }
            check(&header, self.position - BLOCK as u64).map_err(|problem| self.error(problem))?;
            self.name = text(&header[..100]);
            self.content = octal(&header[124..136]).ok_or_else(|| {
                self.error(TarProblem::Size { name: self.name.clone(), field: text(&header[124..136]) })
            })?;
            self.padded = self.content.next_multiple_of(BLOCK as u64);
            // '0' is a plain file, and so is 0 in archives older than POSIX.
            if matches!(header[156], b'0' | 0) {
                let last = self.name.rsplit('/').next().unwrap_or_default();
                return Ok(Some(last.to_owned()));
            }
        }
    }

    /// An error if the current entry was not there to its end.
    pub fn check_complete(&self) -> Result<(), DataError> {
        if self.content == 0 { Ok(()) } else { Err(self.cut_short(format!("inside {:?}", self.name))) }
    }

    /// Bytes of the current entry that are still to come, as far as the file system knows.
    pub fn known(&self) -> u64 {
        self.content.min(self.source.known())
    }

    fn skip(&mut self) -> Result<(), DataError> {
        let skipped = io::copy(&mut (&mut self.source).take(self.padded), &mut io::sink());
        let skipped = skipped.map_err(|error| self.explain(error))?;
        self.position += skipped;
        if skipped < self.padded {
            return Err(self.cut_short(format!("inside {:?}", self.name)));
        }
        (self.content, self.padded) = (0, 0);
        Ok(())
    }

    fn block(&mut self) -> Result<Vec<u8>, DataError> {
        let mut block = Vec::with_capacity(BLOCK);
        let read = (&mut self.source).take(BLOCK as u64).read_to_end(&mut block);
        read.map_err(|error| self.explain(error))?;
        self.position += block.len() as u64;
        if block.len() < BLOCK {
            return Err(self.cut_short("before its end mark".to_owned()));
        }
        Ok(block)
    }

    /// Reads what follows the end mark, so that gzip verifies its checksum.
    fn drain(&mut self) -> Result<(), DataError> {
        io::copy(&mut self.source, &mut io::sink()).map(drop).map_err(|error| self.explain(error))
    }

    fn cut_short(&self, place: String) -> DataError {
        self.error(TarProblem::CutShort { found: self.position, place })
    }
}

/// The bytes of the current entry.
impl Read for Tar<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (&mut self.source).take(self.content).read(buffer)?;
        self.content -= count as u64;
        self.padded -= count as u64;
        self.position += count as u64;
        Ok(count)
    }
}

/// The checksum is the sum of the block's bytes, its own eight taken as spaces.
fn check(header: &[u8], position: u64) -> Result<(), TarProblem> {
    let field = 148..156;
    let outside = header[..field.start].iter().chain(&header[field.end..]).map(|&byte| u32::from(byte));
    let found = outside.sum::<u32>() + 8 * u32::from(b' ');
    match octal(&header[field.clone()]) {
        Some(claimed) if claimed == u64::from(found) => Ok(()),
        _ => Err(TarProblem::Header { position, found, claimed: text(&header[field]) }),
    }
}

/// A number of octal digits, padded with spaces or zero bytes.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|&byte| matches!(byte, 0 | b' ')).unwrap_or(digits.len());
    let digits = &digits[..end];
    if digits.is_empty() || !digits.iter().all(|digit| (b'0'..=b'7').contains(digit)) {
        return None;
    }
    // Twelve digits at most: 36 bits.
    Some(digits.iter().fold(0, |number, digit| 8 * number + u64::from(digit - b'0')))
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header after POSIX.1-1988.
    fn header(name: &str, kind: u8, size: usize) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
        block[156] = kind;
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }

    fn archive(entries: &[(&str, u8, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, kind, content) in entries {
            bytes.extend(header(name, *kind, content.len()));
            bytes.extend_from_slice(content);
            bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        }
        bytes.resize(bytes.len() + 2 * BLOCK, 0);
        bytes
    }

    fn contents(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, DataError> {
        let mut tar = Tar::new(Source::from_bytes("memory", bytes)?);
        let mut files = Vec::new();
        while let Some(name) = tar.next()? {
            let mut content = Vec::new();
            tar.read_to_end(&mut content).map_err(|error| tar.explain(error))?;
            tar.check_complete()?;
            files.push((name, content));
        }
        Ok(files)
    }

    #[test]
    fn plain_files_are_found_and_everything_else_is_passed_over() {
        let long = [7; 700];
        let bytes = archive(&[
            ("folder/", b'5', b""),
            ("folder/a.bin", b'0', b"abc"),
            ("pax", b'x', b"30 mtime=1"),
            ("old.bin", 0, &long),
            ("link", b'2', b""),
        ]);
        let files = contents(&bytes).unwrap();
        assert_eq!(files, [("a.bin".to_owned(), b"abc".to_vec()), ("old.bin".to_owned(), long.to_vec())]);
    }

    #[test]
    fn damage_is_told_with_its_place() {
        let bytes = archive(&[("a.bin", b'0', &[1; 600])]);
        for length in 0..bytes.len() - BLOCK {
            let error = contents(&bytes[..length]).unwrap_err();
            assert!(matches!(error.problem, Problem::Tar(TarProblem::CutShort { .. })), "{length}: {error}");
        }
        for position in 0..BLOCK {
            let mut damaged = bytes.clone();
            damaged[position] ^= 0x10;
            // A leading zero of the checksum may as well be a space.
            let outcome = contents(&damaged);
            assert!(outcome.is_err() || (148..156).contains(&position), "{position}");
        }
        let error = contents(b"<html>".repeat(100).as_slice()).unwrap_err();
        assert!(error.to_string().contains("no tar header at byte 0"), "{error}");
    }
}
