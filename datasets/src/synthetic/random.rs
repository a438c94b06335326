//! Random numbers that are the same everywhere.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Numbers for one purpose.
#[derive(Clone)]
pub(super) struct Stream {
    rng: ChaCha8Rng,
    /// The second of a pair of normal numbers.
    spare: Option<f64>,
}

impl Stream {
    /// The stream `name` of `seed`, by the same rule as the engine's: the key is the seed, the 64-bit FNV-1a hash of the name
    /// and `index`, each little-endian, and eight zero bytes.
    pub fn new(seed: u64, name: &str, index: u64) -> Self {
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3_u64));
        let mut key = [0; 32];
        for (bytes, value) in key.chunks_exact_mut(8).zip([seed, hash, index]) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
        Stream { rng: ChaCha8Rng::from_seed(key), spare: None }
    }

    /// Uniform in [0, 1): a multiple of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        (self.rng.random::<u64>() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in [low, high).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// True in so many of all cases.
    pub fn chance(&mut self, share: f64) -> bool {
        self.uniform() < share
    }

    /// Uniform in 0..count, with a bias below 2^-32 for any count of this crate.
    pub fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.rng.random::<u64>()) * count as u128) >> 64) as usize
    }

    /// Normal with mean 0 and variance 1, by Box and Muller's formula.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 - uniform is in (0, 1]: its logarithm is finite.
        let radius = (-2.0 * libm::log(1.0 - self.uniform())).sqrt();
        let angle = std::f64::consts::TAU * self.uniform();
        self.spare = Some(radius * libm::sin(angle));
        radius * libm::cos(angle)
    }

    /// 0, 1, ..., `count` - 1 in random order.
    pub fn permutation(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_pinned() {
        let mut stream = Stream::new(42, "init", 7);
        // The first two 32-bit numbers of the same stream of the engine, as one of 64 bits.
        let first = (1_427_037_470u64 << 32) | 3_445_695_331;
        assert_eq!(stream.uniform(), (first >> 11) as f64 / (1u64 << 53) as f64);
        assert_ne!(Stream::new(42, "init", 8).uniform(), Stream::new(42, "init", 7).uniform());
    }

    #[test]
    fn normal_numbers_have_the_moments_of_the_normal_distribution() {
        let mut stream = Stream::new(1, "normal", 0);
        let n = 200_000;
        let values: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let moment = |power| values.iter().map(|x| f64::powi(*x, power)).sum::<f64>() / n as f64;
        // Five standard errors of each moment.
        let error = 5.0 / (n as f64).sqrt();
        assert!(moment(1).abs() < error);
        assert!((moment(2) - 1.0).abs() < error * 2f64.sqrt());
        assert!(moment(3).abs() < error * 15f64.sqrt());
        assert!((moment(4) - 3.0).abs() < error * 96f64.sqrt());
    }

    #[test]
    fn permutations_hold_each_number_once() {
        let mut order = Stream::new(1, "order", 0).permutation(100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert!(order.into_iter().eq(0..100));
    }
}
