//! Nearness to centroids of whitened patches (Coates, Lee, Ng, "An analysis of single-layer networks in unsupervised feature
//! learning", 2011).
//!
//! ```text
//! normalise    x' = (x - mean(x)) / sqrt(var(x) + contrast)          over the values of one patch
//! whiten       w = (x' - m) V (L + whitening)^-1/2 V'                 ZCA of the normalised patches
//! centroids    by Lloyd's algorithm on w, from centroids spread by k-means++
//! triangle     y_j = max(0, mean over i of z_i - z_j),                z_j = |w - c_j|
//! hard         y_j = 1 for the nearest centroid (the first of several), else 0
//! ```
//!
//! Mean and contrast of a patch are lost on the way, so nothing inverts the encoder; it is decoded by the least-squares map
//! from the codes to the patches it was trained on. For hard codes that is the mean of the patches of each cluster.
//!
//! No gradient flows through the encoder: on a tape the code is a constant. Its parameters are `encoder.whitening` `[D, D]`,
//! `encoder.whitening_bias` `[D]` and `encoder.centroids` `[D, n]` with D = k*k*d, a centroid per column.

use super::{
    Axis, Fit, FitError, Trained, Unit, UnitDims,
    closed_form::{codes_of, set_least_squares_decoder},
};
use crate::linear_algebra::{LinearAlgebraError, Pca, Rows};
use patchgrad::{
    ParamId, Params, Tape, Tensor, Var, Workspace,
    autograd::IndicesVar,
    init::{Fan, Init},
    random::Stream,
};
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// What the distances to the centroids become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KMeansCode {
    /// How much nearer than the average of all centroids each is, at least 0.
    Triangle,
    /// 1 for the nearest, 0 for the others.
    Hard,
}

/// How patches are prepared and centroids found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct KMeansOptions {
    pub(super) code: KMeansCode,
    pub(super) iterations: usize,
    pub(super) contrast: f32,
    pub(super) whitening: f32,
}

/// Handles and options.
#[derive(Clone, Debug)]
pub(super) struct KMeans {
    dims: UnitDims,
    options: KMeansOptions,
    whitening: ParamId,
    whitening_bias: ParamId,
    centroids: ParamId,
    decoder: [ParamId; 2],
}

/// Rows that centroids are assigned to on one tape.
const ROWS: usize = 1024;

impl KMeans {
    /// Before training: no whitening, random centroids and decoder.
    pub(super) fn new(
        dims: UnitDims,
        options: KMeansOptions,
        params: &mut Params,
        prefix: &str,
        stream: &mut Stream,
    ) -> Self {
        let (patch, features) = (dims.patch_len(), dims.features);
        let uniform = |fan_in: usize| Init::fan_in_uniform(Fan { fan_in, fan_out: 0 });
        let mut add = |name: &str, tensor: Tensor| params.add(format!("{prefix}.{name}"), tensor);
        let identity = Tensor::from_fn([patch, patch], |i| if i / patch == i % patch { 1.0 } else { 0.0 });
        Self {
            dims,
            options,
            whitening: add("encoder.whitening", identity),
            whitening_bias: add("encoder.whitening_bias", Tensor::zeros([patch])),
            centroids: add("encoder.centroids", uniform(patch).tensor([patch, features], stream)),
            decoder: [
                add("decoder.weight", uniform(features).tensor([features, patch], stream)),
                add("decoder.bias", Tensor::zeros([patch])),
            ],
        }
    }

    /// Writes whitening and bias from normalised patches.
    fn fit_whitening(&self, params: &mut Params, normalised: &[f32]) -> Result<(), FitError> {
        let patch = self.dims.patch_len();
        let pca = Pca::fit(Rows::new(normalised, patch))?;
        let whitening = pca.whitening(f64::from(self.options.whitening));
        let bias = (0..patch).map(|j| -(0..patch).map(|i| pca.mean()[i] * whitening[i * patch + j]).sum::<f64>());
        let bias: Vec<f64> = bias.collect();
        let write = |to: &mut Tensor, from: &[f64]| {
            to.as_mut_slice().iter_mut().zip(from).for_each(|(to, &from)| *to = from as f32);
        };
        write(params.get_mut(self.whitening), &whitening);
        write(params.get_mut(self.whitening_bias), &bias);
        Ok(())
    }

