//! What the codes of networks are compared with. What several networks share is computed once, by whichever needs it first.

use super::{
    features::{Measured, measure},
    row::{Kind, SeparabilityRow},
};
use crate::{
    correlation::network::Status,
    linear_algebra::{DiscriminantDirections, Pca, RandomProjection, Rows},
    suite::Parts,
};
use patchgrad::{Tensor, Workspace, random::stream};
use rand::seq::SliceRandom;
use std::sync::OnceLock;

/// The code sizes of P1, at which baselines with a size are measured.
pub const SIZES: [usize; 5] = [16, 32, 64, 128, 256];

/// Principal components on which labels in random order are probed.
pub const SHUFFLED_SIZE: usize = 64;

/// The baselines of one data set.
pub struct Baselines<'a> {
    /// The set, such as `MNIST sample`.
    pub data: &'a str,
    /// What probes see.
    pub parts: Parts<'a>,
    /// All training pictures `[N, H, W, C]`: what networks and principal components see.
    pub pictures: &'a Tensor,
    /// Seed of what is random about baselines.
    pub seed: u64,
    pca: OnceLock<Option<Pca>>,
    pixels: OnceLock<Option<Measured>>,
    components: [OnceLock<Option<Measured>>; SIZES.len()],
}

impl<'a> Baselines<'a> {
    /// None is computed yet.
    pub fn new(data: &'a str, parts: Parts<'a>, pictures: &'a Tensor, seed: u64) -> Self {
        let components = std::array::from_fn(|_| OnceLock::new());
        Self { data, parts, pictures, seed, pca: OnceLock::new(), pixels: OnceLock::new(), components }
    }

    /// H * W * C.
    fn columns(&self) -> usize {
        self.parts.train.pixels()
    }

    fn rows<'p>(&self, pictures: &'p Tensor) -> Rows<'p> {
        Rows::new(pictures.as_slice(), self.columns())
    }

    /// Features `[N, size]` of all parts from a function of the pictures as rows.
    fn table(&self, size: usize, of: impl Fn(Rows) -> Vec<f32>) -> [Tensor; 3] {
        self.parts.features(|pictures| {
            let rows = self.rows(pictures);
            Tensor::new([rows.count(), size], &of(rows))
        })
    }

    fn measured(&self, features: &[Tensor; 3]) -> Option<Measured> {
        measure(&self.parts, features.each_ref(), None, &mut Workspace::new())
    }

    /// The pixels. `None` when a value is not finite.
    pub fn pixels(&self) -> Option<&Measured> {
        let features = || self.parts.all().map(|part| part.rows());
        self.pixels.get_or_init(|| self.measured(&features())).as_ref()
    }

    /// `size` principal components. `None` when they have no result, or for a size that is none of [`SIZES`].
    pub fn pca(&self, size: usize) -> Option<&Measured> {
        let at = SIZES.iter().position(|known| *known == size)?;
        self.components[at].get_or_init(|| self.measured(&self.principal(size)?)).as_ref()
    }

    fn principal(&self, size: usize) -> Option<[Tensor; 3]> {
        let pca = self.pca.get_or_init(|| Pca::fit(self.rows(self.pictures)).ok()).as_ref()?;
        (size <= pca.features()).then(|| self.table(size, |rows| pca.transform(rows, size)))
    }

    fn random_projection(&self, size: usize) -> Option<Measured> {
        let projection =
            RandomProjection::new(self.columns(), size, &mut stream(self.seed, "random-projection", size as u64));
        self.measured(&self.table(size, |rows| projection.transform(rows)))
    }

    fn discriminant(&self, size: usize) -> Option<Measured> {
        let train = &self.parts.train;
        let found = DiscriminantDirections::fit(self.rows(&train.pictures), &train.labels).ok()?;
        let directions: Vec<Vec<f64>> = (0..size).map(|index| found.direction(index)).collect();
        let project = |row: &[f32], direction: &Vec<f64>| -> f32 {
            let centred = row.iter().zip(found.mean()).map(|(&value, mean)| f64::from(value) - mean);
            centred.zip(direction).map(|(value, along)| value * along).sum::<f64>() as f32
        };
        let code = |rows: Rows| -> Vec<f32> {
            rows.iter().flat_map(|row| directions.iter().map(move |direction| project(row, direction))).collect()
        };
        self.measured(&self.table(size, code))
    }

    fn shuffled(&self) -> Option<Measured> {
        let features = self.principal(SHUFFLED_SIZE)?;
        let shuffled = |part: usize| {
            let mut labels = self.parts.all()[part].labels.clone();
            labels.shuffle(&mut stream(self.seed, "shuffled-labels", part as u64));
            labels
        };
        let (train, validation) = (shuffled(0), shuffled(1));
        let labels = Some([&train[..], &validation[..]]);
        measure(&self.parts, features.each_ref(), labels, &mut Workspace::new())
    }

    /// The row of a baseline of `size` columns, of which nothing is known yet.
    pub(super) fn blank_baseline(&self, kind: Kind, size: usize) -> SeparabilityRow {
        let [train, _, test] = self.parts.all();
        SeparabilityRow::new(self.data, kind, size, [train.count(), test.count()])
    }

    /// The row of a baseline of `size` columns that is not a network.
    pub fn row(&self, kind: Kind, size: usize) -> SeparabilityRow {
        let mut row = self.blank_baseline(kind, size);
        let found = match kind {
            Kind::Pixels => self.pixels().cloned(),
            Kind::Pca => self.pca(size).cloned(),
            Kind::RandomProjection => self.random_projection(size),
            Kind::Lda => self.discriminant(size),
            Kind::Shuffled => self.shuffled(),
            Kind::Network | Kind::Supervised => None,
        };
        match found {
            Some(found) => {
                row.fill(&found);
                row.status = Status::Ok;
                if kind == Kind::Shuffled {
                    // These look at the true labels alone.
                    (row.thornton, row.fisher) = (None, None);
                }
            }
            None => row.reason = "a feature is not finite, or there are too few pictures".to_string(),
        }
        row
    }
}
