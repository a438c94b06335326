//! Ranks of redrawn rows without sorting again: what makes thousands of resamples cheap.

use super::correlation::average_ranks;

/// The order of a column of values, from which the ranks of any selection of its rows follow by counting.
///
/// A bootstrap of Spearman's rho ranks every resample. Sorting costs `n log n` each time; the order of the rows never
/// changes, so counting how often each level was drawn is enough: `n + levels`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// The place of each row's value among the distinct values, from 0.
    level: Vec<usize>,
    /// How many distinct values there are.
    levels: usize,
}

impl Ranking {
    /// The order of `values`. `None` if one is not finite.
    pub fn new(values: &[f64]) -> Option<Self> {
        // Ranks order as the values do and are equal where these are equal, so they sort without asking about zeros.
        let ranks = average_ranks(values)?;
        let mut distinct = ranks.clone();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        let level = ranks.iter().map(|rank| distinct.partition_point(|other| other < rank)).collect();
        Some(Ranking { level, levels: distinct.len() })
    }

    /// The average ranks of the values in `rows` (with repeats, in that order): what
    /// [`average_ranks`] gives for them.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn of_rows(&self, rows: &[usize]) -> Vec<f64> {
        let mut counts = vec![0_usize; self.levels];
        for &row in rows {
            counts[self.level[row]] += 1;
        }
        let mut below = 0;
        let mean_ranks: Vec<f64> = counts
            .into_iter()
            .map(|count| {
                // The ranks below + 1, ..., below + count have this mean.
                let mean = below as f64 + (count as f64 + 1.0) / 2.0;
                below += count;
                mean
            })
            .collect();
        rows.iter().map(|&row| mean_ranks[self.level[row]]).collect()
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn equals_ranking_the_drawn_values() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(3);
        for rows in [1, 2, 7, 40] {
            for levels in [1, 3, 1000] {
                let values: Vec<f64> = (0..rows).map(|_| f64::from(rng.random_range(0..levels)) - 1.0).collect();
                let ranking = Ranking::new(&values).unwrap();
                for _ in 0..20 {
                    let drawn: Vec<usize> = (0..rows).map(|_| rng.random_range(0..rows)).collect();
                    let picked: Vec<f64> = drawn.iter().map(|&row| values[row]).collect();
                    assert_eq!(Some(ranking.of_rows(&drawn)), average_ranks(&picked));
                }
            }
        }
    }

    #[test]
    fn zeros_are_equal_and_nan_has_no_rank() {
        assert_eq!(Ranking::new(&[0.0, 1.0, -0.0]).unwrap().of_rows(&[0, 2, 1]), [1.5, 1.5, 3.0]);
        assert_eq!(Ranking::new(&[]).unwrap().of_rows(&[]), [0.0; 0]);
        assert_eq!(Ranking::new(&[1.0, f64::NAN]), None);
    }
}
