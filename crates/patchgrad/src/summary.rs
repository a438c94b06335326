//! A table of what a network is made of.

use crate::{
    Params, Shape, ShapeError,
    layers::{Sequential, output_shape_of_layer},
};
use std::{collections::BTreeSet, fmt};

/// One line for each layer, and totals. Displayed as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The input of the network.
    pub input: Shape,
    /// One row for each layer, first to last.
    pub rows: Vec<SummaryRow>,
    /// The number of trainable values, those that several layers share counted once.
    pub parameters: usize,
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
    let (mut rows, mut ids) = (Vec::new(), BTreeSet::new());
    for (index, layer) in network.layers().enumerate() {
        let output = output_shape_of_layer(index, layer, shape)?;
        let multiply_adds = layer.multiply_adds(shape)?;
        shape = output;
        ids.extend(layer.params());
        rows.push(SummaryRow {
            label: layer.label(),
            output: shape,
            parameters: layer.params().iter().map(|&id| params.get(id).len()).sum(),
            multiply_adds,
            activation_bytes: 4 * shape.len(),
        });
    }
    let parameters = ids.into_iter().map(|id| params.get(id).len()).sum();
    Ok(Summary { input, rows, parameters })
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = ["layer", "output shape", "parameters", "multiply-adds", "activation bytes"];
        let longest = self.rows.iter().map(|row| row.label.len()).max().unwrap_or(0).max(24);
        let mut line = |[label, shape, parameters, multiply_adds, bytes]: [&str; 5]| {
            writeln!(f, "{label:<longest$} {shape:<20} {parameters:>12} {multiply_adds:>16} {bytes:>18}")
        };
        line(columns)?;
        let input_bytes = 4 * self.input.len();
        line(["input", &self.input.to_string(), "", "", &input_bytes.to_string()])?;
        for row in &self.rows {
            let numbers = [row.parameters.to_string(), row.multiply_adds.to_string(), row.activation_bytes.to_string()];
            line([&row.label, &row.output.to_string(), &numbers[0], &numbers[1], &numbers[2]])?;
        }
        let multiply_adds: u64 = self.rows.iter().map(|row| row.multiply_adds).sum();
        let bytes = input_bytes + self.rows.iter().map(|row| row.activation_bytes).sum::<usize>();
        line(["total", "", &self.parameters.to_string(), &multiply_adds.to_string(), &bytes.to_string()])
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
        let twice = Linear::new(&mut params, "twice", [10, 10], &mut init);
        let shared = summary(&Sequential::new().then(twice).then(twice), &params, [2, 10]).unwrap();
        assert_eq!((shared.parameters, shared.rows[1].parameters), (110, 110));
        assert_eq!(
            summary(&network, &params, [2, 14, 14, 1]).unwrap_err().to_string(),
            "linear: the weight [784, 10] (I, O) reads 784 features, but the last axis of the input [2, 196] is 196; flatten \
             an image to [N, H * W * C] first (in layer 5, linear)"
        );
    }
}
