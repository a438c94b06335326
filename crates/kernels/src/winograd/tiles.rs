//! Tiles of pixels into matrices, one for each frequency, and back: the vectors run along the channels.

use super::{
    strip::{Matrices, Strip, TILE},
    transform::{GradOutput, Input, Output, POINTS, Transform, both_ways},
};
use crate::simd::{Vector, on_active_isa};
use std::ops::Range;

/// Tiles of a strip and the matrices that they are rows of: tile `tiles.start + t` is row `t`.
pub(super) struct Tiles {
    pub strip: Strip,
    pub tiles: Range<usize>,
    pub matrices: Matrices,
}

/// `B^T d B` of the tiles of an input.
///
/// # Shapes
/// `input` [samples, padded(6), channels]; `to` the matrices, [tiles, channels] each, with zeros or leftovers behind the
/// channels of a row.
///
/// # Panics
/// If a length is wrong.
pub(super) fn transform_input(tiles: &Tiles, channels: usize, input: &[f32], to: &mut [f32]) {
    check_patches::<6>(tiles, channels, input, to);
    on_active_isa!(run_input(tiles: &Tiles, channels: usize, input: &[f32], to: &mut [f32]));
}

/// `A d A^T` of the tiles of a gradient of the output.
///
/// # Shapes
/// As [`transform_input`], with `grad` [samples, padded(4), channels].
///
/// # Panics
/// If a length is wrong.
pub(super) fn transform_grad_output(tiles: &Tiles, channels: usize, grad: &[f32], to: &mut [f32]) {
    check_patches::<4>(tiles, channels, grad, to);
    on_active_isa!(run_grad_output(tiles: &Tiles, channels: usize, grad: &[f32], to: &mut [f32]));
}

fn check_patches<const SIDE: usize>(tiles: &Tiles, channels: usize, from: &[f32], to: &[f32]) {
    let padded = tiles.strip.padded(SIDE);
    assert_eq!(from.len(), tiles.strip.values(padded, channels), "winograd: the padded strip");
    assert!(tiles.tiles.end <= tiles.strip.tiles(), "winograd: tiles of the strip");
    check_matrices(tiles, channels, to);
}

fn check_matrices(tiles: &Tiles, channels: usize, matrices: &[f32]) {
    assert!(channels <= tiles.matrices.pitch, "winograd: channels of a row");
    assert!(tiles.tiles.len() * tiles.matrices.pitch <= tiles.matrices.stride, "winograd: rows of a matrix");
    assert_eq!(matrices.len(), tiles.matrices.len(), "winograd: the matrices");
}

/// # Safety
/// As [`Vector`]; checked by [`check_patches`].
#[inline(always)]
unsafe fn run_input<V: Vector>(tiles: &Tiles, channels: usize, input: &[f32], to: &mut [f32]) {
    // SAFETY: as this function's.
    unsafe { patches::<V, Input, 6>(tiles, channels, input, to) }
}

/// # Safety
/// As [`Vector`]; checked by [`check_patches`].
#[inline(always)]
unsafe fn run_grad_output<V: Vector>(tiles: &Tiles, channels: usize, grad: &[f32], to: &mut [f32]) {
    // SAFETY: as this function's.
    unsafe { patches::<V, GradOutput, 4>(tiles, channels, grad, to) }
}

/// Transforms the patch of `SIDE` x `SIDE` pixels at every tile.
///
/// # Safety
/// As [`Vector`]; checked by [`check_patches`].
#[inline(always)]
unsafe fn patches<V: Vector, T: Transform<SIDE, POINTS>, const SIDE: usize>(
    work: &Tiles,
    channels: usize,
    from: &[f32],
    to: &mut [f32],
) {
    let [height, width] = work.strip.padded(SIDE);
    let Matrices { pitch, stride } = work.matrices;
    for (row, tile) in work.tiles.clone().enumerate() {
        let at = work.strip.tile(tile);
        let first = ((at.sample * height + at.y) * width + at.x) * channels;
        for channel in (0..channels).step_by(V::LANES) {
            // SAFETY: `from` is [samples, height, width, channels] and a tile of the strip has y + SIDE <= height and
            // x + SIDE <= width, so `patch` points at channel `channel` of pixel (y + i, x + j); `count` channels are
            // left there. `to` holds 36 matrices, `stride` apart, each with this row of `pitch` values, a multiple of LANES
            // above `channel`, so a whole vector can be stored. The CPU has V's instructions, as the caller says.
            unsafe {
                let patch = from.as_ptr().add(first + channel);
                let pixel = |i: usize, j: usize| patch.add((i * width + j) * channels);
                let row = to.as_mut_ptr().add(row * pitch + channel);
                let store = |i: usize, j: usize, value: V| value.store(row.add((i * POINTS + j) * stride));
                let count = channels - channel;
                if count >= V::LANES {
                    both_ways::<V, T, SIDE, POINTS>(|i, j| V::load(pixel(i, j)), store);
                } else {
                    both_ways::<V, T, SIDE, POINTS>(|i, j| V::load_first(pixel(i, j), count), store);
                }
            }
        }
    }
}

