#![no_main]
//! A zip archive of npy arrays.

use libfuzzer_sys::fuzz_target;
use patchgrad_datasets::npz;

fuzz_target!(|bytes: &[u8]| {
    let arrays = npz::from_bytes("fuzz", bytes);
    assert!(!arrays.is_ok_and(|arrays| arrays.is_empty()));
});
