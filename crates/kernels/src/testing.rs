//! What the tests of the kernels share.

use crate::isa::{self, Isa};

/// Lengths that cover every remainder of every vector width, and a few that need many vectors or blocks.
pub fn lengths() -> impl Iterator<Item = usize> {
    (0..67).chain([127, 512, 1000, 4099])
}

/// `len` values in [-4, 4), the same for the same seed.
pub fn values(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    (0..len).map(|_| (next() >> 40) as f32 / (1 << 21) as f32 - 4.0).collect()
}

/// `len` small integers in -4..4 as floats: sums and products of them are exact.
pub fn integers(len: usize, seed: u64) -> Vec<f32> {
    values(len, seed).into_iter().map(f32::floor).collect()
}

/// Runs `kernel` on every instruction set of the machine, on an output of `len` NaNs; all must agree bit for bit.
#[track_caller]
pub fn on_every_isa(len: usize, kernel: impl Fn(&mut [f32])) -> Vec<f32> {
    let run = |isa| {
        let mut out = vec![f32::NAN; len];
        isa::with(isa, || kernel(&mut out));
        out
    };
    let portable = run(Isa::Portable);
    for isa in Isa::available() {
        assert_same(&run(isa), &portable, isa);
    }
    portable
}

/// Runs `reduction` on every instruction set of the machine; all must agree bit for bit.
#[track_caller]
pub fn number_on_every_isa(reduction: impl Fn() -> f64) -> f64 {
    let portable = isa::with(Isa::Portable, &reduction);
    for isa in Isa::available() {
        assert_eq!(isa::with(isa, &reduction).to_bits(), portable.to_bits(), "{isa} differs from portable");
    }
    portable
}

/// Runs `kernel`, which multiplies and adds fused, on AVX2 and AVX-512 where the machine has them, on an output of `len` NaNs; they
/// must agree bit for bit. (The portable path does not fuse, and rounds twice where they round once.)
#[track_caller]
pub fn same_where_fused(len: usize, kernel: impl Fn(&mut [f32])) {
    let run = |isa| {
        let mut out = vec![f32::NAN; len];
        isa::with(isa, || kernel(&mut out));
        out
    };
    if Isa::Avx512.is_available() {
        assert_same(&run(Isa::Avx512), &run(Isa::Avx2), Isa::Avx512);
    }
}

/// The same bits, or both NaN.
#[track_caller]
fn assert_same(got: &[f32], expected: &[f32], isa: Isa) {
    assert_eq!(got.len(), expected.len());
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        let same = got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan();
        assert!(same, "element {i}: {got:e} on {isa}, {expected:e} on the narrower one");
    }
}
