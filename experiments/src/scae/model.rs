//! The network: parameters, encoding, decoding.

use super::{Geometry, LayerGeometry};
use patchgrad::{
    ParamId, Params, Tape, Tensor, Var, Workspace,
    init::{Fan, Init},
    layout::ParamLayout,
    ops::{Activation, Conv2dSpec, FoldSpec},
    random::Stream,
};

/// One layer: kernel and offset, number of features, activation on either side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerSpec {
    /// Kernel and offset.
    pub geometry: LayerGeometry,
    /// n, the length of the code at one position.
    pub features: usize,
    /// Activation of the encoder.
    pub encoder: Activation,
    /// Activation of the decoder.
    pub decoder: Activation,
}

/// A stack of layers for pictures of one size.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaeSpec {
    /// H, W, C of a picture.
    pub picture: [usize; 3],
    /// The layers, lowest first.
    pub layers: Vec<LayerSpec>,
}

impl ScaeSpec {
    /// The kernels and offsets.
    pub fn geometry(&self) -> Geometry {
        Geometry::new(self.layers.iter().map(|layer| layer.geometry).collect())
    }

    /// The number of values in the code of a whole picture.
    ///
    /// # Panics
    /// If the stack does not fit the picture.
    #[track_caller]
    pub fn code_size(&self) -> usize {
        let [h, w, c] = self.map_size(self.layers.len());
        h * w * c
    }

    /// H, W, C of the code of a whole picture.
    ///
    /// # Panics
    /// If the stack does not fit the picture.
    #[track_caller]
    pub fn code_map(&self) -> [usize; 3] {
        self.map_size(self.layers.len())
    }

    /// H, W, C of what layer `layer` (counted from 0) sees; for the number of layers, of the code.
    ///
    /// # Panics
    /// If the stack does not fit the picture.
    #[track_caller]
    pub(super) fn map_size(&self, layer: usize) -> [usize; 3] {
        let Some(top) = layer.checked_sub(1) else { return self.picture };
        let geometry = self.geometry();
        let along = |pixels: usize| {
            let positions = geometry.positions(pixels);
            positions.unwrap_or_else(|| panic!("the stack {geometry} does not fit {pixels} pixels"))[top]
        };
        [along(self.picture[0]), along(self.picture[1]), self.layers[top].features]
    }
}

/// The parameters of one layer.
#[derive(Clone, Copy, Debug)]
struct LayerParams {
    /// `[k, k, d, n]`.
    encoder_weight: ParamId,
    /// `[n]`.
    encoder_bias: ParamId,
    /// `[n, k * k * d]`.
    decoder_weight: ParamId,
    /// `[k * k * d]`: every pixel of a patch has its own.
    decoder_bias: ParamId,
}

/// A stacked convolutional auto-encoder.
#[derive(Clone, Debug)]
pub struct Scae {
    spec: ScaeSpec,
    params: Params,
    layers: Vec<LayerParams>,
}

impl Scae {
    /// A network before training: weights uniform in ±1/sqrt(fan in) and biases 0, as N-light-N starts them.
    ///
    /// # Panics
    /// If the stack does not fit the picture.
    #[track_caller]
    pub fn new(spec: ScaeSpec, stream: &mut Stream) -> Self {
        let mut params = Params::new();
        let mut layers = Vec::new();
        for (i, layer) in spec.layers.iter().enumerate() {
            let (kernel, features) = (layer.geometry.kernel, layer.features);
            let [_, _, depth] = spec.map_size(i);
            let patch = kernel * kernel * depth;
            let uniform = |fan_in: usize| Init::fan_in_uniform(Fan { fan_in, fan_out: 0 });
            let mut add = |name: &str, tensor: Tensor| params.add(format!("layer{i}.{name}"), tensor);
            let layer = LayerParams {
                encoder_weight: add("encoder.weight", uniform(patch).tensor([kernel, kernel, depth, features], stream)),
                encoder_bias: add("encoder.bias", Tensor::zeros([features])),
                decoder_weight: add("decoder.weight", uniform(features).tensor([features, patch], stream)),
                decoder_bias: add("decoder.bias", Tensor::zeros([patch])),
            };
            // In files the decoder is the transposed convolution that it is a part of, with a bias for each pixel of a patch.
            params.set_layout(layer.decoder_weight, ParamLayout::LinearToPatch([kernel, kernel, depth]));
            params.set_layout(layer.decoder_bias, ParamLayout::Patch([kernel, kernel, depth]));
            layers.push(layer);
        }
        spec.map_size(spec.layers.len());
        Self { spec, params, layers }
    }

    /// Starts every decoder anew, as [`new`](Self::new) does; the encoders stay.
    pub fn reset_decoders(&mut self, stream: &mut Stream) {
        let fresh = Self::new(self.spec.clone(), stream);
        for layer in &self.layers {
            for id in [layer.decoder_weight, layer.decoder_bias] {
                *self.params.get_mut(id) = fresh.params.get(id).clone();
            }
        }
    }

    /// What it is made of.
    pub fn spec(&self) -> &ScaeSpec {
        &self.spec
    }

