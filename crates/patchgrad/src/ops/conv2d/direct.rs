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
//! Where windows hang over the edge, the rows of a strip that they need are copied into a frame of zeros first.

use super::{
    Conv2dDims, Pass,
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

/// Target pixels that share their taps.
#[derive(Debug)]
struct Phase {
    table: Table,
    /// The table of the last strip, if that has fewer samples.
    odd: Option<Table>,
    /// Where in the weight each term's row of columns starts.
    weight_rows: Vec<usize>,
    /// Whether the columns are so few that vectors run along the terms.
    few: bool,
    /// Values of its packed weight.
    packed_len: usize,
}

/// A tap along one axis: its number, and how many source pixels it lies after the one that a target pixel starts at.
#[derive(Clone, Copy, Debug)]
struct Tap {
    number: usize,
    at: isize,
}

/// One axis of a correlation.
#[derive(Debug)]
struct Axis {
    /// For each phase its taps, in the order of the source.
    phases: Vec<Vec<Tap>>,
    /// Distance in the source between the starts of neighbouring pixels of one phase.
    step: usize,
}

impl Axis {
    fn forward(dims: &Conv2dDims, axis: usize) -> Self {
        let window = &dims.window;
        let at = |tap: usize| (tap * window.dilation[axis]) as isize - window.padding[axis] as isize;
        let taps = (0..window.kernel_size[axis]).map(|number| Tap { number, at: at(number) }).collect();
        Self { phases: vec![taps], step: window.stride[axis] }
    }

    fn grad_input(dims: &Conv2dDims, axis: usize) -> Self {
        let window = &dims.window;
        let stride = window.stride[axis] as isize;
        let taps_of = |phase: usize| {
            let reach = |tap: usize| (phase + window.padding[axis]) as isize - (tap * window.dilation[axis]) as isize;
            let taps = (0..window.kernel_size[axis]).filter(|&tap| reach(tap) % stride == 0);
            let mut taps: Vec<Tap> = taps.map(|number| Tap { number, at: reach(number) / stride }).collect();
            taps.sort_by_key(|tap| tap.at);
            taps
        };
        // Phases beyond the image have no pixel.
        let phases = window.stride[axis].min(window.input[axis]);
        Self { phases: (0..phases).map(taps_of).collect(), step: 1 }
    }

    /// The smallest and the largest position of any tap; 0 if no phase has one.
    fn reach(&self) -> [isize; 2] {
        let at = || self.phases.iter().flatten().map(|tap| tap.at);
        [at().min().unwrap_or(0), at().max().unwrap_or(0)]
    }

    /// Source pixels under `targets` neighbouring target pixels, from the start of the first.
    fn span(&self, targets: usize) -> usize {
        let [first, last] = self.reach();
        (targets.div_ceil(self.phases.len()) - 1) * self.step + (last - first) as usize + 1
    }
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
            Cut { granularity, ..Cut::of_work(dims.work() / (dims.batch * target.size[0])) },
        );
        let [top, _] = axes[0].reach();
        let [left, _] = axes[1].reach();
        let size = [axes[0].span(strips.rows), axes[1].span(target.size[1])];
        let last_top = ((target.size[0] - strips.rows) * up / down) as isize + top;
        let inside = top >= 0
            && left >= 0
            && last_top as usize + size[0] <= source.size[0]
            && left as usize + size[1] <= source.size[1];
        let frame = (!inside || pooled_source).then(|| {
            // A pooled source is unpacked by whole rows.
            let start = if pooled_source { left.min(0) } else { left };
            let end = left + size[1] as isize;
            let end = if pooled_source { end.max(source.size[1] as isize) } else { end };
            let size = [size[0], (end - start) as usize];
            Frame { image: source.size, size, left: start, channels: source.channels, pixel: source.channels }
        });
        let mut this = Self {
            strips,
            source,
            target,
            groups: dims.groups,
            frame,
            up,
            down,
            top,
            phases: Vec::new(),
            column_stride,
            group_stride: out_group,
        };
        // The column of the source's copy that a target pixel at 0 starts at, before its taps.
        let origin = if let Some(frame) = &this.frame { (left - frame.left) as usize } else { left as usize };
        for row_phase in 0..axes[0].phases.len() {
            for column_phase in 0..axes[1].phases.len() {
                let taps = [&axes[0].phases[row_phase][..], &axes[1].phases[column_phase][..]];
                let mut segments = Vec::new();
                let mut weight_rows = Vec::new();
                for kh in taps[0] {
                    for kw in taps[1] {
                        let at =
                            (kh.at - top) as usize * this.copy_row_len() + (kw.at - left) as usize * source.channels;
                        let tap = (kh.number * window.kernel_size[1] + kw.number) * in_group;
                        let first = weight_rows.len();
                        match pass {
                            Pass::Forward => weight_rows.extend((0..in_group).map(|c| (tap + c) * dims.out_channels)),
                            _ => weight_rows.extend((0..out_group).map(|o| tap * dims.out_channels + o)),
                        }
                        segments.push(Segment { a: at, b: first, len: weight_rows.len() - first });
                    }
                }
                let table = |samples: usize| {
                    let phase = [row_phase, column_phase];
                    Table::new(this.rows(samples, phase, &axes, origin), segments.iter().copied(), 1)
                };
                let (full, odd) = (table(strips.samples), strips.odd_samples().map(table));
                let columns = this.columns();
                let few = columns <= MOST_COLUMNS && full.shortest_segment() >= 8;
                let terms = weight_rows.len();
                let packed_len = if few { terms * columns } else { packed_len(terms, columns) };
                this.phases.push(Phase { table: full, odd, weight_rows, few, packed_len });
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

    /// The target pixels of one phase in a strip of `samples` samples.
    fn rows(&self, samples: usize, [row_phase, column_phase]: [usize; 2], axes: &[Axis; 2], origin: usize) -> Vec<Row> {
        let (height, width) = (self.strips.rows, self.target.size[1]);
        let down = axes.each_ref().map(|axis| axis.phases.len());
        let mut rows = Vec::new();
        for sample in 0..samples {
            for h in (row_phase..height).step_by(down[0]) {
                for w in (column_phase..width).step_by(down[1]) {
                    let (i, j) = (h / down[0] * axes[0].step, w / down[1] * axes[1].step);
                    rows.push(Row {
                        a: sample * self.copy_len() + i * self.copy_row_len() + (origin + j) * self.source.channels,
                        out: ((sample * height + h) * width + w) * self.target.channels,
                    });
                }
            }
        }
        rows
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
                        let rows = phase.weight_rows.iter().copied();
                        pack_panel(i % panels, columns, of_group(i / panels), rows, self.column_stride, to);
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
            Some(frame) => {
                let frames = &mut frames[..strip.samples * frame.copy_len()];
                for (i, to) in frames.chunks_exact_mut(frame.copy_len()).enumerate() {
                    source.copy(strip.first_sample + i, frame, top, to, spare);
                }
                &*frames
            }
            None => {
                let start = strip.first_sample * self.source.len() + top as usize * self.source.row_len();
                let end = (strip.first_sample + strip.samples) * self.source.len();
                &source.values[start..end]
            }
        };
        let (columns, group_channels) = (self.columns(), self.source.channels / self.groups);
        let mut rest = packed;
        for phase in &self.phases {
            let table = match &phase.odd {
                Some(odd) if strip.samples < self.strips.samples => odd,
                _ => &phase.table,
            };
            for group in 0..self.groups {
                let (b, after) = rest.split_at(phase.packed_len);
                rest = after;
                let start = bias.map_or(Start::Zero, |bias| Start::Bias(&bias[group * columns..][..columns]));
                let (from, to) = (&from[group * group_channels..], &mut to[group * columns..]);
                if phase.few {
                    product_of_few_columns(table, from, b, columns, start, to);
                } else {
                    product(table, from, Right::packed(b, phase.weight_rows.len()), columns, start, to);
                }
            }
        }
    }
}
