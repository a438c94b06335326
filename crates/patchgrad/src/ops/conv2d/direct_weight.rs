//! The gradient of the weight as products of the register tile: a row for every `(kh, kw, c)`, a term for every pixel.
//!
//! ```text
//! grad_weight[kh, kw, c, o] = sum over n, oh, ow of  x[n, oh s - p + kh d, ow s - p + kw d, c] * grad_output[n, oh, ow, o]
//! ```
//!
//! Each chunk of strips sums into a gradient of its own; these are added in the order of the chunks.

use super::{
    Conv2dDims,
    operands::Images,
    strips::{Cut, Plane, Strip, Strips},
};
use crate::Workspace;
use patchgrad_kernels::{
    frame::Frame,
    pack::{pack_rows, packed_len},
    product::{PANEL, Right, Row, Segment, Start, Table, product},
};

/// Elements of a cache line.
const LINE: usize = 16;

/// Packing the gradient of the output costs more than reading it with gaps where it has at most so many columns, or the gradient
/// of the weight fewer rows than [`ROWS_WORTH_PACKING`].
const MOST_COLUMNS_IN_PLACE: usize = 128;

/// See [`MOST_COLUMNS_IN_PLACE`].
const ROWS_WORTH_PACKING: usize = 64;

/// Values of input and gradient of the output in one strip: 128 KiB.
const VALUES_PER_STRIP: usize = 32 * 1024;

/// Strips of small samples are joined to as many terms, so that the sums, which do not fit the first-level cache, are loaded
/// and stored less often.
const FEWEST_POSITIONS: usize = 192;

/// Positions of one chunk, at least: each has a gradient of its own, whose zeroing and adding cost as much as some dozens of
/// positions.
const POSITIONS_PER_CHUNK: usize = 128;

/// What the gradient of the weight of given sizes needs to know; made once for a shape.
#[derive(Debug)]
pub(crate) struct WeightGradient {
    dims: Conv2dDims,
    strips: Strips,
    /// What is copied of each input sample for a strip; `None` if windows never leave the image and read it in place.
    frame: Option<Frame>,
    /// The strip of the gradient of the output, where it has to be unpacked from a pooled one.
    grad_frame: Option<Frame>,
    table: Table,
    /// The table of the last strip, if that has fewer samples.
    odd: Option<Table>,
    /// Whether the gradient of the output is copied into panels.
    packs: bool,
}

impl WeightGradient {
    pub(super) fn new(dims: &Conv2dDims, pooled_grad: bool) -> Self {
        let window = &dims.window;
        // Copies of input and gradient are made for a strip at once, and should still be near when they are read.
        let row_len = window.input[1] * dims.in_channels * window.stride[0] + window.output[1] * dims.out_channels;
        let granularity = if pooled_grad { 2 } else { 1 };
        let cut = Cut {
            granularity,
            most_rows: (VALUES_PER_STRIP / row_len).max(granularity),
            fewest_positions: FEWEST_POSITIONS,
            most_chunks: (dims.batch * window.output_len() / POSITIONS_PER_CHUNK).clamp(1, 16),
            ..Cut::of_work(dims.work() / (dims.batch * window.output[0]))
        };
        let strips = Strips::new(dims.batch, window.output, cut);
        let span = |axis: usize, positions: usize| {
            (positions - 1) * window.stride[axis] + (window.kernel_size[axis] - 1) * window.dilation[axis] + 1
        };
        let size = [span(0, strips.rows), span(1, window.output[1])];
        let frame = (window.padding != [0, 0]).then(|| Frame {
            image: window.input,
            size,
            left: -(window.padding[1] as isize),
            channels: dims.in_channels,
            pixel: pixel_distance(dims.in_channels),
        });
        let grad_frame = pooled_grad.then(|| Frame {
            image: window.output,
            size: [strips.rows, window.output[1]],
            left: 0,
            channels: dims.out_channels,
            pixel: dims.out_channels,
        });
        let columns = dims.out_channels / dims.groups;
        let packs = !columns.is_multiple_of(PANEL)
            || (columns > MOST_COLUMNS_IN_PLACE && dims.patch_len() >= ROWS_WORTH_PACKING);
        let mut this =
            Self { dims: *dims, strips, frame, grad_frame, table: Table::new(vec![], [], 1), odd: None, packs };
        this.table = this.table_of(strips.samples);
        this.odd = strips.odd_samples().map(|samples| this.table_of(samples));
        this
    }

    /// Rows `(kh, kw, c)` of one group; one segment for each row of output pixels of each of `samples` samples.
    fn table_of(&self, samples: usize) -> Table {
        let window = &self.dims.window;
        let in_group = self.dims.in_channels / self.dims.groups;
        let [[_, width], [stride_h, stride_w], [dilation_h, dilation_w]] =
            [window.output, window.stride, window.dilation];
        let mut rows = Vec::new();
        for kh in 0..window.kernel_size[0] {
            for kw in 0..window.kernel_size[1] {
                for c in 0..in_group {
                    let a = kh * dilation_h * self.copy_row_len() + kw * dilation_w * self.pixel() + c;
                    rows.push(Row { a, out: rows.len() * self.dims.out_channels });
                }
            }
        }
        let strip_rows = self.strips.rows;
        let segments = (0..samples * strip_rows).map(|row| Segment {
            a: row / strip_rows * self.copy_len() + row % strip_rows * stride_h * self.copy_row_len(),
            b: row * width,
            len: width,
        });
        Table::new(rows, segments, stride_w * self.pixel())
    }

