//! The transforms in one dimension, and how two of them make one in two dimensions.
//!
//! All matrices come from evaluating polynomials at the points 0, 1, -1, 2, -2 and infinity. The rows of a point and of
//! its negative differ in the sign of the odd terms only, so their even and odd halves are computed once for both.

use super::FREQUENCIES;
use crate::simd::Vector;
use std::hint::black_box;

/// Points of evaluation: the side of a transformed tile.
pub(super) const POINTS: usize = 6;

const _: () = assert!(POINTS * POINTS == FREQUENCIES);

/// A matrix with `TO` rows and `FROM` columns, applied to vectors lane by lane.
pub(super) trait Transform<const FROM: usize, const TO: usize> {
    /// The matrix times `x`.
    ///
    /// # Safety
    /// As [`Vector`].
    unsafe fn apply<V: Vector>(x: [V; FROM]) -> [V; TO];
}

/// `B^T`, for tiles of the input.
///
/// ```text
/// 4  0 -5  0  1  0
/// 0 -4 -4  1  1  0
/// 0  4 -4 -1  1  0
/// 0 -2 -1  2  1  0
/// 0  2 -1 -2  1  0
/// 0  4  0 -5  0  1
/// ```
pub(super) struct Input;

impl Transform<6, POINTS> for Input {
    #[inline(always)]
    unsafe fn apply<V: Vector>(x: [V; 6]) -> [V; POINTS] {
        // SAFETY: registers only; the caller chose V.
        unsafe {
            let (two, four, minus_two, minus_four) = (V::splat(2.0), V::splat(4.0), V::splat(-2.0), V::splat(-4.0));
            let (even_one, odd_one) = (x[2].mul_add(minus_four, x[4]), x[1].mul_add(minus_four, x[3]));
            let (even_two, odd_two) = (x[4].sub(x[2]), x[3].sub(x[1]));
            [
                x[0].sub(x[2]).mul_add(four, even_two),
                even_one.add(odd_one),
                even_one.sub(odd_one),
                odd_two.mul_add(two, even_two),
                odd_two.mul_add(minus_two, even_two),
                odd_two.mul_add(minus_four, x[5].sub(x[3])),
            ]
        }
    }
}

/// `G`, for the kernel.
///
/// ```text
///  1/4     0     0
/// -1/6  -1/6  -1/6
/// -1/6   1/6  -1/6
/// 1/24  1/12   1/6
/// 1/24 -1/12   1/6
///    0     0     1
/// ```
pub(super) struct Weight;

impl Transform<3, POINTS> for Weight {
    #[inline(always)]
    unsafe fn apply<V: Vector>(x: [V; 3]) -> [V; POINTS] {
        // SAFETY: registers only; the caller chose V.
        unsafe {
            let sixth = V::splat(1.0 / 6.0);
            let (even_one, odd_one) = (x[0].add(x[2]).mul(V::splat(-1.0 / 6.0)), x[1].mul(sixth));
            let (even_two, odd_two) =
                (x[0].mul_add(V::splat(1.0 / 24.0), x[2].mul(sixth)), x[1].mul(V::splat(1.0 / 12.0)));
            [
                x[0].mul(V::splat(0.25)),
                even_one.sub(odd_one),
                even_one.add(odd_one),
                even_two.add(odd_two),
                even_two.sub(odd_two),
                x[2],
            ]
        }
    }
}

/// `G^T`, the adjoint of [`Weight`]: for the gradient of the kernel.
pub(super) struct GradWeight;

impl Transform<POINTS, 3> for GradWeight {
    #[inline(always)]
    unsafe fn apply<V: Vector>(x: [V; POINTS]) -> [V; 3] {
        // SAFETY: registers only; the caller chose V.
        unsafe {
            let sixth = V::splat(1.0 / 6.0);
            let (even_one, odd_one) = (x[1].add(x[2]).mul(V::splat(-1.0 / 6.0)), x[2].sub(x[1]).mul(sixth));
            let (even_two, odd_two) = (x[3].add(x[4]), x[3].sub(x[4]));
            [
                even_two.mul_add(V::splat(1.0 / 24.0), x[0].mul_add(V::splat(0.25), even_one)),
                odd_two.mul_add(V::splat(1.0 / 12.0), odd_one),
                even_two.mul_add(sixth, even_one.add(x[5])),
            ]
        }
    }
}

/// `A^T`, for tiles of the output.
///
/// ```text
/// 1  1  1  1  1  0
/// 0  1 -1  2 -2  0
/// 0  1  1  4  4  0
/// 0  1 -1  8 -8  1
/// ```
pub(super) struct Output;

impl Transform<POINTS, 4> for Output {
    #[inline(always)]
    unsafe fn apply<V: Vector>(x: [V; POINTS]) -> [V; 4] {
        // SAFETY: registers only; the caller chose V.
        unsafe {
            let (even_one, odd_one) = (x[1].add(x[2]), x[1].sub(x[2]));
            let (even_two, odd_two) = (x[3].add(x[4]), x[3].sub(x[4]));
            [
                x[0].add(even_one).add(even_two),
                odd_two.mul_add(V::splat(2.0), odd_one),
                even_two.mul_add(V::splat(4.0), even_one),
                odd_two.mul_add(V::splat(8.0), odd_one.add(x[5])),
            ]
        }
    }
}

