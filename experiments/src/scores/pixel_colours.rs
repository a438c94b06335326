//! Colour differences of all pixels of two pictures.
//!
//! The same numbers as [`delta_e94`](super::delta_e94) of [`Lab::from`](super::Lab) of [`Rgb`], which say what is computed,
//! within 1e-8. Sixteen pixels go side by side through loops without a branch or a call, which the compiler turns into vector
//! instructions: the powers are made of roots, and the roots found by Halley's iteration.

use super::{
    Pair,
    colour::{CHROMA_WEIGHT, HUE_WEIGHT, TO_XYZ, WHITE},
};

#[cfg(doc)]
use super::Rgb;

/// Pixels side by side: enough independent divisions to fill the waiting times of one.
const LANES: usize = 16;

type Lanes = [f64; LANES];

/// CIE94 from each pixel of the reconstruction to that of the original, row by row.
///
/// Values in [-1, 1] are colours of 0 to 255 (clipped, as a screen would); a grey value stands for three equal channels.
///
/// # Panics
/// If the pictures have neither one nor three channels.
pub(super) fn delta_e94_of_pixels(pair: &Pair) -> Vec<f64> {
    match pair.shape[2] {
        1 => differences::<1>(pair),
        3 => differences::<3>(pair),
        channels => panic!("colour difference of {channels} channels"),
    }
}

fn differences<const C: usize>(pair: &Pair) -> Vec<f64> {
    let [a, b] = [pair.reconstruction, pair.original].map(|picture| picture.as_chunks::<C>().0);
    let mut differences = Vec::with_capacity(a.len());
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        let found = delta_e94(&lab(a), &lab(b));
        differences.extend_from_slice(&found[..a.len()]);
    }
    differences
}

/// L*a*b* of at most sixteen pixels; lanes without a pixel hold a grey.
fn lab<const C: usize>(pixels: &[[f32; C]]) -> [Lanes; 3] {
    let linear: [Lanes; C] = std::array::from_fn(|channel| {
        let mut values = [0.0; LANES];
        values.iter_mut().zip(pixels).for_each(|(to, pixel)| *to = f64::from(pixel[channel]));
        to_linear(values)
    });
    let xyz: [Lanes; 3] = std::array::from_fn(|i| {
        let weights = TO_XYZ[i].map(|weight| weight / WHITE[i]);
        let [r, g, b] = [0, 1, 2].map(|channel| &linear[channel % C]);
        let shares: Lanes =
            std::array::from_fn(|lane| weights[0] * r[lane] + weights[1] * g[lane] + weights[2] * b[lane]);
        lightness(shares)
    });
    let [x, y, z] = &xyz;
    [
        y.map(|y| 116.0 * y - 16.0),
        std::array::from_fn(|lane| 500.0 * (x[lane] - y[lane])),
        std::array::from_fn(|lane| 200.0 * (y[lane] - z[lane])),
    ]
}

/// From [-1, 1] to linear light, 0 to 100: the curve of sRGB, `x^2.4 = x^2 (x^(1/5))^2`.
fn to_linear(values: Lanes) -> Lanes {
    let values = values.map(|value| 0.5 * (value.clamp(-1.0, 1.0) + 1.0));
    let bases = values.map(|value| (value + 0.055) * (1.0 / 1.055));
    let roots = fifth_roots(bases);
    std::array::from_fn(|lane| {
        let power = bases[lane] * roots[lane];
        100.0 * if values[lane] > 0.04045 { power * power } else { values[lane] * (1.0 / 12.92) }
    })
}

/// The function that makes L*a*b* of XYZ, each share of white.
fn lightness(shares: Lanes) -> Lanes {
    let roots = cube_roots(shares);
    std::array::from_fn(|lane| if shares[lane] > 0.008856 { roots[lane] } else { 7.787 * shares[lane] + 16.0 / 116.0 })
}

/// Cube roots of numbers from 1e-3 to 2, to a relative error below 1e-12; of others something that is not used.
///
/// Halley: `y (t + 2 x) / (2 t + x)` with t = y^3, which leaves 2/3 of the third power of a relative error: once in f32,
/// where twice as many divisions go side by side, and once in f64.
fn cube_roots(x: Lanes) -> Lanes {
    let (x32, mut y) = guess::<3>(&x);
    for (y, x) in y.iter_mut().zip(x32) {
        let t = *y * *y * *y;
        *y *= (t + 2.0 * x) / (2.0 * t + x);
    }
    std::array::from_fn(|lane| {
        let (x, y) = (x[lane], f64::from(y[lane]));
        let t = y * y * y;
        y * ((t + 2.0 * x) / (2.0 * t + x))
    })
}

