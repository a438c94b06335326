//! Dashed horizontal lines across a plot, named to its right.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{spread, widest};
use super::palette::INK;
use super::svg::{Canvas, DrawError, LABEL_SIZE, clean, text};

/// Pixels between the names of two baselines.
const GAP: i32 = 16;
/// Between the plot and the name, bridged by a leader.
const LEADER: i32 = 14;

/// A dashed horizontal line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baseline {
    /// Its height.
    pub y: f64,
    /// Written to its right.
    pub label: String,
}

/// Pixels to keep free right of the plot.
pub(super) fn room<'a>(baselines: impl Iterator<Item = &'a Baseline>) -> i32 {
    match widest(baselines.map(|baseline| baseline.label.as_str()), LABEL_SIZE) {
        0 => LEADER,
        width => width + LEADER + 26,
    }
}

/// Draws baselines at their pixels; names keep out of each other's way.
pub(super) fn paint(
    canvas: &DrawingArea<Canvas, Shift>,
    baselines: &[(i32, &Baseline)],
    [x_pixels, y_pixels]: [&Range<i32>; 2],
) -> Result<(), DrawError> {
    let heights: Vec<i32> = baselines.iter().map(|(y, _)| *y).collect();
    let label_heights = spread(&heights, GAP, y_pixels.start + 6..y_pixels.end - 6);
    for ((y, baseline), label_y) in baselines.iter().zip(label_heights) {
        let (right, dashes) = (x_pixels.end, INK.stroke_width(1));
        canvas.draw(&DashedPathElement::new([(x_pixels.start, *y), (right, *y)], 6, 4, dashes))?;
        canvas.draw(&PathElement::new([(right, *y), (right + LEADER - 3, label_y)], INK.mix(0.5)))?;
        let style = text(LABEL_SIZE, HPos::Left, VPos::Center);
        canvas.draw(&Text::new(clean(&baseline.label), (right + LEADER, label_y), style))?;
    }
    Ok(())
}
