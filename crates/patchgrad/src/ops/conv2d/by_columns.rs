//! Forward and gradient of the input where few pixels meet a whole weight: each thread computes some columns, for all pixels.
//!
//! [`direct`](super::direct) cuts the pixels into strips. With a mini-batch of single pixels, as in a linear layer, in training on
//! patches, or at the top of a stack that sees whole pictures, a strip is a few rows: less than a register tile, and each strip reads
//! the whole weight again, which may be larger than the cache. Here the columns are cut. A piece packs its columns of the weight into
//! memory that stays in the cache, and reads them for all rows: the weight comes from memory once. A few rows read it where it lies.
//!
//! Where the gradient of the input has long sums, [`by_weight_rows`](super::by_weight_rows) spares the packing.
//!
//! The rows of the product are consecutive: the windows cover whole images, or are single pixels next to each other. The terms of a
//! sum come in the order in which `direct` takes them, so both give the same bits.

use super::{Conv2dDims, Epilogue, Pass, operands::activate, strips::SMALLEST_PIECE};
use crate::{
    Workspace,
    parallel::{self, Scratch},
};
use patchgrad_kernels::{
    dot::MOST_COLUMNS,
    isa::Isa,
    pack::{pack_panel, pack_rows, packed_len},
    product::{PANEL, Right, Row, Segment, Start, Table, product},
};

/// With more rows than this the strips of [`direct`](super::direct) are at least half a register tile.
const MOST_ROWS: usize = 128;

/// The same where strips do not find the weight in the cache. With still more rows, these are what does not fit.
const MOST_ROWS_OF_LARGE_WEIGHT: usize = 512;

/// A large weight: 256 KiB.
const LARGE_WEIGHT: usize = 1 << 16;

/// So few rows read the weight where it lies: a packed copy would be read too rarely to pay for the packing. That is a register tile of
/// AVX-512 (with 16 rows packing is faster), whose two vectors are two lines of the cache; the narrower ones of other instruction sets
/// touch memory in too short pieces but in the wide tiles of one and two rows.
fn most_rows_in_place() -> usize {
    if Isa::active() == Isa::Avx512 { 12 } else { 2 }
}

/// Values of a piece of the packed weight, at most, but for the narrowest piece: half a megabyte, of a second-level cache of one or two.
const LARGEST_PIECE: usize = 1 << 17;

/// Columns of the narrowest piece: two vectors of any instruction set.
const NARROWEST_PIECE: usize = 32;

/// Pieces, at least, where columns and work suffice: so that threads have something to share.
pub(super) const FEWEST_PIECES: usize = 8;

/// The table of a product of two whole matrices, `[rows, terms]` by `[terms, columns]`.
pub(super) fn whole_rows(rows: usize, terms: usize, columns: usize) -> Table {
    let rows = (0..rows).map(|row| Row { a: row * terms, out: row * columns }).collect();
    Table::new(rows, [Segment { a: 0, b: 0, len: terms }], 1)
}

/// What the computation needs to know; made once for a shape.
#[derive(Debug)]
pub(crate) struct ByColumns {
    pass: Pass,
    rows: usize,
    terms: usize,
    columns: usize,
    /// Whether the weight is read where it lies.
    in_place: bool,
    /// Columns of a piece; the last may have fewer.
    columns_per_piece: usize,
    /// The products of a piece, and of the last one.
    tables: [Table; 2],
    /// The numbers of the terms, as [`pack_panel`] wants to know them.
    term_numbers: Vec<usize>,
}

impl ByColumns {
    /// Whether it covers the sizes and pays.
    pub(super) fn pays(dims: &Conv2dDims, pass: Pass) -> bool {
        let window = &dims.window;
        let whole = window.kernel_size == window.input && window.dilation == [1, 1];
        let single = window.kernel_size == [1, 1] && window.stride == [1, 1];
        // `direct` sums few columns in another order.
        let columns = if pass == Pass::Forward { dims.out_channels } else { dims.in_channels };
        let is_large = dims.patch_len() * dims.out_channels >= LARGE_WEIGHT;
        let most_rows = if is_large { MOST_ROWS_OF_LARGE_WEIGHT } else { MOST_ROWS };
        dims.groups == 1
            && window.padding == [0, 0]
            && (whole || single)
            && dims.rows() <= most_rows
            && columns > MOST_COLUMNS
    }

