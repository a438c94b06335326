//! The mean where patches overlap.
//!
//! A transposed convolution (or [`fold`](super::fold)) *adds* the patches that cover a pixel. The decoder of a stacked
//! convolutional auto-encoder *averages* them: every patch is a full opinion on its pixels. So each pixel is divided by
//! the number of window positions that cover it,
//!
//! ```text
//! y[n, h, w, c] = x[n, h, w, c] / max(1, count_h[h] * count_w[w])
//! ```
//!
//! and a pixel that no patch covers stays what it is, 0. The map is diagonal, so it is its own adjoint.
//!
//! # Shapes
//! input and output `[N, H, W, C]`; the spec is that of the transposed convolution or fold that made the input.
//!
//! # References
//! The stacked convolutional auto-encoder of N-light-N (Seuret et al.): patches are pasted with weights and divided by them.

use super::fold::{FoldDims, FoldSpec};
use crate::{
    ShapeError,
    autograd::{Op, Tape, Var},
    error::OrPanic,
    parallel,
};

/// How many window positions cover each pixel along `axis` (0 = height, 1 = width).
fn counts(dims: &FoldDims, axis: usize) -> Vec<f32> {
    let mut counts = vec![0.0; dims.window.input[axis]];
    for position in 0..dims.window.output[axis] {
        let (taps, first) = dims.window.taps_inside(axis, position);
        for step in 0..taps.len() {
            counts[first + step * dims.window.dilation[axis]] += 1.0;
        }
    }
    counts
}

/// `output = input / overlaps`, pixel by pixel; parallel over image rows. It is its own gradient.
pub fn forward(dims: &FoldDims, input: &[f32], output: &mut [f32]) {
    // A pixel's count is the product of its counts along the axes: the window positions form a grid.
    let (count_h, count_w) = (counts(dims, 0), counts(dims, 1));
    let [height, width] = dims.window.input;
    let row_len = width * dims.channels;
    let rows_per_chunk = (parallel::ELEMENTS_PER_CHUNK / row_len).max(1);
    parallel::for_each_chunk(output, rows_per_chunk * row_len, |i, chunk| {
        for (j, output) in chunk.chunks_mut(row_len).enumerate() {
            let row = i * rows_per_chunk + j;
            let input = &input[row * row_len..][..row_len];
            let pixels = output.chunks_mut(dims.channels).zip(input.chunks(dims.channels));
            for ((output, input), count_w) in pixels.zip(&count_w) {
                // One division for a pixel; the product rounds once more.
                let share = 1.0 / (count_h[row % height] * count_w).max(1.0);
                output.iter_mut().zip(input).for_each(|(output, input)| *output = input * share);
            }
        }
    });
}

/// Checks that the window fits an image `[N, H, W, C]`.
///
/// # Errors
/// If it does not.
pub fn resolve(image: crate::Shape, spec: &FoldSpec) -> Result<FoldDims, ShapeError> {
    spec.resolve_named("overlap_mean", image)
}

impl Tape<'_> {
    /// `input` `[N, H, W, C]` divided by how many windows of `spec` cover each pixel: see
    /// [`ops::overlap_mean`](crate::ops::overlap_mean).
    ///
    /// # Panics
    /// If the window does not fit the image.
    ///
    /// ```
    /// use patchgrad::{Tape, Tensor, Workspace, ops::FoldSpec};
    /// let patches = Tensor::full([1, 1, 3, 2], 1.0);
    /// let mut workspace = Workspace::new();
    /// let mut tape = Tape::new(&mut workspace);
    /// let x = tape.input(&patches);
    /// let spec = FoldSpec::new([1, 2]);
    /// let sum = tape.fold(x, [1, 4], &spec);
    /// assert_eq!(tape.value(sum).as_slice(), [1.0, 2.0, 2.0, 1.0]);
    /// let mean = tape.overlap_mean(sum, &spec);
    /// assert_eq!(tape.value(mean).as_slice(), [1.0; 4]);
    /// ```
    #[track_caller]
    pub fn overlap_mean(&mut self, input: Var, spec: &FoldSpec) -> Var {
        let dims = resolve(self.shape(input), spec).or_panic();
        let mut output = self.workspace.take(dims.image());
        forward(&dims, self.values.get(input), output.as_mut_slice());
        self.record(Op::OverlapMean { dims, input }, output)
    }
}
