//! The sizes of a unit.

use crate::scae::LayerGeometry;
use patchgrad::{
    Tape, Var,
    ops::{Conv2dSpec, FoldSpec},
};

/// Which patches a unit sees and how long its code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitDims {
    /// Kernel k and offset.
    pub geometry: LayerGeometry,
    /// d, the channels of the map.
    pub depth: usize,
    /// n, the length of the code at one position.
    pub features: usize,
}

impl UnitDims {
    /// The number of values in a patch, `k * k * d`, in the order (row, column, channel).
    pub fn patch_len(&self) -> usize {
        self.geometry.kernel * self.geometry.kernel * self.depth
    }

    /// The shape of the weight of an encoder, `[k, k, d, n]`: as a matrix `[k * k * d, n]`, whose columns are features.
    pub fn encoder_weight(&self) -> [usize; 4] {
        let LayerGeometry { kernel, .. } = self.geometry;
        [kernel, kernel, self.depth, self.features]
    }

    /// The convolution that visits the positions.
    pub fn conv(&self) -> Conv2dSpec {
        let LayerGeometry { kernel, offset } = self.geometry;
        Conv2dSpec { stride: [offset; 2], ..Conv2dSpec::new([kernel; 2]) }
    }

    /// The patches at the positions.
    pub fn fold(&self) -> FoldSpec {
        let LayerGeometry { kernel, offset } = self.geometry;
        FoldSpec { stride: [offset; 2], ..FoldSpec::new([kernel; 2]) }
    }

    /// Records `codes` `[N, h, w, n]` or patches `[N, h, w, k*k*d]` as rows `[N * h * w, last axis]`.
    pub(super) fn rows(tape: &mut Tape, values: Var) -> Var {
        let shape = tape.shape(values);
        let columns = *shape.dims().last().expect("codes have four axes");
        tape.reshape(values, [shape.len() / columns, columns])
    }
}