    pub(super) fn new(dims: &Conv2dDims, pass: Pass) -> Self {
        let (rows, patch) = (dims.rows(), dims.patch_len());
        let (terms, columns) = match pass {
            Pass::Forward => (patch, dims.out_channels),
            _ => (dims.out_channels, patch),
        };
        let in_place = pass == Pass::Forward && rows <= most_rows_in_place() && columns.is_multiple_of(PANEL);
        let most = if in_place { columns } else { LARGEST_PIECE / terms }.min(columns.div_ceil(FEWEST_PIECES));
        let worth_a_thread = SMALLEST_PIECE.div_ceil(rows * terms);
        let columns_per_piece = most.max(worth_a_thread).next_multiple_of(NARROWEST_PIECE).min(columns);
        let last = columns - (columns - 1) / columns_per_piece * columns_per_piece;
        let tables = [columns_per_piece, last].map(|width| whole_rows(rows, terms, width));
        Self { pass, rows, terms, columns, in_place, columns_per_piece, tables, term_numbers: (0..terms).collect() }
    }

    /// Computes the product, with bias and activation.
    ///
    /// # Shapes
    /// `source` [rows, terms]; `weight` [terms, columns], for the gradient of the input [columns, terms]; `output` [rows, columns].
    pub(super) fn run(
        &self,
        source: &[f32],
        weight: &[f32],
        epilogue: Epilogue,
        output: &mut [f32],
        workspace: &mut Workspace,
    ) {
        let Self { rows, terms, columns, columns_per_piece, .. } = *self;
        let piece_len = if self.in_place { 0 } else { packed_len(terms, columns_per_piece) };
        let pieces = columns.div_ceil(columns_per_piece);
        // A bias belongs to a channel, and columns of the gradient of the input are channels of every tap.
        let mut bias = workspace.take_buffer(if epilogue.bias.is_some() { columns } else { 0 });
        if let Some(of_channels) = epilogue.bias {
            bias.chunks_exact_mut(of_channels.len()).for_each(|tap| tap.copy_from_slice(of_channels));
        }
        let mut memory = workspace.take_buffer(Scratch::total_len(piece_len, pieces));
        let scratch = Scratch::new(&mut memory, piece_len);
        let compute = |piece: usize, to: &mut [f32]| {
            let width = to.len() / rows;
            let first = piece * columns_per_piece;
            let table = &self.tables[usize::from(piece + 1 == pieces)];
            let start = if bias.is_empty() { Start::Zero } else { Start::Bias(&bias[first..][..width]) };
            if self.in_place {
                product(table, source, Right::in_place(&weight[first..], columns), width, start, to);
            } else {
                scratch.with(|packed| {
                    let packed = &mut packed[..packed_len(terms, width)];
                    self.pack(weight, first, width, packed);
                    product(table, source, Right::packed(packed, terms), width, start, to);
                });
            }
            activate(epilogue.activation, to);
        };
        if pieces == 1 {
            compute(0, output);
            workspace.give_buffer(bias);
            return workspace.give_buffer(memory);
        }
        // Piece after piece, each [rows, columns of the piece]: a piece has to lie in one slice that its thread may write.
        let mut results = workspace.take_buffer(rows * columns);
        parallel::for_each_chunk(&mut results, rows * columns_per_piece, compute);
        let rows_per_chunk = (parallel::ELEMENTS_PER_CHUNK / columns).max(1);
        parallel::for_each_chunk(output, rows_per_chunk * columns, |chunk, to| {
            for (i, to) in to.chunks_exact_mut(columns).enumerate() {
                let row = chunk * rows_per_chunk + i;
                for (to, piece) in to.chunks_mut(columns_per_piece).zip(results.chunks(rows * columns_per_piece)) {
                    to.copy_from_slice(&piece[row * to.len()..][..to.len()]);
                }
            }
        });
        workspace.give_buffer(results);
        workspace.give_buffer(bias);
        workspace.give_buffer(memory);
    }

    /// Writes the columns `first..first + width` of the weight as the product reads them.
    fn pack(&self, weight: &[f32], first: usize, width: usize, packed: &mut [f32]) {
        match self.pass {
            Pass::Forward => pack_rows(width, &weight[first..], self.columns, packed),
            _ => {
                let from = &weight[first * self.terms..];
                for (panel, to) in packed.chunks_exact_mut(self.terms * PANEL).enumerate() {
                    pack_panel(panel, width, from, &self.term_numbers, self.terms, to);
                }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ops::{
        Activation, Conv2dSpec, ConvAlgorithm,
        conv2d::{Images, direct::Correlation},
    };

    /// Of a direct convolution without padding.
    pub(in crate::ops::conv2d) fn dims(input: [usize; 4], kernel_size: [usize; 2], out_channels: usize) -> Conv2dDims {
        let spec = Conv2dSpec { algorithm: ConvAlgorithm::Direct, ..Conv2dSpec::new(kernel_size) };
        let weight = [kernel_size[0], kernel_size[1], input[3], out_channels];
        spec.resolve(input.into(), weight.into(), None).unwrap()
    }

    /// Different values in [-1, 1].
    pub(in crate::ops::conv2d) fn values(len: usize, seed: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7919 + seed * 104_729) % 10_007) as f32 / 5_003.0 - 1.0).collect()
    }

