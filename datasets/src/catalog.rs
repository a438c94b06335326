//! The data sets by name: bundled samples, and full sets from a folder.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::{DataError, DataSet, LabelledImages, Problem, cifar, idx, svhn};

/// The published file names, as `[images, labels]`.
const TRAIN_FILES: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
const TEST_FILES: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// A data set known by name. `Display` and `FromStr` use the name of its [folder](SetName::folder).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetName {
    /// Handwritten digits, 28 x 28, 10 classes.
    Mnist,
    /// Articles of clothing, 28 x 28, 10 classes.
    FashionMnist,
    /// Photographs of animals and vehicles, 32 x 32 in colour, 10 classes.
    Cifar10,
    /// Photographs, 32 x 32 in colour, 100 (fine) classes.
    Cifar100,
    /// House numbers cut into digits, 32 x 32 in colour, 10 classes.
    Svhn,
}

impl SetName {
    /// Every set, for listings.
    pub const ALL: [SetName; 5] =
        [SetName::Mnist, SetName::FashionMnist, SetName::Cifar10, SetName::Cifar100, SetName::Svhn];

    /// The sets of which a sample is part of the build.
    pub const BUNDLED: [SetName; 2] = [SetName::Mnist, SetName::FashionMnist];

    /// The name of its folder inside a data folder, and on the command line.
    pub fn folder(self) -> &'static str {
        match self {
            SetName::Mnist => "mnist",
            SetName::FashionMnist => "fashion-mnist",
            SetName::Cifar10 => "cifar-10",
            SetName::Cifar100 => "cifar-100",
            SetName::Svhn => "svhn",
        }
    }

    /// The name in tables and titles.
    pub fn title(self) -> &'static str {
        match self {
            SetName::Mnist => "MNIST",
            SetName::FashionMnist => "Fashion-MNIST",
            SetName::Cifar10 => "CIFAR-10",
            SetName::Cifar100 => "CIFAR-100",
            SetName::Svhn => "SVHN",
        }
    }

    /// One name per class, in the order of the labels.
    pub fn class_names(self) -> &'static [&'static str] {
        match self {
            SetName::Mnist => &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
            SetName::FashionMnist => &[
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ],
            SetName::Cifar10 => &cifar::CLASSES_10,
            SetName::Cifar100 => &cifar::FINE_CLASSES_100,
            SetName::Svhn => &svhn::CLASSES,
        }
    }

    /// Licence and holder, in one line.
    pub fn licence(self) -> &'static str {
        match self {
            SetName::Mnist => "CC BY-SA 3.0, Yann LeCun and Corinna Cortes",
            SetName::FashionMnist => "MIT, Copyright (c) 2017 Zalando SE",
            SetName::Cifar10 | SetName::Cifar100 => {
                "no licence stated; collected by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton"
            }
            SetName::Svhn => {
                "non-commercial use only; Yuval Netzer, Tao Wang, Adam Coates, Alessandro Bissacco, Bo Wu and \
                 Andrew Y. Ng"
            }
        }
    }

    /// Where it was published.
    pub fn source(self) -> &'static str {
        match self {
            SetName::Mnist => "http://yann.lecun.com/exdb/mnist/",
            SetName::FashionMnist => "https://github.com/zalandoresearch/fashion-mnist",
            SetName::Cifar10 | SetName::Cifar100 => "https://www.cs.toronto.edu/~kriz/cifar.html",
            SetName::Svhn => "http://ufldl.stanford.edu/housenumbers/",
        }
    }

    /// The paper to cite.
    pub fn citation(self) -> &'static str {
        match self {
            SetName::Mnist => {
                "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document recognition. \
                 Proceedings of the IEEE 86(11), 1998"
            }
            SetName::FashionMnist => {
                "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine \
                 learning algorithms. arXiv:1708.07747, 2017"
            }
            SetName::Cifar10 | SetName::Cifar100 => {
                "A. Krizhevsky: Learning multiple layers of features from tiny images. Technical report, University of \
                 Toronto, 2009"
            }
            SetName::Svhn => {
                "Y. Netzer, T. Wang, A. Coates, A. Bissacco, B. Wu, A. Y. Ng: Reading digits in natural images with \
                 unsupervised feature learning. NIPS Workshop on Deep Learning and Unsupervised Feature Learning, 2011"
            }
        }
    }

    fn assemble(self, name: String, [train, test]: [LabelledImages; 2]) -> DataSet {
        DataSet {
            name,
            class_names: self.class_names().iter().copied().map(String::from).collect(),
            train,
            test,
            licence: self.licence().to_owned(),
            source: self.source().to_owned(),
        }
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.folder())
    }
}

