//! Random patches of pictures, as the layers below the trained one encode them.

use super::Scae;
use crate::{
    pictures::PictureSource,
    training::Order,
    units::{PatchBatch, PatchSource, Unit},
};
use patchgrad::{
    Params, Tape, Tensor, Workspace,
    checkpoint::{Checkpoint, CheckpointError},
    random::{Stream, stream},
};
use rand::RngExt;
use std::sync::Arc;

/// What is known about the classes of pictures.
#[derive(Clone, Copy, Debug)]
pub enum Labels<'p> {
    /// Nothing.
    None,
    /// One class for each picture: that of all its patches.
    Pictures(&'p [u32]),
    /// Class maps `[N, H, W]`: a patch has the class of its central pixel (row and column `floor(width / 2)`).
    Pixels(&'p [u8]),
}

/// Codes of all patches are kept when they take at most so many bytes.
const CACHE_BYTES: usize = 256 << 20;

/// And when each is expected to be drawn at least so often: computing them all takes as long as drawing each once.
const CACHE_DRAWS: usize = 2;

/// Patches that are encoded together for the cache.
const CACHE_BATCH: usize = 256;

/// Draws patches of pixels, one from each picture in a shuffled order, and encodes them with the layers below `layer`.
///
/// Those layers do not change. When more patches are asked for than there are different ones, and their codes fit in
/// memory, each is encoded once and looked up from then on.
pub struct PicturePatches<'p> {
    below: Vec<Arc<dyn Unit>>,
    pictures: &'p dyn PictureSource,
    labels: Labels<'p>,
    /// Width of a patch, the receptive field of the layer.
    width: usize,
    stream: Stream,
    order: Order,
    /// Whether the codes of all patches shall be kept.
    keeps: bool,
    /// Those codes, `[N * positions, k, k, d]`: picture by picture, position by position, row by row.
    kept: Option<Tensor>,
}

/// Where a patch lies.
#[derive(Clone, Copy)]
struct Place {
    picture: usize,
    y: usize,
    x: usize,
}

impl<'p> PicturePatches<'p> {
    /// Patches for layer `layer` of `scae` from pictures `[N, H, W, C]`, of which about `samples` will be drawn.
    ///
    /// # Panics
    /// If there are not as many labels as pictures, or as pixels.
    #[track_caller]
    pub fn new(
        scae: &Scae,
        layer: usize,
        pictures: &'p dyn PictureSource,
        labels: Labels<'p>,
        samples: usize,
        seed: u64,
    ) -> Self {
        let [count, height, width, channels] = pictures.size();
        match labels {
            Labels::None => {}
            Labels::Pictures(labels) => assert_eq!(labels.len(), count, "a label for each of {count} pictures"),
            Labels::Pixels(labels) => {
                assert_eq!(
                    labels.len(),
                    count * height * width,
                    "a label for each pixel of [{count}, {height}, {width}, {channels}]"
                );
            }
        }
        let window = scae.spec().geometry().receptive_field(layer);
        let different = count * (height + 1 - window) * (width + 1 - window);
        let dims = scae.spec().unit_dims(layer);
        let bytes = different.saturating_mul(4 * dims.patch_len());
        Self {
            below: (0..layer).map(|layer| scae.unit(layer).clone()).collect(),
            pictures,
            labels,
            width: window,
            stream: stream(seed, "patches", layer as u64),
            order: Order::new(count),
            keeps: layer > 0 && samples / CACHE_DRAWS >= different && bytes <= CACHE_BYTES,
            kept: None,
        }
    }

    /// One patch from each of the next pictures; every epoch is shuffled anew.
    fn draw(&mut self, count: usize) -> Vec<Place> {
        let [_, height, width, _] = self.size();
        let one = |_| {
            if self.order.is_over() {
                self.order.shuffle(&mut self.stream);
            }
            let picture = self.order.next(1)[0];
            // Every position counts, the last one included.
            let y = self.stream.random_range(0..=(height - self.width) as u32) as usize;
            let x = self.stream.random_range(0..=(width - self.width) as u32) as usize;
            Place { picture, y, x }
        };
        (0..count).map(one).collect()
    }

