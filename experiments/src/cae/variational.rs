//! A code that is a normal distribution.

use patchgrad::{Tape, Var, random::Stream};
use rand_distr::{Distribution, StandardNormal};

/// Mean and logarithm of the variance of each number of a code, `[N, 1, 1, h]` each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Normal {
    pub(super) mean: Var,
    pub(super) log_variance: Var,
}

impl Normal {
    /// Records a draw, `mean + e^(log variance / 2) * noise`, through which gradients flow (the reparameterisation).
    pub(super) fn draw(&self, tape: &mut Tape, stream: &mut Stream) -> Var {
        let noise = tape.constant(tape.shape(self.mean), |noise| {
            noise.iter_mut().for_each(|value| *value = StandardNormal.sample(stream));
        });
        let half = tape.scale(self.log_variance, 0.5);
        let deviation = tape.exp(half);
        let apart = tape.mul(deviation, noise);
        tape.add(self.mean, apart)
    }

    /// Records the divergence from the standard normal distribution, summed over the code and meaned over the pictures:
    ///
    /// ```text
    /// KL = -1/2 sum (1 + log variance - mean^2 - variance)
    /// ```
    pub(super) fn divergence(&self, tape: &mut Tape) -> Var {
        let shape = tape.shape(self.mean);
        let count = shape.dims()[0];
        let ones = tape.constant(shape, |ones| ones.fill(1.0));
        let square = tape.mul(self.mean, self.mean);
        let variance = tape.exp(self.log_variance);
        let up = tape.add(square, variance);
        let down = tape.add(ones, self.log_variance);
        let terms = tape.sub(up, down);
        let sum = tape.sum(terms);
        tape.scale(sum, 0.5 / count as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad::{Tensor, Workspace, gradcheck::gradcheck, random::stream};

    fn inputs() -> [Tensor; 2] {
        [0.9, 0.4].map(|f| Tensor::from_fn([3, 1, 1, 4], |i| ((i + 1) as f32 * f).sin()))
    }

    #[test]
    fn the_divergence_is_its_closed_form_with_right_gradients() {
        let [mean, log_variance] = inputs();
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace);
        let normal = Normal { mean: tape.input(&mean), log_variance: tape.input(&log_variance) };
        let divergence = normal.divergence(&mut tape);
        // Against the integral of q ln(q / p), by the midpoint rule.
        let expected: f64 = mean
            .as_slice()
            .iter()
            .zip(log_variance.as_slice())
            .map(|(&mean, &z)| {
                let (mean, sd) = (f64::from(mean), f64::from(z / 2.0).exp());
                let log = |x: f64, mean: f64, sd: f64| -((x - mean) / sd).powi(2) / 2.0 - sd.ln();
                let step = 1e-3 * sd;
                (-8_000..8_000)
                    .map(|i| {
                        let x = mean + (f64::from(i) + 0.5) * step;
                        let q = log(x, mean, sd);
                        q.exp() / (2.0 * std::f64::consts::PI).sqrt() * (q - log(x, 0.0, 1.0)) * step
                    })
                    .sum::<f64>()
            })
            .sum::<f64>()
            / 3.0;
        let got = f64::from(tape.value(divergence).item());
        assert!((got / expected - 1.0).abs() < 1e-4, "{got} {expected}");
        gradcheck(&inputs(), |tape, v| Normal { mean: v[0], log_variance: v[1] }.divergence(tape)).unwrap();
        gradcheck(&inputs(), |tape, v| Normal { mean: v[0], log_variance: v[1] }.draw(tape, &mut stream(1, "vae", 0)))
            .unwrap();
    }

    #[test]
    fn draws_have_the_mean_and_variance_asked_for() {
        let (mean, log_variance) =
            (Tensor::full([20_000, 1, 1, 1], 0.7), Tensor::full([20_000, 1, 1, 1], 2.0 * 0.3f32.ln()));
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace);
        let normal = Normal { mean: tape.input(&mean), log_variance: tape.input(&log_variance) };
        let drawn = normal.draw(&mut tape, &mut stream(1, "vae", 0));
        let drawn: Vec<f64> = tape.value(drawn).as_slice().iter().map(|&x| f64::from(x)).collect();
        let mean = drawn.iter().sum::<f64>() / 20_000.0;
        let sd = (drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0).sqrt();
        assert!((mean - 0.7).abs() < 0.009 && (sd - 0.3).abs() < 0.006, "{mean} {sd}");
    }
}