    /// Records the whitened form of normalised rows `[B, D]`.
    fn whiten(&self, tape: &mut Tape, normalised: Var) -> Var {
        let (weight, bias) = (tape.param(self.whitening), tape.param(self.whitening_bias));
        tape.linear(normalised, weight, Some(bias))
    }

    /// Distances of whitened rows `[B, D]` to all centroids, row after row.
    fn distances(&self, params: &Params, tape: &mut Tape, whitened: Var) -> Vec<f32> {
        let centroids = tape.param(self.centroids);
        let products = tape.linear(whitened, centroids, None);
        let (patch, features) = (self.dims.patch_len(), self.dims.features);
        let mut squares = vec![0.0f32; features];
        for row in params.get(self.centroids).as_slice().chunks_exact(features) {
            squares.iter_mut().zip(row).for_each(|(sum, c)| *sum += c * c);
        }
        let rows = tape.value(whitened).as_slice().chunks_exact(patch);
        let products = tape.value(products).as_slice().chunks_exact(features);
        let each = rows.zip(products).flat_map(|(row, products)| {
            let own: f32 = row.iter().map(|w| w * w).sum();
            // Rounding may leave a distance of zero slightly below it.
            let distance = move |(product, square): (&f32, &f32)| (own - 2.0 * product + square).max(0.0).sqrt();
            products.iter().zip(&squares).map(distance).collect::<Vec<f32>>()
        });
        each.collect()
    }

    /// The nearest centroid of each whitened row, and how far it is.
    fn nearest(&self, params: &Params, whitened: &[f32], workspace: &mut Workspace) -> Vec<(usize, f32)> {
        let patch = self.dims.patch_len();
        let mut found = Vec::with_capacity(whitened.len() / patch);
        for block in whitened.chunks(ROWS * patch) {
            let rows = Tensor::new([block.len() / patch, patch], block);
            let mut tape = Tape::with_params(params, workspace);
            let rows = tape.input(&rows);
            let distances = self.distances(params, &mut tape, rows);
            found.extend(distances.chunks_exact(self.dims.features).map(smallest));
        }
        found
    }

    /// Lloyd's algorithm. A centroid that loses all its rows moves to the row that is farthest from its own.
    fn fit_centroids(&self, params: &mut Params, whitened: &[f32], stream: &mut Stream, workspace: &mut Workspace) {
        let (patch, features) = (self.dims.patch_len(), self.dims.features);
        let rows: Vec<&[f32]> = whitened.chunks_exact(patch).collect();
        let mut centroids = spread(&rows, features, stream);
        self.write_centroids(params, &centroids);
        for _ in 0..self.options.iterations {
            let mut nearest = self.nearest(params, whitened, workspace);
            let mut sums = vec![vec![0.0f64; patch]; features];
            let mut counts = vec![0usize; features];
            for (row, &(index, _)) in rows.iter().zip(&nearest) {
                sums[index].iter_mut().zip(*row).for_each(|(sum, &w)| *sum += f64::from(w));
                counts[index] += 1;
            }
            for ((centroid, sum), &count) in centroids.iter_mut().zip(&sums).zip(&counts) {
                if count > 0 {
                    centroid.iter_mut().zip(sum).for_each(|(c, sum)| *c = sum / count as f64);
                    continue;
                }
                let farthest =
                    (0..rows.len()).fold(0, |best, at| if nearest[at].1 > nearest[best].1 { at } else { best });
                centroid.iter_mut().zip(rows[farthest]).for_each(|(c, &w)| *c = f64::from(w));
                nearest[farthest].1 = 0.0;
            }
            self.write_centroids(params, &centroids);
        }
    }

