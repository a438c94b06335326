//! Leading components learnt by a Hebbian rule, patch by patch instead of in closed form.
//!
//! With the code `y = x W` of centred patches x, a mini-batch moves the directions W `[k*k*d, n]` by
//!
//! ```text
//! Oja      dW = rate * mean over the mini-batch of (x' y - W y' y)
//! Sanger   dW = rate * mean over the mini-batch of (x' y - W upper(y' y))
//! ```
//!
//! where `upper` keeps the entries (i, j) with i <= j: direction j is made orthogonal to those before it only. Oja's
//! subspace rule finds an orthonormal basis of the space of the n leading eigenvectors of the covariance; Sanger's rule, which
//! deflates, finds the eigenvectors themselves, in order, and is the one of N-light-N. For n = 1 they are one rule.
//!
//! The centre is the running mean of all patches so far. The rate is the learning rate divided by the running mean of
//! `|x|^2`, so it has no unit, and below about 1 the rule is stable; the last tenth of the patches runs at a tenth of it.
//! Afterwards the encoder is `f((x - m) W)` and the decoder, untied from then on, `g(y W' + m)`.
//!
//! References: Oja, "A simplified neuron model as a principal component analyzer" (1982) and "Neural networks, principal
//! components, and subspaces" (1989); Sanger, "Optimal unsupervised learning in a single-layer linear feedforward neural
//! network" (1989).

use super::{
    Fit, FitError, Trained,
    by_rule::{ByRule, Rule},
    closed_form::{set_encoder, set_transposed_decoder},
};
use patchgrad::{
    Tensor,
    double::{add_outer, add_vector_matrix, subtract_product},
};
use serde::{Deserialize, Serialize};

/// Which Hebbian rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HebbianRule {
    /// Oja's subspace rule: a basis of the leading components.
    Oja,
    /// Sanger's generalised Hebbian algorithm: the leading components.
    Sanger,
}

impl Rule for HebbianRule {
    fn fit(&self, unit: &ByRule<Self>, fit: &mut Fit) -> Result<Trained, FitError> {
        let start = fit.params.get(unit.params.encoder_weight);
        let mut state = Hebbian::new(*self, start.as_slice(), unit.dims.features);
        for step in 0..fit.config.steps() {
            let batch = fit.patches.next_batch(fit.params, fit.config.batch_size, fit.workspace);
            let lr = if step >= fit.config.slow_from() { fit.config.lr / 10.0 } else { fit.config.lr };
            if !state.step(&batch.maps, lr) {
                return Err(FitError::Diverged { step });
            }
            fit.workspace.give(batch.maps);
            fit.may_end()?;
        }
        let directions = state.directions();
        set_encoder(fit.params, &unit.params, &directions, &state.mean);
        set_transposed_decoder(fit.params, unit.weight_and_bias_of_decoder(), &directions, &state.mean);
        Ok(fit.measure(unit))
    }
}

/// The directions on their way, in f64.
struct Hebbian {
    rule: HebbianRule,
    features: usize,
    /// W, `[k*k*d, n]` row by row.
    weight: Vec<f64>,
    mean: Vec<f64>,
    /// Running mean of `|x - mean|^2`.
    size: f64,
    seen: f64,
}

impl Hebbian {
    fn new(rule: HebbianRule, weight: &[f32], features: usize) -> Self {
        let weight: Vec<f64> = weight.iter().map(|&value| f64::from(value)).collect();
        let mean = vec![0.0; weight.len() / features];
        Self { rule, features, weight, mean, size: 0.0, seen: 0.0 }
    }

    /// Moves by one mini-batch; whether all is finite still.
    fn step(&mut self, patches: &Tensor, lr: f64) -> bool {
        let (patch_len, n) = (self.mean.len(), self.features);
        let rows = patches.as_slice().chunks_exact(patch_len);
        let count = rows.len() as f64;
        let total = self.seen + count;
        for (i, mean) in self.mean.iter_mut().enumerate() {
            let sum: f64 = rows.clone().map(|row| f64::from(row[i])).sum();
            *mean += (sum - count * *mean) / total;
        }
        let mut change = vec![0.0; self.weight.len()];
        let mut products = vec![0.0; n * n];
        let mut size = 0.0;
        for row in rows {
            let x: Vec<f64> = row.iter().zip(&self.mean).map(|(&x, mean)| f64::from(x) - mean).collect();
            size += x.iter().map(|x| x * x).sum::<f64>();
            let mut y = vec![0.0; n];
            add_vector_matrix(&x, &self.weight, &mut y);
            add_outer(&x, &y, &mut change);
            add_outer(&y, &y, &mut products);
        }
        if self.rule == HebbianRule::Sanger {
            products.chunks_exact_mut(n).enumerate().for_each(|(i, products)| products[..i].fill(0.0));
        }
        subtract_product(&self.weight, &products, n, &mut change);
        self.size += (size - count * self.size) / total;
        self.seen = total;
        // Patches that are all alike teach nothing.
        let rate = if self.size > 0.0 { lr / (self.size * count) } else { 0.0 };
        self.weight.iter_mut().zip(&change).for_each(|(w, change)| *w += rate * change);
        self.weight.iter().all(|w| w.is_finite())
    }

