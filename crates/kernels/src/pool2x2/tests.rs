//! 2x2 pooling against its definition.

use super::*;
use crate::testing::{integers, on_every_isa, values};

const WIDTHS: [usize; 6] = [0, 1, 2, 5, 6, 14];
const CHANNELS: [usize; 10] = [0, 1, 2, 7, 8, 9, 15, 16, 23, 67];

/// The rule, word by word: the last NaN, or else the first of the largest.
fn winner(window: [f32; 4]) -> usize {
    let largest = window.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let last_nan = window.iter().rposition(|x| x.is_nan());
    last_nan.unwrap_or_else(|| window.iter().position(|&x| x == largest).expect("the largest is one of them"))
}

/// The values under the window at `column`, in one channel.
fn window(upper: &[f32], lower: &[f32], channels: usize, column: usize, channel: usize) -> [f32; 4] {
    let left = 2 * column * channels + channel;
    [upper[left], upper[left + channels], lower[left], lower[left + channels]]
}

/// Maxima and taps, equal on every instruction set.
fn pooled(width: usize, channels: usize, upper: &[f32], lower: &[f32]) -> (Vec<f32>, Vec<u8>) {
    let len = width / 2 * channels;
    // The taps travel behind the maxima as floats.
    let both = on_every_isa(2 * len, |out| {
        let (output, places) = out.split_at_mut(len);
        let mut taps = vec![u8::MAX; len];
        max_pool_rows(width, channels, upper, lower, output, &mut taps);
        for (place, tap) in places.iter_mut().zip(taps) {
            *place = f32::from(tap);
        }
    });
    (both[..len].to_vec(), both[len..].iter().map(|&tap| tap as u8).collect())
}

#[track_caller]
fn assert_pooled(width: usize, channels: usize, upper: &[f32], lower: &[f32]) {
    let (output, taps) = pooled(width, channels, upper, lower);
    for (at, (got, tap)) in output.iter().zip(taps).enumerate() {
        let window = window(upper, lower, channels, at / channels, at % channels);
        let expected = winner(window);
        assert_eq!(usize::from(tap), expected, "{window:?}, width {width}, {channels} channels");
        let same = *got == window[expected] || got.is_nan() && window[expected].is_nan();
        assert!(same, "{got} of {window:?}, width {width}, {channels} channels");
    }
}

#[test]
fn pooling_takes_the_first_of_the_largest() {
    for width in WIDTHS {
        for channels in CHANNELS {
            // Integers in -4..4: ties in nearly every window.
            let (upper, lower) = (integers(width * channels, 1), integers(width * channels, 2));
            assert_pooled(width, channels, &upper, &lower);
        }
    }
}

#[test]
fn every_order_of_special_values_follows_the_rule() {
    let special = [f32::NEG_INFINITY, -0.0, 0.0, 1.0, f32::INFINITY, f32::NAN];
    // All 6^4 windows, side by side.
    let at = |place: u32| (0..6usize.pow(4)).map(move |i| special[i / 6usize.pow(place) % 6]);
    let interleaved = |a: u32, b: u32| at(a).zip(at(b)).flat_map(|(a, b)| [a, b]).collect::<Vec<f32>>();
    let (upper, lower) = (interleaved(0, 1), interleaved(2, 3));
    assert_pooled(upper.len(), 1, &upper, &lower);
    let nine = |row: &[f32]| row.iter().flat_map(|&x| [x; 9]).collect::<Vec<f32>>();
    assert_pooled(upper.len(), 9, &nine(&upper), &nine(&lower));
}

#[test]
fn the_gradient_goes_to_the_winner_and_zero_elsewhere() {
    for width in WIDTHS {
        for channels in CHANNELS {
            let (upper, lower) = (values(width * channels, 1), values(width * channels, 2));
            let (_, taps) = pooled(width, channels, &upper, &lower);
            let grad_output = values(taps.len(), 3);
            let mut expected = vec![0.0; 2 * width * channels];
            for (at, &tap) in taps.iter().enumerate() {
                let (h, w) = (usize::from(tap / 2), 2 * (at / channels) + usize::from(tap % 2));
                expected[(h * width + w) * channels + at % channels] = grad_output[at];
            }
            let got = on_every_isa(expected.len(), |out| {
                let (upper, lower) = out.split_at_mut(width * channels);
                unpool_rows(width, channels, &grad_output, &taps, upper, lower);
            });
            assert_eq!(got, expected, "width {width}, {channels} channels");
        }
    }
}

#[test]
#[should_panic(expected = "one tap per pooled value")]
fn lengths_are_checked_at_the_door() {
    max_pool_rows(4, 1, &[0.0; 4], &[0.0; 4], &mut [0.0; 2], &mut [0; 3]);
}
