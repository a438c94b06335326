//! Latin-hypercube sampling (McKay, Beckman, Conover 1979): few draws that spread over all levels of many factors.
//!
//! Every factor is cut into as many strata as there are draws, each stratum is used once, and the strata of different factors
//! are paired at random. A level is `floor(u * levels)` for u in [0, 1).

use patchgrad::random::stream;
use rand::{RngExt, seq::SliceRandom};

/// The draws of factor `factor`: one number in each of `count` equal parts of [0, 1), in random order. `name` keeps the draws
/// of different samples apart.
pub fn column(seed: u64, name: &str, factor: u64, count: usize) -> Vec<f64> {
    let mut stream = stream(seed, &format!("hypercube-{name}"), factor);
    let mut strata: Vec<usize> = (0..count).collect();
    strata.shuffle(&mut stream);
    strata.into_iter().map(|stratum| (stratum as f64 + stream.random::<f64>()) / count as f64).collect()
}

/// The level of `levels` at u in [0, 1).
pub fn level<T: Copy>(levels: &[T], u: f64) -> T {
    levels[(u * levels.len() as f64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stratum_is_used_once_and_factors_are_paired_at_random() {
        let columns = [0, 1].map(|factor| column(7, "test", factor, 50));
        for column in &columns {
            let mut strata: Vec<usize> = column.iter().map(|u| (u * 50.0) as usize).collect();
            strata.sort_unstable();
            assert_eq!(strata, (0..50).collect::<Vec<usize>>());
        }
        assert_ne!(columns[0], columns[1]);
        assert_eq!([0.0, 0.3, 0.99].map(|u| level(&["a", "b", "c"], u)), ["a", "a", "c"]);
    }
}
