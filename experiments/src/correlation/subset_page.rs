//! Table T1d of E1: claims C1 and C2 over fewer networks.

use super::{
    coexistence::Coexistence,
    network::NetworkRow,
    population::Population,
    relations::{Level, relations_where},
    section::JUDGES,
    subset::{STRONG_MASKING, Subset},
};
use crate::{
    report::format::{NONE, number, percent, span},
    suite::{Block, Results, Section, columns},
};

/// Adds the table of a data set and names its numbers, such as `mnist.c1.living.poor` and `mnist.partial.lightly-masked.own.rho`.
pub(super) fn add(section: &mut Section, of_set: &Results, all: &[NetworkRow]) {
    let (set, name, seed) = (of_set.set, &of_set.identity.data[0], of_set.identity.seed);
    let mut cells = Vec::new();
    for subset in Subset::ALL {
        let rows = subset.of(all);
        let p1: Vec<&NetworkRow> = rows.iter().filter(|row| row.population == Population::P1).collect();
        let mut line = vec![subset.label().to_string(), p1.len().to_string()];
        let mut put = |key: String, value: String| drop(section.numbers.insert(format!("{set}.{key}"), value));
        put(format!("subset{}.n", subset.key()), p1.len().to_string());
        match Coexistence::of(&p1, of_set.identity.pictures[2]) {
            None => line.extend([NONE, NONE].map(str::to_string)),
            Some(found) => {
                let key = |what: &str| format!("c1{}.{what}", subset.key());
                put(key("best"), found.best.len().to_string());
                put(key("poor"), found.poor().to_string());
                put(key("median"), percent(found.median));
                put(key("verdict"), found.verdict.name().to_string());
                line.push(format!("{} of {}", found.poor(), found.best.len()));
                line.push(found.verdict.name().to_string());
            }
        }
        let is_wanted = |quality: &str| JUDGES.iter().any(|(name, ..)| *name == quality);
        // Without dead ones it is the correlation of T1, of the same draws.
        let without_dead = subset == Subset::Living;
        let found = relations_where(if without_dead { all } else { &rows }, seed, |cell| {
            cell.level == Level::Partial
                && cell.without_dead == without_dead
                && cell.probe.0 == "logistic"
                && is_wanted(cell.quality.0)
        });
        for (quality, _, judge) in JUDGES {
            let Some(row) = found.iter().find(|row| row.quality == quality) else {
                line.push(NONE.to_string());
                continue;
            };
            let interval = span(row.low, row.high, 2);
            if subset == Subset::LightlyMasked {
                put(format!("partial{}.{judge}.rho", subset.key()), number(row.rho, 2));
                put(format!("partial{}.{judge}.interval", subset.key()), interval.clone());
            }
            line.push(format!("{} ({interval})", number(row.rho, 2)));
        }
        cells.push(line);
    }
    section.blocks.push(Block::Table {
        id: "T1d",
        caption: format!(
            "{name}: claims C1 and C2 over fewer networks of P1, asked after the runs. Networks of the quarter with the lowest error \
             that are certainly less accurate than the median of the same networks, and what follows; Spearman's ρ with code size, \
             depth and activation held fixed, by the own and by the best linear decoder. {STRONG_MASKING}, so that the own decoder \
             fits other pictures than those it is measured on."
        ),
        columns: columns(["Networks", "#n", "#Poor of the best", "C1", "#ρ, own decoder", "#ρ, best linear decoder"]),
        rows: cells,
    });
}
