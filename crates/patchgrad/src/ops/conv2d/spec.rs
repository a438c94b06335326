//! What a convolution is asked to do, and the checked sizes that follow.

use crate::{Shape, ShapeError, error::Pair};
use patchgrad_kernels::{isa::Isa, window::Window2d};
use std::{fmt, str::FromStr};

/// How a convolution is computed. The results agree up to rounding; see `ARCHITECTURE.md` for the ladder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConvAlgorithm {
    /// Chosen by the shape: see [`Conv2dDims::chosen_algorithm`].
    #[default]
    Auto,
    /// The definition as seven nested loops ([`crate::reference`]): the oracle of the tests and the first rung of the
    /// benchmarks.
    Naive,
    /// Patch matrix times weight matrix, in blocks of rows.
    Im2col,
    /// Products of the register tile with the image itself, without a patch matrix.
    Direct,
    /// Winograd's F(4x4, 3x3): a quarter of the multiplications for kernels of 3x3 with stride 1, dilation 1, one group and
    /// padding up to 2; its rounding error is larger than that of the others, see [`patchgrad_kernels::winograd`]. Other
    /// convolutions are computed as [`Direct`](Self::Direct).
    Winograd,
    /// As [`Auto`](Self::Auto), but only among the algorithms that add up the very products of the definition: without
    /// [`Winograd`](Self::Winograd).
    AutoExact,
}

impl ConvAlgorithm {
    /// Every algorithm, for tests and benchmarks.
    pub const ALL: [Self; 6] = [Self::Auto, Self::Naive, Self::Im2col, Self::Direct, Self::Winograd, Self::AutoExact];
}

impl fmt::Display for ConvAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Naive => "naive",
            Self::Im2col => "im2col",
            Self::Direct => "direct",
            Self::Winograd => "winograd",
            Self::AutoExact => "auto-exact",
        })
    }
}

impl FromStr for ConvAlgorithm {
    type Err = ShapeError;

    fn from_str(name: &str) -> Result<Self, ShapeError> {
        Self::ALL.into_iter().find(|algorithm| algorithm.to_string() == name).ok_or_else(|| {
            let known = Self::ALL.map(|algorithm| algorithm.to_string()).join(", ");
            ShapeError::new("conv2d", format!("unknown algorithm {name:?}; expected one of {known}"))
        })
    }
}

/// The three computations of a convolution: each may be best served by another algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pass {
    /// The output.
    Forward,
    /// The gradient of the input.
    GradInput,
    /// The gradient of the weight.
    GradWeight,
}

impl Pass {
    /// All passes, in the order in which training runs them.
    pub const ALL: [Self; 3] = [Self::Forward, Self::GradInput, Self::GradWeight];
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Forward => "forward",
            Self::GradInput => "grad_input",
            Self::GradWeight => "grad_weight",
        })
    }
}

/// A convolution as it is asked for: PyTorch's names and defaults, pairs as `[height, width]`.
///
/// ```
/// use patchgrad::ops::Conv2dSpec;
/// let spec = Conv2dSpec { stride: [2, 2], padding: [1, 1], ..Conv2dSpec::new([3, 3]) };
/// let dims = spec.resolve([1, 28, 28, 3].into(), [3, 3, 3, 16].into(), None).unwrap();
/// assert_eq!(dims.output().dims(), [1, 14, 14, 16]);
/// assert_eq!(dims.flops(), 2 * 14 * 14 * 16 * 27);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2dSpec {
    /// Taps of the kernel.
    pub kernel_size: [usize; 2],
    /// Distance between output positions, in input pixels.
    pub stride: [usize; 2],
    /// Rows and columns of zeros added on either side.
    pub padding: [usize; 2],
    /// Distance between taps, in input pixels.
    pub dilation: [usize; 2],
    /// Number of groups that the channels are cut into.
    pub groups: usize,
    /// How to compute it.
    pub algorithm: ConvAlgorithm,
}