    fn write_centroids(&self, params: &mut Params, centroids: &[Vec<f64>]) {
        for (i, row) in params.get_mut(self.centroids).as_mut_slice().chunks_mut(centroids.len()).enumerate() {
            row.iter_mut().zip(centroids).for_each(|(value, centroid)| *value = centroid[i] as f32);
        }
    }

    fn code(&self, distances: &[f32], code: &mut [f32]) {
        match self.options.code {
            KMeansCode::Hard => {
                code.fill(0.0);
                code[smallest(distances).0] = 1.0;
            }
            KMeansCode::Triangle => {
                let mean = distances.iter().sum::<f32>() / distances.len() as f32;
                code.iter_mut().zip(distances).for_each(|(code, z)| *code = (mean - z).max(0.0));
            }
        }
    }
}

impl Unit for KMeans {
    fn encode_with_switches(&self, tape: &mut Tape, map: Var) -> (Var, Option<IndicesVar>) {
        let (patch, features) = (self.dims.patch_len(), self.dims.features);
        let patches = tape.unfold(map, &self.dims.fold());
        let &[count, h, w, _] = tape.shape(patches).dims() else { unreachable!("patches have four axes") };
        let mut rows = tape.value(patches).as_slice().to_vec();
        rows.chunks_exact_mut(patch).for_each(|row| normalise(row, self.options.contrast));
        let normalised = tape.constant([count * h * w, patch], |values| values.copy_from_slice(&rows));
        let whitened = self.whiten(tape, normalised);
        let params = tape.params().expect("a unit is recorded on a tape with parameters");
        let distances = self.distances(params, tape, whitened);
        let code = tape.constant([count, h, w, features], |codes| {
            for (code, distances) in codes.chunks_exact_mut(features).zip(distances.chunks_exact(features)) {
                self.code(distances, code);
            }
        });
        (code, None)
    }

    fn decode_patches(&self, tape: &mut Tape, code: Var, _: Option<IndicesVar>) -> Var {
        let [weight, bias] = self.decoder.map(|id| tape.param(id));
        tape.linear(code, weight, Some(bias))
    }

    fn encoder_params(&self) -> Vec<ParamId> {
        vec![self.whitening, self.whitening_bias, self.centroids]
    }

    fn decoder_params(&self) -> Vec<ParamId> {
        self.decoder.to_vec()
    }

    fn axes(&self) -> Vec<(ParamId, &'static [Axis])> {
        let [weight, bias] = self.decoder;
        vec![
            (self.whitening, &[Axis::Patch, Axis::Patch]),
            (self.whitening_bias, &[Axis::Patch]),
            (self.centroids, &[Axis::Patch, Axis::Features]),
            (weight, &[Axis::Features, Axis::Patch]),
            (bias, &[Axis::Patch]),
        ]
    }

    fn fit(&self, fit: &mut Fit) -> Result<Trained, FitError> {
        let (patches, _) = fit.all_patches()?;
        let patch = self.dims.patch_len();
        let needed = self.dims.features.max(2);
        let got = patches.len() / patch;
        if got < needed {
            return Err(LinearAlgebraError::TooFewRows { got, needed }.into());
        }
        let mut rows = patches.clone();
        rows.chunks_exact_mut(patch).for_each(|row| normalise(row, self.options.contrast));
        self.fit_whitening(fit.params, &rows)?;
        for block in rows.chunks_mut(ROWS * patch) {
            let normalised = Tensor::new([block.len() / patch, patch], block);
            let mut tape = Tape::with_params(fit.params, fit.workspace);
            let input = tape.input(&normalised);
            let whitened = self.whiten(&mut tape, input);
            block.copy_from_slice(tape.value(whitened).as_slice());
        }
        let mut stream = fit.stream("k-means");
        self.fit_centroids(fit.params, &rows, &mut stream, fit.workspace);
        drop(rows);
        let codes = codes_of(self, &self.dims, fit, &patches);
        set_least_squares_decoder(fit.params, self.decoder, &self.dims, codes.as_slice(), &patches)?;
        Ok(fit.measure(self))
    }

