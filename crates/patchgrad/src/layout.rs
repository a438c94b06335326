//! The border to PyTorch: its tensors have the channels before the pixels, ours after.
//!
//! | what | PyTorch | here |
//! |---|---|---|
//! | image | `[N, C, H, W]` | `[N, H, W, C]` |
//! | weight of a convolution | `[O, C/G, KH, KW]` | `[KH, KW, C/G, O]` |
//! | weight of a transposed convolution | `[C, O/G, KH, KW]` | `[KH, KW, O/G, C]` |
//! | weight of a linear layer | `[O, I]` | `[I, O]` |
//! | unfolded patches | `[N, (C, KH, KW), OH * OW]` | `[N, OH, OW, (KH, KW, C)]` |
//!
//! [`ParamLayout`] is the same table for the parameters of a model: what a checkpoint translates by.

use crate::{Shape, Tensor};

/// Axis `i` of the result is axis `axes[i]` of `tensor`.
///
/// # Panics
/// If `axes` is not a permutation of the axes.
///
/// ```
/// use patchgrad::{Tensor, layout::permute};
/// let x = Tensor::from_fn([2, 3], |i| i as f32);
/// assert_eq!(permute(&x, &[1, 0]), Tensor::new([3, 2], &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
/// ```
#[track_caller]
pub fn permute(tensor: &Tensor, axes: &[usize]) -> Tensor {
    let mut values = vec![0.0; tensor.len()];
    let shape = permute_slice(tensor.shape(), tensor.as_slice(), axes, &mut values);
    Tensor::new(shape, &values)
}

/// [`permute`] for elements of any type: writes `out` and gives its shape.
///
/// # Panics
/// If `axes` is not a permutation of the axes or a slice has the wrong length.
#[track_caller]
pub fn permute_slice<T: Copy>(shape: Shape, values: &[T], axes: &[usize], out: &mut [T]) -> Shape {
    let mut sorted = axes.to_vec();
    sorted.sort_unstable();
    assert!(sorted.iter().copied().eq(0..shape.rank()), "permute: {axes:?} does not permute the axes of {shape}");
    assert!(values.len() == shape.len() && out.len() == shape.len(), "permute: the slices are not as long as {shape}");
    let dims = shape.dims();
    let mut strides = [1; 4];
    for axis in (0..shape.rank().saturating_sub(1)).rev() {
        strides[axis] = strides[axis + 1] * dims[axis + 1];
    }
    let mut sizes = [1; 4];
    let mut steps = [0; 4];
    for (to, &from) in axes.iter().enumerate() {
        (sizes[to], steps[to]) = (dims[from], strides[from]);
    }
    if shape.is_empty() {
        return Shape::new(&sizes[..shape.rank()]);
    }
    let mut out = out.iter_mut();
    for a in 0..sizes[0] {
        for b in 0..sizes[1] {
            for c in 0..sizes[2] {
                let base = a * steps[0] + b * steps[1] + c * steps[2];
                for d in 0..sizes[3] {
                    *out.next().expect("as many as the shape has") = values[base + d * steps[3]];
                }
            }
        }
    }
    Shape::new(&sizes[..shape.rank()])
}

/// `[N, C, H, W]` to `[N, H, W, C]`.
#[track_caller]
pub fn image_from_pytorch(image: &Tensor) -> Tensor {
    permute(image, &[0, 2, 3, 1])
}

/// `[N, H, W, C]` to `[N, C, H, W]`.
#[track_caller]
pub fn image_to_pytorch(image: &Tensor) -> Tensor {
    permute(image, &[0, 3, 1, 2])
}

/// The weight of a convolution, `[O, C/G, KH, KW]` to `[KH, KW, C/G, O]`, or of a transposed one, `[C, O/G, KH, KW]` to
/// `[KH, KW, O/G, C]`: the same permutation.
#[track_caller]
pub fn kernel_from_pytorch(weight: &Tensor) -> Tensor {
    permute(weight, &[2, 3, 1, 0])
}

/// The inverse of [`kernel_from_pytorch`].
#[track_caller]
pub fn kernel_to_pytorch(weight: &Tensor) -> Tensor {
    permute(weight, &[3, 2, 0, 1])
}

/// The weight of a linear layer: its transpose, both ways.
#[track_caller]
pub fn transpose(weight: &Tensor) -> Tensor {
    permute(weight, &[1, 0])
}

