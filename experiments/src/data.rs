//! The pictures of an experiment: scaled to [-1, 1] and split into training, validation and test.

use crate::pictures::{PictureSource, Pictures};
use anyhow::{Context, Result};
use patchgrad::Tensor;
use patchgrad_datasets::{LabelledImages, Scaling, SetName, bundled, fixed_split, open};
use std::path::Path;

/// Pictures and what they show.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// `[N, H, W, C]`, in [-1, 1] unless a configuration says otherwise.
    pub pictures: Pictures,
    /// One class for each picture.
    pub labels: Vec<u32>,
}

impl Labelled {
    fn new(data: &LabelledImages, range: std::ops::Range<usize>) -> Self {
        let images = data.images().select(&range.clone().collect::<Vec<usize>>());
        let pictures = Pictures::of_bytes(images, Scaling::MinusOneToOne);
        Self { pictures, labels: data.labels()[range].iter().map(|&label| u32::from(label)).collect() }
    }

    /// The pictures at `indices` with their classes, in this order.
    ///
    /// # Panics
    /// If there is no such picture.
    pub fn select(&self, indices: &[usize]) -> Self {
        let labels = indices.iter().map(|&index| self.labels[index]).collect();
        Self { pictures: self.pictures.select(indices), labels }
    }

    /// The first pictures, at most `count`.
    pub fn first(&self, count: usize) -> Self {
        self.select(&(0..count.min(self.count())).collect::<Vec<usize>>())
    }

    /// The number of pictures.
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// H * W * C.
    pub fn pixels(&self) -> usize {
        self.pictures.size()[1..].iter().product()
    }

    /// Every picture as a row of pixels, `[N, H * W * C]`.
    pub fn rows(&self) -> Tensor {
        let rows = self.pictures.tensor().clone().reshape([self.count(), self.pixels()]);
        rows.expect("a row has as many values as a picture")
    }
}

/// One data set, ready for an experiment.
///
/// Networks and probes learn from `train`, choices are made on `validation`, and `test` is looked at once for each network.
#[derive(Clone, Debug)]
pub struct Task {
    /// Which set.
    pub set: SetName,
    /// Its name for titles, such as `MNIST sample`.
    pub name: String,
    /// The number of classes.
    pub classes: usize,
    /// What weights are learnt from.
    pub train: Labelled,
    /// What choices are made on.
    pub validation: Labelled,
    /// What is reported.
    pub test: Labelled,
    /// CRC-32 of the whole training and test files, for the record of the run.
    pub checksums: [String; 2],
    /// Owner and terms of the pictures.
    pub licence: String,
}

/// How many pictures of each part are used, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Training pictures.
    pub train: usize,
    /// Validation pictures.
    pub validation: usize,
    /// Test pictures.
    pub test: usize,
}

impl Limits {
    /// All there are.
    pub const NONE: Self = Self { train: usize::MAX, validation: usize::MAX, test: usize::MAX };
}

/// The bundled sample of `set`, or the full set from `data_dir`, split as the protocol says: the last fifth of the training
/// pictures, at most 10,000, is for validation.
///
/// # Errors
/// If files are missing or damaged.
pub fn load(set: SetName, data_dir: Option<&Path>, limits: Limits) -> Result<Task> {
    let data = match data_dir {
        Some(dir) => open(set, dir),
        None => bundled(set),
    };
    let hint = || format!("cannot read {}; `pitfall data fetch {set}` downloads it", set.title());
    let data = data.with_context(hint)?;
    let split = fixed_split(data.train.count());
    let first =
        |range: std::ops::Range<usize>, limit: usize| range.start..range.end.min(range.start.saturating_add(limit));
    Ok(Task {
        set,
        name: data.name.clone(),
        classes: data.train.classes(),
        train: Labelled::new(&data.train, first(split.train, limits.train)),
        validation: Labelled::new(&data.train, first(split.validation, limits.validation)),
        test: Labelled::new(&data.test, first(0..data.test.count(), limits.test)),
        checksums: [data.train.checksum().to_string(), data.test.checksum().to_string()],
        licence: data.licence.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_sample_is_split_without_overlap() {
        let task = load(SetName::Mnist, None, Limits::NONE).unwrap();
        assert_eq!([task.train.count(), task.validation.count(), task.test.count()], [8_000, 2_000, 2_000]);
        assert_eq!(task.train.pictures.shape().dims(), [8_000, 28, 28, 1]);
        let (low, high) =
            task.train.pictures.as_slice().iter().fold((f32::MAX, f32::MIN), |(l, h), &v| (l.min(v), h.max(v)));
        assert_eq!((low, high), (-1.0, 1.0));
        let smaller = load(SetName::Mnist, None, Limits { train: 100, validation: 50, test: 20 }).unwrap();
        assert_eq!(smaller.validation.pictures.as_slice(), task.validation.pictures.samples(0..50));
        assert_eq!(smaller.train.labels, task.train.labels[..100]);
    }

    #[test]
    fn selected_pictures_keep_their_classes() {
        let pictures = Tensor::from_fn([4, 1, 1, 1], |i| i as f32);
        let data = Labelled { pictures: pictures.into(), labels: vec![5, 6, 7, 8] };
        let picked = data.select(&[3, 1]);
        assert_eq!((picked.labels, picked.pictures.as_slice()), (vec![8, 6], &[3.0, 1.0][..]));
        assert_eq!((data.first(2).labels, data.first(9).count()), (vec![5, 6], 4));
    }

    #[test]
    fn a_missing_folder_is_an_error_that_names_it() {
        let error = load(SetName::Mnist, Some(Path::new("no-such-folder")), Limits::NONE).unwrap_err();
        assert!(format!("{error:#}").contains("no-such-folder"), "{error:#}");
    }
}
