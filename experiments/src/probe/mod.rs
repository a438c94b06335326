//! Probes: how well do given features tell the classes apart?
//!
//! | probe | classifier | chosen on validation data |
//! |---|---|---|
//! | [`Probe::Logistic`] | multinomial logistic regression (Alain and Bengio, arXiv 1610.01644): **the** probe of the experiments | the penalty |
//! | [`Probe::Ridge`] | least squares on one-hot targets, in closed form: fast | the penalty |
//! | [`Probe::NearestNeighbours`] | the vote of the k nearest training rows, Euclidean or by angle | nothing |
//! | [`Probe::LinearDiscriminant`] | normal distributions of one covariance | nothing |
//! | [`Probe::Mlp`] | one hidden layer of 256 units: what a non-linear reader finds | the epoch to stop at |
//!
//! ```
//! use patchgrad::{Tensor, Workspace};
//! use pitfall::probe::{Features, Probe};
//!
//! let rows = Tensor::new([4, 1], &[-2.0, -1.0, 1.0, 2.0]);
//! let features = Features { rows: &rows, labels: &[0, 0, 1, 1] };
//! let mut workspace = Workspace::new();
//! for probe in Probe::ALL {
//!     let fitted = probe.fit(features, features, 2, &mut workspace)?;
//!     println!("{probe}: {}", fitted.accuracy(features, &mut workspace)?);
//! }
//! # Ok::<(), pitfall::probe::ProbeError>(())
//! ```

pub mod lbfgs;
mod logistic;
mod mlp;
mod neighbours;
mod one_hot_ridge;

pub use logistic::{LogisticProbe, PENALTIES, Probed, linear_probe};
pub use mlp::{MlpProbe, MlpSettings};
pub use neighbours::NeighboursProbe;
pub use one_hot_ridge::{RIDGE_PENALTIES, RidgeProbe};

use crate::{
    classification::accuracy,
    linear_algebra::{LinearAlgebraError, LinearDiscriminant, Rows, Standardiser},
    neighbours::Metric,
};
use patchgrad::{Tensor, Workspace};
use std::{fmt, str::FromStr};

/// Features `[N, d]` with their labels.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    /// `[N, d]`.
    pub rows: &'a Tensor,
    /// N classes.
    pub labels: &'a [u32],
}

impl<'a> Features<'a> {
    /// The rows as a table.
    fn table(self) -> Rows<'a> {
        table(self.rows)
    }

    /// Refuses values that are not finite.
    fn check_finite(self) -> Result<(), ProbeError> {
        let finite = self.rows.as_slice().iter().all(|value| value.is_finite());
        if finite { Ok(()) } else { Err(LinearAlgebraError::NotFinite.into()) }
    }
}

/// Features `[N, d]` as a table.
fn table(rows: &Tensor) -> Rows<'_> {
    Rows::new(rows.as_slice(), rows.shape().dims()[1])
}

/// Standardised features.
fn standardised(scale: &Standardiser, rows: &Tensor) -> Tensor {
    Tensor::new(rows.shape(), &scale.apply(table(rows)))
}

/// The three parts that a probe sees.
#[derive(Clone, Copy, Debug)]
pub struct ProbeData<'a> {
    /// Weights are learnt from these.
    pub train: Features<'a>,
    /// The penalty is chosen on these.
    pub validation: Features<'a>,
    /// These are reported.
    pub test: Features<'a>,
    /// The number of classes.
    pub classes: usize,
}

/// Why a probe cannot be fitted or asked.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ProbeError {
    /// The features are not finite or too few.
    #[error("probe: {0}")]
    Features(#[from] LinearAlgebraError),
    /// The loss of the MLP left the finite numbers.
    #[error("probe: the loss of the MLP is not finite in epoch {epoch}; try a smaller learning rate than {lr}")]
    Diverged {
        /// The epoch, counted from 0.
        epoch: usize,
        /// The learning rate.
        lr: f64,
    },
}

/// A kind of probe with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Probe {
    /// [`LogisticProbe`] with [`PENALTIES`].
    Logistic,
    /// [`RidgeProbe`] with [`RIDGE_PENALTIES`].
    Ridge,
    /// [`NeighboursProbe`].
    NearestNeighbours {
        /// How many neighbours vote.
        k: usize,
        /// What near means.
        metric: Metric,
    },
    /// [`LinearDiscriminant`].
    LinearDiscriminant,
    /// [`MlpProbe`].
    Mlp(MlpSettings),
}

