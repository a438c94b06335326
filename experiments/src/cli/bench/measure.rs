//! How a run is timed, and on what.

use patchgrad::{Shape, Tensor, init::Init, random::stream};
use std::time::Instant;

/// Runs before the first that is timed.
const WARM_UPS: usize = 3;

/// At least so many runs are timed.
const LEAST_RUNS: usize = 7;

/// What a measurement found.
pub(super) struct Timing {
    /// When the very first run was done.
    pub(super) first_done: Instant,
    /// The median of the timed runs, in seconds.
    pub(super) median: f64,
}

/// Times `run` for at least `seconds` and at least [`LEAST_RUNS`] times, after [`WARM_UPS`] runs that do not count.
pub(super) fn time(mut run: impl FnMut(), seconds: f64) -> Timing {
    run();
    let first_done = Instant::now();
    for _ in 1..WARM_UPS {
        run();
    }
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < LEAST_RUNS || start.elapsed().as_secs_f64() < seconds {
        let before = Instant::now();
        run();
        times.push(before.elapsed().as_secs_f64());
    }
    Timing { first_done, median: median(times) }
}

/// The middle value; of an even number the upper of the two, as in the PyTorch script.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Standard normal values, the same at every call.
pub(super) fn random(shape: Shape) -> Tensor {
    Init::Normal { mean: 0.0, std: 1.0 }.tensor(shape, &mut stream(0, "bench", 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_warmed_up_and_counted() {
        let mut runs = 0;
        time(|| runs += 1, 0.0);
        assert_eq!(runs, WARM_UPS + LEAST_RUNS);
    }

    #[test]
    fn the_median_is_not_moved_by_a_run_that_was_interrupted() {
        assert_eq!(median(vec![3.0, 1.0, 100.0]), 3.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 3.0);
    }
}
