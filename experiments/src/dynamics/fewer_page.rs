//! Table T11c of E5 over fewer networks: claims C7 and C8 without dead or strongly masked ones.

use super::{
    prediction::{PredictionRow, predictions_of_fewer},
    section::interval_of,
};
use crate::{
    correlation::{
        network::NetworkRow,
        subset::{STRONG_MASKING, Subset},
    },
    report::format::number,
    suite::{Block, Results, Section, columns},
};

/// Adds the table of a data set, over the networks of E1, and names its numbers, such as `mnist.c8.living`.
pub(super) fn add(section: &mut Section, of_set: &Results, of_e1: &[NetworkRow]) {
    let (set, name) = (of_set.set, &of_set.identity.data[0]);
    let fewer = predictions_of_fewer(of_e1, of_set.identity.seed);
    for (subset, row) in &fewer {
        let key = format!("{set}.{}{}", row.model.name(), subset.key());
        section.numbers.insert(key.clone(), number(row.adjusted, 2));
        section.numbers.insert(format!("{key}.interval"), interval_of(row));
        section.numbers.insert(format!("{key}.verdict"), row.verdict().name().to_string());
    }
    section.blocks.push(table(name, &fewer));
}

/// T11c: what explains what, over fewer networks.
fn table(name: &str, found: &[(Subset, PredictionRow)]) -> Block {
    let row = |(subset, row): &(Subset, PredictionRow)| {
        vec![
            row.model.label().to_string(),
            subset.label().to_string(),
            row.networks.to_string(),
            number(row.adjusted, 2),
            interval_of(row),
            row.verdict().name().to_string(),
        ]
    };
    Block::Table {
        id: "T11c",
        caption: format!(
            "{name}: claims C7 and C8 over fewer networks of P1, asked after the runs: what the registered rule would say. \
             {STRONG_MASKING}."
        ),
        columns: columns(["Explained", "Networks", "#n", "#adjusted R²", "#95 %", "the claim would be"]),
        rows: found.iter().map(row).collect(),
    }
}
