//! How files on the disk stand to the published ones.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::digest::sha256;
use crate::upstream::{Content, Packing, Published};

/// What is there of a published file.
#[derive(Debug)]
pub(crate) enum Standing {
    /// The file as published, or everything that is unpacked from it.
    Published,
    /// The published content, packed in another way or not at all.
    Repacked,
    /// Nothing, or not everything.
    Missing,
    /// Another file, or a damaged one.
    Other {
        /// Where.
        path: PathBuf,
        /// Whether it has as many bytes as the published content; then it is no other set, but an altered file.
        same_size: bool,
    },
    /// It cannot be read.
    Unreadable {
        /// Where.
        path: PathBuf,
        /// The system's word.
        error: io::Error,
    },
}

/// Whether a folder is not there, or holds nothing but unfinished downloads: then nobody has put a set there yet.
pub(crate) fn holds_nothing(folder: &Path) -> bool {
    let unfinished = |path: PathBuf| path.extension().is_some_and(|extension| extension == "part");
    match folder.read_dir() {
        Ok(entries) => entries.flatten().all(|entry| unfinished(entry.path())),
        Err(_) => !folder.exists(),
    }
}

/// Looks for the contents of `file` in the folder of its set. What is another file there is said before what is missing: it must not be
/// written over.
pub(crate) fn published_standing(folder: &Path, file: &Published) -> Standing {
    let (mut repacked, mut missing) = (false, false);
    for content in file.contents {
        let path = folder.join(content.path);
        let standing = match file.packing {
            // The readers take the plain file where both are there.
            Packing::Gzip if !path.is_file() => stored_standing(&folder.join(file.name), file),
            _ => plain_standing(path, content, file.packing),
        };
        match standing {
            Standing::Published => {}
            Standing::Repacked => repacked = true,
            Standing::Missing => missing = true,
            other => return other,
        }
    }
    match (missing, repacked) {
        (true, _) => Standing::Missing,
        (false, true) => Standing::Repacked,
        (false, false) => Standing::Published,
    }
}

/// Compares the file at `path` with `file` as it is published.
pub(crate) fn stored_standing(path: &Path, file: &Published) -> Standing {
    if !path.is_file() {
        return Standing::Missing;
    }
    let unreadable = |error| Standing::Unreadable { path: path.to_path_buf(), error };
    match File::open(path).and_then(sha256) {
        Ok((_, found)) if found == file.sha256 => return Standing::Published,
        Ok(_) => {}
        Err(error) => return unreadable(error),
    }
    if let (Packing::Gzip, [content]) = (file.packing, file.contents) {
        match File::open(path).and_then(|stream| unpacked_sha256(BufReader::new(stream))) {
            Ok((_, found)) if found == content.sha256 => return Standing::Repacked,
            Ok((size, _)) => return Standing::Other { path: path.to_path_buf(), same_size: size == content.size },
            // A damaged stream is another file; a disk that cannot be read would have failed above.
            Err(_) => {}
        }
    }
    Standing::Other { path: path.to_path_buf(), same_size: false }
}

fn plain_standing(path: PathBuf, content: &Content, packing: Packing) -> Standing {
    if !path.is_file() {
        return Standing::Missing;
    }
    match File::open(&path).and_then(sha256) {
        Ok((_, found)) if found == content.sha256 && packing == Packing::Gzip => Standing::Repacked,
        Ok((_, found)) if found == content.sha256 => Standing::Published,
        Ok((size, _)) => Standing::Other { path, same_size: size == content.size },
        Err(error) => Standing::Unreadable { path, error },
    }
}

/// As the readers do it: a file without gzip's first bytes is taken as it is, whatever its name.
fn unpacked_sha256(mut stream: impl BufRead) -> io::Result<(u64, String)> {
    if stream.fill_buf()?.starts_with(&[0x1f, 0x8b]) { sha256(MultiGzDecoder::new(stream)) } else { sha256(stream) }
}
