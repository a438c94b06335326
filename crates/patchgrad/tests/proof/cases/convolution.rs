//! Convolutions, transposed convolutions, linear layers.

use super::{Case, Size};
use crate::values::{Draw, integers};
use patchgrad::{
    Shape, Tape, Tensor, Var,
    ops::{Conv2dSpec, ConvTranspose2dSpec},
};

/// A convolution of `input` `[N, H, W, C]` to `out_channels`.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dCase {
    pub name: &'static str,
    pub input: [usize; 4],
    pub out_channels: usize,
    pub spec: Conv2dSpec,
    pub bias: bool,
    pub size: Size,
}

/// A transposed convolution of `input` `[N, H, W, C]` to `out_channels`.
#[derive(Clone, Copy, Debug)]
pub struct ConvTranspose2dCase {
    pub name: &'static str,
    pub input: [usize; 4],
    pub out_channels: usize,
    pub spec: ConvTranspose2dSpec,
    pub bias: bool,
    pub size: Size,
}

/// A linear layer on the last axis of `input`.
#[derive(Clone, Copy, Debug)]
pub struct LinearCase {
    pub name: &'static str,
    pub input: &'static [usize],
    pub out_features: usize,
    pub bias: bool,
    pub size: Size,
}

pub fn conv2d() -> Vec<Conv2dCase> {
    type Spec = Conv2dSpec;
    let kernel = Spec::new;
    let case =
        |name, input, out_channels, spec| Conv2dCase { name, input, out_channels, spec, bias: true, size: Size::Small };
    let large = |name, input, out_channels, spec| Conv2dCase {
        size: Size::ManyChunks,
        ..case(name, input, out_channels, spec)
    };
    let padded = Spec { padding: [1, 1], ..kernel([3, 3]) };
    vec![
        case("plain", [2, 5, 4, 3], 4, padded),
        case("asymmetric_kernel", [2, 5, 6, 2], 3, kernel([2, 4])),
        case("padding_above_half_kernel", [2, 4, 3, 2], 3, Spec { padding: [3, 2], ..kernel([3, 3]) }),
        case("windows_wholly_in_the_padding", [1, 2, 3, 2], 2, Spec { padding: [3, 3], ..kernel([2, 2]) }),
        case("stride_above_kernel", [2, 7, 9, 2], 3, Spec { stride: [3, 4], ..kernel([2, 2]) }),
        case("asymmetric_stride", [2, 5, 7, 2], 3, Spec { stride: [1, 3], ..padded }),
        case("asymmetric_padding", [2, 4, 5, 2], 3, Spec { padding: [0, 2], ..kernel([3, 2]) }),
        case("asymmetric_dilation", [2, 6, 7, 2], 3, Spec { dilation: [1, 3], ..kernel([3, 2]) }),
        case("dilation", [2, 7, 8, 2], 3, Spec { dilation: [2, 3], padding: [2, 1], ..kernel([3, 3]) }),
        case("dilation_and_stride", [1, 9, 8, 2], 3, Spec { dilation: [2, 2], stride: [2, 3], ..padded }),
        case("groups", [2, 5, 4, 4], 6, Spec { groups: 2, ..padded }),
        case("depthwise", [2, 5, 4, 5], 5, Spec { groups: 5, ..padded }),
        case("depthwise_multiplier_2", [2, 6, 5, 3], 6, Spec { groups: 3, stride: [2, 2], ..kernel([3, 3]) }),
        case("groups_of_a_1x1_kernel", [2, 3, 4, 4], 6, Spec { groups: 2, ..kernel([1, 1]) }),
        case("size_not_divisible_by_stride", [2, 9, 8, 2], 3, Spec { stride: [4, 3], ..kernel([3, 3]) }),
        case("image_1x1", [2, 1, 1, 3], 4, padded),
        case("one_row", [2, 1, 9, 2], 3, Spec { stride: [1, 2], ..kernel([1, 3]) }),
        case("batch_1", [1, 6, 5, 3], 4, Spec { stride: [2, 2], ..padded }),
        case("batch_7", [7, 4, 3, 2], 3, padded),
        case("kernel_1x1", [2, 4, 3, 5], 3, kernel([1, 1])),
        case("kernel_1x1_with_stride", [2, 5, 4, 3], 2, Spec { stride: [2, 3], ..kernel([1, 1]) }),
        case("kernel_1x1_with_padding", [2, 3, 2, 3], 2, padded_pointwise()),
        case("kernel_is_the_image", [3, 4, 3, 2], 5, kernel([4, 3])),
        case("kernel_is_the_image_with_groups", [3, 3, 2, 4], 6, Spec { groups: 2, ..kernel([3, 2]) }),
        case("kernel_is_the_image_with_padding", [2, 3, 3, 2], 3, padded),
        case("dilated_kernel_spans_the_image", [2, 5, 3, 2], 3, Spec { dilation: [2, 1], ..kernel([3, 3]) }),
        case("one_channel", [3, 5, 5, 1], 1, padded),
        case("more_channels_than_lanes", [2, 5, 4, 2], 19, padded),
        Conv2dCase { bias: false, ..case("no_bias", [2, 5, 4, 3], 4, padded) },
        case(
            "everything_together",
            [3, 7, 9, 4],
            6,
            Spec { stride: [2, 3], padding: [2, 1], dilation: [2, 3], groups: 2, ..kernel([3, 2]) },
        ),
        // Rows of the patch matrix are N * OH * OW, and a block of it holds 128 KiB: here 10 to 21 blocks, so that a
        // partial gradient of the weight sums several, and blocks begin and end within a sample.
        large("batch_33", [33, 24, 24, 4], 3, padded),
        large("batch_33_groups", [33, 17, 16, 4], 6, Spec { groups: 2, stride: [1, 2], ..padded }),
        // Tiny images are worked on two at a time, and here the last is alone.
        large("tiny_images", [35, 5, 4, 3], 4, padded),
        large("one_sample_of_many_blocks", [2, 52, 49, 3], 4, Spec { stride: [1, 1], ..kernel([4, 3]) }),
        large("many_rows_of_a_1x1_kernel", [33, 11, 10, 7], 5, kernel([1, 1])),
        large("many_rows_of_a_kernel_as_large_as_the_image", [2100, 3, 2, 2], 3, kernel([3, 2])),
        large("patches_longer_than_a_block_wants", [3, 6, 7, 130], 2, kernel([5, 4])),
        // Sums of 2,340 terms, more than the register tile adds up before the next panel of the weight.
        large("sums_of_two_blocks", [2, 4, 5, 260], 6, padded),
        // Few output pixels and a large weight, whose gradient is cut into pieces of rows: outputs of one pixel, of one
        // column, and in groups.
        large("few_pixels_of_a_large_weight", [64, 4, 4, 8], 96, kernel([4, 4])),
        large("few_pixels_in_one_column", [20, 9, 3, 40], 64, Spec { stride: [2, 1], ..kernel([3, 3]) }),
        large("few_pixels_in_groups", [17, 5, 6, 24], 70, Spec { groups: 2, ..kernel([3, 2]) }),
    ]
}

