//! The bounds and standard deviations that PyTorch's initialisers draw with: the table in `tests/fixtures/pytorch`.
#![forbid(unsafe_code)]

use patchgrad::{
    Params, Shape,
    init::{Fan, FanMode, Gain, Init},
    layers::{Conv2d, ConvTranspose2d, Layer, Linear},
    ops::{Conv2dSpec, ConvTranspose2dSpec},
    random::stream,
};
use serde::Deserialize;
use std::{collections::BTreeMap, fs};

/// A slope is an f32 here, an f64 there.
const TOLERANCE: f64 = 1e-7;

#[derive(Deserialize)]
struct Fixtures {
    initialisers: Vec<Initialiser>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Initialiser {
    initialiser: String,
    layer: String,
    /// The shape of the weight in PyTorch's layout.
    weight: Vec<usize>,
    fan_in: usize,
    fan_out: usize,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    nonlinearity: String,
    #[serde(default)]
    negative_slope: f32,
    gain: f64,
    bound: Option<f64>,
    std: Option<f64>,
    bias_bound: Option<f64>,
}

impl Initialiser {
    /// The fan of the weight in our layout.
    fn fan(&self) -> Fan {
        let shape = |order: &[usize]| Shape::new(&order.iter().map(|&axis| self.weight[axis]).collect::<Vec<_>>());
        match self.layer.as_str() {
            "conv2d" => Fan::conv2d(shape(&[2, 3, 1, 0])),
            "conv_transpose2d" => Fan::conv_transpose2d(shape(&[2, 3, 1, 0])),
            "linear" => Fan::linear(shape(&[1, 0])),
            other => panic!("no layer {other}"),
        }
    }

    fn gain(&self) -> Gain {
        match self.nonlinearity.as_str() {
            "linear" | "sigmoid" => Gain::Linear,
            "tanh" => Gain::Tanh,
            "relu" => Gain::Relu,
            "leaky_relu" => Gain::LeakyRelu(self.negative_slope),
            other => panic!("no gain for {other}"),
        }
    }

    fn init(&self) -> Init {
        let fan = self.fan();
        assert_eq!(
            (fan.fan_in, fan.fan_out),
            (self.fan_in, self.fan_out),
            "the fan of {} {:?}",
            self.layer,
            self.weight
        );
        let mode = || match self.mode.as_str() {
            "fan_in" => FanMode::FanIn,
            "fan_out" => FanMode::FanOut,
            other => panic!("no mode {other:?}"),
        };
        match self.initialiser.as_str() {
            "kaiming_uniform" => Init::kaiming_uniform(fan, mode(), self.gain()),
            "kaiming_normal" => Init::kaiming_normal(fan, mode(), self.gain()),
            "xavier_uniform" => Init::xavier_uniform(fan, self.gain()),
            "xavier_normal" => Init::xavier_normal(fan, self.gain()),
            "default" => Init::fan_in_uniform(fan),
            other => panic!("no initialiser {other}"),
        }
    }

    /// What a new layer draws for its weight and its bias stays within the bounds, and the weight comes close to its own.
    fn check_default_layer(&self, bound: f64) {
        let (mut params, mut stream) = (Params::new(), stream(1, "init", 0));
        let [outer, inner] = [self.weight[0], self.weight[1]];
        let layer: Box<dyn Layer> = match self.layer.as_str() {
            "conv2d" => {
                // PyTorch's second size is C/G: a depthwise weight has one channel there and as many groups as outputs.
                let groups = if inner == 1 { outer } else { 1 };
                let spec = Conv2dSpec { groups, ..Conv2dSpec::new([self.weight[2], self.weight[3]]) };
                Box::new(Conv2d::new(&mut params, "layer", [inner * groups, outer], spec, &mut stream))
            }
            "conv_transpose2d" => {
                let spec = ConvTranspose2dSpec::new([self.weight[2], self.weight[3]]);
                Box::new(ConvTranspose2d::new(&mut params, "layer", [outer, inner], spec, &mut stream))
            }
            _ => Box::new(Linear::new(&mut params, "layer", [inner, outer], &mut stream)),
        };
        let largest = layer.params().into_iter().map(|id| {
            params.get(id).as_slice().iter().fold(0f64, |largest, &value| largest.max(f64::from(value).abs()))
        });
        let &[weight, bias] = &largest.collect::<Vec<_>>()[..] else { panic!("weight and bias") };
        assert!(weight <= bound * (1.0 + TOLERANCE) && weight > 0.95 * bound, "{}: {weight} for {bound}", self.layer);
        let bias_bound = self.bias_bound.expect("a default has a bound for the bias");
        assert!(bias <= bias_bound * (1.0 + TOLERANCE), "{}: bias {bias} for {bias_bound}", self.layer);
    }
}

#[test]
fn initialisers_have_pytorchs_bounds() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pytorch/cases.json");
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let fixtures: Fixtures = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut counts = BTreeMap::<&str, usize>::new();
    for row in &fixtures.initialisers {
        let (got, expected) = match row.init() {
            Init::Uniform { low, high } if low == -high => (high, row.bound.expect("a bound")),
            Init::Normal { mean: 0.0, std } => (std, row.std.expect("a standard deviation")),
            other => panic!("{} is not symmetric: {other:?}", row.initialiser),
        };
        let what = format!("{} of {} {:?}", row.initialiser, row.layer, row.weight);
        assert!((got / expected - 1.0).abs() <= TOLERANCE, "{what}: {got}, expected {expected}");
        if row.initialiser == "default" {
            row.check_default_layer(expected);
        } else {
            assert!((row.gain().value() / row.gain - 1.0).abs() <= TOLERANCE, "gain of {}", row.nonlinearity);
        }
        *counts.entry(&row.initialiser).or_default() += 1;
    }
    println!("initialisers of PyTorch: {counts:?}");
    assert_eq!((counts.len(), counts.values().sum::<usize>()), (5, 220));
}
