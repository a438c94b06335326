//! The dot plot: a row per name, dots with or without intervals.

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{padded_range, text_width, tick_count, tick_label, widest};
use super::palette::{INK, colour, draw_marker};
use super::svg::{self, Canvas, DrawError, Hover, LABEL_SIZE, NOTE_SIZE, WIDTH, clean, text, x_axis_title};

/// Pixels down to the first line of names over the plot.
const TOP: i32 = 46;
/// Axis and its title.
const BOTTOM: i32 = 54;
/// Pixels between lines of text.
const LINE: i32 = 19;
/// Pixels between the dots of a row that belong to different series.
const DODGE: i32 = 11;
/// Pixels right of the plot: room for half a tick label.
const RIGHT: i32 = 24;

/// A dot of a [`DotPlot`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dot {
    /// Position along the axis. A dot that is not finite is not drawn.
    pub value: f64,
    /// Ends of the bar through the dot: a confidence interval.
    pub interval: Option<[f64; 2]>,
    /// Which of [`DotPlot::series`]: the colour, and the line within the row.
    pub series: usize,
    /// Shown while the pointer rests on the dot.
    pub title: String,
}

/// A row of a [`DotPlot`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DotRow {
    /// Written to the left.
    pub label: String,
    /// Written below the label: the numbers, say. May be empty.
    pub note: String,
    /// The dots.
    pub dots: Vec<Dot>,
}

/// A dashed vertical line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference {
    /// Its position.
    pub x: f64,
    /// Written over the plot.
    pub label: String,
}

/// A shaded range of the axis: the margin of an equivalence test, say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Band {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Written over the plot.
    pub label: String,
}

/// A horizontal dot plot. With intervals it is a forest plot of correlations; without, and with a series per encoder,
/// it compares the errors of several decoders.
///
/// The height follows the number of rows and series. Colours and shapes go with the series, so that the plot survives
/// printing in grey.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DotPlot {
    /// Heading.
    pub title: String,
    /// What a screen reader says: one sentence with the finding.
    pub description: String,
    /// Name and unit of the axis.
    pub x_title: String,
    /// The name of every series; the legend is left out below two.
    pub series: Vec<String>,
    /// The rows, from the top.
    pub rows: Vec<DotRow>,
    /// Dashed lines.
    pub references: Vec<Reference>,
    /// Shaded range.
    pub band: Option<Band>,
}

impl DotPlot {
    /// The plot as an SVG document.
    pub fn to_svg(&self) -> String {
        let height = self.plot_top() + self.rows.len().max(1) as i32 * self.row_height() + BOTTOM;
        svg::draw(height as u32, &self.title, &self.description, |canvas| self.paint(canvas))
    }

    fn lanes(&self) -> i32 {
        let of_dots = self.rows.iter().flat_map(|row| &row.dots).map(|dot| dot.series + 1).max();
        of_dots.unwrap_or(1) as i32
    }

    fn row_height(&self) -> i32 {
        let of_text = if self.rows.iter().any(|row| !row.note.is_empty()) { 42 } else { 26 };
        (self.lanes() * DODGE + 13).max(of_text)
    }

    /// Lines of text over the plot: the legend, the band, every reference.
    fn plot_top(&self) -> i32 {
        let legend = usize::from(self.series.len() > 1);
        let labels = self.references.iter().filter(|reference| !reference.label.is_empty()).count();
        TOP + LINE * (legend + usize::from(self.band.is_some()) + labels) as i32 - 4
    }

    /// Everything that has to be on the axis.
    fn values(&self) -> impl Iterator<Item = f64> {
        let dots = self.rows.iter().flat_map(|row| &row.dots);
        dots.flat_map(|dot| std::iter::once(dot.value).chain(dot.interval.into_iter().flatten()))
            .chain(self.references.iter().map(|reference| reference.x))
            .chain(self.band.iter().flat_map(|band| [band.low, band.high]))
    }

