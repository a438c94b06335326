//! The tape: values and what made them, in the order of recording.

use super::Op;
use crate::{ParamId, Params, Shape, Tensor, Workspace, ops::max_pool2d::Indices};

/// A value on a tape: the index of its node. It belongs to the tape that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var(pub(crate) usize);

/// Indices on a tape: where maxima stood, or labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IndicesVar(pub(crate) usize);

/// Which pixels of 2x2 windows were the largest, on a tape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TapsVar(pub(crate) usize);

/// Where the elements of a node are.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    /// Computed here.
    Owned(Tensor),
    /// An input or a parameter.
    Borrowed(&'a Tensor),
    /// The elements of an earlier node under another shape.
    Alias(Var, Shape),
    /// Given back to the workspace.
    Freed,
}

/// The values of all nodes.
#[derive(Debug, Default)]
pub(crate) struct Values<'a>(pub(crate) Vec<Value<'a>>);

impl Values<'_> {
    pub(crate) fn shape(&self, var: Var) -> Shape {
        match &self.0[var.0] {
            Value::Owned(tensor) => tensor.shape(),
            Value::Borrowed(tensor) => tensor.shape(),
            Value::Alias(_, shape) => *shape,
            Value::Freed => unreachable!("a value is freed after its last use"),
        }
    }

    pub(crate) fn get(&self, var: Var) -> &[f32] {
        match &self.0[var.0] {
            Value::Owned(tensor) => tensor.as_slice(),
            Value::Borrowed(tensor) => tensor.as_slice(),
            Value::Alias(var, _) => self.get(*var),
            Value::Freed => unreachable!("a value is freed after its last use"),
        }
    }
}

/// What a leaf's gradient is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Variable(Var),
    Param(ParamId),
}

/// What a node did and whether anyone wants its gradient.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) op: Op,
    pub(crate) needs_grad: bool,
}

/// Records a computation and differentiates it: see [`autograd`](crate::autograd).
///
/// ```
/// use patchgrad::{Tape, Tensor, Workspace};
/// let x = Tensor::new([2], &[3.0, -1.0]);
/// let mut workspace = Workspace::new();
/// let mut tape = Tape::new(&mut workspace);
/// let v = tape.variable(&x);
/// let square = tape.mul(v, v);
/// let sum = tape.sum(square);
/// assert_eq!(tape.value(sum).item(), 10.0);
/// let gradients = tape.backward(sum);
/// assert_eq!(gradients.variable(v).unwrap().as_slice(), [6.0, -2.0]);
/// ```
#[derive(Debug)]
pub struct Tape<'a> {
    pub(crate) values: Values<'a>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) indices: Vec<Indices>,
    pub(crate) taps: Vec<Vec<u8>>,
    pub(crate) targets: Vec<(Var, Target)>,
    params: Option<&'a Params>,
    pub(crate) workspace: &'a mut Workspace,
}

impl<'a> Tape<'a> {
    /// An empty tape without parameters.
    pub fn new(workspace: &'a mut Workspace) -> Self {
        Self {
            values: Values::default(),
            nodes: Vec::new(),
            indices: Vec::new(),
            taps: Vec::new(),
            targets: Vec::new(),
            params: None,
            workspace,
        }
    }

    /// An empty tape whose layers read `params`.
    pub fn with_params(params: &'a Params, workspace: &'a mut Workspace) -> Self {
        let mut tape = Self::new(workspace);
        tape.params = Some(params);
        tape
    }