/// Fifth roots, likewise, to a relative error below 1e-9.
///
/// Halley: `y (2 t + 3 x) / (3 t + 2 x)` with t = y^5, which leaves twice the third power of a relative error.
fn fifth_roots(x: Lanes) -> Lanes {
    let (x32, mut y) = guess::<5>(&x);
    for (y, x) in y.iter_mut().zip(x32) {
        let squared = *y * *y;
        let t = squared * squared * *y;
        *y *= (2.0 * t + 3.0 * x) / (3.0 * t + 2.0 * x);
    }
    std::array::from_fn(|lane| {
        let (x, y) = (x[lane], f64::from(y[lane]));
        let squared = y * y;
        let t = squared * squared * y;
        y * ((2.0 * t + 3.0 * x) / (3.0 * t + 2.0 * x))
    })
}

/// `x` in f32, and its N-th root to a few percent. The bits of a positive f32, read as an integer, are about
/// `2^23 (log2 x + 127 - 0.045)`; a root divides the logarithm.
fn guess<const N: u32>(x: &Lanes) -> ([f32; LANES], [f32; LANES]) {
    let offset = (f64::from(N - 1) / f64::from(N) * f64::from(1 << 23) * (127.0 - 0.045)) as u32;
    let x = x.map(|x| x as f32);
    (x, x.map(|x| f32::from_bits((x.to_bits() / N).wrapping_add(offset))))
}

/// [`super::delta_e94`] of sixteen pairs of colours.
fn delta_e94(a: &[Lanes; 3], b: &[Lanes; 3]) -> Lanes {
    let chroma = |lab: &[Lanes; 3], lane: usize| (lab[1][lane] * lab[1][lane] + lab[2][lane] * lab[2][lane]).sqrt();
    std::array::from_fn(|lane| {
        let chroma_a = chroma(a, lane);
        let chroma_difference = chroma_a - chroma(b, lane);
        let [lightness, green_red, blue_yellow] = [0, 1, 2].map(|i| a[i][lane] - b[i][lane]);
        let across = green_red * green_red + blue_yellow * blue_yellow;
        let hue_squared = across - chroma_difference * chroma_difference;
        // Rounding may leave it slightly below zero.
        let hue_squared = if hue_squared < 0.0 { 0.0 } else { hue_squared };
        let (chroma_scale, hue_scale) = (1.0 + CHROMA_WEIGHT * chroma_a, 1.0 + HUE_WEIGHT * chroma_a);
        let chroma_share = chroma_difference / chroma_scale;
        (lightness * lightness + chroma_share * chroma_share + hue_squared / (hue_scale * hue_scale)).sqrt()
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::colour::{self, Lab, Rgb},
        *,
    };

    /// Values from -1.3 to 1.3, those of bytes among them, in no order.
    fn values(count: usize, factor: usize) -> Vec<f32> {
        let value = |i: usize| match (i * factor) % 2003 {
            byte @ 0..256 => 2.0 * byte as f32 / 255.0 - 1.0,
            other => other as f32 / 1001.5 * 1.3 - 1.3,
        };
        (0..count).map(value).collect()
    }

    #[test]
    fn differences_are_those_of_the_definition() {
        for (channels, pixels) in [(3, 20_003), (1, 2003), (3, 5), (1, 1)] {
            let (a, b) = (values(pixels * channels, 7919), values(pixels * channels, 104_729));
            let pair = Pair { reconstruction: &a, original: &b, shape: [1, pixels, channels] };
            let found = delta_e94_of_pixels(&pair);
            assert_eq!(found.len(), pixels);
            let lab = |pixel: &[f32]| Lab::from(Rgb::of_pixel(pixel));
            for (found, (a, b)) in found.iter().zip(a.chunks(channels).zip(b.chunks(channels))) {
                let expected = colour::delta_e94(lab(a), lab(b));
                assert!((found - expected).abs() < 1e-8, "{a:?} {b:?}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn roots_are_within_their_stated_errors() {
        let x = |i: u32| 1e-3 * 2000_f64.powf(f64::from(i) / 4999.0);
        let (mut worst_cube, mut worst_fifth) = (0.0_f64, 0.0_f64);
        for start in (0..5000).step_by(LANES) {
            let x: Lanes = std::array::from_fn(|lane| x(start + lane as u32));
            let (cube, fifth) = (cube_roots(x), fifth_roots(x));
            for lane in 0..LANES {
                worst_cube = worst_cube.max((cube[lane] / x[lane].cbrt() - 1.0).abs());
                worst_fifth = worst_fifth.max((fifth[lane] / x[lane].powf(0.2) - 1.0).abs());
            }
        }
        assert!(worst_cube < 1e-12 && worst_fifth < 1e-9, "{worst_cube:e} {worst_fifth:e}");
    }

    #[test]
    fn what_is_not_a_number_stays_so_and_spoils_no_neighbour() {
        let (mut a, b) = (values(30, 31), values(30, 37));
        let sound = delta_e94_of_pixels(&Pair { reconstruction: &a, original: &b, shape: [2, 5, 3] });
        (a[4], a[7]) = (f32::NAN, f32::INFINITY);
        let found = delta_e94_of_pixels(&Pair { reconstruction: &a, original: &b, shape: [2, 5, 3] });
        assert!(found[1].is_nan() && found[2].is_finite());
        assert_eq!((found[0], &found[3..]), (sound[0], &sound[3..]));
    }
}
