//! One variable: flags, dimensions, name, and what its class has.

use byteorder::{BigEndian, ByteOrder, LittleEndian};

use super::element::{Elements, Order, Partial, kind, size_of};
use super::problem::{Failure, MatlabProblem};
use super::values::convert;
use super::{Class, Content, Values, Variable};

/// numpy and MATLAB files of practice have at most so many dimensions.
const MAX_RANK: usize = 32;

/// Bits of the first word of the flags.
const COMPLEX: u32 = 0x0800;
const LOGICAL: u32 = 0x0200;

/// Reads the elements of a matrix.
pub(super) fn read(elements: &mut Elements) -> Result<Variable, Failure> {
    let flags = flags(elements)?;
    let code = (flags & 0xff) as u8;
    let class = Class::from_code(code).ok_or(MatlabProblem::Class { code })?;
    // Objects of MATLAB's newer kind have a name but no dimensions.
    let dims = if class == Class::Opaque { Vec::new() } else { dimensions(elements)? };
    let name = name(elements)?;
    let mut variable = Variable { name, dims, class, is_logical: flags & LOGICAL != 0, content: Content::NotRead };
    if class.is_numeric() {
        let real = numbers(elements, &variable)?;
        let imaginary = if flags & COMPLEX != 0 { Some(numbers(elements, &variable)?) } else { None };
        variable.content = Content::Numbers { real, imaginary };
    } else if class == Class::Char {
        variable.content = Content::Text(text(elements, &variable)?);
    }
    elements.skip_rest("the content of a variable")?;
    Ok(variable)
}

fn flags(elements: &mut Elements) -> Result<u32, Failure> {
    const PLACE: &str = "the flags of a variable";
    let tag = elements.required(PLACE)?;
    if tag.kind != kind::UINT32 {
        return Err(wrong_type(PLACE, tag.kind, "6 (32-bit unsigned)"));
    }
    if tag.size != 8 {
        let expected = "8".to_owned();
        return Err(MatlabProblem::ElementSize { place: PLACE, found: tag.size, expected }.into());
    }
    let bytes = elements.content(tag, PLACE)?;
    Ok(elements.order.u32(&bytes))
}

fn dimensions(elements: &mut Elements) -> Result<Vec<usize>, Failure> {
    const PLACE: &str = "the dimensions of a variable";
    let tag = elements.required(PLACE)?;
    // Unsigned is what other writers use; below 2^31 it is the same.
    if !matches!(tag.kind, kind::INT32 | kind::UINT32) {
        return Err(wrong_type(PLACE, tag.kind, "5 (32-bit signed)"));
    }
    if tag.size == 0 || !tag.size.is_multiple_of(4) || tag.size > 4 * MAX_RANK as u64 {
        let expected = format!("4 for each of 1 to {MAX_RANK} dimensions");
        return Err(MatlabProblem::ElementSize { place: PLACE, found: tag.size, expected }.into());
    }
    let bytes = elements.content(tag, PLACE)?;
    let claimed: Vec<i64> = bytes.chunks_exact(4).map(|dim| i64::from(elements.order.u32(dim) as i32)).collect();
    let dims: Option<Vec<usize>> = claimed.iter().map(|&dim| usize::try_from(dim).ok()).collect();
    let wrong = || MatlabProblem::Dimensions { name: String::new(), dims: claimed.clone(), limit: MAX_RANK };
    let dims = dims.ok_or_else(wrong)?;
    // So that the product can be used without a thought from here on.
    dims.iter().try_fold(8usize, |size, &dim| size.checked_mul(dim)).ok_or_else(wrong)?;
    Ok(dims)
}

fn name(elements: &mut Elements) -> Result<String, Failure> {
    const PLACE: &str = "the name of a variable";
    let tag = elements.required(PLACE)?;
    if !matches!(tag.kind, kind::INT8 | kind::UTF8) {
        return Err(wrong_type(PLACE, tag.kind, "1 (8-bit signed)"));
    }
    let bytes = elements.content(tag, PLACE)?;
    String::from_utf8(bytes).map_err(|_| MatlabProblem::Name.into())
}

fn numbers(elements: &mut Elements, variable: &Variable) -> Result<Values, Failure> {
    const PLACE: &str = "the numbers of a variable";
    let tag = elements.required(PLACE)?;
    let Some(size) = size_of(tag.kind) else {
        return Err(wrong_type(PLACE, tag.kind, "a type of number"));
    };
    let expected = (variable.count() * size) as u64;
    if tag.size != expected {
        let expected = format!("{expected} ({size} for each element of {:?})", variable.dims);
        return Err(MatlabProblem::ElementSize { place: PLACE, found: tag.size, expected }.into());
    }
    let Partial { bytes, stopped } = elements.partial_content(tag)?;
    if let Some(reason) = stopped {
        let problem = MatlabProblem::CutShort {
            name: variable.name.clone(),
            dims: variable.dims.clone(),
            expected: variable.count() as u64,
            found: (bytes.len() / size) as u64,
            reason,
        };
        return Err(problem.into());
    }
    Ok(convert(&variable.name, variable.class, tag.kind, elements.order, bytes)?)
}

fn text(elements: &mut Elements, variable: &Variable) -> Result<Vec<char>, Failure> {
    const PLACE: &str = "the characters of a variable";
    let tag = elements.required(PLACE)?;
    let bytes = elements.content(tag, PLACE)?;
    let characters: Vec<char> = match (tag.kind, elements.order) {
        // Bytes without an encoding are code points below 256.
        (kind::INT8 | kind::UINT8, _) => bytes.iter().map(|&byte| char::from(byte)).collect(),
        (kind::UTF8, _) => String::from_utf8_lossy(&bytes).chars().collect(),
        (kind::UINT16 | kind::UTF16, Order::Little) => utf16(bytes.chunks_exact(2).map(LittleEndian::read_u16)),
        (kind::UINT16 | kind::UTF16, Order::Big) => utf16(bytes.chunks_exact(2).map(BigEndian::read_u16)),
        (kind::UTF32, order) => bytes.chunks_exact(4).map(|code| character(order.u32(code))).collect(),
        (other, _) => return Err(wrong_type(PLACE, other, "a type of character")),
    };
    // Some writers store an array of blanks as nothing.
    if characters.is_empty() && tag.size == 0 && variable.count() <= MAX_BLANKS {
        return Ok(vec![' '; variable.count()]);
    }
    if characters.len() != variable.count() {
        let (found, expected) = (characters.len(), variable.count());
        return Err(MatlabProblem::Text { name: variable.name.clone(), found, expected }.into());
    }
    Ok(characters)
}

/// As many blanks are believed without a byte for each.
const MAX_BLANKS: usize = 1024;

fn utf16(units: impl Iterator<Item = u16>) -> Vec<char> {
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn character(code: u32) -> char {
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn wrong_type(place: &'static str, found: u32, expected: &'static str) -> Failure {
    MatlabProblem::ElementType { place, found, expected }.into()
}
