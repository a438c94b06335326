//! Encoding and decoding visit the same places: adjoints, and how many patches cover a pixel.
//!
//! A tied linear unit without biases encodes with E, a convolution, and decodes with E', the transposed one: every position
//! pastes its patch. The SCAE then divides by the number n of patches over a pixel, so `decode = N^-1 E'` with the diagonal
//! matrix N of these counts, and for any picture x and code y
//!
//! ```text
//! <encode(x), y> = <x, E' y> = <x, N decode(y)>
//! ```
//!
//! layer by layer down a stack (N-light-N's `normalizeWeights` makes overlaps arithmetic means, too). The counts here come
//! from a loop over all positions and pixels, not from the engine.

use super::{Bar, Check};
use crate::{
    scae::{
        Geometry, LayerSpec, Scae, ScaeSpec,
        geometry::{WHOLE_28, WHOLE_32},
    },
    units::UnitSpec,
};
use patchgrad::{
    Tape, Tensor, Workspace,
    ops::{Activation, FoldSpec},
    random::stream,
};
use rand_distr::{Distribution, StandardNormal};

/// The checks of this group.
pub fn checks() -> Vec<Check> {
    let stacks = WHOLE_28.len() + WHOLE_32.len();
    vec![
        Check::new(
            "geometry/adjoint",
            "decoding is the adjoint of encoding, but for the means of overlaps",
            format!(
                "<encode(x), y> against <x, N decode(y)>, tied linear units, {stacks} whole-picture stacks of 28 and 32 \
                 pixels; largest difference / |encode(x)| |y|"
            ),
            Bar::AtMost(1e-5),
            |_| {
                Ok(stacks_of_the_experiments()
                    .map(|(pixels, geometry)| adjoint_error(pixels, &geometry))
                    .fold(0.0, f64::max))
            },
        ),
        Check::new(
            "geometry/coverage",
            "every pixel is covered by as many patches as a count by hand says",
            format!(
                "fold of patches of ones against loops over positions and pixels, all layers of {stacks} stacks, and \
                 against four counts written down by hand; pixels that differ"
            ),
            Bar::AtMost(0.0),
            |_| {
                let stacks: usize =
                    stacks_of_the_experiments().map(|(pixels, geometry)| coverage_differences(pixels, &geometry)).sum();
                Ok((stacks + by_hand_differences()) as f64)
            },
        ),
        Check::new(
            "geometry/mean",
            "where patches overlap a pixel is their mean",
            "decoder bias p at pixel p of a patch, weights 0, kernel 4, offset 2: against the mean by loops; largest difference",
            Bar::AtMost(1e-5),
            |_| Ok(mean_error()),
        ),
    ]
}

fn stacks_of_the_experiments() -> impl Iterator<Item = (usize, Geometry)> {
    let of = |pixels: usize, lists: &'static [&'static [usize]]| {
        lists.iter().map(move |list| (pixels, Geometry::from_list(list)))
    };
    of(28, &WHOLE_28).chain(of(32, &WHOLE_32))
}

/// How many of the `positions` patches of `kernel` pixels, `offset` apart, cover each of `pixels` along an axis: by going
/// through all of them.
fn counts(pixels: usize, kernel: usize, offset: usize, positions: usize) -> Vec<u32> {
    let covers = |position: usize, pixel: usize| (position * offset..position * offset + kernel).contains(&pixel);
    (0..pixels).map(|pixel| (0..positions).filter(|&position| covers(position, pixel)).count() as u32).collect()
}

/// Widths of the map below each layer, and positions of the layer on it.
fn widths(pixels: usize, geometry: &Geometry) -> Vec<[usize; 2]> {
    let positions = geometry.positions(pixels).expect("the stacks of the experiments fit");
    let below = [pixels].into_iter().chain(positions.iter().copied());
    below.zip(positions.iter().copied()).map(|(below, positions)| [below, positions]).collect()
}

/// The relative error of the identity for one stack, channels 2 below and 3, 4, .. above.
fn adjoint_error(pixels: usize, geometry: &Geometry) -> f64 {
    let unit = UnitSpec::Tied { encoder: Activation::Linear, decoder: Activation::Linear };
    let layers = geometry.layers().iter().enumerate();
    let layers = layers.map(|(i, &geometry)| LayerSpec { geometry, features: 3 + i, unit }).collect();
    let scae = Scae::new(ScaeSpec { picture: [pixels, pixels, 2], layers }, &mut stream(1, "validation init", 0));
    let depth = geometry.depth();
    let mut random = stream(1, "validation adjoint", 0);
    let mut normal = |shape: [usize; 4]| Tensor::from_fn(shape, |_| StandardNormal.sample(&mut random));
    let [h, w, c] = scae.spec().code_map();
    let (x, y) = (normal([2, pixels, pixels, 2]), normal([2, h, w, c]));
    let mut workspace = Workspace::new();

    let mut tape = Tape::with_params(scae.params(), &mut workspace);
    let picture = tape.input(&x);
    let code = scae.encode(&mut tape, picture, depth);
    let code = tape.finish(code);

    let mut tape = Tape::with_params(scae.params(), &mut workspace);
    let mut map = tape.input(&y);
    for (layer, [below, positions]) in widths(pixels, geometry).into_iter().enumerate().rev() {
        let decoded = scae.decode_layer(&mut tape, layer, map);
        let along = counts(below, geometry.layers()[layer].kernel, geometry.layers()[layer].offset, positions);
        let channels = *tape.shape(decoded).dims().last().expect("maps have four axes");
        let counts = tape.constant(tape.shape(decoded), |counts| {
            counts.iter_mut().enumerate().for_each(|(i, count)| {
                let (column, row) = (i / channels % below, i / (channels * below) % below);
                *count = (along[row] * along[column]) as f32;
            });
        });
        map = tape.mul(decoded, counts);
    }
    let pasted = tape.finish(map);
    let (left, right) = (dot(&code, &y), dot(&x, &pasted));
    (left - right).abs() / (dot(&code, &code) * dot(&y, &y)).sqrt()
}

