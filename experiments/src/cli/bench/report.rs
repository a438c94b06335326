//! What is printed: a table for people, or one JSON object a line.

use crate::version::VERSION;
use patchgrad::Isa;
use serde::Serialize;
use std::{
    io::{self, Write},
    time::Duration,
};

/// One measured workload.
#[derive(Debug, Serialize)]
pub(super) struct Row<'r> {
    pub(super) workload: &'r str,
    /// The algorithm that ran; of a training step what was asked for; none for a pooling.
    pub(super) algorithm: Option<String>,
    pub(super) isa: String,
    pub(super) threads: usize,
    pub(super) median_ms: f64,
    /// None for a pooling.
    pub(super) gflop_per_s: Option<f64>,
    pub(super) images_per_s: f64,
}

impl<'r> Row<'r> {
    /// The rates of one run of `flops` operations on `batch` images that takes `seconds`.
    pub(super) fn new(
        workload: &'r str,
        algorithm: Option<String>,
        threads: usize,
        batch: usize,
        flops: Option<u64>,
        seconds: f64,
    ) -> Self {
        Self {
            workload,
            algorithm,
            isa: Isa::active().to_string(),
            threads,
            median_ms: 1e3 * seconds,
            gflop_per_s: flops.map(|flops| flops as f64 / seconds / 1e9),
            images_per_s: batch as f64 / seconds,
        }
    }

    /// As one line of JSON.
    pub(super) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", serde_json::to_string(self)?)
    }

    /// As one line of the table. `peak` is in FLOP/s on all threads.
    pub(super) fn write_line(&self, out: &mut impl Write, peak: f64) -> io::Result<()> {
        let rate = |rate: Option<f64>, digits: usize| rate.map_or("-".into(), |rate| format!("{rate:.digits$}"));
        writeln!(
            out,
            "{:<40} {:<10} {:>10.4} {:>9} {:>9} {:>12.1}",
            self.workload,
            self.algorithm.as_deref().unwrap_or("-"),
            self.median_ms,
            rate(self.gflop_per_s, 2),
            rate(self.gflop_per_s.map(|rate| 1e11 * rate / peak), 1),
            self.images_per_s
        )
    }
}

/// What the numbers of the table refer to, and the heads of its columns. `core_peak` is in FLOP/s on one core.
pub(super) fn write_header(out: &mut impl Write, threads: usize, core_peak: f64) -> io::Result<()> {
    let (core_peak, plural) = (core_peak / 1e9, if threads == 1 { "" } else { "s" });
    writeln!(
        out,
        "pitfall {}, {}, {threads} thread{plural}, peak {:.1} GFLOP/s ({threads} x {core_peak:.1}, just measured on one core)",
        VERSION,
        Isa::active(),
        core_peak * threads as f64
    )?;
    writeln!(
        out,
        "{:<40} {:<10} {:>10} {:>9} {:>9} {:>12}",
        "workload", "algorithm", "median ms", "GFLOP/s", "% of peak", "images/s"
    )
}

/// What training costs beside time: when its first step was done, and the memory of the process where that is known.
pub(super) fn write_start(out: &mut impl Write, first_step: Duration) -> io::Result<()> {
    let seconds = first_step.as_secs_f64();
    write!(out, "  first step done {seconds:.3} s after the start (without the measuring of the peak)")?;
    match peak_resident_bytes() {
        Some(bytes) => writeln!(out, ", peak resident memory {:.1} MB", bytes as f64 / 1e6),
        None => writeln!(out),
    }
}

/// The most memory of this process that was ever resident, where the operating system tells (Linux).
fn peak_resident_bytes() -> Option<u64> {
    resident_bytes(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// From the line `VmHWM:     1234 kB` of Linux's status file, whose kB are 1,024 bytes.
fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| 1024 * kib)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(row: &Row, peak: f64) -> String {
        let mut out = Vec::new();
        row.write_line(&mut out, peak).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_has_the_rates_and_the_share_of_the_peak() {
        let row = Row::new("conv2d/x/forward", Some("direct".into()), 2, 128, Some(4_000_000_000), 0.02);
        let line = line(&row, 250e9);
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells, ["conv2d/x/forward", "direct", "20.0000", "200.00", "80.0", "6400.0"]);
    }

    #[test]
    fn a_pooling_has_no_algorithm_and_no_operations() {
        let row = Row::new("max_pool2d/x/forward", None, 1, 10, None, 0.001);
        let line = line(&row, 1e9);
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells, ["max_pool2d/x/forward", "-", "1.0000", "-", "-", "10000.0"]);
    }

    #[test]
    fn the_peak_of_the_memory_is_found_in_the_status_file() {
        assert_eq!(resident_bytes("VmPeak:\t  9000 kB\nVmHWM:\t    2048 kB\n"), Some(2 << 20));
        assert_eq!(resident_bytes("VmPeak:\t  9000 kB\n"), None);
    }
}
