//! What max and average pooling share: options, checked sizes, and the rule of `ceil_mode`.

use super::conv2d::{check_option, image};
use crate::{Shape, ShapeError, error::Pair};
use patchgrad_kernels::window::Window2d;

/// The options of a pooling, before the input is known.
pub(super) struct PoolOptions {
    pub(super) kernel_size: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) padding: [usize; 2],
    pub(super) dilation: [usize; 2],
    pub(super) ceil_mode: bool,
}

/// The checked sizes of one pooling. No window lies wholly in the padding. Kernels trust it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PoolDims {
    /// N, the number of images.
    pub batch: usize,
    /// C, the number of channels; each is pooled by itself.
    pub channels: usize,
    /// The window: input plane, output plane, kernel, stride, padding, dilation.
    pub window: Window2d,
}

impl PoolDims {
    /// `[N, H, W, C]`.
    pub fn input(&self) -> Shape {
        let [h, w] = self.window.input;
        Shape::from([self.batch, h, w, self.channels])
    }

    /// `[N, OH, OW, C]`.
    pub fn output(&self) -> Shape {
        let [h, w] = self.window.output;
        Shape::from([self.batch, h, w, self.channels])
    }

    /// Values of one sample before pooling.
    pub(super) fn input_len(&self) -> usize {
        self.window.input_len() * self.channels
    }

    /// Values of one sample after pooling.
    pub(super) fn output_len(&self) -> usize {
        self.window.output_len() * self.channels
    }
}

impl PoolOptions {
    /// The sizes for an `input` `[N, H, W, C]`.
    ///
    /// The number of positions along an axis is `(H + 2p - d (K - 1) - 1) / s + 1`, rounded down, or up with `ceil_mode`.
    /// Rounding up may start a window in the padding beyond the image; as in PyTorch such a window is dropped.
    pub(super) fn resolve(&self, op: &'static str, input: Shape) -> Result<PoolDims, ShapeError> {
        let Self { kernel_size, stride, padding, dilation, ceil_mode } = *self;
        let [batch, h, w, channels] = image(op, input)?;
        for (name, pair) in [("kernel_size", kernel_size), ("stride", stride), ("dilation", dilation)] {
            if pair.contains(&0) {
                return Err(ShapeError::new(op, format!("{name} is {}; every entry must be at least 1", Pair(pair))));
            }
            check_option(op, name, pair)?;
        }
        check_option(op, "padding", padding)?;
        if h.saturating_mul(w) > u32::MAX as usize {
            return Err(ShapeError::new(op, format!("the input {input} (N, H, W, C) has more than 2^32 pixels")));
        }
        let mut output = [0; 2];
        for (axis, size) in [h, w].into_iter().enumerate() {
            if padding[axis] > kernel_size[axis] / 2 {
                let (padding, kernel) = (Pair(padding), Pair(kernel_size));
                let message = format!(
                    "padding {padding} is more than half the kernel {kernel}, so a window could lie wholly in the padding; \
                     try padding <= {}",
                    Pair(kernel_size.map(|taps| taps / 2))
                );
                return Err(ShapeError::new(op, message));
            }
            let (extent, padded) = (dilation[axis] * (kernel_size[axis] - 1) + 1, size + 2 * padding[axis]);
            let Some(room) = padded.checked_sub(extent) else {
                return Err(ShapeError::new(
                    op,
                    format!(
                        "kernel {} (dilation {}) does not fit the padded input {} (input {input} (N, H, W, C), padding {}); \
                         try a kernel of at most {} along axis {axis} (0 = H, 1 = W)",
                        Pair(kernel_size),
                        Pair(dilation),
                        Pair([h + 2 * padding[0], w + 2 * padding[1]]),
                        Pair(padding),
                        padded.saturating_sub(1) / dilation[axis] + 1
                    ),
                ));
            };
            output[axis] = if ceil_mode { room.div_ceil(stride[axis]) } else { room / stride[axis] } + 1;
            if (output[axis] - 1) * stride[axis] >= size + padding[axis] {
                output[axis] -= 1;
            }
        }
        let window = Window2d { input: [h, w], output, kernel_size, stride, padding, dilation };
        // With dilation all taps may miss a small image even though the window starts before its end.
        let misses = |axis: usize| (0..output[axis]).any(|at| window.taps_inside(axis, at).0.is_empty());
        if misses(0) || misses(1) {
            let message = format!(
                "with kernel {} and dilation {} some window has every tap in the padding of the input {input} (N, H, W, C); \
                 try less dilation or padding",
                Pair(kernel_size),
                Pair(dilation)
            );
            return Err(ShapeError::new(op, message));
        }
        Ok(PoolDims { batch, channels, window })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(kernel: usize, stride: usize, padding: usize, ceil_mode: bool) -> PoolOptions {
        PoolOptions {
            kernel_size: [kernel; 2],
            stride: [stride; 2],
            padding: [padding; 2],
            dilation: [1, 1],
            ceil_mode,
        }
    }

    #[test]
    fn ceil_mode_rounds_up_but_never_starts_a_window_in_the_padding() {
        let size = |options: PoolOptions, input: usize| {
            options.resolve("max_pool2d", [1, input, input, 1].into()).unwrap().window.output[0]
        };
        assert_eq!(size(options(2, 2, 0, false), 5), 2);
        assert_eq!(size(options(2, 2, 0, true), 5), 3);
        // (5 + 2 - 2) / 3 rounds up to 2 + 1 positions; the third would start at 6 - 1 = 5, beyond the image.
        assert_eq!(size(options(2, 3, 1, true), 5), 2);
        assert_eq!(size(options(3, 2, 1, true), 6), 4);
    }

    #[test]
    fn errors_say_what_to_try() {
        let message =
            |options: PoolOptions| options.resolve("max_pool2d", [1, 4, 4, 1].into()).unwrap_err().to_string();
        assert_eq!(
            message(options(3, 1, 2, false)),
            "max_pool2d: padding 2x2 is more than half the kernel 3x3, so a window could lie wholly in the padding; try \
             padding <= 1x1"
        );
        assert_eq!(
            message(options(5, 1, 0, false)),
            "max_pool2d: kernel 5x5 (dilation 1x1) does not fit the padded input 4x4 (input [1, 4, 4, 1] (N, H, W, C), \
             padding 0x0); try a kernel of at most 4 along axis 0 (0 = H, 1 = W)"
        );
    }
}
