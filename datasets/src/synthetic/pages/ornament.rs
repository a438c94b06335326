//! What is painted: initials, vines in the margin, flourishes of the pen.

use std::f64::consts::TAU;

use super::super::random::Stream;
use super::canvas::{Colour, Layer, Point};

/// The colours of one workshop.
pub(super) struct Palette {
    pub red: Colour,
    pub blue: Colour,
    green: Colour,
    gold: Colour,
    white: Colour,
}

impl Palette {
    pub fn new(red: Colour, stream: &mut Stream) -> Self {
        let mut near = |[r, g, b]: Colour| [r, g, b].map(|channel| channel + stream.between(-10.0, 10.0));
        Palette {
            red,
            blue: near([52.0, 76.0, 138.0]),
            green: near([70.0, 112.0, 74.0]),
            gold: near([196.0, 152.0, 62.0]),
            white: near([234.0, 226.0, 208.0]),
        }
    }
}

/// A curve through `points`, smooth (Catmull and Rom's spline), as short straight pieces.
fn smooth(points: &[Point]) -> Vec<Point> {
    let at = |i: isize| points[i.clamp(0, points.len() as isize - 1) as usize];
    let mut curve = vec![points[0]];
    for i in 0..points.len() as isize - 1 {
        let [a, b, c, d] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
        for step in 1..=8 {
            let t = f64::from(step) / 8.0;
            let mix = |k: usize| {
                let linear = c[k] - a[k];
                let square = 2.0 * a[k] - 5.0 * b[k] + 4.0 * c[k] - d[k];
                let cube = 3.0 * b[k] - a[k] - 3.0 * c[k] + d[k];
                b[k] + 0.5 * t * (linear + t * (square + t * cube))
            };
            curve.push([mix(0), mix(1)]);
        }
    }
    curve
}

/// Capital letters as round Lombards drew them: strokes in a square of side 1, y down, with swelling curves.
const CAPITALS: [&[&[Point]]; 7] = [
    // D, E, M, O, P, S, T
    &[
        &[[0.25, 0.12], [0.25, 0.88]],
        &[[0.15, 0.12], [0.55, 0.12], [0.84, 0.35], [0.84, 0.65], [0.55, 0.88], [0.15, 0.88]],
    ],
    &[
        &[[0.82, 0.18], [0.5, 0.1], [0.2, 0.35], [0.2, 0.65], [0.5, 0.9], [0.82, 0.82]],
        &[[0.2, 0.5], [0.72, 0.5]],
        &[[0.82, 0.18], [0.78, 0.34]],
        &[[0.82, 0.82], [0.78, 0.68]],
    ],
    &[
        &[[0.5, 0.12], [0.2, 0.3], [0.16, 0.7], [0.3, 0.9]],
        &[[0.5, 0.12], [0.5, 0.88]],
        &[[0.5, 0.12], [0.82, 0.3], [0.86, 0.7], [0.72, 0.9]],
    ],
    &[&[[0.5, 0.1], [0.18, 0.32], [0.18, 0.68], [0.5, 0.9], [0.82, 0.68], [0.82, 0.32], [0.5, 0.1]]],
    &[
        &[[0.28, 0.1], [0.28, 0.9]],
        &[[0.16, 0.12], [0.6, 0.1], [0.82, 0.3], [0.6, 0.52], [0.28, 0.52]],
        &[[0.16, 0.9], [0.42, 0.9]],
    ],
    &[&[[0.8, 0.22], [0.5, 0.1], [0.22, 0.28], [0.5, 0.5], [0.78, 0.72], [0.5, 0.9], [0.2, 0.78]]],
    &[&[[0.14, 0.24], [0.3, 0.12], [0.86, 0.14]], &[[0.5, 0.14], [0.3, 0.4], [0.34, 0.78], [0.6, 0.9], [0.82, 0.74]]],
];