    fn size(&self) -> [usize; 4] {
        self.pictures.size()
    }

    /// The pixels `[places, width, width, C]`.
    fn pixels(&self, places: &[Place], workspace: &mut Workspace) -> Tensor {
        let [_, _, width, channels] = self.size();
        let mut patches = workspace.take([places.len(), self.width, self.width, channels]);
        let row_len = self.width * channels;
        for (patch, place) in patches.as_mut_slice().chunks_mut(self.width * row_len).zip(places) {
            for (row, to) in patch.chunks_mut(row_len).enumerate() {
                let from = ((place.y + row) * width + place.x) * channels;
                self.pictures.copy(place.picture, from, to);
            }
        }
        patches
    }

    fn labels(&self, places: &[Place]) -> Option<Vec<u32>> {
        let [_, height, width, _] = self.size();
        let centre = self.width / 2;
        let of = |place: &Place| match self.labels {
            Labels::None => None,
            Labels::Pictures(labels) => Some(labels[place.picture]),
            Labels::Pixels(labels) => {
                let at = (place.picture * height + place.y + centre) * width + place.x + centre;
                Some(u32::from(labels[at]))
            }
        };
        places.iter().map(of).collect()
    }

    /// What the layers below make of pixels.
    fn encode(&self, params: &Params, pixels: Tensor, workspace: &mut Workspace) -> Tensor {
        if self.below.is_empty() {
            return pixels;
        }
        // On a tape of its own: its result is a plain tensor, so no gradient reaches the layers below.
        let mut tape = Tape::with_params(params, workspace);
        let input = tape.input(&pixels);
        let code = self.below.iter().fold(input, |map, unit| unit.encode(&mut tape, map));
        let maps = tape.finish(code);
        workspace.give(pixels);
        maps
    }

    /// The codes of all patches there are.
    fn encode_all(&self, params: &Params, workspace: &mut Workspace) -> Tensor {
        let [count, height, width, _] = self.size();
        let rows = height + 1 - self.width;
        let columns = width + 1 - self.width;
        let place = |at: usize| Place { picture: at / (rows * columns), y: at / columns % rows, x: at % columns };
        let different = count * rows * columns;
        let mut codes: Option<Tensor> = None;
        for start in (0..different).step_by(CACHE_BATCH) {
            let places: Vec<Place> = (start..different.min(start + CACHE_BATCH)).map(place).collect();
            let pixels = self.pixels(&places, workspace);
            let maps = self.encode(params, pixels, workspace);
            let [_, k, _, d] = maps.shape().nhwc().expect("codes are [N, k, k, d]");
            let codes = codes.get_or_insert_with(|| Tensor::zeros([different, k, k, d]));
            codes.as_mut_slice()[start * k * k * d..][..maps.len()].copy_from_slice(maps.as_slice());
            workspace.give(maps);
        }
        codes.expect("there is at least one place")
    }

    /// Looks codes up.
    fn look_up(&self, kept: &Tensor, places: &[Place], workspace: &mut Workspace) -> Tensor {
        let [_, height, width, _] = self.size();
        let [rows, columns] = [height, width].map(|size| size + 1 - self.width);
        let [_, k, _, d] = kept.shape().nhwc().expect("codes are [N, k, k, d]");
        let mut maps = workspace.take([places.len(), k, k, d]);
        for (map, place) in maps.as_mut_slice().chunks_mut(k * k * d).zip(places) {
            let at = (place.picture * rows + place.y) * columns + place.x;
            map.copy_from_slice(kept.samples(at..at + 1));
        }
        maps
    }
}

