//! Adam and AdamW.

use super::{Optimizer, OptimizerState, OptimizerStateError, ParamState, PerParam, each_param, wrong_option};
use crate::{Gradients, Params, Tensor, parallel};
use patchgrad_kernels::optim::{AdamStep, adam_step};

/// The options of [`Adam`], named as in `torch.optim.Adam` and `AdamW`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamConfig {
    /// Learning rate.
    pub lr: f64,
    /// How much of the running means of the gradient and of its square is kept from step to step.
    pub betas: [f64; 2],
    /// Added to the root of the mean square.
    pub eps: f64,
    /// Adam: `weight_decay * p` is added to the gradient. AdamW: `p` is multiplied by `1 - lr * weight_decay`.
    pub weight_decay: f64,
    /// Whether the decay is AdamW's, decoupled from the gradient.
    pub decoupled: bool,
}

impl AdamConfig {
    /// Adam with PyTorch's defaults: betas 0.9 and 0.999, eps 1e-8, no decay.
    pub fn new(lr: f64) -> Self {
        Self { lr, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.0, decoupled: false }
    }

    /// AdamW with PyTorch's defaults: as Adam, with a decoupled decay of 0.01.
    pub fn adamw(lr: f64) -> Self {
        Self { weight_decay: 0.01, decoupled: true, ..Self::new(lr) }
    }

    /// What PyTorch refuses too.
    fn wrong(&self) -> Option<String> {
        let Self { lr, betas: [beta1, beta2], eps, weight_decay, decoupled: _ } = *self;
        wrong_option(&[("lr", lr), ("eps", eps), ("weight_decay", weight_decay)], &[("beta1", beta1), ("beta2", beta2)])
    }
}

/// Adam, or AdamW when the decay is decoupled:
///
/// ```text
/// m = b1 m + (1 - b1) g,    v = b2 v + (1 - b2) g^2
/// p = p - lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps)
/// ```
///
/// # References
/// Kingma and Ba, arXiv 1412.6980. Loshchilov and Hutter (AdamW), arXiv 1711.05101.
#[derive(Clone, Debug)]
pub struct Adam {
    config: AdamConfig,
    moments: PerParam<Moments>,
}

/// The running means of one parameter's gradient and of its square, and the number of steps taken.
#[derive(Clone, Debug)]
struct Moments {
    mean: Tensor,
    mean_square: Tensor,
    steps: u64,
}

impl Adam {
    /// An optimiser without moments yet.
    ///
    /// # Panics
    /// As in PyTorch, if rate, eps or decay is negative or not finite, or a beta is outside [0, 1).
    #[track_caller]
    pub fn new(config: AdamConfig) -> Self {
        if let Some(wrong) = config.wrong() {
            panic!("Adam: {wrong}");
        }
        Self { config, moments: PerParam::default() }
    }
}

impl Optimizer for Adam {
    fn step(&mut self, params: &mut Params, gradients: &Gradients) {
        let AdamConfig { lr, betas: [beta1, beta2], eps, weight_decay, decoupled } = self.config;
        each_param(params, gradients, |id, param, gradient| {
            let zeros = || Tensor::zeros(param.shape());
            let (moments, _) =
                self.moments.get_or_make(id, || Moments { mean: zeros(), mean_square: zeros(), steps: 0 });
            moments.steps += 1;
            let step = AdamStep { lr, beta1, beta2, eps, weight_decay, decoupled, step: moments.steps };
            let (chunk, g) = (parallel::ELEMENTS_PER_CHUNK, gradient.as_slice());
            let (m, v) = (moments.mean.as_mut_slice(), moments.mean_square.as_mut_slice());
            parallel::for_each_chunk_triple(param.as_mut_slice(), m, v, chunk, |i, param, m, v| {
                adam_step(&step, param, &g[i * chunk..][..param.len()], m, v);
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
        let AdamConfig { lr, betas: [beta1, beta2], eps, weight_decay, decoupled } = self.config;
        let values = [lr, beta1, beta2, eps, weight_decay, f64::from(u8::from(decoupled))];
        let options = std::array::from_fn::<_, 6, _>(|i| (OPTIONS[i], values[i]));
        OptimizerState::new("adam", options).with_params(params, &self.moments, |moments| {
            let tensors = [("exp_avg", &moments.mean), ("exp_avg_sq", &moments.mean_square)];
            ParamState::new(tensors, [("step", moments.steps as f64)])
        })
    }

    fn load_state(&mut self, params: &Params, state: OptimizerState) -> Result<(), OptimizerStateError> {
        let [lr, beta1, beta2, eps, weight_decay, decoupled] = state.options("adam", OPTIONS)?;
        let config = AdamConfig { lr, betas: [beta1, beta2], eps, weight_decay, decoupled: decoupled != 0.0 };
        if let Some(wrong) = config.wrong() {
            return Err(OptimizerStateError::new(wrong));
        }
        let names = (["exp_avg", "exp_avg_sq"], ["step"]);
        let moments = state.per_param(params, names, |[mean, mean_square], [step]| {
            // Below 2^53 a step count is exact.
            if !(1.0..9_007_199_254_740_992.0).contains(&step) || step.fract() != 0.0 {
                return Err(format!("`step` is {step}, expected a count from 1"));
            }
            if let Some(at) = mean_square.as_slice().iter().position(|&square| square < 0.0) {
                return Err(format!("element {at} of `exp_avg_sq` is negative"));
            }
            Ok(Moments { mean, mean_square, steps: step as u64 })
        })?;
        *self = Self { config, moments };
        Ok(())
    }
}

const OPTIONS: [&str; 6] = ["lr", "beta1", "beta2", "eps", "weight_decay", "decoupled"];
