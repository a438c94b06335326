//! Images as they are stored: bytes, channels last.

use std::fmt;
use std::ops::Range;

use crate::Scaling;

/// The shape of one image; `Display` prints `28x28x1` (H x W x C).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ImageShape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Values per pixel: 1 for grey, 3 for colour.
    pub channels: usize,
}

impl ImageShape {
    /// Values of one image: height x width x channels.
    pub fn size(self) -> usize {
        self.height * self.width * self.channels
    }
}

impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.height, self.width, self.channels)
    }
}

/// Images of one shape, one byte per value, stored as [N, H, W, C].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    shape: ImageShape,
    pixels: Vec<u8>,
}

impl Images {
    /// Wraps `pixels`, stored as [N, H, W, C].
    ///
    /// # Panics
    ///
    /// If the shape is empty or `pixels` does not hold a whole number of images.
    pub fn new(shape: ImageShape, pixels: Vec<u8>) -> Self {
        assert!(shape.size() > 0, "images of {shape} hold no values");
        assert!(
            pixels.len().is_multiple_of(shape.size()),
            "{} bytes are not a whole number of {shape} images ({} bytes each)",
            pixels.len(),
            shape.size()
        );
        Images { shape, pixels }
    }

    /// Shape of each image.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// Number of images.
    pub fn count(&self) -> usize {
        self.pixels.len() / self.shape.size()
    }

    /// All values, [N, H, W, C].
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Image `index`, [H, W, C].
    ///
    /// # Panics
    ///
    /// If there is no such image.
    pub fn image(&self, index: usize) -> &[u8] {
        self.range(index..index + 1)
    }

    /// The images `range` as one slice, [N, H, W, C]; for the ranges of a [`Split`](crate::Split).
    ///
    /// # Panics
    ///
    /// If the range reaches beyond the last image.
    pub fn range(&self, range: Range<usize>) -> &[u8] {
        let size = self.shape.size();
        &self.pixels[range.start * size..range.end * size]
    }

    /// Copies the images `indices`, in that order.
    ///
    /// # Panics
    ///
    /// If there is no such image.
    pub fn select(&self, indices: &[usize]) -> Images {
        let mut pixels = Vec::with_capacity(indices.len() * self.shape.size());
        for &index in indices {
            pixels.extend_from_slice(self.image(index));
        }
        Images { shape: self.shape, pixels }
    }

    /// Scales the images `indices` into `batch`, [N, H, W, C].
    ///
    /// # Panics
    ///
    /// If there is no such image, or `batch` does not hold exactly `indices.len()` images.
    pub fn gather(&self, indices: &[usize], scaling: Scaling, batch: &mut [f32]) {
        let size = self.shape.size();
        assert_eq!(
            batch.len(),
            indices.len() * size,
            "gather: {} images of {} need {} values",
            indices.len(),
            self.shape,
            indices.len() * size
        );
        for (&index, values) in indices.iter().zip(batch.chunks_exact_mut(size)) {
            scaling.apply(self.image(index), values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Images {
        Images::new(ImageShape { height: 1, width: 2, channels: 1 }, vec![0, 1, 2, 3, 4, 5])
    }

    #[test]
    fn images_are_found_selected_and_gathered() {
        let images = three();
        assert_eq!(images.count(), 3);
        assert_eq!(images.image(1), [2, 3]);
        assert_eq!(images.range(1..3), [2, 3, 4, 5]);
        assert_eq!(images.select(&[2, 0]).pixels(), [4, 5, 0, 1]);
        let mut batch = [f32::NAN; 4];
        images.gather(&[2, 0], Scaling::ZeroToOne, &mut batch);
        assert_eq!(batch, [4.0 / 255.0, 5.0 / 255.0, 0.0, 1.0 / 255.0]);
    }

    #[test]
    #[should_panic(expected = "5 bytes are not a whole number of 1x2x1 images")]
    fn half_an_image_is_refused() {
        Images::new(three().shape(), vec![0; 5]);
    }

    #[test]
    #[should_panic(expected = "gather: 2 images of 1x2x1 need 4 values")]
    fn a_batch_of_the_wrong_size_is_refused() {
        three().gather(&[0, 1], Scaling::ZeroToOne, &mut [0.0; 3]);
    }
}