fn padded_pointwise() -> Conv2dSpec {
    Conv2dSpec { padding: [1, 2], ..Conv2dSpec::new([1, 1]) }
}

pub fn conv_transpose2d() -> Vec<ConvTranspose2dCase> {
    type Spec = ConvTranspose2dSpec;
    let kernel = Spec::new;
    let case = |name, input, out_channels, spec| ConvTranspose2dCase {
        name,
        input,
        out_channels,
        spec,
        bias: true,
        size: Size::Small,
    };
    let large = |name, input, out_channels, spec| ConvTranspose2dCase {
        size: Size::ManyChunks,
        ..case(name, input, out_channels, spec)
    };
    let padded = Spec { padding: [1, 1], ..kernel([3, 3]) };
    let doubling = Spec { stride: [2, 2], ..kernel([2, 2]) };
    vec![
        case("plain", [2, 4, 3, 3], 4, kernel([3, 3])),
        case("asymmetric_kernel", [2, 3, 4, 2], 3, kernel([2, 4])),
        case("padding", [2, 4, 5, 2], 3, Spec { padding: [1, 2], ..kernel([3, 3]) }),
        case("kernel_is_the_output_with_padding", [2, 3, 3, 2], 3, padded),
        case("padding_above_half_kernel", [2, 5, 6, 2], 3, Spec { padding: [2, 3], ..kernel([3, 3]) }),
        case("stride_is_kernel", [2, 3, 4, 3], 2, doubling),
        case("stride_above_kernel", [2, 3, 2, 2], 3, Spec { stride: [3, 4], ..kernel([2, 2]) }),
        case("overlapping_windows", [1, 4, 3, 3], 2, Spec { stride: [2, 2], ..kernel([5, 4]) }),
        case("asymmetric_stride", [2, 3, 4, 2], 3, Spec { stride: [1, 3], ..padded }),
        case("output_padding", [2, 3, 4, 2], 3, Spec { stride: [2, 2], output_padding: [1, 1], ..padded }),
        case("asymmetric_output_padding", [2, 3, 2, 2], 3, Spec { stride: [3, 2], output_padding: [2, 0], ..padded }),
        case(
            "output_padding_below_dilation",
            [2, 3, 4, 2],
            3,
            Spec { dilation: [3, 3], output_padding: [2, 1], ..kernel([2, 2]) },
        ),
        // The kernel is 1x1 and the stride 1, but the output is larger than the input all the same.
        case(
            "output_padding_of_a_1x1_kernel",
            [2, 3, 2, 3],
            2,
            Spec { dilation: [3, 2], output_padding: [2, 1], ..kernel([1, 1]) },
        ),
        case("dilation", [2, 3, 4, 2], 3, Spec { dilation: [2, 3], ..padded }),
        case("dilation_and_stride", [1, 4, 3, 2], 3, Spec { dilation: [2, 2], stride: [3, 3], ..kernel([3, 3]) }),
        case("groups", [2, 4, 3, 4], 6, Spec { groups: 2, ..padded }),
        case("depthwise", [2, 4, 3, 5], 5, Spec { groups: 5, stride: [2, 2], ..kernel([3, 3]) }),
        case("depthwise_multiplier_2", [2, 3, 4, 3], 6, Spec { groups: 3, ..padded }),
        case("image_1x1", [2, 1, 1, 3], 4, Spec { stride: [2, 2], ..kernel([3, 3]) }),
        case("batch_1", [1, 3, 4, 3], 4, Spec { stride: [2, 2], ..padded }),
        case("batch_7", [7, 3, 2, 2], 3, doubling),
        case("kernel_1x1", [2, 4, 3, 5], 3, kernel([1, 1])),
        case("kernel_1x1_with_stride", [2, 3, 2, 3], 2, Spec { stride: [2, 3], ..kernel([1, 1]) }),
        case("one_channel", [3, 4, 4, 1], 1, Spec { stride: [2, 2], ..kernel([3, 3]) }),
        case("more_channels_than_lanes", [2, 3, 2, 2], 19, doubling),
        ConvTranspose2dCase { bias: false, ..case("no_bias", [2, 3, 4, 3], 4, doubling) },
        case(
            "everything_together",
            [3, 4, 3, 4],
            6,
            Spec {
                stride: [2, 3],
                padding: [2, 1],
                output_padding: [1, 2],
                dilation: [2, 3],
                groups: 2,
                ..kernel([3, 2])
            },
        ),
        large("batch_33", [33, 12, 12, 3], 4, Spec { stride: [2, 2], output_padding: [1, 0], ..padded }),
        large("batch_33_groups", [33, 16, 17, 6], 4, Spec { groups: 2, ..padded }),
        large("tiny_images", [35, 3, 2, 3], 4, doubling),
        large("one_sample_of_many_blocks", [2, 49, 47, 4], 3, kernel([4, 3])),
        large("many_rows_of_a_1x1_kernel", [33, 11, 10, 5], 7, kernel([1, 1])),
        large("many_rows_of_a_kernel_as_large_as_the_image", [2100, 1, 1, 3], 2, kernel([3, 2])),
        large("sums_of_two_blocks", [2, 4, 3, 260], 6, padded),
    ]
}

