//! One file: from whichever mirror gives it, into `NAME.part`, and once it is right to its name.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::http::{Answer, Client, Refusal, is_stall};
use super::{Attempt, Event, FetchError, FetchOptions};
use crate::digest::sha256;
use crate::upstream::Published;

/// Longest pause between two rounds over the mirrors.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A connection that brought at least one part in so many was worth it: the mirror is asked again at once.
///
/// It bounds the number of connections to a server that cuts each of them.
const WORTHWHILE: u64 = 1000;

pub(super) struct Download<'a> {
    pub file: &'a Published,
    pub target: &'a Path,
    pub urls: Vec<String>,
    pub client: &'a Client,
    pub options: &'a FetchOptions,
}

/// So often one mirror may make the download start again from the first byte.
const RESTARTS: u32 = 2;

/// A server that may be asked, and what it said last.
struct Mirror {
    url: String,
    reason: String,
    restarts: u32,
    given_up: bool,
}

/// How a connection ended without completing the file.
enum Setback {
    /// The server may be asked again.
    Passing(String),
    /// It may not.
    Final(String),
    /// The bytes of several connections do not fit together: once more from the start.
    Restart(String),
    /// This machine refused.
    Local(FetchError),
}

impl Download<'_> {
    /// Downloads, checks, and gives the file its name.
    pub fn run(&self, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), FetchError> {
        let path = part_path(self.target);
        let mut part = Part::open(path.clone(), self.file.size)?;
        let new = |url: &String| Mirror { url: url.clone(), reason: String::new(), restarts: 0, given_up: false };
        let mut mirrors: Vec<Mirror> = self.urls.iter().map(new).collect();
        let mut furthest = part.at;
        let mut idle_rounds = 0;
        loop {
            let before = furthest;
            for mirror in mirrors.iter_mut().filter(|mirror| !mirror.given_up) {
                if self.try_mirror(mirror, &mut part, &mut furthest, progress)? {
                    return place(part.file, &path, self.target);
                }
            }
            idle_rounds = if furthest > before { 0 } else { idle_rounds + 1 };
            if idle_rounds >= self.options.tries || mirrors.iter().all(|mirror| mirror.given_up) {
                let attempts = mirrors.into_iter().map(|Mirror { url, reason, .. }| Attempt { url, reason }).collect();
                let file = self.file.name.to_owned();
                if part.at == 0 {
                    // Nothing to resume from. If it cannot be removed, it does no harm either.
                    let _ = fs::remove_file(&path);
                }
                return Err(FetchError::Unreachable { file, attempts, folder: PathBuf::new(), by_hand: Vec::new() });
            }
            if idle_rounds > 0 {
                let pause = (self.options.pause * (1 << (idle_rounds - 1).min(16))).min(LONGEST_PAUSE);
                progress(Event::Waiting { pause });
                thread::sleep(pause);
            }
        }
    }

    /// Asks one mirror as long as it brings the file forward; true when the file is complete and right.
    fn try_mirror(
        &self,
        mirror: &mut Mirror,
        part: &mut Part,
        furthest: &mut u64,
        progress: &mut dyn FnMut(Event<'_>),
    ) -> Result<bool, FetchError> {
        loop {
            let outcome = self.connect(&mirror.url, part, progress);
            // Bytes that were there before (a server without ranges starts again) are no progress.
            let gained = part.at.saturating_sub(*furthest);
            *furthest = part.at.max(*furthest);
            let (reason, again) = match outcome {
                Ok(()) => return Ok(true),
                Err(Setback::Local(error)) => return Err(error),
                Err(Setback::Restart(reason)) => {
                    mirror.restarts += 1;
                    mirror.given_up = mirror.restarts > RESTARTS;
                    (reason, !mirror.given_up)
                }
                Err(Setback::Passing(reason)) => (reason, gained > self.file.size / WORTHWHILE),
                Err(Setback::Final(reason)) => {
                    mirror.given_up = true;
                    (reason, false)
                }
            };
            progress(Event::Failed { url: &mirror.url, reason: &reason });
            mirror.reason = reason;
            if !again {
                return Ok(false);
            }
        }
    }

    /// One connection; `Ok` when the part is complete and right.
    fn connect(&self, url: &str, part: &mut Part, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Setback> {
        let size = self.file.size;
        let kept = part.at;
        if part.at < size {
            let answer = match self.client.get(url, part.at) {
                Ok(answer) => answer,
                Err(Refusal::Passing(reason)) => return Err(Setback::Passing(reason)),
                Err(Refusal::Final(reason)) => return Err(Setback::Final(reason)),
                Err(Refusal::NoSuchRange) if kept > 0 => {
                    part.cut(0)?;
                    return Err(Setback::Restart(format!("cannot continue at byte {kept}")));
                }
                Err(Refusal::NoSuchRange) => {
                    return Err(Setback::Final("answered with a range nobody asked for".into()));
                }
            };
            self.receive(url, answer, part, progress)?;
        }
        let (_, found) = part.digest()?;
        if found == self.file.sha256 {
            return Ok(());
        }
        // The first bytes may have been another server's: only a mirror that sent them all is to blame.
        let whole = part.resumed_at == 0;
        part.cut(0)?;
        let reason = format!("sent other content: SHA-256 {found}, expected {}", self.file.sha256);
        Err(if whole { Setback::Final(reason) } else { Setback::Restart(reason) })
    }

    /// Appends what the server sends until the part is complete.
    fn receive(
        &self,
        url: &str,
        Answer { start, length, mut body }: Answer,
        part: &mut Part,
        progress: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), Setback> {
        let size = self.file.size;
        if let Some(length) = length
            && length != size - start
        {
            return Err(Setback::Final(format!("announced {} bytes, expected {size}", start.saturating_add(length))));
        }
        part.cut(start)?;
        part.resumed_at = start;
        progress(Event::Started { file: self.file.name, url, at: start, size });
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = match body.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if is_stall(&error) => {
                    return Err(Setback::Passing(format!("fell silent after {} of {size} bytes", part.at)));
                }
                Err(error) => {
                    return Err(Setback::Passing(format!("broke off after {} of {size} bytes ({error})", part.at)));
                }
            };
            if count == 0 && part.at < size {
                return Err(Setback::Passing(format!("ended after {} of {size} bytes", part.at)));
            }
            if count == 0 {
                return Ok(());
            }
            if count as u64 > size - part.at {
                part.cut(0)?;
                return Err(Setback::Final(format!("sent more than the {size} bytes of the file")));
            }
            part.append(&buffer[..count])?;
            progress(Event::Received { at: part.at, size });
        }
    }
}

