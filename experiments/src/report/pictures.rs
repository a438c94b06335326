//! The sheets of pictures in the report, as PNG.

use super::Figure;
use crate::{
    demo::{
        SetResults,
        reference::{Decoded, Decoder, Stage},
    },
    figures::{Colour, Sheet, SheetLayout},
};
use patchgrad::Tensor;
use serde::Serialize;

/// Pixels between pictures.
const GAP: usize = 4;
/// Pixels between groups of columns.
pub(super) const GROUP_GAP: usize = 28;
/// Side in pixels that a mosaic is enlarged to, about.
const MOSAIC_SIDE: usize = 440;

/// Every pixel of a sheet becomes a square of this many.
const SCALE: usize = 4;

/// The columns of the panel for each data set, as in figure 1 of the paper, with both readings of *after*.
const PANEL: [&str; 4] = ["Original", "Before", "After, old decoder", "After, decoder re-trained"];

/// The decoders of the code before fine-tuning.
const DECODED_BEFORE: [&str; 3] = ["own decoder", "re-trained decoder", "optimal linear decoder"];
/// The decoders of the code after fine-tuning.
const DECODED_AFTER: [&str; 3] = ["old decoder", "re-trained decoder", "optimal linear decoder"];

/// A picture of the page.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    /// Its file.
    pub(super) figure: Figure,
    /// `[height, width]` in pixels.
    pub(super) size: [usize; 2],
    /// What stands over its columns, if anything.
    pub(super) heads: Vec<Head>,
}

/// What stands over a group of columns.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Head {
    /// Over the group as a whole; may be empty.
    title: &'static str,
    /// Width of the group in pixels of the picture.
    width: usize,
    /// Over each column.
    columns: Vec<&'static str>,
}

/// Original, before and after for all data sets side by side: rows are test pictures, groups of columns are data sets.
pub(super) fn panel(results: &[SetResults]) -> Option<Picture> {
    let columns = results.iter().flat_map(|set| {
        let shown: Column = &set.reference.shown;
        let after = |decoder| decoded(set, Stage::After, decoder);
        [shown, decoded(set, Stage::Before, Decoder::Own), after(Decoder::Own), after(Decoder::Retrained)]
    });
    let groups: Vec<Group> = results.iter().map(|set| (set.task.set.title(), &PANEL[..])).collect();
    sheet("before-after.png".to_string(), results.first()?, &columns.collect::<Vec<_>>(), &groups)
}

/// One code under several decoders, before and after fine-tuning.
pub(super) fn decoders(set: &SetResults) -> Option<Picture> {
    let mut columns: Vec<Column> = vec![&set.reference.shown];
    for stage in [Stage::Before, Stage::After] {
        for decoder in [Decoder::Own, Decoder::Retrained, Decoder::OptimalLinear] {
            columns.push(decoded(set, stage, decoder));
        }
    }
    let groups: [Group; 3] = [("", &["Original"]), ("Code before", &DECODED_BEFORE), ("Code after", &DECODED_AFTER)];
    sheet(format!("decoded-{}.png", set.task.set.folder()), set, &columns, &groups)
}

/// The features of the lowest and of the top layer, each as the picture that it alone decodes to.
pub(super) fn features(set: &SetResults) -> [Picture; 2] {
    let layers = [("lowest", &set.reference.lowest_features), ("top", &set.reference.top_features)];
    layers.map(|(layer, features)| {
        let &[count, height, width, _] = features.shape().dims() else { panic!("features are pictures") };
        let pictures: Vec<&[f32]> = (0..count).map(|i| features.samples(i..i + 1)).collect();
        let columns = (count as f64).sqrt().ceil() as usize;
        let scale = (MOSAIC_SIDE as f64 / (columns * (width + 1)) as f64).round().max(1.0) as usize;
        let sheet = Sheet::mosaic(&pictures, [height, width], colour(features), scale);
        let name = format!("features-{layer}-{}.png", set.task.set.folder());
        Picture { figure: Figure { name, bytes: sheet.to_png() }, size: sheet.size(), heads: Vec::new() }
    })
}

/// Title and columns of a group.
type Group = (&'static str, &'static [&'static str]);

/// A column of a sheet: one picture for each row.
type Column<'a> = &'a [Vec<f32>];

fn decoded(set: &SetResults, stage: Stage, decoder: Decoder) -> Column<'_> {
    let wanted = |decoded: &&Decoded| decoded.stage == stage && decoded.decoder == decoder;
    set.reference.decoded.iter().find(wanted).map_or(&[], |decoded| &decoded.pictures)
}

/// `None` when there is no picture to show.
fn sheet(name: String, set: &SetResults, columns: &[Column], groups: &[Group]) -> Option<Picture> {
    let like = &set.task.test.pictures;
    let &[_, height, width, _] = like.shape().dims() else { panic!("pictures have four axes") };
    let rows = columns.iter().map(|column| column.len()).max().filter(|&rows| rows > 0)?;
    let layout = SheetLayout {
        picture_size: [height, width],
        colour: colour(like),
        rows,
        column_groups: groups.iter().map(|(_, columns)| columns.len()).collect(),
        scale: SCALE,
        gap: GAP,
        group_gap: GROUP_GAP,
    };
    let mut sheet = Sheet::new(layout);
    for (column, pictures) in columns.iter().enumerate() {
        for (row, picture) in pictures.iter().enumerate() {
            sheet.place(row, column, picture);
        }
    }
    let head = |&(title, columns): &Group| {
        let width = columns.len() * (width * SCALE + GAP) - GAP;
        Head { title, width, columns: columns.to_vec() }
    };
    let heads = groups.iter().map(head).collect();
    Some(Picture { figure: Figure { name, bytes: sheet.to_png() }, size: sheet.size(), heads })
}

fn colour(pictures: &Tensor) -> Colour {
    if pictures.shape().dims()[3] == 3 { Colour::Rgb } else { Colour::Grey }
}
