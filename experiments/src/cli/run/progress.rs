//! How far a sweep is, told while it runs.

use crate::{cli::output::tell, sweep::Done};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::IsTerminal,
    sync::Mutex,
    time::{Duration, Instant},
};

/// Told after every piece of work, from any thread.
pub(super) struct Progress {
    start: Instant,
    /// The share that was done before, once it is known, and the tenths that were told.
    state: Mutex<(Option<f64>, usize)>,
    shown: Shown,
}

/// A bar with the time left on a terminal; a plain line for every tenth elsewhere.
enum Shown {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

impl Progress {
    pub(super) fn new(quiet: bool) -> Self {
        // A terminal that can move its cursor; others would see nothing of a bar.
        let terminal = std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let shown = match (quiet, terminal) {
            (true, _) => Shown::Nothing,
            (false, false) => Shown::Lines,
            (false, true) => {
                let style = ProgressStyle::with_template("{bar:40} {msg}, {elapsed} gone");
                let bar = ProgressBar::new(1_000).with_style(style.expect("the template is well-formed"));
                bar.enable_steady_tick(Duration::from_millis(500));
                Shown::Bar(bar)
            }
        };
        Self { start: Instant::now(), state: Mutex::new((None, 0)), shown }
    }

    pub(super) fn show(&self, done: Done) {
        let mut state = self.state.lock().expect("nothing panics while it holds the lock");
        let (first, tenths) = &mut *state;
        let before = *first.get_or_insert(done.share);
        let left = time_left(self.start.elapsed(), before, done.share);
        let left = left.map_or(String::new(), |left| format!(", about {left} left"));
        match &self.shown {
            Shown::Bar(bar) => {
                bar.set_position((1_000.0 * done.share) as u64);
                bar.set_message(format!("{}/{} done{left}", done.pieces, done.of));
            }
            Shown::Lines => {
                let now = (10.0 * done.share) as usize;
                if now > *tenths {
                    *tenths = now;
                    let gone = self.start.elapsed().as_secs_f64();
                    tell(&format!("{}/{} done, {gone:.0} s gone{left}", done.pieces, done.of));
                }
            }
            Shown::Nothing => {}
        }
    }

    pub(super) fn finish(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

/// The time left after `gone`, in which the share that is done went from `before` to `now`; `None` before anything was done, as at the
/// beginning and right after a resume.
fn time_left(gone: Duration, before: f64, now: f64) -> Option<String> {
    if now <= before {
        return None;
    }
    let left = gone.as_secs_f64() / (now - before) * (1.0 - now);
    Some(if left < 120.0 { format!("{left:.0} s") } else { format!("{:.0} min", left / 60.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_what_was_done_here() {
        let seconds = Duration::from_secs;
        // After a resume at three quarters nothing is known; then an eighth took a minute, and another is left.
        assert_eq!(time_left(seconds(1), 0.75, 0.75), None);
        assert_eq!(time_left(seconds(60), 0.75, 0.875).unwrap(), "60 s");
        assert_eq!(time_left(seconds(600), 0.0, 0.25).unwrap(), "30 min");
    }
}
