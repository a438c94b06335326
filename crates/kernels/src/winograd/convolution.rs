//! Forward, and the gradient of the input: the same with the kernel mirrored.

use super::{
    Channels, FREQUENCIES, TILES_PER_BLOCK,
    strip::{Matrices, Strip},
    tiles::{OutputChannels, Tiles, transform_input, transform_output},
    weight::{Pass, transform_weight},
};
use crate::product::{Right, Row, Segment, Start, Table, product};
use std::ops::Range;

/// Output channels that go through products and output transform before the next ones: their products for all frequencies,
/// 9 KiB a tile, are read back while they are near. Groups of 32 and of 128 were as fast.
const GROUP: usize = 64;

/// A 3x3 convolution of stride 1 with a given number of channels on both sides.
///
/// # Example
/// One pixel of the image is 1, all others 0; the kernel counts 1 to 9, and comes out mirrored.
/// ```
/// use patchgrad_kernels::winograd::{Channels, Convolution, Pass, Strip};
///
/// let convolution = Convolution::new(Channels { input: 1, output: 1 });
/// let weight: Vec<f32> = (1..10).map(|tap| tap as f32).collect();
/// let mut transformed = vec![0.0; convolution.weight_len()];
/// convolution.transform_weight(Pass::Forward, &weight, 0, &mut transformed);
///
/// let strip = Strip { samples: 1, height: 3, width: 3 };
/// let [_, width] = strip.padded_input();
/// let mut input = vec![0.0; 6 * width];
/// input[2 * width + 2] = 1.0; // pixel (1, 1), after one row and one column of padding
/// let mut scratch = vec![0.0; convolution.scratch_len()];
/// let mut out = [0.0; 9];
/// convolution.run(strip, &transformed, &input, None, &mut scratch, &mut out);
/// for (got, expected) in out.iter().zip([9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]) {
///     assert!((got - expected).abs() < 1e-5);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Convolution {
    channels: Channels,
    /// Table `n - 1` is that of a block of `n` tiles: a row is a tile, the terms are its input channels.
    tables: Vec<Table>,
    input: Matrices,
    /// The products of one group of output channels.
    output: Matrices,
}

impl Convolution {
    /// From `channels.input` to `channels.output` channels. For the gradient of the input these are `O` and `C` of a weight
    /// `[3, 3, C, O]`.
    ///
    /// # Panics
    /// If there are no input channels, or the values of the weight cannot be counted.
    pub fn new(channels: Channels) -> Self {
        channels.weight_len();
        assert!(channels.input > 0, "winograd: a convolution needs an input channel");
        let input = Matrices::new(TILES_PER_BLOCK, channels.input);
        let output = Matrices::new(TILES_PER_BLOCK, channels.output.min(GROUP));
        let rows: Vec<Row> = (0..TILES_PER_BLOCK).map(|t| Row { a: t * input.pitch, out: t * output.pitch }).collect();
        let terms = Segment { a: 0, b: 0, len: channels.input };
        let tables = (1..=TILES_PER_BLOCK).map(|tiles| Table::new(rows[..tiles].to_vec(), [terms], 1)).collect();
        Self { channels, tables, input, output }
    }

    /// Values of the transformed weight: 4 for each of the 9 `C O` of the weight, and padding.
    pub fn weight_len(&self) -> usize {
        (0..self.weight_parts()).map(|part| self.weight_part(part).1.len()).sum()
    }

    /// Parts that the transformed weight is made of, one after the other.
    pub fn weight_parts(&self) -> usize {
        self.channels.output.div_ceil(GROUP)
    }

    /// Values of every part of the transformed weight but the last, which may be shorter: `chunks_mut` of this length are
    /// the parts.
    pub fn weight_part_len(&self) -> usize {
        Matrices::new(self.channels.input, self.channels.output.min(GROUP)).len()
    }

