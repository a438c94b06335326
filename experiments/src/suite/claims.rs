//! The claims of the paper, and the rule by which each is judged. Rules and margins were fixed before the full run of any
//! experiment; nothing here may be changed after one.
//!
//! A rule asks three things of a data set: when do its numbers *support* the claim, when do they *contradict* it, and else
//! the outcome is *inconclusive*. What exists (C1, C3) is shown by one network of which it is certain; what holds in general
//! (C2, C4 to C8) by an interval on one side of a margin. Levels are 5 %, Holm-corrected inside a family, and intervals 95 %,
//! as in [`crate::statistics::Verdict`], whose rule for "no correlation" decides C2.
//!
//! | claim | measured | margin | supported | contradicted |
//! |---|---|---|---|---|
//! | C1 | networks of P1 in the best quarter by their own decoder's error, their logistic accuracy against the median of P1 | | the upper Wilson limit of one of them lies below the median (Bonferroni's level, 5 % over their number) | the lower limits of all lie above it |
//! | C2 | Spearman's rho of quality and logistic accuracy, code size, depth and activation held fixed (P1, partial) | [0.3](crate::statistics::EQUIVALENCE_MARGIN) | equivalence test passes | interval excludes 0 and rho reaches the margin |
//! | C3 | living networks of P1, logistic probe of the code against that of the pixels, McNemar | | one code is worse | all codes are better |
//! | C4 | two-way ANOVA of the log error over encoders and decoders that were trained to their end | [`DECODER_SHARE`] | interval of the share of decoder and interaction above it | interval below it |
//! | C5 | accuracy lost by choosing one of [`POOL`] networks of P1 by validation error instead of validation accuracy | [`REGRET`] | interval above it | interval below it |
//! | C6 | accuracy of networks pre-trained as an SCAE minus that of randomly begun ones, by number of labels, paired over seeds | | better for some number of labels, worse for none | worse for some, better for none |
//! | C7 | adjusted R2 of the log training error on log code size, log parameters, depth and activation (P1) | [`PREDICTABLE`] | interval below it | interval above it |
//! | C8 | adjusted R2 of ranked accuracy on ranked error and ranked training error (P1) | [`PREDICTABLE`] | interval below it | interval above it |
//!
//! The text of C6 read "pre-trained networks" at first, while its computation looked at the SCAE alone from its first day, before any
//! full run; the text was made to say so after them. RESULTS.md tells what the wider reading would give.
//!
//! Living networks reconstruct better than the mean picture. Networks that failed enter nowhere, dead ones everywhere else.

use crate::statistics::{Interval, Verdict};
use serde::Serialize;

/// C4: the share of the variation of the log error that a decoder must carry to count as a bias.
pub const DECODER_SHARE: f64 = 0.1;

/// C5: accuracy worth the trouble of measuring it, one percentage point.
pub const REGRET: f64 = 0.01;

/// C5: networks to choose from.
pub const POOL: usize = 20;

/// C7, C8: half of the variation.
pub const PREDICTABLE: f64 = 0.5;

/// A claim of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Claim {
    /// Good reconstruction, poor classification.
    C1,
    /// No correlation.
    C2,
    /// The code is not necessarily better separable than the pixels.
    C3,
    /// The error is biased by the decoder.
    C4,
    /// Do not choose by the error.
    C5,
    /// Pre-training itself is not in question.
    C6,
    /// The training error cannot be predicted from the size.
    C7,
    /// Error and training error together do not judge features.
    C8,
}

impl Claim {
    /// Every claim, in the order of the paper.
    pub const ALL: [Self; 8] = [Self::C1, Self::C2, Self::C3, Self::C4, Self::C5, Self::C6, Self::C7, Self::C8];

