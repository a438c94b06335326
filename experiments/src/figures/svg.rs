//! What all plots share: the SVG frame, its text, and titles under the pointer.

use std::fmt::Write;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Where plots are drawn.
pub(super) type Canvas<'a> = SVGBackend<'a>;

/// Why plotters could not draw.
pub(super) type DrawError = DrawingAreaErrorKind<std::io::Error>;

/// Width of every plot in pixels of its own coordinates; on a page it shrinks with the column.
pub(super) const WIDTH: u32 = 820;

/// Font sizes in pixels.
pub(super) const TITLE_SIZE: f64 = 17.0;
/// Axis titles, labels, legend.
pub(super) const LABEL_SIZE: f64 = 13.0;
/// Second lines.
pub(super) const NOTE_SIZE: f64 = 12.0;

/// An invisible disc over a point which shows `title` while the pointer rests on it.
pub(super) struct Hover {
    /// Pixel of its centre.
    pub at: (i32, i32),
    /// The text shown.
    pub title: String,
    /// The anchor on the page that a click leads to.
    pub link: Option<String>,
}

/// Draws a plot on white with its title in the top left corner and returns the SVG document.
///
/// `description` is what a screen reader says. plotters writes fixed sizes and knows no titles, so the root element is
/// written anew and the hovers are added at the end, above everything drawn.
pub(super) fn draw(
    height: u32,
    title: &str,
    description: &str,
    paint: impl FnOnce(&DrawingArea<Canvas, Shift>) -> Result<Vec<Hover>, DrawError>,
) -> String {
    let mut drawn = String::new();
    let hovers = {
        let canvas = SVGBackend::with_string(&mut drawn, (WIDTH, height)).into_drawing_area();
        let result = canvas
            .fill(&WHITE)
            .and_then(|()| canvas.draw(&Text::new(clean(title), (14, 14), bold(TITLE_SIZE, HPos::Left, VPos::Top))))
            .and_then(|()| paint(&canvas))
            .and_then(|hovers| canvas.present().map(|()| hovers));
        result.expect("drawing into a string cannot fail")
    };
    let body = drawn.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</svg>")).map_or("", |(body, _)| body);
    // Links inside an image would not be announced; and hundreds of them are no way to get to the table, which has them all: a click
    // follows one, the tabulator does not stop there.
    let role = if hovers.iter().any(|hover| hover.link.is_some()) { "group" } else { "img" };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"100%\" \
         style=\"max-width:{WIDTH}px;height:auto\" role=\"{role}\" aria-label=\"{}\">{body}",
        escape(description)
    );
    for Hover { at: (x, y), title, link } in hovers {
        let title = escape(&title);
        let disc =
            format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"8\" fill=\"transparent\"><title>{title}</title></circle>");
        match link {
            Some(link) => {
                writeln!(svg, "<a href=\"#{}\" tabindex=\"-1\" aria-label=\"{title}\">{disc}</a>", escape(&link))
            }
            None => writeln!(svg, "{disc}"),
        }
        .expect("writing to a string cannot fail");
    }
    svg.push_str("</svg>\n");
    svg
}

/// A text style of this size in pixels, anchored at its left, right or middle.
pub(super) fn text(size: f64, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    style(size, FontStyle::Normal, horizontal, vertical)
}

/// [`text`] in bold.
pub(super) fn bold(size: f64, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    style(size, FontStyle::Bold, horizontal, vertical)
}

fn style(size: f64, weight: FontStyle, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    // plotters writes font-size = size / 1.24.
    let font = FontDesc::new(FontFamily::SansSerif, 1.24 * size, weight);
    TextStyle::from(font).color(&super::palette::INK).pos(Pos::new(horizontal, vertical))
}

/// Writes the title of a horizontal axis, centred at a pixel.
pub(super) fn x_axis_title(canvas: &DrawingArea<Canvas, Shift>, title: &str, at: (i32, i32)) -> Result<(), DrawError> {
    canvas.draw(&Text::new(clean(title), at, text(LABEL_SIZE, HPos::Center, VPos::Center)))
}

/// Writes the title of a vertical axis, read from bottom to top, centred at a pixel.
pub(super) fn y_axis_title(canvas: &DrawingArea<Canvas, Shift>, title: &str, at: (i32, i32)) -> Result<(), DrawError> {
    let style = text(LABEL_SIZE, HPos::Center, VPos::Center).transform(FontTransform::Rotate270);
    canvas.draw(&Text::new(clean(title), at, style))
}

/// The text without the control characters that XML forbids. plotters escapes markup itself.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c }).collect()
}

/// [`clean`] text, safe as content and inside quotes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Every tag is closed and every ampersand begins an entity: the markup of a caller's text cannot have got through.
    pub(in super::super) fn assert_well_formed(svg: &str) {
        let mut open = Vec::new();
        for piece in svg.split('<').skip(1) {
            let (tag, content) = piece.split_once('>').expect("every < has its >");
            assert!(!content.contains('>'), "a stray > after <{tag}>");
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "closed in the wrong order"),
                None if tag.ends_with('/') => {}
                None => open.push(tag.split_whitespace().next().expect("a tag has a name")),
            }
        }
        assert!(open.is_empty(), "never closed: {open:?}");
        for entity in svg.split('&').skip(1) {
            let name = entity.split_once(';').map_or("", |(name, _)| name);
            assert!(["amp", "lt", "gt", "quot", "apos"].contains(&name), "a stray & before {entity:.10}");
        }
    }

    #[test]
    fn the_frame() {
        let hover = || Hover { at: (5, 7), title: "net <1> & \"2\"".into(), link: None };
        let svg = draw(100, "a < b", "one > \"two\"\u{1}", |_| Ok(vec![hover()]));
        assert_well_formed(&svg);
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 820 100\" width=\"100%\""));
        assert!(svg.contains("role=\"img\" aria-label=\"one &gt; &quot;two&quot; \">"));
        let linked = draw(100, "a", "b", |_| Ok(vec![Hover { link: Some("row".into()), ..hover() }]));
        assert!(linked.contains("role=\"group\" aria-label=\"b\">"), "links inside an image are not announced");
        assert!(linked.contains("<a href=\"#row\" tabindex=\"-1\" aria-label=\"net &lt;1&gt; &amp; &quot;2"));
        assert!(
            svg.contains("<circle cx=\"5\" cy=\"7\" r=\"8\" fill=\"transparent\"><title>net &lt;1&gt; &amp; &quot;2")
        );
        assert!(svg.contains("a &lt; b") && svg.contains("font-family=\"sans-serif\""));
        assert!(svg.contains("font-size=\"17\"") && !svg.contains("script"));
    }
}
