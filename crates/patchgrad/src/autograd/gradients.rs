//! What a backward pass found.

use super::{Var, tape::Target};
use crate::{ParamId, Tensor, Workspace};

/// The gradients of the parameters and variables that a loss depends on.
#[derive(Debug, Default)]
pub struct Gradients {
    pub(super) params: Vec<(ParamId, Tensor)>,
    pub(super) variables: Vec<(Var, Tensor)>,
}

impl Gradients {
    /// The gradient of a parameter; `None` when the loss does not depend on it.
    pub fn param(&self, id: ParamId) -> Option<&Tensor> {
        self.params.iter().find(|(other, _)| *other == id).map(|(_, gradient)| gradient)
    }

    /// The gradient of a [`variable`](crate::Tape::variable); `None` when the loss does not depend on it.
    pub fn variable(&self, var: Var) -> Option<&Tensor> {
        self.variables.iter().find(|(other, _)| *other == var).map(|(_, gradient)| gradient)
    }

    /// Every parameter with a gradient, in the order of [`Params`](crate::Params).
    pub fn params(&self) -> impl Iterator<Item = (ParamId, &Tensor)> {
        self.params.iter().map(|(id, gradient)| (*id, gradient))
    }

    /// Every parameter with a gradient, in the order of [`Params`](crate::Params), the gradients writable (clipping).
    pub fn params_mut(&mut self) -> impl Iterator<Item = (ParamId, &mut Tensor)> {
        self.params.iter_mut().map(|(id, gradient)| (*id, gradient))
    }

    /// Keeps the gradients of the parameters that `keep` accepts and drops the others: what an optimiser does not see it
    /// leaves as it is.
    pub fn retain_params(&mut self, mut keep: impl FnMut(ParamId) -> bool, workspace: &mut Workspace) {
        for (id, gradient) in std::mem::take(&mut self.params) {
            if keep(id) {
                self.params.push((id, gradient));
            } else {
                workspace.give(gradient);
            }
        }
    }

    /// Gives all buffers back, for the next step to use.
    pub fn recycle(self, workspace: &mut Workspace) {
        let tensors = self.params.into_iter().map(|(_, tensor)| tensor);
        tensors.chain(self.variables.into_iter().map(|(_, tensor)| tensor)).for_each(|tensor| workspace.give(tensor));
    }

    /// Adds a gradient; a parameter recorded twice gets the sum.
    pub(super) fn insert(&mut self, target: Target, gradient: Tensor, workspace: &mut Workspace) {
        match target {
            Target::Variable(var) => self.variables.push((var, gradient)),
            Target::Param(id) => match self.params.binary_search_by_key(&id, |(other, _)| *other) {
                Ok(at) => {
                    crate::ops::arithmetic::add_assign(self.params[at].1.as_mut_slice(), gradient.as_slice());
                    workspace.give(gradient);
                }
                Err(at) => self.params.insert(at, (id, gradient)),
            },
        }
    }
}
