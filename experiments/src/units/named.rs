//! Activations in files: by name.

use patchgrad::ops::Activation;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub fn serialize<S: Serializer>(activation: &Activation, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(activation)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Activation, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

/// One that may be left out.
pub mod optional {
    use super::{Activation, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(activation: &Option<Activation>, serializer: S) -> Result<S::Ok, S::Error> {
        match activation {
            Some(activation) => super::serialize(activation, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Activation>, D::Error> {
        super::deserialize(deserializer).map(Some)
    }
}
