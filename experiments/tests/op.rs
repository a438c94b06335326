//! `pitfall op` as a user meets it: files in, files out, messages and exit codes.
//!
//! The expected numbers are small integers, on which f32 is exact, from loops in PyTorch's order of axes that share
//! nothing with the engine.

use patchgrad_datasets::npy::{self, NpyArray};
use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

/// A folder with npy files, in which the binary runs.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn save(&self, name: &str, shape: &[usize], data: &[f32]) {
        npy::write(self.path(name), &NpyArray { shape: shape.to_vec(), data: data.to_vec() }).unwrap();
    }

    /// Saves small integers of both signs, which it returns.
    fn save_integers(&self, name: &str, shape: &[usize], seed: usize) -> Vec<f32> {
        let data: Vec<f32> = (0..shape.iter().product()).map(|i| ((i * 7 + i / 5 + seed) % 9) as f32 - 4.0).collect();
        self.save(name, shape, &data);
        data
    }

    fn load(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let NpyArray { shape, data } = npy::read(self.path(name)).unwrap();
        (shape, data)
    }

    /// `pitfall op` with these words, and the folder as working directory.
    fn op(&self, arguments: &str) -> Output {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("pitfall"));
        command.current_dir(self.0.path()).arg("op").args(arguments.split_whitespace()).output().unwrap()
    }

    /// The standard output of [`op`](Self::op), which must succeed.
    fn ok(&self, arguments: &str) -> String {
        let output = self.op(arguments);
        assert!(output.status.success(), "{arguments}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// The standard error of [`op`](Self::op), which must end with exit code 2 and write nothing.
    fn refused(&self, arguments: &str) -> String {
        let files = || fs::read_dir(&self.0).unwrap().count();
        let before = files();
        let output = self.op(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {}", text(&output.stderr));
        assert_eq!(files(), before, "{arguments}: a file was left");
        text(&output.stderr)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A convolution in PyTorch's letters: x `[n, c, h, w]`, weight `[o, c / groups, kh, kw]`, y `[n, o, oh, ow]`.
struct Conv {
    x: [usize; 4],
    weight: [usize; 4],
    y: [usize; 4],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
}

impl Conv {
    fn new(x: [usize; 4], weight: [usize; 4], [stride, padding, dilation]: [[usize; 2]; 3], groups: usize) -> Self {
        let size = |i: usize| (x[i + 2] + 2 * padding[i] - dilation[i] * (weight[i + 2] - 1) - 1) / stride[i] + 1;
        Self { x, weight, y: [x[0], weight[0], size(0), size(1)], stride, padding, dilation, groups }
    }

    fn options(&self) -> String {
        let Self { stride: [sh, sw], padding: [ph, pw], dilation: [dh, dw], groups, .. } = self;
        format!("--stride {sh},{sw} --padding {ph},{pw} --dilation {dh},{dw} --groups {groups}")
    }

    /// `to[i] += a[j] * b[k]` over all products, with the roles of the x, weight and y index chosen by `pick`.
    fn sum(&self, len: usize, a: &[f32], b: &[f32], pick: fn([usize; 3]) -> [usize; 3]) -> Vec<f32> {
        let mut to = vec![0.0; len];
        let ([n, c, h, w], [o, inner, kh, kw], [_, _, oh, ow]) = (self.x, self.weight, self.y);
        let sizes = [n, o, oh, ow, inner, kh, kw];
        for at in 0..sizes.iter().product() {
            let mut rest = at;
            let mut index = [0; 7];
            for (axis, size) in sizes.iter().enumerate().rev() {
                (index[axis], rest) = (rest % size, rest / size);
            }
            let [i_n, i_o, i_oh, i_ow, i_c, i_kh, i_kw] = index;
            let row = (i_oh * self.stride[0] + i_kh * self.dilation[0]).wrapping_sub(self.padding[0]);
            let column = (i_ow * self.stride[1] + i_kw * self.dilation[1]).wrapping_sub(self.padding[1]);
            if row >= h || column >= w {
                continue;
            }
            let channel = i_o / (o / self.groups) * inner + i_c;
            let x = ((i_n * c + channel) * h + row) * w + column;
            let weight = ((i_o * inner + i_c) * kh + i_kh) * kw + i_kw;
            let y = ((i_n * o + i_o) * oh + i_oh) * ow + i_ow;
            let [i, j, k] = pick([x, weight, y]);
            to[i] += a[j] * b[k];
        }
        to
    }

    fn y(&self, x: &[f32], weight: &[f32]) -> Vec<f32> {
        self.sum(self.y.iter().product(), x, weight, |[x, weight, y]| [y, x, weight])
    }

    fn x(&self, y: &[f32], weight: &[f32]) -> Vec<f32> {
        self.sum(self.x.iter().product(), y, weight, |[x, weight, y]| [x, y, weight])
    }

    fn weight(&self, x: &[f32], y: &[f32]) -> Vec<f32> {
        self.sum(self.weight.iter().product(), x, y, |[x, weight, y]| [weight, x, y])
    }
}

/// What a bias adds, in `[n, o, ..]`, and the sum that is its gradient.
fn add_bias(output: &mut [f32], bias: &[f32], plane: usize) {
    output.iter_mut().enumerate().for_each(|(i, value)| *value += bias[i / plane % bias.len()]);
}

fn sums_of_channels(grad: &[f32], channels: usize, plane: usize) -> Vec<f32> {
    let mut sums = vec![0.0; channels];
    grad.iter().enumerate().for_each(|(i, value)| sums[i / plane % channels] += value);
    sums
}

const GRADIENTS: &str = "--grad-output g.npy --grad-input dx.npy --grad-weight dw.npy --grad-bias db.npy";

#[test]
fn conv2d_and_its_gradients_are_those_of_pytorchs_definition() {
    let folder = Folder::new();
    let conv = Conv::new([2, 4, 7, 6], [6, 2, 3, 2], [[2, 1], [1, 2], [1, 2]], 2);
    let x = folder.save_integers("x.npy", &conv.x, 0);
    let weight = folder.save_integers("w.npy", &conv.weight, 3);
    let bias = folder.save_integers("b.npy", &[6], 1);
    let grad = folder.save_integers("g.npy", &conv.y, 5);
    let plane = conv.y[2] * conv.y[3];
    let mut expected = conv.y(&x, &weight);
    add_bias(&mut expected, &bias, plane);
    for algorithm in ["auto", "naive", "im2col"] {
        let options = format!("{} --algorithm {algorithm} {GRADIENTS}", conv.options());
        folder.ok(&format!("conv2d --input x.npy --weight w.npy --bias b.npy {options} --output y.npy"));
        assert_eq!(folder.load("y.npy"), (conv.y.to_vec(), expected.clone()), "{algorithm}");
        assert_eq!(folder.load("dx.npy"), (conv.x.to_vec(), conv.x(&grad, &weight)), "{algorithm}");
        assert_eq!(folder.load("dw.npy"), (conv.weight.to_vec(), conv.weight(&x, &grad)), "{algorithm}");
        assert_eq!(folder.load("db.npy"), (vec![6], sums_of_channels(&grad, 6, plane)), "{algorithm}");
    }
}

#[test]
fn conv_transpose2d_and_its_gradients_are_those_of_pytorchs_definition() {
    let folder = Folder::new();
    // The adjoint convolution goes from [2, 4, 9, 5] with 6 outputs to [2, 6, 4, 3]. Of 9 = 8 + 1 rows, the last is
    // output padding; of 5 columns none is.
    let adjoint = Conv::new([2, 4, 8, 5], [6, 2, 3, 3], [[2, 2], [1, 1], [1, 1]], 2);
    assert_eq!(adjoint.y, [2, 6, 4, 3]);
    let x = folder.save_integers("x.npy", &adjoint.y, 0);
    let weight = folder.save_integers("w.npy", &adjoint.weight, 3);
    let bias = folder.save_integers("b.npy", &[4], 1);
    let grad = folder.save_integers("g.npy", &adjoint.x, 5);
    let plane = adjoint.x[2] * adjoint.x[3];
    let mut expected = adjoint.x(&x, &weight);
    add_bias(&mut expected, &bias, plane);
    for algorithm in ["auto", "naive", "im2col"] {
        let options = format!("{} --output-padding 1,0 --algorithm {algorithm} {GRADIENTS}", adjoint.options());
        folder.ok(&format!("conv_transpose2d --input x.npy --weight w.npy --bias b.npy {options} --output y.npy"));
        assert_eq!(folder.load("y.npy"), (adjoint.x.to_vec(), expected.clone()), "{algorithm}");
        assert_eq!(folder.load("dx.npy"), (adjoint.y.to_vec(), adjoint.y(&grad, &weight)), "{algorithm}");
        assert_eq!(folder.load("dw.npy"), (adjoint.weight.to_vec(), adjoint.weight(&grad, &x)), "{algorithm}");
        assert_eq!(folder.load("db.npy"), (vec![4], sums_of_channels(&grad, 4, plane)), "{algorithm}");
    }
}

#[test]
fn layout_nhwc_is_the_engines_own() {
    let folder = Folder::new();
    // A 1x1 kernel over two channels: y[h, w, o] = sum over c of x[h, w, c] * weight[c, o].
    folder.save("x.npy", &[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]);
    folder.save("w.npy", &[1, 1, 2, 3], &[1.0, 0.0, 10.0, 0.0, 1.0, 100.0]);
    folder.ok("conv2d --layout nhwc --input x.npy --weight w.npy --output y.npy");
    assert_eq!(folder.load("y.npy"), (vec![1, 1, 2, 3], vec![1.0, 2.0, 210.0, 3.0, 4.0, 430.0]));
    folder.save("w.npy", &[2, 1], &[1.0, 10.0]);
    folder.ok("linear --layout nhwc --input x.npy --weight w.npy --output y.npy");
    assert_eq!(folder.load("y.npy"), (vec![1, 1, 2, 1], vec![21.0, 43.0]));
    folder.ok("im2col --layout nhwc --input x.npy --kernel-size 1,2 --output y.npy");
    assert_eq!(folder.load("y.npy"), (vec![1, 1, 1, 4], vec![1.0, 2.0, 3.0, 4.0]));
}

#[test]
fn a_gradient_of_the_bias_needs_no_bias() {
    let folder = Folder::new();
    folder.save("x.npy", &[1, 2], &[1.0, 2.0]);
    folder.save("w.npy", &[3, 2], &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    folder.save("g.npy", &[1, 3], &[5.0, 6.0, 7.0]);
    folder.ok("linear --input x.npy --weight w.npy --output y.npy --grad-output g.npy --grad-bias db.npy");
    assert_eq!(folder.load("y.npy").1, [1.0, 2.0, 3.0]);
    assert_eq!(folder.load("db.npy"), (vec![3], vec![5.0, 6.0, 7.0]));
}

#[test]
fn linear_works_on_the_last_axis_with_pytorchs_weight() {
    let folder = Folder::new();
    folder.save("x.npy", &[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    folder.save("w.npy", &[3, 2], &[1.0, 0.0, 0.0, 1.0, 1.0, 10.0]);
    folder.save("b.npy", &[3], &[0.0, 0.0, 100.0]);
    folder.save("g.npy", &[2, 3], &[1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    folder.ok(&format!("linear --input x.npy --weight w.npy --bias b.npy --output y.npy {GRADIENTS}"));
    assert_eq!(folder.load("y.npy"), (vec![2, 3], vec![1.0, 2.0, 121.0, 3.0, 4.0, 143.0]));
    assert_eq!(folder.load("dx.npy"), (vec![2, 2], vec![1.0, 0.0, 1.0, 10.0]));
    assert_eq!(folder.load("dw.npy"), (vec![3, 2], vec![1.0, 2.0, 0.0, 0.0, 3.0, 4.0]));
    assert_eq!(folder.load("db.npy"), (vec![3], vec![1.0, 0.0, 1.0]));
}

#[test]
fn im2col_orders_a_patch_by_channel_row_and_column() {
    let folder = Folder::new();
    // Channel 0 is 1 2 3, channel 1 is 4 5 6; patches of one row and two columns at two positions.
    folder.save("x.npy", &[1, 2, 1, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    folder.save("g.npy", &[1, 4, 2], &[1.0; 8]);
    folder.ok("im2col --input x.npy --kernel-size 1,2 --output y.npy --grad-output g.npy --grad-input dx.npy");
    assert_eq!(folder.load("y.npy"), (vec![1, 4, 2], vec![1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 5.0, 6.0]));
    assert_eq!(folder.load("dx.npy"), (vec![1, 2, 1, 3], vec![1.0, 2.0, 1.0, 1.0, 2.0, 1.0]));
}

#[test]
fn pooling_routes_back_and_unpooling_puts_back() {
    let folder = Folder::new();
    // Two channels of 3 x 3. The stride is the kernel size; ceil mode keeps the cut windows at the edge.
    let x = [1.0, 2.0, 9.0, 4.0, 3.0, 5.0, 7.0, 8.0, 6.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0];
    folder.save("x.npy", &[1, 2, 3, 3], &x);
    folder.save("g.npy", &[1, 2, 2, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    folder
        .ok("max_pool2d --input x.npy --kernel-size 2 --ceil-mode --output y.npy --indices i.npy --grad-output g.npy \
         --grad-input dx.npy");
    let places = [3, 2, 7, 8, 0, 2, 6, 8];
    let maxima: Vec<f32> = places.iter().enumerate().map(|(i, at)| x[i / 4 * 9 + at]).collect();
    assert_eq!(maxima, [4.0, 9.0, 8.0, 6.0, 9.0, 7.0, 3.0, 1.0]);
    assert_eq!(folder.load("y.npy"), (vec![1, 2, 2, 2], maxima.clone()));
    assert_eq!(folder.load("i.npy"), (vec![1, 2, 2, 2], places.map(|at| at as f32).to_vec()));
    let scatter = |values: &[f32]| {
        let mut plane = vec![0.0; 18];
        values.iter().enumerate().for_each(|(i, value)| plane[i / 4 * 9 + places[i]] = *value);
        plane
    };
    assert_eq!(folder.load("dx.npy").1, scatter(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]));

    folder.save("h.npy", &[1, 2, 3, 3], &x);
    folder.ok("max_unpool2d --input y.npy --indices i.npy --output-size 3,3 --output u.npy --grad-output h.npy \
         --grad-input du.npy");
    assert_eq!(folder.load("u.npy"), (vec![1, 2, 3, 3], scatter(&maxima)));
    assert_eq!(folder.load("du.npy"), (vec![1, 2, 2, 2], maxima));

    // Without ceil mode there is one window a channel; dilation 2 reads the corners.
    folder.ok("max_pool2d --input x.npy --kernel-size 2,2 --output y.npy");
    assert_eq!(folder.load("y.npy"), (vec![1, 2, 1, 1], vec![4.0, 9.0]));
    folder.ok("max_pool2d --input x.npy --kernel-size 2,2 --dilation 2 --stride 1 --output y.npy");
    assert_eq!(folder.load("y.npy"), (vec![1, 2, 1, 1], vec![9.0, 9.0]));
}

#[test]
fn average_pooling_counts_the_padding_unless_told_not_to() {
    let folder = Folder::new();
    folder.save("x.npy", &[1, 1, 2, 2], &[4.0, 8.0, 12.0, 16.0]);
    folder.save("g.npy", &[1, 1, 2, 2], &[4.0, 8.0, 12.0, 16.0]);
    let pool =
        "avg_pool2d --input x.npy --kernel-size 2 --padding 1 --output y.npy --grad-output g.npy --grad-input dx.npy";
    let quarter = (vec![1, 1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]);
    for (option, expected) in [
        ("", &quarter),
        ("--count-include-pad", &quarter),
        ("--count-include-pad true", &quarter),
        ("--count-include-pad=false", &(vec![1, 1, 2, 2], vec![4.0, 8.0, 12.0, 16.0])),
    ] {
        folder.ok(&format!("{pool} {option}"));
        assert_eq!(&folder.load("y.npy"), expected, "{option}");
        assert_eq!(&folder.load("dx.npy"), expected, "{option}");
    }
}

#[test]
fn activations_take_any_shape() {
    let folder = Folder::new();
    let x = [-2.0_f32, -0.5, 0.5, 3.0];
    folder.save("x.npy", &[2, 2, 1], &x);
    folder.save("g.npy", &[2, 2, 1], &[2.0; 4]);
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    type Function<'f> = &'f dyn Fn(f32) -> f32;
    let table: [(&str, Function, Function); 7] = [
        ("softsign", &|x| x / (1.0 + x.abs()), &|x| 1.0 / (1.0 + x.abs()).powi(2)),
        ("tanh", &|x| x.tanh(), &|x| 1.0 - x.tanh().powi(2)),
        ("sigmoid", &sigmoid, &|x| sigmoid(x) * (1.0 - sigmoid(x))),
        ("relu", &|x| x.max(0.0), &|x| f32::from(u8::from(x > 0.0))),
        ("leaky_relu", &|x| x.max(0.01 * x), &|x| if x > 0.0 { 1.0 } else { 0.01 }),
        ("leaky_relu --negative-slope 0.5", &|x| x.max(0.5 * x), &|x| if x > 0.0 { 1.0 } else { 0.5 }),
        ("softplus", &|x| x.exp().ln_1p(), &sigmoid),
    ];
    for (op, value, slope) in table {
        folder.ok(&format!("{op} --input x.npy --output y.npy --grad-output g.npy --grad-input dx.npy"));
        for (name, expected) in [("y.npy", x.map(value)), ("dx.npy", x.map(|x| 2.0 * slope(x)))] {
            let (shape, got) = folder.load(name);
            assert_eq!(shape, [2, 2, 1]);
            assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{op} {name}: {got:?} {expected:?}");
        }
    }
}

#[test]
fn without_an_output_file_the_output_is_printed() {
    let folder = Folder::new();
    folder.save("x.npy", &[1, 1, 2, 2], &[-1.0, 2.0, 3.5, -4.0]);
    let printed = folder.ok("relu --input x.npy");
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(printed.lines().next(), Some("output [1, 1, 2, 2]"));
    assert_eq!(lines[1..], [["0", "2"], ["3.5", "0"]]);
    assert_eq!(folder.ok("relu --input x.npy --output y.npy"), "");
}

#[test]
fn mistakes_teach_and_end_with_exit_code_2() {
    let folder = Folder::new();
    folder.save("x.npy", &[1, 3, 4, 4], &[0.0; 48]);
    folder.save("w.npy", &[8, 3, 7, 7], &[0.0; 8 * 147]);
    folder.save("flat.npy", &[3, 4], &[0.0; 12]);
    folder.save("rank5.npy", &[1; 5], &[0.0]);
    fs::write(folder.path("no.npy"), "not an array").unwrap();
    let table = [
        (
            "conv2d --input x.npy --weight w.npy --padding 1 --output y.npy",
            "conv2d: kernel 7x7 does not fit the padded input 6x6 (input [1, 4, 4, 3] (N, H, W, C), padding 1x1); try padding \
             >= 2x2",
        ),
        ("conv2d --input x.npy --weight w.npy --padding 9999 --output y.npy", "more than 268435456 values"),
        (
            "conv2d --input x.npy --weight w.npy --padding 16777216 --stride 16777216 --output y.npy",
            "the padded image [1, 33554436, 33554436, 3] would have more than 268435456 values",
        ),
        ("im2col --input x.npy --kernel-size 9999999 --padding 9999999 --output y.npy", "would not fit into memory"),
        (
            "conv2d --input flat.npy --weight w.npy --output y.npy",
            "input has shape [3, 4]; layout nchw expects four sizes",
        ),
        ("conv2d --layout nhwc --input flat.npy --weight w.npy", "the input [3, 4] needs four sizes (N, H, W, C)"),
        ("relu --input rank5.npy --output y.npy", "at most four axes"),
        ("relu --input no.npy --output y.npy", "expected 93 \"NUMPY\""),
        ("relu --input nowhere.npy --output y.npy", "nowhere.npy"),
        ("relu --input x.npy --output no/such/folder/y.npy", "cannot write no/such/folder/y.npy"),
        ("relu --input x.npy --output y.npy --grad-input dx.npy", "grad_output is missing"),
        (
            "relu --input x.npy --output y.npy --grad-output x.npy --grad-input y.npy",
            "two results would go to this file",
        ),
        (
            "relu --input x.npy --output y.npy --grad-output x.npy --grad-input ./y.npy",
            "two results would go to this file",
        ),
        (
            "max_pool2d --input x.npy --kernel-size 2 --grad-output x.npy --grad-input dx.npy",
            "grad_output has shape [1, 3, 4, 4], the output has shape [1, 3, 2, 2]",
        ),
        ("max_pool2d --input x.npy --kernel-size 2 --stride 0", "stride is 0x0; every entry must be at least 1"),
        ("leaky_relu --input x.npy --negative-slope=-1", "negative_slope is -1"),
        ("leaky_relu --input x.npy --negative-slope nan", "negative_slope is NaN"),
        ("conv2d --input x.npy --weight w.npy --stride 2,2,2", "expected HEIGHT,WIDTH or one number"),
        ("conv2d --input x.npy --weight w.npy --algorithm fast", "expected one of auto, naive, im2col"),
        ("conv2d --input x.npy --weight w.npy --strid 2", "--stride"),
        ("relu --input x.npy --stride 2", "unexpected argument '--stride'"),
        ("conv2", "conv2d"),
        ("--cases nowhere.jsonl", "cannot read nowhere.jsonl"),
    ];
    for (arguments, message) in table {
        let error = folder.refused(arguments);
        assert!(error.contains(message), "{arguments}: {error}");
        assert!(!error.contains("panicked"), "{arguments}: {error}");
    }
}

#[test]
fn a_bad_case_does_not_stop_the_others() {
    let folder = Folder::new();
    fs::create_dir(folder.path("sub")).unwrap();
    folder.save("sub/x.npy", &[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]);
    folder.save("sub/w.npy", &[1, 1, 2, 1], &[1.0, 10.0]);
    folder.save("sub/g.npy", &[1, 1, 1, 2], &[1.0, 2.0]);
    let cases = r#"{"op": "conv2d", "input": "x.npy", "weight": "w.npy", "stride": [1, 1], "output": "y.npy", "bias": null}
{"op": "conv2d", "input": "x.npy", "weight": "w.npy", "grad_output": "g.npy", "grad_weight": "dw.npy", "padding": 0}

{"op": "conv2d", "input": "x.npy", "weight": "w.npy", "strid": [1, 1]}
{"op": "conv2d", "input": "x.npy", "weight": "w.npy", "colour": "red"}
{"op": "conv2", "input": "x.npy"}
{"op": "conv2d", "input": "x.npy"}
{"input": "x.npy"}
{"op": "relu", "input": "x.npy"
[1, 2]
{"op": "avg_pool2d", "input": "x.npy", "kernel_size": [[2]], "count_include_pad": false}
{"op": "avg_pool2d", "input": "x.npy", "kernel_size": [5, 5]}
{"op": "relu", "input": "x.npy", "help": true}
{"op": "avg_pool2d", "input": "x.npy", "kernel_size": [2, 2], "count_include_pad": false, "output": "mean.npy"}
"#;
    fs::write(folder.path("sub/cases.jsonl"), cases).unwrap();
    let output = folder.op("--cases sub/cases.jsonl");
    let expected = [
        Ok(()),
        Ok(()),
        Err("conv2d: unknown key \"strid\"; did you mean \"stride\"?"),
        Err("conv2d: unknown key \"colour\"; expected one of input, output, grad_output, grad_input, layout, weight"),
        Err("unknown op \"conv2\"; did you mean \"conv2d\"?"),
        Err("conv2d: missing key weight"),
        Err("key \"op\" is missing"),
        Err("not a JSON object"),
        Err("not a JSON object"),
        Err("key \"kernel_size\" is [[2]]; expected text, a number, true, false or an array of numbers"),
        Err("avg_pool2d: kernel 5x5 (dilation 1x1) does not fit the padded input 2x2"),
        Err("relu: unknown key \"help\"; expected one of input"),
        Ok(()),
    ];
    let lines: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), expected.len());
    for (case, (line, expected)) in lines.iter().zip(expected).enumerate() {
        assert_eq!(line["case"], case);
        match expected {
            Ok(()) => assert_eq!(line.as_object().unwrap().len(), 2, "{line}"),
            Err(message) => assert!(line["error"].as_str().unwrap().starts_with(message), "{line}"),
        }
        assert_eq!(line["ok"], expected.is_ok());
    }
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("10 of 13 cases failed"));
    assert_eq!(folder.load("sub/y.npy"), (vec![1, 1, 1, 2], vec![31.0, 42.0]));
    assert_eq!(folder.load("sub/dw.npy"), (vec![1, 1, 2, 1], vec![5.0, 11.0]));
    assert_eq!(folder.load("sub/mean.npy").1, [2.5]);

    fs::write(folder.path("good.jsonl"), "{\"op\": \"relu\", \"input\": \"sub/x.npy\"}").unwrap();
    assert_eq!(folder.ok("--cases good.jsonl"), "{\"case\":0,\"ok\":true}\n");
}
