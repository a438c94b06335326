//! Between the order of axes in a file and that of the engine.

use super::{UsageError, arguments::Layout};
use patchgrad::{Tensor, layout, ops::FoldDims};

/// What a tensor is, which says where its channels are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    /// `[N, C, H, W]` or `[N, H, W, C]`.
    Image,
    /// Of a convolution or a transposed one: `[O, I, KH, KW]` or `[KH, KW, I, O]`, with C and O exchanged for the latter.
    Kernel,
    /// The weight of a linear layer: `[O, I]` or `[I, O]`.
    Matrix,
    /// Of an unfolded image: `[N, C*KH*KW, OH*OW]` or `[N, OH, OW, KH*KW*C]`.
    Patches(FoldDims),
    /// The same in both: a bias, what a linear layer or an activation works on.
    Plain,
}

impl Role {
    /// A tensor of a file as the engine takes it; `name` is for messages.
    pub(super) fn read(self, layout: Layout, name: &str, tensor: Tensor) -> Result<Tensor, UsageError> {
        if layout == Layout::Nhwc {
            return Ok(tensor);
        }
        let shape = tensor.shape();
        let unfit = |expected: String| UsageError(format!("{name} has shape {shape}; layout nchw expects {expected}"));
        match (self, shape.dims()) {
            (Role::Plain, _) => Ok(tensor),
            (Role::Image, [_, _, _, _]) => Ok(layout::image_from_pytorch(&tensor)),
            (Role::Image, _) => Err(unfit("four sizes (N, C, H, W)".to_string())),
            (Role::Kernel, [_, _, _, _]) => Ok(layout::kernel_from_pytorch(&tensor)),
            (Role::Kernel, _) => Err(unfit("four sizes, the last two KH, KW".to_string())),
            (Role::Matrix, [_, _]) => Ok(layout::transpose(&tensor)),
            (Role::Matrix, _) => Err(unfit("two sizes (O, I)".to_string())),
            (Role::Patches(dims), sizes) => {
                let [n, positions, taps, channels] = patch_sizes(&dims);
                if sizes != [n, channels * taps, positions] {
                    let expected = [n, channels * taps, positions];
                    return Err(unfit(format!("{expected:?} (N, C*KH*KW, OH*OW)")));
                }
                let split = tensor.reshape([n, channels, taps, positions])?;
                Ok(layout::permute(&split, &[0, 3, 2, 1]).reshape(dims.patches())?)
            }
        }
    }

    /// A tensor of the engine as the file holds it.
    pub(super) fn write(self, layout: Layout, tensor: Tensor) -> Result<Tensor, UsageError> {
        if layout == Layout::Nhwc {
            return Ok(tensor);
        }
        Ok(match self {
            Role::Plain => tensor,
            Role::Image => layout::image_to_pytorch(&tensor),
            Role::Kernel => layout::kernel_to_pytorch(&tensor),
            Role::Matrix => layout::transpose(&tensor),
            Role::Patches(dims) => {
                let [n, positions, taps, channels] = patch_sizes(&dims);
                let split = tensor.reshape([n, positions, taps, channels])?;
                layout::permute(&split, &[0, 3, 2, 1]).reshape([n, channels * taps, positions])?
            }
        })
    }
}

/// `[N, OH*OW, KH*KW, C]`.
fn patch_sizes(dims: &FoldDims) -> [usize; 4] {
    [dims.batch, dims.window.output_len(), dims.window.taps(), dims.channels]
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad::ops::FoldSpec;

    #[test]
    fn every_role_comes_back_as_it_was_read() {
        let dims = FoldSpec::new([2, 3]).resolve([2, 4, 5, 3].into()).unwrap();
        let patches = Tensor::from_fn([2, 3 * 6, 9], |i| i as f32);
        let image = Tensor::from_fn([2, 3, 4, 5], |i| i as f32);
        let matrix = Tensor::from_fn([2, 3], |i| i as f32);
        let cases = [
            (Role::Image, &image, [2, 4, 5, 3].as_slice()),
            (Role::Kernel, &image, &[4, 5, 3, 2]),
            (Role::Matrix, &matrix, &[3, 2]),
            (Role::Patches(dims), &patches, &[2, 3, 3, 18]),
            (Role::Plain, &image, &[2, 3, 4, 5]),
        ];
        for (role, tensor, engine_shape) in cases {
            let read = role.read(Layout::Nchw, "x", tensor.clone()).unwrap();
            assert_eq!(read.shape().dims(), engine_shape, "{role:?}");
            assert_eq!(&role.write(Layout::Nchw, read).unwrap(), tensor, "{role:?}");
            assert_eq!(&role.read(Layout::Nhwc, "x", tensor.clone()).unwrap(), tensor, "{role:?}");
        }
    }

    #[test]
    fn a_wrong_rank_is_told_in_the_letters_of_the_file() {
        let message = |role: Role| role.read(Layout::Nchw, "input", Tensor::zeros([8, 8, 3])).unwrap_err().to_string();
        assert_eq!(message(Role::Image), "input has shape [8, 8, 3]; layout nchw expects four sizes (N, C, H, W)");
        let dims = FoldSpec::new([2, 2]).resolve([1, 3, 3, 1].into()).unwrap();
        assert_eq!(
            message(Role::Patches(dims)),
            "input has shape [8, 8, 3]; layout nchw expects [1, 4, 4] (N, C*KH*KW, OH*OW)"
        );
    }
}
