//! The rule by which "reconstruction quality and usefulness are not correlated" is judged, and its constants. All of it
//! was fixed before any network of the experiments was trained; nothing in this file may be changed after a full run.
//!
//! | what | value | where |
//! |---|---|---|
//! | statistic | Spearman's rho, plain or partial | [`spearman`](super::spearman), [`partial_spearman`](super::partial_spearman) |
//! | sign | reconstruction *quality* against accuracy: `rho > 0` says that better reconstruction goes with better accuracy | the caller |
//! | a correlation that counts as none | `abs(rho) < 0.3` | [`EQUIVALENCE_MARGIN`] |
//! | level of both one-sided tests, and of tests in general | 0.05 | [`SIGNIFICANCE_LEVEL`] |
//! | interval | 95 %, BCa over networks, percentile where BCa does not exist | [`CONFIDENCE`] |
//! | resamples, permutations | 2,000, 10,000 | [`RESAMPLES`], [`PERMUTATIONS`] |
//! | *supported* | both one-sided tests pass | [`Verdict::of`] |
//! | *contradicted* | the interval excludes 0 and `abs(rho) >= 0.3`, whichever sign | [`Verdict::of`] |
//! | *inconclusive* | everything else | [`Verdict::of`] |
//!
//! The verdict is given for every data set and every level of control (all networks, covariates held fixed, one code size),
//! never for a selection of networks by their outcome.

use super::bootstrap::Interval;
use super::equivalence::Equivalence;
use std::fmt;

/// A rank correlation closer to zero than this counts as none: the margin fixed before the experiments were run.
pub const EQUIVALENCE_MARGIN: f64 = 0.3;

/// Level of both one-sided tests of [`equivalence`](super::equivalence), and of every other test, after
/// [`holm`](super::holm)'s correction inside its family.
pub const SIGNIFICANCE_LEVEL: f64 = 0.05;

/// Confidence of all intervals.
pub const CONFIDENCE: f64 = 0.95;

/// Resamples of every bootstrap.
pub const RESAMPLES: usize = 2_000;

/// Shuffles of every permutation test.
pub const PERMUTATIONS: usize = 10_000;

/// What the numbers say about the claim "reconstruction quality and usefulness are not correlated".
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The equivalence test passes: any correlation is smaller than the margin.
    Supported,
    /// The interval excludes 0 and `abs(rho)` reaches the margin: there is a correlation worth the name.
    Contradicted,
    /// Neither: too few networks, or a correlation around the margin.
    Inconclusive,
}

impl Verdict {
    /// Applies the rule, which was fixed beforehand, to a rank correlation, its 95 % interval and its equivalence test.
    pub fn of(rho: f64, interval: Interval, equivalence: &Equivalence) -> Self {
        if equivalence.passes() {
            Verdict::Supported
        } else if interval.excludes(0.0) && rho.abs() >= equivalence.margin {
            Verdict::Contradicted
        } else {
            Verdict::Inconclusive
        }
    }

    /// The verdict in lower case: `supported`, `contradicted` or `inconclusive`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Supported => "supported",
            Verdict::Contradicted => "contradicted",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::super::equivalence;
    use super::*;

    fn tost(rho: f64, rows: usize) -> Equivalence {
        equivalence(rho, rows, 0, EQUIVALENCE_MARGIN).expect("enough rows")
    }

    /// A guard against a change after the fact: these numbers were registered.
    #[test]
    fn the_registered_constants() {
        assert_eq!((EQUIVALENCE_MARGIN, SIGNIFICANCE_LEVEL, CONFIDENCE), (0.3, 0.05, 0.95));
        assert_eq!((RESAMPLES, PERMUTATIONS), (2_000, 10_000));
    }

    #[test]
    fn the_rule() {
        let interval = |low, high| Interval { low, high };
        assert_eq!(Verdict::of(0.02, interval(-0.1, 0.15), &tost(0.02, 200)), Verdict::Supported);
        // Statistically different from zero, yet shown to be negligible.
        assert_eq!(Verdict::of(0.15, interval(0.02, 0.25), &tost(0.15, 400)), Verdict::Supported);
        assert_eq!(Verdict::of(0.6, interval(0.4, 0.75), &tost(0.6, 60)), Verdict::Contradicted);
        assert_eq!(Verdict::of(-0.5, interval(-0.7, -0.2), &tost(-0.5, 60)), Verdict::Contradicted);
        assert_eq!(Verdict::of(0.35, interval(-0.05, 0.6), &tost(0.35, 24)), Verdict::Inconclusive, "includes 0");
        assert_eq!(Verdict::of(0.28, interval(0.05, 0.5), &tost(0.28, 60)), Verdict::Inconclusive, "below the margin");
    }

    #[test]
    fn the_margin_itself_contradicts_and_nan_decides_nothing() {
        let interval = Interval { low: 0.1, high: 0.5 };
        assert_eq!(Verdict::of(0.3, interval, &tost(0.3, 60)), Verdict::Contradicted);
        assert_eq!(Verdict::of(0.299, interval, &tost(0.299, 60)), Verdict::Inconclusive);
        let unknown = Interval { low: f64::NAN, high: f64::NAN };
        assert_eq!(Verdict::of(0.6, unknown, &tost(0.6, 60)), Verdict::Inconclusive);
        assert_eq!(Verdict::of(f64::NAN, interval, &tost(0.6, 60)), Verdict::Inconclusive);
    }
}
