#![no_main]
//! PNG and JPEG, as they are and resized to grey.

use libfuzzer_sys::fuzz_target;
use patchgrad_datasets::pictures;

fuzz_target!(|bytes: &[u8]| {
    let small = pictures::Options { max_pixels: 1 << 16, ..Default::default() };
    let _ = pictures::from_bytes("fuzz", bytes, &small);
    let resized = pictures::Options { channels: pictures::Channels::Grey, size: Some([5, 7]), ..small };
    let _ = pictures::from_bytes("fuzz", bytes, &resized);
});
