//! f32 slices in, f32 slices out: the loops under the Patchgrad engine ([`double`] alone is in f64).
//!
//! Nothing here knows of graphs, tensors or threads. A kernel checks its lengths once at its door, overwrites its output
//! (unless its name says `add` or `assign`) and is deterministic. All `unsafe` code of the workspace lives in this crate.

pub mod activation;
pub mod aligned;
pub mod column_sums;
pub mod dot;
pub mod double;
pub mod elementwise;
pub mod frame;
pub mod gemm;
pub mod im2col;
pub mod isa;
pub mod loss;
pub mod math;
pub mod optim;
pub mod pack;
pub mod peak;
pub mod pool;
pub mod pool2x2;
pub mod product;
pub mod reduce;
mod simd;
pub mod transpose;
pub mod window;
pub mod winograd;

#[cfg(test)]
mod testing;
