//! The layers with weights: convolution, transposed convolution, linear.

use super::Layer;
use crate::{
    ParamId, Params, Shape, ShapeError, Tape, Var,
    init::{Fan, Init},
    layout::ParamLayout,
    ops::{Activation, Conv2dSpec, ConvTranspose2dSpec, LinearDims},
    random::Stream,
};

/// The weight and bias of a layer, registered as `name.weight` and `name.bias`.
#[derive(Clone, Copy, Debug)]
struct WeightAndBias {
    weight: ParamId,
    bias: Option<ParamId>,
}

impl WeightAndBias {
    /// `weight` is the shape, `bias` the length if there is one; both start in ±1/sqrt(`fan.fan_in`).
    #[track_caller]
    fn new(params: &mut Params, name: &str, weight: Shape, bias: Option<usize>, fan: Fan, stream: &mut Stream) -> Self {
        assert!(!weight.is_empty(), "{name}: the weight would be {weight}; every size must be at least 1");
        let init = Init::fan_in_uniform(fan);
        let weight = params.add(format!("{name}.weight"), init.tensor(weight, stream));
        let bias = bias.map(|len| params.add(format!("{name}.bias"), init.tensor([len], stream)));
        Self { weight, bias }
    }

    fn record(&self, tape: &mut Tape) -> (Var, Option<Var>) {
        (tape.param(self.weight), self.bias.map(|bias| tape.param(bias)))
    }

    fn ids(&self) -> Vec<ParamId> {
        [self.weight].into_iter().chain(self.bias).collect()
    }
}

/// Groups divide the channels on both sides.
#[track_caller]
fn check_groups(name: &str, [c, o]: [usize; 2], groups: usize) {
    let divides = groups > 0 && c.is_multiple_of(groups) && o.is_multiple_of(groups);
    assert!(divides, "{name}: groups {groups} must divide C = {c} and O = {o}");
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
    /// If the groups do not divide C and O, a size is 0, or the name is taken.
    #[track_caller]
    pub fn new(params: &mut Params, name: &str, channels: [usize; 2], spec: Conv2dSpec, stream: &mut Stream) -> Self {
        Self::with_bias(params, name, channels, spec, Some(channels[1]), stream)
    }

    /// The same without bias (`bias=False`).
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn without_bias(
        params: &mut Params,
        name: &str,
        channels: [usize; 2],
        spec: Conv2dSpec,
        stream: &mut Stream,
    ) -> Self {
        Self::with_bias(params, name, channels, spec, None, stream)
    }

    #[track_caller]
    fn with_bias(
        params: &mut Params,
        name: &str,
        channels: [usize; 2],
        spec: Conv2dSpec,
        bias: Option<usize>,
        stream: &mut Stream,
    ) -> Self {
        check_groups(name, channels, spec.groups);
        let [c, o] = channels;
        let weight = Shape::from([spec.kernel_size[0], spec.kernel_size[1], c / spec.groups, o]);
        let params = WeightAndBias::new(params, name, weight, bias, Fan::conv2d(weight), stream);
        Self { spec, weight, params, activation: Activation::Linear, max_pool: false }
    }

    /// The same with `activation` on every output: what a layer of that activation behind it would do, fused.
    ///
    /// # Panics
    /// If the slope of a leaky rectifier is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn activation(self, activation: Activation) -> Self {
        activation.check();
        Self { activation, ..self }
    }

    /// The same with max-pooling of 2x2 windows, stride 2, behind the activation: what a layer
    /// [`MaxPool2d`](super::MaxPool2d) would do, fused.
    #[must_use]
    pub fn max_pool(self) -> Self {
        Self { max_pool: true, ..self }
    }
}

impl Layer for Conv2d {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        let (weight, bias) = self.params.record(tape);
        if self.max_pool {
            tape.conv2d_activation_max_pool2d(input, weight, bias, &self.spec, self.activation)
        } else {
            tape.conv2d_activation(input, weight, bias, &self.spec, self.activation)
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
    /// If the groups do not divide C and O, a size is 0, or the name is taken.
    #[track_caller]
    pub fn new(
        params: &mut Params,
        name: &str,
        channels: [usize; 2],
        spec: ConvTranspose2dSpec,
        stream: &mut Stream,
    ) -> Self {
        Self::with_bias(params, name, channels, spec, Some(channels[1]), stream)
    }

    /// The same without bias (`bias=False`).
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn without_bias(
        params: &mut Params,
        name: &str,
        channels: [usize; 2],
        spec: ConvTranspose2dSpec,
        stream: &mut Stream,
    ) -> Self {
        Self::with_bias(params, name, channels, spec, None, stream)
    }

    #[track_caller]
    fn with_bias(
        params: &mut Params,
        name: &str,
        channels: [usize; 2],
        spec: ConvTranspose2dSpec,
        bias: Option<usize>,
        stream: &mut Stream,
    ) -> Self {
        check_groups(name, channels, spec.groups);
        let [c, o] = channels;
        let weight = Shape::from([spec.kernel_size[0], spec.kernel_size[1], o / spec.groups, c]);
        let params = WeightAndBias::new(params, name, weight, bias, Fan::conv_transpose2d(weight), stream);
        Self { spec, weight, params, activation: Activation::Linear }
    }

    /// The same with `activation` on every output: what a layer of that activation behind it would do, fused.
    ///
    /// # Panics
    /// If the slope of a leaky rectifier is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn activation(self, activation: Activation) -> Self {
        activation.check();
        Self { activation, ..self }
    }
}

