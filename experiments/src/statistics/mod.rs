//! Does one quantity follow another, over a few dozen to a few hundred networks?
//!
//! | question | function | formula or source |
//! |---|---|---|
//! | how strongly? | [`pearson`], [`spearman`], [`kendall_tau_b`] | Pearson 1895, Spearman 1904, Kendall 1945 |
//! | and with code size, depth, ... held fixed? | [`partial_spearman`] | Pearson's r of the residuals of the ranks |
//! | could it be chance? | [`permutation_p`], [`permutation_p_within`] | `p = (1 + #{abs(t*) >= abs(t)}) / (B + 1)` |
//! | how uncertain is it? | [`bootstrap`] | percentile and BCa intervals, Efron 1987 |
//! | is there *no* relation to speak of? | [`equivalence`], [`bayes_factor_01`] | Schuirmann 1987; Wagenmakers 2007 |
//! | what follows? | [`Verdict`] | a rule fixed before any network was trained |
//! | all of it at once | [`rank_relation`], [`partial_rank_relation`] | |
//!
//! Everything is `f64` and plain loops: `n` is at most a few hundred, so the shortest correct formula wins. Randomness
//! comes from the generator the caller hands in, so a seed decides every digit.
//!
//! # Undefined results
//!
//! A statistic that does not exist is `None`, never NaN and never a panic: a value is not finite (a diverged network),
//! an input is constant (its rank says nothing), or there are too few rows. Leaving rows out is the caller's decision,
//! to be made and reported where the population is known. Slices of unequal length are a programmer's mistake and do
//! panic.

mod bootstrap;
mod correlation;
mod normal;
mod partial;
mod permutation;
mod relation;
mod verdict;

pub use bootstrap::{Bootstrap, Interval, bootstrap};
pub use correlation::{average_ranks, kendall_tau_b, pearson, spearman};
pub use normal::{normal_cdf, normal_quantile};
pub use partial::{PartialCorrelation, indicator_columns, partial_spearman};
pub use permutation::{permutation_p, permutation_p_within};
pub use relation::{RankRelation, Settings, partial_rank_relation, rank_relation};
pub use verdict::{EQUIVALENCE_MARGIN, Equivalence, SIGNIFICANCE_LEVEL, Verdict, bayes_factor_01, equivalence};

/// Panics, with both lengths, unless the two variables were measured on the same rows.
#[track_caller]
fn assert_paired(x: &[f64], y: &[f64]) {
    assert_eq!(x.len(), y.len(), "the two variables have {} and {} rows; each row needs both", x.len(), y.len());
}
