//! `pitfall bench`: how fast the engine is on this machine, over the shapes of `benches/workloads.json`.
//!
//! [`shapes`] is the list, [`workloads`] what is measured over it; `convolution`, `pooling` and `train_step` (with its
//! `network`) make a run of each kind; `measure` times it, `report` prints it.

mod convolution;
mod measure;
mod network;
mod pooling;
mod report;
pub mod shapes;
mod train_step;
pub mod workloads;

use super::output::tell;
use clap::Args;
use patchgrad::{ops::ConvAlgorithm, parallel, peak};
use std::{
    io::{self, Write},
    time::{Duration, Instant},
};
use workloads::{LARGEST_NAIVE, Work, Workload};

/// How long the peak is measured.
const PEAK_TIME: Duration = Duration::from_millis(300);

/// Training steps are measured so many times longer: there are few of them, and they matter most.
const TRAIN_STEP_FACTOR: f64 = 4.0;

/// Options of the benchmark.
#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    /// Number of threads
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Measure only the workloads whose name contains this
    #[arg(long, default_value = "", value_name = "SUBSTRING", hide_default_value = true)]
    only: String,
    /// Measure each workload for at least so long, a training step four times as long
    #[arg(long, default_value_t = 0.5, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
    seconds: f64,
    /// Print one JSON object a line: workload, algorithm, isa, threads, median_ms, gflop_per_s, images_per_s
    #[arg(long)]
    json: bool,
    /// Compute every convolution like this (auto, naive, im2col, ...); an unknown name lists what there is
    ///
    /// The naive loops take seconds for a large shape: with them, workloads of over 30 million operations are left out and
    /// named on standard error. --only with the whole name of one measures it all the same.
    #[arg(long, default_value_t, value_name = "NAME")]
    algorithm: ConvAlgorithm,
    /// Print the names of the workloads and measure nothing
    #[arg(long)]
    list: bool,
}

/// There is nothing to measure.
#[derive(Debug, thiserror::Error)]
pub(super) enum NothingToMeasure {
    #[error("no workload's name contains {only:?}; the names are\n  {}", names.join("\n  "))]
    NoSuchName { only: String, names: Vec<String> },
    #[error(
        "the naive loops are measured up to {} million operations, and every workload that contains {only:?} has more; give \
         the whole name of one to measure it all the same",
        LARGEST_NAIVE / 1_000_000
    )]
    TooSlow { only: String },
}

/// Measures what the arguments ask for and prints each row as it is done.
///
/// # Errors
/// [`NothingToMeasure`], or that standard output cannot be written; a reader who closed the pipe is no error and ends it.
pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let start = Instant::now();
    let chosen = choose(args)?;
    let threads = usize::from(args.threads);
    let outcome = if args.list {
        chosen.iter().try_for_each(|workload| writeln!(io::stdout(), "{}", workload.name))
    } else {
        parallel::with_threads(threads, || measure_all(args, &chosen, start))
    };
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("cannot print the result"))
        }
        _ => Ok(()),
    }
}

fn measure_all(args: &BenchArgs, chosen: &[Workload], mut start: Instant) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let threads = usize::from(args.threads);
    let mut peak = 0.0;
    if !args.json {
        let before = Instant::now();
        let core_peak = peak::measured_flops(PEAK_TIME);
        report::write_header(&mut out, threads, core_peak)?;
        peak = core_peak * threads as f64;
        // The clock that times the first training step stands still meanwhile.
        start += before.elapsed();
    }
    for (i, workload) in chosen.iter().enumerate() {
        let is_training = matches!(workload.work, Work::TrainStep(_));
        let seconds = args.seconds * if is_training { TRAIN_STEP_FACTOR } else { 1.0 };
        let timing = measure::time(workload.prepare(args.algorithm), seconds);
        let algorithm = workload.algorithm(args.algorithm).map(|algorithm| algorithm.to_string());
        let row =
            report::Row::new(&workload.name, algorithm, threads, workload.batch(), workload.flops(), timing.median);
        if args.json {
            row.write_json(&mut out)?;
            continue;
        }
        row.write_line(&mut out, peak)?;
        // Both belong to the whole process, so they are told only of what ran first.
        if is_training && i == 0 {
            report::write_start(&mut out, timing.first_done.duration_since(start))?;
        }
    }
    Ok(())
}

/// The workloads that `--only` selects, without those that the naive loops would take too long for.
fn choose(args: &BenchArgs) -> Result<Vec<Workload>, NothingToMeasure> {
    let only = args.only.as_str();
    let (mut chosen, others): (Vec<_>, Vec<_>) =
        workloads::all().into_iter().partition(|workload| workload.name.contains(only));
    if chosen.is_empty() {
        let names = others.into_iter().map(|workload| workload.name).collect();
        return Err(NothingToMeasure::NoSuchName { only: only.to_string(), names });
    }
    let left_out = chosen.extract_if(.., |workload| workload.name != only && workload.is_too_slow(args.algorithm));
    let left_out: Vec<String> = left_out.map(|workload| workload.name).collect();
    if chosen.is_empty() {
        return Err(NothingToMeasure::TooSlow { only: only.to_string() });
    }
    if !left_out.is_empty() {
        let limit = LARGEST_NAIVE / 1_000_000;
        tell(&format!("left out, with over {limit} million operations for the naive loops: {}", left_out.join(", ")));
    }
    Ok(chosen)
}

/// A time that a measurement may take.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds.is_finite() => Ok(seconds),
        _ => Err("it must be a number of seconds above 0, such as 0.5".to_string()),
    }
}
