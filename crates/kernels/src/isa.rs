//! Which instruction set the kernels run on, and the one macro that compiles a safe loop for each of them.
//!
//! A kernel is a plain loop over slices. `dispatched!` compiles its body three times (portable, AVX2, AVX-512) and the
//! call picks one by [`Isa::active`]: the compiler's vectoriser does the rest.
//!
//! **Same bits on every instruction set.** Rust never contracts `a * b + c` into a fused multiply-add and never
//! reorders a sum, so a dispatched body computes the same IEEE operations whatever registers hold them. Two rules keep
//! it so: no `f32::mul_add` in a body (it would also be a slow call where the instruction is missing), and a sum states
//! its order (see [`crate::reduce`]). The tests compare every available instruction set for exact equality; only the
//! sign and the payload of a NaN are left open.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// The environment variable that forces an instruction set: `portable`, `avx2` or `avx512`. Matrix products are
/// `matrixmultiply`'s, which picks its own by the processor and is not forced.
pub const ENVIRONMENT_VARIABLE: &str = "PATCHGRAD_ISA";

/// An instruction set the kernels are compiled for, from the narrowest to the widest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// What the target guarantees: SSE2 on x86-64, NEON on AArch64.
    Portable,
    /// AVX2 and FMA: 8 values to a register.
    Avx2,
    /// AVX-512 F, BW, VL and DQ, with AVX2 and FMA: 16 values to a register.
    Avx512,
}

impl Isa {
    /// All instruction sets, from the narrowest to the widest.
    pub const ALL: [Isa; 3] = [Isa::Portable, Isa::Avx2, Isa::Avx512];

    /// Does this machine have it?
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = || is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = || {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
            };
            match self {
                Isa::Portable => true,
                Isa::Avx2 => avx2(),
                Isa::Avx512 => avx2() && avx512(),
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            self == Isa::Portable
        }
    }

    /// The instruction sets of this machine, from the narrowest to the widest.
    pub fn available() -> Vec<Isa> {
        Self::ALL.into_iter().filter(|isa| isa.is_available()).collect()
    }

    /// The instruction set that [`ENVIRONMENT_VARIABLE`] names, or the widest of this machine when it is not set.
    ///
    /// # Errors
    /// If the variable holds an unknown name, or one that this machine does not have. The text says what to write.
    pub fn from_env() -> Result<Isa, String> {
        match std::env::var_os(ENVIRONMENT_VARIABLE) {
            Some(name) => Self::requested(&name.to_string_lossy()),
            None => Ok(Self::widest()),
        }
    }

    /// The instruction set that kernels called from this thread use: that of an enclosing [`with`], or else that of
    /// [`Isa::from_env`], which is asked once.
    ///
    /// # Panics
    /// If [`Isa::from_env`] fails, with its text.
    #[inline]
    pub fn active() -> Isa {
        OVERRIDE
            .get()
            .unwrap_or_else(|| *DETECTED.get_or_init(|| Self::from_env().unwrap_or_else(|text| panic!("{text}"))))
    }

    fn widest() -> Isa {
        *Self::available().last().expect("portable is always available")
    }

    fn requested(name: &str) -> Result<Isa, String> {
        let remedy = || format!("this machine has {}; unset the variable to use the widest", list(&Self::available()));
        let isa = name.parse::<Isa>().map_err(|text| format!("{ENVIRONMENT_VARIABLE}: {text}; {}", remedy()))?;
        if isa.is_available() {
            Ok(isa)
        } else {
            Err(format!("{ENVIRONMENT_VARIABLE}={isa}: this CPU lacks {isa}; {}", remedy()))
        }
    }
}

// Both hold only instruction sets for which `is_available` was true: `with` and `requested` check, `widest` filters.
// The calls in `dispatched!` rest on it.
thread_local! {
    static OVERRIDE: Cell<Option<Isa>> = const { Cell::new(None) };
}
static DETECTED: OnceLock<Isa> = OnceLock::new();

