//! The claims over fewer networks: is a result one of the networks that did not learn, or of those that learnt another task?
//!
//! Asked after the first full runs had been seen; no verdict rests on it.

use super::network::NetworkRow;
use serde::Serialize;

/// From this share of masked inputs on, a network was trained on pictures that look little like those it is measured on.
const MUCH: f64 = 0.3;

/// What captions say of it.
pub(crate) const STRONG_MASKING: &str = "Strong masking: three tenths of the inputs or more were set to 0 in training";

/// Which of the networks that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subset {
    /// All.
    All,
    /// Those that are not dead.
    Living,
    /// Those of whose inputs less than three tenths were masked in training, dead ones among them. Masked inputs are 0 and
    /// nothing makes up for them, so that the decoder of a strongly masked network fits codes of other pictures than those it is
    /// measured on.
    LightlyMasked,
}

impl Subset {
    /// Every subset, all of them first.
    pub const ALL: [Self; 3] = [Self::All, Self::Living, Self::LightlyMasked];

    /// Those that leave some out.
    pub const FEWER: [Self; 2] = [Self::Living, Self::LightlyMasked];

    /// How tables name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Living => "without dead ones",
            Self::LightlyMasked => "without strong masking",
        }
    }

    /// How numbers name it; empty for all.
    pub fn key(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Living => ".living",
            Self::LightlyMasked => ".lightly-masked",
        }
    }

    /// Whether a network belongs to it; a failed one never.
    pub fn holds(self, row: &NetworkRow) -> bool {
        row.status.enters(self == Self::Living) && !(self == Self::LightlyMasked && is_strongly_masked(row))
    }

    /// Those of `rows` that belong to it, in their order.
    pub fn of(self, rows: &[NetworkRow]) -> Vec<NetworkRow> {
        rows.iter().filter(|row| self.holds(row)).cloned().collect()
    }
}

fn is_strongly_masked(row: &NetworkRow) -> bool {
    let share = row.regulariser.strip_prefix("masking-").and_then(|share| share.parse().ok());
    share.is_some_and(|share: f64| share >= MUCH)
}

#[cfg(test)]
mod tests {
    use super::super::network::Status;
    use super::super::network::tests::row;
    use super::*;

    #[test]
    fn what_is_left_out() {
        let mut rows: Vec<NetworkRow> = (0..6).map(row).collect();
        let regularisers = ["none", "masking-0.1", "masking-0.3", "masking-0.5", "gaussian-0.3", "none"];
        rows.iter_mut().zip(regularisers).for_each(|(row, name)| row.regulariser = name.to_string());
        (rows[4].status, rows[5].status) = (Status::Dead, Status::Failed);
        let left = |subset: Subset| subset.of(&rows).iter().map(|row| row.network).collect::<Vec<usize>>();
        assert_eq!(left(Subset::All), [0, 1, 2, 3, 4]);
        assert_eq!(left(Subset::Living), [0, 1, 2, 3]);
        assert_eq!(left(Subset::LightlyMasked), [0, 1, 4]);
    }
}
