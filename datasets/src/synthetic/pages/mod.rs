//! Pages of a handwritten book, with the class of every pixel.
//!
//! For layout analysis: what is text, what is painted, what is bare parchment, and what does not belong to the page at all?
//! Real pages have labels drawn by people around what they see; here each pixel's label is exact, because it is known what
//! was put on it:
//!
//! | label | name | a pixel of it |
//! |---|---|---|
//! | 0 | background | parchment, also with ruling, stains and writing that shows through from the other side |
//! | 1 | text | at least half covered by the ink of letters, black or red |
//! | 2 | decoration | at least half covered by initials, vines and pen flourishes |
//! | 3 | periphery | outside the page: the table under it, edges of other leaves, the facing page |
//!
//! Pages of one seed look like pages of one library: each has its own skin, hand, number of columns and lines, ornaments,
//! crop and light. Page `index` of a seed does not depend on how many are drawn.
//!
//! ```
//! use patchgrad_datasets::synthetic::pages::{CLASS_NAMES, PageSpec, page};
//!
//! let page = page(PageSpec { height: 160, width: 120 }, 42, 0)?;
//! assert_eq!((page.pixels.len(), page.labels.len()), (160 * 120 * 3, 160 * 120));
//! assert_eq!(CLASS_NAMES[usize::from(page.labels[0])], "periphery");
//! # Ok::<(), patchgrad_datasets::synthetic::SpecError>(())
//! ```

mod canvas;
mod exposure;
mod ornament;
mod parchment;
mod script;

use super::random::Stream;
use super::{SpecError, check};
use crate::{ImageShape, Images};
use canvas::{Frame, Layer, Point};
use ornament::Palette;
use script::Hand;

/// The names of the labels, in their order.
pub const CLASS_NAMES: [&str; 4] = ["background", "text", "decoration", "periphery"];

const BACKGROUND: u8 = 0;
const TEXT: u8 = 1;
const DECORATION: u8 = 2;
const PERIPHERY: u8 = 3;

/// The size of a page in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSpec {
    /// 64 to 4096.
    pub height: usize,
    /// 64 to 4096.
    pub width: usize,
}

impl Default for PageSpec {
    /// 512 x 384: letters about seven pixels high.
    fn default() -> Self {
        PageSpec { height: 512, width: 384 }
    }
}

/// A picture and its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Height, width and 3 channels.
    pub shape: ImageShape,
    /// `[H, W, 3]`: red, green, blue.
    pub pixels: Vec<u8>,
    /// `[H, W]`: a label of [`CLASS_NAMES`] for each pixel.
    pub labels: Vec<u8>,
}

impl Page {
    /// Pixels of each class, in the order of [`CLASS_NAMES`].
    pub fn class_counts(&self) -> [usize; 4] {
        let mut counts = [0; 4];
        self.labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
        counts
    }
}

/// Several pages as images.
///
/// # Panics
///
/// If they differ in shape, or there is none.
pub fn images(pages: &[Page]) -> Images {
    let shape = pages[0].shape;
    assert!(pages.iter().all(|page| page.shape == shape), "pages of several shapes");
    Images::new(shape, pages.iter().flat_map(|page| page.pixels.iter().copied()).collect())
}

/// Page `index` of a seed.
///
/// # Errors
///
/// [`SpecError`] when a side is out of its range.
pub fn page(spec: PageSpec, seed: u64, index: u64) -> Result<Page, SpecError> {
    let PageSpec { height, width } = spec;
    check("height", height as f64, 64.0, 4096.0)?;
    check("width", width as f64, 64.0, 4096.0)?;
    let mut stream = Stream::new(seed, "page-layout", index);
    let leaf = Leaf::new(spec, &mut stream);
    let layout = Layout::new(&leaf, &mut stream);
    let mut sheets = Sheets::new(spec, layout.frame);
    layout.fill(&mut sheets, seed, index);
    // The other side of the leaf: the same columns, other words.
    let mut behind = Sheets::new(spec, layout.frame);
    layout.fill(&mut behind, seed ^ 0x7665_7273_6f00_0000, index);
    Ok(exposure::expose(spec, &leaf, &layout, &sheets, &behind, &mut Stream::new(seed, "page-surface", index)))
}

/// Where the page lies in the picture.
struct Leaf {
    corners: [Point; 4],
    /// The side of the binding, where the facing page begins.
    binding_left: bool,
    degrees: f64,
}

struct Sheets {
    text: Layer,
    decoration: Layer,
}

impl Sheets {
    fn new(PageSpec { height, width }: PageSpec, frame: Frame) -> Self {
        Sheets { text: Layer::new(height, width, frame), decoration: Layer::new(height, width, frame) }
    }
}

