//! The network: parameters, encoding, decoding.

use super::{Geometry, LayerGeometry};
use crate::{
    batches::{map_pictures, map_rows},
    pictures::PictureSource,
    units::{Unit, UnitDims, UnitError, UnitSpec},
};
use patchgrad::{Params, Tape, Tensor, Var, Workspace, autograd::IndicesVar, random::Stream};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One layer: kernel and offset, number of features, and the unit that encodes and decodes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerSpec {
    /// Kernel and offset.
    pub geometry: LayerGeometry,
    /// n, the length of the code at one position.
    pub features: usize,
    /// Which unit.
    pub unit: UnitSpec,
}

/// A stack of layers for pictures of one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

    /// Whether the stack fits the picture and every unit its layer.
    ///
    /// # Errors
    /// With what does not fit, and what would.
    pub fn check(&self) -> Result<(), ScaeError> {
        let geometry = self.geometry();
        let [height, width, _] = self.picture;
        for pixels in [height, width] {
            if geometry.positions(pixels).is_none() {
                let needed = geometry.receptive_field(geometry.depth() - 1);
                return Err(ScaeError::TooLarge { geometry: geometry.to_string(), pixels, needed });
            }
            if let Some(layer) = geometry.uneven(pixels) {
                let LayerGeometry { kernel, offset } = self.layers[layer].geometry;
                let positions = layer.checked_sub(1).map(|below| self.map_size_along(pixels, below));
                return Err(ScaeError::Uneven { layer, kernel, offset, width: positions.unwrap_or(pixels) });
            }
        }
        for (layer, spec) in self.layers.iter().enumerate() {
            spec.unit.check(&self.unit_dims(layer)).map_err(|error| ScaeError::Unit { layer, error })?;
        }
        Ok(())
    }

    /// The sizes of the unit of layer `layer`, counted from 0.
    ///
    /// # Panics
    /// If the stack does not fit the picture.
    #[track_caller]
    pub fn unit_dims(&self, layer: usize) -> UnitDims {
        let LayerSpec { geometry, features, .. } = self.layers[layer];
        UnitDims { geometry, depth: self.map_size(layer)[2], features }
    }

    /// H, W, C of what layer `layer` (counted from 0) sees; for the number of layers, of the code.
    ///
    /// # Panics
    /// If the stack does not fit the picture.
    #[track_caller]
    pub fn map_size(&self, layer: usize) -> [usize; 3] {
        let Some(top) = layer.checked_sub(1) else { return self.picture };
        let along = |pixels: usize| self.map_size_along(pixels, top);
        [along(self.picture[0]), along(self.picture[1]), self.layers[top].features]
    }

    /// Positions of layer `layer` along an axis of `pixels`.
    #[track_caller]
    fn map_size_along(&self, pixels: usize, layer: usize) -> usize {
        let geometry = self.geometry();
        let positions = geometry.positions(pixels);
        positions.unwrap_or_else(|| panic!("the stack {geometry} does not fit {pixels} pixels"))[layer]
    }
}

/// A stack that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScaeError {
    /// The receptive field is larger than the picture.
    #[error("the stack {geometry} sees {needed} pixels, but the picture has {pixels}; take smaller kernels or offsets")]
    TooLarge {
        /// Kernels and offsets.
        geometry: String,
        /// Of the picture.
        pixels: usize,
        /// Of the top layer's receptive field.
        needed: usize,
    },
    /// The last patch of a layer does not end where the map below it does: decoding would give a smaller picture.
    #[error(
        "layer {layer}: patches of {kernel} every {offset} leave {} of {width} over, which decoding could not paint; take an offset \
         that divides {}, or another kernel",
        (width - kernel) % offset,
        width - kernel
    )]
    Uneven {
        /// The layer, counted from 0.
        layer: usize,
        /// Its kernel.
        kernel: usize,
        /// Its offset.
        offset: usize,
        /// What it sees along that axis.
        width: usize,
    },
    /// A unit does not fit its layer.
    #[error("layer {layer}: {error}")]
    Unit {
        /// The layer, counted from 0.
        layer: usize,
        /// What does not fit.
        error: UnitError,
    },
}

/// A stacked convolutional auto-encoder.
#[derive(Clone, Debug)]
pub struct Scae {
    spec: ScaeSpec,
    params: Params,
    units: Vec<Arc<dyn Unit>>,
}