fn capital(layer: &mut Layer, corner: Point, side: f64, colour: Colour, weight: f64, stream: &mut Stream) {
    for stroke in CAPITALS[stream.below(CAPITALS.len())] {
        let points: Vec<Point> = stroke.iter().map(|[x, y]| [corner[0] + x * side, corner[1] + y * side]).collect();
        let curve: Vec<Point> = if points.len() > 2 { smooth(&points) } else { points };
        let count = (curve.len() - 1) as f64;
        for (i, pair) in curve.windows(2).enumerate() {
            // Thin where it begins and ends, swollen in between.
            let swell = |i: f64| {
                let t = i / count;
                weight * side * if count > 1.0 { 0.45 + 2.2 * t * (1.0 - t) } else { 0.9 }
            };
            let radii = [swell(i as f64), swell(i as f64 + 1.0)];
            layer.stroke(pair[0], pair[1], radii, colour);
        }
    }
}

/// A plain coloured initial with lines of the pen running up and down the margin beside it.
pub(super) fn lombard(layer: &mut Layer, corner: Point, side: f64, palette: &Palette, stream: &mut Stream) {
    let (letter, flourish) = if stream.chance(0.5) { (palette.red, palette.blue) } else { (palette.blue, palette.red) };
    let hair = (0.014 * side).clamp(0.38, 0.9);
    for line in 0..3 + stream.below(3) {
        let left = corner[0] - side * (0.08 + 0.06 * line as f64);
        let ends = [corner[1] - side * stream.between(0.1, 1.3), corner[1] + side * stream.between(1.0, 2.6)];
        let mut points: Vec<Point> = (0..=6)
            .map(|i| {
                let t = f64::from(i) / 6.0;
                [left + side * 0.05 * stream.normal() * t, ends[0] + t * (ends[1] - ends[0])]
            })
            .collect();
        points[0] = [left - side * stream.between(0.0, 0.25), ends[0]];
        points.push([left - side * stream.between(0.1, 0.4), ends[1] - 0.12 * side]);
        layer.path(&smooth(&points), hair, flourish);
    }
    capital(layer, corner, side, letter, 0.085, stream);
}

/// A painted initial: a gilt frame, a coloured ground with tendrils, the letter in it.
pub(super) fn painted(layer: &mut Layer, corner: Point, side: f64, palette: &Palette, stream: &mut Stream) {
    let (ground, letter) = if stream.chance(0.5) { (palette.blue, palette.red) } else { (palette.red, palette.blue) };
    let square = |inset: f64| {
        let (low, high) = (inset * side, (1.0 - inset) * side);
        [[low, low], [high, low], [high, high], [low, high]].map(|[x, y]| [corner[0] + x, corner[1] + y])
    };
    layer.convex(&square(-0.03), [60.0, 44.0, 34.0]);
    layer.convex(&square(0.0), palette.gold);
    layer.convex(&square(0.075), ground);
    let centre = [corner[0] + 0.5 * side, corner[1] + 0.5 * side];
    for tendril in 0..6 {
        let start = f64::from(tendril) / 6.0 + stream.between(-0.04, 0.04);
        spiral(layer, centre, [0.12 * side, 0.4 * side], start, 0.45, 0.014 * side, palette.white);
    }
    for _ in 0..14 {
        let place = [stream.between(0.14, 0.86), stream.between(0.14, 0.86)];
        layer.disc([corner[0] + place[0] * side, corner[1] + place[1] * side], 0.018 * side, palette.gold);
    }
    // A light contour sets the letter off from its ground: the same letter twice.
    let colour = if stream.chance(0.5) { palette.gold } else { letter };
    capital(layer, corner, side, palette.white, 0.125, &mut stream.clone());
    capital(layer, corner, side, colour, 0.1, stream);
}

