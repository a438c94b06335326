//! `pitfall` without a command: the demonstration, its options, its progress, its files.

use super::{
    folders::{Otherwise, claim, new_folder, prepare},
    output::print,
    progress::Progress,
};
use crate::demo::{
    self, SetResults,
    baselines::{BaselineRow, Kind},
    config::{DemoConfig, Profile},
    record::RunRecord,
    reference::{REFERENCE_CODE_SIZE, Stage},
};
use anyhow::Result;
use clap::Args;
use std::{path::PathBuf, time::Instant};

/// Options of the demonstration.
#[derive(Clone, Debug, Args)]
pub(super) struct DemoArgs {
    /// Seed of everything random; the same seed gives the same results.csv, byte for byte
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Threads, 0 for one on each core; they change the time, never the results
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u16).range(..=1024))]
    threads: u16,
    /// How much is done
    #[arg(long, value_enum, default_value_t)]
    profile: Profile,
    /// Folder for the results [default: runs/demo-<date>-<time>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder with the full data sets in mnist/ and fashion-mnist/, instead of the bundled samples
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Print only the path of the report
    #[arg(long)]
    quiet: bool,
    /// Write into a folder that is not empty
    #[arg(long)]
    force: bool,
}

/// Runs the demonstration and writes its folder.
pub(super) fn run(args: &DemoArgs) -> Result<()> {
    let started = jiff::Timestamp::now();
    // The folder is made first: nobody should wait for a run that cannot be written.
    let out = args.out.clone().map_or_else(|| new_folder("demo"), Ok)?;
    prepare(&out, Otherwise::Force, args.force)?;
    let _claim = claim(&out)?;
    let config = DemoConfig {
        seed: args.seed,
        threads: usize::from(args.threads),
        profile: args.profile,
        data_dir: args.data_dir.clone(),
    };
    let clock = Instant::now();
    let progress = Progress::new("networks and baselines", args.quiet);
    let results = demo::run(&config, |done, jobs| progress.show(done, jobs, done as f64 / jobs as f64))?;
    drop(progress);
    let record = RunRecord::new(&config, &results, started.to_string(), clock.elapsed().as_secs_f64());
    let report = demo::output::write(&out, &results, &record)?;
    let text = if args.quiet {
        format!("{}\n", report.display())
    } else {
        let end = format!("{:.0} s on {} threads. The report: {}", record.seconds, record.threads, report.display());
        format!("{}\n{end}\n", table(&results))
    };
    print(&text)
}

/// The final table: what a reader without a browser should see.
fn table(results: &[SetResults]) -> String {
    let mut lines = Vec::new();
    for set in results {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        lines.push(format!(
            "\n{}: {} networks, reconstruction against probe accuracy",
            set.task.name,
            set.networks.len()
        ));
        lines.push(format!(
            "  {:<20} {:<24} {:>3} {:>9} {:>16} {:>8}",
            "networks", "judged by", "n", "rank corr", "95 % interval", "p"
        ));
        for relation in set.relations.iter().filter(|relation| !relation.without_dead) {
            let (rank, interval) = (&relation.rank, relation.rank.interval());
            lines.push(format!(
                "  {:<20} {:<24} {:>3} {:>9.2} {:>16} {:>8.4}",
                relation.level.label(),
                relation.judged_by.label(),
                rank.rows,
                rank.rho,
                format!("{:.2} to {:.2}", interval.low, interval.high),
                rank.permutation_p
            ));
        }
        let at_reference_size = |row: &&BaselineRow| row.size == REFERENCE_CODE_SIZE || row.kind == Kind::RawPixels;
        let baselines = set.baselines.iter().filter(at_reference_size);
        let baselines = baselines.map(|row| format!("{} {}", row.kind.label(), percent(row.probe_accuracy)));
        let baselines: Vec<String> = baselines.collect();
        lines.push(format!("  probe on {REFERENCE_CODE_SIZE} features: {}", baselines.join(", ")));
        let reference = &set.reference;
        lines.push(format!(
            "  fine-tuned: accuracy {}, probe {} -> {}, error of the old decoder {:.3} -> {:.3}",
            percent(reference.fine_tuned_accuracy),
            percent(reference.probe_accuracy[0]),
            percent(reference.probe_accuracy[1]),
            reference.own_mse(Stage::Before),
            reference.own_mse(Stage::After),
        ));
    }
    lines.join("\n") + "\n"
}
