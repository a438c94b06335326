//! Colour spaces: from RGB and back.
//!
//! A pixel of RGB in [0, 1] becomes one to four numbers, each within the [range](ColourSpace::ranges) of its channel;
//! [`encode`](ColourSpace::encode) and [`decode`](ColourSpace::decode) do so for whole pictures of bytes and scale
//! every channel from its range to that of a [`Scaling`], as a network wants it;
//! [`Images::in_colour_space`](crate::Images::in_colour_space) does so for a whole set.
//!
//! | space | channels | definition |
//! |---|---|---|
//! | RGB | R, G, B | as stored |
//! | YUV | Y, U, V | ITU-R BT.601: Y = 0.299 R + 0.587 G + 0.114 B, U = 0.436 (B - Y) / 0.886, V = 0.615 (R - Y) / 0.701 |
//! | HSV | H, S, V | A. R. Smith 1978; H in turns, 0 is red; 0 where a grey has no hue |
//! | XYZ | X, Y, Z | CIE 1931 from sRGB (IEC 61966-2-1), white point D65, Y of white is 1 |
//! | CSS | V sin 2 pi H, V cos 2 pi H, S | HSV without the jump of the hue from 1 to 0, three numbers |
//! | CSSV | sin 2 pi H, cos 2 pi H, S, V | the same with the value apart |
//! | CMYK | C, M, Y, K | K = 1 - max, C = (max - R) / max, M and Y likewise; 0, 0, 0, 1 for black |
//! | GRAYSCALE | (R + G + B) / 3 | no inverse: the way back gives a grey |
//!
//! The way back:
//!
//! | space | R, G, B |
//! |---|---|
//! | YUV | R = Y + 0.701 V / 0.615, B = Y + 0.886 U / 0.436, G = (Y - 0.299 R - 0.114 B) / 0.587 |
//! | HSV | V (1 - S t) with t = min(1, max(0, d - 1)) and d the distance of H from the hue of the colour, in sixths of a turn |
//! | XYZ | the inverse matrix, then the curve of sRGB |
//! | CSS | HSV with H = atan2(first, second) / 2 pi and V the length of (first, second) |
//! | CSSV | HSV with H = atan2(first, second) / 2 pi |
//! | CMYK | (1 - C) (1 - K), M and Y likewise |
//! | GRAYSCALE | three times the same |
//!
//! Bytes survive the way there and back unchanged in every space but GRAYSCALE.

mod name;
mod view;

use std::sync::LazyLock;

use crate::Scaling;

pub use name::UnknownColourSpace;
pub use view::{InColourSpace, NoColours};

/// A colour space. `Display` gives its name in small letters, `FromStr` takes it in any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table of the module defines them")]
pub enum ColourSpace {
    Rgb,
    Yuv,
    Hsv,
    Xyz,
    Css,
    Cssv,
    Cmyk,
    Grayscale,
}

const MAX_CHANNELS: usize = 4;

/// Linear sRGB of every byte: a power for each of them, and none for each pixel.
static LINEAR: LazyLock<[f32; 256]> =
    LazyLock::new(|| std::array::from_fn(|byte| to_linear(Scaling::ZeroToOne.to_f32(byte as u8))));

/// From linear sRGB to XYZ, IEC 61966-2-1.
const TO_XYZ: [[f32; 3]; 3] = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]];

/// The inverse of [`TO_XYZ`], to the precision of f32.
const FROM_XYZ: [[f32; 3]; 3] = [
    [3.240_625_5, -1.537_208, -0.498_628_6],
    [-0.968_930_7, 1.875_756, 0.041_517_524],
    [0.055_710_122, -0.204_021_05, 1.056_996],
];

impl ColourSpace {
    /// Numbers for each pixel.
    pub fn channels(self) -> usize {
        self.ranges().len()
    }

