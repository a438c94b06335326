//! Is a data folder what it should be?
//!
//! [`verify`] reads every set of a data folder completely, through the same readers as an experiment, and compares each file
//! with the published one ([`upstream`](crate::upstream)).

use std::path::{Path, PathBuf};

use crate::standing::{Standing, holds_nothing, published_standing, stored_standing};
use crate::upstream::{Packing, Upstream};
use crate::{DataError, ImageShape, Problem, SetName, catalog};

/// What [`verify`] found out about one set.
#[derive(Debug)]
pub struct SetReport {
    /// The set.
    pub set: SetName,
    /// Its folder.
    pub folder: PathBuf,
    /// What is there.
    pub verdict: Verdict,
}

/// What is there of a set.
#[derive(Debug)]
pub enum Verdict {
    /// No file of it.
    NotThere,
    /// All of it, and it can be used.
    Sound {
        /// Training and test images.
        counts: [usize; 2],
        /// Of each image.
        shape: ImageShape,
        /// Number of classes.
        classes: usize,
        /// Whether it is the published set.
        checksum: Known,
    },
    /// Files are missing, damaged, or altered.
    Damaged(Damage),
}

/// Whether the checksums are those of the publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Every file is the published one.
    Published,
    /// The contents are the published ones, but some file is packed in another way.
    Repacked,
    /// It is another set in the same format, such as a sample.
    Unknown,
}

/// Why a set cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// A reader refuses it.
    #[error("{0}")]
    Reader(#[from] DataError),
    /// It can be read and has the size of the published file, but not its content.
    #[error(
        "{}: has the size of the published file, but other content (unknown checksum): it was damaged or altered, or \
         belongs to another set; move it away and fetch the set again",
        .0.display()
    )]
    Altered(PathBuf),
}

/// Looks at every set that may be in `data_dir`, in the order of [`SetName::ALL`].
pub fn verify(data_dir: &Path) -> Vec<SetReport> {
    SetName::ALL.into_iter().map(|set| verify_set(set, data_dir)).collect()
}

/// Looks at one set.
pub fn verify_set(set: SetName, data_dir: &Path) -> SetReport {
    SetReport { set, folder: data_dir.join(set.folder()), verdict: verdict(set, data_dir) }
}

fn verdict(set: SetName, data_dir: &Path) -> Verdict {
    let folder = data_dir.join(set.folder());
    let data =
        match catalog::open(set, data_dir) {
            Ok(data) => data,
            Err(DataError {
                problem: Problem::MissingFiles { .. } | Problem::NeitherFilesNorArchive { .. }, ..
            }) if holds_nothing(&folder) => return Verdict::NotThere,
            Err(error) => return Verdict::Damaged(error.into()),
        };
    let mut checksum = if Upstream::of(set.folder()).is_some() { Known::Published } else { Known::Unknown };
    for file in Upstream::of(set.folder()).map_or(&[][..], |upstream| upstream.files) {
        let standing = match published_standing(&folder, file) {
            // The reader took the archive as it is.
            Standing::Missing if file.packing == Packing::TarGz => stored_standing(&folder.join(file.name), file),
            standing => standing,
        };
        match standing {
            Standing::Published => {}
            Standing::Repacked if checksum == Known::Published => checksum = Known::Repacked,
            Standing::Repacked => {}
            Standing::Other { path, same_size: true } => return Verdict::Damaged(Damage::Altered(path)),
            // The reader found what it needs elsewhere, or under the same name with other counts.
            Standing::Missing | Standing::Other { .. } => checksum = Known::Unknown,
            Standing::Unreadable { path, error } => {
                return Verdict::Damaged(DataError::new(path, error.into()).into());
            }
        }
    }
    Verdict::Sound {
        counts: [data.train.count(), data.test.count()],
        shape: data.train.images().shape(),
        classes: data.train.classes(),
        checksum,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Images, LabelledImages, bundled};
    use std::fs;

    /// A data folder with a small sample in `mnist/`, of which the test part has `test` images.
    fn folder(test: usize) -> tempfile::TempDir {
        let mut data = bundled(SetName::Mnist).unwrap();
        data.train = data.train.select(&(0..20).collect::<Vec<_>>());
        let shape = data.train.images().shape();
        let images = Images::new(shape, vec![0; test * shape.size()]);
        data.test = LabelledImages::new(images, vec![3; test], 10).unwrap();
        let folder = tempfile::tempdir().unwrap();
        catalog::save(&data, folder.path().join("mnist")).unwrap();
        folder
    }

    fn verdict_on(folder: &tempfile::TempDir) -> Verdict {
        verify(folder.path()).remove(0).verdict
    }

    #[test]
    fn samples_are_sound_but_unknown_and_other_sets_are_not_there() {
        let folder = folder(10);
        fs::create_dir(folder.path().join("fashion-mnist")).unwrap();
        fs::write(folder.path().join("fashion-mnist/train-labels-idx1-ubyte.gz.part"), b"begun").unwrap();
        let reports = verify(folder.path());
        assert_eq!(reports.iter().map(|report| report.set).collect::<Vec<_>>(), SetName::ALL);
        let Verdict::Sound { counts, shape, classes, checksum } = reports[0].verdict else { panic!("{reports:?}") };
        assert_eq!((counts, shape.to_string(), classes), ([20, 10], "28x28x1".to_string(), 10));
        assert_eq!(checksum, Known::Unknown);
        assert!(reports[1..].iter().all(|report| matches!(report.verdict, Verdict::NotThere)), "{reports:?}");
    }

    #[test]
    fn damaged_and_incomplete_sets_are_told() {
        let folder = folder(10);
        let file = folder.path().join("mnist/t10k-images-idx3-ubyte.gz");
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
        let Verdict::Damaged(Damage::Reader(error)) = verdict_on(&folder) else { panic!("damage unseen") };
        assert_eq!(error.path, file);
        fs::remove_file(&file).unwrap();
        let Verdict::Damaged(damage) = verdict_on(&folder) else { panic!("a missing file is no missing set") };
        assert!(damage.to_string().contains("t10k-images-idx3-ubyte"), "{damage}");
    }

    #[test]
    fn files_of_the_published_size_have_to_have_the_published_content() {
        let Verdict::Damaged(Damage::Altered(path)) = verdict_on(&folder(10_000)) else { panic!("alteration unseen") };
        assert!(path.ends_with("mnist/t10k-images-idx3-ubyte.gz"), "{path:?}");
    }

    #[test]
    #[ignore = "needs the full sets: PATCHGRAD_DATA_DIR=DIR cargo test -p patchgrad-datasets -- --ignored"]
    fn the_full_sets_are_known() {
        let dir = std::env::var_os("PATCHGRAD_DATA_DIR").expect("PATCHGRAD_DATA_DIR names a data folder");
        for report in verify(dir.as_ref()) {
            let expected = Upstream::of(report.set.folder()).unwrap().counts;
            match report.verdict {
                Verdict::NotThere => {}
                Verdict::Sound { counts, checksum: Known::Published | Known::Repacked, .. } if counts == expected => {}
                verdict => panic!("{}: {verdict:?}", report.set),
            }
        }
    }
}
