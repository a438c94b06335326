//! A book hand: letters as strokes of a broad pen, words, lines, columns.

use super::super::random::Stream;
use super::canvas::{Colour, Layer, Point};

/// Direction of the pen's edge: 38 degrees against the line.
const NIB: Point = [0.788, -0.616];

/// A letter: strokes as lines through points, in units of the height of a small letter, y up from the base line.
struct Letter {
    strokes: &'static [&'static [Point]],
    advance: f64,
}

const MINIM: &[Point] = &[[-0.06, 0.9], [0.04, 1.0], [0.06, 0.86], [0.06, 0.14], [0.1, 0.0], [0.2, 0.1]];
const SECOND: &[Point] = &[[0.06, 0.78], [0.36, 1.0], [0.44, 0.86], [0.44, 0.14], [0.48, 0.0], [0.58, 0.1]];
const THIRD: &[Point] = &[[0.44, 0.78], [0.74, 1.0], [0.82, 0.86], [0.82, 0.14], [0.86, 0.0], [0.96, 0.1]];
const TALL: &[Point] = &[[-0.06, 1.6], [0.06, 1.72], [0.06, 0.14], [0.1, 0.0], [0.2, 0.1]];
const LEFT_BOW: &[Point] = &[[0.3, 1.0], [0.06, 0.8], [0.04, 0.24], [0.26, 0.0]];
const RIGHT_BOW: &[Point] = &[[0.26, 1.0], [0.48, 0.8], [0.48, 0.22], [0.24, 0.0]];

const A: Letter = Letter {
    strokes: &[
        &[[0.06, 0.9], [0.26, 1.0], [0.44, 0.84], [0.44, 0.1], [0.56, 0.02]],
        &[[0.44, 0.56], [0.1, 0.42], [0.06, 0.16], [0.22, 0.0], [0.44, 0.2]],
    ],
    advance: 0.72,
};
const B: Letter = Letter { strokes: &[TALL, RIGHT_BOW, &[[0.06, 0.86], [0.26, 1.0]]], advance: 0.72 };
const C: Letter =
    Letter { strokes: &[LEFT_BOW, &[[0.26, 1.0], [0.42, 0.86]], &[[0.26, 0.0], [0.44, 0.12]]], advance: 0.6 };
const D: Letter =
    Letter { strokes: &[LEFT_BOW, &[[-0.04, 1.62], [0.44, 1.0], [0.5, 0.6], [0.46, 0.2], [0.26, 0.0]]], advance: 0.72 };
const E: Letter = Letter {
    strokes: &[LEFT_BOW, &[[0.28, 1.0], [0.44, 0.78], [0.06, 0.5]], &[[0.26, 0.0], [0.46, 0.14]]],
    advance: 0.62,
};
const F: Letter = Letter {
    strokes: &[&[[0.4, 1.6], [0.22, 1.72], [0.06, 1.4], [0.06, -0.1]], &[[-0.1, 0.96], [0.34, 0.98]]],
    advance: 0.5,
};
const G: Letter = Letter {
    strokes: &[LEFT_BOW, RIGHT_BOW, &[[0.48, 0.5], [0.46, -0.24], [0.2, -0.5], [-0.04, -0.34]]],
    advance: 0.74,
};
const H: Letter =
    Letter { strokes: &[TALL, &[[0.06, 0.78], [0.36, 1.0], [0.46, 0.8], [0.42, 0.1], [0.3, -0.2]]], advance: 0.74 };
