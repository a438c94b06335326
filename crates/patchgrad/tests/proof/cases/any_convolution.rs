//! Convolutions and transposed ones under one name, for what is asked of both.

use super::{Conv2dCase, ConvTranspose2dCase, conv_transpose2d, conv2d};
use crate::{run::Outcome, values::filled};
use patchgrad::{
    Shape, Tape, Tensor, Var,
    ops::{Activation, Conv2dDims, ConvAlgorithm, MaxPool2dSpec},
    reference,
};

/// A case of either table.
#[derive(Clone, Copy, Debug)]
pub enum Convolution {
    Plain(Conv2dCase),
    Transposed(ConvTranspose2dCase),
}

/// What follows the sums of a convolution, as a part of its node or in nodes of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epilogue {
    pub activation: Activation,
    /// 2x2 windows, stride 2.
    pub max_pool: bool,
}

impl Convolution {
    /// Both tables.
    pub fn all() -> Vec<Self> {
        let transposed = conv_transpose2d().into_iter().map(Self::Transposed);
        conv2d().into_iter().map(Self::Plain).chain(transposed).collect()
    }

    pub fn op(&self) -> &'static str {
        match self {
            Self::Plain(_) => "conv2d",
            Self::Transposed(_) => "conv_transpose2d",
        }
    }

    /// The op when it is one node with `epilogue`.
    pub fn fused_op(&self, epilogue: Epilogue) -> &'static str {
        match self {
            Self::Plain(_) if epilogue.max_pool => "conv2d_activation_max_pool2d",
            Self::Plain(_) => "conv2d_activation",
            Self::Transposed(_) => "conv_transpose2d_activation",
        }
    }

    pub fn label(&self) -> String {
        let (name, input, channels, algorithm) = match self {
            Self::Plain(case) => (case.name, case.input, case.out_channels, case.spec.algorithm),
            Self::Transposed(case) => (case.name, case.input, case.out_channels, case.spec.algorithm),
        };
        format!("{}/{name} ({input:?} to {channels} channels, {algorithm})", self.op())
    }

    /// The same, computed by `algorithm`.
    pub fn by(mut self, algorithm: ConvAlgorithm) -> Self {
        match &mut self {
            Self::Plain(case) => case.spec.algorithm = algorithm,
            Self::Transposed(case) => case.spec.algorithm = algorithm,
        }
        self
    }

    pub fn batch(&self) -> usize {
        self.dims().batch
    }

    /// The shapes of input, weight and, if there is one, bias.
    pub fn shapes(&self) -> Vec<Shape> {
        match self {
            Self::Plain(case) => case.shapes(),
            Self::Transposed(case) => case.shapes(),
        }
    }

    /// Input, weight and, if there is one, bias, of whole numbers.
    pub fn integers(&self) -> Vec<Tensor> {
        match self {
            Self::Plain(case) => case.integers(),
            Self::Transposed(case) => case.integers(),
        }
    }

    /// The sizes; of a transposed convolution those of its adjoint.
    pub fn dims(&self) -> Conv2dDims {
        match self {
            Self::Plain(case) => case.spec.resolve(case.shapes()[0], case.shapes()[1], None).unwrap(),
            Self::Transposed(case) => case.spec.resolve(case.shapes()[0], case.shapes()[1], None).unwrap().adjoint,
        }
    }

    pub fn output(&self) -> Shape {
        match self {
            Self::Plain(_) => self.dims().output(),
            Self::Transposed(_) => self.dims().input(),
        }
    }

    pub fn uses_winograd(&self) -> bool {
        self.dims().chosen_algorithm() == ConvAlgorithm::Winograd
    }

    /// Whether the output holds a 2x2 window and there is an op that pools it.
    pub fn can_be_pooled(&self) -> bool {
        matches!(self, Self::Plain(_)) && self.dims().pooled_output().is_ok()
    }

    /// Every op with one of `activations` as its epilogue.
    pub fn epilogues(&self, activations: &[Activation]) -> Vec<Epilogue> {
        let pools: &[bool] = if self.can_be_pooled() { &[false, true] } else { &[false] };
        let pairs = activations.iter().flat_map(|&activation| pools.iter().map(move |&pool| (activation, pool)));
        pairs.map(|(activation, max_pool)| Epilogue { activation, max_pool }).collect()
    }

    /// The convolution alone.
    pub fn record(&self, tape: &mut Tape, v: &[Var]) -> Var {
        match self {
            Self::Plain(case) => tape.conv2d(v[0], v[1], v.get(2).copied(), &case.spec),
            Self::Transposed(case) => tape.conv_transpose2d(v[0], v[1], v.get(2).copied(), &case.spec),
        }
    }

    /// Convolution, activation and pooling as one node.
    pub fn record_fused(&self, tape: &mut Tape, v: &[Var], Epilogue { activation, max_pool }: Epilogue) -> Var {
        let bias = v.get(2).copied();
        match self {
            Self::Plain(case) if max_pool => {
                tape.conv2d_activation_max_pool2d(v[0], v[1], bias, &case.spec, activation)
            }
            Self::Plain(case) => tape.conv2d_activation(v[0], v[1], bias, &case.spec, activation),
            Self::Transposed(case) => tape.conv_transpose2d_activation(v[0], v[1], bias, &case.spec, activation),
        }
    }

    /// Convolution, activation and pooling one after the other.
    pub fn record_parts(&self, tape: &mut Tape, v: &[Var], Epilogue { activation, max_pool }: Epilogue) -> Var {
        let sums = self.record(tape, v);
        let values = tape.activation(sums, activation);
        if max_pool { tape.max_pool2d(values, &MaxPool2dSpec::new([2, 2])).0 } else { values }
    }

    /// What the convolution alone is by definition.
    ///
    /// The definition of a transposed one is that of its adjoint; that it *is* the adjoint, and pastes kernels, is for
    /// [`adjoint`](crate::adjoint) and [`identities`](crate::identities) to show.
    pub fn definition(&self, inputs: &[Tensor], cotangent: &Tensor) -> Outcome {
        let dims = &self.dims();
        let (x, w, g) = (inputs[0].as_slice(), inputs[1].as_slice(), cotangent.as_slice());
        // What goes in and comes out of the convolution, or of the one that this is the adjoint of.
        let (image, maps) = if let Self::Plain(_) = self { (x, g) } else { (g, x) };
        let output = filled(dims.output(), |out| reference::conv2d(dims, image, w, out));
        let grad_input = filled(dims.input(), |out| reference::conv2d_grad_input(dims, maps, w, out));
        let grad_weight = filled(dims.weight(), |out| reference::conv2d_grad_weight(dims, image, maps, out));
        let of_input_and_back = match self {
            Self::Plain(_) => [output, grad_input],
            Self::Transposed(_) => [grad_input, output],
        };
        Outcome::with_bias(of_input_and_back, grad_weight, inputs.get(2), cotangent)
    }
}
