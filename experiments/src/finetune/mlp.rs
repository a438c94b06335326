//! Linear layers one after the other.

use crate::units::named;
use patchgrad::{
    ParamId, Params, Tape, Var,
    layers::{Layer, Linear},
    ops::Activation,
    random::Stream,
};
use serde::{Deserialize, Serialize};

/// A hidden layer: its size and activation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hidden {
    /// Units.
    pub features: usize,
    /// Activation.
    #[serde(with = "named")]
    pub activation: Activation,
}

/// Hidden layers and a last one without activation.
#[derive(Clone, Debug)]
pub(crate) struct Mlp {
    layers: Vec<(Linear, Activation)>,
}

impl Mlp {
    /// Parameters `hidden0.weight` .. and, last, `head.weight` and `head.bias`.
    pub(crate) fn new(
        params: &mut Params,
        [inputs, outputs]: [usize; 2],
        hidden: &[Hidden],
        stream: &mut Stream,
    ) -> Self {
        let mut inputs = inputs;
        let mut layers = Vec::with_capacity(hidden.len() + 1);
        for (index, &Hidden { features, activation }) in hidden.iter().enumerate() {
            layers.push((Linear::new(params, &format!("hidden{index}"), [inputs, features], stream), activation));
            inputs = features;
        }
        layers.push((Linear::new(params, "head", [inputs, outputs], stream), Activation::Linear));
        Self { layers }
    }

    /// The weight that the inputs meet.
    pub(super) fn first_weight(&self) -> ParamId {
        self.layers[0].0.params()[0]
    }

    /// Records the sums of the last layer for rows `[N, inputs]`.
    pub(crate) fn record(&self, tape: &mut Tape, rows: Var) -> Var {
        self.layers.iter().fold(rows, |rows, (layer, activation)| {
            let sums = layer.forward(tape, rows);
            tape.activation(sums, *activation)
        })
    }
}