/// An arc around `centre` whose radius goes from `radii[0]` to `radii[1]`; `start` and `turns` in whole turns.
fn spiral(layer: &mut Layer, centre: Point, radii: [f64; 2], start: f64, turns: f64, width: f64, colour: Colour) {
    let points: Vec<Point> = (0..=20)
        .map(|i| {
            let t = f64::from(i) / 20.0;
            let (angle, radius) = (TAU * (start + turns * t), radii[0] + t * (radii[1] - radii[0]));
            [centre[0] + radius * libm::cos(angle), centre[1] + radius * libm::sin(angle)]
        })
        .collect();
    layer.path(&points, width.max(0.4), colour);
}

/// A vine along the line from `from` to `to`, with scrolls to both sides, leaves, flowers and gilt drops.
pub(super) fn vine(layer: &mut Layer, from: Point, to: Point, reach: f64, palette: &Palette, stream: &mut Stream) {
    let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    let length = (dx * dx + dy * dy).sqrt().max(1.0);
    let (along, across) = ([dx / length, dy / length], [-dy / length, dx / length]);
    let point = |t: f64, off: f64| [from[0] + t * dx + off * across[0], from[1] + t * dy + off * across[1]];
    let swings = (length / (2.4 * reach)).ceil().max(2.0) as usize;
    let knots: Vec<Point> = (0..=swings)
        .map(|i| {
            let side = if i % 2 == 0 { 1.0 } else { -1.0 };
            point(i as f64 / swings as f64, side * 0.28 * reach * stream.between(0.7, 1.2))
        })
        .collect();
    let stem = smooth(&knots);
    let width = (0.046 * reach).max(0.6);
    layer.path(&stem, width + 0.5, [66.0, 60.0, 44.0]);
    layer.path(&stem, width, palette.green);
    for i in 0..swings {
        let side = if i % 2 == 0 { 1.0 } else { -1.0 };
        let centre = point((i as f64 + 0.5) / swings as f64, side * 0.34 * reach);
        let start = stream.uniform();
        spiral(layer, centre, [0.42 * reach, 0.08 * reach], start, side * 1.35, 0.7 * width, palette.green);
        flower(layer, centre, 0.15 * reach, palette, stream);
        for _ in 0..4 {
            let angle = TAU * stream.uniform();
            let root = [centre[0] + 0.42 * reach * libm::cos(angle), centre[1] + 0.42 * reach * libm::sin(angle)];
            let colour = [palette.green, palette.blue, palette.red][stream.below(3)];
            leaf(layer, root, angle, 0.3 * reach * stream.between(0.7, 1.2), colour);
        }
        let drop = point((i as f64 + 0.1) / swings as f64, -side * 0.55 * reach);
        layer.disc(drop, 0.075 * reach, palette.gold);
        let tip = [drop[0] + 0.2 * reach * along[0], drop[1] + 0.2 * reach * along[1]];
        layer.stroke(drop, tip, [0.5, 0.3], [70.0, 50.0, 40.0]);
    }
}

fn leaf(layer: &mut Layer, root: Point, angle: f64, length: f64, colour: Colour) {
    let direction = [libm::cos(angle), libm::sin(angle)];
    let at = |t: f64| [root[0] + t * length * direction[0], root[1] + t * length * direction[1]];
    layer.stroke(at(0.0), at(0.45), [0.06 * length, 0.22 * length], colour);
    layer.stroke(at(0.45), at(1.0), [0.22 * length, 0.03 * length], colour);
}

fn flower(layer: &mut Layer, centre: Point, size: f64, palette: &Palette, stream: &mut Stream) {
    let colour = if stream.chance(0.5) { palette.red } else { palette.blue };
    for petal in 0..5 {
        let angle = TAU * f64::from(petal) / 5.0;
        let place = [centre[0] + 0.6 * size * libm::cos(angle), centre[1] + 0.6 * size * libm::sin(angle)];
        layer.disc(place, 0.5 * size, colour);
    }
    layer.disc(centre, 0.38 * size, palette.gold);
}
