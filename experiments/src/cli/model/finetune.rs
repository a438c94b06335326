//! `pitfall finetune`.

use super::{
    super::{
        folders::{Otherwise, claim, prepare},
        output::interrupt_on_signals,
        progress::Progress,
    },
    BadRequest, Model, ModelArgs, pictures, print,
};
use crate::{
    classification::ConfusionMatrix,
    config::{ClassifierKind, Network, Part},
    data::Labelled,
    evaluation::Seen,
    figures::{Colour, encode_png},
    finetune::{CentralClassifier, Classifier, Classify, pages::Pages},
    run_folder::RunFolder,
    scae::Scae,
    scores::Reconstruction,
    training::{Cadence, Checkpoints, FitSpec, History, Run},
};
use anyhow::Result;
use clap::Args;
use patchgrad::{Params, Tensor, Workspace};
use serde::Serialize;
use std::time::Duration;

/// Test pictures that are drawn.
const SHOWN: usize = 12;

/// Options of `pitfall finetune`.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct FinetuneArgs {
    #[command(flatten)]
    pub(super) model: ModelArgs,
    /// Go on with a classifier whose training was stopped
    #[arg(long)]
    resume: bool,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// A line of `metrics.jsonl`.
#[derive(Serialize)]
struct Epoch {
    epoch: usize,
    loss: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_loss: Option<f64>,
}

/// Either kind of classifier.
enum Head {
    Network(Box<Classifier>),
    Central(Box<CentralClassifier>),
}

impl Head {
    /// The one that the configuration asks for, before training.
    fn new(model: &Model, scae: &Scae) -> Result<Self, BadRequest> {
        let (settings, seed, classes) = (&model.config.classifier, model.config.seed, model.examples.classes());
        match settings.kind {
            ClassifierKind::Network => Classifier::with_spec(scae.clone(), settings.spec(classes), seed)
                .map(|classifier| Self::Network(Box::new(classifier)))
                .map_err(|error| BadRequest(format!("classifier: {error}"))),
            ClassifierKind::Central => {
                let classifier = CentralClassifier::new(scae.clone(), &settings.hidden, classes, settings.loss(), seed);
                Ok(Self::Central(Box::new(classifier)))
            }
        }
    }

    fn classify(&self) -> &dyn Classify {
        match self {
            Self::Network(classifier) => classifier.as_ref(),
            Self::Central(classifier) => classifier.as_ref(),
        }
    }

    fn params(&self) -> &Params {
        match self {
            Self::Network(classifier) => classifier.scae().params(),
            Self::Central(classifier) => classifier.params(),
        }
    }
}

pub(super) fn run(args: &FinetuneArgs) -> Result<()> {
    let folder = RunFolder { path: args.model.run.join("classifier") };
    // Of the whole run: whoever trains it anew removes its classifier.
    let _claim = claim(&args.model.run)?;
    // One that was begun goes on with the settings it was begun with.
    let begun = folder.path.join("config.toml");
    let model = if args.resume && begun.is_file() { args.model.open_as(&begun)? } else { args.model.open()? };
    let Network::Scae(scae) = &model.network else {
        return Err(BadRequest("a classifier goes on a stack, kind = \"scae\"".to_string()).into());
    };
    let head = Head::new(&model, scae)?;
    prepare(&folder.path, Otherwise::ForceOrResume, args.model.force || args.resume)?;
    folder.remove_partial_files()?;
    let width = scae.spec().picture[1];
    let seen = Seen::new(&model.examples, scae.spec().picture, model.config.seed)?;
    let [train, validation, test] =
        seen.labelled().ok_or_else(|| BadRequest("pairs of pictures have no classes to learn".into()))?;
    // Of pages as many pixels as the configuration says.
    let drawn;
    let train = match &model.examples.train {
        Part::Pages(pages) => {
            drawn = pages.balanced_sample(width, model.config.classifier.pixels, model.config.seed)?;
            &drawn
        }
        _ => train,
    };
    let mut workspace = Workspace::new();
    let (head, history) = learn(args, &model, &folder, head, [train, validation], &mut workspace)?;
    let epochs = history.losses.iter().enumerate().map(|(epoch, &loss)| Epoch {
        epoch,
        loss,
        validation_loss: history.validation.get(epoch).copied(),
    });
    folder.write_jsonl("metrics.jsonl", epochs)?;
    folder.save_model(&model.config, head.params())?;
    let mut text = String::new();
    let confusion = match &model.examples.test {
        Part::Pages(pages) => pages_report(&model, &folder, pages, &head, width, &mut text, &mut workspace)?,
        _ => {
            let predicted = head.classify().predict(&test.pictures, &mut workspace);
            ConfusionMatrix::new(&predicted, &test.labels, model.examples.classes())
        }
    };
    folder.write("confusion.txt", format!("{confusion}\n").as_bytes())?;
    if let Head::Network(classifier) = &head {
        text += &match classifier.to_scae() {
            Some(after) => before_and_after(&model, &folder, [scae, &after], test, &mut workspace)?,
            None => {
                "positions do not share their weights any more: there is no stack to reconstruct with\n".to_string()
            }
        };
    }
    print(&format!("{confusion}\n{text}{}\n", folder.path.display()))
}

