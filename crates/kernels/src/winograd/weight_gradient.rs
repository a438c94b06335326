//! The gradient of the weight: the adjoint of the forward pass in the weight.

use super::{
    Channels, FREQUENCIES, TAPS, TILES_PER_BLOCK,
    strip::{Matrices, Strip},
    tiles::{Tiles, transform_grad_output, transform_input},
    weight::transform_grad_weight,
};
use crate::product::{Right, Row, Segment, Start, Table, product};

/// The gradient of the weight of a 3x3 convolution of stride 1: strips add to sums, one for each frequency, and the sums are
/// transformed once.
///
/// # Example
/// The kernel's gradient is what the input holds around a pixel whose gradient is 1.
/// ```
/// use patchgrad_kernels::winograd::{Channels, Strip, WeightGradient};
///
/// let gradient = WeightGradient::new(Channels { input: 1, output: 1 });
/// let strip = Strip { samples: 1, height: 1, width: 1 };
/// let input: Vec<f32> = (0..36).map(|i| if i / 6 < 3 && i % 6 < 3 { (i / 6 * 3 + i % 6) as f32 } else { 0.0 }).collect();
/// let mut grad_output = [0.0; 16]; // one tile, 15 pixels of it padding
/// grad_output[0] = 1.0;
/// let (mut scratch, mut sums) = (vec![0.0; gradient.scratch_len()], vec![0.0; gradient.sums_len()]);
/// gradient.add(strip, &input, &grad_output, &mut scratch, &mut sums);
/// let mut grad_weight = [f32::NAN; 9];
/// gradient.finish(&sums, &mut grad_weight);
/// for (tap, got) in grad_weight.iter().enumerate() {
///     assert!((got - tap as f32).abs() < 1e-5);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct WeightGradient {
    channels: Channels,
    /// Table `n - 1` is that of a block of `n` tiles: a row is an input channel, the terms are the tiles.
    tables: Vec<Table>,
    input: Matrices,
    grad: Matrices,
    /// All `[input, output]` channels of a frequency as one row.
    sums: Matrices,
}

impl WeightGradient {
    /// For a weight `[3, 3, channels.input, channels.output]`.
    ///
    /// # Panics
    /// If its values cannot be counted.
    pub fn new(channels: Channels) -> Self {
        let sums = Matrices::new(1, channels.weight_len() / TAPS);
        let input = Matrices::new(TILES_PER_BLOCK, channels.input);
        let grad = Matrices::new(TILES_PER_BLOCK, channels.output);
        let rows: Vec<Row> = (0..channels.input).map(|c| Row { a: c, out: c * channels.output }).collect();
        let table = |tiles| Table::new(rows.clone(), [Segment { a: 0, b: 0, len: tiles }], input.pitch);
        let tables = (1..=TILES_PER_BLOCK).map(table).collect();
        Self { channels, tables, input, grad, sums }
    }

    /// Values of the sums.
    pub fn sums_len(&self) -> usize {
        self.sums.len()
    }

    /// Values of scratch memory for [`add`](Self::add).
    pub fn scratch_len(&self) -> usize {
        self.input.len() + self.grad.len()
    }

    /// `sums += (B^T d B) (A g A^T)`, summed over the tiles of a strip. The caller starts with sums of 0; sums of
    /// different strips may be added value by value.
    ///
    /// Terms are summed tile by tile in blocks of about 48, each added to what `sums` holds so far.
    ///
    /// # Shapes
    /// `input` [samples, padded height, padded width, channels.input], see [`Strip::padded_input`]; `grad_output` [samples,
    /// padded height, padded width, channels.output], see [`Strip::padded_grad_output`]; `scratch` anything, [`scratch_len`]
    /// long; `sums` [`sums_len`] long, in an order of its own.
    ///
    /// [`scratch_len`]: Self::scratch_len
    /// [`sums_len`]: Self::sums_len
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn add(&self, strip: Strip, input: &[f32], grad_output: &[f32], scratch: &mut [f32], sums: &mut [f32]) {
        assert_eq!(sums.len(), self.sums_len(), "winograd: the sums");
        assert_eq!(scratch.len(), self.scratch_len(), "winograd: scratch memory");
        let [input_len, grad_len] = [
            strip.values(strip.padded_input(), self.channels.input),
            strip.values(strip.padded_grad_output(), self.channels.output),
        ];
        assert_eq!([input.len(), grad_output.len()], [input_len, grad_len], "winograd: the padded strips");
        let (transformed, grad) = scratch.split_at_mut(self.input.len());
        for block in strip.blocks(TILES_PER_BLOCK) {
            let table = &self.tables[block.len() - 1];
            let tiles = Tiles { strip, tiles: block, matrices: self.input };
            transform_input(&tiles, self.channels.input, input, transformed);
            let tiles = Tiles { matrices: self.grad, ..tiles };
            transform_grad_output(&tiles, self.channels.output, grad_output, grad);
            for frequency in 0..FREQUENCIES {
                product(
                    table,
                    self.input.get(frequency, transformed),
                    Right::in_place(self.grad.get(frequency, grad), self.grad.pitch),
                    self.channels.output,
                    Start::Out,
                    self.sums.get_mut(frequency, sums),
                );
            }
        }
    }

    /// `G^T sums G`: the gradient of the weight.
    ///
    /// # Shapes
    /// `sums` from [`add`](Self::add); `grad_weight` [3, 3, channels.input, channels.output], overwritten.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn finish(&self, sums: &[f32], grad_weight: &mut [f32]) {
        transform_grad_weight(self.sums, self.channels.input * self.channels.output, sums, grad_weight);
    }
}
