//! What a code looks like, and how far it keeps classes apart, without training a classifier on it.
//!
//! | question | measure | formula or source |
//! |---|---|---|
//! | how far apart are classes? | [`fisher_criterion`] | `tr((S_w + eps I)^-1 S_b)`, Fisher 1936 |
//! | is the nearest other row of the same class? | [`thornton_index`] | share of rows, Thornton 1998 |
//! | are rows nearer to their own class than to the next? | [`silhouette`] | Rousseeuw 1987 |
//! | how much does a code tell about the class, at least? | [`information_lower_bound`] | `H(Y) - CE`, in nats |
//! | how many directions does it use? | [`effective_rank`], [`participation_ratio`] | Roy and Vetterli 2007; `(sum l)^2 / sum l^2` |
//! | which units never change? | [`dead_units`] | standard deviation below [`DEAD_DEVIATION`] |
//! | how many units are at rest? | [`near_zero_share`], [`hoyer_sparsity`] | Hoyer 2004 |
//! | do two codes hold the same? | [`linear_cka`] | Kornblith et al. 2019 |
//!
//! A code is a table with one row for each picture: [`Rows`] `[N, d]`. Sums are f64, and no result depends on the number of
//! threads.
//!
//! # Undefined results
//! A measure that does not exist is `None`, as in [`statistics`](crate::statistics): a value is not finite (a diverged network),
//! or there are too few rows or classes. Tables and labels of unequal length are a programmer's mistake and panic.

mod geometry;
mod separability;

pub use crate::linear_algebra::linear_cka;
pub use geometry::{
    DEAD_DEVIATION, NEAR_ZERO, dead_units, effective_rank, hoyer_sparsity, near_zero_share, participation_ratio,
};
pub use separability::{
    SILHOUETTE_ROWS, fisher_criterion, information_lower_bound, label_entropy, silhouette, silhouette_of_sample,
    thornton_index,
};

#[cfg(doc)]
use crate::linear_algebra::Rows;
