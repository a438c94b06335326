//! One axis of a direct convolution: which taps a target position sees, and where they lie in the source.

use super::Conv2dDims;

/// A tap along one axis: its number, and how many source pixels it lies after the one that a target pixel starts at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tap {
    pub(super) number: usize,
    pub(super) at: isize,
}

/// One axis of a correlation.
#[derive(Debug)]
pub(super) struct Axis {
    /// For each phase its taps, in the order of the source.
    pub(super) phases: Vec<Vec<Tap>>,
    /// Distance in the source between the starts of neighbouring pixels of one phase.
    pub(super) step: usize,
}

/// Neighbouring target positions of one phase that see the same taps.
#[derive(Clone, Debug)]
pub(super) struct Windows<'a> {
    pub(super) taps: &'a [Tap],
    pub(super) targets: Vec<usize>,
}

impl Axis {
    pub(super) fn forward(dims: &Conv2dDims, axis: usize) -> Self {
        let window = &dims.window;
        let at = |tap: usize| (tap * window.dilation[axis]) as isize - window.padding[axis] as isize;
        let taps = (0..window.kernel_size[axis]).map(|number| Tap { number, at: at(number) }).collect();
        Self { phases: vec![taps], step: window.stride[axis] }
    }

    pub(super) fn grad_input(dims: &Conv2dDims, axis: usize) -> Self {
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
    pub(super) fn reach(&self) -> [isize; 2] {
        let at = || self.phases.iter().flatten().map(|tap| tap.at);
        [at().min().unwrap_or(0), at().max().unwrap_or(0)]
    }

    /// Source pixels under `targets` neighbouring target pixels, from the start of the first.
    pub(super) fn span(&self, targets: usize) -> usize {
        let [first, last] = self.reach();
        (targets.div_ceil(self.phases.len()) - 1) * self.step + (last - first) as usize + 1
    }

    /// Where in the source target position `target` starts, before its taps.
    pub(super) fn start(&self, target: usize) -> usize {
        target / self.phases.len() * self.step
    }

    /// The positions of `phase` among `targets`, by the taps that they see: those inside a source of `clip` pixels, or all.
    pub(super) fn windows(&self, phase: usize, targets: usize, clip: Option<usize>) -> Vec<Windows<'_>> {
        let taps = &self.phases[phase][..];
        let mut windows: Vec<Windows> = Vec::new();
        for target in (phase..targets).step_by(self.phases.len()) {
            let start = self.start(target) as isize;
            let seen = clip.map_or(taps, |size| {
                let first = taps.partition_point(|tap| start + tap.at < 0);
                let end = taps.partition_point(|tap| start + tap.at < size as isize);
                &taps[first.min(end)..end]
            });
            match windows.last_mut() {
                Some(last) if last.taps == seen => last.targets.push(target),
                _ => windows.push(Windows { taps: seen, targets: vec![target] }),
            }
        }
        windows
    }

    /// How many of `targets` positions have all their taps inside a source of `size` pixels.
    pub(super) fn whole_windows(&self, targets: usize, size: usize) -> usize {
        let of_phase =
            |phase: usize| self.windows(phase, targets, Some(size)).into_iter().map(move |part| (phase, part));
        let parts = (0..self.phases.len()).flat_map(of_phase);
        parts
            .filter(|(phase, part)| part.taps.len() == self.phases[*phase].len())
            .map(|(_, part)| part.targets.len())
            .sum()
    }
}
