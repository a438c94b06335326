//! One choice among all networks: what it costs, and how well a criterion orders them.

use super::{CRITERIA, Candidates, regret::Scope};
use crate::{
    correlation::network::NetworkRow,
    statistics::{CONFIDENCE, RESAMPLES, bootstrap, kendall_tau_b, selection, top_overlap},
};
use patchgrad::{parallel, random::stream};
use serde::Serialize;

/// The best networks that a criterion should find: a tenth.
const TOP: f64 = 0.1;

/// A criterion over all networks: a row of `selection-criteria.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChoiceRow {
    /// The set.
    pub data: String,
    /// What is chosen by.
    pub criterion: &'static str,
    /// Networks.
    pub networks: usize,
    /// Accuracy lost by choosing the best of all by the criterion instead of by validation accuracy.
    pub regret: f64,
    /// Share of the other networks that are worse than the chosen one: 0.5 is blind.
    pub rank: f64,
    /// `(tau + 1) / 2` with the test accuracy: without ties, the share of pairs that the criterion orders right.
    pub concordance: Option<f64>,
    /// Lower end of its 95 % interval, over networks.
    pub concordance_low: Option<f64>,
    /// Upper end.
    pub concordance_high: Option<f64>,
    /// The same of pairs of one code size.
    pub concordance_one_code_size: Option<f64>,
    /// Of the best tenth by accuracy, the share that is in the best tenth by the criterion; empty for a constant criterion.
    pub top_overlap: Option<f64>,
}

/// Every criterion.
pub fn choices(rows: &[NetworkRow], seed: u64) -> Vec<ChoiceRow> {
    let Some(first) = rows.first() else { return Vec::new() };
    let found = parallel::map_jobs(CRITERIA.len(), |at| {
        let all = Candidates::of(rows, &CRITERIA[at]);
        let chosen = selection(&all.criterion, &all.reference, &all.accuracy)?;
        let statistic = |networks: &[usize]| concordance(&all.pick(networks), Scope::All);
        let spread =
            bootstrap(all.count(), statistic, RESAMPLES, CONFIDENCE, &mut stream(seed, "concordance", at as u64));
        let interval = spread.map(|spread| spread.interval());
        let concordance_of = |scope| concordance(&all, scope);
        Some(ChoiceRow {
            data: first.data.clone(),
            criterion: CRITERIA[at].name,
            networks: all.count(),
            regret: chosen.regret(),
            rank: chosen.rank,
            concordance: concordance_of(Scope::All),
            concordance_low: interval.map(|interval| interval.low),
            concordance_high: interval.map(|interval| interval.high),
            concordance_one_code_size: concordance_of(Scope::OneCodeSize),
            // Equal values go by their order in the table, which says nothing.
            top_overlap: concordance_of(Scope::All).and_then(|_| top_overlap(&all.criterion, &all.accuracy, TOP)),
        })
    });
    found.into_iter().flatten().collect()
}

/// `(tau + 1) / 2`; within code sizes the mean over them, each as heavy as it has pairs. `None` where every tau is undefined.
pub fn concordance(all: &Candidates, scope: Scope) -> Option<f64> {
    let groups = match scope {
        Scope::All => vec![all.clone()],
        Scope::OneCodeSize => all.by_code_size(),
    };
    let (mut sum, mut pairs) = (0.0, 0.0);
    for group in groups {
        if let Some(tau) = kendall_tau_b(&group.criterion, &group.accuracy) {
            let own = (group.count() * (group.count() - 1)) as f64 / 2.0;
            sum += own * (tau + 1.0) / 2.0;
            pairs += own;
        }
    }
    (pairs > 0.0).then_some(sum / pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlation::network::tests::row;

    #[test]
    fn concordance_by_hand() {
        let all = Candidates {
            criterion: vec![1.0, 2.0, 3.0, 5.0, 4.0],
            reference: vec![0.0; 5],
            accuracy: vec![1.0, 2.0, 3.0, 4.0, 5.0],
            code_size: vec![16, 16, 16, 32, 32],
        };
        // One pair of ten is in the wrong order; within sizes three of three right and one of one wrong.
        assert!((concordance(&all, Scope::All).unwrap() - 0.9).abs() < 1e-12);
        assert!((concordance(&all, Scope::OneCodeSize).unwrap() - 0.75).abs() < 1e-12);
        let constant = Candidates { criterion: vec![0.0; 5], ..all };
        assert_eq!((concordance(&constant, Scope::All), concordance(&constant, Scope::OneCodeSize)), (None, None));
    }

    #[test]
    fn a_criterion_in_the_right_order_loses_nothing_and_one_in_reverse_everything() {
        let network = |i: usize| {
            let mut row = row(i);
            let value = 0.01 * i as f64;
            (row.logistic, row.logistic_validation) = (Some(value), Some(value));
            // Lower is better: the own decoder is right, the linear one wrong.
            (row.mse_validation, row.linear_decoder_mse_validation) = (Some(1.0 - value), Some(value));
            row
        };
        let rows: Vec<NetworkRow> = (0..40).map(network).collect();
        let found = choices(&rows, 1);
        let of = |name: &str| found.iter().find(|row| row.criterion == name).unwrap();
        let own = of("own-decoder");
        assert_eq!((own.regret, own.rank, own.concordance, own.top_overlap), (0.0, 1.0, Some(1.0), Some(1.0)));
        let linear = of("linear-decoder");
        assert!((linear.regret - 0.39).abs() < 1e-12);
        assert_eq!((linear.rank, linear.concordance, linear.top_overlap), (0.0, Some(0.0), Some(0.0)));
        let blind = of("blind");
        assert_eq!((blind.rank, blind.concordance, blind.top_overlap), (0.5, None, None));
        assert_eq!(found.len(), 3, "what was not measured is left out");
        assert!(choices(&[], 1).is_empty());
    }
}