    fn fit_decoder(&self, fit: &mut Fit) -> Result<Trained, FitError> {
        fit.descend_decoder(self)
    }
}

/// Subtracts the mean of a patch and divides by `sqrt(variance + contrast)`; a flat patch becomes 0.
fn normalise(patch: &mut [f32], contrast: f32) {
    let count = patch.len() as f64;
    let mean = patch.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let variance = patch.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
    let deviation = (variance + f64::from(contrast)).sqrt();
    let scale = if deviation > 0.0 { deviation.recip() } else { 0.0 };
    patch.iter_mut().for_each(|x| *x = ((f64::from(*x) - mean) * scale) as f32);
}

/// The index of the smallest value, the first of several, and the value.
fn smallest(values: &[f32]) -> (usize, f32) {
    let first = (0, values[0]);
    values.iter().enumerate().fold(first, |best, (at, &value)| if value < best.1 { (at, value) } else { best })
}

/// `count` of the rows as first centroids: each next one drawn with a probability proportional to the squared distance to
/// the nearest so far (k-means++, Arthur and Vassilvitskii 2007).
fn spread(rows: &[&[f32]], count: usize, stream: &mut Stream) -> Vec<Vec<f64>> {
    let row = |at: usize| rows[at].iter().map(|&w| f64::from(w)).collect::<Vec<f64>>();
    let mut centroids = vec![row(stream.random_range(0..rows.len() as u64) as usize)];
    let mut squares = vec![f64::INFINITY; rows.len()];
    while centroids.len() < count {
        let last = &centroids[centroids.len() - 1];
        for (square, row) in squares.iter_mut().zip(rows) {
            let new = row.iter().zip(last).map(|(&w, c)| (f64::from(w) - c).powi(2)).sum::<f64>();
            *square = square.min(new);
        }
        let mut left = stream.random::<f64>() * squares.iter().sum::<f64>();
        let reached = squares.iter().position(|square| {
            left -= square;
            left < 0.0
        });
        centroids.push(row(reached.unwrap_or(rows.len() - 1)));
    }
    centroids
}

#[cfg(test)]
mod tests {
    use super::super::{
        UnitSpec,
        testing::{Alone, Table, config, dims, waves},
    };
    use super::*;
    use patchgrad::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    fn spec(code: KMeansCode) -> UnitSpec {
        UnitSpec::KMeans { code, iterations: 15, contrast: 6e-4, whitening: 0.1 }
    }

    /// Five patterns of nine values, each often, with noise.
    fn clusters() -> (Tensor, Vec<usize>) {
        let mut random = stream(1, "test", 0);
        let patterns: Vec<Vec<f32>> =
            (0..5).map(|_| (0..9).map(|_| StandardNormal.sample(&mut random)).collect()).collect();
        let mut values = Vec::new();
        for i in 0..500 {
            values.extend(patterns[i % 5].iter().map(|value| {
                let normal: f32 = StandardNormal.sample(&mut random);
                value + 0.08 * normal
            }));
        }
        (Tensor::new([500, 3, 3, 1], &values), (0..500).map(|i| i % 5).collect())
    }

