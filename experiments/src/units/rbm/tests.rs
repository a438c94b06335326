//! The machines against exact sums over all states.

use super::super::{
    Descent, TrainConfig, UnitSpec,
    testing::{Alone, Table, config, dims, waves},
};
use super::*;
use patchgrad::random::stream;

/// All patterns of vertical or horizontal bars on 3 x 3 pixels, the empty and the full one once: 14.
fn bars_and_stripes() -> Tensor {
    let bars: Vec<[f32; 9]> = (0..8)
        .map(|set: usize| std::array::from_fn(|i| (set >> (i % 3) & 1) as f32))
        .chain((1..7).map(|set: usize| std::array::from_fn(|i| (set >> (i / 3) & 1) as f32)))
        .collect();
    Tensor::new([14, 3, 3, 1], &bars.concat())
}

/// A table of single values: the parameters of a machine, for computing by hand.
struct Machine {
    weight: Vec<f64>,
    hidden: Vec<f64>,
    visible: Vec<f64>,
}

impl Machine {
    fn of(alone: &Alone) -> Self {
        let values = |name: &str| alone.param(name).as_slice().iter().map(|&v| f64::from(v)).collect();
        Self { weight: values("encoder.weight"), hidden: values("encoder.bias"), visible: values("decoder.bias") }
    }

    /// `-F(v)` of binary visible units, by adding up over all hidden states.
    fn log_weight(&self, v: &[f64]) -> f64 {
        let n = self.hidden.len();
        let total: f64 = (0..1usize << n)
            .map(|state| {
                let on = |j: usize| f64::from(u8::from(state >> j & 1 == 1));
                let field = |j: usize| {
                    self.hidden[j] + v.iter().enumerate().map(|(i, v)| v * self.weight[i * n + j]).sum::<f64>()
                };
                let own: f64 = v.iter().zip(&self.visible).map(|(v, b)| v * b).sum();
                (own + (0..n).map(|j| on(j) * field(j)).sum::<f64>()).exp()
            })
            .sum();
        total.ln()
    }

    /// The mean log-likelihood of patterns, with the partition function by enumeration.
    fn likelihood(&self, patterns: &Tensor) -> f64 {
        let d = self.visible.len();
        let all = (0..1usize << d).map(|state| {
            let v: Vec<f64> = (0..d).map(|i| f64::from(u8::from(state >> i & 1 == 1))).collect();
            self.log_weight(&v).exp()
        });
        let partition = all.sum::<f64>().ln();
        let rows = patterns.as_slice().chunks(d);
        let count = rows.len() as f64;
        let of = |row: &[f32]| self.log_weight(&row.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>()) - partition;
        rows.map(of).sum::<f64>() / count
    }
}

fn binary(steps: usize) -> UnitSpec {
    UnitSpec::BernoulliRbm { steps, range: VisibleRange::Unit }
}

#[test]
fn contrastive_divergence_learns_bars_and_stripes() {
    let patterns = bars_and_stripes();
    let mut rbm = Alone::new(binary(5), dims(3, 3, 1, 8));
    let before = Machine::of(&rbm).likelihood(&patterns);
    let config = TrainConfig { batch_size: 14, ..config(84_000, 0.02) };
    rbm.fit(&mut Table::new(patterns.clone()), &config).unwrap();
    let after = Machine::of(&rbm).likelihood(&patterns);
    // The best that is possible is ln(1 / 14) = -2.64; 512 patterns alike give -6.24.
    assert!(before < -6.0 && after > -3.6, "{before} {after}");
    // Every pattern is reconstructed pixel by pixel.
    let decoded = rbm.reconstruct(&patterns);
    let wrong = decoded.as_slice().iter().zip(patterns.as_slice()).filter(|(p, v)| (**p > 0.5) != (**v > 0.5));
    assert!(wrong.count() <= 3);
}

#[test]
fn the_free_energy_is_the_sum_over_hidden_states() {
    let mut rbm = Alone::new(binary(1), dims(2, 2, 1, 3));
    rbm.shake();
    let machine = Machine::of(&rbm);
    let v = Tensor::new([1, 4], &[1.0, 0.0, 1.0, 1.0]);
    let rebuilt = rebuild(&rbm, dims(2, 2, 1, 3), Visible::Bernoulli { range: VisibleRange::Unit });
    let mut workspace = Workspace::new();
    let mut tape = Tape::with_params(&rbm.params, &mut workspace);
    let x = tape.input(&v);
    let energy = rebuilt.free_energy(&mut tape, x);
    let expected = -machine.log_weight(&[1.0, 0.0, 1.0, 1.0]);
    assert!((f64::from(tape.value(energy).item()) - expected).abs() < 1e-5);
}

/// The unit behind the interface, from its parameters' names.
fn rebuild(alone: &Alone, dims: UnitDims, visible: Visible) -> Rbm {
    let id = |name: &str| alone.params.find(&format!("layer0.{name}")).unwrap();
    Rbm {
        dims,
        visible,
        steps: 1,
        weight: id("encoder.weight"),
        hidden_bias: id("encoder.bias"),
        visible_bias: id("decoder.bias"),
    }
}

