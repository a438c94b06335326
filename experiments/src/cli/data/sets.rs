//! Data sets by name: real ones and computed ones.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use patchgrad_datasets::SetName;
use patchgrad_datasets::synthetic::controlled::{Controlled, ControlledSpec};

/// A set that can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnySet {
    /// Pictures from files.
    Real(SetName),
    /// Small pictures with a class pattern of known variance.
    Controlled,
    /// Pages of a handwritten book.
    Pages,
}

impl AnySet {
    /// Every set, for listings.
    pub fn all() -> impl Iterator<Item = AnySet> {
        SetName::ALL.into_iter().map(AnySet::Real).chain([AnySet::Controlled, AnySet::Pages])
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            AnySet::Real(set) => set.folder(),
            AnySet::Controlled => "synthetic-s1",
            AnySet::Pages => "synthetic-pages",
        }
    }
}

/// Set S1 as the commands show it.
pub(super) fn controlled(seed: u64) -> Controlled {
    // More of the class pattern than by default, for eyes.
    let spec = ControlledSpec { classes: 4, class_share: 0.25, ..ControlledSpec::default() };
    Controlled::new(spec, seed).expect("the parameters are in their ranges")
}

/// Reads the name of any set; proposes a similar one otherwise.
pub(super) fn any_set() -> impl TypedValueParser<Value = AnySet> {
    let find = |name: String| AnySet::all().find(|set| set.name() == name).expect("a possible value");
    PossibleValuesParser::new(AnySet::all().map(AnySet::name)).map(find)
}

/// Reads the name of a set that can be downloaded; proposes a similar one otherwise.
#[cfg(feature = "fetch")]
pub(super) fn real_set() -> impl TypedValueParser<Value = SetName> {
    let find = |name: String| name.parse().expect("a possible value");
    PossibleValuesParser::new(SetName::ALL.map(SetName::folder)).map(find)
}
