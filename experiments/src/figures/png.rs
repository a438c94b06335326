//! Bytes of a PNG file from pixels.

/// What a pixel consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// One value, 0 black to 255 white.
    Grey,
    /// Red, green and blue.
    Rgb,
}

impl Colour {
    /// Values per pixel: 1 or 3.
    pub fn channels(self) -> usize {
        match self {
            Colour::Grey => 1,
            Colour::Rgb => 3,
        }
    }
}

/// Encodes pixels, row after row from the top left, as a PNG file with 8 bits per channel. `size` is `[height, width]`.
///
/// # Panics
/// If the number of values is not height x width x channels, or there is no pixel, or more than 2^31 - 1 in a
/// direction.
pub fn encode_png(size: [usize; 2], colour: Colour, pixels: &[u8]) -> Vec<u8> {
    let [height, width] = size;
    let values = height * width * colour.channels();
    assert_eq!(pixels.len(), values, "PNG: {} values for {height}x{width} pixels of {colour:?}", pixels.len());
    assert!(values > 0, "PNG: a picture of {height}x{width} has no pixels");
    let side = |length: usize| u32::try_from(length).expect("a side of a PNG fits 31 bits");
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, side(width), side(height));
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_color(match colour {
        Colour::Grey => ::png::ColorType::Grayscale,
        Colour::Rgb => ::png::ColorType::Rgb,
    });
    // A vector takes every byte, and the sizes were checked: nothing is left that could fail.
    let mut writer = encoder.write_header().expect("the header is valid");
    writer.write_image_data(pixels).expect("the pixels match the header");
    writer.finish().expect("the file is complete");
    bytes
}

/// Width and height of a PNG file; `None` if it is none.
pub fn png_size(file: &[u8]) -> Option<[usize; 2]> {
    let reader = ::png::Decoder::new(std::io::Cursor::new(file)).read_info().ok()?;
    let info = reader.info();
    Some([info.width as usize, info.height as usize])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Reads a file back: `[height, width]`, colour, values.
    pub(in super::super) fn decode(bytes: &[u8]) -> ([usize; 2], Colour, Vec<u8>) {
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let colour = if info.color_type == ::png::ColorType::Rgb { Colour::Rgb } else { Colour::Grey };
        ([info.height as usize, info.width as usize], colour, pixels)
    }

    #[test]
    fn pixels_come_back() {
        let grey: Vec<u8> = (0..6).map(|i| i * 50).collect();
        assert_eq!(decode(&encode_png([2, 3], Colour::Grey, &grey)), ([2, 3], Colour::Grey, grey));
        let rgb: Vec<u8> = (0..12).map(|i| i * 20).collect();
        let file = encode_png([4, 1], Colour::Rgb, &rgb);
        assert_eq!(decode(&file), ([4, 1], Colour::Rgb, rgb));
        assert_eq!((png_size(&file), png_size(b"GIF89a"), png_size(b"")), (Some([1, 4]), None, None));
    }

    #[test]
    #[should_panic(expected = "5 values for 2x3 pixels of Grey")]
    fn a_missing_pixel_panics() {
        encode_png([2, 3], Colour::Grey, &[0; 5]);
    }

    #[test]
    #[should_panic(expected = "0x3 has no pixels")]
    fn an_empty_picture_panics() {
        encode_png([0, 3], Colour::Grey, &[]);
    }
}
