//! Which classes are taken for which.

use std::fmt;

/// How often class `truth` was predicted as class `predicted`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    /// `[truth, predicted]`, row by row.
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// Nothing counted yet.
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// Counts one sample.
    ///
    /// # Panics
    /// If either is not a class.
    pub fn add(&mut self, truth: u32, predicted: u32) {
        let [row, column] = [truth, predicted].map(|class| class as usize);
        assert!(row < self.classes && column < self.classes, "classes {row} and {column} of {}", self.classes);
        self.counts[row * self.classes + column] += 1;
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How often `truth` was predicted as `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        self.counts[truth * self.classes + predicted]
    }

    /// The number of samples.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The share of samples that were predicted right; `None` without samples.
    pub fn accuracy(&self) -> Option<f64> {
        ratio((0..self.classes).map(|class| self.count(class, class)).sum(), self.total())
    }

    /// Of the samples predicted as `class`, the share that is: TP / (TP + FP). `None` if there are none.
    pub fn precision(&self, class: usize) -> Option<f64> {
        ratio(self.count(class, class), (0..self.classes).map(|truth| self.count(truth, class)).sum())
    }

    /// Of the samples of `class`, the share that was found: TP / (TP + FN). `None` if there are none.
    pub fn recall(&self, class: usize) -> Option<f64> {
        ratio(self.count(class, class), (0..self.classes).map(|predicted| self.count(class, predicted)).sum())
    }

    /// The harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN). `None` for a class that neither occurs nor is
    /// predicted.
    pub fn f1(&self, class: usize) -> Option<f64> {
        let both = (0..self.classes).map(|other| self.count(class, other) + self.count(other, class)).sum();
        ratio(2 * self.count(class, class), both)
    }

    /// The mean F1 over the classes that have one; `None` if none has.
    pub fn macro_f1(&self) -> Option<f64> {
        let defined: Vec<f64> = (0..self.classes).filter_map(|class| self.f1(class)).collect();
        (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64)
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
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
        let share = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.3}"));
        for class in 0..self.classes {
            write!(f, "{:<9}", format!("class {class}"))?;
            for predicted in 0..self.classes {
                write!(f, " {:>width$}", self.count(class, predicted))?;
            }
            let [precision, recall, f1] = [self.precision(class), self.recall(class), self.f1(class)].map(share);
            writeln!(f, " {precision:>9} {recall:>8} {f1:>8}")?;
        }
        write!(f, "accuracy {}, macro F1 {}", share(self.accuracy()), share(self.macro_f1()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_by_hand() {
        let mut matrix = ConfusionMatrix::new(3);
        for (truth, predicted, times) in [(0, 0, 5), (0, 1, 1), (1, 1, 2), (1, 0, 2)] {
            (0..times).for_each(|_| matrix.add(truth, predicted));
        }
        assert_eq!((matrix.total(), matrix.count(1, 0)), (10, 2));
        assert_eq!(matrix.accuracy(), Some(0.7));
        assert_eq!((matrix.precision(0), matrix.recall(0)), (Some(5.0 / 7.0), Some(5.0 / 6.0)));
        assert_eq!(matrix.f1(0), Some(10.0 / 13.0));
        assert_eq!(matrix.f1(1), Some(4.0 / 7.0));
        // Class 2 does not occur.
        assert_eq!((matrix.precision(2), matrix.recall(2), matrix.f1(2)), (None, None, None));
        assert_eq!(matrix.macro_f1(), Some((10.0 / 13.0 + 4.0 / 7.0) / 2.0));
        assert_eq!(ConfusionMatrix::new(2).accuracy(), None);
        let expected = "\
truth        as 0    as 1    as 2 precision   recall       F1
class 0         5       1       0     0.714    0.833    0.769
class 1         2       2       0     0.667    0.500    0.571
class 2         0       0       0         -        -        -
accuracy 0.700, macro F1 0.670";
        assert_eq!(matrix.to_string(), expected);
    }
}
