//! The names of the colour spaces, for configurations and tables.

use std::fmt;
use std::str::FromStr;

use super::ColourSpace;

/// A name that no colour space has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown colour space {0:?}; known are {known}", known = ColourSpace::ALL.map(ColourSpace::name).join(", "))]
pub struct UnknownColourSpace(pub String);

impl ColourSpace {
    /// Every space, for listings.
    pub const ALL: [ColourSpace; 8] = [
        ColourSpace::Rgb,
        ColourSpace::Yuv,
        ColourSpace::Hsv,
        ColourSpace::Xyz,
        ColourSpace::Css,
        ColourSpace::Cssv,
        ColourSpace::Cmyk,
        ColourSpace::Grayscale,
    ];

    /// The name in configurations and tables.
    pub fn name(self) -> &'static str {
        match self {
            ColourSpace::Rgb => "rgb",
            ColourSpace::Yuv => "yuv",
            ColourSpace::Hsv => "hsv",
            ColourSpace::Xyz => "xyz",
            ColourSpace::Css => "css",
            ColourSpace::Cssv => "cssv",
            ColourSpace::Cmyk => "cmyk",
            ColourSpace::Grayscale => "grayscale",
        }
    }
}

impl fmt::Display for ColourSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ColourSpace {
    type Err = UnknownColourSpace;

    fn from_str(name: &str) -> Result<Self, UnknownColourSpace> {
        let found = ColourSpace::ALL.into_iter().find(|space| space.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| UnknownColourSpace(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed() {
        for space in ColourSpace::ALL {
            assert_eq!(space.to_string().parse(), Ok(space));
            assert_eq!(space.name().to_uppercase().parse(), Ok(space), "as N-light-N's scripts have it");
            assert!(UnknownColourSpace(String::new()).to_string().contains(&space.to_string()));
        }
        assert_eq!("lab".parse::<ColourSpace>(), Err(UnknownColourSpace("lab".to_owned())));
    }
}
