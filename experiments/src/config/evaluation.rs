//! `[evaluation]`: what is measured.

use crate::{probe::Probe, scores::Score};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Which numbers of a stack are its features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeKind {
    /// Those of the top layer.
    #[default]
    Top,
    /// The central features of all layers: those of the positions that lie in the middle of the picture.
    Central,
}

/// What is measured of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluationConfig {
    /// How well the classes are told apart by the code.
    #[serde(serialize_with = "names", deserialize_with = "parsed")]
    pub probes: Vec<Probe>,
    /// How well pictures are reconstructed.
    #[serde(serialize_with = "names", deserialize_with = "parsed")]
    pub scores: Vec<Score>,
    /// What the probes see.
    pub code: CodeKind,
    /// Whether everything is measured on the training pictures: to see whether a network can learn a few by heart.
    pub on_train: bool,
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self {
            probes: vec![Probe::Logistic],
            scores: vec![Score::Mse, Score::R2, Score::Psnr, Score::Ssim],
            code: CodeKind::Top,
            on_train: false,
        }
    }
}

fn names<S: Serializer, T: std::fmt::Display>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(T::to_string))
}

/// A value that is written by its name.
struct Named<T>(T);

impl<'de, T: std::str::FromStr<Err: std::fmt::Display>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

fn parsed<'de, D: Deserializer<'de>, T: std::str::FromStr<Err: std::fmt::Display>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Vec::<Named<T>>::deserialize(deserializer)?.into_iter().map(|Named(value)| value).collect())
}
