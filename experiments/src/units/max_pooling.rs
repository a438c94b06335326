//! Max-pooling as a unit: the largest value of each channel of a patch. It has no parameters and learns nothing.
//!
//! The gradient of a code goes to the one value that was the largest. Decoding with *switches* puts the value back where it
//! was the largest and 0 elsewhere (Zeiler and Fergus 2014); without them, or when asked to, every pixel of the patch gets
//! the value, as in N-light-N.

use super::{Axis, Fit, FitError, Trained, Unit, UnitDims};
use patchgrad::{ParamId, Tape, Var, autograd::IndicesVar, ops::MaxPool2dSpec};
use serde::{Deserialize, Serialize};

/// Where a decoded value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unpooling {
    /// Where the largest value stood, if the switches are at hand: when a picture is reconstructed, not when codes alone
    /// are decoded.
    Switches,
    /// To every pixel of the patch.
    Copy,
}

/// Sizes and way of decoding.
#[derive(Clone, Debug)]
pub(super) struct MaxPooling {
    pub(super) dims: UnitDims,
    pub(super) unpooling: Unpooling,
}

impl Unit for MaxPooling {
    fn encode_with_switches(&self, tape: &mut Tape, map: Var) -> (Var, Option<IndicesVar>) {
        // Patch by patch, so that a switch is a place in its patch, also where patches overlap.
        let UnitDims { geometry, depth, .. } = self.dims;
        let kernel = geometry.kernel;
        let patches = tape.unfold(map, &self.dims.fold());
        let &[count, h, w, _] = tape.shape(patches).dims() else { unreachable!("patches have four axes") };
        let patches = tape.reshape(patches, [count * h * w, kernel, kernel, depth]);
        let (largest, switches) = tape.max_pool2d(patches, &MaxPool2dSpec::new([kernel; 2]));
        let code = tape.reshape(largest, [count, h, w, depth]);
        (code, (self.unpooling == Unpooling::Switches).then_some(switches))
    }

    fn decode_patches(&self, tape: &mut Tape, code: Var, switches: Option<IndicesVar>) -> Var {
        let UnitDims { geometry, depth, .. } = self.dims;
        let patch_len = self.dims.patch_len();
        let &[count, h, w, _] = tape.shape(code).dims() else { unreachable!("codes have four axes") };
        if let Some(switches) = switches {
            let values = tape.reshape(code, [count * h * w, 1, 1, depth]);
            let patches = tape.max_unpool2d(values, switches, [geometry.kernel; 2]);
            return tape.reshape(patches, [count, h, w, patch_len]);
        }
        let copies = tape.constant([depth, patch_len], |copies| {
            for (at, copy) in copies.iter_mut().enumerate() {
                let (channel, pixel) = (at / patch_len, at % patch_len);
                *copy = if pixel % depth == channel { 1.0 } else { 0.0 };
            }
        });
        tape.linear(code, copies, None)
    }

    fn encoder_params(&self) -> Vec<ParamId> {
        Vec::new()
    }

    fn decoder_params(&self) -> Vec<ParamId> {
        Vec::new()
    }

    fn axes(&self) -> Vec<(ParamId, &'static [Axis])> {
        Vec::new()
    }

    fn fit(&self, fit: &mut Fit) -> Result<Trained, FitError> {
        Ok(fit.measure(self))
    }

    fn fit_decoder(&self, fit: &mut Fit) -> Result<Trained, FitError> {
        Ok(fit.measure(self))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        UnitSpec,
        testing::{Alone, dims},
    };
    use super::*;
    use patchgrad::{Tensor, Workspace, gradcheck::gradcheck};

    fn pooling(unpooling: Unpooling) -> Alone {
        Alone::new(UnitSpec::MaxPooling { unpooling }, dims(2, 2, 2, 2))
    }

    /// One patch of 2 x 2 pixels with two channels.
    fn patch() -> Tensor {
        Tensor::new([1, 2, 2, 2], &[1.0, -8.0, 4.0, -6.0, 3.0, -5.0, 2.0, -7.0])
    }

    #[test]
    fn a_switch_puts_the_value_back_and_a_copy_spreads_it() {
        assert_eq!(pooling(Unpooling::Switches).encode(&patch()).as_slice(), [4.0, -5.0]);
        let decoded = pooling(Unpooling::Switches).reconstruct(&patch());
        assert_eq!(decoded.as_slice(), [0.0, 0.0, 4.0, 0.0, 0.0, -5.0, 0.0, 0.0]);
        let copied = pooling(Unpooling::Copy).reconstruct(&patch());
        assert_eq!(copied.as_slice(), [4.0, -5.0, 4.0, -5.0, 4.0, -5.0, 4.0, -5.0]);
        // The code alone holds no switches.
        let alone = pooling(Unpooling::Switches);
        let code = Tensor::new([1, 1, 1, 2], &[4.0, -5.0]);
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace);
        let v = tape.input(&code);
        let decoded = alone.unit.decode_patches(&mut tape, v, None);
        assert_eq!(tape.value(decoded).as_slice(), copied.as_slice());
    }

    /// N-light-N passed the error of a maximum to all cells.
    #[test]
    fn d8_the_gradient_of_a_maximum_goes_to_where_it_stood() {
        let alone = pooling(Unpooling::Copy);
        let (x, mut workspace) = (patch(), Workspace::new());
        let mut tape = Tape::new(&mut workspace);
        let v = tape.variable(&x);
        let code = alone.unit.encode(&mut tape, v);
        let sum = tape.sum(code);
        let gradients = tape.backward(sum);
        assert_eq!(gradients.variable(v).unwrap().as_slice(), [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn gradients_pass_through_code_and_both_decoders() {
        // Distinct values 1/8 apart: no difference changes a maximum. Overlapping patches.
        let map = Tensor::from_fn([2, 4, 4, 2], |i| ((i * 37) % 64) as f32 / 8.0);
        for unpooling in [Unpooling::Switches, Unpooling::Copy] {
            let alone = Alone::new(UnitSpec::MaxPooling { unpooling }, dims(3, 1, 2, 2));
            gradcheck(std::slice::from_ref(&map), |tape, v| {
                let (code, switches) = alone.unit.encode_with_switches(tape, v[0]);
                alone.unit.decode_patches(tape, code, switches)
            })
            .unwrap();
        }
    }
}