impl PatchSource for PicturePatches<'_> {
    fn next_batch(&mut self, params: &Params, count: usize, workspace: &mut Workspace) -> PatchBatch {
        let places = self.draw(count);
        if self.keeps && self.kept.is_none() {
            self.kept = Some(self.encode_all(params, workspace));
        }
        let maps = match &self.kept {
            Some(kept) => self.look_up(kept, &places, workspace),
            None => {
                let pixels = self.pixels(&places, workspace);
                self.encode(params, pixels, workspace)
            }
        };
        PatchBatch { maps, labels: self.labels(&places) }
    }

    fn put(&self, checkpoint: &mut Checkpoint) {
        checkpoint.put_stream("patches", &self.stream);
        self.order.put(checkpoint);
    }

    fn take(&mut self, checkpoint: &mut Checkpoint) -> Result<(), CheckpointError> {
        self.stream = checkpoint.get_stream("patches")?;
        self.order = Order::take(checkpoint, self.pictures.size()[0])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        scae::{LayerGeometry, LayerSpec, ScaeSpec},
        units::UnitSpec,
    };
    use patchgrad::ops::Activation;

    fn scae() -> Scae {
        let unit = UnitSpec::standard(Activation::Softsign, Activation::Linear);
        let layer = |kernel, offset| LayerSpec { geometry: LayerGeometry { kernel, offset }, features: 3, unit };
        Scae::new(ScaeSpec { picture: [8, 8, 1], layers: vec![layer(4, 2), layer(3, 3)] }, &mut stream(1, "init", 0))
    }

    #[test]
    fn d8_every_position_of_the_picture_is_drawn_the_last_one_included() {
        let (scae, pictures) = (scae(), Tensor::from_fn([1, 8, 8, 1], |i| i as f32));
        let mut source = PicturePatches::new(&scae, 0, &pictures, Labels::None, 600, 3);
        let patches = source.next_batch(scae.params(), 600, &mut Workspace::new()).maps;
        let mut corners: Vec<u32> = patches.as_slice().chunks(16).map(|patch| patch[0] as u32).collect();
        corners.sort_unstable();
        corners.dedup();
        let all: Vec<u32> = (0..5).flat_map(|y| (0..5).map(move |x| y * 8 + x)).collect();
        assert_eq!(corners, all);
    }

    #[test]
    fn a_patch_has_the_label_of_its_picture_or_of_its_central_pixel() {
        // A pixel's value tells its picture and its place.
        let (scae, pictures) = (scae(), Tensor::from_fn([3, 8, 8, 1], |i| i as f32));
        let mut workspace = Workspace::new();
        let mut source = PicturePatches::new(&scae, 0, &pictures, Labels::Pictures(&[7, 8, 9]), 30, 3);
        let batch = source.next_batch(scae.params(), 30, &mut workspace);
        for (patch, label) in batch.maps.as_slice().chunks(16).zip(batch.labels.unwrap()) {
            assert_eq!(patch[0] as u32 / 64 + 7, label);
        }
        let classes: Vec<u8> = (0..192).map(|i| (i % 251) as u8).collect();
        let mut source = PicturePatches::new(&scae, 0, &pictures, Labels::Pixels(&classes), 30, 3);
        let batch = source.next_batch(scae.params(), 30, &mut workspace);
        for (patch, label) in batch.maps.as_slice().chunks(16).zip(batch.labels.unwrap()) {
            assert_eq!(patch[2 * 4 + 2] as u32 % 251, label);
        }
    }

    #[test]
    fn codes_that_were_kept_are_those_that_would_be_computed() {
        let (scae, pictures) = (scae(), Tensor::from_fn([40, 9, 9, 1], |i| ((i * 7919) % 97) as f32 / 97.0));
        let mut workspace = Workspace::new();
        // 40 pictures have 160 different patches of 8 x 8.
        let mut sources = [319, 320].map(|samples| PicturePatches::new(&scae, 1, &pictures, Labels::None, samples, 3));
        assert_eq!([sources[0].keeps, sources[1].keeps], [false, true]);
        for count in [64, 7, 1] {
            let [computed, kept] =
                sources.each_mut().map(|source| source.next_batch(scae.params(), count, &mut workspace).maps);
            assert_eq!(computed, kept, "{count} patches");
        }
        assert!(!PicturePatches::new(&scae, 0, &pictures, Labels::None, 1 << 20, 3).keeps, "pixels are at hand");
    }
}
