//! The scatter plot: a point per network, colour and shape by two properties, baselines as dashed lines.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{padded_range, text_width, tick_count, tick_label, widest};
use super::baseline::{self, Baseline};
use super::palette::{INK, colour, draw_marker};
use super::svg::{self, Canvas, DrawError, Hover, LABEL_SIZE, bold, clean, text, x_axis_title, y_axis_title};

const HEIGHT: u32 = 500;
/// Pixels above the plot, for the title.
const TOP: i32 = 50;
/// Pixels below and left of the plot, for an axis and its title.
const BOTTOM: i32 = 54;
/// See [`BOTTOM`].
const LEFT: i32 = 76;
/// Pixels between lines of text.
const LINE: i32 = 19;

/// A point of a [`Scatter`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScatterPoint {
    /// Position along the horizontal axis.
    pub x: f64,
    /// Position along the vertical axis.
    pub y: f64,
    /// Which of [`Scatter::series`]: the colour.
    pub series: usize,
    /// Which of [`Scatter::markers`]: the shape.
    pub marker: usize,
    /// Shown while the pointer rests on the point: the network's name, say.
    pub title: String,
    /// Where a click leads: the anchor of a row, such as `mnist-P1-17`.
    pub link: Option<String>,
}

/// A scatter plot, such as reconstruction quality (x) against probe accuracy (y).
///
/// The legend and the names of the baselines stand to the right of the data, never on them. Points that are not finite
/// are not drawn; the legend says how many. Colours repeat from the ninth series on, shapes from the eighth marker on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scatter {
    /// Heading.
    pub title: String,
    /// What a screen reader says: one sentence with the finding.
    pub description: String,
    /// Name and unit of the horizontal axis.
    pub x_title: String,
    /// Name and unit of the vertical axis.
    pub y_title: String,
    /// What the colours tell apart, for the legend: `code size`, say.
    pub series_title: String,
    /// The name of every series.
    pub series: Vec<String>,
    /// What the shapes tell apart, for the legend: `activation`, say.
    pub marker_title: String,
    /// The name of every marker shape; leave empty if there is only one.
    pub markers: Vec<String>,
    /// The points, drawn in this order.
    pub points: Vec<ScatterPoint>,
    /// The dashed lines; those that are not finite are left out.
    pub baselines: Vec<Baseline>,
}

impl Scatter {
    /// The plot as an SVG document.
    pub fn to_svg(&self) -> String {
        svg::draw(HEIGHT, &self.title, &self.description, |canvas| self.paint(canvas))
    }

    fn paint(&self, canvas: &DrawingArea<Canvas, Shift>) -> Result<Vec<Hover>, DrawError> {
        let points: Vec<_> = self.points.iter().filter(|point| point.x.is_finite() && point.y.is_finite()).collect();
        let baselines: Vec<_> = self.baselines.iter().filter(|baseline| baseline.y.is_finite()).collect();
        let x_range = padded_range(points.iter().map(|point| point.x));
        let y_range = padded_range(points.iter().map(|p| p.y).chain(baselines.iter().map(|b| b.y)));

        let legend_width = 32 + self.legend_text_width();
        let label_width = baseline::room(baselines.iter().copied());
        let mut chart = ChartBuilder::on(canvas)
            .margin_top(TOP)
            .margin_right(label_width + legend_width)
            .x_label_area_size(BOTTOM)
            .y_label_area_size(LEFT)
            .build_cartesian_2d(x_range.clone(), y_range.clone())?;
        let (x_pixels, y_pixels) = chart.plotting_area().get_pixel_range();
        let [x_ticks, y_ticks] = [&x_pixels, &y_pixels].map(|pixels| tick_count(pixels.end - pixels.start));
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(228, 228, 228))
            .axis_style(INK)
            .x_labels(x_ticks)
            .y_labels(y_ticks)
            .x_label_formatter(&tick_label(&x_range, x_ticks))
            .y_label_formatter(&tick_label(&y_range, y_ticks))
            .label_style(text(LABEL_SIZE, HPos::Left, VPos::Top))
            .draw()?;
        let middle = [&x_pixels, &y_pixels].map(|pixels| (pixels.start + pixels.end) / 2);
        x_axis_title(canvas, &self.x_title, (middle[0], HEIGHT as i32 - 14))?;
        y_axis_title(canvas, &self.y_title, (16, middle[1]))?;

        let placed: Vec<_> =
            baselines.iter().map(|line| (chart.backend_coord(&(x_range.start, line.y)).1, *line)).collect();
        baseline::paint(canvas, &placed, [&x_pixels, &y_pixels])?;