    fn pixel(&self) -> usize {
        self.frame.map_or(self.dims.in_channels, |frame| frame.pixel)
    }

    fn copy_row_len(&self) -> usize {
        self.frame.map_or(self.dims.window.input[1] * self.dims.in_channels, |frame| frame.row_len())
    }

    fn copy_len(&self) -> usize {
        self.frame.map_or(self.dims.window.input_len() * self.dims.in_channels, |frame| frame.copy_len())
    }

    /// Computes the gradient, and that of the bias unless its slice is empty.
    pub(super) fn run(
        &self,
        input: &[f32],
        grad_output: Images,
        [grad_weight, grad_bias]: [&mut [f32]; 2],
        workspace: &mut Workspace,
    ) {
        let dims = &self.dims;
        let strip_pixels = self.strips.strip_len(dims.window.output[1]);
        let columns = dims.out_channels / dims.groups;
        let frames = if self.frame.is_some() { self.strips.samples * self.copy_len() } else { 0 };
        let (grads, spare) = if self.grad_frame.is_some() {
            (strip_pixels * dims.out_channels, dims.window.output[1] * dims.out_channels)
        } else {
            (0, 0)
        };
        let panels = if self.packs { packed_len(strip_pixels, columns) } else { 0 };
        let output = Plane { size: dims.window.output, channels: dims.out_channels };
        let (weight_len, bias_len) = (grad_weight.len(), grad_bias.len());
        let scratch_len = frames + grads + spare + panels + bias_len;
        self.strips.sum([grad_weight, grad_bias], scratch_len, workspace, |strips, scratch, sums| {
            sums.fill(0.0);
            let (sums, bias_sums) = sums.split_at_mut(weight_len);
            let (channel_sums, scratch) = scratch.split_at_mut(bias_len);
            let (frames, scratch) = scratch.split_at_mut(frames);
            let (grads, scratch) = scratch.split_at_mut(grads);
            let (spare, panels) = scratch.split_at_mut(spare);
            for strip in strips {
                let x = self.input_of(strip, input, frames);
                let g = self.grad_of(strip, grad_output, grads, spare);
                self.strip(strip, x, g, panels, sums);
                grad_output.add_channel_sums((&self.strips, strip), output, bias_sums, channel_sums);
            }
        });
    }

    /// The part of the input that the windows of a strip see.
    fn input_of<'a>(&self, strip: Strip, input: &'a [f32], frames: &'a mut [f32]) -> &'a [f32] {
        let window = &self.dims.window;
        let sample_len = window.input_len() * self.dims.in_channels;
        let top = (strip.first_row * window.stride[0]) as isize - window.padding[0] as isize;
        match &self.frame {
            Some(frame) => Images::dense(input).copy_strip(strip, frame, top, frames, &mut []),
            None => {
                let start = strip.first_sample * sample_len + top as usize * self.copy_row_len();
                &input[start..(strip.first_sample + strip.samples) * sample_len]
            }
        }
    }

    /// The gradient of the output of a strip, `[pixels, O]`.
    fn grad_of<'a>(&self, strip: Strip, images: Images<'a>, grads: &'a mut [f32], spare: &mut [f32]) -> &'a [f32] {
        let row_len = self.dims.window.output[1] * self.dims.out_channels;
        match &self.grad_frame {
            Some(frame) => images.copy_strip(strip, frame, strip.first_row as isize, grads, spare),
            None => {
                let start = (strip.first_sample * self.dims.window.output[0] + strip.first_row) * row_len;
                &images.values[start..][..strip.samples * self.strips.rows * row_len]
            }
        }
    }

    /// Adds what one strip contributes.
    fn strip(&self, strip: Strip, x: &[f32], g: &[f32], panels: &mut [f32], sums: &mut [f32]) {
        let dims = &self.dims;
        let table = match &self.odd {
            Some(odd) if strip.samples < self.strips.samples => odd,
            _ => &self.table,
        };
        let (columns, in_group) = (dims.out_channels / dims.groups, dims.in_channels / dims.groups);
        let pixels = g.len() / dims.out_channels;
        for group in 0..dims.groups {
            let (x, g) = (&x[group * in_group..], &g[group * columns..]);
            let b = if self.packs {
                let panels = &mut panels[..packed_len(pixels, columns)];
                pack_rows(columns, g, dims.out_channels, panels);
                Right::packed(panels, pixels)
            } else {
                Right::in_place(g, dims.out_channels)
            };
            product(table, x, b, columns, Start::Out, &mut sums[group * columns..]);
        }
    }
}

/// How far the copy keeps its pixels apart. The tile reads a line of each pixel; an even number of lines between them would
/// leave half of the cache's sets or more unused.
fn pixel_distance(channels: usize) -> usize {
    if channels.is_multiple_of(2 * LINE) { channels + LINE } else { channels }
}
