//! Kernels into frequencies, and the gradient in frequencies back into that of the kernels.

use super::{
    Channels, FREQUENCIES, KERNEL, TAPS,
    strip::Matrices,
    transform::{GradWeight, POINTS, Weight, both_ways},
};
use crate::{
    pack::pack_panel,
    product::PANEL,
    simd::{Vector, on_active_isa},
};
use std::ops::Range;

/// Which convolution a weight `[3, 3, C, O]` is transformed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// From `C` to `O` channels.
    Forward,
    /// From `O` to `C` channels, with the kernel turned by 180 degrees.
    GradInput,
}

/// `G g G^T` of the kernels of some output channels, one packed matrix [input channels, `part`] for each frequency.
///
/// # Shapes
/// `weight` as [`Pass`] says; `part` starts at a panel; `to` the matrices.
///
/// # Panics
/// If a length is wrong.
pub(super) fn transform_weight(
    pass: Pass,
    channels: Channels,
    weight: &[f32],
    part: Range<usize>,
    matrices: Matrices,
    to: &mut [f32],
) {
    let Channels { input, output } = channels;
    assert_eq!(weight.len(), channels.weight_len(), "winograd: the weight");
    assert_eq!(to.len(), matrices.len(), "winograd: a part of the transformed weight");
    let (input_stride, output_stride) = match pass {
        Pass::Forward => (output, 1),
        Pass::GradInput => (1, input),
    };
    for (panel, column) in part.step_by(PANEL).enumerate() {
        for channel in 0..input {
            let kernels: [usize; TAPS] = std::array::from_fn(|tap| {
                let tap = if pass == Pass::Forward { tap } else { TAPS - 1 - tap };
                tap * input * output + channel * input_stride
            });
            let mut taps = [[0.0; PANEL]; TAPS];
            pack_panel(column / PANEL, output, weight, &kernels, output_stride, taps.as_flattened_mut());
            transform_taps(&taps, matrices.stride, &mut to[(panel * input + channel) * PANEL..]);
        }
    }
}

/// `G g G^T` of the kernels of one row of a panel: its 16 columns for frequency `f` go to `to[f * stride..]`.
fn transform_taps(taps: &[[f32; PANEL]; TAPS], stride: usize, to: &mut [f32]) {
    assert!((FREQUENCIES - 1) * stride + PANEL <= to.len(), "winograd: a part of the transformed weight");
    on_active_isa!(run_taps(taps: &[[f32; PANEL]; TAPS], stride: usize, to: &mut [f32]));
}

/// # Safety
/// As [`Vector`]; checked by [`transform_taps`].
#[inline(always)]
unsafe fn run_taps<V: Vector>(taps: &[[f32; PANEL]; TAPS], stride: usize, to: &mut [f32]) {
    for column in (0..PANEL).step_by(V::LANES) {
        // SAFETY: every tap and every frequency has PANEL values, of which LANES from `column` on are touched: LANES divides
        // PANEL. The CPU has V's instructions, as the caller says.
        unsafe {
            let to = to.as_mut_ptr().add(column);
            both_ways::<V, Weight, KERNEL, POINTS>(
                |i, j| V::load(taps[i * KERNEL + j].as_ptr().add(column)),
                |i, j, value| value.store(to.add((i * POINTS + j) * stride)),
            );
        }
    }
}

/// `G^T u G` of a gradient in frequencies, for all kernels.
///
/// # Shapes
/// `from` the matrices, `len` values each; `to` [3, 3, len].
///
/// # Panics
/// If a length is wrong.
pub(super) fn transform_grad_weight(matrices: Matrices, len: usize, from: &[f32], to: &mut [f32]) {
    assert!(len <= matrices.stride && from.len() == matrices.len(), "winograd: the gradient in frequencies");
    assert_eq!(to.len(), TAPS * len, "winograd: the gradient of the weight");
    let stride = matrices.stride;
    on_active_isa!(run_grad_weight(stride: usize, len: usize, from: &[f32], to: &mut [f32]));
}

/// # Safety
/// As [`Vector`]; checked by [`transform_grad_weight`].
#[inline(always)]
unsafe fn run_grad_weight<V: Vector>(stride: usize, len: usize, from: &[f32], to: &mut [f32]) {
    for at in (0..len).step_by(V::LANES) {
        let count = len - at;
        // SAFETY: `from` holds FREQUENCIES times `stride >= len` values and `to` 9 times `len`; `count` of each are left from
        // `at` on. The CPU has V's instructions, as the caller says.
        unsafe {
            let (from, to) = (from.as_ptr().add(at), to.as_mut_ptr().add(at));
            let (frequency, tap) = (
                |i: usize, j: usize| from.add((i * POINTS + j) * stride),
                |i: usize, j: usize| to.add((i * KERNEL + j) * len),
            );
            if count >= V::LANES {
                both_ways::<V, GradWeight, POINTS, KERNEL>(
                    |i, j| V::load(frequency(i, j)),
                    |i, j, value| value.store(tap(i, j)),
                );
            } else {
                both_ways::<V, GradWeight, POINTS, KERNEL>(
                    |i, j| V::load_first(frequency(i, j), count),
                    |i, j, value| value.store_first(tap(i, j), count),
                );
            }
        }
    }
}
