//! Two classifiers of MNIST against what the literature reports.
//!
//! | network | anchor | bar on the full set | bar on the bundled sample |
//! |---|---|---|---|
//! | 784 - 300 - 10 soft-sign units, squared error | 4.7 % (LeCun's table, 300 hidden units, MSE) | 2.5 to 5 % | 5 to 8 % |
//! | two 5x5 convolutions with 2x2 max-pooling, LeNet type | 0.95 % (best plain LeNet type) | at most 2 % | at most 4 % |
//!
//! The bars of the sample, 8,000 training pictures, were set from measured runs with a margin for another instruction set;
//! those of the full set, 50,000 training pictures, are the protocol's. The error is that of the test pictures, looked at
//! once.

use super::{Bar, Check};
use crate::{
    data::Task,
    finetune::{Classifier, ClassifierSpec, FineTuneConfig, Loss},
    scae::{LayerGeometry, LayerSpec, Scae, ScaeSpec},
    training::{Checkpoints, FitSpec},
    units::{UnitSpec, Unpooling},
};
use anyhow::Result;
use patchgrad::{
    Workspace,
    ops::Activation,
    optim::{Adam, AdamConfig, Schedule},
    random::stream,
};

/// Times that N-light-N's example shows every picture.
pub const SOFT_SIGN_EPOCHS: usize = 20;

/// Times that the convolutional network sees every picture: of the full set, and of the sample.
const CONVOLUTIONAL_EPOCHS: [usize; 2] = [4, 8];

/// The checks of this group, with the bars of the full set or of the bundled sample.
pub fn checks(full: bool) -> Vec<Check> {
    let pictures =
        if full { "50,000 training pictures of MNIST" } else { "8,000 training pictures of the bundled sample" };
    let soft_sign = if full { Bar::Between(2.5, 5.0) } else { Bar::Between(5.0, 8.0) };
    let convolutional = if full { Bar::AtMost(2.0) } else { Bar::AtMost(4.0) };
    let error = |name: &str, what: &str, how: String, bar, train: fn(&Task) -> Result<f64>| {
        Check::new(format!("mnist/{name}"), what, how, bar, move |subject| train(&subject.mnist))
            .counted_in(" %")
            .slow()
    };
    vec![
        error(
            "784-300-10",
            "soft-sign network of N-light-N's example (4.7 % in LeCun's table): test error",
            format!("{SOFT_SIGN_EPOCHS} epochs on {pictures}, squared error on one-hot targets"),
            soft_sign,
            |task| soft_sign_network(task, SOFT_SIGN_EPOCHS, |_, _, _| {}),
        ),
        error(
            "convolutional",
            "small convolutional network (0.95 % for LeNet's type): test error",
            format!("{} epochs on {pictures}, Adam, cross-entropy", CONVOLUTIONAL_EPOCHS[usize::from(!full)]),
            convolutional,
            convolutional_network,
        ),
    ]
}

/// The network of N-light-N's MNIST example, without pre-training: 784 - 300 - 10 soft-sign units, squared error. Gives the
/// test error in percent; `after_epoch` gets the number of the epoch from 0, its mean loss and the network.
///
/// A mini-batch of 10 with momentum 0.9: each picture moves the weights as far as a rate of 0.02 would on its own; the last
/// quarter of the epochs runs at 0.004.
///
/// # Errors
/// If the training diverges.
pub fn soft_sign_network(
    task: &Task,
    epochs: usize,
    mut after_epoch: impl FnMut(usize, f64, &Classifier),
) -> Result<f64> {
    let unit = UnitSpec::standard(Activation::Softsign, Activation::Linear);
    let geometry = LayerGeometry { kernel: 28, offset: 28 };
    let spec = ScaeSpec { picture: [28, 28, 1], layers: vec![LayerSpec { geometry, features: 300, unit }] };
    let spec_of_head = ClassifierSpec {
        loss: Loss::SquaredError { output: Activation::Softsign },
        ..ClassifierSpec::new(task.classes)
    };
    let mut network = Classifier::with_spec(Scae::new(spec, &mut stream(1, "init", 0)), spec_of_head, 1)?;
    let mut workspace = Workspace::new();
    for epoch in 0..epochs {
        let lr = if epoch * 4 < epochs * 3 { 0.02 } else { 0.004 };
        let config = FineTuneConfig { epochs: 1, batch_size: 10, lr, momentum: 0.9, seed: epoch as u64 };
        let losses = network.train(&task.train, &config, &mut workspace)?;
        after_epoch(epoch, losses[0], &network);
    }
    Ok(100.0 * (1.0 - network.accuracy(&task.test, &mut workspace)))
}

/// Convolution 5x5 of 16 features, max-pooling, convolution 5x5 of 32 features, max-pooling, linear: made of the same units
/// and trained by the same loop as every classifier here. Gives the test error in percent.
///
/// # Errors
/// If the training diverges.
pub fn convolutional_network(task: &Task) -> Result<f64> {
    let layer =
        |kernel, offset, features, unit| LayerSpec { geometry: LayerGeometry { kernel, offset }, features, unit };
    let convolution = UnitSpec::standard(Activation::Relu, Activation::Linear);
    let pooling = UnitSpec::MaxPooling { unpooling: Unpooling::Switches };
    let layers = vec![
        layer(5, 1, 16, convolution),
        layer(2, 2, 16, pooling),
        layer(5, 1, 32, convolution),
        layer(2, 2, 32, pooling),
    ];
    let scae = Scae::new(ScaeSpec { picture: [28, 28, 1], layers }, &mut stream(1, "init", 0));
    let mut network = Classifier::new(scae, task.classes, 1);
    let full = task.train.count() > 20_000;
    let (epochs, batch_size, lr) = (CONVOLUTIONAL_EPOCHS[usize::from(!full)], 32, 1e-3);
    let steps = epochs * task.train.count().div_ceil(batch_size);
    let spec = FitSpec {
        schedule: Schedule::Cosine { t_max: steps as u64, eta_min: 0.0 },
        ..FitSpec::new(epochs, batch_size, lr, 1)
    };
    let mut adam = Adam::new(AdamConfig::new(lr));
    let mut workspace = Workspace::new();
    network.fit(&task.train, None, &spec, &mut adam, &mut Checkpoints::none(), &mut workspace)?;
    Ok(100.0 * (1.0 - network.accuracy(&task.test, &mut workspace)))
}