const I: Letter = Letter { strokes: &[MINIM], advance: 0.36 };
const L: Letter = Letter { strokes: &[TALL], advance: 0.36 };
const M: Letter = Letter { strokes: &[MINIM, SECOND, THIRD], advance: 1.12 };
const N: Letter = Letter { strokes: &[MINIM, SECOND], advance: 0.74 };
const O: Letter = Letter { strokes: &[LEFT_BOW, RIGHT_BOW], advance: 0.72 };
const P: Letter = Letter {
    strokes: &[&[[-0.06, 0.9], [0.06, 1.0], [0.06, -0.56]], RIGHT_BOW, &[[0.06, 0.86], [0.26, 1.0]]],
    advance: 0.72,
};
const Q: Letter = Letter {
    strokes: &[LEFT_BOW, &[[0.3, 1.0], [0.46, 0.96], [0.46, -0.56]], &[[0.24, 0.0], [0.46, 0.16]]],
    advance: 0.72,
};
const R: Letter = Letter { strokes: &[MINIM, &[[0.08, 0.78], [0.3, 1.0], [0.4, 0.88]]], advance: 0.5 };
const LONG_S: Letter = Letter { strokes: &[&[[0.42, 1.6], [0.24, 1.72], [0.06, 1.4], [0.06, 0.0]]], advance: 0.4 };
const S: Letter = Letter {
    strokes: &[&[[0.42, 0.9], [0.24, 1.0], [0.08, 0.8], [0.4, 0.36], [0.3, 0.06], [0.02, 0.06]]],
    advance: 0.58,
};
const T: Letter = Letter {
    strokes: &[&[[0.08, 1.2], [0.06, 0.14], [0.14, 0.0], [0.3, 0.1]], &[[-0.1, 0.94], [0.32, 0.96]]],
    advance: 0.46,
};
const U: Letter = Letter {
    strokes: &[MINIM, &[[0.1, 0.02], [0.4, 0.2]], &[[0.36, 0.94], [0.44, 0.9], [0.44, 0.1], [0.58, 0.06]]],
    advance: 0.74,
};
const X: Letter = Letter {
    strokes: &[&[[0.0, 0.98], [0.14, 0.9], [0.4, 0.1], [0.5, 0.06]], &[[0.44, 0.96], [0.04, 0.0], [-0.14, -0.2]]],
    advance: 0.62,
};

/// How often letters come up in Latin, roughly, in so many of a hundred.
const FREQUENCIES: [(&Letter, usize); 21] = [
    (&I, 12),
    (&E, 11),
    (&T, 8),
    (&A, 8),
    (&U, 8),
    (&S, 4),
    (&LONG_S, 4),
    (&R, 7),
    (&N, 6),
    (&O, 6),
    (&M, 5),
    (&C, 4),
    (&L, 3),
    (&P, 3),
    (&D, 3),
    (&Q, 2),
    (&B, 2),
    (&G, 1),
    (&F, 1),
    (&H, 1),
    (&X, 1),
];

/// The hand of a scribe on a page.
pub(super) struct Hand {
    /// Height of a small letter in pixels.
    pub x_height: f64,
    /// Half the width of the pen in pixels.
    nib: f64,
    slant: f64,
    /// How much a letter leaves its place, in units of `x_height`.
    unrest: f64,
    narrowness: f64,
    pub ink: Colour,
    pub red: Colour,
}

impl Hand {
    pub fn new(pitch: f64, stream: &mut Stream) -> Self {
        let x_height = pitch * stream.between(0.36, 0.44);
        let warmth = stream.uniform();
        Hand {
            x_height,
            nib: x_height * stream.between(0.12, 0.16),
            slant: stream.between(-0.04, 0.12),
            unrest: stream.between(0.01, 0.04),
            narrowness: stream.between(0.88, 1.06),
            ink: [44.0 + 34.0 * warmth, 32.0 + 18.0 * warmth, 26.0 + 8.0 * warmth],
            red: [stream.between(150.0, 186.0), stream.between(38.0, 60.0), stream.between(28.0, 44.0)],
        }
    }

