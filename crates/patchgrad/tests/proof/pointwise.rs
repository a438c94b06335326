//! Activations, arithmetic and losses, where the awkward cases are values: against f64.

use crate::{
    cases::ACTIVATIONS,
    run::{run, value},
    tally::Tally,
    values::{Draw, assert_close, integers},
};
use patchgrad::{Shape, Tensor, ops::Activation, parallel::ELEMENTS_PER_CHUNK, reference};

/// Where approximations change branch, saturate or underflow, for either sign, and a fine sweep between -20 and 20.
fn awkward_values() -> Tensor {
    let special = [0.0, 1e-38, 1e-30, 1e-8, 1e-4, 0.5, 17.0, 20.0, 50.0, 87.3, 88.7, 104.0, 1e3, 1e6, 1e30, f32::MAX];
    let sweep = (-2000..=2000).map(|i| i as f32 * 0.01);
    let values: Vec<f32> = special.into_iter().flat_map(|x| [x, -x]).chain(sweep).collect();
    Tensor::new([values.len()], &values)
}

fn as_f64(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// The definitions of kinks at 0 and of NaN are those of the reference.
#[test]
fn activations_agree_with_f64() {
    let input = awkward_values();
    let mut tally = Tally::default();
    for activation in ACTIVATIONS {
        let ones = |shape| Tensor::full(shape, 1.0);
        let got = run(std::slice::from_ref(&input), ones, |tape, v| tape.activation(v[0], activation));
        let expected = input.as_slice().iter().map(|&x| reference::activation(activation, f64::from(x)));
        let (values, derivatives): (Vec<f64>, Vec<f64>) = expected.unzip();
        assert_close(&format!("{activation}: value"), got.output.as_slice(), &values, 3e-7);
        assert_close(&format!("{activation}: derivative"), got.gradients[0].as_slice(), &derivatives, 3e-7);
        tally.add(activation.name(), 2 * input.len());

        let nan = value(&[&Tensor::scalar(f32::NAN)], |tape, v| tape.activation(v[0], activation));
        assert!(nan.item().is_nan(), "{activation} of NaN");
    }
    tally.finish("values and derivatives of activations", 6, 64528);
}

#[test]
fn named_activations_are_those_of_the_enum() {
    let input = awkward_values();
    type Method = fn(&mut patchgrad::Tape, patchgrad::Var) -> patchgrad::Var;
    let named: [(Activation, Method); 6] = [
        (Activation::Softsign, |tape, x| tape.softsign(x)),
        (Activation::Tanh, |tape, x| tape.tanh(x)),
        (Activation::Sigmoid, |tape, x| tape.sigmoid(x)),
        (Activation::Relu, |tape, x| tape.relu(x)),
        (Activation::LeakyRelu { negative_slope: 0.3 }, |tape, x| tape.leaky_relu(x, 0.3)),
        (Activation::Softplus, |tape, x| tape.softplus(x)),
    ];
    for (activation, method) in named {
        let got = value(&[&input], |tape, v| method(tape, v[0]));
        assert_eq!(got, value(&[&input], |tape, v| tape.activation(v[0], activation)), "{activation}");
    }
    assert_eq!(value(&[&input], |tape, v| tape.activation(v[0], Activation::Linear)), input);
}

#[test]
fn exponential_and_logarithm_agree_with_f64() {
    for len in LENGTHS {
        for (name, draw) in [("exp", Draw::Normal), ("ln", Draw::Positive)] {
            let x = draw.tensor([len].into(), name, 0);
            let (mut expected, exp) = (vec![0.0; len], name == "exp");
            if exp {
                reference::exp(x.as_slice(), &mut expected)
            } else {
                reference::ln(x.as_slice(), &mut expected)
            }
            let ones = |shape| Tensor::full(shape, 1.0);
            let record = |tape: &mut patchgrad::Tape, v: &[patchgrad::Var]| {
                if exp { tape.exp(v[0]) } else { tape.ln(v[0]) }
            };
            let got = run(std::slice::from_ref(&x), ones, record);
            assert_close(name, got.output.as_slice(), &as_f64(&expected), 3e-7);
            let derivative: Vec<f64> =
                as_f64(x.as_slice()).iter().map(|x| if exp { x.exp() } else { x.recip() }).collect();
            assert_close("its derivative", got.gradients[0].as_slice(), &derivative, 3e-7);
        }
    }
}

#[test]
fn a_transpose_is_its_definition_and_undoes_itself() {
    for size in [[1, 1], [1, 9], [9, 1], [3, 5], [67, 33]] {
        let x = integers(size, "transpose", 0);
        let mut expected = Tensor::zeros([size[1], size[0]]);
        reference::transpose(size, x.as_slice(), expected.as_mut_slice());
        assert_eq!(value(&[&x], |tape, v| tape.transpose(v[0])), expected);
        let twice = value(&[&x], |tape, v| {
            let once = tape.transpose(v[0]);
            tape.transpose(once)
        });
        assert_eq!(twice, x);
    }
}

/// One element, less than a vector, a whole chunk and a bit more.
const LENGTHS: [usize; 4] = [1, 7, ELEMENTS_PER_CHUNK, 2 * ELEMENTS_PER_CHUNK + 77];

/// Compares a loss with one relative to itself, and its gradient, which a mean over `count` makes small, times `count`.
#[track_caller]
fn assert_loss(what: &str, got: &crate::run::Outcome, (loss, gradient): (f64, Vec<f64>), count: usize) {
    let scaled = |values: &[f32]| -> Vec<f32> { values.iter().map(|value| value * count as f32).collect() };
    let expected: Vec<f64> = gradient.iter().map(|value| value * count as f64).collect();
    assert_close(&format!("{what}: loss"), got.output.as_slice(), &[loss], 1e-6);
    assert_close(&format!("{what}: gradient"), &scaled(got.gradients[0].as_slice()), &expected, 1e-6);
}

#[test]
fn losses_agree_with_f64() {
    let one = |_: Shape| Tensor::scalar(1.0);
    let mut tally = Tally::default();
    for len in LENGTHS {
        for scale in [0.01, 1.0, 100.0] {
            let what = format!("{len} values of size {scale}");
            let mut input = Draw::Normal.tensor([len].into(), &what, 0);
            input.as_mut_slice().iter_mut().for_each(|x| *x *= scale);
            let other = Draw::Normal.tensor([len].into(), &what, 1);
            let (x, t) = (input.as_slice(), other.as_slice());
            let inputs = [input.clone(), other.clone()];

            let got = run(&inputs, one, |tape, v| tape.mse_loss(v[0], v[1]));
            assert_loss(&format!("mse_loss of {what}"), &got, reference::mse_loss(x, t), len);
            let negated: Vec<f64> = as_f64(got.gradients[0].as_slice()).iter().map(|g| -g).collect();
            assert_close("mse_loss: gradient of the target", got.gradients[1].as_slice(), &negated, 0.0);
            tally.add("mse_loss", 1);

            let target = Tensor::from_fn([len], |i| (i % 5) as f32 / 4.0);
            let inputs = [input.clone(), target.clone()];
            let got = run(&inputs, one, |tape, v| tape.bce_with_logits(v[0], v[1]));
            assert_loss(
                &format!("bce_with_logits of {what}"),
                &got,
                reference::bce_with_logits(x, target.as_slice()),
                len,
            );
            let by_target: Vec<f64> = as_f64(x).iter().map(|x| -x / len as f64).collect();
            assert_close("bce_with_logits: gradient of the target", got.gradients[1].as_slice(), &by_target, 1e-6);
            tally.add("bce_with_logits", 1);

            for classes in [1, 2, 10, 37] {
                let rows = len.div_ceil(classes);
                let logits = Tensor::from_fn([rows, classes], |i| x[i % len]);
                let labels: Vec<u32> = (0..rows).map(|row| (row * 7 % classes) as u32).collect();
                let got = run(std::slice::from_ref(&logits), one, |tape, v| tape.cross_entropy(v[0], &labels));
                let expected = reference::cross_entropy(classes, logits.as_slice(), &labels);
                assert_loss(&format!("cross_entropy of {what}, {classes} classes"), &got, expected, rows);
                tally.add("cross_entropy", 1);
            }
        }
    }
    tally.finish("losses against f64", 3, 72);
}

#[test]
fn arithmetic_is_exact_on_whole_numbers() {
    for len in LENGTHS {
        let (a, b) = (integers([len], "a", 0), integers([len], "b", 0));
        let pairs = |f: fn(f32, f32) -> f32| Tensor::from_fn([len], |i| f(a.as_slice()[i], b.as_slice()[i]));
        assert_eq!(value(&[&a, &b], |tape, v| tape.add(v[0], v[1])), pairs(|a, b| a + b));
        assert_eq!(value(&[&a, &b], |tape, v| tape.sub(v[0], v[1])), pairs(|a, b| a - b));
        assert_eq!(value(&[&a, &b], |tape, v| tape.mul(v[0], v[1])), pairs(|a, b| a * b));
        assert_eq!(value(&[&a], |tape, v| tape.scale(v[0], -2.5)), pairs(|a, _| -2.5 * a));
        let sum: f64 = as_f64(a.as_slice()).iter().sum();
        assert_eq!(f64::from(value(&[&a], |tape, v| tape.sum(v[0])).item()), sum);
    }
}
