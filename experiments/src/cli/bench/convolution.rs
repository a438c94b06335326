//! One pass of a convolution or transposed convolution on random tensors, with the bias as a layer has it.

use super::{measure::random, shapes::Convolution};
use patchgrad::{
    Shape, Tensor, Workspace,
    ops::{
        Conv2dSpec, ConvAlgorithm, ConvTranspose2dSpec, conv_transpose2d,
        conv2d::{self, Conv2dDims, Pass},
    },
};

/// The sizes of the convolution, or of the one that a transposed convolution is the adjoint of.
pub(super) fn dims(shape: &Convolution, transposed: bool) -> Conv2dDims {
    let Convolution { batch, input: [h, w, c], out_channels, kernel, stride, padding } = *shape;
    let (stride, padding) = ([stride; 2], [padding; 2]);
    let input = Shape::from([batch, h, w, c]);
    let dims = if transposed {
        let spec = ConvTranspose2dSpec { stride, padding, ..ConvTranspose2dSpec::new([kernel; 2]) };
        let weight = Shape::from([kernel, kernel, out_channels, c]);
        spec.resolve(input, weight, None).map(|dims| dims.adjoint)
    } else {
        let spec = Conv2dSpec { stride, padding, ..Conv2dSpec::new([kernel; 2]) };
        spec.resolve(input, Shape::from([kernel, kernel, c, out_channels]), None)
    };
    dims.expect("a workload of the list is valid")
}

/// The algorithm that computes the passes when `asked` is asked for.
pub(super) fn algorithm(shape: &Convolution, transposed: bool, asked: ConvAlgorithm) -> ConvAlgorithm {
    Conv2dDims { algorithm: asked, ..dims(shape, transposed) }.chosen_algorithm()
}

/// One pass of conv2d.
pub(super) fn conv2d(shape: &Convolution, pass: Pass, algorithm: ConvAlgorithm) -> Box<dyn FnMut()> {
    let dims = Conv2dDims { algorithm, ..dims(shape, false) };
    let mut workspace = Workspace::new();
    let [input, weight, output] = [dims.input(), dims.weight(), dims.output()];
    let bias = Shape::from([shape.out_channels]);
    match pass {
        Pass::Forward => {
            let ([x, w, b], mut y) = ([input, weight, bias].map(random), Tensor::zeros(output));
            Box::new(move || {
                let (x, w, b) = (x.as_slice(), w.as_slice(), Some(b.as_slice()));
                conv2d::forward(&dims, x, w, b, y.as_mut_slice(), &mut workspace);
            })
        }
        Pass::GradInput => {
            let ([dy, w], mut dx) = ([output, weight].map(random), Tensor::zeros(input));
            Box::new(move || {
                conv2d::grad_input(&dims, dy.as_slice(), w.as_slice(), dx.as_mut_slice(), &mut workspace);
            })
        }
        Pass::GradWeight => {
            let ([x, dy], [mut dw, mut db]) = ([input, output].map(random), [weight, bias].map(Tensor::zeros));
            Box::new(move || {
                let gradients = [dw.as_mut_slice(), db.as_mut_slice()];
                conv2d::grad_weight_and_bias(&dims, x.as_slice(), dy.as_slice(), gradients, &mut workspace);
            })
        }
    }
}

/// One pass of conv_transpose2d.
pub(super) fn conv_transpose2d(shape: &Convolution, pass: Pass, algorithm: ConvAlgorithm) -> Box<dyn FnMut()> {
    let adjoint = Conv2dDims { algorithm, ..dims(shape, true) };
    let dims = conv_transpose2d::ConvTranspose2dDims { adjoint };
    let mut workspace = Workspace::new();
    let [input, weight, output] = [dims.input(), adjoint.weight(), dims.output()];
    let bias = Shape::from([shape.out_channels]);
    match pass {
        Pass::Forward => {
            let ([x, w, b], mut y) = ([input, weight, bias].map(random), Tensor::zeros(output));
            Box::new(move || {
                let (x, w, b) = (x.as_slice(), w.as_slice(), Some(b.as_slice()));
                conv_transpose2d::forward(&dims, x, w, b, y.as_mut_slice(), &mut workspace);
            })
        }
        Pass::GradInput => {
            let ([dy, w], mut dx) = ([output, weight].map(random), Tensor::zeros(input));
            Box::new(move || {
                conv_transpose2d::grad_input(&dims, dy.as_slice(), w.as_slice(), dx.as_mut_slice(), &mut workspace);
            })
        }
        Pass::GradWeight => {
            let ([x, dy], [mut dw, mut db]) = ([input, output].map(random), [weight, bias].map(Tensor::zeros));
            Box::new(move || {
                conv_transpose2d::grad_weight(&dims, x.as_slice(), dy.as_slice(), dw.as_mut_slice(), &mut workspace);
                conv2d::grad_bias(dy.as_slice(), db.as_mut_slice(), &mut workspace);
            })
        }
    }
}
