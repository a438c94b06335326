//! A code that learnt nothing: projection on random directions.

use faer::Mat;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::blocks::affine_map;
use super::orthonormal::orthonormalise;
use super::rows::Rows;

/// Projection on a random subspace: `code = x Q`, the columns of `Q` being an orthonormal basis of it.
///
/// The baseline of a code of the same size. The directions are Gaussian and then orthonormalised, which makes the
/// subspace uniformly distributed. Merely scaled Gaussian directions would do when the code is much smaller than the
/// row (Johnson & Lindenstrauss 1984); at 256 of 784 features their singular values would range from 0.43 to 1.57, and
/// the baseline would suffer from that distortion rather than from what it leaves out. Like [`Pca`](super::Pca)'s, the
/// best linear way back within the subspace is simply the transpose.
#[derive(Clone, Debug)]
pub struct RandomProjection {
    /// `[features, code size]`.
    directions: Mat<f64>,
}

impl RandomProjection {
    /// Draws `size` orthonormal directions among `features`.
    ///
    /// # Panics
    /// If `size` is 0, or exceeds `features`: there are not that many directions.
    pub fn new(features: usize, size: usize, rng: &mut (impl Rng + ?Sized)) -> Self {
        assert!(
            (1..=features).contains(&size),
            "random projection: {size} orthonormal directions of {features} features"
        );
        let mut basis = Vec::new();
        // Gaussian directions are independent with probability 1; should rounding say otherwise, draw again.
        while basis.len() < size {
            basis.resize_with(size, || (0..features).map(|_| rng.sample(StandardNormal)).collect());
            basis = orthonormalise(basis);
        }
        RandomProjection { directions: Mat::from_fn(features, size, |feature, index| basis[index][feature]) }
    }

    /// The codes, row after row.
    ///
    /// # Panics
    /// If the number of columns is not the number of features.
    pub fn transform(&self, rows: Rows) -> Vec<f32> {
        let (features, size) = (self.directions.nrows(), self.directions.ncols());
        rows.assert_columns(features, "random projection");
        affine_map(rows, &vec![0.0; features], self.directions.as_ref(), &vec![0.0; size])
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::Xoshiro256PlusPlus;

    use super::*;

    #[test]
    fn directions_are_orthonormal() {
        let projection = RandomProjection::new(20, 12, &mut Xoshiro256PlusPlus::seed_from_u64(1));
        let product = projection.directions.transpose() * &projection.directions;
        for i in 0..12 {
            for j in 0..12 {
                assert!((product[(i, j)] - f64::from(u8::from(i == j))).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn all_directions_keep_distances_and_fewer_keep_their_share() {
        let values: Vec<f32> = (0..40).map(|i| ((i * 29) % 17) as f32 - 8.0).collect();
        let rows = Rows::new(&values, 40);
        let energy = |code: &[f32]| code.iter().map(|&c| f64::from(c).powi(2)).sum::<f64>();
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(2);
        let whole = energy(&RandomProjection::new(40, 40, rng).transform(rows));
        assert!((whole / energy(&values) - 1.0).abs() < 1e-5);
        // The expected share of a uniformly distributed subspace is size / features.
        let draws = 200;
        let mean_share = (0..draws).map(|_| energy(&RandomProjection::new(40, 10, rng).transform(rows))).sum::<f64>()
            / (draws as f64 * energy(&values));
        assert!((mean_share - 0.25).abs() < 0.02, "{mean_share}");
    }

    #[test]
    fn the_seed_decides() {
        let code = |seed| {
            let projection = RandomProjection::new(4, 2, &mut Xoshiro256PlusPlus::seed_from_u64(seed));
            projection.transform(Rows::new(&[1.0, 2.0, 3.0, 4.0], 4))
        };
        assert_eq!(code(1), code(1));
        assert_ne!(code(1), code(2));
    }
}
