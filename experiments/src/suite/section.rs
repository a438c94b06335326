//! What an experiment has to say on the page of the report.

use super::claims::Finding;
use crate::figures::png_size;
use std::collections::BTreeMap;

/// One experiment on the page: what was asked, how, and what was found on each data set.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Figures, tables and text, in the order of reading.
    pub blocks: Vec<Block>,
    /// What follows for the claims of the paper.
    pub findings: Vec<Finding>,
    /// Where the run differs from the protocol, a sentence each.
    pub deviations: Vec<String>,
    /// Numbers as text by name, such as `mnist.partial.mse.rho`, for accounts that are written around them.
    pub numbers: BTreeMap<String, String>,
}

/// A piece of a section.
#[derive(Clone, Debug)]
pub enum Block {
    /// The name of a data set or of a part.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// A plot or pictures.
    Figure {
        /// `F1`.
        id: &'static str,
        /// What it shows, and how to read it.
        caption: String,
        /// The plot or the pictures.
        image: Image,
    },
    /// A table.
    Table {
        /// `T1`.
        id: &'static str,
        /// What it holds, with units.
        caption: String,
        /// Its columns.
        columns: Vec<Column>,
        /// Its rows, a text for each column; the first names the row.
        rows: Vec<Vec<String>>,
    },
}

/// What a figure is drawn in.
#[derive(Clone, Debug)]
pub enum Image {
    /// A plot as SVG.
    Svg(String),
    /// Pictures as PNG.
    Png {
        /// The file.
        bytes: Vec<u8>,
        /// Width and height in pixels.
        size: [usize; 2],
        /// What a screen reader says.
        description: String,
    },
}

impl Image {
    /// Pictures in a PNG file; `None` if it is none.
    pub fn png(file: Vec<u8>, description: &str) -> Option<Self> {
        let size = png_size(&file)?;
        Some(Self::Png { bytes: file, size, description: description.to_string() })
    }
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its title.
    pub title: String,
    /// Whether it holds numbers, which are aligned to the right.
    pub numeric: bool,
}

/// Columns of a table: those whose title begins with `#` hold numbers.
pub fn columns<const N: usize>(titles: [&str; N]) -> Vec<Column> {
    let column = |title: &str| match title.strip_prefix('#') {
        Some(title) => Column { title: title.to_string(), numeric: true },
        None => Column { title: title.to_string(), numeric: false },
    };
    titles.map(column).into()
}
