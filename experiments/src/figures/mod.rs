//! Pictures: sheets of images as PNG, plots as SVG.
//!
//! | picture | made by |
//! |---|---|
//! | originals above reconstructions, mosaics of features | [`Sheet`], written by [`encode_png`] |
//! | reconstruction quality against accuracy, a point per network | [`Scatter`] |
//! | rank correlations with intervals; the error of several decoders | [`DotPlot`] |
//! | curves over labels or patches, trajectories, strings of beads | [`LinePlot`] |
//! | a matrix of correlations | [`HeatMap`] |
//!
//! Inputs are plain numbers and names; what they stand for is the caller's. Plots are SVG text without scripts or ids,
//! so that several can stand in one page: they scale with the page, name themselves to a screen reader, and show the
//! `title` of a point when the pointer rests on it. Colours are Okabe and Ito's, which colour-blind readers can tell
//! apart.

mod axis;
mod baseline;
mod dots;
mod heat_map;
mod lines;
mod palette;
mod png;
mod scatter;
mod sheet;
mod svg;

pub use baseline::Baseline;
pub use dots::{Band, Dot, DotPlot, DotRow, Reference};
pub use heat_map::HeatMap;
pub use lines::{LinePlot, LinePoint, LineSeries, Scale};
pub use png::{Colour, encode_png, png_size};
pub use scatter::{Scatter, ScatterPoint};
pub use sheet::{Sheet, SheetLayout};
