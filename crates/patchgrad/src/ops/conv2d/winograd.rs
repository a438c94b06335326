//! Convolution of 3x3 kernels with stride 1 by Winograd's minimal filtering: 36 multiplications where the definition has
//! 144. The algorithm and its error are those of [`patchgrad_kernels::winograd`]; here a batch is cut and padded for it.

use super::{
    Conv2dDims, Pass,
    operands::{Epilogue, Images},
    strips::{Cut, Plane, Strip, Strips},
};
use crate::{Workspace, parallel};
use patchgrad_kernels::{
    frame::Frame,
    winograd::{self, Channels, Convolution, TILE},
};

/// Small samples are joined until a strip has this many tiles, which read a transformed weight once.
const FEWEST_TILES: usize = 48;

/// Parts of the gradient of the weight. Each has sums four times as large as the weight, so they are fewer than elsewhere.
const WEIGHT_CHUNKS: usize = 8;

/// Whether Winograd's algorithm covers a convolution: kernel 3x3, stride 1, no dilation, one group, padding up to 2.
pub(super) fn covers(dims: &Conv2dDims) -> bool {
    let window = &dims.window;
    window.kernel_size == [3, 3]
        && window.stride == [1, 1]
        && window.dilation == [1, 1]
        && window.padding.iter().all(|&padding| padding <= 2)
        && dims.groups == 1
}

fn cut(dims: &Conv2dDims, target: Plane, most_chunks: usize) -> Cut {
    let fewest_positions = FEWEST_TILES * TILE * TILE;
    let row_work = dims.work() / (dims.batch * target.size[0]);
    Cut { granularity: TILE, fewest_positions, most_chunks, ..Cut::of_work(row_work) }
}

/// The strip of a plane `width` pixels wide, as the kernels see it.
fn kernel_strip(strips: &Strips, strip: Strip, width: usize) -> winograd::Strip {
    winograd::Strip { samples: strip.samples, height: strips.rows, width }
}

/// Forward, or the gradient of the input, of given sizes; made once for a shape.
#[derive(Debug)]
pub(crate) struct WinogradCorrelation {
    pass: winograd::Pass,
    strips: Strips,
    source: Plane,
    target: Plane,
    frame: Frame,
    /// Rows of zeros above the source.
    padding: usize,
    kernel: Convolution,
}

impl WinogradCorrelation {
    pub(super) fn new(dims: &Conv2dDims, pass: Pass) -> Self {
        let input = Plane { size: dims.window.input, channels: dims.in_channels };
        let output = Plane { size: dims.window.output, channels: dims.out_channels };
        // Backward, a window of 3 looks the other way: the padding is what is left of 2.
        let (pass, source, target, padding) = match pass {
            Pass::Forward => (winograd::Pass::Forward, input, output, dims.window.padding),
            _ => (winograd::Pass::GradInput, output, input, dims.window.padding.map(|padding| 2 - padding)),
        };
        let strips = Strips::new(dims.batch, target.size, cut(dims, target, 16));
        let strip = winograd::Strip { samples: 1, height: strips.rows, width: target.size[1] };
        let frame = Frame {
            image: source.size,
            size: strip.padded_input(),
            left: -(padding[1] as isize),
            channels: source.channels,
            pixel: source.channels,
        };
        let kernel = Convolution::new(Channels { input: source.channels, output: target.channels });
        Self { pass, strips, source, target, frame, padding: padding[0], kernel }
    }

