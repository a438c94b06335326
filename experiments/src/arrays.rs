//! Tensors as arrays of npy and npz files.

use patchgrad::Tensor;
use patchgrad_datasets::NpyArray;

/// The array of a file that holds `tensor`, of the same shape.
pub(crate) fn npy_array(tensor: &Tensor) -> NpyArray {
    NpyArray { shape: tensor.shape().dims().to_vec(), data: tensor.as_slice().to_vec() }
}
