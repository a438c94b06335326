//! Pairs of a clean and a noisy picture, for denoising.

use std::path::{Path, PathBuf};

use crate::pictures::{self, Gathered, Options, PictureProblem};
use crate::{DataError, Images};

/// Pictures in two versions; picture i of one belongs to picture i of the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoisyPairs {
    /// What is to be restored.
    pub clean: Images,
    /// What it is restored from, of the same shape.
    pub noisy: Images,
    /// The clean and the noisy file of each pair.
    pub files: Vec<[PathBuf; 2]>,
}

impl NoisyPairs {
    /// Number of pairs.
    pub fn count(&self) -> usize {
        self.files.len()
    }
}

/// Reads two folders of PNG or JPEG pictures. Both are sorted by name, and the pictures at the same place are a pair, as
/// in the framework N-light-N; the names need not be the same.
///
/// # Errors
///
/// When a folder or a picture cannot be read, the folders hold different numbers of pictures, or pictures differ in
/// shape, within a pair or among pairs. Sizes are compared as stored: with [`Options::size`] both pictures of a pair
/// are resized alike, but only if they had the same size before.
pub fn read(
    clean_folder: impl AsRef<Path>,
    noisy_folder: impl AsRef<Path>,
    options: &Options,
) -> Result<NoisyPairs, DataError> {
    let (clean_folder, noisy_folder) = (clean_folder.as_ref(), noisy_folder.as_ref());
    let (clean, noisy) = (pictures::files_in(clean_folder)?, pictures::files_in(noisy_folder)?);
    if clean.len() != noisy.len() {
        let clean_folder = clean_folder.to_path_buf();
        let problem = PictureProblem::Pairs { clean: clean.len(), noisy: noisy.len(), clean_folder };
        return Err(DataError::new(noisy_folder, problem.into()));
    }
    let (mut clean_pictures, mut noisy_pictures) = (Gathered::default(), Gathered::default());
    for (clean, noisy) in clean.iter().zip(&noisy) {
        let (clean_picture, clean_shape) = pictures::read_with_stored_shape(clean, options)?;
        let (noisy_picture, noisy_shape) = pictures::read_with_stored_shape(noisy, options)?;
        if clean_shape != noisy_shape {
            let problem = PictureProblem::PairShape { noisy: noisy_shape, clean: clean_shape, partner: clean.clone() };
            return Err(DataError::new(noisy, problem.into()));
        }
        clean_pictures.push(clean, &clean_picture)?;
        noisy_pictures.push(noisy, &noisy_picture)?;
    }
    Ok(NoisyPairs {
        clean: clean_pictures.into_images(),
        noisy: noisy_pictures.into_images(),
        files: clean.into_iter().zip(noisy).map(<[PathBuf; 2]>::from).collect(),
    })
}
