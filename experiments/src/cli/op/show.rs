//! A tensor as text, for `pitfall op` without `--output`.

use patchgrad::Tensor;
use std::fmt;

/// At most so many values are printed.
const MOST_VALUES: usize = 256;

/// The shape and, of a small tensor, the values: one line for each row of the last axis, a blank line between matrices.
pub(super) struct Shown<'t>(pub(super) &'t Tensor);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tensor = self.0;
        let shape = tensor.shape();
        writeln!(f, "output {shape}")?;
        if tensor.len() > MOST_VALUES {
            return writeln!(f, "({} values; give --output to keep them)", tensor.len());
        }
        let [.., rows, columns] = [&[1, 1], shape.dims()].concat()[..] else { unreachable!("two ones and more") };
        for (i, row) in tensor.as_slice().chunks(columns.max(1)).enumerate() {
            if i > 0 && i % rows == 0 {
                writeln!(f)?;
            }
            let values: Vec<String> = row.iter().map(|value| format!("{value:>10}")).collect();
            writeln!(f, "{}", values.join(" "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_are_separated_by_a_blank_line() {
        let text = Shown(&Tensor::from_fn([2, 2, 2], |i| i as f32 / 2.0)).to_string();
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        let empty: Vec<&str> = Vec::new();
        assert_eq!(lines[0], ["output", "[2,", "2,", "2]"]);
        assert_eq!(lines[1..], [vec!["0", "0.5"], vec!["1", "1.5"], empty, vec!["2", "2.5"], vec!["3", "3.5"]]);
    }

    #[test]
    fn scalars_and_vectors_are_one_row_and_large_tensors_only_a_shape() {
        assert_eq!(
            Shown(&Tensor::scalar(2.0)).to_string().split_whitespace().collect::<Vec<_>>(),
            ["output", "[]", "2"]
        );
        assert_eq!(Shown(&Tensor::zeros([3])).to_string().lines().count(), 2);
        assert!(Shown(&Tensor::zeros([257])).to_string().ends_with("(257 values; give --output to keep them)\n"));
    }
}
