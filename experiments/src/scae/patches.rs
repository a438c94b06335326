//! Random patches of pictures, as the layers below the trained one encode them.

use super::Scae;
use crate::training::Order;
use crate::units::{PatchBatch, PatchSource, Unit};
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

/// Draws patches of pixels, one from each picture in a shuffled order, and encodes them with the layers below `layer`.
pub struct PicturePatches<'p> {
    below: Vec<Arc<dyn Unit>>,
    pictures: &'p Tensor,
    labels: Labels<'p>,
    /// Width of a patch, the receptive field of the layer.
    width: usize,
    stream: Stream,
    order: Order,
}

impl<'p> PicturePatches<'p> {
    /// Patches for layer `layer` of `scae` from pictures `[N, H, W, C]`.
    ///
    /// # Panics
    /// If there are not as many labels as pictures, or as pixels.
    #[track_caller]
    pub fn new(scae: &Scae, layer: usize, pictures: &'p Tensor, labels: Labels<'p>, seed: u64) -> Self {
        let [count, height, width, _] = pictures.shape().nhwc().expect("pictures are [N, H, W, C]");
        match labels {
            Labels::None => {}
            Labels::Pictures(labels) => assert_eq!(labels.len(), count, "a label for each of {count} pictures"),
            Labels::Pixels(labels) => {
                assert_eq!(labels.len(), count * height * width, "a label for each pixel of {}", pictures.shape());
            }
        }
        Self {
            below: (0..layer).map(|layer| scae.unit(layer).clone()).collect(),
            pictures,
            labels,
            width: scae.spec().geometry().receptive_field(layer),
            stream: stream(seed, "patches", layer as u64),
            order: Order::new(count),
        }
    }

    /// `[batch, width, width, C]`: one patch from each of the next pictures; every epoch is shuffled anew.
    fn next_pixels(&mut self, batch: usize, workspace: &mut Workspace) -> (Tensor, Option<Vec<u32>>) {
        let &[_, height, width, channels] = self.pictures.shape().dims() else {
            unreachable!("pictures have four axes")
        };
        let mut patches = workspace.take([batch, self.width, self.width, channels]);
        let mut labels = match self.labels {
            Labels::None => None,
            _ => Some(Vec::with_capacity(batch)),
        };
        let row_len = self.width * channels;
        for patch in patches.as_mut_slice().chunks_mut(self.width * row_len) {
            if self.order.is_over() {
                self.order.shuffle(&mut self.stream);
            }
            let index = self.order.next(1)[0];
            // Every position counts, the last one included.
            let y = self.stream.random_range(0..=(height - self.width) as u32) as usize;
            let x = self.stream.random_range(0..=(width - self.width) as u32) as usize;
            let picture = self.pictures.samples(index..index + 1);
            for (row, to) in patch.chunks_mut(row_len).enumerate() {
                let from = ((y + row) * width + x) * channels;
                to.copy_from_slice(&picture[from..from + row_len]);
            }
            let label = match self.labels {
                Labels::None => continue,
                Labels::Pictures(labels) => labels[index],
                Labels::Pixels(labels) => {
                    let centre = self.width / 2;
                    u32::from(labels[(index * height + y + centre) * width + x + centre])
                }
            };
            labels.get_or_insert_default().push(label);
        }
        (patches, labels)
    }
}

impl PatchSource for PicturePatches<'_> {
    fn next_batch(&mut self, params: &Params, count: usize, workspace: &mut Workspace) -> PatchBatch {
        let (pixels, labels) = self.next_pixels(count, workspace);
        if self.below.is_empty() {
            return PatchBatch { maps: pixels, labels };
        }
        // On a tape of its own: its result is a plain tensor, so no gradient reaches the layers below.
        let mut tape = Tape::with_params(params, workspace);
        let input = tape.input(&pixels);
        let code = self.below.iter().fold(input, |map, unit| unit.encode(&mut tape, map));
        let maps = tape.finish(code);
        workspace.give(pixels);
        PatchBatch { maps, labels }
    }

    fn put(&self, checkpoint: &mut Checkpoint) {
        checkpoint.put_stream("patches", &self.stream);
        self.order.put(checkpoint);
    }

    fn take(&mut self, checkpoint: &mut Checkpoint) -> Result<(), CheckpointError> {
        self.stream = checkpoint.get_stream("patches")?;
        self.order = Order::take(checkpoint, self.pictures.shape().dims()[0])?;
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
        let mut source = PicturePatches::new(&scae, 0, &pictures, Labels::None, 3);
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
        let mut source = PicturePatches::new(&scae, 0, &pictures, Labels::Pictures(&[7, 8, 9]), 3);
        let batch = source.next_batch(scae.params(), 30, &mut workspace);
        for (patch, label) in batch.maps.as_slice().chunks(16).zip(batch.labels.unwrap()) {
            assert_eq!(patch[0] as u32 / 64 + 7, label);
        }
        let classes: Vec<u8> = (0..192).map(|i| (i % 251) as u8).collect();
        let mut source = PicturePatches::new(&scae, 0, &pictures, Labels::Pixels(&classes), 3);
        let batch = source.next_batch(scae.params(), 30, &mut workspace);
        for (patch, label) in batch.maps.as_slice().chunks(16).zip(batch.labels.unwrap()) {
            assert_eq!(patch[2 * 4 + 2] as u32 % 251, label);
        }
    }
}
