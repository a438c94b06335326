//! Writing a file so that a crash at any moment leaves the old one or the new one, whole.
//!
//! ```text
//! create .name.<process>.partial in the same folder -> write -> fsync -> rename over name -> fsync of the folder
//! ```
//!
//! The rename is the moment at which the new file takes the place of the old one; before it the old one is untouched, and the
//! fsync before it makes sure that the new name never points at bytes that are not on the disk yet. What a killed process
//! leaves behind is removed by [`remove_partial_files`] at the next start.

use std::{
    ffi::OsString,
    fmt,
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

/// Bytes handed to the operating system at once.
const PIECE: usize = 64 << 10;

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {doing}: {source}{}", .path.display(), remedy(.source, *.replaced))]
pub struct WriteError {
    /// The file that was to be written.
    pub path: PathBuf,
    /// What was being done.
    pub doing: &'static str,
    /// Whether the new file has taken the place of the old one nevertheless.
    pub replaced: bool,
    /// What the operating system said.
    pub source: io::Error,
}

fn remedy(source: &io::Error, replaced: bool) -> String {
    let what = match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some space or choose another folder",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "; choose a folder that can be written",
        io::ErrorKind::NotFound => "; does the folder exist?",
        _ => "",
    };
    let old = if replaced { "" } else { " (an older file of that name is unchanged)" };
    format!("{what}{old}")
}

/// The steps of writing, as the operating system offers them.
pub trait FileSystem: fmt::Debug + Send + Sync {
    /// Creates a file that does not exist yet.
    fn create(&self, path: &Path) -> io::Result<File>;
    /// Appends all of `bytes`.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()>;
    /// Waits until the file is on the disk.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Puts a file in the place of another.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Waits until the names in a folder are on the disk.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The real file system.
#[derive(Clone, Copy, Debug)]
pub struct Disk;

impl FileSystem for Disk {
    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(path)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        // Elsewhere a folder cannot be opened as a file, and a rename is as lasting as it gets.
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }
}

/// What happens to a [`FaultyDisk`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The step fails as on a full disk; of a write, half is done.
    Full,
    /// The process ends on the spot, as if killed; of a write, half is done.
    Abort,
}

/// The real file system until one chosen step: for proofs that no step is the wrong one to fail or to die at.
#[derive(Debug)]
pub struct FaultyDisk {
    at: usize,
    fault: Fault,
    steps: AtomicUsize,
}

impl FaultyDisk {
    /// Step number `at`, counted from 0, meets `fault`; later ones work again.
    pub fn new(at: usize, fault: Fault) -> Self {
        Self { at, fault, steps: AtomicUsize::new(0) }
    }

    /// How many steps were asked for so far.
    pub fn steps(&self) -> usize {
        self.steps.load(Ordering::SeqCst)
    }

    fn step<T>(&self, half: impl FnOnce() -> io::Result<()>, whole: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if self.steps.fetch_add(1, Ordering::SeqCst) != self.at {
            return whole();
        }
        half()?;
        match self.fault {
            Fault::Full => Err(io::ErrorKind::StorageFull.into()),
            Fault::Abort => std::process::abort(),
        }
    }
}

impl FileSystem for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.step(|| Ok(()), || Disk.create(path))
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        // Both ways need the file, one of them gets it.
        let file = std::cell::RefCell::new(file);
        self.step(
            || Disk.write(&mut file.borrow_mut(), &bytes[..bytes.len() / 2]),
            || Disk.write(&mut file.borrow_mut(), bytes),
        )
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.step(|| Ok(()), || Disk.sync(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|| Ok(()), || Disk.rename(from, to))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.step(|| Ok(()), || Disk.sync_folder(folder))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(|| Ok(()), || Disk.remove(path))
    }
}

/// Writes `bytes` to `path`: afterwards the file is there as a whole, and on the disk.
///
/// A link is followed. What is there and is no file, such as a pipe or a device, cannot be replaced: it is written to.
///
/// # Errors
/// If any step fails; a file that was there before is unchanged then, except if the very last step failed, the fsync of the
/// folder.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let target = target(path);
    if !is_special(&target) {
        return write_atomically_to(&Disk, &target, bytes);
    }
    let fail = |doing| move |source| WriteError { path: path.to_path_buf(), doing, replaced: true, source };
    let mut file = OpenOptions::new().write(true).open(&target).map_err(fail("opening it"))?;
    file.write_all(bytes).map_err(fail("writing it"))
}

/// Where a link leads; any other path, also that of a link to nothing, is itself.
pub fn target(path: &Path) -> PathBuf {
    if path.is_symlink() { path.canonicalize().unwrap_or_else(|_| path.to_path_buf()) } else { path.to_path_buf() }
}