impl Scae {
    /// A network before training: weights uniform in ±1/sqrt(fan in) and biases 0, as N-light-N starts them.
    ///
    /// # Panics
    /// If the stack does not fit the picture or a unit its layer: [`ScaeSpec::check`] says so beforehand.
    #[track_caller]
    pub fn new(spec: ScaeSpec, stream: &mut Stream) -> Self {
        let mut params = Params::new();
        let units = spec
            .layers
            .iter()
            .enumerate()
            .map(|(i, layer)| layer.unit.build(spec.unit_dims(i), &mut params, &format!("layer{i}"), stream));
        let units = units.collect();
        spec.map_size(spec.layers.len());
        Self { spec, params, units }
    }

    /// A network with the parameters of the same names in `params`, which may hold others too: those of a checkpoint, or of
    /// a [classifier](crate::finetune::Classifier) that was fine-tuned.
    ///
    /// # Panics
    /// As [`new`](Self::new); if a parameter is missing or has another shape.
    #[track_caller]
    pub fn from_params(spec: ScaeSpec, params: &Params) -> Self {
        let mut network = Self::new(spec, &mut patchgrad::random::stream(0, "replaced", 0));
        let ids: Vec<_> = network.params.iter().map(|(id, _, _)| id).collect();
        for id in ids {
            let name = network.params.name(id);
            let found = params.find(name).unwrap_or_else(|| panic!("there is no parameter {name}"));
            let tensor = params.get(found);
            let expected = network.params.get(id).shape();
            assert_eq!(tensor.shape(), expected, "the shape of {name}");
            *network.params.get_mut(id) = tensor.clone();
        }
        network
    }

