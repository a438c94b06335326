//! The line plot: curves with intervals, trajectories, strings of beads; axes linear or logarithmic.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{padded_range, text_width, tick_count, ticks, widest};
use super::baseline::{self, Baseline};
use super::palette::{INK, colour, draw_marker};
use super::svg::{self, Canvas, DrawError, Hover, LABEL_SIZE, bold, clean, text, x_axis_title, y_axis_title};

const HEIGHT: u32 = 440;
/// Pixels above the plot, for the title.
const TOP: i32 = 50;
/// Pixels below and left of the plot, for an axis and its title.
const BOTTOM: i32 = 54;
/// See [`BOTTOM`].
const LEFT: i32 = 76;
/// Pixels between lines of text.
const LINE: i32 = 19;
/// Lines that only hold points together.
const THREAD: RGBColor = RGBColor(170, 170, 170);

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps.
    #[default]
    Linear,
    /// Equal factors; values that are not positive are not drawn.
    Logarithmic,
}

impl Scale {
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.log10(),
        }
    }
}

/// A point of a [`LineSeries`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinePoint {
    /// Position along the horizontal axis.
    pub x: f64,
    /// Position along the vertical axis.
    pub y: f64,
    /// Ends of the vertical bar through it: a confidence interval.
    pub interval: Option<[f64; 2]>,
    /// Shown while the pointer rests on it. May be empty for points without a marker.
    pub title: String,
    /// Where a click leads: the anchor of a row, such as `mnist-P1-17`.
    pub link: Option<String>,
}

/// Points that belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineSeries {
    /// Its name in the legend; empty for one that is not in it.
    pub name: String,
    /// Colour and shape of its markers; `None` for a thin grey thread without markers.
    pub style: Option<usize>,
    /// Whether the points are joined, in their order.
    pub joined: bool,
    /// The points.
    pub points: Vec<LinePoint>,
}

/// Curves over a common axis.
///
/// The legend and the names of the baselines stand to the right of the data, never on them. Points that are not finite, or
/// not positive on a logarithmic axis, are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinePlot {
    /// Heading.
    pub title: String,
    /// What a screen reader says: one sentence with the finding.
    pub description: String,
    /// Name and unit of the horizontal axis.
    pub x_title: String,
    /// Name and unit of the vertical axis.
    pub y_title: String,
    /// The horizontal axis.
    pub x_scale: Scale,
    /// The vertical axis.
    pub y_scale: Scale,
    /// What the series tell apart, for the legend.
    pub series_title: String,
    /// The curves, drawn in this order.
    pub series: Vec<LineSeries>,
    /// Dashed horizontal lines.
    pub baselines: Vec<Baseline>,
}

/// A point where it is drawn.
struct Placed<'a> {
    x: f64,
    y: f64,
    interval: Option<[f64; 2]>,
    point: &'a LinePoint,
}

impl LinePlot {
    /// Every point whose title begins with the name of a network, such as `P1-7: ...`, leads to the row of this network of `set`;
    /// without a set no point leads anywhere.
    #[must_use]
    pub fn leading_to_networks_of(mut self, set: Option<&str>) -> Self {
        let Some(set) = set else { return self };
        for point in self.series.iter_mut().flat_map(|series| &mut series.points) {
            let name = point.title.split([':', ',', ' ']).next().unwrap_or("");
            let is_network = name.split_once('-').is_some_and(|(population, number)| {
                matches!(population, "P1" | "P2" | "P3") && number.parse::<usize>().is_ok()
            });
            if is_network {
                point.link = Some(format!("{set}-{name}"));
            }
        }
        self
    }

    /// The plot as an SVG document.
    pub fn to_svg(&self) -> String {
        svg::draw(HEIGHT, &self.title, &self.description, |canvas| self.paint(canvas))
    }

