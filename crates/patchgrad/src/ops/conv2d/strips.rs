//! How a batch is cut into strips, the pieces of work of the direct and Winograd convolutions.
//!
//! A strip is one sample, or some rows of one when there are few samples, or some samples when they are tiny. It depends on
//! the shape alone. Runs of strips are the chunks that threads take.

use super::operands::{Epilogue, activate, pool_and_activate};
use crate::{
    Workspace,
    parallel::{self, Scratch},
};
use patchgrad_kernels::elementwise;
use std::ops::Range;

/// A batch is cut finer than into samples until there are this many strips, so that small batches keep threads busy.
const FEWEST_STRIPS: usize = 8;

/// Multiply-adds of the smallest piece of work that is cut off: about ten microseconds, what waking a thread may take.
pub(super) const SMALLEST_PIECE: usize = 1 << 18;

/// What a cut has to respect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// Multiply-adds of one row of positions of one sample. Pieces below [`SMALLEST_PIECE`] are not worth a thread.
    pub(super) row_work: usize,
    /// Strips start at multiples of this many rows.
    pub(super) granularity: usize,
    /// Strips of tiny samples are joined until they have this many positions.
    pub(super) fewest_positions: usize,
    /// At most this many chunks, each perhaps with a partial result.
    pub(super) most_chunks: usize,
    /// Samples are cut until a strip has at most this many rows.
    pub(super) most_rows: usize,
}

impl Cut {
    /// The usual cut of a plane with rows of `row_work` multiply-adds: at any row, strips of at least 96 positions, which make
    /// a few register tiles, and at most 16 chunks.
    pub(super) fn of_work(row_work: usize) -> Self {
        Self { row_work, granularity: 1, fewest_positions: 96, most_chunks: 16, most_rows: usize::MAX }
    }
}

/// The cut of a batch of `[height, width]` planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Strips {
    batch: usize,
    height: usize,
    /// Samples of one strip; the last strip may have fewer.
    pub(super) samples: usize,
    /// Rows of one strip: a divisor of `height`, which it is where `samples` is above 1.
    pub(super) rows: usize,
    /// How many strips make one chunk.
    per_chunk: usize,
}

/// One strip: some rows of some samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Strip {
    pub(super) first_sample: usize,
    pub(super) samples: usize,
    pub(super) first_row: usize,
}

/// Size and channels of an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plane {
    pub(super) size: [usize; 2],
    pub(super) channels: usize,
}

impl Plane {
    pub(super) fn row_len(self) -> usize {
        self.size[1] * self.channels
    }

    pub(super) fn len(self) -> usize {
        self.size[0] * self.row_len()
    }
}

impl Strips {
    pub(super) fn new(batch: usize, [height, width]: [usize; 2], cut: Cut) -> Self {
        let Cut { row_work, granularity, fewest_positions, most_chunks, most_rows } = cut;
        let wanted = fewest_positions.div_ceil(height * width);
        let samples = wanted.clamp(1, (batch / most_chunks).max(1));
        let rows_worth_a_thread = SMALLEST_PIECE.div_ceil(row_work.max(1)).min(height);
        let most_rows = match samples {
            1 => most_rows.min(height.div_ceil(FEWEST_STRIPS.div_ceil(batch)).max(rows_worth_a_thread)),
            _ => height,
        };
        let fits = |rows: &usize| height.is_multiple_of(*rows) && rows.is_multiple_of(granularity);
        let rows = if most_rows < height { (1..=most_rows).rev().find(fits).unwrap_or(height) } else { height };
        let count = batch.div_ceil(samples) * (height / rows);
        let worth_a_thread = SMALLEST_PIECE.div_ceil((samples * rows * row_work).max(1));
        Self { batch, height, samples, rows, per_chunk: count.div_ceil(most_chunks).max(worth_a_thread.min(count)) }
    }

    pub(super) fn count(&self) -> usize {
        self.batch.div_ceil(self.samples) * self.per_sample()
    }

    fn per_sample(&self) -> usize {
        self.height / self.rows
    }

    pub(super) fn get(&self, index: usize) -> Strip {
        let (group, part) = (index / self.per_sample(), index % self.per_sample());
        let first_sample = group * self.samples;
        let samples = self.samples.min(self.batch - first_sample);
        Strip { first_sample, samples, first_row: part * self.rows }
    }

    /// The samples of the last strip, if they are fewer than those of the others.
    pub(super) fn odd_samples(&self) -> Option<usize> {
        (!self.batch.is_multiple_of(self.samples)).then_some(self.batch % self.samples)
    }

    fn chunks(&self) -> usize {
        self.count().div_ceil(self.per_chunk)
    }

    /// The strips of one chunk.
    fn of_chunk(&self, chunk: usize) -> Range<usize> {
        chunk * self.per_chunk..((chunk + 1) * self.per_chunk).min(self.count())
    }

    /// Elements of a whole strip of an array with `row_len` elements for each row of each sample.
    pub(super) fn strip_len(&self, row_len: usize) -> usize {
        self.samples * self.rows * row_len
    }