    /// As [`Correlation::run`](super::direct::Correlation::run).
    pub(super) fn run(
        &self,
        source: Images,
        weight: &[f32],
        epilogue: Epilogue,
        output: &mut [f32],
        taps: Option<&mut [u8]>,
        workspace: &mut Workspace,
    ) {
        let mut transformed = workspace.take_buffer(self.kernel.weight_len());
        parallel::for_each_chunk(&mut transformed, self.kernel.weight_part_len(), |part, to| {
            self.kernel.transform_weight(self.pass, weight, part, to);
        });
        let frames = self.strips.samples * self.frame.copy_len();
        let spare = if source.taps.is_some() { self.source.row_len() } else { 0 };
        let scratch_len = self.kernel.scratch_len() + frames + spare;
        self.strips.fill(self.target, epilogue, (output, taps), scratch_len, workspace, |strip, scratch, to| {
            let (scratch, rest) = scratch.split_at_mut(self.kernel.scratch_len());
            let (frames, spare) = rest.split_at_mut(frames);
            let top = strip.first_row as isize - self.padding as isize;
            let frames = source.copy_strip(strip, &self.frame, top, frames, spare);
            let strip = kernel_strip(&self.strips, strip, self.target.size[1]);
            self.kernel.run(strip, &transformed, frames, epilogue.bias, scratch, to);
        });
        workspace.give_buffer(transformed);
    }
}

/// The gradient of the weight of given sizes; made once for a shape.
#[derive(Debug)]
pub(crate) struct WinogradWeightGradient {
    strips: Strips,
    output: Plane,
    input_frame: Frame,
    grad_frame: Frame,
    padding: usize,
    kernel: winograd::WeightGradient,
}

impl WinogradWeightGradient {
    pub(super) fn new(dims: &Conv2dDims) -> Self {
        let output = Plane { size: dims.window.output, channels: dims.out_channels };
        let strips = Strips::new(dims.batch, output.size, cut(dims, output, WEIGHT_CHUNKS));
        let strip = winograd::Strip { samples: 1, height: strips.rows, width: output.size[1] };
        let input_frame = Frame {
            image: dims.window.input,
            size: strip.padded_input(),
            left: -(dims.window.padding[1] as isize),
            channels: dims.in_channels,
            pixel: dims.in_channels,
        };
        let grad_frame = Frame {
            image: output.size,
            size: strip.padded_grad_output(),
            left: 0,
            channels: dims.out_channels,
            pixel: dims.out_channels,
        };
        let kernel = winograd::WeightGradient::new(Channels { input: dims.in_channels, output: dims.out_channels });
        Self { strips, output, input_frame, grad_frame, padding: dims.window.padding[0], kernel }
    }

    /// As [`WeightGradient::run`](super::direct_weight::WeightGradient::run). Each chunk transforms its own sums, which are
    /// four times as large as the gradient.
    pub(super) fn run(
        &self,
        input: &[f32],
        grad_output: Images,
        [grad_weight, grad_bias]: [&mut [f32]; 2],
        workspace: &mut Workspace,
    ) {
        let inputs = self.strips.samples * self.input_frame.copy_len();
        let grads = self.strips.samples * self.grad_frame.copy_len();
        let spare = if grad_output.taps.is_some() { self.output.row_len() } else { 0 };
        let (weight_len, bias_len) = (grad_weight.len(), grad_bias.len());
        let scratch_len = self.kernel.scratch_len() + self.kernel.sums_len() + inputs + grads + spare + bias_len;
        self.strips.sum([grad_weight, grad_bias], scratch_len, workspace, |strips, scratch, part| {
            let (part, bias_sums) = part.split_at_mut(weight_len);
            bias_sums.fill(0.0);
            let (channel_sums, scratch) = scratch.split_at_mut(bias_len);
            let (scratch, rest) = scratch.split_at_mut(self.kernel.scratch_len());
            let (sums, rest) = rest.split_at_mut(self.kernel.sums_len());
            let (inputs, rest) = rest.split_at_mut(inputs);
            let (grads, spare) = rest.split_at_mut(grads);
            sums.fill(0.0);
            for strip in strips {
                let (top, images) = (strip.first_row as isize, Images::dense(input));
                let top_of_input = top - self.padding as isize;
                let inputs = images.copy_strip(strip, &self.input_frame, top_of_input, inputs, spare);
                let grads = grad_output.copy_strip(strip, &self.grad_frame, top, grads, spare);
                grad_output.add_channel_sums((&self.strips, strip), self.output, bias_sums, channel_sums);
                let strip = kernel_strip(&self.strips, strip, self.output.size[1]);
                self.kernel.add(strip, inputs, grads, scratch, sums);
            }
            self.kernel.finish(sums, part);
        });
    }
}
