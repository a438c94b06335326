//! The definitions: every op as the plain loop that its formula reads like.
//!
//! These are the oracle of the tests, the first rung of the benchmarks and the slide of the lesson. They follow the
//! definition and never the fast code: no blocks, no vectors, no threads. Sums are taken in f64 and rounded once, so on
//! small integers they are exact and elsewhere as right as f32 can say.
//!
//! Images are `[N, H, W, C]`, as everywhere. Each function overwrites its last argument.

mod convolution;
mod elementwise;
mod loss;
mod pooling;

pub use convolution::{conv2d, conv2d_grad_input, conv2d_grad_weight, fold, overlap_counts, unfold};
pub use elementwise::{activation, exp, linear, ln, transpose};
pub use loss::{bce_with_logits, cross_entropy, mse_loss};
pub use pooling::{avg_pool2d, avg_pool2d_grad_input, max_pool2d, max_pool2d_grad_input, max_unpool2d};

use patchgrad_kernels::window::Window2d;

/// The input pixel that tap `(kh, kw)` reads at output position `(oh, ow)`, as an index into the plane `H * W`; `None` in
/// the padding.
fn pixel(window: &Window2d, [oh, ow]: [usize; 2], [kh, kw]: [usize; 2]) -> Option<usize> {
    let along = |axis: usize, position: usize, tap: usize| {
        let padded = position * window.stride[axis] + tap * window.dilation[axis];
        padded.checked_sub(window.padding[axis]).filter(|&at| at < window.input[axis])
    };
    Some(along(0, oh, kh)? * window.input[1] + along(1, ow, kw)?)
}

/// All `[row, column]` pairs of a grid, row by row.
fn grid([rows, columns]: [usize; 2]) -> impl Iterator<Item = [usize; 2]> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| [row, column]))
}
