//! Pooling of one sample, channels last, and the way back.
//!
//! A sample is an [H, W, C] slice, its pooled version [OH, OW, C]. Every function overwrites its output; where windows
//! overlap, their gradients add. An index of max-pooling is the place `h * W + w` in the input plane, as PyTorch's
//! `return_indices`, kept per output position and channel in a slice of the output's shape.

use crate::isa::dispatched;
use crate::pool2x2;
use crate::window::Window2d;

/// Runs a block for strips of `LANES` channels from `c` on: 16 where a pixel has as many, else 8, else 1. The last strip
/// may overlap the one before, so that no channel is left over: the block must overwrite, not add.
macro_rules! in_strips {
    ($channels:expr, |$c:ident, $lanes:ident| $block:block) => {
        match $channels {
            16.. => in_strips!(16, $channels, |$c, $lanes| $block),
            8.. => in_strips!(8, $channels, |$c, $lanes| $block),
            _ => in_strips!(1, $channels, |$c, $lanes| $block),
        }
    };
    ($width:literal, $channels:expr, |$c:ident, $lanes:ident| $block:block) => {
        for start in (0..$channels).step_by($width) {
            const $lanes: usize = $width;
            let $c = start.min($channels - $width);
            $block
        }
    };
}

/// As [`in_strips!`], for a block that adds: 16 channels as long as there are as many, then 8, then 1 by 1, none twice.
macro_rules! in_disjoint_strips {
    ($channels:expr, |$c:ident, $lanes:ident| $block:block) => {
        let mut $c = 0;
        in_disjoint_strips!(16, $channels, |$c, $lanes| $block);
        in_disjoint_strips!(8, $channels, |$c, $lanes| $block);
        in_disjoint_strips!(1, $channels, |$c, $lanes| $block);
    };
    ($width:literal, $channels:expr, |$c:ident, $lanes:ident| $block:block) => {
        while $channels - $c >= $width {
            const $lanes: usize = $width;
            $block
            $c += $width;
        }
    };
}