    /// `C1` to `C8`.
    pub fn name(self) -> &'static str {
        match self {
            Self::C1 => "C1",
            Self::C2 => "C2",
            Self::C3 => "C3",
            Self::C4 => "C4",
            Self::C5 => "C5",
            Self::C6 => "C6",
            Self::C7 => "C7",
            Self::C8 => "C8",
        }
    }

    /// The experiment that gives its verdict.
    pub fn tested_by(self) -> &'static str {
        match self {
            Self::C1 | Self::C2 => "correlation",
            Self::C3 => "separability",
            Self::C4 => "decoder-bias",
            Self::C5 => "selection",
            Self::C6 => "pretraining",
            Self::C7 | Self::C8 => "dynamics",
        }
    }

    /// What the paper says, in our words.
    pub fn says(self) -> &'static str {
        match self {
            Self::C1 => "An auto-encoder can reconstruct well and still tell classes apart poorly.",
            Self::C2 => "Reconstruction and the usefulness of the features for classification are not correlated.",
            Self::C3 => "The code is not necessarily better separable than the pixels.",
            Self::C4 => "The reconstruction error measures encoder and decoder: it is biased by the decoder.",
            Self::C5 => "When classification is the goal, do not choose the network with the lowest error.",
            Self::C6 => "Unsupervised pre-training as such is not put in question.",
            Self::C7 => "The size and configuration of a network do not tell its training error.",
            Self::C8 => "Reconstruction and training error, even together, do not judge features.",
        }
    }

    /// The rule in words.
    pub fn rule(self) -> &'static str {
        match self {
            Self::C1 => {
                "Of the best quarter by error, one network is certainly less accurate than the median (supported), or all are \
                 certainly more accurate (contradicted)."
            }
            Self::C2 => {
                "With code size, depth and activation held fixed, the equivalence test finds |rho| < 0.3 (supported), or the \
                 interval excludes 0 and |rho| is 0.3 or more (contradicted)."
            }
            Self::C3 => {
                "By McNemar's test with Holm's correction, the probe is worse on one code than on the pixels (supported), or \
                 better on every code (contradicted)."
            }
            Self::C4 => {
                "The share of the variation of the log error that decoder and interaction carry has its interval above 0.1 \
                 (supported) or below (contradicted)."
            }
            Self::C5 => {
                "Choosing one of 20 networks by validation error instead of validation accuracy costs more than one point of \
                 accuracy (supported), or less (contradicted), the interval on one side."
            }
            Self::C6 => {
                "Networks pre-trained as a stack of auto-encoders are better than randomly begun ones for some number of labels and worse \
                 for none (supported), or worse for some and better for none (contradicted)."
            }
            Self::C7 => {
                "Code size, parameters, depth and activation explain less than half of the log training error (supported), \
                 or more (contradicted), the interval on one side."
            }
            Self::C8 => {
                "Error and training error together explain less than half of the accuracy, in ranks (supported), or more \
                 (contradicted), the interval on one side."
            }
        }
    }
}

impl Claim {
    /// What "certainly" means in the rule, and over what it is corrected.
    pub fn certainty(self) -> &'static str {
        match self {
            Self::C1 => {
                "Certainly: Wilson's interval of an accuracy over the test pictures, at Bonferroni's level (5\u{a0}% over the number of \
                 networks looked at), lies on one side of the median."
            }
            Self::C2 => {
                "One test for each set, without a correction: two one-sided tests at 5\u{a0}%, and an interval of 95\u{a0}% by the bootstrap over \
                 networks (BCa)."
            }
            Self::C3 => {
                "Certainly: McNemar's exact test at 5\u{a0}%, corrected by Holm over the networks of the population."
            }
            Self::C4 => "One interval of 95\u{a0}% for each set, by the bootstrap over encoders (BCa).",
            Self::C5 => "One interval of 95\u{a0}% for each set, by the bootstrap over networks (BCa).",
            Self::C6 => {
                "Certainly: a paired t-test over seeds at 5\u{a0}%, corrected by Holm over the numbers of labels."
            }
            Self::C7 | Self::C8 => "One interval of 95\u{a0}% for each set, by the bootstrap over networks (BCa).",
        }
    }
}

/// What one data set says about a claim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The claim.
    pub claim: Claim,
    /// The set, such as `MNIST sample`.
    pub data: String,
    /// What follows by the rule.
    pub verdict: Verdict,
    /// The numbers it follows from, in words.
    pub numbers: String,
}

