//! Two-way analysis of variance: how much of a quantity is one factor, the other, and their interplay.

use std::collections::BTreeMap;

use super::distributions::f_upper_tail;
use crate::linear_algebra::{orthonormalise, remove_projection};

use super::partial::indicator_columns;

/// A sum of squares below this share of the total is rounding.
const ROUNDING: f64 = 1e-20;

/// One source of variation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// Sum of squares of type II.
    pub sum_of_squares: f64,
    /// Degrees of freedom.
    pub freedom: usize,
    /// Mean square over that of the residuals; `None` if the residuals are zero.
    pub f: Option<f64>,
    /// p-value of "no effect"; `None` if the residuals are zero.
    pub p: Option<f64>,
    /// Share of the total sum of squares. The shares of a balanced table add up to 1 with the residuals' share.
    pub eta_squared: f64,
    /// Share of what is left once the other effects are taken out: `SS / (SS + SS of the residuals)`; 0 if both are 0.
    pub partial_eta_squared: f64,
    /// The share expected in the population, `(SS - df MS_res) / (SS_total + MS_res)`: eta squared without its upward bias.
    /// A small effect may come out slightly negative, which reads as none.
    pub omega_squared: f64,
}

/// The table of a two-way analysis of variance; see [`two_way_anova`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoWayAnova {
    /// The first factor.
    pub first: Effect,
    /// The second factor.
    pub second: Effect,
    /// Their interaction; `None` if no cell holds more than one value: it then cannot be told from noise and is part of the
    /// residuals.
    pub interaction: Option<Effect>,
    /// Sum of squares of the residuals.
    pub residual_sum_of_squares: f64,
    /// Degrees of freedom of the residuals.
    pub residual_freedom: usize,
    /// Sum of squares about the mean.
    pub total_sum_of_squares: f64,
}

/// Two fixed factors and their interaction, with sums of squares of **type II**: each factor beside the other, and the
/// interaction beside both. For a balanced table all types agree; for an unbalanced one (networks that diverged leave
/// holes) type II does not depend on a coding of the levels and asks about main effects as if there were no interaction.
/// The residuals are the deviations from the cell means.
///
/// `first[i]` and `second[i]` are the levels under which `values[i]` was measured, in any order; cells may be empty, at the
/// price of degrees of freedom of the interaction. A quantity that acts by factors, such as an error, is best given as its
/// logarithm.
///
/// The same value for every repeat in all cells (a decoder without randomness) makes the residuals zero: then the shares
/// stand, and there are no F tests.
///
/// `None` if a value is not finite, a factor has fewer than two levels, a factor cannot be told from the other, all values
/// are equal, or no degrees of freedom are left for the residuals.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// use pitfall::statistics::two_way_anova;
///
/// // Two encoders under two decoders, two seeds each: the decoder matters most.
/// let log_mse = [1.0, 1.2, 3.0, 3.2, 1.5, 1.7, 3.5, 3.7];
/// let encoder = ["a", "a", "a", "a", "b", "b", "b", "b"];
/// let decoder = [1, 1, 2, 2, 1, 1, 2, 2];
/// let table = two_way_anova(&log_mse, &encoder, &decoder).unwrap();
/// assert!(table.second.eta_squared > 0.9 && table.first.eta_squared < 0.1);
/// assert!(table.interaction.unwrap().eta_squared < 1e-12);
/// ```
pub fn two_way_anova<A: Ord, B: Ord>(values: &[f64], first: &[A], second: &[B]) -> Option<TwoWayAnova> {
    let rows = values.len();
    assert!(
        first.len() == rows && second.len() == rows,
        "{rows} values with {} levels of the first factor and {} of the second; each value needs both",
        first.len(),
        second.len()
    );
    if rows < 2 || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mean = values.iter().sum::<f64>() / rows as f64;
    let centred: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let total = sum_of_squares(&centred);
    // Differences of equal values of this size may reach this by rounding.
    if total <= rows as f64 * (4.0 * f64::EPSILON * mean).powi(2) {
        return None;
    }
    let clean = |sum: f64| if sum > ROUNDING * total { sum } else { 0.0 };

    let without_first = left_by_means(&centred, second.iter());
    let without_second = left_by_means(&centred, first.iter());
    let additive = left_by_margins(&centred, first, second)
        .unwrap_or_else(|| left_by(&centred, [&indicator_columns(first), &indicator_columns(second)]));
    let cells = left_by_means(&centred, first.iter().zip(second));

    let (first_freedom, second_freedom) = (additive.rank - without_first.rank, additive.rank - without_second.rank);
    if first_freedom == 0 || second_freedom == 0 {
        return None;
    }
    let interacting = cells.rank < rows;
    let full = if interacting { cells } else { additive };
    let residual_freedom = rows - full.rank;
    if residual_freedom == 0 {
        return None;
    }
    let residual = clean(full.sum_of_squares);
    let mean_square = residual / residual_freedom as f64;
    let effect = |sum: f64, freedom: usize| {
        let sum = clean(sum);
        let f = (residual > 0.0).then(|| sum / freedom as f64 / mean_square);
        Effect {
            sum_of_squares: sum,
            freedom,
            f,
            p: f.and_then(|f| f_upper_tail(f, freedom as f64, residual_freedom as f64)),
            eta_squared: sum / total,
            partial_eta_squared: if sum > 0.0 { sum / (sum + residual) } else { 0.0 },
            omega_squared: (sum - freedom as f64 * mean_square) / (total + mean_square),
        }
    };
    let interaction_freedom = full.rank - additive.rank;
    Some(TwoWayAnova {
        first: effect(without_first.sum_of_squares - additive.sum_of_squares, first_freedom),
        second: effect(without_second.sum_of_squares - additive.sum_of_squares, second_freedom),
        interaction: (interacting && interaction_freedom > 0)
            .then(|| effect(additive.sum_of_squares - full.sum_of_squares, interaction_freedom)),
        residual_sum_of_squares: residual,
        residual_freedom,
        total_sum_of_squares: total,
    })
}