impl Probe {
    /// Every kind with its default settings (5 neighbours), in the order of tables.
    pub const ALL: [Self; 6] = [
        Self::Logistic,
        Self::Ridge,
        Self::NearestNeighbours { k: 5, metric: Metric::Euclidean },
        Self::NearestNeighbours { k: 5, metric: Metric::Cosine },
        Self::LinearDiscriminant,
        Self::Mlp(MlpSettings::DEFAULT),
    ];

    /// The name in tables and on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Logistic => "logistic",
            Self::Ridge => "ridge",
            Self::NearestNeighbours { metric: Metric::Euclidean, .. } => "knn-euclidean",
            Self::NearestNeighbours { metric: Metric::Cosine, .. } => "knn-cosine",
            Self::LinearDiscriminant => "lda",
            Self::Mlp(_) => "mlp",
        }
    }

    /// Learns from `train`, and chooses on `validation` what has to be chosen.
    ///
    /// # Errors
    /// When a feature is not finite, or there are too few rows (LDA needs more than classes).
    ///
    /// # Panics
    /// If there are not as many labels as rows, a label is not below `classes`, or the columns differ.
    pub fn fit(
        &self,
        train: Features,
        validation: Features,
        classes: usize,
        workspace: &mut Workspace,
    ) -> Result<Box<dyn FittedProbe>, ProbeError> {
        for features in [train, validation] {
            let (rows, labels) = (features.rows.shape().dims()[0], features.labels);
            assert_eq!(rows, labels.len(), "probe: {rows} rows of features, {} labels", labels.len());
            let unknown = labels.iter().find(|&&label| label as usize >= classes);
            assert!(unknown.is_none(), "probe: a label is {}, but there are {classes} classes", unknown.unwrap_or(&0));
            if labels.is_empty() {
                return Err(LinearAlgebraError::TooFewRows { got: 0, needed: 1 }.into());
            }
            features.check_finite()?;
        }
        Ok(match *self {
            Self::Logistic => Box::new(LogisticProbe::fit(train, validation, classes, &PENALTIES, workspace)?),
            Self::Ridge => Box::new(RidgeProbe::fit(train, validation, classes, &RIDGE_PENALTIES)?),
            Self::NearestNeighbours { k, metric } => Box::new(NeighboursProbe::new(train, classes, k, metric)),
            Self::LinearDiscriminant => Box::new(DiscriminantProbe {
                fit: LinearDiscriminant::fit(train.table(), train.labels, classes)?,
                classes,
            }),
            Self::Mlp(settings) => Box::new(MlpProbe::fit(train, validation, classes, &settings, workspace)?),
        })
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Probe {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|probe| probe.name() == name).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(Probe::name).collect();
            format!("there is no probe {name:?}; there are {}", known.join(", "))
        })
    }
}

/// A probe that has learnt.
pub trait FittedProbe: fmt::Debug {
    /// The class of every row of `rows` `[N, d]`; none for no rows.
    ///
    /// # Errors
    /// When a feature is not finite.
    ///
    /// # Panics
    /// If the number of columns differs from that of the fit.
    fn predict(&self, rows: &Tensor, workspace: &mut Workspace) -> Result<Vec<u32>, ProbeError>;

    /// The logits `[N, classes]` whose soft-max are the probabilities of the classes; `None` for probes that give none.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    fn logits(&self, _rows: &Tensor, _workspace: &mut Workspace) -> Result<Option<Tensor>, ProbeError> {
        Ok(None)
    }

    /// What was chosen on validation data, such as `("penalty", 0.01)`.
    fn choice(&self) -> Option<(&'static str, f64)> {
        None
    }

    /// The share of rows whose predicted class is their label.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    fn accuracy(&self, features: Features, workspace: &mut Workspace) -> Result<f64, ProbeError> {
        Ok(accuracy(&self.predict(features.rows, workspace)?, features.labels))
    }

    /// The mean of `-ln p(label)` over rows, in nats; `None` for probes without probabilities.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    fn cross_entropy(&self, features: Features, workspace: &mut Workspace) -> Result<Option<f64>, ProbeError> {
        Ok(self.logits(features.rows, workspace)?.map(|logits| cross_entropy(&logits, features.labels)))
    }
}

/// [`LinearDiscriminant`] as a probe.
#[derive(Debug)]
struct DiscriminantProbe {
    fit: LinearDiscriminant,
    classes: usize,
}

impl FittedProbe for DiscriminantProbe {
    fn predict(&self, rows: &Tensor, workspace: &mut Workspace) -> Result<Vec<u32>, ProbeError> {
        let logits = self.logits(rows, workspace)?.expect("a discriminant gives logits");
        Ok(arg_max(&logits, self.classes))
    }