    fn placed<'a>(&self, series: &'a LineSeries) -> Vec<Placed<'a>> {
        let place = |point: &'a LinePoint| {
            let (x, y) = (self.x_scale.place(point.x), self.y_scale.place(point.y));
            let interval = point.interval.map(|ends| ends.map(|end| self.y_scale.place(end)));
            let interval = interval.filter(|ends| ends.iter().all(|end| end.is_finite()));
            (x.is_finite() && y.is_finite()).then_some(Placed { x, y, interval, point })
        };
        series.points.iter().filter_map(place).collect()
    }

    fn paint(&self, canvas: &DrawingArea<Canvas, Shift>) -> Result<Vec<Hover>, DrawError> {
        let placed: Vec<Vec<Placed>> = self.series.iter().map(|series| self.placed(series)).collect();
        let baselines: Vec<(f64, &Baseline)> = self
            .baselines
            .iter()
            .map(|baseline| (self.y_scale.place(baseline.y), baseline))
            .filter(|(y, _)| y.is_finite())
            .collect();
        let all = || placed.iter().flatten();
        let x_range = padded_range(all().map(|point| point.x));
        let heights = all().flat_map(|point| [point.y].into_iter().chain(point.interval.into_iter().flatten()));
        let y_range = padded_range(heights.chain(baselines.iter().map(|(y, _)| *y)));

        let names = self.series.iter().map(|series| series.name.as_str());
        let legend_width = 32 + widest(names, LABEL_SIZE).max(text_width(&self.series_title, LABEL_SIZE) - 16);
        let label_width = baseline::room(baselines.iter().map(|(_, baseline)| *baseline));
        let width = svg::WIDTH as i32 - LEFT - label_width - legend_width;
        let height = HEIGHT as i32 - TOP - BOTTOM;
        let x_ticks = ticks(&x_range, tick_count(width), self.x_scale == Scale::Logarithmic);
        let y_ticks = ticks(&y_range, tick_count(height), self.y_scale == Scale::Logarithmic);
        let (x_pixels, y_pixels) = (LEFT..LEFT + width, TOP..TOP + height);
        let pixel = |x: f64, y: f64| {
            let along = |value: f64, range: &Range<f64>, pixels: i32| {
                ((value - range.start) / (range.end - range.start) * f64::from(pixels)).round() as i32
            };
            (LEFT + along(x, &x_range, width), TOP + height - along(y, &y_range, height))
        };
        let grid = RGBColor(228, 228, 228);
        for (tick, label) in x_ticks {
            let (x, _) = pixel(tick, y_range.start);
            canvas.draw(&PathElement::new([(x, y_pixels.start), (x, y_pixels.end)], grid))?;
            let style = text(LABEL_SIZE, HPos::Center, VPos::Top);
            canvas.draw(&Text::new(label, (x, y_pixels.end + 7), style))?;
        }
        for (tick, label) in y_ticks {
            let (_, y) = pixel(x_range.start, tick);
            canvas.draw(&PathElement::new([(x_pixels.start, y), (x_pixels.end, y)], grid))?;
            let style = text(LABEL_SIZE, HPos::Right, VPos::Center);
            canvas.draw(&Text::new(label, (x_pixels.start - 7, y), style))?;
        }
        let corner = (x_pixels.start, y_pixels.end);
        canvas
            .draw(&PathElement::new([(x_pixels.start, y_pixels.start), corner, (x_pixels.end, y_pixels.end)], INK))?;
        let middle = [&x_pixels, &y_pixels].map(|pixels| (pixels.start + pixels.end) / 2);
        x_axis_title(canvas, &self.x_title, (middle[0], HEIGHT as i32 - 14))?;
        y_axis_title(canvas, &self.y_title, (16, middle[1]))?;

        let placed_lines: Vec<_> = baselines.iter().map(|(y, line)| (pixel(x_range.start, *y).1, *line)).collect();
        baseline::paint(canvas, &placed_lines, [&x_pixels, &y_pixels])?;

        let mut hovers = Vec::new();
        for (series, points) in self.series.iter().zip(&placed) {
            let stroke = series.style.map_or(THREAD.stroke_width(1), |style| colour(style).stroke_width(2));
            if series.joined {
                let path: Vec<_> = points.iter().map(|point| pixel(point.x, point.y)).collect();
                canvas.draw(&PathElement::new(path, stroke))?;
            }
            for Placed { x, y, interval, point } in points {
                let at = pixel(*x, *y);
                if let Some([low, high]) = interval {
                    let ends = [pixel(*x, *low), pixel(*x, *high)];
                    canvas.draw(&PathElement::new(ends, stroke))?;
                    for (x, y) in ends {
                        canvas.draw(&PathElement::new([(x - 4, y), (x + 4, y)], stroke))?;
                    }
                }
                if let Some(style) = series.style {
                    draw_marker(canvas, style, at, colour(style))?;
                }
                if !point.title.is_empty() {
                    hovers.push(Hover { at, title: point.title.clone(), link: point.link.clone() });
                }
            }
        }
        self.paint_legend(canvas, (svg::WIDTH as i32 - legend_width, y_pixels.start + 6))?;
        Ok(hovers)
    }

    fn paint_legend(&self, canvas: &DrawingArea<Canvas, Shift>, (left, top): (i32, i32)) -> Result<(), DrawError> {
        let mut y = top;
        if !self.series_title.is_empty() {
            canvas.draw(&Text::new(
                clean(&self.series_title),
                (left, y),
                bold(LABEL_SIZE, HPos::Left, VPos::Center),
            ))?;
            y += LINE;
        }
        for series in self.series.iter().filter(|series| !series.name.is_empty()) {
            match series.style {
                Some(style) => draw_marker(canvas, style, (left + 6, y), colour(style))?,
                None => canvas.draw(&PathElement::new([(left, y), (left + 12, y)], THREAD.stroke_width(1)))?,
            }
            let style = text(LABEL_SIZE, HPos::Left, VPos::Center);
            canvas.draw(&Text::new(clean(&series.name), (left + 18, y), style))?;
            y += LINE;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::svg::tests::assert_well_formed;
    use super::*;

    fn point(x: f64, y: f64) -> LinePoint {
        LinePoint { x, y, title: format!("{x}"), ..LinePoint::default() }
    }

    fn curves() -> LinePlot {
        LinePlot {
            title: "Labels".into(),
            x_title: "labels".into(),
            y_title: "accuracy".into(),
            x_scale: Scale::Logarithmic,
            series_title: "Start".into(),
            series: vec![
                LineSeries {
                    name: "random & plain".into(),
                    style: Some(0),
                    joined: true,
                    points: vec![point(100.0, 0.5), point(1_000.0, 0.7), point(10_000.0, 0.8), point(0.0, 0.9)],
                },
                LineSeries { style: None, joined: true, points: vec![point(100.0, 0.4)], ..LineSeries::default() },
            ],
            baselines: vec![Baseline { y: 0.65, label: "pixels".into() }],
            ..LinePlot::default()
        }
    }

    fn hover_centres(svg: &str) -> Vec<i32> {
        let lines = svg.lines().filter(|line| line.contains("<title>"));
        lines.map(|line| line.split("cx=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()).collect()
    }

    #[test]
    fn equal_factors_are_equally_far_apart_and_zero_is_left_out() {
        let svg = curves().to_svg();
        assert_well_formed(&svg);
        let x = hover_centres(&svg);
        assert_eq!(x.len(), 4, "the point at 0 has no logarithm");
        assert!((x[1] - x[0] - (x[2] - x[1])).abs() <= 1, "{x:?}");
        for text in ["random &amp; plain", "pixels", "1,000", "Start"] {
            assert!(svg.contains(text), "{text}");
        }
    }

    #[test]
    fn a_linked_point_leads_to_its_row() {
        let mut plot = curves();
        plot.series[0].points[0].link = Some("mnist-P1-3".into());
        let svg = plot.to_svg();
        assert_well_formed(&svg);
        assert!(svg.contains("<a href=\"#mnist-P1-3\" "));
    }

    #[test]
    fn points_that_are_networks_lead_to_their_rows() {
        let titles = ["P1-3: k28", "P2-14, epoch 2", "P2-0 after 64 patches", "Pca-64: 0.9", "P1-: x", ""];
        let points = titles.map(|title| LinePoint { title: title.into(), ..LinePoint::default() }).to_vec();
        let plot = LinePlot { series: vec![LineSeries { points, ..LineSeries::default() }], ..LinePlot::default() };
        let links = |plot: LinePlot| -> Vec<Option<String>> {
            plot.series.into_iter().flat_map(|series| series.points).map(|point| point.link).collect()
        };
        let expected = [Some("mnist-P1-3"), Some("mnist-P2-14"), Some("mnist-P2-0"), None, None, None];
        assert_eq!(
            links(plot.clone().leading_to_networks_of(Some("mnist"))),
            expected.map(|link| link.map(String::from))
        );
        assert!(links(plot.leading_to_networks_of(None)).iter().all(Option::is_none));
    }

    #[test]
    fn intervals_widen_the_axis() {
        let mut plot = curves();
        plot.series[0].points[0].interval = Some([0.1, 0.95]);
        assert_well_formed(&plot.to_svg());
        assert_well_formed(&LinePlot::default().to_svg());
    }
}
