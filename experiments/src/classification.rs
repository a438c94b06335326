//! What a classifier gets right, and which classes it mistakes for which.

use serde::Serialize;
use std::fmt;

/// The share of rows whose prediction is their label; NaN without rows.
///
/// # Panics
/// If there are not as many predictions as labels.
pub fn accuracy(predictions: &[u32], labels: &[u32]) -> f64 {
    assert_eq!(predictions.len(), labels.len(), "accuracy: {} predictions, {} labels", predictions.len(), labels.len());
    let right = predictions.iter().zip(labels).filter(|(a, b)| a == b).count();
    right as f64 / labels.len() as f64
}

/// How often each class was taken for each class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfusionMatrix {
    classes: usize,
    /// `[true class, predicted class]`, row after row.
    counts: Vec<u64>,
}

/// How well one class is recognised. A ratio without a denominator is 0, as in scikit-learn (`zero_division=0`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassScores {
    /// Of the rows predicted to be of this class, the share that is.
    pub precision: f64,
    /// Of the rows of this class, the share predicted to be.
    pub recall: f64,
    /// `2 precision recall / (precision + recall)`, the harmonic mean.
    pub f1: f64,
    /// Rows of this class.
    pub support: u64,
}

impl ConfusionMatrix {
    /// Counts predictions by label.
    ///
    /// # Panics
    /// If there are not as many predictions as labels, or one of them is not below `classes`.
    #[track_caller]
    pub fn new(predictions: &[u32], labels: &[u32], classes: usize) -> Self {
        let (got, expected) = (predictions.len(), labels.len());
        assert_eq!(got, expected, "confusion matrix: {got} predictions, {expected} labels");
        let mut counts = vec![0; classes * classes];
        for (&prediction, &label) in predictions.iter().zip(labels) {
            let (label, prediction) = (label as usize, prediction as usize);
            let known = label < classes && prediction < classes;
            assert!(
                known,
                "confusion matrix: label {label} predicted as {prediction}, but there are {classes} classes"
            );
            counts[label * classes + prediction] += 1;
        }
        Self { classes, counts }
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Rows of class `label` that were predicted to be of class `prediction`.
    ///
    /// # Panics
    /// If there is no such class.
    pub fn count(&self, label: usize, prediction: usize) -> u64 {
        assert!(prediction < self.classes, "confusion matrix: class {prediction} of {}", self.classes);
        self.counts[label * self.classes + prediction]
    }

    /// The share on the diagonal; NaN without rows.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.classes).map(|class| self.count(class, class)).sum();
        right as f64 / self.counts.iter().sum::<u64>() as f64
    }

    /// Precision, recall and F1 of every class.
    pub fn class_scores(&self) -> Vec<ClassScores> {
        let ratio = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f64 / of as f64 };
        let scores = |class: usize| {
            let right = self.count(class, class);
            let support: u64 = (0..self.classes).map(|prediction| self.count(class, prediction)).sum();
            let predicted: u64 = (0..self.classes).map(|label| self.count(label, class)).sum();
            ClassScores {
                precision: ratio(right, predicted),
                recall: ratio(right, support),
                // The harmonic mean, written so that it needs one division: 0 / 0 only for a class that never occurs.
                f1: ratio(2 * right, support + predicted),
                support,
            }
        };
        (0..self.classes).map(scores).collect()
    }

    /// The mean F1 over the classes that have rows or are predicted, each counting the same; NaN if there is none.
    ///
    /// scikit-learn's `f1_score(average="macro")`, whose classes are those that occur in labels or predictions.
    pub fn macro_f1(&self) -> f64 {
        let occurs = |class: &usize| {
            (0..self.classes).any(|other| self.count(*class, other) > 0 || self.count(other, *class) > 0)
        };
        let scores = self.class_scores();
        let f1: Vec<f64> = (0..self.classes).filter(occurs).map(|class| scores[class].f1).collect();
        f1.iter().sum::<f64>() / f1.len() as f64
    }
}

impl fmt::Display for ConfusionMatrix {
    /// A row for each true class: its counts, precision, recall and F1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.counts.iter().map(|count| count.to_string().len()).max().unwrap_or(1).max(7);
        write!(f, "{:<9}", "truth")?;
        for class in 0..self.classes {
            write!(f, " {:>width$}", format!("as {class}"))?;
        }
        writeln!(f, " precision   recall       F1")?;
        for (class, scores) in self.class_scores().into_iter().enumerate() {
            write!(f, "{:<9}", format!("class {class}"))?;
            for predicted in 0..self.classes {
                write!(f, " {:>width$}", self.count(class, predicted))?;
            }
            writeln!(f, " {:>9.3} {:>8.3} {:>8.3}", scores.precision, scores.recall, scores.f1)?;
        }
        write!(f, "accuracy {:.3}, macro F1 {:.3}", self.accuracy(), self.macro_f1())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_counts_equal_entries() {
        assert_eq!(accuracy(&[1, 2, 3, 4], &[1, 2, 0, 4]), 0.75);
    }

    #[test]
    fn by_hand() {
        // Class 0: 2 rows, 1 found; class 1: 3 rows, 2 found; class 2 is predicted once, wrongly; class 3 never occurs.
        let matrix = ConfusionMatrix::new(&[0, 1, 1, 1, 2], &[0, 0, 1, 1, 1], 4);
        assert_eq!((matrix.count(0, 1), matrix.count(1, 0), matrix.count(1, 2)), (1, 0, 1));
        assert_eq!(matrix.accuracy(), 0.6);
        let scores = matrix.class_scores();
        let row = |precision, recall, f1, support| ClassScores { precision, recall, f1, support };
        assert_eq!(scores[0], row(1.0, 0.5, 2.0 / 3.0, 2));
        assert_eq!(scores[1], row(2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 3));
        assert_eq!(scores[2], row(0.0, 0.0, 0.0, 0));
        assert_eq!(scores[3], row(0.0, 0.0, 0.0, 0));
        assert_eq!(matrix.macro_f1(), (2.0 / 3.0 + 2.0 / 3.0) / 3.0, "class 3 does not occur");
    }

    #[test]
    fn it_is_printed_as_a_table() {
        let labels = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
        let matrix = ConfusionMatrix::new(&[0, 0, 0, 0, 0, 1, 1, 1, 0, 0], &labels, 2);
        let expected = "\
truth        as 0    as 1 precision   recall       F1
class 0         5       1     0.714    0.833    0.769
class 1         2       2     0.667    0.500    0.571
accuracy 0.700, macro F1 0.670";
        assert_eq!(matrix.to_string(), expected);
    }

    #[test]
    #[should_panic(expected = "label 1 predicted as 3, but there are 3 classes")]
    fn a_class_that_does_not_exist_panics() {
        ConfusionMatrix::new(&[3], &[1], 3);
    }
}
