//! Sets that are computed: everything about them is known, and the same seed gives the same bytes on every platform.
//!
//! - [`controlled`]: small grey pictures whose class pattern has a chosen share of the variance;
//! - [`pages`]: pages of a handwritten book with the class of every pixel.
//!
//! How the same bytes come about: random numbers are ChaCha8's, integers first; everything else is f64 addition,
//! multiplication, division and square root, which IEEE 754 defines to the last bit, and logarithms and cosines of the
//! `libm` crate, which are made of these and not of the platform's own. Rust never fuses a multiplication and an addition
//! unasked. The tests pin checksums.

pub mod controlled;
pub mod pages;
mod random;

/// A parameter out of its range.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("synthetic set: {name} is {value}, expected {low} to {high}")]
pub struct SpecError {
    name: &'static str,
    value: f64,
    low: f64,
    high: f64,
}

fn check(name: &'static str, value: f64, low: f64, high: f64) -> Result<(), SpecError> {
    // Not a number is in no range.
    if (low..=high).contains(&value) { Ok(()) } else { Err(SpecError { name, value, low, high }) }
}
