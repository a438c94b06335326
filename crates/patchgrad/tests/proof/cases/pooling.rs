//! Pooling and un-pooling.

use super::{Case, Size};
use crate::values::Draw;
use patchgrad::{
    Shape, Tape, Var,
    ops::{AvgPool2dSpec, MaxPool2dSpec, PoolDims, max_pool2d::Indices},
};

/// A max pooling of `input` `[N, H, W, C]`.
#[derive(Clone, Copy, Debug)]
pub struct MaxPool2dCase {
    pub name: &'static str,
    pub input: [usize; 4],
    pub spec: MaxPool2dSpec,
    pub size: Size,
}

/// An average pooling of `input` `[N, H, W, C]`.
#[derive(Clone, Copy, Debug)]
pub struct AvgPool2dCase {
    pub name: &'static str,
    pub input: [usize; 4],
    pub spec: AvgPool2dSpec,
    pub size: Size,
}

pub fn max_pool2d() -> Vec<MaxPool2dCase> {
    type Spec = MaxPool2dSpec;
    let kernel = Spec::new;
    let case = |name, input, spec| MaxPool2dCase { name, input, spec, size: Size::Small };
    vec![
        case("plain", [2, 4, 6, 3], kernel([2, 2])),
        case("overlap", [2, 5, 6, 2], Spec { stride: [1, 2], ..kernel([3, 3]) }),
        case("stride_above_kernel", [2, 7, 9, 2], Spec { stride: [3, 4], ..kernel([2, 2]) }),
        case("asymmetric_kernel", [2, 4, 6, 2], kernel([1, 3])),
        case("padding", [2, 5, 4, 2], Spec { padding: [1, 1], stride: [2, 2], ..kernel([3, 3]) }),
        case("asymmetric_padding", [2, 4, 5, 2], Spec { padding: [0, 2], stride: [2, 3], ..kernel([2, 4]) }),
        case("dilation", [2, 6, 8, 2], Spec { dilation: [2, 3], stride: [1, 1], ..kernel([2, 2]) }),
        case("dilation_and_padding", [2, 7, 6, 2], Spec { dilation: [2, 2], padding: [1, 1], ..kernel([3, 2]) }),
        case("size_not_divisible_by_stride", [2, 5, 7, 2], kernel([2, 3])),
        case("ceil_mode", [2, 5, 7, 2], Spec { ceil_mode: true, ..kernel([2, 3]) }),
        // Rounding up gives three positions along each axis; the third would begin in the padding.
        case(
            "ceil_mode_drops_a_window",
            [2, 5, 5, 2],
            Spec { ceil_mode: true, stride: [3, 3], padding: [1, 1], ..kernel([2, 2]) },
        ),
        case(
            "ceil_mode_with_padding_and_dilation",
            [2, 6, 7, 2],
            Spec { ceil_mode: true, stride: [2, 3], padding: [1, 0], dilation: [2, 1], ..kernel([3, 2]) },
        ),
        case("image_1x1", [2, 1, 1, 3], Spec { padding: [1, 1], ..kernel([3, 3]) }),
        case("batch_1", [1, 4, 4, 2], kernel([2, 2])),
        case("batch_7", [7, 4, 3, 1], Spec { stride: [1, 1], ..kernel([2, 2]) }),
        case("kernel_1x1", [2, 3, 4, 2], kernel([1, 1])),
        case("kernel_is_the_image", [3, 4, 3, 2], kernel([4, 3])),
        case("odd_channels", [1, 4, 4, 27], kernel([2, 2])),
        MaxPool2dCase {
            size: Size::ManyChunks,
            ..case("batch_33", [33, 24, 23, 3], Spec { stride: [2, 1], ..kernel([3, 2]) })
        },
    ]
}

