//! Table T1c of E1: the correlation in groups of networks.

use super::{
    groups::{Grouping, groupings},
    network::NetworkRow,
    relations::{ACCURACIES, QUALITIES},
    section::JUDGES,
};
use crate::{
    report::format::{NONE, interval, number, p_value},
    suite::{Block, Section, columns},
};

/// Adds the table of a data set and names its numbers, such as `mnist.code-size.16.own.rho`.
pub(super) fn add(section: &mut Section, set: &str, name: &str, rows: &[NetworkRow], seed: u64) {
    let judges = JUDGES.map(|(quality, ..)| {
        let known = QUALITIES.into_iter().find(|(name, _)| *name == quality);
        known.expect("a judge is one of the qualities").1
    });
    let (_, logistic) = ACCURACIES[0];
    let found = groupings(rows, &judges, logistic, seed);
    for grouping in &found {
        put_numbers(section, set, grouping);
    }
    if !found.is_empty() {
        section.blocks.push(table(name, &found));
    }
}

fn put_numbers(section: &mut Section, set: &str, grouping: &Grouping) {
    let dead = if grouping.without_dead { ".alive" } else { "" };
    let prefix = format!("{set}.{}{dead}", grouping.by.replace(' ', "-"));
    let mut put = |key: &str, value: String| drop(section.numbers.insert(format!("{prefix}.{key}"), value));
    for (judge, (_, _, key)) in JUDGES.iter().enumerate() {
        for group in &grouping.groups {
            put(&format!("{}.n", group.name), group.networks.to_string());
            if let Some((rho, ends)) = group.rho[judge] {
                put(&format!("{}.{key}.rho", group.name), number(rho, 2));
                put(&format!("{}.{key}.interval", group.name), interval(ends));
            }
        }
        if let Some(test) = grouping.homogeneity[judge] {
            put(&format!("{key}.p"), p_value(test.p));
        }
    }
}

fn table(name: &str, found: &[Grouping]) -> Block {
    let mut rows = Vec::new();
    for grouping in found {
        let living = if grouping.without_dead { ", living" } else { "" };
        for group in &grouping.groups {
            let cells = group.rho.iter().flat_map(|rho| match rho {
                Some((rho, ends)) => [number(*rho, 2), interval(*ends)],
                None => [NONE.to_string(), NONE.to_string()],
            });
            let label = format!("{:?}, {} {}{living}", grouping.population, grouping.by, group.name);
            rows.push([label, group.networks.to_string()].into_iter().chain(cells).collect());
        }
        let tests = grouping.homogeneity.iter().flat_map(|test| {
            let p = test.map_or(NONE.to_string(), |test| format!("p {}", p_value(test.p)));
            ["all equal?".to_string(), p]
        });
        let label = format!("{:?}, by {}{living}", grouping.population, grouping.by);
        rows.push([label, String::new()].into_iter().chain(tests).collect());
    }
    Block::Table {
        id: "T1c",
        caption: format!(
            "{name}: Spearman's ρ of reconstruction quality with the accuracy of the logistic probe in groups of networks, with \
             95 % intervals; living: without dead ones. “All equal?” is Cochran's Q of the groups' correlations. This was asked \
             after the first full run had been seen; no verdict rests on it."
        ),
        columns: columns(["Networks", "#n", "#ρ, own decoder", "#95 %", "#ρ, best linear decoder", "#95 %"]),
        rows,
    }
}

#[cfg(test)]
mod tests {
    use super::super::network::tests::measured;
    use super::*;

    #[test]
    fn groups_are_named_and_listed() {
        let network = |at: usize| {
            let accuracy = 0.9 - 0.01 * (at ^ 1) as f64;
            let code_size = if at < 10 { 16 } else { 64 };
            NetworkRow { code_size, ..measured(at, 0.01 * (at + 1) as f64, accuracy) }
        };
        let rows: Vec<NetworkRow> = (0..20).map(network).collect();
        let mut section = Section::default();
        add(&mut section, "set", "Set", &rows, 1);
        assert_eq!((section.numbers["set.code-size.16.n"].as_str(), section.blocks.len()), ("10", 1));
        assert!(section.numbers["set.code-size.64.own.rho"].starts_with("0.9"));
        let Block::Table { rows, .. } = &section.blocks[0] else { panic!("a table") };
        let labels: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        let all = ["P1, code size 16", "P1, code size 64", "P1, by code size"];
        let living = ["P1, code size 16, living", "P1, code size 64, living", "P1, by code size, living"];
        assert_eq!(labels, [all, living].concat());
        assert!(rows.iter().all(|row| row.len() == 6));
    }
}
