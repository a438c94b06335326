//! Direct convolution: products of the register tile with the image itself, without a patch matrix.
//!
//! Forward and gradient of the input are one computation here, a *correlation*: every pixel of a target image is the sum of
//! taps of a source image. They differ in the table of addresses ([`patchgrad_kernels::product`]):
//!
//! - **Forward**: the target is the output. Pixel `(oh, ow)` starts at `(oh s - p, ow s - p)` and reads every tap.
//! - **Gradient of the input**: the target is the input. Pixel `h` was read by output `oh` through tap `kh` where
//!   `oh s = h + p - kh d`; so the pixels `h` of one *phase*, `h mod s`, share their taps, and with `h = i s + r` tap `kh` lies
//!   at `oh = i + (r + p - kh d) / s`. Each of the s x s phases is a dense correlation with some of the taps, mirrored.
//!   This is also the forward pass of a transposed convolution.
//!
//! Windows that hang over the edge are handled in one of two ways. Where most windows lie inside, target pixels that see the
//! same taps share a table that has no others: nothing is copied, and nothing multiplied by zero. Otherwise the rows that a
//! strip needs are copied into a frame of zeros first.

use super::{
    Conv2dDims, Pass,
    axis::{Axis, Tap, Windows},
    operands::{Epilogue, Images},
    strips::{Cut, Plane, Strip, Strips},
};
use crate::{Workspace, parallel};
use patchgrad_kernels::{
    dot::{MOST_COLUMNS, product_of_few_columns},
    frame::Frame,
    pack::{pack_panel, packed_len},
    product::{PANEL, Right, Row, Segment, Start, Table, product},
};
use std::cmp::Reverse;

/// Windows are clipped where they have at least so many taps and channels. With fewer, writing the target is much of the time,
/// and is faster from front to back than with the edges apart.
const FEWEST_CLIPPED_TERMS: usize = 96;

/// Strips of small samples are joined to as many target pixels, so that the edges of several make a tile together.
const FEWEST_POSITIONS: usize = 256;

/// What one correlation of given sizes needs to know; made once for a shape.
#[derive(Debug)]
pub(crate) struct Correlation {
    strips: Strips,
    source: Plane,
    target: Plane,
    groups: usize,
    /// What is copied of each sample for a strip; `None` if windows never leave the image and read it in place.
    frame: Option<Frame>,
    /// The first source row of a strip whose first target row is `r`: `r * up / down + top`.
    up: usize,
    down: usize,
    top: isize,
    phases: Vec<Phase>,
    /// Distance in the weight between the columns of the products.
    column_stride: usize,
    /// Distance in the weight between the groups.
    group_stride: usize,
}

/// Target pixels that share their taps, but for those that clipped windows lack.
#[derive(Debug)]
struct Phase {
    /// One for each part of the window that pixels see: one for all, unless windows are clipped.
    tables: Vec<Table>,
    /// The tables of the last strip, if that has fewer samples.
    odd: Option<Vec<Table>>,
    /// Where in the weight each term's row of columns starts.
    weight_rows: Vec<usize>,
    /// Whether the columns are so few that vectors run along the terms.
    few: bool,
    /// Values of its packed weight.
    packed_len: usize,
}

