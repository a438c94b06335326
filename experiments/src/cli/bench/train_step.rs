//! A training step: forward, mean squared error against the input, backward, Adam.

use super::{network::auto_encoder, shapes::Training};
use patchgrad::{
    Params, Shape, Tape, Tensor, Workspace,
    init::Init,
    layers::{Layer, Sequential},
    ops::ConvAlgorithm,
    optim::{Adam, AdamConfig, Optimizer},
    random::stream,
};

/// Learning rate of Adam.
const LR: f64 = 1e-3;

/// A network, one batch of pictures, and all that stays from step to step.
pub(super) struct TrainStep {
    params: Params,
    network: Sequential,
    optimizer: Adam,
    pictures: Tensor,
    workspace: Workspace,
}

impl TrainStep {
    /// A network before training, and pictures of noise in `[0, 1)`.
    pub(super) fn new(shape: &Training, algorithm: ConvAlgorithm) -> Self {
        let mut params = Params::new();
        let network = auto_encoder(&mut params, shape, algorithm);
        let noise = Init::Uniform { low: 0.0, high: 1.0 };
        let pictures = noise.tensor(pictures_shape(shape), &mut stream(0, "bench", 0));
        let optimizer = Adam::new(AdamConfig::new(LR));
        Self { params, network, optimizer, pictures, workspace: Workspace::new() }
    }

    /// One step, on a fresh tape; gives the loss before it.
    pub(super) fn run(&mut self) -> f32 {
        let mut tape = Tape::with_params(&self.params, &mut self.workspace);
        let input = tape.input(&self.pictures);
        let output = self.network.forward(&mut tape, input);
        let loss = tape.mse_loss(output, input);
        let value = tape.value(loss).item();
        let gradients = tape.backward(loss);
        self.optimizer.step(&mut self.params, &gradients);
        gradients.recycle(&mut self.workspace);
        value
    }
}

/// Floating-point operations of a step: those of the forward convolutions three times.
pub(super) fn flops(shape: &Training) -> u64 {
    let network = auto_encoder(&mut Params::new(), shape, ConvAlgorithm::Auto);
    let forward = network.multiply_adds(pictures_shape(shape)).expect("a workload of the list is valid");
    3 * 2 * forward
}

fn pictures_shape(shape: &Training) -> Shape {
    let [h, w, c] = shape.input;
    Shape::from([shape.batch, h, w, c])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_learns_and_allocates_nothing_after_the_first() {
        let shape = Training { batch: 4, input: [8, 8, 2], encoder: vec![4, 8] };
        let mut training = TrainStep::new(&shape, ConvAlgorithm::Auto);
        let first = training.run();
        let allocations = training.workspace.allocations();
        let losses: Vec<f32> = (0..100).map(|_| training.run()).collect();
        assert!(losses[99] < 0.95 * first, "{first} -> {losses:?}");
        assert_eq!(training.workspace.allocations(), allocations);
    }
}
