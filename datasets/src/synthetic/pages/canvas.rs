//! Strokes of a pen and of a brush, with exact coverage.

use std::f64::consts::TAU;

/// A point or direction: `[x, y]` in pixels, x to the right, y down.
pub(super) type Point = [f64; 2];

/// Red, green and blue, 0 to 255.
pub(super) type Colour = [f64; 3];

/// What one layer puts on the page: how much of each pixel it covers, and with which colour.
#[derive(Clone)]
pub(super) struct Layer {
    height: usize,
    width: usize,
    /// From the coordinates of whoever paints to pixels.
    frame: Frame,
    /// 0 to 1 for each pixel, row after row.
    pub cover: Vec<f64>,
    /// The colour of the covered part.
    pub colour: Vec<Colour>,
}

impl Layer {
    pub fn new(height: usize, width: usize, frame: Frame) -> Self {
        Layer { height, width, frame, cover: vec![0.0; height * width], colour: vec![[0.0; 3]; height * width] }
    }

    /// Paints over what is there.
    fn blend(&mut self, index: usize, cover: f64, colour: Colour) {
        let before = self.cover[index];
        let after = cover + before * (1.0 - cover);
        for (old, new) in self.colour[index].iter_mut().zip(colour) {
            *old = (new * cover + *old * before * (1.0 - cover)) / after;
        }
        // Not `after`: strokes of one letter overlap at their joints, and would grow dark and fat there.
        self.cover[index] = before.max(cover);
    }

    /// A straight stroke with round ends, whose radius changes evenly from `radii[0]` to `radii[1]`.
    pub fn stroke(&mut self, from: Point, to: Point, radii: [f64; 2], colour: Colour) {
        let [from, to] = [from, to].map(|point| self.frame.place(point));
        let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
        let length_squared = (dx * dx + dy * dy).max(1e-9);
        let reach = radii[0].max(radii[1]) + 1.0;
        let low = [from[0].min(to[0]) - reach, from[1].min(to[1]) - reach];
        let high = [from[0].max(to[0]) + reach, from[1].max(to[1]) + reach];
        self.each(low, high, |layer, index, [x, y]| {
            let along = (((x - from[0]) * dx + (y - from[1]) * dy) / length_squared).clamp(0.0, 1.0);
            let [ox, oy] = [x - from[0] - along * dx, y - from[1] - along * dy];
            let radius = radii[0] + along * (radii[1] - radii[0]);
            let cover = (radius - (ox * ox + oy * oy).sqrt() + 0.5).clamp(0.0, 1.0);
            // A stroke thinner than a pixel covers at most its width of it.
            let cover = cover.min(2.0 * radius);
            if cover > 0.0 {
                layer.blend(index, cover, colour);
            }
        });
    }

    /// A line through `points`.
    pub fn path(&mut self, points: &[Point], radius: f64, colour: Colour) {
        points.windows(2).for_each(|pair| self.stroke(pair[0], pair[1], [radius; 2], colour));
    }

    /// A closed shape with corners in order, filled.
    ///
    /// Coverage is exact for straight edges: the smallest signed distance to any edge of a convex shape.
    pub fn convex(&mut self, corners: &[Point], colour: Colour) {
        let corners: Vec<Point> = corners.iter().map(|&corner| self.frame.place(corner)).collect();
        let low = corners.iter().fold([f64::MAX; 2], |low, p| [low[0].min(p[0]), low[1].min(p[1])]);
        let high = corners.iter().fold([f64::MIN; 2], |high, p| [high[0].max(p[0]), high[1].max(p[1])]);
        self.each([low[0] - 1.0, low[1] - 1.0], [high[0] + 1.0, high[1] + 1.0], |layer, index, point| {
            let cover = (inside_convex(&corners, point) + 0.5).clamp(0.0, 1.0);
            if cover > 0.0 {
                layer.blend(index, cover, colour);
            }
        });
    }

    /// A filled circle.
    pub fn disc(&mut self, centre: Point, radius: f64, colour: Colour) {
        self.stroke(centre, centre, [radius; 2], colour);
    }

