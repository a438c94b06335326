//! Equally sized pictures laid out in a grid.

use super::png::{Colour, encode_png};

/// Gaps are white, as the page.
const BACKGROUND: u8 = 255;

/// The grid of a [`Sheet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetLayout {
    /// `[height, width]` of one picture, before enlarging.
    pub picture_size: [usize; 2],
    /// Grey or RGB pictures.
    pub colour: Colour,
    /// Number of rows of pictures.
    pub rows: usize,
    /// Number of columns of each group of columns; between groups the gap is wider.
    pub column_groups: Vec<usize>,
    /// Every pixel becomes a square of `scale` x `scale` pixels, so that nothing is smoothed.
    pub scale: usize,
    /// Pixels between neighbouring pictures, not enlarged.
    pub gap: usize,
    /// Pixels between groups of columns, not enlarged.
    pub group_gap: usize,
}

impl SheetLayout {
    /// Pixels in front of column `column`.
    fn left(&self, column: usize) -> usize {
        let mut first_of_group = 0;
        let mut groups_before = 0;
        for columns in &self.column_groups {
            first_of_group += columns;
            groups_before += usize::from(*columns > 0 && column >= first_of_group);
        }
        let gaps = column - groups_before.min(column);
        column * self.picture_size[1] * self.scale + gaps * self.gap + groups_before * self.group_gap
    }

    fn columns(&self) -> usize {
        self.column_groups.iter().sum()
    }
}

/// A grid of pictures: panels of originals and reconstructions, mosaics of features.
///
/// Pictures are `f32` in `[-1, 1]`, `[H, W, C]`, and are clipped to that range; -1 is black, 1 is white. NaN is drawn
/// as mid-grey. Places left empty are white.
///
/// ```
/// use pitfall::figures::{Colour, Sheet, SheetLayout};
///
/// // Two rows of three columns, the last set apart: a black and a white 2 x 2 picture at the ends of the first row.
/// let mut sheet = Sheet::new(SheetLayout {
///     picture_size: [2, 2], colour: Colour::Grey, rows: 2, column_groups: vec![2, 1], scale: 4, gap: 1, group_gap: 6,
/// });
/// sheet.place(0, 0, &[-1.0; 4]);
/// sheet.place(0, 2, &[1.0; 4]);
/// assert_eq!(sheet.size(), [2 * 8 + 1, 3 * 8 + 1 + 6]);
/// let file = sheet.to_png();
/// assert_eq!(&file[1..4], b"PNG");
/// ```
#[derive(Clone, Debug)]
pub struct Sheet {
    layout: SheetLayout,
    size: [usize; 2],
    pixels: Vec<u8>,
}

impl Sheet {
    /// An empty sheet.
    ///
    /// # Panics
    /// If the layout has no rows, columns or pixels.
    pub fn new(layout: SheetLayout) -> Self {
        let [height, width] = layout.picture_size.map(|side| side * layout.scale);
        let columns = layout.columns();
        assert!(layout.rows > 0 && columns > 0 && height * width > 0, "a sheet needs room for a picture: {layout:?}");
        let size = [layout.rows * (height + layout.gap) - layout.gap, layout.left(columns - 1) + width];
        let pixels = vec![BACKGROUND; size[0] * size[1] * layout.colour.channels()];
        Sheet { layout, size, pixels }
    }

    /// A mosaic of the pictures, in reading order, on a grid as square as possible with gaps of one pixel.
    ///
    /// # Panics
    /// If there is no picture, or one does not have height x width x channels values.
    pub fn mosaic(pictures: &[impl AsRef<[f32]>], picture_size: [usize; 2], colour: Colour, scale: usize) -> Self {
        let columns = (1..=pictures.len()).find(|side| side * side >= pictures.len()).unwrap_or(0);
        let rows = if columns > 0 { pictures.len().div_ceil(columns) } else { 0 };
        let column_groups = vec![columns];
        let layout = SheetLayout { picture_size, colour, rows, column_groups, scale, gap: 1, group_gap: 1 };
        let mut sheet = Sheet::new(layout);
        pictures.iter().enumerate().for_each(|(i, picture)| sheet.place(i / columns, i % columns, picture.as_ref()));
        sheet
    }