    /// Starts every decoder anew, as [`new`](Self::new) does; the encoders stay. What a tied decoder shares with its encoder
    /// stays too.
    pub fn reset_decoders(&mut self, stream: &mut Stream) {
        let fresh = Self::new(self.spec.clone(), stream);
        for id in self.units.iter().flat_map(|unit| unit.decoder_params()) {
            *self.params.get_mut(id) = fresh.params.get(id).clone();
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

    /// The unit of layer `layer`.
    pub fn unit(&self, layer: usize) -> &Arc<dyn Unit> {
        &self.units[layer]
    }

    /// The unit of layer `layer` and all parameters, to train the one by changing the others.
    pub(super) fn unit_and_params_mut(&mut self, layer: usize) -> (&dyn Unit, &mut Params) {
        (&*self.units[layer], &mut self.params)
    }

    /// Records layer `layer` on a map `[N, H, W, d]` (or on patches `[N, k, k, d]`): codes `[N, h, w, n]`.
    pub fn encode_layer(&self, tape: &mut Tape, layer: usize, map: Var) -> Var {
        self.units[layer].encode(tape, map)
    }

    /// Records the decoder of layer `layer` on codes `[N, h, w, n]`, position by position: patches `[N, h, w, k*k*d]`.
    pub fn decode_patches(&self, tape: &mut Tape, layer: usize, code: Var) -> Var {
        self.units[layer].decode_patches(tape, code, None)
    }

    /// Records the decoder of layer `layer` on codes `[N, h, w, n]`: maps `[N, H, W, d]`, the mean where patches overlap.
    ///
    /// It is a transposed convolution taken apart, so that the activation of the decoder can stand between its two
    /// halves: every position decodes its patch (a matrix product), [`fold`](patchgrad::ops::fold) pastes the patches,
    /// [`overlap_mean`](patchgrad::ops::overlap_mean) divides by how many cover a pixel.
    pub fn decode_layer(&self, tape: &mut Tape, layer: usize, code: Var) -> Var {
        self.decode_layer_with(tape, layer, code, None)
    }

    fn decode_layer_with(&self, tape: &mut Tape, layer: usize, code: Var, switches: Option<IndicesVar>) -> Var {
        let patches = self.units[layer].decode_patches(tape, code, switches);
        self.paste(tape, layer, patches)
    }

    /// Records maps `[N, H, W, d]` from the patches `[N, h, w, k*k*d]` of layer `layer`, the mean where they overlap.
    fn paste(&self, tape: &mut Tape, layer: usize, patches: Var) -> Var {
        let LayerGeometry { kernel, offset } = self.spec.layers[layer].geometry;
        let &[_, h, w, _] = tape.shape(patches).dims() else { unreachable!("codes have four axes") };
        let size = [h, w].map(|positions| (positions - 1) * offset + kernel);
        let spec = self.spec.unit_dims(layer).fold();
        let sum = tape.fold(patches, size, &spec);
        tape.overlap_mean(sum, &spec)
    }

    /// Records the encoders of layers `0..layers` on pictures `[N, H, W, C]`.
    pub fn encode(&self, tape: &mut Tape, pictures: Var, layers: usize) -> Var {
        (0..layers).fold(pictures, |map, layer| self.encode_layer(tape, layer, map))
    }

    /// Records the decoders from the code of the top layer down to pictures.
    pub fn decode(&self, tape: &mut Tape, code: Var) -> Var {
        (0..self.units.len()).rev().fold(code, |code, layer| self.decode_layer(tape, layer, code))
    }

    /// Records the encoders of all layers and their decoders, which get the switches of the very same pictures.
    pub(super) fn encode_and_decode(&self, tape: &mut Tape, pictures: Var) -> Var {
        let mut switches = Vec::with_capacity(self.units.len());
        let code = self.units.iter().fold(pictures, |map, unit| {
            let (code, of_unit) = unit.encode_with_switches(tape, map);
            switches.push(of_unit);
            code
        });
        let down = switches.into_iter().enumerate().rev();
        down.fold(code, |code, (layer, switches)| self.decode_layer_with(tape, layer, code, switches))
    }

    /// The codes of `pictures` `[N, H, W, C]` as rows `[N, code size]`.
    pub fn codes(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Tensor {
        map_pictures(&self.params, pictures, self.spec.code_size(), workspace, |tape, batch| {
            let code = self.encode(tape, batch, self.units.len());
            tape.flatten(code)
        })
    }

    /// The reconstructions of `pictures` `[N, H, W, C]`, unclipped. Units with switches decode with them, so this may be
    /// better than what [`decode_codes`](Self::decode_codes) makes of the code alone.
    pub fn reconstruct(&self, pictures: &dyn PictureSource, workspace: &mut Workspace) -> Tensor {
        let [h, w, c] = self.spec.picture;
        let rows = map_pictures(&self.params, pictures, h * w * c, workspace, |tape, batch| {
            let decoded = self.encode_and_decode(tape, batch);
            tape.flatten(decoded)
        });
        rows.reshape(pictures.size()).expect("a geometry that covers the picture decodes to its size")
    }

    /// Pictures decoded from `codes` `[N, code size]`, unclipped.
    pub fn decode_codes(&self, codes: &Tensor, workspace: &mut Workspace) -> Tensor {
        let [h, w, c] = self.spec.picture;
        let [ch, cw, cc] = self.spec.map_size(self.units.len());
        let count = codes.shape().dims()[0];
        let rows = map_rows(&self.params, codes, h * w * c, workspace, |tape, batch| {
            let batch_len = tape.shape(batch).dims()[0];
            let code = tape.reshape(batch, [batch_len, ch, cw, cc]);
            let decoded = self.decode(tape, code);
            tape.flatten(decoded)
        });
        rows.reshape([count, h, w, c]).expect("a geometry that covers the picture decodes to its size")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad::{
        ops::{Activation, ConvTranspose2dSpec, FoldSpec},
        random::stream,
    };

    fn layer(kernel: usize, offset: usize, features: usize, encoder: Activation, decoder: Activation) -> LayerSpec {
        let unit = UnitSpec::standard(encoder, decoder);
        LayerSpec { geometry: LayerGeometry { kernel, offset }, features, unit }
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
    fn a_stack_that_could_not_paint_every_pixel_is_refused() {
        let check = |picture: [usize; 3], layers: &[(usize, usize)]| {
            let of = |&(kernel, offset)| layer(kernel, offset, 4, Activation::Softsign, Activation::Linear);
            ScaeSpec { picture, layers: layers.iter().map(of).collect() }.check()
        };
        assert_eq!(check([28, 28, 1], &[(4, 4), (7, 1)]), Ok(()));
        let uneven = |layer, kernel, offset, width| Err(ScaeError::Uneven { layer, kernel, offset, width });
        assert_eq!(check([28, 28, 1], &[(5, 3)]), uneven(0, 5, 3, 28));
        assert_eq!(check([28, 30, 1], &[(4, 4)]), uneven(0, 4, 4, 30));
        assert_eq!(check([28, 28, 1], &[(4, 4), (4, 2)]), uneven(1, 4, 2, 7));
        let message = check([28, 28, 1], &[(5, 3)]).unwrap_err().to_string();
        assert!(message.contains("leave 2 of 28 over") && message.contains("divides 23"), "{message}");
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
        let decoder = scae.params().get(scae.params().find("layer0.decoder.weight").unwrap());
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
