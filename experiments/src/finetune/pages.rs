//! The class of every pixel of a page (layout analysis): a classifier looks at the patch around it.
//!
//! A patch of width r, the receptive field, is centred on its pixel `(floor(r/2), floor(r/2))`. Positions whose patch would
//! leave the page have no class. Classes are sampled *balanced*, each as often, whatever area they cover.

use super::Classify;
use crate::{classification::ConfusionMatrix, data::Labelled};
use patchgrad::{Tensor, Workspace, random::stream};
use rand::seq::SliceRandom;

/// Pages and the class of each of their pixels.
#[derive(Clone, Debug)]
pub struct Pages {
    /// `[N, H, W, C]` in [-1, 1].
    pictures: Tensor,
    /// `[N, H, W]`.
    classes: Vec<u8>,
    count: usize,
}

/// Pages that do not fit their class maps, or a patch that does not fit the pages.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PagesError {
    /// Not as many labels as pixels.
    #[error("pages {shape} (N, H, W, C) have {pixels} pixels, but there are {labels} labels")]
    Labels {
        /// Of the pages.
        shape: String,
        /// N * H * W.
        pixels: usize,
        /// Got.
        labels: usize,
    },
    /// A label is not below the number of classes.
    #[error("label {label} at pixel {pixel} is not below the number of classes, {classes}")]
    Class {
        /// Got.
        label: u8,
        /// Where, counted over all pages.
        pixel: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// The receptive field is larger than a page.
    #[error("patches of {width} pixels do not fit pages of {height} x {columns}")]
    Width {
        /// Of a patch.
        width: usize,
        /// H.
        height: usize,
        /// W.
        columns: usize,
    },
}

/// A pixel of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pixel {
    /// Which page.
    pub page: usize,
    /// Row.
    pub y: usize,
    /// Column.
    pub x: usize,
}

impl Pages {
    /// Pages `[N, H, W, C]` with class maps `[N, H, W]` of `classes` classes.
    ///
    /// # Errors
    /// If there are not as many labels as pixels, or one is no class.
    pub fn new(pictures: Tensor, labels: Vec<u8>, classes: usize) -> Result<Self, PagesError> {
        let shape = pictures.shape();
        let [n, h, w, _] = shape.nhwc().expect("pages are [N, H, W, C]");
        if n * h * w != labels.len() {
            return Err(PagesError::Labels { shape: shape.to_string(), pixels: n * h * w, labels: labels.len() });
        }
        if let Some(pixel) = labels.iter().position(|&label| usize::from(label) >= classes) {
            return Err(PagesError::Class { label: labels[pixel], pixel, classes });
        }
        Ok(Self { pictures, classes: labels, count: classes })
    }

    /// The pages `[N, H, W, C]`.
    pub fn pictures(&self) -> &Tensor {
        &self.pictures
    }

    /// The class of every pixel, `[N, H, W]`.
    pub fn labels(&self) -> &[u8] {
        &self.classes
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.count
    }

    fn size(&self) -> [usize; 4] {
        self.pictures.shape().nhwc().expect("pages are [N, H, W, C]")
    }

    /// The class of a pixel.
    pub fn class(&self, Pixel { page, y, x }: Pixel) -> u32 {
        let [_, h, w, _] = self.size();
        u32::from(self.classes[(page * h + y) * w + x])
    }

    /// Every `step`-th pixel along both axes whose patch of `width` pixels fits its page, page by page, row by row; with a
    /// step of 1 the last one that fits is among them.
    ///
    /// # Errors
    /// If no patch fits.
    pub fn pixels(&self, width: usize, step: usize) -> Result<Vec<Pixel>, PagesError> {
        let [pages, height, columns, _] = self.size();
        if width == 0 || width > height.min(columns) {
            return Err(PagesError::Width { width, height, columns });
        }
        let along = move |size: usize| (0..=size - width).step_by(step.max(1)).map(move |start| start + width / 2);
        let rows = (0..pages).flat_map(move |page| along(height).map(move |y| (page, y)));
        Ok(rows.flat_map(|(page, y)| along(columns).map(move |x| Pixel { page, y, x })).collect())
    }

    /// The patches of `width` pixels around `pixels`, `[pixels, width, width, C]`.
    ///
    /// # Panics
    /// If one leaves its page.
    pub fn patches(&self, pixels: &[Pixel], width: usize) -> Tensor {
        let [_, _, columns, depth] = self.size();
        let mut patches = Tensor::zeros([pixels.len(), width, width, depth]);
        let row_len = width * depth;
        for (patch, &Pixel { page, y, x }) in patches.as_mut_slice().chunks_exact_mut(width * row_len).zip(pixels) {
            let page = self.pictures.samples(page..page + 1);
            for (row, to) in patch.chunks_exact_mut(row_len).enumerate() {
                let from = ((y - width / 2 + row) * columns + x - width / 2) * depth;
                to.copy_from_slice(&page[from..from + row_len]);
            }
        }
        patches
    }

