//! Discriminant directions as a unit, in closed form and supervised.
//!
//! ```text
//! y = f((x - m) W),     z = y V + c
//! ```
//!
//! The columns of W are the first n of the [`DiscriminantDirections`] (eigenvectors of `S_w^-1 S_b` with classes balanced,
//! scaled to a within-class variance of 1), m is the mean of the class means. V and c are the least-squares map from the
//! codes (activation included) to the patches: the directions are not orthogonal, so their transpose decodes nothing.
//! With C classes the features from C on carry no difference between class means.

use super::{
    Fit, FitError, Trained,
    by_rule::{ByRule, Rule},
    closed_form::{codes_of, set_encoder, set_least_squares_decoder},
};
use crate::linear_algebra::{DiscriminantDirections, LinearAlgebraError, Rows};

/// The rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Discriminants;

impl Rule for Discriminants {
    fn fit(&self, unit: &ByRule<Self>, fit: &mut Fit) -> Result<Trained, FitError> {
        let (patches, labels) = fit.all_patches()?;
        let labels = labels.ok_or(FitError::NeedsLabels("lda"))?;
        let rows = Rows::new(&patches, unit.dims.patch_len());
        let lda = DiscriminantDirections::fit(rows, &labels).map_err(|error| match error {
            LinearAlgebraError::TooFewRows { got, .. } => FitError::TooFewClasses(got),
            other => other.into(),
        })?;
        let directions: Vec<Vec<f64>> = (0..unit.dims.features).map(|index| lda.direction(index)).collect();
        set_encoder(fit.params, &unit.params, &directions, lda.mean());
        let codes = codes_of(unit, &unit.dims, fit, &patches);
        set_least_squares_decoder(
            fit.params,
            unit.weight_and_bias_of_decoder(),
            &unit.dims,
            codes.as_slice(),
            &patches,
        )?;
        Ok(fit.measure(unit))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Noise, UnitSpec,
        testing::{Alone, Table, config, dims, waves},
    };
    use super::*;
    use crate::{
        scae::{Labels, LayerGeometry, LayerSpec, Scae, ScaeSpec, train, train_resumable},
        training::{Checkpoints, TrainingError},
    };
    use patchgrad::{Tensor, Workspace, ops::Activation, random::stream};

    const LDA: UnitSpec = UnitSpec::Lda { encoder: Activation::Linear };

    /// Three classes that differ in the brightness of single pixels, under waves and noise that they share.
    fn labelled() -> Table {
        let mut patches = waves(600, 4, 1);
        Noise::Gaussian { sd: 0.08 }.corrupt(&mut patches, &mut stream(1, "test", 0));
        let labels: Vec<u32> = (0..600).map(|i| i % 3).collect();
        for (patch, label) in patches.as_mut_slice().chunks_mut(16).zip(&labels) {
            patch[[0, 5, 10][*label as usize]] += 0.5;
        }
        Table { patches, labels: Some(labels), next: 0 }
    }

    #[test]
    fn the_code_tells_classes_apart_and_the_decoder_is_the_best_linear_one() {
        let mut lda = Alone::new(LDA, dims(4, 4, 1, 2));
        let mut table = labelled();
        lda.fit(&mut table, &config(600, 1.0)).unwrap();
        let codes = lda.encode(&table.patches);
        let of = |class: usize, feature: usize| {
            let values = codes.as_slice().chunks(2).skip(class).step_by(3).map(|code| f64::from(code[feature]));
            values.collect::<Vec<f64>>()
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        // Each feature has a within-class variance of 1, and two classes are at least 3 apart along one of them.
        for feature in 0..2 {
            let variance = |class| {
                let values = of(class, feature);
                values.iter().map(|x| (x - mean(&values)).powi(2)).sum::<f64>() / values.len() as f64
            };
            let within = (variance(0) + variance(1) + variance(2)) / 3.0;
            assert!((within - 1.0).abs() < 1e-3, "{within}");
        }
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let distance = (0..2).map(|f| (mean(&of(a, f)) - mean(&of(b, f))).abs()).fold(0.0, f64::max);
            assert!(distance > 3.0, "classes {a} and {b} are {distance} apart");
        }
        let best = lda.mse(&table.patches);
        let id = lda.params.find("layer0.decoder.weight").unwrap();
        for at in 0..4 {
            let mut moved = Alone { unit: lda.unit.clone(), params: lda.params.clone(), workspace: Workspace::new() };
            moved.params.get_mut(id).as_mut_slice()[7 * at] += 0.02;
            assert!(moved.mse(&table.patches) > best);
        }
    }

    #[test]
    fn without_labels_or_with_one_class_it_is_an_error() {
        let mut lda = Alone::new(LDA, dims(4, 4, 1, 2));
        let error = lda.fit(&mut Table::new(waves(50, 4, 1)), &config(50, 1.0)).unwrap_err();
        assert!(matches!(error, FitError::NeedsLabels("lda")), "{error}");
        let mut one = Table { patches: waves(50, 4, 1), labels: Some(vec![1; 50]), next: 0 };
        let error = lda.fit(&mut one, &config(50, 1.0)).unwrap_err();
        assert!(matches!(error, FitError::TooFewClasses(1)), "{error}");
    }

    /// N-light-N's network could not be initialised layer by layer from LDA or PCA.
    #[test]
    fn d7_a_stack_is_initialised_layer_by_layer_by_lda_and_pca() {
        let pictures = Tensor::from_fn([200, 8, 8, 1], |i| {
            let (n, y, x) = (i / 64, i / 8 % 8, i % 8);
            let noise = ((i * 7919) % 97) as f32 / 97.0 - 0.5;
            let bright = if n % 2 == 0 { x < 4 } else { y < 4 };
            noise + if bright { 0.5 } else { -0.5 }
        });
        let labels: Vec<u32> = (0..200).map(|n| n % 2).collect();
        let layer =
            |kernel, features, unit| LayerSpec { geometry: LayerGeometry { kernel, offset: kernel }, features, unit };
        let pca = UnitSpec::Pca { encoder: Activation::Softsign, decoder: Activation::Linear };
        let spec = ScaeSpec { picture: [8, 8, 1], layers: vec![layer(4, 4, pca), layer(2, 2, LDA)] };
        let mut scae = Scae::new(spec, &mut stream(1, "init", 0));
        let mut workspace = Workspace::new();
        let config = config(400, 1.0);
        let error = train(&mut scae.clone(), &pictures, &config, &mut workspace).unwrap_err();
        let TrainingError::Layer { layer, why } = error else { panic!("{error}") };
        assert_eq!((layer, why), (1, FitError::NeedsLabels("lda").to_string()));
        train_resumable(
            &mut scae,
            &pictures,
            Labels::Pictures(&labels),
            &config,
            &mut Checkpoints::none(),
            &mut workspace,
        )
        .unwrap();
        let codes = scae.codes(&pictures, &mut workspace);
        let sign = |n: usize| codes.as_slice()[2 * n] > 0.0;
        let right = (0..200).filter(|&n| sign(n) == (sign(0) == (n % 2 == 0))).count();
        assert!(right >= 196, "{right} of 200 on the right side");
    }
}
