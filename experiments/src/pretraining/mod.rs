//! Experiment E8: is pre-training worth its while, and how many labels does that depend on?
//!
//! **Question.** A network begins at random or from unsupervised training, then it is fine-tuned on few or many labels. Which
//! start classifies better, and does the better one reconstruct better? (Claim C6; Erhan et al. 2010, Paine et al. 2014, Seuret
//! et al. 2017 for starts from principal components, Alberti et al. 2017 for discriminant ones.)
//!
//! **Protocol.** One architecture, that of P2 of [E1](crate::correlation). Seven [`starts`], which see all training
//! pictures without labels (the discriminant one sees the labelled pictures), and two controls, whose weights were shuffled;
//! class-balanced sets of labels that contain each other; full fine-tuning with a linear layer on the code, early stopping on
//! validation pictures. A seed decides the labels, the order of the pictures, the head and the random numbers of every start, so
//! starts are paired over seeds.
//!
//! **Measures.** For each start and number of labels the test accuracy with its interval over seeds, the gain over the random
//! start, paired, by Student's t with Holm's correction over the numbers of labels ([`curves`]); the area under the curve, the
//! slope of the gain against the logarithm of pictures per label, and whether starts that reconstruct better end up better
//! ([`summary`]).

pub mod curves;
mod e8;
mod labels;
mod page;
pub mod piece;
pub mod starts;
pub mod summary;
mod tuning;

pub use e8::E8;

use crate::{
    config::Examples,
    correlation::population::{FIXED_WIDTHS, fixed_geometry},
    data::Labelled,
    scae::{LayerSpec, ScaeSpec},
    suite::{Parts, Profile, Setup},
    sweep::Sweep,
    units::UnitSpec,
};
use patchgrad::{Workspace, ops::Activation, random::stream};
use piece::{Pretrained, PretrainingRow};
use rand::RngExt;
use starts::Start;
use std::{borrow::Cow, sync::OnceLock};

/// How much is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Numbers of labels, rising; those that the set does not have are left out, and all labels come last.
    pub labels: &'static [usize],
    /// Seeds.
    pub seeds: usize,
    /// Patches that a layer learns from before fine-tuning.
    pub patches: usize,
    /// The same for what is computed in closed form.
    pub closed_form: usize,
    /// Validation pictures that the end of fine-tuning is chosen on, at most.
    pub validation: usize,
    /// Steps of fine-tuning, at most.
    pub steps: usize,
}

/// The sizes of a profile.
pub fn sizes(profile: Profile) -> Sizes {
    const LABELS: &[usize] = &[100, 300, 1_000, 3_000, 10_000];
    profile.choose([
        Sizes { labels: &[30], seeds: 2, patches: 320, closed_form: 320, validation: 100, steps: 20 },
        Sizes { labels: LABELS, seeds: 5, patches: 20_000, closed_form: 5_000, validation: 1_000, steps: 2_500 },
        Sizes { labels: LABELS, seeds: 10, patches: 100_000, closed_form: 20_000, validation: 5_000, steps: 20_000 },
    ])
}

/// Every start with every number of labels from every seed, as a sweep.
pub struct Pretraining<'a> {
    examples: &'a Examples,
    spec: ScaeSpec,
    sizes: Sizes,
    budgets: Vec<usize>,
    seeds: Vec<u64>,
    /// What needs no labels is the same for all numbers of them: by start, then seed. Whoever comes first computes it.
    shared: Vec<OnceLock<Result<Pretrained, String>>>,
}

impl<'a> Pretraining<'a> {
    /// The sweep of a profile on a data set.
    ///
    /// # Panics
    /// For pictures that are neither 28 nor 32 pixels wide.
    pub fn new(setup: &Setup<'a>) -> Self {
        Self::with_sizes(setup, sizes(setup.profile))
    }

    fn with_sizes(setup: &Setup<'a>, sizes: Sizes) -> Self {
        let examples = setup.examples;
        let all = examples.train.count();
        let fewer = sizes.labels.iter().copied().filter(|&labels| labels < all);
        let seeds = (0..sizes.seeds as u64)
            .map(|at| stream(setup.seed, &format!("pretraining-{}", setup.set), at).random())
            .collect();
        let shared = (0..Start::ALL.len() * sizes.seeds).map(|_| OnceLock::new()).collect();
        let spec = architecture(examples.picture());
        Self { examples, spec, sizes, budgets: fewer.chain([all]).collect(), seeds, shared }
    }

