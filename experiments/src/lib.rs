//! The experiments of "A Pitfall of Unsupervised Pre-Training" (arXiv 1703.04332) on the Patchgrad engine.
#![forbid(unsafe_code)]

pub mod figures;
pub mod linear_algebra;
pub mod statistics;
