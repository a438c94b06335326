//! Networks: layers one after the other.

use super::Layer;
use crate::{ParamId, Shape, ShapeError, Tape, Var, error::OrPanic};

/// Layers one after the other.
#[derive(Debug, Default)]
pub struct Sequential {
    layers: Vec<Box<dyn Layer>>,
}

impl Sequential {
    /// No layer: the identity.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more layer at the end.
    #[must_use]
    pub fn then(mut self, layer: impl Layer + 'static) -> Self {
        self.layers.push(Box::new(layer));
        self
    }

    /// The layers, first to last.
    pub fn layers(&self) -> impl Iterator<Item = &dyn Layer> {
        self.layers.iter().map(|layer| &**layer)
    }
}

/// The output shape of layer `index` of a network; an error says which layer that is.
pub(crate) fn output_shape_of_layer(index: usize, layer: &dyn Layer, input: Shape) -> Result<Shape, ShapeError> {
    layer.output_shape(input).map_err(|error| error.in_layer(index, &layer.label()))
}

impl Layer for Sequential {
    fn forward(&self, tape: &mut Tape, input: Var) -> Var {
        self.layers.iter().enumerate().fold(input, |value, (index, layer)| {
            // Asked first, so that what does not fit is said with the layer it does not fit.
            output_shape_of_layer(index, &**layer, tape.shape(value)).or_panic();
            layer.forward(tape, value)
        })
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        let mut layers = self.layers.iter().enumerate();
        layers.try_fold(input, |shape, (index, layer)| output_shape_of_layer(index, &**layer, shape))
    }

    fn multiply_adds(&self, input: Shape) -> Result<u64, ShapeError> {
        let mut shape = input;
        let mut total = 0;
        for (index, layer) in self.layers.iter().enumerate() {
            let output = output_shape_of_layer(index, &**layer, shape)?;
            total += layer.multiply_adds(shape)?;
            shape = output;
        }
        Ok(total)
    }

    fn params(&self) -> Vec<ParamId> {
        self.layers.iter().flat_map(|layer| layer.params()).collect()
    }

    fn label(&self) -> String {
        format!("sequential of {}", self.layers.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Params, Tensor, Workspace, layers::Conv2d, ops::Conv2dSpec, random::stream};

    #[test]
    #[should_panic(expected = "(in layer 1, conv2d 3x3)")]
    fn what_does_not_fit_is_said_with_its_layer() {
        let (mut params, mut init) = (Params::new(), stream(0, "init", 0));
        let first = Conv2d::new(&mut params, "first", [1, 1], Conv2dSpec::new([3, 3]), &mut init);
        let second = Conv2d::new(&mut params, "second", [1, 1], Conv2dSpec::new([3, 3]), &mut init);
        let network = Sequential::new().then(first).then(second);
        let (image, mut workspace) = (Tensor::zeros([1, 4, 4, 1]), Workspace::new());
        let mut tape = Tape::with_params(&params, &mut workspace);
        let input = tape.input(&image);
        network.forward(&mut tape, input);
    }
}
