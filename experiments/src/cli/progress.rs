//! How far long work is: a bar on a terminal; elsewhere lines; nothing when quiet.

use super::output::tell;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::IsTerminal,
    sync::Mutex,
    time::{Duration, Instant},
};

/// Whether standard error is a terminal that can move its cursor; others would see nothing of a bar.
pub(super) fn on_terminal() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Told after every piece of work, from any thread. A bar goes when this is dropped.
pub(super) struct Progress {
    /// What the pieces are called.
    pieces: &'static str,
    start: Instant,
    told: Mutex<Told>,
    shown: Shown,
}

/// What was told before.
#[derive(Default)]
struct Told {
    /// Pieces and the share that were done at the beginning, once they are known.
    before: Option<(usize, f64)>,
    last: Option<Instant>,
    tenths: usize,
}

enum Shown {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

/// Positions of a bar: it follows shares.
const POSITIONS: f64 = 1_000.0;
/// A bar is not written more often: steps of training may last microseconds.
const BETWEEN_DRAWINGS: Duration = Duration::from_millis(100);
/// A line is written for every tenth, and at the next piece after this time: a tenth of a sweep may last an hour.
const BETWEEN_LINES: Duration = Duration::from_secs(300);

impl Progress {
    pub(super) fn new(pieces: &'static str, quiet: bool) -> Self {
        let shown = match (quiet, on_terminal()) {
            (true, _) => Shown::Nothing,
            (false, false) => Shown::Lines,
            (false, true) => {
                let style = ProgressStyle::with_template("{bar:40} {msg}, {elapsed} gone");
                let bar = ProgressBar::new(POSITIONS as u64).with_style(style.expect("the template is well-formed"));
                bar.enable_steady_tick(Duration::from_millis(500));
                Shown::Bar(bar)
            }
        };
        Self { pieces, start: Instant::now(), told: Mutex::default(), shown }
    }

    /// Tells that `done` pieces `of` all are done, those before a resume included: a `share` in 0..=1 of the whole cost.
    pub(super) fn show(&self, done: usize, of: usize, share: f64) {
        let mut told = self.told.lock().expect("nothing panics while it holds the lock");
        let (first, before) = (told.before.is_none(), *told.before.get_or_insert((done, share)));
        let over = |pause| told.last.is_none_or(|last: Instant| last.elapsed() >= pause);
        let tenths = (10.0 * share) as usize;
        let due = match &self.shown {
            Shown::Bar(_) => over(BETWEEN_DRAWINGS) || done == of,
            Shown::Lines => first || tenths > told.tenths || over(BETWEEN_LINES),
            Shown::Nothing => false,
        };
        if !due {
            return;
        }
        (told.last, told.tenths) = (Some(Instant::now()), tenths);
        let gone = self.start.elapsed();
        let speed =
            speed(gone, done.saturating_sub(before.0)).map_or(String::new(), |speed| format!(", {speed:.0} a second"));
        let left = time_left(gone, before.1, share);
        let left = left.map_or(String::new(), |left| format!(", about {} left", in_words(left)));
        let text = format!("{done}/{of} {}{speed}{left}", self.pieces);
        match &self.shown {
            Shown::Bar(bar) => {
                bar.set_position((POSITIONS * share) as u64);
                bar.set_message(text);
            }
            Shown::Lines => tell(&format!("{text}, {} gone", in_words(gone))),
            Shown::Nothing => {}
        }
    }

    /// What tells how many of `steps`, which all cost the same, were taken.
    pub(super) fn of_steps(self, steps: u64) -> impl FnMut(u64) {
        move |taken| self.show(taken as usize, steps as usize, taken as f64 / steps.max(1) as f64)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

/// Pieces a second; of those that last longer than half a second the time left tells more.
fn speed(gone: Duration, done: usize) -> Option<f64> {
    let speed = done as f64 / gone.as_secs_f64().max(1e-9);
    (done > 0 && speed >= 2.0).then_some(speed)
}

/// The time left after `gone`, in which the share that is done went from `before` to `now`; `None` before anything was done, as at the
/// beginning and right after a resume.
fn time_left(gone: Duration, before: f64, now: f64) -> Option<Duration> {
    (now > before).then(|| gone.mul_f64((1.0 - now).max(0.0) / (now - before)))
}

fn in_words(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 120.0 { format!("{seconds:.0} s") } else { format!("{:.0} min", seconds / 60.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_what_was_done_here() {
        let seconds = Duration::from_secs;
        // After a resume at three quarters nothing is known; then an eighth took a minute, and another is left.
        assert_eq!(time_left(seconds(1), 0.75, 0.75), None);
        assert_eq!(in_words(time_left(seconds(60), 0.75, 0.875).unwrap()), "60 s");
        assert_eq!(in_words(time_left(seconds(600), 0.0, 0.25).unwrap()), "30 min");
    }

    #[test]
    fn only_fast_pieces_are_counted_by_the_second() {
        assert_eq!(speed(Duration::from_secs(4), 2_000), Some(500.0));
        assert_eq!(speed(Duration::from_secs(4), 6), None);
        assert_eq!(speed(Duration::ZERO, 0), None);
    }
}