impl Correlation {
    /// The correlation of `pass`, which is not the gradient of the weight. A source or target that is pooled is copied
    /// into a frame, or cut at even rows.
    pub(super) fn new(dims: &Conv2dDims, pass: Pass, pooled_source: bool, pooled_target: bool) -> Self {
        let window = &dims.window;
        let input = Plane { size: window.input, channels: dims.in_channels };
        let output = Plane { size: window.output, channels: dims.out_channels };
        let (in_group, out_group) = (dims.in_channels / dims.groups, dims.out_channels / dims.groups);
        let (source, target, axes, column_stride) = match pass {
            Pass::Forward => (input, output, [0, 1].map(|axis| Axis::forward(dims, axis)), 1),
            _ => (output, input, [0, 1].map(|axis| Axis::grad_input(dims, axis)), dims.out_channels),
        };
        let (up, down) = (axes[0].step, axes[0].phases.len());
        let granularity = if pooled_target { 2 * down } else { down };
        let strips = Strips::new(
            dims.batch,
            target.size,
            Cut {
                granularity,
                fewest_positions: FEWEST_POSITIONS,
                ..Cut::of_work(dims.work() / (dims.batch * target.size[0]))
            },
        );
        let [top, _] = axes[0].reach();
        let [left, _] = axes[1].reach();
        let size = [axes[0].span(strips.rows), axes[1].span(target.size[1])];
        let last_top = ((target.size[0] - strips.rows) * up / down) as isize + top;
        let inside = top >= 0
            && left >= 0
            && last_top as usize + size[0] <= source.size[0]
            && left as usize + size[1] <= source.size[1];
        // Few columns are summed along the terms of a segment: their rounding must not depend on the size of the batch, and
        // so not on whether a strip is a whole sample.
        let terms = axes.iter().map(|axis| axis.phases[0].len()).product::<usize>() * source.channels / dims.groups;
        let [whole_rows, whole_columns] =
            [0, 1].map(|axis| axes[axis].whole_windows(target.size[axis], source.size[axis]));
        let clips = !inside
            && strips.rows == target.size[0]
            && target.channels / dims.groups > MOST_COLUMNS
            && terms >= FEWEST_CLIPPED_TERMS
            && 2 * whole_rows * whole_columns >= target.size[0] * target.size[1];
        let (start, size) = if clips {
            (0, source.size)
        } else if pooled_source {
            // It is unpacked by whole rows.
            let end = (left + size[1] as isize).max(source.size[1] as isize);
            (left.min(0), [size[0], (end - left.min(0)) as usize])
        } else {
            (left, size)
        };
        let channels = source.channels;
        let frame = (pooled_source || !(inside || clips)).then_some(Frame {
            image: source.size,
            size,
            left: start,
            channels,
            pixel: channels,
        });
        let mut this = Self {
            strips,
            source,
            target,
            groups: dims.groups,
            frame,
            up,
            down,
            // A clipped strip is whole samples, and reads them from their first row on.
            top: if clips { 0 } else { top },
            phases: Vec::new(),
            column_stride,
            group_stride: out_group,
        };
        let clip = source.size.map(|size| clips.then_some(size));
        for row_phase in 0..axes[0].phases.len() {
            for column_phase in 0..axes[1].phases.len() {
                let rows = axes[0].windows(row_phase, strips.rows, clip[0]);
                let columns = axes[1].windows(column_phase, target.size[1], clip[1]);
                let taps = [&axes[0].phases[row_phase][..], &axes[1].phases[column_phase][..]];
                let mut weight_rows = Vec::new();
                for kh in taps[0] {
                    for kw in taps[1] {
                        let tap = (kh.number * window.kernel_size[1] + kw.number) * in_group;
                        match pass {
                            Pass::Forward => weight_rows.extend((0..in_group).map(|c| (tap + c) * dims.out_channels)),
                            _ => weight_rows.extend((0..out_group).map(|o| tap * dims.out_channels + o)),
                        }
                    }
                }
                let tables = |samples: usize| -> Vec<Table> {
                    let parts = rows.iter().flat_map(|rows| columns.iter().map(move |columns| [rows, columns]));
                    let mut parts: Vec<_> = parts.collect();
                    // The largest goes through the target from front to back, and what is left of the edges is near then.
                    parts.sort_by_key(|[rows, columns]| Reverse(rows.targets.len() * columns.targets.len()));
                    parts.into_iter().map(|part| this.table(samples, &axes, taps, part)).collect()
                };
                let (full, odd) = (tables(strips.samples), strips.odd_samples().map(tables));
                let columns = this.columns();
                // Windows of few columns are never clipped: there is one table.
                let few = columns <= MOST_COLUMNS && full.iter().all(|table| table.shortest_segment() >= 8);
                let terms = weight_rows.len();
                let packed_len = if few { terms * columns } else { packed_len(terms, columns) };
                this.phases.push(Phase { tables: full, odd, weight_rows, few, packed_len });
            }
        }
        this
    }

    /// Target channels of one group.
    fn columns(&self) -> usize {
        self.target.channels / self.groups
    }

    /// Elements of a row of what the products read: of the frame, or of the source in place.
    fn copy_row_len(&self) -> usize {
        self.frame.map_or(self.source.row_len(), |frame| frame.row_len())
    }

    /// Elements of one sample of what the products read.
    fn copy_len(&self) -> usize {
        self.frame.map_or(self.source.len(), |frame| frame.copy_len())
    }