pub fn avg_pool2d() -> Vec<AvgPool2dCase> {
    type Spec = AvgPool2dSpec;
    let kernel = Spec::new;
    let case = |name, input, spec| AvgPool2dCase { name, input, spec, size: Size::Small };
    let image_only = |spec| Spec { count_include_pad: false, ..spec };
    let padded = Spec { padding: [1, 1], stride: [2, 2], ..kernel([3, 3]) };
    let dropping = Spec { ceil_mode: true, stride: [3, 3], padding: [1, 1], ..kernel([2, 2]) };
    let hanging_over = Spec { ceil_mode: true, stride: [2, 3], padding: [1, 0], ..kernel([3, 4]) };
    vec![
        case("plain", [2, 4, 6, 3], kernel([2, 2])),
        case("overlap", [2, 5, 6, 2], Spec { stride: [1, 2], ..kernel([3, 3]) }),
        case("stride_above_kernel", [2, 7, 9, 2], Spec { stride: [3, 4], ..kernel([2, 2]) }),
        case("asymmetric_kernel", [2, 4, 6, 2], kernel([1, 3])),
        case("padding", [2, 5, 4, 2], padded),
        case("padding_not_counted", [2, 5, 4, 2], image_only(padded)),
        case("size_not_divisible_by_stride", [2, 5, 7, 2], kernel([2, 3])),
        case("ceil_mode", [2, 5, 7, 2], Spec { ceil_mode: true, ..kernel([2, 3]) }),
        case("ceil_mode_drops_a_window", [2, 5, 5, 2], dropping),
        case("ceil_mode_drops_a_window_padding_not_counted", [2, 5, 5, 2], image_only(dropping)),
        case("ceil_mode_hangs_over_the_padding", [2, 6, 7, 2], hanging_over),
        case("ceil_mode_hangs_over_padding_not_counted", [2, 6, 7, 2], image_only(hanging_over)),
        case("image_1x1", [2, 1, 1, 3], Spec { padding: [1, 1], ..kernel([3, 3]) }),
        case("image_1x1_padding_not_counted", [2, 1, 1, 3], image_only(Spec { padding: [1, 1], ..kernel([3, 3]) })),
        case("batch_1", [1, 4, 4, 2], kernel([2, 2])),
        case("batch_7", [7, 4, 3, 1], Spec { stride: [1, 1], ..kernel([2, 2]) }),
        case("kernel_1x1", [2, 3, 4, 2], kernel([1, 1])),
        case("kernel_is_the_image", [3, 4, 3, 2], kernel([4, 3])),
        case("odd_channels", [1, 4, 4, 27], kernel([2, 2])),
        AvgPool2dCase {
            size: Size::ManyChunks,
            ..case("batch_33", [33, 24, 23, 3], Spec { stride: [2, 1], ..kernel([3, 2]) })
        },
    ]
}

/// Indices for an un-pooling of `[N, OH, OW, C]` to planes of `dims`: in each plane the positions take distinct pixels,
/// spread over it in an order that is not theirs.
pub fn unpool_indices(dims: &PoolDims) -> Indices {
    let [_, out_h, out_w, channels] = dims.output().nhwc().expect("a pooled image");
    let (positions, pixels) = (out_h * out_w, dims.window.input_len());
    assert!(positions <= pixels, "distinct pixels for {positions} positions in a plane of {pixels}");
    let index = |i: usize| {
        let (channel, position) = (i % channels, i / channels % positions);
        // Reversed and rotated by the channel: one-to-one.
        ((pixels - 1 - position + channel) % pixels) as u32
    };
    let indices: Vec<u32> = (0..dims.output().len()).map(index).collect();
    Indices::try_new(dims.output(), &indices).unwrap()
}

impl MaxPool2dCase {
    pub fn dims(&self) -> PoolDims {
        self.spec.resolve(self.input.into()).unwrap()
    }

    /// The pooling, and an un-pooling from its output to its input where every position can have a pixel of its own.
    pub fn cases(self) -> Vec<Case> {
        let dims = self.dims();
        let input = Shape::from(self.input);
        let pool = Case::new(("max_pool2d", self.name), Draw::Distinct, &[input], move |tape, v| {
            tape.max_pool2d(v[0], &self.spec).0
        });
        let mut cases = vec![pool.of_size(self.size)];
        if dims.window.output_len() <= dims.window.input_len() {
            let indices = unpool_indices(&dims);
            let unpool = Case::new(("max_unpool2d", self.name), Draw::Normal, &[dims.output()], move |tape, v| {
                let indices = tape.record_indices(&indices);
                tape.max_unpool2d(v[0], indices, dims.window.input)
            });
            cases.push(unpool.of_size(self.size));
        }
        cases
    }
}

impl AvgPool2dCase {
    pub fn dims(&self) -> PoolDims {
        self.spec.resolve(self.input.into()).unwrap()
    }

    pub fn case(self) -> Case {
        let record = move |tape: &mut Tape, v: &[Var]| tape.avg_pool2d(v[0], &self.spec);
        Case::new(("avg_pool2d", self.name), Draw::Normal, &[self.input.into()], record).of_size(self.size)
    }
}
