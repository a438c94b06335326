//! What the passes read and how they finish: the gradient of an output that may have been pooled, and the epilogue.

use super::strips::{Plane, Strip, Strips};
use crate::{ops::Activation, parallel};
use patchgrad_kernels::{activation, column_sums::column_sums, elementwise, frame::Frame, pool2x2};

/// What a convolution does with a sum before it writes it: `output = max_pool(activation(sum + bias))`.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a> {
    /// One value for each output channel.
    pub bias: Option<&'a [f32]>,
    /// The function of every element.
    pub activation: Activation,
}

impl<'a> Epilogue<'a> {
    /// Only the bias, if there is one.
    pub fn bias(bias: Option<&'a [f32]>) -> Self {
        Self { bias, activation: Activation::Linear }
    }
}

/// Images that a pass reads, `[N, H, W, C]`: as they are, or as the gradient of a 2x2 max-pooling.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    /// The elements; where `taps` are given, those of the pooled images `[N, H/2, W/2, C]`.
    pub values: &'a [f32],
    /// For every element which pixel of its 2x2 window it belongs to; the other pixels are 0.
    pub taps: Option<&'a [u8]>,
}

impl<'a> From<&'a [f32]> for Images<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self::dense(values)
    }
}

impl<'a> Images<'a> {
    /// Images as they are.
    pub fn dense(values: &'a [f32]) -> Self {
        Self { values, taps: None }
    }

    /// Copies what `frame` cuts out of `sample`, from image row `top` on.
    pub(super) fn copy(&self, sample: usize, frame: &Frame, top: isize, to: &mut [f32], spare: &mut [f32]) {
        let [h, w] = frame.image;
        match self.taps {
            None => {
                let len = h * w * frame.channels;
                frame.copy(&self.values[sample * len..][..len], top, to);
            }
            Some(taps) => {
                let len = h / 2 * (w / 2) * frame.channels;
                let pooled = sample * len..(sample + 1) * len;
                frame.copy_unpooled(&self.values[pooled.clone()], &taps[pooled], top, to, spare);
            }
        }
    }

    /// Adds the sum of every channel over the pixels of a strip to `sums`: its part of the gradient of a bias. What was not
    /// the largest of its window is 0, so a pooled gradient is summed as it is. Nothing happens if `sums` is empty; `spare`
    /// is as long.
    pub(super) fn add_channel_sums(
        &self,
        (strips, strip): (&Strips, Strip),
        plane: Plane,
        sums: &mut [f32],
        spare: &mut [f32],
    ) {
        if sums.is_empty() {
            return;
        }
        let [height, width] = plane.size;
        let (row_len, height, rows, first_row) = match self.taps {
            None => (plane.row_len(), height, strips.rows, strip.first_row),
            Some(_) => (width / 2 * plane.channels, height / 2, strips.rows / 2, strip.first_row / 2),
        };
        let start = (strip.first_sample * height + first_row) * row_len;
        column_sums(spare, &self.values[start..][..strip.samples * rows * row_len], plane.channels);
        elementwise::add_assign(sums, spare);
    }

    /// Copies what `frame` cuts out of each sample of a strip, side by side, and gives the copies.
    pub(super) fn copy_strip<'t>(
        &self,
        strip: Strip,
        frame: &Frame,
        top: isize,
        to: &'t mut [f32],
        spare: &mut [f32],
    ) -> &'t mut [f32] {
        let to = &mut to[..strip.samples * frame.copy_len()];
        for (i, to) in to.chunks_exact_mut(frame.copy_len()).enumerate() {
            self.copy(strip.first_sample + i, frame, top, to, spare);
        }
        to
    }

    /// Writes the images of a plane `[H, W]` with `channels` as they are.
    pub(super) fn make_dense(&self, plane: [usize; 2], channels: usize, to: &mut [f32]) {
        let [h, w] = plane;
        let frame = Frame { image: plane, size: plane, left: 0, channels, pixel: channels };
        parallel::for_each_chunk(to, h * w * channels, |sample, to| {
            // A whole image has no row without its pair, which is what `spare` is for.
            self.copy(sample, &frame, 0, to, &mut []);
        });
    }
}

/// Pools the rows `[rows, W, C]` of a convolution's output and applies the activation to what is left.
///
/// An activation that never decreases changes no maximum, so it runs on a quarter of the elements.
pub(super) fn pool_and_activate(
    [width, channels]: [usize; 2],
    activation: Activation,
    rows: &[f32],
    output: &mut [f32],
    taps: &mut [u8],
) {
    let (row, pooled_row) = (width * channels, width / 2 * channels);
    let outputs = output.chunks_exact_mut(pooled_row).zip(taps.chunks_exact_mut(pooled_row));
    for (pair, (output, taps)) in rows.chunks_exact(2 * row).zip(outputs) {
        let (upper, lower) = pair.split_at(row);
        pool2x2::max_pool_rows(width, channels, upper, lower, output, taps);
        activate(activation, output);
    }
}

/// The activation, in place.
pub(super) fn activate(activation: Activation, values: &mut [f32]) {
    if activation != Activation::Linear {
        activation::forward_in_place(activation, values);
    }
}
