#![no_main]
//! idx images and labels, plain and gzip.

use libfuzzer_sys::fuzz_target;
use patchgrad_datasets::idx;

fuzz_target!(|bytes: &[u8]| {
    let _ = idx::images_from_bytes("fuzz", bytes);
    let _ = idx::labels_from_bytes("fuzz", bytes, 10);
});
