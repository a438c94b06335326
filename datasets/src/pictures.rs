//! Folders of PNG and JPEG pictures, grey or colour.
//!
//! Decoding and resizing are done by the crate `image`. Everything is read in the order of the sorted names, so the
//! same folder always gives the same set.

mod decode;
mod problem;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{DataError, ImageShape, Images, LabelledImages};

pub(crate) use decode::read_with_stored_shape;
pub use decode::{Channels, Options, from_bytes, read};
pub use problem::PictureProblem;

/// Labelled pictures from a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureSet {
    /// The pictures and their classes.
    pub images: LabelledImages,
    /// One name per class, in the order of the labels.
    pub class_names: Vec<String>,
    /// The file of each picture.
    pub files: Vec<PathBuf>,
}

/// Reads `folder/CLASS/*.{png,jpg,jpeg}`: the classes are the sub-folders, in the order of their names.
///
/// Files of other kinds are passed over, and so are names that begin with a dot.
///
/// # Errors
///
/// When the folder or a picture cannot be read, a class has no picture, there are more than 256 classes, or pictures
/// differ in shape.
pub fn read_class_folders(folder: impl AsRef<Path>, options: &Options) -> Result<PictureSet, DataError> {
    let folder = folder.as_ref();
    let classes: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| path.is_dir()).collect();
    if classes.is_empty() {
        return Err(nothing(folder, "folders of pictures, one for each class,"));
    }
    let mut class_names = Vec::new();
    let mut files = Vec::new();
    for (label, class) in classes.iter().enumerate() {
        class_names.push(class.file_name().unwrap_or_default().to_string_lossy().into_owned());
        files.extend(files_in(class)?.into_iter().map(|file| (file, label)));
    }
    labelled(folder, files, class_names, options)
}

/// Reads `folder/*.{png,jpg,jpeg}`: the class of a picture is the first character of its file name, the classes are in
/// the order of these characters. This is the rule of the framework N-light-N.
///
/// # Errors
///
/// As [`read_class_folders`].
pub fn read_by_first_character(folder: impl AsRef<Path>, options: &Options) -> Result<PictureSet, DataError> {
    let folder = folder.as_ref();
    let mut characters = Vec::new();
    let files = files_in(folder)?;
    for file in &files {
        let name = file.file_name().and_then(OsStr::to_str);
        let first = name.and_then(|name| name.chars().next());
        characters.push(first.ok_or_else(|| DataError::new(file, PictureProblem::Name.into()))?);
    }
    let mut classes = characters.clone();
    classes.sort_unstable();
    classes.dedup();
    let label = |character| classes.binary_search(&character).expect("every character is a class");
    let files = files.into_iter().zip(characters).map(|(file, character)| (file, label(character))).collect();
    labelled(folder, files, classes.iter().map(char::to_string).collect(), options)
}

fn labelled(
    folder: &Path,
    files: Vec<(PathBuf, usize)>,
    class_names: Vec<String>,
    options: &Options,
) -> Result<PictureSet, DataError> {
    let classes = class_names.len();
    if classes > 256 {
        return Err(DataError::new(folder, PictureProblem::TooManyClasses { found: classes }.into()));
    }
    let (files, labels): (Vec<PathBuf>, Vec<u8>) = files.into_iter().map(|(file, label)| (file, label as u8)).unzip();
    let images = read_all(&files, options)?;
    let images = LabelledImages::new(images, labels, classes).map_err(|problem| DataError::new(folder, problem))?;
    Ok(PictureSet { images, class_names, files })
}

/// Reads `files`, of which there is at least one, as pictures of one shape.
fn read_all(files: &[PathBuf], options: &Options) -> Result<Images, DataError> {
    let mut gathered = Gathered::default();
    for file in files {
        gathered.push(file, &read(file, options)?)?;
    }
    Ok(gathered.into_images())
}

/// Pictures of one shape, collected one by one.
#[derive(Default)]
pub(crate) struct Gathered<'f> {
    /// The first picture: its shape is expected of all.
    first: Option<(&'f Path, ImageShape)>,
    pixels: Vec<u8>,
}

impl<'f> Gathered<'f> {
    /// Appends the picture of `file`; an error if its shape is another one than that of the first.
    pub(crate) fn push(&mut self, file: &'f Path, picture: &Images) -> Result<(), DataError> {
        let found = picture.shape();
        let (first, expected) = *self.first.get_or_insert((file, found));
        if found != expected {
            let problem = PictureProblem::Shape { found, expected, first: first.to_path_buf() };
            return Err(DataError::new(file, problem.into()));
        }
        self.pixels.extend_from_slice(picture.pixels());
        Ok(())
    }

    /// All of them; there is at least one.
    pub(crate) fn into_images(self) -> Images {
        let (_, shape) = self.first.expect("at least one picture");
        Images::new(shape, self.pixels)
    }
}

/// The pictures in `folder` by name; there is at least one.
pub(crate) fn files_in(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = entries(folder)?;
    files.retain(|path| is_picture(path) && path.is_file());
    if files.is_empty() { Err(nothing(folder, "pictures (*.png, *.jpg, *.jpeg)")) } else { Ok(files) }
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    ["png", "jpg", "jpeg"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// What is in `folder`, sorted by name; without names that begin with a dot.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let with_path = |error: std::io::Error| DataError::new(folder, error.into());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(with_path)? {
        let entry = entry.map_err(with_path)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

fn nothing(folder: &Path, wanted: &'static str) -> DataError {
    DataError::new(folder, PictureProblem::Nothing { wanted }.into())
}
