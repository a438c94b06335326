//! A convolution is a matrix; the transposed convolution is the transposed matrix. Adjoint, not inverse.
//!
//! ```text
//! cargo run --release -p patchgrad --example 04_transposed_conv
//! ```
//!
//! Prints both matrices of a 1-D and of a 2-D convolution, and for each `<A x, y> = <x, A^T y>`: 1-D 6, 2-D -16.

use patchgrad::{
    Tape, Tensor, Workspace,
    ops::{Conv2dSpec, ConvTranspose2dSpec, conv2d::conv2d},
};

/// A matrix as its rows.
type Rows = Vec<Vec<f32>>;

/// The matrix of a linear map of `inputs` numbers: its column j is what the map makes of the j-th unit vector.
fn matrix(inputs: usize, map: impl Fn(&[f32]) -> Vec<f32>) -> Rows {
    let columns: Rows =
        (0..inputs).map(|j| map(&(0..inputs).map(|i| f32::from(u8::from(i == j))).collect::<Vec<_>>())).collect();
    transposed(&columns)
}

fn transposed(rows: &Rows) -> Rows {
    (0..rows[0].len()).map(|j| rows.iter().map(|row| row[j]).collect()).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn times(rows: &Rows, x: &[f32]) -> Vec<f32> {
    rows.iter().map(|row| dot(row, x)).collect()
}

fn print(name: &str, rows: &Rows) {
    println!("{name} =");
    for row in rows {
        println!("   {}", row.iter().map(|value| format!("{value:>3}")).collect::<String>());
    }
}

/// Prints the matrices of a convolution with `kernel` and of the transposed one on an image of `size`, checks that they
/// are each other's transpose, and returns both sides of the adjoint identity.
fn check(size: [usize; 2], kernel: &Tensor, spec: &Conv2dSpec) -> [f32; 2] {
    let image_shape = [1, size[0], size[1], 1];
    let forward = |x: &[f32]| conv2d(&Tensor::new(image_shape, x), kernel, None, spec).expect("the kernel fits");
    let code_shape = forward(&vec![0.0; size[0] * size[1]]).shape();
    let Conv2dSpec { kernel_size, stride, padding, .. } = *spec;
    let backward = |y: &[f32]| {
        let code = Tensor::new(code_shape, y);
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace);
        let (y, w) = (tape.input(&code), tape.input(kernel));
        let spec = ConvTranspose2dSpec { stride, padding, ..ConvTranspose2dSpec::new(kernel_size) };
        let image = tape.conv_transpose2d(y, w, None, &spec);
        tape.finish(image).as_slice().to_vec()
    };

    let a = matrix(size[0] * size[1], |x| forward(x).as_slice().to_vec());
    let at = matrix(code_shape.len(), backward);
    print("A (conv2d)", &a);
    print("A^T (conv_transpose2d)", &at);
    assert_eq!(at, transposed(&a));

    let x: Vec<f32> = (0..size[0] * size[1]).map(|i| (i * 3 % 5) as f32 - 2.0).collect();
    let y: Vec<f32> = (0..code_shape.len()).map(|i| (i * 2 % 3) as f32 - 1.0).collect();
    let back = times(&at, &times(&a, &x));
    println!("x       = {x:?}\nA^T A x = {back:?}: not x, the transpose is no inverse");
    assert_ne!(back, x);
    [dot(&times(&a, &x), &y), dot(&x, &times(&at, &y))]
}

fn main() {
    // One row of 5 pixels, kernel 1 2 3, stride 2, padding 1: three outputs.
    let kernel = Tensor::new([1, 3, 1, 1], &[1.0, 2.0, 3.0]);
    let spec = Conv2dSpec { stride: [1, 2], padding: [0, 1], ..Conv2dSpec::new([1, 3]) };
    let [left, right] = check([1, 5], &kernel, &spec);
    println!("1-D: <A x, y> = {left}, <x, A^T y> = {right}\n");
    assert_eq!([left, right], [6.0, 6.0]);

    // 3 x 3 pixels, kernel 1 2 / 3 4: each row of A is the kernel laid over the image, row by row.
    let kernel = Tensor::new([2, 2, 1, 1], &[1.0, 2.0, 3.0, 4.0]);
    let [left, right] = check([3, 3], &kernel, &Conv2dSpec::new([2, 2]));
    println!("2-D: <A x, y> = {left}, <x, A^T y> = {right}");
    assert_eq!([left, right], [-16.0, -16.0]);
}