    fn parts(&self, index: usize) -> (Start, usize, usize) {
        let (seeds, starts) = (self.seeds.len(), Start::ALL.len());
        (Start::ALL[index / seeds % starts], self.budgets[index / seeds / starts], index % seeds)
    }

    /// The encoder before fine-tuning.
    fn pretrained(
        &self,
        start: Start,
        seed: usize,
        parts: [&Labelled; 3],
        labelled: &Labelled,
    ) -> Result<Pretrained, String> {
        let compute = || {
            let mut workspace = Workspace::new();
            let scae = match start.shuffles() {
                Some(other) => starts::shuffled(self.pretrained(other, seed, parts, labelled)?.scae, self.seeds[seed]),
                None => {
                    let data = if start.needs_labels() { labelled } else { parts[0] };
                    let training = starts::Training {
                        patches: self.sizes.patches,
                        closed_form: self.sizes.closed_form,
                        seed: self.seeds[seed],
                    };
                    let begun = starts::begin(start, &self.spec, data, &training, &mut workspace);
                    begun.map_err(|error| error.to_string())?
                }
            };
            Ok(Pretrained::new(scae, start.has_own_decoders(), parts, &mut workspace))
        };
        if start.needs_labels() {
            return compute();
        }
        let place = Start::ALL.iter().position(|known| *known == start).expect("every start is one of all");
        self.shared[place * self.seeds.len() + seed].get_or_init(compute).clone()
    }
}

/// Why there is nothing to fine-tune on.
const NO_CLASSES: &str = "the pictures have no classes";

/// The stack of P2: soft-sign encoders, linear decoders.
///
/// # Panics
/// For pictures that are neither 28 nor 32 pixels wide.
fn architecture(picture: [usize; 3]) -> ScaeSpec {
    let unit = UnitSpec::standard(Activation::Softsign, Activation::Linear);
    let geometry = fixed_geometry(picture);
    let layers = geometry.layers().iter().zip(FIXED_WIDTHS);
    let layers = layers.map(|(&geometry, features)| LayerSpec { geometry, features, unit }).collect();
    ScaeSpec { picture, layers }
}

impl Sweep for Pretraining<'_> {
    type Row = PretrainingRow;

    fn plan(&self) -> String {
        format!("{} starts, {} seeds, {:?}", Start::ALL.len(), self.seeds.len(), self.sizes)
    }

    fn len(&self) -> usize {
        self.budgets.len() * Start::ALL.len() * self.seeds.len()
    }

    /// More labels take more steps, though not in proportion: fewer are stopped after more epochs.
    fn cost(&self, index: usize) -> f64 {
        let (_, labels, _) = self.parts(index);
        (labels as f64).sqrt()
    }

    /// A start with one seed, which is made for every number of labels.
    fn group(&self, index: usize) -> usize {
        index % (Start::ALL.len() * self.seeds.len())
    }

    fn row(&self, index: usize) -> PretrainingRow {
        let (start, labels, seed) = self.parts(index);
        let Some([train, validation, test]) = self.examples.labelled() else {
            return self.failed(index, NO_CLASSES.to_string());
        };
        let classes = self.examples.classes();
        let labelled = if labels < train.count() {
            &train.select(&labels::balanced(&train.labels, classes, labels, self.seeds[seed]))
        } else {
            train
        };
        let validation = &validation.first(self.sizes.validation);
        let parts = Parts { train: Cow::Borrowed(labelled), validation, test, classes };
        let filled = self.pretrained(start, seed, [train, validation, test], labelled).and_then(|pretrained| {
            let row = PretrainingRow::blank(self.examples, start, labels, seed);
            piece::run(&pretrained, &parts, self.sizes.steps, self.seeds[seed], row)
        });
        filled.unwrap_or_else(|reason| self.failed(index, reason))
    }

    fn failed(&self, index: usize, reason: String) -> PretrainingRow {
        let (start, labels, seed) = self.parts(index);
        PretrainingRow { reason, ..PretrainingRow::blank(self.examples, start, labels, seed) }
    }
}

#[cfg(test)]
mod tests;
