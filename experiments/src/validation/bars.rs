//! Contrastive divergence on bars and stripes, with the likelihood computed exactly.
//!
//! The 30 patterns of full rows or full columns on 4 x 4 pixels (MacKay, "Information theory, inference, and learning
//! algorithms", 2003, chapter 43) are all the data. A Bernoulli machine with few units is small enough to enumerate: with the
//! hidden units summed out,
//!
//! ```text
//! ln p(v) = b.v + sum_j ln(1 + e^(c_j + v W_j)) - ln Z,     Z the sum of the same over all 2^16 patterns
//! ```
//!
//! A machine that knows nothing gives every pattern 2^-16 (ln = -11.09); the best that is possible is 1/30 for each
//! (ln = -3.40).

use super::{Bar, Check};
use crate::{
    scae::{LayerGeometry, LayerSpec, Scae, ScaeSpec, train},
    units::{Descent, TrainConfig, UnitSpec, VisibleRange},
};
use anyhow::Result;
use patchgrad::{Params, Tensor, Workspace, random::stream};

const SIDE: usize = 4;
const PIXELS: usize = SIDE * SIDE;
const HIDDEN: usize = 16;

/// The checks of this group.
pub fn checks() -> Vec<Check> {
    vec![
        Check::new(
            "rbm/likelihood",
            "contrastive divergence learns the distribution of bars and stripes",
            format!(
                "mean ln p(pattern) over the 30 patterns of 4x4, exact by enumerating 2^16 states; {HIDDEN} hidden units, \
                 CD-5; knowing nothing -11.09, best possible -3.40"
            ),
            Bar::AtLeast(-4.5),
            |_| {
                let patterns = bars_and_stripes();
                Ok(Machine::of(trained(&patterns)?.params()).log_likelihood(&patterns))
            },
        ),
        Check::new(
            "rbm/reconstruction",
            "the machine reconstructs bars and stripes",
            "pixels of the 30 patterns on the right side of 1/2 after one pass to the hidden units and back",
            Bar::AtLeast(99.0),
            |_| {
                let patterns = bars_and_stripes();
                let decoded = trained(&patterns)?.reconstruct(&patterns, &mut Workspace::new());
                let pairs = decoded.as_slice().iter().zip(patterns.as_slice());
                let right = pairs.filter(|(decoded, pattern)| (**decoded > 0.5) == (**pattern > 0.5)).count();
                Ok(100.0 * right as f64 / patterns.len() as f64)
            },
        )
        .counted_in(" %"),
    ]
}

/// `[30, 4, 4, 1]`: 16 sets of columns, and 14 of rows without none and all.
fn bars_and_stripes() -> Tensor {
    let columns = (0..1usize << SIDE).map(|set| (set, 1));
    let rows = (1..(1usize << SIDE) - 1).map(|set| (set, SIDE));
    let values =
        columns.chain(rows).flat_map(|(set, step)| (0..PIXELS).map(move |i| (set >> (i / step % SIDE) & 1) as f32));
    Tensor::new([30, SIDE, SIDE, 1], &values.collect::<Vec<f32>>())
}

fn trained(patterns: &Tensor) -> Result<Scae> {
    let geometry = LayerGeometry { kernel: SIDE, offset: SIDE };
    let unit = UnitSpec::BernoulliRbm { steps: 5, range: VisibleRange::Unit };
    let layers = vec![LayerSpec { geometry, features: HIDDEN, unit }];
    let mut scae = Scae::new(ScaeSpec { picture: [SIDE, SIDE, 1], layers }, &mut stream(1, "init", 0));
    let config = TrainConfig {
        samples_per_layer: 240_000,
        batch_size: 30,
        descent: Descent::Adam,
        lr: 0.003,
        weight_decay: 0.0,
        seed: 1,
    };
    train(&mut scae, patterns, &config, &mut Workspace::new())?;
    Ok(scae)
}

/// The parameters of a machine, for computing with in f64.
struct Machine {
    /// `[visible, hidden]`.
    weight: Vec<f64>,
    hidden: Vec<f64>,
    visible: Vec<f64>,
}

impl Machine {
    fn of(params: &Params) -> Self {
        let values = |name: &str| {
            let id = params.find(&format!("layer0.{name}")).expect("a machine has weights and two biases");
            params.get(id).as_slice().iter().map(|&value| f64::from(value)).collect()
        };
        Self { weight: values("encoder.weight"), hidden: values("encoder.bias"), visible: values("decoder.bias") }
    }

    /// `ln p(v) + ln Z`: the negative free energy.
    fn log_weight(&self, v: impl Iterator<Item = bool>) -> f64 {
        let mut sums = self.hidden.clone();
        let mut own = 0.0;
        for (i, _) in v.enumerate().filter(|(_, on)| *on) {
            own += self.visible[i];
            sums.iter_mut().zip(&self.weight[i * self.hidden.len()..]).for_each(|(sum, w)| *sum += w);
        }
        own + sums.into_iter().map(|sum| sum.max(0.0) + (-sum.abs()).exp().ln_1p()).sum::<f64>()
    }

    /// Mean over `patterns`, rows of 0 and 1.
    fn log_likelihood(&self, patterns: &Tensor) -> f64 {
        let pixels = self.visible.len();
        let all: Vec<f64> =
            (0..1usize << pixels).map(|state| self.log_weight((0..pixels).map(|i| state >> i & 1 == 1))).collect();
        let largest = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let log_z = largest + all.iter().map(|weight| (weight - largest).exp()).sum::<f64>().ln();
        let rows = patterns.as_slice().chunks_exact(pixels);
        let count = rows.len() as f64;
        rows.map(|row| self.log_weight(row.iter().map(|&v| v > 0.5)) - log_z).sum::<f64>() / count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn there_are_thirty_different_patterns() {
        let patterns = bars_and_stripes();
        let different: HashSet<Vec<bool>> =
            patterns.as_slice().chunks(PIXELS).map(|row| row.iter().map(|&v| v > 0.5).collect()).collect();
        assert_eq!(different.len(), 30);
    }

    #[test]
    fn likelihoods_are_those_of_distributions_known_beforehand() {
        let patterns = bars_and_stripes();
        let mut machine = Machine { weight: vec![0.0; PIXELS * 2], hidden: vec![0.0; 2], visible: vec![0.0; PIXELS] };
        let nothing = -(PIXELS as f64) * 2f64.ln();
        assert!((machine.log_likelihood(&patterns) - nothing).abs() < 1e-9);
        // Independent pixels that are on with probability 1/4: half of all pixels of the patterns are on.
        machine.visible = vec![(1.0f64 / 3.0).ln(); PIXELS];
        let expected = 8.0 * 0.25f64.ln() + 8.0 * 0.75f64.ln();
        assert!((machine.log_likelihood(&patterns) - expected).abs() < 1e-9);
        // One hidden unit that agrees with pixel 0: summed by hand over its two states.
        machine.visible = vec![0.0; PIXELS];
        machine.weight[0] = 1.5;
        let z = 2f64.powi(15) * 2.0 * (2.0 + (1.0 + 1.5f64.exp()));
        let on = patterns.as_slice().chunks(PIXELS).filter(|row| row[0] > 0.5).count() as f64;
        let expected = (on * (2.0 * (1.0 + 1.5f64.exp())).ln() + (30.0 - on) * 4f64.ln()) / 30.0 - z.ln();
        assert!((machine.log_likelihood(&patterns) - expected).abs() < 1e-9);
    }
}
