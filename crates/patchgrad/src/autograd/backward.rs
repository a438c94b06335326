//! The backward pass: one arm for each op.

use super::{
    Gradients, Op, Tape, Var,
    tape::{Node, Value, Values},
};
use crate::{
    Tensor, Workspace,
    ops::{
        activation, arithmetic, avg_pool2d, conv_transpose2d, conv2d, exp_ln, fold, loss, max_pool2d, max_unpool2d,
        overlap_mean, transpose,
    },
};
use patchgrad_kernels::elementwise;

impl Tape<'_> {
    /// The gradients of the scalar `loss` with respect to every parameter and variable it depends on.
    ///
    /// # Panics
    /// If `loss` has more than one element.
    #[track_caller]
    pub fn backward(self, loss: Var) -> Gradients {
        let shape = self.shape(loss);
        assert_eq!(shape.len(), 1, "backward: the loss has shape {shape}; for more than one element use backward_from");
        self.backward_from(loss, &Tensor::full(shape, 1.0))
    }

    /// The gradients of `<output, grad_output>`: the transposed Jacobian of `output` times `grad_output`.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn backward_from(mut self, output: Var, grad_output: &Tensor) -> Gradients {
        let (expected, got) = (self.shape(output), grad_output.shape());
        assert_eq!(expected, got, "backward_from: the output has shape {expected}, its gradient {got}");
        let nodes = std::mem::take(&mut self.nodes);
        let mut grads: Vec<Option<Tensor>> = nodes.iter().map(|_| None).collect();
        if nodes[output.0].needs_grad {
            let mut seed = self.workspace.take(expected);
            seed.as_mut_slice().copy_from_slice(grad_output.as_slice());
            grads[output.0] = Some(seed);
        }
        let mut gradients = Gradients::default();
        for var in (0..nodes.len()).rev().map(Var) {
            if let Some(grad) = grads[var.0].take() {
                if let Op::Leaf = nodes[var.0].op {
                    let target = self.targets.iter().find(|(leaf, _)| *leaf == var);
                    let (_, target) = target.expect("a leaf that needs a gradient has a target");
                    gradients.insert(*target, grad, self.workspace);
                } else {
                    let mut step = Backward {
                        nodes: &nodes,
                        values: &self.values,
                        indices: &self.indices,
                        taps: &self.taps,
                        grads: &mut grads,
                        workspace: self.workspace,
                    };
                    step.visit(var, grad);
                }
            }
            // All later nodes are done, and this one too: its value is dead.
            if let Value::Owned(tensor) = std::mem::replace(&mut self.values.0[var.0], Value::Freed) {
                self.workspace.give(tensor);
            }
        }
        gradients
    }
}

/// What the arms work with.
struct Backward<'s, 'a> {
    nodes: &'s [Node],
    values: &'s Values<'a>,
    indices: &'s [max_pool2d::Indices],
    taps: &'s [Vec<u8>],
    grads: &'s mut [Option<Tensor>],
    workspace: &'s mut Workspace,
}

impl Backward<'_, '_> {
    /// Passes the gradient `grad` of node `var` on to the inputs of its op.
    fn visit(&mut self, var: Var, mut grad: Tensor) {
        let op = self.nodes[var.0].op;
        if let Op::Conv2d { activation, .. } | Op::ConvTranspose2d { activation, .. } = op {
            // The epilogue first: below, `g` is the gradient of the sums.
            activation::grad_in_place(activation, self.values.get(var), grad.as_mut_slice());
        }
        let (g, indices) = (grad.as_slice(), self.indices);
        match op {
            Op::Leaf => unreachable!("leaves keep their gradient"),
            Op::Conv2d { dims, input, weight, bias, taps, .. } => {
                let images = conv2d::Images { values: g, taps: taps.map(|taps| &self.taps[taps.0][..]) };
                self.contribute(input, |v, out, ws| conv2d::grad_input(&dims, images, v.get(weight), out, ws));
                self.contribute_pair(weight, bias, |v, out, ws| {
                    conv2d::grad_weight_and_bias(&dims, v.get(input), images, out, ws);
                });
            }
            Op::ConvTranspose2d { dims, input, weight, bias, .. } => {
                self.contribute(input, |v, out, ws| conv_transpose2d::grad_input(&dims, g, v.get(weight), out, ws));
                self.contribute(weight, |v, out, ws| conv_transpose2d::grad_weight(&dims, v.get(input), g, out, ws));
                self.contribute_to(bias, |_, out, ws| conv2d::grad_bias(g, out, ws));
            }
            Op::MaxPool2d { dims, input, indices: at } => {
                self.contribute(input, |_, out, _| max_pool2d::grad_input(&dims, indices[at.0].as_slice(), g, out));
            }
            Op::MaxUnpool2d { dims, input, indices: at } => {
                self.contribute(input, |_, out, _| max_unpool2d::grad_input(&dims, indices[at.0].as_slice(), g, out));
            }
            Op::AvgPool2d { dims, count_include_pad, input } => {
                self.contribute(input, |_, out, _| avg_pool2d::grad_input(&dims, count_include_pad, g, out));
            }
            Op::Unfold { dims, input } => self.contribute(input, |_, out, _| fold::fold(&dims, g, out)),
            Op::Fold { dims, input } => self.contribute(input, |_, out, _| fold::unfold(&dims, g, out)),
            Op::OverlapMean { dims, input } => {
                self.contribute(input, |_, out, _| overlap_mean::forward(&dims, g, out));
            }
            Op::Activation { activation, input } => {
                self.contribute(input, |v, out, _| activation::grad_input(activation, v.get(var), g, out));
            }
            Op::Add { a, b } => {
                self.contribute(a, |_, out, _| out.copy_from_slice(g));
                self.contribute(b, |_, out, _| out.copy_from_slice(g));
            }
            Op::Sub { a, b } => {
                self.contribute(a, |_, out, _| out.copy_from_slice(g));
                self.contribute(b, |_, out, _| arithmetic::scale(-1.0, g, out));
            }
            Op::Mul { a, b } => {
                self.contribute(a, |v, out, _| arithmetic::zip(elementwise::mul, g, v.get(b), out));
                self.contribute(b, |v, out, _| arithmetic::zip(elementwise::mul, g, v.get(a), out));
            }
            Op::Scale { factor, input } => self.contribute(input, |_, out, _| arithmetic::scale(factor, g, out)),
            Op::Exp { input } => self.contribute(input, |v, out, _| exp_ln::exp_grad(v.get(var), g, out)),
            Op::Ln { input } => self.contribute(input, |v, out, _| exp_ln::ln_grad(v.get(input), g, out)),
            Op::Transpose { size: [rows, columns], input } => {
                self.contribute(input, |_, out, _| transpose::forward([columns, rows], g, out));
            }
            Op::Reshape { input } => self.contribute(input, |_, out, _| out.copy_from_slice(g)),
            Op::Sum { input } => self.contribute(input, |_, out, _| loss::sum_grad(g[0], out)),
            Op::MseLoss { prediction, target } => {
                self.contribute(prediction, |v, out, _| loss::mse_grad(v.get(prediction), v.get(target), g[0], out));
                self.contribute(target, |v, out, _| loss::mse_grad(v.get(prediction), v.get(target), -g[0], out));
            }
            Op::BceWithLogits { logits, target } => {
                self.contribute(logits, |v, out, _| loss::bce_grad(v.get(logits), v.get(target), g[0], out));
                self.contribute(target, |v, out, _| loss::bce_grad_target(v.get(logits), g[0], out));
            }
            Op::CrossEntropy { logits, labels } => {
                let labels = indices[labels.0].as_slice();
                self.contribute(logits, |v, out, _| loss::cross_entropy_grad(v.get(logits), labels, g[0], out));
            }
        }
        self.workspace.give(grad);
    }

