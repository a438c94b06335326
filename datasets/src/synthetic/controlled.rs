//! Pictures whose class pattern has a chosen share of the variance: set S1.
//!
//! Whether an auto-encoder keeps what tells the classes apart should depend on how much of the variance that is. Here it can
//! be set. With d = 256 pixels (16 x 16), C classes and the orthonormal pictures t_1 ... t_k and u_1 ... u_C, a picture of
//! class c is, before it is rounded to bytes,
//!
//! ```text
//! x = sum_j a_j t_j + mu_c + s n        a_j ~ N(0, lambda_j),  n ~ N(0, I_d),  all independent
//! mu_c = sqrt(q V C / (C - 1)) (u_c - mean of all u)
//! lambda_j = (1 - q) V j^-r / sum_i i^-r
//! s^2 = b V / d
//! ```
//!
//! | letter | field | meaning |
//! |---|---|---|
//! | k | `texture_dims` | dimensions of the texture, which tells nothing about the class |
//! | q | `class_share` | share of the class pattern in the variance V of pattern and texture together |
//! | r | `texture_decay` | how fast the variances of the texture fall; 0: all equal |
//! | b | `noise_share` | variance of the white noise, all pixels together, in units of V |
//! | V | [`SIGNAL_VARIANCE`] | 16: a standard deviation of 1/4 per pixel, where pictures range from -1 to 1 |
//!
//! Classes are equally frequent, so the population has mean 0 and the covariance
//!
//! ```text
//! S = sum_j lambda_j t_j t_j' + q V / (C - 1) P + s^2 I_d
//! ```
//!
//! where P projects onto the C - 1 dimensions in which the class means lie. All these directions are orthogonal, so they
//! *are* the eigenvectors of S, with the eigenvalues lambda_j + s^2, q V / (C - 1) + s^2 (C - 1 times), and s^2: an optimal linear
//! code of m dimensions contains the class directions if and only if q V / (C - 1) is above all but m - (C - 1) of the lambda_j.
//! Of two classes, a linear classifier on the pixels, or on any code that contains the class direction, is right with
//! probability Phi(sqrt(q V) / s) at most; on a code that does not, with 1/2. [`Controlled::best_accuracy`] has any C.
//!
//! The t_j are the k lowest cosine waves (DCT-II) of the picture except the constant one; the u_c are random orthonormal
//! mixtures of the 48 waves that follow. So texture and pattern look alike, and differ only in their numbers.
//!
//! Bytes: `round(127.5 (x + 1))`, clipped to 0..255. Rounding adds a variance of about 1/12 of a squared step to each pixel
//! (5e-6 in these units); [`Controlled::clipped_share`] measures clipping. [`Controlled::values`] gives x itself.

use crate::{DataSet, ImageShape, Images, LabelledImages};

use super::random::Stream;
use super::{SpecError, check};

/// Height and width.
pub const SIDE: usize = 16;

/// Pixels of a picture, d.
pub const PIXELS: usize = SIDE * SIDE;

/// Variance of texture and pattern together, V.
pub const SIGNAL_VARIANCE: f64 = 16.0;

/// Cosine waves that the class patterns are mixed from.
const PATTERN_WAVES: usize = 48;

/// The parameters; the letters are those of the [formula](self).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControlledSpec {
    /// C, 2 to 48.
    pub classes: usize,
    /// k, 1 to 207 (255 waves less the 48 of the patterns).
    pub texture_dims: usize,
    /// q, 0 to 1.
    pub class_share: f64,
    /// b, at least 0.
    pub noise_share: f64,
    /// r, at least 0, at most 10.
    pub texture_decay: f64,
}

impl Default for ControlledSpec {
    /// Two classes, 32 dimensions of texture with variances like 1/j, 5 % of the variance for the class, 5 % noise.
    fn default() -> Self {
        ControlledSpec { classes: 2, texture_dims: 32, class_share: 0.05, noise_share: 0.05, texture_decay: 1.0 }
    }
}

/// A part of the set; each has random numbers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// For training (and validation).
    Train,
    /// For testing.
    Test,
}

/// A population of pictures, from which samples are drawn.
#[derive(Debug, Clone)]
pub struct Controlled {
    spec: ControlledSpec,
    seed: u64,
    /// t_1 ... t_k.
    textures: Vec<Wave>,
    /// mu_c.
    class_means: Vec<Wave>,
    class_directions: Vec<Wave>,
    texture_variances: Vec<f64>,
}

/// A picture as a vector of [`PIXELS`] values.
type Wave = Vec<f64>;

