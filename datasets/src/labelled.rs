//! Images with their classes, and the training and test parts of a set.

use std::fmt;
use std::path::Path;

use flate2::Crc;

use crate::{DataError, Images, Problem};

/// Images and the class of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledImages {
    images: Images,
    labels: Vec<u8>,
    classes: usize,
}

impl LabelledImages {
    /// Joins images and labels.
    ///
    /// # Errors
    ///
    /// [`Problem::CountMismatch`] or [`Problem::LabelOutOfRange`]; the caller adds the path with [`DataError::new`].
    pub fn new(images: Images, labels: Vec<u8>, classes: usize) -> Result<Self, Problem> {
        if images.count() != labels.len() {
            return Err(Problem::CountMismatch { images: images.count(), labels: labels.len() });
        }
        check_labels(&labels, classes)?;
        Ok(LabelledImages { images, labels, classes })
    }

    /// The images.
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// The class of each image, below [`classes`](Self::classes).
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of images.
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// Copies the images and labels `indices`, in that order.
    ///
    /// # Panics
    ///
    /// If there is no such image.
    pub fn select(&self, indices: &[usize]) -> LabelledImages {
        LabelledImages {
            images: self.images.select(indices),
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
            classes: self.classes,
        }
    }

    /// CRC-32 of all pixels followed by all labels: recorded with a run, it tells which data the run saw.
    pub fn checksum(&self) -> Checksum {
        Checksum::of(&[self.images.pixels(), &self.labels])
    }
}

/// Finds the first label that is not below `classes`.
pub(crate) fn check_labels(labels: &[u8], classes: usize) -> Result<(), Problem> {
    match labels.iter().position(|&label| usize::from(label) >= classes) {
        Some(index) => Err(Problem::LabelOutOfRange { index, label: labels[index], classes }),
        None => Ok(()),
    }
}

/// A CRC-32; `Display` prints 8 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Checksum(pub u32);

impl Checksum {
    /// CRC-32 (as in gzip and zlib) of the parts, one after the other.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut crc = Crc::new();
        for part in parts {
            crc.update(part);
        }
        Checksum(crc.sum())
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// A training and a test part, and where they come from.
#[derive(Debug, Clone)]
pub struct DataSet {
    /// For tables and titles.
    pub name: String,
    /// One name per class, in the order of the labels.
    pub class_names: Vec<String>,
    /// Training part; [`fixed_split`](crate::fixed_split) takes the validation images from its end.
    pub train: LabelledImages,
    /// Test part.
    pub test: LabelledImages,
    /// Licence and holder, in one line.
    pub licence: String,
    /// Where the set was published.
    pub source: String,
}

impl DataSet {
    /// Passes the set on if its two parts fit together; `path` is named in the error if they do not.
    pub(crate) fn checked(self, path: impl AsRef<Path>) -> Result<Self, DataError> {
        let (train, test) = (self.train.images().shape(), self.test.images().shape());
        if train != test {
            return Err(DataError::new(path, Problem::ShapeMismatch { train, test }));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ImageShape;

    fn three() -> LabelledImages {
        let shape = ImageShape { height: 1, width: 2, channels: 1 };
        LabelledImages::new(Images::new(shape, vec![0, 1, 2, 3, 4, 5]), vec![0, 1, 2], 3).unwrap()
    }

    #[test]
    fn a_selection_keeps_images_and_labels_together() {
        let picked = three().select(&[2, 0]);
        assert_eq!(picked.images().pixels(), [4, 5, 0, 1]);
        assert_eq!(picked.labels(), [2, 0]);
    }

    #[test]
    fn checksums_are_the_crc_32_of_gzip() {
        // The check value of the CRC catalogue for the digits 1 to 9.
        assert_eq!(Checksum::of(&[b"1234", b"56789"]).to_string(), "cbf43926");
        assert_eq!(Checksum(0xab).to_string(), "000000ab");
    }

    #[test]
    fn labels_have_to_fit_the_images_and_the_classes() {
        let images = three().images().clone();
        let error = LabelledImages::new(images.clone(), vec![0, 1], 3).unwrap_err();
        assert!(matches!(error, Problem::CountMismatch { images: 3, labels: 2 }));
        let error = LabelledImages::new(images, vec![0, 3, 4], 3).unwrap_err();
        assert!(matches!(error, Problem::LabelOutOfRange { index: 1, label: 3, classes: 3 }));
    }

    #[test]
    fn the_checksum_sees_pixels_labels_and_their_order() {
        let set = three();
        assert_eq!(set.checksum(), three().checksum());
        assert_ne!(set.checksum(), set.select(&[1, 0, 2]).checksum());
        let relabelled = LabelledImages::new(set.images().clone(), vec![0, 1, 1], 3).unwrap();
        assert_ne!(set.checksum(), relabelled.checksum());
    }
}