    fn logits(&self, rows: &Tensor, _workspace: &mut Workspace) -> Result<Option<Tensor>, ProbeError> {
        Features { rows, labels: &[] }.check_finite()?;
        let logits = self.fit.logits(table(rows));
        Ok(Some(Tensor::new([logits.len() / self.classes, self.classes], &logits)))
    }
}

/// The class of the largest logit of each row; the first of equals.
pub fn arg_max(logits: &Tensor, classes: usize) -> Vec<u32> {
    let row = |row: &[f32]| (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best });
    logits.as_slice().chunks(classes).map(|logits| row(logits) as u32).collect()
}

/// The mean of `-ln softmax(logits)[label]`, in f64.
fn cross_entropy(logits: &Tensor, labels: &[u32]) -> f64 {
    let classes = logits.shape().dims()[1];
    let row = |(logits, &label): (&[f32], &u32)| {
        let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - largest).exp()).sum();
        largest + sum.ln() - f64::from(logits[label as usize])
    };
    logits.as_slice().chunks(classes).zip(labels).map(row).sum::<f64>() / labels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchgrad::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    /// `per_class` points around each of three centres in the plane, with a third feature that is constant.
    pub(super) fn clusters(per_class: usize, spread: f64, index: u64) -> (Tensor, Vec<u32>) {
        let centres = [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]];
        let mut stream = stream(1, "clusters", index);
        let mut noise = || -> f64 { StandardNormal.sample(&mut stream) };
        let labels: Vec<u32> = (0..3 * per_class).map(|i| (i % 3) as u32).collect();
        let values: Vec<f32> = labels
            .iter()
            .flat_map(|&label| {
                let [x, y] = centres[label as usize];
                [(x + spread * noise()) as f32, (y + spread * noise()) as f32, 7.0]
            })
            .collect();
        (Tensor::new([labels.len(), 3], &values), labels)
    }

    #[test]
    fn every_probe_parts_clusters_and_refuses_what_is_not_finite() {
        let parts = [clusters(100, 0.4, 0), clusters(50, 0.4, 1), clusters(50, 0.4, 2)];
        let [train, validation, test] = parts.each_ref().map(|(rows, labels)| Features { rows, labels });
        let mut broken = test.rows.clone();
        broken.as_mut_slice()[4] = f32::INFINITY;
        let mut workspace = Workspace::new();
        for probe in Probe::ALL {
            let fitted = probe.fit(train, validation, 3, &mut workspace).unwrap();
            let accuracy = fitted.accuracy(test, &mut workspace).unwrap();
            assert!(accuracy > 0.98, "{probe}: {accuracy}");
            if let Some(cross_entropy) = fitted.cross_entropy(test, &mut workspace).unwrap() {
                assert!((0.0..0.1).contains(&cross_entropy), "{probe}: {cross_entropy}");
            }
            let refused = Err(ProbeError::Features(LinearAlgebraError::NotFinite));
            assert_eq!(fitted.predict(&broken, &mut workspace), refused, "{probe}");
            let bad = Features { rows: &broken, labels: test.labels };
            assert_eq!(probe.fit(bad, validation, 3, &mut workspace).map(|_| vec![]), refused, "{probe}");
            assert_eq!(probe.fit(train, bad, 3, &mut workspace).map(|_| vec![]), refused, "{probe}");
            assert_eq!(probe.name().parse(), Ok(probe));
        }
        let error = "svm".parse::<Probe>().unwrap_err();
        assert_eq!(error, "there is no probe \"svm\"; there are logistic, ridge, knn-euclidean, knn-cosine, lda, mlp");
    }

    #[test]
    fn no_rows_get_no_classes() {
        let parts = [clusters(30, 0.4, 0), clusters(20, 0.4, 1)];
        let [train, validation] = parts.each_ref().map(|(rows, labels)| Features { rows, labels });
        let (none, mut workspace) = (Tensor::new([0, 3], &[]), Workspace::new());
        for probe in Probe::ALL {
            let fitted = probe.fit(train, validation, 3, &mut workspace).unwrap();
            assert_eq!(fitted.predict(&none, &mut workspace), Ok(vec![]), "{probe}");
            if let Some(logits) = fitted.logits(&none, &mut workspace).unwrap() {
                assert_eq!(logits.shape().dims(), [0, 3], "{probe}");
            }
        }
    }

    #[test]
    fn cross_entropy_by_hand() {
        let logits = Tensor::new([2, 2], &[0.0, 3_f32.ln(), 1000.0, 0.0]);
        // -ln(3 / 4) and, without overflow, 0.
        assert!((cross_entropy(&logits, &[1, 0]) - 0.5 * (4.0_f64 / 3.0).ln()).abs() < 1e-7);
    }
}