    /// The table of the target pixels in `windows` of rows and columns, in a strip of `samples` samples. `taps` are all of
    /// their phase, which the weight is packed with.
    fn table(&self, samples: usize, axes: &[Axis; 2], taps: [&[Tap]; 2], windows: [&Windows; 2]) -> Table {
        let (height, width, channels) = (self.strips.rows, self.target.size[1], self.source.channels);
        let left = self.frame.map_or(0, |frame| frame.left);
        let [rows, columns] = windows;
        let mut segments = Vec::new();
        let group_len = channels / self.groups;
        for kh in rows.taps {
            for kw in columns.taps {
                let at = (kh.at - rows.taps[0].at) as usize * self.copy_row_len()
                    + (kw.at - columns.taps[0].at) as usize * channels;
                let number = |taps: &[Tap], tap: &Tap| taps.partition_point(|other| other.at < tap.at);
                let tap = number(taps[0], kh) * taps[1].len() + number(taps[1], kw);
                segments.push(Segment { a: at, b: tap * group_len, len: group_len });
            }
        }
        // The copy's pixel under the first tap; of no consequence without taps.
        let start = |axis: usize, target: usize, copy_start: isize| {
            let first = windows[axis].taps.first().map_or(copy_start, |tap| tap.at);
            (axes[axis].start(target) as isize + first - copy_start) as usize
        };
        let mut table_rows = Vec::new();
        for sample in 0..samples {
            for &h in &rows.targets {
                for &w in &columns.targets {
                    let [i, j] = [start(0, h, self.top), start(1, w, left)];
                    table_rows.push(Row {
                        a: sample * self.copy_len() + i * self.copy_row_len() + j * channels,
                        out: ((sample * height + h) * width + w) * self.target.channels,
                    });
                }
            }
        }
        Table::new(table_rows, segments, 1)
    }

    /// Writes the weight as the products read it: for each phase, for each group.
    fn pack(&self, weight: &[f32], packed: &mut [f32]) {
        let (mut rest, columns) = (packed, self.columns());
        for phase in &self.phases {
            let (now, after) = rest.split_at_mut(phase.packed_len * self.groups);
            rest = after;
            let terms = phase.weight_rows.len();
            if terms == 0 {
                continue;
            }
            let of_group = |group: usize| &weight[group * self.group_stride..];
            if phase.few {
                for (i, to) in now.chunks_exact_mut(terms).enumerate() {
                    let from = &of_group(i / columns)[i % columns * self.column_stride..];
                    for (to, &row) in to.iter_mut().zip(&phase.weight_rows) {
                        *to = from[row];
                    }
                }
            } else {
                let (panels, panel_len) = (columns.div_ceil(PANEL), terms * PANEL);
                let at_once = (parallel::ELEMENTS_PER_CHUNK / panel_len).max(1);
                parallel::for_each_chunk(now, at_once * panel_len, |chunk, to| {
                    for (i, to) in (chunk * at_once..).zip(to.chunks_exact_mut(panel_len)) {
                        let from = of_group(i / panels);
                        pack_panel(i % panels, columns, from, &phase.weight_rows, self.column_stride, to);
                    }
                });
            }
        }
    }

    /// Computes the correlation. `taps` are written if the target is pooled; then `output` is the pooled target.
    pub(super) fn run(
        &self,
        source: Images,
        weight: &[f32],
        epilogue: Epilogue,
        output: &mut [f32],
        taps: Option<&mut [u8]>,
        workspace: &mut Workspace,
    ) {
        let packed_len: usize = self.phases.iter().map(|phase| phase.packed_len).sum();
        let mut packed = workspace.take_buffer(packed_len * self.groups);
        self.pack(weight, &mut packed);
        let frames = if self.frame.is_some() { self.strips.samples * self.copy_len() } else { 0 };
        let spare = if source.taps.is_some() { self.source.row_len() } else { 0 };
        self.strips.fill(self.target, epilogue, (output, taps), frames + spare, workspace, |strip, scratch, to| {
            let (frames, spare) = scratch.split_at_mut(frames);
            self.strip(source, &packed, epilogue.bias, strip, (frames, spare), to);
        });
        workspace.give_buffer(packed);
    }