impl Leaf {
    fn new(spec: PageSpec, stream: &mut Stream) -> Self {
        let (h, w) = (spec.height as f64, spec.width as f64);
        let degrees = stream.between(-0.9, 0.9);
        let binding_left = stream.chance(0.5);
        let margin = |stream: &mut Stream, side: f64| side * stream.between(0.025, 0.06);
        let (top, bottom) = (margin(stream, h), h - margin(stream, h));
        let (left, right) = (margin(stream, w), w - margin(stream, w));
        let turned = Frame::new([w / 2.0, h / 2.0], degrees);
        let mut corner = |x: f64, y: f64| {
            // Of the shorter side: a slip of a long one could turn a narrow page inside out.
            let slip = 0.006 * w.min(h);
            turned.place([x - w / 2.0 + slip * stream.normal(), y - h / 2.0 + slip * stream.normal()])
        };
        let corners = [corner(left, top), corner(right, top), corner(right, bottom), corner(left, bottom)];
        Leaf { corners, binding_left, degrees }
    }
}

/// What stands where on the page.
struct Layout {
    frame: Frame,
    /// Left edge and width of each column, from the frame's origin.
    columns: Vec<[f64; 2]>,
    pitch: f64,
    lines: usize,
    margin: f64,
    rubric: f64,
}

impl Layout {
    fn new(leaf: &Leaf, stream: &mut Stream) -> Self {
        let [top_left, top_right, bottom_right, bottom_left] = leaf.corners;
        let width = (top_right[0] - top_left[0]).min(bottom_right[0] - bottom_left[0]);
        let height = (bottom_left[1] - top_left[1]).min(bottom_right[1] - top_right[1]);
        // Wide margins outside and below, as in books.
        let (inner, outer) = (width * stream.between(0.1, 0.14), width * stream.between(0.17, 0.25));
        let (top, bottom) = (height * stream.between(0.09, 0.13), height * stream.between(0.15, 0.21));
        let left = if leaf.binding_left { inner } else { outer };
        let block = width - inner - outer;
        let frame =
            Frame::new([top_left[0].max(bottom_left[0]) + left, top_left[1].max(top_right[1]) + top], leaf.degrees);
        let columns = if stream.chance(0.5) {
            vec![[0.0, block]]
        } else {
            let gap = 0.09 * block;
            let column = (block - gap) / 2.0;
            vec![[0.0, column], [column + gap, column]]
        };
        let lines = 18 + stream.below(7);
        let pitch = (height - top - bottom) / lines as f64;
        let rubric = if stream.chance(0.5) { stream.between(0.01, 0.05) } else { 0.0 };
        Layout { frame, columns, pitch, lines, margin: left, rubric }
    }

    /// Writes and paints the page.
    fn fill(&self, sheets: &mut Sheets, seed: u64, index: u64) {
        let stream = &mut Stream::new(seed, "page-content", index);
        let hand = Hand::new(self.pitch, stream);
        let palette = Palette::new(hand.red, stream);
        let splendour = stream.uniform();
        for (number, &[left, width]) in self.columns.iter().enumerate() {
            let mut line = 0;
            while line < self.lines {
                let paragraph = 4 + stream.below(9);
                let room = self.lines - line;
                // A painted initial at the head of the first column of the richer pages; plain ones elsewhere.
                let rich = number == 0 && line == 0 && splendour > 0.35;
                let initial = if rich { 4 + stream.below(3) } else { [0, 2, 2, 3][stream.below(4)] };
                let initial = if initial + 1 > room || self.pitch < 4.0 { 0 } else { initial };
                let length = paragraph.max(initial + 1).min(room);
                let side = (initial as f64 - 0.28) * self.pitch;
                let corner = [left, line as f64 * self.pitch + 0.22 * self.pitch];
                if rich && initial > 0 {
                    let reach = (0.55 * self.margin).min(2.2 * self.pitch);
                    if splendour > 0.6 && number == 0 {
                        let x = left - 0.52 * self.margin;
                        let end = self.lines as f64 * self.pitch * stream.between(0.55, 1.02);
                        ornament::vine(
                            &mut sheets.decoration,
                            [x, -0.4 * self.pitch],
                            [x, end],
                            reach,
                            &palette,
                            stream,
                        );
                        if splendour > 0.8 {
                            let y = (self.lines as f64 + 1.9) * self.pitch;
                            let width = self.columns.iter().map(|[_, width]| width).sum::<f64>();
                            ornament::vine(
                                &mut sheets.decoration,
                                [x + reach, y],
                                [left + width, y],
                                reach,
                                &palette,
                                stream,
                            );
                        }
                    }
                    ornament::painted(&mut sheets.decoration, corner, side, &palette, stream);
                } else if initial > 0 {
                    ornament::lombard(&mut sheets.decoration, corner, side, &palette, stream);
                }
                for row in 0..length {
                    let indent = if row < initial { side + 0.5 * self.pitch } else { 0.0 };
                    let base = (line + row) as f64 * self.pitch + 0.78 * self.pitch;
                    let last = row + 1 == length;
                    let full = if last { stream.between(0.35, 0.95) } else { 1.0 };
                    // The first words after an initial are often red.
                    let rubric = if row == 0 && initial > 0 { 0.25 } else { self.rubric };
                    let start = [left + indent, base];
                    hand.line(&mut sheets.text, start, width - indent, full, rubric, stream);
                }
                line += length;
            }
        }
        // A word of another hand in the margin, now and then.
        if stream.chance(0.4) {
            let small = Hand::new(0.75 * self.pitch, stream);
            let y = self.pitch * self.lines as f64 * stream.between(0.2, 0.8);
            let last = self.columns[self.columns.len() - 1];
            for row in 0..1 + stream.below(3) {
                let start = [last[0] + last[1] + 0.9 * self.pitch, y + 0.8 * self.pitch * row as f64];
                small.line(&mut sheets.text, start, 3.4 * self.pitch, 0.9, 0.0, stream);
            }
        }
    }

