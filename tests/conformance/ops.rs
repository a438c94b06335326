//! One case of any op: translated, run on a tape, every result compared.

use super::{
    Case, Tensors, Tolerance,
    layout::{self, Layout},
};
use patchgrad::{
    Tape, Tensor, Var, Workspace,
    autograd::IndicesVar,
    ops::{Activation, AvgPool2dSpec, Conv2dSpec, ConvTranspose2dSpec, FoldSpec, MaxPool2dSpec, max_pool2d::Indices},
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Convolution {
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
    #[serde(default)]
    output_padding: [usize; 2],
    #[serde(default)]
    crop_output: [usize; 4],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pooling {
    kernel_size: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    #[serde(default = "undilated")]
    dilation: [usize; 2],
    ceil_mode: bool,
    #[serde(default)]
    count_include_pad: bool,
    #[serde(default)]
    pad_input: [usize; 4],
    /// A number as text, because JSON has no infinity.
    #[serde(default)]
    pad_value: String,
}

fn undilated() -> [usize; 2] {
    [1, 1]
}

/// Of an un-pooling only the output size matters here: the indices say everything else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unpooling {
    output_size: [usize; 2],
    #[serde(rename = "kernel_size")]
    _kernel_size: Option<[usize; 2]>,
    #[serde(rename = "stride")]
    _stride: Option<[usize; 2]>,
    #[serde(rename = "padding")]
    _padding: Option<[usize; 2]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Window {
    kernel_size: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    #[serde(default)]
    output_size: [usize; 2],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LeakyRelu {
    negative_slope: f32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeanLoss {
    reduction: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoAttributes {}

type Record<'c> = Box<dyn Fn(&mut Tape, &[Var]) -> (Var, Option<IndicesVar>) + 'c>;

/// How a case is run.
struct Plan<'c> {
    /// The roles that are variables, in the order in which `record` gets them; absent ones are skipped.
    inputs: Vec<(&'static str, Layout)>,
    output: (&'static str, Layout),
    record: Record<'c>,
    /// Rows and columns to add to the first input, and of what.
    pad_input: ([usize; 4], f32),
    crop_output: [usize; 4],
}

impl<'c> Plan<'c> {
    fn new(
        inputs: &[(&'static str, Layout)],
        output: (&'static str, Layout),
        record: impl Fn(&mut Tape, &[Var]) -> Var + 'c,
    ) -> Self {
        let record: Record = Box::new(move |tape, v| (record(tape, v), None));
        Self { inputs: inputs.to_vec(), output, record, pad_input: ([0; 4], 0.0), crop_output: [0; 4] }
    }

    /// An op that takes every element, or pair of elements, by itself.
    fn pointwise(roles: &[&'static str], record: impl Fn(&mut Tape, &[Var]) -> Var + 'c) -> Self {
        let inputs: Vec<_> = roles.iter().map(|&role| (role, Layout::Plain)).collect();
        Self::new(&inputs, ("output", Layout::Plain), record)
    }

    fn activation(activation: Activation) -> Self {
        Self::pointwise(&["input"], move |tape, v| tape.activation(v[0], activation))
    }

    fn loss(case: &Case, inputs: &[(&'static str, Layout)], record: impl Fn(&mut Tape, &[Var]) -> Var + 'c) -> Self {
        assert_eq!(case.attributes::<MeanLoss>().reduction, "mean", "{}", case.name);
        Self::new(inputs, ("loss", Layout::Plain), record)
    }

    fn weighted(weight: Layout, image: Layout, record: impl Fn(&mut Tape, &[Var]) -> Var + 'c) -> Self {
        let inputs = [("input", image), ("weight", weight), ("bias", Layout::Plain)];
        Self::new(&inputs, ("output", image), record)
    }
}

fn plan<'c>(case: &'c Case, tensors: &'c Tensors) -> Plan<'c> {
    let image = ("input", Layout::Image);
    let image_output = ("output", Layout::Image);
    match case.op.as_str() {
        "conv2d" => {
            let Convolution { stride, padding, dilation, groups, .. } = case.attributes();
            let spec = Conv2dSpec { stride, padding, dilation, groups, ..Conv2dSpec::new(kernel_size(case)) };
            Plan::weighted(Layout::Kernel, Layout::Image, move |tape, v| {
                tape.conv2d(v[0], v[1], v.get(2).copied(), &spec)
            })
        }
        "conv_transpose2d" => {
            let Convolution { stride, padding, dilation, groups, output_padding, crop_output } = case.attributes();
            let kernel = ConvTranspose2dSpec::new(kernel_size(case));
            let spec = ConvTranspose2dSpec { stride, padding, dilation, groups, output_padding, ..kernel };
            let plan = Plan::weighted(Layout::Kernel, Layout::Image, move |tape, v| {
                tape.conv_transpose2d(v[0], v[1], v.get(2).copied(), &spec)
            });
            Plan { crop_output, ..plan }
        }
        "linear" => {
            let NoAttributes {} = case.attributes();
            Plan::weighted(Layout::Matrix, Layout::Plain, |tape, v| tape.linear(v[0], v[1], v.get(2).copied()))
        }
        "max_pool2d" => {
            let Pooling { kernel_size, stride, padding, dilation, ceil_mode, pad_input, pad_value, .. } =
                case.attributes();
            let spec = MaxPool2dSpec { kernel_size, stride, padding, dilation, ceil_mode };
            Plan {
                inputs: vec![image],
                output: image_output,
                record: Box::new(move |tape, v| {
                    let (output, indices) = tape.max_pool2d(v[0], &spec);
                    (output, Some(indices))
                }),
                pad_input: (pad_input, number(&pad_value)),
                crop_output: [0; 4],
            }
        }
        "avg_pool2d" => {
            let Pooling { kernel_size, stride, padding, dilation, ceil_mode, count_include_pad, pad_input, pad_value } =
                case.attributes();
            assert_eq!(dilation, undilated(), "{}: average pooling has no dilation", case.name);
            let spec = AvgPool2dSpec { kernel_size, stride, padding, ceil_mode, count_include_pad };
            let plan = Plan::new(&[image], image_output, move |tape, v| tape.avg_pool2d(v[0], &spec));
            Plan { pad_input: (pad_input, number(&pad_value)), ..plan }
        }
        "max_unpool2d" => {
            let Unpooling { output_size, .. } = case.attributes();
            let indices = tensors.integers(case, "indices");
            let (shape, indices) = layout::indices_from_pytorch(&case.tensors["indices"], &indices);
            let indices = Indices::try_new(shape, &indices).unwrap();
            Plan::new(&[image], image_output, move |tape, v| {
                let indices = tape.record_indices(&indices);
                tape.max_unpool2d(v[0], indices, output_size)
            })
        }
        "unfold" | "fold" => fold(case),
        "softsign" => Plan::activation(Activation::Softsign),
        "tanh" => Plan::activation(Activation::Tanh),
        "sigmoid" => Plan::activation(Activation::Sigmoid),
        "relu" => Plan::activation(Activation::Relu),
        "softplus" => Plan::activation(Activation::Softplus),
        "leaky_relu" => {
            let LeakyRelu { negative_slope } = case.attributes();
            Plan::activation(Activation::LeakyRelu { negative_slope })
        }
        "add" => Plan::pointwise(&["input", "other"], |tape, v| tape.add(v[0], v[1])),
        "sub" => Plan::pointwise(&["input", "other"], |tape, v| tape.sub(v[0], v[1])),
        "mul" => Plan::pointwise(&["input", "other"], |tape, v| tape.mul(v[0], v[1])),
        "flatten" => Plan::pointwise(&["input"], |tape, v| tape.flatten(v[0])),
        "mse_loss" => {
            let inputs = [("input", Layout::Plain), ("target", Layout::Plain)];
            Plan::loss(case, &inputs, |tape, v| tape.mse_loss(v[0], v[1]))
        }
        "binary_cross_entropy_with_logits" => {
            let inputs = [("input", Layout::Plain), ("target", Layout::Plain)];
            Plan::loss(case, &inputs, |tape, v| tape.bce_with_logits(v[0], v[1]))
        }
        "cross_entropy" => {
            let labels = tensors.integers(case, "target");
            Plan::loss(case, &[("input", Layout::Plain)], move |tape, v| tape.cross_entropy(v[0], &labels))
        }
        other => panic!("{}: no plan for the op {other}", case.name),
    }
}

/// The last two sizes of PyTorch's weight.
fn kernel_size(case: &Case) -> [usize; 2] {
    let weight = &case.tensors["weight"];
    [weight[2], weight[3]]
}

fn number(text: &str) -> f32 {
    if text.is_empty() { 0.0 } else { text.parse().unwrap() }
}

fn fold<'c>(case: &Case) -> Plan<'c> {
    let Window { kernel_size, stride, padding, dilation, output_size } = case.attributes();
    let spec = FoldSpec { kernel_size, stride, padding, dilation };
    // The image is the input of an unfold, the output of a fold.
    let image = &case.tensors[if case.op == "unfold" { "input" } else { "output" }];
    let dims = spec.resolve([image[0], image[2], image[3], image[1]].into()).unwrap();
    let patches = Layout::Patches { positions: dims.window.output, taps: dims.window.taps() };
    if case.op == "unfold" {
        Plan::new(&[("input", Layout::Image)], ("output", patches), move |tape, v| tape.unfold(v[0], &spec))
    } else {
        Plan::new(&[("input", patches)], ("output", Layout::Image), move |tape, v| tape.fold(v[0], output_size, &spec))
    }
}

/// Runs `case` and compares every result it lists. Gives the largest difference as a share of the accepted one.
pub fn check(case: &Case, tensors: &Tensors, tolerance: Tolerance) -> f64 {
    let plan = plan(case, tensors);
    let mut unused: Vec<&str> = case.tensors.keys().map(String::as_str).collect();
    let mut take = |role: &str| {
        let at = unused.iter().position(|other| *other == role)?;
        unused.swap_remove(at);
        Some(())
    };

    let present: Vec<(&str, Layout)> = plan.inputs.iter().copied().filter(|(role, _)| take(role).is_some()).collect();
    let mut inputs: Vec<Tensor> =
        present.iter().map(|(role, layout)| layout.to_ours(tensors.floats(case, role))).collect();
    if plan.pad_input.0 != [0; 4] {
        inputs[0] = layout::pad(&inputs[0], plan.pad_input.0, plan.pad_input.1);
    }

    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace);
    let variables: Vec<Var> = inputs.iter().map(|input| tape.variable(input)).collect();
    let (output, indices) = (plan.record)(&mut tape, &variables);

    let (role, layout) = plan.output;
    take(role).unwrap_or_else(|| panic!("{}: the fixture has no {role}", case.name));
    let mut computed = tape.value(output).to_tensor();
    if plan.crop_output != [0; 4] {
        computed = layout::crop(&computed, plan.crop_output);
    }
    let mut worst =
        tolerance.compare(&format!("{}: {role}", case.name), &layout.to_pytorch(computed), &tensors.floats(case, role));

    if take("indices").is_some()
        && let Some(indices) = indices
    {
        let (shape, expected) =
            layout::indices_from_pytorch(&case.tensors["indices"], &tensors.integers(case, "indices"));
        assert_eq!(tape.indices(indices).shape(), shape, "{}: shape of the indices", case.name);
        assert_eq!(tape.indices(indices).as_slice(), expected, "{}: indices", case.name);
    }
    if case.op == "cross_entropy" {
        take("target");
    }

    let gradients = if take("grad_output").is_some() {
        Some(tape.backward_from(output, &layout.to_ours(tensors.floats(case, "grad_output"))))
    } else {
        (role == "loss").then(|| tape.backward(output))
    };
    if let Some(gradients) = gradients {
        for ((role, layout), &variable) in present.iter().zip(&variables) {
            let role = format!("grad_{role}");
            if take(&role).is_some() {
                let got = layout.to_pytorch(gradients.variable(variable).expect("a gradient").clone());
                worst =
                    worst.max(tolerance.compare(&format!("{}: {role}", case.name), &got, &tensors.floats(case, &role)));
            }
        }
    }
    assert!(unused.is_empty(), "{}: nothing was done with {unused:?}", case.name);
    worst
}