    /// `count` patches of `width` pixels with their classes, the classes in turn: each as often as the others, up to one.
    /// A class with fewer pixels than that is shown again; one that does not occur is left out.
    ///
    /// # Errors
    /// If no patch fits.
    pub fn balanced_sample(&self, width: usize, count: usize, seed: u64) -> Result<Labelled, PagesError> {
        let mut by_class: Vec<Vec<Pixel>> = vec![Vec::new(); self.count];
        for pixel in self.pixels(width, 1)? {
            by_class[self.class(pixel) as usize].push(pixel);
        }
        let mut stream = stream(seed, "pixels", 0);
        by_class.retain(|pixels| !pixels.is_empty());
        by_class.iter_mut().for_each(|pixels| pixels.shuffle(&mut stream));
        let turn = |i: usize| {
            let pixels = &by_class[i % by_class.len()];
            pixels[i / by_class.len() % pixels.len()]
        };
        let chosen: Vec<Pixel> = (0..count).map(turn).collect();
        let labels = chosen.iter().map(|&pixel| self.class(pixel)).collect();
        Ok(Labelled { pictures: self.patches(&chosen, width).into(), labels })
    }

    /// The classes that `classifier` gives to every `step`-th pixel.
    ///
    /// # Errors
    /// If no patch of `width` pixels fits.
    pub fn classify(
        &self,
        classifier: &dyn Classify,
        width: usize,
        step: usize,
        workspace: &mut Workspace,
    ) -> Result<Segmentation, PagesError> {
        const PATCHES: usize = 1024;
        let pixels = self.pixels(width, step)?;
        let mut predicted = Vec::with_capacity(pixels.len());
        for block in pixels.chunks(PATCHES) {
            predicted.extend(classifier.predict(&self.patches(block, width), workspace));
        }
        Ok(Segmentation { pixels, predicted, step: step.max(1) })
    }
}

/// What a classifier said about pages.
#[derive(Clone, Debug)]
pub struct Segmentation {
    /// The pixels it was asked about.
    pub pixels: Vec<Pixel>,
    /// The class of each.
    pub predicted: Vec<u32>,
    /// Distance between them.
    pub step: usize,
}

/// True positives, false positives, false negatives, true negatives: green, red, blue, black.
const OUTCOMES: [[u8; 3]; 4] = [[0, 160, 60], [220, 30, 30], [40, 70, 230], [0, 0, 0]];

impl Segmentation {
    /// How often which class was taken for which.
    pub fn confusion(&self, pages: &Pages) -> ConfusionMatrix {
        let truth: Vec<u32> = self.pixels.iter().map(|&pixel| pages.class(pixel)).collect();
        ConfusionMatrix::new(&self.predicted, &truth, pages.classes())
    }