impl Controlled {
    /// The population that `spec` and `seed` determine: the seed chooses the class patterns, and later the samples.
    ///
    /// # Errors
    ///
    /// [`SpecError`] when a parameter is out of its range.
    pub fn new(spec: ControlledSpec, seed: u64) -> Result<Self, SpecError> {
        let ControlledSpec { classes, texture_dims, class_share, noise_share, texture_decay } = spec;
        check("classes", classes as f64, 2.0, PATTERN_WAVES as f64)?;
        check("texture_dims", texture_dims as f64, 1.0, (PIXELS - 1 - PATTERN_WAVES) as f64)?;
        check("class_share", class_share, 0.0, 1.0)?;
        check("noise_share", noise_share, 0.0, f64::MAX)?;
        check("texture_decay", texture_decay, 0.0, 10.0)?;

        let mut waves = cosine_waves(1 + texture_dims + PATTERN_WAVES);
        let pattern_waves = waves.split_off(1 + texture_dims);
        let textures = waves.split_off(1);
        let patterns = random_mixtures(&pattern_waves, classes, &mut Stream::new(seed, "controlled-patterns", 0));

        let weights: Vec<f64> = (1..=texture_dims).map(|j| libm::pow(j as f64, -texture_decay)).collect();
        let scale = (1.0 - class_share) * SIGNAL_VARIANCE / weights.iter().sum::<f64>();
        let texture_variances = weights.into_iter().map(|weight| weight * scale).collect();

        let count = classes as f64;
        let mean: Wave = (0..PIXELS).map(|i| patterns.iter().map(|u| u[i]).sum::<f64>() / count).collect();
        let size = (class_share * SIGNAL_VARIANCE * count / (count - 1.0)).sqrt();
        let shifted = |u: &Wave| u.iter().zip(&mean).map(|(u, mean)| u - mean).collect::<Wave>();
        let centred: Vec<Wave> = patterns.iter().map(shifted).collect();
        let class_means = centred.iter().map(|u| u.iter().map(|u| size * u).collect()).collect();
        let class_directions = orthonormal(centred[..classes - 1].to_vec());
        Ok(Controlled { spec, seed, textures, class_means, class_directions, texture_variances })
    }

    /// The parameters.
    pub fn spec(&self) -> ControlledSpec {
        self.spec
    }

    /// lambda_j, falling (or equal): variances along [`textures`](Self::textures), without the noise.
    pub fn texture_variances(&self) -> &[f64] {
        &self.texture_variances
    }

    /// t_j: orthonormal, `[k][256]`, rows of the picture one after the other.
    pub fn textures(&self) -> &[Vec<f64>] {
        &self.textures
    }

    /// mu_c: `[C][256]`; they sum to 0.
    pub fn class_means(&self) -> &[Vec<f64>] {
        &self.class_means
    }

    /// An orthonormal basis of the space of the class means, `[C - 1][256]`; of two classes *the* class direction.
    pub fn class_directions(&self) -> &[Vec<f64>] {
        &self.class_directions
    }

    /// q V / (C - 1): variance along each class direction, without the noise.
    pub fn class_variance(&self) -> f64 {
        self.spec.class_share * SIGNAL_VARIANCE / (self.spec.classes - 1) as f64
    }

    /// s^2: variance of the noise of each pixel, and along every direction.
    pub fn noise_variance(&self) -> f64 {
        self.spec.noise_share * SIGNAL_VARIANCE / PIXELS as f64
    }

    /// S, the covariance of the population of [`values`](Self::values): `[256 * 256]`, row after row.
    pub fn covariance(&self) -> Vec<f64> {
        let mut covariance = vec![0.0; PIXELS * PIXELS];
        let class_variances = std::iter::repeat(self.class_variance());
        let textures = self.textures.iter().zip(self.texture_variances.iter().copied());
        for (direction, variance) in textures.chain(self.class_directions.iter().zip(class_variances)) {
            for (row, value) in covariance.chunks_exact_mut(PIXELS).zip(direction) {
                let factor = variance * value;
                row.iter_mut().zip(direction).for_each(|(to, value)| *to += factor * value);
            }
        }
        covariance.iter_mut().step_by(PIXELS + 1).for_each(|to| *to += self.noise_variance());
        covariance
    }

    /// All eigenvalues of [`covariance`](Self::covariance), falling.
    pub fn eigenvalues(&self) -> Vec<f64> {
        let noise = self.noise_variance();
        let mut values: Vec<f64> = self.texture_variances.iter().map(|variance| variance + noise).collect();
        values.extend(std::iter::repeat_n(self.class_variance() + noise, self.spec.classes - 1));
        values.resize(PIXELS, noise);
        values.sort_by(|a, b| b.total_cmp(a));
        values
    }

