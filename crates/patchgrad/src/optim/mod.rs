//! Optimisers: PyTorch's names, defaults and formulas.

mod adam;
mod clip;
mod schedule;
mod sgd;
mod state;

pub use adam::{Adam, AdamConfig};
pub use clip::{clip_grad_norm, clip_grad_value};
pub use schedule::Schedule;
pub use sgd::{Sgd, SgdConfig};
pub use state::{OptimizerState, OptimizerStateError, ParamState};

use crate::{Gradients, ParamId, Params, Tensor};

/// Changes parameters along their gradients.
pub trait Optimizer {
    /// One update of every parameter that has a gradient; the others and their state stay as they are.
    fn step(&mut self, params: &mut Params, gradients: &Gradients);

    /// Sets the learning rate from the next step on (schedules).
    fn set_lr(&mut self, lr: f64);

    /// The learning rate of the next step.
    fn lr(&self) -> f64;

    /// A copy of everything that decides the next steps: options, moments, step counts.
    fn state(&self, params: &Params) -> OptimizerState;

    /// Goes on from `state`, options included, as PyTorch's `load_state_dict`: the next steps have the same bits as those
    /// of the optimiser that the state was taken of.
    ///
    /// # Errors
    /// If it is the state of another kind of optimiser or of other parameters, or holds a value that is not finite; nothing
    /// is changed then.
    fn load_state(&mut self, params: &Params, state: OptimizerState) -> Result<(), OptimizerStateError>;
}

/// One value for each parameter, made when it is first asked for.
#[derive(Clone, Debug)]
struct PerParam<T>(Vec<Option<T>>);

impl<T> Default for PerParam<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> PerParam<T> {
    /// The value of `id`, and whether it was just made.
    fn get_or_make(&mut self, id: ParamId, make: impl FnOnce() -> T) -> (&mut T, bool) {
        let entry = self.entry(id);
        let made = entry.is_none();
        (entry.get_or_insert_with(make), made)
    }

    fn entry(&mut self, id: ParamId) -> &mut Option<T> {
        if self.0.len() <= id.0 {
            self.0.resize_with(id.0 + 1, || None);
        }
        &mut self.0[id.0]
    }
}

/// What is wrong with options, of which `at_least_zero` must be at least 0 and `below_one` in [0, 1), as in PyTorch.
fn wrong_option(at_least_zero: &[(&str, f64)], below_one: &[(&str, f64)]) -> Option<String> {
    let negative = at_least_zero.iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0));
    let negative = negative.map(|(name, value)| format!("{name} is {value}, it must be finite and at least 0"));
    let outside = below_one.iter().find(|(_, value)| !(0.0..1.0).contains(value));
    negative.or(outside.map(|(name, value)| format!("{name} is {value}, it must be at least 0 and below 1")))
}

/// The parameter and gradient of every parameter that has one, as slices of equal length.
fn each_param(params: &mut Params, gradients: &Gradients, mut update: impl FnMut(ParamId, &mut Tensor, &Tensor)) {
    for (id, gradient) in gradients.params() {
        update(id, params.get_mut(id), gradient);
    }
}
