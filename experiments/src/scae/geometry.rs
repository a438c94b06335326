//! Which kernels and offsets fit which picture.
//!
//! The top layer of a patch has one position. A layer below has as many as the next one needs,
//!
//! ```text
//! n_top = 1,   n_(l-1) = (n_l - 1) * offset_l + kernel_l
//! ```
//!
//! along each axis, so the input patch, the *receptive field* of the top, is `n_0` pixels wide. The offset of the top
//! layer only matters where the stack visits a picture larger than that.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Kernel and offset (stride) of one layer, the same along both axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerGeometry {
    /// Width of the patch that the layer encodes.
    pub kernel: usize,
    /// Distance between its positions.
    pub offset: usize,
}

/// Kernels and offsets of a stack, lowest layer first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Geometry(Vec<LayerGeometry>);

impl Geometry {
    /// A stack of layers, lowest first.
    ///
    /// # Panics
    /// If there is none, or a kernel or offset is 0.
    #[track_caller]
    pub fn new(layers: Vec<LayerGeometry>) -> Self {
        assert!(!layers.is_empty(), "a stack needs at least one layer");
        assert!(layers.iter().all(|l| l.kernel > 0 && l.offset > 0), "kernels and offsets start at 1: {layers:?}");
        Self(layers)
    }

    /// From the list `[k1, o1, k2, o2, .., k_top]`; the top layer's offset is its kernel.
    ///
    /// # Panics
    /// If the list has an even length.
    #[track_caller]
    pub fn from_list(list: &[usize]) -> Self {
        assert!(list.len() % 2 == 1, "a geometry is k1, o1, k2, o2, .., k_top, got {list:?}");
        let layer = |pair: &[usize]| LayerGeometry { kernel: pair[0], offset: *pair.get(1).unwrap_or(&pair[0]) };
        Self::new(list.chunks(2).map(layer).collect())
    }

    /// The layers, lowest first.
    pub fn layers(&self) -> &[LayerGeometry] {
        &self.0
    }

    /// The number of layers.
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// The width of the patch of pixels that one position of layer `top` (counted from 0) sees.
    pub fn receptive_field(&self, top: usize) -> usize {
        self.0[..=top].iter().rev().fold(1, |positions, layer| (positions - 1) * layer.offset + layer.kernel)
    }

    /// How many positions each layer has along an axis of `pixels`, lowest first; `None` when the stack does not fit.
    pub fn positions(&self, pixels: usize) -> Option<Vec<usize>> {
        let mut width = pixels;
        self.0
            .iter()
            .map(|layer| {
                width = width.checked_sub(layer.kernel)? / layer.offset + 1;
                Some(width)
            })
            .collect()
    }

    /// The first layer, lowest first, whose last patch does not end where the map below it does along an axis of `pixels`; `None` where all
    /// do, or the stack does not fit.
    pub fn uneven(&self, pixels: usize) -> Option<usize> {
        let mut width = pixels;
        for (at, layer) in self.0.iter().enumerate() {
            let room = width.checked_sub(layer.kernel)?;
            if room % layer.offset != 0 {
                return Some(at);
            }
            width = room / layer.offset + 1;
        }
        None
    }

    /// Whether decoding covers every pixel: no layer leaves a gap between its patches or at the border.
    pub fn covers(&self, pixels: usize) -> bool {
        let Some(positions) = self.positions(pixels) else { return false };
        let gapless = self.0.iter().zip(positions).all(|(layer, count)| count == 1 || layer.offset <= layer.kernel);
        gapless && self.uneven(pixels).is_none()
    }
}

impl fmt::Display for Geometry {
    /// `k7/7-k4`: kernel and offset of each layer; the top layer's offset is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, layer) in self.0.iter().enumerate() {
            let gap = if i > 0 { "-" } else { "" };
            if i + 1 == self.0.len() {
                write!(f, "{gap}k{}", layer.kernel)?;
            } else {
                write!(f, "{gap}k{}/{}", layer.kernel, layer.offset)?;
            }
        }
        Ok(())
    }
}