    /// The accuracy of the best classifier, which sees only how far a picture goes along each pattern:
    /// the integral of phi(z) Phi(z + D)^(C - 1), D = sqrt(q V C / (C - 1)) / s.
    ///
    /// For two classes that is Phi(sqrt(q V) / s). The integral is a sum over 2,000 steps, exact to about 1e-9.
    pub fn best_accuracy(&self) -> f64 {
        let noise = self.noise_variance();
        let classes = self.spec.classes as f64;
        if self.spec.class_share == 0.0 {
            return 1.0 / classes;
        }
        if noise == 0.0 {
            return 1.0;
        }
        let distance = (self.spec.class_share * SIGNAL_VARIANCE * classes / (classes - 1.0) / noise).sqrt();
        let below = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
        let (steps, reach) = (2_000, 9.0);
        let width = 2.0 * reach / f64::from(steps);
        // The trapezoidal rule converges faster than any power for a function that vanishes with all its derivatives.
        let terms = (0..=steps).map(|i| {
            let z = -reach + f64::from(i) * width;
            libm::exp(-0.5 * z * z) * libm::pow(below(z + distance), classes - 1.0)
        });
        terms.sum::<f64>() * width / std::f64::consts::TAU.sqrt()
    }

    /// The class of each of the first `count` pictures of `part`, in blocks that hold each class once in random order.
    pub fn labels(&self, part: Part, count: usize) -> Vec<u8> {
        let classes = self.spec.classes;
        let blocks = (0..count.div_ceil(classes) as u64)
            .flat_map(|block| Stream::new(self.seed, part.stream("labels"), block).permutation(classes));
        blocks.take(count).map(|class| class as u8).collect()
    }

    /// Picture `index` of `part`, x of the [formula](self): 256 values, of which few are outside [-1, 1].
    pub fn values(&self, part: Part, index: usize, class: u8) -> Vec<f64> {
        let mut stream = Stream::new(self.seed, part.stream("values"), index as u64);
        let mut picture = self.class_means[usize::from(class)].clone();
        for (texture, variance) in self.textures.iter().zip(&self.texture_variances) {
            let amplitude = variance.sqrt() * stream.normal();
            picture.iter_mut().zip(texture).for_each(|(to, value)| *to += amplitude * value);
        }
        let noise = self.noise_variance().sqrt();
        picture.iter_mut().for_each(|to| *to += noise * stream.normal());
        picture
    }

    /// The first `count` pictures of `part` as bytes, with their classes. A longer draw begins with a shorter one.
    pub fn draw(&self, part: Part, count: usize) -> LabelledImages {
        let labels = self.labels(part, count);
        let pictures = labels.iter().enumerate().flat_map(|(index, &class)| self.values(part, index, class));
        let shape = ImageShape { height: SIDE, width: SIDE, channels: 1 };
        let images = Images::new(shape, pictures.map(byte).collect());
        LabelledImages::new(images, labels, self.spec.classes)
            .expect("as many labels as pictures, each below the classes")
    }

    /// Share of the pixels that bytes cannot hold, among the first `count` training pictures.
    pub fn clipped_share(&self, count: usize) -> f64 {
        let labels = self.labels(Part::Train, count);
        let pictures = labels.iter().enumerate().flat_map(|(index, &class)| self.values(Part::Train, index, class));
        pictures.filter(|value| value.abs() > 1.0).count() as f64 / (count * PIXELS) as f64
    }

    /// Training and test part, as a set like any other.
    pub fn data_set(&self, train: usize, test: usize) -> DataSet {
        DataSet {
            name: "Synthetic S1".to_owned(),
            class_names: (0..self.spec.classes).map(|class| format!("pattern {class}")).collect(),
            train: self.draw(Part::Train, train),
            test: self.draw(Part::Test, test),
            licence: "computed; no rights reserved".to_owned(),
            source: format!("patchgrad, {:?}, seed {}", self.spec, self.seed),
        }
    }
}

impl Part {
    fn stream(self, what: &str) -> &'static str {
        match (self, what) {
            (Part::Train, "labels") => "controlled-train-labels",
            (Part::Train, _) => "controlled-train-values",
            (Part::Test, "labels") => "controlled-test-labels",
            (Part::Test, _) => "controlled-test-values",
        }
    }
}

/// The nearest byte; a float to integer cast saturates, which is the clipping.
fn byte(value: f64) -> u8 {
    ((value + 1.0) * 127.5 + 0.5).floor() as u8
}

