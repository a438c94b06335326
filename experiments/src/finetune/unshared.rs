//! A layer with weights of its own at every position (*locally connected*): what N-light-N calls deconvolved.
//!
//! The patches of all positions, one after the other, are the channels of a 1x1 image, and a convolution in as many groups as
//! there are positions multiplies each with its own weight.

use crate::units::{Convolution, UnitDims};
use patchgrad::{
    ParamId, Params, Tape, Tensor, Var,
    ops::{Activation, Conv2dSpec},
};

/// The handles of one such layer.
#[derive(Clone, Debug)]
pub(super) struct UnsharedLayer {
    dims: UnitDims,
    /// h * w.
    positions: usize,
    /// `[1, 1, k*k*d, positions * n]`: the columns of position p start at p * n.
    weight: ParamId,
    /// `[positions * n]`.
    bias: ParamId,
    activation: Activation,
}

impl UnsharedLayer {
    /// A copy of the shared weights at each of `positions`, as `prefix.unshared.weight` and `.bias`.
    pub(super) fn new(
        params: &mut Params,
        prefix: &str,
        shared: Convolution,
        (dims, positions): (UnitDims, usize),
    ) -> Self {
        let (patch, n) = (dims.patch_len(), dims.features);
        let (weight, bias) = (params.get(shared.weight).clone(), params.get(shared.bias).clone());
        let width = positions * n;
        let weight = Tensor::from_fn([1, 1, patch, width], |i| weight.as_slice()[i / width * n + i % n]);
        let bias = Tensor::from_fn([width], |i| bias.as_slice()[i % n]);
        let weight = params.add(format!("{prefix}.unshared.weight"), weight);
        let bias = params.add(format!("{prefix}.unshared.bias"), bias);
        Self { dims, positions, weight, bias, activation: shared.activation }
    }

    /// Records codes `[N, h, w, n]` of maps `[N, H, W, d]`.
    pub(super) fn encode(&self, tape: &mut Tape, map: Var) -> Var {
        let patches = tape.unfold(map, &self.dims.fold());
        let &[count, h, w, patch] = tape.shape(patches).dims() else { unreachable!("patches have four axes") };
        let row = tape.reshape(patches, [count, 1, 1, self.positions * patch]);
        let spec = Conv2dSpec { groups: self.positions, ..Conv2dSpec::new([1, 1]) };
        let (weight, bias) = (tape.param(self.weight), tape.param(self.bias));
        let sums = tape.conv2d(row, weight, Some(bias), &spec);
        let sums = tape.reshape(sums, [count, h, w, self.dims.features]);
        tape.activation(sums, self.activation)
    }
}
