//! Experiment E2: is the code better separable than the input?
//!
//! **Question.** Do classes lie further apart in the code of a stacked auto-encoder than in the pixels? The paper says: not
//! necessarily (its claim C3).
//!
//! **Protocol.** The networks of P1 (and of P2 in the full profile), the same members as in E1. Of each, the code and every layer
//! below it are given to a ridge probe and to five nearest neighbours, and measured by Thornton's index, Fisher's criterion and
//! a bound of the information about the class; the code also to a logistic probe ([`features`]). The code is compared picture by picture, by the same probes, with the pixels,
//! with as many principal components, and with the code of the same network before training ([`network`]). Rows of their own
//! have the pixels, PCA and random projections at the code sizes of P1, LDA, a supervised network and labels in random order
//! ([`baselines`]).
//!
//! **Measures.** McNemar's exact test for each network, Holm-corrected over the networks; how many are better, equal, worse
//! ([`comparison`]).

pub mod baselines;
pub mod comparison;
mod e2;
pub mod features;
mod figures;
pub mod network;
mod row;
mod section;

pub use e2::E2;
pub use row::{Against, By, Kind, SeparabilityRow};

use crate::{
    correlation::{
        members,
        population::{Member, Population},
        store::Trainer,
    },
    scae::ScaeSpec,
    suite::{Parts, Profile, Setup},
    sweep::Sweep,
};
use baselines::{Baselines, SHUFFLED_SIZE, SIZES};
use features::LONGEST_MAP;

/// Training pictures that probes learn from, at most, which bounds the time: the code, the untrained code and the lower layers of a
/// network are probed, and even so that takes longer in all than training them.
pub const PROBE_PICTURES: usize = 20_000;

/// Whether a profile has the networks of a population.
pub fn has(profile: Profile, population: Population) -> bool {
    match population {
        Population::P1 => true,
        Population::P2 => profile != Profile::Quick,
        Population::P3 => false,
    }
}

/// A piece of work: one row.
enum Piece {
    Network(Box<Member>),
    /// A baseline that is not a network, and its columns.
    Baseline(Kind, usize),
    /// The network that learns the classes.
    Supervised(Box<ScaeSpec>),
}

/// The networks and baselines of one data set, as a sweep.
pub struct Separability<'a> {
    data: &'a str,
    /// `None` where pictures have no classes.
    baselines: Option<Baselines<'a>>,
    trainer: Trainer<'a>,
    pieces: Vec<Piece>,
    profile: Profile,
}

impl<'a> Separability<'a> {
    /// The sweep of a profile on a data set: the networks, then the baselines.
    ///
    /// # Panics
    /// For pictures that are neither 28 nor 32 pixels wide.
    pub fn new(setup: &Setup<'a>) -> Self {
        let examples = setup.examples;
        let mut members = members(setup);
        let one_architecture = members.iter().find(|member| member.population == Population::P2);
        let supervised = one_architecture.map(|member| Piece::Supervised(Box::new(member.spec.clone())));
        members.retain(|member| has(setup.profile, member.population));
        let columns: usize = examples.picture().iter().product();
        let directions = examples.classes().saturating_sub(1).clamp(1, columns);
        let mut baselines = vec![(Kind::Pixels, columns), (Kind::Lda, directions)];
        for kind in [Kind::Pca, Kind::RandomProjection] {
            baselines.extend(SIZES.map(|size| (kind, size)));
        }
        baselines.push((Kind::Shuffled, SHUFFLED_SIZE));
        let networks = members.into_iter().map(|member| Piece::Network(Box::new(member)));
        let baselines = baselines.into_iter().map(|(kind, size)| Piece::Baseline(kind, size));
        let pieces = networks.chain(baselines).chain(supervised).collect();
        Self {
            data: &examples.name,
            baselines: Parts::of(examples, PROBE_PICTURES)
                .map(|parts| Baselines::new(&examples.name, parts, examples.train.pictures(), setup.seed)),
            trainer: Trainer::new(setup),
            pieces,
            profile: setup.profile,
        }
    }

    /// Training pictures that probes learn from.
    fn probe_pictures(&self) -> usize {
        self.baselines.as_ref().map_or(0, |baselines| baselines.parts.train.count())
    }
}

impl Sweep for Separability<'_> {
    type Row = SeparabilityRow;

    fn plan(&self) -> String {
        let sizes = crate::correlation::sizes(self.profile);
        format!("{} networks and baselines, {sizes:?}, probes of {} pictures", self.pieces.len(), self.probe_pictures())
    }

    fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Multiply-adds of training and of logistic probes, which grow with their columns.
    fn cost(&self, index: usize) -> f64 {
        let probe = |columns: usize| self.probe_pictures() as f64 * 1e4 * columns as f64;
        match &self.pieces[index] {
            Piece::Network(member) => {
                let lower = (member.spec.layers.len() - 1) * LONGEST_MAP / 3;
                member.training_cost() + probe(2 * member.spec.code_size() + lower)
            }
            Piece::Baseline(_, columns) => probe(*columns),
            Piece::Supervised(_) => probe(4 * LONGEST_MAP),
        }
    }

    fn row(&self, index: usize) -> SeparabilityRow {
        let Some(baselines) = &self.baselines else {
            return self.failed(index, "the pictures have no classes".to_string());
        };
        match &self.pieces[index] {
            Piece::Network(member) => baselines.network(member, &self.trainer),
            Piece::Baseline(kind, columns) => baselines.row(*kind, *columns),
            Piece::Supervised(spec) => baselines.supervised(spec, self.profile.choose([2, 10, 10]), baselines.seed),
        }
    }

    fn failed(&self, index: usize, reason: String) -> SeparabilityRow {
        let blank = |baselines: &Baselines| match &self.pieces[index] {
            Piece::Network(member) => baselines.blank_member(member),
            Piece::Baseline(kind, columns) => baselines.blank_baseline(*kind, *columns),
            Piece::Supervised(spec) => baselines.blank(Kind::Supervised, spec),
        };
        let without_classes = || {
            let (kind, size) = match &self.pieces[index] {
                Piece::Network(member) => (Kind::Network, member.spec.code_size()),
                Piece::Baseline(kind, columns) => (*kind, *columns),
                Piece::Supervised(spec) => (Kind::Supervised, spec.code_size()),
            };
            SeparabilityRow::new(self.data, kind, size, [0, 0])
        };
        SeparabilityRow { reason, ..self.baselines.as_ref().map_or_else(without_classes, blank) }
    }
}
