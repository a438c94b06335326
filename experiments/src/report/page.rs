//! Everything the templates are given.

use super::{
    Figure,
    answer::Answer,
    findings::{ALIKE, Findings, fewest_for_equivalence},
    format::{count, number},
    pictures::{self, GROUP_GAP, Head, Picture},
    plots::{self, LOWEST_R2},
    tables::{self, BaselineTable, Correlations, DecoderRow, Factor, FineTuningRow, Network},
};
use crate::{
    demo::{SetResults, config::Profile, population::FIXED_CODE_SIZE, record::RunRecord, reference},
    statistics::EQUIVALENCE_MARGIN,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;

/// The style sheet of every page.
pub(super) const STYLE: &str = include_str!("templates/style.css");

/// The page.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    style: &'static str,
    /// Whether the run was too small for its numbers to mean anything.
    smoke: bool,
    answer: Answer,
    sets: Vec<SetPage>,
    forest: String,
    correlations: Vec<Correlations>,
    panel: Option<Image>,
    fine_tuning: Vec<FineTuningRow>,
    run: Run<'a>,
    constants: Constants,
}

/// What the page shows of one data set.
#[derive(Serialize)]
struct SetPage {
    name: &'static str,
    /// For the ids of headings.
    folder: &'static str,
    scatter: String,
    at_the_edge: String,
    baselines: BaselineTable,
    decoder_plot: String,
    decoded: Option<Image>,
    decoders: Vec<DecoderRow>,
    lowest_features: Image,
    top_features: Image,
    networks: Vec<Network>,
    citation: &'static str,
    source: &'static str,
}

/// A PNG inside the page.
#[derive(Serialize)]
struct Image {
    /// The file as a data URI.
    src: String,
    width: usize,
    height: usize,
    heads: Vec<Head>,
    /// Room between groups of columns, percent of the width.
    head_gap: f64,
}

/// What was run.
#[derive(Serialize)]
struct Run<'a> {
    record: &'a RunRecord,
    started: String,
    seconds: String,
    threads: String,
    data: Vec<Data<'a>>,
    factors: Vec<Factor>,
    networks: usize,
    reference_geometry: String,
    reference_samples: String,
    fine_tuning_epochs: usize,
    fine_tuning_lr: f64,
    fine_tuning_momentum: f64,
    end_to_end_epochs: usize,
}

/// The pictures of one data set.
#[derive(Serialize)]
struct Data<'a> {
    name: &'a str,
    train: String,
    validation: String,
    test: String,
    crc32: &'a [String; 2],
    licence: &'a str,
}

/// Numbers that the text names.
#[derive(Serialize)]
struct Constants {
    fixed_code_size: usize,
    reference_code_size: usize,
    margin: String,
    fewest_for_equivalence: usize,
    alike: f64,
    lowest_r2: String,
}

impl<'a> Page<'a> {
    /// The page, and its figures as files.
    pub(super) fn new(results: &[SetResults], record: &'a RunRecord) -> (Self, Vec<Figure>) {
        let mut figures = Vec::new();
        let findings: Vec<Findings> = results.iter().map(Findings::of).collect();
        let sets = results.iter().map(|set| SetPage::new(set, &mut figures)).collect();
        let page = Self {
            style: STYLE,
            smoke: record.profile == Profile::Smoke.name(),
            answer: Answer::of(&findings),
            sets,
            forest: inline(plots::forest(results), &mut figures),
            correlations: results.iter().map(tables::correlations).collect(),
            panel: pictures::panel(results).map(|picture| Image::new(picture, &mut figures)),
            fine_tuning: results.iter().map(tables::fine_tuning).collect(),
            run: Run::new(results, record),
            constants: Constants {
                fixed_code_size: FIXED_CODE_SIZE,
                reference_code_size: reference::REFERENCE_CODE_SIZE,
                margin: number(EQUIVALENCE_MARGIN, 1),
                fewest_for_equivalence: fewest_for_equivalence(),
                alike: ALIKE,
                lowest_r2: number(LOWEST_R2, 1),
            },
        };
        (page, figures)
    }
}

impl SetPage {
    fn new(set: &SetResults, figures: &mut Vec<Figure>) -> Self {
        let [lowest, top] = pictures::features(set);
        Self {
            name: set.task.set.title(),
            folder: set.task.set.folder(),
            scatter: inline(plots::scatter(set), figures),
            at_the_edge: match plots::at_the_edge(set) {
                0 => String::new(),
                1 => "1 dead network stands".to_string(),
                several => format!("{several} dead networks stand"),
            },
            baselines: tables::baselines(set),
            decoder_plot: inline(plots::decoders(set), figures),
            decoded: pictures::decoders(set).map(|picture| Image::new(picture, figures)),
            decoders: tables::decoders(set),
            lowest_features: Image::new(lowest, figures),
            top_features: Image::new(top, figures),
            networks: tables::networks(set),
            citation: set.task.set.citation(),
            source: set.task.set.source(),
        }
    }
}

impl Image {
    fn new(picture: Picture, figures: &mut Vec<Figure>) -> Self {
        let [height, width] = picture.size;
        let src = format!("data:image/png;base64,{}", BASE64_STANDARD.encode(&picture.figure.bytes));
        figures.push(picture.figure);
        let head_gap = 100.0 * GROUP_GAP as f64 / width as f64;
        Self { src, width, height, heads: picture.heads, head_gap }
    }
}

impl<'a> Run<'a> {
    fn new(results: &[SetResults], record: &'a RunRecord) -> Self {
        let profile = if record.profile == Profile::Smoke.name() { Profile::Smoke } else { Profile::Demo };
        let sizes = profile.sizes(record.seed);
        let data = record.data.iter().map(|data| Data {
            name: &data.name,
            train: count(data.train),
            validation: count(data.validation),
            test: count(data.test),
            crc32: &data.crc32,
            licence: &data.licence,
        });
        Self {
            record,
            started: moment(&record.started),
            seconds: number(record.seconds, 0),
            threads: match record.threads {
                1 => "1 thread".to_string(),
                threads => format!("{threads} threads"),
            },
            data: data.collect(),
            factors: tables::factors(results),
            networks: results.iter().map(|set| set.networks.len()).max().unwrap_or(0),
            reference_geometry: reference::reference_spec(reference::REFERENCE_CODE_SIZE).geometry().to_string(),
            reference_samples: count(sizes.reference_samples),
            fine_tuning_epochs: sizes.fine_tuning.epochs,
            fine_tuning_lr: sizes.fine_tuning.lr,
            fine_tuning_momentum: sizes.fine_tuning.momentum,
            end_to_end_epochs: sizes.end_to_end.epochs,
        }
    }
}

/// Keeps a plot as a file and gives its text for the page.
fn inline(figure: Figure, figures: &mut Vec<Figure>) -> String {
    let svg = String::from_utf8(figure.bytes.clone()).expect("an SVG is text");
    figures.push(figure);
    svg
}

/// `2025-01-31T12:30:59.123Z` as `2025-01-31 12:30:59 UTC`.
fn moment(started: &str) -> String {
    match started.split_once('T') {
        Some((day, time)) if started.ends_with('Z') => format!("{day} {} UTC", &time[..time.len().min(8)]),
        _ => started.to_string(),
    }
}