    /// Computes a target image strip by strip: `sums(strip, scratch, to)` overwrites the sums of a strip, with bias; then
    /// follow the pooling, if there are `taps` to write, and the activation, while the strip is in the cache.
    ///
    /// With `taps`, strips must start at even rows, and `output` is the pooled target.
    pub(super) fn fill(
        &self,
        target: Plane,
        epilogue: Epilogue,
        (output, taps): (&mut [f32], Option<&mut [u8]>),
        scratch_len: usize,
        workspace: &mut Workspace,
        sums: impl Fn(Strip, &mut [f32], &mut [f32]) + Sync,
    ) {
        let strip_len = self.strip_len(target.row_len());
        let sums_len = if taps.is_some() { strip_len } else { 0 };
        let mut memory = workspace.take_buffer(Scratch::total_len(scratch_len + sums_len, self.chunks()));
        let scratch = Scratch::new(&mut memory, scratch_len + sums_len);
        match taps {
            None => parallel::for_each_chunk(output, self.per_chunk * strip_len, |chunk, output| {
                scratch.with(|scratch| {
                    for (index, to) in self.of_chunk(chunk).zip(output.chunks_mut(strip_len)) {
                        sums(self.get(index), scratch, to);
                        activate(epilogue.activation, to);
                    }
                });
            }),
            Some(taps) => {
                let (width, sample_len) = (target.size[1], self.rows * target.row_len());
                // Strips are an even number of rows of one sample, or whole samples, whose odd last row is not pooled.
                let pooled_sample = self.rows / 2 * (width / 2 * target.channels);
                let pooled_len = self.samples * pooled_sample;
                let chunk_len = self.per_chunk * pooled_len;
                parallel::for_each_chunk_pair((output, chunk_len), (taps, chunk_len), |chunk, output, taps| {
                    scratch.with(|scratch| {
                        let (scratch, unpooled) = scratch.split_at_mut(scratch_len);
                        let pooled = output.chunks_mut(pooled_len).zip(taps.chunks_mut(pooled_len));
                        for (index, (output, taps)) in self.of_chunk(chunk).zip(pooled) {
                            let strip = self.get(index);
                            let unpooled = &mut unpooled[..strip.samples * sample_len];
                            sums(strip, scratch, unpooled);
                            let pooled = output.chunks_mut(pooled_sample).zip(taps.chunks_mut(pooled_sample));
                            for (unpooled, (output, taps)) in unpooled.chunks(sample_len).zip(pooled) {
                                pool_and_activate(
                                    [width, target.channels],
                                    epilogue.activation,
                                    unpooled,
                                    output,
                                    taps,
                                );
                            }
                        }
                    });
                });
            }
        }
        workspace.give_buffer(memory);
    }

    /// `totals` = the sums of what the chunks of strips give, added in their order: `part(strips of the chunk, scratch, part)`
    /// overwrites one part, which holds the values of both totals one after the other.
    pub(super) fn sum(
        &self,
        totals: [&mut [f32]; 2],
        scratch_len: usize,
        workspace: &mut Workspace,
        part: impl Fn(&mut dyn Iterator<Item = Strip>, &mut [f32], &mut [f32]) + Sync,
    ) {
        let len = totals[0].len() + totals[1].len();
        let mut memory = workspace.take_buffer(Scratch::total_len(scratch_len, self.chunks()));
        let mut parts = workspace.take_buffer(self.chunks() * len);
        let scratch = Scratch::new(&mut memory, scratch_len);
        parallel::for_each_chunk(&mut parts, len, |chunk, to| {
            scratch.with(|scratch| part(&mut self.of_chunk(chunk).map(|index| self.get(index)), scratch, to));
        });
        let (all_parts, mut first) = (&parts[..], 0);
        for total in totals {
            let total_len = total.len();
            parallel::for_each_chunk(total, parallel::ELEMENTS_PER_CHUNK, |chunk, total| {
                let from = first + chunk * parallel::ELEMENTS_PER_CHUNK;
                total.copy_from_slice(&all_parts[from..][..total.len()]);
                for part in all_parts.chunks_exact(len).skip(1) {
                    elementwise::add_assign(total, &part[from..][..total.len()]);
                }
            });
            first += total_len;
        }
        workspace.give_buffer(parts);
        workspace.give_buffer(memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_tile_the_batch_in_order() {
        for batch in [1, 2, 3, 7, 8, 100, 128, 1000] {
            for plane in [[1, 1], [4, 4], [7, 5], [28, 28], [31, 2]] {
                for granularity in [1, 2, 4] {
                    let strips = Strips::new(batch, plane, Cut { granularity, ..Cut::of_work(1 << 15) });
                    let mut next = [0, 0];
                    for chunk in 0..strips.chunks() {
                        for index in strips.of_chunk(chunk) {
                            let strip = strips.get(index);
                            assert_eq!([strip.first_sample, strip.first_row], next, "{strips:?}");
                            assert!(strip.first_row.is_multiple_of(granularity));
                            next[1] += strips.rows;
                            if next[1] == plane[0] {
                                next = [next[0] + strip.samples, 0];
                            }
                        }
                    }
                    assert_eq!(next, [batch, 0], "{strips:?}");
                    assert!(strips.chunks() <= 16);
                }
            }
        }
    }

    #[test]
    fn small_batches_are_cut_into_rows_and_tiny_samples_joined() {
        let cut = |granularity, row_work| Cut { granularity, ..Cut::of_work(row_work) };
        let strips = |batch, size, granularity| Strips::new(batch, [size; 2], cut(granularity, 1 << 18));
        assert_eq!(strips(1, 28, 1).count(), 7);
        assert_eq!(strips(2, 32, 2).count(), 8);
        assert_eq!(strips(128, 28, 1).count(), 128);
        assert_eq!(strips(1024, 1, 1).samples, 64);
        assert_eq!(strips(1, 31, 2).count(), 1);
        // Nothing below a quarter of a million multiply-adds is worth a thread.
        assert_eq!(Strips::new(4, [8; 2], cut(1, 1 << 12)).chunks(), 1);
        assert_eq!(Strips::new(4, [8; 2], cut(1, 1 << 15)).chunks(), 4);
    }
}