    /// Writes a line of words from `start` on, at most `width` pixels long.
    ///
    /// A full line is stretched to `width`, as scribes did it: by the spaces between its words. `full` is the share of the
    /// width that is written on. Some words are `rubric`: in red.
    pub fn line(&self, layer: &mut Layer, start: Point, width: f64, full: f64, rubric: f64, stream: &mut Stream) {
        let gap = 0.62 * self.x_height;
        let mut words: Vec<(Vec<&Letter>, f64)> = Vec::new();
        let mut used = 0.0;
        while words.len() < 60 {
            let letters = self.word(stream);
            let length = letters.iter().map(|letter| letter.advance).sum::<f64>() * self.x_height * self.narrowness;
            if used + length > full * width {
                break;
            }
            used += length + gap;
            words.push((letters, length));
        }
        let slack = if full >= 1.0 { width - (used - gap) } else { 0.0 };
        let stretch = (slack / (words.len().max(2) - 1) as f64).clamp(0.0, 1.2 * self.x_height);
        let mut at = start;
        for (letters, length) in words {
            let colour = if stream.chance(rubric) { self.red } else { self.fading(stream) };
            self.letters(layer, at, &letters, colour, stream);
            if stream.chance(0.08) {
                // A stroke above the word: letters are left out.
                let y = at[1] - 1.32 * self.x_height;
                self.pen(layer, [at[0] + 0.2 * length, y], [at[0] + 0.7 * length, y], colour);
            }
            at[0] += length + gap + stretch;
        }
    }

    fn word(&self, stream: &mut Stream) -> Vec<&'static Letter> {
        let length = 1 + stream.below(5) + stream.below(5);
        let letter = |stream: &mut Stream| {
            let mut rest = stream.below(100);
            let found = FREQUENCIES.iter().find(|(_, share)| {
                let here = rest < *share;
                rest = rest.saturating_sub(*share);
                here
            });
            found.map_or(&I, |(letter, _)| *letter)
        };
        (0..length).map(|_| letter(stream)).collect()
    }

    /// Ink is darker after each dip.
    fn fading(&self, stream: &mut Stream) -> Colour {
        let pale = 34.0 * stream.uniform() * stream.uniform();
        [self.ink[0] + 1.1 * pale, self.ink[1] + pale, self.ink[2] + 0.8 * pale]
    }

    fn letters(&self, layer: &mut Layer, start: Point, letters: &[&Letter], colour: Colour, stream: &mut Stream) {
        let mut left = start[0];
        for letter in letters {
            let [jx, jy] = [stream.normal() * self.unrest, stream.normal() * self.unrest];
            let place = |[x, y]: Point| {
                let x = (x + jx) * self.narrowness + self.slant * y;
                [left + x * self.x_height, start[1] - (y + jy) * self.x_height]
            };
            for stroke in letter.strokes {
                for pair in stroke.windows(2) {
                    self.pen(layer, place(pair[0]), place(pair[1]), colour);
                }
            }
            left += letter.advance * self.x_height * self.narrowness;
        }
    }

    /// A stroke as wide as the pen's edge is across it, and never narrower than a hairline.
    fn pen(&self, layer: &mut Layer, from: Point, to: Point, colour: Colour) {
        let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
        let length = (dx * dx + dy * dy).sqrt().max(1e-9);
        let across = (dx * NIB[1] - dy * NIB[0]).abs() / length;
        let radius = self.nib * (0.3 + 0.7 * across);
        layer.stroke(from, to, [radius; 2], colour);
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas::Frame;
    use super::*;

    #[test]
    fn letter_frequencies_are_shares_of_a_hundred() {
        assert_eq!(FREQUENCIES.iter().map(|(_, share)| share).sum::<usize>(), 100);
    }

    #[test]
    fn full_lines_fill_their_width_and_stay_in_it() {
        let hand = Hand::new(20.0, &mut Stream::new(1, "hand", 0));
        for seed in 0..10 {
            let mut layer = Layer::new(60, 400, Frame::new([0.0; 2], 0.0));
            hand.line(&mut layer, [50.0, 40.0], 300.0, 1.0, 0.0, &mut Stream::new(seed, "line", 0));
            let columns: Vec<usize> = (0..400).filter(|x| (0..60).any(|y| layer.cover[y * 400 + x] >= 0.5)).collect();
            let (first, last) = (columns[0], columns[columns.len() - 1]);
            assert!((46..60).contains(&first) && (330..356).contains(&last), "{first} to {last}");
        }
    }
}