/// A name that no data set has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown data set {0:?}; known are {known}", known = SetName::ALL.map(SetName::folder).join(", "))]
pub struct UnknownSet(pub String);

impl FromStr for SetName {
    type Err = UnknownSet;

    fn from_str(name: &str) -> Result<Self, UnknownSet> {
        SetName::ALL.into_iter().find(|set| set.folder() == name).ok_or_else(|| UnknownSet(name.to_owned()))
    }
}

/// The bundled, class-balanced sample: 10,000 training and 2,000 test images, drawn by [`samples`](crate::samples).
///
/// # Errors
///
/// [`Problem::NotBundled`] for sets that are not in [`SetName::BUNDLED`]. Otherwise none in an undamaged build: the
/// bundled bytes pass through the same checks as any file.
pub fn bundled(set: SetName) -> Result<DataSet, DataError> {
    macro_rules! part {
        ($folder:literal, $part:literal) => {
            from_bytes(
                concat!($folder, "/", $part, " (bundled)"),
                include_bytes!(concat!("../data/", $folder, "/", $part, "-images-idx3-ubyte.gz")),
                include_bytes!(concat!("../data/", $folder, "/", $part, "-labels-idx1-ubyte.gz")),
                set.class_names().len(),
            )?
        };
    }
    let parts = match set {
        SetName::Mnist => [part!("mnist", "train"), part!("mnist", "t10k")],
        SetName::FashionMnist => [part!("fashion-mnist", "train"), part!("fashion-mnist", "t10k")],
        SetName::Cifar10 | SetName::Cifar100 | SetName::Svhn => {
            let (title, folder) = (set.title(), set.folder());
            return Err(DataError::new(folder, Problem::NotBundled { title, folder }));
        }
    };
    set.assemble(format!("{} sample", set.title()), parts).checked(set.folder())
}

fn from_bytes(name: &str, images: &[u8], labels: &[u8], classes: usize) -> Result<LabelledImages, DataError> {
    let images = idx::images_from_bytes(name, images)?;
    let labels = idx::labels_from_bytes(name, labels, classes)?;
    LabelledImages::new(images, labels, classes).map_err(|problem| DataError::new(name, problem))
}

/// The full set (or any part of it) from `data_dir`, where it has a [folder](SetName::folder) of its own, in the files
/// it was published as:
///
/// | folder | files |
/// |---|---|
/// | `mnist`, `fashion-mnist` | `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte` |
/// | `cifar-10` | `cifar-10-batches-bin/data_batch_{1..5}.bin` and `test_batch.bin`, or else `cifar-10-binary.tar.gz` |
/// | `cifar-100` | `cifar-100-binary/{train,test}.bin`, or else `cifar-100-binary.tar.gz`; labels are the fine classes |
/// | `svhn` | `train_32x32.mat` and `test_32x32.mat` |
///
/// Single files may be compressed and then end in `.gz` (not those of SVHN); where both are present the plain one is
/// read.
///
/// # Errors
///
/// [`Problem::MissingFiles`] or [`Problem::NeitherFilesNorArchive`] lists every file that is missing; otherwise whatever
/// is wrong with the first bad file.
pub fn open(set: SetName, data_dir: impl AsRef<Path>) -> Result<DataSet, DataError> {
    let folder = data_dir.as_ref().join(set.folder());
    let parts = match set {
        SetName::Mnist | SetName::FashionMnist => open_idx(set, &folder)?,
        SetName::Cifar10 => cifar::open_10(&folder)?,
        SetName::Cifar100 => cifar::open_100(&folder)?.map(|part| part.fine),
        SetName::Svhn => svhn::open(&folder)?,
    };
    set.assemble(set.title().to_owned(), parts).checked(folder)
}

fn open_idx(set: SetName, folder: &Path) -> Result<[LabelledImages; 2], DataError> {
    let wanted = [TRAIN_FILES, TEST_FILES].as_flattened().iter().map(|name| folder.join(name));
    let missing: Vec<PathBuf> = wanted.filter(|path| stored(path).is_none()).collect();
    if !missing.is_empty() {
        return Err(DataError::new(folder, Problem::MissingFiles { looked_for: missing }));
    }
    let classes = set.class_names().len();
    Ok([read_part(folder, TRAIN_FILES, classes)?, read_part(folder, TEST_FILES, classes)?])
}

/// The file itself, or else its compressed form.
fn stored(path: &Path) -> Option<PathBuf> {
    [path.to_path_buf(), with_gz(path)].into_iter().find(|path| path.is_file())
}

fn with_gz(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    name.into()
}

