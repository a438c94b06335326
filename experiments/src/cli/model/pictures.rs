//! The pictures that commands draw.

use crate::{
    config::Examples,
    figures::{Colour, Sheet, SheetLayout},
    scae::{Scae, feature_patches},
};
use patchgrad::{Tensor, Workspace};

/// Pictures are enlarged up to this many pixels a side.
const SIDE: usize = 84;

/// Grey or RGB, as [`Examples::visible`] makes them.
fn colour(examples: &Examples) -> Colour {
    if examples.picture()[2] == 1 { Colour::Grey } else { Colour::Rgb }
}

/// Rows of pictures `[N, H, W, C]`, the first under the name of the first row and so on: originals above reconstructions.
pub(super) fn rows(examples: &Examples, rows: &[&Tensor]) -> Sheet {
    let [count, height, width, _] = rows[0].shape().nhwc().expect("pictures are [N, H, W, C]");
    let layout = SheetLayout {
        picture_size: [height, width],
        colour: colour(examples),
        rows: rows.len(),
        column_groups: vec![count],
        scale: (SIDE / height.max(width)).max(1),
        gap: 3,
        group_gap: 3,
    };
    let mut sheet = Sheet::new(layout);
    for (row, pictures) in rows.iter().enumerate() {
        for column in 0..count {
            sheet.place(row, column, &examples.visible(pictures.samples(column..column + 1)));
        }
    }
    sheet
}

/// What each feature of a layer stands for: its patch of pixels, stretched so that its largest value is white or black.
pub(super) fn mosaic(examples: &Examples, scae: &Scae, layer: usize, workspace: &mut Workspace) -> Sheet {
    let patches = feature_patches(scae, layer, workspace);
    let [count, height, width, _] = patches.shape().nhwc().expect("patches are [n, r, r, C]");
    let pictures: Vec<Vec<f32>> = (0..count)
        .map(|feature| {
            let patch = patches.samples(feature..feature + 1);
            let largest = patch.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            let scale = if largest > 0.0 { largest.recip() } else { 0.0 };
            // In the network's range, so that the middle of the range is what a value of 0 shows.
            examples.drawable(&patch.iter().map(|value| value * scale).collect::<Vec<f32>>())
        })
        .collect();
    Sheet::mosaic(&pictures, [height, width], colour(examples), (SIDE / height.max(width)).clamp(1, 12))
}