/// What a model leaves of the values.
#[derive(Clone, Copy)]
struct Left {
    sum_of_squares: f64,
    /// Independent parameters, the constant included.
    rank: usize,
}

/// Least squares on a constant and the columns of both factors.
fn left_by(values: &[f64], factors: [&[Vec<f64>]; 2]) -> Left {
    let mut columns = vec![vec![1.0; values.len()]];
    factors.iter().for_each(|factor| columns.extend_from_slice(factor));
    let basis = orthonormalise(columns);
    let mut residual = values.to_vec();
    remove_projection(&mut residual, &basis);
    Left { sum_of_squares: sum_of_squares(&residual), rank: basis.len() }
}

/// The same for a balanced table, with equally many values in every cell: there the factors are orthogonal, and each level's mean
/// is its effect. `None` if it is not balanced.
fn left_by_margins<A: Ord, B: Ord>(centred: &[f64], first: &[A], second: &[B]) -> Option<Left> {
    let mut counts: BTreeMap<(&A, &B), usize> = BTreeMap::new();
    first.iter().zip(second).for_each(|cell| *counts.entry(cell).or_default() += 1);
    let (of_first, of_second) = (means(centred, first.iter()), means(centred, second.iter()));
    let each = *counts.values().next()?;
    if counts.len() != of_first.len() * of_second.len() || counts.values().any(|&count| count != each) {
        return None;
    }
    let residual =
        centred.iter().zip(first.iter().zip(second)).map(|(value, (a, b))| value - of_first[a] - of_second[b]);
    let rank = of_first.len() + of_second.len() - 1;
    Some(Left { sum_of_squares: residual.map(|left| left * left).sum(), rank })
}

/// The mean of every level.
fn means<L: Ord>(values: &[f64], levels: impl Iterator<Item = L>) -> BTreeMap<L, f64> {
    let mut sums: BTreeMap<L, (f64, usize)> = BTreeMap::new();
    for (&value, level) in values.iter().zip(levels) {
        let (sum, count) = sums.entry(level).or_default();
        *sum += value;
        *count += 1;
    }
    sums.into_iter().map(|(level, (sum, count))| (level, sum / count as f64)).collect()
}

/// The mean of every cell.
fn left_by_means<C: Ord>(values: &[f64], cells: impl Iterator<Item = C>) -> Left {
    let mut groups: BTreeMap<C, Vec<f64>> = BTreeMap::new();
    for (&value, cell) in values.iter().zip(cells) {
        groups.entry(cell).or_default().push(value);
    }
    let about_mean = |group: &Vec<f64>| {
        let mean = group.iter().sum::<f64>() / group.len() as f64;
        group.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
    };
    Left { sum_of_squares: groups.values().map(about_mean).sum(), rank: groups.len() }
}

