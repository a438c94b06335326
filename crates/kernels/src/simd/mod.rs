//! Vectors of f32 registers behind one small trait, so that a kernel is written once and compiled per instruction set.
//!
//! The element-wise kernels leave this to the compiler ([`crate::isa`]); the convolution tiles must know how many
//! registers there are, and hold their sums in them.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable;
#[cfg(target_arch = "x86_64")]
mod sse2;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
#[cfg(not(target_arch = "x86_64"))]
pub(crate) use portable::Portable as Baseline;
#[cfg(target_arch = "x86_64")]
pub(crate) use sse2::Sse2 as Baseline;

/// One register of [`LANES`](Self::LANES) f32.
///
/// # Safety
/// For callers: every method may only run on a CPU that has the instruction set, inside a function compiled for it
/// ([`on_active_isa!`]). Pointers need no alignment; what is read or written must lie inside one allocation.
pub(crate) trait Vector: Copy {
    /// Values in one register.
    const LANES: usize;

    /// Rows of the register tile when it is two vectors wide: its sums, the two vectors and a broadcast value fill the
    /// registers.
    const TILE_ROWS: usize;

    /// Terms that a tile sums before it moves on, where they lie apart and each needs a cache line of its own beside those of
    /// the panel: a wide tile works longer on a line, so that it may come from the second-level cache.
    const SPREAD_TERMS_PER_BLOCK: usize;

    /// `value` in every lane.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn splat(value: f32) -> Self;

    /// The `LANES` values at `from`.
    ///
    /// # Safety
    /// See the trait; `from..from + LANES` must be readable.
    unsafe fn load(from: *const f32) -> Self;

    /// The `count <= LANES` values at `from`, and 0 in the other lanes.
    ///
    /// # Safety
    /// See the trait; `from..from + count` must be readable. What lies behind is not touched.
    unsafe fn load_first(from: *const f32, count: usize) -> Self;

    /// Writes all lanes to `to`.
    ///
    /// # Safety
    /// See the trait; `to..to + LANES` must be writable.
    unsafe fn store(self, to: *mut f32);

    /// Writes the first `count <= LANES` lanes to `to`.
    ///
    /// # Safety
    /// See the trait; `to..to + count` must be writable. What lies behind is not touched.
    unsafe fn store_first(self, to: *mut f32, count: usize);

    /// `self + other`.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn add(self, other: Self) -> Self;

    /// `self - other`.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn sub(self, other: Self) -> Self;

    /// `self * other`.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn mul(self, other: Self) -> Self;

    /// `self * factor + summand`, rounded once where the instruction set can (not on the portable path).
    ///
    /// # Safety
    /// See the trait.
    unsafe fn mul_add(self, factor: Self, summand: Self) -> Self;

    /// The sum of the lanes, by halves: lane `i` is added to lane `i + LANES / 2`, and so on.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn sum(self) -> f32;
}

/// Calls a generic kernel `run::<V>(arguments)` with the [`Vector`] of [`Isa::active`](crate::isa::Isa::active), inside a
/// function compiled for that instruction set. The kernel must be `#[inline(always)]`, so that it takes part in that.
macro_rules! on_active_isa {
    ($run:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?) => {{
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn avx2($($argument: $type),*) $(-> $result)? {
            // SAFETY: this function is compiled for AVX2 and FMA, and its caller checked that the CPU has them.
            unsafe { $run::<$crate::simd::Avx2>($($argument),*) }
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
        fn avx512($($argument: $type),*) $(-> $result)? {
            // SAFETY: this function is compiled for AVX-512, and its caller checked that the CPU has it.
            unsafe { $run::<$crate::simd::Avx512>($($argument),*) }
        }

        match $crate::isa::Isa::active() {
            // SAFETY: `Isa::active` returns only what `Isa::is_available` detected on this CPU, and the features detected
            // for the variant are those enabled on the function called.
            #[cfg(target_arch = "x86_64")]
            $crate::isa::Isa::Avx512 => unsafe { avx512($($argument),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            $crate::isa::Isa::Avx2 => unsafe { avx2($($argument),*) },
            // SAFETY: the baseline vector needs no more than the target guarantees.
            _ => unsafe { $run::<$crate::simd::Baseline>($($argument),*) },
        }
    }};
}
pub(crate) use on_active_isa;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{self, Isa};

    #[inline(always)]
    unsafe fn exercise<V: Vector>(log: &mut Vec<f32>) {
        let from: Vec<f32> = (0..V::LANES as i32).map(|i| (i * i - 7) as f32).collect();
        let sum: f32 = from.iter().sum();
        for count in 0..=V::LANES {
            let mut to = vec![-1.0; V::LANES + 1];
            // SAFETY: `from` and `to` hold at least LANES values, and `on_active_isa!` chose V.
            unsafe {
                let first = V::load_first(from.as_ptr(), count);
                assert_eq!(first.sum(), from[..count].iter().sum::<f32>());
                first.add(V::splat(1.0)).store_first(to.as_mut_ptr(), count);
            }
            assert!(to[..count].iter().zip(&from).all(|(to, from)| *to == from + 1.0));
            assert!(to[count..].iter().all(|&to| to == -1.0), "store_first({count}) touched what lies behind");
        }
        // SAFETY: as above.
        unsafe {
            let x = V::load(from.as_ptr());
            assert_eq!(x.sum(), sum);
            let mut to = vec![f32::NAN; V::LANES];
            x.mul(V::splat(2.0)).sub(x).mul_add(V::splat(3.0), x).store(to.as_mut_ptr());
            assert!(to.iter().zip(&from).all(|(to, from)| *to == 4.0 * from));
        }
        log.push(V::LANES as f32);
    }

    #[test]
    fn every_vector_does_what_its_names_say() {
        for isa in Isa::available() {
            let mut log = Vec::new();
            let sink = &mut log;
            isa::with(isa, || on_active_isa!(exercise(sink: &mut Vec<f32>)));
            assert_eq!(log.len(), 1, "{isa}");
        }
    }

    #[test]
    fn plain_rust_does_too() {
        // SAFETY: plain Rust runs on every CPU.
        unsafe { exercise::<portable::Portable>(&mut Vec::new()) };
    }
}
