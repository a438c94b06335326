//! A table of what a network is made of.

use crate::{Params, Shape, ShapeError, layers::Sequential};
use std::fmt;

/// One line for each layer, and totals. Displayed as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The input of the network.
    pub input: Shape,
    /// One row for each layer, first to last.
    pub rows: Vec<SummaryRow>,
}

/// What a [`Summary`] says of one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// The layer's label.
    pub label: String,
    /// The shape of its output.
    pub output: Shape,
    /// The number of its trainable values.
    pub parameters: usize,
    /// Multiply-adds of its forward pass.
    pub multiply_adds: u64,
    /// Bytes of its output.
    pub activation_bytes: usize,
}

/// What `network` makes of an `input` shape, layer by layer.
///
/// # Errors
/// If some layer does not fit what comes before it.
pub fn summary(network: &Sequential, params: &Params, input: impl Into<Shape>) -> Result<Summary, ShapeError> {
    let input = input.into();
    let mut shape = input;
    let mut rows = Vec::new();
    for layer in network.layers() {
        let multiply_adds = layer.multiply_adds(shape)?;
        shape = layer.output_shape(shape)?;
        rows.push(SummaryRow {
            label: layer.label(),
            output: shape,
            parameters: layer.params().iter().map(|&id| params.get(id).len()).sum(),
            multiply_adds,
            activation_bytes: 4 * shape.len(),
        });
    }
    Ok(Summary { input, rows })
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = ["layer", "output shape", "parameters", "multiply-adds", "activation bytes"];
        writeln!(f, "{:<24} {:<20} {:>12} {:>16} {:>18}", columns[0], columns[1], columns[2], columns[3], columns[4])?;
        writeln!(
            f,
            "{:<24} {:<20} {:>12} {:>16} {:>18}",
            "input",
            self.input.to_string(),
            "",
            "",
            4 * self.input.len()
        )?;
        let mut line = |label: &str, shape: String, parameters, multiply_adds, bytes| {
            writeln!(f, "{label:<24} {shape:<20} {parameters:>12} {multiply_adds:>16} {bytes:>18}")
        };
        for row in &self.rows {
            line(&row.label, row.output.to_string(), row.parameters, row.multiply_adds, row.activation_bytes)?;
        }
        line(
            "total",
            String::new(),
            self.rows.iter().map(|row| row.parameters).sum(),
            self.rows.iter().map(|row| row.multiply_adds).sum(),
            4 * self.input.len() + self.rows.iter().map(|row| row.activation_bytes).sum::<usize>(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layers::{Conv2d, ConvTranspose2d, Flatten, Linear, MaxPool2d},
        ops::{Activation, Conv2dSpec, ConvTranspose2dSpec, MaxPool2dSpec},
        random::stream,
    };

    #[test]
    fn a_small_auto_encoder() {
        let (mut params, mut init) = (Params::new(), stream(0, "init", 0));
        let conv = Conv2dSpec { padding: [1, 1], ..Conv2dSpec::new([3, 3]) };
        let up = ConvTranspose2dSpec { stride: [2, 2], ..ConvTranspose2dSpec::new([2, 2]) };
        let network = Sequential::new()
            .then(Conv2d::new(&mut params, "enc", [1, 16], conv, &mut init))
            .then(Activation::Relu)
            .then(MaxPool2d(MaxPool2dSpec::new([2, 2])))
            .then(ConvTranspose2d::new(&mut params, "dec", [16, 1], up, &mut init))
            .then(Flatten)
            .then(Linear::new(&mut params, "head", [784, 10], &mut init));
        let table = summary(&network, &params, [2, 28, 28, 1]).unwrap();
        let row = |i: usize| (&table.rows[i].label[..], table.rows[i].output.to_string(), table.rows[i].parameters);
        assert_eq!(row(0), ("conv2d 3x3", "[2, 28, 28, 16]".into(), 160));
        assert_eq!(row(2), ("max_pool2d 2x2", "[2, 14, 14, 16]".into(), 0));
        assert_eq!(row(3), ("conv_transpose2d 2x2", "[2, 28, 28, 1]".into(), 65));
        assert_eq!(row(5), ("linear", "[2, 10]".into(), 7850));
        assert_eq!(table.rows[0].multiply_adds, 2 * 784 * 16 * 9);
        assert_eq!(table.rows[3].multiply_adds, 2 * 196 * 16 * 4);
        assert_eq!(table.rows[1].activation_bytes, 4 * 2 * 784 * 16);
        assert!(table.to_string().lines().last().unwrap().contains("8075"), "{table}");
        assert_eq!(
            summary(&network, &params, [2, 14, 14, 1]).unwrap_err().to_string(),
            "linear: the weight [784, 10] (I, O) reads 784 features, but the last axis of the input [2, 196] is 196; flatten \
             an image to [N, H * W * C] first"
        );
    }
}