/// `A`, the adjoint of [`Output`]: for tiles of the gradient of the output.
pub(super) struct GradOutput;

impl Transform<4, POINTS> for GradOutput {
    #[inline(always)]
    unsafe fn apply<V: Vector>(x: [V; 4]) -> [V; POINTS] {
        // SAFETY: registers only; the caller chose V.
        unsafe {
            let four = V::splat(4.0);
            let (even_one, odd_one) = (x[0].add(x[2]), x[1].add(x[3]));
            let (even_two, odd_two) = (x[2].mul_add(four, x[0]), x[3].mul_add(four, x[1]));
            [
                x[0],
                even_one.add(odd_one),
                even_one.sub(odd_one),
                odd_two.mul_add(V::splat(2.0), even_two),
                odd_two.mul_add(V::splat(-2.0), even_two),
                x[3],
            ]
        }
    }
}

/// `T x T^T`: columns first, then rows. `load(i, j)` gives element `(i, j)` of `x`, `store(i, j, value)` takes that of the
/// result.
///
/// # Safety
/// As [`Vector`].
#[inline(always)]
pub(super) unsafe fn both_ways<V: Vector, T: Transform<FROM, TO>, const FROM: usize, const TO: usize>(
    load: impl Fn(usize, usize) -> V,
    mut store: impl FnMut(usize, usize, V),
) {
    // SAFETY: registers and local arrays only; the caller chose V.
    unsafe {
        let mut half = [[V::splat(0.0); FROM]; TO];
        // A loop that the compiler cannot unroll: the addresses of all FROM x FROM values at once do not fit in registers, and
        // were measured to cost more than the arithmetic.
        for j in 0..black_box(FROM) {
            let mut column = [V::splat(0.0); FROM];
            for (i, value) in column.iter_mut().enumerate() {
                *value = load(i, j);
            }
            for (row, value) in half.iter_mut().zip(T::apply(column)) {
                row[j] = value;
            }
        }
        for (i, row) in half.into_iter().enumerate() {
            for (j, value) in T::apply(row).into_iter().enumerate() {
                store(i, j, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Baseline;

    /// The columns of a transform, read off unit vectors.
    fn columns<T: Transform<FROM, TO>, const FROM: usize, const TO: usize>() -> [[f32; TO]; FROM] {
        std::array::from_fn(|column| {
            // SAFETY: the portable vector runs everywhere; `sum` adds four equal lanes.
            unsafe {
                let unit = std::array::from_fn(|i| Baseline::splat(if i == column { 0.25 } else { 0.0 }));
                T::apply(unit).map(|value| value.sum())
            }
        })
    }

    fn transposed<const N: usize, const M: usize>(matrix: [[f32; N]; M]) -> [[f32; M]; N] {
        std::array::from_fn(|i| std::array::from_fn(|j| matrix[j][i]))
    }

    #[test]
    fn transforms_are_the_matrices_of_their_docs() {
        let input = [
            [4.0, 0.0, -5.0, 0.0, 1.0, 0.0],
            [0.0, -4.0, -4.0, 1.0, 1.0, 0.0],
            [0.0, 4.0, -4.0, -1.0, 1.0, 0.0],
            [0.0, -2.0, -1.0, 2.0, 1.0, 0.0],
            [0.0, 2.0, -1.0, -2.0, 1.0, 0.0],
            [0.0, 4.0, 0.0, -5.0, 0.0, 1.0],
        ];
        let output = [
            [1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
            [0.0, 1.0, -1.0, 2.0, -2.0, 0.0],
            [0.0, 1.0, 1.0, 4.0, 4.0, 0.0],
            [0.0, 1.0, -1.0, 8.0, -8.0, 1.0],
        ];
        let (s, t, u) = (1.0 / 6.0, 1.0 / 12.0, 1.0 / 24.0);
        let weight = [[0.25, 0.0, 0.0], [-s, -s, -s], [-s, s, -s], [u, t, s], [u, -t, s], [0.0, 0.0, 1.0]];
        assert_eq!(columns::<Input, 6, 6>(), transposed(input));
        assert_eq!(columns::<Output, 6, 4>(), transposed(output));
        assert_eq!(columns::<GradOutput, 4, 6>(), output);
        assert_eq!(columns::<Weight, 3, 6>(), transposed(weight));
        assert_eq!(columns::<GradWeight, 6, 3>(), weight);
    }

    #[test]
    fn both_ways_is_the_product_with_the_matrix_on_both_sides() {
        let matrix = transposed(columns::<GradOutput, 4, 6>());
        let x = |i: usize, j: usize| (3 * i * i + 5 * j) as f32 - 7.0;
        let mut got = [[f32::NAN; 6]; 6];
        // SAFETY: the portable vector runs everywhere.
        unsafe {
            both_ways::<Baseline, GradOutput, 4, 6>(
                |i, j| Baseline::splat(x(i, j)),
                |i, j, value| got[i][j] = value.sum() / 4.0,
            );
        }
        for (i, row) in got.iter().enumerate() {
            for (j, &value) in row.iter().enumerate() {
                let mut expected = 0.0;
                for k in 0..4 {
                    for l in 0..4 {
                        expected += matrix[i][k] * x(k, l) * matrix[j][l];
                    }
                }
                assert_eq!(value, expected, "({i}, {j})");
            }
        }
    }
}
