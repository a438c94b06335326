//! How much of an experiment is done.

/// The same for all experiments; what it means for each is in its module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// Seconds: a few networks on a few pictures, to see that everything works. Its numbers say nothing.
    Smoke,
    /// Minutes: at most 8,000 training pictures.
    #[default]
    Quick,
    /// Hours: all pictures. The verdict of equivalence belongs to it.
    Full,
}

impl Profile {
    /// `smoke`, `quick` or `full`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Quick => "quick",
            Self::Full => "full",
        }
    }

    /// The one of a name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Smoke, Self::Quick, Self::Full].into_iter().find(|profile| profile.name() == name)
    }

    /// Training, validation and test pictures at most; 0 for all.
    pub fn pictures(self) -> [usize; 3] {
        match self {
            Self::Smoke => [300, 100, 100],
            Self::Quick => [8_000, 2_000, 2_000],
            Self::Full => [0, 0, 0],
        }
    }

    /// One of three values, in the order smoke, quick, full.
    pub fn choose<T>(self, [smoke, quick, full]: [T; 3]) -> T {
        match self {
            Self::Smoke => smoke,
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}
