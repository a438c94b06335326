//! im2col and its adjoint col2im for channels-last images.
//!
//! The patch matrix has one row per window position and one column per `(kh, kw, c)`: a row *is* the patch that the
//! window sees, zeros where it hangs over the edge. With the weight of a convolution stored as `[KH * KW * C, O]`, the
//! convolution of the whole image is one matrix product, `patches x weight`. Because the channels are last, the taps of
//! one kernel row lie side by side in the image, and a patch is copied as `KH` contiguous runs.

use crate::window::Window2d;
use std::ops::Range;

/// A run of channels of an image: the group that a grouped convolution reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// All channels of the image.
    pub total: usize,
    /// The first channel of the run.
    pub start: usize,
    /// The length of the run.
    pub len: usize,
}

impl Channels {
    /// All `total` channels.
    pub fn all(total: usize) -> Self {
        Self { total, start: 0, len: total }
    }

    /// Group `group` of `groups` equal runs of `total` channels.
    pub fn group(total: usize, groups: usize, group: usize) -> Self {
        let len = total / groups;
        Self { total, start: group * len, len }
    }

    fn check(&self) {
        assert!(self.start + self.len <= self.total, "channels {self:?} leave the image");
    }
}

/// Writes rows `rows` of the patch matrix of a batch of images.
///
/// # Shapes
/// `input` [N, H, W, C], row `r` is position `(n, oh, ow)` with `r = (n * OH + oh) * OW + ow`,
/// `patches` [rows, KH, KW, channels.len], overwritten.
///
/// # Panics
/// If a slice has the wrong length or `rows` leaves the batch.
pub fn im2col(window: &Window2d, channels: Channels, input: &[f32], rows: Range<usize>, patches: &mut [f32]) {
    let image_len = window.input_len() * channels.total;
    let row_len = window.taps() * channels.len;
    let positions = window.output_len();
    channels.check();
    assert_eq!(patches.len(), rows.len() * row_len, "im2col: {} rows of {row_len}", rows.len());
    assert!(
        rows.is_empty() || (rows.end - 1) / positions * image_len + image_len <= input.len(),
        "im2col: rows {rows:?} need more images than the input holds"
    );
    if row_len == 0 {
        return;
    }
    for (row, patch) in rows.zip(patches.chunks_exact_mut(row_len)) {
        let (sample, position) = (row / positions, row % positions);
        let image = &input[sample * image_len..][..image_len];
        for_each_run(window, channels, position, patch.len(), |run| match run {
            Run::Padding(at) => patch[at].fill(0.0),
            Run::Pixels { patch: at, image: from } => patch[at].copy_from_slice(&image[from]),
        });
    }
}

/// Adds rows `rows` of the patch matrix of *one* image back to the pixels they came from: the adjoint of [`im2col`].
/// What hangs over the edge is dropped. Rows are added in order.
///
/// # Shapes
/// `patches` [rows, KH, KW, channels.len], row `r` is position `(oh, ow)` with `r = oh * OW + ow`, `image` [H, W, C].
///
/// # Panics
/// If a slice has the wrong length or `rows` leaves the image.
pub fn add_col2im(window: &Window2d, channels: Channels, patches: &[f32], rows: Range<usize>, image: &mut [f32]) {
    let row_len = window.taps() * channels.len;
    channels.check();
    assert_eq!(patches.len(), rows.len() * row_len, "col2im: {} rows of {row_len}", rows.len());
    assert_eq!(image.len(), window.input_len() * channels.total, "col2im: the image has the wrong length");
    assert!(rows.end <= window.output_len(), "col2im: rows {rows:?} leave the image");
    if row_len == 0 {
        return;
    }
    for (position, patch) in rows.zip(patches.chunks_exact(row_len)) {
        for_each_run(window, channels, position, patch.len(), |run| {
            if let Run::Pixels { patch: at, image: to } = run {
                for (pixel, value) in image[to].iter_mut().zip(&patch[at]) {
                    *pixel += value;
                }
            }
        });
    }
}

/// A contiguous part of one patch.
enum Run {
    /// These elements of the patch hang over the edge.
    Padding(Range<usize>),
    /// These elements of the patch are those elements of the image.
    Pixels { patch: Range<usize>, image: Range<usize> },
}

