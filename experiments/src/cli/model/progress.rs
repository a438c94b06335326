//! How far training is: a bar on a terminal, a line for every tenth elsewhere.

use crate::cli::output::tell;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

/// Tells about steps.
pub(super) enum Progress {
    Bar(ProgressBar),
    Lines { steps: u64, start: Instant, first: Option<u64>, tenths: u64 },
    Quiet,
}

impl Progress {
    pub(super) fn new(steps: u64, quiet: bool) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines { steps, start: Instant::now(), first: None, tenths: 0 };
        }
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} steps, {per_sec}, {elapsed} gone, {eta} left");
        let bar = ProgressBar::new(steps).with_style(style.expect("the template is well-formed"));
        bar.enable_steady_tick(Duration::from_millis(500));
        Self::Bar(bar)
    }

    /// Called after each step with the number of steps taken, those before a resume included.
    pub(super) fn show(&mut self, taken: u64) {
        match self {
            Self::Bar(bar) => bar.set_position(taken),
            Self::Lines { steps, start, first, tenths } => {
                let before = *first.get_or_insert(taken.saturating_sub(1));
                let now = taken * 10 / (*steps).max(1);
                if now > *tenths {
                    *tenths = now;
                    let gone = start.elapsed().as_secs_f64();
                    let rate = (taken - before) as f64 / gone.max(1e-9);
                    let left = steps.saturating_sub(taken) as f64 / rate.max(1e-9);
                    tell(&format!(
                        "{taken}/{steps} steps, {rate:.0} a second, {gone:.0} s gone, about {left:.0} s left"
                    ));
                }
            }
            Self::Quiet => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