fn sum_of_squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two by three cells with two values each; `(first, second, value)`.
    const BALANCED: [(u8, u8, f64); 12] = [
        (0, 0, 1.0),
        (0, 0, 3.0),
        (0, 1, 4.0),
        (0, 1, 6.0),
        (0, 2, 7.0),
        (0, 2, 9.0),
        (1, 0, 3.0),
        (1, 0, 5.0),
        (1, 1, 6.0),
        (1, 1, 8.0),
        (1, 2, 3.0),
        (1, 2, 5.0),
    ];

    #[test]
    fn a_balanced_table_is_the_least_squares_of_its_columns() {
        let column = |pick: fn(&(u8, u8, f64)) -> u8| BALANCED.iter().map(pick).collect::<Vec<_>>();
        let (first, second) = (column(|row| row.0), column(|row| row.1));
        let mean = BALANCED.iter().map(|row| row.2).sum::<f64>() / BALANCED.len() as f64;
        let centred: Vec<f64> = BALANCED.iter().map(|row| row.2 - mean).collect();
        let margins = left_by_margins(&centred, &first, &second).unwrap();
        let columns = left_by(&centred, [&indicator_columns(&first), &indicator_columns(&second)]);
        assert!((margins.sum_of_squares - columns.sum_of_squares).abs() < 1e-12);
        assert_eq!((margins.rank, columns.rank), (4, 4));
        // A value less, or a cell less, and it is not balanced.
        assert!(left_by_margins(&centred[1..], &first[1..], &second[1..]).is_none());
        assert!(left_by_margins(&centred[2..], &first[2..], &second[2..]).is_none());
    }

    fn anova(rows: &[(u8, u8, f64)]) -> Option<TwoWayAnova> {
        let column = |pick: fn(&(u8, u8, f64)) -> u8| rows.iter().map(pick).collect::<Vec<_>>();
        let values: Vec<f64> = rows.iter().map(|row| row.2).collect();
        two_way_anova(&values, &column(|row| row.0), &column(|row| row.1))
    }

    #[track_caller]
    fn close(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-12, "got {got}, want {want}");
    }

    #[test]
    fn by_hand() {
        // Cell means 2 5 8 / 4 7 4, grand mean 5. Row means 5, 5; column means 3, 6, 6. Each value is 1 from its cell mean.
        // SS: rows 0, columns 4 (4 + 1 + 1) = 24, cells 2 (9 + 0 + 9 + 1 + 4 + 1) = 48, residuals 12.
        let table = anova(&BALANCED).unwrap();
        let interaction = table.interaction.unwrap();
        close(table.first.sum_of_squares, 0.0);
        close(table.second.sum_of_squares, 24.0);
        close(interaction.sum_of_squares, 24.0);
        close(table.residual_sum_of_squares, 12.0);
        close(table.total_sum_of_squares, 60.0);
        assert_eq!((table.first.freedom, table.second.freedom, interaction.freedom), (1, 2, 2));
        assert_eq!(table.residual_freedom, 6);
        close(table.second.f.unwrap(), 6.0);
        // F(2, 6): p = (1 + 2 f / 6)^-3
        close(table.second.p.unwrap(), 1.0 / 27.0);
        close(table.second.eta_squared, 0.4);
        close(table.second.partial_eta_squared, 2.0 / 3.0);
        close(table.second.omega_squared, (24.0 - 2.0 * 2.0) / 62.0);
        close(table.first.omega_squared, -2.0 / 62.0);
        assert_eq!((table.first.p, table.first.partial_eta_squared), (Some(1.0), 0.0));
    }

    #[test]
    fn order_and_offset_do_not_matter() {
        let mut rows = BALANCED;
        rows.reverse();
        rows.iter_mut().for_each(|row| row.2 += 1e6);
        let (shifted, table) = (anova(&rows).unwrap(), anova(&BALANCED).unwrap());
        assert!((shifted.second.f.unwrap() - table.second.f.unwrap()).abs() < 1e-8);
    }

    #[test]
    fn one_value_per_cell_leaves_the_interaction_in_the_residuals() {
        let single: Vec<_> = BALANCED.iter().copied().step_by(2).collect();
        let table = anova(&single).unwrap();
        assert_eq!((table.interaction, table.residual_freedom), (None, 2));
        // Half as many values as above: 24 / 2.
        close(table.residual_sum_of_squares, 12.0);
        close(table.second.sum_of_squares, 12.0);
    }

    #[test]
    fn without_noise_there_are_shares_but_no_tests() {
        let repeated: Vec<_> =
            BALANCED.iter().map(|&(a, b, _)| (a, b, f64::from(a) * 0.3 + f64::from(b) * 0.7)).collect();
        let table = anova(&repeated).unwrap();
        assert_eq!((table.residual_sum_of_squares, table.first.f, table.second.p), (0.0, None, None));
        close(table.first.eta_squared + table.second.eta_squared, 1.0);
        assert_eq!(table.interaction.unwrap().sum_of_squares, 0.0, "rounding is not an interaction");
    }

    #[test]
    fn an_empty_cell_costs_the_interaction_a_degree_of_freedom() {
        let table = anova(&BALANCED[..10]).unwrap();
        assert_eq!((table.interaction.unwrap().freedom, table.residual_freedom), (1, 5));
    }

    #[test]
    fn undefined_is_none() {
        assert_eq!(anova(&[]), None);
        assert_eq!(anova(&BALANCED[..6]), None, "one level of the first factor");
        let constant: Vec<_> = BALANCED.iter().map(|&(a, b, _)| (a, b, 0.1)).collect();
        assert_eq!(anova(&constant), None);
        let mut diverged = BALANCED;
        diverged[3].2 = f64::NAN;
        assert_eq!(anova(&diverged), None);
        assert_eq!(anova(&[(0, 0, 1.0), (0, 0, 2.0), (1, 1, 5.0), (1, 1, 3.0)]), None, "the factors are the same");
        assert_eq!(anova(&[(0, 0, 1.0), (0, 1, 2.0), (1, 0, 5.0)]), None, "nothing left for the residuals");
    }

    #[test]
    #[should_panic(expected = "each value needs both")]
    fn unequal_lengths_panic() {
        two_way_anova(&[1.0, 2.0], &[0, 1], &[0]);
    }
}
