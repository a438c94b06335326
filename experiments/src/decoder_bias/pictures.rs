//! F5: the same test pictures as every decoder shows them.

use super::{DecoderBias, Piece, row::Decoder};
use crate::figures::{Colour, Sheet, SheetLayout};

/// The file beside the rows.
pub(super) const FILE: &str = "pictures.png";

/// The decoders shown, from the left, after the originals.
pub(super) const SHOWN: [Decoder; 8] = [
    Decoder::Own,
    Decoder::Tied,
    Decoder::Linear,
    Decoder::RetrainedLong,
    Decoder::Mlp,
    Decoder::DeepMlp,
    Decoder::StrongNoise,
    Decoder::Nearest,
];

/// Test pictures shown: the first of each of the first classes.
const PICTURES: usize = 4;

impl DecoderBias<'_> {
    /// Test pictures and what the decoders make of the codes of the first encoder that did not fail, as a PNG; `None` when all
    /// failed. A decoder that failed leaves its places empty.
    pub(super) fn pictures(&self) -> Option<Vec<u8>> {
        let parts = self.parts.as_ref()?;
        let (at, encoder) = (0..self.members.len()).find_map(|at| Some((at, self.encoder(at, parts).ok()?)))?;
        let [height, width, channels] = self.examples.picture();
        let first = |class: usize| parts.test.labels.iter().position(|&label| label as usize == class);
        let shown: Vec<usize> = (0..parts.classes).filter_map(first).take(PICTURES).collect();
        if shown.is_empty() {
            return None;
        }
        let mut sheet = Sheet::new(SheetLayout {
            picture_size: [height, width],
            colour: if channels == 1 { Colour::Grey } else { Colour::Rgb },
            rows: shown.len(),
            column_groups: vec![1, SHOWN.len()],
            scale: 2,
            gap: 2,
            group_gap: 10,
        });
        for (row, &index) in shown.iter().enumerate() {
            sheet.place(row, 0, parts.test.pictures.samples(index..index + 1));
        }
        let pixels = height * width * channels;
        for (column, decoder) in SHOWN.into_iter().enumerate() {
            let piece = Piece { encoder: at, decoder, replicate: 0 };
            let Ok(decoded) = self.decode(piece, encoder, parts) else { continue };
            for (row, &index) in shown.iter().enumerate() {
                sheet.place(row, column + 1, &decoded.test[index * pixels..][..pixels]);
            }
        }
        Some(sheet.to_png())
    }
}
