//! The pictures of a run in three parts.

use super::ValueRange;
use crate::{cae, data::Labelled, finetune::pages::Pages, pictures::PictureSource, scae::Labels};
use patchgrad::Tensor;
use patchgrad_datasets::{ColourSpace, Scaling};

/// A part of a set: training, validation or test.
#[derive(Clone, Debug)]
pub enum Part {
    /// Pictures with a class each.
    Classes(Labelled),
    /// Pages with a class for every pixel.
    Pages(Pages),
    /// Noisy pictures and what they should be, `[N, H, W, C]` both.
    Pairs {
        /// What is seen.
        noisy: Tensor,
        /// What it stands for.
        clean: Tensor,
    },
}

impl Part {
    /// The pictures, for training and for encoding.
    pub fn source(&self) -> &dyn PictureSource {
        match self {
            Self::Classes(data) => &data.pictures,
            Self::Pages(pages) => pages.pictures(),
            Self::Pairs { noisy, .. } => noisy,
        }
    }

    /// The pictures `[N, H, W, C]` as numbers, all of them.
    pub fn pictures(&self) -> &Tensor {
        match self {
            Self::Classes(data) => &data.pictures,
            Self::Pages(pages) => pages.pictures(),
            Self::Pairs { noisy, .. } => noisy,
        }
    }

    /// What a perfect reconstruction of the pictures is.
    pub fn targets(&self) -> &Tensor {
        match self {
            Self::Pairs { clean, .. } => clean,
            _ => self.pictures(),
        }
    }

    /// The pictures and what they should be reconstructed as.
    pub fn pairs(&self) -> cae::Examples<'_> {
        let inputs = self.source();
        let targets = match self {
            Self::Pairs { clean, .. } => clean,
            _ => inputs,
        };
        cae::Examples { inputs, targets }
    }

    /// What is known of classes, for units that are supervised.
    pub fn labels(&self) -> Labels<'_> {
        match self {
            Self::Classes(data) => Labels::Pictures(&data.labels),
            Self::Pages(pages) => Labels::Pixels(pages.labels()),
            Self::Pairs { .. } => Labels::None,
        }
    }

    /// The number of pictures.
    pub fn count(&self) -> usize {
        self.source().size()[0]
    }
}

/// The pictures of a run.
#[derive(Clone, Debug)]
pub struct Examples {
    /// Such as `MNIST sample`.
    pub name: String,
    /// The name of each class; empty where there are no classes.
    pub class_names: Vec<String>,
    /// What weights are learnt from.
    pub train: Part,
    /// What choices are made on.
    pub validation: Part,
    /// What is reported.
    pub test: Part,
    /// CRC-32 of all training and of all test pictures and labels; empty for sets that are computed.
    pub checksums: Vec<String>,
    /// Owner and terms.
    pub licence: String,
    /// The colours of the values.
    pub color_space: ColourSpace,
    /// Their range.
    pub range: ValueRange,
}

impl Examples {
    /// H, W, C of a picture.
    pub fn picture(&self) -> [usize; 3] {
        let [_, h, w, c] = self.train.source().size();
        [h, w, c]
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.class_names.len()
    }

    /// Training, validation and test pictures with their classes; `None` where pictures have none.
    pub fn labelled(&self) -> Option<[&Labelled; 3]> {
        match (&self.train, &self.validation, &self.test) {
            (Part::Classes(train), Part::Classes(validation), Part::Classes(test)) => Some([train, validation, test]),
            _ => None,
        }
    }

    /// Values as the scores expect them, in [-1, 1]; those of every channel for itself.
    pub fn symmetric(&self, values: &[f32]) -> Vec<f32> {
        match self.range {
            ValueRange::MinusOneToOne => values.to_vec(),
            ValueRange::ZeroToOne => values.iter().map(|value| 2.0 * value - 1.0).collect(),
        }
    }

    /// Numbers in [-1, 1] about 0 as eyes expect them, grey or RGB: what a feature adds to a picture.
    pub fn drawable(&self, values: &[f32]) -> Vec<f32> {
        match self.picture()[2] {
            1 | 3 => values.to_vec(),
            channels => {
                values.chunks(channels).flat_map(|pixel| [0, 1, 2].map(|at| pixel[at.min(channels - 1)])).collect()
            }
        }
    }

    /// Values as eyes expect them: grey or RGB in [-1, 1]. Of more channels than three the first three.
    pub fn visible(&self, values: &[f32]) -> Vec<f32> {
        let [_, _, channels] = self.picture();
        if channels == 1 || self.color_space == ColourSpace::Rgb || self.color_space == ColourSpace::Grayscale {
            return self.symmetric(values);
        }
        let mut rgb = vec![0; values.len() / channels * 3];
        self.color_space.decode(values, self.range.scaling(), &mut rgb);
        rgb.into_iter().map(|byte| Scaling::MinusOneToOne.to_f32(byte)).collect()
    }
}
