//! SSE2, which every x86-64 CPU has: 16 registers of 4 lanes. What `portable.rs` says in plain Rust, in the
//! target's own words, because the compiler rearranges the lanes of arrays and then runs out of registers.

use super::Vector;
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(crate) struct Sse2(__m128);

// SAFETY of every block below: SSE2 is part of x86-64; the caller vouches for the memory behind the pointers, as `Vector` says.
impl Vector for Sse2 {
    const LANES: usize = 4;
    // 6 x 2 sums, 2 vectors, 1 broadcast and 1 product: all 16 registers.
    const TILE_ROWS: usize = 6;
    const SPREAD_TERMS_PER_BLOCK: usize = 128;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: see the comment at the impl.
        Self(unsafe { _mm_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: see the comment at the impl.
        Self(unsafe { _mm_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        debug_assert!(count <= 4);
        let mut lanes = [0.0; 4];
        for (i, lane) in lanes.iter_mut().take(count).enumerate() {
            // SAFETY: only the first `count` values are read.
            *lane = unsafe { *from.add(i) };
        }
        // SAFETY: `lanes` holds four values.
        unsafe { Self::load(lanes.as_ptr()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: see the comment at the impl.
        unsafe { _mm_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        debug_assert!(count <= 4);
        let mut lanes = [0.0; 4];
        // SAFETY: `lanes` has room for four values, and only the first `count` are written to `to`.
        unsafe {
            self.store(lanes.as_mut_ptr());
            for (i, lane) in lanes.into_iter().take(count).enumerate() {
                *to.add(i) = lane;
            }
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: see the comment at the impl.
        Self(unsafe { _mm_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: see the comment at the impl.
        Self(unsafe { _mm_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: see the comment at the impl.
        Self(unsafe { _mm_mul_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, summand: Self) -> Self {
        // SAFETY: see the comment at the impl. The product comes first, so that its register can be overwritten.
        Self(unsafe { _mm_add_ps(_mm_mul_ps(self.0, factor.0), summand.0) })
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: see the comment at the impl.
        unsafe {
            let two = _mm_add_ps(self.0, _mm_movehl_ps(self.0, self.0));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
}
