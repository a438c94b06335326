#![no_main]
//! Batches of CIFAR-10 and CIFAR-100.

use libfuzzer_sys::fuzz_target;
use patchgrad_datasets::cifar;

fuzz_target!(|bytes: &[u8]| {
    let _ = cifar::batch_10_from_bytes("fuzz", bytes);
    let _ = cifar::batch_100_from_bytes("fuzz", bytes);
});
