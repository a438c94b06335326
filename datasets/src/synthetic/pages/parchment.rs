//! Animal skin, and what lies around it under the camera.

use super::super::random::Stream;

/// Smooth random values: several grids of random numbers, each half as wide and half as strong as the one before.
pub(super) struct Noise {
    octaves: Vec<Grid>,
}

struct Grid {
    /// Distance of the grid's points in pixels.
    step: f64,
    strength: f64,
    columns: usize,
    values: Vec<f64>,
}

impl Noise {
    /// For pictures up to `size` pixels on each side; the widest grid has `step` pixels. Values lie in -1..1.
    pub fn new(size: usize, step: f64, octaves: usize, stream: &mut Stream) -> Self {
        let total: f64 = (0..octaves).map(|octave| libm::pow(0.5, octave as f64)).sum();
        let grid = |octave: usize| {
            let step = (step * libm::pow(0.5, octave as f64)).max(1.0);
            let columns = (size as f64 / step) as usize + 3;
            let values = (0..columns * columns).map(|_| stream.between(-1.0, 1.0)).collect();
            Grid { step, strength: libm::pow(0.5, octave as f64) / total, columns, values }
        };
        Noise { octaves: (0..octaves).map(grid).collect() }
    }

    pub fn at(&self, x: f64, y: f64) -> f64 {
        self.octaves.iter().map(|grid| grid.strength * grid.at(x, y)).sum()
    }
}

impl Grid {
    fn at(&self, x: f64, y: f64) -> f64 {
        let ([column, row], [fx, fy]) = ([self.cell(x).0, self.cell(y).0], [self.cell(x).1, self.cell(y).1]);
        let value = |row: usize, column: usize| self.values[row * self.columns + column];
        let along = |row| value(row, column) + fx * (value(row, column + 1) - value(row, column));
        along(row) + fy * (along(row + 1) - along(row))
    }

    /// The cell of a coordinate, and how far into it, smoothed so that no edges show.
    fn cell(&self, coordinate: f64) -> (usize, f64) {
        let position = (coordinate / self.step).max(0.0);
        let cell = (position.floor() as usize).min(self.columns - 2);
        let t = (position - cell as f64).min(1.0);
        (cell, t * t * (3.0 - 2.0 * t))
    }
}

/// The looks of one skin.
pub(super) struct Parchment {
    base: [f64; 3],
    clouds: Noise,
    patches: Noise,
    grain: Noise,
    stains: Vec<Stain>,
    edge_width: f64,
    edge_strength: f64,
}

struct Stain {
    centre: [f64; 2],
    radius: f64,
    strength: f64,
}

impl Parchment {
    pub fn new(height: usize, width: usize, stream: &mut Stream) -> Self {
        let size = height.max(width);
        let side = height.min(width) as f64;
        // From pale calf to yellow sheep: one number for the age, one for the hue.
        let (age, hue) = (stream.uniform(), stream.between(-1.0, 1.0));
        let base = [232.0 - 20.0 * age, 217.0 - 28.0 * age + 3.0 * hue, 186.0 - 42.0 * age - 6.0 * hue];
        let stain = |stream: &mut Stream| Stain {
            centre: [stream.between(0.0, width as f64), stream.between(0.0, height as f64)],
            radius: stream.between(0.05, 0.22) * side,
            strength: stream.between(4.0, 16.0),
        };
        let count = stream.below(4);
        Parchment {
            base,
            clouds: Noise::new(size, 0.45 * side, 3, stream),
            patches: Noise::new(size, 0.07 * side, 3, stream),
            grain: Noise::new(size, 2.4, 2, stream),
            stains: (0..count).map(|_| stain(stream)).collect(),
            edge_width: stream.between(0.02, 0.07) * side,
            edge_strength: stream.between(14.0, 34.0),
        }
    }

    /// The colour at `(x, y)`, so far from the edge of the page.
    pub fn colour(&self, x: f64, y: f64, from_edge: f64) -> [f64; 3] {
        let patches = self.patches.at(x, y);
        let mut light = 15.0 * self.clouds.at(x, y) + 8.0 * patches + 9.0 * self.grain.at(x, y);
        // Fingers and damp darken the edges.
        let depth = (from_edge / self.edge_width).max(0.0) + 0.8 * patches.max(-0.5);
        light -= self.edge_strength * libm::exp(-depth.max(0.0));
        for stain in &self.stains {
            let [dx, dy] = [x - stain.centre[0], y - stain.centre[1]];
            let distance = (dx * dx + dy * dy).sqrt() / stain.radius + 0.35 * patches;
            // Water leaves a dark rim.
            let rim = libm::exp(-60.0 * (distance - 1.0) * (distance - 1.0));
            light -= stain.strength * (if distance < 1.0 { 0.45 } else { 0.0 } + 0.6 * rim);
        }
        // What is darker is also browner.
        [self.base[0] + light, self.base[1] + 1.12 * light, self.base[2] + 1.3 * light]
    }
}
