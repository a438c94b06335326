//! Figure F6: pictures, and what is made of them before and after fine-tuning.

use super::{
    Lengths,
    variant::{FineTuning, Variant},
};
use crate::{
    batches,
    correlation::{population::Member, store::Trainer},
    data::Labelled,
    figures::{Colour, Sheet, SheetLayout},
    retrained_decoders::with_new_decoders,
    suite::{Parts, Setup},
    training::Interrupt,
};
use patchgrad::{Tensor, Workspace};

/// The file of the panel, next to the rows.
pub const FILE: &str = "before-after.png";

/// Every pixel is drawn as so many, both ways.
const SCALE: usize = 3;

/// The panel, as a PNG. The network is the one of `members` that was shown the most patches, the first of equals; it is trained again.
/// A network that fails has no panel, nor has one whose training is interrupted.
pub fn panel(setup: &Setup, members: &[Member], lengths: Lengths, interrupt: &Interrupt) -> Option<Vec<u8>> {
    let member = members.iter().rev().max_by_key(|member| member.training.samples_per_layer)?;
    let parts = Parts::of(setup.examples, usize::MAX)?;
    let rows = pictures(member, &parts, &Trainer::new(setup), lengths, interrupt)?;
    Some(sheet(&rows).to_png())
}

/// Originals, and their reconstructions before, after by the old decoder, after by decoders trained again; each `[N, H, W, C]`.
fn pictures(
    member: &Member,
    parts: &Parts,
    trainer: &Trainer,
    lengths: Lengths,
    interrupt: &Interrupt,
) -> Option<[Tensor; 4]> {
    let workspace = &mut Workspace::new();
    let (before, _) = trainer.train(member, workspace).ok()?;
    let seed = member.training.seed;
    let mut tuning = FineTuning::new(&before, Variant::MiniBatch, parts.classes, seed);
    for _ in 0..lengths.epochs {
        if interrupt.is_requested() {
            return None;
        }
        tuning.one_epoch(&parts.train, workspace).ok()?;
    }
    let after = tuning.scae();
    let patches = lengths.decoder_patches;
    let retrained = with_new_decoders(&after, &parts.train.pictures, patches, [seed, 0], workspace).ok()?;
    let originals = batches::gather(&parts.test.pictures, &one_of_each(parts.test, parts.classes), workspace);
    let [first, second, third] = [&before, &after, &retrained].map(|scae| scae.reconstruct(&originals, workspace));
    Some([originals, first, second, third])
}

/// The first picture of every class.
fn one_of_each(part: &Labelled, classes: usize) -> Vec<usize> {
    (0..classes as u32).filter_map(|class| part.labels.iter().position(|label| *label == class)).collect()
}

/// Rows of pictures `[N, H, W, C]`, grey or RGB.
fn sheet(rows: &[Tensor; 4]) -> Sheet {
    let &[count, height, width, channels] = rows[0].shape().dims() else { panic!("pictures are [N, H, W, C]") };
    let mut sheet = Sheet::new(SheetLayout {
        picture_size: [height, width],
        colour: if channels == 3 { Colour::Rgb } else { Colour::Grey },
        rows: rows.len(),
        column_groups: vec![count],
        scale: SCALE,
        gap: 3,
        group_gap: 3,
    });
    for (row, pictures) in rows.iter().enumerate() {
        (0..count).for_each(|column| sheet.place(row, column, pictures.samples(column..column + 1)));
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::png_size;

    #[test]
    fn the_sheet_has_four_rows_and_all_their_pictures() {
        let rows = [0.0, 0.3, 0.6, 1.0].map(|value| Tensor::from_fn([5, 2, 4, 1], |_| value));
        let png = sheet(&rows).to_png();
        assert_eq!(png_size(&png), Some([5 * 12 + 4 * 3, 4 * 6 + 3 * 3]));
    }

    #[test]
    fn one_picture_of_each_class_that_occurs() {
        let part = Labelled { pictures: Tensor::zeros([4, 1, 1, 1]).into(), labels: vec![2, 0, 2, 3] };
        assert_eq!(one_of_each(&part, 4), [1, 0, 3]);
    }
}