    /// The output channels of a part of the weight, and how its matrices `[input, those channels]` lie.
    fn weight_part(&self, part: usize) -> (Range<usize>, Matrices) {
        let channels = part * GROUP..self.channels.output.min((part + 1) * GROUP);
        let matrices = Matrices::new(self.channels.input, channels.len());
        (channels, matrices)
    }

    /// Transforms one part of the weight: `G g G^T` of every kernel.
    ///
    /// # Shapes
    /// `weight` [3, 3, channels.input, channels.output] for [`Pass::Forward`], [3, 3, channels.output, channels.input] for
    /// [`Pass::GradInput`]: the same array in both cases. `to` part `part < weight_parts()`, overwritten.
    ///
    /// # Panics
    /// If a length or the part is wrong.
    pub fn transform_weight(&self, pass: Pass, weight: &[f32], part: usize, to: &mut [f32]) {
        assert!(part < self.weight_parts(), "winograd: part {part} of {}", self.weight_parts());
        let (part, matrices) = self.weight_part(part);
        transform_weight(pass, self.channels, weight, part, matrices, to);
    }

    /// Values of scratch memory for [`run`](Self::run).
    pub fn scratch_len(&self) -> usize {
        self.input.len() + self.output.len()
    }

    /// `out = bias + convolution of input and weight`, for the output pixels of a strip.
    ///
    /// The bits of a pixel do not depend on the strip that it is computed in.
    ///
    /// # Shapes
    /// `weight` from [`transform_weight`](Self::transform_weight), all parts; `input` [samples, padded height, padded width,
    /// channels.input], see [`Strip::padded_input`]; `bias` [channels.output]; `scratch` anything, [`scratch_len`] long;
    /// `out` [samples, height, width, channels.output], overwritten.
    ///
    /// [`scratch_len`]: Self::scratch_len
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn run(
        &self,
        strip: Strip,
        weight: &[f32],
        input: &[f32],
        bias: Option<&[f32]>,
        scratch: &mut [f32],
        out: &mut [f32],
    ) {
        assert_eq!(weight.len(), self.weight_len(), "winograd: the transformed weight");
        assert_eq!(scratch.len(), self.scratch_len(), "winograd: scratch memory");
        let [input_len, out_len] = [
            strip.values(strip.padded_input(), self.channels.input),
            strip.values([strip.height, strip.width], self.channels.output),
        ];
        assert_eq!([input.len(), out.len()], [input_len, out_len], "winograd: the padded strip and the output");
        assert!(bias.is_none_or(|bias| bias.len() == self.channels.output), "winograd: one bias for each channel");
        let (transformed, products) = scratch.split_at_mut(self.input.len());
        for block in strip.blocks(TILES_PER_BLOCK) {
            let table = &self.tables[block.len() - 1];
            let tiles = Tiles { strip, tiles: block, matrices: self.input };
            transform_input(&tiles, self.channels.input, input, transformed);
            let tiles = Tiles { matrices: self.output, ..tiles };
            for (part, weight) in weight.chunks(self.weight_part_len()).enumerate() {
                let (some, matrices) = self.weight_part(part);
                self.products(table, transformed, weight, matrices, products);
                let channels = OutputChannels { all: self.channels.output, some, bias };
                transform_output(&tiles, &channels, products, out);
            }
        }
    }

    /// For every frequency, `[tiles, input] x [input, group]`.
    fn products(&self, table: &Table, input: &[f32], weight: &[f32], matrices: Matrices, products: &mut [f32]) {
        for frequency in 0..FREQUENCIES {
            let weight = &weight[frequency * matrices.stride..][..self.channels.input * matrices.pitch];
            product(
                table,
                self.input.get(frequency, input),
                Right::packed(weight, self.channels.input),
                // Whole panels: the columns behind the last channel of the weight are 0.
                matrices.pitch,
                Start::Zero,
                self.output.get_mut(frequency, products),
            );
        }
    }
}
