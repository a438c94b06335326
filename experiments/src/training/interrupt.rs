//! Ending a run from outside.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Whether someone asked the run to stop; copies ask and answer for each other.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// One that only [`request`](Self::request) sets.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that Ctrl-C, SIGTERM and (on Unix) SIGUSR1 set. The second signal of them does what it does by default: it ends
    /// the process at once.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn on_signals() -> io::Result<Self> {
        let interrupt = Self::new();
        let flag = || Arc::clone(&interrupt.0);
        #[cfg(unix)]
        let signals = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGUSR1];
        #[cfg(not(unix))]
        let signals = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];
        for signal in signals {
            // In this order: the first signal finds the flag unset, and sets it.
            signal_hook::flag::register_conditional_default(signal, flag())?;
            signal_hook::flag::register(signal, flag())?;
        }
        Ok(interrupt)
    }

    /// Asks the run to stop after its step.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether someone asked.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
