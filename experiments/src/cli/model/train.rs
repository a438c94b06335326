//! `pitfall train`.

use super::{
    super::{
        folders::{Otherwise, claim, new_folder, prepare},
        output::interrupt_on_signals,
        progress::Progress,
    },
    BadRequest, Overrides, on_threads, pictures, print,
};
use crate::{
    config::{Config, Examples, Network, Progressed},
    evaluation::{self, Measured, Seen},
    figures::Sheet,
    report::{TrainingRun, render_training},
    run_folder::{RunFolder, RunRecord},
    training::{Cadence, Checkpoints, Run},
};
use anyhow::{Context, Result};
use clap::Args;
use patchgrad::{ENVIRONMENT_VARIABLE, Workspace};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// Test pictures that are drawn.
const SHOWN: usize = 12;

/// Options of `pitfall train`.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct TrainArgs {
    /// The configuration, a TOML file; examples/configs/ has some to start from
    #[arg(value_name = "CONFIG", required_unless_present = "resume", conflicts_with = "resume")]
    config: Option<PathBuf>,
    /// Go on with the run in this folder, to the same bytes as if it had not been stopped
    #[arg(long, value_name = "RUN", conflicts_with_all = ["set", "data_dir", "out", "seed", "overfit", "limit_train", "fast_dev_run"])]
    resume: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    /// Folder for the results [default: runs/NAME-DATE-TIME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Seed of everything random: the same as --set seed=N
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Threads, 0 for one on each core; they change the time, never the results
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u16).range(..=1024))]
    threads: u16,
    /// Train on the first N pictures only: the same as --set data.train=N
    #[arg(long, value_name = "N")]
    limit_train: Option<usize>,
    /// Train on the first N pictures and measure on the same: a network that cannot learn these by heart has a fault
    #[arg(long, value_name = "N", conflicts_with = "limit_train")]
    overfit: Option<usize>,
    /// A few steps on a few pictures, to see whether everything works
    #[arg(long)]
    fast_dev_run: bool,
    /// Print only the folder of the run
    #[arg(long)]
    quiet: bool,
    /// Print the results as JSON, a line for each number
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Write into a folder that is not empty
    #[arg(long)]
    force: bool,
}

impl TrainArgs {
    fn overrides(&self) -> Vec<String> {
        let mut all = self.overrides.all();
        all.extend(self.seed.map(|seed| format!("seed={seed}")));
        all.extend(self.limit_train.or(self.overfit).map(|count| format!("data.train={count}")));
        all.extend(self.overfit.map(|_| "evaluation.on_train=true".to_string()));
        all
    }

    /// The folder and configuration of the run, new or old.
    fn folder(&self) -> Result<(RunFolder, Config)> {
        if let Some(run) = &self.resume {
            return RunFolder::open(run, &[]);
        }
        let file = self.config.as_deref().ok_or_else(|| BadRequest("give a configuration, or --resume RUN".into()))?;
        let mut config = Config::read(file, &self.overrides())?;
        if self.fast_dev_run {
            config.shorten();
        }
        let out = self.out.clone().map_or_else(|| new_folder(&config.name), Ok)?;
        prepare(&out, Otherwise::Force, self.force)?;
        Ok((RunFolder { path: out }, config))
    }
}

pub(super) fn run(args: &TrainArgs) -> Result<()> {
    on_threads(args.threads, || train(args))
}

fn train(args: &TrainArgs) -> Result<()> {
    let started = jiff::Timestamp::now().to_string();
    // The folder is made first: nobody should wait for a run that cannot be written.
    let (folder, mut config) = args.folder()?;
    let _claim = claim(&folder.path)?;
    let examples = config.load()?;
    config.network.resolve(config.data.set, examples.picture())?;
    let mut record = RunRecord::new(&folder, &config, &examples, started);
    folder.remove_partial_files()?;
    if args.resume.is_some() {
        let begun = folder.record()?;
        same_bits(&begun, &record)?;
        record = begun;
    } else {
        // With --force another run may have been here.
        folder.clear()?;
        let json = serde_json::to_string_pretty(&record).context("cannot describe the run")?;
        folder.write("run.json", format!("{json}\n").as_bytes())?;
        folder.write("config.toml", config.to_toml().as_bytes())?;
    }
    let clock = Instant::now();
    let mut workspace = Workspace::new();
    let mut network = config.network.build(config.seed);
    let report = learn(args, &folder, &config, &examples, &mut network, &mut workspace)?;
    folder.write_jsonl("metrics.jsonl", &report)?;
    folder.save_model(&config, network.autoencoder().params())?;
    let trained = clock.elapsed().as_secs_f64();
    let seen = Seen::new(&examples, network.autoencoder().picture_shape(), config.seed)?;
    let results = measure(&config, &examples, &seen, &network, &mut workspace);
    folder.write_csv("results.csv", &results)?;
    let (reconstructions, features) = draw(&folder, &examples, &seen, &network, &mut workspace)?;
    let page = render_training(&TrainingRun {
        name: &config.name,
        record: &record,
        config: &config.to_toml(),
        network: description(&network),
        progress: &report,
        results: &results,
        reconstructions: &reconstructions,
        features: &features,
    })?;
    folder.write("report.html", page.as_bytes())?;
    let text = if args.quiet {
        format!("{}\n", folder.path.display())
    } else if args.json {
        results.iter().map(|row| serde_json::to_string(row).map(|line| line + "\n")).collect::<Result<_, _>>()?
    } else {
        let mut text = summary(&network, &report, &results);
        let page = folder.path.join("report.html");
        text += &format!("{trained:.1} s of training. The report: {}\n", page.display());
        text
    };
    print(&text)
}