/// Visits the patch at `position` as contiguous runs, in the order of its elements.
#[inline(always)]
fn for_each_run(window: &Window2d, channels: Channels, position: usize, patch_len: usize, mut visit: impl FnMut(Run)) {
    let [kernel_h, kernel_w] = window.kernel_size;
    let width = window.input[1];
    let (taps_h, first_h) = window.taps_inside(0, position / window.output[1]);
    let (taps_w, first_w) = window.taps_inside(1, position % window.output[1]);
    if taps_h.is_empty() || taps_w.is_empty() {
        visit(Run::Padding(0..patch_len));
        return;
    }
    let kernel_row = kernel_w * channels.len;
    let padding_left = taps_w.start * channels.len;
    let padding_right = taps_w.end * channels.len;
    // Neighbouring taps are neighbours in memory: one run for the whole kernel row.
    let joined = window.dilation[1] == 1 && channels.len == channels.total;
    if taps_h.start > 0 {
        visit(Run::Padding(0..taps_h.start * kernel_row));
    }
    for tap_h in taps_h.clone() {
        let y = first_h + (tap_h - taps_h.start) * window.dilation[0];
        let pixel = (y * width + first_w) * channels.total + channels.start;
        let at = tap_h * kernel_row;
        if padding_left > 0 {
            visit(Run::Padding(at..at + padding_left));
        }
        if joined {
            let len = padding_right - padding_left;
            visit(Run::Pixels { patch: at + padding_left..at + padding_right, image: pixel..pixel + len });
        } else {
            for (step, tap_w) in taps_w.clone().enumerate() {
                let from = pixel + step * window.dilation[1] * channels.total;
                let to = at + tap_w * channels.len;
                visit(Run::Pixels { patch: to..to + channels.len, image: from..from + channels.len });
            }
        }
        if padding_right < kernel_row {
            visit(Run::Padding(at + padding_right..at + kernel_row));
        }
    }
    if taps_h.end < kernel_h {
        visit(Run::Padding(taps_h.end * kernel_row..patch_len));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows() -> Vec<Window2d> {
        let mut all = Vec::new();
        for (input, kernel_size, stride, padding, dilation) in [
            ([5, 4], [3, 3], [1, 1], [1, 1], [1, 1]),
            ([5, 7], [2, 3], [2, 1], [0, 2], [1, 2]),
            ([4, 4], [1, 1], [3, 2], [0, 0], [1, 1]),
            ([1, 1], [3, 5], [1, 1], [1, 2], [1, 1]),
            ([6, 6], [3, 2], [2, 2], [3, 3], [2, 3]),
        ] {
            let out = |axis: usize| {
                (input[axis] + 2 * padding[axis] - dilation[axis] * (kernel_size[axis] - 1) - 1) / stride[axis] + 1
            };
            all.push(Window2d { input, output: [out(0), out(1)], kernel_size, stride, padding, dilation });
        }
        all
    }

    /// Element (row, kh, kw, c) of the patch matrix by its definition: an index into `input`, or None for padding.
    fn source(w: &Window2d, channels: Channels, row: usize, column: usize) -> Option<usize> {
        let (sample, position) = (row / w.output_len(), row % w.output_len());
        let (tap, c) = (column / channels.len, column % channels.len);
        let y = (position / w.output[1] * w.stride[0] + tap / w.kernel_size[1] * w.dilation[0])
            .checked_sub(w.padding[0])
            .filter(|&y| y < w.input[0])?;
        let x = (position % w.output[1] * w.stride[1] + tap % w.kernel_size[1] * w.dilation[1])
            .checked_sub(w.padding[1])
            .filter(|&x| x < w.input[1])?;
        Some(((sample * w.input[0] + y) * w.input[1] + x) * channels.total + channels.start + c)
    }

    #[test]
    fn im2col_follows_its_definition_for_every_group_and_range_of_rows() {
        for w in windows() {
            for channels in [Channels::all(3), Channels::group(6, 3, 1), Channels::group(4, 4, 3)] {
                let batch = 2;
                let input: Vec<f32> =
                    (0..batch * w.input_len() * channels.total).map(|i| (i % 251) as f32 + 1.0).collect();
                let row_len = w.taps() * channels.len;
                let all_rows = batch * w.output_len();
                for rows in [0..all_rows, all_rows / 3..all_rows - all_rows / 4, 0..0] {
                    let mut patches = vec![f32::NAN; rows.len() * row_len];
                    im2col(&w, channels, &input, rows.clone(), &mut patches);
                    for (at, &value) in patches.iter().enumerate() {
                        let expected = source(&w, channels, rows.start + at / row_len, at % row_len);
                        assert_eq!(value, expected.map_or(0.0, |i| input[i]), "{w:?} {channels:?} at {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn col2im_is_the_adjoint_of_im2col() {
        for w in windows() {
            for channels in [Channels::all(2), Channels::group(6, 2, 1)] {
                let image: Vec<f32> = (0..w.input_len() * channels.total).map(|i| ((i * 5) % 7) as f32 - 3.0).collect();
                let rows = 0..w.output_len();
                let mut patches = vec![0.0; rows.len() * w.taps() * channels.len];
                im2col(&w, channels, &image, rows.clone(), &mut patches);
                let cotangent: Vec<f32> = (0..patches.len()).map(|i| ((i * 3) % 5) as f32 - 2.0).collect();
                let mut back = vec![0.0; image.len()];
                add_col2im(&w, channels, &cotangent, rows, &mut back);
                let left: f32 = patches.iter().zip(&cotangent).map(|(a, b)| a * b).sum();
                let right: f32 = image.iter().zip(&back).map(|(a, b)| a * b).sum();
                assert_eq!(left, right, "{w:?} {channels:?}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "more images")]
    fn rows_beyond_the_batch_are_refused() {
        let w = windows()[0];
        im2col(&w, Channels::all(1), &[0.0; 20], 0..21, &mut [0.0; 21 * 9]);
    }
}