    fn paint(&self, canvas: &DrawingArea<Canvas, Shift>) -> Result<Vec<Hover>, DrawError> {
        let range = padded_range(self.values());
        let labels = widest(self.rows.iter().map(|row| row.label.as_str()), LABEL_SIZE);
        let notes = widest(self.rows.iter().map(|row| row.note.as_str()), NOTE_SIZE);
        let mut chart = ChartBuilder::on(canvas)
            .margin_top(self.plot_top())
            .margin_right(RIGHT)
            .margin_left(24 + labels.max(notes))
            .x_label_area_size(BOTTOM)
            .build_cartesian_2d(range.clone(), 0.0..1.0)?;
        let (x_pixels, y_pixels) = chart.plotting_area().get_pixel_range();
        let ticks = tick_count(x_pixels.end - x_pixels.start);
        let pixel = |value: f64| chart.backend_coord(&(value, 0.0)).0;

        // The shade goes under the grid, everything else over it.
        let mut line = TOP + if self.series.len() > 1 { LINE } else { 0 };
        if let Some(band) = &self.band {
            let (low, high) = (pixel(band.low), pixel(band.high));
            let shade = RGBColor(236, 239, 243).filled();
            canvas.draw(&Rectangle::new([(low, y_pixels.start), (high, y_pixels.end)], shade))?;
            paint_over(canvas, &band.label, (low + high) / 2, line)?;
            line += LINE;
        }
        let references: Vec<_> = self.references.iter().map(|reference| (reference, pixel(reference.x))).collect();
        chart
            .configure_mesh()
            .disable_y_axis()
            .disable_y_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(220, 220, 220))
            .axis_style(INK)
            .x_labels(ticks)
            .x_label_formatter(&tick_label(&range, ticks))
            .label_style(text(LABEL_SIZE, HPos::Left, VPos::Top))
            .draw()?;
        x_axis_title(canvas, &self.x_title, ((x_pixels.start + x_pixels.end) / 2, y_pixels.end + BOTTOM - 14))?;
        for (reference, x) in references {
            let mut top = y_pixels.start;
            if !reference.label.is_empty() {
                paint_over(canvas, &reference.label, x, line)?;
                top = line + LINE / 2;
                line += LINE;
            }
            canvas.draw(&DashedPathElement::new([(x, top), (x, y_pixels.end)], 6, 4, INK.stroke_width(1)))?;
        }
        self.paint_legend(canvas, x_pixels.start)?;

        let pixel = |value: f64| chart.backend_coord(&(value, 0.0)).0;
        let mut hovers = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            let middle = y_pixels.start + index as i32 * self.row_height() + self.row_height() / 2;
            let (right, half_line) = (x_pixels.start - 10, if row.note.is_empty() { 0 } else { 8 });
            let label_style = text(LABEL_SIZE, HPos::Right, VPos::Center);
            canvas.draw(&Text::new(clean(&row.label), (right, middle - half_line), label_style))?;
            let note_style = text(NOTE_SIZE, HPos::Right, VPos::Center);
            canvas.draw(&Text::new(clean(&row.note), (right, middle + half_line), note_style))?;
            for dot in row.dots.iter().filter(|dot| dot.value.is_finite()) {
                let y = middle + (2 * dot.series as i32 + 1 - self.lanes()) * DODGE / 2;
                let fill = colour(dot.series);
                if let Some([low, high]) = dot.interval.filter(|ends| ends.iter().all(|end| end.is_finite())) {
                    canvas.draw(&PathElement::new([(pixel(low), y), (pixel(high), y)], fill.stroke_width(2)))?;
                    for end in [pixel(low), pixel(high)] {
                        canvas.draw(&PathElement::new([(end, y - 4), (end, y + 4)], fill.stroke_width(2)))?;
                    }
                }
                let at = (pixel(dot.value), y);
                draw_marker(canvas, dot.series, at, fill)?;
                hovers.push(Hover { at, title: dot.title.clone(), link: None });
            }
        }
        Ok(hovers)
    }

    fn paint_legend(&self, canvas: &DrawingArea<Canvas, Shift>, left: i32) -> Result<(), DrawError> {
        let mut x = left;
        for (series, name) in self.series.iter().enumerate().filter(|_| self.series.len() > 1) {
            draw_marker(canvas, series, (x + 6, TOP), colour(series))?;
            canvas.draw(&Text::new(clean(name), (x + 18, TOP), text(LABEL_SIZE, HPos::Left, VPos::Center)))?;
            x += 36 + text_width(name, LABEL_SIZE);
        }
        Ok(())
    }
}

