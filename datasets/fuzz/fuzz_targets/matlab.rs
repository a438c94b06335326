#![no_main]
//! MATLAB files of level 5.

use libfuzzer_sys::fuzz_target;
use patchgrad_datasets::matlab;

fuzz_target!(|bytes: &[u8]| {
    let variables = matlab::from_bytes("fuzz", bytes);
    assert!(!variables.is_ok_and(|variables| variables.is_empty()));
});
