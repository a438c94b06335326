//! Layers: an op together with its parameters. A network is a [`Sequential`] of them.
//!
//! Parameters start as PyTorch's layers do: weight and bias uniform in ±1/sqrt(fan in).

use crate::{
    ParamId, Params, Shape, ShapeError, Tape, Var,
    init::{Fan, Init},
    ops::{Activation, AvgPool2dSpec, Conv2dSpec, ConvTranspose2dSpec, LinearDims, MaxPool2dSpec},
    random::Stream,
};
use std::fmt;

/// One step of a network.
pub trait Layer: fmt::Debug + Send + Sync {
    /// Records the layer on `tape`.
    ///
    /// # Panics
    /// With the text of the [`ShapeError`] when the input does not fit.
    fn forward(&self, tape: &mut Tape, input: Var) -> Var;

    /// The shape that [`forward`](Self::forward) makes of an input shape.
    ///
    /// # Errors
    /// If the input does not fit.
    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError>;

    /// Multiply-adds of one forward pass, bias and element-wise work not counted.
    ///
    /// # Errors
    /// If the input does not fit.
    fn multiply_adds(&self, _input: Shape) -> Result<u64, ShapeError> {
        Ok(0)
    }

    /// The trainable tensors.
    fn params(&self) -> Vec<ParamId> {
        Vec::new()
    }

    /// What a summary calls the layer, such as `conv2d 3x3`.
    fn label(&self) -> String;
}

/// The weight and bias of a layer, registered as `name.weight` and `name.bias`.
#[derive(Clone, Copy, Debug)]
struct WeightAndBias {
    weight: ParamId,
    bias: ParamId,
}

impl WeightAndBias {
    /// `weight` is the shape, `bias` the length; both start in ±1/sqrt(`fan.fan_in`).
    fn new(params: &mut Params, name: &str, weight: Shape, bias: usize, fan: Fan, stream: &mut Stream) -> Self {
        let init = Init::fan_in_uniform(fan);
        Self {
            weight: params.add(format!("{name}.weight"), init.tensor(weight, stream)),
            bias: params.add(format!("{name}.bias"), init.tensor([bias], stream)),
        }
    }

    fn ids(&self) -> Vec<ParamId> {
        vec![self.weight, self.bias]
    }
}

/// How a label names a fused activation.
fn fused(activation: Activation) -> String {
    if activation == Activation::Linear { String::new() } else { format!(", {activation}") }
}

/// [`Tape::conv2d`] with weight and bias, and perhaps an activation and max-pooling in the same pass over memory.
#[derive(Clone, Copy, Debug)]
pub struct Conv2d {
    spec: Conv2dSpec,
    weight: Shape,
    params: WeightAndBias,
    activation: Activation,
    max_pool: bool,
}

impl Conv2d {
    /// `channels` is `[C, O]`; parameters `name.weight` `[KH, KW, C/G, O]` and `name.bias` `[O]`.
    ///
    /// # Panics
    /// If the groups do not divide C.
    #[track_caller]
    pub fn new(params: &mut Params, name: &str, channels: [usize; 2], spec: Conv2dSpec, stream: &mut Stream) -> Self {
        let [c, o] = channels;
        assert!(spec.groups > 0 && c % spec.groups == 0, "Conv2d {name}: groups {} must divide C = {c}", spec.groups);
        let weight = Shape::from([spec.kernel_size[0], spec.kernel_size[1], c / spec.groups, o]);
        let params = WeightAndBias::new(params, name, weight, o, Fan::conv2d(weight), stream);
        Self { spec, weight, params, activation: Activation::Linear, max_pool: false }
    }

    /// The same with `activation` on every output: what a layer of that activation behind it would do, fused.
    #[must_use]
    pub fn activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// The same with max-pooling of 2x2 windows, stride 2, behind the activation: what a layer [`MaxPool2d`] would do, fused.
    #[must_use]
    pub fn max_pool(self) -> Self {
        Self { max_pool: true, ..self }
    }
}

impl Layer for Conv2d {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        let (weight, bias) = (tape.param(self.params.weight), tape.param(self.params.bias));
        if self.max_pool {
            tape.conv2d_activation_max_pool2d(input, weight, Some(bias), &self.spec, self.activation)
        } else {
            tape.conv2d_activation(input, weight, Some(bias), &self.spec, self.activation)
        }
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        let dims = self.spec.resolve(input, self.weight, None)?;
        if self.max_pool { dims.pooled_output() } else { Ok(dims.output()) }
    }

    fn multiply_adds(&self, input: Shape) -> Result<u64, ShapeError> {
        Ok(self.spec.resolve(input, self.weight, None)?.flops() / 2)
    }

    fn params(&self) -> Vec<ParamId> {
        self.params.ids()
    }

    fn label(&self) -> String {
        let [h, w] = self.spec.kernel_size;
        let pool = if self.max_pool { ", max_pool2d" } else { "" };
        format!("conv2d {h}x{w}{}{pool}", fused(self.activation))
    }
}

/// [`Tape::conv_transpose2d`] with weight and bias, and perhaps an activation in the same pass over memory.
#[derive(Clone, Copy, Debug)]
pub struct ConvTranspose2d {
    spec: ConvTranspose2dSpec,
    weight: Shape,
    params: WeightAndBias,
    activation: Activation,
}

