//! unfold (im2col) and fold (col2im): an image as its patches, and patches added up to an image.
//!
//! ```text
//! unfold:  y[n, oh, ow, (kh, kw, c)]  =  x[n, oh*s - p + kh*d, ow*s - p + kw*d, c]     (0 in the padding)
//! fold:    y[n, oh*s - p + kh*d, ow*s - p + kw*d, c]  +=  x[n, oh, ow, (kh, kw, c)]    (the padding is dropped)
//! ```
//!
//! Each is the other's adjoint and hence its gradient. A convolution is unfold followed by a linear layer; a transposed
//! convolution is a linear layer followed by fold. Between the two halves stands what a stacked auto-encoder needs: one
//! patch per row, to be encoded or decoded on its own.
//!
//! # Shapes
//! image `[N, H, W, C]`, patches `[N, OH, OW, KH*KW*C]`.
//!
//! # PyTorch
//! `torch.nn.functional.unfold` and `fold`, which order a patch as (C, KH, KW) and put it in axis 1.

use super::conv2d::{Conv2dSpec, ConvAlgorithm, check_size};
use crate::{
    Shape, ShapeError,
    autograd::{Op, Tape, Var},
    error::{OrPanic, Pair},
    parallel,
};
use patchgrad_kernels::{
    im2col::{Channels, add_col2im, im2col},
    window::Window2d,
};

/// How an image is cut into patches: pairs as `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FoldSpec {
    /// Size of a patch.
    pub kernel_size: [usize; 2],
    /// Distance between patches.
    pub stride: [usize; 2],
    /// Rows and columns of zeros on either side.
    pub padding: [usize; 2],
    /// Distance between the pixels of a patch.
    pub dilation: [usize; 2],
}

/// The checked sizes of one unfold or fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FoldDims {
    /// N, the number of images.
    pub batch: usize,
    /// C, the channels of the image.
    pub channels: usize,
    /// The window: image plane, patch positions, patch size.
    pub window: Window2d,
}

impl FoldSpec {
    /// Stride 1, padding 0, dilation 1.
    pub fn new(kernel_size: [usize; 2]) -> Self {
        Self { kernel_size, stride: [1, 1], padding: [0, 0], dilation: [1, 1] }
    }

    /// The sizes for an `image` `[N, H, W, C]` that is unfolded.
    ///
    /// # Errors
    /// If the patch does not fit the padded image.
    pub fn resolve(&self, image: Shape) -> Result<FoldDims, ShapeError> {
        self.resolve_named("unfold", image)
    }

    /// The sizes for `patches` `[N, OH, OW, KH*KW*C]` that are folded to images of `output_size` `[H, W]`.
    ///
    /// # Errors
    /// If the patches are not as many as the image has, or their length is not a multiple of the kernel's.
    pub fn resolve_fold(&self, patches: Shape, output_size: [usize; 2]) -> Result<FoldDims, ShapeError> {
        let op = "fold";
        let [batch, h, w, patch_len] = super::conv2d::image(op, patches)?;
        let taps = self.kernel_size[0].saturating_mul(self.kernel_size[1]);
        if taps == 0 || patch_len % taps != 0 {
            let message = format!(
                "a patch of the input {patches} (N, OH, OW, KH*KW*C) has {patch_len} values, not a multiple of the kernel's \
                 {}",
                Pair(self.kernel_size)
            );
            return Err(ShapeError::new(op, message));
        }
        let image = Shape::from([batch, output_size[0], output_size[1], patch_len / taps]);
        let dims = self.resolve_named(op, image)?;
        if dims.window.output != [h, w] {
            let message = format!(
                "the input {patches} (N, OH, OW, KH*KW*C) has {} patches, but an image of {} with kernel {}, stride {}, \
                 padding {}, dilation {} has {}",
                Pair([h, w]),
                Pair(output_size),
                Pair(self.kernel_size),
                Pair(self.stride),
                Pair(self.padding),
                Pair(self.dilation),
                Pair(dims.window.output)
            );
            return Err(ShapeError::new(op, message));
        }
        Ok(dims)
    }