    /// Calls `paint` for the centre of each pixel of a rectangle, as far as it is on the layer.
    fn each(&mut self, low: Point, high: Point, mut paint: impl FnMut(&mut Self, usize, Point)) {
        // A float to integer cast saturates at 0; NaN cannot come up from finite points.
        let range =
            |axis: usize, size: usize| (low[axis] as usize).min(size)..((high[axis] + 1.0).max(0.0) as usize).min(size);
        for y in range(1, self.height) {
            for x in range(0, self.width) {
                paint(self, y * self.width + x, [x as f64 + 0.5, y as f64 + 0.5]);
            }
        }
    }

    /// Each pixel the mean of its surroundings, `times` over.
    pub fn blurred_cover(&self, times: usize) -> Vec<f64> {
        let mut cover = self.cover.clone();
        for _ in 0..times {
            cover = blur(&cover, self.height, self.width);
        }
        cover
    }
}

/// Weights 1, 2, 1 along both axes; edges are repeated.
pub(super) fn blur(values: &[f64], height: usize, width: usize) -> Vec<f64> {
    let at = |y: usize, x: usize| values[y * width + x];
    let mut rows = vec![0.0; values.len()];
    for y in 0..height {
        for x in 0..width {
            let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
            rows[y * width + x] = 0.25 * (at(y, left) + 2.0 * at(y, x) + at(y, right));
        }
    }
    let at = |y: usize, x: usize| rows[y * width + x];
    let mut out = vec![0.0; values.len()];
    for y in 0..height {
        let (above, below) = (y.saturating_sub(1), (y + 1).min(height - 1));
        for x in 0..width {
            out[y * width + x] = 0.25 * (at(above, x) + 2.0 * at(y, x) + at(below, x));
        }
    }
    out
}

/// Distance from `point` to the nearest edge of a convex shape with corners in clockwise order (y down); negative outside.
pub(super) fn inside_convex(corners: &[Point], point: Point) -> f64 {
    let next = corners.iter().cycle().skip(1);
    let distances = corners.iter().zip(next).map(|(a, b)| {
        let [dx, dy] = [b[0] - a[0], b[1] - a[1]];
        (dx * (point[1] - a[1]) - dy * (point[0] - a[0])) / (dx * dx + dy * dy).max(1e-9).sqrt()
    });
    distances.fold(f64::MAX, f64::min)
}

/// From the coordinates of the text block to those of the picture: a small turn and a shift.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    origin: Point,
    /// Cosine and sine of the turn.
    turn: [f64; 2],
}

impl Frame {
    pub fn new(origin: Point, degrees: f64) -> Self {
        let angle = degrees / 360.0 * TAU;
        Frame { origin, turn: [libm::cos(angle), libm::sin(angle)] }
    }

    pub fn place(&self, [x, y]: Point) -> Point {
        let [cos, sin] = self.turn;
        [self.origin[0] + cos * x - sin * y, self.origin[1] + sin * x + cos * y]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strokes_cover_their_area() {
        let mut layer = Layer::new(40, 40, Frame::new([0.0; 2], 0.0));
        layer.stroke([10.0, 20.0], [30.0, 20.0], [3.0; 2], [1.0, 2.0, 3.0]);
        let area: f64 = layer.cover.iter().sum();
        let expected = 20.0 * 6.0 + std::f64::consts::PI * 9.0;
        assert!((area / expected - 1.0).abs() < 0.02, "{area} against {expected}");
        assert_eq!((layer.cover[20 * 40 + 20], layer.colour[20 * 40 + 20]), (1.0, [1.0, 2.0, 3.0]));
        assert_eq!(layer.cover[24 * 40 + 20], 0.0);
    }

    #[test]
    fn shapes_are_filled_and_may_reach_beyond_the_layer() {
        let mut layer = Layer::new(10, 10, Frame::new([0.0; 2], 0.0));
        layer.convex(&[[2.0, 2.0], [6.0, 2.0], [6.0, 5.0], [2.0, 5.0]], [0.0; 3]);
        assert_eq!(layer.cover.iter().filter(|&&cover| cover >= 0.5).count(), 12);
        layer.stroke([-50.0, -50.0], [60.0, 70.0], [1.0, 2.0], [9.0; 3]);
        layer.disc([100.0, 5.0], 3.0, [0.0; 3]);
        assert!(layer.cover.iter().all(|cover| (0.0..=1.0).contains(cover)));
    }
}
