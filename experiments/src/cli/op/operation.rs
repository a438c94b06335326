//! An op with its options checked against its operands, and its recording on a tape.

use super::{
    arguments::{Layout, OpCommand},
    layout::Role,
};
use patchgrad::{
    Shape, ShapeError, Tape, Tensor, Var,
    autograd::IndicesVar,
    ops::{
        Activation, AvgPool2dSpec, Conv2dSpec, ConvTranspose2dSpec, FoldSpec, LinearDims, MaxPool2dSpec,
        max_pool2d::Indices, max_unpool2d,
    },
};

/// No output has more values than this (1 GiB): beyond it, a typing error is likelier than a wish.
const LARGEST: usize = 1 << 28;

/// What an op reads, in the engine's layout.
pub(super) struct Operands {
    pub(super) input: Tensor,
    /// Of an op with parameters.
    pub(super) weight: Option<Tensor>,
    pub(super) bias: Option<Tensor>,
    /// Of max_unpool2d.
    pub(super) indices: Option<Indices>,
}

/// The operands on a tape.
#[derive(Clone, Copy)]
pub(super) struct OperandVars {
    pub(super) input: Var,
    pub(super) weight: Option<Var>,
    pub(super) bias: Option<Var>,
    pub(super) indices: Option<IndicesVar>,
}

/// An op that fits its operands: recording it does not fail.
pub(super) struct Operation {
    kind: Kind,
    /// The shape of its output.
    pub(super) output: Shape,
    /// The role of its output.
    pub(super) output_role: Role,
}

enum Kind {
    Conv2d(Conv2dSpec),
    ConvTranspose2d(ConvTranspose2dSpec),
    MaxPool2d(MaxPool2dSpec),
    AvgPool2d(AvgPool2dSpec),
    MaxUnpool2d([usize; 2]),
    Linear,
    Unfold(FoldSpec),
    Activation(Activation),
}

/// The roles of an op's input and weight.
pub(super) fn roles(command: &OpCommand) -> [Role; 2] {
    match command {
        OpCommand::Linear(_) => [Role::Plain, Role::Matrix],
        OpCommand::Softsign(_) | OpCommand::Tanh(_) | OpCommand::Sigmoid(_) => [Role::Plain, Role::Plain],
        OpCommand::Relu(_) | OpCommand::LeakyRelu(_) | OpCommand::Softplus(_) => [Role::Plain, Role::Plain],
        _ => [Role::Image, Role::Kernel],
    }
}

