//! Ending a run from outside.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Signals that follow the first one sooner are the same request: `timeout` of GNU sends one to the process and one to its group, a
/// batch system to every process of a job.
const SECOND_COUNTS_AFTER: Duration = Duration::from_millis(250);

/// Whether someone asked the run to stop; copies ask and answer for each other.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// One that only [`request`](Self::request) sets.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that Ctrl-C, SIGTERM and (on Unix) SIGUSR1 set. Another one, a quarter of a second later or more, does what it does by
    /// default: it ends the process at once.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn on_signals() -> io::Result<Self> {
        let interrupt = Self::new();
        let ends_at_once = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        let signals = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGUSR1];
        #[cfg(not(unix))]
        let signals = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];
        for signal in signals {
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&ends_at_once))?;
            signal_hook::flag::register(signal, Arc::clone(&interrupt.0))?;
        }
        let asked = interrupt.clone();
        // Ends with the process, or with its word.
        std::thread::spawn(move || {
            while !asked.is_requested() {
                std::thread::sleep(Duration::from_millis(50));
            }
            std::thread::sleep(SECOND_COUNTS_AFTER);
            ends_at_once.store(true, Ordering::SeqCst);
        });
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
