//! Every pooling kernel against its definition.

use super::*;
use crate::testing::{integers, on_every_isa, values};

/// Windows as the engine's specs resolve them: none starts beyond the input or its padding before.
fn windows() -> Vec<Window2d> {
    let plain = |input: [usize; 2], output, kernel_size, stride| Window2d {
        input,
        output,
        kernel_size,
        stride,
        padding: [0, 0],
        dilation: [1, 1],
    };
    vec![
        plain([4, 6], [2, 3], [2, 2], [2, 2]),
        // The input is not a multiple of the stride.
        plain([5, 7], [2, 3], [2, 2], [2, 2]),
        // Overlapping windows of unequal sides.
        plain([5, 6], [3, 3], [3, 2], [1, 2]),
        // Gaps between the windows.
        plain([7, 7], [2, 2], [2, 3], [4, 4]),
        plain([1, 1], [1, 1], [1, 1], [1, 1]),
        // ceil_mode: the last windows reach beyond the input.
        plain([5, 5], [3, 3], [2, 2], [2, 2]),
        Window2d { padding: [1, 1], ..plain([4, 5], [2, 3], [3, 3], [2, 2]) },
        // ceil_mode with padding: the last windows reach beyond the padded input.
        Window2d { padding: [1, 1], ..plain([4, 4], [3, 3], [3, 3], [2, 2]) },
        Window2d { padding: [2, 1], ..plain([3, 4], [4, 5], [4, 2], [1, 1]) },
    ]
}

fn dilated() -> Vec<Window2d> {
    let window = Window2d {
        input: [7, 6],
        output: [3, 4],
        kernel_size: [3, 2],
        stride: [1, 1],
        padding: [0, 0],
        dilation: [2, 2],
    };
    vec![window, Window2d { padding: [1, 1], output: [3, 3], stride: [2, 2], dilation: [2, 1], ..window }]
}

const CHANNELS: [usize; 9] = [0, 1, 2, 3, 8, 15, 16, 17, 41];

/// For every output position, the input pixels under the window in row-major order, from the definition.
fn footprints(window: &Window2d) -> Vec<Vec<usize>> {
    let [height, width] = window.input;
    let mut all = Vec::new();
    for oh in 0..window.output[0] {
        for ow in 0..window.output[1] {
            let mut pixels = Vec::new();
            for kh in 0..window.kernel_size[0] {
                for kw in 0..window.kernel_size[1] {
                    let h = (oh * window.stride[0] + kh * window.dilation[0]).wrapping_sub(window.padding[0]);
                    let w = (ow * window.stride[1] + kw * window.dilation[1]).wrapping_sub(window.padding[1]);
                    if h < height && w < width {
                        pixels.push(h * width + w);
                    }
                }
            }
            all.push(pixels);
        }
    }
    all
}

/// PyTorch's divisors, transcribed from its documentation: `(min(start + k, H + padding) - start)` per axis, where
/// `start` counts from the input and may be negative, or the pixels on the input.
fn divisors(window: &Window2d, count_include_pad: bool) -> Vec<f32> {
    let side = |axis: usize, position: usize| {
        let start = (position * window.stride[axis]) as i64 - window.padding[axis] as i64;
        let end = (start + window.kernel_size[axis] as i64).min((window.input[axis] + window.padding[axis]) as i64);
        end - start
    };
    let footprints = footprints(window);
    (0..window.output_len())
        .map(|at| match count_include_pad {
            true => (side(0, at / window.output[1]) * side(1, at % window.output[1])) as f32,
            false => footprints[at].len() as f32,
        })
        .collect()
}

/// The maxima and their indices, equal on every instruction set.
fn pooled(window: &Window2d, channels: usize, input: &[f32]) -> (Vec<f32>, Vec<u32>) {
    let len = window.output_len() * channels;
    // The indices travel behind the maxima as floats: small integers, exact.
    let both = on_every_isa(2 * len, |out| {
        let (output, places) = out.split_at_mut(len);
        let mut indices = vec![u32::MAX; len];
        max_pool2d(window, channels, input, output, &mut indices);
        for (place, index) in places.iter_mut().zip(indices) {
            *place = index as f32;
        }
    });
    (both[..len].to_vec(), both[len..].iter().map(|&place| place as u32).collect())
}

#[test]
fn max_pool_takes_the_first_of_the_largest() {
    for window in windows().into_iter().chain(dilated()) {
        let footprints = footprints(&window);
        for channels in CHANNELS {
            // Integers in -4..4: ties in nearly every window.
            let input = integers(window.input_len() * channels, 1);
            let (output, indices) = pooled(&window, channels, &input);
            for (at, (&got, &index)) in output.iter().zip(&indices).enumerate() {
                let (pixels, c) = (&footprints[at / channels], at % channels);
                let largest = pixels.iter().map(|p| input[p * channels + c]).fold(f32::NEG_INFINITY, f32::max);
                let first = pixels.iter().find(|&p| input[p * channels + c] == largest);
                assert_eq!((got, Some(&(index as usize))), (largest, first), "{window:?}, {channels} channels");
            }
        }
    }
}

