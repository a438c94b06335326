#![no_main]
//! One npy array.

use libfuzzer_sys::fuzz_target;
use patchgrad_datasets::npy;

fuzz_target!(|bytes: &[u8]| {
    let _ = npy::from_bytes("fuzz", bytes);
});