    /// The smallest and the largest number of each channel.
    pub fn ranges(self) -> &'static [[f32; 2]] {
        const UNIT: [f32; 2] = [0.0, 1.0];
        const WAVE: [f32; 2] = [-1.0, 1.0];
        match self {
            ColourSpace::Rgb | ColourSpace::Hsv => &[UNIT; 3],
            ColourSpace::Yuv => &[UNIT, [-0.436, 0.436], [-0.615, 0.615]],
            ColourSpace::Xyz => &[[0.0, 0.9505], UNIT, [0.0, 1.089]],
            ColourSpace::Css => &[WAVE, WAVE, UNIT],
            ColourSpace::Cssv => &[WAVE, WAVE, UNIT, UNIT],
            ColourSpace::Cmyk => &[UNIT; 4],
            ColourSpace::Grayscale => &[UNIT],
        }
    }

    /// Whether the colour can be had back.
    pub fn has_inverse(self) -> bool {
        self != ColourSpace::Grayscale
    }

    /// The pixel `rgb`, each in [0, 1], in this space.
    ///
    /// # Panics
    ///
    /// If `pixel` has not as many values as the space has channels.
    pub fn from_rgb(self, rgb: [f32; 3], pixel: &mut [f32]) {
        let [r, g, b] = rgb;
        match self {
            ColourSpace::Rgb => pixel.copy_from_slice(&rgb),
            ColourSpace::Yuv => {
                let y = 0.299 * r + 0.587 * g + 0.114 * b;
                pixel.copy_from_slice(&[y, 0.436 / 0.886 * (b - y), 0.615 / 0.701 * (r - y)]);
            }
            ColourSpace::Hsv => pixel.copy_from_slice(&hsv(rgb)),
            ColourSpace::Xyz => pixel.copy_from_slice(&times(&TO_XYZ, rgb.map(to_linear))),
            ColourSpace::Css => {
                let [hue, saturation, value] = hsv(rgb);
                let (sine, cosine) = (std::f32::consts::TAU * hue).sin_cos();
                pixel.copy_from_slice(&[value * sine, value * cosine, saturation]);
            }
            ColourSpace::Cssv => {
                let [hue, saturation, value] = hsv(rgb);
                let (sine, cosine) = (std::f32::consts::TAU * hue).sin_cos();
                pixel.copy_from_slice(&[sine, cosine, saturation, value]);
            }
            ColourSpace::Cmyk => {
                let max = r.max(g).max(b);
                let ink = |colour: f32| if max > 0.0 { (max - colour) / max } else { 0.0 };
                pixel.copy_from_slice(&[ink(r), ink(g), ink(b), 1.0 - max]);
            }
            ColourSpace::Grayscale => pixel.copy_from_slice(&[(r + g + b) / 3.0]),
        }
    }

    /// The colour of `pixel`, which for numbers within their ranges is within [0, 1] or, for YUV and XYZ, may lie
    /// outside, because not every such triple is a colour of RGB. For GRAYSCALE a grey.
    ///
    /// # Panics
    ///
    /// If `pixel` has not as many values as the space has channels.
    pub fn to_rgb(self, pixel: &[f32]) -> [f32; 3] {
        assert_eq!(pixel.len(), self.channels(), "{self}: a pixel has {} values", self.channels());
        match (self, pixel) {
            (ColourSpace::Yuv, &[y, u, v]) => {
                let (r, b) = (y + 0.701 / 0.615 * v, y + 0.886 / 0.436 * u);
                [r, (y - 0.299 * r - 0.114 * b) / 0.587, b]
            }
            (ColourSpace::Hsv, &[hue, saturation, value]) => from_hsv(hue, saturation, value),
            (ColourSpace::Xyz, &[x, y, z]) => times(&FROM_XYZ, [x, y, z]).map(from_linear),
            (ColourSpace::Css, &[sine, cosine, saturation]) => {
                from_hsv(hue(sine, cosine), saturation, sine.hypot(cosine))
            }
            (ColourSpace::Cssv, &[sine, cosine, saturation, value]) => from_hsv(hue(sine, cosine), saturation, value),
            (ColourSpace::Cmyk, &[c, m, y, k]) => [c, m, y].map(|ink| (1.0 - ink) * (1.0 - k)),
            (ColourSpace::Grayscale, &[grey]) => [grey; 3],
            (_, pixel) => [pixel[0], pixel[1], pixel[2]],
        }
    }

    /// Pixels of RGB bytes, [.., 3], as numbers of this space, [.., channels], each channel scaled from its range to
    /// that of `scaling`.
    ///
    /// # Panics
    ///
    /// If `rgb` is no whole number of pixels, or `values` does not hold as many.
    pub fn encode(self, rgb: &[u8], scaling: Scaling, values: &mut [f32]) {
        let channels = self.channels();
        self.check(rgb, values);
        for (&bytes, pixel) in rgb.as_chunks::<3>().0.iter().zip(values.chunks_exact_mut(channels)) {
            match self {
                ColourSpace::Xyz => {
                    pixel.copy_from_slice(&times(&TO_XYZ, bytes.map(|byte| LINEAR[usize::from(byte)])));
                }
                _ => self.from_rgb(bytes.map(|byte| Scaling::ZeroToOne.to_f32(byte)), pixel),
            }
            for (value, [low, high]) in pixel.iter_mut().zip(self.ranges()) {
                *value = scaling.from_unit((*value - low) / (high - low));
            }
        }
    }

    /// The way back from [`encode`](Self::encode), for showing; what is out of range is clamped.
    ///
    /// # Panics
    ///
    /// As [`encode`](Self::encode).
    pub fn decode(self, values: &[f32], scaling: Scaling, rgb: &mut [u8]) {
        let channels = self.channels();
        self.check(rgb, values);
        let mut unscaled = [0.0; MAX_CHANNELS];
        for (bytes, pixel) in rgb.chunks_exact_mut(3).zip(values.chunks_exact(channels)) {
            for ((unscaled, value), [low, high]) in unscaled.iter_mut().zip(pixel).zip(self.ranges()) {
                *unscaled = low + scaling.to_unit(*value) * (high - low);
            }
            let colour = self.to_rgb(&unscaled[..channels]);
            bytes.copy_from_slice(&colour.map(|value| Scaling::ZeroToOne.to_byte(value)));
        }
    }

    fn check(self, rgb: &[u8], values: &[f32]) {
        assert!(rgb.len().is_multiple_of(3), "{self}: {} bytes are no whole number of RGB pixels", rgb.len());
        let needed = rgb.len() / 3 * self.channels();
        assert_eq!(values.len(), needed, "{self}: {} pixels need {needed} values", rgb.len() / 3);
    }
}