    /// The parameters that layers read, if the tape was made with them.
    pub fn params(&self) -> Option<&'a Params> {
        self.params
    }

    /// A constant: no gradient flows into it.
    pub fn input(&mut self, tensor: &'a Tensor) -> Var {
        self.leaf(tensor, false)
    }

    /// A constant made on the spot, in a buffer of the workspace that `fill` overwrites: noise, a mask, a row of ones.
    pub fn constant(&mut self, shape: impl Into<Shape>, fill: impl FnOnce(&mut [f32])) -> Var {
        let mut tensor = self.workspace.take(shape);
        fill(tensor.as_mut_slice());
        self.values.0.push(Value::Owned(tensor));
        self.nodes.push(Node { op: Op::Leaf, needs_grad: false });
        Var(self.nodes.len() - 1)
    }

    /// A tensor whose gradient is wanted: [`Gradients::variable`](super::Gradients::variable).
    pub fn variable(&mut self, tensor: &'a Tensor) -> Var {
        let var = self.leaf(tensor, true);
        self.targets.push((var, Target::Variable(var)));
        var
    }

    /// A parameter, whose gradient is wanted: [`Gradients::param`](super::Gradients::param). Asked for twice, it gets the
    /// sum of both uses.
    ///
    /// # Panics
    /// If the tape was made without parameters.
    #[track_caller]
    pub fn param(&mut self, id: ParamId) -> Var {
        let params = self.params.expect("Tape::param: this tape has no parameters; make it with Tape::with_params");
        let var = self.leaf(params.get(id), true);
        self.targets.push((var, Target::Param(id)));
        var
    }

    fn leaf(&mut self, tensor: &'a Tensor, needs_grad: bool) -> Var {
        self.values.0.push(Value::Borrowed(tensor));
        self.nodes.push(Node { op: Op::Leaf, needs_grad });
        Var(self.nodes.len() - 1)
    }

    /// The shape of a value.
    pub fn shape(&self, var: Var) -> Shape {
        self.values.shape(var)
    }

    /// A value, to look at.
    pub fn value(&self, var: Var) -> ValueRef<'_> {
        ValueRef { shape: self.shape(var), values: self.values.get(var) }
    }

    /// Indices, to look at.
    pub fn indices(&self, var: IndicesVar) -> &Indices {
        &self.indices[var.0]
    }

    /// Copies indices from elsewhere onto the tape.
    pub fn record_indices(&mut self, indices: &Indices) -> IndicesVar {
        let mut data = self.workspace.take_indices(indices.data.len());
        data.copy_from_slice(&indices.data);
        self.keep_indices(Indices { shape: indices.shape, data })
    }

    /// Takes indices whose buffer comes from the workspace and will return there.
    pub(crate) fn keep_indices(&mut self, indices: Indices) -> IndicesVar {
        self.indices.push(indices);
        IndicesVar(self.indices.len() - 1)
    }

    /// Takes taps whose buffer comes from the workspace and will return there.
    pub(crate) fn keep_taps(&mut self, taps: Vec<u8>) -> TapsVar {
        self.taps.push(taps);
        TapsVar(self.taps.len() - 1)
    }

    /// The number of recorded values.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Ends the tape without gradients and hands out one value; all other buffers return to the workspace.
    pub fn finish(mut self, var: Var) -> Tensor {
        let shape = self.shape(var);
        match std::mem::replace(&mut self.values.0[var.0], Value::Freed) {
            Value::Owned(tensor) => tensor,
            // The copy comes from the workspace, so that giving it back does not make the workspace grow.
            Value::Borrowed(tensor) => copy(tensor.as_slice(), shape, self.workspace),
            Value::Alias(of, _) => copy(self.values.get(of), shape, self.workspace),
            Value::Freed => unreachable!("a value is freed after its last use"),
        }
    }

    pub(crate) fn record(&mut self, op: Op, output: Tensor) -> Var {
        self.push(op, Value::Owned(output))
    }

    pub(crate) fn record_alias(&mut self, op: Op, of: Var, shape: Shape) -> Var {
        self.push(op, Value::Alias(of, shape))
    }

    fn push(&mut self, op: Op, value: Value<'a>) -> Var {
        let mut needs_grad = false;
        op.for_each_input(|input| needs_grad |= self.nodes[input.0].needs_grad);
        self.values.0.push(value);
        self.nodes.push(Node { op, needs_grad });
        Var(self.nodes.len() - 1)
    }
}

fn copy(values: &[f32], shape: Shape, workspace: &mut Workspace) -> Tensor {
    let mut tensor = workspace.take(shape);
    tensor.as_mut_slice().copy_from_slice(values);
    tensor
}