    /// If `var` needs a gradient, lets `fill` overwrite a buffer with one contribution to it and adds that.
    fn contribute(&mut self, var: Var, fill: impl FnOnce(&Values, &mut [f32], &mut Workspace)) {
        if !self.nodes[var.0].needs_grad {
            return;
        }
        let mut contribution = self.workspace.take(self.values.shape(var));
        fill(self.values, contribution.as_mut_slice(), self.workspace);
        self.accumulate(var, contribution);
    }

    /// [`contribute`](Self::contribute) to a weight and its bias at once; the slice of one that needs no gradient is empty.
    fn contribute_pair(
        &mut self,
        weight: Var,
        bias: Option<Var>,
        fill: impl FnOnce(&Values, [&mut [f32]; 2], &mut Workspace),
    ) {
        let wanted = [Some(weight), bias].map(|var| var.filter(|var| self.nodes[var.0].needs_grad));
        if wanted == [None, None] {
            return;
        }
        let mut buffers = wanted.map(|var| var.map(|var| self.workspace.take(self.values.shape(var))));
        let slices = buffers.each_mut().map(|tensor| tensor.as_mut().map_or(&mut [][..], Tensor::as_mut_slice));
        fill(self.values, slices, self.workspace);
        for (var, contribution) in wanted.into_iter().zip(buffers) {
            if let (Some(var), Some(contribution)) = (var, contribution) {
                self.accumulate(var, contribution);
            }
        }
    }

    /// Adds to the gradient of `var`. The only place where gradients of nodes are accumulated; those of a parameter that was
    /// recorded twice are in [`Gradients`].
    fn accumulate(&mut self, var: Var, contribution: Tensor) {
        match &mut self.grads[var.0] {
            Some(sum) => {
                arithmetic::add_assign(sum.as_mut_slice(), contribution.as_slice());
                self.workspace.give(contribution);
            }
            empty => *empty = Some(contribution),
        }
    }

    /// [`contribute`](Self::contribute) to an input that may be absent.
    fn contribute_to(&mut self, var: Option<Var>, fill: impl FnOnce(&Values, &mut [f32], &mut Workspace)) {
        if let Some(var) = var {
            self.contribute(var, fill);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_used_many_times_gets_the_sum() {
        let x = Tensor::new([2], &[3.0, -1.0]);
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace);
        let v = tape.variable(&x);
        // x^3 + x, by products of the same variable: 3 x^2 + 1.
        let square = tape.mul(v, v);
        let cube = tape.mul(square, v);
        let both = tape.add(cube, v);
        let sum = tape.sum(both);
        let gradients = tape.backward(sum);
        assert_eq!(gradients.variable(v).unwrap().as_slice(), [28.0, 4.0]);
    }

    #[test]
    fn constants_and_what_the_loss_ignores_get_no_gradient() {
        let x = Tensor::new([2], &[3.0, -1.0]);
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace);
        let (constant, used, unused) = (tape.input(&x), tape.variable(&x), tape.variable(&x));
        tape.relu(unused);
        let product = tape.mul(constant, used);
        let sum = tape.sum(product);
        let gradients = tape.backward(sum);
        assert!(gradients.variable(constant).is_none() && gradients.variable(unused).is_none());
        assert_eq!(gradients.variable(used).unwrap().as_slice(), [3.0, -1.0]);
    }

    #[test]
    fn a_loss_without_variables_has_no_gradients() {
        let x = Tensor::new([2], &[3.0, -1.0]);
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace);
        let v = tape.input(&x);
        let sum = tape.sum(v);
        assert_eq!(tape.backward(sum).params().count(), 0);
    }
}