#[test]
fn a_gaussian_free_energy_is_the_sum_over_hidden_states_and_the_bias_enters_once() {
    let sizes = dims(1, 1, 2, 3);
    let mut rbm = Alone::new(UnitSpec::GaussianRbm { steps: 1, sd: 0.7, learn_sd: true }, sizes);
    rbm.shake();
    let machine = Machine::of(&rbm);
    let z: Vec<f64> = rbm.param("encoder.log_variance").as_slice().iter().map(|&z| f64::from(z)).collect();
    let v = [0.4f64, -1.1];
    let total: f64 = (0..8usize)
        .map(|state| {
            let on = |j: usize| f64::from(u8::from(state >> j & 1 == 1));
            let quadratic: f64 = (0..2).map(|i| (v[i] - machine.visible[i]).powi(2) / (2.0 * z[i].exp())).sum();
            let hidden: f64 = (0..3).map(|j| on(j) * machine.hidden[j]).sum();
            let both: f64 = (0..2)
                .map(|i| (0..3).map(|j| v[i] / z[i].exp() * machine.weight[i * 3 + j] * on(j)).sum::<f64>())
                .sum();
            (-quadratic + hidden + both).exp()
        })
        .sum();
    let id = rbm.params.find("layer0.encoder.log_variance").unwrap();
    let unit = rebuild(&rbm, sizes, Visible::Gaussian { log_variance: id, learned: true });
    let values = Tensor::new([1, 2], &[v[0] as f32, v[1] as f32]);
    let mut workspace = Workspace::new();
    let mut tape = Tape::with_params(&rbm.params, &mut workspace);
    let x = tape.input(&values);
    let energy = unit.free_energy(&mut tape, x);
    assert!((f64::from(tape.value(energy).item()) + total.ln()).abs() < 1e-5);
    // Without hidden units the mean of the visible ones is the bias.
    let h = tape.constant([1, 3], |hidden| hidden.fill(0.0));
    let mean = unit.visible_mean(&mut tape, h);
    assert_eq!(tape.value(mean).as_slice(), rbm.param("decoder.bias").as_slice());
}

#[test]
fn a_gaussian_machine_learns_the_mean_and_the_deviation_of_its_data() {
    // Four independent values of mean 1, -1, 0, 0.5 and standard deviation 0.5: no hidden unit is of use.
    let mut random = stream(3, "test", 0);
    let values: Vec<f32> = (0..4_000)
        .map(|i| {
            let normal: f32 = StandardNormal.sample(&mut random);
            [1.0, -1.0, 0.0, 0.5][i % 4] + 0.5 * normal
        })
        .collect();
    let patches = Tensor::new([1_000, 2, 2, 1], &values);
    let mut rbm = Alone::new(UnitSpec::GaussianRbm { steps: 1, sd: 1.0, learn_sd: true }, dims(2, 2, 1, 1));
    rbm.fit(&mut Table::new(patches.clone()), &config(200_000, 0.01)).unwrap();
    let decoded = rbm.reconstruct(&patches);
    for (i, mean) in [1.0, -1.0, 0.0, 0.5].into_iter().enumerate() {
        let got: f32 = decoded.as_slice().iter().skip(i).step_by(4).sum::<f32>() / 1_000.0;
        assert!((got - mean).abs() < 0.12, "value {i}: mean {got}, expected {mean}");
        let sd = (rbm.param("encoder.log_variance").as_slice()[i] / 2.0).exp();
        assert!((sd - 0.5).abs() < 0.1, "value {i}: standard deviation {sd}");
    }
    let fixed = UnitSpec::GaussianRbm { steps: 1, sd: 0.25, learn_sd: false };
    let mut rbm = Alone::new(fixed, dims(2, 2, 1, 1));
    rbm.fit(&mut Table::new(patches), &config(640, 0.01)).unwrap();
    assert!(rbm.param("encoder.log_variance").as_slice().iter().all(|&z| (z - 2.0 * 0.25f32.ln()).abs() < 1e-6));
}

#[test]
fn a_gaussian_machine_reconstructs_patches() {
    let patches = waves(500, 4, 1);
    let mut rbm = Alone::new(UnitSpec::GaussianRbm { steps: 1, sd: 0.3, learn_sd: false }, dims(4, 4, 1, 16));
    let before = rbm.mse(&patches);
    let config = TrainConfig { descent: Descent::Adam, ..config(60_000, 0.01) };
    rbm.fit(&mut Table::new(patches.clone()), &config).unwrap();
    let after = rbm.mse(&patches);
    assert!(after < 0.4 * before, "{before} {after}");
}

#[test]
fn pictures_in_minus_one_to_one_are_probabilities_on_the_way_in_and_back_on_the_way_out() {
    let patterns = bars_and_stripes();
    let symmetric = Tensor::from_fn([14, 3, 3, 1], |i| 2.0 * patterns.as_slice()[i] - 1.0);
    let mut unit = Alone::new(binary(1), dims(3, 3, 1, 4));
    let mut other = Alone::new(UnitSpec::BernoulliRbm { steps: 1, range: VisibleRange::Symmetric }, dims(3, 3, 1, 4));
    assert_eq!(unit.encode(&patterns), other.encode(&symmetric));
    let (a, b) = (unit.reconstruct(&patterns), other.reconstruct(&symmetric));
    assert!(a.as_slice().iter().zip(b.as_slice()).all(|(a, b)| (2.0 * a - 1.0 - b).abs() < 1e-6));
    let (mut first, mut second) = (Table::new(patterns), Table::new(symmetric));
    unit.fit(&mut first, &config(320, 0.01)).unwrap();
    other.fit(&mut second, &config(320, 0.01)).unwrap();
    assert_eq!(unit.param("encoder.weight"), other.param("encoder.weight"));
}