        let mut hovers = Vec::with_capacity(points.len());
        for point in &points {
            let at = chart.backend_coord(&(point.x, point.y));
            draw_marker(canvas, point.marker, at, colour(point.series))?;
            hovers.push(Hover { at, title: point.title.clone(), link: point.link.clone() });
        }
        let left = svg::WIDTH as i32 - legend_width;
        self.paint_legend(canvas, (left, y_pixels.start + 6), self.points.len() - points.len())?;
        Ok(hovers)
    }

    fn legend_text_width(&self) -> i32 {
        let names = self.series.iter().chain(&self.markers).map(String::as_str);
        let titles =
            [&self.series_title, &self.marker_title].into_iter().map(|title| text_width(title, LABEL_SIZE) - 16);
        widest(names, LABEL_SIZE).max(titles.max().unwrap_or(0))
    }

    /// Colours, then shapes in neutral ink, then the number of points that could not be drawn.
    fn paint_legend(
        &self,
        canvas: &DrawingArea<Canvas, Shift>,
        (left, top): (i32, i32),
        not_drawn: usize,
    ) -> Result<(), DrawError> {
        let mut y = top;
        let groups = [(&self.series_title, &self.series, true), (&self.marker_title, &self.markers, false)];
        for (title, names, are_colours) in groups.into_iter().filter(|(_, names, _)| !names.is_empty()) {
            canvas.draw(&Text::new(clean(title), (left, y), bold(LABEL_SIZE, HPos::Left, VPos::Center)))?;
            for (index, name) in names.iter().enumerate() {
                y += LINE;
                let (shape, fill) = if are_colours { (0, colour(index)) } else { (index, INK) };
                draw_marker(canvas, shape, (left + 6, y), fill)?;
                let style = text(LABEL_SIZE, HPos::Left, VPos::Center);
                canvas.draw(&Text::new(clean(name), (left + 18, y), style))?;
            }
            y += LINE + 10;
        }
        if not_drawn > 0 {
            let note = format!("not finite: {not_drawn}");
            canvas.draw(&Text::new(note, (left, y), text(LABEL_SIZE, HPos::Left, VPos::Center)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::svg::tests::assert_well_formed;
    use super::*;

    fn example() -> Scatter {
        let point =
            |x, y, series, marker, title: &str| ScatterPoint { x, y, series, marker, title: title.into(), link: None };
        Scatter {
            title: "Fashion & digits".into(),
            description: "accuracy against quality".into(),
            x_title: "R2 of the <reconstruction>".into(),
            y_title: "accuracy (share)".into(),
            series_title: "Code size".into(),
            series: vec!["16".into(), "64".into()],
            marker_title: "Activation".into(),
            markers: vec!["relu".into(), "tanh".into(), "linear".into()],
            points: vec![
                point(0.5, 0.7, 0, 0, "net 1 'a' & <b>"),
                point(0.9, 0.8, 1, 1, "net 2"),
                point(0.7, 0.75, 1, 2, "net 3"),
                point(f64::NAN, 0.9, 0, 0, "diverged"),
            ],
            baselines: vec![
                Baseline { y: 0.72, label: "raw pixels".into() },
                Baseline { y: f64::NAN, label: "PCA".into() },
            ],
        }
    }

    /// `[cx, cy]` of every hover with its title.
    fn hovers(svg: &str) -> Vec<(i32, i32, &str)> {
        svg.lines()
            .filter(|line| line.contains("<title>"))
            .map(|line| {
                let attribute = |name: &str| -> i32 {
                    let start = line.find(&format!("{name}=\"")).unwrap() + name.len() + 2;
                    line[start..].split('"').next().unwrap().parse().unwrap()
                };
                let title = line.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
                (attribute("cx"), attribute("cy"), title)
            })
            .collect()
    }

    #[test]
    fn every_finite_point_has_a_title_at_its_place() {
        let svg = example().to_svg();
        assert_well_formed(&svg);
        let hovers = hovers(&svg);
        assert_eq!(
            hovers.iter().map(|h| h.2).collect::<Vec<_>>(),
            ["net 1 &apos;a&apos; &amp; &lt;b&gt;", "net 2", "net 3"]
        );
        // The third point lies half-way between the others; up is a smaller pixel.
        assert!(hovers[0].0 < hovers[2].0 && hovers[2].0 < hovers[1].0 && hovers[1].1 < hovers[0].1);
        assert!((hovers[2].0 * 2 - hovers[0].0 - hovers[1].0).abs() <= 2);
        assert!((hovers[2].1 * 2 - hovers[0].1 - hovers[1].1).abs() <= 2);
        // Each disc is under its hover.
        let first = format!("<circle cx=\"{}\" cy=\"{}\" r=\"5\"", hovers[0].0, hovers[0].1);
        assert!(svg.contains(&first), "{first}");
    }

    #[test]
    fn the_legend_names_everything_and_counts_what_is_missing() {
        let svg = example().to_svg();
        for text in ["Code size", "16", "64", "Activation", "relu", "tanh", "linear", "raw pixels", "not finite: 1"] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(!svg.contains("PCA"), "a baseline that is not finite is left out");
        assert!(svg.contains("R2 of the &lt;reconstruction&gt;"));
    }

    #[test]
    fn degenerate_data_still_make_a_plot() {
        assert_well_formed(&Scatter::default().to_svg());
        let one = Scatter { points: vec![ScatterPoint { x: 1.0, y: 1.0, ..Default::default() }], ..Default::default() };
        assert_eq!(hovers(&one.to_svg()).len(), 1);
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        assert_eq!(example().to_svg(), example().to_svg());
    }
}
