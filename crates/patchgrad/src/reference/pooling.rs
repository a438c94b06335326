//! Pooling and un-pooling by definition.

use super::{grid, pixel};
use crate::ops::PoolDims;

/// Visits every window of every channel as `(output index, plane offset of its sample and channel, position)`. A pixel
/// `at` of the plane `H * W` has the input index `plane + at * C`.
fn for_each_window(dims: &PoolDims, mut visit: impl FnMut(usize, usize, [usize; 2])) {
    for n in 0..dims.batch {
        for (position, [oh, ow]) in grid(dims.window.output).enumerate() {
            for c in 0..dims.channels {
                let output = (n * dims.window.output_len() + position) * dims.channels + c;
                visit(output, n * dims.window.input_len() * dims.channels + c, [oh, ow]);
            }
        }
    }
}

/// The largest value of each window and the index `h * W + w` where it stands. The first of equal values wins; NaN beats
/// every number, and of several the last one wins, as in PyTorch; padding never wins.
pub fn max_pool2d(dims: &PoolDims, input: &[f32], output: &mut [f32], indices: &mut [u32]) {
    for_each_window(dims, |out, plane, position| {
        let mut best: Option<(f32, usize)> = None;
        for tap in grid(dims.window.kernel_size) {
            let Some(at) = pixel(&dims.window, position, tap) else { continue };
            let value = input[plane + at * dims.channels];
            if best.is_none_or(|(largest, _)| value > largest || value.is_nan()) {
                best = Some((value, at));
            }
        }
        let (value, at) = best.expect("PoolDims has no window that lies wholly in the padding");
        (output[out], indices[out]) = (value, at as u32);
    });
}

/// The gradient goes to where the maximum stood; where windows overlap it adds.
pub fn max_pool2d_grad_input(dims: &PoolDims, indices: &[u32], grad_output: &[f32], grad_input: &mut [f32]) {
    grad_input.fill(0.0);
    for_each_window(dims, |out, plane, _| {
        grad_input[plane + indices[out] as usize * dims.channels] += grad_output[out]
    });
}

/// Puts every value where its index says, zero elsewhere. Of two values with the same index the later stays.
///
/// `input` and `indices` are `[N, OH, OW, C]`, `output` is `[N, H, W, C]` in the letters of the pooling that is undone.
pub fn max_unpool2d(dims: &PoolDims, indices: &[u32], input: &[f32], output: &mut [f32]) {
    output.fill(0.0);
    for_each_window(dims, |at, plane, _| output[plane + indices[at] as usize * dims.channels] = input[at]);
}

/// The divisor of the window at `position`: all taps inside the padded image, or only those inside the image.
fn divisor(dims: &PoolDims, position: [usize; 2], count_include_pad: bool) -> f64 {
    let window = &dims.window;
    let counted = |axis: usize| {
        (0..window.kernel_size[axis])
            .filter(|tap| {
                let at = position[axis] * window.stride[axis] + tap;
                let (padding, size) = (window.padding[axis], window.input[axis]);
                if count_include_pad { at < size + 2 * padding } else { (padding..padding + size).contains(&at) }
            })
            .count()
    };
    (counted(0) * counted(1)) as f64
}

/// The mean of each window. With `count_include_pad` the zeros of the padding count; what `ceil_mode` lets hang over the
/// padded image never does.
pub fn avg_pool2d(dims: &PoolDims, count_include_pad: bool, input: &[f32], output: &mut [f32]) {
    for_each_window(dims, |out, plane, position| {
        let sum: f64 = grid(dims.window.kernel_size)
            .filter_map(|tap| pixel(&dims.window, position, tap))
            .map(|at| f64::from(input[plane + at * dims.channels]))
            .sum();
        output[out] = (sum / divisor(dims, position, count_include_pad)) as f32;
    });
}

/// Every pixel of a window gets the window's gradient divided by its divisor.
pub fn avg_pool2d_grad_input(dims: &PoolDims, count_include_pad: bool, grad_output: &[f32], grad_input: &mut [f32]) {
    let mut sums = vec![0.0; grad_input.len()];
    for_each_window(dims, |out, plane, position| {
        let share = f64::from(grad_output[out]) / divisor(dims, position, count_include_pad);
        for tap in grid(dims.window.kernel_size) {
            if let Some(at) = pixel(&dims.window, position, tap) {
                sums[plane + at * dims.channels] += share;
            }
        }
    });
    for (grad, sum) in grad_input.iter_mut().zip(sums) {
        *grad = sum as f32;
    }
}