    /// The sums of one strip, with bias.
    fn strip(
        &self,
        source: Images,
        packed: &[f32],
        bias: Option<&[f32]>,
        strip: Strip,
        (frames, spare): (&mut [f32], &mut [f32]),
        to: &mut [f32],
    ) {
        let top = (strip.first_row * self.up / self.down) as isize + self.top;
        let from = match &self.frame {
            Some(frame) => &*source.copy_strip(strip, frame, top, frames, spare),
            None => {
                let start = strip.first_sample * self.source.len() + top as usize * self.source.row_len();
                let end = (strip.first_sample + strip.samples) * self.source.len();
                &source.values[start..end]
            }
        };
        let (columns, group_channels) = (self.columns(), self.source.channels / self.groups);
        let mut rest = packed;
        for phase in &self.phases {
            let tables = match &phase.odd {
                Some(odd) if strip.samples < self.strips.samples => odd,
                _ => &phase.tables,
            };
            for group in 0..self.groups {
                let (b, after) = rest.split_at(phase.packed_len);
                rest = after;
                let start = bias.map_or(Start::Zero, |bias| Start::Bias(&bias[group * columns..][..columns]));
                let (from, to) = (&from[group * group_channels..], &mut to[group * columns..]);
                for table in tables {
                    if phase.few {
                        product_of_few_columns(table, from, b, columns, start, to);
                    } else {
                        product(table, from, Right::packed(b, phase.weight_rows.len()), columns, start, to);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{
        Activation, Conv2dSpec, ConvAlgorithm,
        conv2d::{forward_fused, grad_input},
    };

    /// Whole numbers from -4 to 4.
    fn integers(len: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * i + 3 * i) % 9) as f32 - 4.0).collect()
    }

    fn dims(batch: usize, [height, width]: [usize; 2], channels: [usize; 2], spec: Conv2dSpec) -> Conv2dDims {
        let [kernel_h, kernel_w] = spec.kernel_size;
        let input = [batch, height, width, channels[0]];
        spec.resolve(input.into(), [kernel_h, kernel_w, channels[0] / spec.groups, channels[1]].into(), None).unwrap()
    }

    /// Odd sizes, odd batches, taps that some pixels lack on either side or on both.
    fn clipped() -> Vec<Conv2dDims> {
        type Spec = Conv2dSpec;
        let spec = |kernel_size, stride, padding| Spec { stride, padding, ..Spec::new(kernel_size) };
        vec![
            dims(33, [8, 8], [24, 24], spec([3, 3], [1, 1], [1, 1])),
            dims(8, [11, 18], [24, 24], spec([3, 3], [1, 1], [0, 2])),
            dims(35, [13, 18], [24, 33], spec([5, 5], [2, 2], [2, 2])),
            dims(33, [16, 16], [24, 24], spec([4, 4], [2, 2], [1, 1])),
            dims(8, [13, 12], [24, 24], Spec { dilation: [2, 1], ..spec([3, 3], [1, 1], [2, 1]) }),
            dims(8, [9, 9], [48, 48], Spec { groups: 2, ..spec([3, 3], [1, 1], [1, 1]) }),
        ]
    }

    #[test]
    fn clipped_windows_give_what_the_definition_says() {
        for dims in clipped() {
            let mut workspace = Workspace::new();
            let naive = Conv2dDims { algorithm: ConvAlgorithm::Naive, ..dims };
            let direct = Conv2dDims { algorithm: ConvAlgorithm::Direct, ..dims };
            for pass in [Pass::Forward, Pass::GradInput] {
                for pooled_source in [false, pass == Pass::GradInput] {
                    let plan = Correlation::new(&direct, pass, pooled_source, false);
                    assert!(plan.phases.iter().any(|phase| phase.tables.len() > 1), "{dims:?} {pass} is not clipped");
                    assert_eq!(plan.frame.is_some(), pooled_source);
                }
            }
            let (x, weight) = (integers(dims.input().len()), integers(dims.weight().len()));
            let bias = integers(dims.out_channels);
            let epilogue = Epilogue { bias: Some(&bias), activation: Activation::Relu };
            let (output, pooled) = (dims.output().len(), dims.pooled_output().unwrap().len());
            let mut taps = vec![0; pooled];
            let mut dense = |dims: &Conv2dDims| {
                let mut y = vec![f32::NAN; output];
                forward_fused(dims, &x, &weight, epilogue, &mut y, None, &mut workspace);
                y
            };
            assert_eq!(dense(&direct), dense(&naive), "{dims:?}");
            let mut fused = |dims: &Conv2dDims| {
                let mut y = vec![f32::NAN; pooled];
                forward_fused(dims, &x, &weight, epilogue, &mut y, Some(&mut taps), &mut workspace);
                (y, taps.clone())
            };
            assert_eq!(fused(&direct), fused(&naive), "{dims:?}, pooled");
            let g = integers(output);
            for images in [Images::dense(&g), Images { values: &g[..pooled], taps: Some(&taps) }] {
                let mut gradient = |dims: &Conv2dDims| {
                    let mut dx = vec![f32::NAN; x.len()];
                    grad_input(dims, images, &weight, &mut dx, &mut workspace);
                    dx
                };
                assert_eq!(gradient(&direct), gradient(&naive), "{dims:?}, taps: {}", images.taps.is_some());
            }
        }
    }
}