/// Runs `run` with the kernels of this thread on `isa`, for tests and benchmarks; what was active before is restored
/// afterwards, also when `run` panics. Other threads, a pool's workers among them, are not affected.
///
/// # Panics
/// If this machine does not have `isa`.
pub fn with<R>(isa: Isa, run: impl FnOnce() -> R) -> R {
    struct Restore(Option<Isa>);
    impl Drop for Restore {
        fn drop(&mut self) {
            OVERRIDE.set(self.0);
        }
    }

    assert!(isa.is_available(), "isa::with({isa}): this machine has {}", list(&Isa::available()));
    let _restore = Restore(OVERRIDE.replace(Some(isa)));
    run()
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Isa::Portable => "portable",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        })
    }
}

impl FromStr for Isa {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|isa| isa.to_string() == name)
            .ok_or_else(|| format!("unknown instruction set {name:?}, expected one of {}", list(&Self::ALL)))
    }
}

fn list(isas: &[Isa]) -> String {
    isas.iter().map(Isa::to_string).collect::<Vec<_>>().join(", ")
}

/// Defines functions whose bodies are compiled once per instruction set and chosen by [`Isa::active`] at the call.
///
/// The body is safe Rust over slices. Scalar functions it calls must be `#[inline(always)]`, so that they are compiled
/// with the instruction set of their caller; a closure is not, and belongs in a body only where it is trivial.
macro_rules! dispatched {
    ($(
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block
    )*) => {$(
        $(#[$attribute])*
        $visibility fn $name($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn body($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) $(-> $result)? {
                body($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
            fn avx512($($argument: $type),*) $(-> $result)? {
                body($($argument),*)
            }

            match $crate::isa::Isa::active() {
                // SAFETY: `Isa::active` returns only what `Isa::is_available` detected on this CPU, and the features
                // detected for the variant are those enabled on the function called.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Isa::Avx512 => unsafe { avx512($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Isa::Avx2 => unsafe { avx2($($argument),*) },
                _ => body($($argument),*),
            }
        }
    )*};
}
pub(crate) use dispatched;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for isa in Isa::ALL {
            assert_eq!(isa.to_string().parse(), Ok(isa));
        }
    }

    #[test]
    fn an_unknown_name_lists_what_there_is() {
        let text = Isa::requested("sse9").unwrap_err();
        assert!(text.contains("PATCHGRAD_ISA") && text.contains("\"sse9\""), "{text}");
        assert!(text.contains("this machine has portable"), "{text}");
    }

    #[test]
    fn a_request_is_granted_exactly_if_available() {
        for isa in Isa::ALL {
            match Isa::requested(&isa.to_string()) {
                Ok(granted) => assert!(isa.is_available() && granted == isa),
                Err(text) => assert!(!isa.is_available() && text.contains("lacks"), "{text}"),
            }
        }
    }

    #[test]
    fn with_overrides_nests_and_restores_after_a_panic() {
        let before = Isa::active();
        for isa in Isa::available() {
            with(isa, || {
                assert_eq!(Isa::active(), isa);
                with(Isa::Portable, || assert_eq!(Isa::active(), Isa::Portable));
                assert_eq!(Isa::active(), isa);
            });
            let unwound = std::panic::catch_unwind(|| with(isa, || std::panic::panic_any(())));
            assert!(unwound.is_err());
            assert_eq!(Isa::active(), before);
        }
    }

    dispatched! {
        /// Two roundings per element: a fused multiply-add would differ.
        fn multiply_add(out: &mut [f32], a: &[f32], b: &[f32]) {
            for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                *out += a * b;
            }
        }
    }

    #[test]
    fn multiply_then_add_is_never_fused() {
        // (1 + e)^2 = 1 + 2e + e^2: the last term is lost when the product is rounded first.
        let a = [1.0 + f32::EPSILON; 67];
        for isa in Isa::available() {
            let mut out = [-1.0; 67];
            with(isa, || multiply_add(&mut out, &a, &a));
            assert_eq!(out, [2.0 * f32::EPSILON; 67], "{isa}");
        }
    }
}