impl Layer for ConvTranspose2d {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        let (weight, bias) = self.params.record(tape);
        tape.conv_transpose2d_activation(input, weight, bias, &self.spec, self.activation)
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
    /// `features` is `[I, O]`; parameters `name.weight` `[I, O]` and `name.bias` `[O]`. Behind
    /// [`Flatten`](super::Flatten) of a map see [`of_map`](Self::of_map).
    ///
    /// # Panics
    /// If a size is 0 or the name is taken.
    #[track_caller]
    pub fn new(params: &mut Params, name: &str, features: [usize; 2], stream: &mut Stream) -> Self {
        let weight = Shape::from(features);
        let bias = Some(features[1]);
        Self { weight, params: WeightAndBias::new(params, name, weight, bias, Fan::linear(weight), stream) }
    }

    /// The same without bias (`bias=False`).
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn without_bias(params: &mut Params, name: &str, features: [usize; 2], stream: &mut Stream) -> Self {
        let weight = Shape::from(features);
        Self { weight, params: WeightAndBias::new(params, name, weight, None, Fan::linear(weight), stream) }
    }

    /// One that reads a map `[H, W, C]` behind [`Flatten`](super::Flatten). It computes what [`new`](Self::new) with
    /// `H * W * C` features does, but knows that PyTorch flattens maps in the order (C, H, W): its weight is permuted in
    /// files with PyTorch's layouts ([`ParamLayout::LinearOfMap`]).
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn of_map(params: &mut Params, name: &str, map: [usize; 3], out_features: usize, stream: &mut Stream) -> Self {
        let layer = Self::new(params, name, [map.iter().product(), out_features], stream);
        params.set_layout(layer.params.weight, ParamLayout::LinearOfMap(map));
        layer
    }
}

impl Layer for Linear {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        let (weight, bias) = self.params.record(tape);
        tape.linear(input, weight, bias)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Tensor, Workspace, layers::Sequential, random::stream};

    #[test]
    fn a_layer_without_bias_has_one_parameter_and_starts_its_sums_from_0() {
        let (mut params, mut init) = (Params::new(), stream(0, "init", 0));
        let conv = Conv2d::without_bias(&mut params, "a", [2, 3], Conv2dSpec::new([1, 1]), &mut init);
        let up = ConvTranspose2d::without_bias(&mut params, "b", [3, 2], ConvTranspose2dSpec::new([1, 1]), &mut init);
        let head = Linear::without_bias(&mut params, "c", [2, 4], &mut init);
        let names: Vec<&str> = params.iter().map(|(_, name, _)| name).collect();
        assert_eq!(names, ["a.weight", "b.weight", "c.weight"]);
        let network = Sequential::new().then(conv).then(up).then(head);
        let (zeros, mut workspace) = (Tensor::zeros([1, 2, 2, 2]), Workspace::new());
        let mut tape = Tape::with_params(&params, &mut workspace);
        let input = tape.input(&zeros);
        let output = network.forward(&mut tape, input);
        assert!(tape.value(output).as_slice().iter().all(|&value| value == 0.0));
    }

    #[test]
    fn what_cannot_be_made_is_refused_with_the_name_of_the_layer() {
        let refusal = |make: fn(&mut Params, &mut Stream)| {
            let made = std::panic::catch_unwind(|| make(&mut Params::new(), &mut stream(0, "init", 0)));
            *made.unwrap_err().downcast::<String>().unwrap()
        };
        let groups = refusal(|params, init| {
            _ = Conv2d::new(params, "enc", [4, 3], Conv2dSpec { groups: 2, ..Conv2dSpec::new([3, 3]) }, init);
        });
        assert_eq!(groups, "enc: groups 2 must divide C = 4 and O = 3");
        let empty = refusal(|params, init| _ = Linear::new(params, "head", [0, 3], init));
        assert_eq!(empty, "head: the weight would be [0, 3]; every size must be at least 1");
        let slope = refusal(|params, init| {
            let layer = Conv2d::new(params, "enc", [1, 1], Conv2dSpec::new([1, 1]), init);
            _ = layer.activation(Activation::LeakyRelu { negative_slope: -1.0 });
        });
        assert!(slope.contains("negative_slope -1 must be"), "{slope}");
    }

    #[test]
    fn a_linear_layer_of_a_map_is_permuted_for_pytorch() {
        let (mut params, mut init) = (Params::new(), stream(0, "init", 0));
        let layer = Linear::of_map(&mut params, "head", [2, 3, 4], 5, &mut init);
        assert_eq!(params.layout(layer.params.weight), ParamLayout::LinearOfMap([2, 3, 4]));
        assert_eq!(layer.output_shape([7, 24].into()).unwrap(), Shape::from([7, 5]));
    }
}
