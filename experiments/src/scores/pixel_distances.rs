//! Scores that are a mean over pixels of a distance between two colours.

use super::{Pair, pixel_colours::delta_e94_of_pixels};

/// The mean over pixels of `sqrt(sum over c of (a_c - b_c)^2)`; a grey value counts for three equal channels.
pub(super) fn euclidean(pair: &Pair) -> f64 {
    let channels = pair.shape[2];
    let replicated = if channels == 1 { 3.0 } else { 1.0 };
    mean_over_pixels(pair, |a, b| (replicated * squared_distance(a, b)).sqrt())
}

/// The mean over pixels of the colour difference CIE94, from the reconstruction to the original.
pub(super) fn delta_e94_mean(pair: &Pair) -> f64 {
    mean(&delta_e94_of_pixels(pair))
}

/// The mean of one distance for each pixel.
pub(super) fn mean(distances: &[f64]) -> f64 {
    distances.iter().sum::<f64>() / distances.len() as f64
}

/// The mean over pixels of the Mahalanobis distance `sqrt(d C^-1 d)`, `d = a - b` with C the covariance (divisor n - 1) of all
/// pixels of both pictures together; C is the identity when it is singular.
///
/// Grey pictures have a covariance of one number, so the distance is `abs(a - b) / sd`.
///
/// # Panics
/// If the picture has neither one nor three channels.
pub(super) fn mahalanobis(pair: &Pair) -> f64 {
    match pair.shape[2] {
        1 => mahalanobis_of::<1>(pair),
        3 => mahalanobis_of::<3>(pair),
        channels => panic!("Mahalanobis distance of {channels} channels"),
    }
}

fn mahalanobis_of<const C: usize>(pair: &Pair) -> f64 {
    let factor = cholesky(covariance::<C>(pair)).unwrap_or_else(identity);
    mean_over_pixels(pair, |a, b| {
        // d C^-1 d = |y|^2 with L y = d and C = L L'.
        let mut y = [0.0; C];
        for i in 0..C {
            let known: f64 = (0..i).map(|j| factor[i][j] * y[j]).sum();
            y[i] = (f64::from(a[i]) - f64::from(b[i]) - known) / factor[i][i];
        }
        y.iter().map(|y| y * y).sum::<f64>().sqrt()
    })
}

fn identity<const C: usize>() -> [[f64; C]; C] {
    std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))))
}

/// The covariance (divisor n - 1) of the pixels of both pictures; zeros for a single pixel of each that agree.
fn covariance<const C: usize>(pair: &Pair) -> [[f64; C]; C] {
    let pixels = || pair.reconstruction.as_chunks::<C>().0.iter().chain(pair.original.as_chunks::<C>().0);
    let count = (pair.original.len() + pair.reconstruction.len()) as f64 / C as f64;
    let mut mean = [0.0; C];
    for pixel in pixels() {
        mean.iter_mut().zip(pixel).for_each(|(mean, &value)| *mean += f64::from(value) / count);
    }
    let mut sums = [[0.0; C]; C];
    for pixel in pixels() {
        let centred: [f64; C] = std::array::from_fn(|i| f64::from(pixel[i]) - mean[i]);
        for i in 0..C {
            for j in 0..C {
                sums[i][j] += centred[i] * centred[j];
            }
        }
    }
    sums.map(|row| row.map(|sum| sum / (count - 1.0)))
}

/// What is left of a variance after the other channels explained it, below this share of the largest variance, is rounding
/// of the f32 that the pixels are stored in (squared): the matrix is singular.
const SINGULAR: f64 = 1e-13;

/// L with `matrix = L L'`, or `None` when the matrix is singular (three equal channels, a constant picture).
fn cholesky<const C: usize>(matrix: [[f64; C]; C]) -> Option<[[f64; C]; C]> {
    let largest = (0..C).fold(0.0, |largest: f64, i| largest.max(matrix[i][i]));
    let mut factor = [[0.0; C]; C];
    for i in 0..C {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
            let left = matrix[i][j] - known;
            if i != j {
                factor[i][j] = left / factor[j][j];
            } else if left > SINGULAR * largest {
                factor[i][i] = left.sqrt();
            } else if left.is_nan() {
                // A picture that is not finite: its score is not a number.
                factor[i][i] = f64::NAN;
            } else {
                return None;
            }
        }
    }
    Some(factor)
}

fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum()
}

