//! The gradients of the reference loops in f64 against central differences, and the engine against the loops.
//!
//! [`patchgrad::reference`](mod@patchgrad::reference) adds up in f64. On small whole numbers its sums are exact, and so are
//! differences with a step of a power of two, so what is linear in its inputs must agree to the last bit; activations and
//! losses are smooth functions in f64, whose fourth-order difference quotient has an error of the order of h^4. The bar is
//! the protocol's 1e-6. The last check ties the two together: the engine's results and gradients *equal* those of the loops.

use super::{
    Bar, Check,
    engine_gradients::{ACTIVATIONS, convolution_shapes, distinct},
};
use patchgrad::{
    Shape, Tape, Tensor, Workspace,
    ops::{AvgPool2dSpec, Conv2dDims, Conv2dSpec, ConvAlgorithm, FoldSpec, MaxPool2dSpec},
    random::stream,
    reference,
};
use rand::RngExt;

/// The protocol's bar for f64.
const MOST: Bar = Bar::AtMost(1e-6);

/// The step for what is smooth: a power of two, exact in the f32 inputs of the losses, which are multiples of it.
const STEP: f64 = 1.0 / 1024.0;

/// The checks of this group.
pub fn checks() -> Vec<Check> {
    let mut checks = vec![
        check("conv2d", "convolution with respect to image and weight", convolution),
        check("conv_transpose2d", "transposed convolution with respect to image and weight", transposed_convolution),
        check("max_pool2d", "max-pooling", max_pooling),
        check("avg_pool2d", "average pooling", average_pooling),
        check(
            "unfold_fold",
            "patches of an image: their gradient is the fold, and that of the fold the patches",
            folding,
        ),
        check("loss/mse", "mean squared error", || loss(|x| reference::mse_loss(x, &values(12, 1)))),
        check("loss/bce_with_logits", "binary cross-entropy of logits", || {
            let target: Vec<f32> = (0..12).map(|i| (i % 5) as f32 / 4.0).collect();
            loss(move |x| reference::bce_with_logits(x, &target))
        }),
        check("loss/cross_entropy", "cross-entropy of the softmax", || {
            loss(|x| reference::cross_entropy(4, x, &[3, 0, 2]))
        }),
    ];
    checks.push(check("activation", "every activation, at points from -6 to 6", activations));
    checks.push(Check::new(
        "gradient64/engine",
        "the engine equals the f64 loops",
        "conv2d of small whole numbers by four algorithms on the tape: values of the output and of both gradients that differ",
        Bar::AtMost(0.0),
        |_| Ok(engine_differences() as f64),
    ));
    checks
}

fn check(name: &str, what: &str, measure: impl Fn() -> f64 + Send + Sync + 'static) -> Check {
    let how = "reference loop in f64 against central differences in every element; error / largest derivative";
    Check::new(format!("gradient64/{name}"), format!("f64 gradient: {what}"), how, MOST, move |_| Ok(measure()))
}

/// Whole numbers from -3 to 3.
fn whole(len: usize, index: u64) -> Vec<f32> {
    let mut stream = stream(5, "validation whole", index);
    (0..len).map(|_| stream.random_range(-3i32..=3) as f32).collect()
}

