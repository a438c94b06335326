//! Sums over the values of two pictures, several at once.

/// Running sums side by side: enough to fill the registers that hold f64 and to hide the time an addition takes.
const LANES: usize = 8;

/// The sums of the K numbers that `terms` makes of each pair `(a[i], b[i])`, in f64.
///
/// Element i goes to lane `i % 8`; at the end the lanes are added, first to last: the order depends on the length alone.
pub(super) fn sums<const K: usize>(a: &[f32], b: &[f32], terms: impl Fn(f64, f64) -> [f64; K]) -> [f64; K] {
    debug_assert_eq!(a.len(), b.len());
    let ((a_groups, a_rest), (b_groups, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [[0.0; LANES]; K];
    let mut add = |lane: usize, a: f32, b: f32| {
        for (sum, term) in lanes.iter_mut().zip(terms(f64::from(a), f64::from(b))) {
            sum[lane] += term;
        }
    };
    for (a, b) in a_groups.iter().zip(b_groups) {
        for lane in 0..LANES {
            add(lane, a[lane], b[lane]);
        }
    }
    for (lane, (&a, &b)) in a_rest.iter().zip(b_rest).enumerate() {
        add(lane, a, b);
    }
    lanes.map(|lanes| lanes.iter().sum())
}

/// Mean of `(a - b)^2`.
pub(super) fn mean_squared_error(a: &[f32], b: &[f32]) -> f64 {
    let [sum] = sums(a, b, |a, b| [(a - b) * (a - b)]);
    sum / a.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_counted_once() {
        for len in 0..40 {
            let a: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let b = vec![2.0; len];
            let n = len as f64;
            assert_eq!(sums(&a, &b, |a, b| [a, b, 1.0]), [n * (n - 1.0).max(0.0) / 2.0, 2.0 * n, n], "{len}");
        }
        assert_eq!(mean_squared_error(&[1.0, 2.0, 5.0], &[1.0, 0.0, 4.0]), 5.0 / 3.0);
    }
}