/// The mean over pixels of `distance(pixel of the reconstruction, pixel of the original)`.
fn mean_over_pixels(pair: &Pair, distance: impl Fn(&[f32], &[f32]) -> f64) -> f64 {
    let channels = pair.shape[2];
    let pixels = pair.reconstruction.chunks_exact(channels).zip(pair.original.chunks_exact(channels));
    let count = pixels.len() as f64;
    pixels.map(|(a, b)| distance(a, b)).sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair<'a>(reconstruction: &'a [f32], original: &'a [f32], channels: usize) -> Pair<'a> {
        Pair { original, reconstruction, shape: [1, original.len() / channels, channels] }
    }

    #[track_caller]
    fn assert_close(got: f64, want: f64, tolerance: f64) {
        assert!((got - want).abs() < tolerance, "{got}, {want}");
    }

    #[test]
    fn euclidean_by_hand() {
        // Distances 3 and 5 in colour.
        let colours = [1.0, 2.0, 2.0, 0.0, 3.0, 4.0];
        assert_eq!(euclidean(&pair(&colours, &[0.0; 6], 3)), 4.0);
        assert_close(euclidean(&pair(&[0.5, -0.5], &[0.5, 0.5], 1)), 3_f64.sqrt() / 2.0, 1e-15);
        let replicated = euclidean(&pair(&[0.5, 0.5, 0.5, -0.5, -0.5, -0.5], &[0.5; 6], 3));
        assert_close(replicated, 3_f64.sqrt() / 2.0, 1e-15);
    }

    /// Defect D4 of N-light-N: colour differences of values in [-1, 1] read as 0 to 255, where everything is black, and
    /// summed, so that larger patches look worse.
    #[test]
    fn d4_colour_differences_are_those_of_colours_and_means() {
        let (red, black) = ([1.0, -1.0, -1.0], [-1.0; 3]);
        assert_close(delta_e94_mean(&pair(&red, &black, 3)), 56.2996, 5e-5);
        assert_close(delta_e94_mean(&pair(&black, &red, 3)), 117.3447, 5e-5);
        let four = |pixel: [f32; 3]| pixel.repeat(4);
        assert_close(delta_e94_mean(&pair(&four(red), &four(black), 3)), 56.2996, 5e-5);
    }

    #[test]
    fn n_light_ns_three_pixels() {
        // Black, black... its test gives 0 to 255 and a sum of 56.2996 + 117.3447 + 21.606.
        let to_range = |bytes: [u8; 9]| bytes.map(|byte| 2.0 * f32::from(byte) / 255.0 - 1.0);
        let a = to_range([0, 0, 0, 255, 0, 0, 155, 155, 155]);
        let b = to_range([255, 0, 0, 0, 0, 0, 100, 100, 100]);
        assert_close(3.0 * delta_e94_mean(&pair(&a, &b, 3)), 56.2996 + 117.3447 + 21.606, 1e-4);
        // One channel is read as three equal ones.
        assert_close(delta_e94_mean(&pair(&a[6..7], &b[6..7], 1)), 21.606, 5e-4);
    }

    #[test]
    fn mahalanobis_distance_of_n_light_ns_test() {
        let a = [
            -0.2750, -0.6650, -0.1290, 0.8451, 0.8002, 0.8554, -2.7712, -2.5598, -2.7899, 0.9181, 0.7397, 1.1393,
            -0.5193, -0.9521, -0.6167,
        ];
        let b = [
            -1.2675, -1.0757, -0.8233, 0.6211, 0.6120, 0.4452, -1.7955, -2.3093, -2.1071, -1.0578, -0.7493, -1.1578,
            0.1515, 0.5380, 0.4041,
        ];
        assert_close(mahalanobis(&pair(&a, &b, 3)), 2.1948, 5e-5);
    }

    #[test]
    fn mahalanobis_by_hand() {
        // Pooled grey values 1, -1, -1, 1: variance 4 / 3. Distances 2, 2.
        assert_close(mahalanobis(&pair(&[1.0, -1.0], &[-1.0, 1.0], 1)), 3_f64.sqrt(), 1e-15);
        // Colours at the ends of the axes: means 0, variances 2/5, 8/5 and 18/5, no covariance. d = 2, 4 and 6 along one axis
        // each: 2 / sqrt(2 / 5) = sqrt(10) every time.
        let a = [1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 3.0];
        assert_close(mahalanobis(&pair(&a, &a.map(|a| -a), 3)), 10_f64.sqrt(), 1e-14);
    }

    #[test]
    fn singular_covariances_count_as_the_identity() {
        // Grey stored as colour: three equal channels.
        let (a, b) = ([0.3, 0.3, 0.3, -0.7, -0.7, -0.7], [0.1, 0.1, 0.1, 0.9, 0.9, 0.9]);
        assert_close(mahalanobis(&pair(&a, &b, 3)), euclidean(&pair(&a, &b, 3)), 1e-12);
        assert_eq!(mahalanobis(&pair(&[0.25; 4], &[0.25; 4], 1)), 0.0);
        assert!(mahalanobis(&pair(&[f32::NAN, 1.0], &[0.0, 2.0], 1)).is_nan());
    }
}
