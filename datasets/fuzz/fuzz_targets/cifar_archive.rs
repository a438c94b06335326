#![no_main]
//! CIFAR as tar and tar.gz.

use libfuzzer_sys::fuzz_target;
use patchgrad_datasets::cifar;

fuzz_target!(|bytes: &[u8]| {
    let _ = cifar::archive_10_from_bytes("fuzz", bytes);
    let _ = cifar::archive_100_from_bytes("fuzz", bytes);
});
