//! A convolution three times: as loops, as a matrix product, and by the engine.
//!
//! ```text
//! cargo run --release -p patchgrad --example 02_conv_by_hand
//! ```
//!
//! Prints `largest difference: 0`: on small integers f32 is exact, so the order of the sums does not matter.

use patchgrad::{
    Tape, Tensor, Workspace,
    ops::{Conv2dSpec, FoldSpec, conv2d::conv2d},
};

const HEIGHT: usize = 5;
const WIDTH: usize = 6;
const CHANNELS: usize = 2;
const OUTPUTS: usize = 3;
const KERNEL: usize = 3;
const OUT_HEIGHT: usize = HEIGHT - KERNEL + 1;
const OUT_WIDTH: usize = WIDTH - KERNEL + 1;

/// The definition: for every output pixel and channel, the sum over the kernel's pixels and channels.
fn naive(image: &Tensor, weight: &Tensor) -> Tensor {
    let (x, w) = (image.as_slice(), weight.as_slice());
    let mut output = Vec::new();
    for oh in 0..OUT_HEIGHT {
        for ow in 0..OUT_WIDTH {
            for o in 0..OUTPUTS {
                let mut sum = 0.0;
                for kh in 0..KERNEL {
                    for kw in 0..KERNEL {
                        for c in 0..CHANNELS {
                            let pixel = x[((oh + kh) * WIDTH + ow + kw) * CHANNELS + c];
                            sum += pixel * w[((kh * KERNEL + kw) * CHANNELS + c) * OUTPUTS + o];
                        }
                    }
                }
                output.push(sum);
            }
        }
    }
    Tensor::new([1, OUT_HEIGHT, OUT_WIDTH, OUTPUTS], &output)
}

/// The same as one matrix product. Unfolding writes each patch as a row (im2col); the weight, read as a matrix, has a
/// column for each output channel. Every product of a row and a column is one sum of the loops above.
fn patches_times_weights(image: &Tensor, weight: &Tensor) -> Tensor {
    let matrix = weight.clone().reshape([KERNEL * KERNEL * CHANNELS, OUTPUTS]).expect("the same elements");
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace);
    let (x, w) = (tape.input(image), tape.input(&matrix));
    let patches = tape.unfold(x, &FoldSpec::new([KERNEL, KERNEL]));
    println!("patches {} times weights {}", tape.shape(patches), tape.shape(w));
    let product = tape.linear(patches, w, None);
    tape.finish(product)
}

fn main() {
    // Small integers of both signs.
    let image = Tensor::from_fn([1, HEIGHT, WIDTH, CHANNELS], |i| (i * 7 % 11) as f32 - 5.0);
    let weight = Tensor::from_fn([KERNEL, KERNEL, CHANNELS, OUTPUTS], |i| (i * 5 % 7) as f32 - 3.0);

    let by_definition = naive(&image, &weight);
    let by_matrix = patches_times_weights(&image, &weight);
    let spec = Conv2dSpec::new([KERNEL, KERNEL]);
    let by_engine = conv2d(&image, &weight, None, &spec).expect("the kernel fits the image");
    println!("output {}, first pixel {:?}", by_engine.shape(), &by_engine.as_slice()[..OUTPUTS]);

    let difference = |other: &Tensor| {
        let pairs = by_definition.as_slice().iter().zip(other.as_slice());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    let largest = difference(&by_matrix).max(difference(&by_engine));
    println!("largest difference: {largest}");
    assert_eq!(by_definition.shape(), by_engine.shape());
    assert_eq!(largest, 0.0);
}