impl ConvTranspose2d {
    /// `channels` is `[C, O]`; parameters `name.weight` `[KH, KW, O/G, C]` and `name.bias` `[O]`.
    ///
    /// # Panics
    /// If the groups do not divide O.
    #[track_caller]
    pub fn new(
        params: &mut Params,
        name: &str,
        channels: [usize; 2],
        spec: ConvTranspose2dSpec,
        stream: &mut Stream,
    ) -> Self {
        let [c, o] = channels;
        let groups = spec.groups;
        assert!(groups > 0 && o % groups == 0, "ConvTranspose2d {name}: groups {groups} must divide O = {o}");
        let weight = Shape::from([spec.kernel_size[0], spec.kernel_size[1], o / groups, c]);
        let params = WeightAndBias::new(params, name, weight, o, Fan::conv_transpose2d(weight), stream);
        Self { spec, weight, params, activation: Activation::Linear }
    }

    /// The same with `activation` on every output: what a layer of that activation behind it would do, fused.
    #[must_use]
    pub fn activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }
}

impl Layer for ConvTranspose2d {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        let (weight, bias) = (tape.param(self.params.weight), tape.param(self.params.bias));
        tape.conv_transpose2d_activation(input, weight, Some(bias), &self.spec, self.activation)
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(self.spec.resolve(input, self.weight, None)?.output())
    }

    fn multiply_adds(&self, input: Shape) -> Result<u64, ShapeError> {
        Ok(self.spec.resolve(input, self.weight, None)?.flops() / 2)
    }

    fn params(&self) -> Vec<ParamId> {
        self.params.ids()
    }

    fn label(&self) -> String {
        let [h, w] = self.spec.kernel_size;
        format!("conv_transpose2d {h}x{w}{}", fused(self.activation))
    }
}

/// [`Tape::linear`] with weight and bias.
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    weight: Shape,
    params: WeightAndBias,
}

impl Linear {
    /// `features` is `[I, O]`; parameters `name.weight` `[I, O]` and `name.bias` `[O]`.
    pub fn new(params: &mut Params, name: &str, features: [usize; 2], stream: &mut Stream) -> Self {
        let weight = Shape::from(features);
        Self { weight, params: WeightAndBias::new(params, name, weight, features[1], Fan::linear(weight), stream) }
    }
}

impl Layer for Linear {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        let (weight, bias) = (tape.param(self.params.weight), tape.param(self.params.bias));
        tape.linear(input, weight, Some(bias))
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(LinearDims::resolve(input, self.weight, None)?.output)
    }

    fn multiply_adds(&self, input: Shape) -> Result<u64, ShapeError> {
        Ok(LinearDims::resolve(input, self.weight, None)?.flops() / 2)
    }

    fn params(&self) -> Vec<ParamId> {
        self.params.ids()
    }

    fn label(&self) -> String {
        "linear".to_string()
    }
}

/// [`Tape::max_pool2d`]; the indices are dropped.
#[derive(Clone, Copy, Debug)]
pub struct MaxPool2d(pub MaxPool2dSpec);

impl Layer for MaxPool2d {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        tape.max_pool2d(input, &self.0).0
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(self.0.resolve(input)?.output())
    }

    fn label(&self) -> String {
        format!("max_pool2d {}x{}", self.0.kernel_size[0], self.0.kernel_size[1])
    }
}

/// [`Tape::avg_pool2d`].
#[derive(Clone, Copy, Debug)]
pub struct AvgPool2d(pub AvgPool2dSpec);

impl Layer for AvgPool2d {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        tape.avg_pool2d(input, &self.0)
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(self.0.resolve(input)?.output())
    }

    fn label(&self) -> String {
        format!("avg_pool2d {}x{}", self.0.kernel_size[0], self.0.kernel_size[1])
    }
}

impl Layer for Activation {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        tape.activation(input, *self)
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(input)
    }

    fn label(&self) -> String {
        self.to_string()
    }
}

/// [`Tape::flatten`]: `[N, ..]` to `[N, features]`.
#[derive(Clone, Copy, Debug)]
pub struct Flatten;

impl Layer for Flatten {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        tape.flatten(input)
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        match input.dims() {
            [] => Err(ShapeError::new("flatten", "a scalar has no samples to keep apart")),
            &[samples, ..] => Ok(Shape::from([samples, input.len() / samples.max(1)])),
        }
    }

    fn label(&self) -> String {
        "flatten".to_string()
    }
}

/// Layers one after the other.
#[derive(Debug, Default)]
pub struct Sequential {
    layers: Vec<Box<dyn Layer>>,
}

impl Sequential {
    /// No layer: the identity.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more layer at the end.
    #[must_use]
    pub fn then(mut self, layer: impl Layer + 'static) -> Self {
        self.layers.push(Box::new(layer));
        self
    }

    /// The layers, first to last.
    pub fn layers(&self) -> impl Iterator<Item = &dyn Layer> {
        self.layers.iter().map(|layer| &**layer)
    }
}

impl Layer for Sequential {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        self.layers.iter().fold(input, |value, layer| layer.forward(tape, value))
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        self.layers.iter().try_fold(input, |shape, layer| layer.output_shape(shape))
    }

    fn multiply_adds(&self, input: Shape) -> Result<u64, ShapeError> {
        let mut shape = input;
        let mut total = 0;
        for layer in &self.layers {
            total += layer.multiply_adds(shape)?;
            shape = layer.output_shape(shape)?;
        }
        Ok(total)
    }

    fn params(&self) -> Vec<ParamId> {
        self.layers.iter().flat_map(|layer| layer.params()).collect()
    }

    fn label(&self) -> String {
        format!("sequential of {}", self.layers.len())
    }
}