    /// The window positions are those of a depthwise convolution with this kernel.
    pub(super) fn resolve_named(&self, op: &'static str, image: Shape) -> Result<FoldDims, ShapeError> {
        let Self { kernel_size, stride, padding, dilation } = *self;
        let [batch, _, _, channels] = super::conv2d::image(op, image)?;
        let conv = Conv2dSpec { kernel_size, stride, padding, dilation, groups: 1, algorithm: ConvAlgorithm::Im2col };
        let window = conv.window(op, image)?;
        let dims = FoldDims { batch, channels, window };
        check_size(op, dims.patches())?;
        check_size(op, dims.image())?;
        Ok(dims)
    }
}

impl FoldDims {
    /// `[N, H, W, C]`.
    pub fn image(&self) -> Shape {
        let [h, w] = self.window.input;
        Shape::from([self.batch, h, w, self.channels])
    }

    /// `[N, OH, OW, KH*KW*C]`.
    pub fn patches(&self) -> Shape {
        let [h, w] = self.window.output;
        Shape::from([self.batch, h, w, self.window.taps() * self.channels])
    }

    /// Elements of one sample: of its patches, and of its image.
    fn sample_lens(&self) -> (usize, usize) {
        (self.patches().len() / self.batch, self.image().len() / self.batch)
    }

    /// Samples that one chunk works on.
    fn samples_per_chunk(&self) -> usize {
        (parallel::ELEMENTS_PER_CHUNK / self.sample_lens().0).max(1)
    }
}

/// `patches = unfold(image)`; parallel over samples.
pub fn unfold(dims: &FoldDims, image: &[f32], patches: &mut [f32]) {
    let (samples, positions) = (dims.samples_per_chunk(), dims.window.output_len());
    parallel::for_each_chunk(patches, samples * dims.sample_lens().0, |i, patches| {
        let first = i * samples * positions;
        let rows = first..first + patches.len() / dims.sample_lens().0 * positions;
        im2col(&dims.window, Channels::all(dims.channels), image, rows, patches);
    });
}

/// `image = fold(patches)`: overlaps add; parallel over samples.
pub fn fold(dims: &FoldDims, patches: &[f32], image: &mut [f32]) {
    let (patches_len, image_len) = dims.sample_lens();
    let samples = dims.samples_per_chunk();
    parallel::for_each_chunk(image, samples * image_len, |i, images| {
        images.fill(0.0);
        for (image, patches) in
            images.chunks_mut(image_len).zip(patches[i * samples * patches_len..].chunks_exact(patches_len))
        {
            let rows = 0..dims.window.output_len();
            add_col2im(&dims.window, Channels::all(dims.channels), patches, rows, image);
        }
    });
}

impl Tape<'_> {
    /// The patches of `input` `[N, H, W, C]` as `[N, OH, OW, KH*KW*C]`: see [`ops::fold`](crate::ops::fold).
    ///
    /// # Panics
    /// With the text of the [`ShapeError`] of [`FoldSpec::resolve`].
    #[track_caller]
    pub fn unfold(&mut self, input: Var, spec: &FoldSpec) -> Var {
        let dims = spec.resolve(self.shape(input)).or_panic();
        let mut output = self.workspace.take(dims.patches());
        unfold(&dims, self.values.get(input), output.as_mut_slice());
        self.record(Op::Unfold { dims, input }, output)
    }

    /// The images `[N, H, W, C]` of `output_size` `[H, W]` that the patches `input` `[N, OH, OW, KH*KW*C]` add up to: see
    /// [`ops::fold`](crate::ops::fold).
    ///
    /// # Panics
    /// With the text of the [`ShapeError`] of [`FoldSpec::resolve_fold`].
    #[track_caller]
    pub fn fold(&mut self, input: Var, output_size: [usize; 2], spec: &FoldSpec) -> Var {
        let dims = spec.resolve_fold(self.shape(input), output_size).or_panic();
        let mut output = self.workspace.take(dims.image());
        fold(&dims, self.values.get(input), output.as_mut_slice());
        self.record(Op::Fold { dims, input }, output)
    }
}
