//! Downloads of the data sets: resumed, checked before anything gets its final name, told step by step.
//!
//! [`fetch`] puts the files of an [`Upstream`] set into its folder inside a data folder:
//!
//! 1. What is there already, with the published content, is left alone.
//! 2. A file is downloaded to `NAME.part`. A cut connection is taken up where it broke (`Range`), also in a later run; a
//!    server that cannot do that starts again. A mirror that announces another length, sends more than the published
//!    size or wrong content is not asked again; what may pass (a stall, a 5xx answer) is tried again with growing pauses.
//!    There are never more bytes on the disk than the published size.
//! 3. When the size and the SHA-256 of the bytes on the disk are right, the file gets its name in one step. An archive
//!    is then unpacked the same way: each content is written to `NAME.part`, checked, and renamed.
//!
//! Anything else ends in a [`FetchError`], whose text says which files to put where by hand. With `tar` archives only the
//! files of the table are taken, under the names of the table: no path of an archive is ever used.

mod download;
mod error;
mod http;
mod unpack;

pub use error::{Attempt, FetchError, ToPlace};
pub use http::Proxies;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::standing::{Standing, published_standing, stored_standing};
use crate::upstream::{Packing, Published, Upstream};
use download::Download;
use http::Client;

/// How to download.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Addresses of data folders to use instead of the published ones; a file is looked for at `MIRROR/SET/NAME`.
    pub mirrors: Vec<String>,
    /// How often all mirrors are asked in a row without a new byte from any of them; at least 1.
    pub tries: u32,
    /// Pause before the second round over the mirrors; doubled before each further one, up to half a minute.
    pub pause: Duration,
    /// Longest time to find a server and to connect to it.
    pub connect_timeout: Duration,
    /// Longest time without a byte from a server.
    pub stall_timeout: Duration,
    /// Which proxies to go through.
    pub proxies: Proxies,
}

impl Default for FetchOptions {
    /// Published mirrors, four rounds with pauses of 1, 2 and 4 s, 15 s to connect, 30 s for a stall, no proxy.
    fn default() -> Self {
        FetchOptions {
            mirrors: Vec::new(),
            tries: 4,
            pause: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(30),
            proxies: Proxies::default(),
        }
    }
}

/// What happens during a [`fetch`], in the order in which it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// The file is there already, with the published content.
    Kept {
        /// Its name.
        file: &'a str,
    },
    /// A server answered, and its bytes begin to arrive.
    Started {
        /// Name of the file.
        file: &'a str,
        /// The address asked.
        url: &'a str,
        /// Bytes on the disk, kept from an earlier connection.
        at: u64,
        /// Bytes of the whole file.
        size: u64,
    },
    /// More bytes are on the disk.
    Received {
        /// Bytes on the disk.
        at: u64,
        /// Bytes of the whole file.
        size: u64,
    },
    /// A server failed; another one, or the same again, follows.
    Failed {
        /// The address asked.
        url: &'a str,
        /// What went wrong.
        reason: &'a str,
    },
    /// Nothing works at the moment.
    Waiting {
        /// Time until the servers are asked again.
        pause: Duration,
    },
    /// The file is complete, checked, and has its name.
    Placed {
        /// Its path.
        path: &'a Path,
    },
    /// A checked archive is being unpacked.
    Unpacking {
        /// Its name.
        file: &'a str,
    },
}

/// Puts the files of `upstream` into its folder inside `data_dir`, and returns that folder.
///
/// # Errors
///
/// [`FetchError`]. What was downloaded so far stays in `NAME.part`, for the next call.
pub fn fetch(
    upstream: &Upstream,
    data_dir: &Path,
    options: &FetchOptions,
    progress: &mut dyn FnMut(Event<'_>),
) -> Result<PathBuf, FetchError> {
    let folder = data_dir.join(upstream.folder);
    let client = Client::new(options)?;
    fs::create_dir_all(&folder).map_err(|error| FetchError::io("make the folder", &folder, error))?;
    for file in upstream.files {
        match published_standing(&folder, file) {
            Standing::Published | Standing::Repacked => progress(Event::Kept { file: file.name }),
            Standing::Missing => fetch_file(upstream, file, &folder, &client, options, progress)?,
            Standing::Other { path, .. } => return Err(occupied(path, file)),
            Standing::Unreadable { path, error } => return Err(FetchError::io("read", &path, error)),
        }
    }
    Ok(folder)
}

fn fetch_file(
    upstream: &Upstream,
    file: &Published,
    folder: &Path,
    client: &Client,
    options: &FetchOptions,
    progress: &mut dyn FnMut(Event<'_>),
) -> Result<(), FetchError> {
    let target = folder.join(file.name);
    // An archive that somebody put there is unpacked like one that was downloaded.
    match stored_standing(&target, file) {
        Standing::Published => progress(Event::Kept { file: file.name }),
        Standing::Missing => {
            let download = Download { file, target: &target, urls: urls(upstream, file, options), client, options };
            download.run(progress).map_err(|error| error.or_by_hand(upstream, folder))?;
            progress(Event::Placed { path: &target });
        }
        Standing::Unreadable { path, error } => return Err(FetchError::io("read", &path, error)),
        Standing::Repacked | Standing::Other { .. } => return Err(occupied(target, file)),
    }
    if file.packing == Packing::TarGz {
        progress(Event::Unpacking { file: file.name });
        unpack::unpack(file, &target, folder)?;
        // Its contents are checked one by one and can be told by their own checksums: the archive only takes room.
        fs::remove_file(&target).map_err(|error| FetchError::io("remove", &target, error))?;
    }
    Ok(())
}

fn occupied(path: PathBuf, file: &Published) -> FetchError {
    let content = file.contents.iter().find(|content| path.ends_with(content.path));
    let (size, sha256) = content.map_or((file.size, file.sha256), |content| (content.size, content.sha256));
    FetchError::Occupied { path, size, sha256 }
}

/// Where a file can be asked for, in this order.
fn urls(upstream: &Upstream, file: &Published, options: &FetchOptions) -> Vec<String> {
    if options.mirrors.is_empty() {
        return upstream.mirrors.iter().map(|mirror| format!("{mirror}{}", file.name)).collect();
    }
    let base = |mirror: &String| format!("{}/{}/{}", mirror.trim_end_matches('/'), upstream.folder, file.name);
    options.mirrors.iter().map(base).collect()
}
