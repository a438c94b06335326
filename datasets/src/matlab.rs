//! MATLAB's file format of level 5 (`save -v6` and `-v7`): numeric and character arrays.
//!
//! Layout: a header of 128 bytes (text, version, and "IM" or "MI" for the byte order), then one element for each
//! variable. An element is a tag (type, size) and its bytes; elements of four bytes or fewer have both in eight bytes.
//! A variable is an element that contains others (flags, dimensions, name, numbers), or the zlib-compressed form of
//! one. See "MAT-File Level 5 File Format", The MathWorks.
//!
//! Written by hand because the crate `matfile` 0.5 answers a truncated file with success and no arrays.
//!
//! What is read: arrays of double, single, 8- to 64-bit integers (real, complex, logical) and char, of either byte
//! order, compressed or not. Cells, structs, objects, functions and sparse arrays are listed with name, class and
//! dimensions, their content is passed over. Level 4 and level 7.3 (HDF5) are refused by name.

mod element;
mod inflate;
mod problem;
mod values;
mod variable;

use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::DataError;
use crate::source::Source;
use element::{Elements, Order, Tag, kind};
use inflate::Inflate;
use problem::Failure;

pub use problem::MatlabProblem;
pub use values::Values;

const HEADER: usize = 128;

/// The class of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is one of MATLAB's words")]
pub enum Class {
    Cell,
    Struct,
    Object,
    Char,
    Sparse,
    Double,
    Single,
    Int8,
    UInt8,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    UInt64,
    Function,
    Opaque,
}

impl Class {
    const ALL: [Class; 17] = [
        Class::Cell,
        Class::Struct,
        Class::Object,
        Class::Char,
        Class::Sparse,
        Class::Double,
        Class::Single,
        Class::Int8,
        Class::UInt8,
        Class::Int16,
        Class::UInt16,
        Class::Int32,
        Class::UInt32,
        Class::Int64,
        Class::UInt64,
        Class::Function,
        Class::Opaque,
    ];

    /// The classes are numbered from 1.
    fn from_code(code: u8) -> Option<Self> {
        Class::ALL.get(usize::from(code).checked_sub(1)?).copied()
    }

    /// MATLAB's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Class::Cell => "cell",
            Class::Struct => "struct",
            Class::Object => "object",
            Class::Char => "char",
            Class::Sparse => "sparse",
            Class::Double => "double",
            Class::Single => "single",
            Class::Int8 => "int8",
            Class::UInt8 => "uint8",
            Class::Int16 => "int16",
            Class::UInt16 => "uint16",
            Class::Int32 => "int32",
            Class::UInt32 => "uint32",
            Class::Int64 => "int64",
            Class::UInt64 => "uint64",
            Class::Function => "function",
            Class::Opaque => "opaque",
        }
    }

    fn is_numeric(self) -> bool {
        (Class::Double as u8..=Class::UInt64 as u8).contains(&(self as u8))
    }
}

/// What an array holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Numbers.
    Numbers {
        /// Real parts.
        real: Values,
        /// Imaginary parts of a complex array.
        imaginary: Option<Values>,
    },
    /// Characters in MATLAB's order: column by column.
    Text(Vec<char>),
    /// A class whose content is passed over.
    NotRead,
}

/// A variable of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name; empty for what MATLAB stores for its own use.
    pub name: String,
    /// Dimensions; the *first* is the fastest, as everywhere in MATLAB. Empty for opaque objects.
    pub dims: Vec<usize>,
    /// Its class.
    pub class: Class,
    /// Whether its numbers are truth values.
    pub is_logical: bool,
    /// What it holds.
    pub content: Content,
}

impl Variable {
    /// Product of the dimensions.
    pub fn count(&self) -> usize {
        self.dims.iter().product()
    }

    /// The numbers of a real array, by value.
    ///
    /// # Errors
    ///
    /// [`MatlabProblem::NotRead`] if there are none.
    pub fn into_numbers(self) -> Result<Values, MatlabProblem> {
        match self.content {
            Content::Numbers { real, imaginary: None } => Ok(real),
            Content::Numbers { .. } => Err(MatlabProblem::NotRead { name: self.name, class: "complex" }),
            _ => Err(MatlabProblem::NotRead { name: self.name, class: self.class.name() }),
        }
    }
}

/// Reads all variables, in the order of the file; there is at least one. Files in gzip are understood too.
///
/// # Errors
///
/// When the file cannot be read, is of another format or level, or is damaged or cut short anywhere.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<Variable>, DataError> {
    variables(Source::open(path.as_ref())?)
}

