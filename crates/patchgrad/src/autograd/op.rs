//! What a node of the tape did: everything its backward step needs besides values.

use super::{IndicesVar, Var, tape::TapsVar};
use crate::ops::{Activation, Conv2dDims, ConvTranspose2dDims, FoldDims, PoolDims};

/// One variant for each op; its gradient is the arm of the same name in `backward.rs`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    /// An input, a variable or a parameter.
    Leaf,
    /// With an activation and perhaps max-pooling as its epilogue. Also a linear layer: a convolution of 1x1 images.
    Conv2d {
        dims: Conv2dDims,
        input: Var,
        weight: Var,
        bias: Option<Var>,
        activation: Activation,
        taps: Option<TapsVar>,
    },
    ConvTranspose2d {
        dims: ConvTranspose2dDims,
        input: Var,
        weight: Var,
        bias: Option<Var>,
        activation: Activation,
    },
    MaxPool2d {
        dims: PoolDims,
        input: Var,
        indices: IndicesVar,
    },
    MaxUnpool2d {
        dims: PoolDims,
        input: Var,
        indices: IndicesVar,
    },
    AvgPool2d {
        dims: PoolDims,
        count_include_pad: bool,
        input: Var,
    },
    Unfold {
        dims: FoldDims,
        input: Var,
    },
    Fold {
        dims: FoldDims,
        input: Var,
    },
    OverlapMean {
        dims: FoldDims,
        input: Var,
    },
    Activation {
        activation: Activation,
        input: Var,
    },
    Add {
        a: Var,
        b: Var,
    },
    Sub {
        a: Var,
        b: Var,
    },
    Mul {
        a: Var,
        b: Var,
    },
    Scale {
        factor: f32,
        input: Var,
    },
    Exp {
        input: Var,
    },
    Ln {
        input: Var,
    },
    Reshape {
        input: Var,
    },
    /// Of a matrix of this size.
    Transpose {
        size: [usize; 2],
        input: Var,
    },
    Sum {
        input: Var,
    },
    MseLoss {
        prediction: Var,
        target: Var,
    },
    BceWithLogits {
        logits: Var,
        target: Var,
    },
    CrossEntropy {
        logits: Var,
        labels: IndicesVar,
    },
}

impl Op {
    /// Calls `visit` with every variable that the op read.
    pub(crate) fn for_each_input(&self, mut visit: impl FnMut(Var)) {
        match *self {
            Op::Leaf => {}
            Op::Conv2d { input, weight, bias, .. } | Op::ConvTranspose2d { input, weight, bias, .. } => {
                [Some(input), Some(weight), bias].into_iter().flatten().for_each(visit);
            }
            Op::MaxPool2d { input, .. }
            | Op::MaxUnpool2d { input, .. }
            | Op::AvgPool2d { input, .. }
            | Op::Unfold { input, .. }
            | Op::Fold { input, .. }
            | Op::OverlapMean { input, .. }
            | Op::Activation { input, .. }
            | Op::Scale { input, .. }
            | Op::Exp { input }
            | Op::Ln { input }
            | Op::Reshape { input }
            | Op::Transpose { input, .. }
            | Op::Sum { input }
            | Op::CrossEntropy { logits: input, .. } => visit(input),
            Op::Add { a, b }
            | Op::Sub { a, b }
            | Op::Mul { a, b }
            | Op::MseLoss { prediction: a, target: b }
            | Op::BceWithLogits { logits: a, target: b } => {
                visit(a);
                visit(b);
            }
        }
    }
}
