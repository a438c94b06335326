//! The page of the suite: a verdict for each claim, then experiment after experiment, then every network.

use super::{
    Figure,
    commands::commands,
    environment,
    figure_files::figure_files,
    format::{count, error, optional, percentage},
    page::STYLE,
    verdicts::{ClaimRow, Untested, claim_rows, untested},
};
use crate::{
    correlation::{
        E1,
        network::{NetworkRow, Status},
    },
    suite::{Block, Collected, Column, EXPERIMENTS, Experiment, Found, Image, Results, Section, claims::Finding},
    validation::Verdict as Passing,
    version::VERSION,
};
use anyhow::{Context, Result, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use minijinja::value::Serde;
use patchgrad::parallel;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

/// The page, and its numbers by name.
#[derive(Debug)]
pub struct ClaimsPage {
    /// One page that needs nothing else.
    pub html: String,
    /// Every named number, such as `correlation.mnist.partial.own.rho`, as the page writes it.
    pub numbers: BTreeMap<String, String>,
    /// Every figure of the page as a file of its own.
    pub figures: Vec<Figure>,
    /// What each set says about each claim.
    pub findings: Vec<Finding>,
    /// What no set says anything about, or a single one does not, and why.
    pub untested: Vec<Untested>,
    /// Sweeps that are left out because they have not come to their end.
    pub unfinished: Vec<String>,
}

#[derive(Serialize)]
struct Page {
    style: &'static str,
    version: &'static str,
    sets: Vec<String>,
    profiles: Vec<String>,
    claims: Vec<ClaimRow>,
    experiments: Vec<ExperimentPart>,
    networks: Vec<Networks>,
    runs: Vec<Run>,
    unfinished: Vec<String>,
    mistakes: Vec<String>,
}

#[derive(Serialize)]
struct ExperimentPart {
    id: &'static str,
    name: &'static str,
    question: &'static str,
    protocol: &'static str,
    commands: Vec<String>,
    blocks: Vec<Part>,
    deviations: Vec<String>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Part {
    Heading { text: String },
    Text { text: String },
    Plot { id: &'static str, caption: String, svg: String, networks: Option<String> },
    Pictures { id: &'static str, caption: String, src: String, width: usize, height: usize, alt: String },
    Table { id: &'static str, caption: String, columns: Vec<Title>, rows: Vec<Vec<String>> },
}

#[derive(Serialize)]
struct Title {
    title: String,
    numeric: bool,
}

#[derive(Serialize)]
struct Networks {
    anchor: String,
    name: String,
    rows: Vec<Network>,
}

#[derive(Serialize)]
struct Network {
    anchor: String,
    name: String,
    cells: Vec<String>,
    status: &'static str,
}

#[derive(Serialize)]
struct Run {
    experiment: String,
    data: String,
    profile: String,
    seed: u64,
    pictures: String,
    rows: usize,
    instruction_set: String,
    version: String,
    commit: String,
}

/// Renders the page of the results in `collected`. Nothing is written.
///
/// # Errors
/// If rows cannot be read.
pub fn render_claims(collected: &Collected) -> Result<ClaimsPage> {
    let mut sets: Vec<(&str, &str)> = Vec::new();
    for found in &collected.sweeps {
        if !sets.iter().any(|(set, _)| *set == found.set) {
            sets.push((&found.set, &found.identity.data[0]));
        }
    }
    let mut experiments = Vec::new();
    experiments.extend(validation(&collected.validations)?);
    let (mut numbers, mut findings, mut figures) = (BTreeMap::new(), Vec::new(), Vec::new());
    let found_of = |experiment: &dyn Experiment| -> Vec<&Found> {
        collected.sweeps.iter().filter(|found| found.identity.name == experiment.rows_of()).collect()
    };
    let run: Vec<&'static dyn Experiment> =
        EXPERIMENTS.into_iter().filter(|experiment| !found_of(*experiment).is_empty()).collect();
    // Side by side: most of the time goes into resampling.
    let sections = parallel::map_jobs(run.len(), |at| {
        let found = found_of(run[at]).into_iter();
        let results = found.map(|found| Results {
            set: &found.set,
            folder: &found.folder,
            identity: &found.identity,
            has_networks: collected.sweeps.iter().any(|other| has_networks_of(other, found)),
        });
        run[at].section(&results.collect::<Vec<_>>())
    });
    for (experiment, section) in run.iter().copied().zip(sections) {
        let section = section.with_context(|| format!("{} {}", experiment.id(), experiment.name()))?;
        numbers
            .extend(section.numbers.iter().map(|(key, value)| (format!("{}.{key}", experiment.name()), value.clone())));
        figures.extend(figure_files(&section.blocks));
        findings.extend(section.findings.iter().map(|finding| (experiment, finding.clone())));
        let of_it = found_of(experiment);
        let needed = collected.sweeps.iter().filter(|other| {
            experiment.needs() == Some(other.identity.name.as_str())
                && of_it.iter().any(|found| has_networks_of(other, found))
        });
        experiments.push(part(experiment, [&needed.collect::<Vec<_>>(), &of_it], section, &sets));
    }
    let untested = untested(collected, &sets, &findings);
    let claims = claim_rows(&sets, &findings, &untested);
    for ((experiment, finding), set) in findings.iter().filter_map(|found| {
        let set = sets.iter().find(|(_, name)| *name == found.1.data)?.0;
        Some((found, set))
    }) {
        let key = format!("{}.{set}.{}", experiment.name(), finding.claim.name().to_lowercase());
        numbers.insert(format!("{key}.verdict"), finding.verdict.name().to_string());
        numbers.insert(format!("{key}.numbers"), finding.numbers.clone());
    }
    let mut profiles: Vec<String> = collected.sweeps.iter().map(|found| found.identity.profile.clone()).collect();
    profiles.dedup();
    profiles.sort();
    profiles.dedup();
    let unfinished: Vec<String> = collected.unfinished.iter().map(ToString::to_string).collect();
    let page = Page {
        style: STYLE,
        version: VERSION,
        sets: sets.iter().map(|(_, name)| (*name).to_string()).collect(),
        profiles,
        claims,
        experiments,
        networks: networks(&collected.sweeps)?,
        runs: runs(&collected.sweeps)?,
        unfinished: unfinished.clone(),
        mistakes: mistakes(&collected.sweeps),
    };
    let environment = environment()?;
    let html = environment.get_template("claims.html").and_then(|template| template.render(Serde(&page)));
    let findings = findings.into_iter().map(|(_, finding)| finding).collect();
    Ok(ClaimsPage {
        html: html.context("the report does not render")?,
        numbers,
        figures,
        findings,
        untested,
        unfinished,
    })
}

/// Sweeps that have rows which say nothing of a network.
fn mistakes(sweeps: &[Found]) -> Vec<String> {
    let of_sweep = |found: &Found| format!("{} ({} of its rows)", found.folder.display(), found.mistakes);
    sweeps.iter().filter(|found| found.mistakes > 0).map(of_sweep).collect()
}

/// Whether `other` is E1 with the networks of `found`.
fn has_networks_of(other: &Found, found: &Found) -> bool {
    other.identity.name == E1.name() && other.set == found.set && other.identity.has_networks_of(&found.identity)
}

fn part(
    experiment: &'static dyn Experiment,
    [needed, of_it]: [&[&Found]; 2],
    section: Section,
    sets: &[(&str, &str)],
) -> ExperimentPart {
    ExperimentPart {
        id: experiment.id(),
        name: experiment.name(),
        question: experiment.question(),
        protocol: experiment.protocol(),
        commands: match needed {
            [] => commands(experiment.name(), of_it, ""),
            [first, ..] => {
                let before = commands(&first.identity.name, needed, " --out OUT");
                before.into_iter().chain(commands(experiment.name(), of_it, " --out OUT --resume")).collect()
            }
        },
        blocks: section.blocks.into_iter().map(|of| block(of, sets)).collect(),
        deviations: section.deviations,
    }
}

fn block(block: Block, sets: &[(&str, &str)]) -> Part {
    match block {
        Block::Heading(text) => Part::Heading { text },
        Block::Text(text) => Part::Text { text },
        Block::Figure { id, caption, image: Image::Svg(svg) } => {
            // The keyboard gets from the caption to the rows that points lead to; hundreds of stops in the drawing would be in its way.
            let leads_to = |set: &str| svg.contains(&format!("href=\"#{set}-P"));
            let networks = sets.iter().find(|(set, _)| leads_to(set)).map(|(set, _)| format!("networks-{set}"));
            Part::Plot { id, caption, svg, networks }
        }
        Block::Figure { id, caption, image: Image::Png { bytes, size: [width, height], description } } => {
            Part::Pictures {
                id,
                caption,
                src: format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes)),
                width,
                height,
                alt: description,
            }
        }
        Block::Table { id, caption, columns, rows } => {
            let title = |Column { title, numeric }| Title { title, numeric };
            Part::Table { id, caption, columns: columns.into_iter().map(title).collect(), rows }
        }
    }
}

/// Every network of E1.
fn networks(sweeps: &[Found]) -> Result<Vec<Networks>> {
    let of_set = |found: &Found| -> Result<Networks> {
        let rows: Vec<NetworkRow> = crate::sweep::rows(&found.folder)?;
        let network = |row: &NetworkRow| Network {
            anchor: row.anchor(&found.set),
            name: row.name(),
            cells: vec![
                row.geometry.clone(),
                row.widths.clone(),
                format!("{}/{}", row.encoder, row.decoder),
                format!("{:?}", row.initialisation).to_lowercase(),
                row.regulariser.clone(),
                count(row.samples_per_layer),
                row.lr.to_string(),
                optional(row.r2, 3),
                row.mse.map_or("–".to_string(), error),
                row.linear_decoder_mse.map_or("–".to_string(), error),
                optional(row.train_error, 3),
                row.logistic.map_or("–".to_string(), percentage),
                row.knn_euclidean.map_or("–".to_string(), percentage),
                optional(row.effective_rank, 1),
                if row.status == Status::Failed { format!("failed: {}", row.reason) } else { status(row).to_string() },
            ],
            status: status(row),
        };
        Ok(Networks {
            anchor: format!("networks-{}", found.set),
            name: found.identity.data[0].clone(),
            rows: rows.iter().map(network).collect(),
        })
    };
    sweeps.iter().filter(|found| found.identity.name == "correlation").map(of_set).collect()
}

fn status(row: &NetworkRow) -> &'static str {
    match row.status {
        Status::Ok => "ok",
        Status::Dead => "dead",
        Status::Failed => "failed",
    }
}

fn runs(sweeps: &[Found]) -> Result<Vec<Run>> {
    let run = |found: &Found| -> Result<Run> {
        let file = found.folder.join("rows.csv");
        let rows = csv::Reader::from_path(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let identity = &found.identity;
        Ok(Run {
            experiment: identity.name.clone(),
            data: identity.data.join(" "),
            profile: identity.profile.clone(),
            seed: identity.seed,
            pictures: identity.pictures.map(count).join(" / "),
            rows: rows.into_records().count(),
            instruction_set: identity.instruction_set.clone(),
            version: identity.version.clone(),
            commit: identity.commit.clone(),
        })
    };
    sweeps.iter().map(run).collect()
}

/// The command that `run.json` says repeats a run.
fn command_of_run(folder: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Record {
        command: String,
    }
    let json = std::fs::read_to_string(folder.join("run.json")).ok()?;
    serde_json::from_str::<Record>(&json).ok().map(|record| record.command)
}

/// E0, if it was run.
fn validation(folders: &[std::path::PathBuf]) -> Result<Option<ExperimentPart>> {
    /// A row of `table-t0.csv`.
    #[derive(Deserialize)]
    struct Check {
        check: String,
        what: String,
        how: String,
        bar: String,
        value: String,
        verdict: Passing,
    }
    let Some(folder) = folders.first() else { return Ok(None) };
    if let [first, second, ..] = folders {
        bail!("{} and {} both hold a validation; give one of them", first.display(), second.display());
    }
    let folder = Path::new(folder);
    let command = command_of_run(folder).unwrap_or_else(|| "cargo run --release -- run validation".to_string());
    let file = folder.join("table-t0.csv");
    let reading = || format!("cannot read {}", file.display());
    let mut reader = csv::Reader::from_path(&file).with_context(reading)?;
    let checks: Vec<Check> = reader.deserialize().collect::<Result<_, _>>().with_context(reading)?;
    let with = |verdict: Passing| checks.iter().filter(|check| check.verdict == verdict).count();
    let (failed, run) = (with(Passing::Failed), with(Passing::Failed) + with(Passing::Passed));
    let mut summary = match failed {
        0 => format!("None of the {run} checks failed."),
        _ => format!("{failed} of the {run} checks failed: read what follows with that in mind."),
    };
    if checks.len() > run {
        summary +=
            &format!(" {} more are tests of the project, named here and run by `cargo test`.", checks.len() - run);
    }
    let rows = checks
        .into_iter()
        .map(|check| vec![check.check, check.verdict.to_string(), check.value, check.bar, check.what, check.how]);
    let titles = ["Check", "Verdict", "Value", "Bar", "What", "How measured"];
    Ok(Some(ExperimentPart {
        id: "E0",
        name: "validation",
        question: "Is the implementation right?",
        protocol: "Gradients against differences, decoding against its adjoint, learning against closed forms and exact \
                   likelihoods, scores against published values, two classifiers of MNIST against the literature, and the \
                   known defects of N-light-N with the tests that would catch them here.",
        commands: vec![command],
        blocks: vec![
            Part::Text { text: summary },
            Part::Table {
                id: "T0",
                caption: "Every check with its bar and its value".to_string(),
                columns: titles.map(|title| Title { title: title.to_string(), numeric: false }).into(),
                rows: rows.collect(),
            },
        ],
        deviations: Vec::new(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_failed_is_counted_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let table =
            "check,what,how,bar,value,verdict\ngradients,a,b,c,1,pass\nadjoint,a,b,c,2,fail\ncopy,a,b,c,,tested\n";
        std::fs::write(folder.path().join("table-t0.csv"), table).unwrap();
        let part = validation(&[folder.path().to_path_buf()]).unwrap().unwrap();
        let Part::Text { text } = &part.blocks[0] else { panic!("a summary first") };
        assert!(text.starts_with("1 of the 2 checks failed") && text.contains("1 more are tests"), "{text}");
        let Part::Table { rows, .. } = &part.blocks[1] else { panic!("then the table") };
        assert_eq!(rows.iter().map(|row| row[1].as_str()).collect::<Vec<_>>(), ["pass", "FAIL", "tested"]);
    }
}