pub fn linear() -> Vec<LinearCase> {
    let case = |name, input, out_features| LinearCase { name, input, out_features, bias: true, size: Size::Small };
    vec![
        case("plain", &[4, 7], 5),
        case("one_vector", &[6], 3),
        case("batch_1", &[1, 7], 4),
        case("batch_7", &[7, 3], 2),
        case("one_input", &[5, 1], 3),
        case("one_output", &[5, 4], 1),
        case("rank_3", &[2, 3, 4], 5),
        case("pixels_of_an_image", &[2, 3, 2, 4], 3),
        LinearCase { bias: false, ..case("no_bias", &[4, 7], 5) },
        LinearCase { size: Size::ManyChunks, ..case("many_rows", &[5000, 6], 7) },
        LinearCase { size: Size::ManyChunks, ..case("long_rows", &[65, 1500], 3) },
    ]
}

/// The shapes of input, weight and, if there is one, bias.
fn with_bias(input: Shape, weight: Shape, bias: bool, channels: usize) -> Vec<Shape> {
    let bias = bias.then(|| Shape::from([channels]));
    [input, weight].into_iter().chain(bias).collect()
}

fn integer_tensors(shapes: &[Shape], label: &str) -> Vec<Tensor> {
    shapes.iter().enumerate().map(|(index, &shape)| integers(shape, label, index)).collect()
}