fn dot(a: &Tensor, b: &Tensor) -> f64 {
    a.as_slice().iter().zip(b.as_slice()).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// What the engine counts along both axes of a map of `pixels`: the sum of patches of ones.
fn engine_counts(pixels: usize, kernel: usize, offset: usize, positions: usize) -> Tensor {
    let ones = Tensor::full([1, positions, positions, kernel * kernel], 1.0);
    let spec = FoldSpec { stride: [offset; 2], ..FoldSpec::new([kernel; 2]) };
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace);
    let patches = tape.input(&ones);
    let sum = tape.fold(patches, [pixels; 2], &spec);
    tape.finish(sum)
}

fn differences(pixels: usize, kernel: usize, offset: usize, positions: usize, along: &[u32]) -> usize {
    let engine = engine_counts(pixels, kernel, offset, positions);
    let by_loops = (0..pixels * pixels).map(|i| (along[i / pixels] * along[i % pixels]) as f32);
    engine.as_slice().iter().zip(by_loops).filter(|(engine, count)| **engine != *count).count()
}

fn coverage_differences(pixels: usize, geometry: &Geometry) -> usize {
    let layers = widths(pixels, geometry).into_iter().zip(geometry.layers());
    let of = |([below, positions], layer): ([usize; 2], &crate::scae::LayerGeometry)| {
        let along = counts(below, layer.kernel, layer.offset, positions);
        differences(below, layer.kernel, layer.offset, positions, &along)
    };
    layers.map(of).sum()
}

/// Pixels, kernel, offset, and how many patches cover each pixel along an axis: written down with paper and pencil.
const BY_HAND: [(usize, usize, usize, &[u32]); 4] = [
    (8, 4, 2, &[1, 1, 2, 2, 2, 2, 1, 1]),
    (6, 3, 3, &[1, 1, 1, 1, 1, 1]),
    (7, 3, 1, &[1, 2, 3, 3, 3, 2, 1]),
    (28, 10, 3, &[1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 3, 3, 4, 3, 3, 4, 3, 3, 4, 3, 3, 3, 2, 2, 2, 1, 1, 1]),
];

fn by_hand_differences() -> usize {
    let of = |(pixels, kernel, offset, along): (usize, usize, usize, &[u32])| {
        differences(pixels, kernel, offset, (pixels - kernel) / offset + 1, along)
    };
    BY_HAND.map(of).into_iter().sum()
}

/// Kernel 4, offset 2 on 8 pixels; each decoded patch is 0, 1, .., 15.
fn mean_error() -> f64 {
    let unit = UnitSpec::standard(Activation::Linear, Activation::Linear);
    let geometry = crate::scae::LayerGeometry { kernel: 4, offset: 2 };
    let layers = vec![LayerSpec { geometry, features: 2, unit }];
    let mut scae = Scae::new(ScaeSpec { picture: [8, 8, 1], layers }, &mut stream(1, "validation init", 0));
    let [weight, bias] =
        ["weight", "bias"].map(|name| scae.params().find(&format!("layer0.decoder.{name}")).expect("a standard unit"));
    scae.params_mut().get_mut(weight).as_mut_slice().fill(0.0);
    scae.params_mut().get_mut(bias).as_mut_slice().iter_mut().enumerate().for_each(|(p, bias)| *bias = p as f32);
    let decoded = scae.reconstruct(&Tensor::zeros([1, 8, 8, 1]), &mut Workspace::new());
    let error = |(pixel, &got): (usize, &f32)| {
        let (row, column) = (pixel / 8, pixel % 8);
        let covering = (0..9).map(|position| [position / 3 * 2, position % 3 * 2]).filter_map(|[top, left]| {
            let inside = (top..top + 4).contains(&row) && (left..left + 4).contains(&column);
            inside.then(|| ((row - top) * 4 + column - left) as f64)
        });
        let values: Vec<f64> = covering.collect();
        (values.iter().sum::<f64>() / values.len() as f64 - f64::from(got)).abs()
    };
    decoded.as_slice().iter().enumerate().map(error).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_count_is_seen() {
        let along = [1, 1, 2, 2, 2, 1, 1, 1];
        assert_eq!(differences(8, 4, 2, 3, &along), 8 + 8 - 1);
        assert_eq!(counts(8, 4, 2, 3), BY_HAND[0].3);
    }
}