dispatched! {
    /// The largest value under each window, per channel, and where it was.
    ///
    /// Of equal values the first in row-major order wins; a NaN wins over any number, and the last NaN of a window over
    /// the others (as in PyTorch); padding never wins.
    ///
    /// # Shapes
    /// `input` [H, W, channels]; `output` and `indices` [OH, OW, channels], overwritten.
    ///
    /// # Panics
    /// If a slice has the wrong length, the plane has more than 2^32 pixels, or a window lies wholly in the padding.
    pub fn max_pool2d(window: &Window2d, channels: usize, input: &[f32], output: &mut [f32], indices: &mut [u32]) {
        check_planes(window, channels, input.len(), output.len());
        assert_eq!(indices.len(), output.len(), "max_pool2d: one index per output value");
        assert!(window.input_len() as u64 <= 1 << 32, "max_pool2d: the indices of {:?} exceed u32", window.input);
        if pool2x2::covers(window) {
            return pool2x2::max_pool_plane(window.input, channels, input, output, indices);
        }
        for oh in 0..window.output[0] {
            let rows = Span::new(window, 0, oh);
            for ow in 0..window.output[1] {
                let view = View { rows, cols: Span::new(window, 1, ow), width: window.input[1], channels };
                assert!(view.pixels() > 0, "max_pool2d: the window at ({oh}, {ow}) lies wholly in the padding");
                let at = (oh * window.output[1] + ow) * channels;
                in_strips!(channels, |c, LANES| {
                    let (best, place) = view.max::<LANES>(input, c);
                    output[at + c..][..LANES].copy_from_slice(&best);
                    indices[at + c..][..LANES].copy_from_slice(&place);
                });
            }
        }
    }

    /// The gradient of [`max_pool2d`]: each gradient goes to the pixel that won. A pixel that won several windows receives
    /// the sum of their gradients, added in the order of the output.
    ///
    /// # Shapes
    /// `indices`, as [`max_pool2d`] gave them, and `grad_output` [OH, OW, channels]; `grad_input` [H, W, channels],
    /// overwritten.
    ///
    /// # Panics
    /// If a slice has the wrong length. An index outside its window loses its gradient or panics.
    pub fn max_pool2d_grad_input(
        window: &Window2d,
        channels: usize,
        indices: &[u32],
        grad_output: &[f32],
        grad_input: &mut [f32],
    ) {
        check_planes(window, channels, grad_input.len(), grad_output.len());
        check_indices(channels, indices.len(), grad_output.len(), grad_input.len());
        // Narrower pixels are scattered faster one by one.
        if pool2x2::covers(window) && channels >= pool2x2::LANES {
            return pool2x2::unpool_plane(window.input, channels, indices, grad_output, grad_input);
        }
        grad_input.fill(0.0);
        for_each_winner(channels, indices, |winner, from| grad_input[winner] += grad_output[from]);
    }

    /// The mean under each window, per channel.
    ///
    /// With `count_include_pad` the sum is divided by the size of the window, padding included, but clipped to the
    /// padded input where `ceil_mode` lets a window reach beyond it; otherwise by the number of input pixels under it.
    /// A window wholly in the padding gives 0. All as in PyTorch.
    ///
    /// # Shapes
    /// `input` [H, W, channels]; `output` [OH, OW, channels], overwritten.
    ///
    /// # Panics
    /// If a slice has the wrong length or the window is dilated.
    pub fn avg_pool2d(window: &Window2d, channels: usize, count_include_pad: bool, input: &[f32], output: &mut [f32]) {
        check_planes(window, channels, input.len(), output.len());
        check_not_dilated(window);
        for oh in 0..window.output[0] {
            let rows = Span::new(window, 0, oh);
            for ow in 0..window.output[1] {
                let view = View { rows, cols: Span::new(window, 1, ow), width: window.input[1], channels };
                let divisor = view.divisor(count_include_pad);
                let at = (oh * window.output[1] + ow) * channels;
                in_strips!(channels, |c, LANES| {
                    let mut mean = view.sum::<LANES>(input, c);
                    for value in &mut mean {
                        *value /= divisor;
                    }
                    output[at + c..][..LANES].copy_from_slice(&mean);
                });
            }
        }
    }

    /// The gradient of [`avg_pool2d`]: every input pixel receives `grad_output / divisor` of each window over it.
    ///
    /// # Shapes
    /// `grad_output` [OH, OW, channels]; `grad_input` [H, W, channels], overwritten.
    ///
    /// # Panics
    /// If a slice has the wrong length or the window is dilated.
    pub fn avg_pool2d_grad_input(
        window: &Window2d,
        channels: usize,
        count_include_pad: bool,
        grad_output: &[f32],
        grad_input: &mut [f32],
    ) {
        check_planes(window, channels, grad_input.len(), grad_output.len());
        check_not_dilated(window);
        grad_input.fill(0.0);
        for oh in 0..window.output[0] {
            let rows = Span::new(window, 0, oh);
            for ow in 0..window.output[1] {
                let view = View { rows, cols: Span::new(window, 1, ow), width: window.input[1], channels };
                let divisor = view.divisor(count_include_pad);
                let at = (oh * window.output[1] + ow) * channels;
                in_disjoint_strips!(channels, |c, LANES| {
                    let mut share = [0.0; LANES];
                    share.copy_from_slice(&grad_output[at + c..][..LANES]);
                    for value in &mut share {
                        *value /= divisor;
                    }
                    view.add::<LANES>(grad_input, c, &share);
                });
            }
        }
    }
}

/// The partial inverse of max-pooling: each value goes to the place its index names, all other places are 0. Where an
/// index occurs twice, the last value stays.
///
/// # Shapes
/// `indices` and `input` [OH, OW, channels]; `output` [H, W, channels], overwritten.
///
/// # Panics
/// If there is not one index for each value, a slice is not a whole number of pixels, or an index lies outside the output
/// plane.
pub fn max_unpool2d(channels: usize, indices: &[u32], input: &[f32], output: &mut [f32]) {
    check_indices(channels, indices.len(), input.len(), output.len());
    output.fill(0.0);
    for_each_winner(channels, indices, |winner, from| output[winner] = input[from]);
}

/// The gradient of [`max_unpool2d`]: each input reads the gradient of the place it was written to (also where a later
/// value overwrote it, as in PyTorch).
///
/// # Shapes
/// `grad_output` [H, W, channels]; `indices` and `grad_input` [OH, OW, channels], overwritten.
///
/// # Panics
/// If there is not one index for each value, a slice is not a whole number of pixels, or an index lies outside the plane of
/// `grad_output`.
pub fn max_unpool2d_grad_input(channels: usize, indices: &[u32], grad_output: &[f32], grad_input: &mut [f32]) {
    check_indices(channels, indices.len(), grad_input.len(), grad_output.len());
    for_each_winner(channels, indices, |winner, from| grad_input[from] = grad_output[winner]);
}

/// The input pixels under the window at one output position.
struct View {
    rows: Span,
    cols: Span,
    /// Width of the input plane, in pixels.
    width: usize,
    channels: usize,
}

impl View {
    #[inline(always)]
    fn pixels(&self) -> usize {
        self.rows.len * self.cols.len
    }

