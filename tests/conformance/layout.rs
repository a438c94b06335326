//! PyTorch's layouts and ours, role by role.

use patchgrad::{Shape, Tensor, layout};

/// What the axes of a tensor mean.
#[derive(Clone, Copy, Debug)]
pub enum Layout {
    /// The same on both sides.
    Plain,
    /// `(N, C, H, W)` there, `[N, H, W, C]` here.
    Image,
    /// The weight of a convolution or a transposed one.
    Kernel,
    /// The weight of a linear layer.
    Matrix,
    /// Patches of an image: `(N, C * taps, positions)` there, `[N, OH, OW, taps * C]` here.
    Patches { positions: [usize; 2], taps: usize },
}

impl Layout {
    pub fn to_ours(self, tensor: Tensor) -> Tensor {
        match self {
            Self::Plain => tensor,
            Self::Image => layout::image_from_pytorch(&tensor),
            Self::Kernel => layout::kernel_from_pytorch(&tensor),
            Self::Matrix => layout::transpose(&tensor),
            Self::Patches { positions: [h, w], taps } => {
                let [batch, patch_len] = [0, 1].map(|axis| tensor.shape().dims()[axis]);
                let split = tensor.reshape([batch, patch_len / taps, taps, h * w]).unwrap();
                layout::permute(&split, &[0, 3, 2, 1]).reshape([batch, h, w, patch_len]).unwrap()
            }
        }
    }

    pub fn to_pytorch(self, tensor: Tensor) -> Tensor {
        match self {
            Self::Plain => tensor,
            Self::Image => layout::image_to_pytorch(&tensor),
            Self::Kernel => layout::kernel_to_pytorch(&tensor),
            Self::Matrix => layout::transpose(&tensor),
            Self::Patches { positions: [h, w], taps } => {
                let [batch, .., patch_len] = tensor.shape().nhwc().unwrap();
                let split = tensor.reshape([batch, h * w, taps, patch_len / taps]).unwrap();
                layout::permute(&split, &[0, 3, 2, 1]).reshape([batch, patch_len, h * w]).unwrap()
            }
        }
    }
}

/// Indices of shape `(N, C, H, W)`, as `[N, H, W, C]`, and their shape.
pub fn indices_from_pytorch(shape: &[usize], indices: &[u32]) -> (Shape, Vec<u32>) {
    let mut ours = vec![0; indices.len()];
    let shape = layout::permute_slice(Shape::new(shape), indices, &[0, 2, 3, 1], &mut ours);
    (shape, ours)
}

/// `image` `[N, H, W, C]` with `[top, left, bottom, right]` more rows and columns of `value`.
pub fn pad(image: &Tensor, [top, left, bottom, right]: [usize; 4], value: f32) -> Tensor {
    let [batch, height, width, channels] = image.shape().nhwc().unwrap();
    let padded_width = left + width + right;
    let mut padded = Tensor::full([batch, top + height + bottom, padded_width, channels], value);
    for (row, pixels) in image.as_slice().chunks(width * channels).enumerate() {
        let to = row / height * (top + height + bottom) + top + row % height;
        padded.as_mut_slice()[(to * padded_width + left) * channels..][..pixels.len()].copy_from_slice(pixels);
    }
    padded
}

/// `image` `[N, H, W, C]` without `[top, left, bottom, right]` rows and columns.
pub fn crop(image: &Tensor, [top, left, bottom, right]: [usize; 4]) -> Tensor {
    let [batch, height, width, channels] = image.shape().nhwc().unwrap();
    let (kept_height, kept_width) = (height - top - bottom, width - left - right);
    let mut kept = Tensor::zeros([batch, kept_height, kept_width, channels]);
    for (row, pixels) in kept.as_mut_slice().chunks_mut(kept_width * channels).enumerate() {
        let from = row / kept_height * height + top + row % kept_height;
        pixels.copy_from_slice(&image.as_slice()[(from * width + left) * channels..][..pixels.len()]);
    }
    kept
}
