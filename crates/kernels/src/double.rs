//! Products in `f64`, for rules that learn in double precision: row-major matrices, terms in the order of the formulas, nothing fused.
//! So every instruction set gives the bits of the plain loops.

use crate::isa::dispatched;

/// Columns whose sums are kept in registers: four vectors of AVX-512, eight of AVX2.
const COLUMNS: usize = 32;

/// `sums[j] = sums[j] + or - the sum over t of a[t] * b[t * step + j]`, term by term.
#[inline(always)]
fn accumulate<const SUBTRACTS: bool>(a: &[f64], b: &[f64], step: usize, sums: &mut [f64]) {
    let term = |sum: &mut f64, product: f64| if SUBTRACTS { *sum -= product } else { *sum += product };
    let (blocks, rest) = sums.as_chunks_mut::<COLUMNS>();
    let first_of_rest = blocks.len() * COLUMNS;
    for (block, to) in blocks.iter_mut().enumerate() {
        let mut now = *to;
        for (&a, b) in a.iter().zip(b.chunks(step)) {
            let b: &[f64; COLUMNS] = b[block * COLUMNS..].first_chunk().expect("a row has all columns");
            for j in 0..COLUMNS {
                term(&mut now[j], a * b[j]);
            }
        }
        *to = now;
    }
    if !rest.is_empty() {
        for (&a, b) in a.iter().zip(b.chunks(step)) {
            rest.iter_mut().zip(&b[first_of_rest..]).for_each(|(sum, b)| term(sum, a * b));
        }
    }
}

dispatched! {
    /// `y += x W`.
    ///
    /// # Shapes
    /// `x` `[D]`, `w` `[D, n]`, `y` `[n]`.
    ///
    /// # Panics
    /// If the lengths do not fit, or `y` is empty.
    pub fn add_vector_matrix(x: &[f64], w: &[f64], y: &mut [f64]) {
        assert_eq!(w.len(), x.len() * y.len(), "add_vector_matrix: w [{}, {}] expected", x.len(), y.len());
        accumulate::<false>(x, w, y.len(), y);
    }

    /// `to += x' y`.
    ///
    /// # Shapes
    /// `x` `[D]`, `y` `[n]`, `to` `[D, n]`.
    ///
    /// # Panics
    /// If the lengths do not fit, or `y` is empty.
    pub fn add_outer(x: &[f64], y: &[f64], to: &mut [f64]) {
        assert_eq!(to.len(), x.len() * y.len(), "add_outer: [{}, {}] expected", x.len(), y.len());
        for (&x, to) in x.iter().zip(to.chunks_exact_mut(y.len())) {
            to.iter_mut().zip(y).for_each(|(to, y)| *to += x * y);
        }
    }

    /// `to -= W P`.
    ///
    /// # Shapes
    /// `w` `[D, n]`, `p` `[n, n]`, `to` `[D, n]`; D is what the lengths say, n is `n`.
    ///
    /// # Panics
    /// If the lengths do not fit, or `n` is 0.
    pub fn subtract_product(w: &[f64], p: &[f64], n: usize, to: &mut [f64]) {
        assert_eq!(p.len(), n * n, "subtract_product: p [{n}, {n}] expected");
        assert!(w.len() == to.len() && w.len().is_multiple_of(n), "subtract_product: rows of {n} expected");
        for (w, to) in w.chunks_exact(n).zip(to.chunks_exact_mut(n)) {
            accumulate::<true>(w, p, n, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        isa::{self, Isa},
        testing::values,
    };

    fn doubles(len: usize, seed: u64) -> Vec<f64> {
        // Not exact in f32, so that every product rounds.
        values(len, seed).into_iter().map(|x| f64::from(x) / 3.0).collect()
    }

    #[test]
    fn every_instruction_set_has_the_bits_of_the_plain_loops() {
        for (rows, n) in [(1, 1), (3, 2), (5, 31), (7, 32), (4, 33), (9, 64), (2, 100), (40, 130)] {
            let (x, y, w, p) = (doubles(rows, 1), doubles(n, 2), doubles(rows * n, 3), doubles(n * n, 4));
            let (mut sum, mut outer, mut difference) = (y.clone(), w.clone(), doubles(rows * n, 5));
            for d in 0..rows {
                for j in 0..n {
                    sum[j] += x[d] * w[d * n + j];
                    outer[d * n + j] += x[d] * y[j];
                    for i in 0..n {
                        difference[d * n + j] -= w[d * n + i] * p[i * n + j];
                    }
                }
            }
            for isa in Isa::available() {
                let mut got = [y.clone(), w.clone(), doubles(rows * n, 5)];
                let [to_sum, to_outer, to_difference] = &mut got;
                isa::with(isa, || {
                    add_vector_matrix(&x, &w, to_sum);
                    add_outer(&x, &y, to_outer);
                    subtract_product(&w, &p, n, to_difference);
                });
                assert!(got == [sum.clone(), outer.clone(), difference.clone()], "{rows} rows, {n} columns, {isa}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "add_outer: [2, 3] expected")]
    fn lengths_that_do_not_fit_are_refused() {
        add_outer(&[0.0; 2], &[0.0; 3], &mut [0.0; 5]);
    }
}
