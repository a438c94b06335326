//! A tensor is a list of numbers and a shape. Images are `[N, H, W, C]`: the channels of one pixel lie side by side.
//!
//! ```text
//! cargo run --release -p patchgrad --example 01_tensor
//! ```
//!
//! Prints `element [1, 2, 3, 1] = 47`: the last of 2 * 3 * 4 * 2 elements that count up from 0.

use patchgrad::{Tensor, layout};

fn main() {
    // Two images of 3 x 4 pixels with 2 channels. Element i, in memory order, is i.
    let images = Tensor::from_fn([2, 3, 4, 2], |i| i as f32);
    println!("shape {} (N, H, W, C), {} elements", images.shape(), images.len());

    // The last axis is the fastest: one step in c moves by 1, in w by C, in h by W * C, in n by H * W * C.
    let [_, height, width, channels] = images.shape().nhwc().expect("an image batch has four axes");
    let offset = |n: usize, h: usize, w: usize, c: usize| ((n * height + h) * width + w) * channels + c;
    let element = images.as_slice()[offset(1, 2, 3, 1)];
    println!("element [1, 2, 3, 1] = {element}");
    assert_eq!(element, 47.0);

    // All channels of a pixel in one slice: this is what makes a patch contiguous.
    let pixel = &images.as_slice()[offset(0, 1, 2, 0)..][..channels];
    println!("pixel (1, 2) of image 0 = {pixel:?}");
    assert_eq!(pixel, [12.0, 13.0]);

    // One image of the batch: samples are contiguous too.
    let second = Tensor::new([1, height, width, channels], images.samples(1..2));
    println!("image 1 begins with {:?}", &second.as_slice()[..4]);
    assert_eq!(second.as_slice()[0], 24.0);

    // PyTorch puts the channels first, so all of channel 0 comes before channel 1.
    let pytorch = layout::image_to_pytorch(&images);
    println!("PyTorch's order: shape {} (N, C, H, W), begins with {:?}", pytorch.shape(), &pytorch.as_slice()[..4]);
    assert_eq!(pytorch.as_slice()[..4], [0.0, 2.0, 4.0, 6.0]);
    assert_eq!(layout::image_from_pytorch(&pytorch), images);

    // A reshape keeps the elements and their order; a wrong size is an error that says what does not fit.
    let rows = images.reshape([2, 24]).expect("2 * 24 = 48 elements");
    let error = rows.reshape([5, 5]).expect_err("5 * 5 = 25 elements");
    println!("{error}");
    assert_eq!(error.to_string(), "reshape: [2, 24] has 48 elements, [5, 5] has 25; a reshape keeps their number");
}
