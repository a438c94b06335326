//! Gram-Schmidt: an orthonormal basis of what a few vectors span.

/// A vector of which less than this share is new is a combination of the earlier ones.
const DEPENDENT: f64 = 1e-10;

/// Orthonormal vectors spanning the same space as `vectors`, in their order, by Gram-Schmidt in `f64`.
///
/// Vectors that depend on earlier ones (and zero vectors) are dropped, so the result's length is the rank. Every vector
/// is projected twice: "twice is enough" to be orthogonal to rounding error, however close to dependent (Giraud, Langou
/// & Rozloznik 2005).
///
/// # Panics
/// If the vectors differ in length.
pub fn orthonormalise(vectors: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(vectors.len());
    for mut vector in vectors {
        let before = length(&vector);
        remove_projection(&mut vector, &basis);
        let after = length(&vector);
        // Written so that NaN is dropped, too.
        if after > DEPENDENT * before {
            remove_projection(&mut vector, &basis);
            let scale = 1.0 / length(&vector);
            vector.iter_mut().for_each(|value| *value *= scale);
            basis.push(vector);
        }
    }
    basis
}

/// Subtracts from `vector` its projection on the orthonormal `basis`, leaving the least-squares residual.
///
/// # Panics
/// If the lengths differ.
pub fn remove_projection(vector: &mut [f64], basis: &[Vec<f64>]) {
    for direction in basis {
        assert_eq!(direction.len(), vector.len(), "vectors of {} and {} values", direction.len(), vector.len());
        let along: f64 = direction.iter().zip(&*vector).map(|(d, v)| d * v).sum();
        vector.iter_mut().zip(direction).for_each(|(v, d)| *v -= along * d);
    }
}

fn length(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_the_same_space_and_drops_what_is_dependent() {
        let basis = orthonormalise(vec![
            vec![3.0, 4.0, 0.0],
            vec![0.0, 0.0, 0.0],
            vec![6.0, 8.0, 0.0],
            vec![1.0, 1.0, 1.0],
            vec![4.0, 5.0, 1.0],
            vec![f64::NAN, 0.0, 0.0],
        ]);
        assert_eq!(basis.len(), 2);
        assert_eq!(basis[0], [0.6000000000000001, 0.8, 0.0]);
        // [1, 1, 1] - 1.4 [.6, .8, 0] = [.16, -.12, 1], length sqrt(1.04).
        for (got, want) in basis[1].iter().zip([0.16, -0.12, 1.0]) {
            assert!((got - want / 1.04_f64.sqrt()).abs() < 1e-14);
        }
    }

    #[test]
    fn nearly_parallel_vectors_come_out_orthogonal() {
        let basis = orthonormalise(vec![vec![1.0, 1.0, 1.0], vec![1.0, 1.0, 1.0 + 1e-8], vec![1.0, 1.0 + 1e-8, 1.0]]);
        assert_eq!(basis.len(), 3);
        for i in 0..3 {
            for j in 0..3 {
                let product: f64 = basis[i].iter().zip(&basis[j]).map(|(a, b)| a * b).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-14, "{i}, {j}: {product}");
            }
        }
    }
}