impl Conv2dSpec {
    /// Stride 1, padding 0, dilation 1, one group.
    pub fn new(kernel_size: [usize; 2]) -> Self {
        Self {
            kernel_size,
            stride: [1, 1],
            padding: [0, 0],
            dilation: [1, 1],
            groups: 1,
            algorithm: ConvAlgorithm::Auto,
        }
    }

    /// Checks the shapes `input` `[N, H, W, C]`, `weight` `[KH, KW, C/G, O]` and `bias` `[O]` against the spec and each
    /// other, once and completely.
    ///
    /// # Errors
    /// If anything does not fit, with the shapes and what to try.
    pub fn resolve(&self, input: Shape, weight: Shape, bias: Option<Shape>) -> Result<Conv2dDims, ShapeError> {
        let op = "conv2d";
        let [batch, _, _, in_channels] = image(op, input)?;
        let [out_channels, in_group] = self.check_weight(op, weight, "C/G, O")?;
        if in_channels != in_group * self.groups {
            return Err(ShapeError::new(
                op,
                format!(
                    "the weight {weight} (KH, KW, C/G, O) with groups {} reads {} input channels, but the input {input} \
                     (N, H, W, C) has C = {in_channels}",
                    self.groups,
                    in_group * self.groups
                ),
            ));
        }
        check_bias(op, bias, out_channels)?;
        let window = self.window(op, input)?;
        check_size(op, [batch, window.output[0], window.output[1], out_channels])?;
        Ok(Conv2dDims { batch, in_channels, out_channels, groups: self.groups, window, algorithm: self.algorithm })
    }

    /// Checks the options that do not depend on any shape.
    fn check_options(&self, op: &'static str) -> Result<(), ShapeError> {
        for (name, pair) in [("kernel_size", self.kernel_size), ("stride", self.stride), ("dilation", self.dilation)] {
            if pair.contains(&0) {
                return Err(ShapeError::new(op, format!("{name} is {}; every entry must be at least 1", Pair(pair))));
            }
            check_option(op, name, pair)?;
        }
        check_option(op, "padding", self.padding)
    }

    /// The window over an `input` `[N, H, W, C]`, with the number of positions rounded down.
    pub(crate) fn window(&self, op: &'static str, input: Shape) -> Result<Window2d, ShapeError> {
        let [_, h, w, _] = image(op, input)?;
        self.check_options(op)?;
        let plane = [h, w];
        let Self { kernel_size, stride, padding, dilation, .. } = *self;
        let extent = [0, 1].map(|axis| dilation[axis] * (kernel_size[axis] - 1) + 1);
        let padded = [0, 1].map(|axis| plane[axis] + 2 * padding[axis]);
        if extent[0] > padded[0] || extent[1] > padded[1] {
            let needed = [0, 1].map(|axis| extent[axis].saturating_sub(plane[axis]).div_ceil(2).max(padding[axis]));
            let dilated = if dilation == [1, 1] {
                String::new()
            } else {
                format!(" with dilation {} spans {} and", Pair(dilation), Pair(extent))
            };
            return Err(ShapeError::new(
                op,
                format!(
                    "kernel {}{dilated} does not fit the padded input {} (input {input} (N, H, W, C), padding {}); try padding \
                     >= {}",
                    Pair(kernel_size),
                    Pair(padded),
                    Pair(padding),
                    Pair(needed)
                ),
            ));
        }
        let output = [0, 1].map(|axis| (padded[axis] - extent[axis]) / stride[axis] + 1);
        Ok(Window2d { input: plane, output, kernel_size, stride, padding, dilation })
    }