/// Whether something is there that is neither a file nor a folder.
pub fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// [`write_atomically`] on any file system.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_atomically_to(disk: &dyn FileSystem, path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let fail = |doing, replaced| move |source| WriteError { path: path.to_path_buf(), doing, replaced, source };
    let partial = partial_name(path).ok_or_else(|| fail("its name", false)(io::ErrorKind::InvalidFilename.into()))?;
    write_whole(disk, &partial, bytes)
        .and_then(|()| disk.rename(&partial, path).map_err(|e| ("renaming it", e)))
        .map_err(|(doing, source)| {
            // It may not even exist; the error to tell is the first one.
            let _ = disk.remove(&partial);
            fail(doing, false)(source)
        })?;
    disk.sync_folder(folder_of(path)).map_err(fail("syncing its folder", true))
}

fn write_whole(disk: &dyn FileSystem, path: &Path, bytes: &[u8]) -> Result<(), (&'static str, io::Error)> {
    let creating = |error| ("creating it", error);
    let mut file = match disk.create(path) {
        // Left behind by a process that had this number before.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            disk.remove(path).and_then(|()| disk.create(path)).map_err(creating)?
        }
        other => other.map_err(creating)?,
    };
    for piece in bytes.chunks(PIECE) {
        disk.write(&mut file, piece).map_err(|error| ("writing it", error))?;
    }
    disk.sync(&file).map_err(|error| ("syncing it", error))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The name under which a file is written: hidden, of this process, in the same folder.
fn partial_name(path: &Path) -> Option<PathBuf> {
    let mut name = OsString::from(".");
    name.push(path.file_name()?);
    name.push(format!(".{}{PARTIAL}", std::process::id()));
    Some(path.with_file_name(name))
}

const PARTIAL: &str = ".partial";

/// Removes what killed processes left in `folder`; gives how many files that were. A folder that does not exist has none.
///
/// Call it when nobody else is writing there: at the start of the run that owns the folder.
///
/// # Errors
/// If the folder cannot be read or a file not removed.
pub fn remove_partial_files(folder: &Path) -> io::Result<usize> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        other => other?,
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix('.')?.strip_suffix(PARTIAL)?.rsplit_once('.'));
        if process.is_some_and(|(_, process)| process.parse::<u32>().is_ok()) && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_full_disk_at_any_step_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.csv");
        // Four pieces: create, four writes, sync, rename, sync of the folder.
        let (old, new) = (vec![1; 1000], vec![2; 3 * PIECE + 5]);
        let good = FaultyDisk::new(usize::MAX, Fault::Full);
        write_atomically_to(&good, &path, &new).unwrap();
        assert_eq!((good.steps(), fs::read(&path).unwrap()), (8, new.clone()));
        for at in 0..8 {
            write_atomically(&path, &old).unwrap();
            let error = write_atomically_to(&FaultyDisk::new(at, Fault::Full), &path, &new).unwrap_err();
            let replaced = at == 7;
            assert_eq!((error.replaced, error.source.kind()), (replaced, io::ErrorKind::StorageFull), "step {at}");
            assert_eq!(fs::read(&path).unwrap(), *if replaced { &new } else { &old }, "step {at}");
            assert_eq!(names(folder.path()), ["results.csv"], "step {at}");
            let text = error.to_string();
            assert!(text.contains("results.csv") && text.contains("free some space"), "{text}");
            assert_eq!(text.contains("is unchanged"), !replaced, "{text}");
        }
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let keep = [".hidden", ".name.partial", "last.safetensors", "x.17.partial"];
        for name in keep.iter().chain(&[".last.safetensors.17.partial", ".a.b.4294967295.partial"]) {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        assert_eq!(remove_partial_files(folder.path()).unwrap(), 2);
        assert_eq!(names(folder.path()), keep);
        assert_eq!(remove_partial_files(&folder.path().join("none")).unwrap(), 0);
        // One of this process's own number is no obstacle.
        let path = folder.path().join("last.safetensors");
        fs::write(partial_name(&path).unwrap(), "half").unwrap();
        write_atomically(&path, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(folder.path()), keep);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_what_is_no_file_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_atomically(&link, b"new").unwrap();
        assert_eq!((fs::read(&file).unwrap(), link.is_symlink()), (b"new".to_vec(), true));
        assert!(!is_special(&file) && !is_special(folder.path()) && is_special(Path::new("/dev/null")));
        // A link to nothing is replaced.
        fs::remove_file(&file).unwrap();
        write_atomically(&link, b"whole").unwrap();
        assert_eq!((fs::read(&link).unwrap(), link.is_symlink()), (b"whole".to_vec(), false));
        // Not the device itself: whoever may replace it would.
        let null = folder.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &null).unwrap();
        write_atomically(&null, b"gone").unwrap();
        assert!(null.is_symlink() && is_special(&null));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no-such-folder/file");
        let error = write_atomically(&missing, b"x").unwrap_err().to_string();
        assert!(error.contains("no-such-folder") && error.contains("does the folder exist?"), "{error}");
        // Nobody can create files here, not even the superuser, whom a folder without write permission does not stop.
        if cfg!(target_os = "linux") {
            let error = write_atomically(Path::new("/proc/self/results.csv"), b"x").unwrap_err();
            assert!(!error.replaced && error.to_string().contains("/proc/self/results.csv"), "{error}");
        }
        assert!(write_atomically(Path::new("/"), b"x").unwrap_err().to_string().contains("its name"));
    }
}