impl Conv2dCase {
    pub fn shapes(&self) -> Vec<Shape> {
        let [kernel_h, kernel_w] = self.spec.kernel_size;
        let weight = [kernel_h, kernel_w, self.input[3] / self.spec.groups, self.out_channels];
        with_bias(self.input.into(), weight.into(), self.bias, self.out_channels)
    }

    /// Input, weight and, if there is one, bias, of whole numbers.
    pub fn integers(&self) -> Vec<Tensor> {
        integer_tensors(&self.shapes(), self.name)
    }

    pub fn case(self) -> Case {
        let record = move |tape: &mut Tape, v: &[Var]| tape.conv2d(v[0], v[1], v.get(2).copied(), &self.spec);
        Case::new(("conv2d", self.name), Draw::Normal, &self.shapes(), record).of_size(self.size)
    }
}

impl ConvTranspose2dCase {
    pub fn shapes(&self) -> Vec<Shape> {
        let [kernel_h, kernel_w] = self.spec.kernel_size;
        let weight = [kernel_h, kernel_w, self.out_channels / self.spec.groups, self.input[3]];
        with_bias(self.input.into(), weight.into(), self.bias, self.out_channels)
    }

    /// Input, weight and, if there is one, bias, of whole numbers.
    pub fn integers(&self) -> Vec<Tensor> {
        integer_tensors(&self.shapes(), self.name)
    }

    pub fn case(self) -> Case {
        let record = move |tape: &mut Tape, v: &[Var]| tape.conv_transpose2d(v[0], v[1], v.get(2).copied(), &self.spec);
        Case::new(("conv_transpose2d", self.name), Draw::Normal, &self.shapes(), record).of_size(self.size)
    }
}

impl LinearCase {
    pub fn shapes(&self) -> Vec<Shape> {
        let features = *self.input.last().expect("a linear layer reads an axis");
        with_bias(Shape::new(self.input), [features, self.out_features].into(), self.bias, self.out_features)
    }

    /// Input, weight and, if there is one, bias, of whole numbers.
    pub fn integers(&self) -> Vec<Tensor> {
        integer_tensors(&self.shapes(), self.name)
    }

    pub fn case(self) -> Case {
        let record = |tape: &mut Tape, v: &[Var]| tape.linear(v[0], v[1], v.get(2).copied());
        Case::new(("linear", self.name), Draw::Normal, &self.shapes(), record).of_size(self.size)
    }
}
