//! The border to PyTorch: its tensors have the channels before the pixels, ours after.
//!
//! | what | PyTorch | here |
//! |---|---|---|
//! | image | `[N, C, H, W]` | `[N, H, W, C]` |
//! | weight of a convolution | `[O, C/G, KH, KW]` | `[KH, KW, C/G, O]` |
//! | weight of a transposed convolution | `[C, O/G, KH, KW]` | `[KH, KW, O/G, C]` |
//! | weight of a linear layer | `[O, I]` | `[I, O]` |
//! | unfolded patches | `[N, (C, KH, KW), OH * OW]` | `[N, OH, OW, (KH, KW, C)]` |

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
    #[should_panic(expected = "does not permute")]
    fn axes_must_be_a_permutation() {
        permute(&Tensor::zeros([2, 2]), &[0, 0]);
    }
}
