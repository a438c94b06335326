//! Memory stands still while training.

use crate::network::{Batch, Network};
use patchgrad::parallel;

/// What one step may take from the heap and give back within itself: the lists of the tape and the packed matrices of
/// the products, but no tensor. A step of this network takes 27 blocks, 74 KiB in all.
const BLOCKS_PER_STEP: u64 = 32;
const BYTES_PER_STEP: u64 = 96 * 1024;

/// Two sizes of batches, as an epoch whose last batch is smaller. One thread, because the heap is counted per thread.
#[test]
fn a_thousand_steps_do_not_grow_memory() {
    parallel::sequential(|| {
        let (mut network, batches) = (Network::new(8), [Batch::new(8, 8), Batch::new(5, 8)]);
        let mut steps = |count: usize| {
            for i in 0..count {
                network.step(&batches[i % 2]);
            }
        };
        steps(10);
        let heap = allocation_counter::measure(|| steps(990));
        let (blocks, bytes) = (heap.count_total / 990, heap.bytes_total / 990);
        println!(
            "steps 11 to 1,000 kept {} bytes; each took {blocks} blocks, {bytes} bytes, for a while",
            heap.bytes_current
        );
        assert_eq!((heap.bytes_current, heap.count_current), (0, 0), "bytes and blocks kept by steps 11 to 1,000");
        assert!(blocks <= BLOCKS_PER_STEP && bytes <= BYTES_PER_STEP, "{blocks} blocks, {bytes} bytes in a step");
    });
}

#[test]
fn after_the_first_step_the_workspace_allocates_nothing() {
    let (mut network, batch) = (Network::new(8), Batch::new(8, 8));
    network.step(&batch);
    let after_one = (network.workspace.allocations(), network.workspace.allocated_bytes());
    assert!(after_one.0 > 0);
    for _ in 1..1000 {
        network.step(&batch);
    }
    assert_eq!((network.workspace.allocations(), network.workspace.allocated_bytes()), after_one);
    println!("the first step allocated {} buffers, {} bytes; the next 999 none", after_one.0, after_one.1);
}