    /// Checks spec and weight `[KH, KW, I, O]`; gives `[O, I]`. `letters` names the last two axes in messages.
    pub(crate) fn check_weight(
        &self,
        op: &'static str,
        weight: Shape,
        letters: &str,
    ) -> Result<[usize; 2], ShapeError> {
        self.check_options(op)?;
        let Some([kernel_h, kernel_w, inner, outer]) = weight.nhwc() else {
            return Err(ShapeError::new(op, format!("the weight {weight} needs four sizes (KH, KW, {letters})")));
        };
        if [kernel_h, kernel_w] != self.kernel_size {
            let (got, spec) = (Pair([kernel_h, kernel_w]), Pair(self.kernel_size));
            let message = format!(
                "the weight {weight} (KH, KW, {letters}) is a kernel of {got}, the spec says kernel_size {spec}"
            );
            return Err(ShapeError::new(op, message));
        }
        if inner == 0 || outer == 0 {
            return Err(ShapeError::new(op, format!("the weight {weight} (KH, KW, {letters}) has no channels")));
        }
        if self.groups == 0 || outer % self.groups != 0 {
            let message = format!(
                "groups {} does not divide the {outer} channels of the last axis of the weight {weight} (KH, KW, {letters})",
                self.groups
            );
            return Err(ShapeError::new(op, message));
        }
        Ok([outer, inner])
    }
}

/// The sizes of an image batch, none of them 0.
pub(crate) fn image(op: &'static str, input: Shape) -> Result<[usize; 4], ShapeError> {
    let Some(dims) = input.nhwc() else {
        return Err(ShapeError::new(op, format!("the input {input} needs four sizes (N, H, W, C)")));
    };
    if dims.contains(&0) {
        return Err(ShapeError::new(op, format!("the input {input} (N, H, W, C) is empty")));
    }
    Ok(dims)
}

/// Options are at most this, so that no size computed from them overflows.
const LARGEST_OPTION: usize = 1 << 24;

/// No output has more elements than this: 256 GiB of f32.
const LARGEST_OUTPUT: usize = 1 << 36;

pub(crate) fn check_option(op: &'static str, name: &str, pair: [usize; 2]) -> Result<(), ShapeError> {
    if pair.iter().any(|&entry| entry > LARGEST_OPTION) {
        let message = format!("{name} is {}; every entry must be at most {LARGEST_OPTION}", Pair(pair));
        return Err(ShapeError::new(op, message));
    }
    Ok(())
}

pub(crate) fn check_size(op: &'static str, output: impl Into<Shape>) -> Result<(), ShapeError> {
    let output = output.into();
    let len = output.dims().iter().try_fold(1usize, |len, &size| len.checked_mul(size));
    match len {
        Some(len) if len <= LARGEST_OUTPUT => Ok(()),
        _ => Err(ShapeError::new(op, format!("a result of shape {output} would not fit into memory"))),
    }
}

pub(crate) fn check_bias(op: &'static str, bias: Option<Shape>, channels: usize) -> Result<(), ShapeError> {
    match bias {
        Some(bias) if bias != Shape::from([channels]) => {
            Err(ShapeError::new(op, format!("the bias {bias} needs one size (O) = [{channels}]")))
        }
        _ => Ok(()),
    }
}

/// The checked sizes of one convolution. Kernels trust it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2dDims {
    /// N, the number of images.
    pub batch: usize,
    /// C, all input channels.
    pub in_channels: usize,
    /// O, all output channels.
    pub out_channels: usize,
    /// G, which divides C and O.
    pub groups: usize,
    /// The window: input plane, output plane, kernel, stride, padding, dilation.
    pub window: Window2d,
    /// How to compute it.
    pub algorithm: ConvAlgorithm,
}

impl Conv2dDims {
    /// `[N, H, W, C]`.
    pub fn input(&self) -> Shape {
        let [h, w] = self.window.input;
        Shape::from([self.batch, h, w, self.in_channels])
    }

    /// `[N, OH, OW, O]`.
    pub fn output(&self) -> Shape {
        let [h, w] = self.window.output;
        Shape::from([self.batch, h, w, self.out_channels])
    }

