//! The geometry of a window that slides over an image: shared by convolution, im2col and pooling.

use std::ops::Range;

/// A kernel of `kernel_size` taps that slides over an `input` plane and visits an `output` plane of positions.
///
/// Every pair is `[height, width]`. Output position `o` reads, along one axis, the input positions
/// `o * stride - padding + t * dilation` for the taps `t` in `0..kernel_size`; those outside the input are padding.
///
/// The struct holds sizes that were already checked against each other (the engine's specs do that); the methods
/// only compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window2d {
    /// Size of the input plane.
    pub input: [usize; 2],
    /// Number of window positions.
    pub output: [usize; 2],
    /// Number of taps.
    pub kernel_size: [usize; 2],
    /// Distance between neighbouring window positions, in input pixels.
    pub stride: [usize; 2],
    /// Rows and columns of padding on either side of the input.
    pub padding: [usize; 2],
    /// Distance between neighbouring taps, in input pixels.
    pub dilation: [usize; 2],
}

impl Window2d {
    /// Pixels of the input plane, `H * W`.
    pub fn input_len(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Positions of the output plane, `OH * OW`.
    pub fn output_len(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Taps of the kernel, `KH * KW`.
    pub fn taps(&self) -> usize {
        self.kernel_size[0] * self.kernel_size[1]
    }

    /// The taps along `axis` (0 = height, 1 = width) that fall on the input at output position `position`, and the
    /// input position of the first of them. Tap `t` of the range reads `first + (t - range.start) * dilation`.
    /// The range is empty when the window lies wholly in the padding.
    #[inline]
    pub fn taps_inside(&self, axis: usize, position: usize) -> (Range<usize>, usize) {
        let start = position * self.stride[axis];
        let (padding, dilation) = (self.padding[axis], self.dilation[axis]);
        // Tap t reads start + t * dilation - padding. It is inside from the first t where that is >= 0 ...
        let first_tap = padding.saturating_sub(start).div_ceil(dilation);
        // ... to the last t where it is < input.
        let end_tap = (self.input[axis] + padding).saturating_sub(start).div_ceil(dilation).min(self.kernel_size[axis]);
        if first_tap >= end_tap {
            return (0..0, 0);
        }
        (first_tap..end_tap, start + first_tap * dilation - padding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_inside_agrees_with_the_definition() {
        for input in 1..6 {
            for kernel in 1..5 {
                for stride in 1..4 {
                    for padding in 0..4 {
                        for dilation in 1..4 {
                            let window = Window2d {
                                input: [input, 1],
                                output: [8, 1],
                                kernel_size: [kernel, 1],
                                stride: [stride, 1],
                                padding: [padding, 0],
                                dilation: [dilation, 1],
                            };
                            for position in 0..8 {
                                let expected: Vec<(usize, usize)> = (0..kernel)
                                    .filter_map(|tap| {
                                        let at = (position * stride + tap * dilation).checked_sub(padding)?;
                                        (at < input).then_some((tap, at))
                                    })
                                    .collect();
                                let (taps, first) = window.taps_inside(0, position);
                                let start = taps.start;
                                let got: Vec<(usize, usize)> =
                                    taps.map(|tap| (tap, first + (tap - start) * dilation)).collect();
                                assert_eq!(got, expected, "{window:?} at {position}");
                            }
                        }
                    }
                }
            }
        }
    }
}
