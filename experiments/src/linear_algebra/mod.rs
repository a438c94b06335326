//! Dense linear algebra for baselines and closed-form decoders, over faer.
//!
//! | wanted | here |
//! |---|---|
//! | the best linear code of a given size | [`Pca`] |
//! | the directions along which classes lie apart | [`DiscriminantDirections`] |
//! | a code of the same size that learnt nothing | [`RandomProjection`] |
//! | the best linear decoder of a code | [`Ridge`], [`select_ridge`] |
//! | features of equal scale, for probes | [`Standardiser`] |
//! | how far classes are apart, and the classifier of that | [`fisher_criterion`], [`LinearDiscriminant`] |
//! | how much two codes have in common | [`linear_cka`] |
//! | a basis, or what is left beside one | [`orthonormalise`], [`remove_projection`] |
//!
//! Data are tables of `f32`, one row per image, seen through [`Rows`]. All arithmetic is `f64`: sums over tens of
//! thousands of rows lose nothing, eigenvalues near zero can be told from rounding, and it costs little (a few tenths
//! of a second for the largest problem here). faer runs on one thread, so results do not depend on the number of
//! threads; they depend on the processor in their last digits, see [`decomposition_instructions`].

mod alignment;
mod blocks;
mod discriminant;
mod discriminant_directions;
mod orthonormal;
mod pca;
mod projection;
mod ridge;
mod rows;
mod standardise;

pub use alignment::linear_cka;
pub use discriminant::{FISHER_REGULARISATION, LinearDiscriminant, fisher_criterion};
pub use discriminant_directions::DiscriminantDirections;
pub use orthonormal::{orthonormalise, remove_projection};
pub use pca::Pca;
pub use projection::RandomProjection;
pub use ridge::{Ridge, RidgeSettings, SelectedRidge, select_ridge};
pub use rows::Rows;
pub use standardise::{SMALLEST_DEVIATION, Standardiser};

/// The vector instructions that faer chooses on this processor, whatever the kernels of the engine use (`PATCHGRAD_ISA`). The
/// last digits of eigenvalues, eigenvectors and least squares depend on them.
pub fn decomposition_instructions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512f") {
        return "avx512";
    } else if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        return "avx2";
    }
    "baseline"
}

/// Why a decomposition has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinearAlgebraError {
    /// There are fewer rows than the method needs.
    #[error("{got} rows, but at least {needed} are needed")]
    TooFewRows {
        /// Rows given.
        got: usize,
        /// Rows needed.
        needed: usize,
    },
    /// A value is NaN or infinite: typically the code of a network whose training diverged.
    #[error("a value is not finite; was the network that made the code still finite?")]
    NotFinite,
    /// The iteration for the eigenvalues gave up in both orders of the columns; not known to happen on finite input.
    #[error("the eigenvalue iteration did not converge")]
    NoConvergence,
}
