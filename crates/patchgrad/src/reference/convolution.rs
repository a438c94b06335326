//! Convolution, its gradients, and unfold / fold, by definition.

use super::{grid, pixel};
use crate::ops::Conv2dDims;
use patchgrad_kernels::window::Window2d;

/// Visits every multiply-add of a convolution as `(input index, weight index, output index)`.
///
/// The three passes are the same loop: forward sums over the inputs of an output, the gradients sum over the outputs that
/// an input or a weight takes part in.
fn for_each_product(dims: &Conv2dDims, mut visit: impl FnMut(usize, usize, usize)) {
    let window = &dims.window;
    let (in_group, out_group) = (dims.in_channels / dims.groups, dims.out_channels / dims.groups);
    for n in 0..dims.batch {
        for [oh, ow] in grid(window.output) {
            for o in 0..dims.out_channels {
                let output = ((n * window.output[0] + oh) * window.output[1] + ow) * dims.out_channels + o;
                for [kh, kw] in grid(window.kernel_size) {
                    let Some(at) = pixel(window, [oh, ow], [kh, kw]) else { continue };
                    for c in 0..in_group {
                        let channel = o / out_group * in_group + c;
                        let input = (n * window.input_len() + at) * dims.in_channels + channel;
                        let weight = ((kh * window.kernel_size[1] + kw) * in_group + c) * dims.out_channels + o;
                        visit(input, weight, output);
                    }
                }
            }
        }
    }
}

/// `out[target] = sum of the products that reach it`, rounded once.
fn accumulate(out: &mut [f32], fill: impl FnOnce(&mut [f64])) {
    let mut sums = vec![0.0; out.len()];
    fill(&mut sums);
    for (out, sum) in out.iter_mut().zip(sums) {
        *out = sum as f32;
    }
}

/// `output[n, oh, ow, o] = sum over kh, kw, c of input[n, oh s - p + kh d, ow s - p + kw d, c] * weight[kh, kw, c, o]`,
/// without bias.
pub fn conv2d(dims: &Conv2dDims, input: &[f32], weight: &[f32], output: &mut [f32]) {
    accumulate(output, |sums| {
        for_each_product(dims, |i, w, o| sums[o] += f64::from(input[i]) * f64::from(weight[w]));
    });
}

/// `grad_input[i] = sum over the outputs o that read i through weight w of grad_output[o] * weight[w]`.
pub fn conv2d_grad_input(dims: &Conv2dDims, grad_output: &[f32], weight: &[f32], grad_input: &mut [f32]) {
    accumulate(grad_input, |sums| {
        for_each_product(dims, |i, w, o| sums[i] += f64::from(grad_output[o]) * f64::from(weight[w]));
    });
}

/// `grad_weight[w] = sum over the outputs o that read i through weight w of grad_output[o] * input[i]`.
pub fn conv2d_grad_weight(dims: &Conv2dDims, input: &[f32], grad_output: &[f32], grad_weight: &mut [f32]) {
    accumulate(grad_weight, |sums| {
        for_each_product(dims, |i, w, o| sums[w] += f64::from(grad_output[o]) * f64::from(input[i]));
    });
}

/// Visits every element of the patch matrix that is not padding as `(image index, patch index)`.
fn for_each_patch_element(window: &Window2d, [batch, channels]: [usize; 2], mut visit: impl FnMut(usize, usize)) {
    for n in 0..batch {
        for (position, [oh, ow]) in grid(window.output).enumerate() {
            for (tap, [kh, kw]) in grid(window.kernel_size).enumerate() {
                let Some(at) = pixel(window, [oh, ow], [kh, kw]) else { continue };
                for c in 0..channels {
                    let image = (n * window.input_len() + at) * channels + c;
                    let row = n * window.output_len() + position;
                    visit(image, (row * window.taps() + tap) * channels + c);
                }
            }
        }
    }
}

/// im2col: `patches[n, oh, ow, (kh, kw, c)] = input[n, oh s - p + kh d, ow s - p + kw d, c]`, 0 in the padding.
pub fn unfold(window: &Window2d, batch_and_channels: [usize; 2], input: &[f32], patches: &mut [f32]) {
    patches.fill(0.0);
    for_each_patch_element(window, batch_and_channels, |image, patch| patches[patch] = input[image]);
}

/// col2im: every pixel is the sum of the patch elements that [`unfold`] would read from it.
pub fn fold(window: &Window2d, batch_and_channels: [usize; 2], patches: &[f32], output: &mut [f32]) {
    accumulate(output, |sums| {
        for_each_patch_element(window, batch_and_channels, |image, patch| sums[image] += f64::from(patches[patch]));
    });
}

/// How many window positions cover each pixel of the plane `[H, W]`.
pub fn overlap_counts(window: &Window2d, counts: &mut [f32]) {
    let ones = vec![1.0; window.output_len() * window.taps()];
    fold(window, [1, 1], &ones, counts);
}
