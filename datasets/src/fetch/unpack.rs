//! Contents of a checked archive.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::FetchError;
use super::download::{open_locked, part_path, place};
use crate::DataError;
use crate::digest::sha256;
use crate::source::Source;
use crate::tar::Tar;
use crate::upstream::{Content, Published};

/// Writes the contents of `archive` into `folder`, each checked before it gets its name.
///
/// Only the files of the table are taken, under the names of the table, and never more bytes than it says.
pub(super) fn unpack(file: &Published, archive: &Path, folder: &Path) -> Result<(), FetchError> {
    let wrong = |reason: String| FetchError::Archive { path: archive.to_path_buf(), reason };
    let broken = |error: DataError| wrong(error.problem.to_string());
    let mut tar = Tar::new(Source::open(archive).map_err(broken)?);
    let mut missing: Vec<&Content> = file.contents.iter().collect();
    while let Some(name) = tar.next().map_err(broken)? {
        // The reader tells names without folders, so a path of the archive can lead nowhere.
        let found = missing.iter().position(|content| content.path.rsplit('/').next() == Some(name.as_str()));
        let Some(index) = found else { continue };
        let content = missing.swap_remove(index);
        let bytes = (&mut tar).take(content.size + 1);
        write_content(content, bytes, folder)?.map_err(wrong)?;
    }
    match missing.first() {
        Some(content) => Err(wrong(format!("{} is not in it", content.path))),
        None => Ok(()),
    }
}

/// The inner error tells what is wrong with the archive.
fn write_content(content: &Content, bytes: impl Read, folder: &Path) -> Result<Result<(), String>, FetchError> {
    let target = folder.join(content.path);
    let part = part_path(&target);
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(|error| FetchError::io("make the folder", parent, error))?;
    }
    let write_error = |error| FetchError::io("write", &part, error);
    let mut out = open_locked(&part)?;
    out.set_len(0).map_err(write_error)?;
    let mut tee = Tee { from: bytes, to: &mut out, failed: None };
    let outcome = io::copy(&mut tee, &mut io::sink());
    if let Some(error) = tee.failed {
        return Err(write_error(error));
    }
    // What is on the disk is checked, not what was on its way there.
    let outcome = match outcome {
        Ok(_) => Ok(out.seek(SeekFrom::Start(0)).and_then(|_| sha256(&out)).map_err(write_error)?),
        Err(error) => Err(error),
    };
    let reason = match outcome {
        Ok((size, _)) if size > content.size => format!("{} has more than {} bytes", content.path, content.size),
        Ok((size, _)) if size < content.size => {
            format!("{} has {size} bytes, expected {}", content.path, content.size)
        }
        Ok((_, found)) if found == content.sha256 => return place(out, &part, &target).map(Ok),
        Ok((_, found)) => format!("{}: SHA-256 {found}, expected {}", content.path, content.sha256),
        Err(error) => format!("{}: {error}", content.path),
    };
    drop(out);
    fs::remove_file(&part).map_err(write_error)?;
    Ok(Err(reason))
}

/// Hands on what it reads and writes it at the same time.
struct Tee<'a, R, W> {
    from: R,
    to: &'a mut W,
    /// Why writing failed: the disk is to blame then, not the archive.
    failed: Option<io::Error>,
}

impl<R: Read, W: Write> Read for Tee<'_, R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        if let Err(error) = self.to.write_all(&buffer[..count]) {
            self.failed = Some(error);
            return Err(io::Error::other("cannot write"));
        }
        Ok(count)
    }
}