fn learn(
    args: &FinetuneArgs,
    model: &Model,
    folder: &RunFolder,
    mut head: Head,
    [train, validation]: [&Labelled; 2],
    workspace: &mut Workspace,
) -> Result<(Head, History)> {
    let (config, settings) = (&model.config, &model.config.classifier);
    let run = Run { config: config.to_toml(), seed: config.seed };
    let cadence = Cadence { steps: None, time: Some(Duration::from_secs(config.training.checkpoint_seconds)) };
    let checkpoints = match args.resume {
        true => Checkpoints::resume(&folder.checkpoint(), run, cadence)?,
        false => Checkpoints::start(&folder.checkpoint(), run, cadence)?,
    };
    // Not before it is known that the run can go on: until then the old one tells with what.
    folder.write("config.toml", config.to_toml().as_bytes())?;
    let steps = settings.epochs * train.count().div_ceil(settings.batch_size);
    let report = Progress::new("steps", args.quiet).of_steps(steps as u64);
    let mut checkpoints = checkpoints.interrupted_by(interrupt_on_signals()?).reporting(report);
    let training = settings.training(config.seed);
    let patience = (settings.patience > 0).then_some(settings.patience);
    let spec = FitSpec { patience, ..training.fit_spec() };
    let (chosen_by, mut sgd) = (patience.map(|_| validation), training.optimizer());
    let history = match &mut head {
        Head::Network(classifier) => classifier.fit(train, chosen_by, &spec, &mut sgd, &mut checkpoints, workspace)?,
        Head::Central(classifier) => classifier.fit(train, chosen_by, &spec, &mut sgd, &mut checkpoints, workspace)?,
    };
    Ok((head, history))
}

/// The reconstructions of the encoder that came and of the one that left, both under the old decoders.
fn before_and_after(
    model: &Model,
    folder: &RunFolder,
    [before, after]: [&Scae; 2],
    test: &Labelled,
    workspace: &mut Workspace,
) -> Result<String> {
    let mut mse = |scae: &Scae| {
        let decoded = scae.reconstruct(&test.pictures, workspace);
        Reconstruction::score(&test.pictures, decoded.as_slice()).mse
    };
    let text = format!("old decoder: mean squared error {:.4} before, {:.4} after\n", mse(before), mse(after));
    let shown = crate::pictures::first(&test.pictures, SHOWN);
    let [before, after]: [Tensor; 2] = [before, after].map(|scae| {
        scae.reconstruct(&shown, workspace).reshape(shown.shape()).expect("as many values as the pictures")
    });
    let sheet = pictures::rows(&model.examples, &[&shown, &before, &after]);
    folder.write("figures/before-after.png", &sheet.to_png())?;
    Ok(text)
}

/// Classifies the pixels of the test pages, and draws an overlay for each page and class.
fn pages_report(
    model: &Model,
    folder: &RunFolder,
    pages: &Pages,
    head: &Head,
    width: usize,
    text: &mut String,
    workspace: &mut Workspace,
) -> Result<ConfusionMatrix> {
    let segmentation = pages.classify(head.classify(), width, model.config.classifier.pixel_step, workspace)?;
    let [count, height, columns, _] = pages.pictures().shape().nhwc().expect("pages are [N, H, W, C]");
    for page in 0..count {
        for (class, name) in model.examples.class_names.iter().enumerate() {
            let pixels = segmentation.overlay(pages, page, class as u32);
            let png = encode_png([height, columns], Colour::Rgb, &pixels);
            folder.write(&format!("figures/page{page}-{name}.png"), &png)?;
        }
    }
    let classes: Vec<String> =
        model.examples.class_names.iter().enumerate().map(|(class, name)| format!("{class} {name}")).collect();
    *text += &format!("{} pixels of {count} pages; classes: {}\n", segmentation.pixels.len(), classes.join(", "));
    Ok(segmentation.confusion(pages))
}