/// Supported above a margin, contradicted below: for "the effect is large".
pub fn above(interval: Interval, margin: f64) -> Verdict {
    if interval.low > margin {
        Verdict::Supported
    } else if interval.high < margin {
        Verdict::Contradicted
    } else {
        Verdict::Inconclusive
    }
}

/// Supported below a margin, contradicted above: for "it cannot be told".
pub fn below(interval: Interval, margin: f64) -> Verdict {
    match above(interval, margin) {
        Verdict::Supported => Verdict::Contradicted,
        Verdict::Contradicted => Verdict::Supported,
        Verdict::Inconclusive => Verdict::Inconclusive,
    }
}

/// For "one is enough": supported by one `for_it`, contradicted when all are `against_it`. With nothing, inconclusive.
pub fn exists(cases: impl IntoIterator<Item = Case>) -> Verdict {
    let cases: Vec<Case> = cases.into_iter().collect();
    if cases.contains(&Case::ForIt) {
        Verdict::Supported
    } else if !cases.is_empty() && cases.iter().all(|case| *case == Case::AgainstIt) {
        Verdict::Contradicted
    } else {
        Verdict::Inconclusive
    }
}

/// For "it helps somewhere and harms nowhere": supported by one `for_it` and none `against_it`, contradicted the other way
/// round.
pub fn prevails(cases: impl IntoIterator<Item = Case>) -> Verdict {
    let cases: Vec<Case> = cases.into_iter().collect();
    match (cases.contains(&Case::ForIt), cases.contains(&Case::AgainstIt)) {
        (true, false) => Verdict::Supported,
        (false, true) => Verdict::Contradicted,
        _ => Verdict::Inconclusive,
    }
}

/// What one network or one number of labels shows with certainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// What the claim says.
    ForIt,
    /// The opposite.
    AgainstIt,
    /// Neither.
    Open,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A guard against a change after the fact: these numbers were registered.
    #[test]
    fn the_registered_margins() {
        assert_eq!((DECODER_SHARE, REGRET, POOL, PREDICTABLE), (0.1, 0.01, 20, 0.5));
    }

    #[test]
    fn an_interval_decides_only_on_one_side_of_its_margin() {
        let interval = |low, high| Interval { low, high };
        assert_eq!(above(interval(0.2, 0.4), 0.1), Verdict::Supported);
        assert_eq!(above(interval(0.02, 0.04), 0.1), Verdict::Contradicted);
        assert_eq!(above(interval(0.05, 0.4), 0.1), Verdict::Inconclusive);
        assert_eq!(above(interval(0.1, 0.4), 0.1), Verdict::Inconclusive, "the margin itself");
        assert_eq!(below(interval(0.2, 0.4), 0.5), Verdict::Supported);
        assert_eq!(below(interval(0.6, 0.8), 0.5), Verdict::Contradicted);
        let unknown = interval(f64::NAN, f64::NAN);
        assert_eq!((above(unknown, 0.1), below(unknown, 0.1)), (Verdict::Inconclusive, Verdict::Inconclusive));
    }

    #[test]
    fn one_case_can_show_that_something_exists_and_none_that_it_prevails() {
        use Case::{AgainstIt, ForIt, Open};
        assert_eq!(exists([AgainstIt, ForIt, Open]), Verdict::Supported);
        assert_eq!(exists([AgainstIt, AgainstIt]), Verdict::Contradicted);
        assert_eq!((exists([AgainstIt, Open]), exists([])), (Verdict::Inconclusive, Verdict::Inconclusive));
        assert_eq!(prevails([Open, ForIt]), Verdict::Supported);
        assert_eq!(prevails([Open, AgainstIt]), Verdict::Contradicted);
        assert_eq!((prevails([ForIt, AgainstIt]), prevails([Open])), (Verdict::Inconclusive, Verdict::Inconclusive));
    }

    #[test]
    fn claims_are_named_in_order() {
        let names: Vec<&str> = Claim::ALL.iter().map(|claim| claim.name()).collect();
        assert_eq!(names, ["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8"]);
    }
}