    /// `[N, OH/2, OW/2, O]`, rounded down: the output after max-pooling of 2x2 windows with stride 2.
    ///
    /// # Errors
    /// If the output is smaller than one window.
    pub fn pooled_output(&self) -> Result<Shape, ShapeError> {
        let [h, w] = self.window.output;
        if h < 2 || w < 2 {
            let message =
                format!("the output {} (N, OH, OW, O) is smaller than a 2x2 window of max-pooling", self.output());
            return Err(ShapeError::new("conv2d", message));
        }
        Ok(Shape::from([self.batch, h / 2, w / 2, self.out_channels]))
    }

    /// `[KH, KW, C/G, O]`.
    pub fn weight(&self) -> Shape {
        let [h, w] = self.window.kernel_size;
        Shape::from([h, w, self.in_channels / self.groups, self.out_channels])
    }

    /// Floating-point operations of one pass (forward, gradient of the input, or gradient of the weight): two for each
    /// multiply-add, padding included, bias not. `u64::MAX` when there are more than can be counted.
    pub fn flops(&self) -> u64 {
        2u64.saturating_mul(self.work() as u64)
    }

    /// Multiply-adds of one pass.
    pub(super) fn work(&self) -> usize {
        self.output().len().saturating_mul(self.patch_len())
    }

    /// The algorithm that computes every pass: what was asked for, or what `Auto` chooses by the shape and the instruction set.
    ///
    /// [`Winograd`](ConvAlgorithm::Winograd) where it covers the convolution and both sides have at least 16 channels, which
    /// pay for its transforms; [`Direct`](ConvAlgorithm::Direct) otherwise. But where the register tile is kept to the portable
    /// instruction set on a processor with fused multiply-add, which the matrix product of [`Im2col`](ConvAlgorithm::Im2col)
    /// uses all the same, that takes the place of `Direct` for patches of at least 64 values.
    pub fn chosen_algorithm(&self) -> ConvAlgorithm {
        let covered = super::winograd::covers(self);
        let worth_it = self.in_channels.min(self.out_channels) >= 16;
        match self.algorithm {
            ConvAlgorithm::Auto if covered && worth_it => ConvAlgorithm::Winograd,
            ConvAlgorithm::Winograd if covered => ConvAlgorithm::Winograd,
            ConvAlgorithm::Auto | ConvAlgorithm::AutoExact
                if gemm_has_more_lanes() && self.patch_len() >= SHORTEST_PATCH_FOR_GEMM =>
            {
                ConvAlgorithm::Im2col
            }
            ConvAlgorithm::Auto | ConvAlgorithm::AutoExact | ConvAlgorithm::Winograd => ConvAlgorithm::Direct,
            forced => forced,
        }
    }

    /// Rows of the patch matrix, `N * OH * OW`.
    pub(crate) fn rows(&self) -> usize {
        self.batch * self.window.output_len()
    }

    /// Columns of the patch matrix of one group, `KH * KW * C/G`.
    pub(crate) fn patch_len(&self) -> usize {
        self.window.taps() * self.in_channels / self.groups
    }
}

/// Where [`gemm_has_more_lanes`], im2col is at least 1.4 times as fast as Direct from 64 values on, and up to 27 values slower or
/// as fast; nothing that was measured lies between.
const SHORTEST_PATCH_FOR_GEMM: usize = 64;