/// Multiples of 1/1024 between -3 and 3.
fn values(len: usize, index: u64) -> Vec<f32> {
    let mut stream = stream(5, "validation values", index);
    (0..len).map(|_| stream.random_range(-3072i32..=3072) as f32 / 1024.0).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// The largest `|gradient - (L(x + h) - L(x - h)) / 2h|` over the elements of x, as a share of the largest quotient, for L
/// that is linear over two steps.
fn linear_error(x: &[f32], step: f32, gradient: &[f32], value: impl Fn(&[f32]) -> f64) -> f64 {
    let quotient = |i: usize| {
        let at = |step: f32| {
            let mut moved = x.to_vec();
            moved[i] += step;
            value(&moved)
        };
        (at(step) - at(-step)) / (2.0 * f64::from(step))
    };
    relative(gradient.iter().map(|&g| f64::from(g)), (0..x.len()).map(quotient))
}

/// The largest difference as a share of the largest of the second values; NaN if there is one.
fn relative(analytic: impl Iterator<Item = f64>, numeric: impl Iterator<Item = f64>) -> f64 {
    let (mut worst, mut largest) = (0.0f64, 0.0f64);
    for (analytic, numeric) in analytic.zip(numeric) {
        let error = (analytic - numeric).abs();
        if error.is_nan() {
            return f64::NAN;
        }
        worst = worst.max(error);
        largest = largest.max(numeric.abs());
    }
    worst / largest
}

/// Sizes of a convolution of a few images.
fn dims(input: [usize; 4], weight: [usize; 4], spec: &Conv2dSpec) -> Conv2dDims {
    spec.resolve(Shape::from(input), Shape::from(weight), None).expect("the shapes of the table fit")
}

/// What `fill` writes into `len` values.
fn filled(len: usize, fill: impl FnOnce(&mut [f32])) -> Vec<f32> {
    let mut values = vec![f32::NAN; len];
    fill(&mut values);
    values
}

/// Image, weight and cotangent of a convolution, with the two gradients of the loops.
struct Convolution {
    dims: Conv2dDims,
    image: Vec<f32>,
    weight: Vec<f32>,
    output: Vec<f32>,
}

fn tables() -> Vec<Convolution> {
    let table = |(input, weight, spec): ([usize; 4], [usize; 4], Conv2dSpec)| {
        let dims = dims(input, weight, &spec);
        let (image, kernel) = (whole(input.iter().product(), 0), whole(weight.iter().product(), 1));
        Convolution { dims, image, weight: kernel, output: whole(dims.output().len(), 2) }
    };
    convolution_shapes().into_iter().map(table).collect()
}

fn convolution() -> f64 {
    let error = |Convolution { dims, image, weight, output }: Convolution| {
        let value = |x: &[f32], w: &[f32]| dot(&filled(output.len(), |y| reference::conv2d(&dims, x, w, y)), &output);
        let of_image = filled(image.len(), |g| reference::conv2d_grad_input(&dims, &output, &weight, g));
        let of_weight = filled(weight.len(), |g| reference::conv2d_grad_weight(&dims, &image, &output, g));
        let image_error = linear_error(&image, 1.0, &of_image, |x| value(x, &weight));
        image_error.max(linear_error(&weight, 1.0, &of_weight, |w| value(&image, w)))
    };
    tables().into_iter().map(error).fold(0.0, f64::max)
}

/// Its forward pass is the convolution's gradient of the image; `output` is what goes in, `image` what the cotangent is of.
fn transposed_convolution() -> f64 {
    let error = |Convolution { dims, image: cotangent, weight, output: input }: Convolution| {
        let value = |x: &[f32], w: &[f32]| {
            dot(&filled(cotangent.len(), |y| reference::conv2d_grad_input(&dims, x, w, y)), &cotangent)
        };
        let of_input = filled(input.len(), |g| reference::conv2d(&dims, &cotangent, &weight, g));
        let of_weight = filled(weight.len(), |g| reference::conv2d_grad_weight(&dims, &cotangent, &input, g));
        let input_error = linear_error(&input, 1.0, &of_input, |x| value(x, &weight));
        input_error.max(linear_error(&weight, 1.0, &of_weight, |w| value(&input, w)))
    };
    tables().into_iter().map(error).fold(0.0, f64::max)
}

fn max_pooling() -> f64 {
    let spec = MaxPool2dSpec { stride: [2, 1], padding: [1, 1], ..MaxPool2dSpec::new([3, 3]) };
    // Multiples of 1/8, so that a step of 1/32 changes the place of no maximum.
    let image = distinct([2, 5, 6, 2], 0);
    let dims = spec.resolve(image.shape()).expect("the window fits");
    let cotangent = whole(dims.output().len(), 3);
    let mut indices = vec![0; cotangent.len()];
    reference::max_pool2d(&dims, image.as_slice(), &mut vec![0.0; cotangent.len()], &mut indices);
    let gradient = filled(image.len(), |g| reference::max_pool2d_grad_input(&dims, &indices, &cotangent, g));
    linear_error(image.as_slice(), 1.0 / 32.0, &gradient, |x| {
        let mut indices = vec![0; cotangent.len()];
        dot(&filled(cotangent.len(), |y| reference::max_pool2d(&dims, x, y, &mut indices)), &cotangent)
    })
}

fn average_pooling() -> f64 {
    // Divisors of four, so that means of whole numbers are exact.
    let spec = AvgPool2dSpec { stride: [1, 2], padding: [1, 1], ..AvgPool2dSpec::new([2, 2]) };
    let image = whole(2 * 5 * 6 * 2, 4);
    let dims = spec.resolve(Shape::from([2, 5, 6, 2])).expect("the window fits");
    let cotangent = whole(dims.output().len(), 5);
    let gradient = filled(image.len(), |g| reference::avg_pool2d_grad_input(&dims, true, &cotangent, g));
    linear_error(&image, 1.0, &gradient, |x| {
        dot(&filled(cotangent.len(), |y| reference::avg_pool2d(&dims, true, x, y)), &cotangent)
    })
}

fn folding() -> f64 {
    let spec = FoldSpec { stride: [2, 1], padding: [1, 0], ..FoldSpec::new([3, 2]) };
    let dims = spec.resolve(Shape::from([2, 5, 4, 2])).expect("the window fits");
    let sizes = [dims.batch, dims.channels];
    let (image, patches) = (whole(dims.image().len(), 6), whole(dims.patches().len(), 7));
    let to_patches = |x: &[f32]| filled(patches.len(), |y| reference::unfold(&dims.window, sizes, x, y));
    let to_image = |x: &[f32]| filled(image.len(), |y| reference::fold(&dims.window, sizes, x, y));
    let unfold = linear_error(&image, 1.0, &to_image(&patches), |x| dot(&to_patches(x), &patches));
    unfold.max(linear_error(&patches, 1.0, &to_patches(&image), |x| dot(&to_image(x), &image)))
}

/// The fourth-order difference quotient of `f` at 0.
fn quotient(f: impl Fn(f64) -> f64) -> f64 {
    let difference = |step: f64| f(step) - f(-step);
    (8.0 * difference(STEP) - difference(2.0 * STEP)) / (12.0 * STEP)
}

fn activations() -> f64 {
    let error = |activation| {
        // No point within two steps of the kink at 0.
        let points = (0..240).map(|i| f64::from(i) * 0.05 - 5.975);
        let slopes = points.clone().map(|x| reference::activation(activation, x).1);
        let numeric = points.map(|x| quotient(|step| reference::activation(activation, x + step).0));
        relative(slopes, numeric)
    };
    ACTIVATIONS.map(error).into_iter().fold(0.0, f64::max)
}

/// Of a loss of 12 values that gives its gradient along.
fn loss(of: impl Fn(&[f32]) -> (f64, Vec<f64>)) -> f64 {
    let x = values(12, 0);
    let gradient = of(&x).1;
    let numeric = (0..x.len()).map(|i| {
        quotient(|step| {
            let mut moved = x.clone();
            moved[i] += step as f32;
            of(&moved).0
        })
    });
    relative(gradient.into_iter(), numeric)
}

/// How many values of the engine differ from the loops, over all tables and exact algorithms.
fn engine_differences() -> usize {
    let algorithms = [ConvAlgorithm::Im2col, ConvAlgorithm::Direct, ConvAlgorithm::AutoExact, ConvAlgorithm::Naive];
    let mut differences = 0;
    for ((input, weight, spec), table) in convolution_shapes().into_iter().zip(tables()) {
        let Convolution { dims, image, weight: kernel, output } = table;
        let expected = [
            filled(output.len(), |y| reference::conv2d(&dims, &image, &kernel, y)),
            filled(image.len(), |g| reference::conv2d_grad_input(&dims, &output, &kernel, g)),
            filled(kernel.len(), |g| reference::conv2d_grad_weight(&dims, &image, &output, g)),
        ];
        let [image, kernel] = [Tensor::new(input, &image), Tensor::new(weight, &kernel)];
        let cotangent = Tensor::new(dims.output(), &output);
        for algorithm in algorithms {
            let mut workspace = Workspace::new();
            let mut tape = Tape::new(&mut workspace);
            let (x, w) = (tape.variable(&image), tape.variable(&kernel));
            let y = tape.conv2d(x, w, None, &Conv2dSpec { algorithm, ..spec });
            let value = tape.value(y).to_tensor();
            let gradients = tape.backward_from(y, &cotangent);
            let got = [Some(&value), gradients.variable(x), gradients.variable(w)];
            for (got, expected) in got.into_iter().zip(&expected) {
                let got = got.map(Tensor::as_slice).unwrap_or_default();
                let differ = got.iter().zip(expected).filter(|(got, expected)| got != expected).count();
                differences += differ + expected.len().abs_diff(got.len());
            }
        }
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_gradient_is_seen() {
        // d(3 x) = 3, claimed to be 2.
        let error = linear_error(&[1.0, 2.0], 1.0, &[3.0, 2.0], |x| 3.0 * f64::from(x[0]) + 3.0 * f64::from(x[1]));
        assert!((error - 1.0 / 3.0).abs() < 1e-12);
        assert!(relative([f64::NAN].into_iter(), [1.0].into_iter()).is_nan());
        let error = loss(|x| (x.iter().map(|&x| f64::from(x).sin()).sum(), x.iter().map(|_| 0.5).collect()));
        assert!(error > 0.1);
    }

    #[test]
    fn a_gradient_of_another_weight_is_seen() {
        // The gradient of a convolution with one weight changed is not that of the loops any more.
        let table = &tables()[0];
        let gradient =
            filled(table.image.len(), |g| reference::conv2d_grad_input(&table.dims, &table.output, &table.weight, g));
        let mut weight = table.weight.clone();
        weight[0] += 1.0;
        let error = linear_error(&table.image, 1.0, &gradient, |x| {
            dot(&filled(table.output.len(), |y| reference::conv2d(&table.dims, x, &weight, y)), &table.output)
        });
        assert!(error > 1e-2, "{error}");
    }
}
