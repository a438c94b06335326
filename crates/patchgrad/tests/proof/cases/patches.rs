//! Unfold, fold and the mean over overlaps: one table of windows serves all three.

use super::{Case, Record, Size};
use crate::values::Draw;
use patchgrad::{
    Shape,
    ops::{FoldDims, FoldSpec},
};

/// An `image` `[N, H, W, C]` and how it is cut into patches.
#[derive(Clone, Copy, Debug)]
pub struct FoldCase {
    pub name: &'static str,
    pub image: [usize; 4],
    pub spec: FoldSpec,
    pub size: Size,
}

pub fn fold() -> Vec<FoldCase> {
    type Spec = FoldSpec;
    let kernel = Spec::new;
    let case = |name, image, spec| FoldCase { name, image, spec, size: Size::Small };
    vec![
        case("plain", [2, 4, 5, 3], kernel([3, 3])),
        case("tiles", [2, 4, 6, 2], Spec { stride: [2, 3], ..kernel([2, 3]) }),
        case("asymmetric_kernel", [2, 4, 5, 2], kernel([2, 4])),
        case("padding_above_half_kernel", [2, 3, 4, 2], Spec { padding: [3, 2], ..kernel([3, 3]) }),
        case("patches_wholly_in_the_padding", [1, 2, 3, 2], Spec { padding: [3, 3], ..kernel([2, 2]) }),
        case("stride_above_kernel", [2, 7, 9, 2], Spec { stride: [3, 4], ..kernel([2, 2]) }),
        case("size_not_divisible_by_stride", [2, 7, 8, 2], Spec { stride: [2, 3], ..kernel([4, 3]) }),
        case("dilation", [2, 6, 7, 2], Spec { dilation: [2, 3], padding: [1, 1], ..kernel([3, 2]) }),
        case("dilation_leaves_gaps", [1, 7, 6, 2], Spec { dilation: [3, 2], stride: [6, 5], ..kernel([2, 2]) }),
        case("image_1x1", [2, 1, 1, 3], Spec { padding: [1, 1], ..kernel([3, 3]) }),
        case("batch_1", [1, 4, 4, 2], Spec { stride: [2, 1], ..kernel([2, 2]) }),
        case("batch_7", [7, 3, 4, 1], kernel([2, 2])),
        case("kernel_1x1", [2, 3, 4, 3], kernel([1, 1])),
        case("kernel_is_the_image", [3, 4, 3, 2], kernel([4, 3])),
        case(
            "everything_together",
            [3, 6, 8, 2],
            Spec { stride: [2, 3], padding: [2, 1], dilation: [2, 3], ..kernel([3, 2]) },
        ),
        FoldCase {
            size: Size::ManyChunks,
            ..case("batch_33", [33, 16, 15, 3], Spec { stride: [2, 1], padding: [1, 1], ..kernel([3, 3]) })
        },
    ]
}

impl FoldCase {
    pub fn dims(&self) -> FoldDims {
        self.spec.resolve(self.image.into()).unwrap()
    }

    /// The image's height and width.
    pub fn plane(&self) -> [usize; 2] {
        [self.image[1], self.image[2]]
    }

    /// The three ops on this window.
    pub fn cases(self) -> [Case; 3] {
        let (image, patches) = (Shape::from(self.image), self.dims().patches());
        let make = |op, input: Shape, record: Record| {
            Case::new((op, self.name), Draw::Normal, &[input], record).of_size(self.size)
        };
        [
            make("unfold", image, Box::new(move |tape, v| tape.unfold(v[0], &self.spec))),
            make("fold", patches, Box::new(move |tape, v| tape.fold(v[0], self.plane(), &self.spec))),
            make("overlap_mean", image, Box::new(move |tape, v| tape.overlap_mean(v[0], &self.spec))),
        ]
    }
}
