//! The experiments of "A Pitfall of Unsupervised Pre-Training" (arXiv 1703.04332) on the Patchgrad engine.
//!
//! - [`scae`]: the stacked convolutional auto-encoder; [`cae`]: the end-to-end one; [`finetune`]: with a classifier on top.
//! - [`probe`], [`scores`], [`linear_algebra`]: how good are features, how good are reconstructions, and the baselines.
//! - [`statistics`]: what may be said about a correlation.
#![forbid(unsafe_code)]

pub mod batches;
pub mod cae;
pub mod data;
pub mod figures;
pub mod finetune;
pub mod linear_algebra;
pub mod probe;
pub mod scae;
pub mod scores;
pub mod statistics;
