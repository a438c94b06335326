//! Two classifiers on the same test set: McNemar's test.

use super::distributions::{binomial_cdf, chi_squared_upper_tail};
use super::holm::holm;

/// On how many images exactly one of two classifiers is right; the others say nothing about which is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// Images only the first classifier gets right.
    pub only_first: u64,
    /// Images only the second classifier gets right.
    pub only_second: u64,
    /// All images of the test set.
    pub images: u64,
}

/// What a family of paired comparisons says about one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparison {
    /// The first classifier is better.
    Better,
    /// No difference was shown.
    Equal,
    /// The first classifier is worse.
    Worse,
}

impl Disagreement {
    /// Counts where the two differ, from "was image i classified correctly?".
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn count(first_correct: &[bool], second_correct: &[bool]) -> Self {
        let (first, second) = (first_correct.len(), second_correct.len());
        assert_eq!(first, second, "the two classifiers judged {first} and {second} images; each needs both");
        let pairs = || first_correct.iter().zip(second_correct);
        Disagreement {
            only_first: pairs().filter(|(first, second)| **first && !**second).count() as u64,
            only_second: pairs().filter(|(first, second)| !**first && **second).count() as u64,
            images: first as u64,
        }
    }

    /// Accuracy of the first minus accuracy of the second; `None` without images.
    pub fn difference(&self) -> Option<f64> {
        (self.images > 0).then(|| (self.only_first as f64 - self.only_second as f64) / self.images as f64)
    }

    /// McNemar's exact test: the two-sided p-value of a fair coin over the images on which they differ. It keeps its
    /// level with any number of them (and is somewhat careful with few); 1 if they never differ.
    pub fn exact_p(&self) -> f64 {
        let (fewer, both) = (self.only_first.min(self.only_second), self.only_first + self.only_second);
        let lower_tail = binomial_cdf(fewer, both, 0.5).expect("1/2 is a probability");
        (2.0 * lower_tail).min(1.0)
    }

    /// The classical approximation with Edwards' correction for continuity: `(abs(b - c) - 1)^2 / (b + c)` against
    /// chi-squared with one degree of freedom. Returns the statistic and its p-value; `None` if they never differ.
    ///
    /// From about 25 images on which they differ it is close to [`exact_p`](Self::exact_p), which is the one to report.
    pub fn chi_squared(&self) -> Option<(f64, f64)> {
        let both = self.only_first + self.only_second;
        if both == 0 {
            return None;
        }
        let excess = (self.only_first.abs_diff(self.only_second) as f64 - 1.0).max(0.0);
        let statistic = excess * excess / both as f64;
        Some((statistic, chi_squared_upper_tail(statistic, 1.0)?))
    }
}

/// Better, equal or worse for each comparison of a family: [`Disagreement::exact_p`], corrected by [`holm`] over all of
/// them, at the given level. In the order of `family`.
///
/// ```
/// use pitfall::statistics::{Comparison, Disagreement, compare_all};
///
/// let against_pixels = |only_first, only_second| Disagreement { only_first, only_second, images: 10_000 };
/// let codes = [against_pixels(400, 200), against_pixels(250, 240), against_pixels(90, 900)];
/// assert_eq!(compare_all(&codes, 0.05), [Comparison::Better, Comparison::Equal, Comparison::Worse]);
/// ```
pub fn compare_all(family: &[Disagreement], level: f64) -> Vec<Comparison> {
    let p_values: Vec<f64> = family.iter().map(Disagreement::exact_p).collect();
    let adjusted = holm(&p_values).expect("exact p-values are probabilities");
    let judge = |(pair, p): (&Disagreement, f64)| match pair.only_first.cmp(&pair.only_second) {
        std::cmp::Ordering::Greater if p <= level => Comparison::Better,
        std::cmp::Ordering::Less if p <= level => Comparison::Worse,
        _ => Comparison::Equal,
    };
    family.iter().zip(adjusted).map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(only_first: u64, only_second: u64) -> Disagreement {
        Disagreement { only_first, only_second, images: 100 }
    }

    #[test]
    fn counts_where_exactly_one_is_right() {
        let first = [true, true, false, false, true];
        let second = [true, false, true, false, false];
        let counted = Disagreement::count(&first, &second);
        assert_eq!(counted, Disagreement { only_first: 2, only_second: 1, images: 5 });
        assert_eq!(counted.difference(), Some(0.2));
        assert_eq!(Disagreement::count(&[], &[]).difference(), None);
    }

    #[test]
    fn by_hand() {
        // 1 of 6: 2 (1 + 6) / 64
        assert!((pair(1, 5).exact_p() - 14.0 / 64.0).abs() < 1e-13);
        assert_eq!(pair(5, 1).exact_p(), pair(1, 5).exact_p());
        assert_eq!((pair(4, 4).exact_p(), pair(0, 0).exact_p()), (1.0, 1.0));
        // (10 - 1)^2 / 30
        assert_eq!(pair(20, 10).chi_squared().unwrap().0, 2.7);
        assert_eq!(pair(3, 3).chi_squared(), Some((0.0, 1.0)), "the correction does not turn 0 into 1");
        assert_eq!(pair(0, 0).chi_squared(), None);
    }

    /// Over all outcomes of `differing` fair coins: the chance that the exact test rejects.
    fn level(differing: u64) -> f64 {
        let cdf = |k| binomial_cdf(k, differing, 0.5).unwrap();
        let chance = |k: u64| cdf(k) - if k > 0 { cdf(k - 1) } else { 0.0 };
        (0..=differing).filter(|&k| pair(k, differing - k).exact_p() <= 0.05).map(chance).sum()
    }

    #[test]
    fn the_exact_test_keeps_its_level() {
        for differing in (0..=200).chain([1_000]) {
            assert!(level(differing) <= 0.05 + 1e-12, "{differing} differing images: {}", level(differing));
        }
        assert!(level(1_000) > 0.045, "and uses nearly all of it when there are many");
    }

    #[test]
    fn a_family_is_stricter_than_one() {
        // p = 0.0129 alone.
        let one = pair(20, 6);
        assert!(one.exact_p() < 0.05);
        assert_eq!(compare_all(&[one], 0.05), [Comparison::Better]);
        assert_eq!(compare_all(&[one; 10], 0.05), [Comparison::Equal; 10]);
        assert!(compare_all(&[], 0.05).is_empty());
    }

    #[test]
    #[should_panic(expected = "2 and 1 images")]
    fn unequal_lengths_panic() {
        Disagreement::count(&[true, false], &[true]);
    }
}
