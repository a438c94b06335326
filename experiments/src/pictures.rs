//! Pictures as networks see them, numbers that are made of bytes when a batch is drawn.
//!
//! A set of pictures is bytes in its files and stays bytes in memory: CIFAR-10 takes 184 MB instead of four times as much.
//! Training draws its batches and patches from these bytes. What looks at all pictures at once, such as a ridge regression
//! on pixels, gets [all numbers](Pictures::tensor), which are computed when first asked for and then kept.

use patchgrad::{Shape, Tensor, Workspace};
use patchgrad_datasets::{Images, Scaling};
use std::{fmt, ops::Deref, sync::OnceLock};

/// Where training gets its pictures from.
pub trait PictureSource: Sync + fmt::Debug {
    /// N, H, W, C.
    fn size(&self) -> [usize; 4];

    /// Copies `to.len()` values of picture `picture`, from its value `from` on (row by row, channels innermost).
    ///
    /// # Panics
    /// If there are not so many.
    fn copy(&self, picture: usize, from: usize, to: &mut [f32]);

    /// The pictures at `indices`, `[n, H, W, C]`, in a buffer of the workspace.
    fn gather(&self, indices: &[usize], workspace: &mut Workspace) -> Tensor {
        let [_, height, width, channels] = self.size();
        let mut batch = workspace.take([indices.len(), height, width, channels]);
        let picture_len = (height * width * channels).max(1);
        for (to, &index) in batch.as_mut_slice().chunks_mut(picture_len).zip(indices) {
            self.copy(index, 0, to);
        }
        batch
    }
}

impl PictureSource for Tensor {
    fn size(&self) -> [usize; 4] {
        self.shape().nhwc().expect("pictures are [N, H, W, C]")
    }

    fn copy(&self, picture: usize, from: usize, to: &mut [f32]) {
        to.copy_from_slice(&self.samples(picture..picture + 1)[from..from + to.len()]);
    }
}

/// Pictures `[N, H, W, C]` that are bytes until they are drawn, or numbers from the start where they are computed.
///
/// It stands for [its numbers](Self::tensor) wherever a tensor is asked for.
#[derive(Clone, Debug)]
pub struct Pictures {
    bytes: Option<Bytes>,
    numbers: OnceLock<Tensor>,
}

#[derive(Clone, Debug)]
struct Bytes {
    images: Images,
    /// What each byte stands for.
    values: Box<[f32; 256]>,
}

impl Pictures {
    /// Of bytes, each standing for a number by `scaling`.
    pub fn of_bytes(images: Images, scaling: Scaling) -> Self {
        let values = Box::new(std::array::from_fn(|byte| scaling.to_f32(byte as u8)));
        Self { bytes: Some(Bytes { images, values }), numbers: OnceLock::new() }
    }

    /// The pictures at `indices`, in this order.
    ///
    /// # Panics
    /// If there is no such picture.
    pub fn select(&self, indices: &[usize]) -> Self {
        match &self.bytes {
            Some(Bytes { images, values }) => {
                let bytes = Bytes { images: images.select(indices), values: values.clone() };
                Self { bytes: Some(bytes), numbers: OnceLock::new() }
            }
            None => self.tensor().gather(indices, &mut Workspace::new()).into(),
        }
    }

    /// All numbers, `[N, H, W, C]`: made when first asked for, and kept.
    pub fn tensor(&self) -> &Tensor {
        self.numbers.get_or_init(|| {
            let bytes = self.bytes.as_ref().expect("what has no bytes has numbers");
            let mut numbers = Tensor::zeros(Shape::new(&self.size()));
            for (to, &byte) in numbers.as_mut_slice().iter_mut().zip(bytes.images.pixels()) {
                *to = bytes.values[usize::from(byte)];
            }
            numbers
        })
    }
}

impl PictureSource for Pictures {
    fn size(&self) -> [usize; 4] {
        match &self.bytes {
            Some(Bytes { images, .. }) => {
                let shape = images.shape();
                [images.count(), shape.height, shape.width, shape.channels]
            }
            None => self.tensor().size(),
        }
    }

    fn copy(&self, picture: usize, from: usize, to: &mut [f32]) {
        match &self.bytes {
            Some(Bytes { images, values }) => {
                let bytes = &images.image(picture)[from..from + to.len()];
                to.iter_mut().zip(bytes).for_each(|(to, &byte)| *to = values[usize::from(byte)]);
            }
            None => self.tensor().copy(picture, from, to),
        }
    }
}

impl From<Tensor> for Pictures {
    fn from(pictures: Tensor) -> Self {
        Self { bytes: None, numbers: OnceLock::from(pictures) }
    }
}

impl Deref for Pictures {
    type Target = Tensor;

    fn deref(&self) -> &Tensor {
        self.tensor()
    }
}

/// The first `count` pictures of `[N, H, W, C]`, or all where there are fewer.
pub fn first(pictures: &Tensor, count: usize) -> Tensor {
    let mut dims = pictures.shape().dims().to_vec();
    dims[0] = dims[0].min(count);
    Tensor::new(Shape::new(&dims), pictures.samples(0..dims[0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad_datasets::ImageShape;

    fn pictures() -> Pictures {
        let shape = ImageShape { height: 2, width: 2, channels: 3 };
        Pictures::of_bytes(Images::new(shape, (0..36).map(|i| 7 * i as u8).collect()), Scaling::MinusOneToOne)
    }

    #[test]
    fn what_is_drawn_of_bytes_is_what_all_numbers_say() {
        let pictures = pictures();
        let mut workspace = Workspace::new();
        let drawn = pictures.gather(&[2, 0], &mut workspace);
        assert!(pictures.numbers.get().is_none(), "drawing makes no copy of the set");
        let numbers: Tensor = pictures.tensor().clone();
        assert_eq!(numbers.shape().dims(), [3, 2, 2, 3]);
        assert_eq!(drawn, numbers.gather(&[2, 0], &mut workspace));
        assert_eq!(drawn.as_slice()[12], -1.0, "byte 0");
        assert_eq!(pictures.select(&[2, 0]).tensor(), &drawn);
        assert_eq!(Pictures::from(numbers.clone()).select(&[2, 0]).tensor(), &drawn);
        let mut part = [0.0; 4];
        pictures.copy(1, 5, &mut part);
        assert_eq!(part, numbers.samples(1..2)[5..9]);
    }

    #[test]
    fn numbers_stay_what_they_are() {
        let tensor = Tensor::from_fn([2, 1, 1, 1], |i| i as f32);
        let pictures = Pictures::from(tensor.clone());
        assert_eq!((pictures.size(), pictures.tensor()), ([2, 1, 1, 1], &tensor));
    }
}