/// Some of the channels of the output of a strip.
pub(super) struct OutputChannels<'a> {
    /// Channels of a pixel.
    pub all: usize,
    /// The channels that the columns of the matrices stand for.
    pub some: Range<usize>,
    /// One value for each channel of a pixel.
    pub bias: Option<&'a [f32]>,
}

/// `A^T m A` of the matrices, and the bias: the pixels of the tiles that exist, in the channels given.
///
/// # Shapes
/// `from` the matrices, [tiles, channels.some] each; `out` [samples, height, width, channels.all].
///
/// # Panics
/// If a length is wrong.
pub(super) fn transform_output(tiles: &Tiles, channels: &OutputChannels, from: &[f32], out: &mut [f32]) {
    let Strip { height, width, .. } = tiles.strip;
    check_matrices(tiles, channels.some.len(), from);
    assert!(channels.some.end <= channels.all, "winograd: channels of the output");
    assert!(channels.bias.is_none_or(|bias| bias.len() == channels.all), "winograd: one bias for each channel");
    assert!(tiles.tiles.end <= tiles.strip.tiles(), "winograd: tiles of the strip");
    assert_eq!(out.len(), tiles.strip.values([height, width], channels.all), "winograd: the output");
    on_active_isa!(run_output(tiles: &Tiles, channels: &OutputChannels, from: &[f32], out: &mut [f32]));
}

/// # Safety
/// As [`Vector`]; checked by [`transform_output`].
#[inline(always)]
unsafe fn run_output<V: Vector>(work: &Tiles, channels: &OutputChannels, from: &[f32], out: &mut [f32]) {
    let Strip { height, width, .. } = work.strip;
    let Matrices { pitch, stride } = work.matrices;
    for (row, tile) in work.tiles.clone().enumerate() {
        let at = work.strip.tile(tile);
        let (rows, columns) = ((height - at.y).min(TILE), (width - at.x).min(TILE));
        let first = ((at.sample * height + at.y) * width + at.x) * channels.all;
        for channel in channels.some.clone().step_by(V::LANES) {
            let count = channels.some.end - channel;
            // SAFETY: `from` holds 36 matrices, `stride` apart, each with this row of `pitch` values, a multiple of LANES above
            // `channel - some.start`. `out` is [samples, height, width, all] and pixel (y + i, x + j) exists for i < rows and
            // j < columns: `patch` points at its channel `channel`, and no more than `count` channels, up to `some.end <= all`,
            // are written. The bias holds `all` values. The CPU has V's instructions, as the caller says.
            unsafe {
                let row = from.as_ptr().add(row * pitch + channel - channels.some.start);
                let load = |i: usize, j: usize| V::load(row.add((i * POINTS + j) * stride));
                let patch = out.as_mut_ptr().add(first + channel);
                let pixel = |i: usize, j: usize| patch.add((i * width + j) * channels.all);
                let exists = |i: usize, j: usize| i < rows && j < columns;
                let bias = channels
                    .bias
                    .map_or(V::splat(0.0), |bias| V::load_first(bias.as_ptr().add(channel), count.min(V::LANES)));
                if count >= V::LANES {
                    both_ways::<V, Output, POINTS, TILE>(load, |i, j, value| {
                        if exists(i, j) {
                            value.add(bias).store(pixel(i, j));
                        }
                    });
                } else {
                    both_ways::<V, Output, POINTS, TILE>(load, |i, j, value| {
                        if exists(i, j) {
                            value.add(bias).store_first(pixel(i, j), count);
                        }
                    });
                }
            }
        }
    }
}