/// Hue in turns, saturation, value.
fn hsv([r, g, b]: [f32; 3]) -> [f32; 3] {
    let max = r.max(g).max(b);
    let chroma = max - r.min(g).min(b);
    if chroma <= 0.0 {
        return [0.0, 0.0, max];
    }
    let sixths = if max == r {
        (g - b) / chroma
    } else if max == g {
        2.0 + (b - r) / chroma
    } else {
        4.0 + (r - g) / chroma
    };
    // A red with a trace of blue is a little below 0.
    [if sixths < 0.0 { sixths + 6.0 } else { sixths } / 6.0, chroma / max, max]
}

fn from_hsv(hue: f32, saturation: f32, value: f32) -> [f32; 3] {
    let sixths = 6.0 * hue.rem_euclid(1.0);
    // Each colour is a trapezoid over the hue: full for two sixths around its own, nothing for the two opposite ones.
    let colour = |own: f32| {
        let distance = (sixths - own).abs();
        let distance = distance.min(6.0 - distance);
        value * (1.0 - saturation * (distance - 1.0).clamp(0.0, 1.0))
    };
    [colour(0.0), colour(2.0), colour(4.0)]
}

fn hue(sine: f32, cosine: f32) -> f32 {
    sine.atan2(cosine) / std::f32::consts::TAU
}

/// The sRGB curve, undone.
fn to_linear(value: f32) -> f32 {
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

fn from_linear(value: f32) -> f32 {
    if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 }
}

