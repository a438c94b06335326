//! Patchgrad: a tensor engine for convolutional auto-encoders, written from scratch.
//!
//! - [`Tensor`]: contiguous f32, at most four axes, images as `[N, H, W, C]`.
//! - [`Tape`]: every op computes at once and is recorded; [`Tape::backward`] gives the gradients.
//! - [`ops`]: one file for each op, with definition, shapes, forward and gradients in this order.
//! - [`layers`], [`optim`], [`init`]: what a network is made of and trained with, named as in PyTorch.
//! - [`checkpoint`]: parameters, optimisers and random streams in safetensors files, with PyTorch's names and layouts.
//! - [`reference`](mod@reference): every op as the plain loop that its formula reads like; [`gradcheck`]: gradients against differences.
//!
//! A training step is five lines:
//!
//! ```
//! use patchgrad::{Params, Tape, Tensor, Workspace, init::Init, layers::{Layer, Linear}};
//! use patchgrad::optim::{Optimizer, Sgd, SgdConfig};
//! use patchgrad::random::stream;
//!
//! let (mut params, mut workspace) = (Params::new(), Workspace::new());
//! let layer = Linear::new(&mut params, "linear", [3, 1], &mut stream(0, "init", 0));
//! let mut optimizer = Sgd::new(SgdConfig::new(0.1));
//! let (x, target) = (Tensor::new([2, 3], &[1.0, 0.0, 2.0, 0.0, 1.0, 1.0]), Tensor::new([2, 1], &[1.0, -1.0]));
//!
//! let mut losses = Vec::new();
//! for _ in 0..50 {
//!     let mut tape = Tape::with_params(&params, &mut workspace);
//!     let (input, target) = (tape.input(&x), tape.input(&target));
//!     let prediction = layer.forward(&mut tape, input);
//!     let loss = tape.mse_loss(prediction, target);
//!     losses.push(tape.value(loss).item());
//!     let gradients = tape.backward(loss);
//!     optimizer.step(&mut params, &gradients);
//!     gradients.recycle(&mut workspace);
//! }
//! assert!(losses[49] < 1e-3 * losses[0]);
//! ```
#![forbid(unsafe_code)]

pub mod autograd;
pub mod checkpoint;
mod error;
pub mod gradcheck;
pub mod init;
pub mod layers;
pub mod layout;
pub mod ops;
pub mod optim;
pub mod parallel;
mod params;
pub mod random;
pub mod reference;
mod shape;
mod summary;
mod tensor;
mod workspace;

pub use autograd::{Gradients, Tape, ValueRef, Var};
pub use error::ShapeError;
pub use params::{ParamId, Params};
pub use patchgrad_kernels::{
    double,
    isa::{ENVIRONMENT_VARIABLE, Isa},
    peak,
};
pub use shape::Shape;
pub use summary::{Summary, SummaryRow, summary};
pub use tensor::Tensor;
pub use workspace::Workspace;
