//! Reverse-mode automatic differentiation on a tape.
//!
//! Computing forward *records*: every op method of [`Tape`] computes a value at once and appends one node to a flat list.
//! A [`Var`] is the index of a node, so the order of recording is a topological order, and [`Tape::backward`] needs no
//! sorting: it walks the list from the end and lets each node pass its gradient on to its inputs.
//!
//! - **Kernels overwrite, the tape accumulates.** A gradient kernel writes into a fresh buffer; one function
//!   (`Backward::accumulate`) stores or adds it. A variable that is used twice gets the sum, by construction.
//! - **Only what is needed.** A node needs a gradient when one of its inputs does; the inputs of a network do not, so the
//!   first layer's input gradient is never computed.
//! - **Buffers live as long as needed.** Going backward, a node's value is dead once the node has been visited, and its
//!   buffer returns to the [`Workspace`](crate::Workspace).
//! - **Detaching is a value.** What must not be trained runs on its own tape, and its [`finish`](Tape::finish)ed tensor
//!   enters the next one as an input.
//!
//! Left out on purpose: gradients of gradients, strided views, lazy graphs.

mod backward;
mod gradients;
mod op;
mod tape;

pub use gradients::Gradients;
pub(crate) use op::Op;
pub use tape::{IndicesVar, Tape, ValueRef, Var};