    /// Single rows, more rows than a tile, columns that fill no panel, terms beyond a block, pieces of every width.
    fn covered() -> Vec<Conv2dDims> {
        vec![
            dims([32, 1, 1, 5], [1, 1], 5),
            dims([32, 4, 4, 8], [4, 4], 16),
            dims([1, 1, 1, 512], [1, 1], 300),
            dims([1, 1, 1, 512], [1, 1], 304),
            dims([2, 1, 1, 3000], [1, 1], 1040),
            dims([2, 6, 5, 8], [6, 5], 160),
            dims([11, 1, 1, 300], [1, 1], 1040),
            dims([64, 1, 1, 300], [1, 1], 1000),
            dims([33, 1, 1, 5000], [1, 1], 37),
            dims([7, 1, 1, 64], [1, 1], 4100),
            dims([3, 9, 7, 160], [1, 1], 420),
            dims([40, 7, 7, 32], [7, 7], 200),
            dims([5, 4, 6, 33], [4, 6], 100),
        ]
    }

    #[test]
    fn the_bits_are_those_of_strips() {
        let workspace = &mut Workspace::new();
        for dims in covered() {
            let bias = values(dims.out_channels.max(dims.in_channels), 3);
            let of = |channels: usize| Epilogue { bias: Some(&bias[..channels]), activation: Activation::Tanh };
            let [forward, transposed] = [dims.out_channels, dims.in_channels].map(of);
            let plain = Epilogue::bias(None);
            for (pass, from, to, epilogue) in [
                (Pass::Forward, dims.input(), dims.output(), forward),
                (Pass::Forward, dims.input(), dims.output(), plain),
                (Pass::GradInput, dims.output(), dims.input(), transposed),
                (Pass::GradInput, dims.output(), dims.input(), plain),
            ] {
                assert!(ByColumns::pays(&dims, pass), "{dims:?} {pass}");
                let (source, weight) = (values(from.len(), 1), values(dims.weight().len(), 2));
                let (mut expected, mut got) = (vec![f32::NAN; to.len()], vec![f32::NAN; to.len()]);
                let strips = Correlation::new(&dims, pass, false, false);
                strips.run(Images::dense(&source), &weight, epilogue, &mut expected, None, workspace);
                ByColumns::new(&dims, pass).run(&source, &weight, epilogue, &mut got, workspace);
                assert!(got == expected, "{dims:?} {pass}");
            }
        }
    }

    #[test]
    fn few_rows_read_whole_panels_where_they_lie() {
        let in_place = |dims: &Conv2dDims, pass| ByColumns::new(dims, pass).in_place;
        let covered = covered();
        let found: Vec<bool> = covered.iter().map(|dims| in_place(dims, Pass::Forward)).collect();
        let in_place_of: Vec<bool> = covered
            .iter()
            .map(|dims| dims.rows() <= most_rows_in_place() && dims.out_channels.is_multiple_of(PANEL))
            .collect();
        assert!(found == in_place_of && found.iter().filter(|found| **found).count() >= 3, "{found:?}");
        assert!(covered.iter().all(|dims| !in_place(dims, Pass::GradInput)));
    }

    #[test]
    fn other_windows_and_many_pixels_are_left_to_strips() {
        let pays = |dims: &Conv2dDims| ByColumns::pays(dims, Pass::Forward);
        assert!(!pays(&dims([2, 8, 8, 64], [3, 3], 128)), "windows that overlap");
        assert!(!pays(&dims([2, 8, 8, 64], [1, 8], 128)), "windows that cover a row");
        assert!(pays(&dims([512, 1, 1, 1024], [1, 1], 64)) && !pays(&dims([513, 1, 1, 1024], [1, 1], 64)));
        assert!(pays(&dims([2, 8, 8, 64], [1, 1], 64)) && !pays(&dims([3, 8, 8, 64], [1, 1], 64)));
        let gray = dims([64, 32, 32, 1], [32, 32], 128);
        assert!(pays(&gray) && !ByColumns::pays(&gray, Pass::GradInput), "few columns are summed in another order");
    }
}
