#![no_main]
//! Cropped digits in MATLAB files.

use libfuzzer_sys::fuzz_target;
use patchgrad_datasets::svhn;

fuzz_target!(|bytes: &[u8]| {
    let _ = svhn::from_bytes("fuzz", bytes);
});
