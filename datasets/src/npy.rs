//! numpy's npy format, read into f32 and written from f32.
//!
//! Layout: `93 "NUMPY"`, the version (two bytes), the length of the header text, the text (a Python dictionary), then
//! the elements. See <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.
//!
//! Written by hand because a header that claims an absurd shape has to end in an error: the crate `npyz` 0.9
//! multiplies the claimed dimensions unchecked. The tests hold the two against each other.

mod header;

use std::fs;
use std::path::Path;

use byteorder::{BigEndian, ByteOrder, LittleEndian};

use crate::source::Source;
use crate::{DataError, Problem};
use header::{ElementKind, ElementType, Header};

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Elements begin at a multiple of this many bytes, so that a mapped file is aligned.
const ALIGNMENT: usize = 64;

/// numpy 2 allows at most this many dimensions.
const MAX_RANK: usize = 64;

/// An array as numpy stores it.
#[derive(Debug, Clone, PartialEq)]
pub struct NpyArray {
    /// Dimensions, slowest first; empty for a scalar.
    pub shape: Vec<usize>,
    /// Elements in C order: the last dimension is the fastest.
    pub data: Vec<f32>,
}

/// Reads an array of real numbers and converts it to f32 in C order.
///
/// | elements | become |
/// |---|---|
/// | f4 | themselves |
/// | f8 | the nearest f32; beyond its range, infinity |
/// | i1-i8, u1-u8, b1 | themselves, or an error if f32 cannot hold the value |
///
/// Either byte order and either memory order are understood, and so is a file compressed with gzip.
///
/// # Errors
///
/// When the file cannot be read, is not exactly what its header announces, or holds other elements.
pub fn read(path: impl AsRef<Path>) -> Result<NpyArray, DataError> {
    array(Source::open(path.as_ref())?)
}

/// The same as [`read`] for a file held in memory; `name` stands for the path in messages.
///
/// # Errors
///
/// As for [`read`].
pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<NpyArray, DataError> {
    array(Source::from_bytes(name, bytes)?)
}

pub(crate) fn array(mut source: Source) -> Result<NpyArray, DataError> {
    let text = header_text(&mut source)?;
    let header = Header::parse(&text).map_err(|problem| source.error(problem))?;
    let size = size_in_bytes(&header).map_err(|problem| source.error(problem))?;
    let bytes = source.read_rest(size)?;
    let data = convert(&header.element, &bytes).map_err(|problem| source.error(problem))?;
    let data = if header.fortran_order { to_c_order(&header.shape, &data) } else { data };
    Ok(NpyArray { shape: header.shape, data })
}

fn header_text(source: &mut Source) -> Result<Vec<u8>, DataError> {
    let start = source.read_header(MAGIC.len() + 2)?;
    let (magic, version) = start.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(source.error(Problem::NotNpy { found: magic.to_vec() }));
    }
    let length = match version {
        [1, 0] => u32::from(LittleEndian::read_u16(&source.read_header(2)?)),
        [2 | 3, 0] => LittleEndian::read_u32(&source.read_header(4)?),
        _ => return Err(source.error(Problem::NpyVersion { major: version[0], minor: version[1] })),
    };
    source.check_claim(u64::from(length), false)?;
    source.read_header(length as usize)
}

fn size_in_bytes(header: &Header) -> Result<usize, Problem> {
    if header.shape.len() > MAX_RANK {
        return Err(Problem::NpyRank { rank: header.shape.len(), limit: MAX_RANK });
    }
    let size = header.shape.iter().try_fold(header.element.size, |size, &dim| size.checked_mul(dim));
    size.ok_or_else(|| Problem::Overflow { dims: header.shape.iter().map(|&dim| dim as u64).collect() })
}

fn convert(element: &ElementType, bytes: &[u8]) -> Result<Vec<f32>, Problem> {
    if element.big_endian {
        convert_from::<BigEndian>(element, bytes)
    } else {
        convert_from::<LittleEndian>(element, bytes)
    }
}

fn convert_from<E: ByteOrder>(element: &ElementType, bytes: &[u8]) -> Result<Vec<f32>, Problem> {
    let size = element.size;
    let elements = bytes.chunks_exact(size);
    match (element.kind, size) {
        (ElementKind::Float, 4) => Ok(elements.map(E::read_f32).collect()),
        (ElementKind::Float, _) => Ok(elements.map(|bytes| E::read_f64(bytes) as f32).collect()),
        (ElementKind::Signed, _) => exact(elements.map(|bytes| i128::from(E::read_int(bytes, size)))),
        (ElementKind::Unsigned, _) => exact(elements.map(|bytes| i128::from(E::read_uint(bytes, size)))),
    }
}

fn exact(values: impl Iterator<Item = i128>) -> Result<Vec<f32>, Problem> {
    let convert = |(index, value)| {
        let float = value as f32;
        if float as i128 == value { Ok(float) } else { Err(Problem::InexactInteger { index, value }) }
    };
    values.enumerate().map(convert).collect()
}

/// From Fortran order (the first dimension is the fastest) to C order (the last one is).
fn to_c_order(shape: &[usize], fortran: &[f32]) -> Vec<f32> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1;
    for dim in shape {
        strides.push(stride);
        stride *= dim;
    }
    let mut index = vec![0; shape.len()];
    let mut position = 0;
    let mut data = Vec::with_capacity(fortran.len());
    for _ in 0..fortran.len() {
        data.push(fortran[position]);
        // Count up `index` like an odometer, last wheel first, and keep `position` in step with it.
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            position += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            position -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    data
}

/// Writes an array as little-endian f4 in C order, version 1.0: what `numpy.save` would write.
///
/// # Errors
///
/// When the file cannot be written.
///
/// # Panics
///
/// If the shape does not multiply to the number of elements, or has more than 64 dimensions.
pub fn write(path: impl AsRef<Path>, array: &NpyArray) -> Result<(), DataError> {
    fs::write(&path, to_bytes(array)).map_err(|error| DataError::new(path, error.into()))
}

/// The bytes that [`write()`] writes.
///
/// # Panics
///
/// As [`write()`].
pub fn to_bytes(array: &NpyArray) -> Vec<u8> {
    let NpyArray { shape, data } = array;
    assert!(shape.len() <= MAX_RANK, "npy: at most {MAX_RANK} dimensions, got {}", shape.len());
    assert_eq!(shape.iter().product::<usize>(), data.len(), "npy: shape {shape:?} does not fit the data");
    let prefix = MAGIC.len() + 4;
    let text = header::text(shape);
    // Spaces and one newline fill the header up to the alignment.
    let start = (prefix + text.len() + 1).next_multiple_of(ALIGNMENT);
    let length = u16::try_from(start - prefix).expect("64 dimensions of 20 digits fit into 64 KiB");

    let mut bytes = Vec::with_capacity(start + 4 * data.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[1, 0]);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(start - 1, b' ');
    bytes.push(b'\n');
    bytes.extend(data.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}
