//! Tables T1b and T1e of E1: the correlation with every probe.

use super::{
    relations::{ACCURACIES, Level, QUALITIES, RelationRow},
    section::JUDGES,
};
use crate::{
    report::format::{NONE, number, span},
    suite::{Block, columns},
};

/// How tables head the accuracies.
const PROBE_HEADS: [&str; 5] = ["#logistic", "#ridge", "#5-NN, Euclid", "#5-NN, angle", "#MLP"];

/// ρ of one score with every accuracy at one level of control.
fn of_probes(found: &[RelationRow], (level, without_dead): (Level, bool), quality: &str) -> Vec<String> {
    let of = |row: &&RelationRow| row.level == level && row.without_dead == without_dead && row.quality == quality;
    let cell = |(probe, _)| {
        let row = found.iter().filter(of).find(|row| row.probe == probe);
        row.map_or(NONE.to_string(), |row| format!("{} ({})", number(row.rho, 2), span(row.low, row.high, 2)))
    };
    ACCURACIES.map(cell).to_vec()
}

/// Every score with every probe, code size, depth and activation held fixed.
pub(super) fn matrix(name: &str, found: &[RelationRow]) -> Block {
    let rows = QUALITIES
        .map(|(quality, _)| [vec![quality.to_string()], of_probes(found, (Level::Partial, false), quality)].concat());
    Block::Table {
        id: "T1b",
        caption: format!(
            "{name}: the same with other scores (rows) and probes (columns), P1, code size, depth and activation held fixed: \
             Spearman's partial ρ with its 95 % interval, dead networks among them"
        ),
        columns: [columns(["Score"]), columns(PROBE_HEADS)].concat(),
        rows: rows.into(),
    }
}

/// The two errors with every probe, at every level of control.
pub(super) fn every_level(name: &str, found: &[RelationRow]) -> Block {
    let all = Level::ALL.into_iter().filter(|level| *level != Level::PartialAndRegulariser).map(|level| (level, false));
    let rows = all.chain([(Level::Partial, true)]).flat_map(|(level, without_dead)| {
        JUDGES.map(|(quality, judge, _)| {
            let networks = format!("{}{}", level.label(), if without_dead { ", living" } else { "" });
            [vec![networks, judge.to_string()], of_probes(found, (level, without_dead), quality)].concat()
        })
    });
    Block::Table {
        id: "T1e",
        caption: format!(
            "{name}: Spearman's ρ of two errors as qualities and the accuracy of every probe, at every level of control, with its \
             95 % interval; dead networks are among them but in the last rows"
        ),
        columns: [columns(["Networks", "Error"]), columns(PROBE_HEADS)].concat(),
        rows: rows.collect(),
    }
}
