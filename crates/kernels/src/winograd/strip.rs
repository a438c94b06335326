//! What the tiles of a strip are, and how matrices of tiles lie in memory.

use super::{FREQUENCIES, KERNEL};
use crate::product::PANEL;

/// Output pixels on a side of a tile.
pub const TILE: usize = 4;

/// A run of output rows of one image, or several whole images one after the other: what one call computes.
///
/// The output `[samples, height, width, O]` is cut into tiles of 4x4 pixels, `ceil(height / 4)` by `ceil(width / 4)` for
/// each sample. What is read is filled up to whole tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strip {
    /// Images.
    pub samples: usize,
    /// Output rows of an image.
    pub height: usize,
    /// Output columns of an image.
    pub width: usize,
}

impl Strip {
    /// `[height, width]` of every sample of the input of the strip: `4 ceil(height / 4) + 2` and the same of the width.
    ///
    /// Pixel `(0, 0)` is what the first tap of the kernel meets at output pixel `(0, 0)`. Every pixel outside the image,
    /// also those that only outputs outside the strip would read, must be 0.
    pub fn padded_input(&self) -> [usize; 2] {
        self.padded(TILE + KERNEL - 1)
    }

    /// `[height, width]` of every sample of the gradient of the output of the strip: both rounded up to a multiple of 4.
    /// Pixels outside the strip must be 0.
    pub fn padded_grad_output(&self) -> [usize; 2] {
        self.padded(TILE)
    }

    /// `[height, width]` of every sample of a tensor of which tiles read overlapping patches of `side` pixels.
    pub(super) fn padded(&self, side: usize) -> [usize; 2] {
        // A size that cannot be counted ends as one that `values` refuses.
        self.tile_grid().map(|tiles| tiles.saturating_mul(TILE).saturating_add(side - TILE))
    }

    /// Values of a tensor of this strip whose images are `[height, width]`.
    ///
    /// # Panics
    /// If they cannot be counted: pointers are computed from sizes whose product was compared with the length of a slice.
    pub(super) fn values(&self, [height, width]: [usize; 2], channels: usize) -> usize {
        let sizes = [self.samples, height, width, channels];
        sizes.into_iter().try_fold(1, usize::checked_mul).expect("winograd: a strip of more values than can be counted")
    }

    /// Tiles of all samples.
    pub fn tiles(&self) -> usize {
        let [rows, columns] = self.tile_grid();
        self.samples * rows * columns
    }

    /// Rows and columns of tiles of a sample.
    fn tile_grid(&self) -> [usize; 2] {
        [self.height.div_ceil(TILE), self.width.div_ceil(TILE)]
    }

    /// Where tile `index < tiles()` lies; tiles are counted along rows, then columns of tiles, then samples.
    pub(super) fn tile(&self, index: usize) -> TileAt {
        let [rows, columns] = self.tile_grid();
        TileAt { sample: index / (rows * columns), y: index / columns % rows * TILE, x: index % columns * TILE }
    }

    /// The tiles in as few nearly equal blocks of at most `most` tiles as possible.
    pub(super) fn blocks(&self, most: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
        let tiles = self.tiles();
        let blocks = tiles.div_ceil(most);
        (0..blocks).map(move |block| block * tiles / blocks..(block + 1) * tiles / blocks)
    }
}

/// The first output pixel of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TileAt {
    pub sample: usize,
    pub y: usize,
    pub x: usize,
}

/// How one matrix for each frequency lies in a slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrices {
    /// From one row to the next: the columns rounded up to whole panels, so that whole vectors can be stored.
    pub pitch: usize,
    /// From one matrix to the next.
    pub stride: usize,
}

impl Matrices {
    /// Matrices of `rows` rows of at least `columns` columns.
    ///
    /// The transforms walk through all 36 at once. Their distance is an odd number of cache lines, so that the 36 places
    /// fall into different sets of a first-level cache of 64 sets and not, at powers of two, all into one.
    ///
    /// # Panics
    /// If their values cannot be counted: pointers are computed from these sizes.
    pub fn new(rows: usize, columns: usize) -> Self {
        let counted = || {
            let pitch = columns.checked_next_multiple_of(PANEL)?;
            let stride = ((rows.checked_mul(pitch)? / LINE) | 1).checked_mul(LINE)?;
            FREQUENCIES.checked_mul(stride)?;
            Some(Self { pitch, stride })
        };
        counted().expect("winograd: matrices of more values than can be counted")
    }

    /// The matrix of one frequency.
    pub fn get<'a>(&self, frequency: usize, values: &'a [f32]) -> &'a [f32] {
        &values[frequency * self.stride..][..self.stride]
    }

    /// The matrix of one frequency.
    pub fn get_mut<'a>(&self, frequency: usize, values: &'a mut [f32]) -> &'a mut [f32] {
        &mut values[frequency * self.stride..][..self.stride]
    }

    /// Values of all of them.
    pub fn len(&self) -> usize {
        FREQUENCIES * self.stride
    }
}

/// f32 in a cache line of 64 bytes.
const LINE: usize = 16;

const _: () = assert!(PANEL.is_multiple_of(LINE));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_counted_in_memory_order() {
        let strip = Strip { samples: 2, height: 9, width: 5 };
        assert_eq!(strip.tiles(), 2 * 3 * 2);
        assert_eq!((strip.padded_input(), strip.padded_grad_output()), ([14, 10], [12, 8]));
        assert_eq!(strip.tile(3), TileAt { sample: 0, y: 4, x: 4 });
        assert_eq!(strip.tile(10), TileAt { sample: 1, y: 8, x: 0 });
    }

    #[test]
    #[should_panic(expected = "than can be counted")]
    fn a_strip_that_cannot_be_counted_is_refused() {
        let strip = Strip { samples: 1, height: usize::MAX, width: 1 };
        strip.values(strip.padded_grad_output(), 1);
    }

    #[test]
    fn matrices_that_cannot_be_counted_are_refused() {
        for sizes in [(1, usize::MAX), (usize::MAX, 16), (1, usize::MAX / FREQUENCIES)] {
            assert!(std::panic::catch_unwind(|| Matrices::new(sizes.0, sizes.1)).is_err(), "{sizes:?}");
        }
    }

    #[test]
    fn blocks_are_nearly_equal_and_cover_all_tiles() {
        for samples in 0..30 {
            let strip = Strip { samples, height: 12, width: 8 };
            let blocks: Vec<_> = strip.blocks(7).collect();
            assert_eq!(blocks.len(), (6 * samples).div_ceil(7));
            let mut next = 0;
            for block in blocks {
                assert_eq!(block.start, next);
                assert!((4..=7).contains(&block.len()), "{block:?}");
                next = block.end;
            }
            assert_eq!(next, strip.tiles());
        }
    }

    #[test]
    fn matrices_start_in_different_sets() {
        for (rows, columns) in [(32, 64), (24, 128), (7, 3), (1, 1)] {
            let matrices = Matrices::new(rows, columns);
            assert!(matrices.stride >= rows * matrices.pitch && matrices.pitch >= columns);
            let mut sets: Vec<usize> = (0..FREQUENCIES).map(|i| i * matrices.stride / LINE % 64).collect();
            sets.sort_unstable();
            sets.dedup();
            assert_eq!(sets.len(), FREQUENCIES);
        }
    }
}
