//! Experiment E0: is it right? Table T0, one row for each check.
//!
//! | group | what is checked |
//! |---|---|
//! | [`engine_gradients`] | gradients of every op, activation and loss in f32 against central differences |
//! | [`loop_gradients`] | the same of the reference loops in f64, and that the engine agrees with the loops |
//! | [`network_gradients`] | gradients of whole networks: units, penalties, classifiers, end-to-end auto-encoders |
//! | [`geometry`] | decoding is the adjoint of encoding; how many patches cover a pixel |
//! | [`components`] | a linear auto-encoder reaches principal components, Hebbian rules find them |
//! | [`bars`] | contrastive divergence learns a distribution whose likelihood is computed exactly |
//! | [`constants`] | the scores reproduce N-light-N's published test values |
//! | [`supervised`] | two classifiers reach what the literature reports for MNIST |
//! | [`threads`] | 1, 2 and 8 threads give the same bits |
//! | [`defects`] | each known defect of N-light-N and the tests that would catch it here |
//!
//! Nothing is read from other results: every value is measured in the run that prints it.

pub mod bars;
mod check;
pub mod components;
pub mod constants;
pub mod defects;
mod directions;
pub mod engine_gradients;
pub mod geometry;
pub mod loop_gradients;
pub mod network_gradients;
pub mod output;
pub mod supervised;
pub mod threads;

pub use check::{Bar, Check, Measure, Row, Subject, Verdict};
pub(crate) use directions::param_gradient_errors;

/// Every check, in the order of the table.
///
/// `full` says whether the networks are trained on full MNIST: it chooses their bars.
pub fn checks(full: bool) -> Vec<Check> {
    [
        engine_gradients::checks(),
        loop_gradients::checks(),
        network_gradients::checks(),
        geometry::checks(),
        components::checks(),
        bars::checks(),
        constants::checks(),
        threads::checks(),
        supervised::checks(full),
        defects::checks(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Limits, load};
    use patchgrad_datasets::SetName;
    use std::collections::HashSet;

    #[test]
    fn every_quick_check_passes() {
        let mnist = load(SetName::Mnist, None, Limits { train: 3_000, ..Limits::NONE }).unwrap();
        let subject = Subject { mnist };
        for check in checks(false).iter().filter(|check| !check.slow) {
            let row = check.run(&subject);
            print!("{}", output::line(&row));
            assert_ne!(row.verdict, Verdict::Failed, "{row:?}");
        }
    }

    #[test]
    fn names_are_unique_and_no_text_is_missing() {
        let checks = checks(false);
        let names: HashSet<&str> = checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names.len(), checks.len());
        assert!(checks.iter().all(|check| !check.what.is_empty() && !check.how.is_empty()));
        assert_eq!(checks.len(), super::checks(true).len());
    }
}
