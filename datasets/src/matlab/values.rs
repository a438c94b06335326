//! The numbers of an array, in the type of its class.

use byteorder::{BigEndian, ByteOrder, LittleEndian};

use super::element::{Order, kind, size_of};
use super::{Class, MatlabProblem};

/// Numbers in MATLAB's order: the first dimension is the fastest.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each variant is named after its type")]
pub enum Values {
    F64(Vec<f64>),
    F32(Vec<f32>),
    I8(Vec<i8>),
    U8(Vec<u8>),
    I16(Vec<i16>),
    U16(Vec<u16>),
    I32(Vec<i32>),
    U32(Vec<u32>),
    I64(Vec<i64>),
    U64(Vec<u64>),
}

/// Runs the same expression for the vector of whatever type.
macro_rules! for_each_type {
    ($values:expr, $vector:ident => $body:expr) => {
        match $values {
            Values::F64($vector) => $body,
            Values::F32($vector) => $body,
            Values::I8($vector) => $body,
            Values::U8($vector) => $body,
            Values::I16($vector) => $body,
            Values::U16($vector) => $body,
            Values::I32($vector) => $body,
            Values::U32($vector) => $body,
            Values::I64($vector) => $body,
            Values::U64($vector) => $body,
        }
    };
}

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        for_each_type!(self, vector => vector.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each as f64, which is exact except for 64-bit integers beyond 2^53.
    #[expect(clippy::unnecessary_cast, reason = "for one of the types")]
    pub fn to_f64(&self) -> Vec<f64> {
        for_each_type!(self, vector => vector.iter().map(|&value| value as f64).collect())
    }
}

/// Numbers of element type `stored` as an array of `class`. MATLAB stores a number in the smallest type that holds it,
/// so an array of doubles may well be stored as bytes.
pub(super) fn convert(
    name: &str,
    class: Class,
    stored: u32,
    order: Order,
    bytes: Vec<u8>,
) -> Result<Values, MatlabProblem> {
    // The common case of pictures, without a copy.
    if class == Class::UInt8 && stored == kind::UINT8 {
        return Ok(Values::U8(bytes));
    }
    let numbers = Numbers { name, class, stored, bytes: &bytes };
    match order {
        Order::Little => numbers.convert::<LittleEndian>(),
        Order::Big => numbers.convert::<BigEndian>(),
    }
}

struct Numbers<'a> {
    name: &'a str,
    class: Class,
    stored: u32,
    bytes: &'a [u8],
}

impl Numbers<'_> {
    fn convert<E: ByteOrder>(&self) -> Result<Values, MatlabProblem> {
        match self.class {
            Class::Single => Ok(Values::F32(self.floats::<E, f32>(|value| value as f32, |value| value as f32))),
            Class::Int8 => self.integers::<E, i8>().map(Values::I8),
            Class::UInt8 => self.integers::<E, u8>().map(Values::U8),
            Class::Int16 => self.integers::<E, i16>().map(Values::I16),
            Class::UInt16 => self.integers::<E, u16>().map(Values::U16),
            Class::Int32 => self.integers::<E, i32>().map(Values::I32),
            Class::UInt32 => self.integers::<E, u32>().map(Values::U32),
            Class::Int64 => self.integers::<E, i64>().map(Values::I64),
            Class::UInt64 => self.integers::<E, u64>().map(Values::U64),
            // Callers pass numeric classes only, and this is the one that is left.
            _ => Ok(Values::F64(self.floats::<E, f64>(|value| value, |value| value as f64))),
        }
    }

    fn floats<E: ByteOrder, T>(&self, from_float: fn(f64) -> T, from_integer: fn(i128) -> T) -> Vec<T> {
        match self.stored {
            kind::SINGLE => self.bytes.chunks_exact(4).map(|bytes| from_float(f64::from(E::read_f32(bytes)))).collect(),
            kind::DOUBLE => self.bytes.chunks_exact(8).map(|bytes| from_float(E::read_f64(bytes))).collect(),
            _ => self.stored_integers::<E>().map(from_integer).collect(),
        }
    }

    fn integers<E: ByteOrder, T: TryFrom<i128>>(&self) -> Result<Vec<T>, MatlabProblem> {
        let misfit = |index: usize, value: String| MatlabProblem::Value {
            name: self.name.to_owned(),
            index,
            value,
            class: self.class.name(),
        };
        match self.stored {
            kind::SINGLE | kind::DOUBLE => {
                let whole = |(index, value): (usize, f64)| {
                    // Beyond i128 the conversion saturates, and is noticed as another number.
                    let integer = value as i128;
                    let exact = if integer as f64 == value { T::try_from(integer).ok() } else { None };
                    exact.ok_or_else(|| misfit(index, value.to_string()))
                };
                self.floats::<E, f64>(|value| value, |value| value as f64).into_iter().enumerate().map(whole).collect()
            }
            _ => {
                let fitting =
                    |(index, value): (usize, i128)| T::try_from(value).map_err(|_| misfit(index, value.to_string()));
                self.stored_integers::<E>().enumerate().map(fitting).collect()
            }
        }
    }

    fn stored_integers<E: ByteOrder>(&self) -> impl Iterator<Item = i128> {
        let size = size_of(self.stored).expect("the element type was checked to be a number");
        let is_signed = matches!(self.stored, kind::INT8 | kind::INT16 | kind::INT32 | kind::INT64);
        self.bytes.chunks_exact(size).map(move |bytes| {
            if is_signed { i128::from(E::read_int(bytes, size)) } else { i128::from(E::read_uint(bytes, size)) }
        })
    }
}