    /// What [`avg_pool2d`] divides by; at least 1.
    #[inline(always)]
    fn divisor(&self, count_include_pad: bool) -> f32 {
        let count = if count_include_pad { self.rows.padded_len * self.cols.padded_len } else { self.pixels() };
        count.max(1) as f32
    }

    /// The maximum over the pixels, and the pixel, for `N` channels from `c` on.
    #[inline(always)]
    fn max<const N: usize>(&self, input: &[f32], c: usize) -> ([f32; N], [u32; N]) {
        let mut best = [f32::NEG_INFINITY; N];
        let mut place = [(self.rows.first * self.width + self.cols.first) as u32; N];
        for row in 0..self.rows.len {
            for col in 0..self.cols.len {
                let pixel = self.pixel(row, col);
                let values = &input[pixel * self.channels + c..][..N];
                for i in 0..N {
                    let wins = values[i] > best[i] || values[i].is_nan();
                    best[i] = if wins { values[i] } else { best[i] };
                    place[i] = if wins { pixel as u32 } else { place[i] };
                }
            }
        }
        (best, place)
    }

    /// The sum over the pixels, in row-major order, for `N` channels from `c` on.
    #[inline(always)]
    fn sum<const N: usize>(&self, input: &[f32], c: usize) -> [f32; N] {
        let mut sum = [0.0; N];
        for row in 0..self.rows.len {
            for col in 0..self.cols.len {
                let values = &input[self.pixel(row, col) * self.channels + c..][..N];
                for i in 0..N {
                    sum[i] += values[i];
                }
            }
        }
        sum
    }

    /// Adds `share` to every pixel, in `N` channels from `c` on.
    #[inline(always)]
    fn add<const N: usize>(&self, grad_input: &mut [f32], c: usize, share: &[f32; N]) {
        for row in 0..self.rows.len {
            for col in 0..self.cols.len {
                let values = &mut grad_input[self.pixel(row, col) * self.channels + c..][..N];
                for i in 0..N {
                    values[i] += share[i];
                }
            }
        }
    }

    #[inline(always)]
    fn pixel(&self, row: usize, col: usize) -> usize {
        (self.rows.first + row * self.rows.step) * self.width + self.cols.first + col * self.cols.step
    }
}

/// The input positions under a window along one axis: `first`, `first + step`, ...
#[derive(Clone, Copy)]
struct Span {
    first: usize,
    len: usize,
    step: usize,
    /// Taps that fall on the input or its padding: fewer than the kernel's where `ceil_mode` lets the window go beyond.
    padded_len: usize,
}

impl Span {
    #[inline(always)]
    fn new(window: &Window2d, axis: usize, position: usize) -> Self {
        let [start, step] = [position * window.stride[axis], window.dilation[axis]];
        let [input, padding, taps] = [window.input[axis], window.padding[axis], window.kernel_size[axis]];
        // Nearly every window lies inside, and is spared the divisions of `taps_inside`.
        if start >= padding && start - padding + (taps - 1) * step < input {
            return Self { first: start - padding, len: taps, step, padded_len: taps };
        }
        let (inside, first) = window.taps_inside(axis, position);
        let padded_len = (input + 2 * padding).saturating_sub(start).div_ceil(step).min(taps);
        Self { first, len: inside.len(), step, padded_len }
    }
}

/// Calls `visit(winner, from)` for every value `from` of the pooled sample in order, where `winner` is the place of its
/// index and channel in the unpooled one.
#[inline(always)]
fn for_each_winner(channels: usize, indices: &[u32], mut visit: impl FnMut(usize, usize)) {
    if channels == 0 {
        return;
    }
    for (position, indices) in indices.chunks_exact(channels).enumerate() {
        for (c, &index) in indices.iter().enumerate() {
            visit(index as usize * channels + c, position * channels + c);
        }
    }
}

#[inline(always)]
fn check_planes(window: &Window2d, channels: usize, input_len: usize, output_len: usize) {
    assert_eq!(input_len, window.input_len() * channels, "pooling: the input is {:?} x {channels}", window.input);
    assert_eq!(output_len, window.output_len() * channels, "pooling: the output is {:?} x {channels}", window.output);
}

#[inline(always)]
fn check_not_dilated(window: &Window2d) {
    assert_eq!(window.dilation, [1, 1], "avg_pool2d: the window must not be dilated");
}

fn check_indices(channels: usize, indices_len: usize, pooled_len: usize, plane_len: usize) {
    assert_eq!(indices_len, pooled_len, "pooling: one index per pooled value");
    assert!(
        pooled_len.is_multiple_of(channels.max(1)) && plane_len.is_multiple_of(channels.max(1)),
        "pooling: {pooled_len} and {plane_len} values are not whole pixels of {channels} channels"
    );
}

#[cfg(test)]
mod tests;