    fn directions(&self) -> Vec<Vec<f64>> {
        let column = |j: usize| self.weight.iter().skip(j).step_by(self.features).copied().collect();
        (0..self.features).map(column).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        UnitSpec,
        testing::{Alone, Table, config, dims},
    };
    use super::*;
    use crate::linear_algebra::{Pca, Rows, orthonormalise, remove_projection};
    use patchgrad::{ops::Activation, random::stream};
    use rand_distr::{Distribution, StandardNormal};

    const LINEAR: Activation = Activation::Linear;

    /// Patches of nine values around a mean, with variances 9, 4, 2.25, 1, .. along mixed directions.
    fn patches() -> Tensor {
        let mut random = stream(2, "test", 0);
        let deviations = [3.0, 2.0, 1.5, 1.0, 0.4, 0.3, 0.2, 0.1, 0.1f32];
        let mut values = Vec::new();
        for _ in 0..2_000 {
            let mut row = deviations.map(|sd| {
                let normal: f32 = StandardNormal.sample(&mut random);
                sd * normal
            });
            // Two rotations by 45 degrees mix neighbours.
            for (a, b) in [(0, 1), (2, 3), (1, 2), (4, 5), (0, 8)] {
                let (x, y) = (row[a], row[b]);
                (row[a], row[b]) = ((x + y) * 0.5f32.sqrt(), (x - y) * 0.5f32.sqrt());
            }
            values.extend(row.map(|value| 0.3 * value + 0.5));
        }
        Tensor::new([2_000, 3, 3, 1], &values)
    }

    fn trained(rule: HebbianRule, patches: &Tensor) -> (Alone, Vec<Vec<f64>>) {
        let spec = UnitSpec::Oja { rule, encoder: LINEAR, decoder: LINEAR };
        let mut alone = Alone::new(spec, dims(3, 3, 1, 3));
        alone.fit(&mut Table::new(patches.clone()), &config(200_000, 0.1)).unwrap();
        let weight = alone.param("encoder.weight").as_slice().to_vec();
        let directions = (0..3).map(|j| weight.iter().skip(j).step_by(3).map(|&w| f64::from(w)).collect()).collect();
        (alone, directions)
    }

    fn length(vector: &[f64]) -> f64 {
        vector.iter().map(|x| x * x).sum::<f64>().sqrt()
    }

    #[test]
    fn sangers_rule_finds_the_leading_eigenvectors_in_order() {
        let patches = patches();
        let pca = Pca::fit(Rows::new(patches.as_slice(), 9)).unwrap();
        let (mut alone, directions) = trained(HebbianRule::Sanger, &patches);
        for (index, direction) in directions.iter().enumerate() {
            let component = pca.component(index);
            let cosine: f64 = direction.iter().zip(&component).map(|(a, b)| a * b).sum::<f64>() / length(direction);
            assert!(cosine.abs() > 0.99, "component {index}: {cosine}");
            assert!((length(direction) - 1.0).abs() < 0.02, "{}", length(direction));
        }
        let mut best = Alone::new(UnitSpec::Pca { encoder: LINEAR, decoder: LINEAR }, dims(3, 3, 1, 3));
        best.fit(&mut Table::new(patches.clone()), &config(2_000, 1.0)).unwrap();
        assert!(alone.mse(&patches) < 1.05 * best.mse(&patches));
    }

    #[test]
    fn ojas_rule_finds_a_basis_of_the_leading_space() {
        let patches = patches();
        let pca = Pca::fit(Rows::new(patches.as_slice(), 9)).unwrap();
        let (_, directions) = trained(HebbianRule::Oja, &patches);
        let basis = orthonormalise(directions);
        assert_eq!(basis.len(), 3);
        for index in 0..3 {
            let mut left = pca.component(index);
            remove_projection(&mut left, &basis);
            // The cosine with the space is above .99.
            assert!(length(&left) < 0.14, "component {index}: {}", length(&left));
        }
    }

    #[test]
    fn a_rate_that_is_too_large_is_an_error() {
        let spec = UnitSpec::Oja { rule: HebbianRule::Oja, encoder: LINEAR, decoder: LINEAR };
        let mut alone = Alone::new(spec, dims(3, 3, 1, 3));
        let error = alone.fit(&mut Table::new(patches()), &config(20_000, 1e4)).unwrap_err();
        assert!(matches!(error, FitError::Diverged { .. }));
    }
}