    #[test]
    fn hard_codes_are_the_clusters_and_decode_to_their_mean_patches() {
        let (patches, truth) = clusters();
        let mut unit = Alone::new(spec(KMeansCode::Hard), dims(3, 3, 1, 5));
        unit.fit(&mut Table::new(patches.clone()), &config(500, 1.0)).unwrap();
        let codes = unit.encode(&patches);
        let cluster = |n: usize| codes.as_slice()[n * 5..][..5].iter().position(|&value| value == 1.0).unwrap();
        for (n, &same) in truth.iter().enumerate() {
            assert_eq!(codes.as_slice()[n * 5..][..5].iter().sum::<f32>(), 1.0);
            assert_eq!(cluster(n), cluster(same), "patch {n}");
        }
        let decoded = unit.reconstruct(&patches);
        for group in 0..5 {
            for value in 0..9 {
                let own = patches.as_slice().iter().skip(group * 9 + value).step_by(45);
                let mean = own.sum::<f32>() / 100.0;
                assert!((decoded.as_slice()[group * 9 + value] - mean).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn triangle_codes_are_their_formula() {
        let patches = waves(300, 3, 2);
        let mut unit = Alone::new(spec(KMeansCode::Triangle), dims(3, 3, 2, 7));
        unit.fit(&mut Table::new(patches.clone()), &config(300, 1.0)).unwrap();
        let codes = unit.encode(&patches);
        let wide = |name: &str| unit.param(name).as_slice().iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
        let (whitening, bias, centroids) =
            (wide("encoder.whitening"), wide("encoder.whitening_bias"), wide("encoder.centroids"));
        for n in [0, 17, 299] {
            let x: Vec<f64> = patches.samples(n..n + 1).iter().map(|&v| f64::from(v)).collect();
            let mean = x.iter().sum::<f64>() / 18.0;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 18.0;
            let x: Vec<f64> = x.iter().map(|x| (x - mean) / (variance + 6e-4).sqrt()).collect();
            let w: Vec<f64> =
                (0..18).map(|j| bias[j] + (0..18).map(|i| x[i] * whitening[i * 18 + j]).sum::<f64>()).collect();
            let z: Vec<f64> =
                (0..7).map(|j| (0..18).map(|i| (w[i] - centroids[i * 7 + j]).powi(2)).sum::<f64>().sqrt()).collect();
            let average = z.iter().sum::<f64>() / 7.0;
            for (j, z) in z.iter().enumerate() {
                let got = f64::from(codes.as_slice()[n * 7 + j]);
                assert!((got - (average - z).max(0.0)).abs() < 1e-4, "{got}");
            }
        }
        // About half of the centroids are farther than the average.
        let zeros = codes.as_slice().iter().filter(|&&value| value == 0.0).count() as f64 / codes.len() as f64;
        assert!((0.2..0.8).contains(&zeros), "{zeros}");
    }

    #[test]
    fn whitened_patches_have_variance_one_where_the_floor_is_small() {
        let (patches, _) = clusters();
        let options = KMeansOptions { code: KMeansCode::Hard, iterations: 1, contrast: 6e-4, whitening: 1e-9 };
        let mut params = Params::new();
        let unit = KMeans::new(dims(3, 3, 1, 5), options, &mut params, "layer0", &mut stream(1, "init", 0));
        let mut rows = patches.as_slice().to_vec();
        rows.chunks_exact_mut(9).for_each(|row| normalise(row, options.contrast));
        unit.fit_whitening(&mut params, &rows).unwrap();
        let rows = Tensor::new([500, 9], &rows);
        let mut workspace = Workspace::new();
        let mut tape = Tape::with_params(&params, &mut workspace);
        let input = tape.input(&rows);
        let whitened = unit.whiten(&mut tape, input);
        let pca = Pca::fit(Rows::new(tape.value(whitened).as_slice(), 9)).unwrap();
        // The mean of a patch is gone, and one direction with it.
        assert!(pca.variances()[..8].iter().all(|variance| (variance - 1.0).abs() < 0.02), "{:?}", pca.variances());
    }

    #[test]
    fn fewer_patches_than_centroids_are_an_error() {
        let mut unit = Alone::new(spec(KMeansCode::Hard), dims(3, 3, 1, 40));
        let error = unit.fit(&mut Table::new(waves(20, 3, 1)), &config(20, 1.0)).unwrap_err();
        let FitError::LinearAlgebra(error) = error else { panic!("{error}") };
        assert_eq!(error, LinearAlgebraError::TooFewRows { got: 20, needed: 40 });
    }
}