fn times(matrix: &[[f32; 3]; 3], vector: [f32; 3]) -> [f32; 3] {
    matrix.map(|row| row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every twelfth byte and the end, in all combinations: 23^3 colours.
    fn colours() -> impl Iterator<Item = [u8; 3]> {
        let steps = || (0..=252u8).step_by(12).chain([255]);
        steps().flat_map(move |r| steps().flat_map(move |g| steps().map(move |b| [r, g, b])))
    }

    fn convert(space: ColourSpace, rgb: [f32; 3]) -> Vec<f32> {
        let mut pixel = vec![f32::NAN; space.channels()];
        space.from_rgb(rgb, &mut pixel);
        pixel
    }

    #[test]
    fn there_and_back_is_the_same_within_the_stated_tolerance() {
        for space in ColourSpace::ALL.into_iter().filter(|space| space.has_inverse()) {
            // XYZ goes through two powers, whose slope at black multiplies rounding errors by 12.92.
            let tolerance = if space == ColourSpace::Xyz { 1e-5 } else { 2e-6 };
            let mut worst = 0.0f32;
            for bytes in colours() {
                let rgb = bytes.map(|byte| f32::from(byte) / 255.0);
                let pixel = convert(space, rgb);
                for (value, [low, high]) in pixel.iter().zip(space.ranges()) {
                    assert!((low - 1e-6..=high + 1e-6).contains(value), "{space} of {bytes:?}: {pixel:?}");
                }
                let back = space.to_rgb(&pixel);
                worst = rgb.iter().zip(back).fold(worst, |worst, (a, b)| worst.max((a - b).abs()));
            }
            assert!(worst <= tolerance, "{space}: {worst}");
        }
    }

    #[test]
    fn bytes_come_back_unchanged_with_either_scaling() {
        let rgb: Vec<u8> = colours().flatten().collect();
        for space in ColourSpace::ALL.into_iter().filter(|space| space.has_inverse()) {
            for scaling in [Scaling::MinusOneToOne, Scaling::ZeroToOne] {
                let mut values = vec![f32::NAN; rgb.len() / 3 * space.channels()];
                space.encode(&rgb, scaling, &mut values);
                let low = if scaling == Scaling::ZeroToOne { 0.0 } else { -1.0 };
                assert!(values.iter().all(|value| (low - 1e-5..=1.0 + 1e-5).contains(value)), "{space}");
                let mut back = vec![0; rgb.len()];
                space.decode(&values, scaling, &mut back);
                assert!(back == rgb, "{space} {scaling:?}");
            }
        }
    }

    #[test]
    fn the_table_of_bytes_changes_no_bit() {
        let rgb: Vec<[u8; 3]> = colours().collect();
        for space in ColourSpace::ALL {
            let mut values = vec![f32::NAN; rgb.len() * space.channels()];
            space.encode(rgb.as_flattened(), Scaling::ZeroToOne, &mut values);
            for (bytes, pixel) in rgb.iter().zip(values.chunks_exact(space.channels())) {
                let mut expected = convert(space, bytes.map(|byte| Scaling::ZeroToOne.to_f32(byte)));
                for (value, [low, high]) in expected.iter_mut().zip(space.ranges()) {
                    *value = (*value - low) / (high - low);
                }
                assert_eq!(pixel, expected, "{space} of {bytes:?}");
            }
        }
    }

    #[test]
    fn known_colours_have_their_known_values() {
        let near = |space: ColourSpace, rgb: [f32; 3], expected: &[f32], tolerance: f32| {
            let pixel = convert(space, rgb);
            let fits = pixel.iter().zip(expected).all(|(a, b)| (a - b).abs() <= tolerance);
            assert!(fits && pixel.len() == expected.len(), "{space} of {rgb:?}: {pixel:?}, expected {expected:?}");
        };
        let orange = [1.0, 171.0 / 255.0, 32.0 / 255.0];
        near(ColourSpace::Xyz, orange, &[0.56064, 0.50490, 0.08157], 1e-5);
        // Primary red in ITU-R BT.601.
        near(ColourSpace::Yuv, [1.0, 0.0, 0.0], &[0.299, -0.14714, 0.615], 1e-5);
        near(ColourSpace::Hsv, [0.0, 0.5, 0.5], &[0.5, 1.0, 0.5], 1e-6);
        near(ColourSpace::Hsv, [1.0, 0.0, 0.25], &[23.0 / 24.0, 1.0, 1.0], 1e-6);
        near(ColourSpace::Css, [0.0, 0.5, 0.5], &[0.0, -0.5, 1.0], 1e-6);
        near(ColourSpace::Css, [0.5; 3], &[0.0, 0.5, 0.0], 1e-6);
        near(ColourSpace::Cssv, [0.5, 0.0, 0.0], &[0.0, 1.0, 1.0, 0.5], 1e-6);
        near(ColourSpace::Cmyk, [0.5, 0.25, 0.0], &[0.0, 0.5, 1.0, 0.5], 1e-6);
        near(ColourSpace::Cmyk, [0.0; 3], &[0.0, 0.0, 0.0, 1.0], 0.0);
        near(ColourSpace::Grayscale, [0.9, 0.6, 0.0], &[0.5], 1e-6);
        assert_eq!(ColourSpace::Grayscale.to_rgb(&[0.25]), [0.25; 3]);
    }

    #[test]
    fn numbers_that_are_no_colour_are_clamped_for_showing() {
        for space in ColourSpace::ALL {
            for value in [-9.0, 9.0, f32::NAN] {
                let values = vec![value; space.channels()];
                space.decode(&values, Scaling::MinusOneToOne, &mut [0; 3]);
            }
        }
        let mut rgb = [7; 3];
        ColourSpace::Rgb.decode(&[-9.0, 0.0, 9.0], Scaling::MinusOneToOne, &mut rgb);
        assert_eq!(rgb, [0, 128, 255]);
    }
}