impl Drop for Tape<'_> {
    /// Whatever was not handed out returns to the workspace.
    fn drop(&mut self) {
        for value in self.values.0.drain(..) {
            if let Value::Owned(tensor) = value {
                self.workspace.give(tensor);
            }
        }
        for indices in self.indices.drain(..) {
            self.workspace.give_indices(indices.data);
        }
        for taps in self.taps.drain(..) {
            self.workspace.give_bytes(taps);
        }
    }
}

/// A look at a value on a tape.
#[derive(Clone, Copy, Debug)]
pub struct ValueRef<'t> {
    shape: Shape,
    values: &'t [f32],
}

impl<'t> ValueRef<'t> {
    /// The shape.
    pub fn shape(self) -> Shape {
        self.shape
    }

    /// The elements in memory order.
    pub fn as_slice(self) -> &'t [f32] {
        self.values
    }

    /// The only element of a scalar.
    ///
    /// # Panics
    /// If there is more or less than one.
    #[track_caller]
    pub fn item(self) -> f32 {
        assert_eq!(self.values.len(), 1, "item: shape {} has {} elements, not one", self.shape, self.values.len());
        self.values[0]
    }

    /// A copy that outlives the tape.
    pub fn to_tensor(self) -> Tensor {
        Tensor::new(self.shape, self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_tape_gives_its_buffers_back() {
        let x = Tensor::full([4], 2.0);
        let mut workspace = Workspace::new();
        for _ in 0..3 {
            let mut tape = Tape::new(&mut workspace);
            let v = tape.input(&x);
            tape.relu(v);
        }
        assert_eq!(workspace.allocations(), 1);
    }

    #[test]
    fn a_constant_gets_no_gradient_and_its_buffer_returns() {
        let x = Tensor::new([3], &[1.0, -2.0, 3.0]);
        let mut workspace = Workspace::new();
        let mut step = || {
            let mut tape = Tape::new(&mut workspace);
            let (v, mask) = (tape.variable(&x), tape.constant([3], |mask| mask.copy_from_slice(&[0.0, 1.0, 2.0])));
            let product = tape.mul(v, mask);
            let sum = tape.sum(product);
            assert_eq!(tape.value(sum).item(), 4.0);
            let gradients = tape.backward(sum);
            assert_eq!(gradients.variable(v).unwrap().as_slice(), [0.0, 1.0, 2.0]);
            assert!(gradients.variable(mask).is_none());
            gradients.recycle(&mut workspace);
            workspace.allocations()
        };
        let first = step();
        assert_eq!(step(), first);
    }

    #[test]
    fn indices_from_elsewhere_do_not_pile_up() {
        let (x, at) = (Tensor::full([1, 1, 1, 2], 3.0), Indices::try_new([1, 1, 1, 2], &[0, 3]).unwrap());
        let mut workspace = Workspace::new();
        let mut steps = |count: usize| {
            for _ in 0..count {
                let mut tape = Tape::new(&mut workspace);
                let (v, indices) = (tape.input(&x), tape.record_indices(&at));
                tape.max_unpool2d(v, indices, [2, 2]);
            }
        };
        steps(1);
        let heap = allocation_counter::measure(|| steps(10));
        assert_eq!(heap.bytes_current, 0);
    }

    #[test]
    fn finish_hands_out_the_value_under_its_own_shape() {
        let x = Tensor::new([4], &[1.0, -2.0, 3.0, -4.0]);
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace);
        let v = tape.input(&x);
        let v = tape.relu(v);
        let v = tape.reshape(v, [2, 2]);
        assert_eq!(tape.finish(v), Tensor::new([2, 2], &[1.0, 0.0, 3.0, 0.0]));
    }

    #[test]
    #[should_panic(expected = "add: the shapes [2] and [3] must agree")]
    fn a_shape_error_panics_with_its_text() {
        let (a, b) = (Tensor::zeros([2]), Tensor::zeros([3]));
        let mut workspace = Workspace::new();
        let mut tape = Tape::new(&mut workspace);
        let (a, b) = (tape.input(&a), tape.input(&b));
        tape.add(a, b);
    }
}
