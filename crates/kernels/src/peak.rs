//! The rate that the machine's arithmetic allows: what a kernel's GFLOP/s are compared with.

use crate::simd::{Vector, on_active_isa};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Independent chains of fused multiply-adds: enough to hide a latency of five cycles on two units.
const CHAINS: usize = 12;

/// Steps of every chain in one measurement: some tens of microseconds.
const STEPS: usize = 20_000;

/// The highest rate of f32 multiply-adds seen on one core, in FLOP/s (two for each multiply-add), with the instruction
/// set of [`Isa::active`](crate::isa::Isa::active) and nothing but registers.
///
/// The best of many short runs within `time`: a run that something else interrupted does not count.
pub fn measured_flops(time: Duration) -> f64 {
    let start = Instant::now();
    let mut best: f64 = 0.0;
    while best == 0.0 || start.elapsed() < time {
        let before = Instant::now();
        let lanes = on_active_isa!(chains() -> usize);
        best = best.max((2 * lanes * CHAINS * STEPS) as f64 / before.elapsed().as_secs_f64());
    }
    best
}

/// Runs the chains; gives the lanes of the vector.
///
/// # Safety
/// As [`Vector`].
#[inline(always)]
unsafe fn chains<V: Vector>() -> usize {
    // SAFETY: registers only; the caller chose V.
    unsafe {
        // x = 0.5 x + 1 stays near 2: neither infinite nor denormal, which some CPUs treat slowly.
        let (half, one) = (V::splat(black_box(0.5)), V::splat(black_box(1.0)));
        let mut sums = [V::splat(black_box(2.0)); CHAINS];
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = sum.mul_add(half, one);
            }
        }
        black_box(sums.into_iter().map(|sum| sum.sum()).sum::<f32>());
    }
    V::LANES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{self, Isa};

    #[test]
    fn every_instruction_set_has_a_rate() {
        for isa in Isa::available() {
            let rate = isa::with(isa, || measured_flops(Duration::from_millis(1)));
            assert!((1e6..1e13).contains(&rate), "{rate} FLOP/s on {isa}");
        }
    }
}