/// The same as [`read`] for a file held in memory; `name` stands for the path in messages.
///
/// # Errors
///
/// As for [`read`].
pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Vec<Variable>, DataError> {
    variables(Source::from_bytes(name, bytes)?)
}

pub(crate) fn variables(mut source: Source) -> Result<Vec<Variable>, DataError> {
    read_all(&mut source).map_err(|failure| match failure {
        Failure::Read(error) => source.error(source.explain(error)),
        Failure::Wrong(problem) => source.error(problem.into()),
    })
}

fn read_all(source: &mut Source) -> Result<Vec<Variable>, Failure> {
    let order = header(source)?;
    let mut variables = Vec::new();
    loop {
        let start = up_to(source, 8)?;
        let Ok(start) = <[u8; 8]>::try_from(start.as_slice()) else {
            return match (start.len(), variables.len()) {
                (0, 0) => Err(MatlabProblem::NoVariables.into()),
                (0, _) => Ok(variables),
                _ => Err(MatlabProblem::Ends { place: "the tag of a variable" }.into()),
            };
        };
        let tag = Tag::parse(order, start)?;
        variables.push(match tag.kind {
            kind::MATRIX => variable::read(&mut Elements::new(source, order, tag.size))?,
            kind::COMPRESSED => compressed(source, order, tag.size, variables.len() + 1)?,
            found => {
                let expected = "14 (matrix) or 15 (compressed)";
                return Err(MatlabProblem::ElementType { place: "a variable", found, expected }.into());
            }
        });
    }
}

/// Reads the header; returns the byte order.
fn header(source: &mut Source) -> Result<Order, Failure> {
    let header = up_to(source, HEADER)?;
    let not_matlab = || MatlabProblem::NotMatlab { found: header[..header.len().min(8)].to_vec() };
    // The text of level 5 begins with "MATLAB"; level 4 has a number there, with a zero byte in either byte order.
    if header.len() >= 20 && header[..4].contains(&0) && header[..4] != [0; 4] || header.starts_with(&[0; 4]) {
        return Err(MatlabProblem::Level { level: "level 4" }.into());
    }
    if header.starts_with(b"\x89HDF") {
        return Err(MatlabProblem::Level { level: "level 7.3 (HDF5)" }.into());
    }
    if header.len() < HEADER {
        return Err(not_matlab().into());
    }
    let (order, major) = match &header[126..128] {
        b"IM" => (Order::Little, header[125]),
        b"MI" => (Order::Big, header[124]),
        _ => return Err(not_matlab().into()),
    };
    match major {
        1 => Ok(order),
        2 => Err(MatlabProblem::Level { level: "level 7.3 (HDF5)" }.into()),
        _ => Err(not_matlab().into()),
    }
}

/// Reads a variable from `size` bytes of zlib.
fn compressed(source: &mut Source, order: Order, size: u64, number: usize) -> Result<Variable, Failure> {
    let mut packed = source.by_ref().take(size);
    let mut content = Inflate::new(BufReader::new(&mut packed));
    let variable = inside(&mut content, order).map_err(|failure| match failure {
        Failure::Read(error) => MatlabProblem::Zlib { number, reason: error.to_string() }.into(),
        wrong => wrong,
    })?;
    // Bytes between the end of the stream and that of the element mean nothing.
    io::copy(&mut packed, &mut io::sink())?;
    if packed.limit() > 0 { Err(MatlabProblem::Ends { place: "a compressed variable" }.into()) } else { Ok(variable) }
}

/// Reads the one matrix in `content`, which has to end with it.
fn inside(content: &mut impl Read, order: Order) -> Result<Variable, Failure> {
    const PLACE: &str = "a compressed variable";
    let Ok(start) = <[u8; 8]>::try_from(up_to(content, 8)?.as_slice()) else {
        return Err(MatlabProblem::Ends { place: PLACE }.into());
    };
    let tag = Tag::parse(order, start)?;
    if tag.kind != kind::MATRIX {
        return Err(MatlabProblem::ElementType { place: PLACE, found: tag.kind, expected: "14 (matrix)" }.into());
    }
    let variable = variable::read(&mut Elements::new(content, order, tag.size))?;
    // Reading to the end verifies the checksum.
    let surplus = io::copy(&mut content.take(8), &mut io::sink())?;
    if surplus > 0 {
        let expected = format!("{} as its tag says", tag.size);
        return Err(MatlabProblem::ElementSize { place: PLACE, found: tag.size + surplus, expected }.into());
    }
    Ok(variable)
}

fn up_to(input: &mut impl Read, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(size);
    input.by_ref().take(size as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
