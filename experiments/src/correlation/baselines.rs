//! The dashed lines of figure F1: what the probe of E2 makes of features that no auto-encoder learnt.

use super::population::Population;
use crate::{
    figures::Baseline,
    separability::{Kind, SeparabilityRow},
    statistics::median,
};

/// What the logistic probe makes of the pixels, of `size` principal components and random projections, of discriminant
/// directions, of a network that learnt the classes and of encoders before training, where E2 was run.
pub(super) fn baselines(references: &[SeparabilityRow], population: Population, size: usize) -> Vec<Baseline> {
    let line = |row: &SeparabilityRow| {
        let sized = matches!(row.kind, Kind::Pca | Kind::RandomProjection);
        let shown = match row.kind {
            Kind::Network | Kind::Shuffled => false,
            _ => !sized || row.code_size == size,
        };
        let label = if sized { format!("{}, {size}", row.kind.label()) } else { row.kind.label().to_string() };
        row.logistic.filter(|_| shown).map(|accuracy| Baseline { y: 100.0 * accuracy, label })
    };
    let networks = references.iter().filter(|row| row.kind == Kind::Network && row.population == Some(population));
    let untrained: Vec<f64> = networks.filter_map(|row| row.untrained_logistic).collect();
    let untrained =
        median(&untrained).map(|accuracy| Baseline { y: 100.0 * accuracy, label: "untrained encoders, median".into() });
    references.iter().filter_map(line).chain(untrained).collect()
}