/// The first `count` two-dimensional cosine waves (DCT-II), from low to high frequency: orthonormal.
fn cosine_waves(count: usize) -> Vec<Wave> {
    let line = |frequency: usize| -> Vec<f64> {
        let scale = if frequency == 0 { (1.0 / SIDE as f64).sqrt() } else { (2.0 / SIDE as f64).sqrt() };
        let angle = |i: usize| std::f64::consts::PI * ((2 * i + 1) * frequency) as f64 / (2 * SIDE) as f64;
        (0..SIDE).map(|i| scale * libm::cos(angle(i))).collect()
    };
    let lines: Vec<Vec<f64>> = (0..SIDE).map(line).collect();
    let mut frequencies: Vec<[usize; 2]> = (0..PIXELS).map(|i| [i / SIDE, i % SIDE]).collect();
    frequencies.sort_by_key(|&[v, h]| (v * v + h * h, v));
    let wave = |&[v, h]: &[usize; 2]| lines[v].iter().flat_map(|y| lines[h].iter().map(move |x| y * x)).collect();
    frequencies[..count].iter().map(wave).collect()
}

/// `count` random orthonormal vectors of the space that the orthonormal `waves` span.
fn random_mixtures(waves: &[Wave], count: usize, stream: &mut Stream) -> Vec<Wave> {
    let mut mixture = || {
        let mut sum = vec![0.0; PIXELS];
        for wave in waves {
            let weight = stream.normal();
            sum.iter_mut().zip(wave).for_each(|(to, value)| *to += weight * value);
        }
        sum
    };
    orthonormal((0..count).map(|_| mixture()).collect())
}

