//! The proof of the engine: one table of named awkward cases for each family of ops ([`cases`]) drives every check.
//!
//! | module | claim |
//! |---|---|
//! | [`exact`] | value and gradients equal [`patchgrad::reference`], with `==`, on whole numbers |
//! | [`adjoint`] | `<f(x), y> = <x, f*(y)>` for every linear map and its transpose |
//! | [`gradients`] | every gradient agrees with differences, under a random cotangent |
//! | [`identities`] | what must hold without any oracle: groups, dilation, batches, patches |
//! | [`pointwise`] | activations and losses agree with f64 |
//! | [`threads`] | 1, 2 and 8 threads give the same bits, op by op and after training |
//! | [`memory`] | after the first training step the workspace allocates nothing, and 1,000 steps do not grow the heap |
//!
//! Each test prints what it ran (`cargo test -p patchgrad --test proof -- --nocapture`) and asserts how much that was, so
//! that a table which lost its rows fails.
#![forbid(unsafe_code)]

mod adjoint;
mod cases;
mod exact;
mod gradients;
mod identities;
mod memory;
mod network;
mod pointwise;
mod run;
mod tally;
mod threads;
mod values;
