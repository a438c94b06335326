//! The same seed gives the same bits on any number of threads.

use super::{Bar, Check, Subject};
use crate::{
    finetune::{Classifier, FineTuneConfig},
    scae::{Geometry, LayerSpec, Scae, ScaeSpec, train},
    units::{Descent, TrainConfig, UnitSpec},
};
use anyhow::Result;
use patchgrad::{Tensor, Workspace, ops::Activation, parallel, random::stream};

/// The numbers of threads that are compared with one.
const THREADS: [usize; 2] = [2, 8];

/// The check of this group.
pub fn checks() -> Vec<Check> {
    vec![Check::new(
        "threads/greedy-training",
        "1, 2 and 8 threads give the same bits",
        "two-layer SCAE, 4,096 patches a layer, then fine-tuned on 512 pictures: parameters, codes and reconstructions whose \
         bits differ from one thread's",
        Bar::AtMost(0.0),
        |subject| {
            let one = parallel::with_threads(1, || run(subject))?;
            let mut differences = 0;
            for threads in THREADS {
                let other = parallel::with_threads(threads, || run(subject))?;
                differences += count_differences(&one, &other);
            }
            Ok(differences as f64)
        },
    )]
}

/// Every value that a short training leaves behind.
fn run(subject: &Subject) -> Result<Vec<Tensor>> {
    let unit = UnitSpec::standard(Activation::Softsign, Activation::Linear);
    let features = [16, 32];
    let geometry = Geometry::from_list(&[8, 4, 6]);
    let layers = geometry.layers().iter().zip(features);
    let layers = layers.map(|(&geometry, features)| LayerSpec { geometry, features, unit }).collect();
    let mut scae = Scae::new(ScaeSpec { picture: [28, 28, 1], layers }, &mut stream(1, "init", 0));
    let config = TrainConfig {
        samples_per_layer: 4_096,
        batch_size: 128,
        descent: Descent::Sgd,
        lr: 0.02,
        weight_decay: 0.0,
        seed: 1,
    };
    let mut workspace = Workspace::new();
    train(&mut scae, &subject.mnist.train.pictures, &config, &mut workspace)?;
    let test = &subject.mnist.test.pictures;
    let few = Tensor::new([512, 28, 28, 1], test.samples(0..512));
    let mut values = vec![scae.codes(&few, &mut workspace), scae.reconstruct(&few, &mut workspace)];
    let labelled = crate::data::Labelled { pictures: few.into(), labels: subject.mnist.test.labels[..512].to_vec() };
    let mut classifier = Classifier::new(scae, subject.mnist.classes, 1);
    let fine_tuning = FineTuneConfig { epochs: 1, batch_size: 64, lr: 0.05, momentum: 0.9, seed: 1 };
    classifier.train(&labelled, &fine_tuning, &mut workspace)?;
    values.extend(classifier.scae().params().iter().map(|(_, _, tensor)| tensor.clone()));
    Ok(values)
}

fn count_differences(a: &[Tensor], b: &[Tensor]) -> usize {
    let pairs = a.iter().zip(b).flat_map(|(a, b)| a.as_slice().iter().zip(b.as_slice()));
    pairs.filter(|(a, b)| a.to_bits() != b.to_bits()).count()
}