/// A centred label over the plot, moved inwards where it would leave the picture.
fn paint_over(canvas: &DrawingArea<Canvas, Shift>, label: &str, x: i32, y: i32) -> Result<(), DrawError> {
    let half = text_width(label, LABEL_SIZE) / 2 + 4;
    let x = x.min(WIDTH as i32 - half).max(half);
    canvas.draw(&Text::new(clean(label), (x, y), text(LABEL_SIZE, HPos::Center, VPos::Center)))
}

#[cfg(test)]
mod tests {
    use super::super::svg::tests::assert_well_formed;
    use super::*;

    fn forest() -> DotPlot {
        let row = |label: &str, value, interval| DotRow {
            label: label.into(),
            note: format!("{value:.2}"),
            dots: vec![Dot { value, interval, series: 0, title: format!("{label} & more") }],
        };
        DotPlot {
            title: "Correlations".into(),
            x_title: "Spearman's rho".into(),
            rows: vec![
                row("pooled", 0.62, Some([0.4, 0.8])),
                row("size < 32", 0.1, Some([-0.2, 0.4])),
                row("undefined", f64::NAN, None),
            ],
            references: vec![Reference { x: 0.0, label: "none".into() }],
            band: Some(Band { low: -0.3, high: 0.3, label: "margin".into() }),
            ..DotPlot::default()
        }
    }

    /// The number before `quote` in the first `attribute="..."` of the line.
    fn attribute(line: &str, name: &str) -> f64 {
        let start = line.find(&format!(" {name}=\"")).expect("the attribute is there") + name.len() + 3;
        line[start..].split('"').next().and_then(|value| value.parse().ok()).expect("a number")
    }

    fn hovers(svg: &str) -> Vec<[f64; 2]> {
        let lines = svg.lines().filter(|line| line.contains("<title>"));
        lines.map(|line| [attribute(line, "cx"), attribute(line, "cy")]).collect()
    }

    #[test]
    fn dots_stand_in_their_rows_at_their_values() {
        let svg = forest().to_svg();
        assert_well_formed(&svg);
        let hovers = hovers(&svg);
        assert_eq!(hovers.len(), 2, "the undefined one is not drawn");
        assert!(hovers[0][0] > hovers[1][0], "0.62 lies right of 0.1");
        assert_eq!(hovers[1][1] - hovers[0][1], f64::from(forest().row_height()));
        for text in ["pooled", "size &lt; 32", "undefined", "margin", "none", "0.62", "Spearman&apos;s rho"] {
            assert!(svg.contains(text), "{text}");
        }
    }

    #[test]
    fn series_get_their_own_lines_and_a_legend() {
        let dots = |values: [f64; 3]| -> Vec<Dot> {
            values.into_iter().enumerate().map(|(series, value)| Dot { value, series, ..Dot::default() }).collect()
        };
        let plot = DotPlot {
            series: vec!["net A".into(), "net B".into(), "net C".into()],
            rows: vec![DotRow { label: "own".into(), dots: dots([0.1, 0.2, 0.3]), ..DotRow::default() }],
            ..DotPlot::default()
        };
        let svg = plot.to_svg();
        assert_well_formed(&svg);
        assert!(["net A", "net B", "net C"].iter().all(|name| svg.contains(name)));
        let heights: Vec<f64> = hovers(&svg).iter().map(|at| at[1]).collect();
        assert_eq!([heights[1] - heights[0], heights[2] - heights[1]], [f64::from(DODGE); 2]);
    }

    #[test]
    fn degenerate_data_still_make_a_plot() {
        assert_well_formed(&DotPlot::default().to_svg());
        let undefined = Dot { value: 0.5, interval: Some([f64::NAN, 1.0]), ..Dot::default() };
        let plot = DotPlot { rows: vec![DotRow { dots: vec![undefined], ..DotRow::default() }], ..DotPlot::default() };
        assert_eq!(hovers(&plot.to_svg()).len(), 1);
    }
}