    /// Lines scratched into the parchment before writing.
    fn ruling(&self, height: usize, width: usize) -> Layer {
        let mut layer = Layer::new(height, width, self.frame);
        let [first, last] = [self.columns[0], self.columns[self.columns.len() - 1]];
        let ends = [first[0] - 0.4 * self.pitch, last[0] + last[1] + 0.4 * self.pitch];
        let full_height = self.lines as f64 * self.pitch;
        let mut line = |from, to| layer.stroke(from, to, [0.42; 2], [0.0; 3]);
        for row in 0..=self.lines {
            let y = row as f64 * self.pitch - 0.18 * self.pitch;
            line([ends[0], y], [ends[1], y]);
        }
        for [left, width] in &self.columns {
            for x in [left - 0.3 * self.pitch, left + width + 0.3 * self.pitch] {
                line([x, -2.0 * self.pitch], [x, full_height + 2.0 * self.pitch]);
            }
        }
        layer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Checksum;

    const SMALL: PageSpec = PageSpec { height: 200, width: 150 };

    #[test]
    fn the_narrowest_pages_lie_the_right_way_round() {
        for spec in [PageSpec { height: 64, width: 4096 }, PageSpec { height: 4096, width: 64 }] {
            for index in 0..4 {
                let page = page(spec, 42, index).unwrap();
                assert_eq!(page.labels.len(), spec.height * spec.width);
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_page_and_others_differ() {
        let first = page(SMALL, 1, 0).unwrap();
        assert_eq!(first, page(SMALL, 1, 0).unwrap());
        assert_ne!(first.pixels, page(SMALL, 1, 1).unwrap().pixels);
        assert_ne!(first.labels, page(SMALL, 2, 0).unwrap().labels);
        // The same bytes on every platform. A change here changes every result that was ever computed from these pages.
        assert_eq!(Checksum::of(&[&first.pixels, &first.labels]).to_string(), "8fd84d9c");
    }

    #[test]
    fn every_page_has_every_class_in_sensible_amounts() {
        let mut decorated = 0;
        for index in 0..8 {
            let page = page(SMALL, 3, index).unwrap();
            let share = page.class_counts().map(|count| count as f64 / page.labels.len() as f64);
            assert!((0.5..0.9).contains(&share[0]), "page {index}: {share:?}");
            assert!((0.03..0.3).contains(&share[1]), "page {index}: {share:?}");
            assert!(share[2] < 0.2, "page {index}: {share:?}");
            assert!((0.05..0.3).contains(&share[3]), "page {index}: {share:?}");
            decorated += usize::from(share[2] > 0.0);
        }
        assert!(decorated >= 7, "{decorated} of 8 pages are decorated");
    }

    #[test]
    fn text_is_darker_than_its_background_and_periphery_surrounds_the_page() {
        let page = page(PageSpec { height: 320, width: 240 }, 4, 0).unwrap();
        let mean = |label: u8| {
            let of = page.labels.iter().zip(page.pixels.chunks_exact(3)).filter(|(l, _)| **l == label);
            let values: Vec<f64> =
                of.map(|(_, rgb)| f64::from(rgb[0]) + f64::from(rgb[1]) + f64::from(rgb[2])).collect();
            values.iter().sum::<f64>() / values.len() as f64 / 3.0
        };
        assert!(mean(TEXT) + 40.0 < mean(BACKGROUND), "{} {}", mean(TEXT), mean(BACKGROUND));
        let (h, w) = (page.shape.height, page.shape.width);
        for corner in [0, w - 1, (h - 1) * w, h * w - 1] {
            assert_eq!(page.labels[corner], PERIPHERY);
        }
    }

    #[test]
    fn the_smallest_pages_work_and_others_are_refused() {
        assert_eq!(page(PageSpec { height: 64, width: 64 }, 1, 0).unwrap().labels.len(), 64 * 64);
        let error = page(PageSpec { height: 63, width: 64 }, 1, 0).unwrap_err().to_string();
        assert_eq!(error, "synthetic set: height is 63, expected 64 to 4096");
    }
}
