//! Does one quantity follow another, over a few dozen to a few hundred networks?
//!
//! | question | function | formula or source |
//! |---|---|---|
//! | how strongly? | [`pearson`], [`spearman`], [`kendall_tau_b`] | Pearson 1895, Spearman 1904, Kendall 1945 |
//! | and with code size, depth, ... held fixed? | [`partial_spearman`] | Pearson's r of the residuals of the ranks |
//! | is it the same in every group? | [`homogeneity`] | Cochran's Q, Hedges & Olkin 1985 |
//! | could it be chance? | [`permutation_p`], [`permutation_p_within`] | `p = (1 + #{abs(t*) >= abs(t)}) / (B + 1)` |
//! | how uncertain is it? | [`bootstrap`] | percentile and BCa intervals, Efron 1987 |
//! | is there *no* relation to speak of? | [`equivalence`], [`bayes_factor_01`], [`beta_bayes_factor_01`] | Schuirmann 1987; Wagenmakers 2007; Ly et al. 2016 |
//! | what follows? | [`Verdict`] | a rule fixed before any network was trained |
//! | all of it at once | [`rank_relation`], [`partial_rank_relation`] | |
//! | how strong would it be without noise? | [`disattenuate`], [`spearman_brown`], [`reliability_from_replicates`] | Spearman 1904, 1910 |
//! | how much of a measure is noise? | [`intraclass_correlations`] | Shrout & Fleiss 1979, McGraw & Wong 1996 |
//! | does one score follow accuracy better than another? | [`compare_scores`], [`compare_partial_scores`], [`steiger`] | bootstrap of the difference, Steiger 1980 |
//! | which factor matters how much? | [`two_way_anova`] | type II; eta, partial eta and omega squared |
//! | how much do columns explain, or predict? | [`explained_variance`], [`linear_trend`] | R2, adjusted, leave-one-out |
//! | do judges rank alike? | [`kendall_w`], [`concordance_permutation_p`] | Kendall & Babington Smith 1939 |
//! | which of two classifiers is better? | [`Disagreement`], [`compare_all`] | McNemar 1947 |
//! | did the same networks change? | [`paired_difference`] | bootstrap, sign flips |
//! | how sure is an accuracy, or a mean over seeds? | [`wilson_interval`], [`accuracy_standard_error`], [`mean_interval`] | Wilson 1927, Student 1908 |
//! | what does choosing by a score cost? | [`selection`], [`selection_from_pools`], [`top_overlap`] | |
//! | and with many tests? | [`holm`] | Holm 1979 |
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

mod anova;
mod attenuation;
mod bayes;
mod bootstrap;
mod concordance;
mod correlation;
mod dependent;
mod distributions;
mod equivalence;
mod holm;
mod homogeneity;
mod mcnemar;
mod mean;
mod normal;
mod paired;
mod partial;
mod permutation;
mod proportion;
mod ranking;
mod regression;
mod relation;
mod reliability;
mod selection;
#[cfg(test)]
mod simulation;
mod verdict;
#[cfg(test)]
mod verdict_simulation;

pub use anova::{Effect, TwoWayAnova, two_way_anova};
pub use attenuation::{disattenuate, reliability_from_replicates, spearman_brown};
pub use bayes::{bayes_factor_01, beta_bayes_factor_01};
pub use bootstrap::{Bootstrap, Interval, bootstrap};
pub use concordance::{Concordance, concordance_permutation_p, kendall_w};
pub use correlation::{average_ranks, kendall_tau_b, pearson, spearman};
pub use dependent::{CorrelationDifference, ScoreComparison, compare_partial_scores, compare_scores, steiger};
pub use distributions::{
    binomial_cdf, chi_squared_upper_tail, f_quantile, f_upper_tail, student_t_quantile, student_t_two_sided_p,
};
pub use equivalence::{Equivalence, equivalence};
pub use holm::holm;
pub use homogeneity::{Homogeneity, homogeneity};
pub use mcnemar::{Comparison, Disagreement, compare_all};
pub use mean::{Mean, mean, mean_interval, median};
pub use normal::{normal_cdf, normal_quantile};
pub use paired::{PairedDifference, paired_difference};
pub use partial::{PartialCorrelation, indicator_columns, partial_spearman};
pub use permutation::{permutation_p, permutation_p_within};
pub use proportion::{accuracy_standard_error, wilson_interval};
pub use ranking::Ranking;
pub use regression::{Explained, Trend, explained_variance, linear_trend};
pub use relation::{RankRelation, Settings, partial_rank_relation, rank_relation};
pub use reliability::{IntraclassCorrelations, Reliability, intraclass_correlations};
pub use selection::{PoolSelection, Selection, selection, selection_from_pools, top_overlap};
pub use verdict::{CONFIDENCE, EQUIVALENCE_MARGIN, PERMUTATIONS, RESAMPLES, SIGNIFICANCE_LEVEL, Verdict};

/// Panics, with both lengths, unless the two variables were measured on the same rows.
#[track_caller]
fn assert_paired(x: &[f64], y: &[f64]) {
    assert_eq!(x.len(), y.len(), "the two variables have {} and {} rows; each row needs both", x.len(), y.len());
}
