//! The page of one training run.

use super::environment;
use crate::{
    config::Progressed,
    evaluation::Measured,
    figures::{Scatter, ScatterPoint, Sheet},
    run_folder::RunRecord,
};
use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_STANDARD};
use minijinja::value::Serde;
use serde::Serialize;

/// What the page shows.
pub struct TrainingRun<'a> {
    /// The name of the run.
    pub name: &'a str,
    /// What was run.
    pub record: &'a RunRecord,
    /// The effective configuration.
    pub config: &'a str,
    /// Size of picture and code, and the number of parameters, in words.
    pub network: String,
    /// What training reported.
    pub progress: &'a [Progressed],
    /// What was measured.
    pub results: &'a [Measured],
    /// Pictures above their reconstructions.
    pub reconstructions: &'a Sheet,
    /// What the features of every layer of a stack stand for, lowest first.
    pub features: &'a [Sheet],
}

#[derive(Serialize)]
struct Page<'a> {
    style: &'static str,
    name: &'a str,
    record: &'a RunRecord,
    config: &'a str,
    network: &'a str,
    layers: Vec<[String; 3]>,
    curve: Option<String>,
    results: Vec<[String; 4]>,
    reconstructions: Image,
    features: Vec<Image>,
}

#[derive(Serialize)]
struct Image {
    src: String,
    width: usize,
    height: usize,
}

impl Image {
    fn of(sheet: &Sheet) -> Self {
        let [height, width] = sheet.size();
        Self { src: format!("data:image/png;base64,{}", BASE64_STANDARD.encode(sheet.to_png())), width, height }
    }
}

/// Renders the page, HTML that needs nothing else.
///
/// # Errors
/// When the template does not fit what it is given.
pub fn render_training(run: &TrainingRun) -> Result<String> {
    let layer = |line: &Progressed| match line {
        Progressed::Layer { layer, mean_error, final_error } => {
            Some([layer.to_string(), format!("{mean_error:.4}"), format!("{final_error:.4}")])
        }
        Progressed::Epoch { .. } => None,
    };
    let result = |row: &Measured| {
        let value = match row.value {
            Some(value) if row.of == "reconstruction" => format!("{value:.5}"),
            Some(share) => format!("{:.2} %", 100.0 * share),
            None => "–".to_string(),
        };
        [row.of.to_string(), row.measure.clone(), value, row.note.clone()]
    };
    let page = Page {
        style: super::page::STYLE,
        name: run.name,
        record: run.record,
        config: run.config,
        network: &run.network,
        layers: run.progress.iter().filter_map(layer).collect(),
        curve: curve(run.progress),
        results: run.results.iter().map(result).collect(),
        reconstructions: Image::of(run.reconstructions),
        features: run.features.iter().map(Image::of).collect(),
    };
    let environment = environment()?;
    let template = environment.get_template("training.html").context("the template of a training run")?;
    template.render(Serde(&page)).context("the page of the training run does not render")
}

/// The loss after each epoch; none for a stack.
fn curve(progress: &[Progressed]) -> Option<String> {
    let mut points = Vec::new();
    for line in progress {
        let Progressed::Epoch { epoch, loss, validation_mse } = line else { continue };
        let mut point = |series: usize, what: &str, y: f64| {
            points.push(ScatterPoint {
                x: *epoch as f64,
                y,
                series,
                marker: series,
                title: format!("epoch {epoch}: {what} {y:.5}"),
                link: None,
            });
        };
        point(0, "training loss", *loss);
        if let Some(mse) = validation_mse {
            point(1, "validation error", *mse);
        }
    }
    let last = points.last()?.title.clone();
    let validated = points.iter().any(|point| point.series == 1);
    let series = ["training loss", "validation error"][..if validated { 2 } else { 1 }].iter().map(|s| s.to_string());
    let scatter = Scatter {
        title: "Loss by epoch".to_string(),
        description: format!("The loss of every epoch; the last is {last}."),
        x_title: "epoch".to_string(),
        y_title: "mean loss".to_string(),
        series: series.collect(),
        points,
        ..Scatter::default()
    };
    Some(scatter.to_svg())
}
