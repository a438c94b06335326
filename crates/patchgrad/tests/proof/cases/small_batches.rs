//! Batches of few images, which are cut into rows to keep threads busy.
//!
//! The engine does not cut off less than a quarter of a million multiply-adds; an image here takes at least twice as many.

use super::{Conv2dCase, ConvTranspose2dCase, Convolution, Size};
use patchgrad::ops::{Conv2dSpec, ConvTranspose2dSpec};

/// `batch` images each.
pub fn small_batches(batch: usize) -> Vec<Convolution> {
    let conv = |name, [height, width, channels]: [usize; 3], out_channels, spec| {
        let input = [batch, height, width, channels];
        Convolution::Plain(Conv2dCase { name, input, out_channels, spec, bias: true, size: Size::ManyChunks })
    };
    let transposed = |name, [height, width, channels]: [usize; 3], out_channels, spec| {
        let input = [batch, height, width, channels];
        Convolution::Transposed(ConvTranspose2dCase {
            name,
            input,
            out_channels,
            spec,
            bias: true,
            size: Size::ManyChunks,
        })
    };
    type Spec = Conv2dSpec;
    type Transpose = ConvTranspose2dSpec;
    let padded = Spec { padding: [1, 1], ..Spec::new([3, 3]) };
    let back = Transpose { padding: [1, 1], ..Transpose::new([3, 3]) };
    vec![
        conv("odd_channels", [24, 18, 9], 17, padded),
        // Enough channels for Winograd's algorithm, enough rows for several strips of whole tiles.
        conv("many_channels", [32, 8, 16], 17, padded),
        conv("height_of_no_divisor", [13, 24, 12], 18, padded),
        conv("stride_2", [32, 32, 8], 40, Spec { stride: [2, 2], ..padded }),
        conv("patches", [32, 32, 16], 40, Spec { stride: [2, 2], ..Spec::new([2, 2]) }),
        conv("groups", [24, 16, 24], 24, Spec { groups: 2, ..padded }),
        transposed("many_channels", [32, 8, 16], 16, back),
        transposed("patches", [16, 16, 24], 24, Transpose { stride: [2, 2], ..Transpose::new([2, 2]) }),
        // Nine phases of pixels, three for every row of the image.
        transposed("few_channels", [20, 16, 64], 3, Transpose { stride: [3, 3], ..back }),
        transposed("overlap", [16, 18, 16], 8, Transpose { stride: [2, 2], padding: [1, 1], ..Transpose::new([4, 4]) }),
    ]
}
