//! Pooling, and the way its gradient takes back.
//!
//! ```text
//! cargo run --release -p patchgrad --example 05_pooling
//! ```
//!
//! Prints the maxima `6 8 9 7` of a 4 x 4 image, their places `[5, 3, 8, 11]`, and routes a gradient back to where they stood.

use patchgrad::{
    Tape, Tensor, Workspace,
    ops::{AvgPool2dSpec, MaxPool2dSpec},
};

fn print(name: &str, values: &[f32], width: usize) {
    println!("{name}");
    for row in values.chunks(width) {
        println!("  {}", row.iter().map(|value| format!("{value:>6}")).collect::<String>());
    }
}

fn main() {
    #[rustfmt::skip]
    let image = Tensor::new([1, 4, 4, 1], &[
        1.0, 2.0, 3.0, 8.0,
        5.0, 6.0, 4.0, 0.0,
        9.0, 1.0, 2.0, 7.0,
        0.0, 3.0, 5.0, 6.0,
    ]);
    let cotangent = Tensor::new([1, 2, 2, 1], &[1.0, 2.0, 3.0, 4.0]);
    let mut workspace = Workspace::new();

    // The largest of each 2 x 2 window, and where it stood: h * W + w.
    let mut tape = Tape::new(&mut workspace);
    let x = tape.variable(&image);
    let (pooled, indices) = tape.max_pool2d(x, &MaxPool2dSpec::new([2, 2]));
    print("maxima", tape.value(pooled).as_slice(), 2);
    println!("at {:?}", tape.indices(indices).as_slice());
    assert_eq!(tape.value(pooled).as_slice(), [6.0, 8.0, 9.0, 7.0]);
    assert_eq!(tape.indices(indices).as_slice(), [5, 3, 8, 11]);

    // Un-pooling puts the maxima back and leaves the rest zero: the switches of a deconvolution network.
    let unpooled = tape.max_unpool2d(pooled, indices, [4, 4]);
    print("un-pooled", tape.value(unpooled).as_slice(), 4);

    // Only the maximum had a say, so only it gets the gradient: 1 2 3 4 go to the places of 6 8 9 7.
    let gradients = tape.backward_from(pooled, &cotangent);
    let routed = gradients.variable(x).expect("the maxima depend on the image").as_slice();
    print("gradient of the image", routed, 4);
    #[rustfmt::skip]
    assert_eq!(routed, [
        0.0, 0.0, 0.0, 2.0,
        0.0, 1.0, 0.0, 0.0,
        3.0, 0.0, 0.0, 4.0,
        0.0, 0.0, 0.0, 0.0,
    ]);

    // Windows that overlap may share a maximum; its gradients add. 3 x 3 windows, stride 1: the 9 wins two of four.
    let mut tape = Tape::new(&mut workspace);
    let x = tape.variable(&image);
    let (pooled, _) = tape.max_pool2d(x, &MaxPool2dSpec { stride: [1, 1], ..MaxPool2dSpec::new([3, 3]) });
    print("maxima of overlapping windows", tape.value(pooled).as_slice(), 2);
    let gradients = tape.backward_from(pooled, &cotangent);
    let overlapping = gradients.variable(x).expect("the maxima depend on the image").as_slice();
    print("gradient of the image", overlapping, 4);
    assert_eq!((overlapping[8], overlapping[3], overlapping[11]), (1.0 + 3.0, 2.0, 4.0));

    // The mean treats all pixels of a window alike, and so does its gradient: a quarter each.
    let mut tape = Tape::new(&mut workspace);
    let x = tape.variable(&image);
    let mean = tape.avg_pool2d(x, &AvgPool2dSpec::new([2, 2]));
    print("means", tape.value(mean).as_slice(), 2);
    assert_eq!(tape.value(mean).as_slice(), [3.5, 3.75, 3.25, 5.0]);
    let gradients = tape.backward_from(mean, &cotangent);
    let spread = gradients.variable(x).expect("the means depend on the image").as_slice();
    print("gradient of the image", spread, 4);
    assert_eq!(spread[..4], [0.25, 0.25, 0.5, 0.5]);
}
