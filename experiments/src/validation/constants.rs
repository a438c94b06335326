//! The scores against published values: those of N-light-N's unit tests, reproduced from the formulas.
//!
//! Pictures go the way that every reconstruction goes, through [`score_pictures`] in [-1, 1], so the rescaling to 0..255
//! (defect D4) is part of what is checked.

use super::{Bar, Check};
use crate::scores::{Lab, Rgb, Score, Xyz, delta_e76, delta_e94, score_pictures};
use anyhow::Result;
use patchgrad::Tensor;

const RED: Rgb = Rgb([255.0, 0.0, 0.0]);
const BLACK: Rgb = Rgb([0.0; 3]);
const ORANGE: Rgb = Rgb([255.0, 171.0, 32.0]);

/// The five pixels of the test of the Mahalanobis distance, and what they are compared with.
const PIXELS: [[f32; 15]; 2] = [
    [
        -0.2750, -0.6650, -0.1290, 0.8451, 0.8002, 0.8554, -2.7712, -2.5598, -2.7899, 0.9181, 0.7397, 1.1393, -0.5193,
        -0.9521, -0.6167,
    ],
    [
        -1.2675, -1.0757, -0.8233, 0.6211, 0.6120, 0.4452, -1.7955, -2.3093, -2.1071, -1.0578, -0.7493, -1.1578,
        0.1515, 0.5380, 0.4041,
    ],
];

/// The checks of this group.
pub fn checks() -> Vec<Check> {
    let source = "published value of N-light-N's unit test";
    let constant = |name: &str, what: &str, (target, tolerance): (f64, f64), value: fn() -> Result<f64>| {
        Check::new(format!("score/{name}"), what, source, Bar::Near(target, tolerance), move |_| value())
    };
    let hand = |name: &str, what: &str, how: &str, target: f64, value: fn() -> Result<f64>| {
        Check::new(format!("score/{name}"), what, how, Bar::Near(target, 1e-6), move |_| value())
    };
    vec![
        constant("xyz-x", "X of RGB (255, 171, 32)", (56.064, 5e-4), || Ok(Xyz::from(ORANGE).0[0])),
        constant("xyz-y", "Y of RGB (255, 171, 32)", (50.490, 5e-4), || Ok(Xyz::from(ORANGE).0[1])),
        constant("xyz-z", "Z of RGB (255, 171, 32)", (8.157, 5e-4), || Ok(Xyz::from(ORANGE).0[2])),
        constant("lab-l", "L of RGB (255, 171, 32)", (76.369, 6e-4), || Ok(Lab::from(ORANGE).0[0])),
        constant("lab-a", "a of RGB (255, 171, 32)", (21.182, 6e-4), || Ok(Lab::from(ORANGE).0[1])),
        constant("lab-b", "b of RGB (255, 171, 32)", (74.945, 6e-4), || Ok(Lab::from(ORANGE).0[2])),
        constant("cie76", "CIE76 of red and black", (117.3447, 5e-5), || Ok(delta_e76(RED.into(), BLACK.into()))),
        constant("cie94-red-black", "CIE94 of red and black", (56.2996, 5e-5), || {
            Ok(delta_e94(RED.into(), BLACK.into()))
        }),
        constant("cie94-black-red", "CIE94 of black and red", (117.3447, 5e-5), || {
            Ok(delta_e94(BLACK.into(), RED.into()))
        }),
        constant(
            "delta-e94",
            "the same of pictures in [-1, 1] (D4): black reconstructed as red",
            (56.2996, 5e-5),
            || {
                let (red, black) = ([1.0, -1.0, -1.0], [-1.0; 3]);
                // CIE94 is not symmetric: N-light-N takes the reconstruction first.
                score(Score::DeltaE94, &black, &red, 3)
            },
        ),
        constant("mahalanobis", "Mahalanobis distance of five pixels", (2.1948, 5e-5), || {
            score(Score::Mahalanobis, &PIXELS[1], &PIXELS[0], 3)
        }),
        hand(
            "euclidean",
            "Euclidean distance",
            "two pixels 5 and 13 apart (3-4-5, 5-12-13 / 10), by hand",
            0.9,
            || score(Score::Euclidean, &[0.0; 6], &[0.3, 0.4, 0.0, 0.5, 0.0, 1.2], 3),
        ),
        hand(
            "soid",
            "scale-offset invariant distance",
            "a = (1, 0), b = (0.5, 0): w = -0.25, e = 0.75, 100 / 2 * 0.25^2, by hand",
            3.125,
            || score(Score::Soid, &[0.5, 0.0], &[1.0, 0.0], 1),
        ),
        hand("soid-optimal", "the same with the best scale and offset", "b = a / 2 exactly: 0", 0.0, || {
            score(Score::SoidOptimal, &[0.5, 0.0], &[1.0, 0.0], 1)
        }),
        Check::new(
            "score/correlation",
            "normalised correlation: a photographic negative scores as perfect",
            "1 - |r| of x and -x, up to the 1e-5 in the denominator",
            Bar::AtMost(1e-4),
            |_| score(Score::Correlation, &[-0.5, 0.75, 0.25, -0.5], &[0.5, -0.75, -0.25, 0.5], 1),
        ),
    ]
}

/// The score of one picture of one row.
fn score(score: Score, original: &[f32], reconstruction: &[f32], channels: usize) -> Result<f64> {
    let shape = [1, 1, original.len() / channels, channels];
    let picture = |values: &[f32]| Tensor::new(shape, values);
    Ok(score_pictures(score, &picture(original), &picture(reconstruction))?.value)
}
