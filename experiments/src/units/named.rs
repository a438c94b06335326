//! Activations in files: by name.

use patchgrad::ops::Activation;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub fn serialize<S: Serializer>(activation: &Activation, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(activation)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Activation, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}