/// Whether a run that was begun so ends in the same bytes here.
fn same_bits(begun: &RunRecord, now: &RunRecord) -> Result<(), BadRequest> {
    if begun.instruction_set != now.instruction_set {
        let (theirs, ours) = (&begun.instruction_set, &now.instruction_set);
        return Err(BadRequest(format!(
            "the run was begun with the instruction set {theirs}, here it is {ours}, whose last bits differ; {ENVIRONMENT_VARIABLE}={theirs} \
             goes on, where the processor has it"
        )));
    }
    if begun.crc32 != now.crc32 {
        return Err(BadRequest(format!(
            "the run was begun on pictures with the checksums {}, those here have {}; put the former back, or start anew",
            begun.crc32.join(", "),
            now.crc32.join(", ")
        )));
    }
    Ok(())
}

/// Trains with checkpoints and progress.
fn learn(
    args: &TrainArgs,
    folder: &RunFolder,
    config: &Config,
    examples: &Examples,
    network: &mut Network,
    workspace: &mut Workspace,
) -> Result<Vec<Progressed>> {
    let run = Run { config: config.to_toml(), seed: config.seed };
    let every = Duration::from_secs(config.training.checkpoint_seconds);
    let cadence = Cadence { steps: None, time: Some(every) };
    let file = folder.checkpoint();
    let checkpoints = match args.resume {
        Some(_) => Checkpoints::resume(&file, run, cadence)?,
        None => Checkpoints::start(&file, run, cadence)?,
    };
    let steps = network.steps(&config.training, examples.train.count());
    let report = Progress::new("steps", args.quiet || args.json).of_steps(steps);
    let mut checkpoints = checkpoints.interrupted_by(interrupt_on_signals()?).reporting(report);
    let parts = [&examples.train, &examples.validation];
    Ok(network.train(parts, &config.training, config.seed, &mut checkpoints, workspace)?)
}

/// Scores of the reconstructions, and probes on the code.
fn measure(
    config: &Config,
    examples: &Examples,
    seen: &Seen,
    network: &Network,
    workspace: &mut Workspace,
) -> Vec<Measured> {
    let mut results = evaluation::score(network, examples, seen, &config.evaluation.scores, workspace);
    if let Some(parts) = seen.labelled() {
        let (code, probes) = (Some((network, config.evaluation.code)), &config.evaluation.probes);
        results.extend(evaluation::probe(code, parts, examples.classes(), probes, workspace));
    }
    results
}

/// Draws the first test pictures above their reconstructions, and the features of every layer of a stack.
fn draw(
    folder: &RunFolder,
    examples: &Examples,
    seen: &Seen,
    network: &Network,
    workspace: &mut Workspace,
) -> Result<(Sheet, Vec<Sheet>)> {
    let pictures = crate::pictures::first(seen.test.pictures(), SHOWN);
    let decoded = evaluation::reconstructions(network, &pictures, workspace);
    let reconstructions = pictures::rows(examples, &[&pictures, &decoded]);
    folder.write("figures/reconstructions.png", &reconstructions.to_png())?;
    let mut features = Vec::new();
    if let Network::Scae(scae) = network {
        for layer in 0..scae.spec().layers.len() {
            let mosaic = pictures::mosaic(examples, scae, layer, workspace);
            folder.write(&format!("figures/features-layer{layer}.png"), &mosaic.to_png())?;
            features.push(mosaic);
        }
    }
    Ok((reconstructions, features))
}

/// Sizes of pictures and code, and the number of parameters.
fn description(network: &Network) -> String {
    let autoencoder = network.autoencoder();
    let [h, w, c] = autoencoder.picture_shape();
    let [y, x, n] = autoencoder.code_shape();
    let parameters = autoencoder.params().values();
    format!("Pictures {h}x{w}x{c}, code {y}x{x}x{n} = {}, {parameters} parameters", y * x * n)
}

fn summary(network: &Network, report: &[Progressed], results: &[Measured]) -> String {
    let mut text = description(network) + "\n";
    for line in report {
        text += &match line {
            Progressed::Layer { layer, mean_error, final_error } => {
                format!("layer {layer}: mean absolute error {mean_error:.4}, at the end {final_error:.4}\n")
            }
            Progressed::Epoch { epoch, loss, validation_mse: None } => format!("epoch {epoch}: loss {loss:.5}\n"),
            Progressed::Epoch { epoch, loss, validation_mse: Some(mse) } => {
                format!("epoch {epoch}: loss {loss:.5}, validation error {mse:.5}\n")
            }
        };
    }
    text + &table(results)
}

/// One line a number.
pub(super) fn table(results: &[Measured]) -> String {
    let line = |row: &Measured| {
        let value = match row.value {
            Some(value) if row.of == "reconstruction" => format!("{value:.5}"),
            Some(share) => format!("{:.2} %", 100.0 * share),
            None => "-".to_string(),
        };
        let note = if row.note.is_empty() { String::new() } else { format!("  ({})", row.note) };
        format!("{:<14} {:<20} {value:>10}{note}\n", row.of, row.measure)
    };
    results.iter().map(line).collect()
}