impl Operation {
    /// Checks everything that the op will rely on.
    pub(super) fn resolve(command: &OpCommand, operands: &Operands) -> Result<Self, ShapeError> {
        let input = operands.input.shape();
        let weight = || operands.weight.as_ref().expect("an op with a weight has read it").shape();
        let bias = operands.bias.as_ref().map(Tensor::shape);
        let (kind, output, output_role) = match command {
            OpCommand::Conv2d(args) => {
                let spec = Conv2dSpec {
                    stride: args.stride,
                    padding: args.padding,
                    dilation: args.dilation,
                    groups: args.groups,
                    algorithm: args.algorithm,
                    ..Conv2dSpec::new(kernel_size(weight()))
                };
                let dims = spec.resolve(input, weight(), bias)?;
                (Kind::Conv2d(spec), dims.output(), Role::Image)
            }
            OpCommand::ConvTranspose2d(args) => {
                let spec = ConvTranspose2dSpec {
                    stride: args.stride,
                    padding: args.padding,
                    output_padding: args.output_padding,
                    dilation: args.dilation,
                    groups: args.groups,
                    algorithm: args.algorithm,
                    ..ConvTranspose2dSpec::new(kernel_size(weight()))
                };
                let dims = spec.resolve(input, weight(), bias)?;
                (Kind::ConvTranspose2d(spec), dims.output(), Role::Image)
            }
            OpCommand::MaxPool2d(args) => {
                let spec = MaxPool2dSpec {
                    stride: args.stride.unwrap_or(args.kernel_size),
                    padding: args.padding,
                    dilation: args.dilation,
                    ceil_mode: args.ceil_mode,
                    ..MaxPool2dSpec::new(args.kernel_size)
                };
                (Kind::MaxPool2d(spec), spec.resolve(input)?.output(), Role::Image)
            }
            OpCommand::AvgPool2d(args) => {
                let spec = AvgPool2dSpec {
                    stride: args.stride.unwrap_or(args.kernel_size),
                    padding: args.padding,
                    ceil_mode: args.ceil_mode,
                    count_include_pad: args.count_include_pad,
                    ..AvgPool2dSpec::new(args.kernel_size)
                };
                (Kind::AvgPool2d(spec), spec.resolve(input)?.output(), Role::Image)
            }
            OpCommand::MaxUnpool2d(args) => {
                let indices = operands.indices.as_ref().expect("max_unpool2d has read its indices");
                let dims = max_unpool2d::resolve(input, indices, args.output_size)?;
                (Kind::MaxUnpool2d(args.output_size), dims.input(), Role::Image)
            }
            OpCommand::Linear(_) => (Kind::Linear, LinearDims::resolve(input, weight(), bias)?.output, Role::Plain),
            OpCommand::Im2col(args) => {
                let spec = FoldSpec {
                    stride: args.stride,
                    padding: args.padding,
                    dilation: args.dilation,
                    ..FoldSpec::new(args.kernel_size)
                };
                let dims = spec.resolve(input)?;
                let ([h, w], [kh, kw]) = (dims.window.output, dims.window.kernel_size);
                check_size("im2col", "the output", &[dims.batch, h, w, kh, kw, dims.channels])?;
                (Kind::Unfold(spec), dims.patches(), Role::Patches(dims))
            }
            OpCommand::Softsign(_) => (Kind::Activation(Activation::Softsign), input, Role::Plain),
            OpCommand::Tanh(_) => (Kind::Activation(Activation::Tanh), input, Role::Plain),
            OpCommand::Sigmoid(_) => (Kind::Activation(Activation::Sigmoid), input, Role::Plain),
            OpCommand::Relu(_) => (Kind::Activation(Activation::Relu), input, Role::Plain),
            OpCommand::Softplus(_) => (Kind::Activation(Activation::Softplus), input, Role::Plain),
            OpCommand::LeakyRelu(args) => {
                let negative_slope = args.negative_slope;
                if !(negative_slope.is_finite() && negative_slope >= 0.0) {
                    let message = format!("negative_slope is {negative_slope}; it must be a number of at least 0");
                    return Err(ShapeError::new("leaky_relu", message));
                }
                (Kind::Activation(Activation::LeakyRelu { negative_slope }), input, Role::Plain)
            }
        };
        check_size("op", "the output", output.dims())?;
        let padded = |padding: [usize; 2], image: Shape| match image.nhwc() {
            Some([n, h, w, c]) => {
                let [h, w] = [h.saturating_add(2 * padding[0]), w.saturating_add(2 * padding[1])];
                check_size("op", "the padded image", &[n, h, w, c])
            }
            None => Ok(()),
        };
        match &kind {
            Kind::Conv2d(spec) => padded(spec.padding, input)?,
            // The adjoint convolution pads the output.
            Kind::ConvTranspose2d(spec) => padded(spec.padding, output)?,
            Kind::MaxPool2d(_)
            | Kind::AvgPool2d(_)
            | Kind::MaxUnpool2d(_)
            | Kind::Linear
            | Kind::Unfold(_)
            | Kind::Activation(_) => {}
        }
        Ok(Self { kind, output, output_role })
    }

    /// Records the op; max pooling gives indices too.
    pub(super) fn record(&self, tape: &mut Tape, vars: OperandVars) -> (Var, Option<IndicesVar>) {
        let OperandVars { input, bias, .. } = vars;
        let weight = || vars.weight.expect("an op with a weight has recorded it");
        let output = match &self.kind {
            Kind::Conv2d(spec) => tape.conv2d(input, weight(), bias, spec),
            Kind::ConvTranspose2d(spec) => tape.conv_transpose2d(input, weight(), bias, spec),
            Kind::MaxPool2d(spec) => {
                let (output, indices) = tape.max_pool2d(input, spec);
                return (output, Some(indices));
            }
            Kind::AvgPool2d(spec) => tape.avg_pool2d(input, spec),
            Kind::MaxUnpool2d(output_size) => {
                let indices = vars.indices.expect("max_unpool2d has recorded its indices");
                tape.max_unpool2d(input, indices, *output_size)
            }
            Kind::Linear => tape.linear(input, weight(), bias),
            Kind::Unfold(spec) => tape.unfold(input, spec),
            Kind::Activation(activation) => tape.activation(input, *activation),
        };
        (output, None)
    }
}

/// The first two sizes of a weight `[KH, KW, I, O]`; of another rank, which `resolve` will refuse, anything valid.
fn kernel_size(weight: Shape) -> [usize; 2] {
    weight.nhwc().map_or([1, 1], |[h, w, ..]| [h, w])
}

fn check_size(op: &'static str, what: &str, sizes: &[usize]) -> Result<(), ShapeError> {
    let len = sizes.iter().try_fold(1usize, |len, &size| len.checked_mul(size));
    if len.is_some_and(|len| len <= LARGEST) {
        return Ok(());
    }
    let message =
        format!("{what} {sizes:?} would have more than {LARGEST} values; cut the batch, or check the padding");
    Err(ShapeError::new(op, message))
}

/// The engine's message; where it tells a shape and the files have another order of axes, it says so.
pub(super) fn explain(error: &ShapeError, layout: Layout) -> String {
    let text = error.to_string();
    match layout {
        Layout::Nchw if text.contains('[') => {
            format!("{text} (shapes are told channels-last, the files are channels-first: layout nchw)")
        }
        _ => text,
    }
}
