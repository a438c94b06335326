//! Colours and marker shapes that stay apart for colour-blind readers and in print.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::svg::{Canvas, DrawError};

/// Okabe & Ito, *Color universal design* (2008), with violet in place of their yellow, whose contrast on white is 1.3: violet has
/// 6.2, and is at least 27 (CIE76) from each of the others, seen as it is and as Machado et al. (2009) simulate the three kinds of
/// colour blindness.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
    RGBColor(112, 48, 240),
];

/// Shapes as corners in pixels around the point; a shape without corners is a disc. All cover about the same area.
const SHAPES: [&[(i32, i32)]; 7] = [
    &[],
    &[(-4, -4), (4, -4), (4, 4), (-4, 4)],
    &[(0, -6), (6, 5), (-6, 5)],
    &[(0, -6), (6, 0), (0, 6), (-6, 0)],
    &[(0, 6), (6, -5), (-6, -5)],
    &[(0, -2), (3, -5), (5, -3), (2, 0), (5, 3), (3, 5), (0, 2), (-3, 5), (-5, 3), (-2, 0), (-5, -3), (-3, -5)],
    &[(-2, -6), (2, -6), (2, -2), (6, -2), (6, 2), (2, 2), (2, 6), (-2, 6), (-2, 2), (-6, 2), (-6, -2), (-2, -2)],
];

/// Radius of a disc, in pixels.
const RADIUS: i32 = 5;

/// Neutral ink for axes, labels and reference lines: enough contrast on white for small text.
pub(super) const INK: RGBColor = RGBColor(51, 51, 51);

/// The colour of series `index`; from the ninth on they repeat.
pub(super) fn colour(index: usize) -> RGBColor {
    COLOURS[index % COLOURS.len()]
}

/// Draws marker shape `index` (from the eighth on they repeat) at a pixel, with a thin white edge so that markers which
/// overlap stay apart.
pub(super) fn draw_marker(
    canvas: &DrawingArea<Canvas, Shift>,
    index: usize,
    at: (i32, i32),
    colour: RGBColor,
) -> Result<(), DrawError> {
    let corners = SHAPES[index % SHAPES.len()];
    if corners.is_empty() {
        canvas.draw(&Circle::new(at, RADIUS, colour.filled()))?;
        return canvas.draw(&Circle::new(at, RADIUS, WHITE.stroke_width(1)));
    }
    let mut outline: Vec<_> = corners.iter().map(|(dx, dy)| (at.0 + dx, at.1 + dy)).collect();
    canvas.draw(&Polygon::new(outline.clone(), colour.filled()))?;
    outline.push(outline[0]);
    canvas.draw(&PathElement::new(outline, WHITE.stroke_width(1)))
}
