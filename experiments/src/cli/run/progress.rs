//! How far a sweep is, told while it runs.

use crate::sweep::Done;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::IsTerminal,
    sync::Mutex,
    time::{Duration, Instant},
};

/// A bar with the time left on a terminal; a plain line for every tenth elsewhere.
pub(super) enum Progress {
    Bar(ProgressBar),
    Lines { start: Instant, state: Mutex<(Option<f64>, usize)> },
    Quiet,
}

impl Progress {
    pub(super) fn new(quiet: bool) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines { start: Instant::now(), state: Mutex::new((None, 0)) };
        }
        let style = ProgressStyle::with_template("{bar:40} {msg}, {elapsed} gone");
        let bar = ProgressBar::new(1_000).with_style(style.expect("the template is well-formed"));
        bar.enable_steady_tick(Duration::from_millis(500));
        Self::Bar(bar)
    }

    /// Called from any thread after each network.
    pub(super) fn show(&self, done: Done) {
        match self {
            Self::Bar(bar) => {
                bar.set_position((1_000.0 * done.share) as u64);
                bar.set_message(format!("{}/{} networks", done.pieces, done.of));
            }
            Self::Lines { start, state } => {
                let mut state = state.lock().expect("nothing panics while it holds the lock");
                let (first, tenths) = &mut *state;
                let before = *first.get_or_insert(done.share);
                let now = (10.0 * done.share) as usize;
                if now > *tenths {
                    *tenths = now;
                    let gone = start.elapsed().as_secs_f64();
                    let left = gone / (done.share - before).max(1e-9) * (1.0 - done.share);
                    eprintln!("{}/{} networks, {gone:.0} s gone, about {left:.0} s left", done.pieces, done.of);
                }
            }
            Self::Quiet => {}
        }
    }

    pub(super) fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
