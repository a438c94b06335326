//! One check, what it is held to, and the row that it becomes.

use crate::data::Task;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Instant};

/// The real pictures that some checks need.
#[derive(Debug)]
pub struct Subject {
    /// MNIST: the bundled sample or the full set.
    pub mnist: Task,
}

impl Subject {
    /// Whether the networks are trained on the full set, and so held to the bars of the full set.
    pub fn is_full(&self) -> bool {
        // The bundled sample has 8,000 training pictures, the full set 50,000 after the split.
        self.mnist.train.count() > 20_000
    }
}

/// What a value is held to. A NaN fits no bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bar {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// From the first to the second, both included.
    Between(f64, f64),
    /// The first, give or take the second.
    Near(f64, f64),
    /// None here: tests of this repository are named, which `cargo test` runs.
    NamedTests,
}

impl Bar {
    /// Whether `value` fits.
    pub fn admits(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
            Self::Between(low, high) => (low..=high).contains(&value),
            Self::Near(target, tolerance) => (value - target).abs() <= tolerance,
            Self::NamedTests => value >= 1.0,
        }
    }

    /// In words, with the unit of the value.
    pub fn describe(self, unit: &str) -> String {
        match self {
            Self::AtMost(most) => format!("<= {}{unit}", plain(most)),
            Self::AtLeast(least) => format!(">= {}{unit}", plain(least)),
            Self::Between(low, high) => format!("{} to {}{unit}", plain(low), plain(high)),
            Self::Near(target, tolerance) => format!("{} +- {}{unit}", plain(target), plain(tolerance)),
            Self::NamedTests => "in cargo test".to_string(),
        }
    }
}

/// Measures the value of a check.
pub type Measure = Box<dyn Fn(&Subject) -> Result<f64> + Send + Sync>;

/// One check.
pub struct Check {
    /// Group and name, such as `gradient/conv2d`.
    pub name: String,
    /// What is claimed.
    pub what: String,
    /// How the value is measured: formula and source.
    pub how: String,
    /// What the value is held to.
    pub bar: Bar,
    /// What the value is counted in, with a leading space; empty for a plain number.
    pub unit: &'static str,
    /// Whether it takes more than a few seconds on the bundled sample: left out of the tests.
    pub slow: bool,
    measure: Measure,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.bar.describe(self.unit))
    }
}

impl Check {
    /// A quick check of a plain number.
    pub fn new(
        name: impl Into<String>,
        what: impl Into<String>,
        how: impl Into<String>,
        bar: Bar,
        measure: impl Fn(&Subject) -> Result<f64> + Send + Sync + 'static,
    ) -> Self {
        let (name, what, how) = (name.into(), what.into(), how.into());
        Self { name, what, how, bar, unit: "", slow: false, measure: Box::new(measure) }
    }

    /// The same, slow.
    pub fn slow(self) -> Self {
        Self { slow: true, ..self }
    }

    /// The same, counted in `unit`.
    pub fn counted_in(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    /// Measures and judges. An error of the measurement is a failure, with its text in the place of the value.
    pub fn run(&self, subject: &Subject) -> Row {
        let clock = Instant::now();
        let measured = (self.measure)(subject);
        let seconds = clock.elapsed().as_secs_f64();
        let (value, number, verdict) = match measured {
            Ok(value) => {
                let verdict = match (self.bar, self.bar.admits(value)) {
                    (Bar::NamedTests, true) => Verdict::Tested,
                    (_, true) => Verdict::Passed,
                    (_, false) => Verdict::Failed,
                };
                (format!("{}{}", short(value), self.unit), value.is_finite().then_some(value), verdict)
            }
            Err(error) => (format!("{error:#}"), None, Verdict::Failed),
        };
        Row {
            check: self.name.clone(),
            what: self.what.clone(),
            how: self.how.clone(),
            bar: self.bar.describe(self.unit),
            value,
            number,
            verdict,
            seconds,
        }
    }
}

/// Whether the value of a check fits its bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It does.
    #[serde(rename = "pass")]
    Passed,
    /// It does not, or there is none.
    #[serde(rename = "fail")]
    Failed,
    /// Nothing was measured here: tests are named.
    Tested,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "pass",
            Self::Failed => "FAIL",
            Self::Tested => "tested",
        })
    }
}

/// A row of table T0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Group and name of the check.
    pub check: String,
    /// What is claimed.
    pub what: String,
    /// How the value was measured.
    pub how: String,
    /// What the value is held to, in words.
    pub bar: String,
    /// The value in words, or why there is none.
    pub value: String,
    /// The value with all its digits; none where it is not a finite number.
    pub number: Option<f64>,
    /// Whether the value fits the bar.
    pub verdict: Verdict,
    /// Wall time.
    pub seconds: f64,
}

/// The number that was written down for a bar.
fn plain(value: f64) -> String {
    if value != 0.0 && value.abs() <= 1e-2 { format!("{value:e}") } else { value.to_string() }
}

/// A number with four digits that count.
fn short(value: f64) -> String {
    let size = value.abs();
    if value == value.trunc() && size < 1e6 {
        format!("{value}")
    } else if !(1e-2..1e5).contains(&size) {
        format!("{value:.1e}")
    } else {
        let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
        format!("{value:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_admit_what_they_say_and_no_nan() {
        assert!(Bar::AtMost(1.0).admits(1.0) && !Bar::AtMost(1.0).admits(1.1));
        assert!(Bar::AtLeast(1.0).admits(1.0) && !Bar::AtLeast(1.0).admits(0.9));
        assert!(Bar::Between(1.0, 2.0).admits(2.0) && !Bar::Between(1.0, 2.0).admits(2.1));
        assert!(Bar::Near(5.0, 0.5).admits(4.5) && !Bar::Near(5.0, 0.5).admits(5.6));
        assert!(!Bar::NamedTests.admits(0.0));
        for bar in [Bar::AtMost(1.0), Bar::AtLeast(-1.0), Bar::Between(-1.0, 1.0), Bar::Near(0.0, 1.0)] {
            assert!(!bar.admits(f64::NAN), "{bar:?}");
        }
        assert_eq!(Bar::Between(2.5, 5.0).describe(" %"), "2.5 to 5 %");
        assert_eq!(Bar::Near(2.1948, 5e-5).describe(""), "2.1948 +- 5e-5");
    }

    #[test]
    fn numbers_have_four_digits() {
        let texts = [0.0, 3.0, 56.299_64, 2.194_8, 0.012_345, 3.21e-7, -2.641_6, f64::NAN].map(short);
        assert_eq!(texts, ["0", "3", "56.30", "2.195", "0.01235", "3.2e-7", "-2.642", "NaN"]);
    }
}
