//! N-light-N's rule that keeps the weights of linear layers small.
//!
//! ```text
//! after an update:   if any |w| > 5:   W <- W / |W|,     |W| the Frobenius norm of the whole matrix
//! ```
//!
//! What an activation bounds needs no such rule; a linear encoder under a linear decoder diverges at rates that others bear,
//! and this brings it back to a weight of norm 1 instead. The bias is left alone, so at a rate far beyond that it diverges
//! still; and where the rule strikes again and again the unit stays finite but learns nothing. It is not the gradient of
//! anything, so it is an option and off unless it is asked for.

/// No weight of a linear layer may be larger.
const LARGEST: f32 = 5.0;

/// Applies the rule to one weight. One that is no longer finite stays as it is, for the loss to show.
pub(super) fn apply(weight: &mut [f32]) {
    if !weight.iter().any(|w| w.abs() > LARGEST) {
        return;
    }
    let norm = weight.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>().sqrt();
    if norm.is_finite() {
        weight.iter_mut().for_each(|w| *w = (f64::from(*w) / norm) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Descent, FitError, TrainConfig, UnitSpec,
        testing::{Alone, Table, config, dims, waves},
    };
    use super::*;
    use patchgrad::{Tensor, ops::Activation};

    const LINEAR: Activation = Activation::Linear;

    #[test]
    fn a_weight_beyond_five_is_divided_by_its_norm_and_no_other() {
        let mut small = [5.0, -5.0, 3.0];
        apply(&mut small);
        assert_eq!(small, [5.0, -5.0, 3.0]);
        let mut large = [-6.0, 8.0, 0.0];
        apply(&mut large);
        assert_eq!(large, [-0.6, 0.8, 0.0]);
        let mut wrong = [f32::NAN, 9.0];
        apply(&mut wrong);
        assert!(wrong[0].is_nan() && wrong[1] == 9.0);
    }

    #[test]
    fn a_linear_unit_stays_finite_at_a_rate_at_which_it_diverges_without() {
        let patches = waves(200, 4, 1);
        let patches = Tensor::from_fn(patches.shape(), |i| 3.0 * patches.as_slice()[i]);
        let train = |descent, unit| {
            let mut alone = Alone::new(unit, dims(4, 4, 1, 6));
            let config = TrainConfig { descent, ..config(6_400, 0.2) };
            alone.fit(&mut Table::new(patches.clone()), &config).map(|_| alone)
        };
        let linear = UnitSpec::standard(LINEAR, LINEAR);
        assert!(matches!(train(Descent::Sgd, linear), Err(FitError::Diverged { .. })));
        let bounded = train(Descent::SgdWithNormRule, linear).unwrap();
        for name in ["encoder.weight", "decoder.weight"] {
            assert!(bounded.param(name).as_slice().iter().all(|w| w.abs() <= LARGEST), "{name}");
        }
    }

    #[test]
    fn the_rule_is_for_linear_sides_alone_and_for_what_is_trained() {
        let patches = waves(50, 4, 1);
        let first_weight = |alone: &Alone, name: &str| alone.param(name).as_slice()[0];
        let config = TrainConfig { descent: Descent::SgdWithNormRule, ..config(32, 1e-9) };
        for (encoder, decoder) in [(LINEAR, LINEAR), (Activation::Softsign, LINEAR), (LINEAR, Activation::Tanh)] {
            let mut alone = Alone::new(UnitSpec::standard(encoder, decoder), dims(4, 4, 1, 6));
            for name in ["encoder.weight", "decoder.weight"] {
                let id = alone.params.find(&format!("layer0.{name}")).unwrap();
                alone.params.get_mut(id).as_mut_slice()[0] = 6.0;
            }
            let mut decoder_only = Alone {
                unit: alone.unit.clone(),
                params: alone.params.clone(),
                ..Alone::new(UnitSpec::standard(encoder, decoder), dims(4, 4, 1, 6))
            };
            alone.fit(&mut Table::new(patches.clone()), &config).unwrap();
            for (name, activation) in [("encoder.weight", encoder), ("decoder.weight", decoder)] {
                assert_eq!(first_weight(&alone, name) < 1.0, activation == LINEAR, "{encoder}, {decoder}: {name}");
            }
            decoder_only.fit_decoder(&mut Table::new(patches.clone()), &config).unwrap();
            assert_eq!(first_weight(&decoder_only, "encoder.weight"), 6.0);
            assert_eq!(first_weight(&decoder_only, "decoder.weight") < 1.0, decoder == LINEAR);
        }
    }

    #[test]
    fn without_large_weights_it_is_plain_descent() {
        let patches = waves(200, 4, 1);
        let run = |descent| {
            let mut alone = Alone::new(UnitSpec::standard(LINEAR, LINEAR), dims(4, 4, 1, 6));
            alone.fit(&mut Table::new(patches.clone()), &TrainConfig { descent, ..config(3_200, 0.02) }).unwrap();
            alone.params.iter().map(|(_, _, tensor)| tensor.clone()).collect::<Vec<_>>()
        };
        assert_eq!(run(Descent::Sgd), run(Descent::SgdWithNormRule));
    }
}
