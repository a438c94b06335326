//! Why a download failed, and what to do by hand.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::folder::DATA_VARIABLE;
use crate::standing::{Standing, published_standing};
use crate::upstream::{Packing, Upstream};

/// A download that did not succeed. The text is complete by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No mirror gave the file.
    #[error(
        "cannot download {file}; the servers said:{}\nGet the file{} on another machine and put {} into {}:{}\n\
         then run the command again, or pitfall data verify. (Set {DATA_VARIABLE}, or give --dir, for another folder.)",
        lines(attempts),
        if by_hand.len() == 1 { "" } else { "s" },
        if by_hand.len() == 1 { "it" } else { "them" },
        folder.display(),
        lines(by_hand)
    )]
    Unreachable {
        /// Name of the file.
        file: String,
        /// Each address that was asked, and its last answer.
        attempts: Vec<Attempt>,
        /// Where the files belong.
        folder: PathBuf,
        /// Every file of the set that is not there yet.
        by_hand: Vec<ToPlace>,
    },

    /// Another file has the name.
    #[error(
        "{} is there, but it is not the published file ({size} bytes, SHA-256 {sha256}). Nothing was overwritten: \
         move it away or delete it, then fetch again",
        path.display()
    )]
    Occupied {
        /// The file that is there.
        path: PathBuf,
        /// Bytes of the published file.
        size: u64,
        /// Its checksum.
        sha256: &'static str,
    },

    /// Another process downloads the same file.
    #[error("{} is being written by another process; wait for it to end", path.display())]
    Busy {
        /// The unfinished file.
        path: PathBuf,
    },

    /// A checked archive does not hold what it should: the table of this program is wrong, or the disk.
    #[error("{}: {reason}; please report this", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A proxy address that cannot be used.
    #[error("the proxy address {address:?} (from {variable}) cannot be used; write it as http://host:port")]
    Proxy {
        /// The environment variable.
        variable: &'static str,
        /// Its value.
        address: String,
    },

    /// The operating system refused.
    #[error("cannot {action} {}: {error}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's word.
        error: io::Error,
    },
}

impl FetchError {
    pub(super) fn io(action: &'static str, path: &Path, error: io::Error) -> Self {
        FetchError::Io { action, path: path.to_path_buf(), error }
    }

    /// Fills in what a reader without a network has to do.
    pub(super) fn or_by_hand(mut self, upstream: &Upstream, in_folder: &Path) -> Self {
        if let FetchError::Unreachable { folder, by_hand, .. } = &mut self {
            *folder = in_folder.to_path_buf();
            let missing = |file: &&_| matches!(published_standing(in_folder, file), Standing::Missing);
            *by_hand = upstream
                .files
                .iter()
                .filter(missing)
                .map(|file| ToPlace {
                    name: file.name.to_owned(),
                    size: file.size,
                    sha256: file.sha256.to_owned(),
                    urls: upstream.mirrors.iter().map(|mirror| format!("{mirror}{}", file.name)).collect(),
                    unpack: file.packing == Packing::TarGz,
                })
                .collect();
        }
        self
    }
}

/// An address that was asked for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The address.
    pub url: String,
    /// Its last answer.
    pub reason: String,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.url, self.reason)
    }
}

/// A file that has to be put into the folder of its set by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToPlace {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// Its checksum.
    pub sha256: String,
    /// Where it is published.
    pub urls: Vec<String>,
    /// Whether it is an archive that the next run unpacks.
    pub unpack: bool,
}

impl fmt::Display for ToPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unpack = if self.unpack { ", unpacked by the next run" } else { "" };
        write!(f, "{} ({} bytes, SHA-256 {}{unpack})", self.name, self.size, self.sha256)?;
        self.urls.iter().try_for_each(|url| write!(f, "\n      {url}"))
    }
}

fn lines(items: &[impl fmt::Display]) -> String {
    items.iter().map(|item| format!("\n  {item}")).collect()
}
