//! The ops: one file each, in the order definition, shapes, forward, gradients, the recording method of the
//! [`Tape`](crate::Tape).
//!
//! The functions on slices compute one pass; the sizes come as a `Dims` that a `Spec` has checked. Kernels overwrite,
//! the tape accumulates.

pub mod activation;
pub mod arithmetic;
pub mod avg_pool2d;
pub mod conv2d;
pub mod conv_transpose2d;
pub mod exp_ln;
pub mod fold;
pub mod linear;
pub mod loss;
pub mod max_pool2d;
pub mod max_unpool2d;
pub mod overlap_mean;
mod pool;
mod reshape;
pub mod transpose;

pub use avg_pool2d::AvgPool2dSpec;
pub use conv_transpose2d::{ConvTranspose2dDims, ConvTranspose2dSpec};
pub use conv2d::{Conv2dDims, Conv2dSpec, ConvAlgorithm};
pub use fold::{FoldDims, FoldSpec};
pub use linear::LinearDims;
pub use max_pool2d::MaxPool2dSpec;
pub use patchgrad_kernels::activation::Activation;
pub use pool::PoolDims;
