//! One picture: from the bytes of a PNG or JPEG file to channels-last bytes.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, ImageDecoder, ImageReader, Limits, RgbImage};

use super::PictureProblem;
use crate::source::DEFLATE_MAX_RATIO;
use crate::{DataError, ImageShape, Images, Problem};

/// How many numbers a pixel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Channels {
    /// One for a grey picture, three for a colour picture.
    #[default]
    AsStored,
    /// One; of a colour picture the mean of red, green and blue, to the nearest byte.
    Grey,
    /// Three; a grey picture gets three times the same.
    Colour,
}

/// What is done to every picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How many numbers a pixel has.
    pub channels: Channels,
    /// Height and width that pictures of another size are resized to, without regard to their proportions; none leaves
    /// them as they are.
    ///
    /// The filter is the triangle (bilinear interpolation; for shrinking, stretched to cover all pixels that fall on
    /// one, so that nothing is skipped), `image::imageops::FilterType::Triangle`.
    pub size: Option<[usize; 2]>,
    /// Pictures with more pixels are refused before they are decoded.
    pub max_pixels: u64,
}

impl Default for Options {
    /// Pictures as they are stored, up to 2^24 pixels (4096 x 4096).
    fn default() -> Self {
        Options { channels: Channels::AsStored, size: None, max_pixels: 1 << 24 }
    }
}

/// Reads one picture, [1, H, W, C]. The format is told by the content. 16 bits per value become 8, transparency is
/// dropped, palettes become colours; hints on orientation and colour profiles are not followed.
///
/// # Errors
///
/// When the file cannot be read, is no complete PNG or JPEG, or is too large.
pub fn read(path: impl AsRef<Path>, options: &Options) -> Result<Images, DataError> {
    read_with_stored_shape(path.as_ref(), options).map(|(picture, _)| picture)
}

/// The same as [`read`], and the shape before resizing (with the channels asked for).
pub(crate) fn read_with_stored_shape(path: &Path, options: &Options) -> Result<(Images, ImageShape), DataError> {
    let bytes = fs::read(path).map_err(|error| DataError::new(path, error.into()))?;
    decode(&bytes, options).map_err(|problem| DataError::new(path, problem.into()))
}

/// The same as [`read`] for a file held in memory; `name` stands for the path in messages.
///
/// # Errors
///
/// As for [`read`].
pub fn from_bytes(name: &str, bytes: &[u8], options: &Options) -> Result<Images, DataError> {
    let (picture, _) = decode(bytes, options).map_err(|problem| DataError::new(name, Problem::Picture(problem)))?;
    Ok(picture)
}

/// The picture, and its shape before resizing.
fn decode(bytes: &[u8], options: &Options) -> Result<(Images, ImageShape), PictureProblem> {
    let failed = |reason: String| PictureProblem::Decode { reason };
    if bytes.starts_with(&[0xff, 0xd8]) && !jpeg_has_end(bytes) {
        return Err(PictureProblem::CutShort { size: bytes.len() });
    }
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| failed(error.to_string()))?;
    let mut limits = Limits::default();
    // Eight bytes are a pixel of 16-bit RGBA; a decoder needs a few copies of a picture at worst.
    limits.max_alloc = Some(options.max_pixels.saturating_mul(32).saturating_add(1 << 20));
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|error| failed(error.to_string()))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > options.max_pixels {
        return Err(PictureProblem::TooLarge { width, height, limit: options.max_pixels });
    }
    // PNG is deflate, and a bit of a palette with transparency becomes four bytes. Baseline JPEG spends at least two bits on a block
    // of 64 values, which is less than that.
    let (claimed, stored) = (decoder.total_bytes(), bytes.len() as u64);
    let limit = stored.saturating_mul(32 * DEFLATE_MAX_RATIO);
    if claimed > limit {
        return Err(PictureProblem::ImpossibleClaim { claimed, stored, limit });
    }
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| failed(error.to_string()))?;
    let picture = to_bytes(picture, options)?;
    let stored = ImageShape { height: height as usize, width: width as usize, channels: picture.shape().channels };
    Ok((picture, stored))
}

fn to_bytes(picture: DynamicImage, options: &Options) -> Result<Images, PictureProblem> {
    let is_colour = picture.color().has_color();
    let images = match (options.channels, is_colour) {
        (Channels::Colour, _) | (Channels::AsStored, true) => colour(picture.into_rgb8(), options.size)?,
        (Channels::Grey, true) => grey(mean(&picture.into_rgb8()), options.size)?,
        (Channels::Grey | Channels::AsStored, false) => grey(picture.into_luma8(), options.size)?,
    };
    Ok(images)
}

fn mean(picture: &RgbImage) -> GrayImage {
    let grey = picture.pixels().map(|pixel| {
        let sum: u16 = pixel.0.iter().map(|&value| u16::from(value)).sum();
        ((sum + 1) / 3) as u8
    });
    GrayImage::from_raw(picture.width(), picture.height(), grey.collect()).expect("one value for each pixel")
}

fn colour(picture: RgbImage, size: Option<[usize; 2]>) -> Result<Images, PictureProblem> {
    let picture = match target(picture.dimensions(), size)? {
        Some((width, height)) => imageops::resize(&picture, width, height, FilterType::Triangle),
        None => picture,
    };
    Ok(images(picture.dimensions(), 3, picture.into_raw()))
}

fn grey(picture: GrayImage, size: Option<[usize; 2]>) -> Result<Images, PictureProblem> {
    let picture = match target(picture.dimensions(), size)? {
        Some((width, height)) => imageops::resize(&picture, width, height, FilterType::Triangle),
        None => picture,
    };
    Ok(images(picture.dimensions(), 1, picture.into_raw()))
}

/// The longest side that pictures are resized to; no picture of a data set is wider.
pub(super) const MAX_SIDE: usize = 1 << 14;

/// The size to resize to, if that is another one.
fn target(stored: (u32, u32), size: Option<[usize; 2]>) -> Result<Option<(u32, u32)>, PictureProblem> {
    let Some([height, width]) = size else { return Ok(None) };
    if height == 0 || width == 0 {
        return Err(PictureProblem::EmptySize { height, width });
    }
    if height > MAX_SIDE || width > MAX_SIDE {
        return Err(PictureProblem::LargeSize { height, width });
    }
    let wanted = (width as u32, height as u32);
    Ok((wanted != stored).then_some(wanted))
}

fn images((width, height): (u32, u32), channels: usize, pixels: Vec<u8>) -> Images {
    Images::new(ImageShape { height: height as usize, width: width as usize, channels }, pixels)
}

/// Whether an end mark follows the beginning of the compressed data. Decoders fill the rest of a JPEG file that is cut
/// short with grey and say nothing.
fn jpeg_has_end(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    const END: [u8; 2] = [0xff, 0xd9];
    // Segments: ff, the kind, the length of what follows (including its own two bytes, big-endian).
    let mut rest = &bytes[2..];
    loop {
        match rest {
            [0xff, START_OF_SCAN, data @ ..] => return data.windows(2).any(|pair| pair == END),
            // Fill bytes before a marker.
            [0xff, 0xff, ..] => rest = &rest[1..],
            [0xff, _, high, low, ..] => {
                let length = 2 + usize::from(u16::from_be_bytes([*high, *low]));
                let Some(next) = rest.get(length..) else { return false };
                rest = next;
            }
            // Not what a JPEG file looks like; the decoder will say so.
            [_, _, ..] => return true,
            _ => return false,
        }
    }
}
