//! The cropped digits of SVHN: MATLAB files with pictures `X` and classes `y`.
//!
//! `X` is uint8 [32, 32, 3, N] with the first dimension the fastest; it becomes [N, H, W, C]. `y` has N numbers, 1 to 9
//! for the digits and 10 for the digit 0; they become classes 0 to 9. See <http://ufldl.stanford.edu/housenumbers/>.

use std::path::{Path, PathBuf};

use crate::matlab::{self, MatlabProblem, Values, Variable};
use crate::source::Source;
use crate::{DataError, ImageShape, Images, LabelledImages, Problem};

/// The shape of every picture.
pub const SHAPE: ImageShape = ImageShape { height: 32, width: 32, channels: 3 };

/// The classes are the digits.
pub const CLASSES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

const PLANE: usize = 32 * 32;
const PIXELS: usize = 3 * PLANE;

/// The published file names of the training and the test part.
const FILES: [&str; 2] = ["train_32x32.mat", "test_32x32.mat"];

/// What is wrong with cropped digits.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SvhnProblem {
    /// The file ends, or its compressed data are damaged, inside the pictures.
    #[error(
        "the file is cut short: it holds {complete} complete pictures of the {announced} announced ({reason}); \
         fetch or copy it again"
    )]
    CutShort {
        /// Whole pictures that are there.
        complete: u64,
        /// Pictures that the header announces.
        announced: u64,
        /// What stopped the reading.
        reason: String,
    },

    /// `X` is not an array of cropped digits.
    #[error(
        "X is {class} {dims:?}, expected uint8 [32, 32, 3, N] with N of at least 1; is it the other format of SVHN?"
    )]
    Pictures {
        /// Its class.
        class: &'static str,
        /// Its dimensions.
        dims: Vec<usize>,
    },

    /// `y` holds something else than 1 to 10.
    #[error("y({}) is {value}, expected 1 to 10, where 10 stands for the digit 0", index + 1)]
    Label {
        /// Position, from 0.
        index: usize,
        /// Its value.
        value: f64,
    },
}

/// Reads one part, such as `train_32x32.mat`.
///
/// # Errors
///
/// When the file cannot be read or is no MATLAB file of level 5, when `X` or `y` is missing or of another form, and when
/// the file is cut short: [`SvhnProblem::CutShort`] says how many pictures are complete.
pub fn read(path: impl AsRef<Path>) -> Result<LabelledImages, DataError> {
    part(Source::open(path.as_ref())?)
}

/// The same as [`read`] for a file held in memory; `name` stands for the path in messages.
///
/// # Errors
///
/// As for [`read`].
pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<LabelledImages, DataError> {
    part(Source::from_bytes(name, bytes)?)
}

/// Training and test part from `folder`, which holds the two files under their published names.
pub(crate) fn open(folder: &Path) -> Result<[LabelledImages; 2], DataError> {
    // As published, or packed by gzip.
    let found = FILES.map(|name| {
        let plain = folder.join(name);
        let packed = folder.join(format!("{name}.gz"));
        [plain.clone(), packed].into_iter().find(|path| path.is_file()).ok_or(plain)
    });
    let looked_for: Vec<PathBuf> = found.iter().filter_map(|file| file.clone().err()).collect();
    match found {
        [Ok(train), Ok(test)] => Ok([read(train)?, read(test)?]),
        _ => Err(DataError::new(folder, Problem::MissingFiles { looked_for })),
    }
}

fn part(source: Source) -> Result<LabelledImages, DataError> {
    let path = source.path().to_path_buf();
    let with_path = |problem: Problem| DataError::new(&path, problem);
    let variables = matlab::variables(source)
        .map_err(|DataError { path, problem }| DataError { path, problem: count_pictures(problem) })?;
    labelled(variables).map_err(with_path)
}

/// Turns a variable `X` that is cut short into a number of pictures.
fn count_pictures(problem: Problem) -> Problem {
    let Problem::Matlab(problem) = problem else { return problem };
    match *problem {
        MatlabProblem::CutShort { name, dims, found, reason, .. } if name == "X" && dims.starts_with(&[32, 32, 3]) => {
            let complete = found / PIXELS as u64;
            let announced = dims[3..].iter().product::<usize>() as u64;
            SvhnProblem::CutShort { complete, announced, reason }.into()
        }
        other => other.into(),
    }
}

fn labelled(mut variables: Vec<Variable>) -> Result<LabelledImages, Problem> {
    let present: Vec<String> = variables.iter().map(|variable| variable.name.clone()).collect();
    let mut take = |name: &'static str| match variables.iter().position(|variable| variable.name == name) {
        Some(index) => Ok(variables.swap_remove(index)),
        None => Err(MatlabProblem::NoSuchVariable { name, present: present.clone() }),
    };
    let (pictures, classes) = (take("X")?, take("y")?);
    let images = images(pictures)?;
    let labels = labels(&classes.into_numbers()?)?;
    LabelledImages::new(images, labels, CLASSES.len())
}

fn images(pictures: Variable) -> Result<Images, Problem> {
    let wrong = SvhnProblem::Pictures { class: pictures.class.name(), dims: pictures.dims.clone() };
    // MATLAB drops a last dimension of 1.
    let fits = match pictures.dims.as_slice() {
        [32, 32, 3] => true,
        [32, 32, 3, count] => *count > 0,
        _ => false,
    };
    match pictures.into_numbers()? {
        Values::U8(mut pixels) if fits => {
            let mut planes = [0; PIXELS];
            for picture in pixels.chunks_exact_mut(PIXELS) {
                planes.copy_from_slice(picture);
                channels_last(&planes, picture);
            }
            Ok(Images::new(SHAPE, pixels))
        }
        _ => Err(wrong.into()),
    }
}

/// From three planes, each column by column, to [H, W, C].
fn channels_last(planes: &[u8; PIXELS], picture: &mut [u8]) {
    let (red, rest) = planes.split_at(PLANE);
    let (green, blue) = rest.split_at(PLANE);
    for (row, line) in picture.chunks_exact_mut(32 * 3).enumerate() {
        for (column, pixel) in line.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let at = 32 * column + row;
            *pixel = [red[at], green[at], blue[at]];
        }
    }
}

fn labels(values: &Values) -> Result<Vec<u8>, SvhnProblem> {
    let digit = |(index, value): (usize, f64)| {
        if (1.0..=10.0).contains(&value) && value.fract() == 0.0 {
            Ok(value as u8 % 10)
        } else {
            Err(SvhnProblem::Label { index, value })
        }
    };
    values.to_f64().into_iter().enumerate().map(digit).collect()
}
