//! 3x3 convolution of stride 1 with a quarter of the multiplications: Winograd's minimal filtering F(4x4, 3x3).
//!
//! A tile `d` of 6x6 input pixels holds all that 4x4 output pixels need. Read as coefficients of polynomials, tile and kernel
//! are evaluated at the points 0, 1, -1, 2, -2 and infinity in both directions, multiplied there, and the product is turned
//! back:
//!
//! ```text
//! y  =  A^T [ (G g G^T) . (B^T d B) ] A            36 multiplications for 16 outputs of 9 terms each
//! ```
//!
//! The transforms have small constant matrices. They are paid once per tile and channel, while the product between them runs
//! over input *and* output channels: at each of the 36 points, called frequencies here, it is a product of matrices
//! `[tiles, C] x [C, O]`, and [`product`](crate::product) does it.
//!
//! | pass | left | right | result |
//! |---|---|---|---|
//! | [`Convolution`], forward | `B^T x B`: [tiles, C] | `G w G^T`: [C, O] | `A^T . A`: output |
//! | [`Convolution`], gradient of the input | `B^T dy B`: [tiles, O] | `G w' G^T`, `w'` mirrored: [O, C] | `A^T . A`: gradient |
//! | [`WeightGradient`] | `B^T x B`, transposed: [C, tiles] | `A dy A^T`: [tiles, O] | `G^T . G`: gradient |
//!
//! The last row is the adjoint of the first in the weight. Vectors run along the channels in all of them: a transform handles
//! as many channels at once as a register has lanes, and the algorithm is written once for all of them.
//!
//! A block of [`TILES_PER_BLOCK`] tiles goes from input to output before the next one starts, so that what lies between, 2.25
//! times the size of the input and of the output of the block, stays in the caches.
//!
//! # Error
//! Results differ from exact ones more than those of a direct sum do, because the transforms add values of different size.
//! For normal inputs and weights the root mean square of the error, relative to that of the result, was measured between 7e-7
//! (4 channels) and 5e-6 (512 channels), the largest error of one value at 4e-5 of it; tests assert 1e-5 and 1e-4. The
//! gradient of the weight stays near 1e-6 and 2e-5. Small integers do not come out exact, and an infinity or NaN in the
//! input reaches all 16 outputs of its tiles.
//!
//! # References
//! Winograd: "Arithmetic complexity of computations" (1980). Lavin, Gray: "Fast algorithms for convolutional neural networks",
//! arXiv 1509.09308, whose matrices these are.

mod convolution;
mod strip;
#[cfg(test)]
mod tests;
mod tiles;
mod transform;
mod weight;
mod weight_gradient;

pub use convolution::Convolution;
pub use strip::{Strip, TILE};
pub use weight::Pass;
pub use weight_gradient::WeightGradient;

/// Taps on a side of the kernel.
pub const KERNEL: usize = 3;

/// Taps of the kernel.
const TAPS: usize = KERNEL * KERNEL;

/// Frequencies of a tile: the products that stand for the 9 x 16 multiplications of a tile of output pixels.
pub const FREQUENCIES: usize = 36;

/// Tiles that are transformed before they are multiplied; a strip of more is cut into blocks of nearly equal size.
///
/// Each block reads the whole transformed weight, which rarely fits the second-level cache: the more tiles, the less that
/// costs. From 36 to 72 tiles, times were within 10 % of each other up to 128 channels; with 256, 12 tiles were clearly
/// slower.
///
/// Strips of about 48 tiles, or of many more, make good blocks: several images when images are small.
pub const TILES_PER_BLOCK: usize = 48;

/// Channels of a pixel on both sides of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// Of the input.
    pub input: usize,
    /// Of the output.
    pub output: usize,
}

impl Channels {
    /// Values of a weight `[3, 3, input, output]`.
    ///
    /// # Panics
    /// If they cannot be counted: pointers are computed from these sizes.
    fn weight_len(self) -> usize {
        let kernels = self.input.checked_mul(self.output);
        kernels
            .and_then(|kernels| kernels.checked_mul(TAPS))
            .expect("winograd: a weight of more values than can be counted")
    }
}