    /// Its parameters, `layer0.encoder.weight` and so on.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Its parameters, to be trained.
    pub fn params_mut(&mut self) -> &mut Params {
        &mut self.params
    }

    /// Records layer `layer` on a map `[N, H, W, d]` (or on patches `[N, k, k, d]`): codes `[N, h, w, n]`.
    pub fn encode_layer(&self, tape: &mut Tape, layer: usize, map: Var) -> Var {
        let (spec, params) = (&self.spec.layers[layer], &self.layers[layer]);
        let LayerGeometry { kernel, offset } = spec.geometry;
        let conv = Conv2dSpec { stride: [offset; 2], ..Conv2dSpec::new([kernel; 2]) };
        let (weight, bias) = (tape.param(params.encoder_weight), tape.param(params.encoder_bias));
        let sums = tape.conv2d(map, weight, Some(bias), &conv);
        tape.activation(sums, spec.encoder)
    }

    /// Records the decoder of layer `layer` on codes `[N, h, w, n]`, position by position: patches `[N, h, w, k*k*d]`.
    pub fn decode_patches(&self, tape: &mut Tape, layer: usize, code: Var) -> Var {
        let params = &self.layers[layer];
        let (weight, bias) = (tape.param(params.decoder_weight), tape.param(params.decoder_bias));
        let patches = tape.linear(code, weight, Some(bias));
        tape.activation(patches, self.spec.layers[layer].decoder)
    }

    /// Records the decoder of layer `layer` on codes `[N, h, w, n]`: maps `[N, H, W, d]`, the mean where patches overlap.
    ///
    /// It is a transposed convolution taken apart, so that the activation of the decoder can stand between its two
    /// halves: every position decodes its patch (a matrix product), [`fold`](patchgrad::ops::fold) pastes the patches,
    /// [`overlap_mean`](patchgrad::ops::overlap_mean) divides by how many cover a pixel.
    pub fn decode_layer(&self, tape: &mut Tape, layer: usize, code: Var) -> Var {
        let LayerGeometry { kernel, offset } = self.spec.layers[layer].geometry;
        let patches = self.decode_patches(tape, layer, code);
        let &[_, h, w, _] = tape.shape(patches).dims() else { unreachable!("codes have four axes") };
        let size = [h, w].map(|positions| (positions - 1) * offset + kernel);
        let spec = FoldSpec { stride: [offset; 2], ..FoldSpec::new([kernel; 2]) };
        let sum = tape.fold(patches, size, &spec);
        tape.overlap_mean(sum, &spec)
    }

    /// Records the encoders of layers `0..layers` on pictures `[N, H, W, C]`.
    pub fn encode(&self, tape: &mut Tape, pictures: Var, layers: usize) -> Var {
        (0..layers).fold(pictures, |map, layer| self.encode_layer(tape, layer, map))
    }

    /// Records the decoders from the code of the top layer down to pictures.
    pub fn decode(&self, tape: &mut Tape, code: Var) -> Var {
        (0..self.layers.len()).rev().fold(code, |code, layer| self.decode_layer(tape, layer, code))
    }

    /// The codes of `pictures` `[N, H, W, C]` as rows `[N, code size]`.
    pub fn codes(&self, pictures: &Tensor, workspace: &mut Workspace) -> Tensor {
        self.in_batches(pictures, self.spec.code_size(), workspace, |tape, batch| {
            let code = self.encode(tape, batch, self.layers.len());
            tape.flatten(code)
        })
    }

    /// The reconstructions of `pictures` `[N, H, W, C]`, unclipped.
    pub fn reconstruct(&self, pictures: &Tensor, workspace: &mut Workspace) -> Tensor {
        let [h, w, c] = self.spec.picture;
        let rows = self.in_batches(pictures, h * w * c, workspace, |tape, batch| {
            let code = self.encode(tape, batch, self.layers.len());
            let decoded = self.decode(tape, code);
            tape.flatten(decoded)
        });
        rows.reshape(pictures.shape()).expect("a geometry that covers the picture decodes to its size")
    }

    /// Pictures decoded from `codes` `[N, code size]`, unclipped.
    pub fn decode_codes(&self, codes: &Tensor, workspace: &mut Workspace) -> Tensor {
        let [h, w, c] = self.spec.picture;
        let [ch, cw, cc] = self.spec.map_size(self.layers.len());
        let count = codes.shape().dims()[0];
        let rows = self.in_batches(codes, h * w * c, workspace, |tape, batch| {
            let batch_len = tape.shape(batch).dims()[0];
            let code = tape.reshape(batch, [batch_len, ch, cw, cc]);
            let decoded = self.decode(tape, code);
            tape.flatten(decoded)
        });
        rows.reshape([count, h, w, c]).expect("a geometry that covers the picture decodes to its size")
    }