/// Whether the register tile may not use what the processor has, while the matrix product, which chooses by itself, does.
fn gemm_has_more_lanes() -> bool {
    Isa::active() == Isa::Portable && Isa::Avx2.is_available()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(spec: Conv2dSpec, input: &[usize], weight: &[usize], bias: Option<&[usize]>) -> String {
        spec.resolve(Shape::new(input), Shape::new(weight), bias.map(Shape::new)).unwrap_err().to_string()
    }

    #[test]
    fn errors_say_what_was_got_expected_and_what_to_try() {
        let spec = Conv2dSpec { padding: [1, 1], ..Conv2dSpec::new([7, 7]) };
        assert_eq!(
            message(spec, &[1, 4, 4, 3], &[7, 7, 3, 8], None),
            "conv2d: kernel 7x7 does not fit the padded input 6x6 (input [1, 4, 4, 3] (N, H, W, C), padding 1x1); try \
             padding >= 2x2"
        );
        let spec = Conv2dSpec { dilation: [3, 1], ..Conv2dSpec::new([3, 3]) };
        assert_eq!(
            message(spec, &[1, 5, 5, 1], &[3, 3, 1, 1], None),
            "conv2d: kernel 3x3 with dilation 3x1 spans 7x3 and does not fit the padded input 5x5 (input [1, 5, 5, 1] \
             (N, H, W, C), padding 0x0); try padding >= 1x0"
        );
        let spec = Conv2dSpec::new([3, 3]);
        assert_eq!(
            message(spec, &[4, 8, 8, 3], &[3, 3, 4, 8], None),
            "conv2d: the weight [3, 3, 4, 8] (KH, KW, C/G, O) with groups 1 reads 4 input channels, but the input \
             [4, 8, 8, 3] (N, H, W, C) has C = 3"
        );
        assert_eq!(
            message(spec, &[8, 8, 3], &[3, 3, 3, 8], None),
            "conv2d: the input [8, 8, 3] needs four sizes (N, H, W, C)"
        );
        assert_eq!(
            message(spec, &[1, 8, 8, 3], &[3, 3, 3, 8], Some(&[3])),
            "conv2d: the bias [3] needs one size (O) = [8]"
        );
        assert_eq!(
            message(Conv2dSpec { groups: 3, ..spec }, &[1, 8, 8, 3], &[3, 3, 1, 8], None),
            "conv2d: groups 3 does not divide the 8 channels of the last axis of the weight [3, 3, 1, 8] (KH, KW, C/G, O)"
        );
        assert_eq!(
            message(Conv2dSpec { stride: [0, 1], ..spec }, &[1, 8, 8, 3], &[3, 3, 3, 8], None),
            "conv2d: stride is 0x1; every entry must be at least 1"
        );
        assert_eq!(
            message(spec, &[1, 8, 8, 3], &[5, 3, 3, 8], None),
            "conv2d: the weight [5, 3, 3, 8] (KH, KW, C/G, O) is a kernel of 5x3, the spec says kernel_size 3x3"
        );
        assert_eq!(
            message(spec, &[0, 8, 8, 3], &[3, 3, 3, 8], None),
            "conv2d: the input [0, 8, 8, 3] (N, H, W, C) is empty"
        );
        assert_eq!(
            "fast".parse::<ConvAlgorithm>().unwrap_err().to_string(),
            "conv2d: unknown algorithm \"fast\"; expected one of auto, naive, im2col, direct, winograd, \
             auto-exact"
        );
    }

    #[test]
    fn a_portable_tile_leaves_long_patches_to_the_wider_matrix_product() {
        use patchgrad_kernels::isa;
        let chosen = |channels: [usize; 2], kernel: usize, isa| {
            let spec = Conv2dSpec { stride: [2, 2], ..Conv2dSpec::new([kernel; 2]) };
            let [c, o] = channels;
            let dims = spec.resolve([1, 8, 8, c].into(), [kernel, kernel, c, o].into(), None).unwrap();
            let exact = Conv2dDims { algorithm: ConvAlgorithm::AutoExact, ..dims };
            isa::with(isa, || [dims, exact].map(|dims| dims.chosen_algorithm()))
        };
        let long = if Isa::Avx2.is_available() { ConvAlgorithm::Im2col } else { ConvAlgorithm::Direct };
        assert_eq!(chosen([16, 32], 2, Isa::Portable), [long; 2]);
        assert_eq!(chosen([7, 32], 3, Isa::Portable), [ConvAlgorithm::Direct; 2]);
        for isa in Isa::available().into_iter().filter(|&isa| isa != Isa::Portable) {
            assert_eq!(chosen([16, 32], 2, isa), [ConvAlgorithm::Direct; 2]);
        }
    }
}