/// How PyTorch lays out a parameter.
///
/// | layout | here | PyTorch |
/// |---|---|---|
/// | [`Same`](Self::Same) | any | the same |
/// | [`Kernel`](Self::Kernel) | `[KH, KW, C/G, O]`; transposed `[KH, KW, O/G, C]` | `[O, C/G, KH, KW]`; `[C, O/G, KH, KW]` |
/// | [`Linear`](Self::Linear) | `[I, O]` | `[O, I]` |
/// | [`LinearOfMap`](Self::LinearOfMap) | `[(H, W, C), O]` | `[O, (C, H, W)]`, what `nn.Linear` behind `nn.Flatten` has |
/// | [`LinearToPatch`](Self::LinearToPatch) | `[I, (KH, KW, C)]` | `[I, C, KH, KW]`, the weight of `nn.ConvTranspose2d` |
/// | [`Patch`](Self::Patch) | `[(KH, KW, C)]` | `[C, KH, KW]` |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamLayout {
    /// A vector or scalar: a bias.
    Same,
    /// The weight of a convolution or of a transposed one.
    Kernel,
    /// The weight of a linear layer.
    Linear,
    /// The weight of a linear layer on a flattened map of these H, W, C.
    LinearOfMap([usize; 3]),
    /// The weight of a linear layer whose outputs are a patch of these KH, KW, C: a transposed convolution taken apart.
    LinearToPatch([usize; 3]),
    /// One value for each pixel and channel of a patch of these KH, KW, C: the bias of [`LinearToPatch`](Self::LinearToPatch).
    Patch([usize; 3]),
}

/// How a tensor travels: split into these axes, permuted, and joined to these.
struct Route {
    split: Shape,
    axes: &'static [usize],
    joined: Shape,
}

impl ParamLayout {
    /// What a parameter of this rank is when nothing else is said: four axes are a kernel, two a linear layer.
    pub fn of_rank(rank: usize) -> Self {
        match rank {
            4 => Self::Kernel,
            2 => Self::Linear,
            _ => Self::Same,
        }
    }

    /// Whether a parameter of this shape (ours) can have the layout.
    pub fn fits(self, shape: Shape) -> bool {
        let len = |dims: [usize; 3]| dims.iter().product::<usize>();
        match (self, shape.dims()) {
            (Self::Same, _) | (Self::Kernel, [_, _, _, _]) | (Self::Linear, [_, _]) => true,
            (Self::LinearOfMap(map), &[inputs, _]) => len(map) == inputs,
            (Self::LinearToPatch(patch), &[_, outputs]) => len(patch) == outputs,
            (Self::Patch(patch), &[values]) => len(patch) == values,
            _ => false,
        }
    }

    /// # Panics
    /// If the layout does not [fit](Self::fits).
    #[track_caller]
    fn route(self, shape: Shape) -> Route {
        assert!(self.fits(shape), "ParamLayout: {self:?} does not fit {shape}");
        let dims = shape.dims();
        match self {
            Self::Same => Route { split: shape, axes: &[0, 1, 2, 3][..shape.rank()], joined: shape },
            Self::Kernel => {
                Route { split: shape, axes: &[3, 2, 0, 1], joined: Shape::from([dims[3], dims[2], dims[0], dims[1]]) }
            }
            Self::Linear => Route { split: shape, axes: &[1, 0], joined: Shape::from([dims[1], dims[0]]) },
            Self::LinearOfMap([h, w, c]) => {
                let joined = Shape::from([dims[1], dims[0]]);
                Route { split: Shape::from([h, w, c, dims[1]]), axes: &[3, 2, 0, 1], joined }
            }
            Self::LinearToPatch([h, w, c]) => {
                let joined = Shape::from([dims[0], c, h, w]);
                Route { split: Shape::from([dims[0], h, w, c]), axes: &[0, 3, 1, 2], joined }
            }
            Self::Patch([h, w, c]) => {
                Route { split: Shape::from([h, w, c]), axes: &[2, 0, 1], joined: Shape::from([c, h, w]) }
            }
        }
    }

    /// The shape that a parameter of `shape` has in PyTorch.
    ///
    /// # Panics
    /// If the layout does not [fit](Self::fits).
    #[track_caller]
    pub fn shape_in_pytorch(self, shape: Shape) -> Shape {
        self.route(shape).joined
    }

