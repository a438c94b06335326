//! Many tests at once: Holm's correction.

/// Holm's step-down p-values (Holm 1979), in the order of `p_values`: reject where the result is at most the level, and
/// the chance of even one false rejection in the family stays below it, however the tests depend on each other.
///
/// Sorted upwards, the i-th of m (from 1) becomes `max over j <= i of min(1, (m - j + 1) p_j)`. The result for no p-values
/// is empty.
///
/// `None` if a value is not a probability: a test without a result must be left out, or counted as 1, by the caller.
///
/// ```
/// assert_eq!(pitfall::statistics::holm(&[0.03, 0.01, 0.5]), Some(vec![0.06, 0.03, 0.5]));
/// ```
pub fn holm(p_values: &[f64]) -> Option<Vec<f64>> {
    if !p_values.iter().all(|p| (0.0..=1.0).contains(p)) {
        return None;
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (place, &test) in order.iter().enumerate() {
        largest = largest.max(((p_values.len() - place) as f64 * p_values[test]).min(1.0));
        adjusted[test] = largest;
    }
    Some(adjusted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // 4 x .01, 3 x .02, then 2 x .025 = .05 is raised to the .06 before it.
        assert_eq!(holm(&[0.02, 0.01, 0.025, 0.9]), Some(vec![0.06, 0.04, 0.06, 0.9]));
        assert_eq!(holm(&[0.7, 0.6]), Some(vec![1.0, 1.0]), "at most 1");
        assert_eq!(holm(&[0.02; 3]), Some(vec![0.06; 3]), "equal stays equal");
        assert_eq!(holm(&[0.2]), Some(vec![0.2]));
    }

    #[test]
    fn the_order_of_the_tests_does_not_matter() {
        let p = [0.3, 0.001, 0.04, 0.04, 0.0];
        let mut reversed = p;
        reversed.reverse();
        let mut back = holm(&reversed).unwrap();
        back.reverse();
        assert_eq!(holm(&p), Some(back));
    }

    #[test]
    fn undefined_is_none() {
        assert_eq!(holm(&[]), Some(vec![]));
        for bad in [f64::NAN, -0.1, 1.5] {
            assert_eq!(holm(&[0.1, bad]), None);
        }
    }
}
