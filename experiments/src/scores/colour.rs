//! Colours as an eye compares them: sRGB to XYZ to L*a*b*, and the distances CIE76 and CIE94.
//!
//! Illuminant D65, observer of 2 degrees, white (95.047, 100, 108.883); IEC 61966-2-1 for sRGB, with the matrix rounded to
//! four digits as the standard prints it. That is what N-light-N's constants were computed with. The matrix takes
//! sRGB white to a point 0.01 off this white, so greys have a chroma of up to 0.02.

/// Red, green, blue as sRGB has them, 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rgb(pub [f64; 3]);

/// CIE XYZ; Y of white is 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Xyz(pub [f64; 3]);

/// CIE L*a*b*: lightness 0 to 100, green to red, blue to yellow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lab(pub [f64; 3]);

pub(super) const TO_XYZ: [[f64; 3]; 3] = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]];

pub(super) const WHITE: [f64; 3] = [95.047, 100.0, 108.883];

/// K1 of CIE94 for graphic arts.
pub(super) const CHROMA_WEIGHT: f64 = 0.045;

/// K2 of CIE94 for graphic arts.
pub(super) const HUE_WEIGHT: f64 = 0.015;

impl Rgb {
    /// The colour of a pixel in [-1, 1]; what lies outside is shown as the nearest colour there is.
    ///
    /// A grey pixel has one value, which stands for all three. This says what [`super::pixel_colours`] computes for many
    /// pixels at once.
    #[cfg(test)]
    pub(super) fn of_pixel(pixel: &[f32]) -> Self {
        let byte = |value: f32| (f64::from(value).clamp(-1.0, 1.0) + 1.0) * 127.5;
        Self([0, 1, 2].map(|channel| byte(pixel[channel % pixel.len()])))
    }
}

impl From<Rgb> for Xyz {
    fn from(rgb: Rgb) -> Self {
        let linear = rgb.0.map(|value| {
            let value = value / 255.0;
            100.0 * if value > 0.04045 { ((value + 0.055) / 1.055).powf(2.4) } else { value / 12.92 }
        });
        Self(TO_XYZ.map(|row| row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2]))
    }
}

impl From<Xyz> for Lab {
    fn from(xyz: Xyz) -> Self {
        let [x, y, z] = [0, 1, 2].map(|i| {
            let t = xyz.0[i] / WHITE[i];
            if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 }
        });
        Self([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)])
    }
}

impl From<Rgb> for Lab {
    fn from(rgb: Rgb) -> Self {
        Xyz::from(rgb).into()
    }
}

/// CIE76: the Euclidean distance in L*a*b*.
pub fn delta_e76(a: Lab, b: Lab) -> f64 {
    (0..3).map(|i| (a.0[i] - b.0[i]).powi(2)).sum::<f64>().sqrt()
}

/// CIE94 for graphic arts (k_L = k_C = k_H = 1, K1 = 0.045, K2 = 0.015), with `a` as the reference: **not symmetric**.
///
/// ```text
/// dC = C_a - C_b,   dH^2 = (a_a - a_b)^2 + (b_a - b_b)^2 - dC^2
/// sqrt(dL^2 + (dC / (1 + 0.045 C_a))^2 + dH^2 / (1 + 0.015 C_a)^2)
/// ```
pub fn delta_e94(a: Lab, b: Lab) -> f64 {
    let chroma = |lab: Lab| lab.0[1].hypot(lab.0[2]);
    let chroma_a = chroma(a);
    let (lightness, chroma_difference) = (a.0[0] - b.0[0], chroma_a - chroma(b));
    let across = (a.0[1] - b.0[1]).powi(2) + (a.0[2] - b.0[2]).powi(2);
    // Rounding may leave the square of the difference in hue slightly below zero.
    let hue_squared = (across - chroma_difference.powi(2)).max(0.0);
    let (chroma_scale, hue_scale) = (1.0 + CHROMA_WEIGHT * chroma_a, 1.0 + HUE_WEIGHT * chroma_a);
    let squared = lightness.powi(2) + (chroma_difference / chroma_scale).powi(2) + hue_squared / hue_scale.powi(2);
    squared.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_close<const N: usize>(got: [f64; N], want: [f64; N], tolerance: f64) {
        assert!(got.iter().zip(&want).all(|(got, want)| (got - want).abs() < tolerance), "{got:?}, {want:?}");
    }

    const RED: Rgb = Rgb([255.0, 0.0, 0.0]);
    const BLACK: Rgb = Rgb([0.0; 3]);

    #[test]
    fn the_constants_of_n_light_ns_tests() {
        let orange = Rgb([255.0, 171.0, 32.0]);
        assert_close(Xyz::from(orange).0, [56.064, 50.490, 8.157], 5e-4);
        assert_close(Lab::from(orange).0, [76.369, 21.182, 74.945], 6e-4);
        assert_close(Lab::from(BLACK).0, [0.0; 3], 1e-14);
        let distances = [delta_e94(RED.into(), BLACK.into()), delta_e94(BLACK.into(), RED.into())];
        assert_close(distances, [56.2996, 117.3447], 5e-5);
        let grey = Rgb([155.0; 3]);
        assert_close(
            [delta_e76(RED.into(), BLACK.into()), delta_e76(grey.into(), BLACK.into())],
            [117.3447, 63.9806],
            5e-5,
        );
    }

    #[test]
    fn cie94_by_hand() {
        // Chroma 5 and 0: scales 1.225 and 1.075; dL = 3, dC = 5, dH = 0.
        let (a, b) = (Lab([53.0, 3.0, 4.0]), Lab([50.0, 0.0, 0.0]));
        assert_close([delta_e94(a, b)], [(9.0_f64 + 25.0 / 1.225 / 1.225).sqrt()], 1e-12);
        // Equal chroma 5, at a right angle: dH^2 = 50.
        assert_close([delta_e94(Lab([0.0, 5.0, 0.0]), Lab([0.0, 0.0, 5.0]))], [50_f64.sqrt() / 1.075], 1e-12);
    }

    #[test]
    fn pixels_run_from_black_to_white() {
        assert_eq!(Rgb::of_pixel(&[-1.0]), BLACK);
        assert_eq!(Rgb::of_pixel(&[1.0, -1.0, -1.0]), RED);
        assert_eq!(Rgb::of_pixel(&[0.0]), Rgb([127.5; 3]));
        assert_eq!(Rgb::of_pixel(&[3.0, -7.0, -1.5]), RED, "outside of the range: the nearest colour");
        // c of 255 is stored as 2 c / 255 - 1.
        assert_close(
            Rgb::of_pixel(&[171, 171, 32].map(|c| 2.0 * c as f32 / 255.0 - 1.0)).0,
            [171.0, 171.0, 32.0],
            1e-4,
        );
    }
}
