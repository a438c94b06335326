//! What a camera sees of a page.

use super::super::random::Stream;
use super::canvas::{Point, blur, inside_convex};
use super::parchment::{Noise, Parchment};
use super::{BACKGROUND, DECORATION, Layout, Leaf, PERIPHERY, Page, PageSpec, Sheets, TEXT};
use crate::ImageShape;

/// Light, skin, ink and paint together, as a camera sees them.
pub(super) fn expose(
    spec: PageSpec,
    leaf: &Leaf,
    layout: &Layout,
    front: &Sheets,
    behind: &Sheets,
    stream: &mut Stream,
) -> Page {
    let PageSpec { height, width } = spec;
    let side = height.min(width) as f64;
    let skin = Parchment::new(height, width, stream);
    let around = Surroundings::new(leaf, spec, stream);
    let wobble = Noise::new(height.max(width), 0.12 * side, 3, stream);
    let ruling = layout.ruling(height, width);
    let (ruled, through) = (stream.between(0.06, 0.22), stream.between(0.03, 0.13));
    let (light, tilt) = (stream.between(0.93, 1.03), [stream.between(-0.07, 0.07), stream.between(-0.05, 0.05)]);
    let ink_strength = stream.between(0.84, 0.95);
    let verso = behind.text.blurred_cover(3);
    let verso_paint = behind.decoration.blurred_cover(3);
    let mut channels = [vec![0.0; height * width], vec![0.0; height * width], vec![0.0; height * width]];
    let mut labels = Vec::with_capacity(height * width);
    for y in 0..height {
        for x in 0..width {
            let index = y * width + x;
            let point = [x as f64 + 0.5, y as f64 + 0.5];
            // Skins are not cut straight.
            let inside = inside_convex(&leaf.corners, point) + 0.007 * side * wobble.at(point[0], point[1]);
            let page = (inside + 0.5).clamp(0.0, 1.0);
            let mut colour = [0.0; 3];
            if page < 1.0 {
                colour = around.colour(point, -inside);
            }
            if page > 0.0 {
                mix(&mut colour, skin.colour(point[0], point[1], inside), page);
            }
            let (text, paint) = (front.text.cover[index], front.decoration.cover[index]);
            let mirrored = y * width + (width - 1 - x);
            let shade =
                through * (verso[mirrored] + 0.6 * verso_paint[mirrored]).min(1.0) + ruled * ruling.cover[index];
            if inside >= 0.0 {
                colour =
                    [colour[0] * (1.0 - 0.75 * shade), colour[1] * (1.0 - 0.85 * shade), colour[2] * (1.0 - shade)];
                let wear = 1.0 - 0.18 * (0.5 + 0.5 * wobble.at(point[1], point[0]));
                mix(&mut colour, front.text.colour[index], text * ink_strength * wear);
                mix(&mut colour, front.decoration.colour[index], paint * 0.93 * wear);
            }
            labels.push(match () {
                _ if inside < 0.0 => PERIPHERY,
                _ if paint >= 0.5 => DECORATION,
                _ if text >= 0.5 => TEXT,
                _ => BACKGROUND,
            });
            // The page bends into the binding.
            let from_binding = if leaf.binding_left { point[0] } else { width as f64 - point[0] } / (0.13 * side);
            let bend = 1.0 - 0.3 * libm::exp(-from_binding);
            let slope = tilt[0] * (point[0] / width as f64 - 0.5) + tilt[1] * (point[1] / height as f64 - 0.5);
            let gain = bend * (light + slope);
            channels.iter_mut().zip(colour).for_each(|(channel, value)| channel[index] = value * gain);
        }
    }
    // The lens: half sharp, half a little blurred.
    let lens = |channel: Vec<f64>| -> Vec<f64> {
        blur(&channel, height, width).into_iter().zip(channel).map(|(soft, sharp)| 0.5 * (soft + sharp)).collect()
    };
    let channels = channels.map(lens);
    let pixels = (0..height * width).flat_map(|index| [0, 1, 2].map(|channel| channels[channel][index]));
    // The noise of the sensor. A float to integer cast saturates.
    let pixels = pixels.map(|value| (value + 1.8 * stream.normal() + 0.5).floor() as u8).collect();
    Page { shape: ImageShape { height, width, channels: 3 }, pixels, labels }
}

/// What lies outside the page: beyond the binding the facing page, elsewhere edges of leaves below and the table.
struct Surroundings<'a> {
    leaf: &'a Leaf,
    width: f64,
    facing: Parchment,
    cloth: Noise,
    table: [f64; 3],
    /// Distance of the edges of the leaves below.
    edges: f64,
}

impl<'a> Surroundings<'a> {
    fn new(leaf: &'a Leaf, PageSpec { height, width }: PageSpec, stream: &mut Stream) -> Self {
        let grey = stream.between(24.0, 56.0);
        Surroundings {
            leaf,
            width: width as f64,
            facing: Parchment::new(height, width, stream),
            cloth: Noise::new(height.max(width), 3.0, 2, stream),
            table: [0, 1, 2].map(|_| grey + stream.between(-5.0, 5.0)),
            edges: stream.between(1.4, 2.6),
        }
    }

    /// The colour at a point so far outside the page.
    fn colour(&self, [x, y]: Point, outside: f64) -> [f64; 3] {
        let Surroundings { leaf, width, .. } = *self;
        let [top_left, top_right, bottom_right, bottom_left] = leaf.corners;
        let within = y > top_left[1].max(top_right[1]) && y < bottom_left[1].min(bottom_right[1]);
        let beyond_binding = if leaf.binding_left { x < width * 0.5 } else { x > width * 0.5 };
        if within && beyond_binding {
            // Darkest in the fold.
            let fold = 1.0 - 0.75 * libm::exp(-outside.max(0.0) / (0.012 * width));
            return self.facing.colour(x, y, outside + 3.0).map(|value| value * fold);
        }
        let weave = 9.0 * self.cloth.at(x, y);
        if within && outside < 0.018 * width {
            // Leaves below, one line each.
            let phase = outside / self.edges - (outside / self.edges).floor();
            let tone = 150.0 - 70.0 * phase - 900.0 * outside / width + weave;
            return [tone, 0.9 * tone, 0.74 * tone];
        }
        let shadow = 1.0 - 0.6 * libm::exp(-outside.max(0.0) / (0.01 * width));
        self.table.map(|value| (value + weave) * shadow)
    }
}

fn mix(colour: &mut [f64; 3], with: [f64; 3], share: f64) {
    colour.iter_mut().zip(with).for_each(|(old, new)| *old += share * (new - *old));
}
