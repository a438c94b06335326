//! Is the correlation the same in every group of networks? By code size in P1, by start in P2.
//!
//! A correlation within groups is a mean over them: a strong one here and none there look like a weak one everywhere. This
//! was asked after the first full run had been seen; no verdict rests on it.

use super::{
    network::NetworkRow,
    population::{Initialisation, Population},
    relations::Column,
};
use crate::statistics::{
    CONFIDENCE, Homogeneity, Interval, RESAMPLES, Ranking, bootstrap, homogeneity, pearson, spearman,
};
use patchgrad::random::stream;

/// The networks of P1 or P2 in groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouping {
    /// The population.
    pub population: Population,
    /// By what: `code size`, `start`.
    pub by: &'static str,
    /// Whether dead networks are left out.
    pub without_dead: bool,
    /// The groups, in order.
    pub groups: Vec<Group>,
    /// Whether the correlations may be equal, for each of the judges.
    pub homogeneity: Vec<Option<Homogeneity>>,
}

/// Networks that have something in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they have in common.
    pub name: String,
    /// How many did not fail.
    pub networks: usize,
    /// Spearman's rho of quality and accuracy with its 95 % interval, for each of the judges; `None` where it is undefined.
    pub rho: Vec<Option<(f64, Interval)>>,
}

/// P1 by code size and P2 by start: `judges` are columns of reconstruction quality, `accuracy` that of a probe.
pub fn groupings(rows: &[NetworkRow], judges: &[Column], accuracy: Column, seed: u64) -> Vec<Grouping> {
    let by_size = |row: &NetworkRow| (row.code_size, row.code_size.to_string());
    let by_start = |row: &NetworkRow| (row.initialisation as usize, start_name(row.initialisation));
    let keys: [(Population, &'static str, Key); 2] =
        [(Population::P1, "code size", &by_size), (Population::P2, "start", &by_start)];
    let mut found = Vec::new();
    for (population, by, key) in keys {
        for without_dead in [false, true] {
            let enters = |row: &&NetworkRow| row.population == population && row.status.enters(without_dead);
            let networks: Vec<&NetworkRow> = rows.iter().filter(enters).collect();
            let (groups, homogeneity) = compare(&networks, key, judges, accuracy, seed);
            found.push(Grouping { population, by, without_dead, groups, homogeneity });
        }
    }
    found.retain(|grouping| grouping.groups.len() > 1);
    found
}

/// As in the tables: `oja`.
fn start_name(start: Initialisation) -> String {
    format!("{start:?}").to_lowercase()
}

/// The place of a group in the order, and its name.
type Key<'a> = &'a dyn Fn(&NetworkRow) -> (usize, String);

/// The correlation in each group, and the test that all are equal.
fn compare(
    networks: &[&NetworkRow],
    key: Key,
    judges: &[Column],
    accuracy: Column,
    seed: u64,
) -> (Vec<Group>, Vec<Option<Homogeneity>>) {
    let mut keys: Vec<(usize, String)> = networks.iter().map(|row| key(row)).collect();
    keys.sort();
    keys.dedup();
    let group = |(at, wanted): (usize, &(usize, String))| {
        let own: Vec<&NetworkRow> = networks.iter().copied().filter(|row| key(row) == *wanted).collect();
        let rho = judges.iter().enumerate().map(|(judge, quality)| {
            let index = at * judges.len() + judge;
            correlation(&own, *quality, accuracy, &mut stream(seed, "group", index as u64))
        });
        Group { name: wanted.1.clone(), networks: own.len(), rho: rho.collect() }
    };
    let groups: Vec<Group> = keys.iter().enumerate().map(group).collect();
    let test = |judge: usize| {
        let known: Option<Vec<(f64, usize)>> =
            groups.iter().map(|group| group.rho[judge].map(|(rho, _)| (rho, group.networks))).collect();
        homogeneity(&known?)
    };
    let homogeneity = (0..judges.len()).map(test).collect();
    (groups, homogeneity)
}

fn correlation(
    networks: &[&NetworkRow],
    quality: Column,
    accuracy: Column,
    random: &mut patchgrad::random::Stream,
) -> Option<(f64, Interval)> {
    let known: Vec<(f64, f64)> = networks.iter().filter_map(|row| Some((quality(row)?, accuracy(row)?))).collect();
    let (x, y): (Vec<f64>, Vec<f64>) = known.into_iter().unzip();
    let (order_x, order_y) = (Ranking::new(&x)?, Ranking::new(&y)?);
    let redrawn = |drawn: &[usize]| pearson(&order_x.of_rows(drawn), &order_y.of_rows(drawn));
    let spread = bootstrap(x.len(), redrawn, RESAMPLES, CONFIDENCE, random)?;
    Some((spearman(&x, &y)?, spread.interval()))
}

#[cfg(test)]
mod tests {
    use super::super::network::Status;
    use super::super::network::tests::measured;
    use super::*;

    const MSE: Column = |row| row.mse.map(|mse| -mse);
    const LOGISTIC: Column = |row| row.logistic;

    /// Accuracy rises with quality where `sign` is 1 and falls where it is -1, but for neighbours that change places.
    fn networks(code_size: usize, sign: f64) -> Vec<NetworkRow> {
        let network = |at: usize| {
            let accuracy = 0.5 - sign * 0.01 * (at ^ 1) as f64;
            NetworkRow { code_size, ..measured(at, 0.01 * (at + 1) as f64, accuracy) }
        };
        (0..20).map(network).collect()
    }

    #[test]
    fn opposite_groups_are_told_apart_and_equal_ones_are_not() {
        let opposite = [networks(256, -1.0), networks(16, 1.0)].concat();
        let found = &groupings(&opposite, &[MSE], LOGISTIC, 1)[0];
        let names: Vec<&str> = found.groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!((found.by, names), ("code size", vec!["16", "256"]));
        let rho: Vec<f64> = found.groups.iter().map(|group| group.rho[0].unwrap().0).collect();
        assert!(rho[0] > 0.9 && (rho[0] + rho[1]).abs() < 1e-12, "{rho:?}");
        assert!(found.homogeneity[0].unwrap().p < 1e-6);

        assert!(groupings(&opposite, &[MSE], LOGISTIC, 1)[1].without_dead);

        let equal = [networks(16, 1.0), networks(32, 1.0)].concat();
        assert!(groupings(&equal, &[MSE], LOGISTIC, 1)[0].homogeneity[0].unwrap().p > 0.999);
    }

    #[test]
    fn one_group_is_no_grouping_and_failed_networks_do_not_enter() {
        let mut rows = [networks(16, 1.0), networks(32, 1.0)].concat();
        assert!(groupings(&rows[..20], &[MSE], LOGISTIC, 1).is_empty());
        rows[0].status = Status::Failed;
        assert_eq!(groupings(&rows, &[MSE], LOGISTIC, 1)[0].groups[0].networks, 19);
    }
}