/// Gram and Schmidt's procedure, applied twice, which makes its rounding errors as small as possible.
fn orthonormal(mut vectors: Vec<Wave>) -> Vec<Wave> {
    let dot = |a: &Wave, b: &Wave| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for i in 0..vectors.len() {
        let (done, rest) = vectors.split_at_mut(i);
        let vector = &mut rest[0];
        for _ in 0..2 {
            for other in done.iter() {
                let part = dot(vector, other);
                vector.iter_mut().zip(other).for_each(|(to, value)| *to -= part * value);
            }
        }
        let length = dot(vector, vector).sqrt();
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vectors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    fn three_classes() -> Controlled {
        let spec = ControlledSpec { classes: 3, texture_dims: 20, class_share: 0.3, ..ControlledSpec::default() };
        Controlled::new(spec, 5).unwrap()
    }

    #[test]
    fn directions_are_orthonormal_and_hold_the_class_means() {
        for set in [three_classes(), Controlled::new(ControlledSpec::default(), 1).unwrap()] {
            let all: Vec<&Wave> = set.textures().iter().chain(set.class_directions()).collect();
            for (i, a) in all.iter().enumerate() {
                for (j, b) in all.iter().enumerate() {
                    let expected = f64::from(u8::from(i == j));
                    assert!((dot(a, b) - expected).abs() < 1e-12, "{i}, {j}: {}", dot(a, b));
                }
            }
            let spec = set.spec();
            for mean in set.class_means() {
                let inside: f64 = set.class_directions().iter().map(|u| dot(u, mean) * dot(u, mean)).sum();
                // |mu_c|^2 is the same for all classes, so it is their mean: q V.
                assert!((inside - dot(mean, mean)).abs() < 1e-9);
                assert!((inside - spec.class_share * SIGNAL_VARIANCE).abs() < 1e-9);
            }
            for i in 0..PIXELS {
                assert!(set.class_means().iter().map(|mean| mean[i]).sum::<f64>().abs() < 1e-12);
            }
        }
    }

    #[test]
    fn covariance_has_the_eigenvalues_that_theory_says() {
        let set = three_classes();
        let covariance = set.covariance();
        let times = |x: &[f64]| -> Vec<f64> { covariance.chunks_exact(PIXELS).map(|row| dot(row, x)).collect() };
        let noise = set.noise_variance();
        let textures = set.textures().iter().zip(set.texture_variances().to_vec());
        let classes = set.class_directions().iter().zip(vec![set.class_variance(); 2]);
        for (direction, variance) in textures.chain(classes) {
            let image = times(direction);
            assert!(image.iter().zip(direction).all(|(y, x)| (y - (variance + noise) * x).abs() < 1e-12));
        }
        let eigenvalues = set.eigenvalues();
        assert!(eigenvalues.is_sorted_by(|a, b| a >= b));
        let trace: f64 = covariance.iter().step_by(PIXELS + 1).sum();
        assert!((eigenvalues.iter().sum::<f64>() - trace).abs() < 1e-9);
        assert!((trace - SIGNAL_VARIANCE * 1.05).abs() < 1e-9, "V (1 + b)");
    }

    #[test]
    fn samples_have_the_covariance_of_the_population() {
        let set = three_classes();
        let n = 3_000;
        let labels = set.labels(Part::Train, n);
        let sample: Vec<Wave> = (0..n).map(|i| set.values(Part::Train, i, labels[i])).collect();
        let variance = |direction: &[f64]| sample.iter().map(|x| dot(x, direction).powi(2)).sum::<f64>() / n as f64;
        let noise = set.noise_variance();
        // The mean of n squares of normal numbers has a relative standard error of sqrt(2 / n); five of them.
        let tolerance = 5.0 * (2.0 / n as f64).sqrt();
        for (direction, expected) in set.textures().iter().zip(set.texture_variances()) {
            assert!((variance(direction) / (expected + noise) - 1.0).abs() < tolerance);
        }
        for direction in set.class_directions() {
            assert!((variance(direction) / (set.class_variance() + noise) - 1.0).abs() < tolerance);
        }
        let other = &cosine_waves(200)[199];
        assert!((variance(other) / noise - 1.0).abs() < tolerance, "white noise in a direction without signal");
    }

    #[test]
    fn the_best_accuracy_is_reached_by_the_nearest_class_mean() {
        // Weak patterns in strong noise, so that many are mistaken.
        let two = ControlledSpec { class_share: 0.01, noise_share: 2.0, ..ControlledSpec::default() };
        let exact = |set: &Controlled| {
            let t = (set.spec().class_share * SIGNAL_VARIANCE / set.noise_variance()).sqrt();
            0.5 * libm::erfc(-t / std::f64::consts::SQRT_2)
        };
        let set = Controlled::new(two, 2).unwrap();
        assert!((set.best_accuracy() - exact(&set)).abs() < 1e-9, "{} {}", set.best_accuracy(), exact(&set));
        for spec in [two, ControlledSpec { classes: 5, ..two }] {
            let set = Controlled::new(spec, 2).unwrap();
            let n = 4_000;
            let labels = set.labels(Part::Test, n);
            let right = labels.iter().enumerate().filter(|&(index, &label)| {
                let x = set.values(Part::Test, index, label);
                // All class means have the same length: the nearest one has the largest product.
                let score = |class: &usize| dot(&set.class_means()[*class], &x);
                let best = (0..spec.classes).max_by(|a, b| score(a).total_cmp(&score(b))).unwrap();
                best == usize::from(label)
            });
            let (accuracy, p) = (right.count() as f64 / n as f64, set.best_accuracy());
            let error = (p * (1.0 - p) / n as f64).sqrt();
            assert!((accuracy - p).abs() < 4.0 * error, "{} classes: {accuracy} against {p}", spec.classes);
            assert!(p > 1.2 / spec.classes as f64 && p < 0.95, "{p}: the case should be neither hopeless nor easy");
        }
    }

    #[test]
    fn draws_are_pinned_balanced_and_prolong_each_other() {
        let set = three_classes();
        let (short, long) = (set.draw(Part::Train, 30), set.draw(Part::Train, 90));
        assert_eq!(short, long.select(&(0..30).collect::<Vec<_>>()));
        for block in long.labels().chunks(3) {
            let mut block = block.to_vec();
            block.sort_unstable();
            assert_eq!(block, [0, 1, 2]);
        }
        assert_ne!(short.images(), set.draw(Part::Test, 30).images());
        // The same bytes on every platform. A change here changes every result that was ever computed from this set.
        assert_eq!(long.checksum().to_string(), "12bfca5c");
    }

    #[test]
    fn bytes_hold_nearly_everything() {
        assert_eq!([-2.0, -1.0, 0.0, 1.0, 2.0].map(byte), [0, 0, 128, 255, 255]);
        let set = Controlled::new(ControlledSpec::default(), 1).unwrap();
        let clipped = set.clipped_share(300);
        assert!(clipped < 1e-3, "{clipped}");
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let default = ControlledSpec::default();
        let message = |spec| Controlled::new(spec, 1).unwrap_err().to_string();
        assert_eq!(
            message(ControlledSpec { class_share: 1.5, ..default }),
            "synthetic set: class_share is 1.5, expected 0 to 1"
        );
        assert!(message(ControlledSpec { classes: 1, ..default }).contains("classes is 1, expected 2 to 48"));
        assert!(message(ControlledSpec { texture_dims: 208, ..default }).contains("expected 1 to 207"));
        assert!(message(ControlledSpec { noise_share: f64::NAN, ..default }).contains("noise_share is NaN"));
    }
}