/// Every geometry of `depth` layers whose receptive field is exactly `pixels` and whose patches leave no gap
/// (`2 <= offset <= kernel` below the top, kernels of at least 2), in lexicographic order of `k1, o1, k2, ..`.
///
/// Such a stack has one position at the top: its code describes the whole picture.
pub fn whole_image(pixels: usize, depth: usize) -> Vec<Geometry> {
    let mut found = Vec::new();
    extend(pixels, depth, &mut Vec::new(), &mut found);
    found
}

/// Adds a layer to `list` for a map of `width` positions with `layers` layers left.
fn extend(width: usize, layers: usize, list: &mut Vec<usize>, found: &mut Vec<Geometry>) {
    if layers <= 1 {
        if layers == 1 && width >= 2 {
            list.push(width);
            found.push(Geometry::from_list(list));
            list.pop();
        }
        return;
    }
    for kernel in 2..width {
        for offset in (2..=kernel).filter(|offset| (width - kernel).is_multiple_of(*offset)) {
            list.extend([kernel, offset]);
            extend((width - kernel) / offset + 1, layers - 1, list, found);
            list.truncate(list.len() - 2);
        }
    }
}

/// The whole-image geometries of the experiments for pictures of 28 pixels (MNIST, Fashion-MNIST): fully connected, two
/// layers, three layers.
pub const WHOLE_28: [&[usize]; 10] = [
    &[28],
    &[7, 7, 4],
    &[8, 4, 6],
    &[4, 4, 7],
    &[7, 3, 8],
    &[7, 7, 2, 2, 2],
    &[4, 4, 3, 2, 3],
    &[10, 3, 3, 2, 3],
    &[4, 2, 4, 3, 4],
    &[6, 2, 4, 2, 5],
];

/// The whole-image geometries of the experiments for pictures of 32 pixels (CIFAR-10, SVHN).
pub const WHOLE_32: [&[usize]; 11] = [
    &[32],
    &[8, 8, 4],
    &[8, 4, 7],
    &[4, 4, 8],
    &[8, 6, 5],
    &[8, 8, 2, 2, 2],
    &[4, 4, 4, 4, 2],
    &[8, 4, 3, 2, 3],
    &[5, 3, 4, 2, 4],
    &[5, 3, 4, 3, 3],
    &[4, 2, 5, 5, 3],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_of_the_experiments_are_among_the_enumerated_ones() {
        for (pixels, list) in [(28, &WHOLE_28[..]), (32, &WHOLE_32[..])] {
            for layers in list {
                let geometry = Geometry::from_list(layers);
                let top = geometry.depth() - 1;
                assert_eq!(geometry.receptive_field(top), pixels, "{geometry}");
                assert!(geometry.covers(pixels), "{geometry}");
                assert_eq!(geometry.positions(pixels).unwrap().last(), Some(&1), "{geometry}");
                assert!(whole_image(pixels, geometry.depth()).contains(&geometry), "{geometry}");
            }
        }
    }

    #[test]
    fn every_enumerated_geometry_follows_the_rule() {
        let two = whole_image(28, 2);
        for geometry in &two {
            let [first, second] = *geometry.layers() else { panic!("{geometry} has two layers") };
            assert_eq!(first.kernel + (second.kernel - 1) * first.offset, 28, "{geometry}");
        }
        // k1 + (k2 - 1) o1 = 28 with 2 <= o1 <= k1 and k2 >= 2: count the pairs (k2, o1) with (k2 - 1) o1 <= 28 - o1.
        let expected =
            (2..28).map(|offset| (1..28).filter(|steps| steps * offset + offset <= 28).count()).sum::<usize>();
        assert_eq!(two.len(), expected);
        assert!(whole_image(28, 3).len() > 100);
    }

    #[test]
    fn receptive_fields_grow_from_layer_to_layer() {
        let geometry = Geometry::from_list(&[4, 4, 3, 2, 3]);
        assert_eq!([0, 1, 2].map(|top| geometry.receptive_field(top)), [4, 12, 28]);
        assert_eq!(geometry.positions(28).unwrap(), [7, 3, 1]);
        assert_eq!(geometry.to_string(), "k4/4-k3/2-k3");
        assert_eq!(geometry.positions(11), None);
    }
}