    /// Runs `record` without gradients on batches along the first axis of `inputs`, collecting rows of `row_len` values.
    fn in_batches(
        &self,
        inputs: &Tensor,
        row_len: usize,
        workspace: &mut Workspace,
        record: impl Fn(&mut Tape, Var) -> Var,
    ) -> Tensor {
        crate::batches::map_rows(&self.params, inputs, row_len, workspace, record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad::{ops::ConvTranspose2dSpec, random::stream};

    fn layer(kernel: usize, offset: usize, features: usize, encoder: Activation, decoder: Activation) -> LayerSpec {
        LayerSpec { geometry: LayerGeometry { kernel, offset }, features, encoder, decoder }
    }

    fn two_layers() -> Scae {
        let layers = vec![
            layer(4, 2, 5, Activation::Softsign, Activation::Softsign),
            layer(3, 3, 6, Activation::Tanh, Activation::Linear),
        ];
        Scae::new(ScaeSpec { picture: [8, 8, 2], layers }, &mut stream(3, "init", 0))
    }

    fn pictures(count: usize) -> Tensor {
        Tensor::from_fn([count, 8, 8, 2], |i| ((i * 37) % 101) as f32 / 50.0 - 1.0)
    }

    #[test]
    fn encoding_a_picture_is_encoding_each_of_its_patches() {
        let (scae, picture) = (two_layers(), pictures(1));
        // The patch at row 2, column 4 is position (1, 2) of the 3 x 3 grid.
        let patch = Tensor::from_fn([1, 4, 4, 2], |i| {
            let (y, x, c) = (i / 8 + 2, i / 2 % 4 + 4, i % 2);
            picture.as_slice()[(y * 8 + x) * 2 + c]
        });
        let mut workspace = Workspace::new();
        let mut tape = Tape::with_params(scae.params(), &mut workspace);
        let x = tape.input(&picture);
        let whole = scae.encode_layer(&mut tape, 0, x);
        let p = tape.input(&patch);
        let alone = scae.encode_layer(&mut tape, 0, p);
        let at = (3 + 2) * 5;
        for (a, b) in tape.value(alone).as_slice().iter().zip(&tape.value(whole).as_slice()[at..at + 5]) {
            assert!((a - b).abs() < 1e-6);
        }
    }

    #[test]
    fn decoding_takes_the_mean_of_the_patches_that_cover_a_pixel() {
        let scae = two_layers();
        let code = Tensor::from_fn([1, 3, 3, 5], |i| (i as f32 * 0.31).sin());
        let mut workspace = Workspace::new();
        let mut tape = Tape::with_params(scae.params(), &mut workspace);
        let z = tape.input(&code);
        let patches = scae.decode_patches(&mut tape, 0, z);
        let picture = scae.decode_layer(&mut tape, 0, z);
        let (mut sums, mut counts) = (vec![0.0; 128], vec![0.0; 128]);
        for (i, value) in tape.value(patches).as_slice().iter().enumerate() {
            let (position, y, x, c) = (i / 32, i / 8 % 4, i / 2 % 4, i % 2);
            let at = ((position / 3 * 2 + y) * 8 + position % 3 * 2 + x) * 2 + c;
            sums[at] += value;
            counts[at] += 1.0;
        }
        for ((got, sum), count) in tape.value(picture).as_slice().iter().zip(sums).zip(counts) {
            assert!((got - sum / count).abs() < 1e-6);
        }
    }

    #[test]
    fn a_linear_decoder_without_bias_is_a_transposed_convolution_with_overlap_mean() {
        let scae = {
            let layers = vec![layer(4, 2, 5, Activation::Linear, Activation::Linear)];
            Scae::new(ScaeSpec { picture: [8, 8, 2], layers }, &mut stream(4, "init", 0))
        };
        let code = Tensor::from_fn([2, 3, 3, 5], |i| (i as f32 * 0.17).cos());
        // [n, k*k*d] to [k, k, d, n]: the weight of the transposed convolution from n to d channels.
        let decoder = scae.params().get(scae.layers[0].decoder_weight);
        let weight = patchgrad::layout::transpose(decoder).reshape([4, 4, 2, 5]).unwrap();
        let mut workspace = Workspace::new();
        let mut tape = Tape::with_params(scae.params(), &mut workspace);
        let (z, w) = (tape.input(&code), tape.input(&weight));
        let ours = scae.decode_layer(&mut tape, 0, z);
        let spec = ConvTranspose2dSpec { stride: [2, 2], ..ConvTranspose2dSpec::new([4, 4]) };
        let sum = tape.conv_transpose2d(z, w, None, &spec);
        let mean = tape.overlap_mean(sum, &FoldSpec { stride: [2, 2], ..FoldSpec::new([4, 4]) });
        for (a, b) in tape.value(ours).as_slice().iter().zip(tape.value(mean).as_slice()) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }

    #[test]
    fn codes_and_reconstructions_have_the_size_of_the_spec_and_fit_together() {
        let (scae, pictures) = (two_layers(), pictures(7));
        let mut workspace = Workspace::new();
        let codes = scae.codes(&pictures, &mut workspace);
        assert_eq!((scae.spec().code_size(), codes.shape().dims()), (6, &[7, 6][..]));
        let direct = scae.reconstruct(&pictures, &mut workspace);
        assert_eq!(direct.shape(), pictures.shape());
        assert_eq!(scae.decode_codes(&codes, &mut workspace), direct);
    }
}
