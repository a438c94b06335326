//! Which scores rank the networks alike.

use super::SCORES;
use crate::{
    correlation::{
        network::{NetworkRow, Status},
        population::Population,
    },
    statistics::kendall_tau_b,
};
use serde::Serialize;

/// Two scores over the same networks: a row of `scores-agreement.csv`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgreementRow {
    /// The set.
    pub data: String,
    /// One score.
    pub first: &'static str,
    /// The other.
    pub second: &'static str,
    /// Networks that have both.
    pub networks: usize,
    /// Kendall's tau-b of both as qualities; empty where one is constant.
    pub kendall: Option<f64>,
}

/// Every score against every score, over the networks of P1 that did not fail: row by row of the matrix.
pub fn agreement(rows: &[NetworkRow]) -> Vec<AgreementRow> {
    let p1 = |row: &&NetworkRow| row.population == Population::P1 && row.status != Status::Failed;
    let chosen: Vec<&NetworkRow> = rows.iter().filter(p1).collect();
    let Some(first) = chosen.first() else { return Vec::new() };
    let cell = |a: usize, b: usize| {
        let both = chosen.iter().filter_map(|row| Some(((SCORES[a].quality)(row)?, (SCORES[b].quality)(row)?)));
        let (x, y): (Vec<f64>, Vec<f64>) = both.unzip();
        AgreementRow {
            data: first.data.clone(),
            first: SCORES[a].name,
            second: SCORES[b].name,
            networks: x.len(),
            kendall: kendall_tau_b(&x, &y),
        }
    };
    (0..SCORES.len()).flat_map(|a| (0..SCORES.len()).map(move |b| (a, b))).map(|(a, b)| cell(a, b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score_agreement::scores::tests::networks;

    #[test]
    fn the_matrix_is_symmetric_and_knows_functions_and_opposites() {
        let rows = networks(12);
        let found = agreement(&rows);
        let n = SCORES.len();
        assert_eq!(found.len(), n * n);
        let tau = |a: &str, b: &str| {
            found.iter().find(|row| (row.first, row.second) == (a, b)).and_then(|row| row.kendall).unwrap()
        };
        for a in SCORES {
            assert_eq!(tau(a.name, a.name), 1.0);
            assert_eq!(tau("mse", a.name), tau(a.name, "mse"));
        }
        assert_eq!(tau("mse", "psnr"), 1.0, "one is a falling function of the other");
        assert_eq!(tau("mse", "ssim"), -1.0, "made so that they disagree");
        assert!(agreement(&[]).is_empty());
    }

    #[test]
    fn a_failed_network_does_not_enter_and_a_constant_score_has_no_tau() {
        let mut rows = networks(12);
        rows[0].status = Status::Failed;
        rows.iter_mut().for_each(|row| row.soid = Some(1.0));
        let found = agreement(&rows);
        let soid = found.iter().find(|row| row.first == "soid" && row.second == "mse").unwrap();
        assert_eq!((soid.networks, soid.kendall), (11, None));
    }
}
