//! What is measured: every pass over every shape of the list, by name.

use super::{
    convolution, pooling,
    shapes::{Convolution, Pooling, Shapes, Training},
    train_step,
};
use patchgrad::ops::{ConvAlgorithm, conv2d::Pass};

/// The naive loops are measured up to this many operations, so that one run of them stays far below a second.
pub const LARGEST_NAIVE: u64 = 30_000_000;

/// One thing to measure.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Op, shape and pass, such as `conv2d/cifar-enc2/forward`; of a training step without a pass.
    pub name: String,
    /// What runs.
    pub work: Work,
}

/// What a [`Workload`] runs.
#[derive(Clone, Debug)]
pub enum Work {
    /// One pass of a convolution; the bias is added in the forward pass and has its gradient with that of the weight.
    Convolution {
        /// Sizes.
        shape: Convolution,
        /// Whether it is a transposed convolution.
        transposed: bool,
        /// Which pass.
        pass: Pass,
    },
    /// Maxima and their indices.
    MaxPool(Pooling),
    /// The gradient of a max pooling.
    MaxPoolGradInput(Pooling),
    /// Forward, backward and Adam.
    TrainStep(Training),
}

/// Everything there is to measure, in the order of ops, names and passes.
pub fn all() -> Vec<Workload> {
    let shapes = Shapes::bundled();
    let mut all = Vec::new();
    let convolutions = [("conv2d", shapes.conv2d, false), ("conv_transpose2d", shapes.conv_transpose2d, true)];
    for (op, list, transposed) in convolutions {
        for (name, shape) in list {
            all.extend(Pass::ALL.map(|pass| Workload {
                name: format!("{op}/{name}/{pass}"),
                work: Work::Convolution { shape, transposed, pass },
            }));
        }
    }
    for (name, shape) in shapes.max_pool2d {
        all.push(Workload { name: format!("max_pool2d/{name}/forward"), work: Work::MaxPool(shape) });
        all.push(Workload { name: format!("max_pool2d/{name}/grad_input"), work: Work::MaxPoolGradInput(shape) });
    }
    for (name, shape) in shapes.train_step {
        all.push(Workload { name: format!("train_step/{name}"), work: Work::TrainStep(shape) });
    }
    all
}

impl Workload {
    /// Images in one run.
    pub fn batch(&self) -> usize {
        match &self.work {
            Work::Convolution { shape, .. } => shape.batch,
            Work::MaxPool(shape) | Work::MaxPoolGradInput(shape) => shape.batch,
            Work::TrainStep(shape) => shape.batch,
        }
    }

    /// Floating-point operations of one run: two for each multiply-add of the convolutions as they are defined, whatever
    /// the algorithm; a training step counts its forward convolutions three times. `None` for a pooling.
    pub fn flops(&self) -> Option<u64> {
        match &self.work {
            Work::Convolution { shape, transposed, .. } => Some(convolution::dims(shape, *transposed).flops()),
            Work::MaxPool(_) | Work::MaxPoolGradInput(_) => None,
            Work::TrainStep(shape) => Some(train_step::flops(shape)),
        }
    }

    /// The algorithm that runs when `asked` is asked for: what `Auto` resolves to for the one pass of a convolution,
    /// `asked` itself for a training step, whose convolutions may differ, and `None` for a pooling.
    pub fn algorithm(&self, asked: ConvAlgorithm) -> Option<ConvAlgorithm> {
        match &self.work {
            Work::Convolution { shape, transposed, .. } => Some(convolution::algorithm(shape, *transposed, asked)),
            Work::MaxPool(_) | Work::MaxPoolGradInput(_) => None,
            Work::TrainStep(_) => Some(asked),
        }
    }

    /// Whether one run takes the naive loops so long that it is left out of the lists.
    pub fn is_too_slow(&self, asked: ConvAlgorithm) -> bool {
        asked == ConvAlgorithm::Naive && self.flops().is_some_and(|flops| flops > LARGEST_NAIVE)
    }

    /// Makes the tensors, always the same random ones; each call of the result is one run.
    pub fn prepare(&self, asked: ConvAlgorithm) -> Box<dyn FnMut()> {
        match &self.work {
            Work::Convolution { shape, transposed: false, pass } => convolution::conv2d(shape, *pass, asked),
            Work::Convolution { shape, transposed: true, pass } => convolution::conv_transpose2d(shape, *pass, asked),
            Work::MaxPool(shape) => pooling::forward(shape),
            Work::MaxPoolGradInput(shape) => pooling::grad_input(shape),
            Work::TrainStep(shape) => {
                let mut training = train_step::TrainStep::new(shape, asked);
                Box::new(move || {
                    training.run();
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_counted_as_the_definition_says() {
        let all = all();
        let flops = |name: &str| all.iter().find(|workload| workload.name == name).unwrap().flops();
        assert_eq!(flops("conv2d/mnist-enc1/grad_input"), Some(2 * 128 * 28 * 28 * 16 * 9));
        // A transposed convolution multiplies once per input value, tap and output channel.
        assert_eq!(flops("conv_transpose2d/dcgan-up/forward"), Some(2 * 128 * 8 * 8 * 64 * 32 * 16));
        assert_eq!(flops("max_pool2d/pool28/forward"), None);
        let encoder = 28 * 28 * 16 * 9 + 14 * 14 * 32 * 16 * 9;
        let decoder = 7 * 7 * 32 * 16 * 4 + 14 * 14 * 16 * 4;
        assert_eq!(flops("train_step/scae-mnist"), Some(3 * 2 * 128 * (encoder + decoder)));
    }

    #[test]
    fn auto_is_resolved_for_a_pass_and_a_forced_algorithm_stays() {
        for workload in all() {
            match workload.work {
                Work::Convolution { .. } => {
                    assert_ne!(workload.algorithm(ConvAlgorithm::Auto), Some(ConvAlgorithm::Auto), "{}", workload.name);
                    assert_eq!(workload.algorithm(ConvAlgorithm::Im2col), Some(ConvAlgorithm::Im2col));
                }
                Work::TrainStep(_) => assert_eq!(workload.algorithm(ConvAlgorithm::Auto), Some(ConvAlgorithm::Auto)),
                _ => assert_eq!(workload.algorithm(ConvAlgorithm::Auto), None),
            }
        }
    }
}
