//! Sums, dot products and maxima in a fixed order: the same bits on every instruction set.
//!
//! # The order
//! A slice is cut into blocks of [`BLOCK_LEN`] elements, the last one shorter. Within a block, [`LANES`] running `f32`
//! sums take the elements in turn: element `i` goes to lane `i % LANES`. At the end of a block every lane is added to
//! an `f64` total of its own; at the end of the slice the totals are added, first lane to last.
//!
//! # The error
//! A term passes at most `BLOCK_LEN / LANES = 32` roundings in `f32`, so a sum of terms `t` is off by at most
//! `32 * 2^-24 * sum |t| = 1.9e-6 * sum |t|` (plus a negligible share from the additions in `f64`): the bound does not
//! grow with the length. A term that is a product or a squared difference brings 1 or 3 roundings of its own.

use crate::isa::dispatched;

/// Running sums within a block: one AVX-512 register, two of AVX2, four of SSE2 or NEON.
pub const LANES: usize = 16;

/// Elements summed in `f32` before the sum goes to `f64`.
pub const BLOCK_LEN: usize = 512;

dispatched! {
    /// The sum of `x`; 0 for an empty slice. Order and error bound: see the [module](self).
    pub fn sum(x: &[f32]) -> f64 {
        ordered_sum(x, x, |x, _| x)
    }

    /// The sum of `a * b`. Order and error bound: see the [module](self).
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn dot(a: &[f32], b: &[f32]) -> f64 {
        assert_eq!(a.len(), b.len(), "dot: the slices differ in length");
        ordered_sum(a, b, |a, b| a * b)
    }

    /// The sum of `(a - b)^2`. Order and error bound: see the [module](self).
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
        assert_eq!(a.len(), b.len(), "squared_distance: the slices differ in length");
        ordered_sum(a, b, |a, b| (a - b) * (a - b))
    }

    /// The largest element; NaN if there is one, minus infinity for an empty slice.
    pub fn max(x: &[f32]) -> f32 {
        max_of(x)
    }
}

/// The sum of `term(a[i], b[i])`, in the order of the module's text.
#[inline(always)]
fn ordered_sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f64 {
    let mut total = LaneTotals::default();
    for (a, b) in a.chunks(BLOCK_LEN).zip(b.chunks(BLOCK_LEN)) {
        total.add_block(a, b, &term);
    }
    total.sum()
}

/// The `f64` totals of the lanes of a sum in the order of the module's text.
#[derive(Default)]
pub(crate) struct LaneTotals([f64; LANES]);

impl LaneTotals {
    /// Adds `term(a[i], b[i])` for a block of at most [`BLOCK_LEN`] elements.
    #[inline(always)]
    pub(crate) fn add_block(&mut self, a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) {
        let ((a_groups, a_rest), (b_groups, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        let mut lanes = [0.0; LANES];
        for (a, b) in a_groups.iter().zip(b_groups) {
            for i in 0..LANES {
                lanes[i] += term(a[i], b[i]);
            }
        }
        for ((lane, &a), &b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
            *lane += term(a, b);
        }
        for (total, lane) in self.0.iter_mut().zip(lanes) {
            *total += f64::from(lane);
        }
    }

    /// The sum of the totals, first lane to last.
    #[inline(always)]
    pub(crate) fn sum(self) -> f64 {
        self.0.iter().sum()
    }
}

/// The largest of `x` and minus infinity, or NaN: [`max`] for rows within other dispatched bodies.
#[inline(always)]
pub(crate) fn max_of(x: &[f32]) -> f32 {
    let (groups, rest) = x.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    lanes[..rest.len()].copy_from_slice(rest);
    for group in groups {
        for i in 0..LANES {
            lanes[i] = larger(lanes[i], group[i]);
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = larger(lanes[i], lanes[i + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// The larger of the two, or NaN if either is.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a || b.is_nan() { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{integers, lengths, number_on_every_isa, on_every_isa, values};

    /// The bound of the module's text, for terms with `own` roundings of their own.
    fn bound(terms: &[f64], own: usize) -> f64 {
        let roundings = (BLOCK_LEN / LANES + own) as f64;
        roundings * 2f64.powi(-24) * terms.iter().map(|t| t.abs()).sum::<f64>()
    }

    #[track_caller]
    fn assert_close(got: f64, terms: &[f64], own: usize) {
        let expected: f64 = terms.iter().sum();
        assert!((got - expected).abs() <= bound(terms, own), "{got} for {expected}, {} terms", terms.len());
    }

    #[test]
    fn sums_stay_within_their_bounds() {
        for len in lengths().chain([100_003]) {
            let (a, b) = (values(len, 1), values(len, 2));
            let terms = |f: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
                a.iter().zip(&b).map(|(&a, &b)| f(a.into(), b.into())).collect()
            };
            assert_close(number_on_every_isa(|| sum(&a)), &terms(&|a, _| a), 0);
            assert_close(number_on_every_isa(|| dot(&a, &b)), &terms(&|a, b| a * b), 1);
            assert_close(number_on_every_isa(|| squared_distance(&a, &b)), &terms(&|a, b| (a - b).powi(2)), 3);
        }
    }

    #[test]
    fn sums_of_integers_are_exact() {
        for len in lengths() {
            let (a, b) = (integers(len, 3), integers(len, 4));
            let exact: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(a * b)).sum();
            assert_eq!(number_on_every_isa(|| dot(&a, &b)), exact);
        }
    }

    #[test]
    fn the_order_is_the_stated_one() {
        let x = values(1000, 5);
        let mut totals = [0.0f64; 16];
        for block in x.chunks(512) {
            let mut lanes = [0.0f32; 16];
            for (i, x) in block.iter().enumerate() {
                lanes[i % 16] += x;
            }
            for i in 0..16 {
                totals[i] += f64::from(lanes[i]);
            }
        }
        let mut expected = 0.0;
        for total in totals {
            expected += total;
        }
        assert_eq!(sum(&x), expected);
    }

    #[test]
    fn max_matches_the_plain_loop() {
        for len in lengths() {
            let x = values(len, 6);
            let expected = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert_eq!(number_on_every_isa(|| f64::from(max(&x))), f64::from(expected));
        }
    }

    #[test]
    fn max_propagates_nan_from_any_place() {
        for at in 0..40 {
            let mut x = values(40, 7);
            x[at] = f32::NAN;
            on_every_isa(1, |out| out[0] = max(&x)).iter().for_each(|m| assert!(m.is_nan(), "NaN at {at}"));
        }
    }
}
