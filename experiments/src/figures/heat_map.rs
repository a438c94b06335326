//! The heat map: a matrix of values from -1 to 1, each written in its cell.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::widest;
use super::palette::INK;
use super::svg::{self, Canvas, DrawError, Hover, LABEL_SIZE, clean, text};

/// Pixels down to the first row.
const TOP: i32 = 50;
/// Height of a row.
const ROW: i32 = 32;

/// A matrix such as that of the correlations of several scores. Blue is positive, orange negative, white none; the number in
/// each cell says the same without colour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeatMap {
    /// Heading.
    pub title: String,
    /// What a screen reader says: one sentence with the finding.
    pub description: String,
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The values, row by row; one that is not finite leaves its cell empty.
    pub values: Vec<Vec<f64>>,
}

impl HeatMap {
    /// The plot as an SVG document.
    pub fn to_svg(&self) -> String {
        let height = TOP + self.rows.len() as i32 * ROW + self.column_labels() + 16;
        svg::draw(height as u32, &self.title, &self.description, |canvas| self.paint(canvas))
    }

    /// Names of columns are read from bottom to top.
    fn column_labels(&self) -> i32 {
        widest(self.columns.iter().map(String::as_str), LABEL_SIZE) + 12
    }

    fn paint(&self, canvas: &DrawingArea<Canvas, Shift>) -> Result<Vec<Hover>, DrawError> {
        let left = 24 + widest(self.rows.iter().map(String::as_str), LABEL_SIZE);
        let cell = ((svg::WIDTH as i32 - left - 24) / self.columns.len().max(1) as i32).min(84);
        let mut hovers = Vec::new();
        for (row, (name, values)) in self.rows.iter().zip(&self.values).enumerate() {
            let top = TOP + row as i32 * ROW;
            let middle = top + ROW / 2;
            let style = text(LABEL_SIZE, HPos::Right, VPos::Center);
            canvas.draw(&Text::new(clean(name), (left - 10, middle), style))?;
            for (column, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
                let x = left + column as i32 * cell;
                let fill = shade(*value);
                canvas.draw(&Rectangle::new([(x, top), (x + cell - 2, top + ROW - 2)], fill.filled()))?;
                let ink = if value.abs() > 0.6 { WHITE } else { INK };
                let style = text(LABEL_SIZE, HPos::Center, VPos::Center).color(&ink);
                let at = (x + cell / 2, middle - 1);
                // Rounding -0.001 gives "-0.00".
                let number = format!("{value:.2}");
                let number = if number == "-0.00" { "0.00".to_string() } else { number };
                canvas.draw(&Text::new(number, at, style))?;
                let title = format!("{name}, {}: {value:.3}", self.columns.get(column).map_or("", String::as_str));
                hovers.push(Hover { at, title, link: None });
            }
        }
        let bottom = TOP + self.rows.len() as i32 * ROW + 6;
        for (column, name) in self.columns.iter().enumerate() {
            let at = (left + column as i32 * cell + cell / 2, bottom);
            let style = text(LABEL_SIZE, HPos::Right, VPos::Center).transform(FontTransform::Rotate270);
            canvas.draw(&Text::new(clean(name), at, style))?;
        }
        Ok(hovers)
    }
}

/// White at 0, towards blue at 1 and orange at -1.
fn shade(value: f64) -> RGBColor {
    let strength = value.abs().min(1.0);
    let full = if value >= 0.0 { [0.0, 114.0, 178.0] } else { [213.0, 94.0, 0.0] };
    let [red, green, blue] = full.map(|channel| (255.0 + (channel - 255.0) * strength).round() as u8);
    RGBColor(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::super::svg::tests::assert_well_formed;
    use super::*;

    #[test]
    fn every_finite_value_is_written_and_named() {
        let map = HeatMap {
            title: "Agreement".into(),
            rows: vec!["mse".into(), "ssim".into()],
            columns: vec!["mse".into(), "ssim".into()],
            values: vec![vec![1.0, -0.25], vec![f64::NAN, -0.001]],
            ..HeatMap::default()
        };
        let svg = map.to_svg();
        assert_well_formed(&svg);
        for text in ["1.00", "-0.25", "mse, ssim: -0.250", ">0.00<", "ssim, ssim"] {
            assert!(svg.contains(text) || svg.contains(&text.replace(['>', '<'], "")), "{text}");
        }
        assert_eq!(svg.matches("<title>").count(), 3, "the undefined cell is empty");
        assert_well_formed(&HeatMap::default().to_svg());
    }

    #[test]
    fn shades_go_from_white_both_ways() {
        assert_eq!((shade(0.0), shade(1.0), shade(-1.0)), (WHITE, RGBColor(0, 114, 178), RGBColor(213, 94, 0)));
    }
}
