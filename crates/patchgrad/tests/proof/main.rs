//! The proof of the engine: one table of named awkward cases for each family of ops ([`cases`]) drives every check.
//!
//! | module | claim |
//! |---|---|
//! | [`exact`] | value and gradients equal [`patchgrad::reference`], with `==`, on whole numbers, by every algorithm |
//! | [`drawn`] | so they do for convolutions with options drawn at random |
//! | [`tiles`] | so they do for 1 to 67 channels, on every instruction set |
//! | [`instruction_sets`] | so they do for all convolutions of the tables, on every instruction set |
//! | [`fused`] | a convolution in one node with activation and pooling equals the three one after the other |
//! | [`batches`] | a batch is its samples, wherever it is cut |
//! | [`adjoint`] | `<f(x), y> = <x, f*(y)>` for every linear map and its transpose |
//! | [`gradients`] | every gradient agrees with differences, under a random cotangent |
//! | [`identities`] | what must hold without any oracle: groups, dilation, patches |
//! | [`pointwise`] | activations and losses agree with f64 |
//! | [`special_values`] | NaN and infinities reach what reads them and nothing else; denormal numbers stay what they are |
//! | [`threads`] | 1, 2 and 8 threads give the same bits, op by op and after training |
//! | [`memory`] | after the first training step the workspace allocates nothing, and 1,000 steps do not grow the heap |
//!
//! Winograd's algorithm is exact nowhere: where it runs, "equal" is within its error.
//!
//! Each test prints what it ran (`cargo test -p patchgrad --test proof -- --nocapture`) and asserts how much that was, so
//! that a table which lost its rows fails.
#![forbid(unsafe_code)]

mod adjoint;
mod batches;
mod cases;
mod drawn;
mod exact;
mod fused;
mod gradients;
mod identities;
mod instruction_sets;
mod memory;
mod network;
mod pointwise;
mod run;
mod special_values;
mod tally;
mod threads;
mod tiles;
mod values;
