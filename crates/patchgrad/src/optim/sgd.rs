//! Stochastic gradient descent.

use super::{Optimizer, OptimizerState, OptimizerStateError, ParamState, PerParam, each_param, wrong_option};
use crate::{Gradients, Params, Tensor, parallel};
use patchgrad_kernels::optim::{SgdStep, sgd_step};

/// The options of [`Sgd`], named as in `torch.optim.SGD`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdConfig {
    /// Learning rate.
    pub lr: f64,
    /// How much of the velocity is kept from step to step.
    pub momentum: f64,
    /// How much of the gradient is kept out of the velocity.
    pub dampening: f64,
    /// Nesterov's momentum: look one step ahead along the velocity.
    pub nesterov: bool,
    /// L2 penalty: `weight_decay * parameter` is added to the gradient.
    pub weight_decay: f64,
}

impl SgdConfig {
    /// Plain gradient descent.
    pub fn new(lr: f64) -> Self {
        Self { lr, momentum: 0.0, dampening: 0.0, nesterov: false, weight_decay: 0.0 }
    }

    /// What PyTorch refuses too.
    fn wrong(&self) -> Option<String> {
        let Self { lr, momentum, dampening, nesterov, weight_decay } = *self;
        let nesterov = nesterov && (momentum <= 0.0 || dampening != 0.0);
        let rule = || format!("nesterov needs momentum > 0 and dampening 0, got {momentum} and {dampening}");
        let options = [("lr", lr), ("momentum", momentum), ("weight_decay", weight_decay)];
        wrong_option(&options, &[]).or(nesterov.then(rule))
    }
}

/// Stochastic gradient descent with momentum, as `torch.optim.SGD`:
///
/// ```text
/// g = gradient + weight_decay * p
/// v = g                              (first step)
/// v = momentum * v + (1 - dampening) * g
/// p = p - lr * v                     (nesterov: p - lr * (g + momentum * v))
/// ```
///
/// # References
/// Sutskever, Martens, Dahl, Hinton: "On the importance of initialization and momentum in deep learning" (2013).
#[derive(Clone, Debug)]
pub struct Sgd {
    config: SgdConfig,
    velocity: PerParam<Tensor>,
}

impl Sgd {
    /// An optimiser without velocity yet.
    ///
    /// # Panics
    /// As in PyTorch, if rate, momentum or decay is negative or not finite, or Nesterov's momentum is asked for without momentum or
    /// with dampening.
    #[track_caller]
    pub fn new(config: SgdConfig) -> Self {
        if let Some(wrong) = config.wrong() {
            panic!("Sgd: {wrong}");
        }
        Self { config, velocity: PerParam::default() }
    }
}

impl Optimizer for Sgd {
    fn step(&mut self, params: &mut Params, gradients: &Gradients) {
        let SgdConfig { lr, momentum, dampening, nesterov, weight_decay } = self.config;
        each_param(params, gradients, |id, param, gradient| {
            let (chunk, g) = (parallel::ELEMENTS_PER_CHUNK, gradient.as_slice());
            if momentum == 0.0 {
                let step = SgdStep { lr, momentum, dampening, nesterov, weight_decay, first: false };
                parallel::for_each_chunk(param.as_mut_slice(), chunk, |i, param| {
                    sgd_step(&step, param, &g[i * chunk..][..param.len()], None);
                });
                return;
            }
            let (velocity, first) = self.velocity.get_or_make(id, || Tensor::zeros(param.shape()));
            let step = SgdStep { lr, momentum, dampening, nesterov, weight_decay, first };
            let pair = ((param.as_mut_slice(), chunk), (velocity.as_mut_slice(), chunk));
            parallel::for_each_chunk_pair(pair.0, pair.1, |i, param, velocity| {
                sgd_step(&step, param, &g[i * chunk..][..param.len()], Some(velocity));
            });
        });
    }

    fn set_lr(&mut self, lr: f64) {
        self.config.lr = lr;
    }

    fn lr(&self) -> f64 {
        self.config.lr
    }

    fn state(&self, params: &Params) -> OptimizerState {
        let SgdConfig { lr, momentum, dampening, nesterov, weight_decay } = self.config;
        let values = [lr, momentum, dampening, f64::from(u8::from(nesterov)), weight_decay];
        let options = std::array::from_fn::<_, 5, _>(|i| (OPTIONS[i], values[i]));
        OptimizerState::new("sgd", options)
            .with_params(params, &self.velocity, |velocity| ParamState::new([("momentum_buffer", velocity)], []))
    }

    fn load_state(&mut self, params: &Params, state: OptimizerState) -> Result<(), OptimizerStateError> {
        let [lr, momentum, dampening, nesterov, weight_decay] = state.options("sgd", OPTIONS)?;
        let config = SgdConfig { lr, momentum, dampening, nesterov: nesterov != 0.0, weight_decay };
        if let Some(wrong) = config.wrong() {
            return Err(OptimizerStateError::new(wrong));
        }
        let velocity = state.per_param(params, (["momentum_buffer"], []), |[velocity], []| Ok(velocity))?;
        *self = Self { config, velocity };
        Ok(())
    }
}

const OPTIONS: [&str; 5] = ["lr", "momentum", "dampening", "nesterov", "weight_decay"];