    /// Page `page` as RGB `[H, W, 3]`, for class `class`: green where it was found, red where it was seen wrongly, blue where
    /// it was missed, black where it neither is nor was seen; in grey what was not asked about. Every answer fills a square as
    /// wide as the step.
    pub fn overlay(&self, pages: &Pages, page: usize, class: u32) -> Vec<u8> {
        let [_, height, width, _] = pages.size();
        let mut picture = vec![128; height * width * 3];
        let of_page = self.pixels.iter().zip(&self.predicted).filter(|(pixel, _)| pixel.page == page);
        for (&pixel, &predicted) in of_page {
            let outcome = match (pages.class(pixel) == class, predicted == class) {
                (true, true) => 0,
                (false, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
            };
            let square = |at: usize, size: usize| {
                let start = at.saturating_sub(self.step / 2);
                start..(start + self.step).min(size)
            };
            for y in square(pixel.y, height) {
                for x in square(pixel.x, width) {
                    picture[(y * width + x) * 3..][..3].copy_from_slice(&OUTCOMES[outcome]);
                }
            }
        }
        picture
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finetune::{CentralClassifier, Classifier, FineTuneConfig, Hidden, Loss},
        scae::{LayerGeometry, LayerSpec, Scae, ScaeSpec},
        units::UnitSpec,
    };
    use patchgrad::ops::Activation;

    /// Two pages of 20 x 24 pixels: background, a text block of stripes, a small dark square.
    fn pages() -> Pages {
        let class = |page: usize, y: usize, x: usize| -> u8 {
            let (top, left) = (4 + page, 5);
            match () {
                () if (top..top + 8).contains(&y) && (left..left + 9).contains(&x) => 1,
                () if (13..17).contains(&y) && (18..22).contains(&x) => 2,
                () => 0,
            }
        };
        let at = |i: usize| (i / 480, i / 24 % 20, i % 24);
        let pictures = Tensor::from_fn([2, 20, 24, 1], |i| {
            let (page, y, x) = at(i);
            let noise = ((i * 7919) % 97) as f32 / 485.0;
            noise
                + match class(page, y, x) {
                    0 => 0.6,
                    1 => {
                        if x % 2 == 0 {
                            -0.7
                        } else {
                            0.5
                        }
                    }
                    _ => -0.8,
                }
        });
        let classes = (0..960)
            .map(|i| {
                let (page, y, x) = at(i);
                class(page, y, x)
            })
            .collect();
        Pages::new(pictures, classes, 3).unwrap()
    }

    #[test]
    fn d8_every_position_is_visited_the_last_one_included() {
        let pages = pages();
        let pixels = pages.pixels(5, 1).unwrap();
        assert_eq!(pixels.len(), 2 * 16 * 20);
        assert_eq!(pixels.last(), Some(&Pixel { page: 1, y: 17, x: 21 }));
        // A page that is just as large as the patch has one position.
        let one = Pages::new(Tensor::zeros([1, 5, 5, 1]), vec![0; 25], 1).unwrap();
        assert_eq!(one.pixels(5, 3).unwrap(), [Pixel { page: 0, y: 2, x: 2 }]);
        assert_eq!(pages.pixels(21, 1).unwrap_err().to_string(), "patches of 21 pixels do not fit pages of 20 x 24");
    }

    #[test]
    fn samples_are_balanced_and_centred_on_their_class() {
        let pages = pages();
        let sample = pages.balanced_sample(5, 300, 1).unwrap();
        assert_eq!(
            (0..3).map(|class| sample.labels.iter().filter(|&&l| l == class).count()).collect::<Vec<_>>(),
            [100; 3]
        );
        let pixels = pages.pixels(5, 7).unwrap();
        let patches = pages.patches(&pixels, 5);
        for (index, &Pixel { page, y, x }) in pixels.iter().enumerate() {
            let centre = patches.samples(index..index + 1)[12];
            assert_eq!(centre, pages.pictures.samples(page..page + 1)[y * 24 + x]);
        }
    }

    #[test]
    fn pages_are_segmented_and_the_overlay_shows_every_outcome() {
        let pages = pages();
        let unit = UnitSpec::standard(Activation::Softsign, Activation::Linear);
        let layer = |kernel, features| LayerSpec { geometry: LayerGeometry { kernel, offset: 1 }, features, unit };
        let spec = ScaeSpec { picture: [5, 5, 1], layers: vec![layer(3, 6), layer(3, 8)] };
        let scae = Scae::new(spec, &mut stream(1, "init", 0));
        let sample = pages.balanced_sample(5, 600, 1).unwrap();
        let config = FineTuneConfig { epochs: 25, batch_size: 20, lr: 0.1, momentum: 0.9, seed: 1 };
        let mut workspace = Workspace::new();
        let mut classifier = Classifier::new(scae.clone(), 3, 1);
        classifier.train(&sample, &config, &mut workspace).unwrap();
        let hidden = [Hidden { features: 16, activation: Activation::Softsign }];
        let mut central = CentralClassifier::new(scae, &hidden, 3, Loss::CrossEntropy, 1);
        central.train(&sample, &config, &mut workspace).unwrap();
        for classifier in [&classifier as &dyn Classify, &central] {
            let found = pages.classify(classifier, 5, 1, &mut workspace).unwrap();
            let confusion = found.confusion(&pages);
            assert_eq!(confusion.class_scores().iter().map(|scores| scores.support).sum::<u64>(), 640);
            assert!(confusion.accuracy() > 0.9 && confusion.macro_f1() > 0.8, "{confusion}");
        }
        let found = pages.classify(&classifier, 5, 2, &mut workspace).unwrap();
        let wrong = Segmentation { predicted: found.predicted.iter().map(|class| (class + 1) % 3).collect(), ..found };
        let (all, picture) = (OUTCOMES.map(|colour| colour.to_vec()), wrong.overlay(&pages, 0, 1));
        assert_eq!(picture.len(), 20 * 24 * 3);
        assert_eq!(picture[..3], [128, 128, 128]);
        let shown = |outcome: usize| picture.chunks(3).filter(|pixel| *pixel == all[outcome]).count();
        // Shifted by one class: background is taken for the text block, the block for the square.
        assert!(shown(0) < shown(1) && shown(2) > 0 && shown(3) > 0);
    }

    #[test]
    fn labels_that_do_not_fit_are_an_error() {
        let error = |labels: Vec<u8>| Pages::new(Tensor::zeros([1, 2, 2, 3]), labels, 2).unwrap_err().to_string();
        assert_eq!(error(vec![0; 3]), "pages [1, 2, 2, 3] (N, H, W, C) have 4 pixels, but there are 3 labels");
        assert_eq!(error(vec![0, 1, 2, 0]), "label 2 at pixel 2 is not below the number of classes, 2");
    }
}