#[test]
fn max_pool_keeps_nan_and_finds_minus_infinity() {
    let window = Window2d { padding: [1, 1], ..windows()[0] };
    let window = Window2d { output: [3, 4], ..window };
    for channels in [1, 17] {
        for nan_at in 0..window.input_len() {
            let mut input = vec![f32::NEG_INFINITY; window.input_len() * channels];
            input[nan_at * channels..][..channels].fill(f32::NAN);
            let (output, indices) = pooled(&window, channels, &input);
            for (position, pixels) in footprints(&window).iter().enumerate() {
                for at in position * channels..(position + 1) * channels {
                    let (expected, place) = match pixels.contains(&nan_at) {
                        true => (f32::NAN, nan_at),
                        false => (f32::NEG_INFINITY, pixels[0]),
                    };
                    assert_eq!(output[at].to_bits(), expected.to_bits(), "{position}");
                    assert_eq!(indices[at] as usize, place);
                }
            }
        }
    }
}

#[test]
fn max_pool_grad_adds_to_the_winners() {
    for window in windows().into_iter().chain(dilated()) {
        for channels in CHANNELS {
            let (_, indices) = pooled(&window, channels, &integers(window.input_len() * channels, 1));
            let grad_output = values(indices.len(), 2);
            let mut expected = vec![0.0; window.input_len() * channels];
            for (at, &index) in indices.iter().enumerate() {
                expected[index as usize * channels + at % channels] += grad_output[at];
            }
            let got = on_every_isa(expected.len(), |out| {
                max_pool2d_grad_input(&window, channels, &indices, &grad_output, out);
            });
            assert_eq!(got, expected, "{window:?}, {channels} channels");
        }
    }
}

#[test]
fn max_unpool_puts_the_maxima_back() {
    for window in windows().into_iter().chain(dilated()) {
        for channels in CHANNELS {
            let input = integers(window.input_len() * channels, 1);
            let (maxima, indices) = pooled(&window, channels, &input);
            let back = on_every_isa(input.len(), |out| max_unpool2d(channels, &indices, &maxima, out));
            let winners: Vec<usize> =
                indices.iter().enumerate().map(|(at, &p)| p as usize * channels + at % channels).collect();
            for (at, &value) in back.iter().enumerate() {
                assert_eq!(value, if winners.contains(&at) { input[at] } else { 0.0 });
            }
            let grad_output = values(input.len(), 2);
            let expected: Vec<f32> = winners.iter().map(|&at| grad_output[at]).collect();
            let got = on_every_isa(indices.len(), |out| {
                max_unpool2d_grad_input(channels, &indices, &grad_output, out);
            });
            assert_eq!(got, expected);
        }
    }
}

#[test]
fn where_an_index_repeats_the_last_value_stays() {
    let mut output = [f32::NAN; 3];
    max_unpool2d(1, &[2, 2], &[5.0, 7.0], &mut output);
    assert_eq!(output, [0.0, 0.0, 7.0]);
}

#[test]
fn avg_pool_and_its_gradient_match_the_definition() {
    for window in windows() {
        let footprints = footprints(&window);
        for count_include_pad in [false, true] {
            let divisors = divisors(&window, count_include_pad);
            for channels in CHANNELS {
                let input = integers(window.input_len() * channels, 1);
                let grad_output = values(window.output_len() * channels, 2);
                let mut means = vec![0.0; grad_output.len()];
                let mut shares = vec![0.0; input.len()];
                for at in 0..means.len() {
                    let (position, c) = (at / channels, at % channels);
                    for pixel in &footprints[position] {
                        means[at] += input[pixel * channels + c];
                        shares[pixel * channels + c] += grad_output[at] / divisors[position];
                    }
                    means[at] /= divisors[position];
                }
                let got = on_every_isa(means.len(), |out| {
                    avg_pool2d(&window, channels, count_include_pad, &input, out);
                });
                assert_eq!(got, means, "{window:?}, {channels} channels, {count_include_pad}");
                let got = on_every_isa(shares.len(), |out| {
                    avg_pool2d_grad_input(&window, channels, count_include_pad, &grad_output, out);
                });
                assert_eq!(got, shares, "{window:?}, {channels} channels, {count_include_pad}");
            }
        }
    }
}

#[test]
fn avg_pool_divides_by_the_window_clipped_to_the_padded_input() {
    // Width 4, padding 1, kernel 3, stride 2: the third window covers the padded places 4, 5 (and 6, beyond the end).
    let window = Window2d {
        input: [1, 4],
        output: [1, 3],
        kernel_size: [1, 3],
        stride: [1, 2],
        padding: [0, 1],
        dilation: [1, 1],
    };
    let input = [6.0, 12.0, 18.0, 24.0];
    for (count_include_pad, expected) in [(true, [6.0, 18.0, 12.0]), (false, [9.0, 18.0, 24.0])] {
        let mut output = [f32::NAN; 3];
        avg_pool2d(&window, 1, count_include_pad, &input, &mut output);
        assert_eq!(output, expected);
    }
}

#[test]
#[should_panic(expected = "lies wholly in the padding")]
fn a_window_of_pure_padding_has_no_maximum() {
    let window = Window2d { output: [1, 4], ..windows()[0] };
    max_pool2d(&window, 1, &[0.0; 24], &mut [0.0; 4], &mut [0; 4]);
}

#[test]
#[should_panic(expected = "must not be dilated")]
fn avg_pool_refuses_dilation() {
    let window = dilated()[0];
    avg_pool2d(&window, 1, true, &[0.0; 42], &mut [0.0; 12]);
}