fn read_part(folder: &Path, [images, labels]: [&str; 2], classes: usize) -> Result<LabelledImages, DataError> {
    let path = |name| stored(&folder.join(name)).unwrap_or_else(|| folder.join(name));
    let images = idx::read_images(path(images))?;
    let labels_path = path(labels);
    let labels = idx::read_labels(&labels_path, classes)?;
    LabelledImages::new(images, labels, classes).map_err(|problem| DataError::new(labels_path, problem))
}

/// Writes the four idx files of a set of grey images, compressed and under their published names, into `folder`.
///
/// # Errors
///
/// When a file or the folder cannot be written, or the images have more than one channel.
pub fn save(data: &DataSet, folder: impl AsRef<Path>) -> Result<(), DataError> {
    let folder = folder.as_ref();
    fs::create_dir_all(folder).map_err(|error| DataError::new(folder, error.into()))?;
    for (part, [images, labels]) in [(&data.train, TRAIN_FILES), (&data.test, TEST_FILES)] {
        idx::write_images(with_gz(&folder.join(images)), part.images())?;
        idx::write_labels(with_gz(&folder.join(labels)), part.labels())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small data folder with 20 training and 10 test images of MNIST.
    fn small_folder() -> (tempfile::TempDir, DataSet) {
        let mut data = bundled(SetName::Mnist).unwrap();
        data.train = data.train.select(&(0..20).collect::<Vec<_>>());
        data.test = data.test.select(&(0..10).collect::<Vec<_>>());
        let folder = tempfile::tempdir().unwrap();
        save(&data, folder.path().join("mnist")).unwrap();
        (folder, data)
    }

    #[test]
    fn names_are_parsed_and_unknown_ones_explained() {
        for set in SetName::ALL {
            assert_eq!(set.to_string().parse(), Ok(set));
        }
        let error = "mnits".parse::<SetName>().unwrap_err().to_string();
        assert!(error.contains("\"mnits\""), "{error}");
        for set in SetName::ALL {
            assert!(error.contains(set.folder()), "{error}");
        }
    }

    #[test]
    fn sets_that_are_not_bundled_say_so() {
        for set in SetName::ALL {
            assert_eq!(bundled(set).is_ok(), SetName::BUNDLED.contains(&set), "{set}");
        }
        let error = bundled(SetName::Svhn).unwrap_err().to_string();
        assert!(error.contains("no sample of SVHN is bundled") && error.contains("svhn/"), "{error}");
    }

    #[test]
    fn class_names_are_distinct() {
        for set in SetName::ALL {
            let mut names = set.class_names().to_vec();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), if set == SetName::Cifar100 { 100 } else { 10 }, "{set}");
        }
    }

    #[test]
    fn saved_sets_open_again_and_plain_files_are_accepted() {
        let (folder, data) = small_folder();
        let opened = open(SetName::Mnist, folder.path()).unwrap();
        assert_eq!((&opened.train, &opened.test), (&data.train, &data.test));

        let labels = folder.path().join("mnist").join(TEST_FILES[1]);
        fs::remove_file(with_gz(&labels)).unwrap();
        idx::write_labels(&labels, data.test.labels()).unwrap();
        assert_eq!(open(SetName::Mnist, folder.path()).unwrap().test, data.test);
    }

    #[test]
    fn every_missing_file_is_listed_and_no_other() {
        let (folder, _) = small_folder();
        for name in [TRAIN_FILES[0], TEST_FILES[1]] {
            fs::remove_file(with_gz(&folder.path().join("mnist").join(name))).unwrap();
        }
        let error = open(SetName::Mnist, folder.path()).unwrap_err();
        let Problem::MissingFiles { looked_for } = error.problem else { panic!("{error}") };
        let expected = [TRAIN_FILES[0], TEST_FILES[1]].map(|name| folder.path().join("mnist").join(name));
        assert_eq!(looked_for, expected);
    }

    #[test]
    fn parts_that_do_not_fit_together_are_refused() {
        let (folder, data) = small_folder();
        let labels = with_gz(&folder.path().join("mnist").join(TRAIN_FILES[1]));
        idx::write_labels(&labels, data.test.labels()).unwrap();
        let error = open(SetName::Mnist, folder.path()).unwrap_err();
        assert_eq!(error.path, labels);
        assert!(matches!(error.problem, Problem::CountMismatch { images: 20, labels: 10 }));

        let (folder, data) = small_folder();
        let shape = crate::ImageShape { height: 14, width: 56, channels: 1 };
        let images = crate::Images::new(shape, data.test.images().pixels().to_vec());
        idx::write_images(with_gz(&folder.path().join("mnist").join(TEST_FILES[0])), &images).unwrap();
        let error = open(SetName::Mnist, folder.path()).unwrap_err();
        assert!(matches!(error.problem, Problem::ShapeMismatch { .. }), "{error}");
    }
}