    /// Draws a picture at a place of the grid.
    ///
    /// # Panics
    /// If there is no such place, or the picture does not have height x width x channels values.
    pub fn place(&mut self, row: usize, column: usize, picture: &[f32]) {
        let SheetLayout { picture_size: [height, width], colour, rows, scale, gap, .. } = self.layout;
        let (columns, channels) = (self.layout.columns(), colour.channels());
        assert!(row < rows && column < columns, "place ({row}, {column}) on a sheet of {rows} x {columns} pictures");
        let values = height * width * channels;
        assert_eq!(picture.len(), values, "a picture of {} values for {height}x{width} {colour:?}", picture.len());
        let (top, left) = (row * (height * scale + gap), self.layout.left(column));
        for y in 0..height * scale {
            let source = &picture[y / scale * width * channels..][..width * channels];
            let start = ((top + y) * self.size[1] + left) * channels;
            let target = &mut self.pixels[start..][..width * scale * channels];
            for (x, pixel) in target.chunks_exact_mut(channels).enumerate() {
                let source = &source[x / scale * channels..][..channels];
                pixel.iter_mut().zip(source).for_each(|(byte, &value)| *byte = brightness(value));
            }
        }
    }

    /// `[height, width]` of the whole sheet in pixels.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// The sheet as a PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        encode_png(self.size, self.layout.colour, &self.pixels)
    }
}

/// The inverse of how images are read, `2 byte / 255 - 1`.
fn brightness(value: f32) -> u8 {
    if value.is_nan() {
        return 128;
    }
    // A float to integer cast saturates, which is the clipping.
    ((value + 1.0) * 127.5).round() as u8
}

#[cfg(test)]
mod tests {
    use super::super::png::tests::decode;
    use super::*;

    #[test]
    fn bytes_survive_the_way_to_floats_and_back() {
        for byte in 0..=255_u8 {
            assert_eq!(brightness(2.0 * f32::from(byte) / 255.0 - 1.0), byte);
        }
        assert_eq!([-7.0, 7.0, f32::NEG_INFINITY, f32::INFINITY, f32::NAN].map(brightness), [0, 255, 0, 255, 128]);
    }

    #[test]
    fn every_pixel_is_where_it_belongs() {
        let layout = SheetLayout {
            picture_size: [1, 2],
            colour: Colour::Grey,
            rows: 2,
            column_groups: vec![1, 2],
            scale: 2,
            gap: 1,
            group_gap: 3,
        };
        let mut sheet = Sheet::new(layout);
        sheet.place(0, 0, &[-1.0, 0.0]);
        sheet.place(0, 1, &[0.0, 0.0]);
        sheet.place(1, 2, &[1.0, -1.0]);
        #[rustfmt::skip]
        let want = [
            0, 0, 128, 128, 255, 255, 255, 128, 128, 128, 128, 255, 255, 255, 255, 255,
            0, 0, 128, 128, 255, 255, 255, 128, 128, 128, 128, 255, 255, 255, 255, 255,
            255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
            255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0,
            255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0,
        ];
        assert_eq!(decode(&sheet.to_png()), ([5, 16], Colour::Grey, want.to_vec()));
    }

    #[test]
    fn colours_keep_their_order() {
        let sheet = Sheet::mosaic(&[[1.0, -1.0, 0.0]], [1, 1], Colour::Rgb, 2);
        assert_eq!(decode(&sheet.to_png()), ([2, 2], Colour::Rgb, [255, 0, 128].repeat(4)));
    }

    #[test]
    fn a_mosaic_is_as_square_as_possible() {
        let black = [-1.0_f32; 9];
        for (count, size) in [(1, [3, 3]), (2, [3, 7]), (4, [7, 7]), (5, [7, 11]), (7, [11, 11])] {
            let pictures = vec![black; count];
            assert_eq!(Sheet::mosaic(&pictures, [3, 3], Colour::Grey, 1).size(), size, "{count} pictures");
        }
    }

    #[test]
    #[should_panic(expected = "place (0, 3)")]
    fn a_place_outside_panics() {
        Sheet::mosaic(&[[0.0]; 3], [1, 1], Colour::Grey, 1).place(0, 3, &[0.0]);
    }
}
