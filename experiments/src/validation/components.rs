//! Principal components found by learning, on patches of real pictures.
//!
//! With the squared error the best linear code of n numbers is that of the n leading principal components (Baldi and Hornik,
//! "Neural networks and principal component analysis", 1989), so a linear auto-encoder that gradient descent has trained
//! must come to
//!
//! ```text
//! MSE_AE / MSE_PCA -> 1
//! ```
//!
//! on the patches it was trained on; a value below 1 would be a mistake too. Oja's rule finds the leading eigenvector of the
//! covariance, Sanger's the leading ones in order, Oja's subspace rule a basis of their space.

use super::{Bar, Check, Subject};
use crate::{
    linear_algebra::{Pca, Rows, orthonormalise, remove_projection},
    scae::{LayerGeometry, LayerSpec, Scae, ScaeSpec, train},
    units::{Descent, HebbianRule, TrainConfig, UnitSpec},
};
use anyhow::Result;
use patchgrad::{Tensor, Workspace, ops::Activation, random::stream};

const LINEAR: Activation = Activation::Linear;

/// Width of the patches.
const SIDE: usize = 8;

/// Length of the auto-encoders' codes.
const CODE: usize = 8;

/// How many eigenvectors Hebbian rules are asked for.
const LEADING: usize = 3;

/// Pictures that patches are cut from, nine from each.
const PICTURES: usize = 2_000;

/// The checks of this group.
pub fn checks() -> Vec<Check> {
    let linear = |name: &str, spec: UnitSpec| {
        Check::new(
            format!("pca/{name}"),
            format!("a linear auto-encoder ({name}) reaches the error of principal components"),
            format!(
                "MSE_AE / MSE_PCA on {SIDE}x{SIDE} patches of MNIST, code of {CODE}; plain gradient descent on 320,000 \
                 patches (Baldi and Hornik 1989)"
            ),
            Bar::Between(0.999, 1.02),
            move |subject| pca_ratio(subject, spec),
        )
    };
    let hebbian = |name: &str, what: &str, rule, features, measure: fn(&Pca, Vec<Vec<f64>>) -> f64| {
        Check::new(
            format!("hebbian/{name}"),
            what,
            format!("smallest |cos| with the eigenvectors of the covariance (f64), {SIDE}x{SIDE} patches of MNIST"),
            Bar::AtLeast(0.99),
            move |subject| {
                let patches = patches(subject);
                let pca = Pca::fit(Rows::new(patches.as_slice(), SIDE * SIDE))?;
                Ok(measure(&pca, directions(&patches, rule, features)?))
            },
        )
    };
    let (oja, sanger) = (HebbianRule::Oja, HebbianRule::Sanger);
    vec![
        linear("untied", UnitSpec::standard(LINEAR, LINEAR)),
        linear("tied", UnitSpec::Tied { encoder: LINEAR, decoder: LINEAR }),
        hebbian("oja", "Oja's rule finds the leading eigenvector", oja, 1, cosine_with_each),
        hebbian(
            "oja-subspace",
            "Oja's subspace rule finds the space of the three leading eigenvectors",
            oja,
            LEADING,
            cosine_with_space,
        ),
        hebbian(
            "sanger",
            "Sanger's rule finds the three leading eigenvectors in order",
            sanger,
            LEADING,
            cosine_with_each,
        ),
    ]
}

/// Nine patches `[N, 8, 8, 1]` of each of the first pictures.
fn patches(subject: &Subject) -> Tensor {
    let pictures = &subject.mnist.train.pictures;
    let [count, height, width, _] = pictures.shape().nhwc().expect("pictures have four axes");
    let mut values = Vec::new();
    for picture in pictures.samples(0..count.min(PICTURES)).chunks_exact(height * width) {
        for corner in 0..9 {
            let [top, left] = [corner / 3, corner % 3].map(|step| 2 + SIDE * step);
            for row in top..top + SIDE {
                values.extend_from_slice(&picture[row * width + left..][..SIDE]);
            }
        }
    }
    Tensor::new([values.len() / (SIDE * SIDE), SIDE, SIDE, 1], &values)
}

/// A stack of one unit, trained on patches as its pictures.
fn trained(patches: &Tensor, unit: UnitSpec, features: usize, config: &TrainConfig) -> Result<Scae> {
    let geometry = LayerGeometry { kernel: SIDE, offset: SIDE };
    let spec = ScaeSpec { picture: [SIDE, SIDE, 1], layers: vec![LayerSpec { geometry, features, unit }] };
    let mut scae = Scae::new(spec, &mut stream(1, "init", 0));
    train(&mut scae, patches, config, &mut Workspace::new())?;
    Ok(scae)
}

fn config(samples_per_layer: usize, lr: f64) -> TrainConfig {
    TrainConfig { samples_per_layer, batch_size: 32, descent: Descent::Sgd, lr, weight_decay: 0.0, seed: 1 }
}

fn pca_ratio(subject: &Subject, unit: UnitSpec) -> Result<f64> {
    let patches = patches(subject);
    let rows = Rows::new(patches.as_slice(), SIDE * SIDE);
    let best = squared_error(&Pca::fit(rows)?.reconstruct(rows, CODE), patches.as_slice());
    let network = trained(&patches, unit, CODE, &config(320_000, 0.01))?;
    let decoded = network.reconstruct(&patches, &mut Workspace::new());
    Ok(squared_error(decoded.as_slice(), patches.as_slice()) / best)
}

fn squared_error(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum()
}

/// The learnt directions, one for each feature.
fn directions(patches: &Tensor, rule: HebbianRule, features: usize) -> Result<Vec<Vec<f64>>> {
    let unit = UnitSpec::Oja { rule, encoder: LINEAR, decoder: LINEAR };
    let network = trained(patches, unit, features, &config(200_000, 0.1))?;
    let id = network.params().find("layer0.encoder.weight").expect("an Oja unit has an encoder");
    let weight = network.params().get(id).as_slice();
    let column = |j: usize| weight.iter().skip(j).step_by(features).map(|&w| f64::from(w)).collect();
    Ok((0..features).map(column).collect())
}

fn length(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The smallest |cos| of each direction with the eigenvector of the same place.
fn cosine_with_each(pca: &Pca, directions: Vec<Vec<f64>>) -> f64 {
    let cosine = |(index, direction): (usize, &Vec<f64>)| {
        let product: f64 = direction.iter().zip(pca.component(index)).map(|(a, b)| a * b).sum();
        product.abs() / length(direction)
    };
    directions.iter().enumerate().map(cosine).fold(1.0, f64::min)
}

/// The smallest cosine of the angle between a leading eigenvector and the space of the directions.
fn cosine_with_space(pca: &Pca, directions: Vec<Vec<f64>>) -> f64 {
    let count = directions.len();
    let basis = orthonormalise(directions);
    let cosine = |index| {
        let mut left = pca.component(index);
        remove_projection(&mut left, &basis);
        (1.0 - length(&left).powi(2)).max(0.0).sqrt()
    };
    (0..count).map(cosine).fold(1.0, f64::min)
}