    /// Our tensor in PyTorch's layout.
    ///
    /// # Panics
    /// If the layout does not [fit](Self::fits).
    #[track_caller]
    pub fn to_pytorch(self, tensor: &Tensor) -> Tensor {
        let route = self.route(tensor.shape());
        let split = tensor.clone().reshape(route.split).expect("the layout fits");
        permute(&split, route.axes).reshape(route.joined).expect("the layout fits")
    }

    /// PyTorch's tensor in our layout and `shape`.
    ///
    /// # Panics
    /// If the layout does not [fit](Self::fits) `shape`, or the tensor is not of [`shape_in_pytorch`](Self::shape_in_pytorch).
    #[track_caller]
    pub fn from_pytorch(self, tensor: &Tensor, shape: Shape) -> Tensor {
        let route = self.route(shape);
        assert_eq!(tensor.shape(), route.joined, "ParamLayout: {self:?} of {shape}");
        let mut inverse = [0; 4];
        let mut permuted = [1; 4];
        for (to, &from) in route.axes.iter().enumerate() {
            inverse[from] = to;
            permuted[to] = route.split.dims()[from];
        }
        let rank = route.axes.len();
        let split = tensor.clone().reshape(Shape::new(&permuted[..rank])).expect("the layout fits");
        permute(&split, &inverse[..rank]).reshape(shape).expect("the layout fits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let x = Tensor::from_fn([2, 3, 4, 5], |i| i as f32);
        let y = image_from_pytorch(&x);
        assert_eq!(y.shape(), Shape::from([2, 4, 5, 3]));
        // x[1, 2, 3, 4] is y[1, 3, 4, 2].
        assert_eq!(y.as_slice()[((4 + 3) * 5 + 4) * 3 + 2], x.as_slice()[((3 + 2) * 4 + 3) * 5 + 4]);
        assert_eq!(image_to_pytorch(&y), x);
        assert_eq!(kernel_to_pytorch(&kernel_from_pytorch(&x)), x);
        assert_eq!(kernel_from_pytorch(&x).shape(), Shape::from([4, 5, 3, 2]));
    }

    #[test]
    fn every_layout_goes_there_and_back() {
        let cases = [
            (ParamLayout::Same, Shape::from([7]), Shape::from([7])),
            (ParamLayout::Same, Shape::from([]), Shape::from([])),
            (ParamLayout::Kernel, Shape::from([2, 3, 4, 5]), Shape::from([5, 4, 2, 3])),
            (ParamLayout::Linear, Shape::from([3, 4]), Shape::from([4, 3])),
            (ParamLayout::LinearOfMap([2, 3, 4]), Shape::from([24, 5]), Shape::from([5, 24])),
            (ParamLayout::LinearToPatch([2, 3, 4]), Shape::from([5, 24]), Shape::from([5, 4, 2, 3])),
            (ParamLayout::Patch([2, 3, 4]), Shape::from([24]), Shape::from([4, 2, 3])),
        ];
        for (layout, ours, theirs) in cases {
            let x = Tensor::from_fn(ours, |i| i as f32);
            let y = layout.to_pytorch(&x);
            assert_eq!((y.shape(), layout.shape_in_pytorch(ours)), (theirs, theirs), "{layout:?}");
            assert_eq!(layout.from_pytorch(&y, ours), x, "{layout:?}");
        }
        // Column (c, h, w) of the row o is row (h, w, c) of the column o.
        let x = Tensor::from_fn([24, 5], |i| i as f32);
        let y = ParamLayout::LinearOfMap([2, 3, 4]).to_pytorch(&x);
        assert_eq!(y.as_slice()[24 + (3 * 2 + 1) * 3 + 2], x.as_slice()[((3 + 2) * 4 + 3) * 5 + 1]);
        assert!(!ParamLayout::LinearOfMap([2, 3, 4]).fits(Shape::from([25, 5])));
        assert!(!ParamLayout::Kernel.fits(Shape::from([25, 5])));
    }

    #[test]
    #[should_panic(expected = "does not permute")]
    fn axes_must_be_a_permutation() {
        permute(&Tensor::zeros([2, 2]), &[0, 0]);
    }
}
