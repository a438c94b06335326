//! The building blocks of the format: a tag (type and size) and its bytes, padded to a multiple of eight.

use std::io::{self, Read};

use byteorder::{BigEndian, ByteOrder, LittleEndian};

use super::problem::{Failure, MatlabProblem};

/// Type codes of elements.
pub(super) mod kind {
    pub const INT8: u32 = 1;
    pub const UINT8: u32 = 2;
    pub const INT16: u32 = 3;
    pub const UINT16: u32 = 4;
    pub const INT32: u32 = 5;
    pub const UINT32: u32 = 6;
    pub const SINGLE: u32 = 7;
    pub const DOUBLE: u32 = 9;
    pub const INT64: u32 = 12;
    pub const UINT64: u32 = 13;
    pub const MATRIX: u32 = 14;
    pub const COMPRESSED: u32 = 15;
    pub const UTF8: u32 = 16;
    pub const UTF16: u32 = 17;
    pub const UTF32: u32 = 18;
}

/// Bytes of one number of an element type; nothing for types that are not numbers.
pub(super) fn size_of(element: u32) -> Option<usize> {
    match element {
        kind::INT8 | kind::UINT8 => Some(1),
        kind::INT16 | kind::UINT16 => Some(2),
        kind::INT32 | kind::UINT32 | kind::SINGLE => Some(4),
        kind::DOUBLE | kind::INT64 | kind::UINT64 => Some(8),
        _ => None,
    }
}

/// The byte order of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub fn u32(self, bytes: &[u8]) -> u32 {
        match self {
            Order::Little => LittleEndian::read_u32(bytes),
            Order::Big => BigEndian::read_u32(bytes),
        }
    }
}

/// The beginning of an element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag {
    pub kind: u32,
    pub size: u64,
    /// The bytes themselves, where four or fewer are packed into the tag.
    inline: Option<[u8; 4]>,
}

impl Tag {
    /// The tag in eight bytes. If the upper half of the first word is not zero, it is the size of a small element.
    pub fn parse(order: Order, bytes: [u8; 8]) -> Result<Self, MatlabProblem> {
        let first = order.u32(&bytes[..4]);
        let rest = [bytes[4], bytes[5], bytes[6], bytes[7]];
        let small = u64::from(first >> 16);
        match small {
            0 => Ok(Tag { kind: first, size: u64::from(order.u32(&rest)), inline: None }),
            1..=4 => Ok(Tag { kind: first & 0xffff, size: small, inline: Some(rest) }),
            _ => Err(MatlabProblem::ElementSize {
                place: "a small element",
                found: small,
                expected: "at most 4".to_owned(),
            }),
        }
    }
}

/// Bytes that were asked for, as far as they came, and why there are not more.
pub(super) struct Partial {
    pub bytes: Vec<u8>,
    pub stopped: Option<String>,
}

/// The elements inside one that contains others.
pub(super) struct Elements<'r> {
    input: &'r mut dyn Read,
    pub order: Order,
    /// Bytes of the containing element that are still to come.
    remaining: u64,
}

impl<'r> Elements<'r> {
    pub fn new(input: &'r mut dyn Read, order: Order, size: u64) -> Self {
        Elements { input, order, remaining: size }
    }

    /// The next tag, or nothing at the end of the containing element.
    pub fn next(&mut self, place: &'static str) -> Result<Option<Tag>, Failure> {
        if self.remaining == 0 {
            return Ok(None);
        }
        if self.remaining < 8 {
            let expected = "at least 8".to_owned();
            return Err(MatlabProblem::ElementSize { place, found: self.remaining, expected }.into());
        }
        let bytes = self.take(8, place)?;
        let tag = Tag::parse(self.order, bytes.try_into().expect("eight bytes"))?;
        if tag.inline.is_none() && tag.size > self.remaining {
            let expected = format!("at most the {} that are left of the variable", self.remaining);
            return Err(MatlabProblem::ElementSize { place, found: tag.size, expected }.into());
        }
        Ok(Some(tag))
    }

    /// The next tag, which has to be there.
    pub fn required(&mut self, place: &'static str) -> Result<Tag, Failure> {
        let missing = MatlabProblem::ElementSize { place, found: 0, expected: "at least 8".to_owned() };
        self.next(place)?.ok_or(Failure::Wrong(missing))
    }

    /// The bytes of the element that `tag` begins.
    pub fn content(&mut self, tag: Tag, place: &'static str) -> Result<Vec<u8>, Failure> {
        let Partial { bytes, stopped } = self.partial_content(tag)?;
        match stopped {
            None => Ok(bytes),
            Some(_) => Err(MatlabProblem::Ends { place }.into()),
        }
    }

    /// The bytes of the element that `tag` begins, or as many of them as there are.
    ///
    /// The buffer grows with what really arrives.
    pub fn partial_content(&mut self, tag: Tag) -> Result<Partial, Failure> {
        if let Some(inline) = tag.inline {
            return Ok(Partial { bytes: inline[..tag.size as usize].to_vec(), stopped: None });
        }
        let mut bytes = Vec::new();
        let outcome = (&mut self.input).take(tag.size).read_to_end(&mut bytes);
        self.remaining -= bytes.len() as u64;
        let stopped = match outcome {
            Err(error) => Some(error.to_string()),
            Ok(_) if (bytes.len() as u64) < tag.size => Some("the file ends".to_owned()),
            Ok(_) => None,
        };
        if stopped.is_none() {
            // Padding up to a multiple of eight, as far as the containing element has any left.
            let padding = (tag.size.next_multiple_of(8) - tag.size).min(self.remaining);
            self.take(padding, "the padding of an element")?;
        }
        Ok(Partial { bytes, stopped })
    }

    /// Passes over what is left of the containing element.
    pub fn skip_rest(&mut self, place: &'static str) -> Result<(), Failure> {
        let skipped = io::copy(&mut (&mut self.input).take(self.remaining), &mut io::sink())?;
        self.remaining -= skipped;
        if self.remaining == 0 { Ok(()) } else { Err(MatlabProblem::Ends { place }.into()) }
    }

    /// A few bytes.
    fn take(&mut self, size: u64, place: &'static str) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        (&mut self.input).take(size).read_to_end(&mut bytes)?;
        self.remaining -= bytes.len() as u64;
        if (bytes.len() as u64) < size { Err(MatlabProblem::Ends { place }.into()) } else { Ok(bytes) }
    }
}
