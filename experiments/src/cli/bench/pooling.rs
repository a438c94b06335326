//! Max pooling on random tensors, as training needs it: with the indices of the maxima.

use super::{measure::random, shapes::Pooling};
use patchgrad::{
    Shape, Tensor,
    ops::{MaxPool2dSpec, PoolDims, max_pool2d},
};

fn dims(shape: &Pooling) -> PoolDims {
    let Pooling { batch, input: [h, w, c], kernel, stride } = *shape;
    let spec = MaxPool2dSpec { stride: [stride; 2], ..MaxPool2dSpec::new([kernel; 2]) };
    spec.resolve(Shape::from([batch, h, w, c])).expect("a workload of the list is valid")
}

/// Maxima and their indices.
pub(super) fn forward(shape: &Pooling) -> Box<dyn FnMut()> {
    let dims = dims(shape);
    let (x, mut y) = (random(dims.input()), Tensor::zeros(dims.output()));
    let mut indices = vec![0; y.len()];
    Box::new(move || max_pool2d::forward(&dims, x.as_slice(), y.as_mut_slice(), &mut indices))
}

/// The gradient of the input.
pub(super) fn grad_input(shape: &Pooling) -> Box<dyn FnMut()> {
    let dims = dims(shape);
    let (x, dy, mut dx) = (random(dims.input()), random(dims.output()), Tensor::zeros(dims.input()));
    let mut indices = vec![0; dy.len()];
    // Real indices: which input was the maximum decides where the gradient is written.
    max_pool2d::forward(&dims, x.as_slice(), Tensor::zeros(dims.output()).as_mut_slice(), &mut indices);
    Box::new(move || max_pool2d::grad_input(&dims, &indices, dy.as_slice(), dx.as_mut_slice()))
}