/// The unfinished file, locked against other processes.
struct Part {
    path: PathBuf,
    file: File,
    /// Its size.
    at: u64,
    /// Where the present connection, or the next one, begins: the bytes before it came from others.
    resumed_at: u64,
}

impl Part {
    fn open(path: PathBuf, size: u64) -> Result<Self, FetchError> {
        let file = open_locked(&path)?;
        let at = file.metadata().map_err(|error| FetchError::io("read", &path, error))?.len();
        let mut part = Part { path, file, at, resumed_at: at };
        if at > size {
            part.cut_or_error(0)?;
        }
        Ok(part)
    }

    /// Keeps the first `size` bytes; the next ones are appended there.
    fn cut(&mut self, size: u64) -> Result<(), Setback> {
        self.cut_or_error(size).map_err(Setback::Local)
    }

    fn cut_or_error(&mut self, size: u64) -> Result<(), FetchError> {
        let outcome = self.file.set_len(size).and_then(|()| self.file.seek(SeekFrom::Start(size)));
        outcome.map_err(|error| FetchError::io("write", &self.path, error))?;
        self.at = size;
        self.resumed_at = size;
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Setback> {
        let outcome = self.file.write_all(bytes);
        outcome.map_err(|error| Setback::Local(FetchError::io("write", &self.path, error)))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Size and checksum of what is on the disk.
    fn digest(&mut self) -> Result<(u64, String), Setback> {
        let outcome = self.file.seek(SeekFrom::Start(0)).and_then(|_| sha256(&self.file));
        outcome.map_err(|error| Setback::Local(FetchError::io("read", &self.path, error)))
    }
}

/// Opens an unfinished file, or makes it, and keeps other processes away from it until it is closed.
pub(super) fn open_locked(path: &Path) -> Result<File, FetchError> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let file = file.map_err(|error| FetchError::io("write", path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FetchError::Busy { path: path.to_path_buf() }),
        // Some file systems have no locks; there two processes have to be kept apart by their user.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(FetchError::io("lock", path, error)),
    }
}

/// Where a file is put together before it gets its name.
pub(super) fn part_path(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Makes sure that the bytes are on the disk and gives the file its name.
pub(super) fn place(file: File, part: &Path, target: &Path) -> Result<(), FetchError> {
    file.sync_all().map_err(|error| FetchError::io("write", part, error))?;
    fs::rename(part, target).map_err(|error| FetchError::io("rename to its final name", part, error))?;
    // With it the lock goes: not before the file has its name.
    drop(file);
    // The new name itself survives a power cut only when the folder is written, too. Not every system can do that.
    if let Some(Ok(folder)) = target.parent().map(File::open) {
        let _ = folder.sync_all();
    }
    Ok(())
}
