//! Batches of few images, which are cut into rows to keep threads busy.

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
        conv("odd_channels", [12, 9, 5], 6, padded),
        // Enough channels for Winograd's algorithm, enough rows for several strips of whole tiles.
        conv("many_channels", [32, 5, 16], 17, padded),
        conv("height_of_no_divisor", [13, 6, 4], 7, padded),
        conv("stride_2", [17, 8, 3], 7, Spec { stride: [2, 2], ..padded }),
        conv("patches", [16, 12, 3], 5, Spec { stride: [2, 2], ..Spec::new([2, 2]) }),
        conv("groups", [12, 5, 4], 6, Spec { groups: 2, ..padded }),
        transposed("many_channels", [32, 5, 16], 16, back),
        transposed("patches", [8, 6, 6], 4, Transpose { stride: [2, 2], ..Transpose::new([2, 2]) }),
        // 15 rows in three phases.
        transposed("few_channels", [5, 4, 9], 3, Transpose { stride: [3, 2], ..back }),
        transposed("overlap", [8, 6, 5], 3, Transpose { stride: [2, 2], padding: [1, 1], ..Transpose::new([4, 4]) }),
    ]
}
