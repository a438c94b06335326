//! A gradient three times: by the chain rule on paper, by the tape, and by differences.
//!
//! ```text
//! cargo run --release -p patchgrad --example 03_autodiff
//! ```
//!
//! Prints `dL/dw = 1.61538` for L = (tanh(w x) - t)^2 at w = 0.5, x = 2, t = -0.2, found in each of the three ways.

use patchgrad::{Tape, Tensor, Workspace, gradcheck::gradcheck, ops::Conv2dSpec};

fn main() {
    let (w, x, t) = (0.5_f32, 2.0_f32, -0.2_f32);

    // 1. On paper: with y = tanh(w x), dL/dw = 2 (y - t) * (1 - y^2) * x.
    let y = (w * x).tanh();
    let on_paper = 2.0 * (y - t) * (1.0 - y * y) * x;
    println!("on paper:       dL/dw = {on_paper:.5}");

    // 2. The tape computes forward and records; going backward, each step multiplies by its own derivative.
    let (w_tensor, x_tensor, t_tensor) = (Tensor::scalar(w), Tensor::scalar(x), Tensor::scalar(t));
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace);
    let weight = tape.variable(&w_tensor);
    let (input, target) = (tape.input(&x_tensor), tape.input(&t_tensor));
    let product = tape.mul(weight, input);
    let output = tape.tanh(product);
    let loss = tape.mse_loss(output, target);
    let gradients = tape.backward(loss);
    let by_tape = gradients.variable(weight).expect("the loss depends on w").item();
    println!("by the tape:    dL/dw = {by_tape:.5}");

    // 3. Differences: how much L changes when w moves a little to either side.
    let value = |w: f64| ((w * f64::from(x)).tanh() - f64::from(t)).powi(2);
    let step = 1e-5;
    let by_differences = (value(f64::from(w) + step) - value(f64::from(w) - step)) / (2.0 * step);
    println!("by differences: dL/dw = {by_differences:.5}");

    assert!((on_paper - 1.61538).abs() < 5e-6);
    assert!((by_tape - on_paper).abs() < 1e-6);
    assert!((f64::from(by_tape) - by_differences).abs() < 1e-6);

    // `gradcheck` does this for every element of every input of any computation: here a convolution and a tanh.
    let image = Tensor::from_fn([1, 4, 4, 2], |i| (i as f32 * 0.7).sin());
    let kernel = Tensor::from_fn([3, 3, 2, 2], |i| (i as f32 * 1.3).cos() / 4.0);
    let checked = gradcheck(&[image, kernel], |tape, v| {
        let output = tape.conv2d(v[0], v[1], None, &Conv2dSpec { padding: [1, 1], ..Conv2dSpec::new([3, 3]) });
        tape.tanh(output)
    });
    let checked = checked.expect("the gradient of a convolution is right");
    println!("{} partial derivatives of conv2d and tanh checked", checked.elements);
    assert_eq!(checked.elements, 32 + 36);
}
